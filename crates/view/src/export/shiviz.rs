//! A log for ShiViz: each event with its host and a vector clock.
//!
//! ShiViz's parser takes `(?<event>.*)\n(?<host>\S*) (?<clock>{.*})`, which is its default.

use super::{cast, id, with_beats};
use crate::Story;
use crate::kind::{Options, Refusal};
use crate::sequence::{Place, What};
use std::collections::BTreeMap;
use std::fmt::Write;

/// ShiViz folds what is of no interest, so a log may be long.
const ARROWS_MAX: usize = 2_000;

type Clock = BTreeMap<String, u64>;

/// A run as a log for ShiViz.
///
/// # Errors
///
/// If the run has nothing to show.
pub fn shiviz(story: &Story<'_>, options: &Options) -> Result<String, Refusal> {
    with_beats(story, options, ARROWS_MAX, |model, beats, _| {
        let cast = cast(model, beats, options.lang);
        let mut log = Log { clocks: BTreeMap::new(), text: String::new() };
        let mut carried: BTreeMap<usize, Clock> = BTreeMap::new();
        let of = |place: Place| id(&cast, place).to_owned();
        for beat in beats {
            match &beat.what {
                What::Call { from, to, text, .. } => {
                    let sent = log.event(&of(*from), None, &format!("{} {text}", beat.at));
                    log.event(&of(*to), Some(&sent), &format!("{} ← {text}", beat.at));
                }
                What::Depart { message, from, text, .. } => {
                    let sent = log.event(&of(*from), None, &format!("{} → {text}", beat.at));
                    carried.insert(*message, sent);
                }
                What::Arrive { message, text } => {
                    let to = of(Place::of(model.messages.list[*message].to));
                    let sent = carried.remove(message);
                    log.event(&to, sent.as_ref(), &format!("{} ← {text}", beat.at));
                }
                What::Note { place, text, .. } => {
                    log.event(&of(*place), None, &format!("{} {text}", beat.at));
                }
                What::Lose { .. } | What::Band { .. } => {}
            }
        }
        log.text
    })
}

struct Log {
    clocks: BTreeMap<String, Clock>,
    text: String,
}

impl Log {
    /// Writes an event of a host that has heard of another clock. Gives the host's clock now.
    fn event(&mut self, host: &str, heard: Option<&Clock>, what: &str) -> Clock {
        let clock = self.clocks.entry(host.to_owned()).or_default();
        for (other, time) in heard.into_iter().flatten() {
            let known = clock.entry(other.clone()).or_default();
            *known = (*known).max(*time);
        }
        *clock.entry(host.to_owned()).or_default() += 1;
        let times = clock.iter().map(|(host, time)| format!("\"{host}\":{time}"));
        let times = times.collect::<Vec<_>>().join(",");
        let _ = writeln!(self.text, "{what}\n{host} {{{times}}}");
        clock.clone()
    }
}
