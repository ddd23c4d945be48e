//! From a history to a judgement.
//!
//! A run in which nothing is odd is judged by looking at a few numbers a lane. Any other is read
//! from the beginning by every checker.

mod fast;

use crate::checkers::{self, Oracle, UserView};
use crate::history::History;
use crate::promise::Case;
use crate::read::{Beyond, FinalRead};
use crate::verdict::{Counts, Judgement, View};

/// Judges histories, one after the other, and keeps its memory.
#[derive(Debug, Default)]
pub struct Judge {
    read: FinalRead,
    beyond: Beyond,
    cases: Vec<Case>,
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
        let user = UserView {
            told: &history.told,
            read: &self.read,
            cases: &self.cases,
            plan: &history.plan,
            paused: &history.paused,
        };
        let oracle = Oracle { history, beyond: &self.beyond };
        checkers::run(&user, (view == View::Oracle).then_some(&oracle), into);
        into.counts = self.count(history);
    }

    fn count(&self, history: &History) -> Counts {
        let mut counts = Counts {
            sent: history.told.sent,
            refused: history.told.refused,
            read: self.read.records,
            ..Counts::default()
        };
        for (index, lane) in history.told.lanes().iter().enumerate() {
            let seen = &self.read.seen[index];
            let lost = lane.acked.without(&seen.present);
            counts.acked += lane.acked.len();
            counts.failed += lane.failed.len();
            counts.unknown += lane.untold().map(|run| run.len()).sum::<u64>();
            for run in lost {
                counts.lost += run.len();
                counts.unreadable += self.beyond.lane(index).overlap(run);
            }
            counts.duplicated += seen.duplicated;
            counts.reordered += seen.reordered;
            counts.failed_but_present +=
                lane.failed.common(&seen.present).map(|run| run.len()).sum::<u64>();
        }
        counts
    }
}
