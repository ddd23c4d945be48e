//! Korean pictures and pages: no English sentence is left, but for what the scenario itself says.

use super::{Told, scenarios};
use inflight_view::report::{self, Cure, Told as Entry};
use inflight_view::{Kind, Lang, Mark, Medium, Options, Theme, draw, draw_twin, svg};

/// What is the scenario's own: its title and how it writes its faults.
fn own(told: &Told) -> Vec<String> {
    let mut own = told.description.faults.clone();
    own.push(told.description.title.clone());
    // Longer ones first, since one may be a part of another.
    own.sort_by_key(|text| std::cmp::Reverse(text.len()));
    own
}

/// Two plain words of Latin letters side by side. Kafka's names have dots, underscores, capitals,
/// digits or brackets, or stand alone.
fn english(text: &str, own: &[String], names: &[String]) -> Option<String> {
    // A long title goes on in the next line, a long fault is cut.
    let part = text.trim_end_matches('…').trim();
    if own.iter().any(|own| own.contains(part)) {
        return None;
    }
    let text = own.iter().fold(text.to_owned(), |text, own| text.replace(own.as_str(), "§"));
    let plain = |word: &&str| {
        let bare = word.trim_matches(|c: char| ",:;|".contains(c));
        bare.len() > 1
            && bare.bytes().all(|byte| byte.is_ascii_lowercase())
            && !names.iter().any(|name| name == bare)
    };
    let words: Vec<&str> = text.split_whitespace().collect();
    let found = words.windows(2).find(|pair| pair.iter().all(plain));
    found.map(|pair| format!("{} {}", pair[0], pair[1]))
}

fn names(told: &Told) -> Vec<String> {
    let description = &told.description;
    let clients = description.clients.iter().map(|client| client.name.clone());
    let ids = description.groups.iter().chain(&description.transactional_ids).cloned();
    let topics = description.topics.iter().map(|topic| topic.name.clone());
    // A call of an application, by the name that Kafka gives it.
    let calls = ["send", "begin", "init", "commit", "abort"].map(str::to_owned);
    clients.chain(ids).chain(topics).chain(calls).collect()
}

#[test]
fn no_english_sentence_is_in_a_korean_picture() {
    let mut wrong = Vec::new();
    let mut texts = 0;
    for (told, fix) in scenarios() {
        let (own, names) = (own(&told), names(&told));
        for kind in Kind::ALL {
            for medium in [Medium::Pixels, Medium::Cells] {
                let options = Options { lang: Lang::Ko, medium, ..Options::default() };
                let mut scenes = vec![draw(kind, &told.story(), &options)];
                if let Some((changes, cured)) = &fix {
                    let cured = cured.story();
                    scenes.push(draw_twin(kind, &told.story(), &cured, changes, &options));
                }
                for scene in scenes.into_iter().flatten() {
                    for item in &scene.items {
                        let Mark::Text(text) = &item.mark else { continue };
                        texts += 1;
                        let found = english(&text.text, &own, &names);
                        wrong.extend(found.map(|found| {
                            format!("{} {}: {found}: {}", told.name, kind.name(), text.text)
                        }));
                    }
                    let found = english(&scene.summary, &own, &names);
                    wrong.extend(found.map(|found| format!("{}: {found}", scene.summary)));
                }
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
    assert!(texts > 10_000, "{texts}");
}

#[test]
fn no_english_sentence_is_on_a_korean_page() {
    let mut wrong = Vec::new();
    for (told, fix) in scenarios() {
        let (mut own, names) = (own(&told), names(&told));
        let cure = fix.as_ref().map(|(changes, cured)| {
            own.push(changes.clone());
            Cure { changes: changes.clone(), why: "§", story: cured.story() }
        });
        let (name, file) = (told.name.clone(), told.name.clone());
        let entry = Entry { name, file, teaches: &[], story: told.story(), cure, trace: None };
        let files = report::scenario(&entry, Lang::Ko).expect("it can be drawn");
        for (path, content) in files.iter().filter(|(path, _)| path.ends_with(".md")) {
            let page = String::from_utf8_lossy(content);
            // Commands and tags are for machines.
            let lines = page
                .lines()
                .filter(|line| !line.starts_with("inflight ") && !line.starts_with('<'));
            for line in lines.filter(|line| !line.trim_start().starts_with("<")) {
                let found = english(line, &own, &names);
                wrong.extend(found.map(|found| format!("{path}: {found}: {line}")));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
}

#[test]
fn an_english_sentence_would_be_found() {
    let (told, _) = super::scenario("duplication/lost-response.json");
    let scene = draw(Kind::Sequence, &told.story(), &Options::default()).expect("it can be drawn");
    let (own, names) = (own(&told), names(&told));
    assert!(english(&scene.summary, &own, &names).is_some());
    assert!(svg(&scene, Theme::Light).contains("append again"));
}
