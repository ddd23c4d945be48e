//! The same sequence for other tools: Mermaid, PlantUML, ShiViz.

mod mermaid;
mod plantuml;
mod shiviz;

pub use mermaid::mermaid;
pub use plantuml::plantuml;
pub use shiviz::shiviz;

use crate::Story;
use crate::kind::{Options, Refusal, Task};
use crate::measure::{Measure, Medium};
use crate::model::Model;
use crate::sequence::{Beat, Place, Selection, What, collect, heading, select};
use crate::words::Lang;

/// How many arrows an export has at most, so that no tool refuses it.
const ARROWS_MAX: usize = 60;

/// Shows the chosen beats of a run to a writer.
fn with_beats<T>(
    story: &Story<'_>,
    options: &Options,
    arrows_max: usize,
    write: impl FnOnce(&Model<'_>, &[&Beat], &[String]) -> T,
) -> Result<T, Refusal> {
    let model = Model::new(*story);
    let measure = Measure { medium: Medium::Pixels };
    let task = Task { model: &model, options, measure, parts_at: None };
    let beats = collect(&model, options.lang);
    if beats.list.is_empty() {
        return Err(Refusal::Nothing("record, request or fault"));
    }
    // Calls of the application are messages to other tools as well.
    let messages = |selection: &Selection<'_>| {
        let is_message =
            |beat: &&&Beat| matches!(beat.what, What::Depart { .. } | What::Call { .. });
        selection.beats.iter().filter(is_message).count()
    };
    let mut most = arrows_max;
    let mut selection = select(&task, &beats, most)?;
    while messages(&selection) > 2 * arrows_max && most > 1 {
        most -= most / 8 + 1;
        selection = select(&task, &beats, most)?;
    }
    Ok(write(&model, &selection.beats, &selection.notes))
}

/// Everybody who takes part, in order: an identifier and a name.
fn cast(model: &Model<'_>, beats: &[&Beat], lang: Lang) -> Vec<(Place, String, String)> {
    let mut places: Vec<Place> = Vec::new();
    for beat in beats {
        match &beat.what {
            What::Call { from, to, .. } | What::Depart { from, to, .. } => {
                places.extend([*from, *to]);
            }
            What::Note { place, .. } => places.push(*place),
            What::Arrive { .. } | What::Lose { .. } | What::Band { .. } => {}
        }
    }
    // Clients by their numbers, each with its application first; then brokers and the controller.
    let rank = |place: &Place| match place {
        Place::App(client) => (0, client.get(), 0),
        Place::Producer(client) => (0, client.get(), 1),
        Place::Broker(broker) => (1, u16::from(broker.get()), 0),
        Place::Controller => (2, 0, 0),
    };
    places.sort_by_key(rank);
    places.dedup();
    let named = places.into_iter().map(|place| {
        let id = match place {
            Place::App(client) => format!("app{client}"),
            Place::Producer(client) => format!("client{client}"),
            Place::Broker(broker) => format!("b{broker}"),
            Place::Controller => "controller".to_owned(),
        };
        (place, id, heading(model, lang, place))
    });
    named.collect()
}

/// The identifier of one who takes part.
fn id(cast: &[(Place, String, String)], place: Place) -> &str {
    cast.iter().find(|(known, ..)| *known == place).map_or("controller", |(_, id, _)| id)
}

/// Whether a message arrives right after it left, with nothing shown in between.
fn is_direct(beats: &[&Beat], index: usize, message: usize) -> bool {
    beats.get(index + 1).is_some_and(
        |next| matches!(next.what, What::Arrive { message: arrived, .. } if arrived == message),
    )
}

/// Whether a message is lost.
fn is_lost(model: &Model<'_>, message: usize) -> bool {
    matches!(model.messages.list[message].end, crate::model::messages::End::Lost(..))
}
