//! Shutting down in good order.
//!
//! Kafka: core/server/BrokerServer.shutdown. First the controller moves the leaderships away
//! (controlled shutdown); then the broker stops serving, checkpoints its high watermarks, flushes
//! and closes its logs, and leaves a marker that the shutdown was clean.

use crate::broker::Broker;
use crate::broker::lifecycle::{Answers, Life};
use crate::broker::work::{Progress, Task};
use inflight_des::Span;
use inflight_protocol::{Cluster, Fact, FactKind, Outgoing, Turn};

/// For how long the controller may keep a broker from shutting down. Kafka: KafkaBroker.shutdown.
const SHUTDOWN_TIMEOUT: Span = Span::from_secs(300);

impl Broker {
    /// Shuts down as on SIGTERM. It ends with `Outgoing::Exit` and the fact `BrokerStopped`.
    pub fn shut_down(&mut self, cluster: &Cluster, turn: &mut Turn<'_>) {
        match self.lifecycle.life {
            Life::Down | Life::ShuttingDown(..) | Life::Closing(_) => return,
            Life::Running if cluster.broker(self.id).controlled_shutdown_enable => {
                let until = turn.now() + SHUTDOWN_TIMEOUT;
                self.lifecycle.life = Life::ShuttingDown(until, Answers::None);
                self.speak_to_controller(cluster, turn);
            }
            // Whoever does not run yet has nothing to hand over.
            Life::Running | Life::Registering | Life::CatchingUp | Life::Ready => {
                self.begin_closing();
            }
        }
        self.work(cluster, turn);
    }

    /// Closes the next log; with the last one the process ends.
    pub(super) fn close_step(&mut self, turn: &mut Turn<'_>) -> Progress {
        let Life::Closing(next) = self.lifecycle.life else { return Progress::Volatile };
        let Some(replica) = self.partitions.get_mut(next) else {
            self.exit(turn);
            return Progress::Volatile;
        };
        self.lifecycle.life = Life::Closing(next + 1);
        self.tasks.push_back(Task::Close);
        let now = turn.now();
        // A log that was not loaded yet is closed as it is.
        if !self.lifecycle.logs_loaded || !replica.log.close(now) {
            return Progress::Volatile;
        }
        let (broker, partition, to) = (self.id, replica.id, replica.log.flushed());
        turn.did(FactKind::LogFlushed.set(), || Fact::LogFlushed { broker, partition, to });
        Progress::Durable
    }

    /// Leaves the marker and ends. Kafka: LogManager.shutdown, CleanShutdownFileHandler.
    fn exit(&mut self, turn: &mut Turn<'_>) {
        self.lifecycle.logs_are_closed();
        self.end_process();
        let broker = self.id;
        turn.did(FactKind::BrokerStopped.set(), || Fact::BrokerStopped { broker });
        turn.send(Outgoing::Exit);
    }
}
