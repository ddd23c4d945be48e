//! A small discrete-event engine.
//!
//! It knows nothing of Kafka: [`time`] is integer nanoseconds, [`queue`] is the future event list
//! with a total order, [`engine`] drives a [`Model`], [`chance`] gives luck by name, and [`turn`]
//! is how a machine meets the time, chance and the world.
//!
//! ```
//! use inflight_des::{Agenda, Budget, Engine, Halt, Instant, Model, Span};
//!
//! /// A light that is switched every second.
//! #[derive(Clone)]
//! struct Light { on: bool, switched: u32 }
//!
//! impl Model for Light {
//!     type Event = ();
//!     fn handle(&mut self, (): (), agenda: &mut Agenda<'_, ()>) {
//!         self.on = !self.on;
//!         self.switched += 1;
//!         agenda.after(Span::from_secs(1), ());
//!     }
//! }
//!
//! let budget = Budget { events: 1_000, horizon: Instant::START + Span::from_secs(10) };
//! let mut engine = Engine::new(Light { on: false, switched: 0 }, budget);
//! engine.start().1.at(Instant::START, ());
//! assert_eq!(engine.run(), Halt::Horizon);
//! assert_eq!(engine.model().switched, 11);
//! ```

pub mod chance;
pub mod delay;
pub mod digest;
pub mod engine;
mod fork;
pub mod queue;
pub mod slots;
pub mod time;
pub mod turn;

pub use chance::{Chance, ChoicePoint, Deviation, Script, Seed, StreamId};
pub use delay::{Delay, Quantiles, Ratio};
pub use digest::Digest;
pub use engine::{Agenda, Budget, Engine, Halt, Model};
pub use queue::FutureEvents;
pub use slots::Slots;
pub use time::{Instant, ParseSpanError, Span};
pub use turn::{Effect, Kinds, Turn};
