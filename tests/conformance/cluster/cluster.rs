//! Three brokers and a controller as processes on this machine, a proxy between all of them, and
//! a client.

use crate::frame::Source;
use crate::java::{Client, Node};
use crate::proxy::{Fate, Pattern, Proxy, RuleId, Way};
use serde_json::{Value, json};
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;
use std::{env, process, thread};

/// The brokers are 1, 2 and 3.
pub(crate) const BROKERS: [u8; 3] = [1, 2, 3];
/// The node id of the controller.
pub(crate) const CONTROLLER: u8 = 9;

/// Settings of the brokers that keep processes small or quiet and decide nothing that a story looks at.
const SMALL: [(&str, &str); 7] = [
    ("auto.create.topics.enable", "false"),
    ("auto.leader.rebalance.enable", "false"),
    ("background.threads", "2"),
    ("group.coordinator.threads", "1"),
    ("log.cleaner.dedupe.buffer.size", "2097152"),
    ("num.network.threads", "2"),
    ("share.coordinator.threads", "1"),
];

/// Any text of 22 letters of base 64 that is a UUID.
const CLUSTER_ID: &str = "aW5mbGlnaHQtY2x1c3RlcA";

/// The topic by whose in-sync replicas the cluster is seen to be whole.
const CANARY: &str = "canary";
/// Where transaction coordinators keep their state. Kafka: Topic.TRANSACTION_STATE_TOPIC_NAME.
const TRANSACTION_STATE: &str = "__transaction_state";
/// transaction.state.log.num.partitions
const TRANSACTION_STATE_PARTITIONS: usize = 50;
/// What the leader of each of its partitions was made to be, the coordinator of every transactional
/// id.
const COORDINATOR_FIRST: [u8; 3] = [3, 2, 1];

/// How long anything may take that only needs a machine that is not too busy.
const PATIENCE: Duration = Duration::from_secs(180);
/// The time between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// A running cluster. Dropping it kills all its processes and removes its directory.
#[derive(Debug)]
pub(crate) struct Cluster {
    directory: PathBuf,
    servers: String,
    nodes: Vec<(u8, Option<Node>)>,
    client: Option<Client>,
    proxy: Proxy,
}

/// Looks again and again until it holds.
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..PATIENCE.as_millis() / PAUSE.as_millis() {
        if holds() {
            return;
        }
        thread::sleep(PAUSE);
    }
    panic!("{what}: not within {PATIENCE:?}");
}

/// A port that nobody listens at.
fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("it is bound").port()
}

fn properties(settings: &[(&str, &str)]) -> String {
    settings.iter().map(|(key, value)| format!("{key}={value}\n")).collect()
}

impl Cluster {
    /// Starts a cluster, and returns when all its brokers are in sync.
    pub(crate) fn start() -> Self {
        let given = env::var_os("INFLIGHT_CLUSTER_DIRECTORY").map(PathBuf::from);
        let directory = given.unwrap_or_else(|| {
            let name = format!("cluster-{}", process::id());
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
        });
        fs::create_dir_all(&directory).expect("a directory");
        let nodes = [CONTROLLER].into_iter().chain(BROKERS).map(|node| (node, None)).collect();
        let proxy = Proxy::default();
        let servers = String::new();
        let mut cluster = Self { directory, servers, nodes, client: None, proxy };
        cluster.configure();
        for node in [CONTROLLER].into_iter().chain(BROKERS) {
            cluster.restart(node);
        }
        cluster.client = Some(Client::start(&cluster.servers));
        let create =
            json!({ "do": "create", "topic": CANARY, "assignment": [BROKERS], "config": {} });
        wait_until("three brokers", || cluster.client().attempt(&create).is_ok());
        cluster.wait_whole();
        cluster.make_transaction_state();
        cluster
    }

    /// The topic that brokers would make when somebody asks for a coordinator, except for its
    /// leaders. Kafka: TransactionCoordinator.transactionStateTopicConfigs.
    fn make_transaction_state(&mut self) {
        let config = json!({
            "cleanup.policy": "compact", "compression.type": "uncompressed",
            "min.insync.replicas": 2, "segment.bytes": 100 << 20,
            "unclean.leader.election.enable": false,
        });
        let assignment = [COORDINATOR_FIRST; TRANSACTION_STATE_PARTITIONS].as_slice();
        let create = json!({
            "do": "create", "topic": TRANSACTION_STATE, "assignment": assignment, "config": config,
        });
        self.client().ask(&create);
    }

    /// Broker 3 coordinates every transactional id, whoever did until now.
    pub(crate) fn coordinate_at_third(&mut self) {
        let prefer = json!({ "do": "prefer", "topic": TRANSACTION_STATE });
        let describe = json!({ "do": "describe", "topic": TRANSACTION_STATE });
        wait_until("broker 3 coordinates", || {
            let asked = self.client().attempt(&prefer).is_ok();
            let found = self.client().attempt(&describe).unwrap_or_default();
            let partitions = found["partitions"].as_array().into_iter().flatten();
            asked
                && partitions.filter(|one| one["leader"] == 3).count()
                    == TRANSACTION_STATE_PARTITIONS
        });
    }

    /// Writes the properties of all nodes.
    fn configure(&mut self) {
        let port = free_port();
        let quorum = format!("{CONTROLLER}@127.0.0.1:{}", self.proxy.stand_for(CONTROLLER, port));
        let controller = format!(
            "process.roles=controller\nnode.id={CONTROLLER}\n\
             listeners=CONTROLLER://127.0.0.1:{port}\n\
             advertised.listeners=CONTROLLER://{}\n",
            quorum.split_once('@').expect("just made").1,
        );
        self.write_properties(CONTROLLER, &quorum, &controller);
        let mut servers = Vec::new();
        for broker in BROKERS {
            let (outer, inner) = (free_port(), free_port());
            let advertised = self.proxy.stand_for(broker, outer);
            servers.push(format!("127.0.0.1:{advertised}"));
            let broker_lines = format!(
                "process.roles=broker\nnode.id={broker}\n\
                 listeners=CLIENT://127.0.0.1:{outer},BROKER://127.0.0.1:{inner}\n\
                 advertised.listeners=CLIENT://127.0.0.1:{advertised},BROKER://127.0.0.1:{}\n\
                 inter.broker.listener.name=BROKER\n{}",
                self.proxy.stand_for(broker, inner),
                properties(&SMALL),
            );
            self.write_properties(broker, &quorum, &broker_lines);
        }
        self.servers = servers.join(",");
    }

    fn write_properties(&self, node: u8, quorum: &str, lines: &str) {
        let log_dirs = self.directory.join(node.to_string());
        let text = format!(
            "{lines}controller.quorum.voters={quorum}\ncontroller.listener.names=CONTROLLER\n\
             listener.security.protocol.map=\
             CLIENT:PLAINTEXT,BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT\n\
             log.dirs={}\n",
            log_dirs.display(),
        );
        fs::write(self.properties_of(node), text).expect("a file of properties");
    }

    fn properties_of(&self, node: u8) -> PathBuf {
        self.directory.join(format!("{node}.properties"))
    }

    fn slot(&mut self, node: u8) -> &mut Option<Node> {
        let found = self.nodes.iter_mut().find(|(known, _)| *known == node);
        &mut found.expect("a node of the cluster").1
    }

    /// The process of the node is killed.
    pub(crate) fn kill(&mut self, node: u8) {
        *self.slot(node) = None;
    }

    /// The node does a controlled shutdown and ends.
    pub(crate) fn stop(&mut self, node: u8) {
        let running = self.slot(node).take();
        running.expect("it runs").stop();
    }

    /// The process of the node is started, unless it runs.
    pub(crate) fn restart(&mut self, node: u8) {
        let properties = self.properties_of(node);
        let slot = self.slot(node);
        if slot.is_none() {
            *slot = Some(Node::start(&properties, CLUSTER_ID));
        }
    }

    /// The application.
    pub(crate) fn client(&mut self) -> &mut Client {
        self.client.as_mut().expect("it runs")
    }

    /// The process of the application is killed, and another one started.
    pub(crate) fn restart_client(&mut self) {
        self.client = None;
        self.client = Some(Client::start(&self.servers));
    }

    /// What stands between everybody.
    pub(crate) fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    /// The leader of a partition, if there is one, and its in-sync replicas, as a broker knows them.
    pub(crate) fn describe(&mut self, topic: &str, partition: usize) -> Option<(u64, Vec<u64>)> {
        let found = self.client().attempt(&json!({ "do": "describe", "topic": topic })).ok()?;
        let found = &found["partitions"][partition];
        let isr = found["isr"].as_array()?.iter().filter_map(Value::as_u64).collect();
        Some((found["leader"].as_u64()?, isr))
    }

    /// Waits until nobody leads a partition, as a live broker knows it.
    pub(crate) fn wait_leaderless(&mut self, topic: &str, partition: usize) {
        let describe = json!({ "do": "describe", "topic": topic });
        wait_until(&format!("{topic} without a leader"), || {
            let found = self.client().attempt(&describe).unwrap_or_default();
            found["partitions"][partition]["leader"] == -1
        });
    }

    /// Waits until these and no others are in sync.
    pub(crate) fn wait_in_sync(&mut self, topic: &str, partition: usize, expected: &[u64]) {
        wait_until(&format!("{topic} in sync on {expected:?}"), || {
            self.describe(topic, partition).is_some_and(|(_, isr)| isr == expected)
        });
    }

    /// Starts what is down, and waits until all brokers are in sync.
    pub(crate) fn wait_whole(&mut self) {
        for broker in BROKERS {
            self.restart(broker);
        }
        self.wait_in_sync(CANARY, 0, &BROKERS.map(u64::from));
    }

    /// The messages in a replica's log, by offset.
    pub(crate) fn replica(&mut self, broker: u8, topic: &str, partition: usize) -> Vec<u64> {
        let directory =
            self.directory.join(broker.to_string()).join(format!("{topic}-{partition}"));
        let answer = self.client().ask(&json!({ "do": "replica", "directory": directory }));
        let log = answer["log"].as_array().expect("a log");
        log.iter().filter_map(Value::as_u64).collect()
    }

    /// Nothing goes from one node to the other, in both directions, until the rules are changed.
    pub(crate) fn cut(&self, one: u8, other: u8) -> Vec<RuleId> {
        self.between(one, other, Fate::Hold)
    }

    /// Everything between two nodes takes so many milliseconds.
    pub(crate) fn slow(&self, one: u8, other: u8, milliseconds: u64) {
        self.between(one, other, Fate::Delay(milliseconds));
    }

    fn between(&self, one: u8, other: u8, fate: Fate) -> Vec<RuleId> {
        let to = |from, to| self.from(Some(Source::Node(from)), to, fate);
        [to(one, other), to(other, one)].concat()
    }

    /// Clients reach the node no more.
    pub(crate) fn cut_from_clients(&self, node: u8) -> Vec<RuleId> {
        self.from(None, node, Fate::Hold)
    }

    fn from(&self, source: Option<Source>, node: u8, fate: Fate) -> Vec<RuleId> {
        let of = |way| {
            let (source, target) = (source.clone(), Some(node));
            let pattern = Pattern { source, target, api: None, way, first: 1, last: u32::MAX };
            self.proxy.rule(pattern, fate)
        };
        [Way::Request, Way::Response].map(of).to_vec()
    }

    /// The same for a set of rules.
    pub(crate) fn set(&self, rules: &[RuleId], fate: Fate) {
        for rule in rules {
            self.proxy.set(*rule, fate);
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.client = None;
        self.nodes.clear();
        // If it stays, nobody can do more about it here.
        let _stays = fs::remove_dir_all(&self.directory);
    }
}
