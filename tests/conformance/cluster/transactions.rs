//! Stories with transactions.

use crate::proxy::{Fate, Way};
use crate::stage::{Stage, sleep};

/// Errors.UNKNOWN_SERVER_ERROR
const UNKNOWN_SERVER_ERROR: i16 = -1;

/// Three transactions of two messages each, the second of which is aborted.
pub(crate) fn second_is_aborted(stage: &mut Stage<'_>) {
    for transaction in 0..3 {
        stage.begin();
        for message in [2 * transaction, 2 * transaction + 1] {
            stage.deliver(0, message);
        }
        if transaction == 1 {
            stage.abort(transaction);
        } else {
            stage.commit(transaction);
        }
    }
}

/// The application holds its transaction for a while.
pub(crate) fn held(stage: &mut Stage<'_>) {
    stage.begin();
    stage.deliver(0, 0);
    stage.deliver(0, 1);
    sleep(stage.hold());
    stage.commit(0);
}

/// The request is so late that the application gives its transaction up. The record comes when the
/// abort marker is written; then somebody without transactions writes.
pub(crate) fn hanging(stage: &mut Stage<'_>) {
    let late = stage.produce(Way::Request, (1, 1), Fate::Hold);
    stage.begin();
    stage.send(0);
    stage.wait_seen(late, 1);
    stage.wait_told(0);
    if !stage.commit(0) {
        stage.abort(0);
    }
    stage.wait_replica(1, 0, 1);
    stage.set_fate(late, Fate::Pass);
    if stage.verifies() {
        sleep(1_500);
    } else {
        stage.wait_replica(1, 0, 2);
    }
    stage.open_as(1);
    for message in 0..3 {
        stage.send(message);
    }
    stage.wait_delivered(2);
}

/// The first transaction ends while the leader of its partition is dead, and the next one when it
/// is back.
pub(crate) fn without_a_leader(stage: &mut Stage<'_>, is_aborted: [bool; 2]) {
    stage.cluster.coordinate_at_third();
    for (transaction, is_aborted) in (0..).zip(is_aborted) {
        stage.begin();
        stage.deliver(0, transaction);
        if transaction == 0 {
            stage.cluster.kill(1);
            match stage.replicas() {
                1 => stage.wait_leaderless(),
                _ => stage.wait_leader(2),
            }
        }
        if is_aborted {
            stage.abort(transaction);
        } else {
            stage.commit(transaction);
        }
        stage.cluster.restart(1);
        stage.wait_whole(0);
    }
}

/// The application does not wait for its message before it commits, and gives the transaction up
/// when that fails. The request comes when the next transaction has begun, in front of its own.
pub(crate) fn late(stage: &mut Stage<'_>) {
    let late = stage.produce(Way::Request, (1, 1), Fate::Hold);
    let next = stage.produce(Way::Request, (2, 2), Fate::Hold);
    let answers = stage.produce(Way::Response, (0, 0), Fate::Pass);
    stage.begin();
    stage.send(0);
    stage.wait_seen(late, 1);
    if !stage.commit(0) {
        stage.abort(0);
    }
    stage.begin();
    stage.send(1);
    stage.wait_seen(next, 2);
    stage.set_fate(late, Fate::Pass);
    stage.wait_seen(answers, 1);
    stage.set_fate(next, Fate::Pass);
    stage.commit(1);
}

/// The leader has the first message, and says while commitTransaction() waits that it has not.
pub(crate) fn denied(stage: &mut Stage<'_>) {
    let answers = stage.produce(Way::Response, (1, 1), Fate::Fail(UNKNOWN_SERVER_ERROR));
    stage.produce(Way::Response, (1, 1), Fate::Delay(2_000));
    stage.begin();
    stage.send(0);
    stage.wait_seen(answers, 1);
    if !stage.commit(0) {
        stage.abort(0);
    }
    stage.begin();
    stage.send(1);
    stage.commit(1);
}

/// A producer stands still in its transaction until another one of the same transactional id has
/// had its own.
pub(crate) fn zombie(stage: &mut Stage<'_>) {
    stage.begin();
    for message in 0..3 {
        stage.deliver(0, message);
    }
    stage.open_as(1);
    stage.begin();
    for message in 0..4 {
        stage.send(message);
    }
    stage.commit(0);
    stage.turn_to(1);
    stage.send(3);
    if !stage.commit(0) {
        stage.abort(0);
    }
    stage.close();
    stage.turn_to(2);
}

/// The second instance begins when the first one is in its second transaction. Both go on.
pub(crate) fn two_instances(stage: &mut Stage<'_>) {
    stage.begin();
    stage.deliver(0, 0);
    stage.deliver(0, 1);
    stage.commit(0);
    stage.begin();
    stage.deliver(0, 2);
    let before = if stage.is_shared() { 5 } else { 4 };
    stage.open_as(1);
    stage.begin();
    stage.send(0);
    stage.wait_replica(1, 0, before + 1);
    stage.turn_to(1);
    stage.send(3);
    if !stage.commit(1) {
        stage.abort(1);
    }
    stage.close();
    stage.turn_to(2);
    stage.send(1);
    stage.commit(0);
    stage.begin();
    stage.send(2);
    stage.send(3);
    stage.commit(1);
}
