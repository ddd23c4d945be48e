//! From a history to a judgement.
//!
//! A run in which nothing is odd is judged by looking at a few numbers a lane. Any other is read
//! from the beginning by every checker.

mod fast;

use crate::checkers::{self, Oracle, UserView, Work};
use crate::history::History;
use crate::promise::Case;
use crate::read::{Beyond, FinalRead, Gone};
use crate::verdict::{Counts, Judgement, View};
use inflight_protocol::TransactionResult;
use inflight_protocol::ids::TopicPartition;

/// Judges histories, one after the other, and keeps its memory.
#[derive(Debug, Default)]
pub struct Judge {
    read: FinalRead,
    beyond: Beyond,
    cases: Vec<Case>,
    sites: Vec<Case>,
}

/// Judges one history.
pub fn judge(history: &History, view: View) -> Judgement {
    let mut judgement = Judgement::default();
    Judge::default().judge(history, view, &mut judgement);
    judgement
}

impl Judge {
    /// Judges a history. The run should be over; what is unfinished counts as it is.
    pub fn judge(&mut self, history: &History, view: View, into: &mut Judgement) {
        into.clear();
        if !fast::judge(history, view, into) {
            self.judge_slowly(history, view, into);
        }
    }

    /// Judges a history by reading everything.
    pub(crate) fn judge_slowly(&mut self, history: &History, view: View, into: &mut Judgement) {
        self.read.take(history);
        self.cases.clear();
        self.cases.extend((0..history.told.lanes().len()).map(|lane| history.case(lane)));
        self.beyond.take(history);
        self.sites.clear();
        let nobody = history.plan.client(None);
        let partitions = (0..history.partitions.len()).map(|p| TopicPartition::new(p as u16));
        self.sites.extend(partitions.map(|partition| history.case_of(nobody, partition)));
        let work = checkers::work_of(&history.told, &self.read, &history.plan);
        let user = UserView {
            told: &history.told,
            read: &self.read,
            cases: &self.cases,
            plan: &history.plan,
            paused: &history.paused,
            sites: &self.sites,
            calm: history.calm.since(),
            work: &work,
        };
        let oracle = Oracle { history, beyond: &self.beyond };
        checkers::run(&user, (view == View::Oracle).then_some(&oracle), into);
        into.counts = self.count(history, &work);
    }

    fn count(&self, history: &History, work: &[Work]) -> Counts {
        let mut counts = Counts {
            sent: history.told.sent,
            refused: history.told.refused,
            read: self.read.records,
            ..Counts::default()
        };
        for (index, lane) in history.told.lanes().iter().enumerate() {
            let seen = &self.read.seen[index];
            counts.acked += lane.acked.len();
            counts.failed += lane.failed.len();
            counts.unknown += lane.untold().map(|run| run.len()).sum::<u64>();
            for missing in self.read.missing(&history.told, index) {
                let run = missing.run;
                match missing.how {
                    Gone::Absent => counts.unreadable += self.beyond.lane(index).overlap(run),
                    Gone::Undecided => counts.unreadable += run.len(),
                    Gone::Undone => {}
                    Gone::Doubtful => continue,
                }
                counts.lost += run.len();
            }
            counts.duplicated += seen.duplicated;
            counts.reordered += seen.reordered;
            counts.failed_but_present +=
                lane.failed.common(&seen.present).map(|run| run.len()).sum::<u64>();
        }
        count_transactions(history, &mut counts);
        counts.returned = history.told.readers().map_or(0, |readers| readers.returned);
        for work in work {
            counts.processed += work.duty.effects;
            counts.processed_twice += work.duty.repeated;
            counts.skipped += checkers::records(&work.skipped);
        }
        counts
    }
}

fn count_transactions(history: &History, counts: &mut Counts) {
    let Some(transactions) = history.told.transactions() else { return };
    for transaction in transactions.list() {
        match transaction.ended {
            Some((TransactionResult::Commit, _)) => counts.transactions_committed += 1,
            Some((TransactionResult::Abort, _)) => counts.transactions_aborted += 1,
            None => counts.transactions_unknown += 1,
        }
    }
}
