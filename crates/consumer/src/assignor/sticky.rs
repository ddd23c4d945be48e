//! As even as possible, and as much as possible stays where it is; what moves is first given up by
//! its owner and assigned in the next rebalance. Kafka: CooperativeStickyAssignor,
//! AbstractStickyAssignor.ConstrainedAssignmentBuilder.
//!
//! If members have different topics, Kafka moves partitions until nothing more can be balanced
//! (GeneralAssignmentBuilder). Here what is owned stays, and the rest goes one by one to whoever
//! has the fewest partitions.

use super::{Assignment, Member, by_name};
use inflight_protocol::{TopicId, TopicPartition, Topics};
use smallvec::SmallVec;
use std::collections::{BTreeMap, VecDeque};

type Partitions = SmallVec<[TopicPartition; 4]>;

/// Assigns the partitions of the topics that are known.
pub(crate) fn assign(members: &[Member<'_>], known: &[TopicId], names: &Topics) -> Assignment {
    let mut order: Vec<usize> = (0..members.len()).collect();
    order.sort_by_key(|place| members[*place].id);
    let claims = Claims::of(members, &order, known, names);
    let all: Vec<TopicPartition> =
        by_name(known, names).iter().flat_map(|topic| names.partitions(*topic)).collect();
    let first = members.first().map_or(&[][..], |member| member.topics);
    let is_equal = members.iter().all(|member| {
        member.topics.len() == first.len() && member.topics.iter().all(|t| first.contains(t))
    });
    if is_equal {
        return Constrained::new(&claims, &order, all.len()).build(&claims, &all, names);
    }
    let mut assignment = general(members, &claims, &order, &all, names);
    hold_back(members, &mut assignment);
    assignment
}

/// Takes from its new owner what an old one has not given up yet.
/// Kafka: CooperativeStickyAssignor.computePartitionsTransferringOwnership and adjustAssignment.
fn hold_back(members: &[Member<'_>], assignment: &mut Assignment) {
    let before = assignment.clone();
    for (place, partitions) in assignment.iter_mut().enumerate() {
        partitions.retain(|partition| {
            let is_added = !members[place].owned.contains(partition);
            let is_revoked = members.iter().zip(&before).any(|(member, assigned)| {
                member.owned.contains(partition) && !assigned.contains(partition)
            });
            !(is_added && is_revoked)
        });
    }
}

/// Who owns what, as far as that can be believed. Kafka: allSubscriptionsEqual.
struct Claims {
    owned: Vec<Partitions>,
    /// Claimed by several members of one generation.
    contested: Vec<TopicPartition>,
}

impl Claims {
    fn of(members: &[Member<'_>], order: &[usize], known: &[TopicId], names: &Topics) -> Self {
        let mut owned: Vec<Partitions> = vec![Partitions::new(); members.len()];
        let mut owners: BTreeMap<TopicPartition, usize> = BTreeMap::new();
        let mut contested = Vec::new();
        for place in order.iter().copied() {
            let generation = members[place].generation;
            for partition in members[place].owned.iter().copied() {
                if !known.contains(&names.split(partition).0) {
                    continue;
                }
                let Some(other) = owners.get(&partition).copied() else {
                    owned[place].push(partition);
                    owners.insert(partition, place);
                    continue;
                };
                if generation < members[other].generation {
                    continue;
                }
                owned[other].retain(|known| *known != partition);
                owners.insert(partition, place);
                if generation == members[other].generation {
                    contested.push(partition);
                } else {
                    owned[place].push(partition);
                }
            }
        }
        for list in &mut owned {
            list.retain(|partition| !contested.contains(partition));
        }
        Self { owned, contested }
    }
}

/// The algorithm for members that all have the same topics.
struct Constrained<'a> {
    order: &'a [usize],
    min_quota: usize,
    max_quota: usize,
    /// How many members get more than the minimum.
    expected_over: usize,
    over: usize,
    under_min: Vec<usize>,
    exactly_min: VecDeque<usize>,
    assignment: Assignment,
    /// What its owner has too much of. Kafka: maybeRevokedPartitions.
    spare: BTreeMap<TopicPartition, usize>,
}

impl<'a> Constrained<'a> {
    fn new(claims: &Claims, order: &'a [usize], partitions: usize) -> Self {
        let members = order.len().max(1);
        let expected_over = partitions % members;
        Self {
            order,
            min_quota: partitions / members,
            max_quota: partitions.div_ceil(members),
            expected_over,
            over: 0,
            under_min: Vec::new(),
            exactly_min: VecDeque::new(),
            assignment: vec![Partitions::new(); claims.owned.len()],
            spare: BTreeMap::new(),
        }
    }

    fn build(mut self, claims: &Claims, all: &[TopicPartition], names: &Topics) -> Assignment {
        for place in self.order {
            self.keep_owned(*place, claims, names);
        }
        let kept: Vec<TopicPartition> = self.assignment.iter().flatten().copied().collect();
        let unassigned = all.iter().copied().filter(|partition| !kept.contains(partition));
        self.spread(unassigned);
        // What somebody else has to give up first is assigned in the next rebalance.
        for (place, partitions) in self.assignment.iter_mut().enumerate() {
            partitions.retain(|partition| {
                let has_another = self.spare.get(partition).is_some_and(|owner| *owner != place);
                !has_another && !claims.contested.contains(partition)
            });
        }
        self.assignment
    }

    /// Kafka: assignOwnedPartitions.
    fn keep_owned(&mut self, place: usize, claims: &Claims, names: &Topics) {
        let mut owned = claims.owned[place].clone();
        owned.sort_by_key(|partition| {
            let (topic, number) = names.split(*partition);
            (number, names.name(topic))
        });
        let may_have_more = self.over < self.expected_over;
        let keep = if owned.len() >= self.max_quota && may_have_more {
            self.max_quota
        } else {
            self.min_quota
        };
        self.spare.extend(owned.iter().skip(keep).map(|partition| (*partition, place)));
        if owned.len() < self.min_quota {
            self.under_min.push(place);
        } else if owned.len() >= self.max_quota && may_have_more {
            self.over += 1;
            if self.over == self.expected_over {
                self.exactly_min.clear();
            }
        } else {
            if may_have_more {
                self.exactly_min.push_back(place);
            }
        }
        owned.truncate(keep);
        self.assignment[place] = owned;
    }

    /// Kafka: assignRoundRobin.
    fn spread(&mut self, unassigned: impl Iterator<Item = TopicPartition>) {
        let mut next = 0;
        for partition in unassigned {
            let place = if self.under_min.is_empty() {
                match self.exactly_min.pop_front() {
                    Some(place) => place,
                    None => return,
                }
            } else {
                next %= self.under_min.len();
                self.under_min[next]
            };
            self.assignment[place].push(partition);
            if self.under_min.is_empty() {
                continue;
            }
            if self.assignment[place].len() == self.min_quota {
                self.under_min.remove(next);
                self.exactly_min.push_back(place);
                // Kafka's iterator goes on behind the one that was removed.
                if next >= self.under_min.len() {
                    next = 0;
                }
            } else {
                next += 1;
            }
        }
    }
}

fn general(
    members: &[Member<'_>],
    claims: &Claims,
    order: &[usize],
    all: &[TopicPartition],
    names: &Topics,
) -> Assignment {
    let is_reader = |place: usize, partition: TopicPartition| {
        members[place].topics.contains(&names.split(partition).0)
    };
    let mut assignment: Assignment = claims.owned.clone();
    for (place, partitions) in assignment.iter_mut().enumerate() {
        partitions.retain(|partition| is_reader(place, *partition));
    }
    for partition in all.iter().copied() {
        if assignment.iter().any(|partitions| partitions.contains(&partition)) {
            continue;
        }
        let readers = order.iter().copied().filter(|place| is_reader(*place, partition));
        if let Some(place) = readers.min_by_key(|place| assignment[*place].len()) {
            assignment[place].push(partition);
        }
    }
    assignment
}
