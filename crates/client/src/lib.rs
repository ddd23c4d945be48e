//! What producers and consumers have in common.
//!
//! [`connection_states`] knows of each broker whether the client is connected to it and when it may
//! try again; [`backoff`] is the arithmetic of waiting. Kafka: what clients/NetworkClient is made
//! of, which both clients share.

pub mod backoff;
pub mod connection_states;
