//! The questions that people ask, each with a short answer and where it is shown.

/// Where a question is answered.
pub(super) enum Answer {
    /// In a scenario, by its name.
    Scenario(&'static str),
    /// In a picture of its own: its path and title.
    Picture(&'static str, &'static str),
    /// Nowhere yet: what is missing.
    Waits(&'static str),
}

/// A question.
pub(super) struct Question {
    pub(super) question: &'static str,
    pub(super) short: &'static str,
    pub(super) answers: &'static [Answer],
}

const fn ask(question: &'static str, short: &'static str, answers: &'static [Answer]) -> Question {
    Question { question, short, answers }
}

use Answer::{Picture, Scenario, Waits};

/// All of them.
#[rustfmt::skip]
pub(super) const QUESTIONS: &[Question] = &[
    ask("Does `enable.idempotence` stop duplicates after the producer was restarted?",
        "No. A new producer has a new id, and the broker cannot link the two.",
        &[Scenario("duplication/producer-restart"), Scenario("transactions/exactly-once-pipeline")]),
    ask("Does it stop duplicates if my code calls `send()` again after an exception?",
        "No. A new call gets a new sequence number; only the client's own retries are recognised.",
        &[Scenario("duplication/application-sends-again")]),
    ask("Is the order safe with five requests in flight and retries?",
        "Not without idempotence. With it the broker refuses gaps and the client sends again in order.",
        &[Scenario("order/refused-and-overtaken"), Scenario("order/disconnect-reverses-retries")]),
    ask("So do I need `max.in.flight.requests.per.connection=1`?",
        "Only without idempotence and with retries; it costs throughput.",
        &[Scenario("order/sent-to-two-leaders"), Scenario("surprises/sequence-rewritten")]),
    ask("`delivery.timeout.ms`, `request.timeout.ms` or `retries`?",
        "request.timeout.ms is for one attempt, delivery.timeout.ms for everything after the batch \
         was begun; retries stay at their maximum.",
        &[Scenario("loss/expired-yet-present")]),
    ask("\"Expiring N record(s) … since batch creation\": is the broker down?",
        "The batch reached delivery.timeout.ms in the queue or on its way; often the broker is fine.",
        &[Scenario("loss/expired-yet-present"), Scenario("loss/overload-expiry")]),
    ask("\"Topic X not present in metadata after 60000 ms\"?",
        "That is max.block.ms inside `send()`: the topic is missing or no broker can be reached.",
        &[Scenario("surprises/metadata-block")]),
    ask("`send()` is asynchronous: why does it block or throw?",
        "It waits for metadata and for buffer memory, up to max.block.ms each time.",
        &[Scenario("surprises/buffer-full"), Scenario("surprises/metadata-block")]),
    ask("acks=all, and still records were lost?",
        "The in-sync replicas had shrunk to the leader, or a replica without the record was elected.",
        &[Scenario("loss/min-insync-replicas-1"), Scenario("loss/unclean-election"),
            Scenario("loss/power-loss-of-all-replicas")]),
    ask("Does acks=all wait for min.insync.replicas, or for all in-sync replicas?",
        "For all that are in sync; min.insync.replicas only decides whether the record is taken at all.",
        &[Scenario("order/ghost-of-a-closed-connection"), Picture("isr-grid", "the decision grid")]),
    ask("NOT_ENOUGH_REPLICAS_AFTER_APPEND: was it written?",
        "Yes, on the leader; a plain retry makes a copy, an idempotent one does not. A leader of Kafka \
         4.x whose followers go away while it waits answers REQUEST_TIMED_OUT, and has the record too.",
        &[Picture("isr-grid", "the decision grid")]),
    ask("OutOfOrderSequence: is data lost, is the producer dead?",
        "The idempotent client sends again, maybe under a new epoch; that can make copies.",
        &[Scenario("surprises/forgotten-batch"), Scenario("surprises/sequence-rewritten")]),
    ask("What is DuplicateSequenceException, and must I handle it?",
        "The broker answers a repetition of its last five batches with the old offset and no error.",
        &[Scenario("duplication/lost-response")]),
    ask("Why duplicates although exactly-once is on?",
        "It spans reading, processing and writing in one cluster, for readers of committed data.",
        &[Scenario("transactions/effect-outside-of-kafka"), Scenario("transactions/read-uncommitted-sees-aborted"),
            Scenario("consumers/results-written-twice"), Scenario("transactions/zombie-keeps-its-partitions")]),
    ask("ProducerFenced or InvalidProducerEpoch?",
        "Fenced: another instance took over the transactional id. Invalid epoch may be a timeout.",
        &[Scenario("transactions/zombie-is-fenced"), Scenario("transactions/two-instances-one-id"),
            Scenario("transactions/timed-out-transaction")]),
    ask("Why is my read_committed consumer stuck?",
        "An open transaction holds the last stable offset; everything behind it waits.",
        &[Scenario("transactions/open-transaction-pins-the-lso"), Scenario("transactions/hanging-transaction"),
            Scenario("transactions/new-id-for-each-start")]),
    ask("Why does lag never reach 0, why have offsets gaps?",
        "Markers of transactions take offsets; who commits `record.offset() + 1` instead of the position \
         stays one behind.",
        &[Scenario("transactions/offsets-have-gaps"), Scenario("transactions/open-transaction-pins-the-lso")]),
    ask("linger.ms=0: are there no batches then?",
        "There are: records gather while requests are in flight. linger.ms and batch.size close a \
         batch, whichever comes first.",
        &[Scenario("surprises/linger-0-still-batches")]),
    ask("Why did latency drop when I raised linger.ms?",
        "Fewer requests wait at the broker, above a certain load.",
        &[Scenario("surprises/linger-lowers-latency")]),
    ask("Why do records without keys go to one partition?",
        "The partitioner stays with one until it has had its bytes.",
        &[Scenario("surprises/null-keys-one-partition")]),
    ask("Why does another client choose another partition for the same key?",
        "Clients hash in different ways; new partitions change the mapping too.",
        &[Waits("partitioners of other clients")]),
    ask("My program ended and messages are missing: why was the callback never called?",
        "They were still in the accumulator; call flush() or close().",
        &[Scenario("loss/exit-without-flush")]),
    ask("Is `.get()` after every `send()` safer?",
        "It promises the same as looking at the callback, and waits for each answer.",
        &[Scenario("surprises/get-after-every-send")]),
    ask("acks=0 or acks=1: what do I lose in a failover?",
        "acks=0: what is sent until the client notices. acks=1: what no follower had copied.",
        &[Scenario("loss/acks-0"), Scenario("loss/acks-1-failover"), Scenario("replication/isolated-leader")]),
    ask("A timeout means that it was not written, does it?",
        "No. Nobody knows, and often it was.",
        &[Scenario("loss/expired-yet-present"), Scenario("duplication/leader-crash-before-the-response")]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_model_cannot_show_waits() {
        let waits =
            |question: &&Question| question.answers.iter().all(|answer| matches!(answer, Waits(_)));
        let waiting: Vec<&str> = QUESTIONS.iter().filter(waits).map(|q| q.question).collect();
        assert_eq!(waiting, ["Why does another client choose another partition for the same key?"]);
    }

    #[test]
    fn every_question_is_asked_in_korean_too() {
        let korean = crate::korean::gallery::QUESTIONS;
        assert_eq!(korean.len(), QUESTIONS.len());
        for ((asked, short), question) in korean.iter().zip(QUESTIONS) {
            let ends = |text: &str| text.ends_with(['.', '?']);
            assert!(ends(asked) && short.ends_with('.'), "{asked}");
            // What is code is the same in both.
            let code = |text: &str| {
                let parts = text.split('`').skip(1).step_by(2).map(str::to_owned);
                parts.collect::<std::collections::BTreeSet<_>>()
            };
            assert_eq!(code(asked), code(question.question), "{asked}");
        }
    }

    #[test]
    fn every_question_leads_somewhere() {
        assert_eq!(QUESTIONS.len(), 25);
        for question in QUESTIONS {
            assert!(question.question.ends_with('?') || question.question.ends_with("ms\"?"));
            assert!(question.short.ends_with('.'), "{}", question.question);
            assert!(!question.answers.is_empty(), "{}", question.question);
        }
    }
}
