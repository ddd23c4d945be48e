//! What must come out of a run, and whether it did.

use inflight_check::{CheckerId, Counts, Judgement, Verdict};
use inflight_des::Instant;
use inflight_protocol::Fact;
use inflight_protocol::fact::Value;
use inflight_sim::fault::{Pattern, Test};
use std::fmt;

/// What must come out of a run. Nothing, if it is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expectations {
    /// The gravest verdict is one of these, if there are any.
    pub verdict: Vec<Verdict>,
    /// Checkers say one of these.
    pub checkers: Vec<(CheckerId, Vec<Verdict>)>,
    /// Counts are within these ranges.
    pub counts: Vec<(Count, Range)>,
    /// Facts occur so often.
    pub facts: Vec<FactCount>,
}

/// Facts that must occur, or must not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactCount {
    /// Which facts.
    pub pattern: Pattern,
    /// How often.
    pub times: Range,
    /// The facts as the file says it: `LeaderElected where { "election": "unclean" }`.
    pub words: String,
}

/// Numbers from `least` to `most` inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The least.
    pub least: u64,
    /// The greatest.
    pub most: u64,
}

impl Range {
    /// This number alone.
    pub const fn exactly(number: u64) -> Self {
        Self { least: number, most: number }
    }

    /// At least this.
    pub const fn at_least(least: u64) -> Self {
        Self { least, most: u64::MAX }
    }

    /// Whether a number is within.
    pub const fn contains(self, number: u64) -> bool {
        self.least <= number && number <= self.most
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.least, self.most) {
            (least, most) if least == most => write!(f, "{least}"),
            (least, u64::MAX) => write!(f, "at least {least}"),
            (0, most) => write!(f, "at most {most}"),
            (least, most) => write!(f, "{least} to {most}"),
        }
    }
}

macro_rules! counts {
    ($( $(#[doc = $doc:literal])+ $name:ident $word:literal $field:ident; )*) => {
        /// A number in a [`Counts`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Count { $( $(#[doc = $doc])+ $name, )* }

        impl Count {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its name in scenario files and reports.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// What it counts.
            pub const fn doc(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+),)* }
            }

            /// The count itself.
            pub const fn of(self, counts: &Counts) -> u64 {
                match self { $(Self::$name => counts.$field,)* }
            }
        }
    };
}

counts! {
    /// Messages given to send().
    Sent "sent" sent;
    /// Records whose sender was told that they are delivered.
    Acked "acked" acked;
    /// Records whose sender was told that they failed.
    Failed "failed" failed;
    /// Messages that send() refused.
    Refused "refused" refused;
    /// Records whose sender was never told anything.
    Unknown "unknown" unknown;
    /// Acked, and not among the records that a reader finds.
    Lost "lost" lost;
    /// Those of the lost that the leader's log has above its high watermark.
    Unreadable "unreadable" unreadable;
    /// Copies of a record beyond its first.
    Duplicated "duplicated" duplicated;
    /// Records whose first copy is behind that of a record that was sent later.
    Reordered "reordered" reordered;
    /// Failed, and found by a reader all the same.
    FailedButPresent "failed-but-present" failed_but_present;
    /// Records that a reader finds, copies included.
    Read "read" read;
    /// Transactions that are committed, as their application was told.
    TransactionsCommitted "transactions-committed" transactions_committed;
    /// Transactions that are aborted, as their application was told.
    TransactionsAborted "transactions-aborted" transactions_aborted;
    /// Transactions whose application was never told how they ended.
    TransactionsUnknown "transactions-unknown" transactions_unknown;
    /// Records that poll() returned, each time counted.
    Returned "returned" returned;
    /// Effects outside of Kafka: records that were processed, each time counted.
    Processed "processed" processed;
    /// Effects of a record beyond its first.
    ProcessedTwice "processed-twice" processed_twice;
    /// Records below a committed offset that nobody processed, or made messages of that count.
    Skipped "skipped" skipped;
}

/// An expectation that was not met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// What it is about: `verdict`, `checkers.no-loss`, `counts.lost`, `facts[0]`.
    pub about: String,
    /// What was expected.
    pub expected: String,
    /// What came.
    pub found: String,
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, found {}", self.about, self.expected, self.found)
    }
}

impl Expectations {
    /// Whether nothing is expected.
    pub fn is_empty(&self) -> bool {
        let Self { verdict, checkers, counts, facts } = self;
        verdict.is_empty() && checkers.is_empty() && counts.is_empty() && facts.is_empty()
    }

    /// How many things are expected.
    pub fn len(&self) -> usize {
        usize::from(!self.verdict.is_empty())
            + self.checkers.len()
            + self.counts.len()
            + self.facts.len()
    }

    /// What of it did not come.
    pub fn unmet(&self, judgement: &Judgement, facts: &[(Instant, Fact)]) -> Vec<Unmet> {
        let mut unmet = Vec::new();
        let mut compare = |about: String, met: bool, expected: String, found: String| {
            if !met {
                unmet.push(Unmet { about, expected, found });
            }
        };
        let worst = judgement.worst();
        if !self.verdict.is_empty() {
            let met = self.verdict.contains(&worst);
            compare("verdict".to_owned(), met, any(&self.verdict), worst.to_string());
        }
        for (checker, verdicts) in &self.checkers {
            let found = judgement.opinion(*checker).verdict;
            let about = format!("checkers.{}", checker.word());
            compare(about, verdicts.contains(&found), any(verdicts), found.to_string());
        }
        for (count, range) in &self.counts {
            let found = count.of(&judgement.counts);
            let about = format!("counts.{}", count.word());
            compare(about, range.contains(found), range.to_string(), found.to_string());
        }
        for (index, expected) in self.facts.iter().enumerate() {
            let matching = facts.iter().filter(|(_, fact)| expected.matches(fact));
            let found = u64::try_from(matching.count()).unwrap_or(u64::MAX);
            let words = format!("{} {}", times(&expected.times), expected.words);
            let met = expected.times.contains(found);
            compare(format!("facts[{index}]"), met, words, format!("{found}"));
        }
        unmet
    }
}

fn any(verdicts: &[Verdict]) -> String {
    let words: Vec<&str> = verdicts.iter().map(|verdict| verdict.word()).collect();
    words.join(" or ")
}

fn times(range: &Range) -> String {
    match range {
        Range { least: 0, most: 0 } => "no".to_owned(),
        range => range.to_string(),
    }
}

impl FactCount {
    /// Whether a fact is one of those.
    fn matches(&self, fact: &Fact) -> bool {
        let passes = |(position, test): &(u8, Test)| {
            let value = fact.field(usize::from(*position));
            match (test, value) {
                (Test::Is(expected), Some(value)) => value == *expected,
                (Test::AtLeast(bound), Some(Value::Number(number))) => number >= *bound,
                (Test::AtMost(bound), Some(Value::Number(number))) => number <= *bound,
                // Leaders are known during a run alone, and the reader lets none of these through.
                (Test::AtLeast(_) | Test::AtMost(_), _)
                | (Test::IsLeaderOf(_) | Test::IsFollowerOf(_), _)
                | (Test::Is(_), None) => false,
            }
        };
        fact.kind() == self.pattern.kind && self.pattern.tests.iter().all(passes)
    }
}
