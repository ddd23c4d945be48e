//! A finding in one line of Korean: what it is, a colon, what it is about.

use inflight_check::{Aspect, CheckerId, Finding};
use inflight_trace::Namer;

use super::NOUNS;

/// What was found, in one line.
pub(super) fn of(finding: &Finding, namer: &Namer) -> String {
    let what = what(finding);
    let mut about: Vec<String> = Vec::new();
    if let Some(first) = finding.records.first() {
        let names = namer.names();
        let run = (NOUNS.range)("record", first.run.start, first.run.len());
        let session = namer.session_by(first.session, &NOUNS);
        let rest = finding.total.saturating_sub(first.run.len());
        let more = if rest > 0 { format!(" 외 {rest}건") } else { String::new() };
        about.push(format!("{} {session}의 {run}{more}", names.partition(first.partition)));
    }
    if let Some(name) = finding.transaction {
        let session = namer.session_by(name.session, &NOUNS);
        about.push(format!("{session}의 트랜잭션 {}", name.number));
    }
    if let Some(consumer) = finding.consumer {
        about.push(format!("컨슈머 {}", namer.consumer_by(consumer, &NOUNS)));
    }
    if let Some(offset) = finding.offset {
        about.push((NOUNS.range)("offset", offset, 1));
    }
    match about.is_empty() {
        true => what.to_owned(),
        false => format!("{what}: {}", about.join(", ")),
    }
}

const fn what(finding: &Finding) -> &'static str {
    use CheckerId as C;
    match (finding.checker, finding.aspect) {
        (C::NoLoss, Aspect::Unreadable) => "응답 확인 후 아직 읽을 수 없음",
        (C::NoLoss, Aspect::Undone) => "응답 확인과 커밋 후 read_committed 컨슈머에게 유실",
        (C::NoLoss, _) => "응답 확인 후 유실",
        (C::Integrity, _) => "보낸 적 없는 레코드가 로그에 있음",
        (C::OffsetAgreement, Aspect::Replaced) => "응답받은 오프셋에 다른 레코드가 있음",
        (C::OffsetAgreement, _) => "응답받은 오프셋이 아닌 곳에 있음",
        (C::TransportDuplicate, _) => "로그에 두 번 이상 있음",
        (C::MessageDuplicate, _) => "로그에 이미 있는 메시지의 반복",
        (C::SessionOrder, _) => "나중에 보낸 레코드보다 뒤에 있음",
        (C::MessageOrder, _) => "앱의 뒤 메시지보다 뒤에 있음",
        (C::Prefix, _) => "나중에 보낸 레코드 앞에서 빠짐",
        (C::AppendOrder, _) => "호출 전에 응답받은 레코드보다 앞에 있음",
        (C::TruthfulErrors, Aspect::FalseAck) => "추가된 적 없는데 응답 확인됨",
        (C::TruthfulErrors, Aspect::FalseCommit) => "커밋 통보 후 무효",
        (C::TruthfulErrors, Aspect::FalseAbort) => "중단 통보 후 유효",
        (C::TruthfulErrors, _) => "확실한 거부 통보 후 로그에 있음",
        (C::SpuriousFatal, _) => "경쟁 인스턴스용 오류로 실패",
        (C::Progress, Aspect::Blocked) => "send() 호출이 끝나지 않음",
        (C::Progress, Aspect::Initializing) => "initTransactions() 호출이 끝나지 않음",
        (C::Progress, Aspect::Waiting) => "트랜잭션을 끝내는 호출이 끝나지 않음",
        (C::Progress, _) => "응답 없음",
        (C::LogMatching, Aspect::NotConverged) => "끝까지 레플리카가 서로 다름",
        (C::LogMatching, _) => "하이 워터마크 아래에서 레플리카가 서로 다름",
        (C::LeaderCompleteness, _) => "새 리더의 로그에 커밋된 레코드가 없음",
        (C::Truncation, _) => "커밋된 레코드를 레플리카가 잘라냄",
        (C::Sequences, Aspect::Repeated) => "이미 쓰인 시퀀스 번호로 추가됨",
        (C::Sequences, Aspect::Skipped) => "앞의 시퀀스 번호가 빠진 채 추가됨",
        (C::Sequences, _) => "0이 아닌 첫 시퀀스 번호로 추가됨",
        (C::DoubleAppend, _) => "로그에 있는데 다시 추가됨",
        (C::ProducerState, Aspect::WrongDuplicate) => "다른 배치로 오인됨",
        (C::ProducerState, Aspect::RefusedNext) => "다음 차례인 시퀀스 번호인데 거부됨",
        (C::ProducerState, Aspect::RefusedDuplicate) => "로그의 마지막 배치인데 거부됨",
        (C::ProducerState, _) => "로그의 프로듀서 상태와 어긋나게 받아들여짐",
        (C::ReaderOrder, Aspect::Backwards) => "뒤 레코드보다 나중에 컨슈머에게 전달됨",
        (C::ReaderOrder, _) => "뒤 레코드는 받았으나 전달되지 않음",
        (C::RepeatableRead, Aspect::Vanished) => "읽은 레코드가 로그에서 사라짐",
        (C::RepeatableRead, Aspect::Undone) => "다시 읽으면 보이지 않는 레코드를 읽음",
        (C::RepeatableRead, _) => "읽은 자리에 다른 것이 있음",
        (C::AbortedRead, Aspect::Visible) => "커밋되지 않은 트랜잭션의 레코드가 유효함",
        (C::AbortedRead, _) => "커밋되지 않은 트랜잭션의 레코드를 읽음",
        (C::EarlyRead, _) => "커밋 요청 전에 읽음",
        (C::Atomicity, Aspect::Torn) => "트랜잭션이 쪼개짐",
        (C::Atomicity, Aspect::FalseCommit) => "커밋 통보 후 무효인 레코드",
        (C::Atomicity, _) => "커밋되지 않은 트랜잭션의 레코드가 유효함",
        (C::Cycles, _) => "자신에게 의존하는 것을 읽은 트랜잭션",
        (C::StableProgress, _) => "read_committed 컨슈머가 더 나아가지 못함",
        (C::Fencing, Aspect::ZombieRecord) => "교체된 인스턴스의 레코드가 유효함",
        (C::Fencing, _) => "교체된 인스턴스가 커밋함",
        (C::ProcessedAtLeastOnce, _) => "커밋되었으나 처리되지 않음",
        (C::ProcessedAtMostOnce, _) => "두 번 처리됨",
        (C::ExactlyOnce, Aspect::Repeated) => "두 번 유효한 결과 메시지",
        (C::ExactlyOnce, _) => "커밋되었으나 유효한 결과 메시지가 없음",
        (C::Ownership, _) => "이 세대에 다른 멤버가 가진 파티션을 받음",
        (C::UniqueIdentity, _) => "두 프로듀서의 프로듀서 ID와 에포크가 같음",
        (C::KnownTransactions, _) => "코디네이터가 모르는 트랜잭션을 열었음",
        (C::Markers, Aspect::Mixed) => "마커 하나가 두 트랜잭션을 함께 끝냄",
        (C::Markers, Aspect::Disagreed) => "다른 마커와 다른 결과의 마커",
        (C::Markers, _) => "아무도 요청하지 않은 결과의 마커",
        (C::StableOffset, _) => "마지막 안정 오프셋이 첫 미결정 트랜잭션의 시작이 아님",
        (C::TransactionalOffsets, Aspect::FalseCommit) => "트랜잭션은 커밋, 오프셋은 미커밋",
        (C::TransactionalOffsets, _) => "커밋되지 않은 트랜잭션의 오프셋을 그룹이 가짐",
    }
}
