//! The columnar text form of a run: one line a fact.
//!
//! ```text
//!         time  fact  p1 ctl b1 b2 b3
//!     0.000 ms     1  +                 queued     orders-0 records 0..3
//!     0.713 ms     5         A          appended   b1 orders-0 offsets 0..3 (leader epoch 0)
//!     9.102 ms    14         !          CRASHED    b1 appended survives
//! ```
//!
//! The column says who, the glyph says what. Columns are as wide as the names of the setup want,
//! never as the data, so that two runs of a setup line up. Colour adds and never tells.

mod display;
mod focus;
mod table;

pub use display::{display_width, fit};
pub use focus::Focus;
pub use table::{Glyph, GlyphSet, Role, glyph_of, legend};

use crate::description::Description;
use crate::story::Namer;
use crate::story::template::{self, Style};
use inflight_des::Instant;
use inflight_protocol::Fact;
use inflight_protocol::ids::{BrokerId, BrokerSet, ClientId, Node};
use std::collections::BTreeMap;

/// How lanes look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Which facts are shown.
    pub focus: Focus,
    /// Which characters may be used.
    pub glyphs: GlyphSet,
    /// Whether colour is used.
    pub colour: Colour,
    /// The width of a line in columns of the display; longer lines are cut.
    pub width: Option<usize>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            focus: Focus::default(),
            glyphs: GlyphSet::Unicode,
            colour: Colour::Off,
            width: None,
        }
    }
}

/// Whether lanes use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colour {
    /// Plain text.
    #[default]
    Off,
    /// ANSI escape sequences, by role.
    Ansi,
}

/// How many columns a name gets at most.
const NAME_MAX: usize = 10;
/// How many columns the instant gets: enough for a quarter of an hour.
const TIME: usize = 13;
/// How many columns the number of a fact gets.
const NUMBER: usize = 6;
/// How many columns the verb gets.
const VERB: usize = 10;

/// A run as lanes, with a line of headings. Facts are numbered from 1 over all that were given.
pub fn render(description: &Description, facts: &[(Instant, Fact)], options: &Options) -> String {
    let lanes = Lanes::new(description, facts, options);
    let mut text = lanes.heading();
    let mut eligible = BTreeMap::new();
    for (index, (at, fact)) in facts.iter().enumerate() {
        let before = match *fact {
            Fact::IsrChanged { partition, elr, .. } => eligible.insert(partition, elr),
            _ => None,
        };
        if options.focus.shows(fact) {
            let words = lanes.words(fact, before.unwrap_or_default());
            text.push_str(&lanes.line(index, *at, fact, words));
        }
    }
    text
}

/// One piece of a line, in one colour.
struct Piece {
    text: String,
    role: Option<Role>,
}

/// The layout of one setup.
struct Lanes<'a> {
    options: &'a Options,
    namer: Namer,
    /// Who has a column, with the heading.
    columns: Vec<(Node, String)>,
}

impl<'a> Lanes<'a> {
    fn new(description: &Description, facts: &[(Instant, Fact)], options: &'a Options) -> Self {
        let namer = Namer::of(description, facts);
        let clients = (0..description.clients.len()).map(|index| ClientId::new(index as u16));
        let client = |client| (Node::Client(client), namer.names().client(client));
        let brokers = (0..usize::from(description.brokers)).map(BrokerId::from_index);
        let columns = clients
            .map(client)
            .chain([(Node::Controller, "ctl".to_owned())])
            .chain(brokers.map(|broker| (Node::Broker(broker), format!("b{broker}"))))
            .map(|(node, name)| (node, fit(&name, NAME_MAX, ellipsis(options.glyphs))));
        Self { options, columns: columns.collect(), namer }
    }

    fn heading(&self) -> String {
        let mut text = format!("{:>TIME$}{:>NUMBER$}  ", "time", "fact");
        for (_, name) in &self.columns {
            text.push_str(name);
            text.push(' ');
        }
        let text = text.trim_end();
        let width = self.options.width.unwrap_or(usize::MAX);
        fit(text, width, ellipsis(self.options.glyphs)) + "\n"
    }

    /// What a fact says beyond its verb, where these were the eligible leader replicas before it.
    fn words(&self, fact: &Fact, eligible: BrokerSet) -> String {
        let fill = |words| template::fill(words, fact, &self.namer, Style::Short);
        match fact {
            Fact::IsrChanged { from, to, .. } if from == to => {
                let before =
                    if eligible.is_empty() { "none".to_owned() } else { eligible.to_string() };
                format!("{} elr {before} to {}", fill("{partition}"), fill("{elr|none}"))
            }
            _ => fill(table::row_of(fact.kind()).words),
        }
    }

    fn line(&self, index: usize, at: Instant, fact: &Fact, words: String) -> String {
        let row = table::row_of(fact.kind());
        let glyph = glyph_of(fact);
        let plain = |text| Piece { text, role: None };
        let mut pieces = vec![plain(format!("{at:>TIME$}{:>NUMBER$}  ", index + 1))];
        let actor = template::node_of(fact, row.actor, &self.namer)
            .or_else(|| (row.actor == "controller").then_some(Node::Controller));
        for (node, name) in &self.columns {
            let width = display_width(name);
            if actor == Some(*node) {
                let text = glyph.text(self.options.glyphs).to_string();
                pieces.push(Piece { text, role: Some(glyph.role) });
                pieces.push(plain(" ".repeat(width)));
            } else {
                pieces.push(plain(" ".repeat(width + 1)));
            }
        }
        let verb = format!(" {:<VERB$} ", row.verb);
        pieces.push(Piece { text: verb, role: Some(glyph.role) });
        pieces.push(plain(words));
        self.join(pieces)
    }

    /// The pieces as one line, cut to the width and coloured.
    fn join(&self, pieces: Vec<Piece>) -> String {
        let total = pieces.iter().map(|piece| display_width(&piece.text)).sum::<usize>();
        let ellipsis = ellipsis(self.options.glyphs);
        let width = self.options.width.filter(|width| *width < total);
        let mut left = width.map_or(usize::MAX, |w| w.saturating_sub(display_width(ellipsis)));
        let mut line = String::new();
        for piece in &pieces {
            let text = fit(&piece.text, left, "");
            left = left.saturating_sub(display_width(&text));
            match (self.options.colour, piece.role) {
                (Colour::Ansi, Some(role)) if !text.trim().is_empty() => {
                    line.push_str(role.ansi());
                    line.push_str(&text);
                    line.push_str("\u{1b}[0m");
                }
                _ => line.push_str(&text),
            }
            if display_width(&text) < display_width(&piece.text) {
                break;
            }
        }
        if let Some(width) = width {
            line.push_str(&fit(ellipsis, width, ""));
        }
        line.truncate(line.trim_end().len());
        line.push('\n');
        line
    }
}

/// What stands for a part that was cut.
const fn ellipsis(glyphs: GlyphSet) -> &'static str {
    match glyphs {
        GlyphSet::Unicode => "…",
        GlyphSet::Ascii => "...",
    }
}

#[cfg(test)]
mod tests;
