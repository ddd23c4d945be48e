//! The page to step through a run, in a real browser where there is one.

use super::scenario;
use inflight_view::{Lang, Options, Page, stepper};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a reader does, and what must be seen then. It runs in the page, behind the page's own script.
const READER: &str = r"
<script>
const read = () => {
  if (!document.documentElement.classList.contains('ready')) { setTimeout(read, 10); return; }
  const press = (key) => document.dispatchEvent(new KeyboardEvent('keydown', { key, cancelable: true }));
  const count = () => document.getElementById('count').textContent;
  const seen = [];
  seen.push('start ' + count() + ' ' + document.getElementById('kind').textContent);
  press('Home'); seen.push('home ' + count());
  press('ArrowRight'); press('ArrowRight'); seen.push('right ' + count() + ' ' + location.hash);
  press('ArrowLeft'); seen.push('left ' + count());
  press('End'); seen.push('end ' + count());
  press('['); seen.push('anomaly ' + count() + ' ' + document.getElementById('short').textContent);
  press('Home'); press(']'); seen.push('again ' + count());
  seen.push('logs ' + document.querySelectorAll('#log svg').length);
  seen.push('now ' + document.querySelectorAll('g.now').length);
  document.getElementById('past').click();
  press('End'); const txn = document.getElementById('txn-cursor');
  seen.push('txn ' + (txn !== null && !txn.hidden && parseInt(txn.style.left) > 100));
  seen.push('past ' + (document.querySelectorAll('#sequence g.past').length > 5));
  document.body.dataset.seen = seen.join('|');
};
read();
</script>
</body>";

fn browser() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).flat_map(|at| names.map(|name| at.join(name)));
    found.into_iter().find(|path| path.is_file())
}

fn open(browser: &Path, page: &Path) -> (String, String) {
    let ran = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=4000"])
        .args(["--enable-logging=stderr", "--dump-dom"])
        .arg(format!("file://{}", page.display()))
        .output()
        .expect("the browser starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&ran.stdout), text(&ran.stderr))
}

#[test]
fn the_page_steps_through_a_run_without_an_error() {
    // Where there is no browser, nobody opens the page.
    let Some(browser) = browser() else { return };
    let (told, _) = scenario("duplication/lost-response.json");
    for lang in [Lang::En, Lang::Ko] {
        let options = Options { lang, ..Options::default() };
        let page = stepper(&told.story(), &options, &Page::default()).expect("it can be drawn");
        let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("step-{lang:?}.html"));
        std::fs::write(&place, page.replace("</body>", READER)).expect("it can be written");
        let (dom, errors) = open(&browser, &place);
        let errors: Vec<&str> = errors.lines().filter(|line| line.contains("CONSOLE")).collect();
        assert_eq!(errors, [""; 0]);
        let (_, seen) = dom.split_once("data-seen=\"").expect("the reader's script ran");
        let seen: Vec<&str> = seen.split('"').next().unwrap_or_default().split('|').collect();
        let steps = seen[1].split(" / ").nth(1).expect("how many steps");
        let start =
            seen[0].strip_suffix(" BatchAppended").expect("it opens where the copy is appended");
        assert!(start.ends_with(" !"), "{seen:?}");
        assert!(seen[1].starts_with("home 1 /"), "{seen:?}");
        assert!(seen[2].starts_with("right 3 /") && seen[2].ends_with("#step=3"), "{seen:?}");
        assert!(seen[3].starts_with("left 2 /"), "{seen:?}");
        assert_eq!(seen[4], format!("end {steps} / {steps}"));
        assert!(
            seen[5].ends_with(if lang == Lang::En { "append again [B] @2" } else { "[B] @2" }),
            "{seen:?}"
        );
        assert_eq!(seen[6], start.replace("start", "again"));
        assert_eq!(seen[7], "logs 1");
        // A run without transactions has no lanes for them.
        assert!(seen[8] != "now 0" && seen[9..] == ["txn false", "past true"], "{seen:?}");
    }
}

#[test]
fn the_cursor_moves_through_transactions_too() {
    let Some(browser) = browser() else { return };
    let (told, _) = scenario("transactions/zombie-is-fenced.json");
    let page = stepper(&told.story(), &Options::default(), &Page::default());
    let page = page.expect("it can be drawn");
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("step-transactions.html");
    std::fs::write(&place, page.replace("</body>", READER)).expect("it can be written");
    let (dom, errors) = open(&browser, &place);
    assert!(!errors.contains("CONSOLE"), "{errors}");
    assert!(dom.contains("|txn true|past true"), "{:?}", dom.split_once("data-seen=").map(|s| s.1));
}

/// Saves the trace and says what would be in the file.
const SAVER: &str = r"
<script>
const save = () => {
  if (!document.documentElement.classList.contains('ready')) { setTimeout(save, 10); return; }
  HTMLAnchorElement.prototype.click = () => {};
  URL.createObjectURL = (blob) => {
    blob.text().then((text) => { document.body.dataset.saved = text; });
    return '#';
  };
  document.getElementById('save').click();
};
save();
</script>
</body>";

#[test]
fn the_page_gives_back_the_trace_it_was_drawn_from() {
    let Some(browser) = browser() else { return };
    let (told, _) = scenario("duplication/lost-response.json");
    let trace = Some("first line of many\n</script> is not the end\n".to_owned());
    let page = Page { trace, ..Page::default() };
    let page = stepper(&told.story(), &Options::default(), &page).expect("it can be drawn");
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("step-trace.html");
    std::fs::write(&place, page.replace("</body>", SAVER)).expect("it can be written");
    let (dom, errors) = open(&browser, &place);
    assert!(!errors.contains("CONSOLE"), "{errors}");
    let saved = dom.split_once("data-saved=\"").map(|(_, rest)| rest).unwrap_or_default();
    assert!(
        saved.starts_with("first line of many\n&lt;/script&gt;")
            || saved.starts_with("first line of many\n</script>"),
        "{}",
        &saved[..saved.len().min(80)]
    );
}

#[test]
fn the_page_needs_nothing_from_elsewhere() {
    let (told, _) = scenario("loss/acks-1-failover.json");
    let page = stepper(&told.story(), &Options::default(), &Page::default()).expect("it is drawn");
    let namespace = "http://www.w3.org/2000/svg";
    assert_eq!(page.matches("http").count(), page.matches(namespace).count());
    for word in ["src=", "@import", "url(", "fetch("] {
        assert!(!page.contains(word), "{word}");
    }
    // Without scripts, and on paper, the film strip says it all.
    assert!(page.contains("<section id=\"film\"") && page.contains("@media print"));
}
