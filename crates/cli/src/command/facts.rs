//! `inflight facts`

use crate::args::{FactsArgs, Format};
use crate::failure::{Exit, Failure};
use crate::printer::{Look, Printer};
use inflight::FactKind;
use inflight::protocol::fact::{FieldSpec, FieldType};
use serde_json::{Value as Json, json};
use std::io;

/// Prints the vocabulary, or one fact of it.
pub(crate) fn facts(args: &FactsArgs, printer: &mut Printer) -> Result<Exit, Failure> {
    let one = args.name.as_deref().map(find).transpose()?;
    match (args.format, one) {
        (Format::Json, Some(kind)) => printer.line(format_args!("{:#}", as_json(kind)))?,
        (Format::Json, None) => {
            let all: Json = FactKind::ALL.iter().copied().map(as_json).collect();
            printer.line(format_args!("{all:#}"))?;
        }
        (Format::Text, Some(kind)) => print_one(kind, printer)?,
        (Format::Text, None) => {
            let width = FactKind::ALL.iter().map(|kind| kind.name().len()).max().unwrap_or(0);
            for kind in FactKind::ALL {
                let name = printer.paint(Look::Bold, format!("{:<width$}", kind.name()));
                printer.line(format_args!("{name}  {}", kind.doc().trim()))?;
            }
        }
    }
    Ok(Exit::Fine)
}

fn find(name: &str) -> Result<FactKind, Failure> {
    let same = |kind: &&FactKind| kind.name().eq_ignore_ascii_case(name);
    if let Some(kind) = FactKind::ALL.iter().find(same) {
        return Ok(*kind);
    }
    let lower = name.to_lowercase();
    let distance =
        |kind: &FactKind| strsim::damerau_levenshtein(&kind.name().to_lowercase(), &lower);
    let near = FactKind::ALL.iter().min_by_key(|kind| distance(kind));
    let near = near.filter(|kind| distance(kind) <= 1.max(kind.name().len() / 3));
    let hint = match near {
        Some(kind) => format!("; did you mean {}?", kind.name()),
        None => "; \"inflight facts\" lists all".to_owned(),
    };
    Err(Failure::Input(format!("there is no fact \"{name}\"{hint}")))
}

fn print_one(kind: FactKind, printer: &mut Printer) -> io::Result<()> {
    let name = printer.paint(Look::Bold, kind.name());
    printer.line(format_args!("{name}\n{}", kind.doc().trim()))?;
    let width = kind.fields().iter().map(|field| field.name.len()).max().unwrap_or(0);
    for field in kind.fields() {
        printer.gap()?;
        let name = printer.paint(Look::Bold, format!("{:<width$}", field.name));
        printer.line(format_args!("  {name}  {}", field.doc.trim()))?;
        printer.line(format_args!("  {:width$}  {}", "", values(field)))?;
    }
    Ok(())
}

/// What the values of a field look like.
fn values(field: &FieldSpec) -> String {
    match field.field_type {
        FieldType::Number => "a number, or { \"at-least\": 1, \"at-most\": 3 }".to_owned(),
        FieldType::OptionalNumber => "a number, a range of numbers, or null".to_owned(),
        FieldType::Broker => "a broker: 1, \"b1\" or \"leader of orders-0\"".to_owned(),
        FieldType::OptionalBroker => {
            "a broker: 1, \"b1\", \"leader of orders-0\", or null".to_owned()
        }
        FieldType::Word(words) => format!("one of {}", words.join(", ")),
        FieldType::Error => "an error of Kafka's: \"NOT_LEADER_OR_FOLLOWER\"".to_owned(),
        FieldType::OptionalError => "an error of Kafka's, or null".to_owned(),
        FieldType::SendError => {
            "an error of Kafka's, or one of the client's: \"delivery-timeout\"".to_owned()
        }
        FieldType::OptionalSendError => {
            "an error of Kafka's, one of the client's, or null".to_owned()
        }
        FieldType::Partition => "a partition: \"orders-0\"".to_owned(),
        FieldType::Client => "a producer or consumer: \"p1\"".to_owned(),
        FieldType::Transactional => "a transactional id: \"payments-1\"".to_owned(),
        FieldType::Group => "a group: \"billing\"".to_owned(),
        FieldType::OptionalGroup => "a group, or null".to_owned(),
        FieldType::Node => {
            "a broker (\"b1\"), a producer (\"p1\"), \"controller\", or \"leader of orders-0\""
                .to_owned()
        }
        FieldType::Brokers => "brokers: [1, 2]".to_owned(),
        FieldType::Connection => "a connection: \"p1#0\"".to_owned(),
        FieldType::Span => "a duration: \"5ms\"".to_owned(),
    }
}

fn type_name(field: FieldType) -> &'static str {
    match field {
        FieldType::Number => "number",
        FieldType::OptionalNumber => "number or null",
        FieldType::Broker => "broker",
        FieldType::OptionalBroker => "broker or null",
        FieldType::Word(_) => "word",
        FieldType::Error => "error",
        FieldType::OptionalError => "error or null",
        FieldType::SendError => "send error",
        FieldType::Partition => "partition",
        FieldType::OptionalSendError => "send error or null",
        FieldType::Client => "client",
        FieldType::Transactional => "transactional id",
        FieldType::Group => "group",
        FieldType::OptionalGroup => "group or null",
        FieldType::Node => "node",
        FieldType::Brokers => "brokers",
        FieldType::Connection => "connection",
        FieldType::Span => "duration",
    }
}

fn as_json(kind: FactKind) -> Json {
    let field = |field: &FieldSpec| {
        let mut object = json!({
            "name": field.name,
            "doc": field.doc.trim(),
            "type": type_name(field.field_type),
        });
        if let (FieldType::Word(words), Some(object)) = (field.field_type, object.as_object_mut()) {
            object.insert("words".to_owned(), json!(words));
        }
        object
    };
    let fields: Vec<Json> = kind.fields().iter().map(field).collect();
    json!({ "name": kind.name(), "doc": kind.doc().trim(), "fields": fields })
}
