//! D2, log strips: what the application was told above what each replica holds, offset by offset.

mod columns;
mod moments;
mod strips;

use crate::frame::{Entry, Sample};
use crate::icon::Icon;
use crate::kind::{Drawing, Refusal, Task};
use crate::model::logs::{Logs, Outcome};
use crate::scene::{Anchor, Dash, Fill, Head, Layer, Point, Scene, Stroke, Type};
use crate::sequence::tell;
use crate::theme::Ink;
use crate::words::Word;
use columns::Columns;
use strips::Seen;

pub(crate) use moments::{Moment, moments};
pub(crate) use strips::word_of;

pub(crate) fn lay_out(task: &Task<'_, '_>) -> Result<Drawing, Refusal> {
    let moments = moments(task);
    draw_moments(task, &moments)
}

/// The strips at some moments, one below the other.
pub(crate) fn draw_moments(task: &Task<'_, '_>, moments: &[Moment]) -> Result<Drawing, Refusal> {
    let Some(last) = moments.last() else { return Err(Refusal::Nothing("log with records")) };
    let columns = Columns::of(task, moments);
    let mut scene = Scene::new(task.measure);
    let mut seen = Seen::default();
    let mut y = 0;
    let mut before: Option<&Logs> = None;
    for (index, moment) in moments.iter().enumerate() {
        let is_last = index + 1 == moments.len();
        y = caption(&mut scene, task, moment, is_last, y);
        y = columns.heading(&mut scene, task, y);
        y = strips::draw(&mut scene, task, &columns, (before, &moment.logs), y, &mut seen);
        before = Some(&moment.logs);
        y += task.measure.down(16, 1);
    }
    scene.height = scene.height.max(y - task.measure.down(16, 1));
    let missing = missing(&last.logs).len() as u64;
    let figures =
        vec![("pictures of the logs", moments.len() as u64), ("acked records missing", missing)];
    let mut notes = columns.notes.clone();
    if task.model.partitions() > 1 {
        let name = task.model.namer.names().partition(last.logs.partition);
        notes.insert(0, task.lang().value(Word::OnlyPartition, name));
    }
    Ok(Drawing { scene, legend: legend(&seen), notes, figures })
}

/// The strips at one of several moments, with the columns of all, after the one before it.
pub(crate) fn draw_one(
    task: &Task<'_, '_>,
    moments: &[Moment],
    before: usize,
    moment: &Moment,
) -> Result<Drawing, Refusal> {
    let columns = Columns::of(task, moments);
    let mut scene = Scene::new(task.measure);
    let mut seen = Seen::default();
    let y = columns.heading(&mut scene, task, 0);
    let before = moments.get(before).map(|moment| &moment.logs);
    let y = strips::draw(&mut scene, task, &columns, (before, &moment.logs), y, &mut seen);
    scene.height = y;
    Ok(Drawing { scene, legend: legend(&seen), ..Drawing::default() })
}

/// The records that were acked and are not in the leader's log, or in no log if nobody leads.
pub(crate) fn missing(logs: &Logs) -> Vec<(inflight_protocol::SessionId, u64)> {
    let leader = logs.leader.and_then(|leader| logs.replica(leader));
    let mut missing = Vec::new();
    for told in &logs.told {
        if !matches!(told.outcome, Outcome::Acked(_)) {
            continue;
        }
        for ordinal in told.first..told.first + told.count {
            let there = match leader {
                Some(leader) => !leader.offsets_of(told.session, ordinal).is_empty(),
                None => {
                    logs.replicas.iter().any(|r| !r.offsets_of(told.session, ordinal).is_empty())
                }
            };
            if !there {
                missing.push((told.session, ordinal));
            }
        }
    }
    missing
}

/// The time of a moment and what has just happened. Gives the y below.
fn caption(scene: &mut Scene, task: &Task<'_, '_>, moment: &Moment, is_last: bool, y: i32) -> i32 {
    let measure = task.measure;
    let lang = task.lang();
    let at = task.model.at(moment.fact);
    let x = if task.parts_at == Some(moment.fact) {
        let point = Point { x: measure.across(6, 0), y: y + measure.down(8, 0) };
        scene.icon(Icon::Rhombus, point, 12, Ink::Transaction);
        measure.across(18, 2)
    } else {
        0
    };
    let look = Type::strong(Ink::Plain);
    let mut place = scene.text(x, y, Anchor::Start, look, &at.to_string());
    if moment.decides {
        let x = place.right() + measure.across(12, 1);
        let at = Point { x, y: y + measure.down(8, 0) };
        scene.icon(Icon::Triangle, at, 12, Ink::Warning);
        place.w += measure.across(18, 2);
    }
    let text = match is_last {
        false => format!("{} {}", lang.say(Word::After), tell(task.model, lang, moment.fact)),
        true => lang.say(Word::AtEnd).to_owned(),
    };
    let x = place.right() + measure.across(8, 1);
    let text = measure.cut(&text, 12, measure.across(620, 78));
    let place = scene.text(x, y, Anchor::Start, Type::body(Ink::Muted), &text);
    scene.hold(place, 0);
    let bottom = place.bottom() + measure.down(3, 0);
    if !measure.is_cells() {
        let line = Stroke::thin(Ink::Grid).dash(Dash::Dotted);
        scene.line(Layer::Guides, &[(0, y - 7), (scene.width, y - 7)], line);
    }
    bottom
}

fn legend(seen: &Seen) -> Vec<Entry> {
    let mut list = Vec::new();
    let mut add = |wanted: bool, sample, word| {
        if wanted {
            list.push(Entry { sample, word });
        }
    };
    let solid = |ink| Stroke::thin(ink);
    add(
        seen.committed,
        Sample::Box(Fill::Tint(Ink::Good), solid(Ink::Good)),
        Word::LegendCommitted,
    );
    let hatched = Sample::Box(Fill::Hatch(Ink::Muted), solid(Ink::Muted));
    add(seen.uncommitted, hatched, Word::LegendUncommitted);
    let copy = Sample::Signed(Fill::Tint(Ink::Duplicate), solid(Ink::Duplicate), Icon::Same);
    add(seen.copy, copy, Word::LegendCopy);
    let late = Sample::Signed(Fill::Tint(Ink::Warning), solid(Ink::Warning), Icon::Swap);
    add(seen.late, late, Word::LegendLate);
    let missing = Sample::Signed(Fill::Tint(Ink::Bad), solid(Ink::Bad), Icon::Cross);
    add(seen.missing, missing, Word::LegendMissing);
    let failed = Sample::Signed(Fill::None, solid(Ink::Bad), Icon::Cross);
    add(seen.failed, failed, Word::LegendFailed);
    let unknown = Sample::Signed(Fill::None, solid(Ink::Muted).dash(Dash::Dashed), Icon::Question);
    add(seen.unknown, unknown, Word::LegendUnknown);
    let dashed = solid(Ink::Bad).dash(Dash::Dashed);
    let open = Sample::Signed(Fill::Tint(Ink::Transaction), solid(Ink::Transaction), Icon::Dot);
    add(seen.open, open, Word::LegendOpen);
    add(seen.aborted, Sample::Signed(Fill::None, dashed, Icon::Cross), Word::LegendAborted);
    let marker = Sample::Signed(Fill::None, Stroke::thick(Ink::Good), Icon::Rhombus);
    add(seen.marker, marker, Word::LegendMarker);
    let cut = Sample::Arrow(solid(Ink::Bad).dash(Dash::Dashed), Head::Lost);
    add(seen.cut, cut, Word::LegendTruncated);
    add(true, Sample::Sign(Icon::Up, Ink::Good), Word::LegendHw);
    add(seen.transactions, Sample::Sign(Icon::Left, Ink::Transaction), Word::LegendLso);
    add(true, Sample::Sign(Icon::Right, Ink::Muted), Word::LegendLeo);
    list
}
