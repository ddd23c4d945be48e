//! Sizes of batches, and where keys go.

use crate::generate::Dice;
use inflight_protocol::murmur2::{murmur2, partition_for_key};
use inflight_protocol::record_size::{BATCH_OVERHEAD, RecordShape};
use serde_json::{Value, json};

/// The line that the Java program `Sizes` reads, from a seed.
pub(crate) fn script(seed: u64, records_max: u64) -> Value {
    let mut dice = Dice::new(seed, "conformance sizes");
    let count = 1 + dice.below(records_max);
    let mut timestamp = 0_i64;
    let mut records = Vec::new();
    for index in 0..count {
        if index > 0 {
            let size = dice.one_of(&[1, 100, 20_000, 3_000_000_000]);
            timestamp += dice.below(2 * size) as i64 - (size / 2) as i64;
        }
        let (key, value) = (length(&mut dice), length(&mut dice));
        let headers = dice.one_of(&[0, 0, 0, 1, 3]);
        let headers: Vec<Value> =
            (0..headers).map(|_| json!([dice.below(70), length(&mut dice)])).collect();
        records.push(json!([timestamp, key, value, headers]));
    }
    let key: Vec<String> =
        (0..dice.below(24)).map(|_| format!("{:02x}", dice.below(256))).collect();
    let partitions = 1 + dice.below(200);
    json!({ "records": records, "key": key.concat(), "partitions": partitions })
}

/// A length around which varints grow, or null.
fn length(dice: &mut Dice) -> Option<u64> {
    let around = dice.one_of(&[0, 1, 10, 62, 100, 8_188]);
    (dice.below(6) != 0).then(|| around + dice.below(6))
}

/// What the Java program would print.
pub(crate) fn answer(script: &Value) -> Option<Value> {
    let records = script["records"].as_array()?;
    let first_timestamp = records.first()?[0].as_i64()?;
    let mut bytes = u64::from(BATCH_OVERHEAD);
    for (index, record) in records.iter().enumerate() {
        let delta = record[0].as_i64()? - first_timestamp;
        bytes += u64::from(shape(record)?.record_size(index as u32, delta));
    }
    let key = script["key"].as_str()?;
    let digits = (0..key.len()).step_by(2).map(|at| u8::from_str_radix(&key[at..at + 2], 16));
    let key: Vec<u8> = digits.collect::<Result<_, _>>().ok()?;
    let partitions = u16::try_from(script["partitions"].as_u64()?).ok()?;
    Some(json!({
        "bytes": bytes,
        "upper_bound": shape(&records[0])?.upper_bound(),
        "hash": murmur2(&key),
        "partition": partition_for_key(&key, partitions),
    }))
}

fn shape(record: &Value) -> Option<RecordShape> {
    let length = |json: &Value| json.as_u64().map(|length| length as u32);
    let headers = record[3].as_array()?.iter();
    let headers: Option<Vec<_>> =
        headers.map(|header| Some((length(&header[0])?, length(&header[1])))).collect();
    Some(RecordShape::new(length(&record[1]), length(&record[2]), &headers?))
}
