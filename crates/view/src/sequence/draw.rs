//! The beats themselves: arrows, notes, bands, and the time beside them.

use super::beats::{Beat, Place, What};
use super::lifelines::Columns;
use super::rows::{Row, Rows};
use super::select::Selection;
use crate::icon::Icon;
use crate::kind::Task;
use crate::measure::brief;
use crate::model::messages::End;
use crate::scene::{Anchor, Dash, Fill, Head, Layer, Point, Rect, Scene, Stroke, Type};
use crate::theme::Ink;
use crate::words::Word;
use inflight_des::Instant;

/// What is shown, drawn.
pub(super) fn beats(
    scene: &mut Scene,
    task: &Task<'_, '_>,
    selection: &Selection<'_>,
    columns: &Columns,
    rows: &Rows,
) {
    let mut painter = Painter { task, selection, columns, rows, right: columns.right() };
    for (beat, row) in selection.beats.iter().zip(&rows.places) {
        scene.about(Some(beat.fact));
        painter.beat(scene, beat, *row);
    }
    scene.about(None);
    let right = painter.right + task.measure.across(14, 1);
    scene.width = scene.width.max(right);
    shades(scene, task, selection, rows);
    times(scene, task, selection, columns, rows);
}

struct Painter<'p, 'a, 'm> {
    task: &'p Task<'a, 'm>,
    selection: &'p Selection<'p>,
    columns: &'p Columns,
    rows: &'p Rows,
    /// How far to the right anything is.
    right: i32,
}

impl Painter<'_, '_, '_> {
    fn note_right(&mut self, place: Rect) {
        self.right = self.right.max(place.right());
    }

    fn beat(&mut self, scene: &mut Scene, beat: &Beat, row: Row) {
        match &beat.what {
            What::Call { from, to, text, ink, icon } => {
                self.call(scene, row, (*from, *to), text, (*ink, *icon));
            }
            What::Depart { message, from, to, text, stroke } => {
                self.depart(scene, row, *message, (*from, *to), (text, *stroke));
            }
            What::Arrive { message, text } => self.arrive(scene, row, *message, text),
            What::Lose { .. } => {}
            What::Note { place, text, ink, icon } => {
                self.note(scene, row, *place, text, (*ink, *icon));
            }
            What::Band { text, ink, icon } => {
                let x = self.columns.gutter + self.task.measure.across(26, 4);
                let middle = self.task.measure.down(14, 0);
                let at = Point { x: x - self.task.measure.across(12, 2), y: row.top + middle };
                scene.icon(*icon, at, 13, *ink);
                let y = row.top + self.task.measure.down(6, 0);
                let place = scene.label(x, y, Anchor::Start, Type::strong(*ink), text);
                self.note_right(place);
            }
        }
    }

    fn call(
        &mut self,
        scene: &mut Scene,
        row: Row,
        (from, to): (Place, Place),
        text: &str,
        (ink, icon): (Ink, Option<Icon>),
    ) {
        let (Some(x0), Some(x1)) = (self.columns.x(from), self.columns.x(to)) else { return };
        let measure = self.task.measure;
        let (a, b) = (Point { x: x0, y: row.line }, Point { x: x1, y: row.line });
        scene.arrow(a, b, Stroke::thin(ink), Head::Arrived);
        let start = x0.min(x1) + measure.across(20, 3);
        let look = Type::body(ink);
        if let Some(icon) = icon {
            let y = row.top + measure.down(10, 0);
            scene.icon(icon, Point { x: x0.min(x1) + measure.across(11, 2), y }, 10, ink);
        }
        let place = scene.label(start, row.top + measure.down(2, 0), Anchor::Start, look, text);
        self.note_right(place);
    }

    fn note(
        &mut self,
        scene: &mut Scene,
        row: Row,
        at: Place,
        text: &str,
        (ink, icon): (Ink, Option<Icon>),
    ) {
        let Some(x) = self.columns.x(at) else { return };
        let measure = self.task.measure;
        let sign = icon.unwrap_or(Icon::Dot);
        scene.icon(sign, Point { x, y: row.line }, 13, ink);
        let look = if ink == Ink::Muted { Type::body(ink) } else { Type::strong(ink) };
        let y = row.line - measure.down(8, 0);
        let place = scene.label(x + measure.across(11, 2), y, Anchor::Start, look, text);
        self.note_right(place);
    }

    fn depart(
        &mut self,
        scene: &mut Scene,
        row: Row,
        message: usize,
        (from, to): (Place, Place),
        (text, stroke): (&str, Stroke),
    ) {
        let (Some(x0), Some(x1)) = (self.columns.x(from), self.columns.x(to)) else { return };
        let measure = self.task.measure;
        let look = Type::body(stroke.ink);
        let wide = scene.width_of(text, look);
        let gap = measure.across(9, 2);
        // Beside its start, on the side it goes to.
        let start = if x1 > x0 { x0 + gap } else { (x0 - gap - wide).max(self.columns.gutter) };
        let ended = self.task.model.messages.list[message].ended();
        let end_row = ended.and_then(|fact| self.row_of(fact));
        let a = Point { x: x0, y: row.line };
        if measure.is_cells() {
            self.depart_in_cells(scene, a, x1, message, end_row, stroke);
        } else {
            let (head, b) = self.far_end(a, x1, message, end_row);
            scene.arrow(a, b, stroke, head);
        }
        let top = row.top + measure.down(1, 0);
        let place = scene.label(start, top, Anchor::Start, look, text);
        self.note_right(place);
    }

    /// Where an arrow ends, and how.
    fn far_end(&self, a: Point, x1: i32, message: usize, end: Option<Row>) -> (Head, Point) {
        let lost = matches!(self.task.model.messages.list[message].end, End::Lost(..));
        let y = end.map_or(a.y + 8, |row| row.line);
        match (lost, end) {
            (true, _) => {
                let y = a.y + (y - a.y).min(5);
                (Head::Lost, Point { x: a.x + (x1 - a.x) * 3 / 5, y })
            }
            (false, Some(_)) => {
                // Lines of a leader are a little apart.
                let shy = if x1 > a.x { x1 - 3 } else { x1 + 3 };
                (Head::Arrived, Point { x: shy, y })
            }
            (false, None) => (Head::Open, Point { x: a.x + (x1 - a.x) * 3 / 5, y }),
        }
    }

    /// In cells no line slants: an arrow that arrives later leaves as a stub.
    fn depart_in_cells(
        &self,
        scene: &mut Scene,
        a: Point,
        x1: i32,
        message: usize,
        end: Option<Row>,
        stroke: Stroke,
    ) {
        let lost = matches!(self.task.model.messages.list[message].end, End::Lost(..));
        let same = end.is_some_and(|row| row.height == 0 && row.line == a.y);
        let head = match (lost, same) {
            (true, _) => Head::Lost,
            (false, true) => Head::Arrived,
            (false, false) => Head::Open,
        };
        let stroke = if same || lost { stroke } else { stroke.dash(Dash::Dashed) };
        scene.arrow(a, Point { x: x1, y: a.y }, stroke, head);
    }

    fn arrive(&mut self, scene: &mut Scene, row: Row, message: usize, text: &str) {
        if !self.task.measure.is_cells() || row.height == 0 {
            return;
        }
        let of = &self.task.model.messages.list[message];
        let (from, to) = (Place::of(of.from), Place::of(of.to));
        let (Some(x0), Some(x1)) = (self.columns.x(from), self.columns.x(to)) else { return };
        let stroke = Stroke::thin(Ink::Muted).dash(Dash::Dashed);
        scene.arrow(
            Point { x: x0, y: row.line },
            Point { x: x1, y: row.line },
            stroke,
            Head::Arrived,
        );
        let x = i32::midpoint(x0, x1);
        let place = scene.label(x, row.top, Anchor::Middle, Type::small(Ink::Muted), text);
        self.note_right(place);
    }

    fn row_of(&self, fact: usize) -> Option<Row> {
        let place = self.selection.beats.iter().position(|beat| beat.fact == fact)?;
        self.rows.places.get(place).copied()
    }
}

/// Shades behind what decides the verdict and behind what struck all.
fn shades(scene: &mut Scene, task: &Task<'_, '_>, selection: &Selection<'_>, rows: &Rows) {
    if task.measure.is_cells() {
        return;
    }
    let width = scene.width;
    for (beat, row) in selection.beats.iter().zip(&rows.places) {
        let strip = Rect::new(0, row.top - 1, width, row.height.max(8) + 2);
        if let What::Band { ink, .. } = beat.what {
            scene.rect(Layer::Ground, strip, Fill::Tint(ink), None);
        } else if beat.decides {
            scene.rect(Layer::Ground, strip, Fill::Tint(Ink::Warning), None);
        }
    }
}

/// The time beside each strip, if it is another one than above, and where waits are cut.
fn times(
    scene: &mut Scene,
    task: &Task<'_, '_>,
    selection: &Selection<'_>,
    columns: &Columns,
    rows: &Rows,
) {
    let measure = task.measure;
    let mut shown: Option<Instant> = None;
    let right = columns.gutter - measure.across(8, 1);
    for (beat, row) in selection.beats.iter().zip(&rows.places) {
        if let Some(wait) = row.cut {
            cut(scene, task, wait, row, right);
        }
        if beat.decides && row.height > 0 {
            let y = row.line.min(row.top + row.height / 2);
            let at = Point { x: columns.gutter + measure.across(6, 0), y };
            scene.icon(Icon::Triangle, at, 13, Ink::Warning);
        }
        if task.parts_at == Some(beat.fact) {
            let at = Point { x: columns.gutter + measure.across(24, 2), y: row.line };
            scene.icon(Icon::Rhombus, at, 13, Ink::Transaction);
        }
        let quiet = matches!(beat.what, What::Arrive { .. } | What::Lose { .. });
        if shown == Some(beat.at) || row.height == 0 || (quiet && !measure.is_cells()) {
            continue;
        }
        shown = Some(beat.at);
        let y = row.line - measure.down(8, 0);
        let y = y.min(row.top + row.height - measure.down(16, 0)).max(row.top - measure.down(1, 0));
        scene.text(right, y, Anchor::End, Type::small(Ink::Muted), &beat.at.to_string());
    }
}

/// Where a long wait is left out: a broken line across, and how long it was.
fn cut(scene: &mut Scene, task: &Task<'_, '_>, wait: inflight_des::Span, row: &Row, right: i32) {
    let measure = task.measure;
    let text = format!("{} {}", brief(wait), task.lang().say(Word::Waited));
    if measure.is_cells() {
        return;
    }
    let y = row.top - 13;
    let place = scene.label(right + 14, y - 7, Anchor::Start, Type::small(Ink::Muted), &text);
    let stroke = Stroke::thin(Ink::Grid).dash(Dash::Dashed);
    let width = scene.width;
    for shift in [-2, 2] {
        scene.line(Layer::Guides, &[(0, y + shift), (place.x - 8, y + shift)], stroke);
        scene.line(Layer::Guides, &[(place.right() + 8, y + shift), (width, y + shift)], stroke);
    }
}
