//! The sentence of each kind of fact.

use inflight_protocol::FactKind::{self, *};

/// Kinds and their templates, in the order of the vocabulary.
pub(super) const SENTENCES: &[(FactKind, &str)] = &[
    (ProducerStarted, "{client} started a producer"),
    (ProducerStopped, "the producer of {session} is gone: {how}"),
    (ProducerPaused, "{client} stopped running"),
    (ProducerResumed, "{client} runs again"),
    (RecordsQueued, "{session} queued {records} for {partition} ({messages} of its application)"),
    (SendBlocked, "a send() of {session} is blocked and waits for {on}"),
    (SendReturned, "a send() of {session} goes on after {waited}"),
    (SendRefused, "send() of {session} refused {messages}: {error}"),
    (
        ProducerIdAssigned,
        "{session} got producer id {producer_id} with producer epoch {producer_epoch}",
    ),
    (ProducerEpochBumped, "{session} raised its producer epoch to {producer_epoch}"),
    (
        SequenceRewritten,
        "{session} numbered {records} of {partition} anew: sequence {to} instead of {from}, \
         producer epoch {producer_epoch}",
    ),
    (
        SequenceUnresolved,
        "{session} cannot tell whether {partition} has its batch before sequence {next_sequence}",
    ),
    (
        BatchDrained,
        "{session} sent {records} of {partition} to {broker}, {attempt} attempt[, {sequences}]",
    ),
    (BatchRequeued, "{session} put {records} of {partition} back into its queue after {error}"),
    (BatchSplit, "{session} split a batch of {partition} that was too large into {children}"),
    (
        BatchExpired,
        "{session} gave up {records} of {partition} after delivery.timeout.ms \
         ({place:queued=still queued,in-flight=in a request without an answer})",
    ),
    (RecordsAcked, "{session} was told that {partition} has {records}[ at {offsets}]"),
    (RecordsFailed, "{session} was told that {records} of {partition} failed: {error}"),
    (
        MetadataUpdated,
        "{session} learned of the cluster from {broker} \
         ({through:metadata=metadata response,leader-hint=leader named in a produce response})",
    ),
    (ConnectionOpened, "connection {connection} to {to} is open"),
    (
        ConnectionClosed,
        "{at} lost connection {connection} ({why:peer=the other side closed it,\
         request-timeout=a request was not answered in time,\
         setup-timeout=it was not set up in time,idle=it was idle,\
         local=closed on purpose,produce-failed=acks=0 and the append failed})",
    ),
    (MessageSent, "{from} sent {api} {direction} {correlation} to {to}"),
    (MessageDelivered, "{api} {direction} {correlation} from {from} reached {to}"),
    (
        MessageLost,
        "{api} {direction} {correlation} from {from} to {to} was lost \
         ({why:fault=a fault took it,cut=the link was cut,closed=the connection was closed,\
         down=the receiver was down})",
    ),
    (LinkCut, "the link from {from} to {to} stopped delivering"),
    (LinkHealed, "the link from {from} to {to} delivers again"),
    (LinkSlowed, "the link from {from} to {to} is slower by {by}"),
    (
        BatchAppended,
        "{broker} {origin:client=appended,replication=copied} {records} of {session} to \
         {partition} at {offsets} (leader epoch {leader_epoch}[, producer epoch {raised_epoch}][, {sequences}])",
    ),
    (
        DuplicateRecognized,
        "{broker} recognised {records} of {session} as what {partition} has at {offsets}",
    ),
    (ProducerStateExpired, "{broker} forgot producer id {producer_id} in {partition}"),
    (BatchRejected, "{broker} refused {records} of {session} for {partition}: {error}"),
    (
        ProduceDelayed,
        "{broker} answers {records} of {session} once the high watermark of {partition} is \
         {required_offset}",
    ),
    (ProduceDecided, "{broker} answers {records} of {session} in {partition}: {error|success}"),
    (
        HighWatermarkAdvanced,
        "the high watermark of {partition} on {broker} rose from {from} to {to}",
    ),
    (
        HighWatermarkRegressed,
        "the high watermark of {partition} on {broker} fell from {from} to {to}",
    ),
    (FollowerAdvanced, "{broker} learned that {follower} has {partition} below {log_end_offset}"),
    (LogTruncated, "{broker} cut its log of {partition} from end {from} to end {to}"),
    (LogFlushed, "{broker} flushed {partition} below offset {to}"),
    (LogRecovered, "{broker} read its log of {partition} again: end {to}, before it was {from}"),
    (
        IsrProposed,
        "{broker} proposed the in-sync replicas {to|none} of {partition} instead of {from|none}",
    ),
    (
        BecameLeader,
        "{broker} leads {partition} from offset {start_offset} (leader epoch {leader_epoch})",
    ),
    (
        BecameFollower,
        "{broker} follows {leader|nobody} in {partition} (leader epoch {leader_epoch})",
    ),
    (
        BrokerCrashed,
        "{broker} crashed ({surviving:appended=its process died and its logs are whole,\
         flushed=its machine lost power and with it what was not flushed})",
    ),
    (BrokerStarted, "{broker} started"),
    (BrokerStopped, "{broker} ended after a controlled shutdown"),
    (BrokerPaused, "{broker} stopped running"),
    (BrokerResumed, "{broker} runs again"),
    (DiskSlowed, "the disk of {broker} is slower by {by}"),
    (MetadataApplied, "{broker} applied version {version} of the cluster metadata"),
    (
        BrokerRegistered,
        "the controller registered {broker} with broker epoch {broker_epoch} after a {after} stop",
    ),
    (BrokerFenced, "the controller fenced {broker}"),
    (BrokerUnfenced, "the controller unfenced {broker}"),
    (
        IsrChanged,
        "the in-sync replicas of {partition} are {to|none} instead of {from|none}\
         [, eligible leader replicas {elr}]",
    ),
    (
        LeaderElected,
        "the controller made {leader|nobody} leader of {partition} (leader epoch {leader_epoch}, \
         {election:clean=in sync,eligible=eligible leader replica,last-known=last known leader,\
         unclean=unclean election,preferred=preferred replica,forced=named by a fault,\
         none=no replica could be chosen})",
    ),
    (FaultInjected, "a fault took effect: {fault}"),
    (RunEnded, "the run ended: {halt}"),
];

/// The sentence of a batch whose number is the same in the new producer epoch.
pub(super) const ONLY_EPOCH: &str = "{session} gave {records} of {partition} producer epoch {producer_epoch}, sequence {to} as before";

/// The sentence of a change of the eligible leader replicas alone.
pub(super) const ONLY_ELIGIBLE: &str =
    "the eligible leader replicas of {partition} are {elr|none}, the in-sync ones {to|none}";
