//! The last record of a finding, where it was lost in another way than the first.

use super::mechanism::Mechanism;
use super::{cast, cause, name};
use crate::runs::Run;
use crate::verdict::{CheckerId, Finding, Records};
use inflight_des::Instant;
use inflight_protocol::Fact;
use inflight_protocol::ids::BrokerSet;
use inflight_trace::{Description, Namer};

/// How a record came about that is not the first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Otherwise {
    pub(super) mechanism: Mechanism,
    records: Records,
    /// Who had it when its sender was told.
    holders: BrokerSet,
}

/// How the last of the lost records came about, if that differs from the first.
pub(super) fn of(
    description: &Description,
    facts: &[(Instant, Fact)],
    finding: &Finding,
    first: Mechanism,
) -> Option<Otherwise> {
    let last = finding.records.last().copied()?;
    if finding.checker != CheckerId::NoLoss || finding.total < 2 {
        return None;
    }
    let records = Records { run: Run::of(last.run.end.saturating_sub(1), 1), ..last };
    let finding = Finding { records: vec![records], total: 1, ..finding.clone() };
    let cast = cast::of(description, facts, &finding);
    let mechanism = cause::of(description, facts, &finding, &cast).mechanism;
    let holders = cast.first()?.trail.acked?.holders;
    let differs = mechanism != first && mechanism != Mechanism::Unknown;
    differs.then_some(Otherwise { mechanism, records, holders })
}

impl Otherwise {
    /// It in one sentence.
    pub(super) fn sentence(self, namer: &Namer) -> String {
        let record = name(&self.records, namer);
        let way = match (self.holders.len(), self.holders.iter().next()) {
            (1, Some(broker)) => format!("was on broker {broker} alone when it was acked"),
            _ => "was lost in another way".to_owned(),
        };
        let how = self.mechanism.sentence();
        let (start, rest) = how.split_at(how.len().min(1));
        format!("{record} {way}: {}{rest}", start.to_lowercase())
    }
}
