//! Exponential backoff with jitter. Kafka: common/utils/ExponentialBackoff.

use inflight_des::{Chance, StreamId};

/// Milliseconds that double with each attempt up to a limit, 20 % more or less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExponentialBackoff {
    initial_ms: i64,
    max_ms: i64,
}

/// The jitter is 20 % either way, in parts of a million.
const JITTER_LOW: i64 = 800_000;
const JITTER_WIDTH: u64 = 400_000;
const JITTER_UNIT: i64 = 1_000_000;

impl ExponentialBackoff {
    /// A backoff from `initial_ms` up to `max_ms`. If the limit is not above the start, the
    /// backoff is constant and has no jitter.
    pub fn new(initial_ms: i64, max_ms: i64) -> Self {
        Self { initial_ms: initial_ms.min(max_ms), max_ms }
    }

    /// The wait after `attempts` earlier attempts, drawn from `stream`.
    pub fn draw(self, attempts: u32, chance: &mut Chance, stream: StreamId) -> i64 {
        if self.max_ms <= self.initial_ms {
            return self.initial_ms;
        }
        let doubled = 1_i64.checked_shl(attempts.min(62)).unwrap_or(i64::MAX);
        let term = self.initial_ms.saturating_mul(doubled).min(self.max_ms);
        let factor = JITTER_LOW + chance.pick(stream, JITTER_WIDTH) as i64;
        (term * factor / JITTER_UNIT).min(self.max_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use inflight_des::Seed;

    fn range(backoff: ExponentialBackoff, attempts: u32) -> (i64, i64) {
        let mut chance = Chance::new(Seed::new(1));
        let stream = chance.stream("backoff");
        let draws = (0..20_000).map(|_| backoff.draw(attempts, &mut chance, stream));
        draws.fold((i64::MAX, 0), |(low, high), ms| (low.min(ms), high.max(ms)))
    }

    #[test]
    fn retry_backoff_doubles_up_to_a_second() {
        let backoff = ExponentialBackoff::new(100, 1_000);
        assert_eq!(range(backoff, 0), (80, 119));
        assert_eq!(range(backoff, 1), (160, 239));
        assert_eq!(range(backoff, 2), (320, 479));
        let (low, high) = range(backoff, 3);
        assert!((640..=641).contains(&low) && (958..=959).contains(&high), "{low} {high}");
        for attempts in [4, 5, 40, 1_000] {
            let (low, high) = range(backoff, attempts);
            assert!((800..=801).contains(&low) && high == 1_000, "{low} {high}");
        }
    }

    #[test]
    fn reconnect_backoff_starts_at_50() {
        let backoff = ExponentialBackoff::new(50, 1_000);
        assert_eq!(range(backoff, 0), (40, 59));
        assert_eq!(range(backoff, 1), (80, 119));
        assert_eq!(range(backoff, 2), (160, 239));
    }

    #[test]
    fn connection_setup_timeout_stays_within_30_seconds() {
        let timeout = ExponentialBackoff::new(10_000, 30_000);
        for (attempts, low, high) in [(0, 8_000, 12_000), (1, 16_000, 24_000), (2, 24_000, 30_000)]
        {
            let (lowest, highest) = range(timeout, attempts);
            assert!(lowest >= low && lowest < low + low / 50, "{lowest}");
            assert!(highest <= high && highest > high - high / 50, "{highest}");
        }
    }

    #[test]
    fn a_limit_not_above_the_start_makes_it_constant() {
        assert_eq!(range(ExponentialBackoff::new(500, 500), 7), (500, 500));
        assert_eq!(range(ExponentialBackoff::new(500, 200), 7), (200, 200));
        assert_eq!(range(ExponentialBackoff::new(0, 0), 0), (0, 0));
    }
}
