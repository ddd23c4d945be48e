//! Passes that are left out would have changed nothing. Builds with debug assertions go through some
//! of them all the same, on a copy, and compare.

use super::Activity;
use crate::env::Ctx;
use crate::producer::Producer;
use inflight_des::Kinds;
use inflight_protocol::Turn;

/// One of so many requests is looked at: a copy and its comparison cost a thousand passes.
const ONE_OF: u32 = 32;

/// The producer before its requests are written without a pass, if this is one to be looked at.
#[inline]
pub(super) fn sample(producer: &Producer) -> Option<Box<Producer>> {
    let is_chosen = producer.network.next_correlation().get().is_multiple_of(ONE_OF);
    (cfg!(debug_assertions) && is_chosen).then(|| Box::new(producer.clone()))
}

/// Panics unless the pass that was left out would have led to what there is now, without a word to
/// anybody and without a draw.
pub(super) fn check(
    ctx: &mut Ctx<'_, '_>,
    mut before: Box<Producer>,
    now: &Producer,
    activity: Activity,
) {
    let (mut chance, mut outbox) = (ctx.turn.chance().clone(), Vec::new());
    let drawn = format!("{chance:?}");
    let mut turn = Turn::new(ctx.turn.now(), &mut chance, &mut outbox, Kinds::ALL);
    let Ctx { env, streams, now_ms, .. } = *ctx;
    before.activity = activity;
    before.run_sender(&mut Ctx { env, turn: &mut turn, streams, now_ms }, &mut None);
    assert!(outbox.is_empty(), "a pass that is left out has no effect: {outbox:?}");
    assert_eq!(format!("{chance:?}"), drawn, "a pass that is left out draws nothing");
    let mut after = now.clone();
    after.activity = activity;
    let states = (format!("{before:?}"), format!("{after:?}"));
    assert_eq!(states.0, states.1, "a pass that is left out changes nothing");
}
