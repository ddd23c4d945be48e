//! D12, the decision grid: what a leader answers, by acks, min.insync.replicas and replicas in sync,
//! and whether the record outlives the leader. Each cell is a run of its own.

use crate::Story;
use crate::frame;
use crate::icon::Icon;
use crate::kind::Options;
use crate::measure::Measure;
use crate::model::Model;
use crate::model::logs::Logs;
use crate::scene::{Anchor, Fill, Layer, Point, Rect, Scene, Stroke, Type};
use crate::theme::Ink;
use crate::words::{Lang, Word};
use inflight_protocol::Fact;
use inflight_protocol::fact::AppendOrigin;
use inflight_protocol::ids::TopicPartition;

/// How many replicas are in sync when the record comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum InSync {
    /// This many, and it stays so.
    Count(u8),
    /// All three when it is written, one while the leader waits for them.
    Shrinks,
}

/// A cell: what it stands for, and its run.
#[derive(Clone, Copy, Debug)]
pub struct Cell<'a> {
    /// The row.
    pub in_sync: InSync,
    /// The column: acks, and min.insync.replicas where acks=all looks at it.
    pub acks: &'static str,
    /// min.insync.replicas
    pub min_insync: u8,
    /// One record is sent, and its leader dies as soon as it has answered.
    pub story: Story<'a>,
}

/// What came out in a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What the leader answered first, if there was a leader.
    pub answer: Answer,
    /// Whether the leader's log had the record.
    pub written: bool,
    /// Whether another leader has it after its leader is gone.
    pub survives: bool,
}

/// A leader's first answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Success.
    Accepted,
    /// acks=0: it was written and nobody was told.
    Silence,
    /// An error code.
    Refused(&'static str),
    /// No leader took the record.
    NoLeader,
}

/// What came out in a cell's run.
pub fn outcome(cell: &Cell<'_>) -> Outcome {
    let facts = cell.story.facts;
    let answer = facts.iter().find_map(|(_, fact)| match *fact {
        Fact::BatchRejected { error, .. } | Fact::ProduceDecided { error: Some(error), .. } => {
            Some(Answer::Refused(error.name()))
        }
        Fact::ProduceDecided { error: None, .. } => Some(Answer::Accepted),
        _ => None,
    });
    let is_written =
        |fact: &Fact| matches!(fact, Fact::BatchAppended { origin: AppendOrigin::Client, .. });
    let written = facts.iter().any(|(_, fact)| is_written(fact));
    let answer = match answer {
        _ if !written && answer.is_none() => Answer::NoLeader,
        _ if cell.acks == "0" => Answer::Silence,
        Some(answer) => answer,
        None => Answer::Silence,
    };
    let partition = TopicPartition::new(0);
    let model = Model::new(cell.story);
    let logs = Logs::new(&model, partition);
    let logs = logs.after(facts, facts.len());
    // Readers may have to wait for it: below min.insync.replicas the high watermark does not rise.
    let leader = logs.leader.and_then(|leader| logs.replica(leader));
    let survives = leader.is_some_and(|leader| leader.end() > 0);
    Outcome { answer, written, survives }
}

/// The grid as a picture: rows by replicas in sync, columns by settings.
pub fn isr_grid(cells: &[Cell<'_>], options: &Options) -> Scene {
    let measure = Measure { medium: options.medium };
    let lang = options.lang;
    let mut scene = Scene::new(measure);
    let edge = frame::margin(&scene);
    let mut rows: Vec<InSync> = cells.iter().map(|cell| cell.in_sync).collect();
    rows.dedup();
    let mut columns: Vec<(&str, u8)> =
        cells.iter().map(|cell| (cell.acks, cell.min_insync)).collect();
    columns.sort_unstable();
    columns.dedup();
    let texts: Vec<[(Icon, Ink, String); 3]> = cells.iter().map(|cell| lines(cell, lang)).collect();
    let left =
        rows.iter().map(|row| scene.width_of(&row_name(*row, lang), Type::strong(Ink::Plain)));
    let title = scene.width_of(lang.say(Word::AliveInSync), Type::strong(Ink::Muted));
    let left = left.max().unwrap_or(0).max(title) + measure.across(16, 2);
    let widths: Vec<i32> = columns
        .iter()
        .map(|column| {
            let mine = cells
                .iter()
                .zip(&texts)
                .filter(|(cell, _)| (cell.acks, cell.min_insync) == *column);
            let text = mine.flat_map(|(_, lines)| lines).map(|(_, _, text)| {
                scene.width_of(text, Type::strong(Ink::Plain)) + measure.across(42, 6)
            });
            let head = scene.width_of(&column_name(*column), Type::strong(Ink::Plain));
            text.max().unwrap_or(0).max(head + measure.across(16, 2))
        })
        .collect();
    let width = left + widths.iter().sum::<i32>();
    let mut y = heading(&mut scene, lang, width);
    let mut x = edge + left;
    scene.text(edge, y, Anchor::Start, Type::strong(Ink::Muted), lang.say(Word::AliveInSync));
    for (column, width) in columns.iter().zip(&widths) {
        let name = column_name(*column);
        scene.text(x + width / 2, y, Anchor::Middle, Type::strong(Ink::Plain), &name);
        x += width;
    }
    y += measure.down(22, 1);
    let height = measure.down(62, 5);
    for row in &rows {
        let middle = y + measure.down(22, 2);
        let name = row_name(*row, lang);
        scene.text(edge, middle, Anchor::Start, Type::strong(Ink::Plain), &name);
        let mut x = edge + left;
        for (column, width) in columns.iter().zip(&widths) {
            let found = cells
                .iter()
                .zip(&texts)
                .find(|(cell, _)| cell.in_sync == *row && (cell.acks, cell.min_insync) == *column);
            if let Some((_, lines)) = found {
                let gap = measure.across(3, 0);
                draw_cell(&mut scene, lines, Rect::new(x + gap, y, width - 2 * gap, height));
            }
            x += width;
        }
        y += height + measure.down(6, 0);
    }
    finish(&mut scene, cells, lang, y, width);
    scene
}

fn row_name(row: InSync, lang: Lang) -> String {
    match row {
        InSync::Count(count) => count.to_string(),
        InSync::Shrinks => lang.say(Word::ShrinksWhileWaiting).to_owned(),
    }
}

fn column_name((acks, min): (&str, u8)) -> String {
    match acks {
        "all" => format!("acks=all, min.insync.replicas={min}"),
        acks => format!("acks={acks}"),
    }
}

/// What stands in a cell: the answer, whether it was written, whether it survives.
fn lines(cell: &Cell<'_>, lang: Lang) -> [(Icon, Ink, String); 3] {
    let Outcome { answer, written, survives } = outcome(cell);
    let say = |word| lang.say(word).to_owned();
    let first = match answer {
        Answer::Accepted => (Icon::Check, Ink::Good, say(Word::Accepted)),
        Answer::Silence => (Icon::Question, Ink::Muted, say(Word::NoAnswer)),
        Answer::Refused(error) => (Icon::Cross, Ink::Bad, error.to_owned()),
        Answer::NoLeader => (Icon::Cross, Ink::Bad, say(Word::NoLeader)),
    };
    let second = match (written, answer) {
        // An error that lies: the record is there.
        (true, Answer::Refused(_)) => (Icon::Triangle, Ink::Warning, say(Word::InTheLog)),
        (true, _) => (Icon::Dot, Ink::Plain, say(Word::InTheLog)),
        (false, _) => (Icon::Dot, Ink::Muted, say(Word::NotInTheLog)),
    };
    let third = match (written, survives) {
        (false, _) => (Icon::Dot, Ink::Muted, "–".to_owned()),
        (true, true) => (Icon::Check, Ink::Good, say(Word::Survives)),
        (true, false) => (Icon::Lightning, Ink::Bad, say(Word::Dies)),
    };
    [first, second, third]
}

fn draw_cell(scene: &mut Scene, lines: &[(Icon, Ink, String); 3], place: Rect) {
    let measure = scene.measure;
    let ink = lines[0].1;
    let fill = if ink == Ink::Bad { Fill::None } else { Fill::Tint(ink) };
    scene.rect(Layer::Marks, place, fill, Some(Stroke::thin(ink)));
    let mut y = place.y + measure.down(5, 1);
    for (index, (icon, ink, text)) in lines.iter().enumerate() {
        let x = place.x + measure.across(8, 2);
        let sign = Point { x: x + measure.across(6, 0), y: y + measure.down(9, 0) };
        scene.icon(*icon, sign, 12, *ink);
        let look = if index == 0 { Type::strong(Ink::Plain) } else { Type::body(Ink::Plain) };
        scene.text(x + measure.across(18, 2), y + measure.down(1, 0), Anchor::Start, look, text);
        y += measure.down(18, 1);
    }
}

fn heading(scene: &mut Scene, lang: Lang, width: i32) -> i32 {
    let edge = frame::margin(scene);
    let title = lang.term(Word::IsrGrid);
    scene.title.clone_from(&title);
    let mut y = if scene.measure.is_cells() { 0 } else { 14 };
    for line in scene.measure.wrap(&title, 17, width) {
        y = scene.text(edge, y, Anchor::Start, Type::strong(Ink::Plain).sized(16), &line).bottom();
    }
    for line in scene.measure.wrap(lang.say(Word::GridHow), 12, width) {
        y = scene.text(edge, y, Anchor::Start, Type::body(Ink::Muted), &line).bottom();
    }
    y + scene.measure.down(12, 1)
}

fn finish(scene: &mut Scene, cells: &[Cell<'_>], lang: Lang, y: i32, width: i32) {
    let edge = frame::margin(scene);
    let mut y = y + scene.measure.down(8, 1);
    let profile = cells.first().map_or(String::new(), |cell| {
        let of = cell.story.description;
        format!("Kafka {} · inflight {}", of.kafka, of.program)
    });
    let notes = [lang.say(Word::GridColumns).to_owned(), profile];
    for note in notes {
        for line in scene.measure.wrap(&note, 11, width) {
            y = scene.text(edge, y, Anchor::Start, Type::small(Ink::Muted), &line).bottom();
        }
    }
    let count =
        |wanted: fn(&Outcome) -> bool| cells.iter().map(outcome).filter(wanted).count() as u64;
    let refused = count(|found| matches!(found.answer, Answer::Refused(_)));
    let lost = count(|found| found.written && !found.survives);
    scene.figures =
        vec![("cells", cells.len() as u64), ("refused", refused), ("lost with the leader", lost)];
    scene.summary = format!(
        "A grid of {} runs: rows by how many replicas are in sync, columns by acks and \
         min.insync.replicas. {refused} are refused, and in {lost} the record is written and lost \
         with its leader.",
        cells.len(),
    );
    scene.width = width + 2 * edge;
    scene.height = y + scene.measure.down(12, 0);
}
