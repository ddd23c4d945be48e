//! Random scripts: what producers, leaders, time and failures do to a transaction coordinator.

use super::ours::{ABORT_INTERVAL_MS, EXPIRE_INTERVAL_MS, IDS, Ours};
use super::script::{Producer, Record, Script, Step};
use crate::generate::Dice;
use inflight_protocol::{BrokerId, ProducerId, TransactionState};
use serde_json::json;

/// transaction.timeout.ms: none is a multiple of the interval of a sweep.
const TIMEOUTS: [u32; 5] = [20_003, 20_003, 45_007, 900_000, 3_001];
/// Spans around these timeouts, intervals and backoffs.
const SPANS: [u64; 10] = [1, 3, 10, 60, 1_000, 3_500, 8_000, 21_000, 30_001, 70_000];
/// What a leader may answer to a marker.
const ERRORS: [&str; 8] = [
    "UNKNOWN_TOPIC_OR_PARTITION",
    "NOT_LEADER_OR_FOLLOWER",
    "NOT_ENOUGH_REPLICAS",
    "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
    "REQUEST_TIMED_OUT",
    "KAFKA_STORAGE_ERROR",
    "INVALID_PRODUCER_EPOCH",
    "TRANSACTION_COORDINATOR_FENCED",
];

/// How smooth things go.
#[derive(Clone, Copy)]
enum Mood {
    /// Nearly everything is committed at once.
    Smooth,
    /// Things take their time.
    Slow,
}

/// A script that is being written.
struct Writer {
    dice: Dice,
    /// The coordinator as we have it tells what would come next.
    ours: Ours,
    mood: Mood,
    /// The protocol that clients speak, or both.
    clients: Option<u8>,
    level: u8,
    load: u64,
    /// Which ids had no open transaction when another broker was elected.
    idle: [bool; IDS as usize],
    /// When the partition is read.
    loaded: u64,
    steps: Vec<Step>,
}

/// The script of a seed with at most so many steps.
pub(crate) fn script(seed: u64, steps_max: u64) -> Script {
    let mut dice = Dice::new(seed, "conformance transactions");
    let version = dice.one_of(&[0, 1, 2, 2, 2, 2]);
    let mut script = Script {
        version,
        load: dice.one_of(&[0, 0, 0, 5]),
        // Never at the millisecond at which something else is due.
        abort: dice.below(ABORT_INTERVAL_MS) * 1_000 + 500,
        expire: dice.below(EXPIRE_INTERVAL_MS) * 1_000 + 250,
        steps: Vec::new(),
    };
    let length = 4 + dice.below(steps_max - 3);
    let mood = dice.one_of(&[Mood::Smooth, Mood::Smooth, Mood::Slow]);
    let clients =
        if version < 2 { Some(0) } else { dice.one_of(&[Some(2), Some(2), Some(0), None]) };
    let ours = Ours::new(&script);
    let mut writer = Writer {
        dice,
        ours,
        mood,
        clients,
        level: version,
        load: script.load,
        idle: [true; IDS as usize],
        loaded: 0,
        steps: Vec::new(),
    };
    writer.begin();
    while (writer.steps.len() as u64) < length {
        writer.write();
    }
    script.steps = writer.steps;
    script
}

impl Writer {
    fn put(&mut self, step: Step) {
        if step == Step::Resign {
            for id in 0..IDS {
                let state = self.ours.id(id).map(|(value, _)| value.state);
                self.idle[usize::from(id)] = !matches!(
                    state,
                    Some(
                        TransactionState::Ongoing
                            | TransactionState::PrepareCommit
                            | TransactionState::PrepareAbort
                    )
                );
            }
        }
        self.ours.play(&step);
        if step == Step::Elect {
            self.loaded = self.ours.stand.now_ms() + self.load;
        }
        self.steps.push(step);
    }

    /// Some coordinators have had one before them.
    fn begin(&mut self) {
        if self.dice.below(3) == 0 {
            self.put(Step::Resign);
            for _ in 0..=self.dice.below(2) {
                let record = self.record();
                self.put(Step::Wrote(record));
            }
            self.put(Step::Elect);
        }
    }

    fn write(&mut self) {
        if !self.ours.stand.leads() {
            match self.dice.below(8) {
                0..3 => self.put(Step::Elect),
                3..6 => {
                    let record = self.record();
                    self.put(Step::Wrote(record));
                }
                6 => self.wait(),
                _ => self.request(),
            }
            return;
        }
        match self.dice.below(100) {
            0..62 => {
                self.request();
                if matches!(self.mood, Mood::Smooth) && self.dice.below(5) > 0 {
                    self.put(Step::Replicate(0));
                }
            }
            62..74 => self.replicate(),
            74..86 => self.markers(),
            86 => {
                // What time brings while a broker may not be connected to is sent together.
                let broker = self.dice.one_of(&[1, 2]);
                if self.load == 0 {
                    self.put(Step::Lost(broker));
                }
            }
            87..89 => self.put(Step::InSync(1)),
            89..92 => self.put(Step::InSync(2)),
            92 => self.put(Step::Resign),
            93..95 if self.loaded <= self.ours.stand.now_ms() => self.put(Step::Elect),
            _ => self.wait(),
        }
    }

    fn wait(&mut self) {
        let span = self.dice.one_of(&SPANS);
        self.put(Step::Wait(span));
    }

    fn replicate(&mut self) {
        let count = if self.ours.stand.lag() > 1 { self.dice.below(3) } else { 0 };
        self.put(Step::Replicate(count));
    }

    /// A leader answers; most of the time well, and most of the time one that was asked.
    fn markers(&mut self) {
        let mut brokers: Vec<u8> = vec![1, 2];
        brokers.retain(|broker| self.ours.stand.markers(BrokerId::new(*broker)).is_some());
        let broker =
            if brokers.is_empty() { self.dice.one_of(&[1, 2]) } else { self.dice.one_of(&brokers) };
        if self.dice.below(4) > 0 {
            self.put(Step::Markers(broker, "NONE".to_owned(), -1));
        } else {
            let error = self.dice.one_of(&ERRORS);
            let place = self.dice.one_of(&[-1, -1, 0, 0, 1]);
            self.put(Step::Markers(broker, error.to_owned(), place));
        }
    }

    fn client(&mut self) -> u8 {
        self.clients.unwrap_or_else(|| self.dice.one_of(&[0, 2]))
    }

    fn request(&mut self) {
        let id = self.dice.below(IDS.into()) as u16;
        let id = if self.dice.below(3) > 0 { 0 } else { id };
        let known = self.ours.id(id).map(|(value, _)| value);
        let is_known = known.is_some();
        let choice = if is_known { self.dice.below(16) } else { self.dice.below(4) };
        let version = self.client();
        let producer = self.producer(id);
        let is_open = known.is_some_and(|value| value.state == TransactionState::Ongoing);
        let step = match choice {
            0..3 => self.init(id),
            3..6 => Step::Verify(id, producer, self.partitions()),
            6 => Step::Offsets(id, producer),
            7..12 if !is_open || self.dice.below(3) == 0 => {
                let partitions = self.partitions();
                if version == 2 {
                    Step::Join(id, producer, partitions)
                } else {
                    Step::Add(id, producer, partitions)
                }
            }
            _ => Step::End(id, producer, self.dice.below(5) < 3, version),
        };
        self.put(step);
    }

    fn init(&mut self, id: u16) -> Step {
        let timeout = match self.dice.below(24) {
            0 => 0,
            1 => 900_001,
            _ => self.dice.one_of(&TIMEOUTS),
        };
        let producer = if self.dice.below(3) > 0 { (-1, -1) } else { self.producer(id) };
        Step::Init(id, timeout, producer)
    }

    /// The producer as it is, or was, or never was.
    fn producer(&mut self, id: u16) -> Producer {
        let Some((value, _)) = self.ours.id(id) else {
            return self.dice.one_of(&[(0, 0), (7, 1)]);
        };
        let (pid, epoch) = (value.producer_id.get() as i64, value.producer_epoch.get());
        let before = value.previous_producer_id.map_or(pid, |pid: ProducerId| pid.get() as i64);
        let last = value.last_producer_epoch.map_or(epoch, |epoch| epoch.get());
        match self.dice.below(24) {
            0..3 => (pid, epoch.saturating_sub(1).max(0)),
            3 => (pid, epoch.saturating_add(1)),
            4 => (pid, epoch.saturating_sub(2).max(0)),
            5 => (before, last.max(0)),
            6 => (before, 32_766),
            7 => (self.dice.one_of(&[0, 1, 2, 900]), epoch.max(0)),
            _ => (pid, epoch.max(0)),
        }
    }

    fn partitions(&mut self) -> Vec<u16> {
        let mut list: Vec<u16> = (0..4).filter(|_| self.dice.below(2) == 0).collect();
        if list.is_empty() {
            list.push(self.dice.below(3) as u16);
        }
        list
    }

    /// What another coordinator may have written.
    fn record(&mut self) -> Record {
        let id = self.dice.below(2) as u16;
        if self.idle[usize::from(id)] && self.dice.below(8) == 0 {
            return json!([id]);
        }
        let state = self.dice.one_of(&[
            "Empty",
            "Ongoing",
            "Ongoing",
            "PrepareCommit",
            "PrepareAbort",
            "CompleteCommit",
            "CompleteAbort",
        ]);
        let version = if self.level < 2 { 0 } else { self.client() };
        let is_over = matches!(state, "PrepareCommit" | "PrepareAbort");
        let is_open = state == "Ongoing" || is_over;
        let aborts = matches!(state, "PrepareAbort" | "CompleteAbort");
        let raises = (version == 2 && is_over) || (version == 0 && aborts);
        let small = self.dice.below(4) as i16 + 1;
        let epoch = match self.dice.below(6) {
            0 => 32_765,
            1 => 32_766,
            2 if raises => 32_767,
            _ => small,
        };
        let rotates = version == 2 && is_over && epoch == 32_767;
        let partitions = match state {
            "PrepareAbort" if version == 2 && self.dice.below(4) == 0 => Vec::new(),
            _ if is_open => self.partitions(),
            _ => Vec::new(),
        };
        let now = self.ours.stand.now_ms() as i64;
        let at = self.dice.one_of(&[now, (now - 10).max(0)]);
        let start = if state == "Empty" { -1 } else { (at - 5).max(0) };
        let pid = 500 + i64::from(id);
        json!([
            id,
            state,
            pid,
            epoch,
            self.dice.one_of(&[pid, pid, 400]),
            if rotates { 700 } else { -1 },
            self.dice.one_of(&TIMEOUTS),
            partitions,
            start,
            at,
            version,
        ])
    }
}
