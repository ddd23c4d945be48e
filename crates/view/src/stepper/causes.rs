//! What an event follows from: the one before it at the same place, and for an arrival the departure.

use crate::model::Model;
use crate::sequence::{Beat, Place, What};
use std::collections::BTreeMap;

/// For each beat the positions of those right before it.
pub(super) fn of(model: &Model<'_>, beats: &[&Beat]) -> Vec<Vec<usize>> {
    let mut last: BTreeMap<Place, usize> = BTreeMap::new();
    let mut departed: BTreeMap<usize, usize> = BTreeMap::new();
    let mut causes = Vec::new();
    for (index, beat) in beats.iter().enumerate() {
        let mut before = Vec::new();
        let places: Vec<Place> = match &beat.what {
            What::Call { from, to, .. } => vec![*from, *to],
            What::Depart { message, from, .. } => {
                departed.insert(*message, index);
                vec![*from]
            }
            What::Arrive { message, .. } => {
                before.extend(departed.get(message).copied());
                vec![Place::of(model.messages.list[*message].to)]
            }
            What::Lose { message } => {
                before.extend(departed.get(message).copied());
                Vec::new()
            }
            What::Note { place, .. } => vec![*place],
            What::Band { .. } => Vec::new(),
        };
        for place in places {
            before.extend(last.insert(place, index));
        }
        before.sort_unstable();
        before.dedup();
        causes.push(before);
    }
    causes
}
