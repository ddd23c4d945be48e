//! The fetchers of a follower: one for each broker that leads something it follows.
//!
//! Kafka: core/server/AbstractFetcherManager, AbstractFetcherThread, ReplicaFetcherThread,
//! BrokerBlockingSender. A fetcher is a thread with one request at a time: whoever joins it waits
//! for the request that is out. Connections between brokers exchange no ApiVersions: the client
//! inside is built with discoverBrokerVersions = false.

use crate::broker::Broker;
use crate::broker::fetch_state::{Cursor, FetchStage};
use crate::broker::timers::Timer;
use crate::broker::work::Task;
use inflight_des::{Instant, Span};
use inflight_protocol::fact::CloseCause;
use inflight_protocol::message::{FetchPartition, FetchRequest};
use inflight_protocol::{
    Cluster, ConnectionId, CorrelationId, Fact, FactKind, Node, Offset, Outgoing, Request,
    Response, Turn,
};
use smallvec::SmallVec;

impl Broker {
    /// A resting fetcher looks for something to do. Kafka: AbstractFetcherThread.doWork.
    pub(super) fn run_fetcher(&mut self, cluster: &Cluster, turn: &mut Turn<'_>, index: usize) {
        let now = turn.now();
        let fetcher = &mut self.fetchers[index];
        if !matches!(fetcher.stage, FetchStage::Resting(_)) {
            return;
        }
        let Some(ready_at) = fetcher.partitions.iter().map(|state| state.ready_at).min() else {
            self.stop_fetcher(turn, index);
            return;
        };
        if ready_at > now {
            fetcher.stage = FetchStage::Resting(ready_at);
            self.timers.arm(Timer::Fetcher, ready_at);
            return;
        }
        match fetcher.connection {
            Some(connection) => self.send_fetch(cluster, turn, index, connection),
            None => self.connect_fetcher(turn, index),
        }
    }

    fn connect_fetcher(&mut self, turn: &mut Turn<'_>, index: usize) {
        let connection = ConnectionId { owner: Node::Broker(self.id), number: self.connections };
        self.connections += 1;
        let fetcher = &mut self.fetchers[index];
        let give_up = turn.now() + fetcher.setup_timeout();
        fetcher.connection = Some(connection);
        fetcher.stage = FetchStage::Connecting(give_up);
        self.timers.arm(Timer::Fetcher, give_up);
        turn.send(Outgoing::Connect { connection, to: Node::Broker(fetcher.source) });
    }

    /// Sends the next fetch. Kafka: RemoteLeaderEndPoint.buildFetch.
    fn send_fetch(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        index: usize,
        connection: ConnectionId,
    ) {
        let (now, config) = (turn.now(), cluster.broker(self.id));
        let mut request = FetchRequest {
            replica: self.id,
            replica_epoch: self.lifecycle.epoch(),
            max_wait_ms: config.replica_fetch_wait_max.as_millis() as u32,
            min_bytes: config.replica_fetch_min_bytes,
            max_bytes: config.replica_fetch_response_max_bytes,
            partitions: SmallVec::with_capacity(self.fetchers[index].partitions.len()),
        };
        let fetcher = &mut self.fetchers[index];
        for state in &mut fetcher.partitions {
            let hosted = self.hosted[state.partition.index()].map(usize::from);
            let Some(hosted) = hosted.filter(|_| state.ready_at <= now) else {
                state.requested = None;
                continue;
            };
            let log = &self.partitions[hosted].log;
            state.requested = Some(log.end());
            request.partitions.push(FetchPartition {
                partition: state.partition,
                current_leader_epoch: state.epoch,
                fetch_offset: log.end(),
                last_fetched_epoch: log.epochs().latest(),
                log_start_offset: Offset::ZERO,
                max_bytes: config.replica_fetch_max_bytes,
            });
        }
        let give_up = now + config.replica_socket_timeout;
        fetcher.correlation = CorrelationId::new(fetcher.correlation.get().wrapping_add(1));
        fetcher.stage = FetchStage::Asking(give_up);
        let correlation = fetcher.correlation;
        self.timers.arm(Timer::Fetcher, give_up);
        turn.send(Outgoing::Request { connection, correlation, request: Request::Fetch(request) });
    }

    /// A fetcher has nothing to fetch any more. Kafka: shutdownIdleFetcherThreads.
    fn stop_fetcher(&mut self, turn: &mut Turn<'_>, index: usize) {
        let fetcher = &mut self.fetchers[index];
        fetcher.stage = FetchStage::Resting(Instant::NEVER);
        if let Some(connection) = fetcher.connection.take() {
            self.did_close(turn, connection, CloseCause::Local);
            turn.send(Outgoing::Close { connection });
        }
    }

    /// A fetcher has lost its last partition: its thread ends, whatever it was doing.
    pub(super) fn stop_idle_fetchers(&mut self, turn: &mut Turn<'_>) {
        for index in 0..self.fetchers.len() {
            let fetcher = &self.fetchers[index];
            if fetcher.partitions.is_empty()
                && fetcher.connection.is_some()
                && !fetcher.is_writing()
            {
                self.stop_fetcher(turn, index);
            }
        }
    }

    /// The connection that a fetcher waited for is open.
    pub(super) fn fetcher_connected(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        id: ConnectionId,
    ) {
        let Some(index) = self.fetcher_of(id) else { return };
        let fetcher = &mut self.fetchers[index];
        fetcher.setup_failures = 0;
        fetcher.stage = FetchStage::Resting(Instant::NEVER);
        let to = Node::Broker(fetcher.source);
        turn.did(FactKind::ConnectionOpened.set(), || Fact::ConnectionOpened {
            connection: id,
            to,
        });
        self.run_fetcher(cluster, turn, index);
    }

    /// A fetcher's connection was refused, closed or reset.
    pub(super) fn fetcher_disconnected(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        id: ConnectionId,
    ) {
        let Some(index) = self.fetcher_of(id) else { return };
        self.did_close(turn, id, CloseCause::Peer);
        self.fetchers[index].connection = None;
        match self.fetchers[index].stage {
            // The thread learns of it when it sends the next time, and connects again.
            FetchStage::Resting(_) | FetchStage::Writing(_) => {}
            FetchStage::Connecting(_) | FetchStage::Asking(_) => {
                self.fetch_failed(cluster, turn, index);
            }
        }
    }

    /// A fetch came to nothing: all partitions are delayed.
    /// Kafka: AbstractFetcherThread.processFetchRequest, handlePartitionsWithErrors.
    fn fetch_failed(&mut self, cluster: &Cluster, turn: &mut Turn<'_>, index: usize) {
        let now = turn.now();
        let until = now + cluster.broker(self.id).replica_fetch_backoff;
        let fetcher = &mut self.fetchers[index];
        for state in &mut fetcher.partitions {
            state.requested = None;
            if state.ready_at <= now {
                state.ready_at = until;
            }
        }
        fetcher.stage = FetchStage::Resting(Instant::NEVER);
        self.run_fetcher(cluster, turn, index);
    }

    /// Some fetchers' time is over.
    pub(super) fn fetchers_due(&mut self, cluster: &Cluster, turn: &mut Turn<'_>) {
        let now = turn.now();
        for index in 0..self.fetchers.len() {
            if self.fetchers[index].wakes_at() <= now {
                self.fetcher_due(cluster, turn, index);
            }
            let next = self.fetchers[index].wakes_at();
            if next > now {
                self.timers.arm(Timer::Fetcher, next);
            }
        }
    }

    fn fetcher_due(&mut self, cluster: &Cluster, turn: &mut Turn<'_>, index: usize) {
        let fetcher = &mut self.fetchers[index];
        match fetcher.stage {
            FetchStage::Resting(_) => self.run_fetcher(cluster, turn, index),
            FetchStage::Connecting(_) => {
                fetcher.setup_failures += 1;
                self.give_up_connection(turn, index, CloseCause::SetupTimeout);
                self.fetch_failed(cluster, turn, index);
            }
            FetchStage::Asking(_) => {
                self.give_up_connection(turn, index, CloseCause::RequestTimeout);
                self.fetch_failed(cluster, turn, index);
            }
            FetchStage::Writing(_) => {
                fetcher.stage = FetchStage::Writing(Instant::NEVER);
                self.tasks.push_back(Task::Replicate(fetcher.source));
            }
        }
    }

    fn give_up_connection(&mut self, turn: &mut Turn<'_>, index: usize, why: CloseCause) {
        if let Some(connection) = self.fetchers[index].connection.take() {
            self.did_close(turn, connection, why);
            turn.send(Outgoing::Close { connection });
        }
    }

    /// A leader has answered. Writing what it sent takes its time.
    pub(super) fn fetch_answered(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        (connection, correlation): (ConnectionId, CorrelationId),
        response: Response,
    ) {
        let (Some(index), Response::Fetch(response)) = (self.fetcher_of(connection), response)
        else {
            return;
        };
        let fetcher = &self.fetchers[index];
        let is_awaited =
            matches!(fetcher.stage, FetchStage::Asking(_)) && fetcher.correlation == correlation;
        if !is_awaited {
            return;
        }
        if response.partitions.is_empty() {
            // Nothing happened for half a second.
            self.fetcher_written(cluster, turn, index);
            return;
        }
        let mut time = Span::ZERO;
        for _ in 0..response.batches.len() {
            time += self.append_time(cluster, turn);
        }
        let fetcher = &mut self.fetchers[index];
        fetcher.incoming = response;
        fetcher.cursor = Cursor::default();
        if time == Span::ZERO {
            fetcher.stage = FetchStage::Writing(Instant::NEVER);
            self.tasks.push_back(Task::Replicate(fetcher.source));
        } else {
            let done = turn.now() + time;
            fetcher.stage = FetchStage::Writing(done);
            self.timers.arm(Timer::Fetcher, done);
        }
    }

    /// A response is taken over: the fetcher goes on.
    pub(super) fn fetcher_written(&mut self, cluster: &Cluster, turn: &mut Turn<'_>, index: usize) {
        self.fetchers[index].stage = FetchStage::Resting(Instant::NEVER);
        self.run_fetcher(cluster, turn, index);
    }

    #[inline]
    fn fetcher_of(&self, connection: ConnectionId) -> Option<usize> {
        self.fetchers.iter().position(|fetcher| fetcher.connection == Some(connection))
    }

    fn did_close(&self, turn: &mut Turn<'_>, connection: ConnectionId, why: CloseCause) {
        let at = Node::Broker(self.id);
        turn.did(FactKind::ConnectionClosed.set(), || Fact::ConnectionClosed {
            connection,
            at,
            why,
        });
    }
}
