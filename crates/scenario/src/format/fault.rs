//! Faults: when, and what then.

use super::action::{ActionPart, Needs};
use super::fact::has_subject;
use super::message::Message;
use super::when::WhenPart;
use crate::diagnostic::Diagnostic;
use crate::document::Node;
use crate::form::{At, Form, OneOrMore};
use crate::read::Reader;
use crate::schema::Schemas;
use crate::source::Place;
use inflight_des::Span;
use inflight_protocol::FactKind;
use inflight_protocol::fact::{Direction, FactField};
use inflight_sim::fault::{Action, FaultRule, Pattern, Test, When, Who};
use serde_json::Value as Json;

object! {
    /// Something that goes wrong: when, and what then.
    struct Fault {
        /// When it takes effect: at a time, right after something happened, or every so often.
        "when" when: required WhenPart,
        /// How long after.
        "after" after: optional At<Span>,
        /// What happens, in order.
        "then" actions: required OneOrMore<ActionPart>,
    }
}

/// A fault whose actions may wait for messages in rules of their own.
#[derive(Clone, Debug)]
pub(crate) struct FaultPart {
    /// The rule. What it arms is numbered among `armed`.
    rule: FaultRule,
    armed: Vec<FaultRule>,
}

impl Form for FaultPart {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        Fault::read(node, reader)?.complete(reader)
    }

    fn schema(schemas: &mut Schemas) -> Json {
        Fault::schema(schemas)
    }
}

impl Fault {
    fn complete(self, reader: &mut Reader<'_>) -> Option<FaultPart> {
        self.check(reader);
        let (mut then, mut armed) = (Vec::new(), Vec::new());
        for part in self.actions.0 {
            match part.message {
                Some(At { value: Message::Next(when), .. }) => {
                    let rule = u32::try_from(armed.len()).ok()?;
                    armed.push(FaultRule { when, after: Span::ZERO, then: vec![part.action] });
                    then.push(Action::Arm { rule });
                }
                Some(At { value: Message::This, .. }) | None => then.push(part.action),
            }
        }
        let after = self.after.map_or(Span::ZERO, |after| after.value);
        Some(FaultPart { rule: FaultRule { when: self.when.0, after, then }, armed })
    }

    fn check(&self, reader: &mut Reader<'_>) {
        if let (Some(after), When::At(_) | When::Every { .. }) = (self.after, &self.when.0) {
            let wrong = Diagnostic::error(after.place, "\"after\" beside a time");
            let wrong = wrong.expected("a later time, or \"after\" something that happened");
            reader.within("after", |reader| reader.report(wrong));
        }
        let mut drawn = 0;
        for part in &self.actions.0 {
            for (who, needs) in &part.named {
                let problem = unfit(*who, *needs, &self.when.0, reader);
                let again = who.value == Who::AnyBroker && {
                    drawn += 1;
                    drawn > 1
                };
                let problem = problem.or_else(|| again.then(|| drawn_twice(who.place)));
                if let Some(problem) = problem {
                    reader.report(problem.at_path(&part.path));
                }
            }
            if let Some(At { value: Message::This, place }) = part.message
                && let Some(problem) = self.no_message(&part.action, place)
            {
                reader.report(problem.at_path(&part.path));
            }
            if let (Action::Elect { partition, .. }, [(who, _)]) = (&part.action, &*part.named)
                && let Who::Broker(broker) = who.value
                && let Some(replicas) = reader.census.replicas(*partition)
                && !replicas.contains(&broker.get())
            {
                let problem = format!("b{broker} has no replica of the partition");
                let names: Vec<String> = replicas.iter().map(|n| format!("b{n}")).collect();
                let wrong = Diagnostic::error(who.place, problem).expected(names.join(" or "));
                reader.report(wrong.at_path(&part.path));
            }
        }
    }

    /// Why the rule has no message that `this` could be.
    fn no_message(&self, action: &Action, place: Place) -> Option<Diagnostic> {
        let delivered = matches!(action, Action::Answer { .. });
        let wanted = if delivered { FactKind::MessageDelivered } else { FactKind::MessageSent };
        let wrong = |problem: &str, expected: String| {
            let hint = match wanted {
                FactKind::MessageDelivered => "{ \"next\": \"request\", \"to\": \"b1\" }",
                _ => "{ \"next\": \"response\", \"from\": \"b1\" }",
            };
            let hint = format!("Or name the message: {hint}.");
            Some(Diagnostic::error(place, problem).expected(expected).hint(hint))
        };
        let happened = format!("\"happened\": \"{}\"", wanted.name());
        match &self.when.0 {
            When::Happened { pattern, .. } | When::Odds { pattern, .. }
                if pattern.kind == wanted =>
            {
                if self.after.is_some_and(|after| after.value > Span::ZERO) {
                    let problem = "\"this\" message is gone after a while";
                    return wrong(problem, "no \"after\"".to_owned());
                }
                if delivered && !is_answered(pattern) {
                    let expected = "\"where\": { \"api\": \"Produce\", \"direction\": \"request\" } or another api";
                    return wrong("no request of one kind", expected.to_owned());
                }
                None
            }
            When::Happened { .. } | When::Odds { .. } => {
                wrong("no message set this rule off", happened)
            }
            When::At(_) | When::Every { .. } | When::Armed { .. } => {
                wrong("no message set this rule off", happened)
            }
        }
    }
}

/// Whether the messages that a pattern means are requests that can be answered with an error.
fn is_answered(pattern: &Pattern) -> bool {
    let demands = |name: &str, value| {
        let is = |(position, test): &(u8, Test)| {
            let field = pattern.kind.fields().get(usize::from(*position));
            field.is_some_and(|field| field.name == name) && *test == Test::Is(value)
        };
        pattern.tests.iter().any(is)
    };
    super::action::answered().any(|api| demands("api", api.to_value()))
        && demands("direction", Direction::Request.to_value())
}

fn drawn_twice(place: Place) -> Diagnostic {
    let wrong = Diagnostic::error(place, "a second \"any broker\" in one rule");
    wrong.expected("one of them").hint("Give the second draw a rule of its own.")
}

/// Why somebody cannot be the one that an action is about.
fn unfit(who: At<Who>, needs: Needs, when: &When, reader: &Reader<'_>) -> Option<Diagnostic> {
    let wrong = |problem: &str, expected: &str| {
        Some(Diagnostic::error(who.place, problem).expected(expected))
    };
    match (who.value, needs) {
        (Who::Controller, Needs::Process) => {
            wrong("the controller never fails here", "a broker or a producer")
        }
        (Who::Controller, Needs::Broker) => wrong("the controller is no broker", "a broker"),
        (Who::Client(_), Needs::Broker) => wrong("a producer is no broker", "a broker"),
        (Who::Subject, _) => match when {
            When::Happened { pattern, .. } | When::Odds { pattern, .. } => {
                if has_subject(pattern.kind) {
                    return None;
                }
                let problem = format!("{} is about no broker and no client", pattern.kind.name());
                wrong(&problem, "somebody by name")
            }
            When::At(_) | When::Every { .. } | When::Armed { .. } => {
                wrong("this rule is about no fact", "somebody by name")
            }
        },
        (Who::FollowerOf(partition, nth), _) => {
            let followers = reader.census.replicas(partition)?.len().saturating_sub(1);
            if usize::from(nth) < followers {
                return None;
            }
            let problem = format!("the partition has {followers} followers");
            wrong(&problem, "one of them")
        }
        (Who::Controller, Needs::Anybody) => None,
        (Who::Client(_), Needs::Anybody | Needs::Process) => None,
        (Who::Broker(_) | Who::LeaderOf(_) | Who::AnyBroker, _) => None,
    }
}

/// Numbers the rules of a scenario: its own in order, then those that others arm.
#[derive(Debug, Default)]
pub(crate) struct ArmedRules {
    rules: Vec<FaultRule>,
    behind: Vec<FaultRule>,
}

impl ArmedRules {
    /// All rules of these faults.
    pub(crate) fn number(faults: &[FaultPart]) -> Vec<FaultRule> {
        let mut all = Self::default();
        let own = u32::try_from(faults.len()).unwrap_or(u32::MAX);
        for fault in faults {
            let base = own + u32::try_from(all.behind.len()).unwrap_or(u32::MAX);
            let mut rule = fault.rule.clone();
            for action in &mut rule.then {
                if let Action::Arm { rule } = action {
                    *rule += base;
                }
            }
            all.rules.push(rule);
            all.behind.extend(fault.armed.iter().cloned());
        }
        all.rules.append(&mut all.behind);
        all.rules
    }
}
