//! Runs: a setup, a seed, a script, and who watches.

use crate::fault::Realised;
use crate::setup::Setup;
use crate::world::World;
use inflight_des::{Engine, Halt, Instant, Script, Seed};
use inflight_trace::Observer;

/// What a run leaves.
#[derive(Clone, Debug)]
pub struct Run<O> {
    /// Why it ended.
    pub halt: Halt,
    /// Whether the cluster was at rest at the end.
    pub settled: bool,
    /// When it ended.
    pub end: Instant,
    /// How many events were handled.
    pub events: u64,
    /// The digest of which events and packets there were, and when; what was in them is what facts
    /// tell.
    pub digest: u128,
    /// The faults that took effect, in order.
    pub realised: Vec<Realised>,
    /// Who watched.
    pub observer: O,
}

/// Runs a setup once.
pub fn run<O: Observer>(setup: &Setup, seed: Seed, script: &Script, observer: O) -> Run<O> {
    let mut engine = Engine::new(World::new(setup, observer), setup.budget);
    begin(&mut engine, seed, script);
    let halt = engine.run();
    finish(engine, halt)
}

fn begin<O: Observer>(engine: &mut Engine<World<'_, O>>, seed: Seed, script: &Script) {
    let (world, mut agenda) = engine.start();
    world.set_luck(seed, script);
    world.start(&mut agenda);
}

fn finish<O: Observer>(mut engine: Engine<World<'_, O>>, halt: Halt) -> Run<O> {
    let (end, events) = (engine.now(), engine.handled());
    engine.start().0.end(end, halt);
    let world = engine.into_model();
    Run {
        halt,
        settled: world.is_settled(),
        end,
        events,
        digest: world.digest(),
        realised: world.realised().to_vec(),
        observer: world.into_observer(),
    }
}

/// Runs a setup again and again with other luck: the world is built once and reset by copying.
#[derive(Debug)]
pub struct Runner<'s, O: Observer> {
    template: Engine<World<'s, O>>,
    engine: Engine<World<'s, O>>,
}

/// What one of many runs leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outline {
    /// Why it ended.
    pub halt: Halt,
    /// When it ended.
    pub end: Instant,
    /// How many events were handled.
    pub events: u64,
    /// The digest of every event and packet.
    pub digest: u128,
}

impl<'s, O: Observer + Clone> Runner<'s, O> {
    /// A runner whose observer starts every run as it is here.
    pub fn new(setup: &'s Setup, observer: O) -> Self {
        let template = Engine::new(World::new(setup, observer), setup.budget);
        Self { engine: template.clone(), template }
    }

    /// Runs once.
    pub fn run(&mut self, seed: Seed, script: &Script) -> Outline {
        self.engine.clone_from(&self.template);
        begin(&mut self.engine, seed, script);
        let halt = self.engine.run();
        let (end, events) = (self.engine.now(), self.engine.handled());
        self.engine.start().0.end(end, halt);
        Outline { halt, end, events, digest: self.engine.model().digest() }
    }

    /// The observer after the last run.
    pub fn observer(&self) -> &O {
        self.engine.model().observer()
    }

    /// The world after the last run.
    pub fn world(&self) -> &World<'s, O> {
        self.engine.model()
    }
}

/// A run that is advanced event by event, for tests that look in between.
#[derive(Debug)]
pub struct Stepper<'s, O: Observer> {
    engine: Engine<World<'s, O>>,
}

impl<'s, O: Observer> Stepper<'s, O> {
    /// A run before its first event.
    pub fn new(setup: &'s Setup, seed: Seed, script: &Script, observer: O) -> Self {
        let mut engine = Engine::new(World::new(setup, observer), setup.budget);
        begin(&mut engine, seed, script);
        Self { engine }
    }

    /// Handles one event. `None` when the run is over.
    pub fn step(&mut self) -> Option<Instant> {
        use inflight_des::Model;
        if self.engine.model().is_quiescent() {
            return None;
        }
        self.engine.step()
    }

    /// The world as it is now.
    pub fn world(&self) -> &World<'s, O> {
        self.engine.model()
    }
}

impl<O: Observer + Clone> Stepper<'_, O> {
    /// A copy in mid-flight. Both go on identically.
    pub fn fork(&self) -> Self {
        Self { engine: self.engine.fork() }
    }
}
