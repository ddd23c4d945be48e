//! The limits that Kafka's settings put on a record's time, and how much of each was used.

use super::bars::Scale;
use crate::icon::Icon;
use crate::kind::Task;
use crate::model::latency::{Life, Stage};
use crate::scene::{Anchor, Dash, Layer, Point, Rect, Scene, Stroke, Type};
use crate::theme::Ink;
use crate::words::Word;
use inflight_des::{Instant, Span};

/// A limit: its setting, what it allows, when what it limits began and ended.
struct Limit {
    key: &'static str,
    millis: u64,
    from: Instant,
    to: Instant,
    /// Whether the unused rest is drawn too.
    rest: bool,
}

/// The brackets under a bar, and what the broker did. Gives the y below.
pub(super) fn draw(
    scene: &mut Scene,
    task: &Task<'_, '_>,
    scale: &Scale,
    life: &Life,
    y: i32,
) -> i32 {
    let mut y = y + task.measure.down(6, 0);
    for limit in limits(task, life) {
        y = bracket(scene, task, scale, life, &limit, y);
    }
    y = warning(scene, task, scale, life, y);
    zoom(scene, task, scale, life, y)
}

fn limits(task: &Task<'_, '_>, life: &Life) -> Vec<Limit> {
    let millis = |key| task.model.millis(life.session, key);
    let mut limits = Vec::new();
    for part in &life.parts {
        let key = match part.stage {
            Stage::Blocked(_) => "max.block.ms",
            Stage::InBatch => "linger.ms",
            Stage::InFlight(_) => "request.timeout.ms",
            Stage::Backoff(_) => "retry.backoff.ms",
            Stage::Ready => continue,
        };
        let from = if key == "linger.ms" { life.created } else { part.from };
        if let Some(millis) = millis(key) {
            limits.push(Limit { key, millis, from, to: part.to, rest: false });
        }
    }
    if let Some(millis) = millis("delivery.timeout.ms") {
        let key = "delivery.timeout.ms";
        limits.push(Limit { key, millis, from: life.created, to: life.end(), rest: true });
    }
    limits
}

fn bracket(
    scene: &mut Scene,
    task: &Task<'_, '_>,
    scale: &Scale,
    life: &Life,
    limit: &Limit,
    y: i32,
) -> i32 {
    let measure = task.measure;
    let lang = task.lang();
    // A batch may be older than a record that joined it late.
    let from = limit.from.max(life.start());
    let (x0, x1) = (scale.x(life, from), scale.x(life, limit.to));
    let x1 = x1.max(x0 + measure.across(3, 1));
    let used = limit.to.since(limit.from);
    let allowed = Span::from_millis(limit.millis);
    let text = format!(
        "{}: {} {used}, {} {} ms",
        limit.key,
        lang.say(Word::Used),
        lang.say(Word::Limit),
        limit.millis
    );
    // A backoff is no limit but a wait: it doubles, and is spread by a fifth.
    let waits = limit.key == "retry.backoff.ms";
    let over = used > allowed && !waits;
    let text = match waits {
        true => format!("{} {} ×2^n ±20 %: {used}", limit.key, limit.millis),
        false => text,
    };
    let ink = if over { Ink::Warning } else { Ink::Muted };
    let look = Type::small(ink);
    let wide = scene.width_of(&text, look);
    let right = scale.left + scale.width;
    let height = measure.down(17, 1);
    let line = y + measure.down(8, 0);
    let stroke = Stroke::thin(ink);
    if measure.is_cells() {
        let label = scene.text(scale.left, y, Anchor::Start, look, &text);
        scene.hold(label, 0);
        return y + height;
    }
    scene.line(Layer::Marks, &[(x0, line - 4), (x0, line + 4)], stroke);
    scene.line(Layer::Marks, &[(x0, line), (x1, line)], stroke);
    scene.line(Layer::Marks, &[(x1, line - 4), (x1, line + 4)], stroke);
    if limit.rest && used < allowed {
        let rest = stroke.dash(Dash::Dotted);
        scene.line(Layer::Marks, &[(x1, line), (right + 26, line)], rest);
    }
    // Beside the bracket where there is room: right of it, else left, else below.
    let gap = 8;
    let place = if x1 + gap + wide <= right {
        scene.label(x1 + gap, y, Anchor::Start, look, &text)
    } else if scale.left + wide + gap <= x0 {
        scene.label(x0 - gap, y, Anchor::End, look, &text)
    } else {
        scene.label(right, y + height - 4, Anchor::End, look, &text)
    };
    scene.hold(place, 0);
    place.bottom().max(y + height)
}

/// A delivery timeout that cannot hold one attempt.
fn warning(scene: &mut Scene, task: &Task<'_, '_>, scale: &Scale, life: &Life, y: i32) -> i32 {
    let millis = |key| task.model.millis(life.session, key);
    let limits = (millis("delivery.timeout.ms"), millis("linger.ms"), millis("request.timeout.ms"));
    let (Some(delivery), Some(linger), Some(request)) = limits else { return y };
    if delivery >= linger.saturating_add(request) {
        return y;
    }
    let measure = task.measure;
    let at = Point { x: scale.left + measure.across(6, 0), y: y + measure.down(9, 0) };
    scene.icon(Icon::Triangle, at, 13, Ink::Warning);
    let x = scale.left + measure.across(18, 2);
    let text = task.lang().say(Word::TooTight);
    let place = scene.text(x, y, Anchor::Start, Type::strong(Ink::Warning), text);
    scene.hold(place, 0);
    place.bottom()
}

/// What is inside the last try that was answered, on a scale of its own.
fn zoom(scene: &mut Scene, task: &Task<'_, '_>, scale: &Scale, life: &Life, y: i32) -> i32 {
    let total: u64 = life.zoom.iter().map(|(_, span)| span.as_nanos()).sum();
    if total == 0 {
        return y;
    }
    let measure = task.measure;
    let lang = task.lang();
    let word = |name: &str| match name {
        "network" => Word::Network,
        "append" => Word::LocalAppend,
        "in-sync" => Word::WaitsInSync,
        "queue" => Word::WaitsTurn,
        _ => Word::Back,
    };
    let y = y + measure.down(6, 0);
    let title = format!("{}:", lang.say(Word::InsideFlight));
    let place = scene.text(scale.left, y, Anchor::Start, Type::small(Ink::Producer), &title);
    let mut x = scale.left;
    let y = place.bottom() + measure.down(2, 0);
    let height = measure.down(20, 1);
    let look = Type::small(Ink::Plain);
    for (name, span) in life.zoom.iter().filter(|(_, span)| *span > Span::ZERO) {
        let text = format!("{} {span}", lang.say(word(name)));
        let share = u128::from(span.as_nanos()) * u128::try_from(scale.width).unwrap_or(0);
        let share = i32::try_from(share / u128::from(total)).unwrap_or(0);
        // Wide enough for its text, however short it was.
        let wide = share.max(scene.width_of(&text, look) + measure.across(14, 3));
        let rect = Rect::new(x, y, wide, height);
        scene.rect(Layer::Marks, rect, crate::Fill::None, Some(Stroke::thin(Ink::Producer)));
        scene.text_in(rect, look, &text);
        scene.hold(rect, measure.across(4, 1));
        x += wide;
    }
    y + height + measure.down(4, 0)
}
