//! From settings to a configuration, key by key: what all tables have in common.

use super::error::{Concerned, ConfigError, ConfigWarning, Configured, Raised, Rule, WarningKind};
use super::keys::{
    Family, Key, Treatment, Values, consumer_keys, producer_keys, server_keys, topic_keys,
};
use super::kind::{Kind, Limits, Value, trim};
use super::nearest;
use super::settings::{Setting, Settings};
use std::collections::BTreeMap;

/// The tables that a configuration is read by.
pub(super) struct Tables<C: 'static> {
    /// What it is the configuration of, for warnings: `producer`.
    pub(super) noun: &'static str,
    /// The keys.
    pub(super) keys: &'static [&'static [Key<C>]],
    /// The keys known by how they begin.
    pub(super) families: &'static [Family],
    /// What Kafka does about other keys.
    pub(super) others: Others,
}

/// What Kafka does about a key that it does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Others {
    /// It logs it. Kafka: AbstractConfig.logUnused.
    Logged,
    /// It refuses it. Kafka: LogConfig.validateNames.
    Refused,
}

/// Settings that are being read.
pub(super) struct Reading<'s, C: 'static> {
    tables: Tables<C>,
    settings: &'s Settings,
    /// The configuration so far.
    pub(super) config: C,
    /// What was set and is legal.
    values: BTreeMap<&'static str, Value>,
    errors: Vec<ConfigError>,
    /// Objections of the simulator's, which come after those of Kafka's.
    objections: Vec<ConfigError>,
    warnings: Vec<ConfigWarning>,
}

impl<'s, C> Reading<'s, C> {
    /// Reads every setting by its key, over `base`. Kafka: ConfigDef.parse.
    pub(super) fn of(tables: Tables<C>, settings: &'s Settings, base: C) -> Self {
        let mut reading = Self {
            tables,
            settings,
            config: base,
            values: BTreeMap::new(),
            errors: Vec::new(),
            objections: Vec::new(),
            warnings: Vec::new(),
        };
        for setting in settings {
            reading.read(setting);
        }
        reading
    }

    /// The result: a configuration if nothing is wrong.
    pub(super) fn finish(mut self) -> Result<Configured<C>, Vec<ConfigError>> {
        self.errors.append(&mut self.objections);
        if !self.errors.is_empty() {
            return Err(self.errors);
        }
        Ok(Configured { config: self.config, warnings: self.warnings })
    }

    fn read(&mut self, setting: &Setting) {
        let counts = self.settings.get(&setting.key);
        if counts.is_some_and(|last| !std::ptr::eq(last, setting)) {
            let consequence = "it is set again further on, and the last one counts".to_owned();
            return self.warn_about(WarningKind::Overridden, setting, consequence, None);
        }
        match self.tables.keys.iter().copied().flatten().find(|key| key.name == setting.key) {
            Some(key) => self.read_as(key, setting),
            None => self.read_unknown(setting),
        }
    }

    fn read_as(&mut self, key: &'static Key<C>, setting: &Setting) {
        let value = match key.kind.read(&setting.text) {
            Ok(value) => value,
            Err(misfit) => {
                let raised = match key.kind.limits() {
                    Limits::Simulator if misfit.rule == Rule::Range => Raised::Never,
                    Limits::Simulator | Limits::Kafka => Raised::Raw,
                };
                return self.report(ConfigError {
                    rule: misfit.rule,
                    raised,
                    settings: vec![self.concerned_setting(setting)],
                    expected: key.kind.legal(),
                    nearest: misfit.nearest,
                    hint: None,
                });
            }
        };
        if key.kind == Kind::Class && value == Value::Text(String::new()) {
            let consequence = "taken for no class, while kafka fails to load one of no name";
            self.warn_about(WarningKind::EmptyClass, setting, consequence.to_owned(), None);
        }
        let differs = key.default_value().as_ref() != Some(&value);
        match key.treatment {
            Treatment::Modelled => {}
            Treatment::WithoutEffect(reason) if differs => {
                let consequence = format!("without effect here: {reason}");
                self.warn_about(WarningKind::WithoutEffect, setting, consequence, None);
            }
            Treatment::Unsupported(reason) if differs => {
                self.object_to(key, setting, Rule::Unsupported, reason);
            }
            Treatment::NotYet(reason) if differs => {
                self.object_to(key, setting, Rule::NotYet, reason);
            }
            Treatment::WithoutEffect(_) | Treatment::Unsupported(_) | Treatment::NotYet(_) => {}
        }
        if let Some(field) = &key.field {
            field.put(&mut self.config, &value);
        }
        self.values.insert(key.name, value);
    }

    fn object_to(&mut self, key: &Key<C>, setting: &Setting, rule: Rule, reason: &str) {
        let only = match key.default {
            Some(text) if !text.is_empty() => format!("{text}: {reason}"),
            Some(_) | None => format!("no {}: {reason}", key.name),
        };
        self.objections.push(ConfigError {
            rule,
            raised: Raised::Never,
            settings: vec![self.concerned_setting(setting)],
            expected: only,
            nearest: None,
            hint: None,
        });
    }

    fn read_unknown(&mut self, setting: &Setting) {
        if let Some(family) = self.family(&setting.key) {
            let consequence = format!("without effect here: {}", family.reason);
            return self.warn_about(WarningKind::WithoutEffect, setting, consequence, None);
        }
        let noun = self.tables.noun;
        let elsewhere = OTHER_TABLES.iter().find(|(_, has)| has(&setting.key));
        let names = self.tables.keys.iter().copied().flatten().map(|key| key.name);
        let near = match elsewhere {
            Some(_) => None,
            None => nearest::key(&setting.key, names).map(str::to_owned),
        };
        let belongs = elsewhere.map_or_else(String::new, |(other, _)| format!(" but of a {other}"));
        match self.tables.others {
            Others::Logged => {
                let consequence = format!("not a setting of a {noun}{belongs}, and ignored");
                self.warn_about(WarningKind::UnknownKey, setting, consequence, near);
            }
            Others::Refused => self.errors.push(ConfigError {
                rule: Rule::Unknown,
                raised: Raised::Raw,
                settings: vec![self.concerned_setting(setting)],
                expected: format!("a setting of a {noun}{}", belongs.replace("but", "not")),
                nearest: near,
                hint: None,
            }),
        }
    }

    fn family(&self, key: &str) -> Option<&'static Family> {
        self.tables.families.iter().find(|family| key.starts_with(family.prefix))
    }

    /// Whether `key` was set, to whatever. Kafka: `originals().containsKey`.
    pub(super) fn is_set(&self, key: &str) -> bool {
        self.settings.get(key).is_some()
    }

    /// Whether nothing is wrong with these keys by themselves, so that a rule between them can be
    /// checked.
    pub(super) fn are_sound(&self, keys: &[&str]) -> bool {
        keys.iter().all(|key| !self.is_set(key) || self.values.contains_key(key))
    }

    /// Whether `key` was set to a legal value that means yes.
    pub(super) fn says_yes(&self, key: &str) -> bool {
        self.values.get(key) == Some(&Value::Flag(true))
    }

    /// The legal number that `key` was set to.
    pub(super) fn number(&self, key: &str) -> Option<i64> {
        match self.values.get(key) {
            Some(Value::Number(number)) => Some(*number),
            Some(Value::Flag(_) | Value::Text(_)) | None => None,
        }
    }

    /// The legal text that `key` was set to.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        match self.values.get(key) {
            Some(Value::Text(text)) => Some(text),
            Some(Value::Number(_) | Value::Flag(_)) | None => None,
        }
    }

    /// A setting as errors show it, or the default if it is not set.
    pub(super) fn concerned(&self, key: &str) -> Concerned {
        match self.settings.get(key) {
            Some(setting) => self.concerned_setting(setting),
            None => {
                let row = self.tables.keys.iter().copied().flatten().find(|row| row.name == key);
                let text = row.and_then(|row| row.default).unwrap_or_default().to_owned();
                Concerned { key: key.to_owned(), text, origin: None }
            }
        }
    }

    fn concerned_setting(&self, setting: &Setting) -> Concerned {
        let text = match self.family(&setting.key).map(|family| family.values) {
            Some(Values::Secret) => "[hidden]",
            Some(Values::Plain) | None => trim(&setting.text),
        };
        Concerned { key: setting.key.clone(), text: text.to_owned(), origin: Some(setting.origin) }
    }

    /// Records an error about keys.
    pub(super) fn refuse(&mut self, rule: Rule, raised: Raised, keys: &[&str], words: Words) {
        let settings = keys.iter().map(|key| self.concerned(key)).collect();
        let Words { expected, nearest, hint } = words;
        self.report(ConfigError { rule, raised, settings, expected, nearest, hint });
    }

    fn report(&mut self, error: ConfigError) {
        match error.raised {
            Raised::Raw | Raised::Wrapped => self.errors.push(error),
            Raised::Never => self.objections.push(error),
        }
    }

    /// Records a warning about keys.
    pub(super) fn warn(&mut self, kind: WarningKind, keys: &[&str], consequence: String) {
        let settings = keys.iter().map(|key| self.concerned(key)).collect();
        self.warnings.push(ConfigWarning { kind, settings, consequence, nearest: None });
    }

    fn warn_about(
        &mut self,
        kind: WarningKind,
        setting: &Setting,
        consequence: String,
        nearest: Option<String>,
    ) {
        let settings = vec![self.concerned_setting(setting)];
        self.warnings.push(ConfigWarning { kind, settings, consequence, nearest });
    }
}

/// What an error says.
pub(super) struct Words {
    expected: String,
    nearest: Option<String>,
    hint: Option<String>,
}

impl Words {
    /// What would have been right.
    pub(super) fn expected(expected: impl Into<String>) -> Self {
        Self { expected: expected.into(), nearest: None, hint: None }
    }

    /// And what to do, as a sentence.
    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// And what may have been meant.
    pub(super) fn nearest(self, nearest: impl Into<String>) -> Self {
        Self { nearest: Some(nearest.into()), ..self }
    }
}

/// Where else a key may belong.
type OtherTable = (&'static str, fn(&str) -> bool);

const OTHER_TABLES: [OtherTable; 4] = [
    ("producer", |name| producer_keys().any(|key| key.name == name)),
    ("consumer", |name| consumer_keys().any(|key| key.name == name)),
    ("topic", |name| topic_keys().any(|key| key.name == name)),
    ("broker", |name| server_keys().any(|key| key.name == name)),
];

/// Every value by its key, in the order of the table.
pub(super) fn effective<C: 'static>(
    config: &C,
    keys: impl Iterator<Item = &'static Key<C>>,
) -> Vec<(&'static str, String)> {
    let shown = |key: &Key<C>| Some((key.name, key.field.as_ref()?.show(config)));
    keys.filter_map(shown).collect()
}

/// The values that differ between two configurations.
pub(super) fn differences<C: 'static>(
    config: &C,
    default: &C,
    keys: impl Iterator<Item = &'static Key<C>> + Clone,
) -> Vec<super::Difference> {
    let pairs = effective(config, keys.clone()).into_iter().zip(effective(default, keys));
    let different = |((key, value), (_, default)): ((&'static str, String), (_, String))| {
        (value != default).then_some(super::Difference { key, value, default })
    };
    pairs.filter_map(different).collect()
}
