//! How anomalies come about, in Korean.

use inflight_check::Mechanism::{self, *};

/// What a mechanism is, in one sentence.
#[expect(clippy::too_many_lines, reason = "one line for each mechanism")]
pub(super) const fn sentence(mechanism: Mechanism) -> &'static str {
    match mechanism {
        AcksZero => {
            "acks=0이므로 레코드가 클라이언트를 떠난 순간 전달된 것으로 여겼고, 어느 브로커도 응답하지 않았다."
        }
        LeaderAlone => {
            "리더 혼자 레코드를 가졌을 때 응답했고, 팔로워가 복제하기 전에 다른 브로커가 리더가 되었다."
        }
        ZombieLeader => {
            "이미 리더가 아닌 브로커가 그 사실을 모른 채 레코드를 받고 응답했으며, 새 리더를 따르면서 로그가 잘렸다."
        }
        AckedTooEarly => {
            "인-싱크 레플리카가 레코드를 갖기 전에 리더가 acks=all에 응답했다. Kafka의 규칙 위반이다."
        }
        LoneInSync => {
            "응답할 때 인-싱크 레플리카가 리더뿐이어서 acks=all이 아무도 기다리지 않았고, 그 로그가 사라지거나 선출에서 밀려났다."
        }
        UncleanElection => {
            "ISR에 없던 레플리카가 선출되었고, 다른 레플리카에만 있던 것은 모두 버려졌다."
        }
        OutOfSyncElection => {
            "ISR에 없던 레플리카가 정상 선출로 처리되었다. 컨트롤러가 Kafka의 규칙을 어겼다."
        }
        PowerLoss => "레코드를 가진 레플리카들이 디스크에 기록하기 전에 전원을 잃었다.",
        LastReplicaStanding => {
            "ISR이 하나로 줄었고, 그 레플리카가 디스크에 없던 레코드를 전원과 함께 잃은 뒤 다시 선출되었다. 온전하지만 ISR 밖에 있던 레플리카들이 그것을 따랐다."
        }
        TruncatedTooFar => "레플리카가 커밋된 레코드를 잘라냈다. Kafka의 규칙 위반이다.",
        AckWithoutAppend => "어느 브로커도 추가하지 않은 레코드에 응답했다. Kafka의 규칙 위반이다.",
        PayloadSwap => {
            "리더가 배치를 같은 프로듀서 ID, 프로듀서 에포크, 시퀀스를 가진 다른 배치로 착각하고 추가 없이 응답했다."
        }
        SequenceReused => {
            "리더가 추가한 배치가 실패로 처리되었고 그 시퀀스가 이 배치에 다시 쓰였다. 리더는 이 배치를 그 배치로 착각하고 추가 없이 응답했다."
        }
        OtherCopyStayed => {
            "레코드가 로그에 여러 번 있었고, 응답받은 사본은 사라지고 다른 사본이 남았다."
        }
        NotCommittedYet => {
            "레코드가 리더 로그의 하이 워터마크 위에 있다. 인-싱크 레플리카가 갖기 전에는 컨슈머에게 보이지 않는다."
        }
        LostResponse => "레코드는 추가되었으나 응답이 유실되었고, 재시도가 새 레코드로 추가되었다.",
        LeaderGone => {
            "레코드가 추가되고 복제되었으나 응답 전에 리더가 사라졌고, 새 리더가 재시도를 새 레코드로 추가했다."
        }
        ErrorAfterAppend => {
            "레코드가 추가되었는데도 브로커가 오류로 응답했고, 재시도가 새 레코드로 추가되었다."
        }
        RequestTimeout => {
            "레코드는 추가되었으나 응답이 request.timeout.ms보다 늦었고, 재시도가 새 레코드로 추가되었다."
        }
        ConnectionBroken => {
            "레코드는 추가되었으나 응답 전에 연결이 끊겼고, 재시도가 새 레코드로 추가되었다."
        }
        GhostRequest => "프로듀서가 버린 연결의 요청이, 같은 레코드를 다시 보낸 뒤에 처리되었다.",
        RetriedBlindly => "레코드가 추가된 뒤 다시 전송되어 새 레코드로 추가되었다.",
        SequenceRewritten => {
            "프로듀서가 에포크를 올리고 배치 번호를 다시 매겨, 리더가 이미 추가한 것임을 알아볼 수 없었다."
        }
        FirstBatchOvertaken => {
            "리더가 이 프로듀서의 것을 하나도 모르는 상태에서 뒤의 배치를 먼저 받았다. 앞 배치는 순서 오류로 거부되었고, 프로듀서가 에포크를 올려 둘의 번호를 다시 매기자 리더는 이미 추가한 것을 알아볼 수 없었다."
        }
        FirstBatchShutOut => {
            "리더가 이 프로듀서의 것을 하나도 모르는 상태에서 뒤의 배치를 먼저 받았다. 그 뒤로 이 배치는 프로듀서가 포기할 때까지 순서 오류로 거부되었다."
        }
        ForgottenBatch => {
            "브로커가 로그에 있는 배치를 더는 기억하지 못해 재시도를 순서 오류로 거부했다. 프로듀서가 에포크를 올리고 번호를 다시 매기자 브로커가 다시 추가했다."
        }
        StateExpired => "브로커가 프로듀서 ID를 잊어 재시도를 알아볼 수 없었다.",
        ProducerStateLost => {
            "브로커가 자기 로그에 있는 프로듀서 정보를 몰랐다. Kafka의 규칙 위반이다."
        }
        NewProducerId => {
            "두 시도 사이에 세션이 다른 프로듀서 ID를 받아, 리더가 재시도를 알아볼 수 없었다."
        }
        RestartedProducer => {
            "애플리케이션이 다시 시작되어, 첫 프로듀서가 이미 로그에 넣은 메시지를 다시 보냈다. 새 프로듀서는 새 ID를 갖는다."
        }
        ResentAfterExpiry => {
            "레코드가 추가되었거나 추가될 것이었는데도 delivery.timeout.ms가 지나 프로듀서가 포기했고, 애플리케이션이 메시지를 다시 보냈다."
        }
        ResentByApplication => {
            "레코드가 추가되었거나 추가될 것이었는데도 애플리케이션이 오류를 통보받고 메시지를 다시 보냈다."
        }
        ResentAfterAbort => {
            "트랜잭션이 중단되어 애플리케이션이 그 메시지를 다시 보냈는데, 이 메시지는 뒤의 메시지보다 늦게 보냈다."
        }
        RequeuedInReverse => {
            "파티션의 여러 배치가 전송 중일 때 그 요청들이 실패했다. 각 배치가 대기열 맨 앞에 놓여 거꾸로 다시 전송되었다."
        }
        OvertakenWhileRefused => {
            "거부된 배치가 재시도를 기다리는 동안, 이미 전송 중이던 다음 배치가 받아들여졌다."
        }
        LeaderMoved => "이 배치의 재시도가 남아 있는데 다음 배치가 새 리더로 갔다.",
        OldConnection => {
            "프로듀서가 포기한 연결에서 레코드가 아직 가는 중이었고, 다음 연결로 나간 나중 레코드가 더 빨리 도착했다."
        }
        AcceptedOutOfOrder => {
            "앞의 시퀀스가 없는데도 리더가 받아들였다. 프로듀서에 대해 아무것도 모르거나 Kafka의 규칙을 어긴 것이다."
        }
        RefusedOutOfOrder => {
            "앞 배치가 없어 브로커가 순서 오류로 거부했고, 프로듀서에게 다시 보낼 시간이 남지 않았다."
        }
        GivenUp => {
            "프로듀서가 delivery.timeout.ms 뒤에 레코드를 포기하고 뒤의 레코드를 계속 보냈다."
        }
        Refused => "레코드가 최종 거부되었고 뒤의 레코드는 전송되었다.",
        ProducerGone => "레코드를 보내기 전에 프로듀서가 사라졌다.",
        FailedAfterAppend => "레코드가 로그에 있는데도 애플리케이션은 실패를 통보받았다.",
        ForeignRecord => "그 세션이 이 파티션에 보낸 적 없는 레코드가 로그에 있다.",
        ReplicasDiffer => "레플리카의 로그가 리더의 로그와 다르다.",
        LateEnd => {
            "한 트랜잭션을 끝내는 요청이 늦게 도착해 다음 트랜잭션을 끝냈다. 프로듀서 에포크가 같아 코디네이터가 구별할 수 없다. transaction.version 2 이전 프로토콜의 알려진 결함이다(KAFKA-17754)."
        }
        LateBatchJoined => {
            "끝난 트랜잭션의 배치가 늦게, 같은 프로듀서의 다음 트랜잭션이 열려 있을 때 도착해 그 일부가 되었다. 둘의 프로듀서 에포크가 같다. transaction.version 2 이전 프로토콜의 알려진 결함이다(KIP-890)."
        }
        HangingTransaction => {
            "배치가 트랜잭션의 마커보다 늦게 도착해 코디네이터가 모르는 트랜잭션을 열었다. 그것을 끝낼 마커는 오지 않는다(KAFKA-14402)."
        }
        MarkerSkipped => {
            "트랜잭션이 끝날 때 파티션에 리더가 없었다. 코디네이터는 삭제된 파티션으로 여겨 마커를 보내지 않았고, 트랜잭션은 같은 프로듀서의 다음 트랜잭션이 어느 쪽으로든 끝낼 때까지 그곳에 열려 있다. KRaftMetadataCache.getPartitionLeaderEndpoint()가 그런 파티션에 아무것도 답하지 않게 된 뒤로 코디네이터에 있는 결함이다."
        }
        MarkerLost => {
            "트랜잭션은 끝났으나 그 마커가 로그의 끝과 함께 사라졌다. 앞의 레코드는 남았고, 마커를 다시 쓸 이는 없다."
        }
        TransactionForgotten => {
            "__transaction_state가 레코드를 잃으면서 코디네이터가 열린 트랜잭션을 잊었다. 끝낼 것을 알지 못하고, 다음 프로듀서는 다른 프로듀서 ID를 받는다."
        }
        OpenTransaction => {
            "시작된 트랜잭션을 아무도 끝내지 않아, 커밋된 레코드만 읽는 컨슈머가 그 첫 레코드 앞에서 기다린다."
        }
        TransactionTimedOut => {
            "트랜잭션이 transaction.timeout.ms보다 오래 걸려 코디네이터가 기록된 것을 중단시켰고, 프로듀서는 모른 채 계속했다."
        }
        AbortedByRival => {
            "같은 transactional.id의 다른 인스턴스가 초기화되어, 코디네이터가 이 인스턴스의 열린 트랜잭션을 중단시켰다."
        }
        ZombieNotFenced => {
            "교체된 인스턴스가 그래도 커밋했다. 코디네이터나 리더가 Kafka의 규칙을 어겼다."
        }
        MarkersApart => "한 트랜잭션의 마커들이 서로 다르다. 코디네이터가 Kafka의 규칙을 어겼다.",
        OffsetsApart => {
            "그룹의 오프셋이 그것을 가져온 트랜잭션의 결과를 따르지 않았다. 코디네이터가 Kafka의 규칙을 어겼다."
        }
        ReadUncommitted => {
            "컨슈머가 트랜잭션의 결과와 관계없이 하이 워터마크 아래의 모든 것을 읽는다."
        }
        ReadAboveStable => {
            "커밋된 레코드만 읽는 컨슈머가 마지막 안정 오프셋 위의 레코드를 받았다. 브로커나 컨슈머가 Kafka의 규칙을 어겼다."
        }
        StableOffsetWrong => {
            "리더가 자기 로그와 다른 마지막 안정 오프셋을 썼다. Kafka의 규칙 위반이다."
        }
        CommittedFirst => {
            "레코드를 처리하기 전에 오프셋이 커밋되었고, 그 레코드를 가진 컨슈머가 처리 전에 사라지거나 파티션을 잃었다."
        }
        CommitLost => {
            "레코드는 처리되었으나 오프셋을 커밋하기 전에 컨슈머가 사라져, 다음 컨슈머가 그 앞에서 시작했다."
        }
        RebalanceRedelivery => {
            "앞 컨슈머가 커밋하지 않은 레코드를 처리하는 동안 리밸런스로 파티션이 다른 컨슈머에게 넘어갔다."
        }
        NoRewind => {
            "트랜잭션이 중단되었으나 애플리케이션은 컨슈머의 현재 위치에서 계속 읽었다. 중단은 컨슈머를 되돌리지 않는다."
        }
        OffsetReused => {
            "로그가 잘린 뒤, 이미 읽히고 커밋된 다른 레코드의 오프셋을 이 레코드가 차지하여 아무도 그것을 다시 읽으러 오지 않았다."
        }
        ResetToLatest => {
            "컨슈머에게 자기 위치가 없어 auto.offset.reset=latest에 따라 로그의 끝으로 갔다."
        }
        ResetToEarliest => {
            "컨슈머가 자신의 위치를 찾지 못했거나 로그가 그보다 앞에서 끝났고, auto.offset.reset=earliest에 따라 로그의 처음으로 옮겨져 레코드를 다시 읽었다."
        }
        EffectOutside => {
            "트랜잭션이 중단되어 레코드가 다시 처리되었다. Kafka 밖에서 한 일은 트랜잭션에 속하지 않는다."
        }
        OutputMissing => {
            "레코드를 읽고 커밋했으나, 그것으로 만든 메시지가 유효한 로그에 들어가지 않았다."
        }
        ConsumerBroke => "컨슈머나 그것이 읽은 브로커가 Kafka의 규칙을 어겼다.",
        TwoOwners => "그룹이 한 파티션을 두 멤버에게 주었다. 할당이 Kafka의 규칙을 어겼다.",
        GroupForgotten => {
            "__consumer_offsets가 레코드를 잃어 코디네이터가 그룹을 잊었다. 세대를 처음부터 세며, 누가 무엇을 가졌는지 모른다."
        }
        IdentityTwice => "같은 프로듀서 ID가 두 번 발급되었다. 클러스터가 Kafka의 규칙을 어겼다.",
        NeverAnswered => "애플리케이션이 오지 않는 응답을 기다린다.",
        AnswerInjected => "시나리오의 장애가 브로커의 뜻과 다른 오류로 요청에 답했다.",
        Unknown => "기록된 사실만으로는 경위를 알 수 없다.",
    }
}

/// What helps and why, by the English words. Settings are the same in every language.
pub(super) const REMEDIES: &[(&str, &str)] = &[
    (
        "the producer waits for the in-sync replicas, and learns what failed",
        "프로듀서가 인-싱크 레플리카를 기다리고 실패를 알게 된다",
    ),
    (
        "the leader answers when every in-sync replica has the record",
        "모든 인-싱크 레플리카가 레코드를 가진 뒤에 리더가 응답한다",
    ),
    (
        "another replica of __consumer_offsets has the records",
        "__consumer_offsets의 다른 레플리카가 레코드를 가지고 있다",
    ),
    (
        "another replica of __transaction_state has the records",
        "__transaction_state의 다른 레플리카가 레코드를 가지고 있다",
    ),
    ("acks=all then means at least two replicas", "acks=all이 적어도 레플리카 두 개를 뜻하게 된다"),
    (
        "a leader that lost its followers cannot commit, so it does not answer",
        "팔로워를 잃은 리더는 커밋할 수 없어 응답하지 않는다",
    ),
    ("the leader refuses records while it is alone", "혼자일 때 리더가 레코드를 거부한다"),
    ("no replica without the record is elected", "레코드가 없는 레플리카는 선출되지 않는다"),
    (
        "the partition waits for a replica that has all",
        "모든 것을 가진 레플리카를 파티션이 기다린다",
    ),
    ("what was answered is on two replicas at least", "응답된 것은 적어도 두 레플리카에 있다"),
    ("replicas on machines that fail apart", "따로 고장 나는 장비에 레플리카 배치"),
    ("one in-sync replica then keeps its log", "인-싱크 레플리카 하나는 로그를 지킨다"),
    (
        "a record is on the disk before it is answered, at a high price",
        "응답 전에 레코드가 디스크에 있지만 비용이 크다",
    ),
    (
        "the replica that left the in-sync replicas last stays electable",
        "ISR을 마지막으로 떠난 레플리카를 계속 선출할 수 있다",
    ),
    (
        "replicas that have everything stay electable",
        "모든 것을 가진 레플리카를 계속 선출할 수 있다",
    ),
    ("there is one copy", "사본이 하나뿐이다"),
    ("the sender is told when readers can find the record", "컨슈머가 볼 수 있을 때 응답을 받는다"),
    (
        "the leader recognises the retry by its sequence number",
        "리더가 시퀀스 번호로 재시도를 알아본다",
    ),
    (
        "followers know the sequence numbers of what they copied",
        "팔로워도 복제한 것의 시퀀스 번호를 안다",
    ),
    (
        "request.timeout.ms above replica.lag.time.max.ms",
        "request.timeout.ms > replica.lag.time.max.ms",
    ),
    ("fewer answers come too late", "늦는 응답이 줄어든다"),
    ("the later of the two is recognised or refused", "둘 중 나중 것이 인식되거나 거부된다"),
    (
        "no other batch is on its way when one fails",
        "한 배치가 실패할 때 전송 중인 다른 배치가 없다",
    ),
    ("no later batch is sent before", "뒤의 배치가 먼저 전송되지 않는다"),
    ("the last batch is never forgotten", "마지막 배치는 잊히지 않는다"),
    (
        "a transaction is aborted instead of being renumbered",
        "번호를 다시 매기는 대신 트랜잭션이 중단된다",
    ),
    (
        "producer.id.expiration.ms above delivery.timeout.ms and any pause",
        "producer.id.expiration.ms > delivery.timeout.ms와 모든 멈춤",
    ),
    (
        "the broker remembers the producer for as long as a retry may come",
        "재시도가 올 수 있는 동안 브로커가 프로듀서를 기억한다",
    ),
    (
        "transactional.id with the source's offsets in the transaction",
        "transactional.id와 함께 원본 오프셋을 트랜잭션에 포함",
    ),
    (
        "what was sent and how far the source was read become one",
        "보낸 것과 읽은 위치가 하나가 된다",
    ),
    ("a sink that ignores repeated messages", "반복된 메시지를 무시하는 싱크"),
    ("a repetition does no harm", "반복되어도 해가 없다"),
    ("delivery.timeout.ms longer than any outage", "어떤 장애보다도 긴 delivery.timeout.ms"),
    ("the producer finds out what became of it", "프로듀서가 결과를 알게 된다"),
    ("batches are sent again by sequence number", "시퀀스 번호 순으로 다시 전송된다"),
    ("there is one batch to send again", "다시 보낼 배치가 하나뿐이다"),
    ("the leader refuses the next one too", "리더가 다음 배치도 거부한다"),
    ("the next one is not sent before", "다음 배치가 먼저 전송되지 않는다"),
    ("the new leader refuses what comes too early", "너무 일찍 온 것을 새 리더가 거부한다"),
    ("the leader refuses what comes too early", "너무 일찍 온 것을 리더가 거부한다"),
    ("the producer puts the sequence in order", "프로듀서가 시퀀스를 바로잡는다"),
    ("the producer goes on trying", "프로듀서가 계속 시도한다"),
    ("close() before the process ends", "프로세스가 끝나기 전에 close()"),
    ("what is queued is sent first", "대기열에 있는 것이 먼저 전송된다"),
    (
        "an aborted transaction sent again as a whole, before anything else",
        "중단된 트랜잭션을 통째로, 다른 것보다 먼저 다시 전송",
    ),
    (
        "what counts is in the order of the application",
        "유효한 메시지가 애플리케이션의 순서대로 놓인다",
    ),
    (
        "the application is told and decides where to read on",
        "애플리케이션이 통보받고 어디서부터 읽을지 정한다",
    ),
    ("each transaction has its own producer epoch", "트랜잭션마다 프로듀서 에포크가 다르다"),
    (
        "a new producer after a time-out of commitTransaction() or abortTransaction()",
        "commitTransaction()이나 abortTransaction() 시간 초과 뒤 새 프로듀서",
    ),
    (
        "initTransactions() raises the producer epoch before the next transaction",
        "다음 트랜잭션 전에 initTransactions()가 프로듀서 에포크를 올린다",
    ),
    (
        "the leader refuses a batch of an older producer epoch",
        "리더가 이전 프로듀서 에포크의 배치를 거부한다",
    ),
    (
        "the leader asks the coordinator before it opens a transaction",
        "트랜잭션을 열기 전에 리더가 코디네이터에게 묻는다",
    ),
    ("more replicas, so that one of them can lead", "하나는 리더가 될 수 있도록 더 많은 레플리카"),
    ("the coordinator finds whom to send it to", "코디네이터가 마커를 보낼 곳을 찾는다"),
    (
        "sequences begin anew with the epoch of each transaction",
        "트랜잭션마다 새 에포크에서 시퀀스가 처음부터 시작한다",
    ),
    ("it ends the transaction by hand", "트랜잭션을 수동으로 끝낸다"),
    ("a smaller transaction.timeout.ms", "더 짧은 transaction.timeout.ms"),
    ("the coordinator aborts it sooner", "코디네이터가 더 일찍 중단시킨다"),
    (
        "one transactional.id for each instance, kept over restarts",
        "재시작해도 유지되는 인스턴스별 transactional.id",
    ),
    ("the next instance ends it at once", "다음 인스턴스가 곧바로 끝낸다"),
    (
        "transaction.timeout.ms above the longest transaction",
        "가장 긴 트랜잭션보다 긴 transaction.timeout.ms",
    ),
    ("it is not aborted", "중단되지 않는다"),
    (
        "what comes later is refused, since the epoch was raised",
        "에포크가 올라가 나중에 온 것은 거부된다",
    ),
    ("one transactional.id for each instance", "인스턴스마다 다른 transactional.id"),
    ("instances do not fence each other", "인스턴스끼리 서로 차단하지 않는다"),
    ("records are given when their transaction is committed", "트랜잭션이 커밋된 레코드만 받는다"),
    ("commit after processing", "처리한 뒤 커밋"),
    ("what is committed was processed", "커밋된 것은 처리된 것이다"),
    (
        "nothing is committed behind the application's back",
        "애플리케이션 모르게 커밋되는 것이 없다",
    ),
    ("sendOffsetsToTransaction() with the results", "결과와 함께 sendOffsetsToTransaction()"),
    (
        "results and offset become one, as long as the results go to Kafka",
        "결과가 Kafka로 가는 한 결과와 오프셋이 하나가 된다",
    ),
    ("commit before processing", "처리하기 전에 커밋"),
    (
        "nothing is processed twice, and something may be skipped",
        "두 번 처리되지 않지만 건너뛸 수 있다",
    ),
    (
        "sendOffsetsToTransaction() with the metadata of the group",
        "그룹 메타데이터와 함께 sendOffsetsToTransaction()",
    ),
    (
        "what a replaced member wants to commit is refused (KIP-447)",
        "교체된 멤버의 커밋이 거부된다(KIP-447)",
    ),
    (
        "max.poll.interval.ms above the longest work between two polls",
        "두 poll 사이의 가장 긴 작업보다 긴 max.poll.interval.ms",
    ),
    ("session.timeout.ms above the longest pause", "가장 긴 멈춤보다 긴 session.timeout.ms"),
    (
        "group.consumer.session.timeout.ms above the longest pause",
        "가장 긴 멈춤보다 긴 group.consumer.session.timeout.ms",
    ),
    (
        "a member that is silent for a while keeps its partitions",
        "잠시 응답이 없는 멤버도 파티션을 유지한다",
    ),
    ("a slow member keeps its partitions", "느린 멤버가 파티션을 유지한다"),
    (
        "seek() to the committed offsets after abortTransaction()",
        "abortTransaction() 뒤 커밋된 오프셋으로 seek()",
    ),
    ("the records come again", "레코드를 다시 받는다"),
    ("records come again rather than never", "아예 못 받기보다 다시 받는다"),
    ("effects only through Kafka's topics", "Kafka 토픽으로만 나타나는 효과"),
    ("an abort takes them back", "중단하면 되돌려진다"),
    ("the offset counts only with its output", "결과가 있어야 오프셋이 유효하다"),
];
