//! A Mermaid sequence diagram, as code hosts draw it from a fence.
//!
//! Mermaid has no time and no slanted arrows: an arrow stands where its message arrives, with the time
//! at which it left if that was earlier.

use super::{ARROWS_MAX, cast, id, is_direct, is_lost, with_beats};
use crate::Story;
use crate::kind::{Options, Refusal};
use crate::model::Model;
use crate::scene::{Dash, Stroke};
use crate::sequence::{Beat, Place, What};
use std::fmt::Write;

/// How long a diagram is at most, in bytes; code hosts refuse what is much longer.
const BYTES_MAX: usize = 20_000;

/// A run as a Mermaid sequence diagram, without the fence.
///
/// # Errors
///
/// If the run has nothing to show.
pub fn mermaid(story: &Story<'_>, options: &Options) -> Result<String, Refusal> {
    with_beats(story, options, ARROWS_MAX, |model, beats, notes| {
        let cast = cast(model, beats, options.lang);
        let mut text = String::from("sequenceDiagram\n");
        for (_, id, name) in &cast {
            let _ = writeln!(text, "  participant {id} as {}", escape(name));
        }
        let (first, last) = (id(&cast, cast[0].0), id(&cast, cast[cast.len() - 1].0));
        for note in notes {
            let _ = writeln!(text, "  Note over {first},{last}: {}", escape(note));
        }
        for (index, beat) in beats.iter().enumerate() {
            let line = line(model, beats, index, beat, &cast, (first, last));
            if text.len() + line.len() > BYTES_MAX {
                let rest = beats.len() - index;
                let _ = writeln!(text, "  Note over {first},{last}: … {rest} more");
                break;
            }
            text.push_str(&line);
        }
        text
    })
}

/// What Mermaid takes for its own is written as the number of its character.
fn escape(text: &str) -> String {
    let one = |character| match character {
        '#' => "#35;".to_owned(),
        ';' => "#59;".to_owned(),
        other => other.to_string(),
    };
    text.chars().map(one).collect()
}

fn line(
    model: &Model<'_>,
    beats: &[&Beat],
    index: usize,
    beat: &Beat,
    cast: &[(Place, String, String)],
    (first, last): (&str, &str),
) -> String {
    let of = |place| id(cast, place);
    match &beat.what {
        What::Call { from, to, text, .. } => {
            format!("  {}->>{}: {}\n", of(*from), of(*to), escape(text))
        }
        What::Note { place, text, .. } => {
            format!("  Note over {}: {}\n", of(*place), escape(text))
        }
        What::Band { text, .. } => format!("  Note over {first},{last}: {}\n", escape(text)),
        What::Depart { message, from, to, text, stroke } if is_lost(model, *message) => {
            let arrow = if is_answer(*stroke, model, *message) { "--x" } else { "-x" };
            format!("  {}{arrow}{}: {}\n", of(*from), of(*to), escape(text))
        }
        What::Depart { message, .. } if !is_direct(beats, index, *message) => String::new(),
        What::Depart { message, from, to, text, stroke } => {
            let arrow = if is_answer(*stroke, model, *message) { "-->>" } else { "->>" };
            format!("  {}{arrow}{}: {}\n", of(*from), of(*to), escape(text))
        }
        What::Arrive { message, .. } => {
            let Some((at, left)) = departure(beats, *message) else { return String::new() };
            if at + 1 == index {
                return String::new();
            }
            let What::Depart { from, to, text, stroke, .. } = &left.what else {
                return String::new();
            };
            let arrow = if is_answer(*stroke, model, *message) { "-->>" } else { "->>" };
            let (from, to) = (of(*from), of(*to));
            format!("  {from}{arrow}{to}: {} (left at {})\n", escape(text), left.at)
        }
        What::Lose { .. } => String::new(),
    }
}

fn departure<'b>(beats: &[&'b Beat], message: usize) -> Option<(usize, &'b Beat)> {
    let found = beats.iter().enumerate().find(
        |(_, beat)| matches!(beat.what, What::Depart { message: left, .. } if left == message),
    );
    found.map(|(index, beat)| (index, *beat))
}

fn is_answer(stroke: Stroke, model: &Model<'_>, message: usize) -> bool {
    use inflight_protocol::fact::Direction;
    let thin = stroke.dash == Dash::Solid && stroke == crate::sequence::FETCH;
    thin || model.messages.list[message].direction == Direction::Response
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn signs_that_mermaid_reads_are_written_as_numbers() {
        assert_eq!(escape("Produce [B] #4; done"), "Produce [B] #35;4#59; done");
    }
}
