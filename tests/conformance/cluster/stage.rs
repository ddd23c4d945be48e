//! The means of a story: what its application does, what the proxy does to its requests, and how
//! it ended.

use crate::cluster::{BROKERS, CONTROLLER, Cluster, wait_until};
use crate::frame::{PRODUCE, Source};
use crate::outcome::{COMMIT, FAILED_ABORT, FAILED_COMMIT, Outcome, Told};
use crate::proxy::{Fate, Pattern, RuleId, Way};
use inflight::Loaded;
use inflight::protocol::{Acks, TopicId};
use inflight::sim::setup::{OnError, Resume};
use serde_json::{Map, Value, json};
use std::thread;
use std::time::Duration;

/// How long a request may take to arrive at the proxy.
const PATIENCE: Duration = Duration::from_secs(60);

/// A cluster with a scenario's topics and producer on it.
pub(crate) struct Stage<'a> {
    /// Where it is played.
    pub(crate) cluster: &'a mut Cluster,
    scenario: &'a Loaded,
    /// Makes names that no other story has.
    number: u32,
    /// Each partition of all topics, in the order of the scenario.
    partitions: Vec<(String, usize)>,
    /// The brokers of each of them.
    replicas: Vec<Vec<u8>>,
    /// How often a producer was opened.
    sessions: u32,
    /// The one of them that the application uses.
    session: u32,
    /// What an application was told whose process is dead.
    told: Vec<(u64, Told)>,
}

/// Settings in Kafka's words.
fn words(settings: Vec<inflight::protocol::config::Difference>) -> Map<String, Value> {
    settings.into_iter().map(|one| (one.key.to_owned(), one.value.into())).collect()
}

impl<'a> Stage<'a> {
    /// Makes the topics and opens the producer, with the scenario's settings.
    pub(crate) fn set(cluster: &'a mut Cluster, scenario: &'a Loaded, number: u32) -> Self {
        let setup = &scenario.setup.cluster;
        let (mut partitions, mut replicas) = (Vec::new(), Vec::new());
        let level = setup.transaction_version.level();
        cluster.client().ask(&json!({ "do": "features", "level": level }));
        let verifies = setup.broker_configs[0].transaction_partition_verification_enable;
        let config = json!({ "transaction.partition.verification.enable": verifies });
        cluster.client().ask(&json!({ "do": "brokers", "config": config }));
        // Until every broker has heard of it.
        sleep(500);
        let is_ours = |topic: &TopicId| !setup.topics.name(*topic).starts_with("__");
        for topic in setup.topics.ids().filter(is_ours) {
            let name = format!("{}-{number}", setup.topics.name(topic));
            let assignment = assignment(scenario, topic);
            partitions.extend((0..assignment.len()).map(|partition| (name.clone(), partition)));
            let config = words(setup.topic_configs[topic.index()].differences_from_default());
            cluster.client().ask(
                &json!({ "do": "create", "topic": name, "assignment": assignment, "config": config }),
            );
            replicas.extend(assignment);
        }
        let mut stage = Self {
            cluster,
            scenario,
            number,
            partitions,
            replicas,
            sessions: 0,
            session: 0,
            told: Vec::new(),
        };
        for partition in 0..stage.partitions.len() {
            stage.wait_whole(partition);
        }
        stage.open();
        stage
    }

    /// Opens the producer.
    pub(crate) fn open(&mut self) {
        self.open_as(0);
    }

    /// Opens the producer of a client by its place in the scenario.
    pub(crate) fn open_as(&mut self, client: usize) {
        self.sessions += 1;
        self.session = self.sessions;
        let config = words(
            self.scenario.setup.clients[client]
                .producer
                .as_ref()
                .expect("a producer")
                .config
                .differences_from_default(),
        );
        let producer = self.producer();
        let open = json!({ "do": "open", "producer": producer, "config": config });
        self.cluster.client().ask(&open);
    }

    fn producer(&self) -> String {
        format!("p1-{}-{}", self.number, self.session)
    }

    /// The application goes on with the producer that it opened as this one, from 1.
    pub(crate) fn turn_to(&mut self, session: u32) {
        self.session = session;
    }

    /// The producer is closed.
    pub(crate) fn close(&mut self) {
        let close = json!({ "do": "close", "producer": self.producer() });
        self.cluster.client().ask(&close);
    }

    /// The producer begins a transaction.
    pub(crate) fn begin(&mut self) {
        let begin = json!({ "do": "begin", "producer": self.producer() });
        self.cluster.client().ask(&begin);
    }

    /// The producer commits a transaction, by its number. Returns whether it could.
    pub(crate) fn commit(&mut self, transaction: u64) -> bool {
        self.end_transaction("commit", FAILED_COMMIT + transaction)
    }

    /// The same for an abort.
    pub(crate) fn abort(&mut self, transaction: u64) -> bool {
        self.end_transaction("abort", FAILED_ABORT + transaction)
    }

    fn end_transaction(&mut self, call: &str, told_as: u64) -> bool {
        let end = json!({ "do": call, "producer": self.producer() });
        let has_failed = self.cluster.client().ask(&end).get("failed").is_some();
        if has_failed {
            self.told.push((told_as, Told::Failed(call.to_owned())));
        }
        !has_failed
    }

    /// Whether leaders verify that a partition is in a transaction.
    pub(crate) fn verifies(&self) -> bool {
        self.scenario.setup.cluster.broker_configs[0].transaction_partition_verification_enable
    }

    /// Whether two clients have the same transactional id.
    pub(crate) fn is_shared(&self) -> bool {
        let id = |client: usize| {
            let producer = self.scenario.setup.clients.get(client)?.producer.as_ref()?;
            producer.transactional_id
        };
        id(0) == id(1)
    }

    /// For how many milliseconds the application holds its transactions.
    pub(crate) fn hold(&self) -> u64 {
        let transactions = self.scenario.setup.clients[0].threads[0].transactions.as_ref();
        transactions.expect("there are transactions").hold.as_millis()
    }

    /// max.in.flight.requests.per.connection
    pub(crate) fn max_in_flight(&self) -> u32 {
        self.scenario.description.clients[0].max_in_flight
    }

    /// Whether a record is acked when all replicas in sync have it.
    pub(crate) fn waits_for_followers(&self) -> bool {
        self.scenario.description.clients[0].acks == Acks::All
    }

    /// unclean.leader.election.enable of the first topic.
    pub(crate) fn elects_uncleanly(&self) -> bool {
        self.scenario.description.topics[0].unclean_leader_election_enable
    }

    /// Where an application goes on whose first message without an answer is this one.
    pub(crate) fn resumed_from(&self, unacked: u64) -> u64 {
        match self.scenario.setup.clients[0].resume {
            Resume::FirstUnacked => unacked,
            Resume::NextUnsent => unacked + 1,
        }
    }

    /// Kills the application's process, and starts another one with a producer.
    pub(crate) fn restart_client(&mut self) {
        self.told = self.cluster.client().take_told();
        self.cluster.restart_client();
        self.open();
    }

    /// Nothing goes from a broker to other nodes, in both directions.
    pub(crate) fn isolate(&self, broker: u8) -> Vec<RuleId> {
        let others = BROKERS.into_iter().filter(|other| *other != broker).chain([CONTROLLER]);
        others.flat_map(|other| self.cluster.cut(broker, other)).collect()
    }

    /// The application gives a message to send(), for a partition by its number over all topics.
    pub(crate) fn send_to(&mut self, partition: usize, message: u64) {
        let producer = self.producer();
        let (topic, partition) = &self.partitions[partition];
        let send = json!({
            "do": "send", "producer": producer, "topic": topic, "partition": partition,
            "message": message,
        });
        self.cluster.client().ask(&send);
    }

    /// The same for the first partition.
    pub(crate) fn send(&mut self, message: u64) {
        self.send_to(0, message);
    }

    /// Waits for a message's callback. An application that sends again does so.
    pub(crate) fn wait_told(&mut self, message: u64) {
        let told = self.cluster.client().wait_for(message, 1);
        let thread = &self.scenario.setup.clients[0].threads[0];
        if matches!((thread.on_error, told), (OnError::Resend { .. }, Told::Failed(_))) {
            self.send(message);
            self.cluster.client().wait_for(message, 2);
        }
    }

    /// Waits until a message was delivered, whatever was told of it before.
    pub(crate) fn wait_delivered(&mut self, message: u64) {
        while !matches!(self.cluster.client().wait_for(message, 1), Told::Acked(_)) {
            sleep(10);
        }
    }

    /// Sends a message and waits until it is delivered.
    pub(crate) fn deliver(&mut self, partition: usize, message: u64) {
        self.send_to(partition, message);
        let told = self.cluster.client().wait_for(message, 1);
        assert!(matches!(told, Told::Acked(_)), "message {message}: {told:?}");
    }

    /// A rule for some of the Produce requests of the producer from now on, or for their answers.
    pub(crate) fn produce(&self, way: Way, (first, last): (u32, u32), fate: Fate) -> RuleId {
        let source = Some(Source::Client(self.producer()));
        let api = Some(PRODUCE);
        let pattern = Pattern { source, target: None, api, way, first, last };
        self.cluster.proxy().rule(pattern, fate)
    }

    /// Waits until the proxy has so many frames that the rule is about, meant or not.
    pub(crate) fn wait_seen(&self, rule: RuleId, count: u32) {
        let seen = self.cluster.proxy().has_seen(rule, count, PATIENCE);
        assert!(seen, "{count} frames: not within {PATIENCE:?}");
    }

    /// Changes what becomes of frames.
    pub(crate) fn set_fate(&self, rule: RuleId, fate: Fate) {
        self.cluster.proxy().set(rule, fate);
    }

    /// Waits until a replica of a partition has so many records.
    pub(crate) fn wait_replica(&mut self, broker: u8, partition: usize, records: usize) {
        let (topic, partition) = self.partitions[partition].clone();
        wait_until(&format!("{records} records of {topic}-{partition} on {broker}"), || {
            self.cluster.replica(broker, &topic, partition).len() >= records
        });
    }

    /// Waits until these and no others are in sync.
    pub(crate) fn wait_in_sync(&mut self, partition: usize, expected: &[u64]) {
        let (topic, partition) = self.partitions[partition].clone();
        self.cluster.wait_in_sync(&topic, partition, expected);
        // A broker publishes metadata before its partitions act on them. Kafka:
        // BrokerMetadataPublisher.onMetadataUpdate.
        sleep(500);
    }

    /// Waits until all replicas of a partition are in sync.
    pub(crate) fn wait_whole(&mut self, partition: usize) {
        let mut replicas: Vec<u64> =
            self.replicas[partition].iter().copied().map(u64::from).collect();
        replicas.sort_unstable();
        self.wait_in_sync(partition, &replicas);
    }

    /// How many replicas the first partition has.
    pub(crate) fn replicas(&self) -> usize {
        self.replicas[0].len()
    }

    /// Waits until nobody leads the first partition.
    pub(crate) fn wait_leaderless(&mut self) {
        let (topic, partition) = self.partitions[0].clone();
        self.cluster.wait_leaderless(&topic, partition);
        // See wait_in_sync.
        sleep(500);
    }

    /// Waits until this broker leads the first partition.
    pub(crate) fn wait_leader(&mut self, leader: u64) {
        let (topic, partition) = self.partitions[0].clone();
        wait_until(&format!("{topic} led by {leader}"), || {
            self.cluster.describe(&topic, partition).is_some_and(|(found, _)| found == leader)
        });
    }

    fn is_transactional(&self) -> bool {
        let producer = self.scenario.setup.clients[0].producer.as_ref();
        producer.is_some_and(|producer| producer.config.transactional_id.is_some())
    }

    /// Ends the story: the producer is closed, everything is whole again, and all replicas and a
    /// consumer have the same.
    pub(crate) fn end(mut self) -> Outcome {
        self.close();
        self.cluster.proxy().forget();
        self.cluster.wait_whole();
        let mut outcome = Outcome::default();
        let told = std::mem::take(&mut self.told);
        for (message, told) in told.into_iter().chain(self.cluster.client().take_told()) {
            outcome.told.entry(message).or_default().push(told);
        }
        for index in 0..self.partitions.len() {
            self.wait_whole(index);
            let (topic, partition) = self.partitions[index].clone();
            let replicas = self.replicas[index].clone();
            let read = json!({ "do": "read", "topic": topic, "partition": partition });
            let mut log = Vec::new();
            wait_until(&format!("{topic} the same to all replicas and a consumer"), || {
                let read = self.cluster.client().ask(&read)["read"].clone();
                let replica = |broker: &u8| self.cluster.replica(*broker, &topic, partition);
                let logs: Vec<Vec<u64>> = replicas.iter().map(replica).collect();
                let is_message = |entry: &&u64| **entry < COMMIT;
                let are_same = logs.iter().all(|log| {
                    let messages: Vec<&u64> = log.iter().filter(is_message).collect();
                    *log == logs[0] && json!(messages) == read
                });
                log = logs[0].clone();
                are_same
            });
            if self.is_transactional() {
                let committed = json!({
                    "do": "read", "topic": topic, "partition": partition, "committed": true,
                });
                let read = self.cluster.client().ask(&committed)["read"].clone();
                let read = read.as_array().expect("messages").iter().filter_map(Value::as_u64);
                outcome.committed.push(read.collect());
            }
            outcome.logs.push(log);
        }
        outcome
    }
}

/// The replicas of each partition of a topic.
fn assignment(scenario: &Loaded, topic: TopicId) -> Vec<Vec<u8>> {
    scenario.description.topics[topic.index()].replicas.clone()
}

/// Lets real time pass.
pub(crate) fn sleep(milliseconds: u64) {
    thread::sleep(Duration::from_millis(milliseconds));
}
