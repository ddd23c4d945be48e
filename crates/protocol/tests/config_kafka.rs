//! What a real KafkaProducer of 4.1.0 made of the same settings: `config_kafka/Record.java`.

use inflight_protocol::ProducerConfig;
use inflight_protocol::config::{ConfigError, Raised, Settings};

const RECORDED: &str = include_str!("config_kafka/kafka-4.1.0.txt");

fn settings(line: &str) -> Settings {
    line.split("  ").map(|setting| setting.split_once('=').expect("key and value")).collect()
}

/// How a Java client meets the first of these errors; `None` if only the simulator objects.
fn met(errors: &[ConfigError]) -> Option<&'static str> {
    let any = |raised: Raised| errors.iter().any(|error| error.raised == raised);
    match () {
        () if any(Raised::Raw) => Some("raw"),
        () if any(Raised::Wrapped) => Some("wrapped"),
        () => None,
    }
}

fn differences(config: &ProducerConfig) -> String {
    let mut differences = config.differences_from_default();
    // The recorder does not write it down.
    differences.retain(|difference| difference.key != "transactional.id");
    if differences.is_empty() {
        return "(defaults)".to_owned();
    }
    let texts: Vec<_> = differences.iter().map(|d| format!("{}={}", d.key, d.value)).collect();
    texts.join("  ")
}

#[test]
fn settings_come_to_what_kafka_makes_of_them() {
    let (mut refused, mut taken, mut objected) = (0, 0, 0);
    for line in RECORDED.lines() {
        let (given, recorded) = line.split_once(" => ").expect("settings and answer");
        match ProducerConfig::from_settings(&settings(given)) {
            Ok(configured) => {
                taken += 1;
                assert_eq!(differences(&configured.config), recorded, "{given}");
            }
            Err(errors) => match met(&errors) {
                Some(ours) => {
                    refused += 1;
                    assert_eq!(ours, recorded, "{given}: {errors:?}");
                }
                None => {
                    objected += 1;
                    assert!(recorded != "raw" && recorded != "wrapped", "{given}: {errors:?}");
                }
            },
        }
    }
    assert!(refused > 100 && taken > 50 && objected >= 10, "{refused} {taken} {objected}");
}
