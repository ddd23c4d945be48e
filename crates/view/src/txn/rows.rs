//! The same for terminals: a row for each event, a column for each who takes part.

use super::gather::{Event, Gathered, Lane, Look};
use super::select::{Chosen, part};
use super::{figures, notes};
use crate::icon::Icon;
use crate::kind::{Drawing, Task};
use crate::table::{Cell, Table};
use crate::theme::Ink;
use crate::words::Word;

/// How wide a column is at most, in cells.
const COLUMN_MAX: i32 = 24;

pub(super) fn draw(task: &Task<'_, '_>, gathered: &Gathered, chosen: &Chosen) -> Drawing {
    let events = part(&gathered.events, chosen.from, chosen.to).events;
    let columns = columns(&events);
    let mut heads = vec![String::new()];
    heads.extend(columns.iter().map(|lane| task.measure.cut(&head(task, *lane), 12, limit(task))));
    let mut table = Table { heads, ..Table::default() };
    for event in &events {
        let Some(cell) = cell(task, event) else { continue };
        let mut row = vec![Cell::plain(event.at.to_string())];
        let at = columns.iter().position(|lane| *lane == column(event.lane));
        row.extend(columns.iter().map(|_| Cell::default()));
        if let Some(place) = at.and_then(|at| row.get_mut(at + 1)) {
            *place = cell;
        }
        table.rows.push(row);
        table.facts.push(Some(event.fact));
    }
    let scene = table.scene(task.measure);
    let notes = notes(task, gathered, chosen, false);
    Drawing { scene, legend: Vec::new(), notes, figures: figures(task, chosen, &events) }
}

fn limit(task: &Task<'_, '_>) -> i32 {
    task.measure.across(0, COLUMN_MAX)
}

/// The column of a lane: that of the first lane of its group.
const fn column(lane: Lane) -> Lane {
    match lane {
        Lane::Producer(client) => Lane::App(client),
        Lane::Epoch(id) | Lane::Says(id) => Lane::Coordinator(id),
        Lane::Stable(partition) => Lane::Log(partition),
        Lane::Faults
        | Lane::App(_)
        | Lane::Coordinator(_)
        | Lane::Offsets(_)
        | Lane::Log(_)
        | Lane::Reader(_) => lane,
    }
}

fn columns(events: &[Event]) -> Vec<Lane> {
    let mut list: Vec<Lane> = events.iter().map(|event| column(event.lane)).collect();
    list.sort_by_key(|lane| lane.rank());
    list.dedup();
    list
}

fn head(task: &Task<'_, '_>, lane: Lane) -> String {
    let names = task.model.namer.names();
    match lane {
        Lane::Coordinator(id) => names.transactional(id),
        Lane::Log(partition) => names.partition(partition),
        Lane::App(client) => names.client(client),
        _ => super::lanes::name(task, lane),
    }
}

fn cell(task: &Task<'_, '_>, event: &Event) -> Option<Cell> {
    let signed = |icon: Option<Icon>, ink: Ink, text: &str| {
        let text = task.measure.cut(text, 12, limit(task));
        match icon {
            Some(icon) => Cell::signed(icon, ink, text),
            None => Cell::plain(text),
        }
    };
    let lang = task.lang();
    Some(match event.look {
        Look::Label(ink, icon) => signed(icon, ink, &event.text),
        Look::State(..) if event.text.is_empty() => return None,
        Look::State(ink, _) => signed(None, ink, &format!("= {}", event.text)),
        Look::Cell(_, stroke, icon) => signed(icon, stroke.ink, &event.text),
        Look::Marker(_) => signed(Some(Icon::Rhombus), Ink::Plain, &event.text),
        Look::Levels { high, stable } => {
            let text = format!(
                "{} {stable} {} {high}",
                lang.say(Word::LastStable),
                lang.say(Word::HighWatermark)
            );
            signed(None, Ink::Muted, &text)
        }
    })
}
