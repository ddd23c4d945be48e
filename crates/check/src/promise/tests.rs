//! Promises depend on settings and on what happened.

use super::*;
use crate::script::Script;
use inflight_protocol::fact::{Election, SendError, Surviving};
use inflight_protocol::{BrokerId, Fact};
use inflight_trace::CommitStyle;

fn standing(
    script: &Script,
    happened: Option<&Happened>,
    guarantee: Guarantee,
) -> Result<(), Reason> {
    let promises = promised(&script.description, happened);
    let ours = promises.iter().find(|p| p.guarantee == guarantee && p.client == "p1");
    ours.expect("every guarantee is listed").standing
}

fn after(script: &Script, guarantee: Guarantee) -> Result<(), Reason> {
    let history = crate::History::of(&script.description, &script.facts);
    standing(script, Some(&history.happened()), guarantee)
}

#[test]
fn settings_decide_before_the_run() {
    let defaults = Script::new();
    for (guarantee, expected) in [
        (Guarantee::Always, Ok(())),
        (Guarantee::AtMostOnce, Err(Reason::Retries)),
        (Guarantee::LeaderDurable, Err(Reason::AcksAll)),
        (Guarantee::Durable, Ok(())),
        (Guarantee::DurableWhileOneSurvives, Ok(())),
        (Guarantee::InOrder, Err(Reason::Idempotent)),
        (Guarantee::IdempotentSession, Ok(())),
        (Guarantee::Unclean, Err(Reason::CleanOnly)),
    ] {
        assert_eq!(standing(&defaults, None, guarantee), expected, "{guarantee}");
    }
    let one = Script::new().acks(Acks::Leader).in_flight(1).min_isr(1);
    assert_eq!(standing(&one, None, Guarantee::LeaderDurable), Ok(()));
    assert_eq!(standing(&one, None, Guarantee::InOrder), Ok(()));
    assert_eq!(standing(&one, None, Guarantee::Durable), Err(Reason::AcksOne));
    let single = Script::new().min_isr(1);
    assert_eq!(standing(&single, None, Guarantee::Durable), Err(Reason::MinIsrOne));
    let mut unclean = Script::new();
    unclean.description.topics[0].unclean_leader_election_enable = true;
    assert_eq!(standing(&unclean, None, Guarantee::Durable), Err(Reason::UncleanEnabled));
    assert_eq!(after(&unclean, Guarantee::Durable), Ok(()), "none happened");
}

#[test]
fn what_happened_decides_after_the_run() {
    let unclean = Script::new().elect(2, Election::Unclean);
    assert_eq!(after(&unclean, Guarantee::Durable), Err(Reason::UncleanElection));
    assert_eq!(after(&unclean, Guarantee::IdempotentSession), Err(Reason::UncleanElection));
    let moved = Script::new().acks(Acks::Leader).elect(2, Election::Clean);
    assert_eq!(after(&moved, Guarantee::LeaderDurable), Err(Reason::LeaderChanged));
    let alone = Script::new().queue(0, 2).append(1, 0, 0, 2).isr(&[1], &[]);
    let whole = alone.clone().isr(&[], &[]).isr(&[1], &[]).elect(1, Election::LastKnown);
    assert_eq!(after(&whole, Guarantee::Durable), Ok(()), "it has lost nothing");
    let lossy = alone.power_loss(1, 0).isr(&[], &[]).isr(&[1], &[]);
    let last = lossy.elect(1, Election::LastKnown);
    assert_eq!(after(&last, Guarantee::Durable), Err(Reason::LastKnownElection));
    assert_eq!(after(&last, Guarantee::IdempotentSession), Err(Reason::LastKnownElection));
    let both = last.elect(2, Election::Unclean);
    assert_eq!(after(&both, Guarantee::Durable), Err(Reason::UncleanElection));
    let forced = Script::new().isr(&[1, 2, 3], &[1]).elect(2, Election::Forced);
    assert_eq!(after(&forced, Guarantee::Durable), Err(Reason::UncleanElection));
    let sync = Script::new().elect(2, Election::Forced);
    assert_eq!(after(&sync, Guarantee::Durable), Ok(()));
}

#[test]
fn power_loss_has_a_budget() {
    let data = Script::new().queue(0, 2).append(1, 0, 0, 2).replicate(1);
    let one = data.clone().power_loss(2, 0);
    assert_eq!(after(&one, Guarantee::Durable), Ok(()));
    let two = one.power_loss(3, 0);
    assert_eq!(after(&two, Guarantee::Durable), Err(Reason::OverBudget));
    assert_eq!(after(&two, Guarantee::DurableWhileOneSurvives), Ok(()));
    let all = two.power_loss(1, 0);
    let gone = after(&all, Guarantee::DurableWhileOneSurvives);
    assert_eq!(gone, Err(Reason::NoneSurvived));
    // A replica that is in sync again has everything.
    let back = data.power_loss(2, 0).isr(&[1, 2, 3], &[1, 3]).copy(2, 1);
    let dies = Fact::BrokerCrashed { broker: BrokerId::new(2), surviving: Surviving::Flushed };
    let dead = back.clone().fact(dies).isr(&[1, 3], &[1, 2, 3]).power_loss(3, 0);
    let back = back.isr(&[1, 3], &[1, 2, 3]).power_loss(3, 0);
    assert_eq!(after(&back, Guarantee::Durable), Ok(()));
    assert_eq!(after(&dead, Guarantee::Durable), Err(Reason::OverBudget), "it died before");
}

#[test]
fn one_request_in_flight_keeps_the_order_until_one_is_given_up() {
    let one = Script::new().plain().in_flight(1);
    assert_eq!(after(&one, Guarantee::InOrder), Ok(()));
    let nobody = one.clone().acks(Acks::None);
    assert_eq!(after(&nobody, Guarantee::InOrder), Err(Reason::AcksZero), "nothing is waited for");
    let given_up = one.queue(0, 1).fail(0, 0, 1, SendError::DeliveryTimeout);
    assert_eq!(after(&given_up, Guarantee::InOrder), Err(Reason::ErrorSurfaced), "a ghost is left");
}

#[test]
fn transactions_are_promised_by_version_and_durability() {
    let standing = |script: &Script, guarantee| standing(script, None, guarantee);
    let new = Script::new().transactional(2);
    let old = Script::new().transactional(1);
    let mut unverified = old.clone();
    unverified.description.transaction_partition_verification_enable = Some(false);
    let (two, before, blind) = (
        Guarantee::Transactional,
        Guarantee::TransactionalBefore2,
        Guarantee::TransactionalUnverified,
    );
    for (script, guarantee, expected) in [
        (&new, two, Ok(())),
        (&new, before, Err(Reason::NewTransactions)),
        (&new, blind, Err(Reason::NewTransactions)),
        (&old, two, Err(Reason::OldTransactions)),
        (&old, before, Ok(())),
        (&old, blind, Err(Reason::Verified)),
        (&unverified, before, Err(Reason::Unverified)),
        (&unverified, blind, Ok(())),
        (&new, Guarantee::Fencing, Ok(())),
        (&Script::new(), two, Err(Reason::NotTransactional)),
        (&Script::new(), Guarantee::Fencing, Err(Reason::NotTransactional)),
        (&new.clone().min_isr(1), two, Err(Reason::MinIsrOne)),
    ] {
        assert_eq!(standing(script, guarantee), expected, "{guarantee}");
    }
}

#[test]
fn what_coordinators_wrote_must_stay() {
    let script = || Script::new().transactional(2).reading(CommitStyle::Transaction).session(1);
    let with = |name: &str| {
        let mut script = script().partition().keeping_offsets();
        script.description.topics[1].name = name.to_owned();
        script
    };
    let lost = |name: &str| with(name).isr(&[1, 2, 3], &[1]).elect(2, Election::Unclean);
    let run = lost("__transaction_state");
    assert_eq!(after(&run, Guarantee::Transactional), Err(Reason::TransactionsUnsound));
    assert_eq!(after(&run, Guarantee::ProcessedAtMostOnce), Err(Reason::CommitsInTransactions));
    let run = lost("__consumer_offsets");
    assert_eq!(after(&run, Guarantee::Transactional), Ok(()));
    assert_eq!(after(&run, Guarantee::ExactlyOncePipeline), Err(Reason::OffsetsUnsound));
    let sound = with("__consumer_offsets");
    assert_eq!(after(&sound, Guarantee::ExactlyOncePipeline), Ok(()));
    let promises = promised(&sound.description, None);
    assert!(promises.iter().all(|promise| promise.topic == "t"), "internal topics are not listed");
}

#[test]
fn consumers_are_promised_what_their_application_does() {
    let (most, least, once, sink) = (
        Guarantee::ProcessedAtMostOnce,
        Guarantee::ProcessedAtLeastOnce,
        Guarantee::ExactlyOncePipeline,
        Guarantee::ExternalSink,
    );
    let of = |style| Script::new().transactional(2).reading(style);
    let transactional = || of(CommitStyle::Transaction);
    for (script, guarantee, expected) in [
        (of(CommitStyle::CommitFirst), most, Ok(())),
        (of(CommitStyle::CommitFirst), least, Err(Reason::CommitFirst)),
        (of(CommitStyle::ProcessFirst), most, Err(Reason::ProcessFirst)),
        (of(CommitStyle::ProcessFirst), least, Ok(())),
        (of(CommitStyle::Auto), least, Ok(())),
        (
            of(CommitStyle::ProcessFirst).readers(|r| r.rewinds_after_abort = false),
            least,
            Err(Reason::NoRewind),
        ),
        (of(CommitStyle::Auto), once, Err(Reason::CommitsOutside)),
        (transactional(), least, Err(Reason::CommitsInTransactions)),
        (transactional(), once, Ok(())),
        (
            transactional().readers(|r| r.sends_group_metadata = false),
            once,
            Err(Reason::NoGroupMetadata),
        ),
        (transactional().readers(|r| r.rewinds_after_abort = false), once, Err(Reason::NoRewind)),
        (transactional().readers(|r| r.enable_auto_commit = true), once, Err(Reason::AutoCommits)),
        (transactional().min_isr(1), once, Err(Reason::MinIsrOne)),
        (transactional().readers(|r| r.group = None), once, Err(Reason::NoGroup)),
        (of(CommitStyle::Auto), sink, Err(Reason::NoDeduplication)),
        (of(CommitStyle::Auto).readers(|r| r.deduplicates = true), sink, Ok(())),
        (Script::new(), least, Err(Reason::NoConsumer)),
    ] {
        assert_eq!(standing(&script, None, guarantee), expected, "{guarantee}");
    }
    let mut reader = of(CommitStyle::Auto);
    reader.description.clients[0].produces = false;
    assert_eq!(standing(&reader, None, Guarantee::Durable), Err(Reason::NoProducer));
    assert_eq!(standing(&reader, None, Guarantee::Transactional), Err(Reason::NoProducer));
    assert_eq!(standing(&reader, None, least), Ok(()));
}

#[test]
fn promises_are_about_topics_that_a_client_writes_or_reads() {
    let mut pipeline = Script::new().transactional(2).reading(CommitStyle::Transaction);
    let topic = |name: &str, min_isr| {
        let mut topic = pipeline.description.topics[0].clone();
        (topic.name, topic.min_insync_replicas) = (name.to_owned(), min_isr);
        topic
    };
    pipeline.description.topics = vec![topic("in", 1), topic("out", 2), topic("other", 1)];
    let client = &mut pipeline.description.clients[0];
    (client.reads, client.writes) = (Some(vec!["in".to_owned()]), Some(vec!["out".to_owned()]));
    let listed = |script: &Script, guarantee| -> Vec<(String, Result<(), Reason>)> {
        let promises = promised(&script.description, None).into_iter();
        let ours = promises.filter(|p| p.guarantee == guarantee && p.client == "p1");
        ours.map(|promise| (promise.topic, promise.standing)).collect()
    };
    let of = |topic: &str, standing| (topic.to_owned(), standing);
    let always = [of("in", Ok(())), of("out", Ok(()))];
    assert_eq!(listed(&pipeline, Guarantee::Always), always);
    assert_eq!(listed(&pipeline, Guarantee::Transactional), [of("out", Ok(()))]);
    let once = Guarantee::ExactlyOncePipeline;
    assert_eq!(listed(&pipeline, once), [of("in", Ok(()))], "the inputs are another's");
    pipeline.description.topics[1].min_insync_replicas = 1;
    assert_eq!(listed(&pipeline, once), [of("in", Err(Reason::MinIsrOne))]);
    let client = &mut pipeline.description.clients[0];
    (client.reads, client.writes) = (None, None);
    assert_eq!(listed(&pipeline, Guarantee::Always).len(), 3, "it may be any of them");
}
