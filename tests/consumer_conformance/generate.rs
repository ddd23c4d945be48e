//! Random scripts. A seed is a script.

use crate::script::{Config, Kind, Place, Script, Step, What};
use inflight_des::{Chance, Seed, StreamId};

/// What scripts are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Space {
    /// One broker that answers everything, and an application that polls, seeks, pauses.
    Plain,
    /// Every answer may be an error.
    Errors,
    /// Several brokers, leaders that change, logs that are cut, connections that break.
    Brokers,
    /// Brokers that fall silent or cannot be connected to.
    Silence,
    /// With a group: commits and committed offsets, successes and what may pass.
    Commits,
    /// The same with every error, on several brokers, with connections that break.
    Coordinators,
    /// Everything at once.
    All,
}

/// What the scripts of a space may have.
#[derive(Clone, Copy, Default)]
struct Features {
    errors: bool,
    brokers: bool,
    silence: bool,
    group: bool,
}

impl Space {
    pub(crate) const ALL: [Self; 7] = [
        Self::Plain,
        Self::Errors,
        Self::Brokers,
        Self::Silence,
        Self::Commits,
        Self::Coordinators,
        Self::All,
    ];

    pub(crate) fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    fn features(self) -> Features {
        let errors = Features { errors: true, ..Features::default() };
        match self {
            Self::Plain => Features::default(),
            Self::Errors => errors,
            Self::Brokers => Features { brokers: true, ..errors },
            Self::Silence => Features { brokers: true, silence: true, ..errors },
            Self::Commits => Features { group: true, ..Features::default() },
            Self::Coordinators => Features { brokers: true, group: true, ..errors },
            Self::All => Features { errors: true, brokers: true, silence: true, group: true },
        }
    }
}

/// Errors of leaders, of a partition.
const OF_PARTITIONS: [&str; 18] = [
    "NOT_LEADER_OR_FOLLOWER",
    "NOT_LEADER_OR_FOLLOWER",
    "FENCED_LEADER_EPOCH",
    "UNKNOWN_LEADER_EPOCH",
    "OFFSET_OUT_OF_RANGE",
    "OFFSET_OUT_OF_RANGE",
    "UNKNOWN_TOPIC_OR_PARTITION",
    "UNKNOWN_TOPIC_ID",
    "INCONSISTENT_TOPIC_ID",
    "OFFSET_NOT_AVAILABLE",
    "LEADER_NOT_AVAILABLE",
    "REPLICA_NOT_AVAILABLE",
    "KAFKA_STORAGE_ERROR",
    "UNKNOWN_SERVER_ERROR",
    "CORRUPT_MESSAGE",
    "TOPIC_AUTHORIZATION_FAILED",
    "UNSUPPORTED_FOR_MESSAGE_FORMAT",
    "INVALID_REQUEST",
];

/// Errors of a whole fetch.
const OF_FETCHES: [&str; 4] = [
    "FETCH_SESSION_ID_NOT_FOUND",
    "INVALID_FETCH_SESSION_EPOCH",
    "FETCH_SESSION_TOPIC_ID_ERROR",
    "UNKNOWN_SERVER_ERROR",
];

/// Errors of coordinators that pass.
const PASSING: [&str; 6] = [
    "COORDINATOR_NOT_AVAILABLE",
    "NOT_COORDINATOR",
    "COORDINATOR_LOAD_IN_PROGRESS",
    "REQUEST_TIMED_OUT",
    "UNKNOWN_TOPIC_OR_PARTITION",
    "UNSTABLE_OFFSET_COMMIT",
];

/// Other errors of coordinators.
const LASTING: [&str; 12] = [
    "GROUP_AUTHORIZATION_FAILED",
    "TOPIC_AUTHORIZATION_FAILED",
    "REBALANCE_IN_PROGRESS",
    "UNKNOWN_MEMBER_ID",
    "ILLEGAL_GENERATION",
    "OFFSET_METADATA_TOO_LARGE",
    "INVALID_COMMIT_OFFSET_SIZE",
    "INVALID_GROUP_ID",
    "STALE_MEMBER_EPOCH",
    "NETWORK_EXCEPTION",
    "UNKNOWN_SERVER_ERROR",
    "INVALID_REQUEST",
];

struct Dice {
    chance: Chance,
    stream: StreamId,
}

impl Dice {
    fn below(&mut self, options: u64) -> u64 {
        self.chance.pick(self.stream, options)
    }

    fn one_in(&mut self, options: u64) -> bool {
        self.below(options) == 0
    }

    fn of<T: Copy>(&mut self, options: &[T]) -> T {
        options[self.below(options.len() as u64) as usize]
    }
}

/// A script on its way.
struct Walk {
    dice: Dice,
    features: Features,
    brokers: u64,
    partitions: u64,
    /// One in so many answers is an error.
    mishaps: u64,
    steps: Vec<Step>,
    at: u64,
}

/// The script of a seed.
pub(crate) fn script(space: Space, seed: u64) -> Script {
    let mut chance = Chance::new(Seed::new(seed));
    let stream = chance.stream(&space.name());
    let mut dice = Dice { chance, stream };
    let features = space.features();
    let brokers = if features.brokers { 2 + dice.below(2) } else { 1 };
    let partitions = 1 + dice.below(3);
    let leaders = (0..partitions).map(|_| 1 + dice.below(brokers) as u8).collect();
    let starts = (0..partitions).map(|_| dice.of(&[0, 0, 5])).collect();
    let coordinator = 1 + dice.below(brokers) as u8;
    let config = config(&mut dice, features);
    let mishaps = if features.errors { dice.of(&[2, 5, 20]) } else { 0 };
    let (steps, at) = (Vec::new(), 0);
    let mut walk = Walk { dice, features, brokers, partitions, mishaps, steps, at };
    walk.prologue();
    for _ in 0..10 + walk.dice.below(40) {
        walk.pause();
        walk.step();
    }
    walk.epilogue();
    let (id, end) = (format!("{}-{seed}", space.name()), walk.at + 2_000);
    let (steps, group, brokers) = (walk.steps, features.group, brokers as u8);
    Script { id, config, brokers, leaders, starts, group, coordinator, steps, end }
}

fn config(dice: &mut Dice, features: Features) -> Config {
    let retry_backoff_ms = dice.of(&[10, 50, 100]);
    let reconnect_backoff_ms = dice.of(&[5, 20, 50]);
    let resets: &[&str] = if features.errors {
        &["earliest", "latest", "earliest", "none"]
    } else {
        &["earliest", "latest"]
    };
    Config {
        committed: dice.one_in(2),
        reset: dice.of(resets).to_owned(),
        max_poll_records: dice.of(&[1, 2, 3, 5, 500]),
        request_timeout_ms: dice.of(&[80, 300, 1_000, 30_000]),
        default_api_timeout_ms: dice.of(&[60, 400, 2_000]),
        retry_backoff_ms,
        retry_backoff_max_ms: retry_backoff_ms * dice.of(&[1, 4]),
        reconnect_backoff_ms,
        reconnect_backoff_max_ms: reconnect_backoff_ms * dice.of(&[1, 10]),
        auto_commit_ms: if features.group { dice.of(&[None, Some(30), Some(200)]) } else { None },
    }
}

impl Walk {
    fn push(&mut self, what: What) {
        self.steps.push(Step { at: self.at, what });
    }

    fn pause(&mut self) {
        self.at += match self.dice.below(8) {
            0..=2 => 0,
            3 => 1,
            4 | 5 => self.dice.below(20),
            6 => self.dice.below(100),
            _ => self.dice.below(300),
        };
    }

    fn partition(&mut self) -> u16 {
        self.dice.below(self.partitions) as u16
    }

    fn node(&mut self) -> u8 {
        1 + self.dice.below(self.brokers) as u8
    }

    fn assign(&mut self) {
        let mut partitions: Vec<u16> = (0..self.partitions as u16).collect();
        if partitions.len() > 1 && self.dice.one_in(3) {
            let out = self.partition();
            partitions.retain(|id| *id != out);
        }
        self.push(What::Assign { partitions });
    }

    fn prologue(&mut self) {
        for _ in 0..self.dice.below(8) {
            self.append();
        }
        if self.dice.one_in(20) {
            self.poll();
        }
        self.assign();
        self.poll();
    }

    fn append(&mut self) {
        let kind = self.dice.of(&[Kind::Plain, Kind::Txn, Kind::Txn, Kind::Commit, Kind::Abort]);
        let is_marker = matches!(kind, Kind::Commit | Kind::Abort);
        let count = if is_marker { 1 } else { 1 + self.dice.below(4) as u32 };
        let gap = self.dice.of(&[0, 0, 0, 0, 2]);
        let (partition, producer) = (self.partition(), 1 + self.dice.below(2));
        self.push(What::Append { partition, count, gap, kind, producer });
    }

    fn poll(&mut self) {
        let ms = self.dice.of(&[0, 0, 1, 20, 100, 100, 400]);
        self.push(What::Poll { ms });
    }

    fn step(&mut self) {
        match self.dice.below(20) {
            0..=4 => self.poll(),
            5..=10 => self.answer(),
            11 | 12 => self.append(),
            13 if self.features.group => self.commit(),
            14 if self.features.group => self.commit(),
            13..=15 => self.call(),
            16 | 17 if self.features.brokers => self.trouble(),
            18 if self.features.silence => self.silence(),
            _ => self.answer(),
        }
    }

    fn call(&mut self) {
        let partition = self.partition();
        let what = match self.dice.below(12) {
            0..=2 => What::Seek { partition, offset: self.dice.below(12) },
            3 | 4 => What::Beginning { partition },
            5 | 6 => What::End { partition },
            7 | 8 => What::Pause { partition },
            9 | 10 => What::Resume { partition },
            _ => return self.assign(),
        };
        self.push(what);
    }

    fn commit(&mut self) {
        let explicit = self.dice.one_in(3);
        let place =
            explicit.then(|| Place { partition: self.partition(), offset: self.dice.below(12) });
        let what =
            if self.dice.one_in(2) { What::Commit { place } } else { What::CommitAsync { place } };
        self.push(what);
    }

    fn answer(&mut self) {
        let (mut errors, mut error) = (Vec::new(), None);
        if self.mishaps > 0 && self.dice.one_in(self.mishaps) {
            let list: &[&str] = match self.features.group {
                true if self.dice.one_in(3) => &PASSING,
                true if self.dice.one_in(2) => &LASTING,
                _ => &OF_PARTITIONS,
            };
            errors.push(self.dice.of(list).to_owned());
            if self.dice.one_in(2) {
                errors.push("NONE".to_owned());
            }
        } else if self.features.group && self.dice.one_in(8) {
            errors.push(self.dice.of(&PASSING[..4]).to_owned());
        }
        if self.mishaps > 0 && self.dice.one_in(self.mishaps * 3) {
            let list: &[&str] = match self.features.group {
                true if self.dice.one_in(2) => &PASSING,
                true if self.dice.one_in(2) => &LASTING,
                _ => &OF_FETCHES,
            };
            error = Some(self.dice.of(list).to_owned());
        }
        let hint = self.features.brokers && self.dice.one_in(2);
        let (nth, batches) = (self.dice.below(3) as usize, self.dice.of(&[0, 1, 1, 2, 4]));
        self.push(What::Answer { nth, errors, error, batches, hint });
    }

    fn trouble(&mut self) {
        let (partition, node) = (self.partition(), self.node());
        let what = match self.dice.below(8) {
            0..=3 => {
                let leader = if self.dice.one_in(5) { 0 } else { node };
                What::Lead { partition, leader }
            }
            4 => What::Truncate { partition, batches: 1 + self.dice.below(2) as usize },
            5 if self.features.group => What::Coordinate { node },
            _ => What::Disconnect { node },
        };
        self.push(what);
    }

    fn silence(&mut self) {
        let node = self.node();
        let what = match self.dice.below(4) {
            0 => What::Hold { node },
            1 => What::Release { node },
            2 => What::Hide { node },
            _ => What::Show { node },
        };
        self.push(what);
    }

    /// Everything is well and answered for a while, and the application polls.
    fn epilogue(&mut self) {
        if self.features.silence {
            for node in 1..=self.brokers as u8 {
                self.push(What::Release { node });
                self.push(What::Show { node });
            }
        }
        for partition in 0..self.partitions as u16 {
            let leader = self.node();
            self.push(What::Lead { partition, leader });
        }
        for number in 0..24 {
            self.at += 1 + self.dice.below(60);
            if number % 4 == 0 {
                self.poll();
            }
            let nth = self.dice.below(3) as usize;
            self.push(What::success(nth, 2));
        }
    }
}
