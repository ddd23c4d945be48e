//! No text over another, none outside, in any kind, language, scale and medium.

use super::scenarios;
use inflight::{Fact, Instant};
use inflight_view::{Kind, Lang, Medium, Options, Refusal, Scale, Scene, Theme};
use inflight_view::{audit, draw, draw_twin, png, svg, text};

fn check(name: &str, drawn: Result<Scene, Refusal>, wrong: &mut Vec<String>) -> usize {
    let Ok(scene) = drawn else { return 0 };
    wrong.extend(audit(&scene).into_iter().map(|found| format!("{name}: {found}")));
    1
}

#[test]
fn every_picture_of_every_scenario_can_be_read() {
    let mut wrong = Vec::new();
    let mut drawn = 0;
    for (told, fix) in scenarios() {
        for kind in Kind::ALL {
            for lang in [Lang::En, Lang::Ko, Lang::Both] {
                for medium in [Medium::Pixels, Medium::Cells] {
                    let options = Options { lang, medium, ..Options::default() };
                    let name = format!("{} {} {lang:?} {medium:?}", told.name, kind.name());
                    drawn += check(&name, draw(kind, &told.story(), &options), &mut wrong);
                    let Some((changes, cured)) = &fix else { continue };
                    let twin = draw_twin(kind, &told.story(), &cured.story(), changes, &options);
                    drawn += check(&format!("{name} twin"), twin, &mut wrong);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
    assert!(drawn > 1000, "{drawn}");
}

#[test]
fn every_scale_can_be_read() {
    let mut wrong = Vec::new();
    for (told, _) in scenarios() {
        for kind in [Kind::Sequence, Kind::Pipeline, Kind::Txn] {
            for scale in [Scale::Order, Scale::Time, Scale::Hybrid] {
                for lang in [Lang::En, Lang::Ko] {
                    let options = Options { scale, lang, ..Options::default() };
                    let name = format!("{} {} {scale:?} {lang:?}", told.name, kind.name());
                    check(&name, draw(kind, &told.story(), &options), &mut wrong);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
}

#[test]
fn every_kind_can_be_drawn_of_every_scenario() {
    for (told, _) in scenarios() {
        for kind in Kind::ALL {
            let drawn = draw(kind, &told.story(), &Options::default());
            let calls = |(_, fact): &(Instant, Fact)| {
                matches!(fact, Fact::TransactionsInitialized { .. } | Fact::TransactionBegun { .. })
            };
            let queued = |(_, fact): &(Instant, Fact)| matches!(fact, Fact::RecordsQueued { .. });
            let has_any = match kind {
                // Only who has transactions has a picture of them.
                Kind::Txn => told.facts.iter().any(calls),
                // What never came into the producer is in no log and in no table.
                Kind::Log | Kind::Latency | Kind::Dedup | Kind::Truth => {
                    told.facts.iter().any(queued)
                }
                Kind::Sequence | Kind::Pipeline | Kind::Overview => true,
            };
            assert_eq!(drawn.is_ok(), has_any, "{} {}: {drawn:?}", told.name, kind.name());
        }
    }
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    let (told, _) = super::scenario("transactions/open-transaction-pins-the-lso.json");
    let (again, _) = super::scenario("transactions/open-transaction-pins-the-lso.json");
    for kind in Kind::ALL {
        let of = |told: &super::Told| {
            let scene = draw(kind, &told.story(), &Options::default()).expect("it can be drawn");
            let bytes = png(&scene, Theme::Dark, 1).expect("it can be encoded");
            (svg(&scene, Theme::Light), bytes)
        };
        assert!(of(&told) == of(&again), "{}", kind.name());
    }
}

#[test]
fn a_picture_says_what_it_shows_to_those_who_do_not_see_it() {
    let (told, _) = super::scenario("loss/acks-1-failover.json");
    let scene = draw(Kind::Log, &told.story(), &Options::default()).expect("it can be drawn");
    let file = svg(&scene, Theme::Light);
    assert!(file.contains("role=\"img\"") && file.contains("<title>"), "{file}");
    assert!(scene.summary.contains("lost: 1"), "{}", scene.summary);
    assert!(file.contains("<desc>A picture of the kind"), "{file}");
}

#[test]
fn text_is_never_smaller_than_eleven_pixels() {
    for (told, _) in scenarios() {
        for kind in Kind::ALL {
            let Ok(scene) = draw(kind, &told.story(), &Options::default()) else { continue };
            for item in &scene.items {
                if let inflight_view::Mark::Text(text) = &item.mark {
                    assert!(text.size >= 11, "{} {}: {:?}", told.name, kind.name(), text.text);
                }
            }
        }
    }
}

#[test]
fn terminal_pictures_fit_their_columns() {
    let (told, _) = super::scenario("duplication/lost-response.json");
    let options = Options { medium: Medium::Cells, lang: Lang::Ko, ..Options::default() };
    let scene = draw(Kind::Log, &told.story(), &options).expect("it can be drawn");
    let picture = text(&scene);
    assert!(picture.contains("[≡ B ]"), "{picture}");
    let widest = picture.lines().map(inflight::trace::lanes::display_width).max();
    assert!(widest.is_some_and(|widest| widest <= 100), "{widest:?}\n{picture}");
}

#[test]
fn the_decision_grid_can_be_read() {
    use inflight_view::grid::{Cell, InSync, isr_grid};
    let (told, _) = super::scenario("loss/acks-1-failover.json");
    let mut cells = Vec::new();
    for in_sync in [InSync::Count(3), InSync::Shrinks, InSync::Count(0)] {
        for (acks, min_insync) in [("0", 1), ("1", 1), ("all", 3)] {
            cells.push(Cell { in_sync, acks, min_insync, story: told.story() });
        }
    }
    for lang in [Lang::En, Lang::Ko, Lang::Both] {
        for medium in [Medium::Pixels, Medium::Cells] {
            let scene = isr_grid(&cells, &Options { lang, medium, ..Options::default() });
            assert_eq!(audit(&scene), [""; 0], "{lang:?} {medium:?}");
        }
    }
}
