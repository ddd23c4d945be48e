//! The engine: pops the next event, advances the clock, lets the model handle it.

use crate::queue::FutureEvents;
use crate::time::{Instant, Span};

/// Something that reacts to events and schedules more of them.
pub trait Model {
    /// A small value: 8 bytes is a good size, since the future event list moves it around.
    type Event: Copy;

    /// Handles one event at the time the agenda tells.
    fn handle(&mut self, event: Self::Event, agenda: &mut Agenda<'_, Self::Event>);

    /// Whether nothing that matters is left to happen. Asked after each event; a model with
    /// perpetual background events (heartbeats, say) says here that it is done.
    fn is_quiescent(&self) -> bool {
        false
    }
}

/// What a model may do to the future while it handles an event.
#[derive(Debug)]
pub struct Agenda<'a, E> {
    now: Instant,
    future: &'a mut FutureEvents<E>,
}

impl<'a, E: Copy> Agenda<'a, E> {
    /// An agenda over a future event list, for drivers other than [`Engine`].
    pub fn new(now: Instant, future: &'a mut FutureEvents<E>) -> Self {
        Self { now, future }
    }

    /// The current virtual time.
    #[inline]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Schedules `event` at an instant that is not in the past.
    #[inline]
    pub fn at(&mut self, at: Instant, event: E) {
        debug_assert!(at >= self.now, "an event is not scheduled in the past");
        self.future.schedule(at, event);
    }

    /// Schedules `event` after a span.
    #[inline]
    pub fn after(&mut self, span: Span, event: E) {
        self.future.schedule(self.now + span, event);
    }
}

/// How long a run may last. Everything has a limit: a run without one cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// The greatest number of events.
    pub events: u64,
    /// No event later than this is handled.
    pub horizon: Instant,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Halt {
    /// The model said that it is quiescent, or no event was left.
    Quiescent,
    /// The next event lies beyond the horizon.
    Horizon,
    /// The budget of events is used up.
    EventBudget,
}

/// A model with its clock and its future.
#[derive(Debug)]
pub struct Engine<M: Model> {
    model: M,
    future: FutureEvents<M::Event>,
    now: Instant,
    handled: u64,
    budget: Budget,
}

impl<M: Model> Engine<M> {
    /// An engine at the start of time with nothing scheduled.
    pub fn new(model: M, budget: Budget) -> Self {
        Self { model, future: FutureEvents::new(), now: Instant::START, handled: 0, budget }
    }

    /// The current virtual time.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// How many events were handled so far.
    pub fn handled(&self) -> u64 {
        self.handled
    }

    /// The model.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// The model and an agenda at the current time, to schedule what starts a run.
    pub fn start(&mut self) -> (&mut M, Agenda<'_, M::Event>) {
        (&mut self.model, Agenda { now: self.now, future: &mut self.future })
    }

    /// The model, when the run is over.
    pub fn into_model(self) -> M {
        self.model
    }

    /// Handles the next event. `None` if the run is over, see [`Engine::run`] for the reason.
    #[inline]
    pub fn step(&mut self) -> Option<Instant> {
        let at = self.future.next_at()?;
        if at > self.budget.horizon || self.handled >= self.budget.events {
            return None;
        }
        let (at, event) = self.future.pop()?;
        self.now = at;
        self.handled += 1;
        self.model.handle(event, &mut Agenda { now: at, future: &mut self.future });
        Some(at)
    }

    /// Runs until the model is quiescent or the budget is used up.
    pub fn run(&mut self) -> Halt {
        loop {
            if self.model.is_quiescent() {
                return Halt::Quiescent;
            }
            if self.step().is_none() {
                return match self.future.next_at() {
                    None => Halt::Quiescent,
                    Some(at) if at > self.budget.horizon => Halt::Horizon,
                    Some(_) => Halt::EventBudget,
                };
            }
        }
    }
}

impl<M: Model + Clone> Engine<M> {
    /// A copy of the whole run in mid-flight. Both go on identically.
    pub fn fork(&self) -> Self {
        self.clone()
    }
}

impl<M: Model + Clone> Clone for Engine<M> {
    fn clone(&self) -> Self {
        Self {
            model: self.model.clone(),
            future: self.future.clone(),
            now: self.now,
            handled: self.handled,
            budget: self.budget,
        }
    }

    /// As `clone`, but reuses the memory that `self` already has: how a run is reset cheaply.
    fn clone_from(&mut self, source: &Self) {
        self.model.clone_from(&source.model);
        self.future.clone_from(&source.future);
        self.now = source.now;
        self.handled = source.handled;
        self.budget = source.budget;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts down, one event a nanosecond.
    #[derive(Clone, Debug, PartialEq)]
    struct Countdown {
        left: u32,
        heard: Vec<u64>,
    }

    impl Model for Countdown {
        type Event = ();

        fn handle(&mut self, (): (), agenda: &mut Agenda<'_, ()>) {
            self.heard.push(agenda.now().as_nanos());
            self.left -= 1;
            agenda.after(Span::from_nanos(1), ());
        }

        fn is_quiescent(&self) -> bool {
            self.left == 0
        }
    }

    fn countdown(left: u32, budget: Budget) -> Engine<Countdown> {
        let mut engine = Engine::new(Countdown { left, heard: Vec::new() }, budget);
        engine.start().1.at(Instant::from_nanos(5), ());
        engine
    }

    const WIDE: Budget = Budget { events: 1_000, horizon: Instant::NEVER };

    #[test]
    fn a_run_ends_for_one_of_three_reasons() {
        assert_eq!(countdown(3, WIDE).run(), Halt::Quiescent);
        assert_eq!(countdown(3, Budget { events: 2, ..WIDE }).run(), Halt::EventBudget);
        let horizon = Instant::from_nanos(6);
        assert_eq!(countdown(3, Budget { horizon, ..WIDE }).run(), Halt::Horizon);
    }

    #[test]
    fn a_fork_in_mid_flight_goes_on_identically() {
        let mut original = countdown(10, WIDE);
        for _ in 0..4 {
            original.step();
        }
        let mut fork = original.fork();
        let mut reused = countdown(3, WIDE);
        reused.run();
        reused.clone_from(&original);
        assert_eq!(original.run(), Halt::Quiescent);
        assert_eq!(fork.run(), Halt::Quiescent);
        assert_eq!(reused.run(), Halt::Quiescent);
        assert_eq!(original.model(), fork.model());
        assert_eq!(original.model(), reused.model());
        assert_eq!(original.now(), fork.now());
    }
}
