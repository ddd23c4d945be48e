//! PNG: drawn with the embedded font alone, so that no machine draws it differently.

use super::geometry::{hatch, head};
use super::svg::baseline;
use crate::font;
use crate::scene::{Dash, Fill, Head, Item, Mark, Point, Rect, Scene, Stroke, Text};
use crate::theme::{Ink, Theme};
use tiny_skia::{
    Color, FillRule, LineJoin, Paint, Path, PathBuilder, Pixmap, StrokeDash, Transform,
};
use ttf_parser::OutlineBuilder;

/// The largest side of a picture, in pixels.
const SIDE_MAX: i32 = 16_000;

/// A picture as a PNG file, with an opaque ground. `scale` pixels for each of the scene, fewer if
/// it would become too large.
///
/// # Errors
///
/// If the picture is empty or cannot be encoded.
pub fn png(scene: &Scene, theme: Theme, scale: u32) -> Result<Vec<u8>, String> {
    let side = scene.width.max(scene.height).max(1);
    let fits = (SIDE_MAX / side).max(1);
    let scale = i32::try_from(scale).unwrap_or(1).clamp(1, fits);
    let pixels = |length: i32| u32::try_from(length * scale).unwrap_or(0);
    let pixmap = Pixmap::new(pixels(scene.width), pixels(scene.height));
    let pixmap = pixmap.ok_or("the picture is empty")?;
    let transform = Transform::from_scale(scale as f32, scale as f32);
    let mut painter = Painter { pixmap, theme, transform };
    let ground = painter.colour(theme.rgb(Ink::Ground), 255);
    painter.pixmap.fill(ground);
    for item in scene.drawn() {
        painter.item(item);
    }
    painter.pixmap.encode_png().map_err(|wrong| wrong.to_string())
}

struct Painter {
    pixmap: Pixmap,
    theme: Theme,
    transform: Transform,
}

impl Painter {
    #[expect(clippy::unused_self, reason = "it reads better beside its kin")]
    fn colour(&self, [red, green, blue]: [u8; 3], alpha: u8) -> Color {
        Color::from_rgba8(red, green, blue, alpha)
    }

    fn paint(&self, rgb: [u8; 3], alpha: u8) -> Paint<'static> {
        let mut paint = Paint::default();
        paint.set_color(self.colour(rgb, alpha));
        paint
    }

    fn fill_path(&mut self, path: Option<Path>, rgb: [u8; 3], alpha: u8) {
        let Some(path) = path else { return };
        let paint = self.paint(rgb, alpha);
        self.pixmap.fill_path(&path, &paint, FillRule::Winding, self.transform, None);
    }

    fn stroke_path(&mut self, path: Option<Path>, rgb: [u8; 3], alpha: u8, width: f32, dash: Dash) {
        let Some(path) = path else { return };
        let dash = match dash {
            Dash::Solid => None,
            Dash::Dashed => StrokeDash::new(vec![6.0, 4.0], 0.0),
            Dash::Dotted => StrokeDash::new(vec![1.5, 4.0], 0.0),
        };
        let line_join = LineJoin::Round;
        let stroke = tiny_skia::Stroke { width, dash, line_join, ..Default::default() };
        let paint = self.paint(rgb, alpha);
        self.pixmap.stroke_path(&path, &paint, &stroke, self.transform, None);
    }

    fn draw(&mut self, path: Option<Path>, stroke: Stroke) {
        let width = stroke.quarters as f32 / 4.0;
        self.stroke_path(path, self.theme.rgb(stroke.ink), 255, width, stroke.dash);
    }

    fn item(&mut self, item: &Item) {
        match &item.mark {
            Mark::Rect { rect, radius, fill, stroke } => self.rect(*rect, *radius, *fill, *stroke),
            Mark::Line { points, stroke } => self.draw(polygon(points, false), *stroke),
            Mark::Area { points, fill } => match fill {
                Fill::None => {}
                Fill::Solid(ink) => {
                    self.fill_path(polygon(points, true), self.theme.rgb(*ink), 255);
                }
                Fill::Tint(ink) | Fill::Hatch(ink) => {
                    self.fill_path(polygon(points, true), self.theme.tint(*ink), 255);
                }
            },
            Mark::Arrow { from, to, stroke, head } => self.arrow(*from, *to, *stroke, *head),
            Mark::Icon { icon, at, size, ink } => {
                let rgb = self.theme.rgb(*ink);
                let (x, y) = (at.x - size / 2, at.y - size / 2);
                let place = |from: i32, p: i32| from as f32 + (p * size) as f32 / 12.0;
                for (points, filled) in icon.pieces() {
                    let points: Vec<_> =
                        points.iter().map(|(px, py)| (place(x, *px), place(y, *py))).collect();
                    match filled {
                        true => self.fill_path(through(&points, true), rgb, 255),
                        false => {
                            self.stroke_path(through(&points, false), rgb, 255, 1.75, Dash::Solid);
                        }
                    }
                }
            }
            Mark::Text(text) => self.text(text),
        }
    }

    fn rect(&mut self, rect: Rect, radius: i32, fill: Fill, stroke: Option<Stroke>) {
        let path = || rounded(rect, radius);
        match fill {
            Fill::None => {}
            Fill::Solid(ink) => self.fill_path(path(), self.theme.rgb(ink), 255),
            Fill::Tint(ink) => self.fill_path(path(), self.theme.tint(ink), 255),
            Fill::Hatch(ink) => {
                self.fill_path(path(), self.theme.rgb(Ink::Ground), 255);
                for (a, b) in hatch(rect) {
                    let line = polygon(&[a, b], false);
                    self.stroke_path(line, self.theme.rgb(ink), 115, 1.0, Dash::Solid);
                }
            }
        }
        if let Some(stroke) = stroke {
            self.draw(path(), stroke);
        }
    }

    fn arrow(&mut self, from: Point, to: Point, stroke: Stroke, end: Head) {
        let rgb = self.theme.rgb(stroke.ink);
        let start = (from.x as f32, from.y as f32);
        let narrow = |(x, y): (f64, f64)| (x as f32, y as f32);
        match end {
            Head::Open => self.draw(polygon(&[from, to], false), stroke),
            Head::Arrived => {
                let (corners, base) = head(from, to);
                self.draw(through(&[start, narrow(base)], false), stroke);
                self.fill_path(through(&corners.map(narrow), true), rgb, 255);
            }
            Head::Lost => {
                self.draw(polygon(&[from, to], false), stroke);
                let (x, y) = (to.x as f32, to.y as f32);
                for slope in [1.0, -1.0] {
                    let line = [(x - 5.0, y - 5.0 * slope), (x + 5.0, y + 5.0 * slope)];
                    self.stroke_path(through(&line, false), rgb, 255, 2.25, Dash::Solid);
                }
            }
        }
    }

    fn text(&mut self, text: &Text) {
        let Rect { x, y, w, h } = text.place;
        if text.halo {
            let halo = rounded(Rect { x: x - 2, y, w: w + 4, h }, 0);
            self.fill_path(halo, self.theme.rgb(Ink::Ground), 255);
        }
        let mut builder = PathBuilder::new();
        let scale = text.size as f32 / 1000.0;
        let origin = (x as f32, (y + baseline(text.size, h)) as f32);
        font::outline(&text.text, text.weight, |advance, draw| {
            let x = origin.0 + advance as f32 * scale;
            draw(&mut Outline { to: &mut builder, x, y: origin.1, scale });
        });
        self.fill_path(builder.finish(), self.theme.rgb(text.ink), 255);
    }
}

/// Puts the outline of a character into a path.
struct Outline<'a> {
    to: &'a mut PathBuilder,
    x: f32,
    y: f32,
    scale: f32,
}

impl Outline<'_> {
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        (self.x + x * self.scale, self.y - y * self.scale)
    }
}

impl OutlineBuilder for Outline<'_> {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.to.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.to.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.at(x1, y1), self.at(x, y));
        self.to.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.at(x1, y1), self.at(x2, y2), self.at(x, y));
        self.to.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.to.close();
    }
}

fn polygon(points: &[Point], closed: bool) -> Option<Path> {
    let points: Vec<_> = points.iter().map(|point| (point.x as f32, point.y as f32)).collect();
    through(&points, closed)
}

fn through(points: &[(f32, f32)], closed: bool) -> Option<Path> {
    let mut builder = PathBuilder::new();
    for (index, (x, y)) in points.iter().enumerate() {
        if index == 0 { builder.move_to(*x, *y) } else { builder.line_to(*x, *y) }
    }
    if closed {
        builder.close();
    }
    builder.finish()
}

/// A box, its corners rounded by quarters of something close to a circle.
fn rounded(rect: Rect, radius: i32) -> Option<Path> {
    let (l, t) = (rect.x as f32, rect.y as f32);
    let (r, b) = (rect.right() as f32, rect.bottom() as f32);
    let q = radius.min(rect.w / 2).min(rect.h / 2).max(0) as f32;
    let mut builder = PathBuilder::new();
    builder.move_to(l + q, t);
    builder.line_to(r - q, t);
    builder.quad_to(r, t, r, t + q);
    builder.line_to(r, b - q);
    builder.quad_to(r, b, r - q, b);
    builder.line_to(l + q, b);
    builder.quad_to(l, b, l, b - q);
    builder.line_to(l, t + q);
    builder.quad_to(l, t, l + q, t);
    builder.close();
    builder.finish()
}
