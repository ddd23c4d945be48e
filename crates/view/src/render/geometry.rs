//! What SVG and PNG draw alike: heads of arrows, hatches.

use crate::scene::{Point, Rect};

/// How long the head of an arrow is.
const HEAD: f64 = 9.0;
/// Half of how wide it is.
const HALF: f64 = 4.0;
/// How far apart the lines of a hatch are.
const HATCH: i32 = 6;

/// The corners of the head of an arrow, and where its line ends.
pub(crate) fn head(from: Point, to: Point) -> ([(f64, f64); 3], (f64, f64)) {
    let (tip_x, tip_y) = (f64::from(to.x), f64::from(to.y));
    let (dx, dy) = (tip_x - f64::from(from.x), tip_y - f64::from(from.y));
    let length = (dx * dx + dy * dy).sqrt().max(1.0);
    let (ux, uy) = (dx / length, dy / length);
    let (base_x, base_y) = (tip_x - ux * HEAD, tip_y - uy * HEAD);
    let left = (base_x - uy * HALF, base_y + ux * HALF);
    let right = (base_x + uy * HALF, base_y - ux * HALF);
    ([(tip_x, tip_y), left, right], (base_x, base_y))
}

/// The diagonal lines of a hatched box.
pub(crate) fn hatch(rect: Rect) -> Vec<(Point, Point)> {
    let mut lines = Vec::new();
    // Lines x + y = sum, on a grid that all boxes share.
    let first = (rect.x + rect.y) / HATCH + 1;
    let last = (rect.right() + rect.bottom()) / HATCH;
    for sum in (first..=last).map(|step| step * HATCH) {
        let x0 = rect.x.max(sum - rect.bottom());
        let x1 = rect.right().min(sum - rect.y);
        if x0 < x1 {
            lines.push((Point { x: x0, y: sum - x0 }, Point { x: x1, y: sum - x1 }));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_points_where_the_arrow_goes() {
        let (corners, base) = head(Point { x: 0, y: 0 }, Point { x: 100, y: 0 });
        assert_eq!(corners[0], (100.0, 0.0));
        assert_eq!(base, (91.0, 0.0));
        assert_eq!((corners[1].0, corners[2].0), (91.0, 91.0));
        assert_eq!(corners[1].1, -corners[2].1);
    }

    #[test]
    fn a_hatch_stays_in_its_box() {
        let rect = Rect::new(7, 3, 31, 17);
        let lines = hatch(rect);
        assert!(lines.len() > 5);
        for (a, b) in lines {
            for point in [a, b] {
                assert!((rect.x..=rect.right()).contains(&point.x), "{point:?}");
                assert!((rect.y..=rect.bottom()).contains(&point.y), "{point:?}");
            }
        }
    }
}
