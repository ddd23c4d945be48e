//! Timers, as brackets beside the producer's lifeline: how long it waited for what.

use super::beats::{Beat, Place, What};
use super::lifelines::Columns;
use super::rows::Rows;
use super::select::Selection;
use crate::icon::Icon;
use crate::kind::Task;
use crate::measure::brief;
use crate::scene::{Anchor, Layer, Point, Scene, Stroke, Type};
use crate::theme::Ink;
use crate::words::Word;
use inflight_des::Span;
use inflight_protocol::Fact;
use inflight_protocol::fact::{CloseCause, DrainReason};
use inflight_protocol::ids::{BatchId, ClientId, Node, SessionId};
use std::collections::BTreeMap;

/// A timer that ran out.
pub(super) struct Timer {
    client: ClientId,
    /// The facts between which it ran.
    from: usize,
    to: usize,
    text: String,
}

/// The timers whose ends are shown.
pub(super) fn of(task: &Task<'_, '_>, selection: &Selection<'_>) -> Vec<Timer> {
    let model = task.model;
    let mut timers: Vec<Timer> = Vec::new();
    let mut first: BTreeMap<(SessionId, BatchId), usize> = BTreeMap::new();
    let mut requeued: BTreeMap<(SessionId, BatchId), usize> = BTreeMap::new();
    let mut asked: BTreeMap<inflight_protocol::ConnectionId, usize> = BTreeMap::new();
    for (index, (_, fact)) in model.facts().iter().enumerate() {
        let linger = linger_of(task, fact);
        let mut push = |client: Option<ClientId>, from: usize, to, word| {
            let Some(client) = client else { return };
            let span = model.at(to).since(model.at(from));
            let text = match (word, linger) {
                (Word::Linger, Some(Span::ZERO)) => {
                    format!("{} {}", task.lang().say(Word::Ready), brief(span))
                }
                (Word::Linger, Some(linger)) if span > linger => {
                    let (rest, waits) = (brief(span - linger), task.lang().say(Word::Ready));
                    format!("{} {linger} + {waits} {rest}", task.lang().say(word))
                }
                _ => format!("{} {}", task.lang().say(word), brief(span)),
            };
            timers.push(Timer { client, from, to, text });
        };
        match *fact {
            Fact::RecordsQueued { session, batch, .. } => {
                first.entry((session, batch)).or_insert(index);
            }
            Fact::MessageSent { connection, from: Node::Client(_), .. } => {
                asked.insert(connection, index);
            }
            Fact::BatchRequeued { session, batch, .. } => {
                requeued.insert((session, batch), index);
            }
            Fact::BatchDrained { session, batch, reason, .. } => {
                let client = model.namer.client_of(session);
                if let Some(from) = requeued.remove(&(session, batch)) {
                    push(client, from, departure(task, selection, index), Word::Backoff);
                } else if let (DrainReason::Linger, Some(from)) =
                    (reason, first.get(&(session, batch)))
                {
                    push(client, *from, departure(task, selection, index), Word::Linger);
                }
            }
            Fact::BatchExpired { session, batch, .. } => {
                let from = first.get(&(session, batch)).copied().unwrap_or(index);
                push(model.namer.client_of(session), from, index, Word::DeliveryTimeout);
            }
            Fact::ConnectionClosed { connection, at: Node::Client(client), why } => {
                if why == CloseCause::RequestTimeout
                    && let Some(from) = oldest_unanswered(task, connection)
                {
                    push(Some(client), from, index, Word::RequestTimeout);
                }
            }
            _ => {}
        }
    }
    let shown = |timer: &Timer| selection.beats.iter().any(|beat| beat.fact == timer.to);
    let lasts = |timer: &Timer| model.at(timer.from) < model.at(timer.to);
    timers.retain(|timer| shown(timer) && lasts(timer));
    merge(timers)
}

/// linger.ms of the client whose batch a fact drains.
fn linger_of(task: &Task<'_, '_>, fact: &Fact) -> Option<Span> {
    match fact {
        Fact::BatchDrained { session, .. } => {
            task.model.millis(*session, "linger.ms").map(Span::from_millis)
        }
        _ => None,
    }
}

/// The fact at which the message leaves that a batch was drained for, which is at once. If that is
/// not shown, the fact that the batch was drained.
fn departure(task: &Task<'_, '_>, selection: &Selection<'_>, drained: usize) -> usize {
    let at = task.model.at(drained);
    let later = selection.beats.iter().filter(|beat| beat.fact > drained && beat.at == at);
    let departs =
        |beat: &&&Beat| matches!(beat.what, What::Depart { from: Place::Producer(_), .. });
    later.into_iter().find(departs).map_or(drained, |beat| beat.fact)
}

/// The request on a connection that waited longest for its answer.
fn oldest_unanswered(
    task: &Task<'_, '_>,
    connection: inflight_protocol::ConnectionId,
) -> Option<usize> {
    let on = task.model.requests.list.iter().filter(|request| {
        let message = &task.model.messages.list[request.message];
        message.connection == connection
            && !request.response.as_ref().is_some_and(|(place, _)| {
                matches!(
                    task.model.messages.list[*place].end,
                    crate::model::messages::End::Arrived(_)
                )
            })
    });
    on.map(|request| task.model.messages.list[request.message].sent).next()
}

/// Timers that end together become one, from the first start.
fn merge(timers: Vec<Timer>) -> Vec<Timer> {
    let mut merged: Vec<Timer> = Vec::new();
    for timer in timers {
        match merged.iter_mut().find(|known| (known.client, known.to) == (timer.client, timer.to)) {
            Some(known) => {
                known.from = known.from.min(timer.from);
                if !known.text.split(" · ").any(|text| text == timer.text) {
                    known.text = format!("{} · {}", known.text, timer.text);
                }
            }
            None => merged.push(timer),
        }
    }
    merged
}

/// The room that the longest text wants.
pub(super) fn widest(task: &Task<'_, '_>, selection: &Selection<'_>, scene: &Scene) -> i32 {
    let look = Type::small(Ink::Muted);
    let widths = of(task, selection).into_iter().map(|timer| scene.width_of(&timer.text, look));
    widths.max().map_or(0, |width| width + task.measure.across(26, 2))
}

/// How far left of the lifeline the first bracket is, and how far the next.
const NEAR: i32 = 9;
const STEP: i32 = 6;
const TRACKS: i32 = 3;

pub(super) fn draw(
    scene: &mut Scene,
    task: &Task<'_, '_>,
    timers: &[Timer],
    columns: &Columns,
    rows: &Rows,
) {
    let mut tracks: Vec<i32> = Vec::new();
    let look = Type::small(Ink::Muted);
    let stroke = Stroke::thin(Ink::Muted);
    for timer in timers {
        let Some(line) = columns.x(Place::Producer(timer.client)) else { continue };
        let (top, bottom) = (y(columns, rows, timer.from), y(columns, rows, timer.to));
        if bottom <= top {
            continue;
        }
        let free = tracks.iter().position(|until| *until <= top);
        let track = free.unwrap_or(tracks.len());
        if track == tracks.len() {
            tracks.push(bottom);
        } else {
            tracks[track] = bottom;
        }
        let track = i32::try_from(track).unwrap_or(0).min(TRACKS - 1);
        scene.about(Some(timer.to));
        if task.measure.is_cells() {
            scene.label(line - task.measure.across(0, 2), bottom, Anchor::End, look, &timer.text);
            continue;
        }
        let x = line - NEAR - STEP * track;
        scene.line(Layer::Marks, &[(x + 4, top), (x, top), (x, bottom), (x + 4, bottom)], stroke);
        scene.icon(Icon::Fired, Point { x: line - 4, y: bottom }, 8, Ink::Muted);
        let end = line - NEAR - STEP * (TRACKS - 1) - 6;
        scene.label(end, bottom - 16, Anchor::End, look, &timer.text);
    }
    scene.about(None);
}

fn y(columns: &Columns, rows: &Rows, fact: usize) -> i32 {
    columns.y(rows, fact)
}
