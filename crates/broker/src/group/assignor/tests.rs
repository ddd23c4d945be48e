//! Target assignments as Kafka computes them.

use super::*;
use inflight_protocol::ClientId;

/// Topics with so many partitions.
fn topics(partitions: &[u16]) -> Topics {
    Topics::new(partitions.iter().enumerate().map(|(n, count)| (format!("t{n}"), *count)))
}

/// Members that subscribe to these topics and have these partitions.
fn members(list: &[(&[u16], &[u16])]) -> Vec<Candidate> {
    let one = |(client, (topics, target)): (usize, &(&[u16], &[u16]))| Candidate {
        id: MemberId { client: ClientId::new(client as u16), number: 0 },
        topics: topics.iter().map(|topic| TopicId::new(*topic)).collect(),
        target: target.iter().map(|partition| TopicPartition::new(*partition)).collect(),
    };
    list.iter().enumerate().map(one).collect()
}

fn result(assignor: ServerAssignor, members: &[Candidate], names: &Topics) -> Vec<Vec<u16>> {
    let assignment = assign(assignor, members, names);
    assignment.iter().map(|list| list.iter().map(|id| id.get()).collect()).collect()
}

use ServerAssignor::{Range, Uniform};

#[test]
fn ranges_are_taken_topic_by_topic() {
    let group = members(&[(&[0, 1], &[]), (&[0, 1], &[])]);
    assert_eq!(result(Range, &group, &topics(&[3, 3])), [vec![0, 1, 3, 4], vec![2, 5]]);
    let group = members(&[(&[1], &[]), (&[0, 1], &[])]);
    assert_eq!(result(Range, &group, &topics(&[2, 2])), [vec![2], vec![0, 1, 3]]);
}

/// RangeAssignorTest: ranges move with the members, whoever has what.
#[test]
fn ranges_do_not_stick() {
    let group = members(&[(&[0], &[2, 3]), (&[0], &[0, 1])]);
    assert_eq!(result(Range, &group, &topics(&[4])), [vec![0, 1], vec![2, 3]]);
}

/// Unlike with the sticky assignor of the classic protocol each member is filled before the next.
#[test]
fn the_first_uniform_assignment_fills_one_member_after_the_other() {
    let group = members(&[(&[0], &[]), (&[0], &[])]);
    assert_eq!(result(Uniform, &group, &topics(&[5])), [vec![0, 1], vec![2, 3, 4]]);
}

#[test]
fn when_a_member_comes_only_what_is_too_much_moves() {
    let group = members(&[(&[0], &[0, 1, 2, 3]), (&[0], &[])]);
    assert_eq!(result(Uniform, &group, &topics(&[4])), [vec![0, 1], vec![2, 3]]);
    let group = members(&[(&[0], &[0, 1, 2]), (&[0], &[3, 4, 5]), (&[0], &[])]);
    assert_eq!(result(Uniform, &group, &topics(&[6])), [vec![0, 1], vec![3, 4], vec![2, 5]]);
}

#[test]
fn when_a_member_goes_the_others_keep_what_they_have() {
    let group = members(&[(&[0], &[0, 1]), (&[0], &[4, 5])]);
    assert_eq!(result(Uniform, &group, &topics(&[6])), [vec![0, 1, 2], vec![3, 4, 5]]);
}

/// Somebody who has one more than the others keeps it (KAFKA-18034 and its like).
#[test]
fn a_partition_too_many_stays_with_whoever_has_it() {
    let group = members(&[(&[0], &[0]), (&[0], &[1, 2])]);
    assert_eq!(result(Uniform, &group, &topics(&[3])), [vec![0], vec![1, 2]]);
}

#[test]
fn what_is_not_subscribed_to_any_more_is_given_up() {
    let group = members(&[(&[1], &[0, 1]), (&[1], &[2])]);
    assert_eq!(result(Uniform, &group, &topics(&[2, 2])), [vec![3], vec![2]]);
}

#[test]
fn members_with_different_topics_are_evened_out() {
    let group = members(&[(&[0, 1], &[]), (&[1], &[])]);
    assert_eq!(result(Uniform, &group, &topics(&[1, 2])), [vec![0], vec![1, 2]]);
}

/// The answers of the real classes. Members and topics are visited in order there as well: the
/// maps that were handed over are sorted.
#[test]
fn groups_with_one_subscription_are_assigned_as_by_the_real_classes() {
    let numbers = |text: &str| -> Vec<u16> {
        text.split_whitespace().map(|number| number.parse().expect("a number")).collect()
    };
    let lists = |text: &str| -> Vec<Vec<u16>> { text.split('/').map(numbers).collect() };
    let mut compared = 0;
    for line in include_str!("kafka.txt").lines().filter(|line| !line.starts_with('#')) {
        let parts: Vec<&str> = line.split('|').map(str::trim).collect();
        let [assignor, counts, before, after] = parts[..] else { panic!("{line}") };
        let assignor = ServerAssignor::from_word(assignor).expect("an assignor");
        let names = topics(&numbers(counts));
        let all: Vec<u16> = names.ids().map(TopicId::get).collect();
        let before = lists(before);
        let list: Vec<(&[u16], &[u16])> =
            before.iter().map(|target| (&all[..], &target[..])).collect();
        assert_eq!(result(assignor, &members(&list), &names), lists(after), "{line}");
        compared += 1;
    }
    assert_eq!(compared, 300);
}
