//! What becomes of committed offsets.

use super::*;

fn offset(at: u64) -> CommittedOffset {
    CommittedOffset { group: GROUP, partition: P0, offset: Offset::new(at), leader_epoch: None }
}

fn committed(offsets: &CommittedOffsets) -> Option<u64> {
    offsets.get(GROUP, P0).map(|committed| committed.offset.get())
}

#[test]
fn a_late_commit_of_an_older_offset_rewinds_the_group() {
    let mut offsets = CommittedOffsets::default();
    offsets.replay(offset(9), None, Offset::new(0));
    offsets.replay(offset(4), None, Offset::new(1));
    assert_eq!(committed(&offsets), Some(4));
}

#[test]
fn offsets_of_a_transaction_count_when_it_commits() {
    let mut offsets = CommittedOffsets::default();
    let (one, two) = (ProducerId::new(1), ProducerId::new(2));
    offsets.replay(offset(5), Some(one), Offset::new(0));
    assert!(offsets.is_pending(GROUP, P0) && committed(&offsets).is_none());
    assert_eq!(offsets.end_transaction(two, TransactionResult::Commit), []);
    assert!(offsets.is_pending(GROUP, P0), "it was another producer's");
    assert_eq!(offsets.end_transaction(one, TransactionResult::Commit), [offset(5)]);
    assert!(!offsets.is_pending(GROUP, P0));
    assert_eq!(committed(&offsets), Some(5));
}

#[test]
fn offsets_of_a_transaction_are_nothing_when_it_aborts() {
    let mut offsets = CommittedOffsets::default();
    let one = ProducerId::new(1);
    offsets.replay(offset(3), None, Offset::new(0));
    offsets.replay(offset(5), Some(one), Offset::new(1));
    assert_eq!(offsets.end_transaction(one, TransactionResult::Abort), []);
    assert_eq!(committed(&offsets), Some(3));
    assert!(!offsets.is_pending(GROUP, P0));
}

#[test]
fn a_younger_plain_commit_outlives_a_transaction() {
    let mut offsets = CommittedOffsets::default();
    let one = ProducerId::new(1);
    offsets.replay(offset(5), Some(one), Offset::new(0));
    offsets.replay(offset(2), None, Offset::new(1));
    assert_eq!(offsets.end_transaction(one, TransactionResult::Commit), []);
    assert_eq!(committed(&offsets), Some(2));
}
