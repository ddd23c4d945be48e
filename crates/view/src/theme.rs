//! Colours by what they mean. Each has the contrast of text on its ground: 4.5 and more.

/// What a colour means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ink {
    /// Text and outlines.
    Plain,
    /// What matters less.
    Muted,
    /// Lines that only guide the eye.
    Grid,
    /// The producer and its requests.
    Producer,
    /// Acked, committed.
    Good,
    /// Failed, lost, down.
    Bad,
    /// A second copy.
    Duplicate,
    /// Out of order; look here.
    Warning,
    /// A follower and its copies.
    Follower,
    /// An open transaction.
    Transaction,
    /// The ground that everything stands on.
    Ground,
}

/// Light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// On white.
    #[default]
    Light,
    /// On nearly black.
    Dark,
}

impl Ink {
    /// Every colour.
    pub const ALL: [Self; 11] = [
        Self::Plain,
        Self::Muted,
        Self::Grid,
        Self::Producer,
        Self::Good,
        Self::Bad,
        Self::Duplicate,
        Self::Warning,
        Self::Follower,
        Self::Transaction,
        Self::Ground,
    ];

    /// Its name in style sheets.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Muted => "muted",
            Self::Grid => "grid",
            Self::Producer => "producer",
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Duplicate => "duplicate",
            Self::Warning => "warning",
            Self::Follower => "follower",
            Self::Transaction => "transaction",
            Self::Ground => "ground",
        }
    }
}

impl Theme {
    /// Red, green and blue of a colour.
    pub const fn rgb(self, ink: Ink) -> [u8; 3] {
        let code: u32 = match (self, ink) {
            (Self::Light, Ink::Plain) => 0x1F_23_28,
            (Self::Light, Ink::Muted) => 0x57_60_6A,
            (Self::Light, Ink::Grid) => 0x8C_95_9F,
            (Self::Light, Ink::Producer) => 0x0B_62_B8,
            (Self::Light, Ink::Good) => 0x0A_7B_61,
            (Self::Light, Ink::Bad) => 0xC2_41_0C,
            (Self::Light, Ink::Duplicate) => 0x7C_3A_ED,
            (Self::Light, Ink::Warning) => 0x8A_5A_00,
            (Self::Light, Ink::Follower) => 0x4B_65_84,
            (Self::Light, Ink::Transaction) => 0xB0_24_6B,
            (Self::Light, Ink::Ground) => 0xFF_FF_FF,
            (Self::Dark, Ink::Plain) => 0xE6_ED_F3,
            (Self::Dark, Ink::Muted) => 0x9D_A7_B3,
            (Self::Dark, Ink::Grid) => 0x6E_76_81,
            (Self::Dark, Ink::Producer) => 0x58_A6_FF,
            (Self::Dark, Ink::Good) => 0x3F_C8_A0,
            (Self::Dark, Ink::Bad) => 0xFF_8A_5C,
            (Self::Dark, Ink::Duplicate) => 0xB7_94_F6,
            (Self::Dark, Ink::Warning) => 0xE3_B3_41,
            (Self::Dark, Ink::Follower) => 0xA5_B8_CC,
            (Self::Dark, Ink::Transaction) => 0xF7_78_BA,
            (Self::Dark, Ink::Ground) => 0x0D_11_17,
        };
        [(code >> 16) as u8, (code >> 8) as u8, code as u8]
    }

    /// A colour thinned with the ground: what boxes are filled with.
    pub fn tint(self, ink: Ink) -> [u8; 3] {
        let (colour, ground) = (self.rgb(ink), self.rgb(Ink::Ground));
        let mix = |index: usize| {
            let (c, g) = (u32::from(colour[index]), u32::from(ground[index]));
            ((c * TINT + g * (100 - TINT)) / 100) as u8
        };
        [mix(0), mix(1), mix(2)]
    }
}

/// How much of a colour is in its tint, in hundredths.
const TINT: u32 = 13;

/// A colour as style sheets write it.
pub(crate) fn hex([red, green, blue]: [u8; 3]) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The relative luminance of WCAG, in millionths. The power of 2.4 is taken by a table of
    /// steps that is fine enough for two digits of contrast.
    fn luminance(rgb: [u8; 3]) -> f64 {
        let linear = |value: u8| {
            let share = f64::from(value) / 255.0;
            if share <= 0.03928 {
                return share / 12.92;
            }
            let base = (share + 0.055) / 1.055;
            // base^2.4 = base^2 * base^0.4, and the fifth root by halving intervals.
            let square = base * base;
            let (mut low, mut high) = (0.0_f64, 1.0_f64);
            for _ in 0..60 {
                let middle = f64::midpoint(low, high);
                let fifth = middle * middle * middle * middle * middle;
                if fifth < square { low = middle } else { high = middle }
            }
            square * low
        };
        0.2126 * linear(rgb[0]) + 0.7152 * linear(rgb[1]) + 0.0722 * linear(rgb[2])
    }

    fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
        let (a, b) = (luminance(one), luminance(other));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_can_be_read_on_the_ground_and_on_its_tint() {
        for theme in [Theme::Light, Theme::Dark] {
            for ink in Ink::ALL {
                if [Ink::Grid, Ink::Ground].contains(&ink) {
                    continue;
                }
                let on_ground = contrast(theme.rgb(ink), theme.rgb(Ink::Ground));
                assert!(on_ground >= 4.5, "{theme:?} {ink:?}: {on_ground}");
                let on_tint = contrast(theme.rgb(Ink::Plain), theme.tint(ink));
                assert!(on_tint >= 4.5, "{theme:?} {ink:?}: {on_tint}");
            }
            let grid = contrast(theme.rgb(Ink::Grid), theme.rgb(Ink::Ground));
            assert!(grid >= 2.99, "{theme:?}: {grid}");
        }
    }
}
