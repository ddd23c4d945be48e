//! Whether a picture can be read: no text over another, none outside its box or the picture.

use crate::scene::{Rect, Scene};

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
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{Measure, Medium};
    use crate::scene::{Anchor, Type};
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
}
