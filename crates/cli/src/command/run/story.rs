//! Which finding tells the story of another one.

use inflight::Explanation;
use inflight::check::View;

/// The finding before another one that tells its story.
pub(super) fn teller<'a>(
    before: &'a [Explanation],
    found: &Explanation,
) -> Option<&'a Explanation> {
    let find = |tells: fn(&Explanation, &Explanation) -> bool| {
        before.iter().find(|told| tells(told, found))
    };
    // A consumer that was given the records adds to their story that it was.
    let same = find(|told, found| {
        let is_told =
            told.chain == found.chain || (decides(told, found) && has_records_of(told, found));
        is_told && told.mechanism == found.mechanism
    });
    if same.is_some() || found.finding.checker.view() == View::User {
        return same;
    }
    // What is seen inside is as a rule what a user notices too.
    find(|told, found| told.mechanism == found.mechanism && tells_decisive(told, found))
        .or_else(|| find(tells_decisive))
        .or_else(|| find(has_records_of))
}

fn decides(told: &Explanation, found: &Explanation) -> bool {
    let decisive = |of: &Explanation| of.finding.decisive.map(|fact| fact.index);
    decisive(found).is_some() && decisive(told) == decisive(found)
}

fn tells_decisive(told: &Explanation, found: &Explanation) -> bool {
    let decisive = found.finding.decisive.map(|fact| fact.index);
    decisive.is_some() && told.chain.iter().any(|step| u64::try_from(step.index).ok() == decisive)
}

/// Whether all records of a finding are records of the one that is told.
fn has_records_of(told: &Explanation, found: &Explanation) -> bool {
    let records = &found.finding.records;
    let is_told = |one: &inflight::check::Records| {
        told.finding.records.iter().any(|other| {
            (other.session, other.partition) == (one.session, one.partition)
                && other.run.start <= one.run.start
                && one.run.end <= other.run.end
        })
    };
    !records.is_empty() && records.iter().all(is_told)
}
