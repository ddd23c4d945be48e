//! Each kind of fact in Korean. Names stand before a colon, so that no particle depends on them.

use inflight_protocol::FactKind::{self, *};

/// Kinds and their templates, in the order of the vocabulary.
pub(super) const SENTENCES: &[(FactKind, &str)] = &[
    (ProducerStarted, "{client}: 프로듀서 시작"),
    (
        ProducerStopped,
        "{session}: 프로듀서 종료 ({how:closed=close 호출,exited=close 없이 프로세스 종료,crashed=프로세스 장애})",
    ),
    (ProducerPaused, "{client}: 실행 멈춤"),
    (ProducerResumed, "{client}: 다시 실행"),
    (RecordsQueued, "{session}: {records} 어큐뮬레이터에 추가, 대상 {partition} (앱의 {messages})"),
    (
        SendBlocked,
        "{session}: send() 대기 중 ({on:metadata=메타데이터 대기,memory=버퍼 메모리 대기})",
    ),
    (SendReturned, "{session}: send() 계속, 대기 시간 {waited}"),
    (SendRefused, "{session}: send() 거부, {messages}: {error}"),
    (
        ProducerIdAssigned,
        "{session}: 프로듀서 ID {producer_id}, 프로듀서 에포크 {producer_epoch} 할당",
    ),
    (ProducerEpochBumped, "{session}: 프로듀서 에포크 {producer_epoch}(으)로 올림"),
    (
        SequenceRewritten,
        "{session}: {partition} {records} 번호 재지정, 시퀀스 {from} → {to}, 프로듀서 에포크 {producer_epoch}",
    ),
    (
        SequenceUnresolved,
        "{session}: {partition} 시퀀스 {next_sequence} 앞 배치의 기록 여부 알 수 없음",
    ),
    (
        BatchDrained,
        "{session}: {partition} {records} 전송, 대상 {broker}, {attempt} 시도[, {sequences}]",
    ),
    (BatchRequeued, "{session}: {partition} {records} 대기열로 복귀, 원인: {error}"),
    (BatchSplit, "{session}: {partition} 배치가 너무 커서 {children}개로 분할"),
    (
        BatchExpired,
        "{session}: {partition} {records} 포기, delivery.timeout.ms 만료 ({place:queued=아직 대기열에 있음,in-flight=응답 없는 요청에 있음})",
    ),
    (RecordsAcked, "{session}: {partition} {records} 응답 확인(ack)[, {offsets}]"),
    (RecordsFailed, "{session}: {partition} {records} 실패 통보: {error}"),
    (
        MetadataUpdated,
        "{session}: 클러스터 정보 갱신, 출처 {broker} ({through:metadata=메타데이터 응답,leader-hint=produce 응답의 리더 정보})",
    ),
    (
        TransactionsInitialized,
        "{session}: initTransactions() 반환, {transactional_id}의 프로듀서 ID {producer_id}, 프로듀서 에포크 {producer_epoch}",
    ),
    (TransactionBegun, "{session}: 트랜잭션 {transaction} 시작"),
    (
        OffsetsAddedToTransaction,
        "{session}: 트랜잭션 {transaction}에 오프셋 추가, 그룹 {group}, {partition} 오프셋 {offset}",
    ),
    (TransactionEnding, "{session}: 트랜잭션 {transaction} {result:commit=커밋,abort=중단} 요청"),
    (
        TransactionEnded,
        "{session}: 트랜잭션 {transaction} {result:commit=커밋됨,abort=중단됨} 통보",
    ),
    (
        TransactionCallFailed,
        "{session}: {call:init=initTransactions(),begin=beginTransaction(),send=send(),send-offsets=sendOffsetsToTransaction(),commit=commitTransaction(),abort=abortTransaction()} 실패: {error} ({recovery:retry=같은 호출 반복 가능,abort=abortTransaction()만 가능,close=close()만 가능,none=변화 없음})",
    ),
    (ProducerStateChanged, "{session}: 프로듀서 상태 {from} → {to}"),
    (ConsumerStarted, "{client}: 컨슈머 시작[, 그룹 {group}], {isolation}"),
    (
        ConsumerStopped,
        "{consumer}: 컨슈머 종료 ({how:closed=close 호출,exited=close 없이 프로세스 종료,crashed=프로세스 장애})",
    ),
    (MemberStateChanged, "{consumer}: 그룹에서 {from} → {to}"),
    (PartitionAssigned, "{consumer}: {partition} 할당 (세대 {generation})"),
    (
        PartitionRevoked,
        "{consumer}: {partition} 반납 ({why:revoked=리밸런스,lost=멤버 자격 상실,closed=close 호출})",
    ),
    (
        PositionSet,
        "{consumer}: {partition} 오프셋 {offset}부터 읽음 ({source:committed=커밋된 위치,earliest=처음,latest=끝,seek=앱의 seek,truncation=로그가 잘린 위치})",
    ),
    (RecordsReturned, "{consumer}: poll() 반환, {partition} {offsets}, {session}의 {records}"),
    (AbortedRecordsSkipped, "{consumer}: {partition} {offsets} 건너뜀, 중단된 트랜잭션"),
    (RecordsProcessed, "{consumer}: {partition} {offsets} 처리(이미 처리되어 건너뛴 것 {known}건)"),
    (RecordsTransformed, "{consumer}: {partition} {offsets}에서 {messages} 생성"),
    (
        OffsetCommitRequested,
        "{consumer}: {partition} 오프셋 {offset} 커밋 요청 ({mode:sync=동기,async=비동기,auto=자동})",
    ),
    (OffsetCommitReturned, "{consumer}: {partition} 오프셋 {offset} 커밋 결과: {error|성공}"),
    (ConsumerFailed, "{consumer}: 호출 실패: {error}"),
    (ConnectionOpened, "연결 {connection}: {to} 쪽으로 열림"),
    (
        ConnectionClosed,
        "{at}: 연결 {connection} 끊김 ({why:peer=상대가 닫음,request-timeout=제때 응답 없음,setup-timeout=제때 연결되지 않음,idle=유휴,local=스스로 닫음,produce-failed=acks=0에서 추가 실패})",
    ),
    (
        MessageSent,
        "{from}: {api} {direction:request=요청,response=응답} {correlation} 전송, 대상 {to}",
    ),
    (
        MessageDelivered,
        "{to}: {api} {direction:request=요청,response=응답} {correlation} 도착, 출처 {from}",
    ),
    (
        MessageLost,
        "{api} {direction:request=요청,response=응답} {correlation} 유실, {from} → {to} ({why:fault=장애 주입,cut=링크 단절,closed=닫힌 연결,down=수신자 중단})",
    ),
    (LinkCut, "링크 {from} → {to}: 전달 멈춤"),
    (LinkHealed, "링크 {from} → {to}: 다시 전달"),
    (LinkSlowed, "링크 {from} → {to}: {by} 느려짐"),
    (
        BatchAppended,
        "{broker}: {session}의 {records} {origin:client=추가,replication=복제}, {partition} {offsets} (리더 에포크 {leader_epoch}[, 프로듀서 에포크 {raised_epoch}][, {sequences}])",
    ),
    (
        DuplicateRecognized,
        "{broker}: {session}의 {records} 중복 인식, {partition} {offsets}에 이미 있음",
    ),
    (ProducerStateExpired, "{broker}: {partition} 프로듀서 ID {producer_id} 상태 만료"),
    (BatchRejected, "{broker}: {session}의 {records} 거부, {partition}: {error}"),
    (
        ProduceDelayed,
        "{broker}: {session}의 {records} 응답 보류, {partition} 하이 워터마크 {required_offset} 대기",
    ),
    (ProduceDecided, "{broker}: {partition}의 {session} {records}에 응답: {error|성공}"),
    (HighWatermarkAdvanced, "{broker}: {partition} 하이 워터마크 {from} → {to}"),
    (HighWatermarkRegressed, "{broker}: {partition} 하이 워터마크 후퇴 {from} → {to}"),
    (FollowerAdvanced, "{broker}: 팔로워 {follower}의 {partition} 로그 끝 {log_end_offset} 확인"),
    (LogTruncated, "{broker}: {partition} 로그 잘라냄, 끝 {from} → {to}"),
    (LogFlushed, "{broker}: {partition} 오프셋 {to} 앞까지 디스크에 기록"),
    (LogRecovered, "{broker}: {partition} 로그 복구, 끝 {from} → {to}"),
    (IsrProposed, "{broker}: {partition} ISR 변경 제안 {from|없음} → {to|없음}"),
    (
        BecameLeader,
        "{broker}: {partition} 리더, 오프셋 {start_offset}부터 (리더 에포크 {leader_epoch})",
    ),
    (
        BecameFollower,
        "{broker}: {partition} 팔로워, 리더 {leader|없음} (리더 에포크 {leader_epoch})",
    ),
    (
        BrokerCrashed,
        "{broker}: 장애 ({surviving:appended=프로세스만 종료되어 로그는 온전함,flushed=전원이 끊겨 디스크에 없던 것은 사라짐})",
    ),
    (BrokerStarted, "{broker}: 시작"),
    (BrokerStopped, "{broker}: 정상 종료"),
    (BrokerPaused, "{broker}: 실행 멈춤"),
    (BrokerResumed, "{broker}: 다시 실행"),
    (DiskSlowed, "{broker}: 디스크 {by} 느려짐"),
    (MetadataApplied, "{broker}: 클러스터 메타데이터 버전 {version} 적용"),
    (
        CoordinatorLoaded,
        "{broker}: {partition} 코디네이터 시작 (코디네이터 에포크 {coordinator_epoch})",
    ),
    (CoordinatorUnloaded, "{broker}: {partition} 코디네이터 종료"),
    (
        InternalRecordsAppended,
        "{broker}: {partition} {offsets} {origin:client=기록,coordinator=기록,replication=복제} (리더 에포크 {leader_epoch})",
    ),
    (
        TransactionStatePending,
        "{broker}: {transactional_id} 상태 변경 기록 {from} → {to} (프로듀서 에포크 {producer_epoch})",
    ),
    (
        TransactionStateChanged,
        "{transactional_id}: 상태 {from} → {to} (프로듀서 ID {producer_id}, 프로듀서 에포크 {producer_epoch}, 코디네이터 {broker})",
    ),
    (TransactionPartitionAdded, "{transactional_id}: 트랜잭션에 {partition} 추가"),
    (
        TransactionTimedOut,
        "{broker}: {transactional_id} 트랜잭션 포기, transaction.timeout.ms 만료",
    ),
    (TransactionRequestRejected, "{broker}: {transactional_id}의 {api} 거부: {error}"),
    (
        TransactionVerified,
        "{broker}: {partition}의 트랜잭션 소속 확인, 프로듀서 ID {producer_id}, 프로듀서 에포크 {producer_epoch}: {error|예}",
    ),
    (
        MarkerAppended,
        "{broker}: {partition} 오프셋 {offset}에 {result:commit=커밋,abort=중단} 마커 {origin:client=기록,coordinator=기록,replication=복제} (프로듀서 ID {producer_id}, 프로듀서 에포크 {producer_epoch}[, 트랜잭션 시작 오프셋 {first_offset}])",
    ),
    (
        MarkerSkipped,
        "{broker}: {partition}에 리더가 없어 마커를 보내지 않음, {transactional_id}의 트랜잭션이 그곳에서 끝난 것으로 여김 ({result}, 프로듀서 에포크 {producer_epoch})",
    ),
    (
        MarkerRejected,
        "{broker}: {partition} 마커 거부 (프로듀서 ID {producer_id}, 프로듀서 에포크 {producer_epoch}): {error}",
    ),
    (LastStableOffsetAdvanced, "{broker}: {partition} 마지막 안정 오프셋(LSO) {from} → {to}"),
    (GroupOffsetCommitted, "그룹 {group}: {partition} 오프셋 {offset} 커밋됨"),
    (
        GroupOffsetPending,
        "그룹 {group}: {partition} 오프셋 {offset}, 프로듀서 ID {producer_id}의 트랜잭션이 커밋되면 유효",
    ),
    (MemberJoined, "그룹 {group}: {client} 참여"),
    (
        MemberRemoved,
        "그룹 {group}: {client} 제외 ({why:left=스스로 나감,session-timeout=하트비트 없음,rebalance-timeout=제때 재참여하지 않음})",
    ),
    (GroupRebalanced, "그룹 {group}: 세대 {generation}, 멤버 {members}"),
    (TargetAssigned, "그룹 {group}: 그룹 에포크 {epoch}의 목표 할당, 멤버 {members}"),
    (
        MemberReconciled,
        "그룹 {group}: {client} {state}, 멤버 에포크 {epoch}, 읽을 파티션 {assigned}, 내놓을 파티션 {revoking}",
    ),
    (
        GroupRequestRejected,
        "{broker}: 그룹 {group}에 대한 {client}의 {api} 거부[ (에포크 {epoch})]: {error}",
    ),
    (
        BrokerRegistered,
        "컨트롤러: {broker} 등록, 브로커 에포크 {broker_epoch}, 직전 종료 {after:clean=정상,unclean=비정상}",
    ),
    (BrokerFenced, "컨트롤러: {broker} 차단(fenced)"),
    (BrokerUnfenced, "컨트롤러: {broker} 차단 해제"),
    (IsrChanged, "{partition}: ISR {from|없음} → {to|없음}[, ELR {elr}]"),
    (
        LeaderElected,
        "컨트롤러: {partition} 리더 {leader|없음} (리더 에포크 {leader_epoch}, {election:clean=ISR에서 선출,eligible=ELR에서 선출,last-known=마지막 리더,unclean=언클린 리더 선출,preferred=선호 레플리카,forced=장애 주입으로 지정,none=선출 불가})",
    ),
    (FaultInjected, "장애 주입: {fault}"),
    (
        RunEnded,
        "실행 종료 ({halt:quiescent=더 할 일 없음,horizon=시간 한도,event-budget=이벤트 한도})",
    ),
];

/// A batch whose number is the same in the new producer epoch.
pub(super) const ONLY_EPOCH: &str =
    "{session}: {partition} {records} 프로듀서 에포크 {producer_epoch}, 시퀀스 {to} 그대로";

/// A change of the eligible leader replicas alone.
pub(super) const ONLY_ELIGIBLE: &str = "{partition}: ELR {elr|없음}, ISR {to|없음}";
