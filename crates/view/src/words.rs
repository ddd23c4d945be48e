//! Every label in English and Korean.
//!
//! Settings, classes and error codes are never translated. Korean labels stand alone or before a
//! colon, so that no particle depends on a value.

use crate::korean;
use inflight_check::{Explanation, Mechanism};
use inflight_protocol::Fact;
use inflight_trace::{Namer, sentence};

/// The language of labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Korean.
    Ko,
    /// Korean, with the English term beside it where it is introduced.
    Both,
}

macro_rules! words {
    ($($name:ident $en:literal $ko:literal;)*) => {
        /// A label.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Word { $($name,)* }

        impl Word {
            /// Every label.
            #[cfg(test)]
            const ALL: &'static [Self] = &[$(Self::$name),*];

            const fn en(self) -> &'static str {
                match self { $(Self::$name => $en,)* }
            }

            const fn ko(self) -> &'static str {
                match self { $(Self::$name => $ko,)* }
            }
        }
    };
}

impl Lang {
    /// A label inside a picture, where room is short.
    pub(crate) const fn say(self, word: Word) -> &'static str {
        match self {
            Self::En => word.en(),
            Self::Ko | Self::Both => word.ko(),
        }
    }

    /// A label where a term is introduced: headings, legends.
    pub(crate) fn term(self, word: Word) -> String {
        match self {
            Self::En => word.en().to_owned(),
            Self::Ko => word.ko().to_owned(),
            Self::Both => format!("{} ({})", word.ko(), word.en()),
        }
    }

    /// A label and a value: "lost: 3".
    pub(crate) fn value(self, word: Word, value: impl std::fmt::Display) -> String {
        format!("{}: {value}", self.say(word))
    }

    /// Whether English words stay.
    pub(crate) const fn is_english(self) -> bool {
        matches!(self, Self::En)
    }

    /// A fact as a sentence.
    pub(crate) fn fact(self, fact: &Fact, namer: &Namer) -> String {
        if self.is_english() { sentence(fact, namer) } else { korean::fact(fact, namer) }
    }

    /// What was found, in a line.
    pub(crate) fn headline(self, found: &Explanation, namer: &Namer) -> String {
        match self.is_english() {
            true => found.headline.clone(),
            false => korean::headline(&found.finding, namer),
        }
    }

    /// How something came about, in a sentence.
    pub(crate) const fn mechanism(self, mechanism: Mechanism) -> &'static str {
        if self.is_english() { mechanism.sentence() } else { korean::mechanism(mechanism) }
    }

    /// What would have helped, or why.
    pub(crate) fn remedy(self, text: &'static str) -> &'static str {
        if self.is_english() { text } else { korean::remedy(text) }
    }

    /// A word that is a value of a fact's field.
    pub(crate) fn word(self, word: &'static str) -> &'static str {
        if self.is_english() { word } else { korean::word(word) }
    }

    /// The language as pages name it.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ko | Self::Both => "ko",
        }
    }
}

words! {
    // Kinds of pictures, as headings and as the question they answer.
    Sequence "who knew what, and when" "누가 언제 무엇을 알았나";
    Log "what each log holds" "각 로그에 있는 것";
    Pipeline "where records wait" "레코드가 대기하는 곳";
    Latency "from send() to the callback" "send()부터 콜백까지";
    Dedup "what the leader compares a batch with" "리더가 배치와 비교하는 것";
    Txn "what became of each transaction" "트랜잭션의 진행";
    Truth "what was said, and what is there" "응답과 실제 로그";
    Overview "the producer and its settings" "프로듀서와 설정";

    // Who.
    App "app" "앱";
    AppOf "app of" "앱:";
    Controller "controller" "컨트롤러";
    Leader "leader" "리더";
    Follower "follower" "팔로워";
    InSync "in sync" "ISR 소속";
    NotInSync "not in sync" "ISR 제외";
    Down "down" "중단됨";
    Paused "paused" "일시 정지";
    Reader "reader" "컨슈머";

    // What happens, in sequences.
    Sends "send" "send";
    Append "append" "추가";
    Copied "copy" "복제";
    AppendAgain "append again" "다시 추가";
    AppendLate "append, too late" "늦게 추가";
    Known "known already" "이미 있음";
    Refuses "refuses" "거부";
    Acked "acked" "응답 확인(ack)";
    Failed "failed" "실패";
    Unknown "unknown" "결과 불명";
    Lost "lost" "유실";
    Duplicated "duplicated" "중복";
    Reordered "reordered" "순서 뒤바뀜";
    Present "failed, yet in the log" "실패 보고 후 로그에 있음";
    Repeated "messages repeated" "메시지 반복";
    ProcessedTwice "processed twice" "두 번 처리";
    Skipped "skipped" "처리되지 않음";
    AbortedTransactions "transactions aborted" "중단된 트랜잭션";
    Sent "sent" "전송";
    Try "try" "시도";
    Requeued "back in the queue" "대기열로 복귀";
    Renumbered "renumbered" "번호 재지정";
    Expired "expired" "시간 초과";
    EpochRaised "producer epoch" "프로듀서 에포크";
    ProducerId "producer id" "프로듀서 ID";
    Started "started" "시작";
    Stopped "stopped" "종료";
    Crashed "CRASH" "장애";
    Resumed "runs again" "재개";
    Fenced "fenced" "차단됨(fenced)";
    Unfenced "unfenced" "차단 해제";
    Leads "leads" "리더가 됨";
    Elected "leader is" "새 리더";
    Nobody "nobody" "없음";
    Epoch "epoch" "에포크";
    Truncates "cuts its log" "로그 잘라냄";
    Recovered "log read again, end" "로그 복구, 끝";
    ConnectionLost "connection lost" "연결 끊김";
    Fault "fault" "장애 주입";
    Healed "link healed" "링크 복구";
    HighWatermark "HW" "HW";
    LogEnd "LEO" "LEO";
    Linger "linger" "대기(linger)";
    Backoff "retry backoff" "재시도 간격(backoff)";
    RequestTimeout "request.timeout.ms" "request.timeout.ms";
    DeliveryTimeout "delivery.timeout.ms" "delivery.timeout.ms";
    Waited "not shown" "생략";
    Divergence "here the runs part" "두 실행의 갈림길";

    // Legends.
    LegendRequest "request" "요청";
    LegendResponse "response" "응답";
    LegendFetch "records fetched by a follower or consumer" "팔로워·컨슈머가 가져간 레코드";
    LegendLost "lost on the way" "전송 중 유실";
    LegendCopy "a copy the log had already" "이미 로그에 있는 사본";
    LegendLate "behind a later record" "뒤의 레코드보다 늦음";
    LegendUncommitted "above the high watermark" "하이 워터마크 위";
    LegendCommitted "committed" "커밋됨";
    LegendMissing "missing although acked" "응답 확인 후 유실";
    LegendTruncated "cut off since the last picture" "직전 그림 이후 잘림";
    LegendUnknown "outcome unknown" "결과 불명";
    LegendFailed "reported as failed" "실패로 보고됨";
    LegendHw "high watermark" "하이 워터마크";
    LegendLeo "log end offset" "로그 끝 오프셋";
    LegendLeading "leading" "리더";
    LegendDead "down" "중단됨";
    LegendAnomaly "decides the verdict" "판정을 결정함";

    // Log strips.
    Offset "offset" "오프셋";
    Believes "the app was told" "앱이 받은 응답";
    After "after:" "시점:";
    AtEnd "in the end" "최종";
    EmptyLog "empty" "비어 있음";

    // Latency.
    BlockedMetadata "blocked: metadata" "대기: 메타데이터";
    BlockedMemory "blocked: memory" "대기: 버퍼 메모리";
    InBatch "in the batch" "배치 대기(linger)";
    Ready "waits for its turn" "전송 대기";
    InFlight "in flight" "전송 중(in-flight)";
    Total "total" "합계";
    Used "used" "사용";
    Limit "limit" "한도";
    Network "network" "네트워크";
    LocalAppend "append" "로컬 추가";
    WaitsInSync "waits for followers" "팔로워 대기";
    WaitsTurn "waits for earlier answers" "앞선 응답 대기";
    Back "network back" "응답 네트워크";
    InsideFlight "inside the last answered try" "응답받은 마지막 시도의 내부";
    Never "no callback" "콜백 없음";
    TooTight "delivery.timeout.ms is below linger.ms + request.timeout.ms" "delivery.timeout.ms < linger.ms + request.timeout.ms";

    // Pipeline.
    Calls "send() calls" "send() 호출";
    OpenBatches "open batches" "열린 배치";
    Slots "requests in flight" "전송 중 요청";
    Waiting "bytes not answered" "응답 대기 바이트";
    AtBroker "requests at the broker" "브로커의 요청";
    ClosedBy "closed by" "닫힌 이유";
    BarFull "full" "가득 참";
    BarLinger "linger.ms over" "linger.ms 만료";
    BarMemory "memory short" "메모리 부족";
    BarFlush "flush or close" "flush 또는 close";
    BarAlongside "another partition was ready" "다른 파티션과 함께";
    BarRetry "retry" "재시도";
    Blocked "send() blocked" "send() 대기";
    Position "position" "읽을 위치";
    CommittedOffset "committed offset" "커밋된 오프셋";
    Abandoned "gone with its producer" "프로듀서와 함께 사라짐";

    // Dedup.
    Remembered "the last five batches" "최근 5개 배치";
    Incoming "incoming batch" "들어온 배치";
    Verdict "verdict" "판정";
    NoProducerId "no producer id" "프로듀서 ID 없음";
    VerdictAppend "append" "추가";
    VerdictBlind "append: nothing to compare" "추가: 비교 대상 없음";
    VerdictDuplicate "duplicate: old offset" "중복: 기존 오프셋";

    // Truth table.
    Record "record" "레코드";
    Tries "tries" "시도";
    Told "callback" "콜백";
    Mismatch "does not fit" "불일치";

    // Grid.
    NoAnswer "no answer" "응답 없음";

    // Grid.
    IsrGrid "what a leader answers, by acks, min.insync.replicas and replicas in sync" "리더의 응답: acks, min.insync.replicas, ISR 크기별";
    GridHow "Each cell is a run: one record of three replicas is sent, and the leader dies as soon as it has answered." "각 칸은 하나의 실행: 레코드 1건 전송, 리더는 응답 직후 장애.";
    GridColumns "acks=0 and acks=1 do not look at min.insync.replicas; their columns were run with 1." "acks=0, acks=1: min.insync.replicas 무관 (1로 실행).";
    Accepted "accepted" "수락";
    InTheLog "in the leader's log" "리더 로그에 있음";
    NotInTheLog "not in the log" "로그에 없음";
    NoLeader "no leader" "리더 없음";
    Survives "survives the leader" "리더 장애 후 생존";
    Dies "lost with the leader" "리더와 함께 유실";
    AliveInSync "in sync" "ISR 크기";
    ShrinksWhileWaiting "3, then 1 while it waits" "3, 대기 중 1로 축소";

    // Overview.
    Records "records" "레코드";
    Batches "batches" "배치";
    Requests "requests" "요청";
    Retries "retries" "재시도";
    Serializer "send(): serialize, partition" "send(): 직렬화, 파티셔닝";
    Accumulator "accumulator" "어큐뮬레이터";
    Sender "sender thread" "sender 스레드";
    Cluster "leader and followers" "리더와 팔로워";
    Answer "callback" "콜백";
    BrokerWrites "appended" "추가";
    BrokerKnew "recognised" "중복 인식";
    BrokerRefused "refused" "거부";
    InFlightMost "in flight at most" "최대 전송 중";

    // Notes.
    Showing "showing" "표시";
    Of "of" "/";
    Arrows "arrows" "화살표";
    AroundAnomaly "around the first anomaly" "첫 이상 현상 주변";
    FromTheStart "from the beginning" "처음부터";
    OnlyRecords "only what concerns its records" "해당 레코드만";
    OnlyWindow "in the window" "지정 구간";
    OnlyPartition "partition" "파티션";
    Offsets "offsets" "오프셋";
    Several "records" "레코드";
    Seed "seed" "시드";
    Defaults "Kafka's defaults" "Kafka 기본값";
    AsItIs "as it is" "원래 실행";
    WithFix "with" "변경";
    TimeBroken "long waits are cut" "긴 대기는 생략";

    // Verdicts.
    Ok "everything holds that was examined" "검사한 모든 것이 성립";
    Allowed "allowed: Kafka does not promise to prevent this here" "허용: 이 설정에서는 Kafka가 보장하지 않음";
    Possible "a promise may be broken" "보장 위반 가능";
    Violation "a promise of Kafka's is broken" "Kafka의 보장 위반";
    Vacuous "nothing was examined" "검사 대상 없음";

    // Transactions.
    CommitMarker "COMMIT" "COMMIT";
    AbortMarker "ABORT" "ABORT";
    Open "open" "진행 중";
    Aborted "aborted" "중단(abort)";
    Committed "committed" "커밋됨";
    LastStable "LSO" "LSO";
    LegendOpen "in an open transaction" "진행 중인 트랜잭션";
    LegendAborted "in an aborted transaction" "중단된 트랜잭션";
    LegendMarker "control record: it takes an offset" "컨트롤 레코드: 오프셋 차지";
    Begins "begin" "begin";
    AppCalls "calls" "호출";
    SendsOffsets "sendOffsets" "sendOffsets";
    TakesOver "takes over" "이어받음";
    Marker "marker" "마커";
    Skips "skips" "건너뜀";
    CommitsOffset "commits offset" "오프셋 커밋";
    ProducerStateLane "producer state" "프로듀서 상태";
    Coordinator "coordinator" "코디네이터";
    CoordinatorSays "coordinator's events" "코디네이터 이벤트";
    GroupOffsets "group offsets" "그룹 오프셋";
    LeaderLog "leader's log" "리더 로그";
    LogPictures "pictures of the logs" "로그 그림";
    FirstAndLast "the first ones and the last" "처음과 마지막";
    NoPicture "no picture of this state" "이 상태의 그림 없음";
    Processes "processes" "처리";
    ReadsFrom "reads from" "읽기 시작";
    IsOut "is out" "제외됨";
    Generation "generation" "세대";
    Members "members" "멤버";
    BehindStable "above the LSO" "LSO 위";
    Lag "lag" "랙(lag)";
    NeverEnds "no marker comes" "마커 없음";
    Events "events" "이벤트";
    Partitions "partitions" "파티션";
    AroundTrouble "around the first failure" "첫 실패 주변";
    LegendPending "written down, not replicated yet" "기록됨, 아직 복제 전";
    LegendInCommitted "in a committed transaction" "커밋된 트랜잭션";
    LegendPlain "in no transaction" "트랜잭션 아님";
    LegendBand "open in this partition" "이 파티션에서 진행 중";
    LegendHidden "hidden from read_committed" "read_committed에 보이지 않음";
    LegendLso "last stable offset" "마지막 안정 오프셋(LSO)";

    // Stepper.
    Step "step" "단계";
    Previous "previous" "이전";
    Next "next" "다음";
    Anomaly "anomaly" "이상 현상";
    Fields "fields" "필드";
    Keys "keys: ← → one event, [ ] one anomaly, Home End" "키: ← → 이벤트, [ ] 이상 현상, Home End";
    SaveTrace "save the trace" "트레이스 저장";
    TheFix "The fix" "해결";
    WithIt "With it" "적용 결과";
    HowItCame "How it came about" "경위";
    StepThrough "Step through the run" "실행을 단계별로 보기";
    StepHow ", event by event: download it and open it." ": 내려받아 열기";
    Again "Again" "다시 실행";
    AllScenarios "All scenarios" "모든 시나리오";
    TheFile "the file" "파일";
    MoreFindings "more findings" "그 밖의 발견";
    AndSoOn "and so on, attempts" "이하 반복, 시도";
    Parts "parts" "구성";
    Settings "Settings" "설정";
    ChangedSettings "Settings that are not Kafka's defaults" "Kafka 기본값과 다른 설정";
    NothingToDraw "there is nothing to draw" "그릴 것이 없음";
    NoSuchRecord "no such record" "없는 레코드";
    PictureOf "picture" "그림";
    Run "run" "실행";
    FirstFinding "first finding" "첫 발견";
    CausalPast "causal past" "인과적 과거";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::font::{self, Weight};

    #[test]
    fn no_label_is_missing_in_either_language() {
        for word in Word::ALL {
            for lang in [Lang::En, Lang::Ko, Lang::Both] {
                assert!(!lang.say(*word).trim().is_empty(), "{word:?}");
                assert!(font::width(&lang.term(*word), 12, Weight::Regular) > 0, "{word:?}");
            }
        }
    }

    #[test]
    fn both_languages_stand_side_by_side_where_a_term_is_introduced() {
        assert_eq!(Lang::Both.term(Word::Leader), "리더 (leader)");
        assert_eq!(Lang::Both.say(Word::Leader), "리더");
        assert_eq!(Lang::Ko.value(Word::Lost, 12), "유실: 12");
    }
}
