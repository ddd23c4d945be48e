//! Assignments as Kafka makes them.

use super::*;
use inflight_protocol::ClientId;

struct Group {
    names: Topics,
    members: Vec<JoinedMember>,
}

impl Group {
    /// Members that subscribe to all topics.
    fn of(partitions: &[u16], members: u16) -> Self {
        let topics = partitions.iter().enumerate().map(|(n, count)| (format!("t{n}"), *count));
        let names = Topics::new(topics);
        let members = (0..members).map(|client| JoinedMember {
            member: MemberId { client: ClientId::new(client), number: 0 },
            topics: names.ids().collect(),
            owned: SmallVec::new(),
            generation: None,
        });
        Self { members: members.collect(), names }
    }

    fn owns(&mut self, place: usize, generation: u32, partitions: &[u16]) {
        self.members[place].owned = partitions.iter().map(|p| TopicPartition::new(*p)).collect();
        self.members[place].generation = Some(generation);
    }

    fn result(
        &self,
        assign: fn(&[Member<'_>], &[TopicId], &Topics) -> Assignment,
    ) -> Vec<Vec<u16>> {
        let members: Vec<Member<'_>> = self.members.iter().map(Member::of).collect();
        let known: Vec<TopicId> = self.names.ids().collect();
        let assignment = assign(&members, &known, &self.names);
        assignment.iter().map(|list| list.iter().map(|p| p.get()).collect()).collect()
    }
}

#[test]
fn the_first_members_get_the_larger_ranges() {
    // Kafka's own example: two topics of three partitions, two members.
    let group = Group::of(&[3, 3], 2);
    assert_eq!(group.result(range::assign), [vec![0, 1, 3, 4], vec![2, 5]]);
}

#[test]
fn a_member_too_many_gets_nothing() {
    assert_eq!(Group::of(&[2], 3).result(range::assign), [vec![0], vec![1], vec![]]);
}

#[test]
fn a_range_goes_to_those_who_subscribe() {
    let mut group = Group::of(&[2, 2], 2);
    group.members[0].topics = SmallVec::from_slice(&[TopicId::new(1)]);
    assert_eq!(group.result(range::assign), [vec![2], vec![0, 1, 3]]);
}

#[test]
fn the_first_sticky_assignment_goes_round() {
    assert_eq!(Group::of(&[5], 2).result(sticky::assign), [vec![0, 2, 4], vec![1, 3]]);
    assert_eq!(Group::of(&[2, 2], 3).result(sticky::assign), [vec![0, 3], vec![1], vec![2]]);
}

#[test]
fn what_is_owned_stays_when_a_member_joins_and_what_moves_waits() {
    let mut group = Group::of(&[4], 2);
    group.owns(0, 1, &[0, 1, 2, 3]);
    // The new member gets nothing yet: the old owner has to give it up first.
    assert_eq!(group.result(sticky::assign), [vec![0, 1], vec![]]);
    group.owns(0, 2, &[0, 1]);
    group.owns(1, 2, &[]);
    assert_eq!(group.result(sticky::assign), [vec![0, 1], vec![2, 3]]);
}

#[test]
fn when_a_member_leaves_the_others_keep_theirs() {
    let mut group = Group::of(&[6], 2);
    group.owns(0, 3, &[0, 1]);
    group.owns(1, 3, &[2, 3]);
    assert_eq!(group.result(sticky::assign), [vec![0, 1, 4], vec![2, 3, 5]]);
}

#[test]
fn a_claim_of_an_older_generation_does_not_count() {
    // KAFKA-12984: the member that missed a rebalance still believes that it owns 0 and 1.
    let mut group = Group::of(&[4], 2);
    group.owns(0, 3, &[0, 1]);
    group.owns(1, 5, &[0, 1]);
    assert_eq!(group.result(sticky::assign), [vec![2, 3], vec![0, 1]]);
}

#[test]
fn what_two_members_claim_in_one_generation_goes_to_neither_at_once() {
    let mut group = Group::of(&[2], 2);
    group.owns(0, 5, &[0, 1]);
    group.owns(1, 5, &[0]);
    assert_eq!(group.result(sticky::assign), [vec![1], vec![]]);
}

#[test]
fn members_with_different_topics_share_what_both_read() {
    let mut group = Group::of(&[1, 2], 2);
    group.members[1].topics = SmallVec::from_slice(&[TopicId::new(1)]);
    assert_eq!(group.result(sticky::assign), [vec![0, 2], vec![1]]);
}
