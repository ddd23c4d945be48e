//! A machine's turn: everything a machine may touch, through one door.
//!
//! A machine is a plain struct with protocol logic. It does no input or output and owns no clock,
//! queue or generator. It is called with a [`Turn`]: the time, chance, and an outbox. What it
//! leaves in the outbox is an *ordered* list of effects, and the order is part of the contract:
//! a driver interprets one effect after the other and may let a fault happen between any two.

use crate::chance::Chance;
use crate::time::Instant;

/// One element of a machine's outbox: `M` is a message, `F` a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect<M, F> {
    /// Send this.
    Send(M),
    /// This happened.
    Did(F),
    /// Call the machine's step again, at the same instant: there is more work queued.
    Again,
}

/// A set of kinds of facts, at most 128 of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Kinds(u128);

impl Kinds {
    /// No kind.
    pub const NONE: Self = Self(0);
    /// Every kind.
    pub const ALL: Self = Self(u128::MAX);

    /// The set of the one kind with this index.
    #[inline]
    pub const fn of(index: u8) -> Self {
        Self(1 << index)
    }

    /// The union of two sets.
    #[inline]
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the sets have a kind in common.
    #[inline]
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether `other` is a part of this set.
    #[inline]
    pub const fn includes(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// What a machine may touch while it is its turn.
#[derive(Debug)]
pub struct Turn<'a, M, F> {
    now: Instant,
    chance: &'a mut Chance,
    outbox: &'a mut Vec<Effect<M, F>>,
    wanted: Kinds,
}

impl<'a, M, F> Turn<'a, M, F> {
    /// A turn at `now`. Facts of kinds outside `wanted` are not built.
    #[inline]
    pub fn new(
        now: Instant,
        chance: &'a mut Chance,
        outbox: &'a mut Vec<Effect<M, F>>,
        wanted: Kinds,
    ) -> Self {
        Self { now, chance, outbox, wanted }
    }

    /// The time.
    #[inline]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Where luck comes from.
    #[inline]
    pub fn chance(&mut self) -> &mut Chance {
        self.chance
    }

    /// Sends a message.
    #[inline]
    pub fn send(&mut self, message: M) {
        self.outbox.push(Effect::Send(message));
    }

    /// Says that something happened. The fact is built only if somebody wants its kind.
    #[inline]
    pub fn did(&mut self, kind: Kinds, fact: impl FnOnce() -> F) {
        if self.wanted.meets(kind) {
            self.outbox.push(Effect::Did(fact()));
        }
    }

    /// Whether somebody wants facts of this kind: for what is costly to find out before.
    #[inline]
    pub fn wants(&self, kind: Kinds) -> bool {
        self.wanted.meets(kind)
    }

    /// Asks to be called again at the same instant.
    #[inline]
    pub fn again(&mut self) {
        self.outbox.push(Effect::Again);
    }

    /// How many effects were left so far.
    #[inline]
    pub fn effects(&self) -> usize {
        self.outbox.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Seed;

    #[test]
    fn facts_that_nobody_wants_are_not_built() {
        let mut chance = Chance::new(Seed::new(1));
        let mut outbox: Vec<Effect<&str, &str>> = Vec::new();
        let (wanted, unwanted) = (Kinds::of(3), Kinds::of(100));
        let mut turn = Turn::new(Instant::START, &mut chance, &mut outbox, wanted);
        turn.send("hello");
        turn.did(wanted, || "it rained");
        turn.did(unwanted, || unreachable!("nobody asked"));
        turn.again();
        assert_eq!(outbox, [Effect::Send("hello"), Effect::Did("it rained"), Effect::Again]);
    }

    #[test]
    fn sets_of_kinds_unite_and_meet() {
        let both = Kinds::of(0).and(Kinds::of(127));
        assert!(both.meets(Kinds::of(127)));
        assert!(!both.meets(Kinds::of(64)));
        assert!(Kinds::ALL.includes(both));
        assert!(!Kinds::of(0).includes(both));
    }
}
