//! A partitioner of the user's own, as a table.

use crate::diagnostic::Diagnostic;
use crate::document::{Node, quoted};
use crate::form::{At, Form};
use crate::read::Reader;
use crate::schema::Schemas;
use serde_json::{Value as Json, json};

/// The keys that a custom partitioner knows, each with its partition.
#[derive(Clone, Debug, Default)]
pub(crate) struct PartitionerTable(pub(crate) Vec<(String, At<u16>)>);

impl PartitionerTable {
    /// The partition of a key, if the table names it.
    pub(crate) fn partition(&self, key: &str) -> Option<u16> {
        self.0.iter().find(|(known, _)| known == key).map(|(_, partition)| partition.value)
    }
}

impl Form for PartitionerTable {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Some(members) = node.members() else {
            reader.mismatch(node, "an object: keys of records to numbers of partitions");
            return None;
        };
        let mut table: Vec<(String, At<u16>)> = Vec::new();
        for member in members {
            reader.within(&member.key, |reader| {
                if table.iter().any(|(known, _)| *known == member.key) {
                    let problem = format!("{} stands here twice", quoted(&member.key));
                    return reader.report(Diagnostic::error(member.key_place, problem));
                }
                if let Some(partition) = At::read(&member.node, reader) {
                    table.push((member.key.clone(), partition));
                }
            });
        }
        Some(Self(table))
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({ "type": "object", "additionalProperties": { "type": "integer", "minimum": 0 } })
    }
}
