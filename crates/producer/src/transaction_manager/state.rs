//! Which state may follow which. Kafka: TransactionManager.State.isTransitionValid.

pub(crate) use inflight_protocol::fact::ProducerState as State;

/// Whether a producer in the state `source` may come to be in the state `target`. Kafka's
/// PREPARED_TRANSACTION is missing: there are no transactions in two phases.
pub(crate) const fn is_transition_valid(source: State, target: State) -> bool {
    use State::{
        AbortableError, Aborting, Committing, FatalError, InTransaction, Initializing, Ready,
        Uninitialized,
    };
    match target {
        Uninitialized => matches!(source, Ready | AbortableError),
        Initializing => matches!(source, Uninitialized | Committing | Aborting),
        Ready => matches!(source, Initializing | Committing | Aborting),
        InTransaction => matches!(source, Ready),
        Committing => matches!(source, InTransaction),
        Aborting => matches!(source, InTransaction | AbortableError),
        AbortableError => {
            matches!(source, InTransaction | Committing | AbortableError | Initializing)
        }
        FatalError => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row a source, a column a target, both in the order of [`State::ALL`]. Kafka 4.4's answers:
    /// its enum has the same order but for PREPARED_TRANSACTION, whose row and column are left out.
    const KAFKA: [[u8; 8]; 8] = [
        // UNINIT, INITIALIZING, READY, IN_TXN, COMMITTING, ABORTING, ABORTABLE, FATAL
        [0, 1, 0, 0, 0, 0, 0, 1],
        [0, 0, 1, 0, 0, 0, 1, 1],
        [1, 0, 0, 1, 0, 0, 0, 1],
        [0, 0, 0, 0, 1, 1, 1, 1],
        [0, 1, 1, 0, 0, 0, 1, 1],
        [0, 1, 1, 0, 0, 0, 0, 1],
        [1, 0, 0, 0, 0, 1, 1, 1],
        [0, 0, 0, 0, 0, 0, 0, 1],
    ];

    #[test]
    fn every_pair_of_states_is_as_in_kafka() {
        for (source, row) in State::ALL.iter().zip(KAFKA) {
            for (target, valid) in State::ALL.iter().zip(row) {
                assert_eq!(is_transition_valid(*source, *target), valid == 1, "{source} {target}");
            }
        }
    }
}
