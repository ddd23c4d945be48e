//! D9, twins: a run and its cure side by side, and where the two part.

use crate::frame::{self, Entry};
use crate::kind::{Drawing, Kind, Options, Refusal, Task, lay_out};
use crate::measure::Measure;
use crate::model::Model;
use crate::scene::{Anchor, Dash, Layer, Point, Scene, Stroke, Type};
use crate::sequence::tell;
use crate::theme::Ink;
use crate::words::Word;
use crate::{Lang, Story};
use inflight_protocol::Fact;

/// What of a fact tells two runs apart: who did what with which records, not when or under which
/// number.
type Trait = (u8, u8, u16, u16, u64, u32, u64, &'static str);

/// A fact as far as the life of records goes. `None` for what is not about records.
fn trait_of(fact: &Fact) -> Option<Trait> {
    let kind = fact.kind() as u8;
    Some(match *fact {
        Fact::RecordsQueued { session, partition, first, count, .. } => {
            (kind, 0, session.get(), partition.get(), first, count, 0, "")
        }
        Fact::BatchDrained { session, partition, first, count, broker, attempt, .. } => {
            let attempt = u64::from(attempt);
            (kind, broker.get(), session.get(), partition.get(), first, count, attempt, "")
        }
        Fact::BatchAppended { broker, partition, base_offset, count, session, first, .. } => {
            let offset = base_offset.get();
            (kind, broker.get(), session.get(), partition.get(), first, count, offset, "")
        }
        Fact::DuplicateRecognized { broker, partition, session, first, count, .. } => {
            (kind, broker.get(), session.get(), partition.get(), first, count, 0, "")
        }
        Fact::BatchRejected { broker, partition, session, first, count, error, .. } => {
            (kind, broker.get(), session.get(), partition.get(), first, count, 0, error.name())
        }
        Fact::RecordsAcked { session, partition, first, count, base_offset, .. } => {
            let offset = base_offset.map_or(u64::MAX, |offset| offset.get());
            (kind, 0, session.get(), partition.get(), first, count, offset, "")
        }
        Fact::RecordsFailed { session, partition, first, count, error, .. } => {
            (kind, 0, session.get(), partition.get(), first, count, 0, error.name())
        }
        Fact::LeaderElected { partition, leader, .. } => {
            let leader = leader.map_or(0, |leader| leader.get());
            (kind, leader, 0, partition.get(), 0, 0, 0, "")
        }
        Fact::LogTruncated { broker, partition, to, .. } => {
            (kind, broker.get(), 0, partition.get(), 0, 0, to.get(), "")
        }
        _ => return None,
    })
}

/// The first facts at which two runs do something else with records.
pub(crate) fn parting(one: &Story<'_>, other: &Story<'_>) -> (Option<usize>, Option<usize>) {
    let list = |story: &Story<'_>| {
        let facts = story.facts.iter().enumerate();
        let traits = facts.filter_map(|(index, (_, fact))| Some((index, trait_of(fact)?)));
        traits.collect::<Vec<_>>()
    };
    let (a, b) = (list(one), list(other));
    let same = a.iter().zip(&b).take_while(|((_, x), (_, y))| x == y).count();
    (a.get(same).map(|(index, _)| *index), b.get(same).map(|(index, _)| *index))
}

pub(crate) fn draw(
    kind: Kind,
    story: &Story<'_>,
    cured: &Story<'_>,
    changes: &str,
    options: &Options,
) -> Result<Scene, Refusal> {
    let measure = Measure { medium: options.medium };
    let (left_at, right_at) = parting(story, cured);
    let models = [Model::new(*story), Model::new(*cured)];
    let parts = [left_at, right_at];
    let tasks: Vec<Task<'_, '_>> = models
        .iter()
        .zip(parts)
        .map(|(model, parts_at)| Task { model, options, measure, parts_at })
        .collect();
    let drawn: Vec<Result<Drawing, Refusal>> =
        tasks.iter().map(|task| lay_out(kind, task)).collect();
    if let [Err(refusal), Err(_)] = drawn.as_slice() {
        return Err(refusal.clone());
    }
    let lang = options.lang;
    let names =
        [lang.say(Word::AsItIs).to_owned(), format!("{} {changes}", lang.say(Word::WithFix))];
    let mut scene = Scene::new(measure);
    let mut legend: Vec<Entry> = Vec::new();
    let mut notes = divergence(&models, parts, lang);
    let mut sides: Vec<Scene> = Vec::new();
    for ((drawing, name), task) in drawn.into_iter().zip(&names).zip(&tasks) {
        let drawing = drawing.unwrap_or_else(|refusal| nothing(measure, &refusal, lang));
        for entry in &drawing.legend {
            if !legend.contains(entry) {
                legend.push(*entry);
            }
        }
        notes.extend(drawing.notes.iter().map(|note| format!("{name}: {note}")));
        scene.figures.extend(drawing.figures.iter().copied());
        sides.push(side(task, name, drawing));
    }
    assemble(&mut scene, kind, &tasks[0], sides, &legend, &notes);
    Ok(scene)
}

/// What stands where a picture would have nothing to show.
fn nothing(measure: Measure, refusal: &Refusal, lang: Lang) -> Drawing {
    let mut scene = Scene::new(measure);
    let place = scene.text(0, 0, Anchor::Start, Type::body(Ink::Muted), &refusal.say(lang));
    scene.hold(place, 0);
    Drawing { scene, ..Drawing::default() }
}

/// One of the two, with its name and verdict.
fn side(task: &Task<'_, '_>, name: &str, drawing: Drawing) -> Scene {
    let mut scene = Scene::new(task.measure);
    let width = drawing.scene.width.max(task.measure.across(300, 40));
    let look = Type::strong(Ink::Plain).sized(14);
    let mut y = 0;
    for line in task.measure.wrap(name, 15, width) {
        y = scene.text(0, y, Anchor::Start, look, &line).bottom();
    }
    let (icon, ink) = frame::verdict_look(task.model.story.report.judgement.worst());
    let at = Point { x: task.measure.across(7, 0), y: y + task.measure.down(8, 0) };
    scene.icon(icon, at, 13, ink);
    let x = task.measure.across(20, 2);
    for line in task.measure.wrap(&frame::verdict(task.model, task.lang()), 13, width - x) {
        y = scene.text(x, y, Anchor::Start, Type::strong(ink), &line).bottom();
    }
    scene.width = width;
    scene.place(drawing.scene, 0, y + task.measure.down(14, 1));
    scene
}

/// Where the two part, in a sentence each.
fn divergence(models: &[Model<'_>; 2], parts: [Option<usize>; 2], lang: Lang) -> Vec<String> {
    let told = |model: &Model<'_>, at: Option<usize>| match at {
        Some(index) => {
            format!("{} {}", model.at(index), tell(model, lang, index))
        }
        None => lang.say(Word::AtEnd).to_owned(),
    };
    if parts == [None, None] {
        return Vec::new();
    }
    let (one, other) = (told(&models[0], parts[0]), told(&models[1], parts[1]));
    vec![format!("◆ {}: {one} | {other}", lang.say(Word::Divergence))]
}

fn assemble(
    scene: &mut Scene,
    kind: Kind,
    task: &Task<'_, '_>,
    sides: Vec<Scene>,
    legend: &[Entry],
    notes: &[String],
) {
    let measure = task.measure;
    let edge = frame::margin(scene);
    let gap = measure.across(36, 4);
    // Side by side on a page; one below the other where lines are short, or time runs to the right.
    let stacked = measure.is_cells() || matches!(kind, Kind::Txn | Kind::Pipeline);
    let width = match stacked {
        true => sides.iter().map(|side| side.width).max().unwrap_or(0),
        false => sides.iter().map(|side| side.width).sum::<i32>() + gap,
    };
    let inner = width.max(measure.across(frame::WIDTH_MIN, 72));
    let figures = std::mem::take(&mut scene.figures);
    let top = title(scene, kind, task, inner);
    let (mut x, mut y, mut bottom) = (edge, top, top);
    for (index, one) in sides.into_iter().enumerate() {
        let (w, h) = (one.width, one.height);
        if index > 0 && !stacked {
            let line = Stroke::thin(Ink::Grid).dash(Dash::Dotted);
            let middle = x - gap / 2;
            scene.line(Layer::Guides, &[(middle, top), (middle, top + h.max(bottom - top))], line);
        }
        scene.place(one, x, y);
        bottom = bottom.max(y + h);
        if stacked {
            y += h + measure.down(30, 2);
        } else {
            x += w + gap;
        }
    }
    scene.summary = frame::summary(kind, task, &Drawing { figures, ..Drawing::default() });
    let y = frame::legend(scene, legend, task.lang(), bottom, inner);
    frame::footer(scene, task, notes, y, inner);
    scene.width = inner + 2 * edge;
}

/// The title and the question, without a verdict, since each side has its own.
fn title(scene: &mut Scene, kind: Kind, task: &Task<'_, '_>, width: i32) -> i32 {
    let edge = frame::margin(scene);
    let text = &task.model.story.description.title;
    let what = task.lang().term(kind.word());
    scene.title = format!("{text}: {what}");
    let mut y = if scene.measure.is_cells() { 0 } else { 14 };
    let look = Type::strong(Ink::Plain).sized(16);
    for line in scene.measure.wrap(text, 17, width) {
        y = scene.text(edge, y, Anchor::Start, look, &line).bottom();
    }
    y = scene.text(edge, y, Anchor::Start, Type::body(Ink::Muted), &what).bottom();
    y + scene.measure.down(14, 1)
}
