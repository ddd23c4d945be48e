//! Facts in plain English.
//!
//! Each kind has one sentence, written as a template in one table. A [`Namer`]
//! says what sessions, partitions and clients are called.

mod namer;
mod nouns;
mod table;
pub(crate) mod template;

pub use namer::{Namer, ordinal, range};
pub use nouns::{ENGLISH, Nouns};

use inflight_protocol::{Fact, FactKind};
use template::Style;

/// A fact as a sentence, without capital and full stop: "broker 1 appended records 3..5 of p1 to
/// orders-0 at offsets 3..5 (leader epoch 0)". Ranges include both ends.
pub fn sentence(fact: &Fact, namer: &Namer) -> String {
    let template = match fact {
        Fact::IsrChanged { from, to, .. } if from == to => table::ONLY_ELIGIBLE,
        Fact::SequenceRewritten { from, to, .. } if from == to => table::ONLY_EPOCH,
        _ => sentence_template(fact.kind()),
    };
    template::fill(template, fact, namer, Style::Long)
}

/// A fact by a template of another language, with that language's nouns. Holes and parts in
/// brackets are those of the English sentences.
pub fn sentence_by(template: &str, fact: &Fact, namer: &Namer, nouns: &Nouns) -> String {
    template::fill_with(template, fact, namer, Style::Long, nouns)
}

/// The template of a kind. A kind that the table forgot is told by its documentation.
fn sentence_template(kind: FactKind) -> &'static str {
    let row = table::SENTENCES.iter().find(|(known, _)| *known == kind);
    row.map_or_else(|| kind.doc(), |(_, template)| template)
}

#[cfg(test)]
mod tests;
