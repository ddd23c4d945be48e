//! Who of a topic's subscribers gets the next partition, and who gives the next one up.
//! Kafka: UniformHeterogeneousAssignmentBuilder.MemberAssignmentBalancer.

/// The subscribers of a topic by how many partitions they have: a range at the lower end that grows
/// upwards as it is filled, and one at the upper end that grows downwards as it gives up.
///
/// Levels are numbers of partitions that all members of a range have.
#[derive(Debug, Default)]
pub(super) struct Balancer {
    members: Vec<usize>,
    least_end: usize,
    least_level: i64,
    next_least: usize,
    most_start: usize,
    most_end: usize,
    most_level: i64,
    /// One past the place of the next member that gives up.
    next_most: usize,
}

impl Balancer {
    /// Begins with these members, of whom there is at least one; `sizes` is how many partitions each
    /// member has. Returns by how many partitions they differ at most. Kafka: initialize.
    pub(super) fn begin(&mut self, members: &[usize], sizes: &[i64]) -> i64 {
        self.members.clear();
        self.members.extend_from_slice(members);
        self.members.sort_unstable_by_key(|member| (sizes[*member], *member));
        let count = self.members.len();
        let (least, most) = (sizes[self.members[0]], sizes[self.members[count - 1]]);
        (self.least_end, self.least_level, self.next_least) = (0, least - 1, 0);
        (self.most_start, self.most_end, self.most_level) = (count, count, most + 1);
        self.next_most = count;
        most - least
    }

    /// Who gets the next partition. Kafka: nextLeastLoadedMember.
    pub(super) fn next_least(&mut self, sizes: &[i64]) -> usize {
        if self.next_least >= self.least_end {
            self.least_level += 1;
            let above = &self.members[self.least_end..];
            let level = self.least_level;
            self.least_end += above.iter().take_while(|it| sizes[**it] == level).count();
            self.next_least = 0;
        }
        self.next_least += 1;
        self.members[self.next_least - 1]
    }

    /// Who gives up the next partition, if anybody can. Kafka: nextMostLoadedMember.
    pub(super) fn next_most(&mut self, sizes: &[i64]) -> Option<usize> {
        if self.next_most <= self.most_start {
            self.most_level = if self.most_end <= self.most_start && self.most_start > 0 {
                sizes[self.members[self.most_start - 1]]
            } else {
                self.most_level - 1
            };
            let below = self.members[..self.most_start].iter().rev();
            let level = self.most_level;
            self.most_start -= below.take_while(|it| sizes[**it] == level).count();
            self.next_most = self.most_end;
        }
        self.next_most = self.next_most.checked_sub(1)?;
        Some(self.members[self.next_most])
    }

    /// The member that was named last has nothing to give up. Kafka: excludeMostLoadedMember.
    pub(super) fn exclude_most(&mut self) {
        self.most_end -= 1;
        self.members.swap(self.next_most, self.most_end);
    }

    /// Whether the two ranges differ by one partition at most.
    pub(super) const fn is_balanced(&self) -> bool {
        self.most_level - self.least_level <= 1
    }
}
