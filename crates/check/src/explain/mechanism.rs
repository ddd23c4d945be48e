//! What brings anomalies about, and which setting would have prevented it.

use std::fmt;

/// A setting, or something else one can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remedy {
    /// The setting with its value, or the deed.
    pub what: &'static str,
    /// What it changes.
    pub why: &'static str,
}

macro_rules! mechanisms {
    ($(
        $name:ident $word:literal $sentence:literal
        [$($what:literal: $why:literal),* $(,)?]
    )*) => {
        /// How something came about, recognised from what happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Mechanism {
            $(#[doc = $sentence] $name,)*
        }

        impl Mechanism {
            /// Every mechanism.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its name in reports.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// What it is, in one sentence.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)* }
            }

            /// What would have prevented it. Empty where no setting does.
            pub const fn remedies(self) -> &'static [Remedy] {
                match self { $(Self::$name => &[$(Remedy { what: $what, why: $why }),*],)* }
            }
        }
    };
}

mechanisms! {
    AcksZero "acks-0"
        "With acks=0 the producer took the record for delivered once it had left the client, and \
         no broker ever answered for it."
        ["acks=all": "the producer waits for the in-sync replicas, and learns what failed"]
    LeaderAlone "leader-alone"
        "The leader answered when it alone had the record, and another led before a follower \
         had copied it."
        ["acks=all": "the leader answers when every in-sync replica has the record",
         "min.insync.replicas=2": "acks=all then means at least two replicas"]
    ZombieLeader "zombie-leader"
        "A broker that was no longer the leader took and answered the record, since it did not \
         know yet; its log was cut when it followed the new leader."
        ["acks=all": "a leader that lost its followers cannot commit, so it does not answer"]
    AckedTooEarly "acked-too-early"
        "The leader answered acks=all before the in-sync replicas had the record: it broke Kafka's \
         rule."
        []
    LoneInSync "lone-in-sync"
        "The leader was the only in-sync replica when it answered, so acks=all waited for nobody \
         else; then its log was lost or passed over."
        ["min.insync.replicas=2": "the leader refuses records while it is alone",
         "unclean.leader.election.enable=false": "no replica without the record is elected"]
    UncleanElection "unclean-election"
        "A replica that was not in sync was elected, and everything that only the others had was \
         given up."
        ["unclean.leader.election.enable=false": "the partition waits for a replica that has all",
         "min.insync.replicas=2": "what was answered is on two replicas at least"]
    OutOfSyncElection "out-of-sync-election"
        "A replica that was not in sync was elected and called clean: the controller broke Kafka's \
         rule."
        []
    PowerLoss "power-loss"
        "The replicas that had the record lost power before their disks had it."
        ["replicas on machines that fail apart": "one in-sync replica then keeps its log",
         "flush.messages=1": "a record is on the disk before it is answered, at a high price"]
    LastReplicaStanding "last-replica-standing"
        "The in-sync replicas had shrunk to one, which lost power with unflushed records and was \
         elected again; complete replicas that were out of sync followed it."
        ["min.insync.replicas=2": "the replica that left the in-sync replicas last stays electable",
         "eligible.leader.replicas.version=1": "replicas that have everything stay electable",
         "flush.messages=1": "a record is on the disk before it is answered, at a high price"]
    TruncatedTooFar "truncated-too-far"
        "A replica cut records that were committed: it broke Kafka's rule."
        []
    AckWithoutAppend "ack-without-append"
        "A broker answered for a record that no broker had appended: it broke Kafka's rule."
        []
    PayloadSwap "payload-swap"
        "The leader took the batch for another one with the same producer id, producer epoch and \
         sequence, and answered without appending it."
        []
    SequenceReused "sequence-reused"
        "A batch of the producer had failed although the leader had appended it, and its sequence \
         was given to this one. The leader took this one for the other, and answered without \
         appending it."
        ["transaction.version=2": "sequences begin anew with the epoch of each transaction",
         "max.in.flight.requests.per.connection=1": "no other batch is on its way when one fails"]
    OtherCopyStayed "other-copy-stayed"
        "The record was in the log more than once, and the copy that was answered is gone while \
         another stayed."
        ["enable.idempotence=true": "there is one copy"]
    NotCommittedYet "not-committed-yet"
        "The leader's log has the record above its high watermark: no reader finds it before the \
         in-sync replicas have it."
        ["acks=all": "the sender is told when readers can find the record"]
    LostResponse "lost-response"
        "The record was appended, the response was lost, and the retry was appended as new."
        ["enable.idempotence=true": "the leader recognises the retry by its sequence number"]
    LeaderGone "leader-gone"
        "The record was appended and copied, its leader was gone before it answered, and the new \
         leader appended the retry as new."
        ["enable.idempotence=true": "followers know the sequence numbers of what they copied"]
    ErrorAfterAppend "error-after-append"
        "The broker answered with an error although the record was appended, and the retry was \
         appended as new."
        ["enable.idempotence=true": "the leader recognises the retry by its sequence number"]
    RequestTimeout "request-timeout"
        "The record was appended, the answer took longer than request.timeout.ms, and the retry \
         was appended as new."
        ["enable.idempotence=true": "the leader recognises the retry by its sequence number",
         "request.timeout.ms above replica.lag.time.max.ms": "fewer answers come too late"]
    ConnectionBroken "connection-broken"
        "The record was appended, the connection broke before the broker answered, and the retry \
         was appended as new."
        ["enable.idempotence=true": "the leader recognises the retry by its sequence number"]
    GhostRequest "ghost-request"
        "A request of a connection that the producer had given up was carried out after the \
         producer had sent its records again."
        ["enable.idempotence=true": "the later of the two is recognised or refused"]
    RetriedBlindly "retried-blindly"
        "The record was appended, sent again, and appended as new."
        ["enable.idempotence=true": "the leader recognises the retry by its sequence number"]
    SequenceRewritten "sequence-rewritten"
        "The producer raised its epoch and gave the batch a new sequence number, so that the \
         leader could not recognise what it had appended before."
        ["max.in.flight.requests.per.connection=1": "no other batch is on its way when one fails"]
    FirstBatchOvertaken "first-batch-overtaken"
        "The leader had nothing of the producer and took a later batch first; then the batch before \
         it was out of order, so the producer raised its epoch and numbered both anew, and the \
         leader could not recognise what it had appended."
        ["max.in.flight.requests.per.connection=1": "no later batch is sent before"]
    FirstBatchShutOut "first-batch-shut-out"
        "The leader had nothing of the producer and took a later batch first; from then on it \
         refused this one as out of order, until the producer gave it up."
        ["max.in.flight.requests.per.connection=1": "no later batch is sent before"]
    ForgottenBatch "forgotten-batch"
        "The broker no longer remembered a batch that its log has, and refused the retry as out of \
         order; the producer raised its epoch, gave the batch a new sequence number, and the broker \
         appended it again."
        ["max.in.flight.requests.per.connection=1": "the last batch is never forgotten",
         "transactional.id": "a transaction is aborted instead of being renumbered"]
    StateExpired "state-expired"
        "The broker had forgotten the producer id, so that it could not recognise the retry."
        ["producer.id.expiration.ms above delivery.timeout.ms and any pause":
         "the broker remembers the producer for as long as a retry may come"]
    ProducerStateLost "producer-state-lost"
        "The broker did not know what its own log says of the producer: it broke Kafka's rule."
        []
    NewProducerId "new-producer-id"
        "The session got another producer id between two attempts, so that the leader could not \
         recognise the retry."
        []
    RestartedProducer "restarted-producer"
        "The application was started again and sent a message that its first producer had put \
         into the log already; a new producer has a new id."
        ["transactional.id with the source's offsets in the transaction":
         "what was sent and how far the source was read become one",
         "a sink that ignores repeated messages": "a repetition does no harm"]
    ResentAfterExpiry "resent-after-expiry"
        "The producer gave up after delivery.timeout.ms although the record was or would be \
         appended, and the application sent the message again."
        ["delivery.timeout.ms longer than any outage": "the producer finds out what became of it",
         "a sink that ignores repeated messages": "a repetition does no harm"]
    ResentByApplication "resent-by-application"
        "The application was told an error although the record was or would be appended, and sent \
         the message again."
        ["a sink that ignores repeated messages": "a repetition does no harm"]
    ResentAfterAbort "resent-after-abort"
        "The transaction was aborted, and the application sent its messages again, this one behind \
         later ones."
        ["an aborted transaction sent again as a whole, before anything else":
         "what counts is in the order of the application"]
    RequeuedInReverse "requeued-in-reverse"
        "Several batches of the partition were in flight when their requests failed; each was put at \
         the front of the queue, so they were sent again in reverse."
        ["enable.idempotence=true": "batches are sent again by sequence number",
         "max.in.flight.requests.per.connection=1": "there is one batch to send again"]
    OvertakenWhileRefused "overtaken-while-refused"
        "A batch was refused and waited for its retry while the next one, already on its way, was \
         accepted."
        ["enable.idempotence=true": "the leader refuses the next one too",
         "max.in.flight.requests.per.connection=1": "the next one is not sent before"]
    LeaderMoved "leader-moved"
        "The next batch went to the new leader while the retry of this one was still to come."
        ["enable.idempotence=true": "the new leader refuses what comes too early",
         "max.in.flight.requests.per.connection=1": "the next one is not sent before"]
    OldConnection "old-connection"
        "The record was still on its way on a connection that the producer had given up, and later \
         ones, which went out on the next connection, were faster."
        ["enable.idempotence=true": "the leader refuses what comes too early"]
    AcceptedOutOfOrder "accepted-out-of-order"
        "The leader accepted a sequence number although earlier ones were missing: it knew nothing \
         of the producer, or broke Kafka's rule."
        ["max.in.flight.requests.per.connection=1": "no later batch is sent before"]
    RefusedOutOfOrder "refused-out-of-order"
        "A batch before this one was missing, so the broker refused this one as out of order, and \
         the producer had no time left to send it again."
        ["delivery.timeout.ms longer than any outage": "the producer puts the sequence in order"]
    GivenUp "given-up"
        "The producer gave the record up after delivery.timeout.ms and went on with later ones."
        ["delivery.timeout.ms longer than any outage": "the producer goes on trying"]
    Refused "refused"
        "The record was refused for good, and later ones were sent."
        []
    ProducerGone "producer-gone"
        "The producer was gone before it had sent the record."
        ["close() before the process ends": "what is queued is sent first"]
    FailedAfterAppend "failed-after-append"
        "The application was told that the record failed although it was in the log."
        []
    ForeignRecord "foreign-record"
        "A log has a record that its session never sent to this partition."
        []
    ReplicasDiffer "replicas-differ"
        "A replica's log is not what its leader's log is."
        []
    LateEnd "late-end-of-transaction"
        "A request to end one transaction was late and ended the next one: they have one producer \
         epoch, so the coordinator cannot tell them apart. That is a known flaw of the protocol \
         before transaction.version 2 (KAFKA-17754)."
        ["transaction.version=2": "each transaction has its own producer epoch",
         "a new producer after a time-out of commitTransaction() or abortTransaction()":
         "initTransactions() raises the producer epoch before the next transaction"]
    LateBatchJoined "late-batch-joined"
        "A batch of a transaction that was over arrived late, when the next transaction of its \
         producer was open, and became part of it: both have one producer epoch. That is a known \
         flaw of the protocol before transaction.version 2 (KIP-890)."
        ["transaction.version=2": "the leader refuses a batch of an older producer epoch"]
    HangingTransaction "hanging-transaction"
        "A batch arrived late, after the marker of its transaction, and opened a transaction that \
         the coordinator knows nothing of: no marker will ever end it (KAFKA-14402)."
        ["transaction.partition.verification.enable=true":
         "the leader asks the coordinator before it opens a transaction",
         "transaction.version=2": "the leader refuses a batch of an older producer epoch",
         "kafka-transactions.sh abort": "it ends the transaction by hand"]
    MarkerSkipped "marker-skipped"
        "The partition had no leader when its transaction ended. Its coordinator took it for a \
         deleted one and left out its marker, so that the transaction stays open there until the \
         next one of the same producer ends it, whichever way that goes. That is a flaw of the \
         coordinator since KRaftMetadataCache.getPartitionLeaderEndpoint() answers nothing for \
         such a partition."
        ["more replicas, so that one of them can lead": "the coordinator finds whom to send it to",
         "kafka-transactions.sh abort": "it ends the transaction by hand"]
    MarkerLost "marker-lost"
        "The transaction was ended, and its marker was lost with the end of its log: the records \
         before it stayed, and nobody writes it again."
        ["replicas on machines that fail apart": "one in-sync replica then keeps its log",
         "unclean.leader.election.enable=false": "the partition waits for a replica that has all",
         "kafka-transactions.sh abort": "it ends the transaction by hand"]
    TransactionForgotten "transaction-forgotten"
        "__transaction_state lost records, and with them the coordinator the open transaction: it \
         knows nothing that it could end, and the next producer gets another producer id."
        ["transaction.state.log.replication.factor=3":
         "another replica of __transaction_state has the records",
         "kafka-transactions.sh abort": "it ends the transaction by hand"]
    OpenTransaction "open-transaction"
        "The transaction was begun and nobody has ended it, so that who reads committed records \
         waits before its first record."
        ["a smaller transaction.timeout.ms": "the coordinator aborts it sooner",
         "one transactional.id for each instance, kept over restarts":
         "the next instance ends it at once"]
    TransactionTimedOut "transaction-timed-out"
        "The transaction took longer than transaction.timeout.ms; its coordinator aborted what \
         was written, and the producer went on without knowing."
        ["transaction.timeout.ms above the longest transaction": "it is not aborted",
         "transaction.version=2": "what comes later is refused, since the epoch was raised"]
    AbortedByRival "aborted-by-rival"
        "Another instance with the same transactional.id was initialised, and the coordinator \
         aborted the open transaction of this one."
        ["one transactional.id for each instance": "instances do not fence each other"]
    ZombieNotFenced "zombie-not-fenced"
        "An instance that was replaced committed all the same: coordinator or leader broke Kafka's \
         rule."
        []
    MarkersApart "markers-apart"
        "The markers of one transaction say different things: the coordinator broke Kafka's rule."
        []
    OffsetsApart "offsets-apart"
        "A group's offsets did not follow the transaction that brought them: the coordinator broke \
         Kafka's rule."
        []
    ReadUncommitted "read-uncommitted"
        "The consumer reads everything below the high watermark, whatever becomes of its \
         transaction."
        ["isolation.level=read_committed": "records are given when their transaction is committed"]
    ReadAboveStable "read-above-stable"
        "A reader of committed records was given records above the last stable offset: broker or \
         consumer broke Kafka's rule."
        []
    StableOffsetWrong "stable-offset-wrong"
        "A leader took another offset for the last stable one than its own log gives: it broke \
         Kafka's rule."
        []
    CommittedFirst "committed-before-processing"
        "The offset was committed before the record was processed, and the consumer that had it \
         was gone or had lost the partition before it came to that."
        ["commit after processing": "what is committed was processed",
         "enable.auto.commit=false": "nothing is committed behind the application's back"]
    CommitLost "commit-lost"
        "The record was processed, and the consumer was gone before the offset was committed, so \
         that the next one began before it."
        ["sendOffsetsToTransaction() with the results":
         "results and offset become one, as long as the results go to Kafka",
         "a sink that ignores repeated messages": "a repetition does no harm",
         "commit before processing": "nothing is processed twice, and something may be skipped"]
    RebalanceRedelivery "rebalance-redelivery"
        "A rebalance gave the partition to another consumer while the one before was still at work \
         on records that it had not committed."
        ["sendOffsetsToTransaction() with the metadata of the group":
         "what a replaced member wants to commit is refused (KIP-447)",
         "session.timeout.ms above the longest pause":
         "a member that is silent for a while keeps its partitions",
         "group.consumer.session.timeout.ms above the longest pause":
         "a member that is silent for a while keeps its partitions",
         "max.poll.interval.ms above the longest work between two polls":
         "a slow member keeps its partitions",
         "a sink that ignores repeated messages": "a repetition does no harm"]
    NoRewind "no-rewind-after-abort"
        "The transaction was aborted, and the application read on where the consumer was: an abort \
         does not take the consumer back."
        ["seek() to the committed offsets after abortTransaction()": "the records come again"]
    OffsetReused "offset-reused"
        "The log was cut, and the record took the offset of another one that had been read and \
         committed, so that nobody came back for it."
        ["replicas on machines that fail apart": "one in-sync replica then keeps its log",
         "unclean.leader.election.enable=false": "the partition waits for a replica that has all"]
    ResetToLatest "reset-to-latest"
        "The consumer found no position of its own and auto.offset.reset=latest took it to the \
         end of the log."
        ["auto.offset.reset=earliest": "records come again rather than never"]
    ResetToEarliest "reset-to-earliest"
        "The consumer found no position of its own, or its log ended before it, and \
         auto.offset.reset=earliest took it to the beginning of the log, so that records came again."
        ["auto.offset.reset=none": "the application is told and decides where to read on",
         "a sink that ignores repeated messages": "a repetition does no harm"]
    EffectOutside "effect-outside"
        "The transaction was aborted and its records were processed again; what the application \
         does outside of Kafka is not part of a transaction."
        ["a sink that ignores repeated messages": "a repetition does no harm",
         "effects only through Kafka's topics": "an abort takes them back"]
    OutputMissing "output-missing"
        "The record was read and committed, and the message that was made of it never became part \
         of the log that counts."
        ["sendOffsetsToTransaction() with the results": "the offset counts only with its output"]
    ConsumerBroke "consumer-broke"
        "The consumer, or the broker that it read from, broke Kafka's rule."
        []
    TwoOwners "two-owners"
        "The group gave one partition to two members: the assignment broke Kafka's rule."
        []
    GroupForgotten "group-forgotten"
        "__consumer_offsets lost records, and with them the coordinator its group: it counts \
         generations anew and does not know who has what."
        ["offsets.topic.replication.factor=3": "another replica of __consumer_offsets has the records"]
    IdentityTwice "identity-twice"
        "A producer id was given out twice: the cluster broke Kafka's rule."
        []
    NeverAnswered "never-answered"
        "The application waits for an answer that does not come."
        []
    AnswerInjected "answer-injected"
        "A fault of the scenario answered a request with an error that its broker did not mean."
        []
    Unknown "unknown"
        "The facts that were recorded do not show how it came about."
        []
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn one_request_at_a_time_keeps_batches_from_being_renumbered() {
        for mechanism in [
            Mechanism::SequenceRewritten,
            Mechanism::ForgottenBatch,
            Mechanism::FirstBatchOvertaken,
            Mechanism::FirstBatchShutOut,
            Mechanism::AcceptedOutOfOrder,
        ] {
            let first = mechanism.remedies().first().map(|remedy| remedy.what);
            assert_eq!(first, Some("max.in.flight.requests.per.connection=1"), "{mechanism}");
        }
    }

    #[test]
    fn every_mechanism_has_its_own_word_and_a_sentence() {
        let words: BTreeSet<_> = Mechanism::ALL.iter().map(|m| m.word()).collect();
        assert_eq!(words.len(), Mechanism::ALL.len());
        for mechanism in Mechanism::ALL {
            let sentence = mechanism.sentence();
            assert!(sentence.ends_with('.') && !sentence.contains("  "), "{mechanism}");
        }
    }
}
