//! The future event list: what will happen, ordered by time and then by order of scheduling.
//!
//! **Order of simultaneous events.** Two events at one instant are delivered in the order in which
//! they were scheduled (first in, first out). Each entry carries a *serial* number for this; the
//! order is total and does not depend on the shape of the heap.
//!
//! DES: future event list, also called event calendar.

use crate::time::Instant;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// The future event list, in two parts: a short sorted list of what comes next, and a heap of what
/// comes later. Most models have few events scheduled at a time, and most of what they schedule is
/// soon, so that most events never see the heap.
#[derive(Debug)]
pub struct FutureEvents<E> {
    /// Latest first. Empty only if nothing is scheduled.
    near: Vec<Entry<E>>,
    /// All of it comes after everything in `near`.
    far: BinaryHeap<Entry<E>>,
    serial: u64,
}

/// The length at which the sorted list gives its later half to the heap.
const NEAR_MAX: usize = 32;
/// How many entries come back from the heap at a time.
const REFILL: usize = 16;

/// One scheduled event. Ordered so that the earliest is the greatest, as `BinaryHeap` wants it.
#[derive(Clone, Copy, Debug)]
struct Entry<E> {
    at: Instant,
    serial: u64,
    event: E,
}

impl<E> Entry<E> {
    #[inline]
    fn key(&self) -> u128 {
        u128::from(self.at.as_nanos()) << 64 | u128::from(self.serial)
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(&self.key())
    }
}

impl<E: Copy> FutureEvents<E> {
    /// An empty list.
    pub fn new() -> Self {
        Self { near: Vec::with_capacity(NEAR_MAX), far: BinaryHeap::new(), serial: 0 }
    }

    /// Schedules `event`. It is delivered after every event already scheduled for `at`.
    #[inline]
    pub fn schedule(&mut self, at: Instant, event: E) {
        let serial = self.serial;
        self.serial += 1;
        let entry = Entry { at, serial, event };
        if self.near.first().is_none_or(|latest| latest.at <= at) && !self.far.is_empty() {
            self.far.push(entry);
            return;
        }
        self.near.push(entry);
        // Serials grow: among entries of one time the new one is the last.
        let mut rest = self.near.as_mut_slice();
        while let [before @ .., earlier, place] = rest
            && earlier.at <= at
        {
            (*place, *earlier) = (*earlier, entry);
            let left = before.len() + 1;
            rest = &mut rest[..left];
        }
        if self.near.len() == NEAR_MAX {
            self.give_to_heap();
        }
    }

    /// The later half of a list that is full.
    #[cold]
    fn give_to_heap(&mut self) {
        self.far.extend(self.near.drain(..NEAR_MAX / 2));
    }

    /// Removes and returns the next event.
    #[inline]
    pub fn pop(&mut self) -> Option<(Instant, E)> {
        let next = self.near.pop()?;
        if self.near.is_empty() && !self.far.is_empty() {
            self.refill();
        }
        Some((next.at, next.event))
    }

    #[cold]
    fn refill(&mut self) {
        for _ in 0..REFILL {
            let Some(entry) = self.far.pop() else { break };
            self.near.push(entry);
        }
        self.near.reverse();
    }

    /// When the next event is due.
    #[inline]
    pub fn next_at(&self) -> Option<Instant> {
        self.near.last().map(|entry| entry.at)
    }

    /// How many events are scheduled.
    pub fn len(&self) -> usize {
        self.near.len() + self.far.len()
    }

    /// Whether nothing is scheduled.
    pub fn is_empty(&self) -> bool {
        self.near.is_empty()
    }

    /// How many events were ever scheduled.
    pub fn scheduled(&self) -> u64 {
        self.serial
    }

    /// Forgets every event and starts the serial numbers again; keeps the memory.
    pub fn clear(&mut self) {
        self.near.clear();
        self.far.clear();
        self.serial = 0;
    }
}

impl<E: Copy> Default for FutureEvents<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E: Copy> Clone for FutureEvents<E> {
    fn clone(&self) -> Self {
        Self { near: self.near.clone(), far: self.far.clone(), serial: self.serial }
    }

    fn clone_from(&mut self, source: &Self) {
        self.near.clone_from(&source.near);
        self.far.clone_from(&source.far);
        self.serial = source.serial;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn simultaneous_events_come_in_the_order_of_scheduling() {
        let mut future = FutureEvents::new();
        let noon = Instant::from_nanos(12);
        for name in ['a', 'b', 'c', 'd', 'e'] {
            future.schedule(noon, name);
        }
        future.schedule(Instant::from_nanos(3), 'z');
        let order: String = std::iter::from_fn(|| future.pop()).map(|(_, name)| name).collect();
        assert_eq!(order, "zabcde");
    }

    proptest! {
        /// The list behaves as a list sorted by (time, order of scheduling), whatever the mix of
        /// scheduling and popping, and a copy in mid-flight goes on identically. Long enough for
        /// both parts of the list.
        #[test]
        fn it_is_a_stable_sorted_list(
            steps in proptest::collection::vec(proptest::option::weighted(0.6, 0_u64..50), 0..600),
            copy_at in 0_usize..600,
        ) {
            let mut future = FutureEvents::new();
            let mut model: Vec<(u64, u64)> = Vec::new();
            let mut now = 0;
            for (step, push) in steps.iter().enumerate() {
                let step = step as u64;
                if let Some(ahead) = push {
                    let at = ahead + now;
                    future.schedule(Instant::from_nanos(at), step);
                    model.push((at, step));
                    model.sort_unstable();
                } else {
                    let expected = (!model.is_empty()).then(|| model.remove(0));
                    now = expected.map_or(now, |(at, _)| at);
                    prop_assert_eq!(
                        future.pop(),
                        expected.map(|(at, name)| (Instant::from_nanos(at), name))
                    );
                }
                if step as usize == copy_at {
                    let mut other = FutureEvents::new();
                    other.schedule(Instant::START, 99);
                    other.clone_from(&future);
                    future = other;
                }
            }
            prop_assert_eq!(future.len(), model.len());
        }
    }
}
