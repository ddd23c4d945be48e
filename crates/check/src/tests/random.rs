//! Random histories: against counting by hand, and one way of judging against another.

use super::reference::Reference;
use super::*;
use crate::History;
use crate::judge::Judge;
use inflight_protocol::Acks;
use inflight_protocol::fact::{Election, SendError, USER_VIEW};
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
        };
    }
    script
}

fn setup() -> impl Strategy<Value = Script> {
    let acks = prop_oneof![Just(Acks::All), Just(Acks::Leader), Just(Acks::None)];
    (any::<bool>(), acks, 1..3_u32, 1..6_u32).prop_map(|(idempotent, acks, min_isr, in_flight)| {
        let script = Script::new().min_isr(min_isr).session(1);
        if idempotent { script } else { script.acks(acks).in_flight(in_flight) }
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
    fn what_users_do_not_see_changes_nothing_in_their_view(
        script in setup(),
        steps in proptest::collection::vec(step(), 0..40),
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
