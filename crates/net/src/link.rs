//! One direction between two nodes.

use inflight_des::{Chance, Delay, Instant, Ratio, Span, StreamId};

/// What never changes about a link.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkSettings {
    /// The time a packet takes.
    pub delay: Delay,
    /// Bytes a second, if the link is narrow enough to matter.
    pub bandwidth: Option<u64>,
    /// The odds that a packet is lost.
    pub loss: Ratio,
    /// The first retransmission timeout of the TCP-like mode; it doubles with each loss.
    pub retransmission_timeout: Span,
}

impl Default for LinkSettings {
    fn default() -> Self {
        Self {
            delay: Delay::Constant(Span::from_micros(250)),
            bandwidth: None,
            loss: Ratio::ZERO,
            retransmission_timeout: Span::from_millis(200),
        }
    }
}

/// What becomes of packets that a link loses, and of all packets while it is cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LossMode {
    /// They are sent again, as TCP does: loss becomes delay, and a cut holds messages back.
    #[default]
    Retransmit,
    /// They are gone. No TCP does this; it makes for clear diagrams.
    Drop,
}

/// How often a packet is retransmitted at most in a row. Linux gives up after tcp_retries2 = 15.
const RETRANSMISSIONS_MAX: u32 = 15;

/// The state of a link. Flat, so that a fork of the network is one copy.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    cuts: u32,
    slowed_by: Span,
    /// Until when the bytes of earlier messages keep the link busy.
    busy_until: Instant,
    delay_stream: StreamId,
    loss_stream: StreamId,
}

/// What a link does with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transit {
    /// It arrives then.
    Arrives(Instant),
    /// It is kept until the link is healed.
    Held,
    /// It is gone.
    Lost,
}

impl Link {
    /// A link that works. `name` labels its streams.
    pub fn new(name: &str, chance: &mut Chance) -> Self {
        Self {
            cuts: 0,
            slowed_by: Span::ZERO,
            busy_until: Instant::START,
            delay_stream: chance.stream(&format!("link {name} delay")),
            loss_stream: chance.stream(&format!("link {name} loss")),
        }
    }

    /// Whether nothing gets through.
    pub const fn is_cut(&self) -> bool {
        self.cuts > 0
    }

    /// Cuts the link. Cuts count: it works again when each has been healed.
    pub fn cut(&mut self) {
        self.cuts += 1;
    }

    /// Heals one cut.
    pub fn heal(&mut self) {
        self.cuts = self.cuts.saturating_sub(1);
    }

    /// Adds to the delay of every later message.
    pub fn slow_by(&mut self, by: Span) {
        self.slowed_by = by;
    }

    /// Sends a message. `not_before` is when the message before it on the same connection arrives.
    #[inline]
    pub fn send(
        &mut self,
        settings: &LinkSettings,
        mode: LossMode,
        chance: &mut Chance,
        message: Outbound,
    ) -> Transit {
        if self.cuts > 0 {
            return match mode {
                LossMode::Retransmit => Transit::Held,
                LossMode::Drop => Transit::Lost,
            };
        }
        let mut leaves = message.now;
        if let Some(bandwidth) = settings.bandwidth {
            let nanos = u128::from(message.bytes) * 1_000_000_000 / u128::from(bandwidth.max(1));
            leaves = leaves.max(self.busy_until) + Span::from_nanos(nanos as u64);
            self.busy_until = leaves;
        }
        let mut delay = chance.delay(self.delay_stream, &settings.delay) + self.slowed_by;
        if !settings.loss.is_never() {
            let mut timeout = settings.retransmission_timeout;
            let mut losses = 0;
            while losses < RETRANSMISSIONS_MAX && chance.happens(self.loss_stream, settings.loss) {
                if mode == LossMode::Drop {
                    return Transit::Lost;
                }
                delay += timeout;
                timeout = timeout.times(2);
                losses += 1;
            }
        }
        Transit::Arrives((leaves + delay).max(message.not_before))
    }
}

/// A message about to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Outbound {
    /// Its size.
    pub bytes: u32,
    /// The time.
    pub now: Instant,
    /// When the message before it on the same connection arrives.
    pub not_before: Instant,
}

#[cfg(test)]
mod tests {
    use super::*;
    use inflight_des::Seed;

    fn link() -> (Link, Chance) {
        let mut chance = Chance::new(Seed::new(1));
        (Link::new("a>b", &mut chance), chance)
    }

    fn message(bytes: u32, now_us: u64) -> Outbound {
        let now = Instant::START + Span::from_micros(now_us);
        Outbound { bytes, now, not_before: Instant::START }
    }

    fn at_us(micros: u64) -> Transit {
        Transit::Arrives(Instant::START + Span::from_micros(micros))
    }

    #[test]
    fn a_message_takes_the_delay() {
        let (mut link, mut chance) = link();
        let settings = LinkSettings::default();
        let mode = LossMode::Retransmit;
        assert_eq!(link.send(&settings, mode, &mut chance, message(9, 10)), at_us(260));
        link.slow_by(Span::from_micros(40));
        assert_eq!(link.send(&settings, mode, &mut chance, message(9, 10)), at_us(300));
    }

    #[test]
    fn order_on_a_connection_is_kept() {
        let (mut link, mut chance) = link();
        let settings = LinkSettings::default();
        let not_before = Instant::START + Span::from_micros(900);
        let late = Outbound { not_before, ..message(9, 10) };
        let transit = link.send(&settings, LossMode::Retransmit, &mut chance, late);
        assert_eq!(transit, at_us(900));
    }

    #[test]
    fn bytes_queue_up_on_a_narrow_link() {
        let (mut link, mut chance) = link();
        let settings = LinkSettings { bandwidth: Some(1_000_000), ..LinkSettings::default() };
        let mode = LossMode::Retransmit;
        assert_eq!(link.send(&settings, mode, &mut chance, message(100, 0)), at_us(350));
        assert_eq!(link.send(&settings, mode, &mut chance, message(100, 50)), at_us(450));
        assert_eq!(link.send(&settings, mode, &mut chance, message(100, 900)), at_us(1_250));
    }

    #[test]
    fn cuts_count() {
        let (mut link, mut chance) = link();
        let settings = LinkSettings::default();
        let mode = LossMode::Retransmit;
        link.cut();
        link.cut();
        link.heal();
        assert_eq!(link.send(&settings, mode, &mut chance, message(9, 0)), Transit::Held);
        link.heal();
        assert_eq!(link.send(&settings, mode, &mut chance, message(9, 0)), at_us(250));
    }

    #[test]
    fn in_the_teaching_mode_a_cut_loses_messages() {
        let (mut link, mut chance) = link();
        link.cut();
        let transit =
            link.send(&LinkSettings::default(), LossMode::Drop, &mut chance, message(9, 0));
        assert_eq!(transit, Transit::Lost);
    }

    #[test]
    fn loss_becomes_delay_that_doubles() {
        let (mut link, mut chance) = link();
        let settings = LinkSettings { loss: Ratio::new(1, 2).unwrap(), ..LinkSettings::default() };
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..200 {
            match link.send(&settings, LossMode::Retransmit, &mut chance, message(9, 0)) {
                Transit::Arrives(at) => seen.insert(at.as_nanos() / 1_000),
                other => panic!("{other:?}"),
            };
        }
        let first: Vec<u64> = seen.into_iter().take(4).collect();
        assert_eq!(first, [250, 200_250, 600_250, 1_400_250]);
    }
}
