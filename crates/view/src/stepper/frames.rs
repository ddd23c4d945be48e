//! The pictures of the logs: one for each state they are in, and the film strip for paper.

use crate::kind::Task;
use crate::log::{Moment, draw_moments, moments};
use crate::model::logs::Logs;
use crate::scene::Scene;
use crate::words::Word;

/// How many states have a picture; a longer run shows the first ones and then the last.
const FRAMES_MAX: usize = 20;

/// The pictures.
pub(super) struct Frames {
    pub(super) scenes: Vec<Scene>,
    /// Which picture each step shows, if it has one.
    pub(super) at: Vec<Option<usize>>,
    pub(super) film: Option<Scene>,
    /// What is left out.
    pub(super) notes: Vec<String>,
}

impl Frames {
    pub(super) fn of(task: &Task<'_, '_>, places: &[(usize, i32)]) -> Self {
        let model = task.model;
        let mut logs = Logs::new(model, model.partition());
        let mut next = 0;
        let mut states: Vec<Moment> = Vec::new();
        let mut at = Vec::new();
        // The last state that has no picture, and the steps from which on it holds.
        let mut last: Option<(Moment, usize)> = None;
        let mut left_out = 0;
        let decisive = model.decisive();
        for (step, (fact, _)) in places.iter().enumerate() {
            let mut changed = states.is_empty();
            while next <= *fact {
                changed |= logs.apply(&model.facts()[next].1);
                next += 1;
            }
            let known = last.as_ref().map(|(last, _)| last).or(states.last());
            if changed && known.is_none_or(|known| known.logs != logs) {
                let decides = decisive.contains(fact);
                let moment = Moment { fact: *fact, logs: logs.clone(), decides };
                if states.len() + 1 < FRAMES_MAX {
                    states.push(moment);
                } else {
                    left_out += usize::from(last.is_some());
                    last = Some((moment, step));
                }
            }
            at.push(last.is_none().then(|| states.len().saturating_sub(1)));
        }
        if let Some((moment, from)) = last {
            at[from..].fill(Some(states.len()));
            states.push(moment);
        }
        let scenes = Self::draw(task, &states);
        let film = draw_moments(task, &moments(task)).ok().map(|drawing| {
            let mut scene = drawing.scene;
            scene.title = task.lang().say(Word::Log).to_owned();
            scene
        });
        let lang = task.lang();
        let mut notes = Vec::new();
        if left_out > 0 {
            let (showing, of) = (lang.say(Word::Showing), lang.say(Word::Of));
            let (shown, total) = (states.len(), states.len() + left_out);
            let (word, why) = (lang.say(Word::LogPictures), lang.say(Word::FirstAndLast));
            notes.push(format!("{showing} {shown} {of} {total} {word}: {why}"));
        }
        Self { scenes, at, film, notes }
    }

    /// Each state alone, all as wide as the widest, so that nothing jumps.
    fn draw(task: &Task<'_, '_>, states: &[Moment]) -> Vec<Scene> {
        let one = |(index, moment): (usize, &Moment)| {
            // With the state before it, what was cut off is struck through.
            let from = index.saturating_sub(1);
            let drawing = crate::log::draw_one(task, states, from, moment).ok()?;
            let mut scene = drawing.scene;
            scene.title = task.lang().say(Word::Log).to_owned();
            Some(scene)
        };
        let mut scenes: Vec<Scene> = states.iter().enumerate().filter_map(one).collect();
        let width = scenes.iter().map(|scene| scene.width).max().unwrap_or(0);
        let height = scenes.iter().map(|scene| scene.height).max().unwrap_or(0);
        for scene in &mut scenes {
            (scene.width, scene.height) = (width, height);
        }
        scenes
    }
}
