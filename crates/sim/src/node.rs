//! Nodes as the world sees them: up or down, standing still, waiting for a time.

use crate::packet::Parcel;
use inflight_des::Instant;

/// A process and the machine it runs on.
#[derive(Debug)]
pub(crate) struct NodeState {
    pub(crate) process: Process,
    /// Whether the machine answers at all. Only a loss of power takes it away.
    pub(crate) host_up: bool,
    /// Counts starts and ends of the process: what was begun in an earlier life goes nowhere.
    pub(crate) life: u32,
    /// Whether it was asked to stop and has not ended yet.
    pub(crate) is_stopping: bool,
    /// How many pauses are in force.
    pub(crate) pauses: u32,
    /// What arrived while the process stood still.
    pub(crate) inbox: Vec<Parcel>,
    /// When the earliest wake-up in the future event list is due.
    pub(crate) armed: Instant,
}

inflight_des::clone_fields!(NodeState {
    process,
    host_up,
    life,
    is_stopping,
    pauses,
    inbox,
    armed
});

/// Whether a process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Process {
    Up,
    Down,
}

impl NodeState {
    pub(crate) const fn up() -> Self {
        Self {
            process: Process::Up,
            host_up: true,
            life: 0,
            is_stopping: false,
            pauses: 0,
            inbox: Vec::new(),
            armed: Instant::NEVER,
        }
    }

    pub(crate) fn is_up(&self) -> bool {
        self.process == Process::Up
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.pauses > 0
    }

    /// The process ends: nothing that it waited for will find it.
    pub(crate) fn ends(&mut self) {
        self.process = Process::Down;
        self.life += 1;
        self.is_stopping = false;
        self.pauses = 0;
        self.armed = Instant::NEVER;
    }

    /// The process begins.
    pub(crate) fn begins(&mut self) {
        self.process = Process::Up;
        self.host_up = true;
        self.life += 1;
    }
}
