//! No rule and no checker is left out.

use crate::story::{Story, who_says};
use crate::{answers, durability, sequences, transactions};
use inflight::protocol::{Defect, Defects};
use inflight::{CheckerId, Verdict};
use std::collections::BTreeSet;

/// The story of each defect. A new defect does not compile without one.
const fn story_of(defect: Defect) -> &'static Story {
    match defect {
        Defect::ForgetDuplicates => &sequences::FORGET_DUPLICATES,
        Defect::IgnoreSequences => &sequences::IGNORE_SEQUENCES,
        Defect::AckBeforeHighWatermark => &durability::ACK_BEFORE_HIGH_WATERMARK,
        Defect::TruncateToHighWatermark => &durability::TRUNCATE_TO_HIGH_WATERMARK,
        Defect::ElectOutOfSync => &durability::ELECT_OUT_OF_SYNC,
        Defect::SkipReplication => &durability::SKIP_REPLICATION,
        Defect::LoseProducerState => &sequences::LOSE_PRODUCER_STATE,
        Defect::RepeatProducerIds => &sequences::REPEAT_PRODUCER_IDS,
        Defect::FailAfterAppend => &answers::FAIL_AFTER_APPEND,
        Defect::AckWithoutAppend => &answers::ACK_WITHOUT_APPEND,
        Defect::SwapPayload => &answers::SWAP_PAYLOAD,
        Defect::RequeueOutOfOrder => &sequences::REQUEUE_OUT_OF_ORDER,
        Defect::ReadAboveStable => &transactions::READ_ABOVE_STABLE,
        Defect::GiveAborted => &transactions::GIVE_ABORTED,
        Defect::IgnoreProducerEpochs => &transactions::IGNORE_PRODUCER_EPOCHS,
        Defect::TimeoutWithoutEpochBump => &transactions::TIMEOUT_WITHOUT_EPOCH_BUMP,
    }
}

const DEFECTS: [Defect; 16] = [
    Defect::ForgetDuplicates,
    Defect::IgnoreSequences,
    Defect::AckBeforeHighWatermark,
    Defect::TruncateToHighWatermark,
    Defect::ElectOutOfSync,
    Defect::SkipReplication,
    Defect::LoseProducerState,
    Defect::RepeatProducerIds,
    Defect::FailAfterAppend,
    Defect::AckWithoutAppend,
    Defect::SwapPayload,
    Defect::RequeueOutOfOrder,
    Defect::ReadAboveStable,
    Defect::GiveAborted,
    Defect::IgnoreProducerEpochs,
    Defect::TimeoutWithoutEpochBump,
];

#[test]
fn every_defect_that_a_scenario_can_name_has_a_story() {
    let schema = inflight::schema();
    let words = schema["$defs"]["Cluster"]["properties"]["defects"]["items"]["oneOf"].as_array();
    let words = words.expect("the schema lists defects").iter();
    let known: BTreeSet<&str> = words.filter_map(|word| word["const"].as_str()).collect();
    let told: BTreeSet<&str> = DEFECTS.iter().map(|defect| story_of(*defect).defect).collect();
    assert_eq!(told, known);
    for defect in DEFECTS {
        let (loaded, _) = story_of(defect).planted();
        assert_eq!(loaded.setup.cluster.defects, Defects::NONE.with(defect));
    }
}

/// Checkers that no defect turns red, since nothing that they look at is ever promised (the first
/// three), since they only warn (B19), or since no defect breaks their rule. The tests of the
/// checkers themselves have seen them fire.
const NOT_BY_DEFECTS: [CheckerId; 16] = [
    CheckerId::MessageDuplicate,
    CheckerId::MessageOrder,
    CheckerId::Prefix,
    CheckerId::AppendOrder,
    CheckerId::ReaderOrder,
    CheckerId::Cycles,
    CheckerId::StableProgress,
    CheckerId::ProcessedAtLeastOnce,
    CheckerId::ProcessedAtMostOnce,
    CheckerId::ExactlyOnce,
    CheckerId::SpuriousFatal,
    CheckerId::Progress,
    CheckerId::Ownership,
    CheckerId::KnownTransactions,
    CheckerId::StableOffset,
    CheckerId::TransactionalOffsets,
];

#[test]
fn every_other_checker_turns_red_in_some_story() {
    let mut red = BTreeSet::new();
    for defect in DEFECTS {
        let (_, planted) = story_of(defect).planted();
        red.extend(who_says(&planted.judgement, Verdict::Violation));
    }
    let all: BTreeSet<_> = CheckerId::ALL.iter().copied().collect();
    let never: BTreeSet<_> = all.difference(&red).copied().collect();
    assert_eq!(never, NOT_BY_DEFECTS.into_iter().collect());
}
