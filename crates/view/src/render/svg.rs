//! SVG: one file, no style sheet, no script, nothing from elsewhere.

use super::geometry::{hatch, head};
use crate::font::Weight;
use crate::scene::{Dash, Fill, Head, Item, Mark, Point, Rect, Scene, Stroke, Text};
use crate::theme::{Ink, Theme, hex};
use std::fmt::Write;

/// Where colours come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Palette {
    /// They are in the file.
    Fixed(Theme),
    /// The page's style sheet knows them.
    Page,
}

/// Fonts that are close to the embedded one, the best first.
pub(crate) const FONTS: &str = "'Noto Sans KR','Noto Sans CJK KR','Noto Sans',Pretendard,\
'Apple SD Gothic Neo','Malgun Gothic','DejaVu Sans',sans-serif";

/// A picture as a file.
pub fn svg(scene: &Scene, theme: Theme) -> String {
    let mut out = Writer { palette: Palette::Fixed(theme), text: String::new(), tagged: false };
    out.document(scene);
    out.text
}

/// A picture as a part of a page, each mark in a group with the number of its fact.
pub(crate) fn inline(scene: &Scene) -> String {
    let mut out = Writer { palette: Palette::Page, text: String::new(), tagged: true };
    out.document(scene);
    out.text
}

struct Writer {
    palette: Palette,
    text: String,
    tagged: bool,
}

/// A text as XML has it.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other if other.is_control() => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A number with at most one decimal.
fn number(value: f64) -> String {
    let tenths = (value * 10.0).round() as i64;
    let (whole, rest) = (tenths / 10, tenths % 10);
    match rest {
        0 => whole.to_string(),
        _ => format!("{}{}.{}", if tenths < 0 { "-" } else { "" }, whole.abs(), rest.abs()),
    }
}

impl Writer {
    fn put(&mut self, arguments: std::fmt::Arguments<'_>) {
        // Writing into a string cannot fail.
        let _ = self.text.write_fmt(arguments);
    }

    fn colour(&self, ink: Ink) -> String {
        match self.palette {
            Palette::Fixed(theme) => hex(theme.rgb(ink)),
            Palette::Page => format!("var(--{})", ink.name()),
        }
    }

    fn tint(&self, ink: Ink) -> String {
        match self.palette {
            Palette::Fixed(theme) => hex(theme.tint(ink)),
            Palette::Page => format!("var(--{}-tint)", ink.name()),
        }
    }

    fn document(&mut self, scene: &Scene) {
        let (w, h) = (scene.width, scene.height);
        let size = if self.tagged {
            format!(" style=\"max-width:{w}px\"")
        } else {
            format!(" width=\"{w}\" height=\"{h}\"")
        };
        self.put(format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\"{size} viewBox=\"0 0 {w} {h}\" role=\"img\" \
             font-family=\"{FONTS}\" fill=\"none\">\n<title>{}</title>\n<desc>{}</desc>\n",
            escape(&scene.title),
            escape(&scene.summary),
        ));
        if !self.tagged {
            let ground = self.colour(Ink::Ground);
            self.put(format_args!("<path d=\"M0 0h{w}v{h}H0z\" fill=\"{ground}\"/>\n"));
        }
        for item in scene.drawn() {
            self.item(item);
        }
        self.text.push_str("</svg>\n");
    }

    fn item(&mut self, item: &Item) {
        let tag = item.fact.filter(|_| self.tagged);
        if let Some(fact) = tag {
            self.put(format_args!("<g data-f=\"{fact}\">"));
        }
        match &item.mark {
            Mark::Rect { rect, radius, fill, stroke } => self.rect(*rect, *radius, *fill, *stroke),
            Mark::Line { points, stroke } => {
                let path = path(points);
                let look = self.stroke(*stroke);
                self.put(format_args!("<path d=\"{path}\"{look}/>\n"));
            }
            Mark::Area { points, fill } => {
                let (path, fill) = (path(points), self.fill(*fill));
                self.put(format_args!("<path d=\"{path}z\"{fill}/>\n"));
            }
            Mark::Arrow { from, to, stroke, head } => self.arrow(*from, *to, *stroke, *head),
            Mark::Icon { icon, at, size, ink } => {
                let colour = self.colour(*ink);
                let (x, y) = (at.x - size / 2, at.y - size / 2);
                for (points, filled) in icon.pieces() {
                    let place = |(px, py): &(i32, i32)| {
                        let scaled = |from: i32, p: i32| {
                            number(f64::from(from) + f64::from(p * size) / 12.0)
                        };
                        format!("{} {}", scaled(x, *px), scaled(y, *py))
                    };
                    let path = points.iter().map(place).collect::<Vec<_>>().join("L");
                    match filled {
                        true => {
                            self.put(format_args!("<path d=\"M{path}z\" fill=\"{colour}\"/>\n"));
                        }
                        false => self.put(format_args!(
                            "<path d=\"M{path}\" stroke=\"{colour}\" stroke-width=\"1.75\" \
                             stroke-linejoin=\"round\"/>\n"
                        )),
                    }
                }
            }
            Mark::Text(text) => self.text(text),
        }
        if tag.is_some() {
            self.text.push_str("</g>\n");
        }
    }

    fn fill(&self, fill: Fill) -> String {
        match fill {
            Fill::None => String::new(),
            Fill::Solid(ink) => format!(" fill=\"{}\"", self.colour(ink)),
            Fill::Tint(ink) => format!(" fill=\"{}\"", self.tint(ink)),
            Fill::Hatch(_) => format!(" fill=\"{}\"", self.colour(Ink::Ground)),
        }
    }

    fn stroke(&self, stroke: Stroke) -> String {
        let dash = match stroke.dash {
            Dash::Solid => "",
            Dash::Dashed => " stroke-dasharray=\"6 4\"",
            Dash::Dotted => " stroke-dasharray=\"1.5 4\"",
        };
        let width = number(f64::from(stroke.quarters) / 4.0);
        format!(" stroke=\"{}\" stroke-width=\"{width}\"{dash}", self.colour(stroke.ink))
    }

    fn rect(&mut self, rect: Rect, radius: i32, fill: Fill, stroke: Option<Stroke>) {
        let Rect { x, y, w, h } = rect;
        let look = stroke.map(|stroke| self.stroke(stroke)).unwrap_or_default();
        let fill_text = self.fill(fill);
        let round = if radius > 0 { format!(" rx=\"{radius}\"") } else { String::new() };
        let shape = format!("<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\"{round}");
        let Fill::Hatch(ink) = fill else {
            self.put(format_args!("{shape}{fill_text}{look}/>\n"));
            return;
        };
        self.put(format_args!("{shape}{fill_text}/>\n"));
        let lines = hatch(rect);
        let segment = |(a, b): &(Point, Point)| format!("M{} {}L{} {}", a.x, a.y, b.x, b.y);
        let path: String = lines.iter().map(segment).collect();
        let line = self.tint_line(ink);
        self.put(format_args!("<path d=\"{path}\"{line}/>\n"));
        if stroke.is_some() {
            self.put(format_args!("{shape}{look}/>\n"));
        }
    }

    /// The lines of a hatch: half as strong as text that may stand on them.
    fn tint_line(&self, ink: Ink) -> String {
        format!(" stroke=\"{}\" stroke-opacity=\".45\"", self.colour(ink))
    }

    fn arrow(&mut self, from: Point, to: Point, stroke: Stroke, end: Head) {
        let look = self.stroke(stroke);
        let colour = self.colour(stroke.ink);
        let start = format!("M{} {}", from.x, from.y);
        match end {
            Head::Open => self.put(format_args!("<path d=\"{start}L{} {}\"{look}/>\n", to.x, to.y)),
            Head::Arrived => {
                let ([tip, left, right], base) = head(from, to);
                let at = |(x, y): (f64, f64)| format!("{} {}", number(x), number(y));
                self.put(format_args!("<path d=\"{start}L{}\"{look}/>\n", at(base)));
                let (tip, left, right) = (at(tip), at(left), at(right));
                self.put(format_args!("<path d=\"M{tip}L{left}L{right}z\" fill=\"{colour}\"/>\n"));
            }
            Head::Lost => {
                self.put(format_args!("<path d=\"{start}L{} {}\"{look}/>\n", to.x, to.y));
                let Point { x, y } = to;
                self.put(format_args!(
                    "<path d=\"M{} {}l10 10M{} {}l-10 10\" stroke=\"{colour}\" \
                     stroke-width=\"2.25\"/>\n",
                    x - 5,
                    y - 5,
                    x + 5,
                    y - 5,
                ));
            }
        }
    }

    fn text(&mut self, text: &Text) {
        let Rect { x, y, w, h } = text.place;
        if text.halo {
            let ground = self.colour(Ink::Ground);
            self.put(format_args!(
                "<path d=\"M{} {y}h{}v{h}h-{}z\" fill=\"{ground}\" fill-opacity=\".86\"/>",
                x - 2,
                w + 4,
                w + 4,
            ));
        }
        let weight = match text.weight {
            Weight::Regular => "",
            Weight::Bold => " font-weight=\"700\"",
        };
        let baseline = y + baseline(text.size, h);
        let (size, colour, words) = (text.size, self.colour(text.ink), escape(&text.text));
        // Whatever font the reader has: the text is as wide as it was measured.
        self.put(format_args!(
            "<text x=\"{x}\" y=\"{baseline}\" font-size=\"{size}\"{weight} fill=\"{colour}\" \
             textLength=\"{w}\">{words}</text>\n"
        ));
    }
}

/// How far below the top of its box a text stands.
pub(crate) const fn baseline(size: i32, height: i32) -> i32 {
    // Ascent is 0.88 of the size and descent 0.12 for Latin; the box is 4 higher than the size.
    (height - size) / 2 + size * 86 / 100
}

fn path(points: &[Point]) -> String {
    let mut path = String::new();
    for (index, point) in points.iter().enumerate() {
        path.push(if index == 0 { 'M' } else { 'L' });
        let _ = write!(path, "{} {}", point.x, point.y);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_decimal_at_most() {
        assert_eq!([91.0, 0.25, -0.25, -3.0, 2.06].map(number), ["91", "0.3", "-0.3", "-3", "2.1"]);
    }

    #[test]
    fn what_xml_reserves_is_escaped() {
        assert_eq!(escape("a<b & \"c\"\u{1b}"), "a&lt;b &amp; &quot;c&quot; ");
    }
}
