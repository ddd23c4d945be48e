//! Who watches a run.
//!
//! An observer is a type, known where the run is compiled. It has no way to answer: it cannot stop,
//! delay or change anything. Several observers are a tuple. With `()` nothing remains of the
//! dispatch, since its interest is a constant.

use inflight_des::{Instant, Kinds};
use inflight_protocol::Fact;

/// A reader of facts while they happen.
pub trait Observer {
    /// The kinds of facts that any value of this type may want.
    const INTEREST: Kinds;

    /// The kinds that this value wants: [`Observer::INTEREST`] or a part of it.
    #[inline]
    fn interest(&self) -> Kinds {
        Self::INTEREST
    }

    /// Takes in one fact of a kind of [`Observer::interest`].
    fn on_fact(&mut self, at: Instant, fact: &Fact);

    /// Passes a fact on if this observer wants its kind. Drivers call this.
    #[inline]
    fn offer(&mut self, at: Instant, fact: &Fact) {
        if self.interest().meets(fact.kind().set()) {
            self.on_fact(at, fact);
        }
    }
}

impl Observer for () {
    const INTEREST: Kinds = Kinds::NONE;

    #[inline]
    fn on_fact(&mut self, _: Instant, _: &Fact) {}
}

impl<O: Observer> Observer for &mut O {
    const INTEREST: Kinds = O::INTEREST;

    #[inline]
    fn interest(&self) -> Kinds {
        (**self).interest()
    }

    #[inline]
    fn on_fact(&mut self, at: Instant, fact: &Fact) {
        (**self).on_fact(at, fact);
    }
}

/// Somebody or nobody.
impl<O: Observer> Observer for Option<O> {
    const INTEREST: Kinds = O::INTEREST;

    #[inline]
    fn interest(&self) -> Kinds {
        self.as_ref().map_or(Kinds::NONE, Observer::interest)
    }

    #[inline]
    fn on_fact(&mut self, at: Instant, fact: &Fact) {
        if let Some(observer) = self {
            observer.on_fact(at, fact);
        }
    }
}

macro_rules! tuples {
    ($($name:ident $field:tt),+) => {
        impl<$($name: Observer),+> Observer for ($($name,)+) {
            const INTEREST: Kinds = Kinds::NONE$(.and($name::INTEREST))+;

            #[inline]
            fn interest(&self) -> Kinds {
                Kinds::NONE$(.and(self.$field.interest()))+
            }

            #[inline]
            fn on_fact(&mut self, at: Instant, fact: &Fact) {
                $(self.$field.offer(at, fact);)+
            }
        }
    };
}

tuples!(A 0);
tuples!(A 0, B 1);
tuples!(A 0, B 1, C 2);
tuples!(A 0, B 1, C 2, D 3);

/// Watches for facts that must not occur, and remembers the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forbid {
    kinds: Kinds,
    first: Option<(Instant, Fact)>,
    seen: u64,
}

impl Forbid {
    /// Forbids these kinds.
    pub const fn new(kinds: Kinds) -> Self {
        Self { kinds, first: None, seen: 0 }
    }

    /// The first forbidden fact.
    pub const fn first(&self) -> Option<&(Instant, Fact)> {
        self.first.as_ref()
    }

    /// How many forbidden facts occurred.
    pub const fn seen(&self) -> u64 {
        self.seen
    }
}

impl Observer for Forbid {
    const INTEREST: Kinds = Kinds::ALL;

    #[inline]
    fn interest(&self) -> Kinds {
        self.kinds
    }

    fn on_fact(&mut self, at: Instant, fact: &Fact) {
        self.first.get_or_insert((at, *fact));
        self.seen += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use inflight_protocol::fact::Surviving;
    use inflight_protocol::{BrokerId, FactKind};

    /// Counts crashes and no other kind.
    #[derive(Default)]
    struct Crashes(u32);

    impl Observer for Crashes {
        const INTEREST: Kinds = FactKind::BrokerCrashed.set();

        fn on_fact(&mut self, _: Instant, fact: &Fact) {
            assert_eq!(fact.kind(), FactKind::BrokerCrashed);
            self.0 += 1;
        }
    }

    fn story() -> [Fact; 3] {
        let broker = BrokerId::new(1);
        [
            Fact::BrokerStarted { broker },
            Fact::BrokerCrashed { broker, surviving: Surviving::Appended },
            Fact::BrokerStarted { broker },
        ]
    }

    fn play(mut observer: impl Observer) {
        for (nanos, fact) in story().iter().enumerate() {
            observer.offer(Instant::from_nanos(nanos as u64), fact);
        }
    }

    #[test]
    fn each_member_of_a_tuple_gets_only_what_it_wants() {
        let mut forbid = Forbid::new(FactKind::BrokerStarted.set());
        let (mut crashes, mut nobody) = (Crashes::default(), None::<Crashes>);
        play((&mut crashes, &mut forbid, &mut nobody));
        assert_eq!(crashes.0, 1);
        assert_eq!(forbid.seen(), 2);
        assert_eq!(forbid.first(), Some(&(Instant::START, story()[0])));
        assert!(nobody.is_none());
    }

    #[test]
    fn interests_unite_and_nobody_has_none() {
        type Both = (Crashes, ());
        assert_eq!(Both::INTEREST, FactKind::BrokerCrashed.set());
        assert_eq!(<((), ())>::INTEREST, Kinds::NONE);
        assert_eq!(None::<Forbid>.interest(), Kinds::NONE);
        assert_eq!(Forbid::new(Kinds::of(3)).interest(), Kinds::of(3));
    }
}
