//! How large the gallery is, and what its pages say of themselves.

use super::{Told, scenario, scenarios};
use inflight::trace::jsonl::Writer;
use inflight_view::report::{self, Cure, Told as Entry};
use inflight_view::{Lang, Options, Page, stepper};

/// What everything in the gallery may take together, in bytes.
const GALLERY_MAX: usize = 20_000_000;
/// What everything of one scenario may take.
const SCENARIO_MAX: usize = 1_000_000;
/// What one page to step through may take.
const PAGE_MAX: usize = 300_000;

/// The trace of a run as pages hold it, unless it is too long for them.
fn trace(told: &Told) -> Option<String> {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, &told.description).expect("it can be written");
    for (at, fact) in &told.facts {
        writer.write(*at, fact).expect("it can be written");
    }
    let text = String::from_utf8(bytes).expect("it is text");
    (text.len() <= 400_000).then_some(text)
}

#[test]
fn the_gallery_is_small_enough_to_be_cloned() {
    let mut total = 0;
    let mut largest = (0, String::new());
    for (told, fix) in scenarios() {
        let cure = fix.as_ref().map(|(changes, cured)| {
            let (changes, story) = (changes.clone(), cured.story());
            Cure { changes, why: "", story }
        });
        let (name, file) = (told.name.clone(), told.name.clone());
        let trace = trace(&told);
        let entry = Entry { name, file, teaches: &[], story: told.story(), cure, trace };
        let files = report::scenario(&entry, Lang::En).expect("it can be drawn");
        let bytes: usize = files.iter().map(|(_, content)| content.len()).sum();
        total += bytes;
        largest = largest.max((bytes, told.name.clone()));
    }
    assert!(total <= GALLERY_MAX, "{total}");
    assert!(largest.0 <= SCENARIO_MAX, "{largest:?}");
}

#[test]
fn a_page_says_which_states_and_events_it_leaves_out() {
    let (told, _) = scenario("surprises/chaos.json");
    for (lang, arrows, logs) in [
        (Lang::En, "showing 100 of ", "pictures of the logs: the first ones and the last"),
        (Lang::Ko, "표시 100 / ", "로그 그림: 처음과 마지막"),
    ] {
        let options = Options { lang, ..Options::default() };
        let page = stepper(&told.story(), &options, &Page::default()).expect("it can be drawn");
        assert!(page.contains(arrows) && page.contains(logs), "{lang:?}");
        assert!(page.len() <= PAGE_MAX, "{}", page.len());
    }
    let (told, _) = scenario("duplication/lost-response.json");
    let page = stepper(&told.story(), &Options::default(), &Page::default());
    assert!(!page.expect("it can be drawn").contains("showing "));
}
