//! How far the application's thread gets before it has to wait.

use inflight_protocol::fact::SendError;

/// What became of a step of a blocking call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress<T> {
    /// It returned.
    Done(T),
    /// It threw an exception.
    Failed(SendError),
    /// The thread polls the network until something happens, until then at most.
    Polling(i64),
    /// The thread sleeps until then, and nobody polls for it.
    Sleeping(i64),
}
