//! What a picture is made of: boxes, lines, arrows, icons and measured text, on layers.
//!
//! Whole pixels only, so that a scene is the same on every machine. A text knows its width, and a
//! text that belongs into a box knows the box: [`audit`](crate::audit) holds them against each other.

use crate::font::Weight;
use crate::icon::Icon;
use crate::measure::Measure;
use crate::theme::Ink;

/// A point: right and down from the upper left corner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Point {
    /// Right.
    pub x: i32,
    /// Down.
    pub y: i32,
}

/// A rectangle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rect {
    /// Its left side.
    pub x: i32,
    /// Its upper side.
    pub y: i32,
    /// Its width.
    pub w: i32,
    /// Its height.
    pub h: i32,
}

impl Rect {
    pub(crate) const fn new(x: i32, y: i32, w: i32, h: i32) -> Self {
        Self { x, y, w, h }
    }

    pub(crate) const fn right(self) -> i32 {
        self.x + self.w
    }

    pub(crate) const fn bottom(self) -> i32 {
        self.y + self.h
    }

    pub(crate) const fn centre(self) -> Point {
        Point { x: self.x + self.w / 2, y: self.y + self.h / 2 }
    }

    /// Whether two rectangles have an inner point in common.
    pub(crate) const fn meets(self, other: Self) -> bool {
        self.x < other.right()
            && other.x < self.right()
            && self.y < other.bottom()
            && other.y < self.bottom()
    }

    /// Whether another rectangle is inside.
    pub(crate) const fn holds(self, other: Self) -> bool {
        self.x <= other.x
            && self.y <= other.y
            && other.right() <= self.right()
            && other.bottom() <= self.bottom()
    }
}

/// How an area is filled. A hatch tells without colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fill {
    /// Not at all.
    #[default]
    None,
    /// In the full colour.
    Solid(Ink),
    /// In a colour thinned with the ground.
    Tint(Ink),
    /// With diagonal lines on the ground.
    Hatch(Ink),
}

/// How a line runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dash {
    /// Without gaps.
    #[default]
    Solid,
    /// In strokes.
    Dashed,
    /// In points.
    Dotted,
}

/// A line's colour, width and kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stroke {
    /// Its colour.
    pub ink: Ink,
    /// Its width in quarters of a pixel.
    pub quarters: i32,
    /// How it runs.
    pub dash: Dash,
}

impl Stroke {
    pub(crate) const fn thin(ink: Ink) -> Self {
        Self { ink, quarters: 5, dash: Dash::Solid }
    }

    pub(crate) const fn thick(ink: Ink) -> Self {
        Self { ink, quarters: 8, dash: Dash::Solid }
    }

    pub(crate) const fn dash(mut self, dash: Dash) -> Self {
        self.dash = dash;
        self
    }
}

/// Which side of its point a text is on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Anchor {
    /// It starts there.
    #[default]
    Start,
    /// Its middle is there.
    Middle,
    /// It ends there.
    End,
}

/// A text with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The characters.
    pub text: String,
    /// The box that it takes, measured.
    pub place: Rect,
    /// Its size in pixels.
    pub size: i32,
    /// How heavy it is.
    pub weight: Weight,
    /// Its colour.
    pub ink: Ink,
    /// The box that it must stay in, if there is one.
    pub within: Option<Rect>,
    /// Whether lines below it stop where it is.
    pub halo: bool,
}

/// How an arrow ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// With a filled head.
    Arrived,
    /// With a cross: it never arrives.
    Lost,
    /// With nothing: it goes on elsewhere.
    Open,
}

/// One mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A box.
    Rect {
        /// Where.
        rect: Rect,
        /// The radius of its corners.
        radius: i32,
        /// What is inside.
        fill: Fill,
        /// Its outline.
        stroke: Option<Stroke>,
    },
    /// A line through points.
    Line {
        /// The points.
        points: Vec<Point>,
        /// How it looks.
        stroke: Stroke,
    },
    /// An area.
    Area {
        /// Its corners.
        points: Vec<Point>,
        /// What is inside.
        fill: Fill,
    },
    /// An arrow.
    Arrow {
        /// Where it starts.
        from: Point,
        /// Where it ends.
        to: Point,
        /// How it looks.
        stroke: Stroke,
        /// How it ends.
        head: Head,
    },
    /// A sign.
    Icon {
        /// Which.
        icon: Icon,
        /// Its middle.
        at: Point,
        /// Its width and height.
        size: i32,
        /// Its colour.
        ink: Ink,
    },
    /// A text.
    Text(Text),
}

/// What lies over what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// Shades behind everything.
    Ground,
    /// Lines that guide the eye.
    Guides,
    /// What the picture is about.
    #[default]
    Marks,
    /// Text and signs.
    Labels,
}

/// A mark with its layer and the fact that it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What it looks like.
    pub mark: Mark,
    /// What it lies on.
    pub layer: Layer,
    /// The position of its fact in the recording.
    pub fact: Option<usize>,
}

/// A picture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scene {
    /// Its width.
    pub width: i32,
    /// Its height.
    pub height: i32,
    /// What it is called.
    pub title: String,
    /// What it shows, in two sentences, for those who do not see it.
    pub summary: String,
    /// What it shows, counted.
    pub figures: Vec<(&'static str, u64)>,
    /// What is on it, in the order of drawing within a layer.
    pub items: Vec<Item>,
    pub(crate) measure: Measure,
    pub(crate) fact: Option<usize>,
}

/// How a text looks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Type {
    pub(crate) size: i32,
    pub(crate) weight: Weight,
    pub(crate) ink: Ink,
}

impl Type {
    /// Text as it is read in a picture.
    pub(crate) const fn body(ink: Ink) -> Self {
        Self { size: 12, weight: Weight::Regular, ink }
    }

    /// Text that is read first.
    pub(crate) const fn strong(ink: Ink) -> Self {
        Self { size: 12, weight: Weight::Bold, ink }
    }

    /// The smallest text.
    pub(crate) const fn small(ink: Ink) -> Self {
        Self { size: 11, weight: Weight::Regular, ink }
    }

    pub(crate) const fn sized(mut self, size: i32) -> Self {
        self.size = size;
        self
    }
}

impl Scene {
    pub(crate) fn new(measure: Measure) -> Self {
        Self { measure, ..Self::default() }
    }

    fn put(&mut self, layer: Layer, mark: Mark) {
        self.items.push(Item { mark, layer, fact: self.fact });
    }

    /// Draws what follows for a fact, or for none.
    pub(crate) fn about(&mut self, fact: Option<usize>) -> &mut Self {
        self.fact = fact;
        self
    }

    /// A text's width.
    pub(crate) fn width_of(&self, text: &str, look: Type) -> i32 {
        self.measure.text(text, look.size, look.weight)
    }

    /// How tall a line of text is.
    pub(crate) const fn height_of(&self, look: Type) -> i32 {
        self.measure.down(look.size + 4, 1)
    }

    pub(crate) fn rect(&mut self, layer: Layer, rect: Rect, fill: Fill, stroke: Option<Stroke>) {
        self.put(layer, Mark::Rect { rect, radius: 0, fill, stroke });
    }

    pub(crate) fn round(&mut self, rect: Rect, fill: Fill, stroke: Option<Stroke>) {
        self.put(Layer::Marks, Mark::Rect { rect, radius: 4, fill, stroke });
    }

    pub(crate) fn line(&mut self, layer: Layer, points: &[(i32, i32)], stroke: Stroke) {
        let points = points.iter().map(|(x, y)| Point { x: *x, y: *y }).collect();
        self.put(layer, Mark::Line { points, stroke });
    }

    pub(crate) fn area(&mut self, points: Vec<Point>, fill: Fill) {
        self.put(Layer::Marks, Mark::Area { points, fill });
    }

    pub(crate) fn arrow(&mut self, from: Point, to: Point, stroke: Stroke, head: Head) {
        self.put(Layer::Marks, Mark::Arrow { from, to, stroke, head });
    }

    pub(crate) fn icon(&mut self, icon: Icon, at: Point, size: i32, ink: Ink) {
        self.put(Layer::Labels, Mark::Icon { icon, at, size, ink });
    }

    /// A text with its top at `y`. Gives the box that it takes.
    pub(crate) fn text(&mut self, x: i32, y: i32, anchor: Anchor, look: Type, text: &str) -> Rect {
        let (w, h) = (self.width_of(text, look), self.height_of(look));
        let x = match anchor {
            Anchor::Start => x,
            Anchor::Middle => x - w / 2,
            Anchor::End => x - w,
        };
        let place = Rect { x, y, w, h };
        if !text.is_empty() {
            let Type { size, weight, ink } = look;
            let text = text.to_owned();
            let (within, halo) = (None, false);
            let text = Text { text, place, size, weight, ink, within, halo };
            self.put(Layer::Labels, Mark::Text(text));
        }
        place
    }

    /// A text over lines, which stop where it is.
    pub(crate) fn label(&mut self, x: i32, y: i32, anchor: Anchor, look: Type, text: &str) -> Rect {
        let place = self.text(x, y, anchor, look, text);
        if let Some(Item { mark: Mark::Text(text), .. }) = self.items.last_mut()
            && text.place == place
        {
            text.halo = true;
        }
        place
    }

    /// A text in the middle of a box. It is cut if it does not fit.
    pub(crate) fn text_in(&mut self, within: Rect, look: Type, text: &str) -> Rect {
        let room = within.w - self.measure.across(4, 0);
        let text = if self.width_of(text, look) <= room {
            text.to_owned()
        } else {
            // The bold face is wider than what is measured when a text is cut.
            self.measure.cut(text, look.size + 1, room)
        };
        let y = within.y + (within.h - self.height_of(look)) / 2;
        let place = self.text(within.x + within.w / 2, y, Anchor::Middle, look, &text);
        if let Some(Item { mark: Mark::Text(text), .. }) = self.items.last_mut()
            && text.place == place
        {
            text.within = Some(within);
        }
        place
    }

    /// Grows to hold a box with a margin.
    pub(crate) fn hold(&mut self, rect: Rect, margin: i32) {
        self.width = self.width.max(rect.right() + margin);
        self.height = self.height.max(rect.bottom() + margin);
    }

    /// Puts another scene's marks into this one.
    pub(crate) fn place(&mut self, other: Self, x: i32, y: i32) {
        self.items.extend(other.items.into_iter().map(|mut item| {
            item.mark.shift(x, y);
            item
        }));
        let (w, h) = (other.width, other.height);
        self.hold(Rect { x, y, w, h }, 0);
    }

    /// The texts with their boxes.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &Text> {
        self.items.iter().filter_map(|item| match &item.mark {
            Mark::Text(text) => Some(text),
            _ => None,
        })
    }

    /// The marks in the order in which they are drawn.
    pub(crate) fn drawn(&self) -> Vec<&Item> {
        let mut items: Vec<&Item> = self.items.iter().collect();
        items.sort_by_key(|item| item.layer);
        items
    }
}

impl Mark {
    fn shift(&mut self, x: i32, y: i32) {
        let point = |point: &mut Point| {
            point.x += x;
            point.y += y;
        };
        let rect = |rect: &mut Rect| {
            rect.x += x;
            rect.y += y;
        };
        match self {
            Self::Rect { rect: place, .. } => rect(place),
            Self::Line { points, .. } | Self::Area { points, .. } => {
                points.iter_mut().for_each(point);
            }
            Self::Arrow { from, to, .. } => {
                point(from);
                point(to);
            }
            Self::Icon { at, .. } => point(at),
            Self::Text(text) => {
                rect(&mut text.place);
                text.within.as_mut().map(rect).unwrap_or_default();
            }
        }
    }
}
