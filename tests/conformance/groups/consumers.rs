//! Random scripts: what members of the consumer protocol, producers, time and failures do to a group
//! coordinator.

use super::ours::Ours;
use super::script::{Beat, Member, Offsets, Script, Step};
use crate::generate::Dice;
use serde_json::Value;

/// How many names there are: more than a group may have members.
const NAMES: u32 = 7;
/// How many partitions there are, and how many of them are of the first topic.
const PARTITIONS: u16 = 7;
const FIRST_TOPIC: u16 = 3;
/// max.poll.interval.ms
const REBALANCES: [i32; 4] = [2_017, 7_013, 60_031, 300_007];
/// Spans around group.consumer.assignment.interval.ms, the timeouts of writes, rebalances and
/// sessions.
const SPANS: [u64; 11] = [1, 7, 300, 500, 990, 1_003, 2_009, 5_001, 9_000, 31_000, 46_000];

/// A member as it sees itself.
#[derive(Clone, Debug, Default)]
struct Consumer {
    /// As it was told, if it is in the group.
    epoch: Option<i32>,
    topics: Vec<u16>,
    /// What it owns, and what it was told to.
    owned: Vec<u16>,
    told: Vec<u16>,
    /// Whether the coordinator has heard what it owns.
    has_said: bool,
}

/// A script that is being written.
struct Writer {
    dice: Dice,
    ours: Ours,
    load: u64,
    loaded: u64,
    is_smooth: bool,
    /// Whether members keep to one list of topics.
    topics: Option<Vec<u16>>,
    consumers: Vec<Consumer>,
    steps: Vec<Step>,
}

/// The script of a seed with at most so many steps.
pub(crate) fn script(seed: u64, steps_max: u64) -> Script {
    let mut dice = Dice::new(seed, "conformance consumers");
    let load = dice.one_of(&[0, 0, 0, 5]);
    let length = 4 + dice.below(steps_max - 3);
    let is_smooth = dice.below(3) > 0;
    let topics = [Some(vec![0]), Some(vec![0, 1]), None];
    let topics = topics[dice.below(3) as usize].clone();
    let ours = Ours::new(load, NAMES);
    let consumers = vec![Consumer::default(); NAMES as usize];
    let (loaded, steps) = (0, Vec::new());
    let mut writer = Writer { dice, ours, load, loaded, is_smooth, topics, consumers, steps };
    while (writer.steps.len() as u64) < length {
        writer.write();
    }
    Script { load, own: NAMES, steps: writer.steps }
}

impl Writer {
    fn put(&mut self, step: Step) {
        self.ours.play(&step);
        if step == Step::Elect {
            self.loaded = self.ours.stand.now_ms() + self.load;
        }
        self.steps.push(step);
        for (number, answer) in self.ours.answers() {
            let Some(Step::Beat(beat)) = self.steps.get(number as usize) else { continue };
            let consumer = usize::try_from(beat.member).ok();
            let consumer = consumer.and_then(|place| self.consumers.get_mut(place));
            if let Some(consumer) = consumer {
                consumer.hear(beat, &answer);
            }
        }
    }

    fn write(&mut self) {
        let step = match self.dice.below(60) {
            _ if !self.ours.stand.leads() && self.is_read() && self.dice.below(2) == 0 => {
                Step::Elect
            }
            0..36 => self.usual(),
            36..46 => self.request(),
            46..51 => Step::Replicate(self.dice.below(3)),
            51..58 => Step::Wait(self.dice.one_of(&SPANS)),
            58 if self.ours.stand.leads() => Step::Resign,
            _ if self.is_read() => Step::Elect,
            _ => Step::Wait(self.load),
        };
        let asks = !matches!(step, Step::Replicate(_) | Step::Wait(_) | Step::Resign | Step::Elect);
        self.put(step);
        if asks && self.is_smooth && self.dice.below(5) > 0 {
            self.put(Step::Replicate(0));
        }
    }

    /// Whether nobody reads the partition.
    fn is_read(&self) -> bool {
        self.loaded <= self.ours.stand.now_ms()
    }

    /// What consumers do if nothing goes wrong.
    fn usual(&mut self) -> Step {
        let place = self.dice.below(4) as usize;
        let member = place as i32;
        let Some(epoch) = self.consumers[place].epoch else { return self.join(member) };
        let consumer = &mut self.consumers[place];
        let mut beat = Beat {
            member,
            epoch,
            rebalance_ms: -1,
            topics: None,
            assignor: None,
            owned: (!consumer.has_said).then(|| consumer.owned.clone()),
        };
        consumer.has_said = true;
        match self.dice.below(16) {
            // It gives up, and then takes what it was told.
            0..7 if consumer.owned != consumer.told => {
                let told = consumer.told.clone();
                let kept = consumer.owned.iter().filter(|id| told.contains(id));
                let kept: Vec<u16> = kept.copied().collect();
                consumer.owned = if kept == consumer.owned { told } else { kept };
                beat.owned = Some(consumer.owned.clone());
            }
            7 => {
                beat.rebalance_ms = self.dice.one_of(&REBALANCES);
                beat.topics = Some(consumer.topics.clone());
                beat.owned = Some(consumer.owned.clone());
            }
            8 => {
                beat.topics = Some(self.subscription());
                self.consumers[place].topics = beat.topics.clone().unwrap_or_default();
            }
            9 => return leave(member),
            10 => return Step::Commit((member, epoch), self.offsets()),
            11 => return Step::Txn(7, (member, epoch), self.offsets()),
            12 => return Step::Fetch(self.partitions(), (member, epoch)),
            _ => {}
        }
        Step::Beat(beat)
    }

    fn join(&mut self, member: i32) -> Step {
        let topics = self.subscription();
        if let Some(consumer) = self.consumers.get_mut(member as usize) {
            *consumer = Consumer { topics: topics.clone(), has_said: true, ..Consumer::default() };
        }
        Step::Beat(Beat {
            member,
            epoch: 0,
            rebalance_ms: self.dice.one_of(&REBALANCES),
            topics: Some(topics),
            assignor: self.assignor(),
            owned: Some(Vec::new()),
        })
    }

    fn assignor(&mut self) -> Option<String> {
        let assignor = [None, None, None, None, Some("range"), Some("uniform")];
        assignor[self.dice.below(6) as usize].map(str::to_owned)
    }

    fn subscription(&mut self) -> Vec<u16> {
        if let Some(topics) = self.topics.as_ref().filter(|_| self.dice.below(20) > 0) {
            return topics.clone();
        }
        let lists: [&[u16]; 6] = [&[0], &[1], &[0, 1], &[0, 1], &[0, 1], &[]];
        lists[self.dice.below(6) as usize].to_vec()
    }

    /// A name, and an epoch that is mostly right.
    fn identity(&mut self) -> Member {
        let member = match self.dice.below(20) {
            0 => 77,
            1 => NAMES as i32 - 1,
            _ => self.dice.below(4) as i32,
        };
        let known = self.consumers.get(member as usize).and_then(|consumer| consumer.epoch);
        let group = self.ours.group().map_or(0, |group| group.generation as i32);
        let known = known.unwrap_or(group);
        let epoch = match self.dice.below(8) {
            0 => known + 1,
            1..3 => (known - 1).max(0),
            3 => self.dice.below(known.max(0) as u64 + 1) as i32,
            _ => known,
        };
        (member, epoch)
    }

    /// Whatever else may be asked.
    fn request(&mut self) -> Step {
        let (member, epoch) = self.identity();
        match self.dice.below(20) {
            0..3 => self.join(member.min(NAMES as i32 - 1)),
            3 => {
                let extra = self.dice.below(NAMES.into()) as i32;
                self.join(extra)
            }
            4..10 => self.odd(member, epoch),
            10 => leave(member),
            11..14 => Step::Commit(self.committer(), self.offsets()),
            14 => Step::Fetch(self.partitions(), self.committer()),
            15..17 => Step::Txn(self.dice.below(2) + 7, self.committer(), self.offsets()),
            _ => Step::End(self.dice.below(2) + 7, self.dice.below(2) == 0),
        }
    }

    /// A heartbeat with anything in it.
    fn odd(&mut self, member: i32, epoch: i32) -> Step {
        // A stranger does not join: what has no name has no place among the names.
        let epoch = if member < NAMES as i32 { epoch } else { epoch.max(1) };
        let rebalance_ms = self.dice.one_of(&REBALANCES);
        let topics = (self.dice.below(3) == 0).then(|| self.subscription());
        let owned = match self.dice.below(4) {
            0 => Some(self.partitions()),
            1 => self.consumers.get(member as usize).map(|consumer| consumer.told.clone()),
            2 => Some(Vec::new()),
            _ => None,
        };
        Step::Beat(Beat {
            member,
            epoch,
            rebalance_ms: if self.dice.below(3) == 0 { rebalance_ms } else { -1 },
            topics,
            assignor: if self.dice.below(4) == 0 { self.assignor() } else { None },
            owned,
        })
    }

    /// A member, or somebody who names only the group.
    fn committer(&mut self) -> Member {
        if self.dice.below(4) == 0 { (-1, -1) } else { self.identity() }
    }

    fn partitions(&mut self) -> Vec<u16> {
        let mut list: Vec<u16> = (0..PARTITIONS).filter(|_| self.dice.below(3) == 0).collect();
        if list.is_empty() {
            list.push(self.dice.below(FIRST_TOPIC.into()) as u16);
        }
        list
    }

    fn offsets(&mut self) -> Offsets {
        let partitions = self.partitions();
        partitions.into_iter().map(|id| (id, self.dice.below(100))).collect()
    }
}

const fn leave(member: i32) -> Step {
    let (topics, assignor, owned) = (None, None, None);
    Step::Beat(Beat { member, epoch: -1, rebalance_ms: -1, topics, assignor, owned })
}

impl Consumer {
    /// Hears what a heartbeat of its own is answered.
    fn hear(&mut self, beat: &Beat, answer: &Value) {
        match answer[2].as_str() {
            Some("NONE") if beat.epoch < 0 => *self = Self::default(),
            Some("NONE") => {
                self.epoch = answer[3].as_i64().map(|epoch| epoch as i32);
                if let Some(told) = answer[5].as_array() {
                    self.told = told.iter().filter_map(Value::as_u64).map(|id| id as u16).collect();
                }
            }
            Some("FENCED_MEMBER_EPOCH" | "UNKNOWN_MEMBER_ID" | "GROUP_ID_NOT_FOUND") => {
                *self = Self::default();
            }
            _ => self.has_said = false,
        }
    }
}
