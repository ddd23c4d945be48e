//! D5, the transaction timeline: what the application calls, in which state producer and coordinator
//! are, what each partition holds, and what readers of committed records see, on one axis of time.

mod gather;
mod lanes;
mod layout;
mod rows;
mod select;
mod visible;
mod walk;

pub use visible::{Level, Visible, levels, visibility};

use crate::frame::{Entry, Sample};
use crate::icon::Icon;
use crate::kind::{Drawing, Refusal, Task};
use crate::scene::{Dash, Fill, Scene, Stroke};
use crate::theme::Ink;
use crate::words::Word;
use gather::{Event, Gathered, Hold, Lane, Look};
use layout::Layout;

/// How many events a picture that stands alone has at most.
const EVENTS_MAX: usize = 90;
/// How wide such a picture is at most, and in how many parts it goes on below.
const WIDTH_MAX: i32 = 1_180;
const PARTS_MAX: usize = 4;
/// The fewest events of a part.
const PART_MIN: usize = 6;

pub(crate) fn lay_out(task: &Task<'_, '_>) -> Result<Drawing, Refusal> {
    let gathered = gather(task)?;
    if task.measure.is_cells() {
        let chosen = select::select(task, &gathered, EVENTS_MAX)?;
        return Ok(rows::draw(task, &gathered, &chosen));
    }
    let mut most = EVENTS_MAX;
    let (chosen, parts) = loop {
        let chosen = select::select(task, &gathered, most)?;
        let parts = parts(task, &gathered, chosen);
        if parts.len() <= PARTS_MAX || most <= PART_MIN {
            break (chosen, parts);
        }
        most -= most / 8 + 1;
    };
    Ok(draw_parts(task, &gathered, chosen, &parts).0)
}

/// The picture with at most so many events in one part, and the x of every fact in it.
pub(crate) fn lay_out_up_to(
    task: &Task<'_, '_>,
    events_max: usize,
) -> Result<(Drawing, Vec<(usize, i32)>), Refusal> {
    let gathered = gather(task)?;
    let chosen = select::select(task, &gathered, events_max)?;
    let part = select::part(&gathered.events, chosen.from, chosen.to);
    Ok(draw_parts(task, &gathered, chosen, &[part]))
}

fn gather(task: &Task<'_, '_>) -> Result<Gathered, Refusal> {
    let gathered = Gathered::of(task);
    let has_calls = |event: &Event| matches!(event.lane, Lane::Coordinator(_) | Lane::App(_));
    match gathered.events.iter().any(has_calls) {
        true => Ok(gathered),
        false => Err(Refusal::Nothing("transaction")),
    }
}

/// The chosen events in parts that are narrow enough, cut where the wait is longest.
fn parts(task: &Task<'_, '_>, gathered: &Gathered, chosen: select::Chosen) -> Vec<select::Part> {
    let all = &gathered.events;
    let scene = Scene::new(task.measure);
    let left = lanes::names(task, &all[chosen.from..chosen.to], &scene);
    let fits = |from: usize, to: usize| {
        let part = select::part(all, from, to);
        Layout::of(task, &part.events, &scene, left).right <= WIDTH_MAX
    };
    let mut parts = Vec::new();
    let mut from = chosen.from;
    while from < chosen.to {
        let (mut few, mut many) = ((from + PART_MIN).min(chosen.to), chosen.to);
        while few < many {
            let middle = (few + many).div_ceil(2);
            if fits(from, middle) { few = middle } else { many = middle - 1 }
        }
        let mut to = few;
        if to < chosen.to {
            let third = (to - from) / 3;
            let wait = |place: &usize| all[*place].at.since(all[place - 1].at);
            let longest = (to - third..=to).max_by_key(|place| (wait(place), *place));
            to = longest.unwrap_or(to);
        }
        parts.push(select::part(all, from, to));
        from = to;
    }
    parts
}

fn draw_parts(
    task: &Task<'_, '_>,
    gathered: &Gathered,
    chosen: select::Chosen,
    parts: &[select::Part],
) -> (Drawing, Vec<(usize, i32)>) {
    let mut scene = Scene::new(task.measure);
    let all = &gathered.events[chosen.from..chosen.to];
    let left = parts.iter().map(|part| lanes::names(task, &part.events, &scene)).max().unwrap_or(0);
    let (mut y, mut is_cut, mut places) = (0, false, Vec::new());
    for part in parts {
        let layout = Layout::of(task, &part.events, &scene, left);
        let mut one = Scene::new(task.measure);
        lanes::draw(&mut one, task, gathered, part, &layout);
        is_cut |= layout.is_cut();
        places.extend(layout.places(task, part));
        let height = one.height;
        scene.place(one, 0, y);
        y += height + 22;
    }
    let drawing = Drawing {
        scene,
        legend: legend(gathered, all),
        notes: notes(task, gathered, &chosen, is_cut),
        figures: figures(task, &chosen, all),
    };
    (drawing, places)
}

/// What is left out, in words.
fn notes(
    task: &Task<'_, '_>,
    gathered: &Gathered,
    chosen: &select::Chosen,
    is_cut: bool,
) -> Vec<String> {
    let lang = task.lang();
    let (showing, of) = (lang.say(Word::Showing), lang.say(Word::Of));
    let mut notes = Vec::new();
    if chosen.shown < chosen.total {
        let (shown, total, word) = (chosen.shown, chosen.total, lang.say(Word::Events));
        notes.push(format!("{showing} {shown} {of} {total} {word}: {}", chosen.why));
    }
    if gathered.partitions_left > 0 {
        let shown = gathered.partitions.len();
        let total = shown + gathered.partitions_left;
        notes.push(format!("{showing} {shown} {of} {total} {}", lang.say(Word::Partitions)));
    }
    if is_cut {
        notes.push(lang.say(Word::TimeBroken).to_owned());
    }
    notes
}

fn figures(
    task: &Task<'_, '_>,
    chosen: &select::Chosen,
    events: &[Event],
) -> Vec<(&'static str, u64)> {
    let count = |test: fn(&Event) -> bool| events.iter().filter(|e| test(e)).count() as u64;
    let seen = visibility(&task.model.story);
    let early = seen.iter().filter(|seen| seen.is_early()).count() as u64;
    vec![
        ("events", chosen.shown as u64),
        ("markers", count(|event| matches!(event.look, Look::Marker(_)))),
        (
            "states of coordinators",
            count(|event| {
                matches!(
                    (event.lane, event.look),
                    (Lane::Coordinator(_), Look::State(_, Hold::Firm))
                )
            }),
        ),
        ("records read above the last stable offset", early),
    ]
}

fn legend(gathered: &Gathered, events: &[Event]) -> Vec<Entry> {
    let has = |test: &dyn Fn(&Event) -> bool| events.iter().any(test);
    let cell = |icon: Option<Icon>| {
        has(
            &|event| matches!((event.lane, event.look), (Lane::Log(_), Look::Cell(_, _, i)) if i == icon),
        )
    };
    let thin = Stroke::thin;
    let mut list = Vec::new();
    let mut add = |wanted: bool, sample, word| {
        if wanted {
            list.push(Entry { sample, word });
        }
    };
    let pending = |event: &Event| matches!(event.look, Look::State(_, Hold::Pending));
    let hatched = Sample::Box(Fill::Hatch(Ink::Muted), thin(Ink::Muted));
    add(has(&pending), hatched, Word::LegendPending);
    let kept = Sample::Signed(Fill::Tint(Ink::Good), thin(Ink::Good), Icon::Check);
    add(cell(Some(Icon::Check)), kept, Word::LegendInCommitted);
    let dashed = thin(Ink::Bad).dash(Dash::Dashed);
    let dropped = Sample::Signed(Fill::None, dashed, Icon::Cross);
    add(cell(Some(Icon::Cross)), dropped, Word::LegendAborted);
    let open = Sample::Signed(Fill::Tint(Ink::Transaction), thin(Ink::Transaction), Icon::Dot);
    add(cell(Some(Icon::Dot)), open, Word::LegendOpen);
    let plain = Sample::Box(Fill::Tint(Ink::Follower), thin(Ink::Follower));
    add(cell(None), plain, Word::LegendPlain);
    let marker = |event: &Event| matches!(event.look, Look::Marker(_));
    add(has(&marker), Sample::Sign(Icon::Rhombus, Ink::Plain), Word::LegendMarker);
    let band = Sample::Line(lanes::BAND);
    add(!gathered.open.is_empty(), band, Word::LegendBand);
    let levels = has(&|event| matches!(event.look, Look::Levels { .. }));
    add(levels, Sample::Line(lanes::HIGH), Word::LegendHw);
    add(levels, Sample::Line(lanes::STABLE), Word::LegendLso);
    let hidden = Sample::Box(Fill::Hatch(Ink::Transaction), thin(Ink::Transaction));
    add(levels, hidden, Word::LegendHidden);
    list
}
