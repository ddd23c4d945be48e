//! Text: the same scene on a grid of characters.

use crate::measure::{CELL_HEIGHT, CELL_WIDTH};
use crate::scene::{Dash, Fill, Head, Mark, Point, Rect, Scene, Stroke};
use inflight_trace::lanes::display_width;

/// A picture that was laid out in cells, as lines of text.
pub fn text(scene: &Scene) -> String {
    let columns = usize::try_from(scene.width / CELL_WIDTH + 1).unwrap_or(0);
    let lines = usize::try_from(scene.height / CELL_HEIGHT + 1).unwrap_or(0);
    let mut grid = Grid { cells: vec![vec![Cell::Blank; columns]; lines] };
    for item in scene.drawn() {
        grid.mark(&item.mark);
    }
    grid.lines()
}

/// What is in a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cell {
    Blank,
    Character(char),
    /// The right half of a wide character.
    Taken,
}

struct Grid {
    cells: Vec<Vec<Cell>>,
}

/// Round to the nearest column.
const fn column(x: i32) -> i32 {
    (x + CELL_WIDTH / 2).div_euclid(CELL_WIDTH)
}

/// The line that a height is in.
const fn line(y: i32) -> i32 {
    y.div_euclid(CELL_HEIGHT)
}

impl Grid {
    fn put(&mut self, column: i32, line: i32, character: char) {
        let (Ok(column), Ok(line)) = (usize::try_from(column), usize::try_from(line)) else {
            return;
        };
        if let Some(cell) = self.cells.get_mut(line).and_then(|line| line.get_mut(column))
            && *cell != Cell::Taken
        {
            *cell = Cell::Character(character);
        }
    }

    fn at(&self, column: i32, line: i32) -> Option<char> {
        let (column, line) = (usize::try_from(column).ok()?, usize::try_from(line).ok()?);
        match self.cells.get(line)?.get(column)? {
            Cell::Character(character) => Some(*character),
            Cell::Blank | Cell::Taken => None,
        }
    }

    fn mark(&mut self, mark: &Mark) {
        match mark {
            Mark::Rect { rect, fill, stroke, .. } => self.rect(*rect, *fill, *stroke),
            Mark::Line { points, stroke } => {
                for pair in points.windows(2) {
                    self.stroke(pair[0], pair[1], *stroke);
                }
            }
            // An area is the shade under a line that says the same.
            Mark::Area { .. } => {}
            Mark::Arrow { from, to, stroke, head } => self.arrow(*from, *to, *stroke, *head),
            Mark::Icon { icon, at, .. } => {
                self.put(at.x.div_euclid(CELL_WIDTH), line(at.y), icon.character());
            }
            Mark::Text(text) => {
                let mut x = column(text.place.x);
                for character in text.text.chars() {
                    let width = display_width(character.encode_utf8(&mut [0; 4]));
                    self.put(x, line(text.place.y), character);
                    x += i32::try_from(width).unwrap_or(0);
                    if width == 2 {
                        self.take(x - 1, line(text.place.y));
                    }
                }
            }
        }
    }

    fn take(&mut self, column: i32, line: i32) {
        let (Ok(column), Ok(line)) = (usize::try_from(column), usize::try_from(line)) else {
            return;
        };
        if let Some(cell) = self.cells.get_mut(line).and_then(|line| line.get_mut(column)) {
            *cell = Cell::Taken;
        }
    }

    fn rect(&mut self, rect: Rect, fill: Fill, stroke: Option<Stroke>) {
        let (left, right) = (column(rect.x), column(rect.right()) - 1);
        let (top, bottom) = (line(rect.y), line(rect.bottom() - 1));
        let shade = match (fill, stroke.is_some()) {
            (Fill::Solid(_), _) => Some('█'),
            (Fill::Hatch(_), _) => Some('/'),
            (Fill::Tint(_), false) => Some('░'),
            (Fill::Tint(_) | Fill::None, _) => None,
        };
        if let Some(shade) = shade {
            for y in top..=bottom {
                for x in left..=right {
                    self.put(x, y, shade);
                }
            }
        }
        if stroke.is_none() {
            return;
        }
        if top == bottom {
            self.put(left, top, '[');
            self.put(right, top, ']');
            return;
        }
        for x in left..=right {
            self.put(x, top, '─');
            self.put(x, bottom, '─');
        }
        for y in top..=bottom {
            self.put(left, y, '│');
            self.put(right, y, '│');
        }
        for (x, y, corner) in
            [(left, top, '┌'), (right, top, '┐'), (left, bottom, '└'), (right, bottom, '┘')]
        {
            self.put(x, y, corner);
        }
    }

    fn stroke(&mut self, from: Point, to: Point, stroke: Stroke) {
        let solid = stroke.dash == Dash::Solid;
        let (c0, c1) = (column(from.x.min(to.x)), column(from.x.max(to.x)));
        let (l0, l1) = (line(from.y.min(to.y)), line(from.y.max(to.y)));
        if l0 == l1 && c0 != c1 {
            for x in c0..=c1 {
                let crossing = matches!(self.at(x, l0), Some('│' | '┊' | '┼'));
                self.put(
                    x,
                    l0,
                    if crossing {
                        '┼'
                    } else if solid {
                        '─'
                    } else {
                        '╌'
                    },
                );
            }
        } else {
            for y in l0..=l1 {
                self.put(c0, y, if solid { '│' } else { '┊' });
            }
        }
    }

    fn arrow(&mut self, from: Point, to: Point, stroke: Stroke, head: Head) {
        if line(from.y) != line(to.y) {
            self.stroke(from, Point { x: to.x, y: from.y }, stroke);
            self.stroke(Point { x: to.x, y: from.y }, to, stroke);
        } else {
            self.stroke(from, to, stroke);
        }
        let rightward = to.x >= from.x;
        let inner = if rightward { column(to.x) - 1 } else { column(to.x) + 1 };
        match head {
            Head::Arrived => self.put(inner, line(to.y), if rightward { '►' } else { '◄' }),
            Head::Lost => self.put(inner, line(to.y), '✕'),
            Head::Open => {}
        }
    }

    fn lines(self) -> String {
        let mut text = String::new();
        for cells in self.cells {
            let mut line = String::new();
            for cell in cells {
                match cell {
                    Cell::Blank => line.push(' '),
                    Cell::Character(character) => line.push(character),
                    Cell::Taken => {}
                }
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
        text
    }
}
