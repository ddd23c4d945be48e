//! A stable 128-bit digest: the same on every platform and in every release of this crate.
//!
//! Not cryptographic. It exists to say whether two runs did the same things in the same order, at
//! a price of two multiplications a word. `std::hash` promises no stable value, hence our own.

use std::fmt;

/// The digest of a sequence of 64-bit words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Digest {
    low: u64,
    high: u64,
}

// Odd constants without structure: the fractional parts of the golden ratio and of sqrt(2), sqrt(3).
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
const ROOT_TWO: u64 = 0x6A09_E667_F3BC_C909;
const ROOT_THREE: u64 = 0xBB67_AE85_84CA_A73B;

/// The 128-bit product of two words, folded to 64 bits.
#[inline]
const fn fold(a: u64, b: u64) -> u64 {
    let product = (a as u128).wrapping_mul(b as u128);
    (product >> 64) as u64 ^ product as u64
}

impl Digest {
    /// The digest of nothing.
    pub const fn new() -> Self {
        Self { low: ROOT_TWO, high: ROOT_THREE }
    }

    /// Takes in one word.
    #[inline]
    pub const fn absorb(&mut self, word: u64) {
        self.low = fold(self.low ^ word, GOLDEN).wrapping_add(self.high);
        self.high = fold(self.high.rotate_left(23) ^ word, ROOT_TWO) ^ self.low;
    }

    /// Takes in a text: its bytes in words of eight, then its length.
    pub fn absorb_text(&mut self, text: &str) {
        for chunk in text.as_bytes().chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.absorb(u64::from_le_bytes(word));
        }
        self.absorb(text.len() as u64);
    }

    /// The digest as a number.
    pub const fn value(self) -> u128 {
        (self.high as u128) << 64 | self.low as u128
    }
}

impl Default for Digest {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for Digest {
    /// 32 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.value())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_value_never_changes_between_releases() {
        let mut digest = Digest::new();
        digest.absorb(0);
        digest.absorb(1);
        digest.absorb_text("inflight");
        assert_eq!(digest.to_string(), PINNED);
    }

    const PINNED: &str = "44767968cc20a01cf4739b7e0fb3f6a1";

    proptest! {
        #[test]
        fn one_changed_word_changes_the_digest(
            words in proptest::collection::vec(any::<u64>(), 1..20),
            at in any::<prop::sample::Index>(),
            change in 1..u64::MAX,
        ) {
            let digest = |words: &[u64]| {
                let mut digest = Digest::new();
                words.iter().for_each(|word| digest.absorb(*word));
                digest
            };
            let mut other = words.clone();
            other[at.index(words.len())] ^= change;
            prop_assert_ne!(digest(&words), digest(&other));
        }
    }
}
