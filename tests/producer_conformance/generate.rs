//! Random scripts. A seed is a script.

use crate::script::{Config, Rare, Script, Step, What};
use inflight_des::{Chance, Seed, StreamId};

/// What scripts are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Space {
    /// One broker, acks=all, no idempotence; successes and retriable errors.
    Plain,
    /// With idempotence in half of the scripts, any error, other acks, slow answers that expire.
    Errors,
    /// Errors, and connections break.
    Disconnects,
    /// Disconnects with several brokers and leaders that change.
    Brokers,
    /// Keys and sticky partitions.
    Choices,
    /// Buffer memory runs out, records are too large, threads wait and give up.
    Memory,
    /// close() in the middle.
    Close,
    /// Brokers that fall silent, cannot be connected to, or throttle.
    Silence,
    /// Batches become smaller by compression.
    Compression,
    /// Everything at once.
    All,
    /// Transactions, on one to three brokers.
    Transactions,
}

/// What the scripts of a space may have.
#[derive(Clone, Copy, Default)]
struct Features {
    errors: bool,
    disconnects: bool,
    brokers: bool,
    choices: bool,
    memory: bool,
    close: bool,
    silence: bool,
    compression: bool,
}

impl Space {
    pub(crate) const ALL: [Self; 11] = [
        Self::Plain,
        Self::Errors,
        Self::Disconnects,
        Self::Brokers,
        Self::Choices,
        Self::Memory,
        Self::Close,
        Self::Silence,
        Self::Compression,
        Self::All,
        Self::Transactions,
    ];
    /// Those of the producer without transactions.
    pub(crate) const PLAIN: [Self; 10] = [
        Self::Plain,
        Self::Errors,
        Self::Disconnects,
        Self::Brokers,
        Self::Choices,
        Self::Memory,
        Self::Close,
        Self::Silence,
        Self::Compression,
        Self::All,
    ];

    pub(crate) fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    fn features(self) -> Features {
        let errors = Features { errors: true, ..Features::default() };
        let brokers = Features { disconnects: true, brokers: true, ..errors };
        match self {
            Self::Plain | Self::Transactions => Features::default(),
            Self::Errors => errors,
            Self::Disconnects => Features { disconnects: true, ..errors },
            Self::Brokers => brokers,
            Self::Choices => Features { brokers: true, choices: true, ..errors },
            Self::Memory => Features { memory: true, ..errors },
            Self::Close => Features { close: true, ..brokers },
            Self::Silence => Features { silence: true, ..brokers },
            Self::Compression => Features { compression: true, choices: true, ..errors },
            Self::All => Features {
                choices: true,
                memory: true,
                close: true,
                silence: true,
                compression: true,
                ..brokers
            },
        }
    }
}

const RETRIABLE: [&str; 6] = [
    "NOT_ENOUGH_REPLICAS",
    "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
    "REQUEST_TIMED_OUT",
    "CORRUPT_MESSAGE",
    "UNKNOWN_TOPIC_OR_PARTITION",
    "KAFKA_STORAGE_ERROR",
];

pub(crate) const ANY: [&str; 14] = [
    "NONE",
    "NOT_ENOUGH_REPLICAS",
    "REQUEST_TIMED_OUT",
    "NOT_LEADER_OR_FOLLOWER",
    "LEADER_NOT_AVAILABLE",
    "MESSAGE_TOO_LARGE",
    "DUPLICATE_SEQUENCE_NUMBER",
    "OUT_OF_ORDER_SEQUENCE_NUMBER",
    "UNKNOWN_PRODUCER_ID",
    "INVALID_PRODUCER_EPOCH",
    "TOPIC_AUTHORIZATION_FAILED",
    "UNKNOWN_SERVER_ERROR",
    "CLUSTER_AUTHORIZATION_FAILED",
    "UNKNOWN_LEADER_EPOCH",
];

pub(crate) struct Dice {
    chance: Chance,
    stream: StreamId,
}

impl Dice {
    pub(crate) fn below(&mut self, options: u64) -> u64 {
        self.chance.pick(self.stream, options)
    }

    pub(crate) fn one_in(&mut self, options: u64) -> bool {
        self.below(options) == 0
    }

    pub(crate) fn of<T: Copy>(&mut self, options: &[T]) -> T {
        options[self.below(options.len() as u64) as usize]
    }
}

/// The script of a seed.
pub(crate) fn script(space: Space, seed: u64) -> Script {
    let mut chance = Chance::new(Seed::new(seed));
    let stream = chance.stream(&space.name());
    let mut dice = Dice { chance, stream };
    if space == Space::Transactions {
        return crate::calls::script(&mut dice, format!("{}-{seed}", space.name()));
    }
    let features = space.features();
    let idempotence = features.errors && !dice.one_in(3);
    let brokers = if features.brokers { 2 + dice.below(2) as u8 } else { 1 };
    let partitions = 1 + dice.below(if features.choices { 5 } else { 3 });
    let leaders: Vec<u8> =
        (0..partitions).map(|_| 1 + dice.below(u64::from(brokers)) as u8).collect();
    let mut config = config(&mut dice, features.errors, idempotence);
    config.rare = rare(&mut dice, features, &mut config.batch_size);
    let id_errors = if idempotence && dice.one_in(6) {
        vec!["COORDINATOR_LOAD_IN_PROGRESS".to_owned(); 1 + dice.below(2) as usize]
    } else {
        Vec::new()
    };
    let choices = if features.choices {
        (0..12).map(|_| dice.below(1 << 31) as u32).collect()
    } else {
        Vec::new()
    };
    let mut steps = Vec::new();
    // What comes while the sender sleeps between two requests is a race.
    let mut at = id_errors.len() as u64 * config.retry_backoff_ms as u64;
    let count = 6 + dice.below(24);
    let close = if features.close { dice.below(count) } else { count };
    for index in 0..count {
        at += pause(&mut dice);
        let what = if index == close {
            What::Close { timeout_ms: dice.of(&[0, 1, 50, 500, 5_000]) }
        } else {
            what(&mut dice, features, partitions, u64::from(brokers))
        };
        steps.push(Step { at, what });
    }
    if features.silence {
        for node in 1..=brokers {
            at += dice.below(60);
            steps.push(Step { at, what: What::Release { node } });
            steps.push(Step { at, what: What::Show { node } });
        }
    }
    // Then everything is answered for a while, with success.
    if dice.below(4) > 0 {
        for _ in 0..16 {
            at += 1 + dice.below(60);
            let nth = dice.below(4) as usize;
            let what = What::answer(nth, Vec::new());
            steps.push(Step { at, what });
        }
    }
    let end = at + 3_000;
    let id = format!("{}-{seed}", space.name());
    let transactions = None;
    Script { id, config, brokers, leaders, id_errors, choices, transactions, steps, end }
}

fn config(dice: &mut Dice, errors: bool, idempotence: bool) -> Config {
    let linger_ms = dice.of(&[0, 0, 1, 5, 20]);
    let request_timeout_ms = dice.of(&[50, 200, 400, 5_000]);
    let slack = dice.of(&[0, 100, 600, 5_000]);
    let retry_backoff_ms = dice.of(&[1, 10, 50, 100]);
    let reconnect_backoff_ms = dice.of(&[1, 10, 50]);
    let acks = if errors && !idempotence { dice.of(&[-1, -1, 1, 1, 0]) } else { -1 };
    Config {
        acks,
        idempotence,
        retries: dice.of(&[0, 1, 2, 5, i32::MAX as u32]).max(u32::from(idempotence)),
        max_in_flight: dice.of(&[1, 2, 5, 5]),
        linger_ms,
        batch_size: dice.of(&[0, 100, 200, 500, 16_384]),
        request_timeout_ms,
        delivery_timeout_ms: linger_ms + request_timeout_ms + slack,
        retry_backoff_ms,
        retry_backoff_max_ms: retry_backoff_ms * dice.of(&[1, 1, 4, 10]),
        reconnect_backoff_ms,
        reconnect_backoff_max_ms: reconnect_backoff_ms * dice.of(&[1, 10]),
        rare: Rare::default(),
    }
}

fn rare(dice: &mut Dice, features: Features, batch_size: &mut u32) -> Rare {
    let mut rare = Rare::default();
    if features.choices {
        rare.round_robin = dice.one_in(6);
        rare.ignore_keys = dice.one_in(4);
        rare.not_adaptive = dice.one_in(4);
        rare.availability_timeout_ms = dice.of(&[None, None, Some(1), Some(100)]);
    }
    if features.memory {
        *batch_size = dice.of(&[100, 200, 500, 1_000]);
        let batches = u64::from(*batch_size) * dice.of(&[1, 2, 3, 4]);
        rare.buffer_memory = Some(batches + dice.of(&[0, 0, 50, 150]));
        rare.max_block_ms = dice.of(&[None, Some(0), Some(20), Some(100), Some(1_000)]);
        rare.max_request_size = dice.of(&[None, Some(200), Some(400), Some(700)]);
    }
    if features.silence {
        rare.setup_timeout_ms = dice.of(&[None, Some(20), Some(100)]);
        rare.setup_timeout_max_ms = rare.setup_timeout_ms.map(|ms| ms * dice.of(&[1, 3]));
        rare.max_block_ms = dice.of(&[None, Some(20), Some(300)]).or(rare.max_block_ms);
    }
    if features.compression {
        rare.compressed_quarters = Some(dice.of(&[1, 2, 3, 4]));
        *batch_size = (*batch_size).min(1_000);
    }
    rare
}

fn pause(dice: &mut Dice) -> u64 {
    match dice.below(8) {
        0..=3 => 0,
        4 => 1,
        5 => dice.below(10),
        6 => dice.below(80),
        _ => dice.below(400),
    }
}

fn what(dice: &mut Dice, features: Features, partitions: u64, brokers: u64) -> What {
    let node = 1 + dice.below(brokers) as u8;
    match dice.below(22) {
        0 => What::Flush,
        1 if features.disconnects => What::Disconnect { node },
        2 | 3 if features.brokers => What::Lead {
            partition: dice.below(partitions) as u16,
            leader: if dice.one_in(5) { 0 } else { node },
        },
        4..=11 => What::Answer {
            nth: dice.below(4) as usize,
            errors: answer(dice, features),
            hint: features.brokers && dice.one_in(2),
            throttle: if features.silence { dice.of(&[0, 0, 0, 30, 300]) } else { 0 },
            error: None,
        },
        12 | 13 if features.silence => match dice.below(4) {
            0 => What::Hold { node },
            1 => What::Release { node },
            2 => What::Hide { node },
            _ => What::Show { node },
        },
        _ => send(dice, features, partitions),
    }
}

fn send(dice: &mut Dice, features: Features, partitions: u64) -> What {
    let mut partition = Some(dice.below(partitions) as u16);
    if features.memory && dice.one_in(30) {
        partition = Some(partitions as u16);
    }
    let mut key = None;
    if features.choices && !dice.one_in(4) {
        partition = None;
        key = (dice.one_in(3)).then(|| dice.below(200) as u32);
    }
    let size = dice.of(&[0, 1, 10, 30, 60, 100, 300]) + dice.below(5) as u32;
    What::Send { partition, key, size }
}

fn answer(dice: &mut Dice, features: Features) -> Vec<String> {
    if dice.one_in(2) {
        return Vec::new();
    }
    let options: &[&str] = if features.errors { &ANY } else { &RETRIABLE };
    let readable = |error: &&str| !(features.compression && *error == "MESSAGE_TOO_LARGE");
    let options: Vec<&str> = options.iter().copied().filter(readable).collect();
    (0..1 + dice.below(2)).map(|_| dice.of(&options).to_owned()).collect()
}
