//! What pictures say is what happened.

use super::{Told, scenario, scenarios};
use inflight::protocol::ApiKey;
use inflight::protocol::fact::Direction;
use inflight::{Fact, Span};
use inflight_view::{Focus, Kind, Lang, Mark, Medium, Options, Scene, breakdown, draw, text};

fn drawn(kind: Kind, told: &Told) -> Scene {
    draw(kind, &told.story(), &Options::default()).unwrap_or_else(|refusal| panic!("{refusal}"))
}

fn figure(scene: &Scene, name: &str) -> u64 {
    let found = scene.figures.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("no figure {name}: {:?}", scene.figures)).1
}

fn texts(scene: &Scene) -> Vec<&str> {
    let texts = scene.items.iter().filter_map(|item| match &item.mark {
        Mark::Text(text) => Some(text.text.as_str()),
        _ => None,
    });
    texts.collect()
}

/// Where a text that contains this is from top to bottom.
#[track_caller]
fn y_of(scene: &Scene, part: &str) -> i32 {
    let found = scene.items.iter().find_map(|item| match &item.mark {
        Mark::Text(text) if text.text.contains(part) => Some(text.place.y),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("{part:?} is not in {:?}", texts(scene)))
}

#[test]
fn d1_a_later_batch_is_appended_before_the_retry_and_refused_in_the_twin() {
    let (told, fix) = scenario("order/refused-and-overtaken.json");
    let scene = drawn(Kind::Sequence, &told);
    let (refused, next) = (y_of(&scene, "refuses [B]"), y_of(&scene, "append [C]"));
    let late = y_of(&scene, "append, too late [B]");
    assert!(refused < next && next < late, "{refused} {next} {late}");
    let (_, cured) = fix.expect("it has a fix");
    let scene = drawn(Kind::Sequence, &cured);
    let refused = y_of(&scene, "refuses [C]: OUT_OF_ORDER_SEQUENCE_NUMBER");
    let (first, second) = (y_of(&scene, "append [B]"), y_of(&scene, "append [C]"));
    assert!(refused < first && first < second, "{refused} {first} {second}");
}

#[test]
fn d2_boxes_that_the_app_has_and_no_leader_has_are_the_losses() {
    let mut lost = 0;
    for (told, fix) in scenarios() {
        for told in std::iter::once(&told).chain(fix.as_ref().map(|(_, cured)| cured)) {
            if told.description.partitions() != 1 {
                continue;
            }
            let scene = draw(Kind::Log, &told.story(), &Options::default());
            let Ok(scene) = scene else {
                assert_eq!(told.report.judgement.counts.acked, 0, "{}", told.name);
                continue;
            };
            let missing = figure(&scene, "acked records missing");
            let counts = &told.report.judgement.counts;
            assert_eq!(missing, counts.lost - counts.unreadable, "{}", told.name);
            lost += missing;
        }
    }
    assert!(lost > 5, "some scenario loses records: {lost}");
}

#[test]
fn d2_the_high_watermark_of_a_follower_lags_by_one_fetch() {
    let (told, _) = scenario("duplication/lost-response.json");
    let options = Options { medium: Medium::Cells, ..Options::default() };
    let scene = draw(Kind::Log, &told.story(), &options).expect("it can be drawn");
    let picture = text(&scene);
    let lines: Vec<&str> = picture.lines().collect();
    let leader = lines.iter().position(|line| line.contains("b1 leader")).expect("a leader");
    assert!(lines[leader].contains("HW 1  LEO 1"), "{picture}");
    assert!(lines[leader + 1].contains("HW 0  LEO 1"), "{picture}");
}

#[test]
fn d3_every_produce_request_has_a_bar() {
    for (told, _) in scenarios() {
        let sent = |(_, fact): &&(inflight::Instant, Fact)| {
            matches!(
                fact,
                Fact::MessageSent { api: ApiKey::Produce, direction: Direction::Request, .. }
            )
        };
        let requests = told.facts.iter().filter(sent).count() as u64;
        let scene = drawn(Kind::Pipeline, &told);
        let bars = figure(&scene, "request bars");
        let says_so = texts(&scene).iter().any(|text| text.contains(" requests: "));
        assert!(
            bars == requests || (bars < requests && says_so),
            "{}: {bars} of {requests}",
            told.name
        );
    }
}

#[test]
fn d3_a_call_that_waits_has_a_hatched_bar() {
    for name in ["surprises/metadata-block.json", "surprises/buffer-full.json"] {
        let (told, _) = scenario(name);
        let scene = drawn(Kind::Pipeline, &told);
        let returned: Vec<usize> = told
            .facts
            .iter()
            .enumerate()
            .filter(|(_, (_, fact))| matches!(fact, Fact::SendReturned { .. }))
            .map(|(index, _)| index)
            .collect();
        let hatched = scene.items.iter().filter(|item| {
            matches!(item.mark, Mark::Rect { fill: inflight_view::Fill::Hatch(_), .. })
                && item.fact.is_some_and(|fact| returned.contains(&fact))
        });
        assert_eq!(hatched.count(), returned.len(), "{name}");
    }
}

#[test]
fn d4_linger_lowers_the_latency_of_most_records_under_load() {
    let (told, fix) = scenario("surprises/linger-lowers-latency.json");
    let (_, cured) = fix.expect("it has a fix");
    let middle = |told: &Told| {
        let mut totals: Vec<Span> =
            breakdown(&told.story(), Lang::En).iter().map(|one| one.total).collect();
        totals.sort_unstable();
        totals[totals.len() / 2]
    };
    assert!(
        middle(&cured).as_nanos() * 3 < middle(&told).as_nanos() * 2,
        "{} {}",
        middle(&told),
        middle(&cured)
    );
}

#[test]
fn d4_the_parts_of_a_record_sum_up_to_its_time() {
    let mut records = 0;
    for (told, _) in scenarios() {
        for one in breakdown(&told.story(), Lang::En) {
            let sum = one.parts.iter().fold(Span::ZERO, |sum, (_, span)| sum + *span);
            assert_eq!(sum, one.total, "{}: {one:?}", told.name);
            records += 1;
        }
    }
    assert!(records > 50, "{records}");
}

#[test]
fn d4_a_late_record_has_less_of_its_delivery_timeout_left() {
    // Both are in one batch, which is expired as a whole, counted from its first record.
    let text = r#"{
      "title": "Late for the batch", "cluster": { "brokers": 1 },
      "topics": [{ "name": "orders", "replication": 1 }],
      "producers": [{
        "name": "p1",
        "config": { "linger.ms": 400, "delivery.timeout.ms": 1400, "request.timeout.ms": 1000 },
        "workload": [{ "topic": "orders", "records": 2, "every": "300ms" }],
      }],
      "faults": [{ "when": { "happened": "RecordsQueued", "nth": 2 }, "then": { "isolate": "b1" } }],
    }"#;
    let scenario = inflight::load_text("late.json", text, &inflight::Options::default());
    let scenario = scenario.unwrap_or_else(|wrong| panic!("{wrong}"));
    let told = Told::of("late".to_owned(), &scenario);
    let all = breakdown(&told.story(), Lang::En);
    assert_eq!(all.len(), 2, "{all:?}");
    let late = all[0].total - all[1].total;
    assert_eq!(late, Span::from_millis(300), "{all:?}");
}

#[test]
fn twins_part_where_the_leader_recognises_the_retry() {
    let (told, fix) = scenario("duplication/lost-response.json");
    let (changes, cured) = fix.expect("it has a fix");
    let options = Options::default();
    let scene =
        inflight_view::draw_twin(Kind::Sequence, &told.story(), &cured.story(), &changes, &options);
    let scene = scene.expect("it can be drawn");
    let note = texts(&scene).join(" ");
    let parting = note.split_once("here the runs part: ").expect("they part").1;
    let (one, other) = parting.split_once(" | ").expect("two runs");
    assert!(one.contains("b1: append again [B] @2"), "{one}");
    assert!(other.contains("b1: known already [B] = @1"), "{other}");
}

#[test]
fn a_record_can_be_looked_for() {
    let (told, _) = scenario("duplication/lost-response.json");
    let focus =
        |name: &str| Options { focus: Focus::Record(name.to_owned()), ..Options::default() };
    let scene = draw(Kind::Sequence, &told.story(), &focus("C")).expect("it can be drawn");
    assert!(!texts(&scene).iter().any(|text| text.contains("[A]")), "{:?}", texts(&scene));
    let refused = draw(Kind::Sequence, &told.story(), &focus("Q"));
    assert_eq!(
        refused.map(|_| ()).unwrap_err().to_string(),
        "no record of the run is called \"Q\""
    );
}

#[test]
fn a_long_run_says_what_is_left_out() {
    let (told, _) = scenario("surprises/chaos.json");
    let scene = drawn(Kind::Sequence, &told);
    assert!(figure(&scene, "arrows") <= 60);
    assert!(texts(&scene).iter().any(|text| text.starts_with("showing 60 of ")));
}
