//! What is around every picture: its title, the verdict, a legend, the settings, what is left out.

use crate::Icon;
use crate::kind::{Drawing, Kind, Task};
use crate::model::Model;
use crate::scene::{Anchor, Dash, Fill, Head, Layer, Point, Rect, Scene, Stroke, Type};
use crate::theme::Ink;
use crate::words::{Lang, Word};
use inflight_check::{CheckerId, Verdict};

/// One entry of a legend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) sample: Sample,
    pub(crate) word: Word,
}

/// What an entry shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sample {
    /// An arrow.
    Arrow(Stroke, Head),
    /// A box.
    Box(Fill, Stroke),
    /// A box with a sign.
    Signed(Fill, Stroke, Icon),
    /// A sign.
    Sign(Icon, Ink),
    /// Two lines side by side.
    Double(Ink),
    /// A line.
    Line(Stroke),
}

/// The narrowest picture with a frame.
pub(crate) const WIDTH_MIN: i32 = 560;

/// The distance from the edge.
pub(crate) fn margin(scene: &Scene) -> i32 {
    scene.measure.across(16, 1)
}

/// A picture with everything around it.
pub(crate) fn frame(kind: Kind, task: &Task<'_, '_>, drawing: Drawing) -> Scene {
    let mut scene = Scene::new(task.measure);
    let edge = margin(&scene);
    let inner = drawing.scene.width.max(task.measure.across(WIDTH_MIN, 72));
    let top = header(&mut scene, kind, task.model, task.lang(), inner);
    let body_bottom = top + drawing.scene.height;
    scene.summary = summary(kind, task, &drawing);
    scene.figures.clone_from(&drawing.figures);
    scene.place(drawing.scene, edge, top);
    let y = legend(&mut scene, &drawing.legend, task.lang(), body_bottom, inner);
    footer(&mut scene, task, &drawing.notes, y, inner);
    scene.width = inner + 2 * edge;
    scene
}

/// The title of the scenario, what the picture shows, and what came out.
pub(crate) fn header(
    scene: &mut Scene,
    kind: Kind,
    model: &Model<'_>,
    lang: Lang,
    width: i32,
) -> i32 {
    let edge = margin(scene);
    let title = &model.story.description.title;
    scene.title = format!("{title}: {}", lang.term(kind.word()));
    let mut y = edge.max(scene.measure.down(14, 0));
    if scene.measure.is_cells() {
        y = 0;
    }
    let look = Type::strong(Ink::Plain).sized(16);
    for line in scene.measure.wrap(title, 17, width) {
        y = scene.text(edge, y, Anchor::Start, look, &line).bottom();
    }
    let what = lang.term(kind.word());
    y = scene.text(edge, y, Anchor::Start, Type::body(Ink::Muted), &what).bottom();
    let (icon, ink) = verdict_look(model.story.report.judgement.worst());
    y += scene.measure.down(4, 0);
    let mark = Point { x: edge + scene.measure.across(7, 0), y: y + scene.measure.down(8, 0) };
    scene.icon(icon, mark, 13, ink);
    let x = edge + scene.measure.across(20, 2);
    for line in scene.measure.wrap(&verdict(model, lang), 13, width - (x - edge)) {
        y = scene.text(x, y, Anchor::Start, Type::strong(ink), &line).bottom();
    }
    y + scene.measure.down(14, 1)
}

pub(crate) const fn verdict_look(verdict: Verdict) -> (Icon, Ink) {
    match verdict {
        Verdict::Ok => (Icon::Check, Ink::Good),
        Verdict::Vacuous => (Icon::Question, Ink::Muted),
        Verdict::Allowed | Verdict::Possible => (Icon::Triangle, Ink::Warning),
        Verdict::Violation => (Icon::Cross, Ink::Bad),
    }
}

/// What came out, in a line: counts that are not zero, and what that means.
pub(crate) fn verdict(model: &Model<'_>, lang: Lang) -> String {
    let judgement = &model.story.report.judgement;
    let counts = &judgement.counts;
    let repeats = judgement.findings_of(CheckerId::MessageDuplicate);
    let repeated: u64 = repeats.map(|finding| finding.total).sum();
    let mut parts =
        vec![lang.value(Word::Sent, counts.sent), lang.value(Word::Acked, counts.acked)];
    let rest = [
        (Word::Failed, counts.failed + counts.refused),
        (Word::Unknown, counts.unknown),
        (Word::Lost, counts.lost),
        (Word::Duplicated, counts.duplicated),
        (Word::Reordered, counts.reordered),
        (Word::Present, counts.failed_but_present),
        (Word::Repeated, repeated),
        (Word::ProcessedTwice, counts.processed_twice),
        (Word::Skipped, counts.skipped),
        (Word::AbortedTransactions, counts.transactions_aborted),
    ];
    parts.extend(rest.iter().filter(|(_, n)| *n > 0).map(|(word, n)| lang.value(*word, n)));
    let meaning = match judgement.worst() {
        Verdict::Ok => Word::Ok,
        Verdict::Vacuous => Word::Vacuous,
        Verdict::Allowed => Word::Allowed,
        Verdict::Possible => Word::Possible,
        Verdict::Violation => Word::Violation,
    };
    format!("{} — {}", parts.join(", "), lang.say(meaning))
}

/// Two sentences for those who do not see the picture.
pub(crate) fn summary(kind: Kind, task: &Task<'_, '_>, drawing: &Drawing) -> String {
    let (model, lang) = (task.model, task.lang());
    let description = model.story.description;
    let first = model.story.report.explanations.first();
    if !lang.is_english() {
        let found = first.map_or(String::new(), |found| {
            let text = lang.headline(found, &model.namer);
            format!(" {}.", lang.value(Word::FirstFinding, text))
        });
        let (picture, run) = (lang.say(Word::PictureOf), lang.say(Word::Run));
        return format!(
            "{picture}: {} ({}). {run}: \"{}\". {}.{found}",
            lang.say(kind.word()),
            kind.name(),
            description.title,
            verdict(model, lang),
        );
    }
    let figures = match drawing.figures.is_empty() {
        true => String::new(),
        false => {
            let one = |(what, count): &(&str, u64)| format!("{count} {what}");
            let list = drawing.figures.iter().map(one).collect::<Vec<_>>();
            format!(" It shows {}.", list.join(", "))
        }
    };
    let headline = first.map(|found| found.headline.clone());
    let headline = headline.map_or(String::new(), |text| format!(" First finding: {text}."));
    format!(
        "A picture of the kind \"{}\" ({}) of the run \"{}\": {}.{figures}{headline}",
        kind.name(),
        Lang::En.say(kind.word()),
        description.title,
        verdict(model, Lang::En),
    )
}

/// What the signs mean. Gives the y below.
pub(crate) fn legend(scene: &mut Scene, entries: &[Entry], lang: Lang, y: i32, width: i32) -> i32 {
    if entries.is_empty() {
        return y;
    }
    let edge = margin(scene);
    let row = scene.measure.down(22, 1);
    let (mut x, mut y) = (edge, y + scene.measure.down(14, 1));
    let look = Type::small(Ink::Muted);
    for entry in entries {
        let term = lang.term(entry.word);
        let sample = scene.measure.across(34, 4);
        let gap = scene.measure.across(7, 1);
        let wide = sample + gap + scene.width_of(&term, look);
        if x > edge && x + wide > edge + width {
            (x, y) = (edge, y + row);
        }
        let text = term;
        draw_sample(scene, entry.sample, Rect::new(x, y, sample, scene.measure.down(15, 1)));
        scene.text(x + sample + gap, y, Anchor::Start, look, &text);
        x += wide + scene.measure.across(18, 3);
    }
    y + row
}

fn draw_sample(scene: &mut Scene, sample: Sample, place: Rect) {
    let middle = place.y + scene.measure.down(place.h / 2, 0);
    let (left, right) = (place.x, place.right());
    match sample {
        Sample::Arrow(stroke, head) => {
            let end = if head == Head::Lost { right - scene.measure.across(8, 0) } else { right };
            let (from, to) = (Point { x: left, y: middle }, Point { x: end, y: middle });
            scene.arrow(from, to, stroke, head);
        }
        Sample::Box(fill, stroke) => scene.rect(Layer::Marks, place, fill, Some(stroke)),
        Sample::Signed(fill, stroke, icon) => {
            scene.rect(Layer::Marks, place, fill, Some(stroke));
            scene.icon(icon, place.centre(), 11, stroke.ink);
        }
        Sample::Sign(icon, ink) => {
            scene.icon(icon, Point { x: place.centre().x, y: middle }, 12, ink);
        }
        Sample::Double(ink) => {
            let lines = if scene.measure.is_cells() { [0, 0] } else { [-2, 2] };
            for shift in lines {
                let points = [(left, middle + shift), (right, middle + shift)];
                scene.line(Layer::Marks, &points, Stroke::thick(ink));
            }
        }
        Sample::Line(stroke) => {
            scene.line(Layer::Marks, &[(left, middle), (right, middle)], stroke);
        }
    }
}

/// The version, the seed, what was changed, what is left out.
pub(crate) fn footer(scene: &mut Scene, task: &Task<'_, '_>, notes: &[String], y: i32, width: i32) {
    let edge = margin(scene);
    let mut y = y + scene.measure.down(10, 1);
    let rule = y - scene.measure.down(4, 0);
    if !scene.measure.is_cells() {
        let line = Stroke::thin(Ink::Grid).dash(Dash::Dotted);
        scene.line(Layer::Guides, &[(edge, rule), (edge + width, rule)], line);
    }
    let all = notes.iter().cloned().chain([profile(task.model, task.lang())]);
    for note in all {
        for line in scene.measure.wrap(&note, 11, width) {
            y = scene.text(edge, y, Anchor::Start, Type::small(Ink::Muted), &line).bottom();
        }
    }
    scene.height = y + scene.measure.down(12, 0);
}

/// What was simulated: release, seed, and every setting that is not Kafka's default.
pub(crate) fn profile(model: &Model<'_>, lang: Lang) -> String {
    let description = model.story.description;
    let mut changed = changed(model).join(" · ");
    if changed.is_empty() {
        lang.say(Word::Defaults).clone_into(&mut changed);
    }
    format!(
        "Kafka {} · {} {} · inflight {} · {changed}",
        description.kafka,
        lang.say(Word::Seed),
        description.seed,
        description.program,
    )
}

/// Every setting that is not Kafka's default, as far as a recording knows.
pub(crate) fn changed(model: &Model<'_>) -> Vec<String> {
    let description = model.story.description;
    let producer = inflight_protocol::ProducerConfig::default().effective();
    let consumer = inflight_protocol::ConsumerConfig::default().effective();
    let mut parts: Vec<String> = Vec::new();
    for client in &description.clients {
        let differs = |defaults: &[(&str, String)], (key, value): &(String, String)| {
            defaults.iter().any(|(known, default)| known == key && default != value)
        };
        let sends = client.config.iter().filter(|one| client.produces && differs(&producer, one));
        let reads = client.consumer.iter().flat_map(|own| &own.config);
        let settings = sends.chain(reads.filter(|one| differs(&consumer, one)));
        let settings: Vec<String> = settings.map(|(key, value)| format!("{key}={value}")).collect();
        let who = if description.clients.len() > 1 {
            format!("{}: ", client.name)
        } else {
            String::new()
        };
        if !settings.is_empty() {
            parts.push(format!("{who}{}", settings.join(" ")));
        }
    }
    for topic in &description.topics {
        let many = description.topics.len() > 1;
        let who = if many { format!("{}: ", topic.name) } else { String::new() };
        let unclean = topic.unclean_leader_election_enable;
        let floor = topic.min_insync_replicas;
        let mut settings = Vec::new();
        settings.extend((floor != 1).then(|| format!("min.insync.replicas={floor}")));
        settings.extend(unclean.then(|| "unclean.leader.election.enable=true".to_owned()));
        if !settings.is_empty() {
            parts.push(format!("{who}{}", settings.join(" ")));
        }
    }
    parts
}
