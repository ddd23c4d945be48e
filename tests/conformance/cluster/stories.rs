//! Scenarios, staged with real processes: the same settings, messages and faults, where what the
//! simulator does at an instant is done when the proxy has seen the frame in question.

use crate::outcome::Class;
use crate::proxy::{Fate, Way};
use crate::stage::{Stage, sleep};
use crate::{failures, order, transactions};

/// A scenario and how it is staged.
pub(crate) struct Story {
    /// The path of the scenario below `scenarios`, without its ending.
    pub(crate) scenario: &'static str,
    /// Changes to its settings, so that nobody waits for minutes.
    pub(crate) changes: &'static [&'static str],
    /// In the simulator each of these is tried as well: what takes how long.
    pub(crate) timings: &'static [&'static [&'static str]],
    /// How closely the outcome is looked at, as it is and with its fix.
    pub(crate) classes: [Class; 2],
    /// What is done.
    pub(crate) play: fn(&mut Stage<'_>),
}

/// Two requests of the same instant are handled in either order.
const REQUEST_TIME: &str = r#"cluster.request-time={"exponential":"50us"}"#;

/// A machine with more work than cores, where a broker that has just been elected hears of it
/// between two requests.
const BUSY: [&str; 2] = [
    r#"cluster.request-time={"exponential":"1ms"}"#,
    r#"cluster.metadata-time={"exponential":"200ms"}"#,
];

/// Where the scenario has two replicas that die, and a third one as its fix, there is one that dies,
/// and a second one as its fix: the coordinators' own topic has to stay in sync.
const ONE_REPLICA: [&str; 5] = [
    "cluster.brokers=3",
    r#"topics.payments.assignment=[["b1"]]"#,
    "min.insync.replicas=1",
    r#"faults=[{"when":{"happened":"RecordsAcked"},"then":{"crash":"b1","restart-after":"25s"}}]"#,
    r#"fix.set={"topics.payments.assignment":[["b1","b2"]]}"#,
];

/// A story that is compared exactly and changes nothing.
const fn story(scenario: &'static str, play: fn(&mut Stage<'_>)) -> Story {
    Story { scenario, changes: &[], timings: &[], classes: [Class::Exact, Class::Exact], play }
}

/// Everything that is staged. Each one as it is and with its fix, if it has one.
pub(crate) const STORIES: [Story; 26] = [
    story("duplication/lost-response", lost_response),
    story("duplication/idempotence-silently-off", idempotence_off),
    story("order/disconnect-reverses-retries", order::disconnect_reverses_retries),
    story("loss/acks-0", acks_0),
    story("loss/acks-1-failover", failures::acks_1_failover),
    Story {
        timings: &[&BUSY, &[BUSY[0], BUSY[1], "producers[0].workload[0].every=100ms"]],
        ..story("duplication/leader-crash-before-the-response", failures::leader_crash)
    },
    story("loss/expired-yet-present", expired),
    story("duplication/application-sends-again", expired),
    story("duplication/producer-restart", producer_restart),
    story("order/refused-and-overtaken", order::refused_and_overtaken),
    Story {
        timings: &[
            &[REQUEST_TIME, "producers[0].workload[1].start=1200ms"],
            &[REQUEST_TIME, "producers[0].workload[1].start=1300ms"],
            &[REQUEST_TIME, "producers[0].workload[1].start=1400ms"],
        ],
        ..story("order/ghost-of-a-closed-connection", order::ghost)
    },
    story("order/sent-to-two-leaders", order::sent_to_two_leaders),
    Story {
        classes: [Class::Shape, Class::Exact],
        ..story("replication/isolated-leader", failures::isolated_leader)
    },
    story("loss/unclean-election", failures::unclean_election),
    Story {
        changes: &["request.timeout.ms=5000", "delivery.timeout.ms=8000"],
        ..story("surprises/first-batch-overtaken", order::first_batch_overtaken)
    },
    story("surprises/sequence-rewritten", order::sequence_rewritten),
    story("surprises/forgotten-batch", failures::forgotten_batch),
    story("transactions/read-uncommitted-sees-aborted", transactions::second_is_aborted),
    story("transactions/timed-out-transaction", transactions::held),
    story("transactions/hanging-transaction", transactions::hanging),
    Story {
        changes: &ONE_REPLICA,
        ..story("transactions/commit-without-a-leader", |stage| {
            transactions::without_a_leader(stage, [false, true]);
        })
    },
    Story {
        changes: &ONE_REPLICA,
        ..story("transactions/abort-without-a-leader", |stage| {
            transactions::without_a_leader(stage, [true, false]);
        })
    },
    Story {
        changes: &[
            "request.timeout.ms=3000",
            "delivery.timeout.ms=3000",
            "producers[0].workload[0].every=6s",
            "faults[0].then.by=6200ms",
        ],
        ..story("transactions/late-record-joins-the-next-transaction", transactions::late)
    },
    story("transactions/sequences-given-away-again", transactions::denied),
    story("transactions/zombie-is-fenced", transactions::zombie),
    story("transactions/two-instances-one-id", transactions::two_instances),
];

/// The second answer is lost with its connection.
fn lost_response(stage: &mut Stage<'_>) {
    let answers = stage.produce(Way::Response, (2, 2), Fate::Break);
    stage.deliver(0, 0);
    stage.send(1);
    stage.wait_seen(answers, 2);
    stage.send(2);
    stage.wait_told(1);
    stage.wait_told(2);
}

/// The third answer is lost with its connection.
fn idempotence_off(stage: &mut Stage<'_>) {
    let answers = stage.produce(Way::Response, (3, 3), Fate::Break);
    stage.deliver(0, 0);
    stage.deliver(0, 1);
    stage.send(2);
    stage.wait_seen(answers, 3);
    stage.send(3);
    stage.wait_told(2);
    stage.wait_told(3);
}

/// The second request is lost with its connection.
fn acks_0(stage: &mut Stage<'_>) {
    let requests = stage.produce(Way::Request, (2, 2), Fate::Break);
    stage.send(0);
    stage.wait_told(0);
    stage.wait_replica(1, 0, 1);
    stage.send(1);
    stage.wait_seen(requests, 2);
    // The producer has to notice that the connection is gone; the scenario gives it 20 ms.
    sleep(200);
    stage.send(2);
    stage.wait_told(1);
    stage.wait_told(2);
}

/// A follower that is in sync cannot fetch for five seconds.
fn expired(stage: &mut Stage<'_>) {
    stage.deliver(0, 0);
    stage.deliver(0, 1);
    let cut = stage.cluster.cut(1, 2);
    stage.send(2);
    sleep(5_000);
    stage.cluster.set(&cut, Fate::Pass);
    stage.wait_told(2);
}

/// The process dies before it gets the second answer. The next one resumes where the scenario
/// says.
fn producer_restart(stage: &mut Stage<'_>) {
    let answers = stage.produce(Way::Response, (2, 2), Fate::Hold);
    stage.deliver(0, 0);
    stage.send(1);
    stage.wait_seen(answers, 2);
    stage.restart_client();
    stage.set_fate(answers, Fate::Break);
    for message in stage.resumed_from(1)..3 {
        stage.deliver(0, message);
    }
}
