//! The producers: client processes with an application inside.

use super::partitioner::PartitionerTable;
use super::who::Broker;
use super::workload::ThreadPart;
use crate::config::{Config, KafkaSettings, ProducerTable};
use crate::diagnostic::Diagnostic;
use crate::document::{Node, quoted};
use crate::form::{At, Form};
use crate::read::Reader;
use crate::schema::Schemas;
use crate::source::Place;
use inflight_protocol::config::properties::{Position, Properties};
use inflight_protocol::config::{CompressionType, Partitioner};
use inflight_protocol::{BrokerId, ProducerConfig, TransactionalId};
use inflight_sim::setup::{ClientSetup, OnFatal, ProducerSetup, Resume, ThreadSetup};
use serde_json::{Value as Json, json};

object! {
    /// A client process: a producer and the application that uses it.
    struct Producer {
        /// Its name.
        "name" name: required At<String>,
        /// The path of a .properties file with its settings, from the directory of this file.
        "properties" properties: optional At<String>,
        /// Kafka's producer settings, over those of the file.
        "config" config: optional At<Config<ProducerTable>>,
        /// The brokers of bootstrap.servers. Without it all of them in order.
        "bootstrap" bootstrap: optional At<Vec<Broker>>,
        /// A partitioner of your own in place of partitioner.class: keys of records to numbers of
        /// partitions. Other keys go where Kafka puts them.
        "partitioner-table" partitioner_table: optional At<PartitionerTable>,
        /// What compression achieves: compressed by uncompressed size.
        "compression-ratio" compression_ratio: optional At<CompressionRatio>,
        /// Where the application begins again after a restart of the process.
        "resume" resume: default Resume = "\"first-unacked\"",
        /// What it does when its transactional producer cannot be used any more.
        "on-fatal" on_fatal: default OnFatal = "\"stop\"",
        /// The threads of the application.
        "workload" workload: default Vec<ThreadPart> = "[]",
    }
}

/// Compressed by uncompressed size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct CompressionRatio(f32);

/// What compression achieves unless the scenario says otherwise: typical of JSON with zstd.
const RATIO: f32 = 0.5;

impl Form for CompressionRatio {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let number = node.as_number().and_then(|number| number.parse::<f32>().ok());
        let ratio = number.filter(|ratio| *ratio > 0.0 && *ratio <= 2.0);
        if ratio.is_none() {
            reader.mismatch(node, "a number above 0 and at most 2, such as 0.3");
        }
        ratio.map(Self)
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({ "type": "number", "exclusiveMinimum": 0, "maximum": 2 })
    }
}

/// A producer, with all settings complete.
#[derive(Clone, Debug)]
pub(crate) struct ProducerPart {
    pub(crate) setup: ClientSetup,
}

impl Form for ProducerPart {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let producer = Producer::read(node, reader);
        if producer.is_none() {
            Config::<ProducerTable>::check_alone(node, ProducerConfig::from_settings, reader);
        }
        producer?.complete(node.place, reader)
    }

    fn schema(schemas: &mut Schemas) -> Json {
        Producer::schema(schemas)
    }
}

impl Producer {
    fn complete(self, place: Place, reader: &mut Reader<'_>) -> Option<ProducerPart> {
        check_name(&self.name, reader);
        let from_file = match &self.properties {
            None => Some(KafkaSettings::default()),
            Some(path) => reader.within("properties", |reader| properties(path, reader)),
        };
        let none = KafkaSettings::default();
        let config_place = self.config.as_ref().map_or(place, |config| config.place);
        let own = self.config.as_ref().map_or(&none, |config| &config.value.settings);
        let config = from_file.and_then(|settings| {
            let settings = settings.overridden_by(own);
            reader.within("config", |reader| {
                settings.configure(config_place, ProducerConfig::from_settings, reader)
            })
        });
        let bootstrap = bootstrap(self.bootstrap.as_ref(), reader);
        let table = self.partitioner_table.as_ref();
        let rows = table.map(|table| table.value.clone()).unwrap_or_default();
        let workload = self.workload.iter().enumerate();
        let threads: Vec<_> =
            workload.filter_map(|(index, thread)| thread.complete(index, &rows, reader)).collect();
        let mut config = config?;
        if let Some(At { value, place }) = table {
            if config.partitioner == Partitioner::BuiltIn {
                let row = |(key, to): &(String, At<u16>)| (key.clone(), to.value);
                config.partitioner = Partitioner::Table(value.0.iter().map(row).collect());
            } else {
                let both = Diagnostic::error(*place, "a table beside partitioner.class");
                let both = both.expected("one of the two");
                reader.within("partitioner-table", |reader| reader.report(both));
            }
        }
        let compression_ratio = self.compression_ratio(&config, reader);
        let transactional_id = transactional_id(&config, config_place, reader)?;
        self.check_transactions(&config, &threads, reader)?;
        let setup = ClientSetup {
            name: self.name.value,
            bootstrap: bootstrap?,
            producer: Some(ProducerSetup { config, compression_ratio, transactional_id }),
            threads,
            resume: self.resume,
            on_fatal: self.on_fatal,
            consumer: None,
        };
        Some(ProducerPart { setup })
    }

    /// A transactional producer has one thread, and that thread says what a transaction is.
    fn check_transactions(
        &self,
        config: &ProducerConfig,
        threads: &[ThreadSetup],
        reader: &mut Reader<'_>,
    ) -> Option<()> {
        let is_transactional = config.transactional_id.is_some();
        for (index, (part, thread)) in self.workload.iter().zip(threads).enumerate() {
            let (problem, expected) = if is_transactional && index > 0 {
                ("a second thread of a transactional producer", "one thread")
            } else if is_transactional && thread.transactions.is_none() {
                (
                    "no \"transactions\"",
                    "\"transactions\": { \"records\": 5 }, as the producer has a \
                                          transactional.id",
                )
            } else if !is_transactional && thread.transactions.is_some() {
                ("\"transactions\" without transactional.id", "a transactional.id in \"config\"")
            } else {
                continue;
            };
            let wrong = Diagnostic::error(part.place(), problem).expected(expected);
            reader.within("workload", |reader| {
                reader.at(index, |reader| reader.report(wrong));
            });
            return None;
        }
        Some(())
    }

    fn compression_ratio(&self, config: &ProducerConfig, reader: &mut Reader<'_>) -> f32 {
        let compressed = config.compression_type != CompressionType::None;
        match &self.compression_ratio {
            Some(At { place, .. }) if !compressed => {
                let problem = "a ratio without compression.type changes nothing";
                let warning = Diagnostic::warning(*place, problem);
                reader.within("compression-ratio", |reader| reader.report(warning));
                1.0
            }
            Some(At { value, .. }) => value.0,
            None if compressed => RATIO,
            None => 1.0,
        }
    }
}

/// bootstrap.servers, or all brokers.
pub(super) fn bootstrap(
    given: Option<&At<Vec<Broker>>>,
    reader: &mut Reader<'_>,
) -> Option<Vec<BrokerId>> {
    match given {
        None => Some((1..=reader.census.brokers()?).map(BrokerId::new).collect()),
        Some(At { value, .. }) if !value.is_empty() => {
            Some(value.iter().map(|broker| broker.0).collect())
        }
        Some(At { place, .. }) => {
            let wrong = Diagnostic::error(*place, "an empty list");
            let wrong = wrong.expected("at least one broker");
            reader.within("bootstrap", |reader| reader.report(wrong));
            None
        }
    }
}

/// The transactional id of a configuration. One that stands in a file alone is not known to the
/// rest of the scenario.
pub(super) fn transactional_id(
    config: &ProducerConfig,
    place: Place,
    reader: &mut Reader<'_>,
) -> Option<Option<TransactionalId>> {
    let Some(name) = &config.transactional_id else { return Some(None) };
    let known = reader.census.transactional_ids().iter().position(|known| known == name);
    if known.is_none() {
        let hidden = Diagnostic::error(place, format!("transactional.id={name} of a file"));
        reader.report(hidden.expected("transactional.id in \"config\""));
    }
    known.map(|index| Some(TransactionalId::new(index as u16)))
}

/// A name that can be told from a broker's or the controller's.
pub(super) fn check_name(name: &At<String>, reader: &mut Reader<'_>) {
    let text = name.value.as_str();
    let numbered = |letter| {
        let digits = text.strip_prefix(letter).unwrap_or_default();
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    let phrase = [" of ", "#"].iter().any(|part| text.contains(part));
    let taken = ["controller", "the broker", "the client", "any broker"].contains(&text);
    let expected = if text.is_empty() || text.trim() != text {
        "a name without space around it"
    } else if text.chars().any(char::is_control) {
        "a name of letters"
    } else if numbered('b') {
        "a name that is not a broker's, such as \"p1\""
    } else if numbered('c') {
        "a name that is not a client's number, such as \"p1\""
    } else if taken || phrase {
        "a name that means nothing else, such as \"p1\""
    } else {
        return;
    };
    let wrong = Diagnostic::error(name.place, quoted(text)).expected(expected);
    reader.within("name", |reader| reader.report(wrong));
}

/// The settings of a .properties file. They are read as Kafka reads them.
pub(super) fn properties(path: &At<String>, reader: &mut Reader<'_>) -> Option<KafkaSettings> {
    let Some(directory) = &reader.directory else {
        let problem = Diagnostic::error(path.place, "a file beside a scenario without a directory");
        reader.report(problem.expected("the settings in \"config\""));
        return None;
    };
    let file = directory.join(&path.value);
    let bytes = match std::fs::read(&file) {
        Ok(bytes) => bytes,
        Err(error) => {
            let problem = format!("cannot read {}: {error}", file.display());
            reader.report(Diagnostic::error(path.place, problem));
            return None;
        }
    };
    let text: String = bytes.iter().copied().map(char::from).collect();
    let id = reader.sources.add(file.display().to_string(), text.clone());
    let source = crate::source::Source { name: String::new(), text };
    let place = |at: Position, length: usize| {
        let (line, column) = (at.line, at.column);
        let start = source.byte_at(crate::source::Position { line, column });
        Place::new(id, start, start + length)
    };
    match Properties::read_latin1(&bytes) {
        Ok(properties) => {
            let mut settings = KafkaSettings::default();
            for entry in properties.entries {
                let key_at = place(entry.key_at, entry.key.len());
                let value_at = place(entry.value_at, entry.value.len());
                settings.push_property(entry.key, entry.value, key_at, value_at);
            }
            Some(settings)
        }
        Err(errors) => {
            for error in errors {
                let problem = "\\u without four hexadecimal digits";
                reader.report(Diagnostic::error(place(error.at, 2), problem));
            }
            None
        }
    }
}
