//! What travels: parcels, and the letters among them.

use inflight_net::{ConnectionSlot, Side};
use inflight_protocol::{Outgoing, Request};

/// Something that is on its way on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parcel {
    /// TCP: SYN.
    Open(ConnectionSlot),
    /// TCP: SYN and ACK.
    Accepted(ConnectionSlot),
    /// TCP: FIN or RST, to this side. Its end is closed with it.
    Closed(ConnectionSlot, Side),
    /// A message; this is the slot of its [`Letter`].
    Letter(u32),
}

/// A message on its way.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    /// The connection.
    pub(crate) on: ConnectionSlot,
    /// The side that sent it.
    pub(crate) from: Side,
    /// What is in it.
    pub(crate) body: Outgoing,
}

impl Letter {
    /// Whether it may change a log.
    #[inline]
    pub(crate) fn is_produce(&self) -> bool {
        matches!(self.body, Outgoing::Request { request: Request::Produce(_), .. })
    }
}

/// Bytes of a parcel that is no request or response.
pub(crate) const BARE_BYTES: u32 = 64;

/// The estimated size of a message on the wire.
#[inline]
pub(crate) fn bytes_of(body: &Outgoing) -> u32 {
    match body {
        Outgoing::Request { request, .. } => request.bytes(),
        Outgoing::Response { response, .. } => response.bytes(),
        Outgoing::Connect { .. }
        | Outgoing::Close { .. }
        | Outgoing::ToController(_)
        | Outgoing::ToBroker(..)
        | Outgoing::Exit => BARE_BYTES,
    }
}
