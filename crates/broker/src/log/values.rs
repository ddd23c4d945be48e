//! The values of the records of an internal topic.
//!
//! A batch is a run of records without content; what coordinators write down lies beside the
//! batches, one value an offset, and is cut, lost and copied with them.

use inflight_protocol::{InternalRecord, Offset, RecordBatch};

/// The values of a log in the order of their offsets. Nothing is compacted or forgotten.
#[derive(Debug, Default)]
pub(crate) struct Values {
    list: Vec<(Offset, InternalRecord)>,
}

inflight_des::clone_fields!(Values { list });

impl Values {
    /// Adds the values of a batch, from its first offset on.
    pub(crate) fn push(&mut self, base: Offset, values: impl Iterator<Item = InternalRecord>) {
        self.list.extend(values.enumerate().map(|(at, value)| (base.plus(at as u64), value)));
    }

    /// The values of a batch.
    pub(crate) fn of<'a>(
        &'a self,
        batch: &RecordBatch,
    ) -> impl Iterator<Item = &'a InternalRecord> + use<'a> {
        let start = self.list.partition_point(|(at, _)| *at < batch.base_offset);
        let end = batch.next_offset();
        self.list[start..].iter().take_while(move |(at, _)| *at < end).map(|(_, value)| value)
    }

    /// Drops the values from `to` on.
    pub(crate) fn truncate(&mut self, to: Offset) {
        let end = self.list.partition_point(|(at, _)| *at < to);
        self.list.truncate(end);
    }
}
