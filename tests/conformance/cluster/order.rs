//! Stories of batches that change places.

use crate::proxy::{Fate, RuleId, Way};
use crate::stage::{Stage, sleep};

/// Two requests are on their way when the connection breaks.
pub(crate) fn disconnect_reverses_retries(stage: &mut Stage<'_>) {
    let requests = stage.produce(Way::Request, (2, 3), Fate::Hold);
    stage.deliver(0, 0);
    stage.send(1);
    stage.wait_seen(requests, 2);
    stage.send(2);
    stage.wait_seen(requests, 3);
    stage.set_fate(requests, Fate::Break);
    stage.wait_told(1);
    stage.wait_told(2);
}

/// Kills both followers, sends messages 1 and 2 in requests of their own, and has the leader refuse
/// the first. Then broker 2 is in sync again, and the second is still on its way. With one request
/// in flight there is no second one, and this returns `None`.
fn first_is_refused(stage: &mut Stage<'_>, partition: usize) -> Option<RuleId> {
    let first = stage.produce(Way::Request, (1, 1), Fate::Hold);
    let second = stage.produce(Way::Request, (2, 2), Fate::Hold);
    let answers = stage.produce(Way::Response, (0, 0), Fate::Pass);
    for broker in [2, 3] {
        stage.cluster.kill(broker);
    }
    stage.wait_in_sync(partition, &[1]);
    stage.send_to(partition, 1);
    stage.wait_seen(first, 1);
    stage.send_to(partition, 2);
    let is_alone = stage.max_in_flight() == 1;
    if is_alone {
        stage.set_fate(second, Fate::Pass);
    } else {
        stage.wait_seen(second, 2);
    }
    stage.set_fate(first, Fate::Pass);
    stage.wait_seen(answers, 1);
    stage.cluster.restart(2);
    stage.wait_in_sync(partition, &[1, 2]);
    (!is_alone).then_some(second)
}

/// The leader refuses a batch and takes the next.
pub(crate) fn refused_and_overtaken(stage: &mut Stage<'_>) {
    stage.deliver(0, 0);
    if let Some(second) = first_is_refused(stage, 0) {
        stage.set_fate(second, Fate::Pass);
    }
    stage.wait_told(1);
    stage.wait_told(2);
}

/// The same where the leader has nothing of the producer in that partition.
pub(crate) fn first_batch_overtaken(stage: &mut Stage<'_>) {
    stage.deliver(1, 0);
    if let Some(second) = first_is_refused(stage, 0) {
        stage.set_fate(second, Fate::Pass);
    }
    stage.wait_told(1);
    stage.wait_told(2);
}

/// The same, and the answer to the second batch is lost. The retry of the first, which waits
/// behind the second, is lost with the connection: in the scenario it has not been sent yet.
pub(crate) fn sequence_rewritten(stage: &mut Stage<'_>) {
    stage.deliver(1, 0);
    let retry = stage.produce(Way::Request, (3, 3), Fate::Hold);
    // The answer after that of the refusal.
    let answer = stage.produce(Way::Response, (2, 2), Fate::Hold);
    if let Some(second) = first_is_refused(stage, 0) {
        stage.set_fate(second, Fate::Pass);
        stage.wait_seen(answer, 2);
        stage.set_fate(retry, Fate::Break);
    } else {
        stage.set_fate(retry, Fate::Pass);
        stage.wait_seen(answer, 2);
    }
    stage.set_fate(answer, Fate::Break);
    stage.wait_told(1);
    stage.wait_told(2);
}

/// A follower is far away. Two requests are held up until the producer has sent both again.
pub(crate) fn ghost(stage: &mut Stage<'_>) {
    stage.deliver(0, 0);
    stage.cluster.slow(1, 2, 100);
    let ghosts = stage.produce(Way::Request, (1, 2), Fate::Hold);
    stage.send(1);
    stage.wait_seen(ghosts, 1);
    stage.send(2);
    stage.wait_seen(ghosts, 2);
    // The producer gives the connection up, and the leader waits with what comes on the next one.
    stage.wait_replica(1, 0, 2);
    stage.set_fate(ghosts, Fate::Pass);
    stage.wait_told(1);
    stage.wait_told(2);
    // What the old connection brings last.
    sleep(2_000);
}

/// The leader falls silent, and the next batch goes to the next leader.
pub(crate) fn sent_to_two_leaders(stage: &mut Stage<'_>) {
    // Partition 1 is that of the other topic.
    stage.deliver(1, 0);
    stage.deliver(0, 1);
    let isolated = stage.isolate(1);
    let silenced = stage.cluster.cut_from_clients(1);
    stage.send(2);
    // The scenario's time between the two: a new leader, and metadata that name it.
    sleep(20_000);
    stage.send(3);
    stage.wait_told(2);
    stage.wait_told(3);
    for rules in [isolated, silenced] {
        stage.cluster.set(&rules, Fate::Pass);
    }
}
