//! Chance comes by name.
//!
//! Every draw belongs to a labelled *stream*: who draws, and what for ("link p1>b1 latency"). A
//! stream is a ChaCha8 generator whose stream number is made from the label, so what one consumer
//! draws never moves the luck of another, and two configurations see the same luck wherever they
//! ask the same questions (common random numbers).
//!
//! A [`Script`] of [`Deviation`]s replaces chosen draws. A seeded run, a replay, a search over all
//! choices and a shrunk failure are four ways to fill in (seed, script); a model never knows which
//! of them is going on. A replaced draw still consumes its random word, so the rest stay put.

use crate::delay::{Delay, Ratio};
use crate::digest::Digest;
use crate::time::Span;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::fmt;

/// What all randomness of a run comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seed(u64);

impl Seed {
    /// The seed with this number.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Its number.
    pub const fn value(self) -> u64 {
        self.0
    }

    /// The 256-bit key of the generators: four outputs of splitmix64.
    fn key(self) -> [u8; 32] {
        let mut key = [0; 32];
        let mut state = self.0;
        for word in key.chunks_mut(8) {
            word.copy_from_slice(&splitmix64(&mut state).to_le_bytes());
        }
        key
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The next output of Steele, Lea and Flood's splitmix64. Turns one draw into several.
pub(crate) const fn splitmix64(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Who draws and what for; made by [`Chance::stream`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(u16);

impl StreamId {
    /// The position of the stream in the order in which streams were named.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// One draw: the `ordinal`-th (from 0) of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChoicePoint {
    /// The stream.
    pub stream: StreamId,
    /// How many draws of that stream came before.
    pub ordinal: u64,
}

/// A draw whose outcome is prescribed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Deviation {
    /// Which draw.
    pub point: ChoicePoint,
    /// The outcome: nanoseconds for a delay, 0 or 1 for a chance, the number for a pick.
    pub outcome: u64,
}

/// A list of deviations, in order of their choice points.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Script(Vec<Deviation>);

impl Script {
    /// The script of these deviations. Of several for one choice point the first counts.
    pub fn new(deviations: impl IntoIterator<Item = Deviation>) -> Self {
        let mut list: Vec<_> = deviations.into_iter().collect();
        list.sort_by_key(|deviation| deviation.point);
        list.dedup_by_key(|deviation| deviation.point);
        Self(list)
    }

    /// The deviations in order.
    pub fn deviations(&self) -> &[Deviation] {
        &self.0
    }

    fn outcome(&self, point: ChoicePoint) -> Option<u64> {
        let index = self.0.binary_search_by_key(&point, |deviation| deviation.point).ok()?;
        Some(self.0[index].outcome)
    }
}

/// What a label makes of a generator's stream number.
fn key_of(label: &str) -> u64 {
    let mut digest = Digest::new();
    digest.absorb_text(label);
    digest.value() as u64
}

/// The luck of a run: a seed, streams by name, and a script.
#[derive(Debug)]
pub struct Chance {
    seed: Seed,
    streams: Vec<Stream>,
    generators: Vec<ChaCha8Rng>,
    script: Script,
}

#[derive(Clone, Copy, Debug)]
struct Stream {
    key: u64,
    ordinal: u64,
    scripted: bool,
    /// Index of its generator, made when first drawn from: most runs use few streams.
    generator: Option<u16>,
}

impl Chance {
    /// Chance without streams.
    pub const fn new(seed: Seed) -> Self {
        Self { seed, streams: Vec::new(), generators: Vec::new(), script: Script(Vec::new()) }
    }

    /// Names a stream. Equal labels are different consumers of the same luck, which is a mistake,
    /// so a label is used once.
    pub fn stream(&mut self, label: &str) -> StreamId {
        assert!(self.find(label).is_none(), "a label names one stream: {label}");
        let key = key_of(label);
        let id = u16::try_from(self.streams.len()).expect("a run has at most 2^16 streams");
        self.streams.push(Stream { key, ordinal: 0, scripted: false, generator: None });
        StreamId(id)
    }

    /// The stream of this label, if there is one.
    pub fn find(&self, label: &str) -> Option<StreamId> {
        let key = key_of(label);
        let index = self.streams.iter().position(|stream| stream.key == key)?;
        Some(StreamId(index as u16))
    }

    /// Starts again with another seed and script: every stream back to its first draw.
    pub fn restart(&mut self, seed: Seed, script: &Script) {
        self.seed = seed;
        self.generators.clear();
        self.script.0.clone_from(&script.0);
        for (index, stream) in self.streams.iter_mut().enumerate() {
            stream.ordinal = 0;
            stream.generator = None;
            stream.scripted =
                script.0.iter().any(|deviation| deviation.point.stream.index() == index);
        }
    }

    /// The seed.
    pub const fn seed(&self) -> Seed {
        self.seed
    }

    /// How many draws a stream made so far.
    pub fn drawn(&self, stream: StreamId) -> u64 {
        self.streams[stream.index()].ordinal
    }

    /// Draws a delay.
    #[inline]
    pub fn delay(&mut self, stream: StreamId, from: &Delay) -> Span {
        let prescribed = self.advance(stream);
        if let Delay::Constant(span) = from {
            // A constant needs no random word, yet it is a choice point: a script may change it.
            return prescribed.map_or(*span, Span::from_nanos);
        }
        let word = self.word(stream);
        prescribed.map_or_else(|| from.sample(word), Span::from_nanos)
    }

    /// Draws whether something of these odds happens.
    #[inline]
    pub fn happens(&mut self, stream: StreamId, odds: Ratio) -> bool {
        let prescribed = self.advance(stream);
        if odds.is_never() {
            return prescribed.is_some_and(|outcome| outcome != 0);
        }
        let word = self.word(stream);
        prescribed.map_or_else(|| odds.happens(word), |outcome| outcome != 0)
    }

    /// Draws one of `options` numbers, from 0, all equally likely.
    #[inline]
    pub fn pick(&mut self, stream: StreamId, options: u64) -> u64 {
        assert!(options > 0, "a pick has at least one option");
        let prescribed = self.advance(stream);
        let word = self.word(stream);
        let picked = (u128::from(word) * u128::from(options)) >> 64;
        prescribed.map_or(picked as u64, |outcome| outcome % options)
    }

    /// Counts a draw and returns its outcome if the script prescribes it.
    #[inline]
    fn advance(&mut self, id: StreamId) -> Option<u64> {
        let stream = &mut self.streams[id.index()];
        let ordinal = stream.ordinal;
        stream.ordinal += 1;
        if !stream.scripted {
            return None;
        }
        self.script.outcome(ChoicePoint { stream: id, ordinal })
    }

    #[inline]
    fn word(&mut self, id: StreamId) -> u64 {
        let stream = &mut self.streams[id.index()];
        let index = match stream.generator {
            Some(index) => index,
            None => {
                let index = self.generators.len() as u16;
                stream.generator = Some(index);
                let mut generator = ChaCha8Rng::from_seed(self.seed.key());
                generator.set_stream(stream.key);
                // Some releases keep the word position when the stream changes: set both.
                generator.set_word_pos(0);
                self.generators.push(generator);
                index
            }
        };
        self.generators[index as usize].next_u64()
    }
}

impl Clone for Chance {
    fn clone(&self) -> Self {
        Self {
            seed: self.seed,
            streams: self.streams.clone(),
            generators: self.generators.clone(),
            script: self.script.clone(),
        }
    }

    fn clone_from(&mut self, source: &Self) {
        self.seed = source.seed;
        self.streams.clone_from(&source.streams);
        self.generators.clone_from(&source.generators);
        self.script.0.clone_from(&source.script.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_values_never_change_between_releases() {
        let mut chance = Chance::new(Seed::new(42));
        let stream = chance.stream("link p1>b1 latency");
        let picks: Vec<u64> = (0..4).map(|_| chance.pick(stream, 1_000_000)).collect();
        assert_eq!(picks, PINNED);
    }

    const PINNED: [u64; 4] = [115_264, 706_501, 226_039, 560_614];

    #[test]
    fn one_consumer_leaves_the_others_alone() {
        let draw = |noise: u32| {
            let mut chance = Chance::new(Seed::new(7));
            let (ours, theirs) = (chance.stream("ours"), chance.stream("theirs"));
            (0..20)
                .map(|_| {
                    for _ in 0..noise {
                        chance.pick(theirs, 10);
                    }
                    chance.pick(ours, 1 << 40)
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(draw(0), draw(3));
    }

    #[test]
    fn a_deviation_replaces_one_draw_and_moves_no_other() {
        let mut chance = Chance::new(Seed::new(7));
        let stream = chance.stream("coin");
        let plain: Vec<u64> = (0..5).map(|_| chance.pick(stream, 100)).collect();
        let point = ChoicePoint { stream, ordinal: 2 };
        chance.restart(Seed::new(7), &Script::new([Deviation { point, outcome: 200 + plain[2] }]));
        let scripted: Vec<u64> = (0..5).map(|_| chance.pick(stream, 100)).collect();
        assert_eq!(plain, scripted, "200 is 0 modulo 100");
        chance.restart(
            Seed::new(7),
            &Script::new([Deviation { point, outcome: (plain[2] + 1) % 100 }]),
        );
        let scripted: Vec<u64> = (0..5).map(|_| chance.pick(stream, 100)).collect();
        assert_eq!(scripted[2], (plain[2] + 1) % 100);
        assert_eq!((&scripted[..2], &scripted[3..]), (&plain[..2], &plain[3..]));
    }

    #[test]
    fn a_constant_delay_is_a_choice_point_too() {
        let mut chance = Chance::new(Seed::new(7));
        let stream = chance.stream("link");
        let constant = Delay::Constant(Span::from_millis(1));
        let point = ChoicePoint { stream, ordinal: 1 };
        chance.restart(Seed::new(7), &Script::new([Deviation { point, outcome: 9 }]));
        let spans: Vec<u64> = (0..3).map(|_| chance.delay(stream, &constant).as_nanos()).collect();
        assert_eq!(spans, [1_000_000, 9, 1_000_000]);
    }

    #[test]
    fn a_stream_is_found_by_its_label() {
        let mut chance = Chance::new(Seed::new(1));
        chance.stream("coin");
        let dice = chance.stream("dice");
        assert_eq!(chance.find("dice"), Some(dice));
        assert_eq!(chance.find("cards"), None);
    }

    #[test]
    #[should_panic(expected = "a label names one stream")]
    fn a_label_is_used_once() {
        let mut chance = Chance::new(Seed::new(1));
        chance.stream("coin");
        chance.stream("coin");
    }

    proptest! {
        #[test]
        fn a_copy_in_mid_flight_goes_on_identically(seed: u64, before in 0_usize..50) {
            let mut chance = Chance::new(Seed::new(seed));
            let (a, b) = (chance.stream("a"), chance.stream("b"));
            for _ in 0..before {
                chance.pick(a, 6);
            }
            let mut fork = Chance::new(Seed::new(seed ^ 1));
            fork.stream("x");
            fork.clone_from(&chance);
            for stream in [a, b, a, b, b] {
                prop_assert_eq!(chance.pick(stream, 1 << 50), fork.pick(stream, 1 << 50));
            }
        }
    }
}
