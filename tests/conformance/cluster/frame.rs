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

/// The error code of the one partition of a Produce response in a version that names topics by
/// their ids, as Kafka 4.1 and later do. Kafka: ProduceResponse.json.
pub(crate) fn produce_error(frame: &[u8], version: i16) -> Option<i16> {
    // Size, correlation id, no tags, one topic, its id, one partition, its number.
    (version >= 13).then(|| short(frame, 4 + 4 + 1 + 1 + 16 + 1 + 4))?
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
    assert_eq!(produce_error(&frame, 12), None);
}
