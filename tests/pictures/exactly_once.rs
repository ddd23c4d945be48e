//! Pictures of the run in which several clients read, write and die: whose line is whose, which
//! partition is meant, what goes with its process.

use super::{Told, scenario};
use inflight::Fact;
use inflight::protocol::ApiKey;
use inflight::protocol::fact::Direction;
use inflight_view::{
    Icon, Ink, Item, Kind, Lang, Mark, Options, Page, Rect, Scene, draw, stepper, truth_markdown,
};

fn run() -> Told {
    scenario("transactions/exactly-once-pipeline.json").0
}

fn drawn(kind: Kind, told: &Told) -> Scene {
    draw(kind, &told.story(), &Options::default()).expect("it can be drawn")
}

fn texts(scene: &Scene) -> Vec<&str> {
    let of = |item: &'_ Item| matches!(item.mark, Mark::Text(_));
    let texts = scene.items.iter().filter(|item| of(item)).map(|item| match &item.mark {
        Mark::Text(text) => text.text.as_str(),
        _ => "",
    });
    texts.collect()
}

/// The positions of the facts that are like this.
fn places(told: &Told, like: impl Fn(&Fact) -> bool) -> Vec<usize> {
    let facts = told.facts.iter().enumerate().filter(|(_, (_, fact))| like(fact));
    facts.map(|(index, _)| index).collect()
}

fn about(scene: &Scene, fact: usize) -> Vec<&Mark> {
    scene.items.iter().filter(|item| item.fact == Some(fact)).map(|item| &item.mark).collect()
}

fn bar(marks: &[&Mark]) -> Rect {
    let bars = marks.iter().filter_map(|mark| match mark {
        Mark::Rect { rect, .. } => Some(*rect),
        _ => None,
    });
    bars.max_by_key(|rect| rect.w).expect("a bar")
}

#[test]
fn a_batch_ends_with_its_producer() {
    let told = run();
    let scene = drawn(Kind::Pipeline, &told);
    let stopped = places(&told, |fact| matches!(fact, Fact::ProducerStopped { .. }))[0];
    let died = told.facts[stopped].0;
    let queued = places(&told, |fact| matches!(fact, Fact::RecordsQueued { .. }));
    let last = queued.iter().copied().rfind(|fact| *fact < stopped && told.facts[*fact].0 < died);
    let abandoned = about(&scene, last.expect("a batch that is open"));
    let open = bar(&abandoned);
    let next = queued.iter().copied().find(|fact| *fact > stopped).expect("the next batch");
    assert!(open.x + open.w < bar(&about(&scene, next)).x, "{abandoned:?}");
    let sign = |mark: &&Mark| matches!(mark, Mark::Icon { icon: Icon::Lightning, .. });
    assert!(abandoned.iter().any(sign), "{abandoned:?}");
    assert!(texts(&scene).contains(&"gone with its producer"));
}

#[test]
fn every_bar_says_what_is_in_it() {
    let told = run();
    let scene = drawn(Kind::Pipeline, &told);
    let sent = places(&told, |fact| {
        let is = |api, direction| (api, direction) == (ApiKey::Produce, Direction::Request);
        matches!(fact, Fact::MessageSent { api, direction, .. } if is(*api, *direction))
    });
    assert!(sent.len() > 8, "{sent:?}");
    for fact in sent {
        let marks = about(&scene, fact);
        assert!(marks.iter().any(|mark| matches!(mark, Mark::Text(_))), "{marks:?}");
    }
}

#[test]
fn a_consumer_moves_on_and_its_group_follows() {
    let told = run();
    let scene = drawn(Kind::Pipeline, &told);
    let lines = |facts: &[usize], ink: Ink| -> Vec<(i32, i32)> {
        let about = scene.items.iter().filter(|item| item.fact.is_some_and(|f| facts.contains(&f)));
        let ends = about.filter_map(|item| match &item.mark {
            Mark::Line { points, stroke } if stroke.ink == ink => {
                Some((points.first()?.x, points.last()?.x))
            }
            _ => None,
        });
        ends.collect()
    };
    let stopped = places(&told, |fact| matches!(fact, Fact::ConsumerStopped { .. }))[0];
    let Fact::ConsumerStopped { consumer: dead, .. } = told.facts[stopped].1 else { return };
    let given = places(&told, |fact| matches!(fact, Fact::RecordsReturned { .. }));
    let committed = places(&told, |fact| matches!(fact, Fact::GroupOffsetCommitted { .. }));
    let (positions, commits) = (lines(&given, Ink::Follower), lines(&committed, Ink::Good));
    assert!(positions.len() >= 7 && commits.len() >= 4, "{positions:?} {commits:?}");
    // Nobody is at an offset while the process is dead; what the group has committed stays.
    let lines_of_the_dead = about(&scene, stopped);
    assert!(!lines_of_the_dead.iter().any(|mark| matches!(mark, Mark::Line { .. })));
    let before = places(
        &told,
        |fact| matches!(fact, Fact::RecordsReturned { consumer, .. } if *consumer == dead),
    );
    let begins = places(&told, |fact| matches!(fact, Fact::PositionSet { .. }));
    let behind: Vec<usize> = begins.into_iter().filter(|fact| *fact > stopped).collect();
    let last = lines(&before, Ink::Follower).into_iter().max().expect("a line");
    let next = lines(&behind, Ink::Follower).into_iter().min().expect("a line");
    assert!(last.1 < next.0, "{last:?} {next:?}");
    assert!(texts(&scene).contains(&"12") && texts(&scene).contains(&"committed offset"));
}

#[test]
fn offsets_are_in_the_transaction_when_the_call_returns() {
    let told = run();
    let returned = places(&told, |fact| matches!(fact, Fact::OffsetsAddedToTransaction { .. }))[0];
    let scene = drawn(Kind::Sequence, &told);
    let marks = about(&scene, returned);
    let arrow = marks.iter().find_map(|mark| match mark {
        Mark::Arrow { from, to, .. } => Some((*from, *to)),
        _ => None,
    });
    let (from, to) = arrow.expect("an arrow");
    assert!(to.x < from.x, "from the producer back to the application: {marks:?}");
    for kind in [Kind::Sequence, Kind::Txn] {
        let scene = drawn(kind, &told);
        let signed = scene.items.iter().any(|item| {
            item.fact == Some(returned) && matches!(item.mark, Mark::Icon { icon: Icon::Check, .. })
        });
        let shown = scene.items.iter().any(|item| item.fact == Some(returned));
        assert_eq!(signed, shown, "{}", kind.name());
    }
}

#[test]
fn who_only_reads_has_no_stations_of_a_producer() {
    let told = run();
    let scene = drawn(Kind::Overview, &told);
    let texts = texts(&scene);
    assert!(texts.contains(&"p1") && texts.contains(&"app"), "{texts:?}");
    assert!(!texts.contains(&"reader"), "{texts:?}");
    assert_eq!(texts.iter().filter(|text| **text == "accumulator").count(), 2);
    assert!(scene.figures.contains(&("producers", 2)), "{:?}", scene.figures);
}

#[test]
fn what_was_written_elsewhere_is_in_a_table_of_its_own() {
    let told = run();
    let scene = drawn(Kind::Truth, &told);
    let texts = texts(&scene);
    let orders = texts.iter().position(|text| *text == "orders-0").expect("a heading");
    let bills = texts.iter().position(|text| *text == "bills-0").expect("a heading");
    let (first, second) = if orders < bills { (orders, bills) } else { (bills, orders) };
    // No letter of the one is in a row of the other.
    let (one, other) = (&texts[first..second], &texts[second..]);
    let (of_orders, of_bills) = if orders < bills { (one, other) } else { (other, one) };
    assert!(of_orders.contains(&"A,C,E,G,J,…,T (10)"), "{of_orders:?}");
    assert!(of_bills.contains(&"H,I"), "{of_bills:?}");
    let page = truth_markdown(&told.story(), Lang::En).expect("there are records");
    assert!(page.contains("`orders-0`\n\n| record") && page.contains("`bills-0`\n\n| record"));
}

#[test]
fn every_lifeline_has_a_name_of_its_own() {
    let told = run();
    for lang in [Lang::En, Lang::Ko] {
        let options = Options { lang, ..Options::default() };
        let scene = draw(Kind::Sequence, &told.story(), &options).expect("it can be drawn");
        let heads = scene.items.iter().filter_map(|item| match &item.mark {
            Mark::Text(text) if text.within.is_some() => Some(text.text.as_str()),
            _ => None,
        });
        let mut heads: Vec<&str> = heads.collect();
        let app = if lang == Lang::En { "app of p1" } else { "앱: p1" };
        assert!(heads.contains(&app) && heads.contains(&"app"), "{heads:?}");
        let all = heads.len();
        heads.sort_unstable();
        heads.dedup();
        assert_eq!(heads.len(), all, "{heads:?}");
    }
    // Alone it needs no more.
    let (alone, _) = scenario("duplication/lost-response.json");
    assert!(texts(&drawn(Kind::Sequence, &alone)).contains(&"app"));
}

#[test]
fn a_page_says_how_the_run_ended_and_which_log_it_shows() {
    let page = |told: &Told| {
        stepper(&told.story(), &Options::default(), &Page::default()).expect("it can be drawn")
    };
    let good = page(&run());
    assert!(good.contains("style=\"color:var(--good)\">✓ sent: 25"), "{}", head(&good));
    assert!(good.contains("<h2>what each log holds · orders-0</h2>"));
    let (told, _) = scenario("loss/acks-1-failover.json");
    let allowed = page(&told);
    assert!(allowed.contains("style=\"color:var(--warning)\">! sent"), "{}", head(&allowed));
    assert!(allowed.contains("<h2>what each log holds</h2>"));
}

fn head(page: &str) -> &str {
    page.split_once("<header>").map_or("", |(_, rest)| rest.split("<nav").next().unwrap_or(""))
}
