//! What becomes of connections, messages and links.

macro_rules! network_facts {
    ([$next:ident $($rest:ident)*] { $($before:tt)* }) => { $next! { [$($rest)*] { $($before)*

    /// A connection can be used by the node that opened it.
    ConnectionOpened {
        /// The connection.
        connection: ConnectionId,
        /// The node at the other end.
        to: Node,
    }
    /// A node gave up a connection or learned that it is gone.
    ConnectionClosed {
        /// The connection.
        connection: ConnectionId,
        /// The node that knows it.
        at: Node,
        /// Why.
        why: CloseCause,
    }
    /// A request or response left a node.
    MessageSent {
        /// The sender.
        from: Node,
        /// The receiver.
        to: Node,
        /// The connection.
        connection: ConnectionId,
        /// The request's number.
        correlation: CorrelationId,
        /// Which request it is, or is answered.
        api: ApiKey,
        /// Request or response.
        direction: Direction,
        /// Size in bytes.
        bytes: u32,
    }
    /// A request or response reached a node.
    MessageDelivered {
        /// The sender.
        from: Node,
        /// The receiver.
        to: Node,
        /// The connection.
        connection: ConnectionId,
        /// The request's number.
        correlation: CorrelationId,
        /// Which request it is, or is answered.
        api: ApiKey,
        /// Request or response.
        direction: Direction,
    }
    /// A request or response will never reach its receiver.
    MessageLost {
        /// The sender.
        from: Node,
        /// The receiver.
        to: Node,
        /// The connection.
        connection: ConnectionId,
        /// The request's number.
        correlation: CorrelationId,
        /// Which request it is, or is answered.
        api: ApiKey,
        /// Request or response.
        direction: Direction,
        /// Why.
        why: LossCause,
    }
    /// A link stopped delivering.
    LinkCut {
        /// The sending side.
        from: Node,
        /// The receiving side.
        to: Node,
    }
    /// A link delivers again.
    LinkHealed {
        /// The sending side.
        from: Node,
        /// The receiving side.
        to: Node,
    }
    /// A link became slower or fast again.
    LinkSlowed {
        /// The sending side.
        from: Node,
        /// The receiving side.
        to: Node,
        /// Added to every delay.
        by: Span,
    }

    } } };
}
