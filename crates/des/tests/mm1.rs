//! The engine on a model whose answer is known: the M/M/1 queue.
//!
//! Customers arrive with exponential gaps of mean 1/λ, are served one at a time in order of
//! arrival, each for an exponential time of mean 1/μ. With ρ = λ/μ the mean number in the system
//! is ρ / (1 − ρ) and the mean time in it is 1 / (μ − λ) (Kleinrock, Queueing Systems I, 3.2).

use inflight_des::{
    Agenda, Budget, Chance, Delay, Engine, Halt, Instant, Model, Seed, Span, StreamId,
};
use std::collections::VecDeque;

#[derive(Clone, Copy, Debug)]
enum Event {
    Arrival,
    Departure,
}

#[derive(Clone, Debug)]
struct Queue {
    chance: Chance,
    arrivals: StreamId,
    services: StreamId,
    gap: Delay,
    service: Delay,
    waiting: VecDeque<Instant>,
    left: u64,
    time_in_system: u64,
    area: u128,
    changed: Instant,
    served: u64,
}

impl Queue {
    fn new(seed: u64, customers: u64, gap: Span, service: Span) -> Self {
        let mut chance = Chance::new(Seed::new(seed));
        let (arrivals, services) = (chance.stream("arrivals"), chance.stream("services"));
        Self {
            chance,
            arrivals,
            services,
            gap: Delay::Exponential { floor: Span::ZERO, mean: gap },
            service: Delay::Exponential { floor: Span::ZERO, mean: service },
            waiting: VecDeque::new(),
            left: customers,
            time_in_system: 0,
            area: 0,
            changed: Instant::START,
            served: 0,
        }
    }

    fn serve(&mut self, agenda: &mut Agenda<'_, Event>) {
        let span = self.chance.delay(self.services, &self.service);
        agenda.after(span, Event::Departure);
    }
}

impl Model for Queue {
    type Event = Event;

    fn handle(&mut self, event: Event, agenda: &mut Agenda<'_, Event>) {
        let now = agenda.now();
        self.area += u128::from(now.since(self.changed).as_nanos()) * self.waiting.len() as u128;
        self.changed = now;
        match event {
            Event::Arrival => {
                self.waiting.push_back(now);
                if self.waiting.len() == 1 {
                    self.serve(agenda);
                }
                self.left -= 1;
                if self.left > 0 {
                    let gap = self.chance.delay(self.arrivals, &self.gap);
                    agenda.after(gap, Event::Arrival);
                }
            }
            Event::Departure => {
                let arrived = self.waiting.pop_front().expect("somebody departs");
                self.time_in_system += now.since(arrived).as_nanos();
                self.served += 1;
                if !self.waiting.is_empty() {
                    self.serve(agenda);
                }
            }
        }
    }
}

#[test]
fn mm1_has_the_mean_time_and_length_that_theory_says() {
    for (rho_percent, tolerance) in [(30, 0.01), (50, 0.01), (80, 0.03)] {
        let service = Span::from_micros(10);
        let gap = Span::from_nanos(service.as_nanos() * 100 / rho_percent);
        let budget = Budget { events: 10_000_000, horizon: Instant::NEVER };
        let mut engine = Engine::new(Queue::new(1, 1_000_000, gap, service), budget);
        engine.start().1.at(Instant::START, Event::Arrival);
        assert_eq!(engine.run(), Halt::Quiescent);
        let now = engine.now();
        let queue = engine.into_model();
        let rho = rho_percent as f64 / 100.0;
        let time = queue.time_in_system as f64 / queue.served as f64;
        let expected_time = service.as_nanos() as f64 / (1.0 - rho);
        let length = queue.area as f64 / now.as_nanos() as f64;
        let expected_length = rho / (1.0 - rho);
        assert!((time / expected_time - 1.0).abs() < tolerance, "{time} is not {expected_time}");
        assert!((length / expected_length - 1.0).abs() < tolerance, "{length}");
    }
}

#[test]
fn a_queue_forked_in_mid_flight_serves_the_same_customers() {
    let (gap, service) = (Span::from_micros(12), Span::from_micros(10));
    let budget = Budget { events: 100_000, horizon: Instant::NEVER };
    let mut engine = Engine::new(Queue::new(5, 10_000, gap, service), budget);
    engine.start().1.at(Instant::START, Event::Arrival);
    for _ in 0..7_777 {
        engine.step();
    }
    let mut fork = engine.fork();
    engine.run();
    fork.run();
    let (a, b) = (engine.into_model(), fork.into_model());
    assert_eq!((a.time_in_system, a.area, a.served), (b.time_in_system, b.area, b.served));
}
