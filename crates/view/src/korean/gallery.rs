//! What the index of the gallery says.

/// What the gallery is.
pub(crate) const ABOUT: &str = "# 갤러리\n\n여기의 모든 그림은 실제로 실행한 결과로 그렸고, 실행한 것은 이 \
    프로젝트의 시나리오다. `inflight report scenarios --out reports --lang ko`가 이 폴더를 만들며, 같은 \
    입력에서 같은 바이트가 나온다. 글자는 애플리케이션의 메시지다. 같은 글자는 어디서나 같은 메시지이고, \
    프라임(′)이 붙은 글자는 애플리케이션이 같은 메시지를 다시 보낸 것이다.\n\n";

/// Over the scenarios by theme, and the heads of their columns.
pub(crate) const THEMES: &str = "주제별";
pub(crate) const THEME_COLUMNS: &str = "| 시나리오 | 결과 | 막는 설정 |";

/// Over the questions, and the heads of their columns.
pub(crate) const BY_QUESTION: &str = "질문별";
pub(crate) const QUESTION_COLUMNS: &str = "| 질문 | 답 | 시나리오 |";

/// Over the decision grid.
pub(crate) const GRID: &str =
    "acks, min.insync.replicas, 동기화된 레플리카 수에 따라 리더가 하는 응답";

/// What a question waits for.
pub(crate) fn waits(what: &str) -> String {
    let what = match what {
        "partitioners of other clients" => "다른 클라이언트의 파티셔너",
        other => other,
    };
    format!("*아직 없음: {what}*")
}

/// How pictures are used elsewhere.
pub(crate) const ELSEWHERE: &str = "\n## 다른 곳에 쓰기\n\n그림은 밝은 바탕과 어두운 바탕을 위한 SVG \
    두 파일이다. 코드 호스트에서는 페이지의 `<picture>`를 복사하고 경로를 맞춘다. 테마 클래스를 쓰는 \
    블로그에서는 `![…](log.light.svg){: .light }`와 `![…](log.dark.svg){: .dark }`를 쓴다. SVG를 보여 주지 \
    않는 곳에는 `inflight draw FILE --format png`, 이슈와 위키에는 `--format mermaid`나 `--format plantuml`, \
    커밋 메시지에는 `--format text`가 있다.\n";

/// The questions with their short answers, in the order of the English ones.
#[rustfmt::skip]
pub(crate) const QUESTIONS: &[(&str, &str)] = &[
    ("`enable.idempotence`는 프로듀서를 재시작한 뒤의 중복도 막는가?",
     "아니다. 새 프로듀서는 새 프로듀서 ID를 받으며, 브로커는 둘을 연결할 수 없다."),
    ("예외 뒤에 내 코드가 `send()`를 다시 호출할 때의 중복도 막는가?",
     "아니다. 새 호출은 새 시퀀스 번호를 받는다. 클라이언트 자신의 재시도만 알아본다."),
    ("인플라이트 요청이 다섯 개이고 재시도가 있어도 순서가 지켜지는가?",
     "멱등성이 없으면 아니다. 있으면 브로커가 빈틈을 거부하고 클라이언트가 순서대로 다시 보낸다."),
    ("그러면 `max.in.flight.requests.per.connection=1`이 필요한가?",
     "멱등성 없이 재시도할 때만 필요하고, 처리량을 잃는다."),
    ("`delivery.timeout.ms`, `request.timeout.ms`, `retries` 가운데 무엇을 바꾸는가?",
     "request.timeout.ms는 한 번의 시도, delivery.timeout.ms는 배치가 시작된 뒤 전체에 대한 것이다. retries는 최댓값으로 둔다."),
    ("\"Expiring N record(s) … since batch creation\": 브로커가 죽었는가?",
     "배치가 대기열이나 전송 중에 delivery.timeout.ms를 넘겼다. 브로커는 대개 정상이다."),
    ("\"Topic X not present in metadata after 60000 ms\"는 무엇인가?",
     "`send()` 안의 max.block.ms다. 토픽이 없거나 어떤 브로커에도 닿지 못한다."),
    ("`send()`는 비동기인데 왜 멈추거나 예외를 던지는가?",
     "메타데이터와 버퍼 메모리를 각각 max.block.ms까지 기다린다."),
    ("acks=all인데도 레코드가 사라졌는가?",
     "동기화된 레플리카가 리더만 남았거나, 그 레코드가 없는 레플리카가 리더로 선출되었다."),
    ("acks=all은 min.insync.replicas만큼 기다리는가, 동기화된 레플리카 모두를 기다리는가?",
     "동기화된 모두를 기다린다. min.insync.replicas는 레코드를 받을지 말지만 정한다."),
    ("NOT_ENOUGH_REPLICAS_AFTER_APPEND: 기록되었는가?",
     "그렇다, 리더에 있다. 단순한 재시도는 사본을 만들고, 멱등 프로듀서의 재시도는 만들지 않는다. Kafka 4.x에서 기다리는 동안 팔로워를 잃은 리더는 REQUEST_TIMED_OUT으로 답하며, 역시 레코드를 가지고 있다."),
    ("OutOfOrderSequence: 데이터를 잃었는가, 프로듀서는 끝났는가?",
     "멱등 클라이언트는 필요하면 새 에포크로 다시 보낸다. 그때 사본이 생길 수 있다."),
    ("DuplicateSequenceException은 무엇이고, 처리해야 하는가?",
     "브로커는 최근 다섯 배치의 반복에 대해 오류 없이 이전 오프셋으로 답한다."),
    ("정확히 한 번(exactly-once)을 켰는데 왜 중복이 있는가?",
     "한 클러스터 안에서 읽고 처리하고 쓰는 일에, 커밋된 것만 읽는 쪽에 대해 성립한다."),
    ("ProducerFenced인가, InvalidProducerEpoch인가?",
     "Fenced는 다른 인스턴스가 트랜잭션 ID를 가져간 것이다. 잘못된 에포크는 타임아웃일 수도 있다."),
    ("read_committed 컨슈머가 왜 멈춰 있는가?",
     "열린 트랜잭션이 마지막 안정 오프셋(LSO)을 붙잡고 있으며, 그 뒤는 모두 기다린다."),
    ("랙이 왜 0이 되지 않고, 오프셋에 왜 빈자리가 있는가?",
     "트랜잭션의 마커가 오프셋을 차지한다. 위치가 아니라 `record.offset() + 1`을 커밋하면 하나 뒤처져 있다."),
    ("linger.ms=0이면 배치가 없는가?",
     "있다. 요청이 인플라이트인 동안 레코드가 모인다. linger.ms와 batch.size 가운데 먼저 닿는 쪽이 배치를 닫는다."),
    ("linger.ms를 올렸는데 왜 지연이 줄었는가?",
     "일정한 부하 위에서는 브로커에서 기다리는 요청이 줄기 때문이다."),
    ("키 없는 레코드가 왜 한 파티션으로 가는가?",
     "파티셔너는 정해진 바이트를 채울 때까지 한 파티션에 머문다."),
    ("같은 키인데 다른 클라이언트는 왜 다른 파티션을 고르는가?",
     "클라이언트마다 해시가 다르고, 파티션을 늘려도 대응이 바뀐다."),
    ("프로그램이 끝났는데 메시지가 없다. 왜 콜백이 불리지 않았는가?",
     "아직 어큐뮬레이터에 있었다. flush()나 close()를 호출한다."),
    ("`send()`마다 `.get()`을 부르면 더 안전한가?",
     "콜백을 보는 것과 보장이 같고, 응답을 하나씩 기다릴 뿐이다."),
    ("acks=0이나 acks=1은 페일오버에서 무엇을 잃는가?",
     "acks=0은 클라이언트가 알아챌 때까지 보낸 것, acks=1은 아직 팔로워에게 없는 것을 잃는다."),
    ("타임아웃이면 기록되지 않았다는 뜻인가?",
     "아니다. 아무도 모르며, 대개는 기록되었다."),
];
