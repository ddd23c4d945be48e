//! Readers of the stream of facts: recorder, lanes, JSON Lines.
