//! Whether a picture can be read: no text over another, none outside its box or the picture, no line
//! through one.

use crate::scene::{Fill, Item, Layer, Mark, Point, Rect, Scene, Text};

/// What is wrong with a picture, in words. Empty if every text can be read.
pub fn audit(scene: &Scene) -> Vec<String> {
    let mut wrong = Vec::new();
    let whole = Rect::new(0, 0, scene.width, scene.height);
    let mut texts: Vec<_> = scene.texts().collect();
    texts.sort_by_key(|text| (text.place.y, text.place.x));
    for (index, text) in texts.iter().enumerate() {
        if !whole.holds(text.place) {
            wrong
                .push(format!("{:?} leaves the picture: {:?} of {whole:?}", text.text, text.place));
        }
        if text.within.is_some_and(|within| !within.holds(text.place)) {
            let (place, within) = (text.place, text.within);
            wrong.push(format!("{:?} leaves its box: {place:?} of {within:?}", text.text));
        }
        let below = texts[index + 1..].iter();
        for other in below.take_while(|other| other.place.y < text.place.bottom()) {
            if text.place.meets(other.place) {
                wrong.push(format!("{:?} and {:?} overlap", text.text, other.text));
            }
        }
    }
    // In cells a line is made of characters, and each place has one of them.
    if !scene.measure.is_cells() {
        wrong.extend(struck(scene));
    }
    wrong
}

/// The texts that a line runs through, one below it that nothing hides. What lies on the layer of
/// labels is meant to: it strikes a text out.
fn struck(scene: &Scene) -> Vec<String> {
    let drawn = scene.drawn();
    let mut wrong = Vec::new();
    for (place, item) in drawn.iter().enumerate() {
        let Mark::Text(text) = &item.mark else { continue };
        let ink = inked(text);
        // What lies between the text and a line hides the line.
        let ground = drawn[..place].iter().rposition(|item| hides(item, ink));
        let below = drawn[ground.unwrap_or(0)..place].iter();
        if !text.halo && below.into_iter().any(|item| crosses(item, ink)) {
            wrong.push(format!("a line runs through {:?} at {:?}", text.text, text.place));
        }
    }
    wrong
}

/// Where a text's characters are: its box without the room around them.
const fn inked(text: &Text) -> Rect {
    let Rect { x, y, w, h } = text.place;
    Rect::new(x + 2, y + 4, w - 4, h - 8)
}

/// Whether a mark hides what is below it at a place.
fn hides(item: &Item, place: Rect) -> bool {
    match &item.mark {
        Mark::Rect { rect, fill, .. } => *fill != Fill::None && rect.holds(place),
        _ => false,
    }
}

fn crosses(item: &Item, place: Rect) -> bool {
    match &item.mark {
        _ if item.layer == Layer::Labels => false,
        Mark::Line { points, .. } => points.windows(2).any(|pair| meets(pair[0], pair[1], place)),
        Mark::Arrow { from, to, .. } => meets(*from, *to, place),
        _ => false,
    }
}

/// Whether a straight line has a point inside a box.
fn meets(a: Point, b: Point, place: Rect) -> bool {
    let apart = a.x.max(b.x) <= place.x
        || place.right() <= a.x.min(b.x)
        || a.y.max(b.y) <= place.y
        || place.bottom() <= a.y.min(b.y);
    let side = |x: i32, y: i32| {
        let across = i64::from(b.x - a.x) * i64::from(y - a.y);
        (across - i64::from(b.y - a.y) * i64::from(x - a.x)).signum()
    };
    let (left, right, top, bottom) = (place.x, place.right(), place.y, place.bottom());
    let sides = [side(left, top), side(right, top), side(left, bottom), side(right, bottom)];
    !apart && sides.iter().any(|one| *one != sides[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{Measure, Medium};
    use crate::scene::{Anchor, Stroke, Type};
    use crate::theme::Ink;

    fn scene() -> Scene {
        let mut scene = Scene::new(Measure { medium: Medium::Pixels });
        (scene.width, scene.height) = (200, 100);
        scene
    }

    #[test]
    fn texts_beside_each_other_are_fine() {
        let mut scene = scene();
        let first = scene.text(0, 0, Anchor::Start, Type::body(Ink::Plain), "레코드");
        scene.text(first.right(), 0, Anchor::Start, Type::body(Ink::Plain), "B");
        scene.text(0, first.bottom(), Anchor::Start, Type::body(Ink::Plain), "C");
        assert_eq!(audit(&scene), [""; 0]);
    }

    #[test]
    fn overlap_and_escape_are_seen() {
        let mut scene = scene();
        scene.text(0, 0, Anchor::Start, Type::body(Ink::Plain), "레코드");
        scene.text(30, 8, Anchor::Start, Type::body(Ink::Plain), "B");
        scene.text(195, 50, Anchor::Start, Type::body(Ink::Plain), "outside");
        let wrong = audit(&scene);
        assert_eq!(wrong.len(), 2, "{wrong:?}");
        assert!(wrong[0].contains("overlap") && wrong[1].contains("leaves the picture"));
    }

    /// A text at (40, 40) and a line from corner to corner of a box around it.
    fn crossed(draw: impl FnOnce(&mut Scene, [(i32, i32); 2])) -> Vec<String> {
        let mut scene = scene();
        let place = scene.text(40, 40, Anchor::Start, Type::body(Ink::Plain), "레코드");
        draw(&mut scene, [(place.x - 9, place.y - 9), (place.right() + 9, place.bottom() + 9)]);
        audit(&scene)
    }

    #[test]
    fn a_line_through_a_text_is_seen() {
        let line = Stroke::thin(Ink::Grid);
        for layer in [Layer::Ground, Layer::Guides, Layer::Marks] {
            let wrong = crossed(|scene, ends| scene.line(layer, &ends, line));
            assert!(wrong[0].starts_with("a line runs through \"레코드\""), "{layer:?}: {wrong:?}");
        }
        // Struck out.
        let wrong = crossed(|scene, ends| scene.line(Layer::Labels, &ends, line));
        assert_eq!(wrong, [""; 0]);
        // Beside it, or round a corner of its box.
        for ends in [[(0, 30), (199, 30)], [(0, 60), (60, 99)]] {
            assert_eq!(crossed(|scene, _| scene.line(Layer::Guides, &ends, line)), [""; 0]);
        }
    }

    #[test]
    fn a_line_that_is_hidden_behind_a_text_is_fine() {
        let line = Stroke::thin(Ink::Grid);
        let hidden = |fill: Fill| {
            crossed(|scene, ends| {
                scene.line(Layer::Guides, &ends, line);
                scene.rect(Layer::Marks, Rect::new(30, 30, 90, 40), fill, None);
            })
        };
        assert_eq!(hidden(Fill::Tint(Ink::Good)), [""; 0]);
        assert_eq!(hidden(Fill::None).len(), 1);
        let mut scene = scene();
        scene.line(Layer::Marks, &[(0, 48), (199, 48)], line);
        scene.label(40, 40, Anchor::Start, Type::body(Ink::Plain), "레코드");
        assert_eq!(audit(&scene), [""; 0]);
    }
}
