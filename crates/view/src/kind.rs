//! The kinds of pictures, and how one is asked for.

use crate::measure::{Measure, Medium};
use crate::model::Model;
use crate::scene::Scene;
use crate::words::{Lang, Word};
use crate::{Story, dedup, frame, latency, log, overview, pipeline, sequence, truth, twin, txn};
use inflight_des::Instant;
use std::fmt;

/// A kind of picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Who knew what, and when: lifelines and messages.
    #[default]
    Sequence,
    /// What each replica's log holds, as strips of offsets, and what the application was told.
    Log,
    /// Where records wait in the producer: batches, slots, requests.
    Pipeline,
    /// The parts of the time from send() to the callback.
    Latency,
    /// What became of each transaction: calls, states, control records, what readers see.
    Txn,
    /// What the leader compares a batch with, and what it decides.
    Dedup,
    /// What was said of each record, and where it is.
    Truth,
    /// The producer with its settings and counts.
    Overview,
}

impl Kind {
    /// Every kind that is drawn from one run.
    pub const ALL: [Self; 8] = [
        Self::Sequence,
        Self::Log,
        Self::Pipeline,
        Self::Latency,
        Self::Txn,
        Self::Dedup,
        Self::Truth,
        Self::Overview,
    ];

    /// Its name on the command line and in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sequence => "sequence",
            Self::Log => "log",
            Self::Pipeline => "pipeline",
            Self::Latency => "latency",
            Self::Txn => "txn",
            Self::Dedup => "dedup",
            Self::Truth => "truth",
            Self::Overview => "overview",
        }
    }

    pub(crate) const fn word(self) -> Word {
        match self {
            Self::Sequence => Word::Sequence,
            Self::Log => Word::Log,
            Self::Pipeline => Word::Pipeline,
            Self::Latency => Word::Latency,
            Self::Txn => Word::Txn,
            Self::Dedup => Word::Dedup,
            Self::Truth => Word::Truth,
            Self::Overview => Word::Overview,
        }
    }
}

/// How time becomes height or width.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// One event after the other, however long the wait.
    Order,
    /// In proportion.
    Time,
    /// In proportion, but long waits are cut.
    #[default]
    Hybrid,
}

/// Which part of a run is drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Focus {
    /// Everything if it fits, else what is around the first anomaly.
    #[default]
    Auto,
    /// What is around the first anomaly.
    Anomaly,
    /// What concerns one record, by its letter.
    Record(String),
    /// What happened between two instants.
    Window(Instant, Instant),
}

/// How a picture is to be drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The language of labels.
    pub lang: Lang,
    /// How time is drawn.
    pub scale: Scale,
    /// Which part is drawn.
    pub focus: Focus,
    /// Pixels or cells.
    pub medium: Medium,
}

/// Why a picture cannot be drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The run has nothing that such a picture shows.
    Nothing(&'static str),
    /// No record has this name.
    NoRecord(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing(what) => write!(f, "the run has no {what}, so there is nothing to draw"),
            Self::NoRecord(name) => write!(f, "no record of the run is called \"{name}\""),
        }
    }
}

impl Refusal {
    /// The same in a language.
    pub(crate) fn say(&self, lang: Lang) -> String {
        match self {
            _ if lang.is_english() => self.to_string(),
            Self::Nothing(_) => lang.say(Word::NothingToDraw).to_owned(),
            Self::NoRecord(name) => lang.value(Word::NoSuchRecord, name),
        }
    }
}

impl std::error::Error for Refusal {}

/// What a layout gets.
pub(crate) struct Task<'a, 'm> {
    pub(crate) model: &'m Model<'a>,
    pub(crate) options: &'m Options,
    pub(crate) measure: Measure,
    /// The fact at which this run and its twin part.
    pub(crate) parts_at: Option<usize>,
}

impl Task<'_, '_> {
    pub(crate) const fn lang(&self) -> Lang {
        self.options.lang
    }

    /// Where a part of a long run was taken from.
    pub(crate) fn around(&self) -> &'static str {
        let calm = self.model.decisive().is_empty();
        self.lang().say(if calm { Word::FromTheStart } else { Word::AroundAnomaly })
    }
}

/// What a layout gives: the picture itself, what its signs mean, what it leaves out.
#[derive(Default)]
pub(crate) struct Drawing {
    pub(crate) scene: Scene,
    pub(crate) legend: Vec<frame::Entry>,
    pub(crate) notes: Vec<String>,
    /// What the picture shows, in figures.
    pub(crate) figures: Vec<(&'static str, u64)>,
}

pub(crate) fn lay_out(kind: Kind, task: &Task<'_, '_>) -> Result<Drawing, Refusal> {
    match kind {
        Kind::Sequence => sequence::lay_out(task),
        Kind::Log => log::lay_out(task),
        Kind::Pipeline => pipeline::lay_out(task),
        Kind::Latency => latency::lay_out(task),
        Kind::Txn => txn::lay_out(task),
        Kind::Dedup => dedup::lay_out(task),
        Kind::Truth => truth::lay_out(task),
        Kind::Overview => overview::lay_out(task),
    }
}

/// Draws one run.
///
/// # Errors
///
/// If the run has nothing that such a picture shows.
pub fn draw(kind: Kind, story: &Story<'_>, options: &Options) -> Result<Scene, Refusal> {
    let model = Model::new(*story);
    let measure = Measure { medium: options.medium };
    let task = Task { model: &model, options, measure, parts_at: None };
    let drawing = lay_out(kind, &task)?;
    Ok(frame::frame(kind, &task, drawing))
}

/// One run as lines of text, without a frame: a part of a longer text.
///
/// # Errors
///
/// If the run has nothing that such a picture shows.
pub fn plain(kind: Kind, story: &Story<'_>, lang: Lang) -> Result<String, Refusal> {
    let model = Model::new(*story);
    let options = Options { lang, medium: Medium::Cells, ..Options::default() };
    let measure = Measure { medium: Medium::Cells };
    let task = Task { model: &model, options: &options, measure, parts_at: None };
    let drawing = lay_out(kind, &task)?;
    let notes: String = drawing.notes.iter().map(|note| format!("{note}\n")).collect();
    Ok(crate::render::text::text(&drawing.scene) + &notes)
}

/// Draws a run and its cure side by side; `changes` says what cures it.
///
/// # Errors
///
/// If neither run has what such a picture shows.
pub fn draw_twin(
    kind: Kind,
    story: &Story<'_>,
    cured: &Story<'_>,
    changes: &str,
    options: &Options,
) -> Result<Scene, Refusal> {
    twin::draw(kind, story, cured, changes, options)
}
