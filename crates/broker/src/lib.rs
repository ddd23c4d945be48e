//! Brokers and the controller as machines: logs, producer state, replication, elections.
