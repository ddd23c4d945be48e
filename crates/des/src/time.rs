//! Virtual time: instants and spans as integer nanoseconds.
//!
//! Integers, because a sum of floats depends on the order of its terms and a run must not. The
//! origin of an [`Instant`] is the start of the run.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

const NANOS_PER_MICRO: u64 = 1_000;
const NANOS_PER_MILLI: u64 = 1_000_000;
const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// A point in virtual time: nanoseconds since the start of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

/// A length of virtual time in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(u64);

impl Instant {
    /// The start of the run.
    pub const START: Self = Self(0);
    /// Later than everything: "never".
    pub const NEVER: Self = Self(u64::MAX);

    /// The instant `nanos` nanoseconds after the start.
    #[inline]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the start.
    #[inline]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whole milliseconds since the start, rounded down, as a millisecond clock would read.
    #[inline]
    pub const fn as_millis(self) -> u64 {
        self.0 / NANOS_PER_MILLI
    }

    /// The span from `earlier` to `self`, or zero if `earlier` is later.
    #[inline]
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// The longest span.
    pub const MAX: Self = Self(u64::MAX);

    /// A span of `nanos` nanoseconds.
    #[inline]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// A span of `micros` microseconds.
    #[inline]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros.saturating_mul(NANOS_PER_MICRO))
    }

    /// A span of `millis` milliseconds.
    #[inline]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(NANOS_PER_MILLI))
    }

    /// A span of `seconds` seconds.
    #[inline]
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds.saturating_mul(NANOS_PER_SECOND))
    }

    /// The length in nanoseconds.
    #[inline]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The length in whole milliseconds, rounded down.
    #[inline]
    pub const fn as_millis(self) -> u64 {
        self.0 / NANOS_PER_MILLI
    }

    /// The span multiplied by a whole number; saturates.
    #[inline]
    pub const fn times(self, factor: u64) -> Self {
        Self(self.0.saturating_mul(factor))
    }
}

impl Add<Span> for Instant {
    type Output = Self;

    #[inline]
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Span> for Instant {
    #[inline]
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Add for Span {
    type Output = Self;

    #[inline]
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Span {
    #[inline]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Span {
    type Output = Self;

    #[inline]
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Instant {
    /// Milliseconds with three decimals, the unit Kafka's settings use: `12.345 ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0 / NANOS_PER_MICRO;
        f.pad(&format!("{}.{:03} ms", micros / 1_000, micros % 1_000))
    }
}

impl fmt::Display for Span {
    /// The largest unit that needs no more than the digits it has: `1.5ms`, `250us`, `9s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, name) = match self.0 {
            0 => return f.pad("0ms"),
            n if n >= NANOS_PER_SECOND => (NANOS_PER_SECOND, "s"),
            n if n >= NANOS_PER_MILLI => (NANOS_PER_MILLI, "ms"),
            n if n >= NANOS_PER_MICRO => (NANOS_PER_MICRO, "us"),
            _ => (1, "ns"),
        };
        let (whole, rest) = (self.0 / unit, self.0 % unit);
        if rest == 0 {
            return f.pad(&format!("{whole}{name}"));
        }
        let width = unit.ilog10() as usize;
        let digits = format!("{rest:0width$}");
        f.pad(&format!("{whole}.{}{name}", digits.trim_end_matches('0')))
    }
}

/// Why a text is not a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseSpanError {
    /// The text has no number in front.
    NoNumber,
    /// The text has no unit, or one that is not `ns`, `us`, `ms`, `s`, `m` or `h`.
    Unit,
    /// The number does not fit in 64 bits of nanoseconds, or is finer than a nanosecond.
    Range,
}

impl fmt::Display for ParseSpanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoNumber => "a duration starts with a number, as in \"1.5ms\"",
            Self::Unit => "a duration ends with its unit: ns, us, ms, s, m or h",
            Self::Range => "the duration is finer than a nanosecond or longer than 584 years",
        })
    }
}

impl std::error::Error for ParseSpanError {}

impl std::str::FromStr for Span {
    type Err = ParseSpanError;

    /// Reads `250us`, `1.5ms`, `30 s`, `2m`, `1h`. The unit is not optional.
    fn from_str(text: &str) -> Result<Self, ParseSpanError> {
        let text = text.trim();
        let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = (&text[..split], text[split..].trim());
        if number.is_empty() || number.starts_with('.') {
            return Err(ParseSpanError::NoNumber);
        }
        let unit: u64 = match unit {
            "ns" => 1,
            "us" | "µs" => NANOS_PER_MICRO,
            "ms" => NANOS_PER_MILLI,
            "s" => NANOS_PER_SECOND,
            "m" => 60 * NANOS_PER_SECOND,
            "h" => 3_600 * NANOS_PER_SECOND,
            _ => return Err(ParseSpanError::Unit),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let whole: u64 = whole.parse().map_err(|_| ParseSpanError::Range)?;
        let mut nanos = whole.checked_mul(unit).ok_or(ParseSpanError::Range)?;
        let mut place = unit;
        for digit in fraction.chars() {
            let digit = u64::from(digit.to_digit(10).ok_or(ParseSpanError::NoNumber)?);
            if !place.is_multiple_of(10) && digit != 0 {
                return Err(ParseSpanError::Range);
            }
            place /= 10;
            nanos = nanos.checked_add(digit * place).ok_or(ParseSpanError::Range)?;
        }
        Ok(Self(nanos))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spans_are_read_with_their_unit() {
        for (text, nanos) in [
            ("0ms", 0),
            ("250us", 250_000),
            ("1.5ms", 1_500_000),
            ("30 s", 30_000_000_000),
            ("2m", 120_000_000_000),
            ("0.000001ms", 1),
        ] {
            assert_eq!(text.parse(), Ok(Span::from_nanos(nanos)), "{text}");
        }
    }

    #[test]
    fn spans_without_number_or_unit_are_refused() {
        assert_eq!("ms".parse::<Span>(), Err(ParseSpanError::NoNumber));
        assert_eq!("15".parse::<Span>(), Err(ParseSpanError::Unit));
        assert_eq!("15 parsecs".parse::<Span>(), Err(ParseSpanError::Unit));
        assert_eq!("0.5ns".parse::<Span>(), Err(ParseSpanError::Range));
        assert_eq!("99999999999h".parse::<Span>(), Err(ParseSpanError::Range));
        assert_eq!("-1ms".parse::<Span>(), Err(ParseSpanError::NoNumber));
        assert_eq!("1.2.3ms".parse::<Span>(), Err(ParseSpanError::NoNumber));
    }

    proptest! {
        #[test]
        fn a_printed_span_reads_back(nanos in 0..u64::MAX / 2) {
            let span = Span::from_nanos(nanos);
            prop_assert_eq!(span.to_string().parse(), Ok(span));
        }
    }
}
