//! Bars, one a record, on one axis of time that starts at the call.

use super::{look, name};
use crate::icon::Icon;
use crate::kind::Task;
use crate::model::latency::{Callback, Life};
use crate::scene::{Anchor, Dash, Layer, Point, Rect, Scene, Stroke, Type};
use crate::theme::Ink;
use crate::words::Word;
use inflight_des::{Instant, Span};

/// How time becomes width.
pub(super) struct Scale {
    /// Where bars begin.
    pub(super) left: i32,
    /// How wide the longest is.
    pub(super) width: i32,
    longest: u64,
}

impl Scale {
    pub(super) fn of(task: &Task<'_, '_>, lives: &[Life], scene: &Scene) -> Self {
        let letters = lives.iter().map(|life| {
            let letter = task.model.letters.one(life.session, life.partition, life.ordinal);
            scene.width_of(&letter, Type::strong(Ink::Plain).sized(14))
        });
        let left = letters.max().unwrap_or(0) + task.measure.across(16, 2);
        let longest = lives.iter().map(|life| life.total().as_nanos()).max().unwrap_or(1).max(1);
        Self { left, width: task.measure.across(640, 72), longest }
    }

    /// How wide a span is.
    pub(super) fn wide(&self, span: Span) -> i32 {
        let pixels = u128::from(span.as_nanos()) * u128::try_from(self.width).unwrap_or(0);
        i32::try_from(pixels / u128::from(self.longest)).unwrap_or(self.width)
    }

    /// Where an instant of a life is.
    pub(super) fn x(&self, life: &Life, at: Instant) -> i32 {
        self.left + self.wide(at.since(life.start()))
    }
}

/// Steps of an axis: at most so many, at round numbers of nanoseconds.
fn round_step(longest: u64, most: u64) -> u64 {
    let mut step = 1;
    loop {
        for factor in [1, 2, 5] {
            if longest / (step * factor) <= most {
                return step * factor;
            }
        }
        step *= 10;
    }
}

/// The axis above the bars. Gives the y below.
pub(super) fn axis(scene: &mut Scene, task: &Task<'_, '_>, scale: &Scale, y: i32) -> i32 {
    let step = round_step(scale.longest, 6);
    let mut bottom = y;
    let mut free = 0;
    for tick in 0..=scale.longest / step {
        let at = Span::from_nanos(tick * step);
        let x = scale.left + scale.wide(at);
        let look = Type::small(Ink::Muted);
        let text = at.to_string();
        let wide = scene.width_of(&text, look);
        if x - wide / 2 < free {
            continue;
        }
        let place = scene.text(x, y, Anchor::Middle, look, &text);
        free = place.right() + task.measure.across(8, 1);
        bottom = place.bottom();
        if !task.measure.is_cells() {
            scene.line(Layer::Guides, &[(x, bottom), (x, bottom + 5)], Stroke::thin(Ink::Grid));
        }
    }
    let line = bottom + task.measure.down(5, 0);
    if !task.measure.is_cells() {
        let ends = [(scale.left, line), (scale.left + scale.width, line)];
        scene.line(Layer::Guides, &ends, Stroke::thin(Ink::Grid));
    }
    scene.hold(Rect::new(scale.left, y, scale.width, line - y), task.measure.across(30, 2));
    line + task.measure.down(9, 0)
}

/// The parts of one record and what they are, in figures. Gives the y below.
pub(super) fn draw(
    scene: &mut Scene,
    task: &Task<'_, '_>,
    scale: &Scale,
    life: &Life,
    y: i32,
) -> i32 {
    let measure = task.measure;
    let height = measure.down(20, 1);
    let letter = task.model.letters.one(life.session, life.partition, life.ordinal);
    scene.text(0, y, Anchor::Start, Type::strong(Ink::Plain).sized(14), &letter);
    for part in &life.parts {
        let (x0, x1) = (scale.x(life, part.from), scale.x(life, part.to));
        let rect = Rect::new(x0, y, (x1 - x0).max(measure.across(3, 1)), height);
        let (fill, stroke) = look(part.stage);
        scene.about(Some(part.fact));
        if stroke.is_some_and(|stroke| stroke.dash == Dash::Dotted) {
            let middle = y + measure.down(height / 2, 0);
            let ends = [(rect.x, middle), (rect.right() - measure.across(0, 1), middle)];
            scene.line(Layer::Marks, &ends, Stroke::thick(Ink::Warning).dash(Dash::Dotted));
        } else {
            scene.rect(Layer::Marks, rect, fill, stroke);
        }
    }
    scene.about(None);
    let end = scale.x(life, life.end()).max(scale.left + measure.across(3, 1));
    let mut x = end + measure.across(11, 2);
    let (icon, ink, text) = callback(task, life);
    let sign = Point { x: x + measure.across(0, 0), y: y + measure.down(10, 0) };
    scene.icon(icon, sign, 13, ink);
    x += measure.across(12, 2);
    let text = format!("{} {text}", life.total());
    let place = scene.text(x, y + measure.down(2, 0), Anchor::Start, Type::strong(ink), &text);
    scene.hold(place, measure.across(8, 1));
    figures(scene, task, scale, life, y + height + measure.down(4, 0))
}

/// What the parts are, in figures.
fn figures(scene: &mut Scene, task: &Task<'_, '_>, scale: &Scale, life: &Life, y: i32) -> i32 {
    let lang = task.lang();
    let parts = life.parts.iter().map(|part| format!("{} {}", name(lang, part.stage), part.span()));
    let text = parts.collect::<Vec<_>>().join("  +  ");
    let mut y = y;
    for line in task.measure.wrap(&text, 11, scale.width) {
        let place = scene.text(scale.left, y, Anchor::Start, Type::small(Ink::Muted), &line);
        y = place.bottom();
    }
    y
}

fn callback(task: &Task<'_, '_>, life: &Life) -> (Icon, Ink, String) {
    let lang = task.lang();
    match life.callback {
        Callback::Acked(_) => (Icon::Check, Ink::Good, lang.say(Word::Acked).to_owned()),
        Callback::Failed(error) => (Icon::Cross, Ink::Bad, error.name().to_owned()),
        Callback::Never => (Icon::Question, Ink::Muted, lang.say(Word::Never).to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::round_step;

    #[test]
    fn steps_are_round_and_few() {
        assert_eq!(round_step(114_000_000, 6), 20_000_000);
        assert_eq!(round_step(6, 6), 1);
        assert_eq!(round_step(7, 6), 2);
        for longest in [1, 99, 123_456, 9_000_000_000] {
            assert!(longest / round_step(longest, 6) <= 6);
        }
    }
}
