//! What is told of requests.

use inflight_protocol::message::{GroupIdentity, IsolationLevel, OffsetSpec};
use inflight_protocol::transaction::MemberId;
use inflight_protocol::{LeaderEpoch, Request};
use std::fmt::Write as _;

/// A request in words, or `None` if nothing is told of it.
pub(crate) fn describe(broker: u8, request: &Request) -> Option<String> {
    let to = format!("b{broker}");
    Some(match request {
        Request::Metadata(_) => format!("metadata {to}"),
        Request::FindCoordinator(_) => format!("find {to}"),
        Request::ConsumerFetch(request) => {
            let parts = request.partitions.iter().map(|fetch| {
                let epoch = fetch.current_leader_epoch;
                format!(
                    "{}@{}e{epoch}",
                    format_args!("p{}", fetch.partition.get()),
                    fetch.fetch_offset
                )
            });
            sorted(&format!("fetch {to} {}", isolation(request.isolation)), parts)
        }
        Request::ListOffsets(request) => {
            let parts = request.partitions.iter().map(|(partition, epoch, spec)| {
                let spec = if *spec == OffsetSpec::Earliest { "earliest" } else { "latest" };
                format!("p{}-{spec}e{epoch}", partition.get())
            });
            sorted(&format!("list {to} {}", isolation(request.isolation)), parts)
        }
        Request::OffsetForLeaderEpoch(request) => {
            let parts = request.partitions.iter();
            let parts = parts.map(|(id, now, asked)| format!("p{}e{now}r{asked}", id.get()));
            sorted(&format!("epochs {to}"), parts)
        }
        Request::OffsetCommit(request) => {
            let parts = request.offsets.iter().map(|offset| {
                let epoch = epoch(offset.leader_epoch);
                format!("p{}@{}e{epoch}", offset.partition.get(), offset.offset)
            });
            sorted(&format!("commit {to} {}", member(request.identity)), parts)
        }
        Request::OffsetFetch(request) => {
            let parts = request.partitions.iter().map(|id| format!("p{}", id.get()));
            sorted(&format!("committed {to}"), parts)
        }
        _ => return None,
    })
}

fn sorted(head: &str, parts: impl Iterator<Item = String>) -> String {
    let mut parts: Vec<String> = parts.collect();
    parts.sort_unstable();
    let mut line = head.to_owned();
    for part in parts {
        let _ = write!(line, " {part}");
    }
    line
}

const fn isolation(level: IsolationLevel) -> &'static str {
    match level {
        IsolationLevel::ReadCommitted => "committed",
        IsolationLevel::ReadUncommitted => "any",
    }
}

fn epoch(epoch: Option<LeaderEpoch>) -> String {
    epoch.map_or("-".to_owned(), |epoch| epoch.to_string())
}

/// Who asks.
fn member(identity: GroupIdentity) -> String {
    match identity.member {
        None => "-/-".to_owned(),
        Some((MemberId { number, .. }, generation)) => format!("m{number}/{generation}"),
    }
}
