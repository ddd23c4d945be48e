//! The nouns that sentences make of numbers.

use super::namer::{ordinal, range};

/// What is said of numbers in sentences, in one language.
#[derive(Clone, Copy, Debug)]
pub struct Nouns {
    /// Before a broker's number.
    pub broker: &'static str,
    /// The controller.
    pub controller: &'static str,
    /// What stands for something that is absent.
    pub nothing: &'static str,
    /// A run of numbered things: the English noun, the first number, how many.
    pub range: fn(&str, u64, u64) -> String,
    /// Which attempt it is, counted from 0.
    pub attempt: fn(u32) -> String,
    /// Which session or consumer of a client it is, counted from 0.
    pub life: fn(&str, u32) -> String,
    /// Before the number of a session whose client is not known.
    pub session: &'static str,
    /// Before the number of a consumer whose client is not known.
    pub consumer: &'static str,
}

/// English.
pub const ENGLISH: Nouns = Nouns {
    broker: "broker",
    controller: "the controller",
    nothing: "nothing",
    range,
    attempt: ordinal,
    life: |what, index| format!("{} {what}", ordinal(index)),
    session: "session",
    consumer: "consumer",
};
