//! Tables: the same cells as a picture and as Markdown.

use crate::icon::Icon;
use crate::measure::Measure;
use crate::scene::{Anchor, Fill, Layer, Point, Rect, Scene, Stroke, Type};
use crate::theme::Ink;

/// One cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) look: CellLook,
}

/// How a cell looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CellLook {
    pub(crate) icon: Option<(Icon, Ink)>,
    /// Whether it stands out: it does not fit to the others.
    pub(crate) outlined: bool,
}

impl Cell {
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), look: CellLook::default() }
    }

    pub(crate) fn signed(icon: Icon, ink: Ink, text: impl Into<String>) -> Self {
        let look = CellLook { icon: Some((icon, ink)), outlined: false };
        Self { text: text.into(), look }
    }

    pub(crate) const fn outlined(mut self) -> Self {
        self.look.outlined = true;
        self
    }
}

/// A table with a heading for each column.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub(crate) heads: Vec<String>,
    pub(crate) rows: Vec<Vec<Cell>>,
    /// The fact of each row, if it is about one.
    pub(crate) facts: Vec<Option<usize>>,
}

impl Table {
    /// The table as a picture.
    pub(crate) fn scene(&self, measure: Measure) -> Scene {
        let mut scene = Scene::new(measure);
        let widths = self.widths(&scene);
        let (pad, height) = (measure.across(9, 1), measure.down(26, 1));
        let total: i32 = widths.iter().sum();
        let mut x = 0;
        for (head, width) in self.heads.iter().zip(&widths) {
            let look = Type::strong(Ink::Muted);
            scene.text(x + pad, measure.down(5, 0), Anchor::Start, look, head);
            x += width;
        }
        let mut y = height;
        scene.line(Layer::Guides, &[(0, y), (total, y)], Stroke::thin(Ink::Plain));
        y += measure.down(2, 1);
        for (index, row) in self.rows.iter().enumerate() {
            scene.about(self.facts.get(index).copied().flatten());
            let mut x = 0;
            for (cell, width) in row.iter().zip(&widths) {
                draw_cell(&mut scene, cell, Rect::new(x, y, *width, height), pad);
                x += width;
            }
            y += height;
            if !measure.is_cells() {
                scene.line(Layer::Guides, &[(0, y), (total, y)], Stroke::thin(Ink::Grid));
            }
        }
        scene.about(None);
        (scene.width, scene.height) = (total, y + measure.down(2, 0));
        scene
    }

    fn widths(&self, scene: &Scene) -> Vec<i32> {
        let pad = scene.measure.across(9, 1);
        let column = |index: usize| {
            let head = scene.width_of(&self.heads[index], Type::strong(Ink::Muted));
            let cells = self.rows.iter().filter_map(|row| row.get(index));
            let widest = cells.map(|cell| {
                let sign = if cell.look.icon.is_some() { scene.measure.across(17, 2) } else { 0 };
                scene.width_of(&cell.text, Type::strong(Ink::Plain)) + sign
            });
            widest.max().unwrap_or(0).max(head) + 2 * pad
        };
        (0..self.heads.len()).map(column).collect()
    }

    /// The table as Markdown. What stands out is bold.
    pub(crate) fn markdown(&self) -> String {
        let escape = |text: &str| text.replace('|', "\\|");
        let mut text = format!("| {} |\n", self.heads.join(" | "));
        text.push('|');
        text.push_str(&" --- |".repeat(self.heads.len()));
        text.push('\n');
        for row in &self.rows {
            let cells = row.iter().map(|cell| {
                let sign = cell
                    .look
                    .icon
                    .map_or(String::new(), |(icon, _)| format!("{} ", icon.character()));
                let words = format!("{sign}{}", escape(&cell.text));
                if cell.look.outlined { format!("**{words}**") } else { words }
            });
            text.push_str(&format!("| {} |\n", cells.collect::<Vec<_>>().join(" | ")));
        }
        text
    }
}

fn draw_cell(scene: &mut Scene, cell: &Cell, place: Rect, pad: i32) {
    let measure = scene.measure;
    if cell.look.outlined {
        let inner = Rect::new(place.x + 2, place.y + 2, place.w - 4, place.h - 4);
        if measure.is_cells() {
            let last = place.x + place.w - measure.across(0, 1);
            scene.text(place.x, place.y, Anchor::Start, Type::strong(Ink::Bad), "[");
            scene.text(last, place.y, Anchor::Start, Type::strong(Ink::Bad), "]");
        } else {
            scene.round(inner, Fill::Tint(Ink::Bad), Some(Stroke::thick(Ink::Bad)));
        }
    }
    let mut x = place.x + pad;
    if let Some((icon, ink)) = cell.look.icon {
        let at = Point { x: x + measure.across(6, 0), y: place.y + measure.down(place.h / 2, 0) };
        scene.icon(icon, at, 12, ink);
        x += measure.across(17, 2);
    }
    let look = if cell.look.outlined { Type::strong(Ink::Plain) } else { Type::body(Ink::Plain) };
    let y = place.y + (place.h - scene.height_of(look)) / 2;
    scene.text(x, y, Anchor::Start, look, &cell.text);
}
