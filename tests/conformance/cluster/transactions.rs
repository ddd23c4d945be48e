//! Stories with transactions.

use crate::proxy::{Fate, Way};
use crate::stage::{Stage, sleep};

/// Three transactions of two messages each, the second of which is aborted.
pub(crate) fn second_is_aborted(stage: &mut Stage<'_>) {
    for transaction in 0..3 {
        stage.begin();
        for message in [2 * transaction, 2 * transaction + 1] {
            stage.deliver(0, message);
        }
        if transaction == 1 {
            stage.abort();
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
        stage.abort();
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
