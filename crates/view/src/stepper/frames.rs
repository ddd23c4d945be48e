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
    /// Which picture each step shows.
    pub(super) at: Vec<usize>,
    pub(super) film: Option<Scene>,
}

impl Frames {
    pub(super) fn of(task: &Task<'_, '_>, places: &[(usize, i32)]) -> Self {
        let model = task.model;
        let mut logs = Logs::new(model.story.description, model.partition());
        let mut next = 0;
        let mut states: Vec<Moment> = Vec::new();
        let mut at = Vec::new();
        let decisive = model.decisive();
        for (fact, _) in places {
            let mut changed = states.is_empty();
            while next <= *fact {
                changed |= logs.apply(&model.facts()[next].1);
                next += 1;
            }
            let differs = changed && states.last().is_none_or(|state| state.logs != logs);
            if differs && states.len() < FRAMES_MAX {
                let decides = decisive.contains(fact);
                states.push(Moment { fact: *fact, logs: logs.clone(), decides });
            }
            at.push(states.len().saturating_sub(1));
        }
        let scenes = Self::draw(task, &states);
        let film = draw_moments(task, &moments(task)).ok().map(|drawing| {
            let mut scene = drawing.scene;
            scene.title = task.lang().say(Word::Log).to_owned();
            scene
        });
        Self { scenes, at, film }
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
