//! Rules that wait for facts.

use crate::fault::{FaultRule, Pattern, Repeat, Test, When};
use inflight_des::{Chance, Kinds, StreamId};
use inflight_protocol::fact::Value;
use inflight_protocol::{BrokerId, Fact, Node, TopicPartition};

/// How far the rules of a setup have counted.
#[derive(Debug)]
pub(crate) struct Triggers {
    counts: Vec<Count>,
    /// Kinds that some armed rule waits for.
    wanted: Kinds,
    streams: Vec<Option<StreamId>>,
}

inflight_des::clone_fields!(Triggers { counts, wanted, streams });

/// A rule that a fact sets off, and the number of that fact among those that match.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Due {
    pub(crate) rule: u32,
    pub(crate) matched: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    matched: u32,
    applied: u32,
    armed: bool,
}

/// Who leads what, to test fields against.
pub(crate) trait Leadership {
    /// The leader of a partition.
    fn leader_of(&self, partition: TopicPartition) -> Option<BrokerId>;
    /// Whether a broker has a replica of a partition.
    fn has_replica(&self, partition: TopicPartition, broker: BrokerId) -> bool;
}

impl Triggers {
    pub(crate) fn new(rules: &[FaultRule], chance: &mut Chance) -> Self {
        let mut triggers = Self {
            counts: rules
                .iter()
                .map(|rule| Count {
                    armed: !matches!(rule.when, When::Armed { .. }),
                    ..Count::default()
                })
                .collect(),
            wanted: Kinds::NONE,
            streams: (rules.iter().enumerate())
                .map(|(index, rule)| match rule.when {
                    When::Odds { .. } => Some(chance.stream(&format!("fault {index} odds"))),
                    _ => None,
                })
                .collect(),
        };
        triggers.refresh(rules);
        triggers
    }

    /// Kinds that some armed rule waits for.
    #[inline]
    pub(crate) fn wanted(&self) -> Kinds {
        self.wanted
    }

    /// Makes a rule count from here on, anew.
    pub(crate) fn arm(&mut self, rules: &[FaultRule], rule: u32) {
        self.counts[rule as usize] = Count { armed: true, ..Count::default() };
        self.refresh(rules);
    }

    /// Shows a fact to every armed rule; those that apply are appended to `due`.
    pub(crate) fn observe(
        &mut self,
        rules: &[FaultRule],
        fact: &Fact,
        leadership: &impl Leadership,
        chance: &mut Chance,
        due: &mut Vec<Due>,
    ) {
        let mut changed = false;
        for (index, rule) in rules.iter().enumerate() {
            let Some(pattern) = pattern(&rule.when).filter(|p| p.kind == fact.kind()) else {
                continue;
            };
            if !self.counts[index].armed || !matches(pattern, fact, leadership) {
                continue;
            }
            let count = &mut self.counts[index];
            count.matched += 1;
            let applies = match &rule.when {
                When::Happened { nth, repeat: Repeat::Once, .. } | When::Armed { nth, .. } => {
                    count.matched == *nth
                }
                When::Happened { nth, repeat: Repeat::Always, .. } => count.matched >= *nth,
                When::Odds { odds, .. } => {
                    let stream = self.streams[index].expect("a rule with odds has a stream");
                    chance.happens(stream, *odds)
                }
                When::At(_) | When::Every { .. } => false,
            };
            if !applies {
                continue;
            }
            count.applied += 1;
            let over = match &rule.when {
                When::Happened { repeat: Repeat::Once, .. } | When::Armed { .. } => true,
                When::Odds { limit, .. } => count.applied >= *limit,
                When::Happened { .. } | When::At(_) | When::Every { .. } => false,
            };
            if over {
                count.armed = false;
                changed = true;
            }
            due.push(Due { rule: index as u32, matched: count.matched });
        }
        if changed {
            self.refresh(rules);
        }
    }

    fn refresh(&mut self, rules: &[FaultRule]) {
        self.wanted = (rules.iter().zip(&self.counts))
            .filter(|(_, count)| count.armed)
            .filter_map(|(rule, _)| pattern(&rule.when))
            .fold(Kinds::NONE, |kinds, pattern| kinds.and(pattern.kind.set()));
    }
}

fn pattern(when: &When) -> Option<&Pattern> {
    match when {
        When::Happened { pattern, .. }
        | When::Odds { pattern, .. }
        | When::Armed { pattern, .. } => Some(pattern),
        When::At(_) | When::Every { .. } => None,
    }
}

fn matches(pattern: &Pattern, fact: &Fact, leadership: &impl Leadership) -> bool {
    pattern.tests.iter().all(|(field, test)| {
        fact.field(usize::from(*field)).is_some_and(|value| passes(*test, value, leadership))
    })
}

fn passes(test: Test, value: Value, leadership: &impl Leadership) -> bool {
    match test {
        Test::Is(expected) => value == expected,
        Test::AtLeast(bound) => matches!(value, Value::Number(number) if number >= bound),
        Test::AtMost(bound) => matches!(value, Value::Number(number) if number <= bound),
        Test::IsLeaderOf(partition) => {
            broker(value).is_some_and(|broker| leadership.leader_of(partition) == Some(broker))
        }
        Test::IsFollowerOf(partition) => broker(value).is_some_and(|broker| {
            leadership.has_replica(partition, broker)
                && leadership.leader_of(partition) != Some(broker)
        }),
    }
}

/// The broker that a field names, as a number or as a node.
fn broker(value: Value) -> Option<BrokerId> {
    match value {
        Value::Node(Node::Broker(broker)) => Some(broker),
        Value::Number(number) => {
            u8::try_from(number).ok().filter(|number| *number > 0).map(BrokerId::new)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Action;
    use inflight_des::{Ratio, Seed, Span};
    use inflight_protocol::{FactKind, Offset};

    struct Led(Option<u8>);

    impl Leadership for Led {
        fn leader_of(&self, _: TopicPartition) -> Option<BrokerId> {
            self.0.map(BrokerId::new)
        }

        fn has_replica(&self, _: TopicPartition, broker: BrokerId) -> bool {
            broker.get() <= 3
        }
    }

    const P0: TopicPartition = TopicPartition::new(0);

    fn flushed(broker: u8, to: u64) -> Fact {
        Fact::LogFlushed { broker: BrokerId::new(broker), partition: P0, to: Offset::new(to) }
    }

    fn rule(when: When) -> FaultRule {
        FaultRule { when, after: Span::ZERO, then: vec![Action::Arm { rule: 0 }] }
    }

    fn on_flush(tests: &[(u8, Test)]) -> Pattern {
        Pattern { kind: FactKind::LogFlushed, tests: tests.iter().copied().collect() }
    }

    fn run(rules: &[FaultRule], facts: &[Fact]) -> Vec<Vec<u32>> {
        let mut chance = Chance::new(Seed::new(1));
        let mut triggers = Triggers::new(rules, &mut chance);
        facts
            .iter()
            .map(|fact| {
                let mut due = Vec::new();
                triggers.observe(rules, fact, &Led(Some(2)), &mut chance, &mut due);
                due.iter().map(|due| due.rule).collect()
            })
            .collect()
    }

    #[test]
    fn a_rule_counts_matching_facts() {
        let pattern = on_flush(&[(0, Test::Is(Value::Number(2)))]);
        let when = When::Happened { pattern, nth: 2, repeat: Repeat::Once };
        let facts = [flushed(1, 1), flushed(2, 1), flushed(1, 2), flushed(2, 2), flushed(2, 3)];
        let due = run(&[rule(when)], &facts);
        assert_eq!(due, [vec![], vec![], vec![], vec![0], vec![]]);
    }

    #[test]
    fn a_rule_may_go_on_applying() {
        let pattern = on_flush(&[(2, Test::AtLeast(2)), (2, Test::AtMost(3))]);
        let when = When::Happened { pattern, nth: 1, repeat: Repeat::Always };
        let facts = [flushed(1, 1), flushed(1, 2), flushed(1, 3), flushed(1, 4)];
        assert_eq!(run(&[rule(when)], &facts), [vec![], vec![0], vec![0], vec![]]);
    }

    #[test]
    fn leaders_and_followers_are_told_apart() {
        let leader = When::Happened {
            pattern: on_flush(&[(0, Test::IsLeaderOf(P0))]),
            nth: 1,
            repeat: Repeat::Always,
        };
        let follower = When::Happened {
            pattern: on_flush(&[(0, Test::IsFollowerOf(P0))]),
            nth: 1,
            repeat: Repeat::Always,
        };
        let facts = [flushed(1, 1), flushed(2, 1), flushed(4, 1)];
        let due = run(&[rule(leader), rule(follower)], &facts);
        assert_eq!(due, [vec![1], vec![0], vec![]]);
    }

    #[test]
    fn odds_apply_so_often_at_most() {
        let odds = Ratio::new(1, 1).unwrap();
        let when = When::Odds { pattern: on_flush(&[]), odds, limit: 2 };
        let facts = [flushed(1, 1), flushed(1, 2), flushed(1, 3)];
        assert_eq!(run(&[rule(when)], &facts), [vec![0], vec![0], vec![]]);
    }

    #[test]
    fn a_dormant_rule_wants_nothing_until_it_is_armed() {
        let rules = [rule(When::Armed { pattern: on_flush(&[]), nth: 1 })];
        let mut chance = Chance::new(Seed::new(1));
        let mut triggers = Triggers::new(&rules, &mut chance);
        let mut due = Vec::new();
        assert_eq!(triggers.wanted(), Kinds::NONE);
        triggers.observe(&rules, &flushed(1, 1), &Led(None), &mut chance, &mut due);
        assert!(due.is_empty());
        triggers.arm(&rules, 0);
        assert!(triggers.wanted().meets(FactKind::LogFlushed.set()));
        triggers.observe(&rules, &flushed(1, 2), &Led(None), &mut chance, &mut due);
        assert!(matches!(due[..], [Due { rule: 0, .. }]));
        assert_eq!(triggers.wanted(), Kinds::NONE);
    }
}
