//! The strips of one moment: what was told, then each replica.

use super::columns::{Column, Columns, label};
use crate::icon::Icon;
use crate::kind::Task;
use crate::model::logs::{Fate, Life, Logs, Outcome, Replica};
use crate::scene::{Anchor, Dash, Fill, Layer, Point, Rect, Scene, Stroke, Type};
use crate::theme::Ink;
use crate::words::Word;
use inflight_protocol::TransactionResult;
use inflight_protocol::ids::SessionId;
use std::collections::{BTreeMap, BTreeSet};

/// Which signs were drawn, for the legend.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one entry of a legend")]
pub(super) struct Seen {
    pub(super) committed: bool,
    pub(super) uncommitted: bool,
    pub(super) copy: bool,
    pub(super) late: bool,
    pub(super) missing: bool,
    pub(super) failed: bool,
    pub(super) unknown: bool,
    pub(super) cut: bool,
    pub(super) open: bool,
    pub(super) aborted: bool,
    pub(super) marker: bool,
    pub(super) transactions: bool,
}

/// How a box looks.
struct Look {
    fill: Fill,
    stroke: Stroke,
    icon: Option<Icon>,
}

/// What a replica is called, and what it is.
pub(super) fn name(task: &Task<'_, '_>, logs: &Logs, replica: &Replica) -> (String, String) {
    let lang = task.lang();
    let role = match (replica.life, replica.leads, logs.leader == Some(replica.broker)) {
        (Life::Down, ..) => lang.say(Word::Down),
        (Life::Paused, ..) => lang.say(Word::Paused),
        (Life::Up, Some(_), _) | (Life::Up, None, true) => lang.say(Word::Leader),
        (Life::Up, None, false) => lang.say(Word::Follower),
    };
    let sync = match logs.in_sync.contains(replica.broker) {
        true => lang.say(Word::InSync),
        false => lang.say(Word::NotInSync),
    };
    (format!("b{} {role}", replica.broker), sync.to_owned())
}

/// Draws what was told and all replicas. Gives the y below.
pub(super) fn draw(
    scene: &mut Scene,
    task: &Task<'_, '_>,
    columns: &Columns,
    (before, logs): (Option<&Logs>, &Logs),
    y: i32,
    seen: &mut Seen,
) -> i32 {
    let height = task.measure.down(34, 1);
    let mut y = told(scene, task, columns, logs, y, height, seen);
    y += height + task.measure.down(10, 0);
    seen.transactions |= logs.has_transactions();
    for (place, replica) in logs.replicas.iter().enumerate() {
        let old = before.and_then(|before| before.replicas.get(place));
        let row = Rect::new(0, y, columns.right, height);
        strip(scene, task, columns, logs, place, old, row, seen);
        flags(scene, task, columns, logs, replica, row);
        y += height + task.measure.down(12, 0);
    }
    y
}

/// What applications were told: acked records at their offsets, the rest beside them.
fn told(
    scene: &mut Scene,
    task: &Task<'_, '_>,
    columns: &Columns,
    logs: &Logs,
    y: i32,
    height: i32,
    seen: &mut Seen,
) -> i32 {
    let measure = task.measure;
    let word = task.lang().say(Word::Believes);
    let look = Type::strong(Ink::Plain);
    let middle = y + (height - scene.height_of(look)) / 2;
    scene.text(columns.names - measure.across(10, 1), middle, Anchor::End, look, word);
    let missing: BTreeSet<_> = super::missing(logs).into_iter().collect();
    let mut at: BTreeMap<u64, (SessionId, u64)> = BTreeMap::new();
    let mut replaced: Vec<(u64, (SessionId, u64))> = Vec::new();
    let mut beside: Vec<(String, Look)> = Vec::new();
    for told in &logs.told {
        let records = (told.first..told.first + told.count).map(|ordinal| (told.session, ordinal));
        match told.outcome {
            Outcome::Acked(Some(offset)) => {
                for (offset, record) in (offset..).zip(records) {
                    if let Some(before) = at.insert(offset, record) {
                        replaced.push((offset, before));
                    }
                }
            }
            Outcome::Acked(None) => {
                let is_missing = records.clone().any(|record| missing.contains(&record));
                seen.missing |= is_missing;
                beside.push((
                    run(task, logs, told.session, told.first, told.count),
                    acked(is_missing),
                ));
            }
            Outcome::Failed => {
                seen.failed = true;
                let look = Look {
                    fill: Fill::None,
                    stroke: Stroke::thick(Ink::Bad),
                    icon: Some(Icon::Cross),
                };
                beside.push((run(task, logs, told.session, told.first, told.count), look));
            }
        }
    }
    for (session, first, count) in untold(logs) {
        seen.unknown = true;
        let stroke = Stroke::thin(Ink::Muted).dash(Dash::Dashed);
        let look = Look { fill: Fill::None, stroke, icon: Some(Icon::Question) };
        beside.push((run(task, logs, session, first, count), look));
    }
    // An offset may be told twice: what was told first is lost.
    for (offset, (session, first), count) in runs(replaced) {
        let text = run(task, logs, session, first, count);
        let is_missing = (first..first + count).any(|one| missing.contains(&(session, one)));
        seen.missing |= is_missing;
        let at = if count == 1 {
            offset.to_string()
        } else {
            format!("{offset}–{}", offset + count - 1)
        };
        beside.push((format!("{text} @{at}"), acked(is_missing)));
    }
    for column in &columns.list {
        let inside: Vec<_> = at.range(column.from..column.to).collect();
        let Some(text) = told_label(task, logs, &inside) else { continue };
        let is_missing = inside.iter().any(|(_, record)| missing.contains(*record));
        seen.missing |= is_missing;
        boxed(scene, task, cell(column, y, height), &text, "", &acked(is_missing));
    }
    let mut x = columns.right + measure.across(14, 2);
    for (text, look) in beside {
        let w = scene.width_of(&text, Type::strong(Ink::Plain)) + measure.across(34, 4);
        let rect = Rect::new(x, y, w, height);
        boxed(scene, task, rect, &text, "", &look);
        scene.hold(rect, measure.across(4, 0));
        x += w + measure.across(6, 1);
    }
    y
}

fn run(task: &Task<'_, '_>, logs: &Logs, session: SessionId, first: u64, count: u64) -> String {
    task.model.letters.run(session, logs.partition, first, count)
}

/// The first and the last of the records that were told at some offsets.
fn told_label(
    task: &Task<'_, '_>,
    logs: &Logs,
    inside: &[(&u64, &(SessionId, u64))],
) -> Option<String> {
    let name = |record: &(&u64, &(SessionId, u64))| {
        let (session, ordinal) = *record.1;
        task.model.letters.one(session, logs.partition, ordinal)
    };
    let (first, last) = (name(inside.first()?), name(inside.last()?));
    Some(if first == last { first } else { format!("{first}–{last}") })
}

/// Who was told which offset, the last one where it was told twice.
pub(super) fn told_at(logs: &Logs) -> BTreeMap<u64, (SessionId, u64)> {
    let mut at = BTreeMap::new();
    for told in &logs.told {
        if let Outcome::Acked(Some(offset)) = told.outcome {
            let records = (told.first..told.first + told.count).map(|one| (told.session, one));
            at.extend((offset..).zip(records));
        }
    }
    at
}

/// The label of what was told from one offset up to another.
pub(super) fn label_told(
    task: &Task<'_, '_>,
    logs: &Logs,
    at: &BTreeMap<u64, (SessionId, u64)>,
    from: u64,
    to: u64,
) -> Option<String> {
    let inside: Vec<_> = at.range(from..to).collect();
    told_label(task, logs, &inside)
}

/// Records at offsets, those that follow one another in one run: first offset, first record, count.
fn runs(list: Vec<(u64, (SessionId, u64))>) -> Vec<(u64, (SessionId, u64), u64)> {
    let mut runs: Vec<(u64, (SessionId, u64), u64)> = Vec::new();
    for (offset, (session, ordinal)) in list {
        match runs.last_mut() {
            Some((from, (known, first), count))
                if *known == session && *from + *count == offset && *first + *count == ordinal =>
            {
                *count += 1;
            }
            _ => runs.push((offset, (session, ordinal), 1)),
        }
    }
    runs
}

/// Records that nothing was said of, in runs.
fn untold(logs: &Logs) -> Vec<(SessionId, u64, u64)> {
    let mut runs: Vec<(SessionId, u64, u64)> = Vec::new();
    for (session, first, count) in &logs.queued {
        for ordinal in *first..first + count {
            if logs.outcome(*session, ordinal).is_some() {
                continue;
            }
            match runs.last_mut() {
                Some((s, f, c)) if s == session && *f + *c == ordinal => *c += 1,
                _ => runs.push((*session, ordinal, 1)),
            }
        }
    }
    runs
}

fn acked(is_missing: bool) -> Look {
    match is_missing {
        true => Look {
            fill: Fill::Tint(Ink::Bad),
            stroke: Stroke::thick(Ink::Bad),
            icon: Some(Icon::Cross),
        },
        false => {
            Look { fill: Fill::None, stroke: Stroke::thin(Ink::Plain), icon: Some(Icon::Check) }
        }
    }
}

fn cell(column: &Column, y: i32, height: i32) -> Rect {
    Rect::new(column.x, y, column.w, height)
}

/// One replica.
#[expect(clippy::too_many_arguments, reason = "a strip needs its neighbours")]
fn strip(
    scene: &mut Scene,
    task: &Task<'_, '_>,
    columns: &Columns,
    logs: &Logs,
    place: usize,
    old: Option<&Replica>,
    row: Rect,
    seen: &mut Seen,
) {
    let measure = task.measure;
    let replica = &logs.replicas[place];
    let (name, state) = name(task, logs, replica);
    let edge = columns.names - measure.across(10, 1);
    let ink = match replica.life {
        Life::Up => Ink::Plain,
        Life::Down | Life::Paused => Ink::Bad,
    };
    let strong = Type::strong(ink);
    if measure.is_cells() {
        let state = scene.text(edge, row.y, Anchor::End, Type::small(Ink::Muted), &state);
        scene.text(state.x - measure.across(0, 1), row.y, Anchor::End, strong, &name);
    } else {
        let place = scene.text(edge, row.y + 1, Anchor::End, strong, &name);
        scene.text(edge, place.bottom(), Anchor::End, Type::small(Ink::Muted), &state);
    }
    for column in &columns.list {
        let rect = cell(column, row.y, row.h);
        let text = label(task, logs, place, column.from, column.to);
        if text.is_empty() {
            let lost = old.and_then(|old| old.record(column.from));
            if let Some((session, ordinal)) = lost {
                let text = task.model.letters.one(session, logs.partition, ordinal);
                struck(scene, task, rect, &text);
                seen.cut = true;
            }
            continue;
        }
        let look = look(task, logs, replica, column, seen);
        let below = below(task, logs, replica, column.from, column.to);
        boxed(scene, task, rect, &text, &below, &look);
    }
    if replica.end() == 0 {
        let word = task.lang().say(Word::EmptyLog);
        let y = row.y + (row.h - scene.height_of(Type::small(Ink::Muted))) / 2;
        let x = columns.names + measure.across(8, 1);
        let blank = columns
            .list
            .first()
            .is_none_or(|column| old.is_none_or(|old| old.record(column.from).is_none()));
        if blank {
            scene.text(x, y, Anchor::Start, Type::small(Ink::Muted), word);
        }
    }
}

/// The word of a control record.
pub(crate) const fn word_of(result: TransactionResult) -> Word {
    match result {
        TransactionResult::Commit => Word::CommitMarker,
        TransactionResult::Abort => Word::AbortMarker,
    }
}

/// What stands below the letters of a column: what became of their transaction, or else producer
/// epoch and sequence of the first record; below a marker, whose it is.
pub(super) fn below(
    task: &Task<'_, '_>,
    logs: &Logs,
    replica: &Replica,
    from: u64,
    to: u64,
) -> String {
    if let Some(marker) = replica.marker(from).filter(|_| to - from == 1) {
        let epoch = marker.producer_epoch;
        return match task.model.writer(marker.producer_id, epoch) {
            Some(client) => format!("{client} e{epoch}"),
            None => format!("e{epoch}"),
        };
    }
    match logs.fate(replica, from) {
        Some(Fate::Open) => return task.lang().say(Word::Open).to_owned(),
        Some(Fate::Aborted) => return task.lang().say(Word::Aborted).to_owned(),
        Some(Fate::Committed) | None => {}
    }
    let Some(entry) = replica.entry(from) else { return String::new() };
    let Some((_, epoch, sequence)) = entry.producer else { return String::new() };
    let shift = u32::try_from(from - entry.offset).unwrap_or(0);
    let sequence = sequence.plus(shift).get();
    match epoch.get() {
        0 => format!("s{sequence}"),
        epoch => format!("e{epoch} s{sequence}"),
    }
}

/// How the records of a column look in a replica's log.
fn look(
    task: &Task<'_, '_>,
    logs: &Logs,
    replica: &Replica,
    column: &Column,
    seen: &mut Seen,
) -> Look {
    let (mut copy, mut late) = (false, false);
    let above = column.to > replica.high_watermark;
    if let Some(marker) = replica.marker(column.from).filter(|_| column.to - column.from == 1) {
        seen.marker = true;
        let ink = match marker.result {
            TransactionResult::Commit => Ink::Good,
            TransactionResult::Abort => Ink::Bad,
        };
        let fill = if above { Fill::Hatch(ink) } else { Fill::None };
        return Look { fill, stroke: Stroke::thick(ink), icon: Some(Icon::Rhombus) };
    }
    let fate = logs.fate(replica, column.from);
    for offset in column.from..column.to {
        let Some((session, ordinal)) = replica.record(offset) else { continue };
        match oddity(task, logs, replica, offset, session, ordinal) {
            Some(true) => copy = true,
            Some(false) => late = true,
            None => {}
        }
    }
    let (ink, icon) = match (copy, late, fate) {
        (true, ..) => (Ink::Duplicate, Some(Icon::Same)),
        (false, true, _) => (Ink::Warning, Some(Icon::Swap)),
        (false, false, Some(Fate::Aborted)) => (Ink::Bad, Some(Icon::Cross)),
        (false, false, Some(Fate::Open)) => (Ink::Transaction, Some(Icon::Dot)),
        (false, false, _) if above => (Ink::Muted, None),
        (false, false, _) => (Ink::Good, None),
    };
    let plain = !copy && !late;
    seen.copy |= copy;
    seen.late |= late && !copy;
    seen.uncommitted |= above;
    seen.aborted |= plain && fate == Some(Fate::Aborted);
    seen.open |= plain && fate == Some(Fate::Open);
    seen.committed |= ink == Ink::Good;
    let (fill, dash) = match (above, fate) {
        (true, _) => (Fill::Hatch(ink), Dash::Solid),
        (false, Some(Fate::Aborted)) if plain => (Fill::None, Dash::Dashed),
        (false, _) => (Fill::Tint(ink), Dash::Solid),
    };
    Look { fill, stroke: Stroke::thin(ink).dash(dash), icon }
}

/// Whether a record is a copy of one below (true), or behind a later one (false).
fn oddity(
    task: &Task<'_, '_>,
    logs: &Logs,
    replica: &Replica,
    offset: u64,
    session: SessionId,
    ordinal: u64,
) -> Option<bool> {
    let tag = |session, ordinal| task.model.letters.tag(session, logs.partition, ordinal);
    let mine = tag(session, ordinal);
    let mut late = false;
    for entry in replica.entries.iter().take_while(|entry| entry.offset < offset) {
        let count = entry.count.min(offset - entry.offset);
        let same_session = entry.session == session;
        if same_session && (entry.first..entry.first + count).contains(&ordinal) {
            return Some(true);
        }
        late |= same_session && entry.first > ordinal;
        if mine.is_some_and(|mine| mine.again > 0) {
            let message = mine.map(|mine| mine.message);
            let known = (entry.first..entry.first + count)
                .any(|other| tag(entry.session, other).map(|tag| tag.message) == message);
            if known {
                return Some(true);
            }
        }
    }
    late.then_some(false)
}

/// A box with a text, a smaller one below it, and a sign on the left.
fn boxed(scene: &mut Scene, task: &Task<'_, '_>, rect: Rect, text: &str, below: &str, look: &Look) {
    let measure = task.measure;
    let shrink = measure.across(2, 0);
    let inner = Rect::new(rect.x + shrink, rect.y, rect.w - 2 * shrink, rect.h);
    scene.rect(Layer::Marks, inner, look.fill, Some(look.stroke));
    let sign = measure.across(15, 0);
    let room = match look.icon {
        Some(icon) => {
            let at = Point {
                x: inner.x + measure.across(9, 1),
                y: inner.y + measure.down(inner.h / 2, 0),
            };
            scene.icon(icon, at, 11, look.stroke.ink);
            Rect::new(inner.x + sign, inner.y, inner.w - sign, inner.h)
        }
        None => inner,
    };
    if below.is_empty() || measure.is_cells() {
        scene.text_in(room, Type::strong(Ink::Plain), text);
        return;
    }
    let half = room.h / 2;
    let upper = Rect::new(room.x, room.y, room.w, half + 1);
    let lower = Rect::new(room.x, room.y + half, room.w, half);
    scene.text_in(upper, Type::strong(Ink::Plain), text);
    scene.text_in(lower, Type::small(Ink::Muted), below);
}

/// What was there in the picture above and is there no more.
fn struck(scene: &mut Scene, task: &Task<'_, '_>, rect: Rect, text: &str) {
    let shrink = task.measure.across(2, 0);
    let inner = Rect::new(rect.x + shrink, rect.y, rect.w - 2 * shrink, rect.h);
    let stroke = Stroke::thin(Ink::Bad).dash(Dash::Dashed);
    if task.measure.is_cells() {
        scene.text_in(inner, Type::strong(Ink::Bad), &format!("x{text}x"));
        return;
    }
    scene.rect(Layer::Marks, inner, Fill::None, Some(stroke));
    scene.text_in(inner, Type::body(Ink::Bad), text);
    let y = inner.centre().y;
    scene.line(Layer::Labels, &[(inner.x, y), (inner.right(), y)], Stroke::thin(Ink::Bad));
}

/// The high watermark and the log's end: flags under the strip, figures beside it.
fn flags(
    scene: &mut Scene,
    task: &Task<'_, '_>,
    columns: &Columns,
    logs: &Logs,
    replica: &Replica,
    row: Rect,
) {
    let measure = task.measure;
    let stable = logs.has_transactions().then(|| logs.last_stable(replica));
    if !measure.is_cells() {
        let flag = |scene: &mut Scene, offset: u64, icon, ink, shift: i32| {
            if let Some(x) = columns.x_of(offset) {
                scene.icon(icon, Point { x: x + shift, y: row.bottom() + 6 }, 9, ink);
            }
        };
        flag(scene, replica.end(), Icon::Right, Ink::Muted, 6);
        flag(scene, replica.high_watermark, Icon::Up, Ink::Good, -4);
        if let Some(stable) = stable {
            flag(scene, stable, Icon::Left, Ink::Transaction, -15);
        }
    }
    let lang = task.lang();
    let stable =
        stable.map_or(String::new(), |stable| format!("{} {stable}  ", lang.say(Word::LastStable)));
    let text = format!(
        "{stable}{} {}  {} {}",
        lang.say(Word::HighWatermark),
        replica.high_watermark,
        lang.say(Word::LogEnd),
        replica.end()
    );
    let look = Type::small(Ink::Muted);
    let y = row.y + (row.h - scene.height_of(look)) / 2;
    let x = columns.right + measure.across(14, 2);
    let place = scene.text(x, y, Anchor::Start, look, &text);
    scene.hold(place, measure.across(4, 0));
}
