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
    (
        TransactionsInitialized,
        "initTransactions() of {session} returned: producer id {producer_id} with producer epoch \
         {producer_epoch} for {transactional_id}",
    ),
    (TransactionBegun, "{session} began transaction {transaction}"),
    (
        OffsetsAddedToTransaction,
        "{session} added offset {offset} of {partition} for {group} to transaction {transaction}",
    ),
    (TransactionEnding, "{session} asked for the {result} of transaction {transaction}"),
    (
        TransactionEnded,
        "{session} was told that transaction {transaction} is \
         {result:commit=committed,abort=aborted}",
    ),
    (
        TransactionCallFailed,
        "{call:init=initTransactions(),begin=beginTransaction(),send=send(),\
         send-offsets=sendOffsetsToTransaction(),commit=commitTransaction(),\
         abort=abortTransaction()} of {session} failed: {error} \
         ({recovery:retry=the call may be repeated,abort=only abortTransaction() helps,\
         close=only close() helps,none=nothing has changed})",
    ),
    (ProducerStateChanged, "{session} is {to}, it was {from}"),
    (ConsumerStarted, "{client} started a consumer[ of {group}] that reads {isolation}"),
    (ConsumerStopped, "the consumer of {consumer} is gone: {how}"),
    (MemberStateChanged, "{consumer} is {to} in its group, it was {from}"),
    (PartitionAssigned, "{consumer} was given {partition} (generation {generation})"),
    (
        PartitionRevoked,
        "{consumer} gave up {partition} ({why:revoked=a rebalance took it,\
         lost=its membership was lost,closed=it closed})",
    ),
    (
        PositionSet,
        "{consumer} reads {partition} from offset {offset} ({source:committed=as committed,\
         earliest=the beginning,latest=the end,seek=as the application asked,\
         truncation=where the log was cut})",
    ),
    (RecordsReturned, "poll() gave {consumer} {offsets} of {partition}: {records} of {session}"),
    (
        AbortedRecordsSkipped,
        "{consumer} moved past {offsets} of {partition}: their transaction was aborted",
    ),
    (
        RecordsProcessed,
        "{consumer} processed {offsets} of {partition} ({known} left out, as processed before)",
    ),
    (RecordsTransformed, "{consumer} made {messages} of {offsets} of {partition}"),
    (OffsetCommitRequested, "{consumer} wants offset {offset} of {partition} committed ({mode})"),
    (
        OffsetCommitReturned,
        "{consumer} was told about the commit of offset {offset} of {partition}: {error|success}",
    ),
    (ConsumerFailed, "a call of {consumer} failed: {error}"),
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
        CoordinatorLoaded,
        "{broker} coordinates what is in {partition} (coordinator epoch {coordinator_epoch})",
    ),
    (CoordinatorUnloaded, "{broker} does not coordinate what is in {partition} any more"),
    (
        InternalRecordsAppended,
        "{broker} {origin:client=wrote,coordinator=wrote,replication=copied} {offsets} of {partition} \
         (leader epoch {leader_epoch})",
    ),
    (
        TransactionStatePending,
        "{broker} wrote down that {transactional_id} goes from {from} to {to} (producer epoch \
         {producer_epoch})",
    ),
    (
        TransactionStateChanged,
        "{transactional_id} is {to}, it was {from} (producer id {producer_id}, producer epoch \
         {producer_epoch}, coordinator {broker})",
    ),
    (TransactionPartitionAdded, "{partition} is in the transaction of {transactional_id}"),
    (
        TransactionTimedOut,
        "{broker} gave up the transaction of {transactional_id} after its transaction.timeout.ms",
    ),
    (TransactionRequestRejected, "{broker} refused {api} of {transactional_id}: {error}"),
    (
        TransactionVerified,
        "{broker} asked whether {partition} is in the transaction of producer id {producer_id} \
         (producer epoch {producer_epoch}): {error|yes}",
    ),
    (
        MarkerAppended,
        "{broker} {origin:client=wrote,coordinator=wrote,replication=copied} {result:commit=a commit,abort=an abort} \
         marker to {partition} at offset {offset} (producer id {producer_id}, producer epoch {producer_epoch}\
         [, transaction from offset {first_offset}])",
    ),
    (
        MarkerSkipped,
        "{broker} sent no marker to {partition}, which has no leader, and takes the {result} of \
         {transactional_id} for complete there (producer epoch {producer_epoch})",
    ),
    (
        MarkerRejected,
        "{broker} refused a marker for {partition} (producer id {producer_id}, producer epoch \
         {producer_epoch}): {error}",
    ),
    (
        LastStableOffsetAdvanced,
        "the last stable offset of {partition} on {broker} moved from {from} to {to}",
    ),
    (GroupOffsetCommitted, "{group} has committed offset {offset} of {partition}"),
    (
        GroupOffsetPending,
        "{group} will have committed offset {offset} of {partition} if the transaction of producer \
         id {producer_id} commits",
    ),
    (MemberJoined, "{client} joined {group}"),
    (
        MemberRemoved,
        "{client} is not in {group} any more ({why:left=it left,\
         session-timeout=no heartbeat in time,rebalance-timeout=it did not rejoin in time})",
    ),
    (GroupRebalanced, "{group} is at generation {generation} with {members} members"),
    (
        TargetAssigned,
        "{group} has a target assignment of group epoch {epoch} for {members} members",
    ),
    (
        MemberReconciled,
        "{client} is {state} at member epoch {epoch} of {group}: {assigned} partitions to read, \
         {revoking} to give up",
    ),
    (
        GroupRequestRejected,
        "{broker} refused {api} of {client} for {group}[ at epoch {epoch}]: {error}",
    ),
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
