//! The producer client as a machine: accumulator, sender, network client, idempotence.
