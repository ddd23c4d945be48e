//! Sizes of records and batches in format v2, byte for byte.
//!
//! Kafka: common/record/internal/DefaultRecord, DefaultRecordBatch, AbstractRecords.

/// Bytes of a batch before its first record: baseOffset 8, batchLength 4, partitionLeaderEpoch 4,
/// magic 1, crc 4, attributes 2, lastOffsetDelta 4, baseTimestamp 8, maxTimestamp 8, producerId 8,
/// producerEpoch 2, baseSequence 4, recordCount 4.
pub const BATCH_OVERHEAD: u32 = 61;

/// Upper bound of what a record takes besides key, value and headers.
/// Kafka: DefaultRecord.MAX_RECORD_OVERHEAD.
pub const RECORD_OVERHEAD_MAX: u32 = 21;

/// Bytes of a signed number as a zig-zag varint: one for each started seven bits.
#[inline]
pub const fn varint_size(number: i64) -> u32 {
    let zigzag = ((number << 1) ^ (number >> 63)) as u64;
    (70 - (zigzag | 1).leading_zeros()) / 7
}

/// The key, value and headers of a record, as far as sizes go. All records of one shape take the
/// same bytes but for their place in the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RecordShape {
    /// Bytes of key, value and headers with their lengths: `S` in the formulas.
    payload: u32,
}

impl RecordShape {
    /// From the lengths of key and value (`None` is null) and of each header's key and value.
    pub fn new(key: Option<u32>, value: Option<u32>, headers: &[(u32, Option<u32>)]) -> Self {
        let header_bytes: u32 =
            headers.iter().map(|(key, value)| field_size(Some(*key)) + field_size(*value)).sum();
        Self {
            payload: field_size(key)
                + field_size(value)
                + varint_size(headers.len() as i64)
                + header_bytes,
        }
    }

    /// A record without headers.
    pub fn plain(key: Option<u32>, value: Option<u32>) -> Self {
        Self::new(key, value, &[])
    }

    /// The size of the record at `offset_delta` in its batch, `timestamp_delta` milliseconds from
    /// the batch's first. Kafka: DefaultRecord.sizeInBytes.
    #[inline]
    pub const fn record_size(self, offset_delta: u32, timestamp_delta: i64) -> u32 {
        let body =
            1 + varint_size(offset_delta as i64) + varint_size(timestamp_delta) + self.payload;
        varint_size(body as i64) + body
    }

    /// The size of `count` such records in a row, from `offset_delta` on, at one timestamp.
    pub fn run_size(self, offset_delta: u32, timestamp_delta: i64, count: u32) -> u64 {
        let (mut bytes, mut at, end) =
            (0, u64::from(offset_delta), u64::from(offset_delta) + u64::from(count));
        while at < end {
            let zone_end = next_varint_step(at).min(end);
            bytes += (zone_end - at) * u64::from(self.record_size(at as u32, timestamp_delta));
            at = zone_end;
        }
        bytes
    }

    /// How many such records fit in `room` bytes, from `offset_delta` on, and what they take.
    pub fn run_that_fits(
        self,
        offset_delta: u32,
        timestamp_delta: i64,
        count: u32,
        room: u64,
    ) -> (u32, u64) {
        let (mut fitting, mut bytes) = (0_u64, 0_u64);
        let (start, end) = (u64::from(offset_delta), u64::from(offset_delta) + u64::from(count));
        while start + fitting < end {
            let at = start + fitting;
            let zone = next_varint_step(at).min(end) - at;
            let each = u64::from(self.record_size(at as u32, timestamp_delta));
            let here = ((room - bytes) / each).min(zone);
            fitting += here;
            bytes += here * each;
            if here < zone {
                break;
            }
        }
        (fitting as u32, bytes)
    }

    /// The size of a batch with this one record, as an upper bound before it is written.
    /// Kafka: AbstractRecords.estimateSizeInBytesUpperBound.
    #[inline]
    pub const fn upper_bound(self) -> u32 {
        BATCH_OVERHEAD + RECORD_OVERHEAD_MAX + self.payload
    }
}

/// The first number above `number` whose varint is longer, for numbers of an offset delta.
const fn next_varint_step(number: u64) -> u64 {
    // A zig-zag varint of n bytes holds numbers below 2^(7n - 1).
    1 << (7 * varint_size(number as i64) - 1)
}

/// Bytes of a field with its length; null has the length -1.
fn field_size(length: Option<u32>) -> u32 {
    length.map_or(1, |length| varint_size(i64::from(length)) + length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value(bytes: u32) -> RecordShape {
        RecordShape::plain(None, Some(bytes))
    }

    #[test]
    fn varints_grow_at_powers_of_128() {
        for (number, size) in [
            (0, 1),
            (63, 1),
            (-64, 1),
            (64, 2),
            (-65, 2),
            (8_191, 2),
            (8_192, 3),
            (1_048_575, 3),
            (1_048_576, 4),
            (134_217_727, 4),
            (134_217_728, 5),
            (i64::MAX, 10),
            (i64::MIN, 10),
        ] {
            assert_eq!(varint_size(number), size, "{number}");
        }
    }

    #[test]
    fn records_have_the_sizes_of_the_format() {
        assert_eq!(RecordShape::plain(None, None).record_size(0, 0), 7);
        for (bytes, size) in [(0, 7), (10, 17), (100, 109), (1_000, 1_009)] {
            assert_eq!(value(bytes).record_size(0, 0), size, "{bytes} bytes");
        }
        assert_eq!(RecordShape::plain(Some(10), Some(1_000)).record_size(0, 0), 1_019);
        assert_eq!(RecordShape::new(Some(3), Some(5), &[(2, Some(4))]).record_size(0, 0), 23);
        assert_eq!(value(100).upper_bound(), 186);
        assert_eq!(value(1_000).upper_bound(), 1_086);
    }

    #[test]
    fn the_place_in_the_batch_costs_a_byte_from_64_on() {
        let shape = value(10);
        assert_eq!(shape.record_size(63, 63), 17);
        assert_eq!(shape.record_size(63, -64), 17);
        assert_eq!(shape.record_size(64, 0), 18);
        assert_eq!(shape.record_size(0, 64), 18);
        assert_eq!(shape.record_size(0, -65), 18);
    }

    #[test]
    fn a_default_batch_holds_so_many_records() {
        for (bytes, records, size) in [
            (10, 910, 16_377),
            (100, 148, 16_277),
            (200, 78, 16_377),
            (500, 32, 16_349),
            (1_000, 16, 16_205),
        ] {
            let room = u64::from(16_384 - BATCH_OVERHEAD);
            let (count, used) = value(bytes).run_that_fits(0, 0, u32::MAX, room);
            assert_eq!((count, used), (records, size - u64::from(BATCH_OVERHEAD)), "{bytes} bytes");
        }
    }

    #[test]
    fn the_largest_value_that_passes_max_request_size() {
        assert_eq!(value(1_048_489).upper_bound(), 1_048_576);
        assert_eq!(BATCH_OVERHEAD + value(1_048_489).record_size(0, 0), 1_048_561);
        // An oversized first record: the batch is 15 bytes short of its write limit.
        assert_eq!(BATCH_OVERHEAD + value(20_000).record_size(0, 0), 20_072);
        assert_eq!(value(20_000).upper_bound(), 20_087);
    }

    proptest! {
        #[test]
        fn runs_are_sums_of_records(
            bytes in 0..300_u32, from in 0..20_000_u32, count in 0..300_u32, delta in -100..100_i64,
            room in 0..30_000_u64,
        ) {
            let shape = value(bytes);
            let sizes: Vec<u64> = (from..from + count)
                .map(|at| u64::from(shape.record_size(at, delta)))
                .collect();
            prop_assert_eq!(shape.run_size(from, delta, count), sizes.iter().sum::<u64>());
            let mut used = 0;
            let fitting = sizes
                .iter()
                .take_while(|size| { let fits = used + *size <= room; used += if fits { **size } else { 0 }; fits })
                .count();
            prop_assert_eq!(shape.run_that_fits(from, delta, count, room), (fitting as u32, used));
        }
    }
}
