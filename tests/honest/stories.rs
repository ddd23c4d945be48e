//! Scenarios at random, as texts, so that one that fails can be saved and run as it is.

use proptest::prelude::*;

/// How bad things get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weather {
    /// Processes die and come back, links are cut, messages are lost.
    Rough,
    /// Machines lose power too, and topics permit unclean elections.
    Harsh,
}

/// One of these texts.
fn text(choices: &'static [&'static str]) -> impl Strategy<Value = String> {
    proptest::sample::select(choices).prop_map(str::to_owned)
}

fn span() -> impl Strategy<Value = String> {
    text(&["1ms", "60ms", "900ms", "7s", "25s"])
}

fn who(brokers: u8) -> impl Strategy<Value = String> {
    prop_oneof![
        3 => (1..=brokers).prop_map(|id| format!("b{id}")),
        3 => Just("leader of orders-0".to_owned()),
        1 => Just("any broker".to_owned()),
    ]
}

/// Anybody: a broker, a producer, the controller.
fn anybody(brokers: u8) -> impl Strategy<Value = String> {
    prop_oneof![4 => who(brokers), 1 => text(&["p1"]), 1 => text(&["controller"])]
}

/// A message of a producer's connection.
fn message() -> impl Strategy<Value = String> {
    let direction = text(&["request", "response"]);
    let api = prop_oneof![4 => Just("Produce".to_owned()), 1 => text(&["InitProducerId", "any"])];
    (direction, api, 1..4_u8).prop_map(|(direction, api, nth)| {
        format!(r#"{{ "next": "{direction}", "api": "{api}", "nth": {nth} }}"#)
    })
}

/// Errors that a broker may have before it appends, and after.
fn answer() -> impl Strategy<Value = String> {
    let before = text(&[
        "NOT_LEADER_OR_FOLLOWER",
        "NOT_ENOUGH_REPLICAS",
        "KAFKA_STORAGE_ERROR",
        "UNKNOWN_SERVER_ERROR",
    ]);
    let after = text(&[
        "NOT_LEADER_OR_FOLLOWER",
        "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
        "REQUEST_TIMED_OUT",
        "UNKNOWN_SERVER_ERROR",
    ]);
    let answer = |when: &'static str| {
        move |error| {
            let request = r#"{ "next": "request" }"#;
            format!(r#"{{ "answer": {request}, "error": "{error}", "when": "{when}-append" }}"#)
        }
    };
    prop_oneof![before.prop_map(answer("before")), after.prop_map(answer("after"))]
}

fn action(brokers: u8, weather: Weather) -> impl Strategy<Value = String> {
    let harsh = weather == Weather::Harsh;
    let crash = (who(brokers), any::<bool>(), span(), 0..10_u8);
    let crash = crash.prop_map(move |(who, power, back, odds)| {
        let how = if harsh && power { "power-loss" } else { "crash" };
        match odds {
            0 => format!(r#"{{ "{how}": "{who}" }}"#),
            _ => format!(r#"{{ "{how}": "{who}", "restart-after": "{back}" }}"#),
        }
    });
    let shut_down = (who(brokers), span()).prop_map(|(who, back)| {
        format!(r#"{{ "shut-down": "{who}", "restart-after": "{back}" }}"#)
    });
    let restart =
        span().prop_map(|back| format!(r#"{{ "crash": "p1", "restart-after": "{back}" }}"#));
    let pause = (prop_oneof![3 => who(brokers), 1 => text(&["p1"])], span())
        .prop_map(|(who, span)| format!(r#"{{ "pause": "{who}", "for": "{span}" }}"#));
    let cut = (anybody(brokers), text(&["one", "both"]), span()).prop_map(|(who, ways, span)| {
        format!(r#"{{ "cut": "{who}", "ways": "{ways}", "heal-after": "{span}" }}"#)
    });
    let split = (1..=brokers, 1..=brokers, span()).prop_map(|(from, to, span)| {
        let to = if from == to { "controller".to_owned() } else { format!("b{to}") };
        format!(r#"{{ "cut": {{ "from": "b{from}", "to": "{to}" }}, "heal-after": "{span}" }}"#)
    });
    let reset = anybody(brokers).prop_map(|who| format!(r#"{{ "reset": "{who}" }}"#));
    let slow = (text(&["slow", "slow-disk"]), who(brokers), span())
        .prop_map(|(how, who, by)| format!(r#"{{ "{how}": "{who}", "by": "{by}", "for": "2s" }}"#));
    let lose = (message(), text(&["reset", "silent"]))
        .prop_map(|(next, how)| format!(r#"{{ "lose": {next}, "connection": "{how}" }}"#));
    let delay = (message(), span())
        .prop_map(|(next, by)| format!(r#"{{ "delay": {next}, "by": "{by}" }}"#));
    let elect = Just(r#"{ "elect": "orders-0" }"#.to_owned());
    prop_oneof![
        5 => crash,
        1 => shut_down,
        1 => restart,
        2 => pause,
        2 => cut,
        2 => split,
        1 => reset,
        1 => slow,
        3 => lose,
        1 => delay,
        2 => answer(),
        1 => elect,
    ]
}

fn fault(brokers: u8, weather: Weather) -> impl Strategy<Value = String> {
    const KINDS: &[&str] = &[
        "BatchDrained",
        "BatchAppended",
        "HighWatermarkAdvanced",
        "RecordsAcked",
        "BatchRequeued",
        "IsrChanged",
        "LeaderElected",
        "LogTruncated",
    ];
    let at = (0..3_000_u32).prop_map(|at| format!(r#""when": {{ "at": "{at}ms" }}"#));
    let happened = (text(KINDS), 1..12_u32, any::<bool>(), span());
    let happened = happened.prop_map(|(kind, nth, late, span)| {
        let when = format!(r#""when": {{ "happened": "{kind}", "nth": {nth} }}"#);
        if late { format!(r#"{when}, "after": "{span}""#) } else { when }
    });
    let every = (1..5_u32).prop_map(|limit| {
        let every = r#"{ "uniform": ["20ms", "2s"] }"#;
        format!(r#""when": {{ "every": {every}, "limit": {limit} }}"#)
    });
    let when = prop_oneof![2 => at, 4 => happened, 1 => every];
    (when, action(brokers, weather))
        .prop_map(|(when, action)| format!(r#"{{ {when}, "then": {action} }}"#))
}

prop_compose! {
    fn producer_config()(
        acks in text(&["0", "1", "\"all\"", "\"all\"", "\"all\"", "\"all\""]),
        idempotence in proptest::bool::weighted(0.7),
        retries in text(&["0", "3", "2147483647", "2147483647", "2147483647"]),
        in_flight in 1..=5_u8,
        linger in text(&["0", "5", "20"]),
        batch_size in text(&["0", "500", "16384"]),
        request_timeout in proptest::sample::select(&[300_u32, 2_000, 30_000][..]),
        patience in proptest::sample::select(&[100_u32, 5_000, 90_000, 90_000][..]),
        max_block in text(&["500", "20000"]),
    ) -> String {
        let idempotence = idempotence && acks.len() > 1 && retries != "0";
        format!(
            r#""acks": {acks}, "enable.idempotence": {idempotence}, "retries": {retries},
      "max.in.flight.requests.per.connection": {in_flight}, "linger.ms": {linger},
      "batch.size": {batch_size}, "request.timeout.ms": {request_timeout},
      "delivery.timeout.ms": {}, "max.block.ms": {max_block}"#,
            request_timeout + 20 + patience
        )
    }
}

prop_compose! {
    fn thread()(
        records in 1..40_u32,
        every in text(&["0ms", "1ms", "30ms", "400ms"]),
        start in text(&["0ms", "0ms", "500ms"]),
        burst in 1..4_u8,
        style in text(&["fire-and-forget", "callback", "sync"]),
        on_error in text(&["\"give-up\"", "{ \"resend\": 2 }"]),
        then in text(&["\"close\"", "\"close\"", "\"close\"", "\"flush\"", "\"exit\"",
            "{ \"close-within\": \"200ms\" }"]),
    ) -> String {
        format!(
            r#"{{ "topic": "orders", "records": {records}, "every": "{every}", "start": "{start}",
        "burst": {burst}, "style": "{style}", "on-error": {on_error}, "then": {then} }}"#
        )
    }
}

prop_compose! {
    fn producer()(
        config in producer_config(),
        threads in proptest::collection::vec(thread(), 1..=2),
        resume in text(&["first-unacked", "next-unsent"]),
    ) -> String {
        let threads = threads.join(",\n      ");
        format!(
            r#""config": {{ {config} }},
      "resume": "{resume}",
      "workload": [{threads}]"#
        )
    }
}

prop_compose! {
    fn cluster(brokers: u8, weather: Weather)(
        partitions in 1..=2_u8,
        replication in prop_oneof![1 => 1..=brokers, 2 => Just(brokers.min(3))],
        min_isr in 1..=2_u8,
        unclean in any::<bool>(),
        elr in any::<bool>(),
        lag in text(&["2000", "30000"]),
        session in text(&["1500", "9000"]),
    ) -> String {
        let min_isr = min_isr.min(replication);
        let unclean = unclean && weather == Weather::Harsh;
        format!(
            r#""cluster": {{
    "brokers": {brokers},
    "config": {{
      "replica.lag.time.max.ms": {lag}, "broker.session.timeout.ms": {session},
      "broker.heartbeat.interval.ms": 500
    }},
    "eligible.leader.replicas": {elr}
  }},
  "topics": [{{
    "name": "orders", "partitions": {partitions}, "replication": {replication},
    "config": {{
      "min.insync.replicas": {min_isr}, "unclean.leader.election.enable": {unclean}
    }}
  }}]"#
        )
    }
}

/// A scenario without planted defects.
pub(crate) fn scenario(weather: Weather) -> impl Strategy<Value = String> {
    let parts = move |brokers: u8| {
        let latency = text(&[
            "\"250us\"",
            "\"10ms\"",
            "{ \"uniform\": [\"50us\", \"5ms\"] }",
            "{ \"exponential\": \"1ms\", \"floor\": \"50us\" }",
        ]);
        let producers = proptest::collection::vec(producer(), 1..=2);
        let faults = proptest::collection::vec(fault(brokers, weather), 1..=7);
        let loss = text(&["0%", "0%", "1%"]);
        (cluster(brokers, weather), producers, faults, latency, loss, any::<u32>())
    };
    let brokers = prop_oneof![1 => 1..=2_u8, 4 => Just(3), 1 => Just(4)];
    brokers.prop_flat_map(parts).prop_map(|(cluster, producers, faults, latency, loss, seed)| {
        let numbered = producers.iter().enumerate();
        let named =
            numbered.map(|(index, rest)| format!(r#"{{ "name": "p{}", {rest} }}"#, index + 1));
        let producers = named.collect::<Vec<_>>().join(",\n    ");
        let faults = faults.join(",\n    ");
        format!(
            r#"{{
  "title": "at random",
  "seed": {seed},
  {cluster},
  "producers": [
    {producers}
  ],
  "network": {{ "latency": {latency}, "loss": "{loss}" }},
  "faults": [
    {faults}
  ],
  "limits": {{ "horizon": "20m" }}
}}"#
        )
    })
}
