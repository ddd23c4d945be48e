//! The end of a process, and the next one.

use crate::broker::Broker;
use crate::broker::lifecycle::Life;
use crate::broker::timers::Timers;
use inflight_des::Instant;
use inflight_protocol::fact::Surviving;
use inflight_protocol::{Cluster, Fact, FactKind, Turn};

impl Broker {
    /// The process is gone at `now`. What it had in memory goes; of the logs `surviving` says what
    /// is left. The driver drops what was on its way to or from the process, and says
    /// `BrokerCrashed` itself.
    pub fn crash(&mut self, _cluster: &Cluster, now: Instant, surviving: Surviving) {
        // A machine may lose power after its process has ended.
        let is_down = self.lifecycle.life == Life::Down;
        if is_down && surviving == Surviving::Appended {
            return;
        }
        for replica in &mut self.partitions {
            replica.log.crash(now, surviving);
        }
        if !is_down {
            self.end_process();
        }
    }

    /// The process is started again. It asks to be registered, which is refused as long as the
    /// session of the process before is valid, loads its logs, catches up, and is unfenced.
    /// Kafka: BrokerServer.startup.
    pub fn restart(&mut self, cluster: &Cluster, turn: &mut Turn<'_>) {
        if self.lifecycle.life != Life::Down {
            return;
        }
        let broker = self.id;
        turn.did(FactKind::BrokerStarted.set(), || Fact::BrokerStarted { broker });
        self.begin_life(cluster, turn);
        self.work(cluster, turn);
    }

    /// Forgets all that only a process knows.
    pub(super) fn end_process(&mut self) {
        self.stop_serving();
        for replica in &mut self.partitions {
            replica.lose_memory();
        }
        self.lifecycle.life = Life::Down;
        self.metadata.clear();
        self.alter_partition.clear();
        self.producer_ids = Default::default();
        self.transactions.clear();
        self.groups.clear();
        self.isr_phase = None;
    }

    /// Drops all connections, requests and queued work.
    pub(super) fn stop_serving(&mut self) {
        self.sockets.clear();
        self.handlers.clear();
        self.parked.clear();
        self.readers.clear();
        for fetcher in &mut self.fetchers {
            fetcher.clear();
        }
        for replica in &mut self.partitions {
            replica.waiting.clear();
        }
        self.add_partitions.clear();
        self.markers.clear();
        self.appends.clear();
        self.metadata_queue.clear();
        self.tasks.clear();
        self.step_is_due = false;
        self.timers = Timers::new();
        self.injections.clear();
    }
}
