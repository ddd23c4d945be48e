//! Signs: every state has one, so that nothing is told by colour alone.

/// A sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Icon {
    /// Failed, lost.
    Cross,
    /// Acked.
    Check,
    /// A second copy.
    Same,
    /// Out of order.
    Swap,
    /// Nobody knows.
    Question,
    /// A crash.
    Lightning,
    /// Look here.
    Triangle,
    /// Here two runs part.
    Rhombus,
    /// Fenced.
    Lock,
    /// A point in time.
    Dot,
    /// A log position from below.
    Up,
    /// Where a log ends.
    Right,
    /// A last stable offset.
    Left,
    /// A timer that ran out.
    Fired,
    /// A timer that was stopped.
    Stopped,
}

/// One stroke of a sign, in a box of 12 by 12: its points, and whether it is filled.
pub(crate) type Piece = (&'static [(i32, i32)], bool);

impl Icon {
    /// The strokes.
    pub(crate) const fn pieces(self) -> &'static [Piece] {
        match self {
            Self::Cross => &[(&[(2, 2), (10, 10)], false), (&[(10, 2), (2, 10)], false)],
            Self::Check => &[(&[(1, 6), (5, 10), (11, 2)], false)],
            Self::Same => &[
                (&[(1, 3), (11, 3)], false),
                (&[(1, 6), (11, 6)], false),
                (&[(1, 9), (11, 9)], false),
            ],
            Self::Swap => &[
                (&[(3, 11), (3, 1), (1, 4)], false),
                (&[(3, 1), (5, 4)], false),
                (&[(9, 1), (9, 11), (7, 8)], false),
                (&[(9, 11), (11, 8)], false),
            ],
            Self::Question => &[
                (&[(3, 4), (3, 2), (5, 1), (8, 1), (9, 3), (8, 5), (6, 6), (6, 8)], false),
                (&[(5, 10), (7, 10), (7, 12), (5, 12)], true),
            ],
            Self::Lightning => {
                &[(&[(7, 0), (2, 7), (5, 7), (4, 12), (10, 4), (7, 4), (8, 0)], true)]
            }
            Self::Triangle => &[
                (&[(6, 1), (12, 11), (0, 11), (6, 1)], false),
                (&[(6, 5), (6, 8)], false),
                (&[(5, 9), (7, 9), (7, 10), (5, 10)], true),
            ],
            Self::Rhombus => &[(&[(6, 0), (12, 6), (6, 12), (0, 6)], true)],
            Self::Lock => &[
                (&[(2, 6), (10, 6), (10, 12), (2, 12)], true),
                (&[(3, 6), (3, 3), (5, 1), (7, 1), (9, 3), (9, 6)], false),
            ],
            Self::Dot => {
                &[(&[(4, 3), (8, 3), (9, 4), (9, 8), (8, 9), (4, 9), (3, 8), (3, 4)], true)]
            }
            Self::Up => &[(&[(6, 2), (11, 10), (1, 10)], true)],
            Self::Right => &[(&[(2, 1), (10, 6), (2, 11)], true)],
            Self::Left => &[(&[(10, 1), (2, 6), (10, 11)], true)],
            Self::Fired => &[(&[(2, 2), (10, 6), (2, 10)], true)],
            Self::Stopped => &[(&[(6, 2), (6, 9)], false), (&[(1, 9), (11, 9)], false)],
        }
    }

    /// The character that stands for it in text.
    pub(crate) const fn character(self) -> char {
        match self {
            Self::Cross => '✕',
            Self::Check => '✓',
            Self::Same => '≡',
            Self::Swap => '⇅',
            Self::Question => '?',
            Self::Lightning => '↯',
            Self::Triangle => '!',
            Self::Rhombus => '◆',
            Self::Lock => '#',
            Self::Dot => '•',
            Self::Up => '▲',
            Self::Right => '▷',
            Self::Left => '◁',
            Self::Fired => '▸',
            Self::Stopped => '⊥',
        }
    }
}
