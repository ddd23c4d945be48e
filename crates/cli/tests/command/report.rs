//! `inflight report`

use super::{DUPLICATE, Place};

#[test]
fn a_gallery_is_written_and_held_against_its_scenarios() {
    let place = Place::new("report");
    place.write("stories/duplication/lost.json", DUPLICATE);
    place.run(&["report", "stories"]).ends(0).out("reports: 1 scenarios");
    let page = place.read("reports/duplication/lost/README.md");
    for part in [
        "# A lost response\n",
        "sent: 2, acked: 2, duplicated: 1",
        "## The fix: `enable.idempotence=true`",
        "<source media=\"(prefers-color-scheme: dark)\" srcset=\"sequence.dark.svg\">",
        "**≡ @0 @1**",
        "- `enable.idempotence=false`",
        "inflight run stories/duplication/lost.json",
    ] {
        assert!(page.contains(part), "{part:?} is not in:\n{page}");
    }
    let index = place.read("reports/README.md");
    assert!(index.contains("[A lost response](duplication/lost/README.md)"), "{index}");
    assert!(index.contains("*waits for partitioners of other clients*"), "{index}");
    place.run(&["report", "stories", "--check"]).ends(0).out("up to date");
    place.write("stories/duplication/lost.json", &DUPLICATE.replace("\"20ms\"", "\"30ms\""));
    place.write("reports/more.svg", "");
    let checked = place.run(&["report", "stories", "--check"]);
    checked
        .ends(1)
        .out("out of date  duplication/lost/sequence.light.svg")
        .out("left over    more.svg");
}
