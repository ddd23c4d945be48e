//! Kafka's own settings: keys and values as Kafka spells them, with their places.

mod schema;

use crate::diagnostic::{Diagnostic, Severity};
use crate::document::{Node, Value, quoted};
use crate::form::Form;
use crate::read::Reader;
use crate::schema::Schemas;
use crate::source::Place;
use inflight_protocol::config::{
    Concerned, ConfigError, ConfigWarning, Origin, Outcome, Raised, Settings, WarningKind,
};
use serde_json::Value as Json;
use std::marker::PhantomData;

/// Where a setting was written.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Written {
    /// The key and the value.
    key: Place,
    value: Place,
    path: String,
    file: File,
}

/// In what a setting was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum File {
    /// In a `config`, where a key that does not exist is a slip.
    Scenario,
    /// In a file of Kafka's own, which may have keys of anybody.
    Properties,
}

/// Settings under Kafka's keys, in the order in which they were written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct KafkaSettings {
    list: Vec<(String, String, Written)>,
}

/// Whose settings they are, for the schema.
pub(crate) trait Table {
    /// The name of the definition.
    const NAME: &'static str;
    /// The schema.
    fn schema() -> Json;
}

/// The `config` of a producer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProducerTable;
/// The `config` of a consumer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConsumerTable;
/// The `config` of a topic.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TopicTable;
/// The `config` of a cluster or broker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServerTable;

/// A `config` in the file.
#[derive(Clone, Debug)]
pub(crate) struct Config<T> {
    pub(crate) settings: KafkaSettings,
    table: PhantomData<T>,
}

impl<T: Table> Form for Config<T> {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Some(members) = node.members() else {
            reader.mismatch(node, "an object with Kafka's keys");
            return None;
        };
        let mut settings = KafkaSettings::default();
        for (index, member) in members.iter().enumerate() {
            reader.within(&member.key, |reader| {
                if members[..index].iter().any(|before| before.key == member.key) {
                    let problem = format!("{} stands here twice", quoted(&member.key));
                    return reader.report(Diagnostic::error(member.key_place, problem));
                }
                let Some(text) = text_of(&member.node, reader) else { return };
                let written = Written {
                    key: member.key_place,
                    value: member.node.place,
                    path: reader.path(),
                    file: File::Scenario,
                };
                settings.list.push((member.key.clone(), text, written));
            });
        }
        Some(Self { settings, table: PhantomData })
    }

    fn schema(schemas: &mut Schemas) -> Json {
        schemas.define(T::NAME, |_| T::schema())
    }
}

/// A value as the text that Kafka would read.
fn text_of(node: &Node, reader: &mut Reader<'_>) -> Option<String> {
    match &node.value {
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Number(number) => Some(number.clone()),
        Value::Text(text) => Some(text.clone()),
        Value::Null => {
            let problem = Diagnostic::error(node.place, "null");
            let problem = problem.expected("a value as Kafka spells it");
            reader.report(problem.hint("Take the key out to have Kafka's default."));
            None
        }
        Value::List(_) | Value::Object(_) => {
            reader.mismatch(node, "a value as Kafka spells it");
            None
        }
    }
}

impl<T: Table> Config<T> {
    /// Checks the `config` of an object that cannot be read as a whole.
    pub(crate) fn check_alone<C>(
        object: &Node,
        read: impl Fn(&Settings) -> Outcome<C>,
        reader: &mut Reader<'_>,
    ) {
        let Some(node) = object.get("config") else { return };
        reader.within("config", |reader| {
            if let Some(config) = Self::read(node, reader) {
                config.settings.configure(node.place, read, reader);
            }
        });
    }
}

impl KafkaSettings {
    /// Adds a setting of a `.properties` file.
    pub(crate) fn push_property(&mut self, key: String, text: String, key_at: Place, at: Place) {
        let (path, file) = (key.clone(), File::Properties);
        self.list.push((key, text, Written { key: key_at, value: at, path, file }));
    }

    /// These settings, and those of `other` in place of those with the same key.
    pub(crate) fn overridden_by(&self, other: &Self) -> Self {
        let stays = |key: &str| other.list.iter().all(|(theirs, ..)| theirs != key);
        let kept = self.list.iter().filter(|(key, ..)| stays(key));
        Self { list: kept.chain(&other.list).cloned().collect() }
    }

    /// Where a key was written.
    pub(crate) fn key_place(&self, key: &str) -> Option<Place> {
        let found = self.list.iter().rfind(|(known, ..)| known == key);
        found.map(|(_, _, written)| written.key)
    }

    /// Where the first key was written.
    pub(crate) fn first_place(&self) -> Option<Place> {
        self.list.first().map(|(_, _, written)| written.key)
    }

    /// Makes a configuration of the settings, and reports everything that Kafka or the simulator
    /// has against them.
    pub(crate) fn configure<C>(
        &self,
        place: Place,
        read: impl Fn(&Settings) -> Outcome<C>,
        reader: &mut Reader<'_>,
    ) -> Option<C> {
        let mut settings = Settings::new();
        for (number, (key, text, _)) in (0..).zip(&self.list) {
            settings.push(key.as_str(), text.as_str(), Origin(number));
        }
        match read(&settings) {
            Ok(configured) => {
                for warning in &configured.warnings {
                    self.warn(place, warning, reader);
                }
                Some(configured.config)
            }
            Err(errors) => {
                for error in &errors {
                    self.refuse(place, error, reader);
                }
                self.warn_of_unknown_keys(place, read, reader);
                None
            }
        }
    }

    /// Reports keys that do not exist, when other settings keep Kafka's reader from saying so.
    fn warn_of_unknown_keys<C>(
        &self,
        place: Place,
        read: impl Fn(&Settings) -> Outcome<C>,
        reader: &mut Reader<'_>,
    ) {
        for (number, (key, text, _)) in (0..).zip(&self.list) {
            let mut alone = Settings::new();
            alone.push(key.as_str(), text.as_str(), Origin(number));
            let Ok(configured) = read(&alone) else { continue };
            let unknown = |warning: &&ConfigWarning| warning.kind == WarningKind::UnknownKey;
            for warning in configured.warnings.iter().filter(unknown) {
                self.warn(place, warning, reader);
            }
        }
    }

    fn written(&self, origin: Option<Origin>) -> Option<&Written> {
        self.list.get(origin?.0 as usize).map(|(_, _, written)| written)
    }

    fn refuse(&self, place: Place, error: &ConfigError, reader: &mut Reader<'_>) {
        use inflight_protocol::config::Rule;
        let written = self.written(error.origin());
        let at = match (written, error.rule) {
            (Some(written), Rule::Unknown) => written.key,
            (Some(written), _) => written.value,
            (None, _) => place,
        };
        let problem = match error.rule {
            Rule::Unknown => format!("unknown key {}", quoted(error.key())),
            _ => sentence(&error.settings),
        };
        let mut diagnostic = Diagnostic::error(at, problem);
        if error.rule != Rule::Unknown || error.nearest.is_none() {
            diagnostic = diagnostic.expected(error.expected.clone());
        }
        if let Some(written) = written {
            diagnostic = diagnostic.at_path(written.path.clone());
        }
        let says_who = match error.raised {
            Raised::Raw => Some("Kafka's client refuses this with a ConfigException."),
            Raised::Wrapped => Some("Kafka's client refuses this when it is constructed."),
            Raised::Never => None,
        };
        let hint = error.hint.as_deref().or(says_who.filter(|_| error.settings.len() > 1));
        if let Some(hint) = hint {
            diagnostic = diagnostic.hint(hint);
        }
        reader.report(diagnostic.nearest(error.nearest.clone()));
    }

    fn warn(&self, place: Place, warning: &ConfigWarning, reader: &mut Reader<'_>) {
        let written = self.written(warning.origin());
        let unknown = warning.kind == WarningKind::UnknownKey;
        let at = written.map_or(place, |written| if unknown { written.key } else { written.value });
        let in_scenario = written.is_some_and(|written| written.file == File::Scenario);
        let problem = if unknown {
            let key = warning.settings.first().map_or("", |setting| &setting.key);
            let consequence = match in_scenario {
                true => warning.consequence.trim_end_matches(", and ignored"),
                false => &warning.consequence,
            };
            format!("unknown key {}: {consequence}", quoted(key))
        } else {
            format!("{}: {}", sentence(&warning.settings), warning.consequence)
        };
        let mut diagnostic = Diagnostic::warning(at, problem).nearest(warning.nearest.clone());
        if unknown && in_scenario {
            diagnostic.severity = Severity::Error;
        }
        if let Some(written) = written {
            diagnostic = diagnostic.at_path(written.path.clone());
        }
        reader.report(diagnostic);
    }
}

/// Settings as a message shows them: `acks=1 with enable.idempotence=true (default)`.
fn sentence(settings: &[Concerned]) -> String {
    let shown: Vec<String> = settings.iter().map(Concerned::to_string).collect();
    shown.join(" with ")
}
