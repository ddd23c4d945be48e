//! A run as one object for programs.

use super::{Shown, Twin, stopped};
use crate::command::repeated;
use inflight::protocol::fact::{FactField, Value};
use inflight::{Count, Counts, Explanation, Halt, Judgement, Unmet, promised};
use serde_json::{Map, Value as Json, json};

impl Shown<'_> {
    pub(super) fn to_json(&self) -> Json {
        let judgement = &self.report.judgement;
        let promises: Vec<Json> = promised(self.description, None)
            .into_iter()
            .map(|promise| {
                json!({
                    "guarantee": promise.guarantee.terms().id,
                    "client": promise.client,
                    "topic": promise.topic,
                    "stands": promise.standing.is_ok(),
                    "because": promise.standing.err().map(|reason| reason.words()),
                })
            })
            .collect();
        json!({
            "title": self.description.title,
            "seed": self.description.seed,
            "kafka": self.description.kafka,
            "digest": self.digest,
            "events": self.events,
            "facts": self.facts.len(),
            "end-ns": self.facts.last().map_or(0, |(at, _)| at.as_nanos()),
            "halt": halt(self.halt),
            "settled": self.settled,
            "verdict": judgement.worst().word(),
            "counts": counts(&judgement.counts),
            "stopped": stopped::of(self.description, self.facts)
                .into_iter()
                .map(|one| json!({ "client": one.client, "error": one.error }))
                .collect::<Vec<Json>>(),
            "repeated": repeated(judgement),
            "checkers": checkers(judgement),
            "findings": self.report.explanations.iter().map(finding).collect::<Vec<_>>(),
            "findings-in-all": judgement.findings.len(),
            "promises": promises,
            "unmet": unmet(self.unmet),
            "twin": self.twin.as_ref().map(twin),
        })
    }
}

fn halt(halt: Halt) -> Json {
    match halt.to_value() {
        Value::Word(word) => word.into(),
        _ => Json::Null,
    }
}

fn counts(counts: &Counts) -> Json {
    let all = Count::ALL.iter().map(|count| (count.word().to_owned(), count.of(counts).into()));
    Json::Object(all.collect::<Map<_, _>>())
}

fn checkers(judgement: &Judgement) -> Json {
    let all = judgement.opinions().map(|(checker, opinion)| {
        let opinion = json!({ "verdict": opinion.verdict.word(), "examined": opinion.examined });
        (checker.word().to_owned(), opinion)
    });
    Json::Object(all.collect::<Map<_, _>>())
}

fn finding(found: &Explanation) -> Json {
    let finding = &found.finding;
    let chain: Vec<Json> = found
        .chain
        .iter()
        .map(|step| {
            json!({ "fact": step.index + 1, "at-ns": step.at.as_nanos(), "sentence": step.sentence })
        })
        .collect();
    let remedies: Vec<Json> = (found.remedies.iter())
        .map(|remedy| json!({ "what": remedy.what, "why": remedy.why }))
        .collect();
    let transaction = (finding.transaction.as_ref())
        .map(|name| json!({ "producer": found.session, "number": name.number }));
    json!({
        "checker": finding.checker.word(),
        "id": finding.checker.id(),
        "verdict": finding.verdict.word(),
        "guarantee": finding.guarantee.terms().id,
        "not-promised-because": finding.excuse.map(|reason| reason.words()),
        "headline": found.headline,
        "records": found.records,
        "records-in-all": finding.total,
        "offset": finding.offset,
        "transaction": transaction,
        "consumer": found.consumer,
        "decisive-fact": finding.decisive.map(|fact| fact.index + 1),
        "mechanism": found.mechanism.word(),
        "sentence": found.mechanism.sentence(),
        "otherwise": found.otherwise,
        "remedies": remedies,
        "chain": chain,
    })
}

fn unmet(list: &[Unmet]) -> Json {
    let one = |unmet: &Unmet| json!({ "about": unmet.about, "expected": unmet.expected, "found": unmet.found });
    list.iter().map(one).collect()
}

fn twin(twin: &Twin<'_>) -> Json {
    let Twin { fix, played } = twin;
    let changes = fix.changes.iter().map(|(key, value)| (key.clone(), value.clone().into()));
    json!({
        "why": fix.why,
        "set": Json::Object(changes.collect::<Map<_, _>>()),
        "digest": played.trace_digest(),
        "verdict": played.judgement.worst().word(),
        "counts": counts(&played.judgement.counts),
        "repeated": repeated(&played.judgement),
        "unmet": unmet(&played.unmet),
    })
}
