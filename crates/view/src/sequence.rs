//! D1, the space-time diagram: a lifeline for everybody, time downwards.

mod beats;
mod calls;
mod coordinators;
mod draw;
mod labels;
mod lifelines;
mod notes;
mod readers;
mod rows;
mod select;
mod timers;

pub(crate) use beats::{Beat, Place, What, collect, tell};
pub(crate) use lifelines::heading;
pub(crate) use select::{Selection, select};

use crate::frame::{Entry, Sample};
use crate::icon::Icon;
use crate::kind::{Drawing, Refusal, Task};
use crate::scene::{Dash, Fill, Head, Scene, Stroke};
use crate::theme::Ink;
use crate::words::Word;
use rows::Rows;

/// How an arrow of each sort looks.
pub(crate) const REQUEST: Stroke = Stroke::thick(Ink::Producer);
pub(crate) const RESPONSE: Stroke = Stroke::thick(Ink::Good);
pub(crate) const REFUSAL: Stroke = Stroke::thick(Ink::Bad);
pub(crate) const FETCH: Stroke = Stroke::thin(Ink::Follower);
pub(crate) const LOST: Stroke = Stroke { ink: Ink::Bad, quarters: 8, dash: Dash::Dashed };

pub(crate) fn lay_out(task: &Task<'_, '_>) -> Result<Drawing, Refusal> {
    lay_out_up_to(task, select::ARROWS_MAX).map(|(drawing, _)| drawing)
}

/// The picture with at most so many arrows, and the y of each fact that is shown.
pub(crate) fn lay_out_up_to(
    task: &Task<'_, '_>,
    arrows_max: usize,
) -> Result<(Drawing, Vec<(usize, i32)>), Refusal> {
    let beats = collect(task.model, task.lang());
    if beats.list.is_empty() {
        return Err(Refusal::Nothing("record, request or fault"));
    }
    let selection = select(task, &beats, arrows_max)?;
    let mut scene = Scene::new(task.measure);
    let columns = lifelines::Columns::of(task, &selection, &scene);
    let timers = timers::of(task, &selection);
    let rows = Rows::of(task, &selection, columns.top);
    lifelines::draw(&mut scene, task, &columns, &rows);
    timers::draw(&mut scene, task, &timers, &columns, &rows);
    draw::beats(&mut scene, task, &selection, &columns, &rows);
    scene.height = scene.height.max(rows.bottom);
    let places = selection.beats.iter().zip(&rows.places);
    let places = places.map(|(beat, row)| (beat.fact, row.line)).collect();
    let legend = legend(&selection);
    let arrows = selection.arrows() as u64;
    let figures = vec![("arrows", arrows), ("events", selection.beats.len() as u64)];
    Ok((Drawing { scene, legend, notes: selection.notes, figures }, places))
}

fn legend(selection: &Selection<'_>) -> Vec<Entry> {
    let arrow = |stroke, head, word| Entry { sample: Sample::Arrow(stroke, head), word };
    let has = |test: fn(&Beat) -> bool| selection.beats.iter().any(|beat| test(beat));
    let shows = |ink, icon| {
        selection.beats.iter().any(
            |beat| matches!(beat.what, What::Note { ink: i, icon: Some(sign), .. } if (i, sign) == (ink, icon)),
        )
    };
    let mut list = Vec::new();
    if has(|beat| matches!(beat.what, What::Depart { stroke: REQUEST, .. })) {
        list.push(arrow(REQUEST, Head::Arrived, Word::LegendRequest));
    }
    if has(|beat| matches!(beat.what, What::Depart { stroke: RESPONSE, .. })) {
        list.push(arrow(RESPONSE, Head::Arrived, Word::LegendResponse));
    }
    if has(|beat| matches!(beat.what, What::Depart { stroke: FETCH, .. })) {
        list.push(arrow(FETCH, Head::Arrived, Word::LegendFetch));
    }
    if has(|beat| matches!(beat.what, What::Lose { .. })) {
        list.push(arrow(LOST, Head::Lost, Word::LegendLost));
    }
    list.push(Entry { sample: Sample::Double(Ink::Follower), word: Word::LegendLeading });
    if shows(Ink::Bad, Icon::Lightning) {
        let dead = Stroke::thin(Ink::Bad).dash(Dash::Dotted);
        list.push(Entry { sample: Sample::Line(dead), word: Word::LegendDead });
    }
    if shows(Ink::Duplicate, Icon::Same) {
        let sample = Sample::Sign(Icon::Same, Ink::Duplicate);
        list.push(Entry { sample, word: Word::LegendCopy });
    }
    if shows(Ink::Warning, Icon::Swap) {
        let sample = Sample::Sign(Icon::Swap, Ink::Warning);
        list.push(Entry { sample, word: Word::LegendLate });
    }
    if has(|beat| beat.decides) {
        let line = Stroke::thin(Ink::Warning);
        let sample = Sample::Signed(Fill::Tint(Ink::Warning), line, Icon::Triangle);
        list.push(Entry { sample, word: Word::LegendAnomaly });
    }
    list
}
