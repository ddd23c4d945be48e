//! Which clients an error has stopped: what nobody did is judged by nobody.

use inflight::protocol::Fact;
use inflight::protocol::fact::{CommitMode, Recovery, SendError, StopCause, TransactionCall};
use inflight::protocol::ids::ClientId;
use inflight::trace::Namer;
use inflight::{Description, Instant};
use std::collections::BTreeMap;

/// A client that ended after an error and did not start again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stopped {
    /// Its name.
    pub(super) client: String,
    /// What was thrown.
    pub(super) error: &'static str,
}

/// What is known of a client's end.
#[derive(Clone, Copy, Debug, Default)]
struct End {
    /// The first error after which only close() is left.
    error: Option<SendError>,
    /// What initTransactions() threw first.
    init: Option<SendError>,
    /// What an application with a consumer was told last of a commitSync() or a message. It exits
    /// then, unless it can go on.
    told: Option<SendError>,
    /// The same of a commitAsync(), which may throw, too.
    told_later: Option<SendError>,
    is_over: bool,
}

impl End {
    /// A transactional call threw. Without initTransactions() there is nothing to abort.
    fn transaction_failed(&mut self, call: TransactionCall, error: SendError, left: Recovery) {
        let is_init = call == TransactionCall::Init;
        let first = if is_init { *self.init.get_or_insert(error) } else { error };
        match left {
            Recovery::Retry => {}
            Recovery::Abort if !is_init => {}
            Recovery::Abort | Recovery::Close | Recovery::None => {
                self.error.get_or_insert(first);
            }
        }
    }
}

/// The clients that an error has stopped, in the order of the setup.
pub(super) fn of(description: &Description, facts: &[(Instant, Fact)]) -> Vec<Stopped> {
    let namer = Namer::of(description, facts);
    let mut ends: BTreeMap<ClientId, End> = BTreeMap::new();
    for (_, fact) in facts {
        match *fact {
            Fact::ProducerStarted { client, .. } | Fact::ConsumerStarted { client, .. } => {
                ends.insert(client, End::default());
            }
            Fact::TransactionCallFailed { session, call, error, recovery, .. } => {
                if let Some(client) = namer.client_of(session) {
                    ends.entry(client).or_default().transaction_failed(call, error, recovery);
                }
            }
            Fact::RecordsFailed { session, error, .. } => {
                if let Some(client) = namer.client_of(session) {
                    ends.entry(client).or_default().told = Some(error);
                }
            }
            Fact::OffsetCommitReturned { consumer, mode, error, .. } => {
                if let Some(client) = namer.client_of_consumer(consumer) {
                    let end = ends.entry(client).or_default();
                    match mode {
                        CommitMode::Sync => end.told = error,
                        CommitMode::Async => end.told_later = error,
                        CommitMode::Auto => {}
                    }
                }
            }
            Fact::ConsumerFailed { consumer, error } => {
                if let Some(client) = namer.client_of_consumer(consumer) {
                    ends.entry(client).or_default().error.get_or_insert(error);
                }
            }
            Fact::ConsumerStopped { client, how: StopCause::Exited, .. } => {
                let end = ends.entry(client).or_default();
                end.error = end.error.or(end.told).or(end.told_later);
                end.is_over = true;
            }
            Fact::ProducerStopped {
                client, how: StopCause::Closed | StopCause::Exited, ..
            }
            | Fact::ConsumerStopped { client, how: StopCause::Closed, .. } => {
                ends.entry(client).or_default().is_over = true;
            }
            _ => {}
        }
    }
    let stopped = ends.into_iter().filter(|(_, end)| end.is_over);
    let named = stopped.filter_map(|(client, end)| {
        let client = description.client(client)?.name.clone();
        Some(Stopped { client, error: end.error?.name() })
    });
    named.collect()
}
