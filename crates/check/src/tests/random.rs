//! Random histories: against counting by hand, and one way of judging against another.

use super::reference::Reference;
use super::*;
use crate::History;
use crate::judge::Judge;
use crate::told::Told;
use inflight_protocol::fact::{Election, PositionSource, SendError, USER_VIEW};
use inflight_protocol::message::IsolationLevel;
use inflight_protocol::{Acks, TransactionResult};
use inflight_trace::CommitStyle;
use proptest::prelude::*;

/// Something that happens, possible or not.
#[derive(Clone, Debug)]
enum Step {
    Queue(u16, u32),
    /// A broker appends some of the queued records of a session.
    Append(u8, u16, u64, u32),
    /// A leader appends what comes next of a session, everybody copies it, and it is acked.
    Deliver(u16),
    Copy(u8, u8),
    Commit(u8),
    Ack(u16, u64, u32, Option<u64>),
    Fail(u16, u64, u32),
    Elect(u8, bool),
    Truncate(u8, u64),
    Crash(u8),
    Start(u8),
    PowerLoss(u8, u64),
    Again(u16),
    Begin(u16),
    /// A session asks for an end of its transaction, and is told of it or not.
    End(u16, TransactionResult, bool),
    /// The leader appends a marker for a session.
    Mark(u16, TransactionResult),
    Offset(u16, u64),
    Count(u64),
    Stable(u64),
    Assign(u16, u32),
    Place(u16, u64, PositionSource),
    Poll(u16, u64, u64),
    Give(u16, u64, u16, u64),
    Process(u16, u64, u32, u32),
    Transform(u16, u64, u32, u16),
    CommitOffset(u16, u64),
    Gone(u16),
}

fn step() -> impl Strategy<Value = Step> {
    let (broker, session) = (|| 1..4_u8, || 0..2_u16);
    let run = || (0..6_u64, 1..4_u32);
    prop_oneof![
        4 => (session(), 1..4_u32).prop_map(|(s, n)| Step::Queue(s, n)),
        3 => (broker(), session(), run()).prop_map(|(b, s, (f, n))| Step::Append(b, s, f, n)),
        6 => session().prop_map(Step::Deliver),
        3 => (broker(), broker()).prop_map(|(to, from)| Step::Copy(to, from)),
        3 => broker().prop_map(Step::Commit),
        3 => (session(), run(), proptest::option::of(0..8_u64))
            .prop_map(|(s, (f, n), at)| Step::Ack(s, f, n, at)),
        1 => (session(), run()).prop_map(|(s, (f, n))| Step::Fail(s, f, n)),
        1 => (broker(), any::<bool>()).prop_map(|(b, unclean)| Step::Elect(b, unclean)),
        1 => (broker(), 0..8_u64).prop_map(|(b, to)| Step::Truncate(b, to)),
        1 => broker().prop_map(Step::Crash),
        1 => broker().prop_map(Step::Start),
        1 => (broker(), 0..8_u64).prop_map(|(b, to)| Step::PowerLoss(b, to)),
        1 => session().prop_map(Step::Again),
    ]
}

/// The same with transactions and consumers.
fn any_step() -> impl Strategy<Value = Step> {
    let session = || 0..2_u16;
    let end = || prop_oneof![Just(TransactionResult::Commit), Just(TransactionResult::Abort)];
    let source = prop_oneof![
        Just(PositionSource::Committed),
        Just(PositionSource::Latest),
        Just(PositionSource::Seek),
    ];
    let at = || 0..8_u64;
    let exactly_once = prop_oneof![
        3 => session().prop_map(Step::Begin),
        3 => (session(), end(), any::<bool>()).prop_map(|(s, end, told)| Step::End(s, end, told)),
        3 => (session(), end()).prop_map(|(s, end)| Step::Mark(s, end)),
        1 => (session(), at()).prop_map(|(s, at)| Step::Offset(s, at)),
        1 => at().prop_map(Step::Count),
        1 => at().prop_map(Step::Stable),
        1 => (session(), 1..3_u32).prop_map(|(c, g)| Step::Assign(c, g)),
        1 => (session(), at(), source).prop_map(|(c, at, source)| Step::Place(c, at, source)),
        3 => (session(), at(), 1..4_u64).prop_map(|(c, at, n)| Step::Poll(c, at, n)),
        1 => (session(), at(), session(), 0..6_u64)
            .prop_map(|(c, at, s, first)| Step::Give(c, at, s, first)),
        2 => (session(), at(), 1..4_u32, 0..2_u32)
            .prop_map(|(c, at, n, known)| Step::Process(c, at, n, known)),
        2 => (session(), at(), 1..3_u32, session())
            .prop_map(|(c, at, n, s)| Step::Transform(c, at, n, s)),
        2 => (session(), at()).prop_map(|(c, at)| Step::CommitOffset(c, at)),
        1 => session().prop_map(Step::Gone),
    ];
    prop_oneof![step(), exactly_once]
}

/// Plays steps, leaving out those that make no sense at all.
fn play(mut script: Script, steps: Vec<Step>) -> Script {
    let mut next = [0_u64; 2];
    let mut leader = 1;
    for step in steps {
        script = match step {
            Step::Queue(session, count) => script.queue(session, count),
            Step::Append(broker, session, first, count) => {
                let count = count.min(script.queued(session).saturating_sub(first) as u32);
                if count == 0 { script } else { script.append(broker, session, first, count) }
            }
            Step::Deliver(session) => {
                let first = next[usize::from(session)];
                let count = script.queued(session).saturating_sub(first) as u32;
                if count == 0 {
                    continue;
                }
                next[usize::from(session)] += u64::from(count);
                let run = script.send(session, first, count, leader, 0);
                let run = run.append(leader, session, first, count).replicate(leader);
                run.ack(session, first, count, leader)
            }
            Step::Copy(to, from) => script.copy(to, from),
            Step::Commit(broker) => script.commit(broker),
            Step::Ack(session, first, count, offset) => {
                let count = count.min(script.queued(session).saturating_sub(first) as u32);
                if count == 0 { script } else { script.ack_at(session, first, count, offset) }
            }
            Step::Fail(session, first, count) => {
                let count = count.min(script.queued(session).saturating_sub(first) as u32);
                if count == 0 {
                    script
                } else {
                    script.fail(session, first, count, SendError::DeliveryTimeout)
                }
            }
            Step::Elect(broker, unclean) => {
                leader = broker;
                script.elect(broker, if unclean { Election::Unclean } else { Election::Clean })
            }
            Step::Truncate(broker, to) => script.truncate(broker, to),
            Step::Crash(broker) => script.crash(broker),
            Step::Start(broker) => script.start(broker),
            Step::PowerLoss(broker, to) => script.power_loss(broker, to),
            Step::Again(session) => {
                if script.queued(session) == 0 {
                    script
                } else {
                    script.queue_again(session, 1, 0)
                }
            }
            step => play_exactly_once(script, &step),
        };
    }
    script
}

/// Plays a step about transactions or consumers.
fn play_exactly_once(script: Script, step: &Step) -> Script {
    match *step {
        Step::Begin(session) if !script.is_initialised(session) => script.init(session),
        Step::Begin(session) => script.begin(session).add_partition(session),
        Step::End(session, result, told) if script.has_begun(session) => {
            let script = script.ending(session, result);
            if told { script.ended(session, result) } else { script }
        }
        Step::Mark(session, result) if script.is_initialised(session) => {
            script.marker(session, result)
        }
        Step::Offset(session, at) if script.has_begun(session) => {
            script.send_offset(session, at).pend_offset(at)
        }
        Step::Count(at) => script.count_offset(at),
        Step::Stable(at) => script.stable(0, at),
        Step::Assign(consumer, generation) => script.assign(consumer, generation),
        Step::Place(consumer, at, source) => script.place(consumer, at, source),
        Step::Poll(consumer, at, count) => {
            let count = count.min(script.end_of(1).saturating_sub(at));
            script.poll(consumer, at, count)
        }
        Step::Give(consumer, at, session, first) => script.give(consumer, at, session, first),
        Step::Process(consumer, at, count, known) => {
            script.process_known(consumer, at, count, known.min(count))
        }
        Step::Transform(consumer, at, count, session) => {
            script.transform(consumer, at, count, session)
        }
        Step::CommitOffset(consumer, at) => script.commit_offset(consumer, at, None),
        Step::Gone(consumer) => script.stop_consumer(consumer, consumer),
        _ => script,
    }
}

fn setup() -> impl Strategy<Value = Script> {
    let acks = prop_oneof![Just(Acks::All), Just(Acks::Leader), Just(Acks::None)];
    (any::<bool>(), acks, 1..3_u32, 1..6_u32).prop_map(|(idempotent, acks, min_isr, in_flight)| {
        let script = Script::new().min_isr(min_isr).session(1);
        if idempotent { script } else { script.acks(acks).in_flight(in_flight) }
    })
}

/// A setup with transactions and consumers.
fn exactly_once() -> impl Strategy<Value = Script> {
    let styles = prop_oneof![
        Just(CommitStyle::CommitFirst),
        Just(CommitStyle::ProcessFirst),
        Just(CommitStyle::Auto),
        Just(CommitStyle::Transaction),
    ];
    (setup(), 1..3_u8, styles, any::<[bool; 3]>()).prop_map(|(script, version, style, ways)| {
        let script = script.transactional(version).reading(style).readers(|reader| {
            (reader.sends_group_metadata, reader.rewinds_after_abort) = (ways[0], ways[1]);
            reader.deduplicates = ways[2];
        });
        let isolation = [IsolationLevel::ReadCommitted, IsolationLevel::ReadUncommitted];
        script.consumer(0, 0, isolation[0]).consumer(1, 1, isolation[usize::from(ways[0])])
    })
}

/// Runs in which nothing is odd: sessions take turns, followers copy when they like.
fn quiet() -> impl Strategy<Value = Script> {
    let turns = proptest::collection::vec((0..2_u16, 1..4_u32, any::<bool>()), 0..12);
    (setup(), turns).prop_map(|(mut script, turns)| {
        let mut next = [0_u64; 2];
        for (session, count, lazily) in turns {
            let first = next[usize::from(session)];
            next[usize::from(session)] += u64::from(count);
            script = script.queue(session, count).send(session, first, count, 1, 0);
            script = script.append(1, session, first, count);
            script = if lazily { script.copy(2, 1).commit(1) } else { script.replicate(1) };
            script = script.ack(session, first, count, 1);
        }
        script.replicate(1).end()
    })
}

fn both(script: &Script, view: View) -> (Judgement, Judgement) {
    let history = History::of(&script.description, &script.facts);
    let (mut fast, mut slow) = (Judgement::default(), Judgement::default());
    Judge::default().judge(&history, view, &mut fast);
    Judge::default().judge_slowly(&history, view, &mut slow);
    (fast, slow)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn counts_are_those_of_counting_by_hand(
        script in setup(),
        steps in proptest::collection::vec(step(), 0..40),
    ) {
        let script = play(script, steps).end();
        let judgement = judged(&script);
        let expected = Reference::of(&script.facts);
        prop_assert_eq!(judgement.counts.acked, expected.acked);
        prop_assert_eq!(judgement.counts.failed, expected.failed);
        prop_assert_eq!(judgement.counts.unknown, expected.unknown);
        prop_assert_eq!(judgement.counts.sent, expected.sent);
        // Where nobody leads there is no final read to count by hand.
        if let Some(read) = expected.read {
            prop_assert_eq!(judgement.counts.lost, read.lost);
            prop_assert_eq!(judgement.counts.duplicated, read.duplicated);
            prop_assert_eq!(judgement.counts.reordered, read.reordered);
            prop_assert_eq!(judgement.counts.failed_but_present, read.failed_but_present);
            prop_assert_eq!(judgement.counts.read, read.records);
            for (checker, count) in [
                (CheckerId::NoLoss, read.lost),
                (CheckerId::TransportDuplicate, read.duplicated),
                (CheckerId::SessionOrder, read.reordered),
            ] {
                let found: u64 = judgement.findings_of(checker).map(|f| f.total).sum();
                prop_assert_eq!(found, count, "{}", checker);
                let quiet = judgement.opinion(checker).verdict <= Verdict::Ok;
                prop_assert_eq!(quiet, count == 0, "{}", checker);
            }
        }
    }

    #[test]
    fn the_users_view_never_says_more_than_the_oracles(
        script in setup(),
        steps in proptest::collection::vec(step(), 0..40),
        at_rest in any::<bool>(),
    ) {
        let script = play(script, steps);
        let script = if at_rest { script.end() } else { script.stop_run() };
        let user = judge_facts(&script.description, &script.facts, View::User);
        let oracle = judged(&script);
        prop_assert_eq!(user.counts, oracle.counts);
        for (checker, opinion) in user.opinions() {
            if checker.view() == View::Oracle {
                prop_assert_eq!(opinion.verdict, Verdict::Vacuous);
            } else if opinion.verdict == Verdict::Violation {
                prop_assert!(oracle.opinion(checker).verdict > Verdict::Ok, "{}", checker);
            }
        }
    }

    #[test]
    fn with_transactions_and_consumers_users_see_no_more_either(
        script in exactly_once(),
        steps in proptest::collection::vec(any_step(), 0..50),
        at_rest in any::<bool>(),
    ) {
        let script = play(script, steps);
        let script = if at_rest { script.end() } else { script.stop_run() };
        let user = judge_facts(&script.description, &script.facts, View::User);
        let oracle = judged(&script);
        prop_assert_eq!(user.counts, oracle.counts);
        for (checker, opinion) in user.opinions() {
            if checker.view() == View::Oracle {
                prop_assert_eq!(opinion.verdict, Verdict::Vacuous);
            } else if opinion.verdict == Verdict::Violation {
                prop_assert!(oracle.opinion(checker).verdict > Verdict::Ok, "{}", checker);
            }
        }
        // Whatever was found is explained.
        let report = crate::judge_recording(&script.description, &script.facts);
        prop_assert_eq!(report.judgement.counts, oracle.counts);
    }

    #[test]
    fn a_history_with_transactions_and_consumers_is_used_again_and_copied(
        first in exactly_once(),
        second in exactly_once(),
        steps in proptest::collection::vec(any_step(), 0..40),
    ) {
        let before = play(first, steps.clone());
        let after = play(second, steps).end();
        let mut used = History::of(&after.description, &before.facts);
        used.reset();
        inflight_trace::replay(&after.facts, &mut used);
        let mut fresh = History::new(&after.description);
        inflight_trace::replay(&after.facts, &mut fresh);
        let mut copy = History::of(&before.description, &before.facts);
        copy.clone_from(&fresh);
        let expected = crate::judge(&fresh, View::Oracle);
        prop_assert_eq!(&crate::judge(&used, View::Oracle), &expected);
        prop_assert_eq!(&crate::judge(&copy, View::Oracle), &expected);
        let (fast, slow) = both(&after, View::Oracle);
        prop_assert_eq!(fast, slow);
    }

    #[test]
    fn what_users_do_not_see_changes_nothing_in_their_view(
        script in exactly_once(),
        steps in proptest::collection::vec(any_step(), 0..40),
    ) {
        let script = play(script, steps).end();
        let mut seen = script.facts.clone();
        seen.retain(|(_, fact)| USER_VIEW.meets(fact.kind().set()));
        // Positions differ, so only what has none is compared.
        let all = History::of(&script.description, &script.facts).told;
        let users = History::of(&script.description, &seen).told;
        prop_assert_eq!((all.sent, all.refused, all.halt), (users.sent, users.refused, users.halt));
        prop_assert_eq!(all.resends(), users.resends());
        prop_assert_eq!(all.until, users.until);
        for lane in users.lanes() {
            let same = all.find_lane(lane.session, lane.partition).expect("nothing is missing");
            let same = &all.lanes()[same];
            prop_assert_eq!(&same.queued, &lane.queued);
            prop_assert_eq!(&same.acked, &lane.acked);
            prop_assert_eq!(&same.failed, &lane.failed);
            prop_assert_eq!(&same.acks, &lane.acks);
            prop_assert!(same.sends().eq(lane.sends()));
        }
        let ends = |told: &Told| -> Vec<_> {
            let list = told.transactions().map_or(&[][..], |known| known.list());
            list.iter().map(|t| (t.session, t.number, t.outcome())).collect()
        };
        prop_assert_eq!(ends(&all), ends(&users));
        let work = |told: &Told| -> Vec<_> {
            let duties = told.readers().map_or(&[][..], |known| &known.duties);
            duties.iter().map(|d| (d.partition, d.start, d.committed, d.effects)).collect()
        };
        prop_assert_eq!(work(&all), work(&users));
    }

    #[test]
    fn a_quiet_run_is_judged_alike_by_looking_and_by_reading(script in quiet()) {
        for view in [View::User, View::Oracle] {
            let (fast, slow) = both(&script, view);
            prop_assert_eq!(&fast, &slow);
            prop_assert!(fast.worst() <= Verdict::Ok, "{:?}", fast.findings);
        }
    }

    #[test]
    fn any_run_is_judged_alike_by_looking_and_by_reading(
        script in setup(),
        steps in proptest::collection::vec(step(), 0..12),
    ) {
        let script = play(script, steps).end();
        let (fast, slow) = both(&script, View::Oracle);
        prop_assert_eq!(fast, slow);
    }

    #[test]
    fn what_is_forgotten_was_judged_before(
        script in setup(),
        steps in proptest::collection::vec(step(), 0..60),
    ) {
        // What was committed may be forgotten, so nothing may cut it here.
        let cuts = |step: &Step| {
            use Step::{Crash, Elect, PowerLoss, Start, Truncate};
            matches!(step, Elect(..) | Truncate(..) | PowerLoss(..) | Crash(..) | Start(..))
        };
        let steps = steps.into_iter().filter(|step| !cuts(step)).collect();
        let script = play(script, steps).end();
        let mut lean = History::new(&script.description);
        lean.settled.limits = crate::history::Limits { max: 4, kept: 1 };
        inflight_trace::replay(&script.facts, &mut lean);
        let (lean, full) = (crate::judge(&lean, View::Oracle), judged(&script));
        prop_assert_eq!(lean.counts, full.counts);
        for ((checker, lean), (_, full)) in lean.opinions().zip(full.opinions()) {
            // An ack that comes late cannot be held against a log that is forgotten. Which message
            // an acked record was is forgotten with it; no application sends such a one again.
            let weaker = [CheckerId::OffsetAgreement, CheckerId::MessageDuplicate];
            if weaker.contains(&checker) {
                prop_assert!(lean.verdict <= full.verdict, "{}", checker);
            } else if checker == CheckerId::MessageOrder {
                prop_assert!(lean.verdict <= Verdict::Allowed);
            } else if checker == CheckerId::AppendOrder {
                prop_assert_eq!(lean.verdict, full.verdict);
            } else {
                prop_assert_eq!(lean, full, "{}", checker);
            }
        }
    }

    #[test]
    fn a_history_is_used_again_and_copied(
        first in setup(),
        second in setup(),
        steps in proptest::collection::vec(step(), 0..30),
    ) {
        let before = play(first, steps.clone());
        let after = play(second, steps).end();
        // Another setup is another history; the same setup may be played into a used one.
        let mut used = History::of(&after.description, &before.facts);
        used.reset();
        inflight_trace::replay(&after.facts, &mut used);
        let mut fresh = History::new(&after.description);
        inflight_trace::replay(&after.facts, &mut fresh);
        let mut copy = History::of(&before.description, &before.facts);
        copy.clone_from(&fresh);
        let expected = crate::judge(&fresh, View::Oracle);
        prop_assert_eq!(&crate::judge(&used, View::Oracle), &expected);
        prop_assert_eq!(&crate::judge(&copy, View::Oracle), &expected);
    }
}
