//! Our log plays a script, and says the same as the Java program would.

use crate::script::{Batch, Script, Step};
use inflight_broker::{BareAnswer, BareLog, BareProducer};
use inflight_des::Span;
use inflight_protocol::fact::Surviving;
use inflight_protocol::record_size::{BATCH_OVERHEAD, RecordShape};
use inflight_protocol::{
    BatchProducer, BrokerConfig, LeaderEpoch, Offset, ProducerEpoch, ProducerId, RecordBatch,
    RecordRun, Sequence, SessionId, Timestamp, TopicConfig,
};
use serde_json::{Value, json};

/// What each record has for a value in the Java program.
const VALUE_BYTES: u32 = 10;

/// Our log in the middle of a script.
#[derive(Debug)]
pub(crate) struct Ours {
    log: BareLog,
    answers: Vec<Value>,
    /// Where batches start, and where the log has ended.
    boundaries: Vec<u64>,
}

impl Ours {
    /// An empty log with segments of so many bytes.
    pub(crate) fn new(segment: u32) -> Self {
        let topic = TopicConfig { segment_bytes: segment, ..TopicConfig::default() };
        let log = BareLog::new(topic, BrokerConfig::default());
        Self { log, answers: Vec::new(), boundaries: vec![0] }
    }

    /// Plays a script from its beginning to its end.
    pub(crate) fn of(script: &Script) -> Self {
        let mut ours = Self::new(script.segment);
        for step in &script.steps {
            ours.play(*step);
        }
        ours
    }

    /// The offsets that the log may be cut at: no leader's epoch ends within a batch.
    pub(crate) fn boundaries(&self) -> &[u64] {
        &self.boundaries
    }

    /// What is known of the producers.
    pub(crate) fn producers(&self) -> impl Iterator<Item = BareProducer> {
        self.log.producers()
    }

    /// Does one step.
    pub(crate) fn play(&mut self, step: Step) {
        let log = &mut self.log;
        let mut answer = None;
        match step {
            Step::Append(batch) => {
                let leader = LeaderEpoch::new(batch.leader);
                answer = Some(match log.append(record_batch(batch), leader) {
                    BareAnswer::Written(offset) => json!(offset.get()),
                    BareAnswer::Duplicate(offset) => json!(format!("dup {}", offset.get())),
                    BareAnswer::Refused(error) => json!(error.name()),
                });
            }
            Step::Follow(batch) => {
                log.follow(record_batch(batch), LeaderEpoch::new(batch.leader));
            }
            Step::Lead(epoch) => log.lead(LeaderEpoch::new(epoch)),
            Step::Truncate(to) => {
                log.truncate(Offset::new(to));
            }
            Step::Flush => log.flush(),
            Step::Wait(seconds) => log.wait(Span::from_secs(seconds)),
            Step::Close => log.close(),
            Step::Kill => log.crash(Surviving::Appended),
            Step::Power => log.crash(Surviving::Flushed),
        }
        let end = log.end().get();
        self.boundaries.retain(|offset| *offset < end);
        self.boundaries.push(end);
        self.answers.push(answer.unwrap_or_else(|| json!(end)));
    }

    /// The line that the Java program would print.
    pub(crate) fn answer(self) -> Value {
        let producers: Vec<Value> = self
            .producers()
            .map(|producer| {
                let batches: Vec<Value> = producer.batches.iter().map(batch_answer).collect();
                json!([producer.id.get(), producer.epoch.get(), batches])
            })
            .collect();
        let epochs = self.log.leader_epochs();
        let epochs: Vec<_> = epochs.map(|(epoch, at)| json!([epoch.get(), at.get()])).collect();
        json!({
            "steps": self.answers,
            "producers": producers,
            "epochs": epochs,
            "end": self.log.end().get(),
        })
    }
}

fn batch_answer((first, sequence, count): &(Offset, Sequence, u32)) -> Value {
    let last = sequence.plus(count - 1);
    let last_offset = first.get() + u64::from(count - 1);
    json!([sequence.get(), last.get(), first.get(), last_offset])
}

fn record_batch(batch: Batch) -> RecordBatch {
    let shape = RecordShape::plain(None, Some(VALUE_BYTES));
    let records = shape.run_size(0, 0, batch.count);
    RecordBatch {
        kind: inflight_protocol::BatchKind::Plain,
        base_offset: Offset::ZERO,
        records: RecordRun { first: 0, count: batch.count, session: SessionId::new(0) },
        producer: u64::try_from(batch.pid).ok().map(|pid| BatchProducer {
            id: ProducerId::new(pid),
            base_sequence: Sequence::new(batch.sequence).expect("a sequence is not negative"),
            epoch: ProducerEpoch::new(batch.epoch),
        }),
        max_timestamp: Timestamp::RUN_START,
        bytes: BATCH_OVERHEAD + records as u32,
        leader_epoch: LeaderEpoch::new(0),
    }
}
