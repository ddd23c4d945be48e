//! From a file to a setup.

use super::{EVERYTHING, load, loaded, story};
use inflight_des::{Delay, Instant, Ratio, Span};
use inflight_net::LossMode;
use inflight_protocol::config::{CompressionType, Partitioner};
use inflight_protocol::{Acks, BrokerId, Defect, Defects, FactKind, TopicPartition};
use inflight_scenario::{Options, load_text};
use inflight_sim::fault::{Action, Loss, Repeat, Test, When, Who};
use inflight_sim::setup::{Content, Ending, OnError, Resume, Style};

#[test]
fn a_small_story_has_kafkas_defaults() {
    let loaded = loaded(&story(r#""seed": 9"#));
    let setup = &loaded.setup;
    assert_eq!((loaded.title.as_str(), loaded.seed.value()), ("A story", 9));
    assert_eq!(setup.cluster.brokers, 3);
    assert!(setup.cluster.eligible_leader_replicas);
    let replicas = |number| setup.cluster.replicas(TopicPartition::new(number)).to_vec();
    assert_eq!(replicas(0), [1, 2, 3].map(BrokerId::new));
    assert_eq!(replicas(1), [2, 3, 1].map(BrokerId::new));
    let client = &setup.clients[0];
    assert_eq!(client.producer.as_ref().unwrap().config, Default::default());
    assert_eq!(client.bootstrap, [1, 2, 3].map(BrokerId::new));
    assert_eq!(client.resume, Resume::FirstUnacked);
    let thread = &client.threads[0];
    assert_eq!((thread.messages, thread.burst), (3, 1));
    assert_eq!((thread.style, thread.on_error), (Style::Callback, OnError::GiveUp));
    assert_eq!((thread.ending, thread.start), (Ending::Close, Span::ZERO));
    assert_eq!(thread.every, Delay::Constant(Span::ZERO));
    assert_eq!(setup.network.links.delay, Delay::Constant(Span::from_micros(250)));
    assert!(loaded.expectations.is_empty());
    assert!(loaded.warnings.is_empty());
    assert!(loaded.fix.is_none());
}

#[test]
fn a_description_says_what_promises_depend_on() {
    let text = r#"{
      "title": "A pipeline",
      "cluster": { "brokers": 3, "config": {
        "transaction.partition.verification.enable": false,
        "transaction.abort.timed.out.transaction.cleanup.interval.ms": 2000
      } },
      "topics": [{ "name": "in", "replication": 3 }, { "name": "out", "replication": 3 }],
      "producers": [{ "name": "p1", "workload": [{ "topic": "in", "records": 1 }] }],
      "consumers": [
        {
          "name": "app",
          "config": { "group.id": "g", "enable.auto.commit": false },
          "topics": ["in"],
          "transform": { "to": "out", "config": { "transactional.id": "t" } }
        },
        { "name": "reader", "partitions": ["out-0"] }
      ]
    }"#;
    let description = loaded(text).description;
    assert_eq!(description.transaction_partition_verification_enable, Some(false));
    assert_eq!(description.transaction_cleanup_interval_ms, Some(2_000));
    let known = |topics: &Option<Vec<String>>| topics.clone().unwrap().join(",");
    let clients = description.clients.iter();
    let topics: Vec<_> = clients.map(|c| (known(&c.writes), known(&c.reads))).collect();
    let pair = |writes: &str, reads: &str| (writes.to_owned(), reads.to_owned());
    assert_eq!(topics, [pair("in", ""), pair("out", "in"), pair("", "out")]);
    let plain = loaded(&story("")).description;
    assert_eq!(plain.transaction_partition_verification_enable, None, "nobody has transactions");
}

#[test]
fn everything_is_lowered() {
    let loaded = loaded(EVERYTHING);
    let setup = &loaded.setup;
    assert_eq!(loaded.teaches, ["One sentence.", "Another."]);
    assert_eq!(setup.cluster.defects, Defects::NONE.with(Defect::ForgetDuplicates));
    assert_eq!(loaded.description.defects, ["forget-duplicates"]);
    let configs = &setup.cluster.broker_configs;
    assert_eq!(configs[1].num_io_threads, 1);
    assert_eq!(configs[1].append_time, Delay::Constant(Span::from_millis(5)));
    assert_eq!(configs[1].replica_lag_time_max, Span::from_secs(10));
    assert_eq!(configs[2].request_time, Delay::Constant(Span::from_millis(1)));
    let erlang = Delay::Erlang { shape: 4, mean: Span::from_micros(50) };
    assert_eq!(configs[0].append_time, erlang);
    assert_eq!(setup.cluster.topic_configs[0].min_insync_replicas, 2);
    assert_eq!(setup.cluster.topic_configs[1].flush_messages, 100, "the cluster's default");
    let replicas = |number| setup.cluster.replicas(TopicPartition::new(number)).to_vec();
    assert_eq!(replicas(2), [3, 4, 1].map(BrokerId::new));
    assert_eq!(replicas(3), [4, 1].map(BrokerId::new));
    let p1 = &setup.clients[0];
    assert_eq!(
        p1.producer.as_ref().unwrap().config.partitioner,
        Partitioner::Table(vec![("vip".to_owned(), 2)])
    );
    assert_eq!(p1.producer.as_ref().unwrap().config.compression_type, CompressionType::Zstd);
    assert_eq!(
        (p1.producer.as_ref().unwrap().compression_ratio, p1.resume),
        (0.25, Resume::NextUnsent)
    );
    assert_eq!(p1.threads[0].on_error, OnError::Resend { times: 2 });
    assert_eq!(p1.threads[0].ending, Ending::CloseWithin(Span::from_secs(5)));
    let Content::WeightedKeys(keys) = &p1.threads[0].content else { panic!("weighted keys") };
    assert_eq!((keys[0].0, keys[0].1.table, keys[1].1.table), (9, Some(2), None));
    assert!(matches!(p1.threads[1].content, Content::Partition(1, _)));
    assert_eq!(
        setup.clients[1].producer.as_ref().unwrap().config.partitioner,
        Partitioner::RoundRobin
    );
    assert_eq!(setup.budget.events, 1_000_000);
    assert_eq!(setup.settle, Span::from_secs(30));
}

#[test]
fn links_are_numbered_like_nodes() {
    let setup = loaded(EVERYTHING).setup;
    let network = &setup.network;
    assert_eq!(network.mode, LossMode::Retransmit);
    assert_eq!(network.links.loss, Ratio::new(1, 10_000).map(|_| network.links.loss).unwrap());
    let (controller, b1, p1) = (0, 1, 5);
    assert_eq!(setup.node_names()[p1 as usize], "p1");
    for (from, to) in [(p1, b1), (b1, p1)] {
        let link = network.link(from, to);
        assert_eq!(link.delay, Delay::Constant(Span::from_millis(2)));
        assert_eq!(link.bandwidth, Some(100_000_000));
        assert_eq!(link.retransmission_timeout, Span::from_millis(200));
    }
    let slow = Span::from_secs(1);
    assert_eq!(network.link(b1, controller).retransmission_timeout, slow);
    assert_ne!(network.link(controller, b1).retransmission_timeout, slow);
    assert_eq!(network.link(2, 3).bandwidth, Some(125_000_000));
}

#[test]
fn a_next_message_is_a_rule_of_its_own() {
    let text = story(
        r#""faults": [
          { "when": { "at": "1s" }, "then": [
            { "crash": "b1" },
            { "lose": { "next": "response", "from": "leader of orders-1", "to": "p1" }, "connection": "silent" },
            { "delay": { "next": "request", "api": "any", "nth": 2 }, "by": "5ms" } ] },
          { "when": { "happened": "RecordsAcked", "nth": 2, "repeat": "always" },
            "then": { "lose": { "next": "request", "api": "Metadata" } } }
        ]"#,
    );
    let faults = loaded(&text).setup.faults;
    assert_eq!(faults.len(), 5);
    assert_eq!(faults[0].when, When::At(Instant::from_nanos(1_000_000_000)));
    assert_eq!(faults[0].then[1..], [Action::Arm { rule: 2 }, Action::Arm { rule: 3 }]);
    let When::Happened { nth: 2, repeat: Repeat::Always, .. } = faults[1].when else {
        panic!("{:?}", faults[1].when)
    };
    assert_eq!(faults[1].then, [Action::Arm { rule: 4 }]);
    assert_eq!(faults[2].then, [Action::Lose { how: Loss::Silence }]);
    let When::Armed { pattern, nth: 1 } = &faults[2].when else { panic!("{:?}", faults[2].when) };
    assert_eq!(pattern.kind, FactKind::MessageSent);
    assert_eq!(pattern.tests.len(), 4);
    assert!(pattern.tests.contains(&(0, Test::IsLeaderOf(TopicPartition::new(1)))));
    let When::Armed { pattern, nth: 2 } = &faults[3].when else { panic!("{:?}", faults[3].when) };
    assert_eq!(pattern.tests.len(), 1, "any api, from anybody, to anybody");
}

#[test]
fn people_are_found() {
    let text = story(
        r#""faults": [{ "when": { "happened": "BatchAppended" }, "then": [
          { "crash": "b2" }, { "crash": "p1" }, { "crash": "leader of orders-0" },
          { "crash": "follower of orders-0" }, { "crash": "second follower of orders-1" },
          { "crash": "the broker" }, { "crash": "any broker" }, { "isolate": "controller" } ] }]"#,
    );
    let who = |action: &Action| match action {
        Action::Crash { who, .. } | Action::Cut { from: Some(who), .. } => *who,
        other => panic!("{other:?}"),
    };
    let found: Vec<Who> = loaded(&text).setup.faults[0].then.iter().map(who).collect();
    let partition = TopicPartition::new;
    assert_eq!(found[0], Who::Broker(BrokerId::new(2)));
    assert!(matches!(found[1], Who::Client(_)));
    assert_eq!(found[2], Who::LeaderOf(partition(0)));
    assert_eq!(found[3], Who::FollowerOf(partition(0), 0));
    assert_eq!(found[4], Who::FollowerOf(partition(1), 1));
    assert_eq!(found[5..], [Who::Subject, Who::AnyBroker, Who::Controller]);
}

#[test]
fn a_fix_changes_what_it_says_and_nothing_else() {
    let text = story(
        r#""expect": { "verdict": "allowed" },
           "fix": { "why": "It helps.", "set": { "acks": 0, "network.latency": "5ms" }, "expect": { "verdict": "ok" } }"#,
    );
    let loaded = loaded(&text);
    let fix = loaded.fix.as_deref().unwrap();
    let pairs = [("acks", "0"), ("network.latency", "5ms")];
    assert_eq!(fix.changes, pairs.map(|(key, value)| (key.to_owned(), value.to_owned())));
    let (own, twin) = (&loaded.setup, &fix.scenario.setup);
    assert_eq!(own.clients[0].producer.as_ref().unwrap().config.acks, Acks::All);
    assert_eq!(twin.clients[0].producer.as_ref().unwrap().config.acks, Acks::None);
    assert_eq!(twin.network.links.delay, Delay::Constant(Span::from_millis(5)));
    assert_eq!(own.clients[0].threads.len(), twin.clients[0].threads.len());
    assert_eq!(fix.scenario.expectations.verdict, [inflight_check::Verdict::Ok]);
    assert_eq!(loaded.clone().with_seed(5).fix.unwrap().scenario.seed.value(), 5);
}

#[test]
fn overrides_come_last_and_point_at_themselves() {
    let text = story(r#""network": { "latency": "1ms" }"#);
    let with = |overrides: &[&str]| {
        let overrides = overrides.iter().map(|text| (*text).to_owned()).collect();
        load_text("story.json", &text, &Options { overrides, ..Options::default() })
    };
    let loaded = with(&["network.latency=9ms", "acks=1", "enable.idempotence=false"]).unwrap();
    assert_eq!(loaded.setup.network.links.delay, Delay::Constant(Span::from_millis(9)));
    assert_eq!(loaded.setup.clients[0].producer.as_ref().unwrap().config.acks, Acks::Leader);
    let wrong = with(&["seed=2", "p1.acks=most", "network.latency=9"]).unwrap_err();
    let text = wrong.to_string();
    assert!(text.contains("--set:1:9 (producers[0].config.acks)"), "{text}");
    assert!(text.contains("--set:1:17 (network.latency)"), "{text}");
}

#[test]
fn a_properties_file_is_read_as_it_is() {
    let directory =
        std::env::temp_dir().join(format!("inflight-properties-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let file =
        "# from production\nacks = all\nlinger.ms=20\nbootstrap.servers=kafka:9092\nmy.own=1\n";
    std::fs::write(directory.join("producer.properties"), file).unwrap();
    let text = story(r#""seed": 1"#);
    let own = r#""name": "p1", "properties": "producer.properties", "config": { "linger.ms": 7 }"#;
    let text = text.replace(r#""name": "p1""#, own);
    let options = Options { directory: Some(directory.clone()), ..Options::default() };
    let loaded = load_text("story.json", &text, &options).unwrap();
    assert_eq!(loaded.setup.clients[0].producer.as_ref().unwrap().config.linger_ms, 7);
    let warnings = loaded.warnings.to_string();
    assert!(warnings.contains("unknown key \"my.own\""), "{warnings}");
    std::fs::write(directory.join("producer.properties"), "linger.ms=7\nacks=most\n").unwrap();
    let wrong = load_text("story.json", &text, &options).unwrap_err().to_string();
    assert!(wrong.contains("producer.properties:2:6 (acks)"), "{wrong}");
    std::fs::remove_dir_all(&directory).unwrap();
    assert!(load(&text).unwrap_err().to_string().contains("without a directory"));
}

#[test]
fn internal_topics_have_their_own_settings() {
    let replicas = |config: &str| {
        let text = format!(
            r#"{{ "title": "t", "cluster": {{ "brokers": 4{config} }},
              "topics": [{{ "name": "t", "replication": 1 }}],
              "producers": [{{ "name": "p", "config": {{ "transactional.id": "id" }},
                "workload": [{{ "topic": "t", "records": 1, "transactions": {{ "records": 1 }} }}] }}],
              "consumers": [{{ "name": "c", "topics": ["t"], "config": {{ "group.id": "g" }} }}] }}"#
        );
        let cluster = loaded(&text).setup.cluster;
        let of = |(_, partition): &(String, TopicPartition)| {
            (cluster.replicas(*partition).len(), cluster.effective_min_isr(*partition))
        };
        (of(&cluster.coordinated.transactional_ids[0]), of(&cluster.coordinated.groups[0]))
    };
    assert_eq!(replicas(""), ((3, 2), (3, 1)), "Kafka's defaults");
    let own = r#", "config": { "transaction.state.log.replication.factor": 4,
        "transaction.state.log.min.isr": 3, "offsets.topic.replication.factor": 2 }"#;
    assert_eq!(replicas(own), ((4, 3), (2, 1)));
    let large = r#", "config": { "transaction.state.log.replication.factor": 9 }"#;
    assert_eq!(replicas(large).0, (4, 2), "no more than there are brokers");
}
