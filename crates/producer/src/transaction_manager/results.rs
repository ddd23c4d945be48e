//! What threads of the application wait for. Kafka: TransactionalRequestResult.

use inflight_protocol::fact::SendError;
use smallvec::SmallVec;

/// A result, named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ResultId(u32);

/// How a call ended, once that is known.
pub(crate) type Ended = Result<(), SendError>;

/// The results that somebody may still ask for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Results {
    next: u32,
    kept: SmallVec<[Kept; 2]>,
}

#[derive(Clone, Copy, Debug)]
struct Kept {
    id: ResultId,
    ended: Option<Ended>,
    /// Whether a thread has seen how it ended.
    acked: bool,
}

impl Results {
    pub(super) fn create(&mut self) -> ResultId {
        let id = ResultId(self.next);
        self.next += 1;
        self.kept.push(Kept { id, ended: None, acked: false });
        id
    }

    fn of(&self, id: ResultId) -> Option<&Kept> {
        self.kept.iter().find(|kept| kept.id == id)
    }

    fn of_mut(&mut self, id: ResultId) -> Option<&mut Kept> {
        self.kept.iter_mut().find(|kept| kept.id == id)
    }

    /// Kafka: TransactionalRequestResult.done. An error that was there stays.
    pub(super) fn done(&mut self, id: ResultId) {
        if let Some(kept) = self.of_mut(id) {
            kept.ended.get_or_insert(Ok(()));
        }
    }

    /// Kafka: TransactionalRequestResult.fail. The last error counts, even after success.
    pub(super) fn fail(&mut self, id: ResultId, error: SendError) {
        if let Some(kept) = self.of_mut(id) {
            kept.ended = Some(Err(error));
        }
    }

    /// How it ended, if that is known; then a thread has seen it.
    /// Kafka: TransactionalRequestResult.await.
    pub(super) fn see(&mut self, id: ResultId) -> Option<Ended> {
        let kept = self.of_mut(id)?;
        kept.acked |= kept.ended.is_some();
        kept.ended
    }

    /// Nobody will ask any more.
    pub(super) fn forget(&mut self, id: ResultId) {
        self.kept.retain(|kept| kept.id != id);
    }

    /// Kafka: TransactionalRequestResult.isAcked.
    pub(super) fn is_acked(&self, id: ResultId) -> bool {
        self.of(id).is_none_or(|kept| kept.acked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_pending_until_a_thread_has_seen_it() {
        let mut results = Results::default();
        let (one, other) = (results.create(), results.create());
        assert_eq!((results.see(one), results.is_acked(one)), (None, false));
        results.done(one);
        results.fail(one, SendError::IllegalState);
        results.done(one);
        assert!(!results.is_acked(one));
        for _ in 0..2 {
            assert_eq!(results.see(one), Some(Err(SendError::IllegalState)));
            assert!(results.is_acked(one) && !results.is_acked(other));
        }
        results.forget(one);
        assert!(results.is_acked(one));
    }
}
