//! The consumers: client processes that read, and what their applications make of it.

use super::producer::{bootstrap, check_name, properties, transactional_id};
use super::transactions::AbortList;
use super::who::{Broker, Group, PartitionName};
use super::workload::{MaybeSize, TopicName};
use crate::config::{Config, ConsumerTable, KafkaSettings, ProducerTable};
use crate::diagnostic::Diagnostic;
use crate::document::Node;
use crate::form::{At, Form, NonEmpty};
use crate::read::Reader;
use crate::schema::Schemas;
use crate::source::Place;
use inflight_des::{Delay, Span};
use inflight_protocol::config::ConsumerConfig;
use inflight_protocol::record_size::RecordShape;
use inflight_protocol::{GroupId, ProducerConfig};
use inflight_sim::setup::{
    AfterAbort, ClientSetup, ConsumerSetup, Effect, OffsetsBy, OnFatal, ProducerSetup, Reading,
    Resume, TransformSetup, Work,
};
use serde_json::Value as Json;

object! {
    /// A client process: a consumer and the application that uses it.
    struct Consumer {
        /// Its name.
        "name" name: required At<String>,
        /// The path of a .properties file with its settings, from the directory of this file.
        "properties" properties: optional At<String>,
        /// Kafka's consumer settings, over those of the file.
        "config" config: optional At<Config<ConsumerTable>>,
        /// The brokers of bootstrap.servers. Without it all of them in order.
        "bootstrap" bootstrap: optional At<Vec<Broker>>,
        /// The topics that it subscribes to; needs a group.id.
        "topics" topics: optional At<NonEmpty<TopicName>>,
        /// The partitions that it reads in place of a subscription: assign().
        "partitions" partitions: optional At<NonEmpty<PartitionName>>,
        /// When it starts.
        "start" start: default Span = "\"0ms\"",
        /// The timeout of poll().
        "poll" poll: default Span = "\"100ms\"",
        /// The time that the application takes for a record.
        "processing" processing: default Delay = "\"0ms\"",
        /// When the application commits what it has read.
        "commit" commit: optional At<Commit>,
        /// What the effect of a record is.
        "effect" effect: default Effect = "\"each-time\"",
        /// The messages that it makes of the records, in place of an effect outside of Kafka.
        "transform" transform: optional At<Transform>,
        /// What it does when its transactional producer cannot be used any more.
        "on-fatal" on_fatal: default OnFatal = "\"stop\"",
    }
}

/// When an application commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Commit {
    Before,
    After,
    AfterAsync,
    Auto,
    Never,
}

words! {
    /// When an application commits what it has read.
    "commit" for Commit {
        /// commitSync(), and then it processes the records: at most once.
        "before" => Commit::Before,
        /// It processes the records, and then commitSync(): at least once.
        "after" => Commit::After,
        /// It processes the records, and then commitAsync().
        "after-async" => Commit::AfterAsync,
        /// It leaves that to enable.auto.commit.
        "auto" => Commit::Auto,
        /// Never.
        "never" => Commit::Never,
    }
}

words! {
    /// What the effect of a record is.
    "effect" for Effect {
        /// It happens each time that the record is processed.
        "each-time" => Effect::EachTime,
        /// Whoever is affected knows partition and offset of the record and takes it once.
        "deduplicated" => Effect::Deduplicated,
    }
}

words! {
    /// How the offsets of transformed records are committed.
    "offsets" for OffsetsBy {
        /// sendOffsetsToTransaction() with the group metadata of the consumer (KIP-447).
        "group-metadata" => OffsetsBy::GroupMetadata,
        /// sendOffsetsToTransaction() with the group's name alone.
        "group-name" => OffsetsBy::GroupName,
        /// commitSync() of the consumer, after flush() and outside of any transaction.
        "commit-sync" => OffsetsBy::CommitSync,
    }
}

words! {
    /// What an application does with its position after an abort.
    "after-abort" for AfterAbort {
        /// seek() to the committed offsets.
        "rewind" => AfterAbort::Rewind,
        /// Nothing.
        "go-on" => AfterAbort::GoOn,
    }
}

object! {
    /// A producer beside the consumer, and the message that the application makes of each record.
    struct Transform {
        /// Where the messages go.
        "to" to: required TopicName,
        /// Kafka's producer settings. With a transactional.id each poll() becomes a transaction.
        "config" config: optional At<Config<ProducerTable>>,
        /// The size of a message's value; null for a tombstone.
        "value" value: default MaybeSize = "\"100 B\"",
        /// How the offsets are committed. Without it by group metadata in the transaction, or by
        /// commitSync() if there is none.
        "offsets" offsets: optional At<OffsetsBy>,
        /// How long it waits with the commit after the last message.
        "hold" hold: default Span = "\"0ms\"",
        /// Which transactions it aborts of its own accord, counted from 0.
        "abort" aborts: default AbortList = "\"never\"",
        /// What it does with its position after an abort.
        "after-abort" after_abort: default AfterAbort = "\"rewind\"",
    }
}

/// A consumer, with all settings complete.
#[derive(Clone, Debug)]
pub(crate) struct ConsumerPart {
    pub(crate) setup: ClientSetup,
    /// Where its settings stand.
    place: Place,
}

impl Form for ConsumerPart {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let consumer = Consumer::read(node, reader);
        if consumer.is_none() {
            Config::<ConsumerTable>::check_alone(node, ConsumerConfig::from_settings, reader);
        }
        consumer?.complete(node.place, reader)
    }

    fn schema(schemas: &mut Schemas) -> Json {
        Consumer::schema(schemas)
    }
}

impl Consumer {
    fn complete(self, place: Place, reader: &mut Reader<'_>) -> Option<ConsumerPart> {
        check_name(&self.name, reader);
        let config = self.config(place, reader)?;
        let config_place = self.config.as_ref().map_or(place, |config| config.place);
        let group = match &config.group_id {
            None => None,
            Some(name) if name.is_empty() => {
                let empty = Diagnostic::error(config_place, "an empty group.id");
                reader.within("config", |reader| {
                    reader.report(empty.expected("the name of a group, or no group.id"));
                });
                return None;
            }
            Some(name) => Some(group_of(name, place, reader)?),
        };
        let reading = self.reading(place, group, reader)?;
        let (work, producer) = self.work(&config, place, reader)?;
        let bootstrap = bootstrap(self.bootstrap.as_ref(), reader)?;
        let setup = ClientSetup {
            name: self.name.value,
            bootstrap,
            producer,
            threads: Vec::new(),
            resume: Resume::FirstUnacked,
            on_fatal: self.on_fatal,
            consumer: Some(ConsumerSetup {
                config,
                group,
                reading,
                start: self.start,
                poll_timeout: self.poll,
                processing: self.processing,
                work,
                effect: self.effect,
            }),
        };
        Some(ConsumerPart { setup, place: config_place })
    }

    fn config(&self, place: Place, reader: &mut Reader<'_>) -> Option<ConsumerConfig> {
        let from_file = match &self.properties {
            None => Some(KafkaSettings::default()),
            Some(path) => reader.within("properties", |reader| properties(path, reader)),
        };
        let none = KafkaSettings::default();
        let place = self.config.as_ref().map_or(place, |config| config.place);
        let own = self.config.as_ref().map_or(&none, |config| &config.value.settings);
        let settings = from_file?.overridden_by(own);
        reader.within("config", |reader| {
            settings.configure(place, ConsumerConfig::from_settings, reader)
        })
    }

    fn reading(
        &self,
        place: Place,
        group: Option<GroupId>,
        reader: &mut Reader<'_>,
    ) -> Option<Reading> {
        match (&self.topics, &self.partitions) {
            (Some(topics), None) if group.is_some() => {
                Some(Reading::Topics(topics.value.0.iter().map(|topic| topic.0).collect()))
            }
            (None, Some(partitions)) => {
                Some(Reading::Partitions(partitions.value.0.iter().map(|name| name.0).collect()))
            }
            (Some(topics), None) => {
                let alone = Diagnostic::error(topics.place, "a subscription without group.id");
                let alone = alone.expected("group.id in \"config\", or \"partitions\"");
                reader.within("topics", |reader| reader.report(alone));
                None
            }
            (Some(topics), Some(_)) => {
                let both = Diagnostic::error(topics.place, "\"topics\" beside \"partitions\"");
                reader.within("topics", |reader| reader.report(both.expected("one of the two")));
                None
            }
            (None, None) => {
                let opening = Place { end: place.start + 1, ..place };
                let neither = Diagnostic::error(opening, "\"topics\" is missing");
                reader.report(neither.expected("the topics to subscribe to, or \"partitions\""));
                None
            }
        }
    }

    /// What the application does, and with which producer.
    fn work(
        &self,
        config: &ConsumerConfig,
        place: Place,
        reader: &mut Reader<'_>,
    ) -> Option<(Work, Option<ProducerSetup>)> {
        let Some(At { value: transform, .. }) = &self.transform else {
            return Some((self.plain_work(config, reader)?, None));
        };
        if let Some(At { place, .. }) = self.commit {
            let both = Diagnostic::error(place, "\"commit\" beside \"transform\"");
            let both = both.expected("\"offsets\" in the \"transform\"");
            reader.within("commit", |reader| reader.report(both));
        }
        if config.group_id.is_none() {
            let alone = Diagnostic::error(place, "a transform without group.id");
            let alone = alone.expected("group.id in \"config\" of the consumer");
            reader.within("transform", |reader| reader.report(alone));
            return None;
        }
        reader.within("transform", |reader| {
            let producer = transform.producer(place, reader)?;
            let is_transactional = producer.transactional_id.is_some();
            let usual =
                if is_transactional { OffsetsBy::GroupMetadata } else { OffsetsBy::CommitSync };
            let offsets = transform.offsets.map_or(usual, |at| at.value);
            if let Some(At { place, .. }) = transform.offsets
                && offsets != OffsetsBy::CommitSync
                && !is_transactional
            {
                let wrong = Diagnostic::error(place, "offsets in a transaction");
                let expected = "a transactional.id in \"config\"";
                reader.within("offsets", |reader| reader.report(wrong.expected(expected)));
                return None;
            }
            let work = Work::Transform(TransformSetup {
                to: transform.to.0,
                shape: RecordShape::new(None, transform.value.0, &[]),
                offsets,
                hold: transform.hold,
                aborts: transform.aborts.plan(),
                after_abort: transform.after_abort,
            });
            Some((work, Some(producer)))
        })
    }

    fn plain_work(&self, config: &ConsumerConfig, reader: &mut Reader<'_>) -> Option<Work> {
        let usual = match (&config.group_id, config.enable_auto_commit) {
            (None, _) => Commit::Never,
            (Some(_), true) => Commit::Auto,
            (Some(_), false) => Commit::After,
        };
        let commit = self.commit.map_or(usual, |at| at.value);
        let mut refuse = |problem: &str, expected: &str| {
            let place = self.commit.map(|at| at.place).unwrap_or_default();
            let wrong = Diagnostic::error(place, problem).expected(expected);
            reader.within("commit", |reader| reader.report(wrong));
            None
        };
        if config.group_id.is_none() && commit != Commit::Never {
            return refuse("a commit without group.id", "\"never\", or group.id in \"config\"");
        }
        if commit == Commit::Auto && !config.enable_auto_commit {
            return refuse("\"auto\" with enable.auto.commit=false", "enable.auto.commit=true");
        }
        Some(match commit {
            Commit::Before => Work::CommitThenProcess,
            Commit::After => Work::ProcessThenCommit,
            Commit::AfterAsync => Work::ProcessThenCommitAsync,
            Commit::Auto => Work::AutoCommit,
            Commit::Never => Work::Read,
        })
    }
}

impl Transform {
    fn producer(&self, place: Place, reader: &mut Reader<'_>) -> Option<ProducerSetup> {
        let none = KafkaSettings::default();
        let place = self.config.as_ref().map_or(place, |config| config.place);
        let settings = self.config.as_ref().map_or(&none, |config| &config.value.settings);
        reader.within("config", |reader| {
            let config = settings.configure(place, ProducerConfig::from_settings, reader)?;
            let transactional_id = transactional_id(&config, place, reader)?;
            Some(ProducerSetup { config, compression_ratio: 1.0, transactional_id })
        })
    }
}

/// The members of a group speak one protocol: groups are not converted while they have members.
pub(crate) fn check_protocols(consumers: &[ConsumerPart], reader: &mut Reader<'_>) {
    let member = |part: &ConsumerPart| {
        let setup = part.setup.consumer.as_ref()?;
        let subscribes = matches!(setup.reading, Reading::Topics(_));
        setup.group.filter(|_| subscribes).map(|group| (group, setup.config.group_protocol))
    };
    for (index, part) in consumers.iter().enumerate() {
        let Some((group, protocol)) = member(part) else { continue };
        let mut before = consumers[..index].iter().filter_map(member);
        if before.any(|(other, spoken)| other == group && spoken != protocol) {
            let problem = "another group.protocol than that of a member before";
            let wrong = Diagnostic::error(part.place, problem).expected("one protocol a group");
            reader.within("consumers", |reader| {
                reader.at(index, |reader| reader.within("config", |reader| reader.report(wrong)));
            });
        }
    }
}

fn group_of(name: &str, place: Place, reader: &mut Reader<'_>) -> Option<GroupId> {
    Group::read(&Node::text(place, name), reader).map(|group| group.0)
}
