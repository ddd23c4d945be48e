//! D11, the overview: the producer's stations with the settings that govern each, and what went
//! through.

use crate::kind::{Drawing, Refusal, Task};
use crate::model::Model;
use crate::scene::{Anchor, Dash, Fill, Head, Point, Rect, Scene, Stroke, Type};
use crate::theme::Ink;
use crate::words::Word;
use inflight_protocol::Fact;
use inflight_protocol::fact::AppendOrigin;
use inflight_protocol::ids::{ClientId, SessionId};
use std::collections::BTreeMap;

/// One station: its name, its settings, what went through.
struct Station {
    title: String,
    ink: Ink,
    settings: Vec<String>,
    counts: Vec<String>,
}

pub(crate) fn lay_out(task: &Task<'_, '_>) -> Result<Drawing, Refusal> {
    let all = &task.model.story.description.clients;
    // Who only reads has none of these stations.
    let producers = (0_u16..).zip(all).filter(|(_, client)| client.produces);
    let producers: Vec<ClientId> = producers.map(|(index, _)| ClientId::new(index)).collect();
    if producers.is_empty() {
        return Err(Refusal::Nothing("producer"));
    }
    let mut scene = Scene::new(task.measure);
    let mut y = 0;
    let mut records = 0;
    for client in producers.iter().copied() {
        let counts = Counts::of(task.model, client);
        records += counts.records;
        if all.len() > 1 {
            let name = task.model.namer.names().client(client);
            let place = scene.text(0, y, Anchor::Start, Type::strong(Ink::Plain).sized(14), &name);
            y = place.bottom() + task.measure.down(6, 0);
        }
        let stations = stations(task, client, &counts);
        y = draw(&mut scene, task, &stations, y) + task.measure.down(20, 1);
    }
    scene.height = y - task.measure.down(20, 1);
    let figures = vec![("producers", producers.len() as u64), ("records", records)];
    Ok(Drawing { scene, figures, ..Drawing::default() })
}

/// What went through a producer.
#[derive(Default)]
struct Counts {
    records: u64,
    batches: u64,
    requests: u64,
    retries: u64,
    most: u64,
    appended: u64,
    recognised: u64,
    refused: u64,
    acked: u64,
    failed: u64,
    errors: BTreeMap<&'static str, u64>,
}

impl Counts {
    fn of(model: &Model<'_>, client: ClientId) -> Self {
        let mut counts = Self::default();
        let mine = |session: SessionId| model.namer.client_of(session) == Some(client);
        for (_, fact) in model.facts() {
            match *fact {
                Fact::RecordsQueued { session, count, .. } if mine(session) => {
                    counts.records += u64::from(count);
                }
                Fact::BatchDrained { session, attempt, .. } if mine(session) => {
                    counts.batches += u64::from(attempt == 0);
                    counts.retries += u64::from(attempt > 0);
                }
                Fact::BatchAppended { session, origin: AppendOrigin::Client, count, .. }
                    if mine(session) =>
                {
                    counts.appended += u64::from(count);
                }
                Fact::DuplicateRecognized { session, count, .. } if mine(session) => {
                    counts.recognised += u64::from(count);
                }
                Fact::BatchRejected { session, error, count, .. } if mine(session) => {
                    counts.refused += u64::from(count);
                    *counts.errors.entry(error.name()).or_default() += 1;
                }
                Fact::BatchRequeued { session, error, .. } if mine(session) => {
                    *counts.errors.entry(error.name()).or_default() += 1;
                }
                Fact::RecordsAcked { session, count, .. } if mine(session) => {
                    counts.acked += u64::from(count);
                }
                Fact::RecordsFailed { session, count, error, .. } if mine(session) => {
                    counts.failed += u64::from(count);
                    *counts.errors.entry(error.name()).or_default() += 1;
                }
                _ => {}
            }
        }
        counts.requests(model, client);
        counts
    }

    /// How many requests, and how many at once to one broker.
    fn requests(&mut self, model: &Model<'_>, client: ClientId) {
        let mut changes = Vec::new();
        for request in &model.requests.list {
            let asked = &model.messages.list[request.message];
            if asked.from != inflight_protocol::Node::Client(client) {
                continue;
            }
            self.requests += 1;
            let reply = request.response.as_ref().map(|(place, _)| &model.messages.list[*place]);
            let back = reply.and_then(|reply| reply.ended()).unwrap_or(usize::MAX);
            changes.push((asked.to, asked.sent, 1_i64));
            changes.push((asked.to, back, -1));
        }
        changes.sort_unstable();
        let mut now = 0_i64;
        let mut to = None;
        for (node, _, change) in changes {
            if to != Some(node) {
                (to, now) = (Some(node), 0);
            }
            now += change;
            self.most = self.most.max(u64::try_from(now).unwrap_or(0));
        }
    }
}

fn stations(task: &Task<'_, '_>, client: ClientId, counts: &Counts) -> Vec<Station> {
    let lang = task.lang();
    let description = task.model.story.description;
    let config = description.client(client).map(|client| client.config.as_slice());
    let settings = |keys: &[&str]| {
        let find = |key: &&str| {
            let (_, value) =
                config?.iter().find(|(known, value)| known == key && value != "null")?;
            Some(format!("{key}={value}"))
        };
        keys.iter().filter_map(find).collect::<Vec<_>>()
    };
    let count = |word, value: u64| lang.value(word, value);
    let mut topics = Vec::new();
    for topic in &description.topics {
        topics.push(format!("{}: min.insync.replicas={}", topic.name, topic.min_insync_replicas));
    }
    let mut answers = vec![count(Word::Acked, counts.acked), count(Word::Failed, counts.failed)];
    answers.extend(counts.errors.iter().map(|(name, times)| format!("{name}: {times}")));
    vec![
        Station {
            title: lang.term(Word::Serializer),
            ink: Ink::Plain,
            settings: settings(&["max.block.ms", "max.request.size", "partitioner.class"]),
            counts: vec![count(Word::Records, counts.records)],
        },
        Station {
            title: lang.term(Word::Accumulator),
            ink: Ink::Producer,
            settings: settings(&[
                "batch.size",
                "linger.ms",
                "buffer.memory",
                "delivery.timeout.ms",
            ]),
            counts: vec![count(Word::Batches, counts.batches)],
        },
        Station {
            title: lang.term(Word::Sender),
            ink: Ink::Producer,
            settings: settings(&[
                "acks",
                "enable.idempotence",
                "max.in.flight.requests.per.connection",
                "retries",
                "retry.backoff.ms",
                "request.timeout.ms",
            ]),
            counts: vec![
                count(Word::Requests, counts.requests),
                count(Word::Retries, counts.retries),
                count(Word::InFlightMost, counts.most),
            ],
        },
        Station {
            title: lang.term(Word::Cluster),
            ink: Ink::Follower,
            settings: topics,
            counts: vec![
                count(Word::BrokerWrites, counts.appended),
                count(Word::BrokerKnew, counts.recognised),
                count(Word::BrokerRefused, counts.refused),
            ],
        },
        Station {
            title: lang.term(Word::Answer),
            ink: Ink::Good,
            settings: Vec::new(),
            counts: answers,
        },
    ]
}

/// The boxes, three in a row, with arrows from each to the next. Gives the y below.
fn draw(scene: &mut Scene, task: &Task<'_, '_>, stations: &[Station], y: i32) -> i32 {
    let measure = task.measure;
    let (pad, gap) = (measure.across(12, 2), measure.across(44, 5));
    let line = measure.down(17, 1);
    let per_row = if measure.is_cells() { 1 } else { 3 };
    let width = |station: &Station, scene: &Scene| {
        let title = scene.width_of(&station.title, Type::strong(station.ink));
        let settings =
            station.settings.iter().map(|text| scene.width_of(text, Type::small(Ink::Muted)));
        let counts = station.counts.iter().map(|text| scene.width_of(text, Type::body(Ink::Plain)));
        settings.chain(counts).max().unwrap_or(0).max(title) + 2 * pad
    };
    let mut top = y;
    let mut boxes: Vec<Rect> = Vec::new();
    for row in stations.chunks(per_row) {
        let lines = |station: &Station| station.settings.len() + station.counts.len() + 1;
        let most = row.iter().map(lines).max().unwrap_or(1);
        let height = i32::try_from(most).unwrap_or(1) * line + measure.down(26, 2);
        let mut x = 0;
        for station in row {
            let rect = Rect::new(x, top, width(station, scene), height);
            station_box(scene, station, rect, pad, line);
            boxes.push(rect);
            scene.hold(rect, measure.across(6, 1));
            x = rect.right() + gap;
        }
        top += height + measure.down(40, 1);
    }
    for pair in boxes.windows(2) {
        connect(scene, pair[0], pair[1]);
    }
    top - measure.down(40, 1)
}

fn station_box(scene: &mut Scene, station: &Station, rect: Rect, pad: i32, line: i32) {
    let measure = scene.measure;
    scene.round(rect, Fill::None, Some(Stroke::thin(station.ink)));
    let x = rect.x + pad;
    let mut y = rect.y + measure.down(8, 1);
    scene.text(x, y, Anchor::Start, Type::strong(station.ink), &station.title);
    y += line + measure.down(3, 0);
    for text in &station.counts {
        scene.text(x, y, Anchor::Start, Type::body(Ink::Plain), text);
        y += line;
    }
    y += measure.down(3, 0);
    for text in &station.settings {
        scene.text(x, y, Anchor::Start, Type::small(Ink::Muted), text);
        y += line;
    }
}

/// An arrow from a box to the next, which is beside it or in the row below.
fn connect(scene: &mut Scene, from: Rect, to: Rect) {
    if scene.measure.is_cells() {
        return;
    }
    let stroke = Stroke::thick(Ink::Producer);
    if from.y == to.y {
        let y = from.y + from.h.min(to.h) / 2;
        let (a, b) = (Point { x: from.right() + 4, y }, Point { x: to.x - 4, y });
        scene.arrow(a, b, stroke, Head::Arrived);
        return;
    }
    let middle = i32::midpoint(from.bottom(), to.y);
    let (x0, x1) = (from.centre().x, to.centre().x);
    let bend = [(x0, from.bottom() + 4), (x0, middle), (x1, middle)];
    scene.line(crate::Layer::Marks, &bend, stroke.dash(Dash::Solid));
    let (a, b) = (Point { x: x1, y: middle }, Point { x: x1, y: to.y - 3 });
    scene.arrow(a, b, stroke, Head::Arrived);
}
