//! Which clients an error has stopped: what nobody did is judged by nobody.

use inflight::protocol::Fact;
use inflight::protocol::fact::{Recovery, SendError, StopCause};
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
    is_over: bool,
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
            Fact::TransactionCallFailed { session, error, recovery: Recovery::Close, .. } => {
                if let Some(client) = namer.client_of(session) {
                    ends.entry(client).or_default().error.get_or_insert(error);
                }
            }
            Fact::ConsumerFailed { consumer, error } => {
                if let Some(client) = namer.client_of_consumer(consumer) {
                    ends.entry(client).or_default().error.get_or_insert(error);
                }
            }
            Fact::ProducerStopped {
                client, how: StopCause::Closed | StopCause::Exited, ..
            }
            | Fact::ConsumerStopped {
                client, how: StopCause::Closed | StopCause::Exited, ..
            } => {
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
