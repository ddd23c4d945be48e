//! Stories of leaders that die or cannot be reached.

use crate::proxy::{Fate, Way};
use crate::stage::{Stage, sleep};

/// The followers cannot be reached, and the leader dies after it has answered.
pub(crate) fn acks_1_failover(stage: &mut Stage<'_>) {
    stage.deliver(0, 0);
    stage.deliver(0, 1);
    for broker in [2, 3] {
        stage.wait_replica(broker, 0, 2);
    }
    let cut = [stage.cluster.cut(1, 2), stage.cluster.cut(1, 3)].concat();
    if stage.waits_for_followers() {
        // The leader answers when the followers are back, and dies then.
        for message in 2..5 {
            stage.send(message);
            sleep(100);
        }
        sleep(2_000);
        stage.cluster.set(&cut, Fate::Pass);
        stage.wait_told(2);
        stage.cluster.kill(1);
    } else {
        stage.deliver(0, 2);
        // What is on its way is lost with the leader.
        stage.cluster.set(&cut, Fate::Break);
        stage.cluster.kill(1);
        for message in 3..5 {
            sleep(100);
            stage.send(message);
        }
    }
    for message in 2..5 {
        stage.wait_told(message);
    }
}

/// The leader dies when it has answered, and the answer does not arrive.
pub(crate) fn leader_crash(stage: &mut Stage<'_>) {
    let answers = stage.produce(Way::Response, (2, 2), Fate::Hold);
    stage.deliver(0, 0);
    stage.send(1);
    stage.wait_seen(answers, 2);
    stage.cluster.kill(1);
    stage.set_fate(answers, Fate::Break);
    stage.send(2);
    stage.wait_told(1);
    stage.wait_told(2);
}

/// The leader reaches the producer and nobody else for fifteen seconds.
pub(crate) fn isolated_leader(stage: &mut Stage<'_>) {
    let mut isolated = Vec::new();
    for message in 0..100 {
        match message {
            10 => isolated = stage.isolate(1),
            85 => stage.cluster.set(&isolated, Fate::Pass),
            _ => {}
        }
        stage.send(message);
        sleep(200);
    }
    for message in 0..100 {
        stage.wait_told(message);
    }
}

/// Every broker has the batches, and no answer arrives. A follower is restarted and then leads.
pub(crate) fn forgotten_batch(stage: &mut Stage<'_>) {
    let requests = stage.produce(Way::Request, (0, 0), Fate::Pass);
    let answers = stage.produce(Way::Response, (2, u32::MAX), Fate::Hold);
    stage.deliver(0, 0);
    stage.send(1);
    stage.wait_seen(requests, 2);
    stage.send(2);
    // With one request in flight the third message is not sent yet.
    let sent = if stage.max_in_flight() == 1 { 2 } else { 3 };
    for broker in [1, 2, 3] {
        stage.wait_replica(broker, 0, sent);
    }
    stage.cluster.stop(2);
    stage.wait_in_sync(0, &[1, 3]);
    stage.cluster.restart(2);
    stage.wait_in_sync(0, &[1, 2, 3]);
    stage.cluster.stop(1);
    stage.set_fate(answers, Fate::Break);
    stage.wait_leader(2);
    stage.set_fate(answers, Fate::Pass);
    stage.wait_told(1);
    stage.wait_told(2);
}

/// A replica that was away comes back when those that had everything are dead.
pub(crate) fn unclean_election(stage: &mut Stage<'_>) {
    stage.deliver(0, 0);
    stage.wait_replica(3, 0, 1);
    let mut isolated = stage.isolate(3);
    // Clients would go on hearing from it what it knows.
    isolated.extend(stage.cluster.cut_from_clients(3));
    stage.wait_in_sync(0, &[1, 2]);
    stage.deliver(0, 1);
    stage.deliver(0, 2);
    for broker in [1, 2] {
        stage.cluster.kill(broker);
    }
    stage.cluster.set(&isolated, Fate::Pass);
    if stage.elects_uncleanly() {
        stage.wait_leader(3);
    }
}
