//! A PlantUML sequence diagram, which knows arrows that take time.

use super::{ARROWS_MAX, cast, id, is_direct, is_lost, with_beats};
use crate::Story;
use crate::kind::{Options, Refusal};
use crate::sequence::What;
use std::fmt::Write;

/// How far an arrow slants that arrives after something else.
const SLANT: usize = 24;

/// A run as a PlantUML sequence diagram.
///
/// # Errors
///
/// If the run has nothing to show.
pub fn plantuml(story: &Story<'_>, options: &Options) -> Result<String, Refusal> {
    with_beats(story, options, ARROWS_MAX, |model, beats, notes| {
        let cast = cast(model, beats, options.lang);
        let of = |place| id(&cast, place);
        let mut text = String::from("@startuml\n");
        let _ = writeln!(text, "title {}", line(&story.description.title));
        for (_, id, name) in &cast {
            let _ = writeln!(text, "participant \"{}\" as {id}", line(name));
        }
        for note in notes {
            let _ = writeln!(text, "== {} ==", line(note));
        }
        let mut shown = None;
        for (index, beat) in beats.iter().enumerate() {
            let quiet = matches!(beat.what, What::Arrive { .. } | What::Lose { .. });
            if !quiet && shown != Some(beat.at) {
                shown = Some(beat.at);
                let _ = writeln!(text, "... {} ...", beat.at);
            }
            let _ = match &beat.what {
                What::Call { from, to, text: words, .. } => {
                    writeln!(text, "{} -> {} : {}", of(*from), of(*to), line(words))
                }
                What::Depart { message, from, to, text: words, .. } => {
                    let arrow = if is_lost(model, *message) {
                        "->x".to_owned()
                    } else if is_direct(beats, index, *message) {
                        "->".to_owned()
                    } else {
                        format!("->({SLANT})")
                    };
                    writeln!(text, "{} {arrow} {} : {}", of(*from), of(*to), line(words))
                }
                What::Note { place, text: words, .. } => {
                    writeln!(text, "note over {} : {}", of(*place), line(words))
                }
                What::Band { text: words, .. } => writeln!(text, "== {} ==", line(words)),
                What::Arrive { .. } | What::Lose { .. } => Ok(()),
            };
        }
        text.push_str("@enduml\n");
        text
    })
}

/// A text that stays on its line and ends no name.
fn line(text: &str) -> String {
    text.replace(['\n', '\r'], " ").replace('"', "'")
}
