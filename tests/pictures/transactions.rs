//! D5: what the picture of transactions says is what happened.

use super::{Told, scenario, scenarios};
use inflight::protocol::fact::AppendOrigin;
use inflight::protocol::message::IsolationLevel;
use inflight::{Fact, Instant, Options as Loading, load_text};
use inflight_view::{
    Focus, Icon, Kind, Lang, Mark, Medium, Options, Rect, Scene, draw, draw_twin, levels, text,
    visibility,
};

fn drawn(told: &Told) -> Scene {
    let drawn = draw(Kind::Txn, &told.story(), &Options::default());
    drawn.unwrap_or_else(|refusal| panic!("{}: {refusal}", told.name))
}

fn texts(scene: &Scene) -> Vec<(&str, Rect)> {
    let texts = scene.items.iter().filter_map(|item| match &item.mark {
        Mark::Text(text) => Some((text.text.as_str(), text.place)),
        _ => None,
    });
    texts.collect()
}

#[track_caller]
fn place(scene: &Scene, wanted: &str) -> Rect {
    let found = texts(scene).into_iter().find(|(text, _)| *text == wanted);
    found.unwrap_or_else(|| panic!("{wanted:?} is not in {:?}", texts(scene))).1
}

fn figure(scene: &Scene, name: &str) -> u64 {
    let found = scene.figures.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("no figure {name}: {:?}", scene.figures)).1
}

#[test]
fn nothing_above_the_last_stable_offset_is_visible_to_read_committed() {
    let (mut committed, mut uncommitted_early) = (0, 0);
    for (told, fix) in scenarios() {
        for told in std::iter::once(&told).chain(fix.as_ref().map(|(_, cured)| cured)) {
            for seen in visibility(&told.story()) {
                assert!(!seen.is_early(), "{}: {seen:?}", told.name);
                match seen.isolation {
                    IsolationLevel::ReadCommitted => committed += 1,
                    IsolationLevel::ReadUncommitted => {
                        uncommitted_early += u64::from(seen.end > seen.stable);
                    }
                }
            }
        }
    }
    assert!(committed > 20, "{committed}");
    // The measure can tell: who reads uncommitted records is given some before they are stable.
    let text = r#"{
      "title": "Read at once", "cluster": { "brokers": 1 },
      "topics": [{ "name": "payments", "replication": 1 }],
      "producers": [{
        "name": "p1", "config": { "transactional.id": "p1" },
        "workload": [{ "topic": "payments", "records": 2, "transactions": { "records": 2, "hold": "5s" } }],
      }],
      "consumers": [{
        "name": "reader", "config": { "isolation.level": "read_uncommitted", "auto.offset.reset": "earliest" },
        "partitions": ["payments-0"],
      }],
    }"#;
    let scenario = load_text("early.json", text, &Loading::default());
    let told = Told::of("early".to_owned(), &scenario.unwrap_or_else(|wrong| panic!("{wrong}")));
    uncommitted_early +=
        visibility(&told.story()).iter().filter(|s| s.end > s.stable).count() as u64;
    assert!(uncommitted_early > 0);
}

/// The leader says where its last stable offset is; the pictures work it out of the log.
#[test]
fn the_last_stable_offset_of_the_picture_is_that_of_the_leader() {
    let mut moves = 0;
    for (told, fix) in scenarios() {
        for told in std::iter::once(&told).chain(fix.as_ref().map(|(_, cured)| cured)) {
            let levels = levels(&told.story());
            for (index, (_, fact)) in told.facts.iter().enumerate() {
                let Fact::LastStableOffsetAdvanced { partition, to, .. } = *fact else { continue };
                let mut drawn = levels.iter().filter(|level| level.partition == partition);
                let Some(drawn) = drawn.rfind(|level| level.fact <= index) else {
                    continue;
                };
                assert_eq!(drawn.stable, to.get(), "{} {fact:?}", told.name);
                moves += 1;
            }
        }
    }
    assert!(moves > 20, "{moves}");
}

/// Whether a reader comes to one place before the other: to the right, or in a part below.
fn before(one: Rect, other: Rect) -> bool {
    other.y > one.y + 200 || (other.y + 200 > one.y && one.x <= other.x)
}

#[test]
fn an_open_transaction_holds_the_last_stable_offset_until_its_marker() {
    let (told, _) = scenario("transactions/open-transaction-pins-the-lso.json");
    let scene = drawn(&told);
    let (begins, others) = (place(&scene, "A,B @0"), place(&scene, "G @6"));
    let (marker, given) = (place(&scene, "COMMIT @7"), place(&scene, "G"));
    assert!(before(begins, others) && before(others, marker), "{begins:?} {others:?} {marker:?}");
    assert!(before(marker, given), "others' records come to the reader behind the marker");
    let (low, high) = (place(&scene, "LSO 0"), place(&scene, "LSO 8"));
    assert!(before(low, begins) && before(marker, high), "{low:?} {high:?}");
    // The marker took an offset, and the position that is committed is behind it.
    for text in ["commits offset 8", "lag: 0"] {
        assert!(texts(&scene).iter().any(|(known, _)| *known == text), "{:?}", texts(&scene));
    }
}

#[test]
fn every_marker_is_a_rhombus_with_its_result_and_offset() {
    let mut markers = 0;
    for (told, _) in scenarios() {
        let Ok(scene) = draw(Kind::Txn, &told.story(), &Options::default()) else { continue };
        if texts(&scene).iter().any(|(text, _)| text.starts_with("showing ")) {
            continue;
        }
        for (index, (_, fact)) in told.facts.iter().enumerate() {
            let Fact::MarkerAppended { partition, offset, result, origin, .. } = *fact else {
                continue;
            };
            let topic = told.description.topic_of(partition);
            if origin != AppendOrigin::Coordinator || topic.is_none_or(|t| t.name.starts_with("__"))
            {
                continue;
            }
            let about: Vec<&Mark> = scene
                .items
                .iter()
                .filter(|item| item.fact == Some(index))
                .map(|item| &item.mark)
                .collect();
            let sign =
                about.iter().any(|mark| matches!(mark, Mark::Icon { icon: Icon::Rhombus, .. }));
            let words = format!("{} @{offset}", result.word().to_uppercase());
            let label =
                about.iter().any(|mark| matches!(mark, Mark::Text(text) if text.text == words));
            assert!(sign && label, "{}: {words}", told.name);
            markers += 1;
        }
    }
    assert!(markers > 10, "{markers}");
}

#[test]
fn a_coordinator_that_dies_is_followed_by_the_next_one() {
    let (told, _) = scenario("transactions/coordinator-dies-between-decision-and-markers.json");
    let scene = drawn(&told);
    let (down, next) = (place(&scene, "b3 down"), place(&scene, "b1 takes over"));
    let marker = place(&scene, "COMMIT @5");
    assert!(down.x < next.x && next.x <= marker.x, "{down:?} {next:?} {marker:?}");
    assert_eq!(figure(&scene, "records read above the last stable offset"), 0);
}

#[test]
fn a_zombie_is_told_with_a_lock() {
    let (told, _) = scenario("transactions/zombie-is-fenced.json");
    let scene = drawn(&told);
    let locks =
        scene.items.iter().filter(|item| matches!(&item.mark, Mark::Icon { icon: Icon::Lock, .. }));
    assert!(locks.count() >= 2);
    assert!(texts(&scene).iter().any(|(text, _)| text.contains("PRODUCER_FENCED")));
    // Epochs rise: each has a step of its own.
    let steps: Vec<i32> = ["e0", "e1", "e2"].map(|epoch| place(&scene, epoch).y).to_vec();
    assert!(steps[0] > steps[1], "{steps:?}");
}

#[test]
fn a_transaction_that_nobody_ends_says_so_and_its_twin_does_not() {
    let (told, fix) = scenario("transactions/hanging-transaction.json");
    let (changes, cured) = fix.expect("it has a fix");
    let says =
        |scene: &Scene| texts(scene).iter().filter(|(text, _)| *text == "no marker comes").count();
    assert_eq!(says(&drawn(&told)), 1);
    assert_eq!(says(&drawn(&cured)), 0);
    let twin = draw_twin(Kind::Txn, &told.story(), &cured.story(), &changes, &Options::default());
    let twin = twin.expect("it can be drawn");
    assert_eq!(says(&twin), 1);
    assert!(texts(&twin).iter().any(|(text, _)| text.starts_with("◆ here the runs part")));
}

#[test]
fn aborted_records_and_markers_stand_in_the_log_strips() {
    let (told, _) = scenario("transactions/read-uncommitted-sees-aborted.json");
    let options = Options { medium: Medium::Cells, ..Options::default() };
    let scene = draw(Kind::Log, &told.story(), &options).expect("it can be drawn");
    let picture = text(&scene);
    let leader = picture.lines().rfind(|line| line.contains("leader")).expect("a leader");
    for part in ["◆ COMMIT", "◆ ABORT", "✕", "LSO 9 HW 9 LEO 9"] {
        assert!(leader.replace("  ", " ").contains(part), "{part}: {picture}");
    }
    let scene = draw(Kind::Log, &told.story(), &Options::default()).expect("it can be drawn");
    assert!(texts(&scene).iter().any(|(text, _)| *text == "aborted"), "{:?}", texts(&scene));
}

#[test]
fn the_truth_table_tells_the_two_isolation_levels_apart() {
    use inflight_view::truth_markdown;
    let row = |name: &str, letter: &str| {
        let (told, _) = scenario(name);
        let table = truth_markdown(&told.story(), Lang::En).expect("it has records");
        assert!(table.contains("| read_uncommitted | read_committed |"), "{table}");
        let found = table.lines().find(|line| line.starts_with(&format!("| {letter} |")));
        let cells: Vec<String> =
            found.expect(letter).split('|').map(|cell| cell.trim().to_owned()).collect();
        (cells[cells.len() - 3].clone(), cells[cells.len() - 2].clone())
    };
    let both = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(row("transactions/read-uncommitted-sees-aborted.json", "A"), both("@0", "@0"));
    assert_eq!(
        row("transactions/read-uncommitted-sees-aborted.json", "C"),
        both("@3", "✕ aborted")
    );
    // An open transaction that nobody ends holds back what others committed.
    let hanging = "transactions/hanging-transaction.json";
    assert_eq!(row(hanging, "A").1, "• open");
    assert_eq!(row(hanging, "B"), both("@2", "◁ above the LSO"));
}

#[test]
fn a_long_run_of_transactions_says_what_is_left_out() {
    let (told, _) = scenario("transactions/exactly-once-pipeline.json");
    let scene = drawn(&told);
    assert!(figure(&scene, "events") <= 90 && scene.width <= 1_300, "{}", scene.width);
    assert!(texts(&scene).iter().any(|(text, _)| text.starts_with("showing ")));
}

#[test]
fn a_record_or_a_window_can_be_looked_for() {
    let (told, _) = scenario("transactions/exactly-once-pipeline.json");
    let focus = |focus| Options { focus, ..Options::default() };
    let of = |options: &Options| draw(Kind::Txn, &told.story(), options);
    let scene = of(&focus(Focus::Record("S".to_owned()))).expect("it can be drawn");
    assert!(
        texts(&scene).iter().any(|(text, _)| text.starts_with("send S")),
        "{:?}",
        texts(&scene)
    );
    let window =
        Focus::Window(Instant::from_nanos(11_000_000_000), Instant::from_nanos(12_000_000_000));
    let scene = of(&focus(window)).expect("it can be drawn");
    place(&scene, "CompleteAbort");
    assert!(!texts(&scene).iter().any(|(text, _)| text.starts_with("COMMIT")));
    let refused = of(&focus(Focus::Record("Q9".to_owned()))).map(|_| ()).unwrap_err();
    assert_eq!(refused.to_string(), "no record of the run is called \"Q9\"");
}

#[test]
fn in_a_terminal_each_event_is_a_row() {
    let (told, _) = scenario("transactions/open-transaction-pins-the-lso.json");
    for lang in [Lang::En, Lang::Ko] {
        let options = Options { medium: Medium::Cells, lang, ..Options::default() };
        let scene = draw(Kind::Txn, &told.story(), &options).expect("it can be drawn");
        let picture = text(&scene);
        let row = |part: &str| picture.lines().position(|line| line.contains(part)).expect(part);
        assert!(row("Ongoing") < row("A,B @0") && row("A,B @0") < row("◆ COMMIT @7"), "{picture}");
        assert!(row("◆ COMMIT @7") < row("LSO 8 HW 8"), "{picture}");
    }
}
