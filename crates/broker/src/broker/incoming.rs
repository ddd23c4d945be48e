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
                self.fetch_answered(cluster, turn, (connection, correlation), response);
            }
            Incoming::Connected { connection } => self.fetcher_connected(cluster, turn, connection),
            Incoming::Disconnected { connection } => {
                if connection.owner == Node::Broker(self.id) {
                    self.fetcher_disconnected(cluster, turn, connection);
                } else {
                    self.peer_closed(connection);
                }
            }
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
            self.expire_produces(turn);
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
        self.work(cluster, turn);
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
            Request::InitProducerId(_) => self.execute_init_producer_id(cluster, turn, slot),
            _ => debug_assert!(false, "no machine sends this yet"),
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
        if !connection.backlog.is_empty() {
            self.tasks.push_back(Task::Read(slot));
        } else if connection.peer != Peer::Open {
            self.sockets.close(slot);
        }
    }
}
