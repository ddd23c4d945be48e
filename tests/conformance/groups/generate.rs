//! Random scripts: what consumers, producers, time and failures do to a group coordinator.

use super::ours::Ours;
use super::script::{Join, Member, Offsets, Script, Step};
use crate::generate::Dice;

/// session.timeout.ms, most of them legal.
const SESSIONS: [u32; 4] = [10_007, 30_011, 30_011, 45_013];
/// max.poll.interval.ms
const REBALANCES: [u32; 3] = [20_017, 60_031, 300_007];
/// Spans around these timeouts and group.initial.rebalance.delay.ms.
const SPANS: [u64; 9] = [1, 7, 500, 3_000, 3_000, 3_000, 5_001, 9_000, 31_000];

/// A script that is being written.
struct Writer {
    dice: Dice,
    ours: Ours,
    load: u64,
    loaded: u64,
    is_smooth: bool,
    /// Who leads the group, as members were told.
    leader: Option<i32>,
    steps: Vec<Step>,
}

/// The script of a seed with at most so many steps.
pub(crate) fn script(seed: u64, steps_max: u64) -> Script {
    let mut dice = Dice::new(seed, "conformance groups");
    let load = dice.one_of(&[0, 0, 0, 5]);
    let length = 4 + dice.below(steps_max - 3);
    let is_smooth = dice.below(3) > 0;
    let ours = Ours::new(load, 0);
    let mut writer =
        Writer { dice, ours, load, loaded: 0, is_smooth, leader: None, steps: Vec::new() };
    while (writer.steps.len() as u64) < length {
        writer.write();
    }
    Script { load, own: 0, steps: writer.steps }
}

impl Writer {
    fn put(&mut self, step: Step) {
        self.ours.play(&step);
        if let Some(leader) = self.ours.told_leader() {
            self.leader = Some(leader);
        }
        if step == Step::Elect {
            self.loaded = self.ours.stand.now_ms() + self.load;
        }
        self.steps.push(step);
    }

    fn write(&mut self) {
        let step = match self.dice.below(60) {
            _ if !self.ours.stand.leads() && self.is_read() && self.dice.below(2) == 0 => {
                Step::Elect
            }
            0..32 => self.usual(),
            32..46 => self.request(),
            46..52 => Step::Replicate(self.dice.below(3)),
            52..58 => Step::Wait(self.dice.one_of(&SPANS)),
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
        let group = self.ours.group();
        let is_stable = group.as_ref().is_some_and(|group| group.is_stable);
        let generation = group.as_ref().map_or(0, |group| group.generation as i32);
        let members = group.map(|group| group.members).unwrap_or_default();
        let members: Vec<i32> = members.iter().map(|member| self.ours.number(*member)).collect();
        let fresh = Some(self.ours.names.len() as i32 - 1).filter(|name| *name >= 0);
        let fresh = fresh.filter(|name| !members.contains(name));
        if let Some(name) = fresh.filter(|_| self.dice.below(3) > 0) {
            return self.join_as(name);
        }
        if members.is_empty() || (members.len() < 3 && self.dice.below(8) == 0) {
            return self.join_as(-1);
        }
        let who = self.dice.one_of(&members);
        if is_stable {
            return match self.dice.below(4) {
                0 => Step::Commit((who, generation), self.offsets()),
                1 => Step::Txn(7, (who, generation), self.offsets()),
                2 => Step::Fetch(self.partitions(), (-1, -1)),
                _ => Step::Heartbeat((who, generation)),
            };
        }
        match self.dice.below(6) {
            0 => self.join_as(who),
            1 => Step::Wait(3_000),
            2 => Step::Heartbeat((who, generation)),
            3 => Step::Sync((who, generation), Vec::new()),
            _ => {
                let leader = self.leader.filter(|leader| members.contains(leader)).unwrap_or(who);
                let given = members.iter().map(|member| (*member, self.partitions())).collect();
                Step::Sync((leader, generation), given)
            }
        }
    }

    fn generation(&mut self) -> i32 {
        let known = self.ours.group().map_or(0, |group| group.generation as i32);
        match self.dice.below(12) {
            0 => known + 1,
            1 => (known - 1).max(0),
            _ => known,
        }
    }

    /// A name: mostly that of a member, sometimes another one that was given, or none.
    fn member(&mut self) -> i32 {
        let members = self.ours.group().map(|group| group.members).unwrap_or_default();
        let given = self.ours.names.len() as u64;
        match self.dice.below(16) {
            0 => 77,
            1..3 if given > 0 => self.dice.below(given) as i32,
            _ if !members.is_empty() => {
                let member = self.dice.one_of(&members);
                self.ours.number(member)
            }
            _ if given > 0 => given as i32 - 1,
            _ => -1,
        }
    }

    fn identity(&mut self) -> Member {
        match self.member() {
            -1 => (-1, -1),
            member => (member, self.generation()),
        }
    }

    fn request(&mut self) -> Step {
        let group = self.ours.group();
        let is_stable = group.as_ref().is_some_and(|group| group.is_stable);
        match self.dice.below(20) {
            0..7 => self.join(),
            7..11 if !is_stable || self.dice.below(3) == 0 => self.sync(),
            7..12 => Step::Heartbeat(self.identity()),
            12 => Step::Leave(self.member().max(0)),
            13..16 => Step::Commit(self.committer(), self.offsets()),
            16 => Step::Fetch(self.partitions(), (-1, -1)),
            17 | 18 => Step::Txn(self.dice.below(2) + 7, self.committer(), self.offsets()),
            _ => Step::End(self.dice.below(2) + 7, self.dice.below(2) == 0),
        }
    }

    /// A member, or somebody who names only the group.
    fn committer(&mut self) -> Member {
        if self.dice.below(4) == 0 { (-1, -1) } else { self.identity() }
    }

    fn join(&mut self) -> Step {
        let given = self.ours.names.len() as u64;
        let member = match self.dice.below(8) {
            0..3 => -1,
            3..6 if given > 0 => given as i32 - 1,
            _ => self.member(),
        };
        self.join_as(member)
    }

    fn join_as(&mut self, member: i32) -> Step {
        let is_odd = self.dice.below(30) == 0;
        let session_ms = if is_odd { 5_999 } else { self.dice.one_of(&SESSIONS) };
        let is_cooperative = self.dice.below(20) == 0;
        Step::Join(Join {
            member,
            session_ms,
            rebalance_ms: self.dice.one_of(&REBALANCES),
            protocol: is_cooperative.into(),
            owned: if self.dice.below(4) == 0 { self.partitions() } else { Vec::new() },
            generation: self.dice.one_of(&[-1, -1, 1]),
        })
    }

    /// Most of the time the leader's, who is mostly the first member.
    fn sync(&mut self) -> Step {
        let members = self.ours.group().map(|group| group.members).unwrap_or_default();
        let numbers: Vec<i32> = members.iter().map(|member| self.ours.number(*member)).collect();
        let mut given = Vec::new();
        let (mut who, generation) = self.identity();
        if let Some(first) = numbers.first().filter(|_| self.dice.below(2) == 0) {
            who = *first;
        }
        for number in numbers {
            if self.dice.below(6) > 0 {
                given.push((number, self.partitions()));
            }
        }
        Step::Sync((who, generation), given)
    }

    fn partitions(&mut self) -> Vec<u16> {
        let mut list: Vec<u16> = (0..3).filter(|_| self.dice.below(2) == 0).collect();
        if list.is_empty() {
            list.push(self.dice.below(3) as u16);
        }
        list
    }

    fn offsets(&mut self) -> Offsets {
        let partitions = self.partitions();
        partitions.into_iter().map(|id| (id, self.dice.below(100))).collect()
    }
}
