//! Pictures of runs, drawn from facts alone.
//!
//! A [`Story`] is a recording with its judgement. [`draw`] makes a [`Scene`] of it, for one of the
//! [`Kind`]s of pictures; [`draw_twin`] puts a run and its cure side by side. A scene becomes a file
//! through [`svg`], [`png`] or [`text`]. Nothing here runs anything, and the same facts give the same
//! bytes.

mod audit;
mod dedup;
pub mod export;
mod font;
mod frame;
pub mod grid;
mod icon;
mod kind;
mod korean;
mod latency;
mod log;
mod measure;
mod model;
mod overview;
mod pipeline;
mod render;
pub mod report;
mod scene;
mod sequence;
mod stepper;
mod table;
mod theme;
mod truth;
mod twin;
mod txn;
mod words;

pub use audit::audit;
pub use font::Weight;
pub use icon::Icon;
pub use kind::{Focus, Kind, Options, Refusal, Scale, draw, draw_twin, plain};
pub use latency::{Breakdown, breakdown};
pub use measure::Medium;
pub use render::png::png;
pub use render::svg::svg;
pub use render::text::text;
pub use scene::{Anchor, Dash, Fill, Head, Item, Layer, Mark, Point, Rect, Scene, Stroke, Text};
pub use stepper::{Page, stepper};
pub use theme::{Ink, Theme};
pub use truth::truth_markdown;
pub use txn::{Level, Visible, levels, visibility};
pub use words::Lang;

use inflight_check::Report;
use inflight_des::Instant;
use inflight_protocol::Fact;
use inflight_trace::Description;

/// A run that is over: what it was, what happened, what came of it.
#[derive(Clone, Copy, Debug)]
pub struct Story<'a> {
    /// The setup.
    pub description: &'a Description,
    /// Every fact of the run.
    pub facts: &'a [(Instant, Fact)],
    /// The judgement, with explanations.
    pub report: &'a Report,
}
