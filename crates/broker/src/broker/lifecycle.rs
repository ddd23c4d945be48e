//! A broker's standing with the controller: registration, heartbeats, fencing.
//!
//! Kafka: server/BrokerLifecycleManager. A running broker sends a heartbeat every
//! broker.heartbeat.interval.ms. Nothing in the answer would matter to it, so the controller does
//! not send one, and the interval counts from the heartbeat instead of its answer. A broker that
//! starts or shuts down is answered each time.

use crate::broker::Broker;
use crate::broker::alter_partition::CONTROLLER_SOCKET_TIMEOUT;
use crate::broker::timers::Timer;
use crate::broker::work::Task;
use inflight_des::{Instant, Span};
use inflight_protocol::control::{BrokerWish, ToBroker, ToController};
use inflight_protocol::{BrokerEpoch, BrokerId, Cluster, ErrorCode, Outgoing, Turn};

/// How soon the second heartbeat of a controlled shutdown follows the first answer.
const SHUTDOWN_SECOND_HEARTBEAT: Span = Span::from_millis(50);

/// Where a broker process is in its life. Kafka: metadata/BrokerState.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    /// There is no process.
    Down,
    /// It asks to be registered. Kafka: STARTING.
    Registering,
    /// It is registered, and waits for metadata and logs. Kafka: STARTING.
    CatchingUp,
    /// It wants to be unfenced. Kafka: RECOVERY.
    Ready,
    /// It serves. Kafka: RUNNING.
    Running,
    /// It serves, and wants to shut down, at any rate at that instant.
    /// Kafka: PENDING_CONTROLLED_SHUTDOWN.
    ShuttingDown(Instant, Answers),
    /// It serves no more and closes its logs; so many are closed. Kafka: SHUTTING_DOWN.
    Closing(usize),
}

/// Whether the controller has answered a controlled shutdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answers {
    /// It has not.
    None,
    /// It has.
    Some,
}

/// A broker's registration and state of life.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lifecycle {
    pub(super) life: Life,
    epoch: BrokerEpoch,
    /// How many times the process was started before.
    incarnation: u32,
    /// The broker epoch in the clean shutdown marker on disk, if there is one.
    clean: Option<BrokerEpoch>,
    /// Whether the logs have been loaded since the process started.
    pub(super) logs_loaded: bool,
}

impl Lifecycle {
    /// A running broker of a settled cluster.
    pub(super) const fn settled(broker: BrokerId) -> Self {
        Self {
            life: Life::Running,
            epoch: crate::bootstrap::broker_epoch(broker),
            incarnation: 0,
            clean: None,
            logs_loaded: true,
        }
    }

    /// The epoch of the last registration.
    pub(super) const fn epoch(&self) -> BrokerEpoch {
        self.epoch
    }

    /// All logs are loaded, and with them the marker of the last shutdown is gone.
    pub(super) const fn logs_are_loaded(&mut self) {
        if !self.logs_loaded {
            self.logs_loaded = true;
            self.clean = None;
        }
    }

    /// All logs are closed: the marker says so.
    pub(super) const fn logs_are_closed(&mut self) {
        if self.logs_loaded {
            self.clean = Some(self.epoch);
        }
    }

    /// Whether the process looks at what arrives.
    #[inline]
    pub(super) const fn takes_messages(&self) -> bool {
        !matches!(self.life, Life::Down | Life::Closing(_))
    }

    /// Whether a controlled shutdown is going on. Kafka: ReplicaManager.isInControlledShutdown.
    pub(super) const fn is_shutting_down(&self) -> bool {
        matches!(self.life, Life::ShuttingDown(..))
    }
}

impl Broker {
    /// Whether there is a process.
    pub const fn is_up(&self) -> bool {
        !matches!(self.lifecycle.life, Life::Down)
    }

    /// Whether connections are accepted: a starting broker opens its port when it is unfenced.
    /// Kafka: BrokerServer.startup, SocketServer.enableRequestProcessing.
    pub const fn is_listening(&self) -> bool {
        matches!(self.lifecycle.life, Life::Running | Life::ShuttingDown(..))
    }

    /// The first heartbeat of the run falls anywhere in the interval.
    pub(super) fn schedule_first_heartbeat(&mut self, cluster: &Cluster, turn: &mut Turn<'_>) {
        let interval = cluster.broker(self.id).broker_heartbeat_interval.as_nanos().max(1);
        let phase = turn.chance().pick(self.streams.heartbeat_phase, interval);
        self.timers.set(Timer::Lifecycle, turn.now() + Span::from_nanos(phase));
    }

    /// The process is started again: it asks to be registered.
    /// Kafka: BrokerServer.startup, BrokerLifecycleManager.StartupEvent.
    pub(super) fn begin_life(&mut self, cluster: &Cluster, turn: &mut Turn<'_>) {
        self.lifecycle.life = Life::Registering;
        self.lifecycle.incarnation += 1;
        self.lifecycle.logs_loaded = false;
        self.speak_to_controller(cluster, turn);
    }

    /// Sends what is due: a registration or a heartbeat.
    /// Kafka: BrokerLifecycleManager.CommunicationEvent.
    pub(super) fn speak_to_controller(&mut self, cluster: &Cluster, turn: &mut Turn<'_>) {
        let want = match self.lifecycle.life {
            Life::Down | Life::Closing(_) => return,
            Life::Registering => {
                self.register(turn);
                return;
            }
            Life::CatchingUp => BrokerWish::Fenced,
            Life::Ready | Life::Running => BrokerWish::Active,
            Life::ShuttingDown(until, _) if until <= turn.now() => {
                // Kafka: the time-out of BrokerServer.shutdown.
                self.begin_closing();
                return;
            }
            Life::ShuttingDown(..) => BrokerWish::ShutDown,
        };
        self.heartbeat(cluster, turn, want);
    }

    fn register(&mut self, turn: &mut Turn<'_>) {
        let request = ToController::Register {
            broker: self.id,
            incarnation: self.lifecycle.incarnation,
            previous_epoch: self.lifecycle.clean,
        };
        turn.send(Outgoing::ToController(request));
        self.timers.set(Timer::Lifecycle, turn.now() + CONTROLLER_SOCKET_TIMEOUT);
    }

    fn heartbeat(&mut self, cluster: &Cluster, turn: &mut Turn<'_>, want: BrokerWish) {
        let request = ToController::Heartbeat {
            broker: self.id,
            epoch: self.lifecycle.epoch,
            metadata_version: self.metadata_queue.applied(&self.metadata),
            want,
        };
        turn.send(Outgoing::ToController(request));
        let interval = cluster.broker(self.id).broker_heartbeat_interval;
        self.timers.set(Timer::Lifecycle, turn.now() + interval);
    }

    /// The controller has a word for this broker.
    pub(super) fn controller_said(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        word: ToBroker,
    ) {
        match word {
            ToBroker::Registered(result) => self.registered(cluster, turn, result),
            ToBroker::Heartbeat { error, is_fenced, should_shut_down } => {
                if error.is_none() {
                    self.heartbeat_answered(cluster, turn, is_fenced, should_shut_down);
                }
            }
            ToBroker::AlterPartition { error, partitions } => {
                self.proposals_answered(cluster, turn, error, &partitions);
            }
            ToBroker::Metadata(delta) => self.metadata_arrived(cluster, turn, delta),
            ToBroker::ProducerIds { first } => self.producer_ids_arrived(first),
        }
    }

    /// The controller has answered a registration. The answer may be to a process before this one
    /// that died while it asked; then another one follows, so the last one counts.
    /// Kafka: BrokerLifecycleManager.BrokerRegistrationResponseEvent.
    fn registered(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        result: Result<BrokerEpoch, ErrorCode>,
    ) {
        let is_starting =
            matches!(self.lifecycle.life, Life::Registering | Life::CatchingUp | Life::Ready);
        if !is_starting {
            return;
        }
        match result {
            Ok(epoch) => {
                self.lifecycle.epoch = epoch;
                self.lifecycle.life = Life::CatchingUp;
                self.speak_to_controller(cluster, turn);
                self.maybe_ready(cluster, turn);
            }
            // The session of the process before is still valid.
            Err(_) => {
                self.lifecycle.life = Life::Registering;
                let interval = cluster.broker(self.id).broker_heartbeat_interval;
                self.timers.set(Timer::Lifecycle, turn.now() + interval);
            }
        }
    }

    /// Metadata was applied: perhaps it is enough to be unfenced, or says that the broker is.
    /// Kafka: BrokerLifecycleManager.setReadyToUnfence.
    pub(super) fn maybe_ready(&mut self, cluster: &Cluster, turn: &mut Turn<'_>) {
        let registration = u64::from(self.lifecycle.epoch.get());
        let applied = self.metadata_queue.applied(&self.metadata);
        match self.lifecycle.life {
            Life::CatchingUp if applied >= registration && self.lifecycle.logs_loaded => {
                self.lifecycle.life = Life::Ready;
                self.speak_to_controller(cluster, turn);
            }
            Life::Ready if self.metadata.alive_epoch(self.id) == Some(self.lifecycle.epoch) => {
                self.lifecycle.life = Life::Running;
            }
            Life::Down
            | Life::Registering
            | Life::CatchingUp
            | Life::Ready
            | Life::Running
            | Life::ShuttingDown(..)
            | Life::Closing(_) => {}
        }
    }

    /// Kafka: BrokerLifecycleManager.BrokerHeartbeatResponseEvent.
    fn heartbeat_answered(
        &mut self,
        cluster: &Cluster,
        turn: &mut Turn<'_>,
        is_fenced: bool,
        should_shut_down: bool,
    ) {
        match self.lifecycle.life {
            Life::Ready if !is_fenced => self.lifecycle.life = Life::Running,
            Life::ShuttingDown(..) if should_shut_down => self.begin_closing(),
            Life::ShuttingDown(until, answers) => {
                self.lifecycle.life = Life::ShuttingDown(until, Answers::Some);
                let pause = match answers {
                    Answers::None => SHUTDOWN_SECOND_HEARTBEAT,
                    Answers::Some => cluster.broker(self.id).broker_heartbeat_interval,
                };
                self.timers.set(Timer::Lifecycle, turn.now() + pause);
            }
            Life::Down
            | Life::Registering
            | Life::CatchingUp
            | Life::Ready
            | Life::Running
            | Life::Closing(_) => {}
        }
    }

    /// Stops serving: what is left is to close the logs. Kafka: BrokerServer.shutdown.
    pub(super) fn begin_closing(&mut self) {
        self.lifecycle.life = Life::Closing(0);
        self.stop_serving();
        self.tasks.push_back(Task::Close);
    }
}
