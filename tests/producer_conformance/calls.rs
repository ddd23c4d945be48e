//! Scripts with transactions: what they are made of, and what of their lines can be compared.

use crate::generate::{ANY, Dice};
use crate::script::{Config, Rare, Script, Step, Transactions, What};
use inflight_protocol::fact::SendError;

/// Errors of coordinators after which the same is asked again.
const PASSING: [&str; 6] = [
    "NOT_COORDINATOR",
    "COORDINATOR_NOT_AVAILABLE",
    "COORDINATOR_LOAD_IN_PROGRESS",
    "CONCURRENT_TRANSACTIONS",
    "REQUEST_TIMED_OUT",
    "UNKNOWN_TOPIC_OR_PARTITION",
];

/// Other errors of coordinators.
const LASTING: [&str; 18] = [
    "INVALID_PRODUCER_EPOCH",
    "PRODUCER_FENCED",
    "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
    "CLUSTER_AUTHORIZATION_FAILED",
    "INVALID_TXN_STATE",
    "INVALID_PRODUCER_ID_MAPPING",
    "TOPIC_AUTHORIZATION_FAILED",
    "GROUP_AUTHORIZATION_FAILED",
    "OPERATION_NOT_ATTEMPTED",
    "UNKNOWN_PRODUCER_ID",
    "TRANSACTION_ABORTABLE",
    "TRANSACTION_ABORTABLE",
    "ILLEGAL_GENERATION",
    "UNKNOWN_MEMBER_ID",
    "FENCED_INSTANCE_ID",
    "UNSUPPORTED_FOR_MESSAGE_FORMAT",
    "UNKNOWN_SERVER_ERROR",
    "INVALID_REQUEST",
];

/// Errors of leaders that matter to transactions.
const OF_LEADERS: [&str; 5] = [
    "INVALID_TXN_STATE",
    "TRANSACTION_ABORTABLE",
    "PRODUCER_FENCED",
    "INVALID_PRODUCER_ID_MAPPING",
    "INVALID_RECORD",
];

/// A script of an application that mostly does what it should.
pub(crate) fn script(dice: &mut Dice, id: String) -> Script {
    let brokers = 1 + dice.below(3) as u8;
    let broker = |dice: &mut Dice| 1 + dice.below(u64::from(brokers)) as u8;
    let leaders: Vec<u8> = (0..1 + dice.below(3)).map(|_| broker(dice)).collect();
    let transactions = Transactions {
        version: dice.of(&[0, 2]),
        coordinator: broker(dice),
        group_coordinator: broker(dice),
    };
    let mut config = config(dice);
    config.rare.max_block_ms = Some(dice.of(&[30, 300, 5_000, 60_000]));
    let partitions = leaders.len();
    let mishaps = dice.of(&[3, 12, 40]);
    let mut walk = Walk { steps: Vec::new(), at: 0, open: false, partitions, brokers, mishaps };
    if dice.one_in(8) {
        walk.any_call(dice);
    }
    walk.push(What::Init);
    walk.answers(dice, 4);
    for _ in 0..8 + dice.below(30) {
        walk.pause(dice);
        walk.step(dice);
    }
    walk.epilogue(dice);
    let end = walk.at + 2_000;
    let transactions = Some(transactions);
    let (steps, id_errors, choices) = (walk.steps, Vec::new(), Vec::new());
    Script { id, config, brokers, leaders, id_errors, choices, transactions, steps, end }
}

fn config(dice: &mut Dice) -> Config {
    let linger_ms = dice.of(&[0, 0, 1, 5, 20]);
    let request_timeout_ms = dice.of(&[100, 400, 2_000, 5_000]);
    let retry_backoff_ms = dice.of(&[1, 10, 50, 100]);
    let reconnect_backoff_ms = dice.of(&[1, 10, 50]);
    Config {
        acks: -1,
        idempotence: true,
        retries: dice.of(&[1, 2, 5, i32::MAX as u32]),
        max_in_flight: dice.of(&[1, 2, 5, 5]),
        linger_ms,
        batch_size: dice.of(&[100, 200, 16_384]),
        request_timeout_ms,
        delivery_timeout_ms: linger_ms + request_timeout_ms + dice.of(&[0, 100, 600, 5_000]),
        retry_backoff_ms,
        retry_backoff_max_ms: retry_backoff_ms * dice.of(&[1, 1, 4]),
        reconnect_backoff_ms,
        reconnect_backoff_max_ms: reconnect_backoff_ms * dice.of(&[1, 10]),
        rare: Rare::default(),
    }
}

/// A script on its way.
struct Walk {
    steps: Vec<Step>,
    at: u64,
    /// Whether the application thinks that a transaction is open.
    open: bool,
    partitions: usize,
    brokers: u8,
    /// One in so many steps goes wrong.
    mishaps: u64,
}

impl Walk {
    fn push(&mut self, what: What) {
        self.steps.push(Step { at: self.at, what });
    }

    fn pause(&mut self, dice: &mut Dice) {
        self.at += match dice.below(8) {
            0..=2 => 0,
            3 => 1,
            4 | 5 => dice.below(20),
            6 => dice.below(100),
            _ => dice.below(300),
        };
    }

    fn step(&mut self, dice: &mut Dice) {
        if dice.one_in(self.mishaps * 2) {
            return self.mishap(dice);
        }
        let what = dice.below(16);
        // Few applications send outside of a transaction.
        if (6..=10).contains(&what) && !self.open && !dice.one_in(12) {
            self.open = true;
            self.push(What::Begin);
        }
        match what {
            0..=5 => self.answer(dice),
            6..=9 => self.send(dice),
            10 => {
                let partition = self.partition(dice);
                self.push(What::Offsets { partition, offset: dice.below(100) });
                self.answers(dice, 4);
            }
            _ => {
                let what = match self.open {
                    false => What::Begin,
                    true if dice.below(5) < 3 => What::Commit,
                    true => What::Abort,
                };
                self.open = !self.open;
                self.push(what);
                self.answers(dice, 4);
            }
        }
    }

    fn send(&mut self, dice: &mut Dice) {
        let size = dice.of(&[1, 30, 60, 100]) + dice.below(5) as u32;
        let partition = Some(self.partition(dice));
        self.push(What::Send { partition, key: None, size });
    }

    fn partition(&self, dice: &mut Dice) -> u16 {
        dice.below(self.partitions as u64) as u16
    }

    fn mishap(&mut self, dice: &mut Dice) {
        let node = 1 + dice.below(u64::from(self.brokers)) as u8;
        match dice.below(3) {
            0 => self.any_call(dice),
            1 => self.push(What::Disconnect { node }),
            _ => {
                let partition = self.partition(dice);
                self.push(What::Lead { partition, leader: node });
            }
        }
    }

    /// A call that may be out of place.
    fn any_call(&mut self, dice: &mut Dice) {
        let what = match dice.below(4) {
            0 => What::Init,
            1 => What::Begin,
            2 => What::Commit,
            _ => What::Abort,
        };
        self.push(what);
    }

    fn answer(&mut self, dice: &mut Dice) {
        let (mut errors, mut error) = (Vec::new(), None);
        if dice.one_in(self.mishaps) {
            let of_leader = if dice.one_in(3) { dice.of(&OF_LEADERS) } else { dice.of(&ANY) };
            errors.push(of_leader.to_owned());
            if dice.one_in(2) {
                errors.push("NONE".to_owned());
            }
        }
        if dice.one_in(self.mishaps) {
            let list: &[&str] = if dice.below(3) < 2 { &PASSING } else { &LASTING };
            error = Some(dice.of(list).to_owned());
        }
        let nth = dice.below(3) as usize;
        self.push(What::Answer { nth, errors, hint: false, throttle: 0, error });
    }

    fn answers(&mut self, dice: &mut Dice, most: u64) {
        for _ in 0..dice.below(most + 1) {
            self.at += dice.of(&[0, 1, 10, 60, 120]);
            self.answer(dice);
        }
    }

    /// The application aborts what is open and makes one more transaction, or closes; everything
    /// is answered with success.
    fn epilogue(&mut self, dice: &mut Dice) {
        let close = dice.one_in(4);
        for number in 0..30 {
            self.at += 1 + dice.below(60);
            match number {
                4 if close => self.push(What::Close { timeout_ms: dice.of(&[0, 41, 409, 9_001]) }),
                4 => self.push(What::Abort),
                12 => self.push(What::Begin),
                14 => self.send(dice),
                18 => self.push(What::Commit),
                _ => self.push(What::answer(dice.below(3) as usize, Vec::new())),
            }
        }
    }
}

/// Threads that wake in one millisecond have no order between them, nor to what the sender does: in
/// each millisecond what calls return or throw comes behind the rest. Kafka writes requests to
/// sockets later than it opens connections: these come first. Of the states that a producer
/// goes through only the last counts, unless it was the state before.
pub(crate) fn comparable(lines: &[String]) -> Vec<String> {
    let at = |line: &String| line.split(' ').next().map(str::to_owned);
    let mut kept = Vec::new();
    let mut before = None;
    for millisecond in lines.chunk_by(|one, other| at(one) == at(other)) {
        let is_state = |line: &String| line.contains(" state ");
        let is_call = |line: &String| line.contains(" throws ") || line.ends_with(" ok");
        let is_connect = |line: &String| line.contains(" connect ");
        let others = millisecond.iter().filter(|line| !is_state(line) && !is_call(line));
        kept.extend(others.clone().filter(|line| is_connect(line)).cloned());
        kept.extend(others.filter(|line| !is_connect(line)).cloned());
        let start = kept.len();
        kept.extend(millisecond.iter().filter(|line| is_call(line)).cloned());
        kept[start..].sort_unstable();
        let state = millisecond.iter().rfind(|line| is_state(line));
        let name = state.and_then(|line| line.rsplit(' ').next());
        if name.is_some() && name != before {
            kept.extend(state.cloned());
            before = name;
        }
    }
    kept
}

/// The error code of an exception, or what it is without one.
pub(crate) fn name_of(error: SendError) -> &'static str {
    match error {
        SendError::Code(code) => code.name(),
        SendError::DeliveryTimeout | SendError::MetadataTimeout | SendError::BufferExhausted => {
            "REQUEST_TIMED_OUT"
        }
        SendError::CallTimeout => "TIMEOUT",
        SendError::IllegalState | SendError::ProducerClosed => "ILLEGAL_STATE",
        SendError::TransactionAborted => "ABORTED",
        SendError::CommitFailed => "COMMIT_FAILED",
        _ => "KAFKA",
    }
}
