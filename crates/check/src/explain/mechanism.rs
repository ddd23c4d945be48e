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
    RequeuedInReverse "requeued-in-reverse"
        "Several batches of the partition were in flight when their requests failed together; each \
         was put at the front of the queue, so they were sent again in reverse."
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
    NeverAnswered "never-answered"
        "The application waits for an answer that does not come."
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
