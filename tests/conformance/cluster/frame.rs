//! Kafka's frames, as far as a proxy must understand them: whose, which request, and where it ends.

use std::io::{self, Read};

/// Requests that stories speak of, by the numbers of Kafka's protocol.
pub(crate) const PRODUCE: i16 = 0;

/// No frame of a story is anywhere near this long.
const BYTES_MAX: usize = 64 << 20;

/// Who sends the requests of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A broker, whether it fetches, beats or follows the metadata log.
    Node(u8),
    /// A client of this client.id.
    Client(String),
}

impl Source {
    /// Brokers are known by the client ids that they give themselves. Kafka:
    /// ReplicaFetcherManager, KafkaRaftManager, NodeToControllerChannelManagerImpl.
    fn of(client_id: &str) -> Self {
        let number = match client_id.strip_prefix("broker-") {
            Some(rest) => rest.split('-').next().unwrap_or_default(),
            None => client_id.strip_prefix("raft-client-").unwrap_or(client_id),
        };
        number.parse().map_or_else(|_| Self::Client(client_id.to_owned()), Self::Node)
    }
}

/// What a request says in its header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// Which request it is.
    pub(crate) api: i16,
    /// Its version.
    pub(crate) version: i16,
    /// Its number in the connection.
    pub(crate) correlation: i32,
    /// Who sends it.
    pub(crate) source: Source,
}

/// The next frame of a stream with its size in front, or `None` at its end.
pub(crate) fn read(stream: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut size = [0; 4];
    match stream.read_exact(&mut size) {
        Err(wrong) if wrong.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let bytes = usize::try_from(i32::from_be_bytes(size)).unwrap_or(usize::MAX);
    if bytes > BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "not a frame of Kafka's"));
    }
    let mut frame = vec![0; 4 + bytes];
    frame[..4].copy_from_slice(&size);
    stream.read_exact(&mut frame[4..])?;
    Ok(Some(frame))
}

/// The header of a request. Kafka: RequestHeader, whose first fields all versions share.
pub(crate) fn request(frame: &[u8]) -> Option<Request> {
    let (api, version, correlation) = (short(frame, 4)?, short(frame, 6)?, number(frame, 8)?);
    let length = usize::from(short(frame, 12)?.max(0).unsigned_abs());
    let client_id = String::from_utf8_lossy(frame.get(14..14 + length)?);
    Some(Request { api, version, correlation, source: Source::of(&client_id) })
}

/// The number of the request that a response is for. Kafka: ResponseHeader.
pub(crate) fn answered(frame: &[u8]) -> Option<i32> {
    number(frame, 4)
}

/// Where the error code of the one partition of a Produce response is, in versions with compact
/// names. Kafka: ProduceResponse.json.
pub(crate) fn produce_error_at(frame: &[u8], version: i16) -> Option<usize> {
    // Size, correlation id, no tags, one topic.
    let topic = 4 + 4 + 1 + 1;
    // One partition, its number.
    Some(after_topic(frame, topic, version)? + 1 + 4)
}

/// That error code.
pub(crate) fn produce_error(frame: &[u8], version: i16) -> Option<i16> {
    short(frame, produce_error_at(frame, version)?)
}

/// Producer epoch and base sequence of the one batch of a Produce request. Kafka:
/// ProduceRequest.json, DefaultRecordBatch.
pub(crate) fn produced(frame: &[u8], version: i16) -> Option<(i16, i32)> {
    // The client id, no tags.
    let transactional_id = 14 + usize::from(short(frame, 12)?.max(0).unsigned_abs()) + 1;
    // acks, timeout, one topic.
    let topic = after_text(frame, transactional_id)? + 2 + 4 + 1;
    // One partition, its number.
    let records = after_topic(frame, topic, version)? + 1 + 4;
    // Their size, with seven bits to a byte.
    let size = frame.get(records..)?.iter().position(|byte| *byte < 0x80)? + 1;
    // Base offset, length, leader epoch, magic, CRC, attributes, last delta, two timestamps, id.
    let epoch = records + size + 8 + 4 + 4 + 1 + 4 + 2 + 4 + 8 + 8 + 8;
    Some((short(frame, epoch)?, number(frame, epoch + 2)?))
}

/// The end of a topic's id, as Kafka 4.1 and later have it, or of its name, which transactions of
/// the first version still have.
fn after_topic(frame: &[u8], at: usize, version: i16) -> Option<usize> {
    match version {
        13.. => Some(at + 16),
        9..13 => after_text(frame, at),
        _ => None,
    }
}

/// The end of a short text, in front of which is its length and one more, or 0 if there is none.
fn after_text(frame: &[u8], at: usize) -> Option<usize> {
    Some(at + usize::from((*frame.get(at)?).max(1)))
}

fn short(frame: &[u8], at: usize) -> Option<i16> {
    Some(i16::from_be_bytes(frame.get(at..at + 2)?.try_into().ok()?))
}

fn number(frame: &[u8], at: usize) -> Option<i32> {
    Some(i32::from_be_bytes(frame.get(at..at + 4)?.try_into().ok()?))
}

#[test]
fn a_request_says_who_sends_it() {
    let mut frame = vec![0, 0, 0, 0, 0, 1, 0, 13, 0, 0, 0, 7, 0, 18];
    frame.extend_from_slice(b"broker-2-fetcher-0");
    let expected = Request { api: 1, version: 13, correlation: 7, source: Source::Node(2) };
    assert_eq!(request(&frame), Some(expected));
    assert_eq!(Source::of("raft-client-3"), Source::Node(3));
    assert_eq!(Source::of("1"), Source::Node(1));
    assert_eq!(Source::of("p1"), Source::Client("p1".to_owned()));
    assert_eq!(request(&frame[..20]), None);
}

#[test]
fn a_produce_response_says_what_went_wrong() {
    let mut frame = vec![0; 41];
    frame[31..33].copy_from_slice(&[0, 19]);
    assert_eq!(produce_error(&frame, 13), Some(19));
    // A topic whose name has two letters.
    frame[10] = 3;
    frame[18..20].copy_from_slice(&[0, 6]);
    assert_eq!(produce_error(&frame, 12), Some(6));
    assert_eq!(produce_error(&frame, 8), None);
}

#[test]
fn a_produce_request_says_epoch_and_sequence() {
    let mut frame = vec![0; 14];
    frame[12..].copy_from_slice(&[0, 2]);
    frame.extend_from_slice(b"p1\0\x02t");
    let (topic_id, topic_name) = ([0; 16].as_slice(), b"\x03ab".as_slice());
    for (version, topic) in [(13, topic_id), (11, topic_name)] {
        let mut frame = frame.clone();
        frame.extend_from_slice(&[0; 7]);
        frame.extend_from_slice(topic);
        // A partition, and records of more than 127 bytes.
        frame.extend_from_slice(&[0, 0, 0, 0, 0, 0x80, 1]);
        frame.extend_from_slice(&[0; 51]);
        frame.extend_from_slice(&[0, 7, 0, 0, 0, 9]);
        assert_eq!(produced(&frame, version), Some((7, 9)));
    }
}
