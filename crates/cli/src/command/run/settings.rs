//! The configuration that matters, and what it promises.

use super::{Shown, wrapped};
use crate::printer::{Look, Printer};
use inflight::protocol::config::ServerConfig;
use inflight::protocol::{ConsumerConfig, ProducerConfig, TopicConfig};
use inflight::{Promise, promised};
use std::io;

/// A group of settings: whose, and what differs from the defaults.
#[derive(Clone)]
struct Group {
    name: String,
    /// Key, value, default.
    differences: Vec<(String, String, String)>,
    notes: Vec<String>,
}

impl Shown<'_> {
    pub(super) fn print_settings(&self, printer: &mut Printer) -> io::Result<()> {
        printer.gap()?;
        printer.line(printer.paint(Look::Bold, "Settings"))?;
        let groups = [self.cluster(), self.topics(), self.clients()].concat();
        let width = groups.iter().map(|group| group.name.chars().count()).max().unwrap_or(0);
        for group in groups {
            let mut name = group.name.as_str();
            for note in &group.notes {
                printer.line(format_args!("  {name:width$}  {note}"))?;
                name = "";
            }
            for (key, value, default) in &group.differences {
                let setting = printer.paint(Look::Notable, format!("{key}={value}"));
                let default = printer.paint(Look::Dim, format!("(default {default})"));
                printer.line(format_args!("  {name:width$}  {setting} {default}"))?;
                name = "";
            }
            if group.notes.is_empty() && group.differences.is_empty() {
                printer.line(format_args!("  {name:width$}  Kafka's defaults"))?;
            }
        }
        Ok(())
    }

    fn cluster(&self) -> Vec<Group> {
        let brokers = self.description.brokers;
        let mut notes = vec![format!("{brokers} broker{}", if brokers == 1 { "" } else { "s" })];
        if !self.description.eligible_leader_replicas {
            notes.push("eligible leader replicas off".to_owned());
        }
        if !self.description.defects.is_empty() {
            notes.push(format!("broken on purpose: {}", self.description.defects.join(", ")));
        }
        let mut groups = Vec::new();
        let all = Group { name: "cluster".to_owned(), differences: Vec::new(), notes };
        groups.push(all);
        let Some(scenario) = self.scenario else { return groups };
        let configs = &scenario.setup.cluster.broker_configs;
        let differences = |broker: usize| {
            let config = configs.get(broker)?;
            let server = ServerConfig { broker: config.clone(), ..ServerConfig::default() };
            Some(texts(server.differences_from_default()))
        };
        let common = differences(0).unwrap_or_default();
        if (1..configs.len()).all(|broker| differences(broker).as_ref() == Some(&common)) {
            groups[0].differences = common;
            return groups;
        }
        for broker in 0..configs.len() {
            let differences = differences(broker).unwrap_or_default();
            groups.push(Group { name: format!("b{}", broker + 1), differences, notes: Vec::new() });
        }
        groups
    }

    fn topics(&self) -> Vec<Group> {
        let topics = self.description.topics.iter().enumerate().map(|(index, topic)| {
            let partitions = topic.replicas.len();
            let note = match topic.replicas.first() {
                None => "does not exist".to_owned(),
                Some(first) => format!(
                    "{partitions} partition{} of {} replica{}",
                    if partitions == 1 { "" } else { "s" },
                    first.len(),
                    if first.len() == 1 { "" } else { "s" },
                ),
            };
            let config = self.scenario.map(|scenario| scenario.setup.cluster.topic_configs[index]);
            let config = config.unwrap_or(TopicConfig {
                min_insync_replicas: topic.min_insync_replicas,
                unclean_leader_election_enable: topic.unclean_leader_election_enable,
                ..TopicConfig::default()
            });
            let differences = texts(config.differences_from_default());
            Group { name: topic.name.clone(), differences, notes: vec![note] }
        });
        topics.collect()
    }

    /// Producers and consumers; of a process with both, the settings of both.
    fn clients(&self) -> Vec<Group> {
        let (producer, consumer) = (ProducerConfig::default(), ConsumerConfig::default());
        let (producer, consumer) = (producer.effective(), consumer.effective());
        let clients = self.description.clients.iter().map(|client| {
            let mut differences = Vec::new();
            if client.produces {
                differences.extend(differing(&client.config, &producer));
            }
            if let Some(own) = &client.consumer {
                differences.extend(differing(&own.config, &consumer));
            }
            Group { name: client.name.clone(), differences, notes: Vec::new() }
        });
        clients.collect()
    }

    pub(super) fn print_promises(&self, printer: &mut Printer) -> io::Result<()> {
        let promises = promised(self.description, None);
        if promises.is_empty() {
            return Ok(());
        }
        printer.gap()?;
        printer.line(printer.paint(Look::Bold, "What Kafka promises with them"))?;
        for (who, promises) in grouped(promises) {
            if !who.is_empty() {
                printer.line(format_args!("  {who}"))?;
            }
            for promise in promises {
                let (id, name) = (promise.guarantee.terms().id, promise.guarantee.terms().name);
                let (word, look, text) = match promise.standing {
                    Ok(()) => {
                        let promised = promise.guarantee.terms().promise;
                        ("yes", Look::Good, format!("{name}: {promised}"))
                    }
                    // What is about another setting is no news.
                    Err(reason) if reason.is_elsewhere() => continue,
                    Err(reason) => ("no ", Look::Dim, format!("{name}, because {reason}")),
                };
                let mut start = format!("  {}  {id:<3} ", printer.paint(look, word));
                for line in wrapped(&text, printer.width().unwrap_or(100).saturating_sub(11)) {
                    printer.line(format_args!("{start}{line}"))?;
                    start = " ".repeat(11);
                }
            }
        }
        Ok(())
    }
}

/// The settings that are not the default: key, value, default.
fn differing(
    config: &[(String, String)],
    defaults: &[(&'static str, String)],
) -> Vec<(String, String, String)> {
    let differs = |(key, value): &(String, String)| {
        let (_, default) = defaults.iter().find(|(known, _)| known == key)?;
        (default != value).then(|| (key.clone(), value.clone(), default.clone()))
    };
    config.iter().filter_map(differs).collect()
}

fn texts(
    differences: Vec<inflight::protocol::config::Difference>,
) -> Vec<(String, String, String)> {
    let text =
        |one: inflight::protocol::config::Difference| (one.key.to_owned(), one.value, one.default);
    differences.into_iter().map(text).collect()
}

/// Whom promises are made to, and about which topic.
fn heading(promises: &[Promise]) -> String {
    let Some(Promise { client, topic, .. }) = promises.first() else { return String::new() };
    let sends = promises.iter().any(|promise| promise.guarantee.is_about_sending());
    let reads = promises.iter().any(|promise| promise.guarantee.is_about_reading());
    let way = match (sends, reads) {
        (true, true) => "to and from",
        (false, true) => "from",
        _ => "to",
    };
    format!("{client} {way} {topic}")
}

/// Promises by whom they are made to; those that are alike together. No name if all are alike.
fn grouped(promises: Vec<Promise>) -> Vec<(String, Vec<Promise>)> {
    let mut pairs: Vec<(String, Vec<Promise>)> = Vec::new();
    for promise in promises {
        let who =
            |known: &Promise| (&known.client, &known.topic) == (&promise.client, &promise.topic);
        match pairs.last_mut().filter(|(_, list)| list.first().is_some_and(who)) {
            Some((_, list)) => list.push(promise),
            None => pairs.push((String::new(), vec![promise])),
        }
    }
    for (who, promises) in &mut pairs {
        *who = heading(promises);
    }
    let mut groups: Vec<(String, Vec<Promise>)> = Vec::new();
    for (who, promises) in pairs {
        let alike = |known: &[Promise]| {
            known.len() == promises.len()
                && known
                    .iter()
                    .zip(&promises)
                    .all(|(a, b)| (a.guarantee, a.standing) == (b.guarantee, b.standing))
        };
        match groups.iter_mut().find(|(_, known)| alike(known)) {
            Some((names, _)) => names.push_str(&format!(", {who}")),
            None => groups.push((who, promises)),
        }
    }
    if let [(who, _)] = groups.as_mut_slice() {
        who.clear();
    }
    groups
}
