//! The command line of inflight.

fn main() {}
