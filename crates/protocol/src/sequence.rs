//! Producer sequence numbers: 31 bits, wrapping from 2147483647 to 0.
//!
//! Kafka: common/record/internal/DefaultRecordBatch.incrementSequence and decrementSequence.

use std::fmt;

/// The sequence number of a record, per producer id, epoch and partition. Never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(i32);

impl Sequence {
    /// The first sequence number of an epoch.
    pub const ZERO: Self = Self(0);
    /// The last sequence number before the wrap.
    pub const MAX: Self = Self(i32::MAX);

    /// The sequence with this number. `None` if it is negative.
    pub const fn new(number: i32) -> Option<Self> {
        if number < 0 { None } else { Some(Self(number)) }
    }

    /// Its number.
    #[inline]
    pub const fn get(self) -> i32 {
        self.0
    }

    /// The sequence `count` further on, wrapping.
    #[inline]
    #[must_use]
    pub const fn plus(self, count: u32) -> Self {
        Self((self.0 as u32).wrapping_add(count) as i32 & i32::MAX)
    }

    /// The sequence just before, wrapping.
    #[inline]
    #[must_use]
    pub const fn previous(self) -> Self {
        Self(self.0.wrapping_sub(1) & i32::MAX)
    }

    /// Whether `self` directly follows `last`.
    #[inline]
    pub const fn follows(self, last: Self) -> bool {
        last.plus(1).0 == self.0
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The vectors of DefaultRecordBatchTest.testIncrementSequence.
    #[test]
    fn sequences_wrap_to_zero() {
        let near = Sequence::new(2_147_483_645).unwrap();
        assert_eq!(near.plus(2), Sequence::MAX);
        assert_eq!(near.plus(3), Sequence::ZERO);
        assert_eq!(near.plus(5).get(), 2);
        assert!(Sequence::ZERO.follows(Sequence::MAX));
        assert_eq!(Sequence::ZERO.previous(), Sequence::MAX);
        assert_eq!(Sequence::new(-1), None);
    }

    proptest! {
        #[test]
        fn steps_add_up(start in 0..=i32::MAX, a in 0..1_u32 << 30, b in 0..1_u32 << 30) {
            let start = Sequence::new(start).unwrap();
            prop_assert_eq!(start.plus(a).plus(b), start.plus(a + b));
            prop_assert!(start.plus(1).follows(start));
            prop_assert_eq!(start.plus(1).previous(), start);
        }
    }
}
