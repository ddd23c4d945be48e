//! Lifelines: who takes part, who leads, who is down.

use super::beats::{Beat, Place, What};
use super::rows::Rows;
use super::select::Selection;
use super::timers;
use crate::kind::Task;
use crate::model::Model;
use crate::scene::{Anchor, Dash, Fill, Layer, Rect, Scene, Stroke, Type};
use crate::theme::Ink;
use crate::words::{Lang, Word};
use inflight_protocol::Fact;
use inflight_protocol::ids::{BrokerId, ClientId};
use std::collections::BTreeSet;

/// Where lifelines are.
pub(crate) struct Columns {
    pub(crate) list: Vec<(Place, i32, String)>,
    /// Where time is written.
    pub(crate) gutter: i32,
    /// Below the headings.
    pub(crate) top: i32,
    /// The first and the last beat's facts.
    beats: Vec<usize>,
}

impl Columns {
    pub(super) fn of(task: &Task<'_, '_>, selection: &Selection<'_>, scene: &Scene) -> Self {
        let measure = task.measure;
        let places = places(task, selection);
        let gutter = measure.across(78, 14);
        let mut x = gutter + measure.across(66, 4);
        let mut list: Vec<(Place, i32, String)> = Vec::new();
        for place in places {
            if let Some((before, ..)) = list.last() {
                x += distance(task, selection, scene, *before, place);
            }
            list.push((place, x, heading(task.model, task.lang(), place)));
        }
        let beats = selection.beats.iter().map(|beat| beat.fact).collect();
        Self { list, gutter, top: measure.down(44, 2), beats }
    }

    pub(crate) fn x(&self, place: Place) -> Option<i32> {
        self.list.iter().find(|(known, ..)| *known == place).map(|(_, x, _)| *x)
    }

    pub(crate) fn right(&self) -> i32 {
        self.list.last().map_or(0, |(_, x, _)| *x)
    }

    pub(crate) fn y(&self, rows: &Rows, fact: usize) -> i32 {
        let place = self.beats.partition_point(|known| *known < fact);
        rows.places.get(place).map_or(rows.bottom, |row| row.line)
    }
}

/// Everybody who takes part, from left to right.
fn places(task: &Task<'_, '_>, selection: &Selection<'_>) -> Vec<Place> {
    let mut seen = BTreeSet::new();
    for beat in &selection.beats {
        match &beat.what {
            What::Call { from, to, .. } | What::Depart { from, to, .. } => {
                seen.extend([*from, *to]);
            }
            What::Note { place, .. } => {
                seen.insert(*place);
            }
            What::Arrive { .. } | What::Lose { .. } | What::Band { .. } => {}
        }
    }
    // Those who hold the records are there even if they do nothing.
    let replicas = task.model.story.description.replicas(task.model.partition());
    let known = replicas.iter().filter(|n| (1..=BrokerId::MAX).contains(*n));
    seen.extend(known.map(|n| Place::Broker(BrokerId::new(*n))));
    let mut places = Vec::new();
    let clients = task.model.story.description.clients.len();
    for client in (0..clients).map(|index| ClientId::new(index as u16)) {
        for place in [Place::App(client), Place::Producer(client)] {
            places.extend(seen.contains(&place).then_some(place));
        }
    }
    places.extend(seen.iter().copied().filter(|place| matches!(place, Place::Broker(_))));
    places.extend(seen.contains(&Place::Controller).then_some(Place::Controller));
    places
}

/// What stands above a lifeline. Where there are several clients, an application is called after its
/// own.
pub(crate) fn heading(model: &Model<'_>, lang: Lang, place: Place) -> String {
    let name = |client| model.namer.names().client(client);
    match place {
        Place::App(_) if model.story.description.clients.len() < 2 => {
            lang.say(Word::App).to_owned()
        }
        Place::App(client) => format!("{} {}", lang.say(Word::AppOf), name(client)),
        Place::Producer(client) => name(client),
        Place::Broker(broker) => format!("b{broker}"),
        Place::Controller => lang.say(Word::Controller).to_owned(),
    }
}

/// How far two lifelines are apart.
fn distance(
    task: &Task<'_, '_>,
    selection: &Selection<'_>,
    scene: &Scene,
    left: Place,
    right: Place,
) -> i32 {
    let measure = task.measure;
    match (left, right) {
        (Place::App(_), Place::Producer(_)) => {
            let text = |beat: &&&Beat| match &beat.what {
                What::Call { text, .. } => scene.width_of(text, Type::body(Ink::Plain)),
                _ => 0,
            };
            let widest = selection.beats.iter().map(|beat| text(&beat)).max().unwrap_or(0);
            let timers = timers::widest(task, selection, scene);
            let room = measure.across(34, 5);
            widest.max(timers).max(measure.across(70, 8)) + room
        }
        (Place::Producer(_), _) => measure.across(200, 30),
        _ => measure.across(136, 20),
    }
}

/// Draws headings and lines.
pub(super) fn draw(scene: &mut Scene, task: &Task<'_, '_>, columns: &Columns, rows: &Rows) {
    let measure = task.measure;
    for (place, x, name) in &columns.list {
        let ink = match place {
            Place::App(_) => Ink::Plain,
            Place::Producer(_) => Ink::Producer,
            Place::Broker(_) => Ink::Follower,
            Place::Controller => Ink::Muted,
        };
        let look = Type::strong(ink).sized(13);
        let wide = scene.width_of(name, look) + measure.across(20, 2);
        let height = measure.down(26, 1);
        let place_box = Rect::new(x - wide / 2, measure.down(4, 0), wide, height);
        scene.about(None);
        if measure.is_cells() {
            scene.text(*x, 0, Anchor::Middle, look, name);
        } else {
            scene.round(place_box, Fill::Tint(ink), Some(Stroke::thin(ink)));
            scene.text_in(place_box, look, name);
        }
        scene.hold(place_box, 0);
        let from = measure.down(30, 1);
        for (top, bottom, state) in periods(task, columns, rows, *place, from) {
            line(scene, *x, top, bottom, ink, state);
        }
    }
}

/// How a lifeline looks for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Up,
    Leading,
    Down,
    /// Paused or not started yet.
    Idle,
}

fn line(scene: &mut Scene, x: i32, top: i32, bottom: i32, ink: Ink, state: State) {
    let (thin, thick) = (Stroke::thin(ink), Stroke::thick(ink));
    let down = Stroke::thin(Ink::Bad).dash(Dash::Dotted);
    let idle = Stroke::thin(Ink::Grid).dash(Dash::Dotted);
    match state {
        State::Leading if !scene.measure.is_cells() => {
            for shift in [-2, 2] {
                scene.line(Layer::Guides, &[(x + shift, top), (x + shift, bottom)], thick);
            }
        }
        State::Up | State::Leading => scene.line(Layer::Guides, &[(x, top), (x, bottom)], thin),
        State::Down => scene.line(Layer::Guides, &[(x, top), (x, bottom)], down),
        State::Idle => scene.line(Layer::Guides, &[(x, top), (x, bottom)], idle),
    }
}

/// A lifeline in parts that look alike.
fn periods(
    task: &Task<'_, '_>,
    columns: &Columns,
    rows: &Rows,
    place: Place,
    from: i32,
) -> Vec<(i32, i32, State)> {
    let model = task.model;
    let partition = model.partition();
    let first = model.story.description.replicas(partition).first().copied();
    let mut leads = matches!(place, Place::Broker(broker) if first == Some(broker.get()));
    let mut alive = State::Up;
    let mut parts = Vec::new();
    let mut top = from;
    let state = |alive, leads| if alive == State::Up && leads { State::Leading } else { alive };
    for (index, (_, fact)) in model.facts().iter().enumerate() {
        let before = state(alive, leads);
        match (*fact, place) {
            (
                Fact::BrokerCrashed { broker, .. } | Fact::BrokerStopped { broker },
                Place::Broker(b),
            ) if broker == b => {
                (alive, leads) = (State::Down, false);
            }
            (Fact::BrokerPaused { broker }, Place::Broker(b)) if broker == b => alive = State::Idle,
            (Fact::BrokerStarted { broker } | Fact::BrokerResumed { broker }, Place::Broker(b))
                if broker == b =>
            {
                alive = State::Up;
            }
            (Fact::BecameLeader { broker, partition: p, .. }, Place::Broker(b))
                if broker == b && p == partition =>
            {
                leads = true;
            }
            (Fact::BecameFollower { broker, partition: p, .. }, Place::Broker(b))
                if broker == b && p == partition =>
            {
                leads = false;
            }
            (
                Fact::ProducerStopped { client, .. } | Fact::ProducerPaused { client },
                Place::Producer(c),
            ) if client == c => alive = State::Idle,
            (Fact::ConsumerStopped { client, .. }, Place::Producer(c)) if client == c => {
                alive = State::Idle;
            }
            (
                Fact::ConsumerStarted { client, .. }
                | Fact::ProducerStarted { client, .. }
                | Fact::ProducerResumed { client },
                Place::Producer(c),
            ) if client == c => alive = State::Up,
            _ => {}
        }
        if state(alive, leads) != before {
            let y = columns.y(rows, index);
            if y > top {
                parts.push((top, y, before));
                top = y;
            }
        }
    }
    parts.push((top, rows.bottom, state(alive, leads)));
    parts.retain(|(top, bottom, _)| top < bottom);
    parts
}
