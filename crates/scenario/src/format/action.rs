//! What faults do.

use super::link::Links;
use super::message::{DeliveredRequest, Message, SentMessage};
use super::who::PartitionName;
use crate::document::Node;
use crate::form::{At, Form};
use crate::read::Reader;
use crate::schema::Schemas;
use inflight_des::Span;
use inflight_protocol::fact::Surviving;
use inflight_protocol::{ApiKey, ErrorCode};
use inflight_sim::fault::InjectWhen;
use inflight_sim::fault::{Action, Loss, Ways, Who};
use serde_json::{Value as Json, json};

object! {
    /// The process is killed; the machine lives, so everything that was appended survives.
    struct Crash {
        /// A broker or a producer.
        "crash" who: required At<Who>,
        /// After how long it is started again. Without it never.
        "restart-after" restart_after: optional Span,
    }
}

object! {
    /// The machine loses power: only what was flushed survives, and nobody is told.
    struct PowerLoss {
        /// A broker or a producer.
        "power-loss" who: required At<Who>,
        /// After how long it is started again. Without it never.
        "restart-after" restart_after: optional Span,
    }
}

object! {
    /// The broker is asked to stop and does a controlled shutdown.
    struct ShutDown {
        /// The broker.
        "shut-down" who: required At<Who>,
        /// After how long, from now, it is started again; not before it has ended.
        "restart-after" restart_after: optional Span,
    }
}

object! {
    /// A process that is down is started again.
    struct Restart {
        /// A broker or a producer.
        "restart" who: required At<Who>,
    }
}

object! {
    /// The process stands still: a long garbage collection, say.
    struct Pause {
        /// A broker or a producer.
        "pause" who: required At<Who>,
        /// For how long.
        "for" span: required Span,
    }
}

object! {
    /// Nothing gets through to somebody or from there.
    struct Isolate {
        /// Who is cut off.
        "isolate" who: required At<Who>,
        /// After how long everything gets through again. Without it never.
        "heal-after" heal_after: optional Span,
    }
}

object! {
    /// Links stop delivering.
    struct Cut {
        /// Which links.
        "cut" links: required At<Links>,
        /// In one direction or both.
        "ways" ways: default Ways = "\"both\"",
        /// After how long they deliver again. Without it never.
        "heal-after" heal_after: optional Span,
    }
}

object! {
    /// Connections are reset: both sides learn of it.
    struct Reset {
        /// Over which links.
        "reset" links: required At<Links>,
    }
}

object! {
    /// Links become slower.
    struct Slow {
        /// Which links.
        "slow" links: required At<Links>,
        /// By how much.
        "by" by: required Span,
        /// In one direction or both.
        "ways" ways: default Ways = "\"both\"",
        /// For how long. Without it for good.
        "for" span: optional Span,
    }
}

object! {
    /// A broker's disk becomes slower.
    struct SlowDisk {
        /// The broker.
        "slow-disk" who: required At<Who>,
        /// By how much an append.
        "by" by: required Span,
        /// For how long. Without it for good.
        "for" span: optional Span,
    }
}

object! {
    /// A message is lost.
    struct Lose {
        /// Which one.
        "lose" message: required At<SentMessage>,
        /// How the connection takes it.
        "connection" how: default Loss = "\"reset\"",
    }
}

object! {
    /// A message takes longer, and all behind it on its connection.
    struct DelayMessage {
        /// Which one.
        "delay" message: required At<SentMessage>,
        /// By how much.
        "by" by: required Span,
    }
}

object! {
    /// A request is answered with an error.
    struct Answer {
        /// Which one.
        "answer" message: required At<DeliveredRequest>,
        /// The error.
        "error" error: required ErrorCode,
        /// Whether it is executed all the same.
        "when" when: default InjectWhen = "\"before-append\"",
        /// For this partition. Without it for all of the request.
        "partition" partition: optional PartitionName,
    }
}

object! {
    /// The controller elects a leader.
    struct Elect {
        /// Of which partition.
        "elect" partition: required PartitionName,
        /// This one, whatever its state. Without it the rules choose.
        "leader" leader: optional At<Who>,
    }
}

choice! {
    /// What a fault does.
    enum ActionForm {
        "crash" Crash(Crash),
        "power-loss" PowerLoss(PowerLoss),
        "shut-down" ShutDown(ShutDown),
        "restart" Restart(Restart),
        "pause" Pause(Pause),
        "isolate" Isolate(Isolate),
        "cut" Cut(Cut),
        "reset" Reset(Reset),
        "slow" Slow(Slow),
        "slow-disk" SlowDisk(SlowDisk),
        "lose" Lose(Lose),
        "delay" Delay(DelayMessage),
        "answer" Answer(Answer),
        "elect" Elect(Elect),
    }
}

/// The requests that can be answered with an error: all but those that have no error of their own.
pub(super) fn answered() -> impl Iterator<Item = ApiKey> {
    let all = ApiKey::ALL.iter().copied();
    all.filter(|api| !matches!(api, ApiKey::ApiVersions | ApiKey::Metadata))
}

words! {
    /// How a connection takes the loss of a message.
    "loss" for Loss {
        /// It breaks: both sides get a reset.
        "reset" => Loss::Reset,
        /// Silence: nothing more gets through in this direction, until somebody's timeout.
        "silent" => Loss::Silence,
    }
}

words! {
    /// Whether a request is executed that is answered with an error.
    "moment" for InjectWhen {
        /// Nothing is written.
        "before-append" => InjectWhen::BeforeAppend,
        /// What it writes is written, only the answer says otherwise.
        "after-append" => InjectWhen::AfterAppend,
    }
}

impl Form for ErrorCode {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = String::read(node, reader)?;
        let code = Self::from_name(&text);
        if code.is_none() {
            let names: Vec<&str> = Self::ALL.iter().map(|code| code.name()).collect();
            reader.unknown((node.place, "error", &text), names);
        }
        code
    }

    fn schema(schemas: &mut Schemas) -> Json {
        schemas.define("ErrorCode", |_| {
            let names: Vec<&str> = Self::ALL.iter().map(|code| code.name()).collect();
            json!({ "enum": names, "description": "An error code of Kafka's." })
        })
    }

    fn expected() -> Option<&'static str> {
        Some("an error of Kafka's such as \"NOT_LEADER_OR_FOLLOWER\"")
    }
}

/// What a fault does, and what has to be checked about it.
#[derive(Clone, Debug)]
pub(crate) struct ActionPart {
    pub(crate) action: Action,
    /// The next message that the action waits for, in a rule of its own.
    pub(crate) message: Option<At<Message>>,
    /// Everybody whom it names, and what they have to be.
    pub(crate) named: Vec<(At<Who>, Needs)>,
    /// The path of keys to it.
    pub(crate) path: String,
}

/// What somebody has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Anybody.
    Anybody,
    /// A process that can fail: not the controller.
    Process,
    /// A broker.
    Broker,
}

impl Form for ActionPart {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let part = ActionForm::read(node, reader)?.part();
        Some(Self { path: reader.path(), ..part })
    }

    fn schema(schemas: &mut Schemas) -> Json {
        ActionForm::schema(schemas)
    }

    fn expected() -> Option<&'static str> {
        Some("an action such as { \"crash\": \"b1\" }, or a list of them")
    }
}

fn about(who: At<Who>, needs: Needs, action: Action) -> ActionPart {
    ActionPart { action, message: None, named: vec![(who, needs)], path: String::new() }
}

fn across(links: At<Links>, action: Action) -> ActionPart {
    let At { place, value } = links;
    let named = value.named().map(|who| (At { value: who, place }, Needs::Anybody)).collect();
    ActionPart { action, message: None, named, path: String::new() }
}

fn on(message: Message, place: crate::source::Place, action: Action) -> ActionPart {
    let message = Some(At { value: message, place });
    ActionPart { action, message, named: Vec::new(), path: String::new() }
}

impl ActionForm {
    fn part(self) -> ActionPart {
        let crash = |who: At<Who>, surviving, restart_after| {
            let action = Action::Crash { who: who.value, surviving, restart_after };
            about(who, Needs::Process, action)
        };
        match self {
            Self::Crash(Crash { who, restart_after }) => {
                crash(who, Surviving::Appended, restart_after)
            }
            Self::PowerLoss(PowerLoss { who, restart_after }) => {
                crash(who, Surviving::Flushed, restart_after)
            }
            Self::ShutDown(ShutDown { who, restart_after }) => {
                about(who, Needs::Broker, Action::ShutDown { who: who.value, restart_after })
            }
            Self::Restart(Restart { who }) => {
                about(who, Needs::Process, Action::Restart { who: who.value })
            }
            Self::Pause(Pause { who, span }) => {
                about(who, Needs::Process, Action::Pause { who: who.value, span })
            }
            Self::Isolate(Isolate { who, heal_after: span }) => {
                let (from, to, ways) = (Some(who.value), None, Ways::Both);
                about(who, Needs::Anybody, Action::Cut { from, to, ways, span })
            }
            Self::Cut(Cut { links, ways, heal_after: span }) => {
                let Links { from, to } = links.value;
                across(links, Action::Cut { from, to, ways, span })
            }
            Self::Reset(Reset { links }) => reset(links),
            Self::Slow(Slow { links, by, ways, span }) => {
                let Links { from, to } = links.value;
                across(links, Action::Slow { from, to, ways, by, span })
            }
            Self::SlowDisk(SlowDisk { who, by, span }) => {
                about(who, Needs::Broker, Action::SlowDisk { who: who.value, by, span })
            }
            Self::Lose(Lose { message: At { value, place }, how }) => {
                on(value.0, place, Action::Lose { how })
            }
            Self::Delay(DelayMessage { message: At { value, place }, by }) => {
                on(value.0, place, Action::Delay { by })
            }
            Self::Answer(Answer { message: At { value, place }, error, when, partition }) => {
                let partition = partition.map(|partition| partition.0);
                on(value.0, place, Action::Answer { error, when, partition })
            }
            Self::Elect(Elect { partition, leader }) => {
                let named = leader.map(|who| (who, Needs::Broker)).into_iter().collect();
                let leader = leader.map(|who| who.value);
                let action = Action::Elect { partition: partition.0, leader };
                ActionPart { action, message: None, named, path: String::new() }
            }
        }
    }
}

/// A reset has no direction, so the one who is named is enough.
fn reset(links: At<Links>) -> ActionPart {
    let Links { from, to } = links.value;
    let (one, other) = match (from, to) {
        (Some(from), to) => (from, to),
        (None, Some(to)) => (to, None),
        // Links name somebody.
        (None, None) => (Who::Controller, None),
    };
    across(links, Action::Reset { from: one, to: other })
}
