//! D3, the pipeline: where records wait in the producer, lane by lane, on one axis of time.

mod axis;
mod gather;
mod lanes;
mod readers;

use crate::frame::{Entry, Sample};
use crate::icon::Icon;
use crate::kind::{Drawing, Refusal, Task};
use crate::scene::{Dash, Fill, Scene, Stroke};
use crate::theme::Ink;
use crate::words::Word;
use axis::Axis;
use gather::Gathered;

pub(crate) fn lay_out(task: &Task<'_, '_>) -> Result<Drawing, Refusal> {
    lay_out_up_to(task, gather::REQUESTS_MAX).map(|(drawing, _)| drawing)
}

/// The picture with at most so many requests, and the x of every fact in it.
pub(crate) fn lay_out_up_to(
    task: &Task<'_, '_>,
    requests_max: usize,
) -> Result<(Drawing, Vec<(usize, i32)>), Refusal> {
    let gathered = Gathered::of(task, requests_max);
    if gathered.calls.is_empty() && gathered.requests.is_empty() && gathered.blocked.is_empty() {
        return Err(Refusal::Nothing("record or request"));
    }
    let mut scene = Scene::new(task.measure);
    let left = lanes::names(task, &gathered, &scene);
    let axis = Axis::of(task, &gathered, left);
    let bottom = lanes::draw(&mut scene, task, &gathered, &axis);
    axis.draw(&mut scene, task, bottom);
    let facts = task.model.facts().iter().enumerate();
    let inside = facts.filter(|(_, (at, _))| (gathered.from..=gathered.to).contains(at));
    let places = inside.map(|(index, (at, _))| (index, axis.x(*at))).collect();
    let mut notes = Vec::new();
    let lang = task.lang();
    let without = readers::shown(&gathered.readers).1;
    if without > 0 {
        let (showing, of) = (lang.say(Word::Showing), lang.say(Word::Of));
        let (all, word) = (gathered.readers.len(), lang.say(Word::Position));
        notes.push(format!("{showing} {} {of} {all}: {word}", all - without));
    }
    let (shown, all) = (gathered.requests.len(), task.model.requests.list.len());
    if shown < all {
        let (showing, of) = (lang.say(Word::Showing), lang.say(Word::Of));
        let (word, why) = (lang.say(Word::Requests), task.around());
        notes.push(format!("{showing} {shown} {of} {all} {word}: {why}"));
    }
    if axis.is_cut() {
        notes.push(lang.say(Word::TimeBroken).to_owned());
    }
    let figures = vec![
        ("request bars", shown as u64),
        ("batch bars", gathered.batches.len() as u64),
        ("send() calls", gathered.calls.len() as u64),
    ];
    Ok((Drawing { scene, legend: legend(&gathered), notes, figures }, places))
}

fn legend(gathered: &Gathered) -> Vec<Entry> {
    let producer = Stroke::thin(Ink::Producer);
    let mut list = vec![
        Entry { sample: Sample::Box(Fill::Tint(Ink::Producer), producer), word: Word::OpenBatches },
        Entry { sample: Sample::Box(Fill::Solid(Ink::Producer), producer), word: Word::InFlight },
    ];
    if gathered.requests.iter().any(|request| request.failed) {
        let sample = Sample::Sign(Icon::Cross, Ink::Bad);
        list.push(Entry { sample, word: Word::NoAnswer });
    }
    if gathered.batches.iter().any(|batch| batch.abandoned) {
        let sample = Sample::Sign(lanes::GONE, Ink::Bad);
        list.push(Entry { sample, word: Word::Abandoned });
    }
    if !gathered.backoffs.is_empty() {
        let line = Stroke::thick(Ink::Warning).dash(Dash::Dotted);
        list.push(Entry { sample: Sample::Line(line), word: Word::Backoff });
    }
    if !gathered.blocked.is_empty() {
        let hatch = Fill::Hatch(Ink::Bad);
        let sample = Sample::Box(hatch, Stroke::thin(Ink::Bad));
        list.push(Entry { sample, word: Word::Blocked });
    }
    if !gathered.readers.is_empty() {
        list.push(Entry { sample: Sample::Line(readers::POSITION), word: Word::Position });
    }
    if readers::shown(&gathered.readers).0.any(|(.., reader)| reader.is_committed()) {
        list.push(Entry { sample: Sample::Line(readers::COMMITTED), word: Word::CommittedOffset });
    }
    list
}
