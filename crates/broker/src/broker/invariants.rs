//! What must hold of a broker at any time.

use crate::broker::Broker;
use crate::partition::Partition;
use inflight_protocol::{Cluster, Defect, Offset};

impl Broker {
    /// Looks for a broken invariant of this broker alone. The error says which.
    pub fn invariants(&self, cluster: &Cluster) -> Result<(), String> {
        for replica in &self.partitions {
            let says =
                |broken| format!("b{} {}: {broken}", self.id, cluster.topics.display(replica.id));
            check(cluster, replica).map_err(says)?;
            // A request whose batches are appended one by one wakes the others when it is done.
            if self.tasks.is_empty() {
                check_waiting(replica).map_err(says)?;
            }
        }
        Ok(())
    }
}

fn check(cluster: &Cluster, replica: &Partition) -> Result<(), &'static str> {
    let log = &replica.log;
    ensure(log.high_watermark() <= log.end(), "high watermark never exceeds log end offset")?;
    ensure(log.flushed() <= log.end(), "flushed offset never exceeds log end offset")?;
    check_epochs(replica)?;
    let gaps_are_meant = cluster.defects.has(Defect::SkipReplication);
    if !gaps_are_meant {
        check_batches(replica)?;
        ensure(log.producers().agrees_with(log.batches()), "producer state follows from the log")?;
    }
    if let Some(leadership) = replica.leadership() {
        ensure(leadership.start <= log.end(), "leader epoch starts within the log")?;
        let isr = leadership.in_sync.maximal();
        let assigned = cluster.replica_set(replica.id);
        ensure(isr.difference(assigned).is_empty(), "in-sync replicas are assigned")?;
    }
    Ok(())
}

fn check_epochs(replica: &Partition) -> Result<(), &'static str> {
    let entries = replica.log.epochs().entries();
    ensure(
        entries.is_sorted_by(|a, b| a.epoch < b.epoch && a.start < b.start),
        "leader epochs ascend with their start offsets",
    )?;
    let is_within = entries.iter().all(|entry| entry.start <= replica.log.end());
    ensure(is_within, "leader epochs start within the log")
}

fn check_waiting(replica: &Partition) -> Result<(), &'static str> {
    let waiting = &replica.waiting;
    ensure(
        waiting.is_empty() || replica.leadership().is_some(),
        "only a leader lets produce requests wait",
    )?;
    let past = |required: Offset| required <= replica.log.high_watermark();
    ensure(!waiting.iter().any(|each| past(each.required)), "what is committed is decided")
}

fn check_batches(replica: &Partition) -> Result<(), &'static str> {
    let log = &replica.log;
    let mut next = log.batches().kept_from();
    let mut epoch = None;
    for batch in log.batches().iter() {
        ensure(batch.base_offset == next, "batches are contiguous")?;
        ensure(batch.records.count > 0, "batches have records")?;
        ensure(epoch <= Some(batch.leader_epoch), "leader epochs of batches never fall")?;
        next = batch.next_offset();
        epoch = Some(batch.leader_epoch);
    }
    ensure(next == log.end(), "batches end at the log end offset")?;
    // A leader that has written nothing has its epoch in the cache already.
    ensure(epoch <= log.epochs().latest(), "last batch has a cached leader epoch")
}

fn ensure(holds: bool, invariant: &'static str) -> Result<(), &'static str> {
    if holds { Ok(()) } else { Err(invariant) }
}
