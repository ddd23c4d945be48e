//! A client that follows a script.

use super::*;

impl World {
    /// Opens a connection to a broker, at once.
    pub(crate) fn connect(&mut self, id: u8) -> ConnectionId {
        let owner = Node::Client(ClientId::new(0));
        let connection = ConnectionId { owner, number: self.next_connection };
        self.next_connection += 1;
        let peer = Node::Broker(b(id));
        self.wires.insert(connection, Wire { peer, closed_by_owner: false, closed_by_peer: false });
        connection
    }

    pub(crate) fn disconnect(&mut self, connection: ConnectionId) {
        self.close(connection.owner, connection);
    }

    pub(crate) fn request(&mut self, connection: ConnectionId, request: Request) -> CorrelationId {
        let correlation = CorrelationId::new(self.next_correlation);
        self.next_correlation += 1;
        let incoming = Incoming::Request { connection, correlation, request };
        let to = self.wires[&connection].peer;
        self.send_message(connection.owner, to, incoming);
        correlation
    }

    pub(crate) fn produce(
        &mut self,
        connection: ConnectionId,
        acks: Acks,
        batches: &[(TopicPartition, RecordBatch)],
    ) -> CorrelationId {
        let batches = batches.iter().copied().collect();
        let request = ProduceRequest { acks, timeout_ms: 30_000, transaction: None, batches };
        self.request(connection, Request::Produce(request))
    }

    /// The response to a request, if it has arrived.
    pub(crate) fn answer(&self, correlation: CorrelationId) -> Option<(Instant, &Response)> {
        let found = self.answers.iter().find(|answer| answer.2 == correlation);
        found.map(|(at, _, _, response)| (*at, response))
    }

    /// What a produce request was answered for its first batch.
    pub(crate) fn produced(&self, correlation: CorrelationId) -> Option<ProducePartitionResponse> {
        match self.answer(correlation)?.1 {
            Response::Produce(response) => response.partitions.first().copied(),
            other => panic!("{other:?} answers a produce request"),
        }
    }

    /// Produces to a broker and waits for the answer: the error code, or 0 and the base offset.
    pub(crate) fn produce_now(&mut self, id: u8, acks: Acks, batch: RecordBatch) -> (i16, u64) {
        let connection = self.connect(id);
        let correlation = self.produce(connection, acks, &[(P0, batch)]);
        self.run_until_so(|world| world.answer(correlation).is_some());
        let response = self.produced(correlation).expect("it is answered");
        let base = response.base_offset.map_or(0, Offset::get);
        (response.error.map_or(0, ErrorCode::number), base)
    }
}
