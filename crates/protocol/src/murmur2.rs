//! The hash that the Java client spreads keys with. Kafka: common/utils/Utils.murmur2.

/// Murmur2, 32 bits, with the seed that Kafka uses. The result is Java's signed int.
pub fn murmur2(key: &[u8]) -> i32 {
    const M: u32 = 0x5bd1_e995;
    const SEED: u32 = 0x9747_b28c;
    let mut hash = SEED ^ key.len() as u32;
    let (words, tail) = key.as_chunks::<4>();
    for word in words {
        let mut k = u32::from_le_bytes(*word).wrapping_mul(M);
        k = (k ^ (k >> 24)).wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ k;
    }
    if !tail.is_empty() {
        for (place, byte) in tail.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * place);
        }
        hash = hash.wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(M);
    (hash ^ (hash >> 15)) as i32
}

/// The partition of a key, by its hash, among all `partitions` of a topic, available or not.
/// Kafka: BuiltInPartitioner.partitionForKey.
pub fn partition_for_key(key: &[u8], partitions: u16) -> u16 {
    let positive = murmur2(key) & i32::MAX;
    (positive % i32::from(partitions)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_java_client() {
        for (key, hash) in [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("abc", 479_470_107),
            ("a-little-bit-long-string", -985_981_536),
            ("", 275_646_681),
            ("key", -1_079_937_367),
            ("k0", -704_538_303),
            ("k1", 1_684_045_097),
            ("k2", 380_483_553),
            ("k3", 1_676_809_936),
        ] {
            assert_eq!(murmur2(key.as_bytes()), hash, "{key:?}");
        }
    }

    #[test]
    fn keys_go_to_their_partitions() {
        for (key, of_3, of_6, of_10) in [
            ("k0", 2, 5, 5),
            ("k1", 2, 5, 7),
            ("k2", 0, 3, 3),
            ("k3", 1, 4, 6),
            ("abc", 0, 3, 7),
            ("key", 1, 1, 1),
            ("", 0, 3, 1),
        ] {
            let of = |partitions| partition_for_key(key.as_bytes(), partitions);
            assert_eq!((of(3), of(6), of(10)), (of_3, of_6, of_10), "{key:?}");
        }
    }
}
