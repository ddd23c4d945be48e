//! The tables of broker.md, sections 5.2, 5.3 and 5.6, cell by cell.

use super::*;
use TransactionResult::{Abort, Commit};
use TransactionState as S;

const NOW: Timestamp = Timestamp::RUN_START;
const PID: u64 = 7;

const fn epoch(number: i16) -> ProducerEpoch {
    ProducerEpoch::new(number)
}

const fn pid(number: u64) -> ProducerId {
    ProducerId::new(number)
}

/// An id in a state, with epoch 5, and with a partition if a transaction is open.
fn in_state(state: TransactionState) -> TransactionMetadata {
    let mut metadata = TransactionMetadata::new(TransactionalId::new(0), pid(PID), 60_000, NOW);
    metadata.state = state;
    metadata.producer_epoch = Some(epoch(5));
    metadata.previous_producer_id = Some(pid(PID));
    if metadata.is_open() {
        metadata.partitions.push(TopicPartition::new(0));
        metadata.start = Some(NOW);
    }
    metadata
}

fn end(number: i16, result: TransactionResult, version: TransactionVersion) -> End {
    let producer = ProducerIdAndEpoch { id: pid(PID), epoch: epoch(number) };
    End { producer, result, version, origin: EndOrigin::Client }
}

/// What a request is told: the state that is prepared with its epoch, what is done already, or the
/// error code.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Prepares(TransactionState, i16),
    Done(i16),
    Refused(i16),
}

fn tell(metadata: &mut TransactionMetadata, end: &End) -> Told {
    match metadata.prepare_end(end, NOW, || Ok(pid(99))) {
        Ok(EndDecision::Prepare(value, _)) => {
            assert_eq!(metadata.pending, Some(value.state));
            Told::Prepares(value.state, value.producer_epoch.get())
        }
        Ok(EndDecision::Done(producer)) => Told::Done(producer.epoch.get()),
        Err(error) => Told::Refused(error.number()),
    }
}

#[test]
fn the_end_with_version_2() {
    use Told::{Done, Prepares, Refused};
    let v2 = TransactionVersion::V2;
    // State; abort with the current epoch and with the one before; commit likewise.
    let table = [
        (S::Empty, [Prepares(S::PrepareAbort, 6), Refused(90), Refused(48), Refused(90)]),
        (
            S::Ongoing,
            [Prepares(S::PrepareAbort, 6), Refused(90), Prepares(S::PrepareCommit, 6), Refused(90)],
        ),
        (S::PrepareAbort, [Refused(90), Refused(51), Refused(90), Refused(48)]),
        (S::PrepareCommit, [Refused(90), Refused(48), Refused(90), Refused(51)]),
        (S::CompleteAbort, [Prepares(S::PrepareAbort, 6), Done(5), Refused(48), Refused(48)]),
        (S::CompleteCommit, [Prepares(S::PrepareAbort, 6), Refused(48), Refused(48), Done(5)]),
    ];
    for (state, row) in table {
        let columns = [(Abort, 5), (Abort, 4), (Commit, 5), (Commit, 4)];
        for ((result, number), expected) in columns.into_iter().zip(row) {
            let told = tell(&mut in_state(state), &end(number, result, v2));
            assert_eq!(told, expected, "{state:?} {result:?} with epoch {number}");
        }
        for number in [3, 6] {
            let told = tell(&mut in_state(state), &end(number, Abort, v2));
            assert_eq!(told, Refused(90), "{state:?} with epoch {number}");
        }
    }
}

#[test]
fn the_end_with_version_1() {
    use Told::{Done, Prepares, Refused};
    for version in [TransactionVersion::V0, TransactionVersion::V1] {
        // State; abort and commit with the current epoch.
        let table = [
            (S::Empty, [Refused(48), Refused(48)]),
            (S::Ongoing, [Prepares(S::PrepareAbort, 5), Prepares(S::PrepareCommit, 5)]),
            (S::PrepareAbort, [Refused(51), Refused(48)]),
            (S::PrepareCommit, [Refused(48), Refused(51)]),
            (S::CompleteAbort, [Done(5), Refused(48)]),
            (S::CompleteCommit, [Refused(48), Done(5)]),
        ];
        for (state, row) in table {
            for (result, expected) in [Abort, Commit].into_iter().zip(row) {
                let told = tell(&mut in_state(state), &end(5, result, version));
                assert_eq!(told, expected, "{state:?} {result:?}");
                for number in [4, 6] {
                    let told = tell(&mut in_state(state), &end(number, result, version));
                    assert_eq!(told, Refused(90), "{state:?} {result:?} with epoch {number}");
                }
            }
        }
    }
}

#[test]
fn while_a_change_is_pending_everybody_waits_unless_it_is_somebody_else() {
    for version in [TransactionVersion::V0, TransactionVersion::V2] {
        let mut metadata = in_state(S::Ongoing);
        metadata.pending = Some(S::Ongoing);
        assert_eq!(tell(&mut metadata, &end(5, Commit, version)), Told::Refused(51));
        let mut other = end(5, Commit, version);
        other.producer.id = pid(8);
        let expected = if version.bumps_epochs() { 51 } else { 49 };
        assert_eq!(tell(&mut metadata, &other), Told::Refused(expected));
        assert_eq!(tell(&mut in_state(S::Ongoing), &other), Told::Refused(49));
    }
}

#[test]
fn a_fence_raises_the_epoch_once_whoever_ends() {
    for version in [TransactionVersion::V0, TransactionVersion::V2] {
        let mut metadata = in_state(S::Ongoing);
        let producer = metadata.prepare_fence();
        assert_eq!(producer.epoch, epoch(6));
        assert_eq!(metadata.pending, Some(S::PrepareEpochFence));
        let end = End { producer, result: Abort, version, origin: EndOrigin::Coordinator };
        assert_eq!(tell(&mut metadata, &end), Told::Prepares(S::PrepareAbort, 6));
    }
}

#[test]
fn below_version_2_a_failed_fence_is_not_raised_again() {
    for (version, expected) in [(TransactionVersion::V0, 6), (TransactionVersion::V2, 6)] {
        let mut metadata = in_state(S::Ongoing);
        let producer = metadata.prepare_fence();
        let end = End { producer, result: Abort, version, origin: EndOrigin::Coordinator };
        let decision = metadata.prepare_end(&end, NOW, || Ok(pid(99))).unwrap();
        let EndDecision::Prepare(_, fencing) = decision else { panic!("it is prepared") };
        assert_eq!(fencing == Fencing::Raised, version == TransactionVersion::V0);
        if fencing == Fencing::Raised {
            metadata.fence_has_failed();
        }
        metadata.pending = None;
        assert_eq!(metadata.prepare_fence().epoch, epoch(expected));
    }
}

#[test]
fn a_new_instance_gets_the_next_epoch() {
    for state in [S::Empty, S::CompleteAbort, S::CompleteCommit] {
        let value = in_state(state).prepare_increment(50_000, None, NOW).unwrap();
        assert_eq!((value.producer_epoch, value.timeout_ms), (epoch(6), 50_000));
        assert_eq!((value.state, value.start), (S::Empty, None));
    }
    let mut fresh = TransactionMetadata::new(TransactionalId::new(0), pid(PID), 60_000, NOW);
    assert_eq!(fresh.prepare_increment(60_000, None, NOW).unwrap().producer_epoch, epoch(0));
}

#[test]
fn an_instance_that_asks_for_more_is_told_the_same_twice() {
    let mut metadata = in_state(S::Empty);
    let value = metadata.prepare_increment(60_000, Some(epoch(5)), NOW).unwrap();
    metadata.complete(value);
    assert_eq!(metadata.epoch(), epoch(6));
    // The answer was lost.
    let value = metadata.prepare_increment(60_000, Some(epoch(5)), NOW).unwrap();
    assert_eq!(value.producer_epoch, epoch(6));
    metadata.complete(value);
    let refused = metadata.prepare_increment(60_000, Some(epoch(4)), NOW);
    assert_eq!(refused, Err(ErrorCode::ProducerFenced));
    // After somebody else has come, the retry is one of a fenced instance.
    let value = metadata.prepare_increment(60_000, None, NOW).unwrap();
    metadata.complete(value);
    let refused = metadata.prepare_increment(60_000, Some(epoch(6)), NOW);
    assert_eq!(refused, Err(ErrorCode::ProducerFenced));
}

#[test]
fn only_its_own_producer_may_ask_for_more() {
    let metadata = in_state(S::Empty);
    let asks = |id, number| {
        metadata.knows_producer(ProducerIdAndEpoch { id: pid(id), epoch: epoch(number) })
    };
    assert!(asks(PID, 0));
    assert!(!asks(8, 5));
    let mut rotated = in_state(S::Empty);
    rotated.producer_id = pid(8);
    let before =
        |number| rotated.knows_producer(ProducerIdAndEpoch { id: pid(PID), epoch: epoch(number) });
    assert!(before(i16::MAX - 1), "its epochs were used up: it may not know its new id");
    assert!(!before(5));
}

#[test]
fn when_the_epochs_are_used_up_a_new_producer_id_comes_with_the_end() {
    let mut metadata = in_state(S::Ongoing);
    metadata.producer_epoch = Some(epoch(i16::MAX - 1));
    let last = end(i16::MAX - 1, Commit, TransactionVersion::V2);
    let decision = metadata.prepare_end(&last, NOW, || Ok(pid(99))).unwrap();
    let EndDecision::Prepare(value, _) = decision else { panic!("it is prepared") };
    assert_eq!((value.producer_id, value.producer_epoch), (pid(PID), ProducerEpoch::MAX));
    assert_eq!(value.next_producer_id, Some(pid(99)));
    metadata.complete(value);
    metadata.partitions.clear();
    let value = metadata.prepare_complete(NOW);
    assert_eq!((value.producer_id, value.producer_epoch), (pid(99), epoch(0)));
    metadata.complete(value);
    // A retry is known by the old id.
    assert_eq!(tell(&mut metadata, &last), Told::Done(0));
    let other = end(i16::MAX - 1, Abort, TransactionVersion::V2);
    assert_eq!(tell(&mut metadata, &other), Told::Refused(48));
}

#[test]
fn without_an_end_a_rotation_comes_with_the_next_instance() {
    let mut metadata = in_state(S::Empty);
    metadata.producer_epoch = Some(epoch(i16::MAX - 1));
    assert!(metadata.is_epoch_exhausted());
    let refused = metadata.prepare_increment(60_000, None, NOW);
    assert_eq!(refused, Err(ErrorCode::UnknownServerError));
    let value = metadata.prepare_rotation(pid(99), 60_000, None, NOW);
    assert_eq!((value.producer_id, value.producer_epoch), (pid(99), epoch(0)));
}

#[test]
fn the_log_of_level_0_has_no_room_for_the_clients_version() {
    let mut metadata = in_state(S::Ongoing);
    metadata.client_version = TransactionVersion::V2;
    let value = metadata.prepare_add(&[TopicPartition::new(3)], NOW, TransactionVersion::V2);
    let read = TransactionMetadata::read(&value, TransactionVersion::V0);
    assert_eq!(read.client_version, TransactionVersion::V0);
    assert_eq!(read.previous_producer_id, None);
    let read = TransactionMetadata::read(&value, TransactionVersion::V2);
    assert_eq!(read.client_version, TransactionVersion::V2);
    assert_eq!(read.partitions[..], [TopicPartition::new(0), TopicPartition::new(3)]);
    assert_eq!(read.last_producer_epoch, None, "never written");
}

#[test]
fn a_transaction_is_over_its_time_a_millisecond_after_it() {
    let metadata = in_state(S::Ongoing);
    let at = |millis| Timestamp::new(NOW.get() + millis);
    assert!(!metadata.is_timed_out(at(60_000)));
    assert!(metadata.is_timed_out(at(60_001)));
    let mut pending = in_state(S::Ongoing);
    pending.pending = Some(S::Ongoing);
    assert!(!pending.is_timed_out(at(60_001)));
    assert!(!in_state(S::PrepareCommit).is_timed_out(at(60_001)));
}

#[test]
fn an_id_is_forgotten_only_when_nothing_is_open() {
    let later = Timestamp::new(NOW.get() + 1_000);
    for state in [S::Empty, S::CompleteAbort, S::CompleteCommit] {
        assert!(in_state(state).is_expired(later, 1_000));
        assert!(!in_state(state).is_expired(later, 1_001));
    }
    for state in [S::Ongoing, S::PrepareAbort, S::PrepareCommit] {
        assert!(!in_state(state).is_expired(later, 1_000));
    }
}

#[test]
fn states_follow_one_another_as_in_kafka() {
    // TransactionState.VALID_PREVIOUS_STATES, read the other way round.
    let all = [
        S::Empty,
        S::Ongoing,
        S::PrepareCommit,
        S::PrepareAbort,
        S::CompleteCommit,
        S::CompleteAbort,
        S::Dead,
        S::PrepareEpochFence,
    ];
    let next = |from: TransactionState| -> Vec<TransactionState> {
        all.into_iter().filter(|to| valid_previous(*to).contains(&from)).collect()
    };
    let idle = [S::Empty, S::Ongoing, S::PrepareAbort, S::Dead];
    assert_eq!(next(S::Empty), idle);
    assert_eq!(next(S::CompleteCommit), idle);
    assert_eq!(next(S::CompleteAbort), idle);
    let open = [S::Ongoing, S::PrepareCommit, S::PrepareAbort, S::PrepareEpochFence];
    assert_eq!(next(S::Ongoing), open);
    assert_eq!(next(S::PrepareCommit), [S::CompleteCommit]);
    assert_eq!(next(S::PrepareAbort), [S::CompleteAbort]);
    assert_eq!(next(S::PrepareEpochFence), [S::PrepareAbort]);
    assert_eq!(next(S::Dead), []);
}
