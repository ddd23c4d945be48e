//! Facts and explanations in Korean.
//!
//! Settings, classes, error codes and what a scenario calls things are never translated. Values stand
//! before or behind a colon, so that no particle depends on them.

mod facts;
pub(crate) mod gallery;
mod headlines;
mod mechanisms;

use inflight_check::{Finding, Mechanism};
use inflight_protocol::Fact;
use inflight_trace::{Namer, Nouns, sentence_by};

/// What is said of numbers.
pub(crate) const NOUNS: Nouns = Nouns {
    broker: "브로커",
    controller: "컨트롤러",
    nothing: "없음",
    range: |noun, first, count| {
        let noun = match noun {
            "record" => "레코드",
            "message" => "메시지",
            "offset" => "오프셋",
            "sequence" => "시퀀스",
            other => other,
        };
        match count {
            0 => format!("{noun} 없음"),
            1 => format!("{noun} {first}"),
            _ => format!("{noun} {first}..{}", first.saturating_add(count - 1)),
        }
    },
    attempt: |index| format!("{}번째", u64::from(index) + 1),
    life: |what, index| {
        let what = if what == "session" { "세션" } else { "컨슈머" };
        format!("{}번째 {what}", u64::from(index) + 1)
    },
    session: "세션",
    consumer: "컨슈머",
};

/// A fact as a line.
pub(crate) fn fact(fact: &Fact, namer: &Namer) -> String {
    let template = match fact {
        Fact::IsrChanged { from, to, .. } if from == to => facts::ONLY_ELIGIBLE,
        Fact::SequenceRewritten { from, to, .. } if from == to => facts::ONLY_EPOCH,
        _ => {
            let row = facts::SENTENCES.iter().find(|(kind, _)| *kind == fact.kind());
            row.map_or("", |(_, template)| template)
        }
    };
    sentence_by(template, fact, namer, &NOUNS)
}

/// A finding as a line.
pub(crate) fn headline(finding: &Finding, namer: &Namer) -> String {
    headlines::of(finding, namer)
}

/// How something came about.
pub(crate) const fn mechanism(mechanism: Mechanism) -> &'static str {
    mechanisms::sentence(mechanism)
}

/// What helps, or why. A setting is the same in both languages.
pub(crate) fn remedy(english: &'static str) -> &'static str {
    let found = mechanisms::REMEDIES.iter().find(|(known, _)| *known == english);
    found.map_or(english, |(_, korean)| korean)
}

/// A word of the scenario format that is a value of a fact's field.
pub(crate) fn word(english: &'static str) -> &'static str {
    match english {
        "closed" => "close 호출",
        "exited" => "close 없이 종료",
        "crashed" => "프로세스 장애",
        "appended" => "로그는 온전함",
        "flushed" => "전원 차단",
        "clean" => "ISR에서 선출",
        "eligible" => "ELR에서 선출",
        "last-known" => "마지막 리더",
        "unclean" => "언클린 선출",
        "preferred" => "선호 레플리카",
        "forced" => "장애 주입으로 지정",
        "none" => "선출 불가",
        "revoked" => "리밸런스",
        "lost" => "멤버 자격 상실",
        "committed" => "커밋된 위치",
        "earliest" => "처음",
        "latest" => "끝",
        "seek" => "앱의 seek",
        "truncation" => "로그가 잘린 위치",
        "commit" => "커밋",
        "abort" => "중단",
        "left" => "스스로 나감",
        "session-timeout" => "하트비트 없음",
        "rebalance-timeout" => "제때 재참여하지 않음",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use inflight_protocol::FactKind;
    use inflight_protocol::fact::FieldType;

    /// Whether a text has two plain words of Latin letters side by side.
    fn is_english(text: &str) -> bool {
        let plain = |word: &str| {
            let word = word.trim_matches(|c: char| ",.()".contains(c));
            word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_lowercase())
        };
        let words: Vec<&str> = text.split_whitespace().collect();
        words.windows(2).any(|pair| plain(pair[0]) && plain(pair[1]))
    }

    #[test]
    fn every_kind_of_fact_has_a_line_with_fields_that_exist() {
        let kinds: Vec<FactKind> = facts::SENTENCES.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(kinds, FactKind::ALL);
        let runs = ["records", "messages", "offsets", "sequences", "raised_epoch"];
        for (kind, template) in facts::SENTENCES {
            assert!(!is_english(template), "{template}");
            for hole in template.split('{').skip(1) {
                let hole = hole.split('}').next().unwrap_or_default();
                let field = hole.split(['|', ':']).next().unwrap_or_default();
                let spec = kind.fields().iter().find(|spec| spec.name == field);
                assert!(runs.contains(&field) || spec.is_some(), "{}: {field}", kind.name());
                let Some((_, words)) = hole.split_once(':') else { continue };
                let Some(FieldType::Word(all)) = spec.map(|spec| spec.field_type) else { continue };
                for word in all.iter().filter(|word| **word != "coordinator") {
                    let known = words.split(',').any(|pair| pair.split('=').next() == Some(word));
                    assert!(known, "{} {field}: {word}", kind.name());
                }
            }
        }
    }

    #[test]
    fn every_mechanism_and_remedy_is_told_in_korean() {
        for known in Mechanism::ALL {
            let sentence = mechanism(*known);
            assert!(sentence.ends_with('.') && !is_english(sentence), "{sentence}");
            for found in known.remedies() {
                assert!(!is_english(remedy(found.what)), "{}", found.what);
                assert!(remedy(found.why) != found.why, "{}", found.why);
            }
        }
    }
}
