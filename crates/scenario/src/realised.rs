//! A scenario that repeats a run: what was drawn is pinned.

use crate::document::{Node, Value};
use crate::load::Loaded;
use crate::source::Place;
use inflight_protocol::BrokerId;
use inflight_sim::fault::{Action, FaultRule, Realised, When, Who};

/// The scenario that repeats a run of `loaded` in which these faults took effect, as a file: rules
/// with odds and rules that come every so often are replaced by what they did, and "any broker" by
/// the one that was drawn. Comments of the original are gone.
pub fn realised(loaded: &Loaded, faults: &[Realised]) -> String {
    let mut root = loaded.document.clone();
    let place = root.place;
    root.set("seed", place, Node::number(place, loaded.seed.value()));
    if let Some(Value::List(rules)) = root.get_mut("faults").map(|node| &mut node.value) {
        let originals = std::mem::take(rules);
        for (index, (original, rule)) in (0..).zip(originals.iter().zip(&loaded.setup.faults)) {
            if is_random(rule) {
                let own = faults.iter().filter(|fault| fault.rule == index);
                rules.extend(own.map(|fault| pinned(original, rule, fault)));
            } else {
                rules.push(original.clone());
            }
        }
    }
    format!("{root}\n")
}

/// Whether a rule draws when or whom.
fn is_random(rule: &FaultRule) -> bool {
    let drawn = matches!(rule.when, When::Odds { .. } | When::Every { .. });
    drawn || rule.then.iter().any(|action| named(action).contains(&Some(Who::AnyBroker)))
}

/// Everybody whom an action names.
fn named(action: &Action) -> [Option<Who>; 2] {
    match action {
        Action::Crash { who, .. }
        | Action::ShutDown { who, .. }
        | Action::Restart { who }
        | Action::Pause { who, .. }
        | Action::SlowDisk { who, .. } => [Some(*who), None],
        Action::Cut { from, to, .. } | Action::Slow { from, to, .. } => [*from, *to],
        Action::Reset { from, to } => [Some(*from), *to],
        Action::Elect { leader, .. } => [*leader, None],
        Action::Lose { .. } | Action::Delay { .. } | Action::Answer { .. } | Action::Arm { .. } => {
            [None, None]
        }
    }
}

/// What a rule did once, as a rule of its own.
fn pinned(original: &Node, rule: &FaultRule, fault: &Realised) -> Node {
    let mut node = original.clone();
    let place = node.place;
    if let Some(when) = node.get_mut("when") {
        match &rule.when {
            When::Every { .. } => *when = at(place, fault.at.as_nanos()),
            When::Odds { .. } | When::Happened { .. } | When::Armed { .. } => {
                for key in ["odds", "limit", "repeat"] {
                    when.remove(key);
                }
                when.set("nth", place, Node::number(place, fault.matched));
            }
            When::At(_) => {}
        }
    }
    if let (Some(broker), Some(then)) = (fault.drawn, node.get_mut("then")) {
        replace_drawn(then, broker);
    }
    node
}

fn at(place: Place, nanos: u64) -> Node {
    Node::object(place, vec![("at", Node::text(place, format!("{nanos}ns")))])
}

fn replace_drawn(node: &mut Node, broker: BrokerId) {
    match &mut node.value {
        Value::Text(text) if text.trim() == "any broker" => *text = format!("b{broker}"),
        Value::List(elements) => elements.iter_mut().for_each(|one| replace_drawn(one, broker)),
        Value::Object(members) => {
            members.iter_mut().for_each(|member| replace_drawn(&mut member.node, broker));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {}
    }
}
