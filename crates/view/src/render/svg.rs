//! SVG: one file, no script, nothing from elsewhere. How marks look is said once, by classes.

use super::geometry::{hatch, head};
use crate::Icon;
use crate::font::Weight;
use crate::scene::{Dash, Fill, Head, Item, Mark, Point, Rect, Scene, Stroke, Text};
use crate::theme::{Ink, Theme, hex};
use std::collections::BTreeMap;
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
    let mut sheet = Sheet::default();
    let palette = Palette::Fixed(theme);
    let mut out = Writer { palette, text: String::new(), tagged: false, sheet: &mut sheet };
    out.document(scene);
    let text = out.text;
    text.replacen(STYLE, &format!("<style>{}</style>\n", sheet.rules()), 1)
}

/// A picture as a part of a page, marks in groups with the numbers of their facts. Their classes go
/// into the page's style sheet.
pub(crate) fn inline(scene: &Scene, sheet: &mut Sheet) -> String {
    let mut out = Writer { palette: Palette::Page, text: String::new(), tagged: true, sheet };
    out.document(scene);
    out.text
}

/// Where the rules of a file's classes go, known when its marks are written.
const STYLE: &str = "<style/>\n";

/// What the classes in use mean.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    classes: BTreeMap<String, String>,
}

impl Sheet {
    fn class(&mut self, name: String, rule: String) -> String {
        self.classes.entry(name.clone()).or_insert(rule);
        name
    }

    /// The style sheet.
    pub(crate) fn rules(&self) -> String {
        self.classes.iter().map(|(name, rule)| format!(".{name}{{{rule}}}")).collect()
    }
}

struct Writer<'s> {
    palette: Palette,
    text: String,
    tagged: bool,
    sheet: &'s mut Sheet,
}

/// Class names begin with what they set and with the colour's place in the palette.
const fn letter(ink: Ink) -> char {
    match ink {
        Ink::Plain => 'p',
        Ink::Muted => 'm',
        Ink::Grid => 'i',
        Ink::Producer => 'r',
        Ink::Good => 'g',
        Ink::Bad => 'b',
        Ink::Duplicate => 'd',
        Ink::Warning => 'w',
        Ink::Follower => 'f',
        Ink::Transaction => 't',
        Ink::Ground => 'n',
    }
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

impl Writer<'_> {
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
            self.text.push_str(STYLE);
            self.put(format_args!("<path d=\"M0 0h{w}v{h}H0z\" fill=\"{ground}\"/>\n"));
        }
        let mut open: Option<usize> = None;
        for item in scene.drawn() {
            let about = item.fact.filter(|_| self.tagged);
            if about != open {
                if open.is_some() {
                    self.text.push_str("</g>\n");
                }
                if let Some(fact) = about {
                    self.put(format_args!("<g data-f=\"{fact}\">"));
                }
                open = about;
            }
            self.item(item);
        }
        if open.is_some() {
            self.text.push_str("</g>\n");
        }
        self.text.push_str("</svg>\n");
    }

    fn item(&mut self, item: &Item) {
        match &item.mark {
            Mark::Rect { rect, radius, fill, stroke } => self.rect(*rect, *radius, *fill, *stroke),
            Mark::Line { points, stroke } => {
                let path = path(points);
                let look = self.look(Fill::None, Some(*stroke));
                self.put(format_args!("<path d=\"{path}\"{look}/>\n"));
            }
            Mark::Area { points, fill } => {
                let (path, look) = (path(points), self.look(*fill, None));
                self.put(format_args!("<path d=\"{path}z\"{look}/>\n"));
            }
            Mark::Arrow { from, to, stroke, head } => self.arrow(*from, *to, *stroke, *head),
            Mark::Icon { icon, at, size, ink } => self.icon(*icon, *at, *size, *ink),
            Mark::Text(text) => self.text(text),
        }
    }

    /// A sign: its filled strokes and its open ones.
    fn icon(&mut self, icon: Icon, at: Point, size: i32, ink: Ink) {
        let (x, y) = (at.x - size / 2, at.y - size / 2);
        for wanted in [true, false] {
            let mut path = String::new();
            for (points, _) in icon.pieces().iter().filter(|(_, filled)| *filled == wanted) {
                let place = |(px, py): &(i32, i32)| {
                    let scaled =
                        |from: i32, p: i32| number(f64::from(from) + f64::from(p * size) / 12.0);
                    format!("{} {}", scaled(x, *px), scaled(y, *py))
                };
                path.push('M');
                path.push_str(&points.iter().map(place).collect::<Vec<_>>().join("L"));
                if wanted {
                    path.push('z');
                }
            }
            if path.is_empty() {
                continue;
            }
            let look = match wanted {
                true => self.look(Fill::Solid(ink), None),
                false => {
                    let colour = self.colour(ink);
                    let rule = format!("stroke:{colour};stroke-width:1.75;stroke-linejoin:round");
                    format!(" class=\"{}\"", self.sheet.class(format!("i{}", letter(ink)), rule))
                }
            };
            self.put(format_args!("<path d=\"{path}\"{look}/>\n"));
        }
    }

    /// The classes of a mark.
    fn look(&mut self, fill: Fill, stroke: Option<Stroke>) -> String {
        let fill = match fill {
            Fill::None => None,
            Fill::Solid(ink) => Some((format!("f{}", letter(ink)), self.colour(ink))),
            Fill::Tint(ink) => Some((format!("t{}", letter(ink)), self.tint(ink))),
            Fill::Hatch(_) => Some((format!("f{}", letter(Ink::Ground)), self.colour(Ink::Ground))),
        };
        let mut classes = Vec::new();
        if let Some((name, colour)) = fill {
            classes.push(self.sheet.class(name, format!("fill:{colour}")));
        }
        if let Some(Stroke { ink, quarters, dash }) = stroke {
            let (kind, dashes) = match dash {
                Dash::Solid => ("", ""),
                Dash::Dashed => ("d", ";stroke-dasharray:6 4"),
                Dash::Dotted => ("o", ";stroke-dasharray:1.5 4"),
            };
            let (colour, width) = (self.colour(ink), number(f64::from(quarters) / 4.0));
            let rule = format!("stroke:{colour};stroke-width:{width}{dashes}");
            classes.push(self.sheet.class(format!("s{}{quarters}{kind}", letter(ink)), rule));
        }
        match classes.is_empty() {
            true => String::new(),
            false => format!(" class=\"{}\"", classes.join(" ")),
        }
    }

    fn rect(&mut self, rect: Rect, radius: i32, fill: Fill, stroke: Option<Stroke>) {
        let Rect { x, y, w, h } = rect;
        let round = if radius > 0 { format!(" rx=\"{radius}\"") } else { String::new() };
        let shape = format!("<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\"{round}");
        let Fill::Hatch(ink) = fill else {
            let look = self.look(fill, stroke);
            self.put(format_args!("{shape}{look}/>\n"));
            return;
        };
        let ground = self.look(fill, None);
        self.put(format_args!("{shape}{ground}/>\n"));
        let lines = hatch(rect);
        let segment =
            |(a, b): &(Point, Point)| format!("M{} {}l{} {}", a.x, a.y, b.x - a.x, b.y - a.y);
        let path: String = lines.iter().map(segment).collect();
        let line = self.hatch_line(ink);
        self.put(format_args!("<path d=\"{path}\"{line}/>\n"));
        if stroke.is_some() {
            let look = self.look(Fill::None, stroke);
            self.put(format_args!("{shape}{look}/>\n"));
        }
    }

    /// The lines of a hatch: half as strong as text that may stand on them.
    fn hatch_line(&mut self, ink: Ink) -> String {
        let rule = format!("stroke:{};stroke-opacity:.45", self.colour(ink));
        format!(" class=\"{}\"", self.sheet.class(format!("h{}", letter(ink)), rule))
    }

    fn arrow(&mut self, from: Point, to: Point, stroke: Stroke, end: Head) {
        let look = self.look(Fill::None, Some(stroke));
        let start = format!("M{} {}", from.x, from.y);
        match end {
            Head::Open => self.put(format_args!("<path d=\"{start}L{} {}\"{look}/>\n", to.x, to.y)),
            Head::Arrived => {
                let ([tip, left, right], base) = head(from, to);
                let at = |(x, y): (f64, f64)| format!("{} {}", number(x), number(y));
                self.put(format_args!("<path d=\"{start}L{}\"{look}/>\n", at(base)));
                let (tip, left, right) = (at(tip), at(left), at(right));
                let tip_look = self.look(Fill::Solid(stroke.ink), None);
                self.put(format_args!("<path d=\"M{tip}L{left}L{right}z\"{tip_look}/>\n"));
            }
            Head::Lost => {
                self.put(format_args!("<path d=\"{start}L{} {}\"{look}/>\n", to.x, to.y));
                let Point { x, y } = to;
                let cross = Stroke { ink: stroke.ink, quarters: 9, dash: Dash::Solid };
                let look = self.look(Fill::None, Some(cross));
                self.put(format_args!(
                    "<path d=\"M{} {}l10 10M{} {}l-10 10\"{look}/>\n",
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
            let rule = format!("fill:{}", self.colour(Ink::Ground));
            let halo = self.sheet.class("halo".to_owned(), rule);
            self.put(format_args!(
                "<path d=\"M{} {y}h{}v{h}h-{}z\" class=\"{halo}\"/>",
                x - 2,
                w + 4,
                w + 4,
            ));
        }
        let (bold, weight) = match text.weight {
            Weight::Regular => ("", ""),
            Weight::Bold => ("b", ";font-weight:700"),
        };
        let baseline = y + baseline(text.size, h);
        let (size, words) = (text.size, escape(&text.text));
        let rule = format!("fill:{};font-size:{size}px{weight}", self.colour(text.ink));
        let class = self.sheet.class(format!("x{}{size}{bold}", letter(text.ink)), rule);
        // Whatever font the reader has: the text is as wide as it was measured.
        self.put(format_args!(
            "<text x=\"{x}\" y=\"{baseline}\" class=\"{class}\" textLength=\"{w}\">{words}</text>\n"
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
    let mut before: Option<Point> = None;
    for point in points {
        let Point { x, y } = *point;
        // Writing into a string cannot fail.
        let _ = match before {
            None => write!(path, "M{x} {y}"),
            Some(last) if last.y == y => write!(path, "H{x}"),
            Some(last) if last.x == x => write!(path, "V{y}"),
            Some(_) => write!(path, "L{x} {y}"),
        };
        before = Some(*point);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{Measure, Medium};
    use crate::scene::{Anchor, Type};

    #[test]
    fn numbers_have_one_decimal_at_most() {
        assert_eq!([91.0, 0.25, -0.25, -3.0, 2.06].map(number), ["91", "0.3", "-0.3", "-3", "2.1"]);
    }

    #[test]
    fn no_line_shines_through_a_label() {
        let mut scene = Scene::new(Measure { medium: Medium::Pixels });
        scene.label(0, 0, Anchor::Start, Type::body(Ink::Plain), "beginTransaction()");
        let ground = hex(Theme::Light.rgb(Ink::Ground));
        assert!(svg(&scene, Theme::Light).contains(&format!(".halo{{fill:{ground}}}")));
    }

    #[test]
    fn what_xml_reserves_is_escaped() {
        assert_eq!(escape("a<b & \"c\"\u{1b}"), "a&lt;b &amp; &quot;c&quot; ");
    }
}
