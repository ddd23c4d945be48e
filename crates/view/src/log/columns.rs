//! The columns of log strips: one an offset, or one a run of offsets that fare alike.

use super::moments::Moment;
use super::strips;
use crate::kind::Task;
use crate::model::logs::{Logs, Outcome};
use crate::scene::{Anchor, Scene, Type};
use crate::theme::Ink;
use crate::words::Word;
use std::collections::BTreeSet;

/// How many columns a strip has at most.
const COLUMNS_MAX: usize = 20;

/// The columns of a picture.
pub(super) struct Columns {
    /// The offsets of each: from, up to, left side, width.
    pub(super) list: Vec<Column>,
    /// The width of the names on the left.
    pub(super) names: i32,
    /// Where the strips end.
    pub(super) right: i32,
    /// What is left out.
    pub(super) notes: Vec<String>,
}

/// One column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) x: i32,
    pub(super) w: i32,
}

/// The label of the offsets from one up to another.
fn range(from: u64, to: u64) -> String {
    if to - from == 1 { from.to_string() } else { format!("{from}–{}", to - 1) }
}

/// What records are in a log from one offset up to another: their letters.
pub(super) fn label(task: &Task<'_, '_>, logs: &Logs, place: usize, from: u64, to: u64) -> String {
    let replica = &logs.replicas[place];
    if let Some(marker) = replica.marker(from).filter(|_| to - from == 1) {
        return task.lang().say(strips::word_of(marker.result)).to_owned();
    }
    let name = |offset| {
        replica
            .record(offset)
            .map(|(session, ordinal)| task.model.letters.one(session, logs.partition, ordinal))
    };
    // Markers have no letter: the label is of the records around them.
    let (first, last) = ((from..to).find_map(name), (from..to).rev().find_map(name));
    match (first, last) {
        (Some(first), Some(last)) if first != last => format!("{first}–{last}"),
        (Some(one), _) | (None, Some(one)) => one,
        (None, None) => String::new(),
    }
}

impl Columns {
    pub(super) fn of(task: &Task<'_, '_>, moments: &[Moment]) -> Self {
        let measure = task.measure;
        let (mut cuts, anomaly) = cuts(moments);
        let mut notes = Vec::new();
        if cuts.len() > COLUMNS_MAX + 1 {
            let all = cuts.len() - 1;
            let place = cuts.partition_point(|cut| *cut <= anomaly);
            let from = place.saturating_sub(COLUMNS_MAX / 2).min(all - COLUMNS_MAX);
            let whole = (cuts[0], cuts[all]);
            cuts = cuts[from..=from + COLUMNS_MAX].to_vec();
            let lang = task.lang();
            notes.push(format!(
                "{} {} {} {} {}: {}",
                lang.say(Word::Showing),
                range(cuts[0], cuts[COLUMNS_MAX]),
                lang.say(Word::Of),
                range(whole.0, whole.1),
                lang.say(Word::Offsets),
                task.around(),
            ));
        }
        let mut scene = Scene::new(measure);
        let names = names(task, moments, &mut scene);
        // Signs of transactions stand beside the letters.
        let signed = moments.iter().any(|moment| moment.logs.has_transactions());
        let beside = if signed { measure.across(15, 1) } else { 0 };
        let told: Vec<_> = moments.iter().map(|m| (&m.logs, strips::told_at(&m.logs))).collect();
        let mut x = names;
        let mut list = Vec::new();
        for pair in cuts.windows(2) {
            let (from, to) = (pair[0], pair[1]);
            let mut widest = scene.width_of(&range(from, to), Type::small(Ink::Muted));
            for moment in moments {
                for place in 0..moment.logs.replicas.len() {
                    let text = label(task, &moment.logs, place, from, to);
                    widest = widest.max(scene.width_of(&text, Type::strong(Ink::Plain)) + beside);
                    let replica = &moment.logs.replicas[place];
                    let text = strips::below(task, &moment.logs, replica, from, to);
                    if !measure.is_cells() {
                        let text = scene.width_of(&text, Type::small(Ink::Plain));
                        widest = widest.max(text + beside - measure.across(8, 0));
                    }
                }
            }
            for (logs, at) in &told {
                let text = strips::label_told(task, logs, at, from, to).unwrap_or_default();
                let sign = measure.across(16, 0);
                widest = widest.max(scene.width_of(&text, Type::strong(Ink::Plain)) + sign);
            }
            let w = (widest + measure.across(22, 4)).max(measure.across(46, 6));
            list.push(Column { from, to, x, w });
            x += w;
        }
        // An empty log says so.
        let empty = scene.width_of(task.lang().say(Word::EmptyLog), Type::small(Ink::Muted));
        let right = x.max(names + empty + measure.across(16, 2));
        Self { list, names, right, notes }
    }

    /// The offsets above the strips. Gives the y below.
    pub(super) fn heading(&self, scene: &mut Scene, task: &Task<'_, '_>, y: i32) -> i32 {
        let look = Type::small(Ink::Muted);
        let word = task.lang().say(Word::Offset);
        scene.text(self.names - task.measure.across(10, 1), y, Anchor::End, look, word);
        let mut bottom = y + scene.height_of(look);
        for column in &self.list {
            let text = range(column.from, column.to);
            let middle = column.x + column.w / 2;
            bottom = scene.text(middle, y, Anchor::Middle, look, &text).bottom();
        }
        bottom
    }

    /// Where a boundary between offsets is.
    pub(super) fn x_of(&self, offset: u64) -> Option<i32> {
        let first = self.list.first()?;
        if offset < first.from {
            return None;
        }
        let found = self.list.iter().find(|column| offset < column.to);
        match found {
            Some(column) if column.from == offset => Some(column.x),
            Some(column) => {
                let span = i64::try_from(column.to - column.from).ok()?;
                let part = i64::try_from(offset - column.from).ok()?;
                Some(column.x + i32::try_from(i64::from(column.w) * part / span).ok()?)
            }
            None if offset == self.list.last()?.to => self.list.last().map(|last| last.x + last.w),
            None => None,
        }
    }
}

/// The offsets at which columns begin and end, and the first that is odd.
fn cuts(moments: &[Moment]) -> (Vec<u64>, u64) {
    let mut end = 0;
    let mut cuts = BTreeSet::from([0]);
    let mut anomaly = u64::MAX;
    for moment in moments {
        for replica in &moment.logs.replicas {
            end = end.max(replica.end());
            cuts.insert(replica.high_watermark.min(replica.end()));
            for entry in &replica.entries {
                cuts.extend([entry.offset, entry.end()]);
            }
            cuts.extend(replica.markers.iter().flat_map(|m| [m.offset, m.offset + 1]));
        }
        for told in &moment.logs.told {
            if let Outcome::Acked(Some(offset)) = told.outcome {
                end = end.max(offset + told.count);
                cuts.extend([offset, offset + told.count]);
            }
        }
        for (session, ordinal) in super::missing(&moment.logs) {
            if let Some(Outcome::Acked(Some(offset))) = moment.logs.outcome(session, ordinal) {
                anomaly = anomaly.min(offset);
            }
        }
    }
    let one_by_one = usize::try_from(end).is_ok_and(|end| end <= COLUMNS_MAX);
    let list: Vec<u64> = if one_by_one { (0..=end).collect() } else { merged(cuts, moments, end) };
    (list, if anomaly == u64::MAX { end } else { anomaly })
}

/// Boundaries that matter: where some log or what was told ends, not each batch.
fn merged(cuts: BTreeSet<u64>, moments: &[Moment], end: u64) -> Vec<u64> {
    if cuts.len() <= COLUMNS_MAX + 1 {
        return cuts.into_iter().collect();
    }
    let mut few = BTreeSet::from([0, end]);
    for moment in moments {
        for replica in &moment.logs.replicas {
            few.extend([replica.end(), replica.high_watermark.min(replica.end())]);
            // Where the log jumps from one session or order to another.
            for pair in replica.entries.windows(2) {
                let follows = pair[0].session == pair[1].session
                    && pair[0].first + pair[0].count == pair[1].first;
                if !follows {
                    few.insert(pair[1].offset);
                }
            }
        }
    }
    few.into_iter().collect()
}

/// The room that the names on the left want.
fn names(task: &Task<'_, '_>, moments: &[Moment], scene: &mut Scene) -> i32 {
    let mut widest = scene.width_of(task.lang().say(Word::Believes), Type::strong(Ink::Plain));
    for moment in moments {
        for replica in &moment.logs.replicas {
            let (name, state) = strips::name(task, &moment.logs, replica);
            widest = widest.max(scene.width_of(&name, Type::strong(Ink::Plain)));
            let text = scene.width_of(&state, Type::small(Ink::Muted));
            if task.measure.is_cells() {
                let name = scene.width_of(&name, Type::strong(Ink::Plain));
                widest = widest.max(name + task.measure.across(0, 1) + text);
            }
            widest = widest.max(text);
        }
    }
    widest + task.measure.across(18, 2)
}
