//! Random scripts. A seed is a script.

use crate::script::{Config, Script, Step, What};
use inflight_des::{Chance, Seed, StreamId};

/// What scripts are about; each space contains the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Space {
    /// One broker, acks=all, no idempotence; successes and retriable errors.
    Plain,
    /// With idempotence in half of the scripts, any error, other acks, slow answers that expire.
    Errors,
    /// Connections break.
    Disconnects,
    /// Several brokers, leaders that change.
    Brokers,
}

impl Space {
    pub(crate) const ALL: [Self; 4] = [Self::Plain, Self::Errors, Self::Disconnects, Self::Brokers];

    fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Errors => "errors",
            Self::Disconnects => "disconnects",
            Self::Brokers => "brokers",
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

const ANY: [&str; 14] = [
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

/// The script of a seed.
pub(crate) fn script(space: Space, seed: u64) -> Script {
    let mut chance = Chance::new(Seed::new(seed));
    let stream = chance.stream(space.name());
    let mut dice = Dice { chance, stream };
    let errors = space >= Space::Errors;
    let idempotence = errors && !dice.one_in(3);
    let brokers = if space == Space::Brokers { 2 + dice.below(2) as u8 } else { 1 };
    let partitions = 1 + dice.below(3);
    let leaders: Vec<u8> =
        (0..partitions).map(|_| 1 + dice.below(u64::from(brokers)) as u8).collect();
    let config = config(&mut dice, errors, idempotence);
    let id_errors = if idempotence && dice.one_in(6) {
        vec!["COORDINATOR_LOAD_IN_PROGRESS".to_owned(); 1 + dice.below(2) as usize]
    } else {
        Vec::new()
    };
    let mut steps = Vec::new();
    // What comes while the sender sleeps between two requests is a race.
    let mut at = id_errors.len() as u64 * config.retry_backoff_ms as u64;
    for _ in 0..6 + dice.below(24) {
        at += pause(&mut dice);
        let what = what(&mut dice, space, partitions, u64::from(brokers));
        steps.push(Step { at, what });
    }
    // Then everything is answered for a while, with success.
    if dice.below(4) > 0 {
        for _ in 0..16 {
            at += 1 + dice.below(60);
            let nth = dice.below(4) as usize;
            steps.push(Step { at, what: What::Answer { nth, errors: Vec::new(), hint: false } });
        }
    }
    let end = at + 3_000;
    let id = format!("{}-{seed}", space.name());
    Script { id, config, brokers, leaders, id_errors, steps, end }
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
    }
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

fn what(dice: &mut Dice, space: Space, partitions: u64, brokers: u64) -> What {
    match dice.below(20) {
        0 => What::Flush,
        1 if space >= Space::Disconnects => {
            What::Disconnect { node: 1 + dice.below(brokers) as u8 }
        }
        2 | 3 if space >= Space::Brokers => What::Lead {
            partition: dice.below(partitions) as u16,
            leader: if dice.one_in(5) { 0 } else { 1 + dice.below(brokers) as u8 },
        },
        4..=11 => What::Answer {
            nth: dice.below(4) as usize,
            errors: answer(dice, space),
            hint: space >= Space::Brokers && dice.one_in(2),
        },
        _ => What::Send {
            partition: dice.below(partitions) as u16,
            size: dice.of(&[0, 1, 10, 30, 60, 100, 300]) + dice.below(5) as u32,
        },
    }
}

fn answer(dice: &mut Dice, space: Space) -> Vec<String> {
    if dice.one_in(2) {
        return Vec::new();
    }
    let options: &[&str] = if space == Space::Plain { &RETRIABLE } else { &ANY };
    (0..1 + dice.below(2)).map(|_| dice.of(options).to_owned()).collect()
}
