//! What a reader must know of a client's consumer.

use inflight_protocol::message::IsolationLevel;
use serde::{Deserialize, Serialize};

/// A consumer of a setup and how its application uses it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsumerDescription {
    /// group.id
    #[serde(rename = "group.id", default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// isolation.level
    #[serde(rename = "isolation.level", with = "isolation_word")]
    pub isolation: IsolationLevel,
    /// auto.offset.reset
    #[serde(rename = "auto.offset.reset")]
    pub auto_offset_reset: String,
    /// enable.auto.commit
    #[serde(rename = "enable.auto.commit")]
    pub enable_auto_commit: bool,
    /// When the application commits what it has read.
    pub commits: CommitStyle,
    /// Whether sendOffsetsToTransaction() is given the metadata of the group (KIP-447), or its name
    /// alone.
    #[serde(rename = "sends.group.metadata")]
    pub sends_group_metadata: bool,
    /// Whether the application goes back to the committed offsets when it has aborted.
    #[serde(rename = "rewinds.after.abort")]
    pub rewinds_after_abort: bool,
    /// Whether the application leaves out what was processed before.
    pub deduplicates: bool,
    /// Whether the application assigns its partitions itself, by assign().
    #[serde(rename = "assigns.by.hand")]
    pub assigns_by_hand: bool,
    /// Every effective setting of the consumer, as key and text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub config: Vec<(String, String)>,
}

impl Default for ConsumerDescription {
    /// A consumer without a group, with Kafka's defaults, that processes before it commits.
    fn default() -> Self {
        Self {
            group: None,
            isolation: IsolationLevel::ReadUncommitted,
            auto_offset_reset: "latest".to_owned(),
            enable_auto_commit: false,
            commits: CommitStyle::ProcessFirst,
            sends_group_metadata: true,
            rewinds_after_abort: true,
            deduplicates: false,
            assigns_by_hand: false,
            config: Vec::new(),
        }
    }
}

/// When an application commits what it has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CommitStyle {
    /// Before it processes the records.
    CommitFirst,
    /// After it has processed them.
    ProcessFirst,
    /// enable.auto.commit: poll() commits what the polls before it have returned.
    Auto,
    /// In the transaction that has the results: sendOffsetsToTransaction().
    Transaction,
}

/// isolation.level as Kafka writes it.
mod isolation_word {
    use super::IsolationLevel;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub(super) fn serialize<S: Serializer>(
        level: &IsolationLevel,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(level.word())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<IsolationLevel, D::Error> {
        let word = String::deserialize(from)?;
        let known = IsolationLevel::ALL.iter().copied().find(|level| level.word() == word);
        known.ok_or_else(|| D::Error::custom(format!("\"{word}\" is no isolation level")))
    }
}
