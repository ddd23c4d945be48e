//! The hold model: pop the next event, schedule one at a random distance, for ever. Our future
//! event list against a bare `BinaryHeap` of the same keys, in one run so that they compare.

use divan::Bencher;
use divan::counter::ItemsCount;
use inflight_des::{FutureEvents, Instant, Span};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

const PENDING: [usize; 4] = [10, 100, 1_000, 10_000];
const HOLDS: u64 = 10_000;

fn main() {
    divan::main();
}

/// A cheap sequence of distances (an LCG; only its speed matters here).
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 44
}

#[divan::bench(args = PENDING)]
fn future_events(bencher: Bencher<'_, '_>, pending: usize) {
    let (mut future, mut state) = (FutureEvents::new(), 1);
    for i in 0..pending {
        future.schedule(Instant::from_nanos(next(&mut state)), i as u64);
    }
    bencher.counter(ItemsCount::new(HOLDS)).bench_local(move || {
        for _ in 0..HOLDS {
            let (at, event) = future.pop().expect("the list is never empty");
            future.schedule(at + Span::from_nanos(next(&mut state)), event);
        }
    });
}

#[divan::bench(args = PENDING)]
fn bare_binary_heap(bencher: Bencher<'_, '_>, pending: usize) {
    let (mut heap, mut state, mut serial) = (BinaryHeap::new(), 1, 0_u64);
    for i in 0..pending {
        serial += 1;
        heap.push(Reverse((next(&mut state), serial, i as u64)));
    }
    bencher.counter(ItemsCount::new(HOLDS)).bench_local(move || {
        for _ in 0..HOLDS {
            let Reverse((at, _, event)) = heap.pop().expect("the heap is never empty");
            serial += 1;
            heap.push(Reverse((at + next(&mut state), serial, event)));
        }
    });
}
