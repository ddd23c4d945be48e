//! What reaches a broker, and the way of a request through it.
//!
//! Kafka: core/network/SocketServer, server/KafkaRequestHandler, core/server/KafkaApis.handle.

use crate::broker::Broker;
use crate::broker::sockets::{Peer, Stage};
use crate::broker::timers::Timer;
use crate::broker::work::{Progress, Task};
use inflight_des::{Instant, Span};
use inflight_protocol::{
    Cluster, ConnectionId, CorrelationId, Incoming, Node, Outgoing, Request, Response, Turn,
};

impl Broker {
    /// The run starts: the first fetches are sent, and the first heartbeat is some time away.
    pub fn start(&mut self, cluster: &Cluster, turn: &mut Turn<'_>) {
        self.schedule_first_heartbeat(cluster, turn);
        for index in 0..self.fetchers.len() {
            self.run_fetcher(cluster, turn, index);
        }
    }

    /// A message arrived.
    pub fn handle(&mut self, cluster: &Cluster, turn: &mut Turn<'_>, incoming: Incoming) {
        if !self.lifecycle.takes_messages() {
            return;
        }
        match incoming {
            Incoming::Request { connection, correlation, request } => {
                self.request_arrived(cluster, turn, connection, correlation, request);
            }
            Incoming::Response { connection, correlation, response } => {
                self.response_arrived(cluster, turn, (connection, correlation), response);
            }
            Incoming::Connected { connection } => self.connected(cluster, turn, connection),
            Incoming::Disconnected { connection } => self.disconnected(cluster, turn, connection),
            Incoming::ToBroker(word) => self.controller_said(cluster, turn, word),
            // Nobody sends a broker what is meant for the controller.
            Incoming::ToController(_) => {}
        }
        self.work(cluster, turn);
    }

    /// Time has come for something, or the driver woke the broker for nothing.
    pub fn handle_timeout(&mut self, cluster: &Cluster, turn: &mut Turn<'_>) {
        let now = turn.now();
        if self.timers.next().is_none_or(|next| next > now) {
            return;
        }
        if self.timers.take_due(Timer::Metadata, now) {
            self.take_metadata(now);
        }
        if self.timers.take_due(Timer::Handler, now) {
            self.handlers_done(cluster, turn);
        }
        if self.timers.take_due(Timer::Fetcher, now) {
            self.fetchers_due(cluster, turn);
        }
        if self.timers.take_due(Timer::Fetch, now) {
            self.expire_fetches(cluster, turn);
        }
        if self.timers.take_due(Timer::Produce, now) {
            self.expire_produces(cluster, turn);
        }
        if self.timers.take_due(Timer::Isr, now) {
            self.check_in_sync_replicas(cluster, turn);
        }
        if self.timers.take_due(Timer::Flush, now) {
            self.flush_old_logs(cluster, now);
        }
        if self.timers.take_due(Timer::AlterPartition, now) {
            self.retry_alter_partition(turn);
        }
        if self.timers.take_due(Timer::Lifecycle, now) {
            self.speak_to_controller(cluster, turn);
        }
        if self.timers.unusual_due(now) {
            self.transactions_due(cluster, turn);
            self.readers_due(turn);
        }
        self.work(cluster, turn);
    }

    /// Time has come for something about consumers and groups.
    fn readers_due(&mut self, turn: &mut Turn<'_>) {
        let now = turn.now();
        if self.timers.take_due(Timer::Reader, now) {
            self.expire_readers(turn);
        }
        if self.timers.take_due(Timer::GroupLoad, now) {
            self.group_loads_due(now);
        }
        if self.timers.take_due(Timer::Groups, now) {
            self.groups_due(turn);
        }
    }

    /// Time has come for something about transactions.
    fn transactions_due(&mut self, cluster: &Cluster, turn: &mut Turn<'_>) {
        let now = turn.now();
        if self.timers.take_due(Timer::AddPartitions, now) {
            self.additions_due(cluster, turn);
        }
        if self.timers.take_due(Timer::Verification, now) {
            self.retry_verifications(cluster, turn);
        }
        if self.timers.take_due(Timer::Markers, now) {
            self.markers_due(cluster, turn);
        }
        if self.timers.take_due(Timer::Append, now) {
            self.expire_appends(cluster, turn);
        }
        if self.timers.take_due(Timer::Load, now) {
            self.loads_due(now);
        }
        if self.timers.take_due(Timer::AbortTransactions, now) {
            self.abort_timed_out_transactions(cluster, turn);
        }
        if self.timers.take_due(Timer::ExpireTransactions, now) {
            self.remove_expired_transactional_ids(cluster, turn);
        }
    }

    /// A response to one of this broker's own requests.
    fn response_arrived(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        (connection, correlation): (ConnectionId, CorrelationId),
        response: Response,
    ) {
        if let Some(index) = self.add_partitions.channel_of(connection) {
            self.additions_answered(cluster, turn, index, (correlation, response));
        } else if let Some(index) = self.markers.channel_of(connection) {
            self.markers_answered(cluster, turn, index, (correlation, response));
        } else {
            self.fetch_answered(cluster, turn, (connection, correlation), response);
        }
    }

    /// A connection that this broker has asked for is open.
    fn connected(&mut self, cluster: &Cluster, turn: &mut Turn<'_>, id: ConnectionId) {
        if let Some(index) = self.add_partitions.channel_of(id) {
            self.additions_connected(turn, index);
        } else if let Some(index) = self.markers.channel_of(id) {
            self.markers_connected(turn, index);
        } else {
            self.fetcher_connected(cluster, turn, id);
        }
    }

    /// The other end of a connection is closed. A connection to this broker itself has both its
    /// ends here.
    fn disconnected(&mut self, cluster: &Cluster, turn: &mut Turn<'_>, id: ConnectionId) {
        if let Some(index) = self.add_partitions.channel_of(id) {
            self.additions_lost(cluster, turn, index);
        } else if let Some(index) = self.markers.channel_of(id) {
            self.markers_lost(cluster, turn, index);
        } else if id.owner == Node::Broker(self.id) && self.sockets.find(id).is_none() {
            self.fetcher_disconnected(cluster, turn, id);
        } else {
            self.peer_closed(id);
        }
    }

    /// When [`Broker::handle_timeout`] is to be called. It may be called early and does nothing
    /// then.
    #[inline]
    pub fn next_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    #[inline]
    fn request_arrived(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        id: ConnectionId,
        correlation: CorrelationId,
        request: Request,
    ) {
        let slot = self.sockets.find_or_open(id);
        let connection = &mut self.sockets[slot];
        if !connection.is_idle() {
            connection.backlog.push_back((correlation, request));
            return;
        }
        connection.correlation = correlation;
        connection.request = request;
        self.serve(cluster, turn, slot);
    }

    /// The peer has closed a connection, after all that it had sent arrived.
    fn peer_closed(&mut self, id: ConnectionId) {
        let Some(slot) = self.sockets.find(id) else { return };
        self.sockets[slot].peer = Peer::Gone;
        if self.sockets[slot].is_idle() {
            self.sockets.close(slot);
        }
    }

    /// Reads the next request of a connection.
    pub(super) fn read_next(&mut self, cluster: &Cluster, turn: &mut Turn<'_>, slot: u32) {
        let connection = &mut self.sockets[slot];
        let Some((correlation, request)) = connection.backlog.pop_front() else { return };
        connection.correlation = correlation;
        connection.request = request;
        self.serve(cluster, turn, slot);
    }

    /// Gives a request to a handler, or lets it wait for one.
    #[inline]
    fn serve(&mut self, cluster: &Cluster, turn: &mut Turn<'_>, slot: u32) {
        if self.handlers.is_free() {
            self.begin_service(cluster, turn, slot);
        } else {
            self.sockets[slot].stage = Stage::Queued;
            self.handlers.enqueue(slot);
        }
    }

    /// A handler takes a request. If it takes no time, the request is executed at once.
    #[inline]
    fn begin_service(&mut self, cluster: &Cluster, turn: &mut Turn<'_>, slot: u32) {
        let config = cluster.broker(self.id);
        let mut time = turn.chance().delay(self.streams.request_time, &config.request_time);
        let batches = self.sockets[slot].produce().map_or(0, |request| request.batches.len());
        for _ in 0..batches {
            time += self.append_time(cluster, turn);
        }
        if time == Span::ZERO {
            self.sockets[slot].stage = Stage::Executing;
            self.tasks.push_back(Task::Execute(slot));
            return;
        }
        let until = turn.now() + time;
        self.sockets[slot].stage = Stage::InService;
        self.handlers.occupy(until, slot);
        self.timers.arm(Timer::Handler, until);
    }

    /// How long the append of a batch takes.
    #[inline]
    pub(super) fn append_time(&self, cluster: &Cluster, turn: &mut Turn<'_>) -> Span {
        let config = cluster.broker(self.id);
        turn.chance().delay(self.streams.append_time, &config.append_time) + self.disk_delay
    }

    /// Handlers are done with their requests, which are executed now, and take the next ones.
    fn handlers_done(&mut self, cluster: &Cluster, turn: &mut Turn<'_>) {
        while let Some(slot) = self.handlers.release(turn.now()) {
            self.sockets[slot].stage = Stage::Executing;
            self.tasks.push_back(Task::Execute(slot));
        }
        while let Some(slot) = self.handlers.dequeue() {
            self.begin_service(cluster, turn, slot);
        }
        if let Some(next) = self.handlers.next_done() {
            self.timers.arm(Timer::Handler, next);
        }
    }

    /// Executes the request of a connection, or goes on with it.
    /// Kafka: KafkaApis.handle.
    #[inline]
    pub(super) fn execute(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        slot: u32,
    ) -> Progress {
        match &self.sockets[slot].request {
            Request::Produce(_) => return self.execute_produce(cluster, turn, slot),
            Request::Fetch(_) => self.execute_fetch(cluster, turn, slot),
            Request::ApiVersions => {
                self.respond(turn, slot, Response::ApiVersions);
            }
            Request::Metadata(_) => self.execute_metadata(cluster, turn, slot),
            Request::WriteTxnMarkers(_) => {
                return self.execute_write_txn_markers(cluster, turn, slot);
            }
            Request::InitProducerId(_)
            | Request::FindCoordinator(_)
            | Request::AddPartitionsToTxn(_)
            | Request::LeaderAddPartitions(_)
            | Request::AddOffsetsToTxn(_)
            | Request::EndTxn(_) => self.execute_transactional(cluster, turn, slot),
            Request::ConsumerFetch(_) => self.execute_consumer_fetch(turn, slot),
            Request::ListOffsets(_) => self.execute_list_offsets(turn, slot),
            Request::OffsetForLeaderEpoch(_) => self.execute_epoch_ends(turn, slot),
            Request::TxnOffsetCommit(_)
            | Request::OffsetCommit(_)
            | Request::OffsetFetch(_)
            | Request::JoinGroup(_)
            | Request::SyncGroup(_)
            | Request::Heartbeat(_)
            | Request::LeaveGroup(_)
            | Request::ConsumerGroupHeartbeat(_) => {
                self.execute_group_request(cluster, turn, slot);
            }
        }
        Progress::Volatile
    }

    /// Writes the response to a connection's request, if it can still be written.
    pub(super) fn respond(&mut self, turn: &mut Turn<'_>, slot: u32, response: Response) {
        self.use_up_injections(slot);
        let connection = &mut self.sockets[slot];
        match connection.peer {
            Peer::Open => {}
            Peer::Gone => connection.peer = Peer::GoneAndWritten,
            Peer::GoneAndWritten => {
                // The write fails: what else was received is discarded.
                self.sockets.close(slot);
                return;
            }
        }
        let (connection, correlation) = (connection.id, connection.correlation);
        turn.send(Outgoing::Response { connection, correlation, response });
        self.request_done(slot);
    }

    /// A connection's request is done with, answered or not: the next one is read.
    pub(super) fn request_done(&mut self, slot: u32) {
        let connection = &mut self.sockets[slot];
        connection.stage = Stage::Idle;
        connection.request = Request::ApiVersions;
        connection.outcomes.clear();
        connection.check.reset();
        connection.additions.clear();
        if !connection.backlog.is_empty() {
            self.tasks.push_back(Task::Read(slot));
        } else if connection.peer != Peer::Open {
            self.sockets.close(slot);
        }
    }
}
