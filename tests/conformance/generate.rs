//! Random scripts: what producers, leaders and crashes do to a log, and what they should not.

use crate::ours::Ours;
use crate::script::{Batch, Script, Step};
use inflight_des::{Chance, Seed, StreamId};

/// How many producer ids there are.
const PIDS: u64 = 3;
/// How many of the last batches of a log may be sent once more.
const REMEMBERED: usize = 12;
/// The greatest sequence.
const SEQUENCE_MAX: i64 = i32::MAX as i64;
/// Spans in seconds around the check for expired producers and the expiration.
const SPANS: [u64; 8] = [1, 300, 600, 1_800, 43_200, 86_100, 86_400, 90_000];

/// Draws from one stream of chance.
pub(crate) struct Dice {
    chance: Chance,
    stream: StreamId,
}

impl Dice {
    /// The draws of this seed under this label.
    pub(crate) fn new(seed: u64, label: &str) -> Self {
        let mut chance = Chance::new(Seed::new(seed));
        let stream = chance.stream(label);
        Self { chance, stream }
    }

    /// A number below this one.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.chance.pick(self.stream, end)
    }

    /// One of these.
    pub(crate) fn one_of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len() as u64) as usize]
    }
}

/// A script that is being written.
struct Writer {
    dice: Dice,
    /// The log as we have it tells what would come next.
    ours: Ours,
    sent: Vec<Batch>,
    leader: u32,
}

/// The script of a seed with at most so many steps.
pub(crate) fn script(seed: u64, steps_max: u64) -> Script {
    let mut dice = Dice::new(seed, "conformance log");
    let segment = dice.one_of(&[250, 400, 700, 1_500, 1_000_000]);
    let length = 4 + dice.below(steps_max - 3);
    let mut writer = Writer { dice, ours: Ours::new(segment), sent: Vec::new(), leader: 1 };
    let steps = (0..length).map(|_| writer.write()).collect();
    Script { segment, steps }
}

impl Writer {
    fn write(&mut self) -> Step {
        let step = match self.dice.below(32) {
            0..20 => Step::Append(self.batch()),
            20..22 => Step::Follow(self.batch()),
            22..24 => {
                self.leader += 1 + self.dice.below(2) as u32;
                Step::Lead(self.leader)
            }
            24..27 => Step::Truncate(self.boundary()),
            27 => Step::Flush,
            28 => Step::Wait(self.dice.one_of(&SPANS)),
            29 => Step::Close,
            30 => Step::Kill,
            _ => Step::Power,
        };
        self.ours.play(step);
        step
    }

    /// Near the end most of the time.
    fn boundary(&mut self) -> u64 {
        let list = self.ours.boundaries();
        let near = list.len().min(if self.dice.below(4) == 0 { list.len() } else { 5 });
        list[list.len() - 1 - self.dice.below(near as u64) as usize]
    }

    fn batch(&mut self) -> Batch {
        let mut batch = self.producers_batch();
        // It never falls: a replica does not listen to older leaders.
        batch.leader = self.leader;
        self.sent.push(batch);
        if self.sent.len() > REMEMBERED {
            self.sent.remove(0);
        }
        batch
    }

    fn producers_batch(&mut self) -> Batch {
        let count = 1 + self.dice.below(6) as u32;
        let pid = self.dice.below(PIDS);
        let known = self.ours.producers().find(|producer| producer.id.get() == pid);
        let (epoch, next) = known.map_or((None, None), |known| {
            let next = known.batches.last().map(|(_, first, count)| first.plus(*count).get());
            (Some(known.epoch.get()), next)
        });
        let (mut batch, choice) = (
            Batch { pid: pid as i64, epoch: epoch.unwrap_or(0), sequence: 0, count, leader: 0 },
            self.dice.below(24),
        );
        let sequence = match choice {
            0 => return Batch { pid: -1, epoch: -1, sequence: -1, count, leader: 0 },
            1..7 if !self.sent.is_empty() => {
                let repeat = self.dice.one_of(&self.sent);
                let is_other = self.dice.below(5) == 0 && repeat.count > 1;
                return Batch { count: repeat.count - u32::from(is_other), ..repeat };
            }
            7..9 => {
                batch.epoch += 1;
                0
            }
            9 => {
                batch.epoch = (batch.epoch + self.dice.one_of(&[1, -1])).max(0);
                i64::from(next.unwrap_or(0)) + self.dice.one_of(&[0, 1])
            }
            10..12 => i64::from(next.unwrap_or(3)) + self.dice.one_of(&[-2, -1, 1, 2, 9]),
            12 => SEQUENCE_MAX - self.dice.below(8) as i64,
            13 => self.dice.below(4) as i64,
            _ => match next {
                Some(next) => i64::from(next),
                None if self.dice.below(2) == 0 => SEQUENCE_MAX - self.dice.below(20) as i64,
                None => 0,
            },
        };
        batch.sequence = sequence.rem_euclid(SEQUENCE_MAX + 1) as i32;
        batch
    }
}
