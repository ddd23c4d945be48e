//! Facts by name, with tests on their fields.

use super::who::{Broker, Client, Group, Named, PartitionName, Transactional};
use crate::diagnostic::Diagnostic;
use crate::document::{Member, Node, Value, quoted};
use crate::form::Form;
use crate::nearest::nearest;
use crate::read::{Reader, one_of};
use crate::schema::{Schemas, sentence};
use inflight_des::Span;
use inflight_protocol::fact::{FieldSpec, FieldType, SendError, Value as FactValue};
use inflight_protocol::{BrokerSet, ConnectionId, ErrorCode, FactKind};
use inflight_sim::fault::{Pattern, Test, Who};
use serde_json::{Map, Value as Json, json};
use smallvec::SmallVec;

impl Form for FactKind {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = String::read(node, reader)?;
        let kind = Self::from_name(&text);
        if kind.is_none() {
            let names: Vec<&str> = Self::ALL.iter().map(|kind| kind.name()).collect();
            reader.unknown((node.place, "fact", &text), names);
        }
        kind
    }

    fn schema(schemas: &mut Schemas) -> Json {
        schemas.define("Fact", |_| {
            let kinds = Self::ALL.iter().map(|kind| (kind.name(), kind.doc()));
            crate::schema::words("Something that happens.", kinds)
        })
    }

    fn expected() -> Option<&'static str> {
        Some("the name of a fact such as \"BatchAppended\"")
    }
}

/// Tests on the fields of a fact, before its kind is known.
#[derive(Clone, Debug)]
pub(crate) struct Tests(Node);

impl Form for Tests {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if node.members().is_none() {
            reader.mismatch(node, "an object: fields of the fact to what they must be");
            return None;
        }
        Some(Self(node.clone()))
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({ "type": "object" })
    }
}

/// Whether a test may speak of leaders and followers, who are only known during a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Roles {
    /// It may.
    Known,
    /// It may not.
    Unknown,
}

/// Facts of a kind that pass tests.
pub(crate) fn pattern(
    kind: FactKind,
    tests: Option<&Tests>,
    roles: Roles,
    reader: &mut Reader<'_>,
) -> Option<Pattern> {
    let mut found: SmallVec<[(u8, Test); 4]> = SmallVec::new();
    let members = tests.and_then(|tests| tests.0.members()).unwrap_or_default();
    reader.within("where", |reader| {
        for (index, member) in members.iter().enumerate() {
            reader.within(&member.key, |reader| {
                let twice = members[..index].iter().any(|before| before.key == member.key);
                let Some((position, field)) = field(kind, member, twice, reader) else { return };
                for test in read_tests(field, &member.node, roles, reader) {
                    found.push((position, test));
                }
            });
        }
    });
    Some(Pattern { kind, tests: found })
}

fn field(
    kind: FactKind,
    member: &Member,
    twice: bool,
    reader: &mut Reader<'_>,
) -> Option<(u8, &'static FieldSpec)> {
    if twice {
        let problem = format!("\"{}\" stands here twice", member.key);
        reader.report(Diagnostic::error(member.key_place, problem));
        return None;
    }
    let found = (0..).zip(kind.fields()).find(|(_, field)| field.name == member.key);
    if found.is_none() {
        let names = || kind.fields().iter().map(|field| field.name);
        let problem = format!("{} has no field {}", kind.name(), quoted(&member.key));
        let mut diagnostic = Diagnostic::error(member.key_place, problem);
        match nearest(&member.key, names()) {
            Some(near) => diagnostic = diagnostic.nearest(Some(near)),
            None => diagnostic = diagnostic.expected(one_of(names())),
        }
        reader.report(diagnostic);
    }
    found
}

object! {
    /// A range of numbers.
    struct Bounds {
        /// The least number.
        "at-least" least: optional i64,
        /// The greatest number.
        "at-most" most: optional i64,
    }
}

impl Form for i64 {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let number = node.as_number().and_then(|number| number.parse().ok());
        if number.is_none() {
            reader.mismatch(node, "a whole number");
        }
        number
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({ "type": "integer" })
    }
}

fn read_tests(field: &FieldSpec, node: &Node, roles: Roles, reader: &mut Reader<'_>) -> Vec<Test> {
    use FieldType as T;
    if let (T::Number | T::OptionalNumber, Value::Object(_)) = (field.field_type, &node.value) {
        let Some(Bounds { least, most }) = Bounds::read(node, reader) else { return Vec::new() };
        if least.is_none() && most.is_none() {
            reader.mismatch(node, "\"at-least\" or \"at-most\" in it");
        }
        let (least, most) = (least.map(Test::AtLeast), most.map(Test::AtMost));
        return least.into_iter().chain(most).collect();
    }
    let test = match role(field.field_type, node, roles, reader) {
        Role::Test(test) => Some(test),
        Role::Wrong => None,
        Role::None => value(field.field_type, node, reader).map(Test::Is),
    };
    test.into_iter().collect()
}

/// Whether a text speaks of a leader or follower.
enum Role {
    Test(Test),
    Wrong,
    None,
}

fn role(field: FieldType, node: &Node, roles: Roles, reader: &mut Reader<'_>) -> Role {
    let about = node.as_text().unwrap_or_default();
    let roles_of = ["leader of ", "follower of ", "coordinator of "];
    let speaks = roles_of.iter().any(|role| about.contains(role));
    let broker = matches!(field, FieldType::Broker | FieldType::OptionalBroker | FieldType::Node);
    if !speaks || !broker {
        return Role::None;
    }
    if roles == Roles::Unknown {
        let problem = format!("{} is not known when a run is over", node.describe());
        let wrong = Diagnostic::error(node.place, problem);
        reader.report(wrong.expected("a broker such as 1 or \"b1\""));
        return Role::Wrong;
    }
    match Who::read(node, reader) {
        Some(Who::LeaderOf(partition)) => Role::Test(Test::IsLeaderOf(partition)),
        Some(Who::FollowerOf(partition, 0)) => Role::Test(Test::IsFollowerOf(partition)),
        Some(Who::FollowerOf(..)) => {
            reader.mismatch(node, "\"follower of\" and a partition: any of its followers");
            Role::Wrong
        }
        Some(_) | None => Role::Wrong,
    }
}

/// A value of a field.
fn value(field: FieldType, node: &Node, reader: &mut Reader<'_>) -> Option<FactValue> {
    use FieldType as T;
    match (field, &node.value) {
        (
            T::OptionalNumber
            | T::OptionalBroker
            | T::OptionalError
            | T::OptionalSendError
            | T::OptionalGroup,
            Value::Null,
        ) => Some(FactValue::None),
        (T::Number | T::OptionalNumber, _) => i64::read(node, reader).map(FactValue::Number),
        (T::Broker | T::OptionalBroker, _) => {
            Broker::read(node, reader).map(|broker| FactValue::Number(broker.0.get().into()))
        }
        (T::Word(words), _) => word(words, node, reader),
        (T::Error | T::OptionalError, _) => {
            let names: Vec<_> = ErrorCode::ALL.iter().map(|code| code.name()).collect();
            word(&names, node, reader)
        }
        (T::SendError | T::OptionalSendError, _) => {
            let local = SendError::LOCAL.iter().map(|error| error.name());
            let names: Vec<_> = local.chain(ErrorCode::ALL.iter().map(|c| c.name())).collect();
            word(&names, node, reader)
        }
        (T::Partition, _) => {
            PartitionName::read(node, reader).map(|partition| FactValue::Partition(partition.0))
        }
        (T::Client, _) => Client::read(node, reader).map(|client| FactValue::Client(client.0)),
        (T::Transactional, _) => {
            Transactional::read(node, reader).map(|id| FactValue::Transactional(id.0))
        }
        (T::Group | T::OptionalGroup, _) => {
            Group::read(node, reader).map(|group| FactValue::Group(group.0))
        }
        (T::Node, _) => Named::read(node, reader).map(|named| FactValue::Node(named.0)),
        (T::Brokers, _) => {
            let brokers = Vec::<Broker>::read(node, reader)?;
            let set: BrokerSet = brokers.into_iter().map(|broker| broker.0).collect();
            Some(FactValue::Brokers(set))
        }
        (T::Connection, _) => connection(node, reader),
        (T::Span, _) => Span::read(node, reader).map(FactValue::Span),
    }
}

fn word(words: &[&'static str], node: &Node, reader: &mut Reader<'_>) -> Option<FactValue> {
    crate::form::word(node, "value", words, reader).map(FactValue::Word)
}

/// A connection: who opened it, `#`, and which one of that node's it is.
fn connection(node: &Node, reader: &mut Reader<'_>) -> Option<FactValue> {
    let parts = node.as_text().and_then(|text| text.rsplit_once('#'));
    let Some((owner, Ok(number))) = parts.map(|(owner, number)| (owner, number.parse())) else {
        reader.mismatch(node, "a connection such as \"p1#0\": who opened it, and a number");
        return None;
    };
    let Named(owner) = Named::read(&Node::text(node.place, owner), reader)?;
    Some(FactValue::Connection(ConnectionId { owner, number }))
}

/// Whether a fact is about a broker or client, so that rules can speak of it.
pub(crate) fn has_subject(kind: FactKind) -> bool {
    kind.fields().iter().any(|field| match field.field_type {
        FieldType::Broker | FieldType::OptionalBroker => matches!(field.name, "broker" | "leader"),
        FieldType::Client => field.name == "client",
        FieldType::Node => matches!(field.name, "from" | "at"),
        _ => false,
    })
}

/// A reference to a definition that says which fields a fact has, where `key` names the fact.
pub(crate) fn fields_schema(key: &str, schemas: &mut Schemas) -> Json {
    schemas.define(&format!("FieldsOf-{key}"), |schemas| {
        let rule = |kind: &FactKind, schemas: &mut Schemas| {
            let fields = schemas.define(&format!("Where-{}", kind.name()), |schemas| {
                let field = |field: &FieldSpec| {
                    let mut schema = value_schema(field.field_type, schemas);
                    if let Some(schema) = schema.as_object_mut() {
                        schema.insert("description".to_owned(), sentence(field.doc).into());
                    }
                    (field.name.to_owned(), schema)
                };
                let fields: Map<String, Json> = kind.fields().iter().map(field).collect();
                json!({ "type": "object", "properties": fields, "additionalProperties": false })
            });
            json!({
                "if": { "properties": { key: { "const": kind.name() } }, "required": [key] },
                "then": { "properties": { "where": fields } },
            })
        };
        let rules: Vec<Json> = FactKind::ALL.iter().map(|kind| rule(kind, schemas)).collect();
        json!({ "allOf": rules })
    })
}

fn value_schema(field: FieldType, schemas: &mut Schemas) -> Json {
    use FieldType as T;
    let errors = || ErrorCode::ALL.iter().map(|code| Json::from(code.name()));
    match field {
        T::Number => json!({ "anyOf": [{ "type": "integer" }, Bounds::schema(schemas)] }),
        T::OptionalNumber => {
            json!({ "anyOf": [{ "type": ["integer", "null"] }, Bounds::schema(schemas)] })
        }
        T::Broker => json!({ "anyOf": [Broker::schema(schemas), Who::schema(schemas)] }),
        T::OptionalBroker => {
            let any = [Broker::schema(schemas), Who::schema(schemas), json!({ "type": "null" })];
            json!({ "anyOf": any })
        }
        T::Word(words) => json!({ "enum": words }),
        T::Error => json!({ "enum": errors().collect::<Vec<_>>() }),
        T::OptionalError => {
            json!({ "enum": errors().chain([Json::Null]).collect::<Vec<_>>() })
        }
        T::SendError => {
            let local = SendError::LOCAL.iter().map(|error| Json::from(error.name()));
            json!({ "enum": local.chain(errors()).collect::<Vec<_>>() })
        }
        T::OptionalSendError => {
            let local = SendError::LOCAL.iter().map(|error| Json::from(error.name()));
            json!({ "enum": local.chain(errors()).chain([Json::Null]).collect::<Vec<_>>() })
        }
        T::Transactional => Transactional::schema(schemas),
        T::Group => Group::schema(schemas),
        T::OptionalGroup => {
            json!({ "anyOf": [Group::schema(schemas), json!({ "type": "null" })] })
        }
        T::Partition => PartitionName::schema(schemas),
        T::Client => Client::schema(schemas),
        T::Node => Who::schema(schemas),
        T::Brokers => Vec::<Broker>::schema(schemas),
        T::Connection => crate::schema::text("A connection.", Some("#[0-9]+$"), &["p1#0"]),
        T::Span => Span::schema(schemas),
    }
}
