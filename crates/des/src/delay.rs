//! Distributions of delays, and odds.
//!
//! Each sample is made from exactly one 64-bit word, so that a draw is a draw whatever it is drawn
//! from. The transcendental functions are those of `libm`: the standard library's `ln`, `exp` and
//! `cos` differ in the last digit between platforms, the plain operations of `f64` do not.

use crate::chance::splitmix64;
use crate::time::Span;

/// A probability as a ratio of whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ratio {
    numerator: u32,
    denominator: u32,
}

impl Ratio {
    /// Never.
    pub const ZERO: Self = Self { numerator: 0, denominator: 1 };

    /// `numerator` times in `denominator`. `None` if that is no probability.
    pub const fn new(numerator: u32, denominator: u32) -> Option<Self> {
        if denominator == 0 || numerator > denominator {
            return None;
        }
        Some(Self { numerator, denominator })
    }

    /// The upper number.
    pub const fn numerator(self) -> u32 {
        self.numerator
    }

    /// The lower number.
    pub const fn denominator(self) -> u32 {
        self.denominator
    }

    /// Whether it never happens.
    pub const fn is_never(self) -> bool {
        self.numerator == 0
    }

    /// Whether it happens when the random word is `word`.
    #[inline]
    pub(crate) const fn happens(self, word: u64) -> bool {
        ((word as u128 * self.denominator as u128) >> 64) < self.numerator as u128
    }
}

/// A distribution of delays.
#[derive(Clone, Debug, PartialEq)]
pub enum Delay {
    /// Always the same.
    Constant(Span),
    /// Every nanosecond from `low` to `high` inclusive is equally likely.
    Uniform {
        /// The least delay.
        low: Span,
        /// The greatest delay.
        high: Span,
    },
    /// `floor` plus an exponential delay of this `mean`.
    Exponential {
        /// Added to every sample.
        floor: Span,
        /// The mean of the exponential part.
        mean: Span,
    },
    /// Log-normal: `median` times e to the power of `sigma` times a standard normal.
    LogNormal {
        /// Half of the samples are below this.
        median: Span,
        /// The standard deviation of the logarithm, at least 0. Around 1 the tail is heavy: the
        /// 99th percentile is ten times the median.
        sigma: f64,
    },
    /// The sum of `shape` exponential delays, together of this `mean`: phase-type service.
    Erlang {
        /// How many phases, 1 to [`Delay::ERLANG_SHAPE_MAX`].
        shape: u32,
        /// The mean of the sum.
        mean: Span,
    },
    /// A measured distribution.
    Empirical(Quantiles),
}

impl Default for Delay {
    fn default() -> Self {
        Self::Constant(Span::ZERO)
    }
}

impl Delay {
    /// The greatest number of phases of [`Delay::Erlang`].
    pub const ERLANG_SHAPE_MAX: u32 = 64;

    /// The sample that the random word `word` gives.
    pub fn sample(&self, word: u64) -> Span {
        match self {
            Self::Constant(span) => *span,
            Self::Uniform { low, high } => {
                let width = u128::from((*high - *low).as_nanos()) + 1;
                *low + Span::from_nanos(((u128::from(word) * width) >> 64) as u64)
            }
            Self::Exponential { floor, mean } => *floor + scale(*mean, -libm::log(open_unit(word))),
            Self::LogNormal { median, sigma } => scale(*median, libm::exp(sigma * normal(word))),
            Self::Erlang { shape, mean } => {
                let mut state = word;
                let sum: f64 =
                    (0..*shape).map(|_| -libm::log(open_unit(splitmix64(&mut state)))).sum();
                scale(*mean, sum / f64::from(*shape))
            }
            Self::Empirical(quantiles) => quantiles.at(word),
        }
    }

    /// The longest span that can be drawn, if there is one.
    pub fn longest(&self) -> Option<Span> {
        match self {
            Self::Constant(span) => Some(*span),
            Self::Uniform { high, .. } => Some(*high),
            Self::Empirical(quantiles) => quantiles.knots.last().copied(),
            Self::Exponential { .. } | Self::LogNormal { .. } | Self::Erlang { .. } => None,
        }
    }
}

/// A quantile function given by its values at equally spaced probabilities, linear in between.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Quantiles {
    knots: Vec<Span>,
}

impl Quantiles {
    /// From values at probabilities 0, 1/n, …, 1. `None` if there are fewer than two or they
    /// decrease.
    pub fn new(knots: Vec<Span>) -> Option<Self> {
        (knots.len() >= 2 && knots.is_sorted()).then_some(Self { knots })
    }

    /// The value at the probability `word` / 2^64.
    fn at(&self, word: u64) -> Span {
        let steps = (self.knots.len() - 1) as u128;
        let position = u128::from(word) * steps;
        let (index, rest) = ((position >> 64) as usize, position as u64);
        let (low, high) = (self.knots[index], self.knots[index + 1]);
        let part = (u128::from((high - low).as_nanos()) * u128::from(rest)) >> 64;
        low + Span::from_nanos(part as u64)
    }
}

/// A number in (0, 1], 53 bits fine.
fn open_unit(word: u64) -> f64 {
    ((word >> 11) + 1) as f64 * (1.0 / (1_u64 << 53) as f64)
}

/// A standard normal number, by Box and Muller from the two halves of the word.
fn normal(word: u64) -> f64 {
    const SCALE: f64 = 1.0 / (1_u64 << 32) as f64;
    let radius = libm::sqrt(-2.0 * libm::log(((word >> 32) + 1) as f64 * SCALE));
    radius * libm::cos(std::f64::consts::TAU * (word & 0xFFFF_FFFF) as f64 * SCALE)
}

/// `span` times a factor that is not negative, to the nearest nanosecond, saturating.
fn scale(span: Span, factor: f64) -> Span {
    Span::from_nanos((span.as_nanos() as f64 * factor + 0.5) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::{Chance, Seed};

    const MILLI: Span = Span::from_millis(1);

    fn mean_of(delay: &Delay) -> f64 {
        let mut chance = Chance::new(Seed::new(3));
        let stream = chance.stream("delay");
        const SAMPLES: u64 = 200_000;
        let sum: f64 = (0..SAMPLES).map(|_| chance.delay(stream, delay).as_nanos() as f64).sum();
        sum / SAMPLES as f64
    }

    fn assert_mean(delay: &Delay, expected_nanos: f64) {
        let mean = mean_of(delay);
        assert!((mean / expected_nanos - 1.0).abs() < 0.01, "{delay:?} has mean {mean}");
    }

    #[test]
    fn means_are_those_of_the_distributions() {
        assert_mean(&Delay::Constant(MILLI), 1e6);
        assert_mean(&Delay::Uniform { low: MILLI, high: Span::from_millis(3) }, 2e6);
        assert_mean(&Delay::Exponential { floor: MILLI, mean: MILLI }, 2e6);
        assert_mean(&Delay::Erlang { shape: 4, mean: MILLI }, 1e6);
        // The mean of a log-normal is its median times e^(sigma^2 / 2).
        assert_mean(&Delay::LogNormal { median: MILLI, sigma: 0.5 }, 1e6 * 1.133_148);
        let table = vec![Span::ZERO, MILLI, Span::from_millis(4)];
        assert_mean(&Delay::Empirical(Quantiles::new(table).unwrap()), 1.5e6);
    }

    #[test]
    fn samples_stay_within_bounds() {
        let uniform = Delay::Uniform { low: MILLI, high: MILLI };
        let table = Delay::Empirical(Quantiles::new(vec![MILLI, Span::from_millis(2)]).unwrap());
        for word in [0, 1, u64::MAX / 2, u64::MAX] {
            assert_eq!(uniform.sample(word), MILLI);
            assert!((MILLI..=Span::from_millis(2)).contains(&table.sample(word)));
            assert!(Delay::LogNormal { median: MILLI, sigma: 0.0 }.sample(word) == MILLI);
        }
    }

    #[test]
    fn odds_are_exact_at_both_ends() {
        let (never, always) = (Ratio::ZERO, Ratio::new(1, 1).unwrap());
        assert!(!never.happens(0));
        assert!(always.happens(u64::MAX));
        assert_eq!(Ratio::new(2, 1), None);
        assert_eq!(Ratio::new(0, 0), None);
        let third = Ratio::new(1, 3).unwrap();
        let hits = (0..3_000_u64).filter(|i| third.happens(i << 52)).count();
        assert!((990..=1_370).contains(&hits), "{hits}");
    }
}
