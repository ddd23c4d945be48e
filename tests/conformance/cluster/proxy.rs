//! What stands between all nodes and clients, and does to single frames what a story asks for.
//!
//! Each node is advertised at a port of the proxy. A connection has a reader and a writer for each
//! direction, so that frames are counted when they arrive and held in order, as TCP would.

use crate::frame::{self, PRODUCE, Request, Source};
use std::collections::BTreeMap;
use std::io::Write;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

/// Requests go from the one who connects, responses back to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// To the node.
    Request,
    /// From the node.
    Response,
}

/// What becomes of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It goes on.
    Pass,
    /// It is late by so many milliseconds, and all behind it.
    Delay(u64),
    /// It waits until this changes, and all behind it.
    Hold,
    /// It is swallowed, and the connection breaks.
    Break,
    /// A Produce answer says that this has gone wrong instead of what it says.
    Fail(i16),
}

/// Which frames, counted from when the rule was made.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    /// Who sends the requests; `None` is every client.
    pub(crate) source: Option<Source>,
    /// The node they are sent to; `None` is any.
    pub(crate) target: Option<u8>,
    /// Which request; `None` is any.
    pub(crate) api: Option<i16>,
    /// The request or what answers it.
    pub(crate) way: Way,
    /// The first one that is meant, from 1.
    pub(crate) first: u32,
    /// And the last one.
    pub(crate) last: u32,
}

/// One rule: what becomes of such frames.
#[derive(Debug)]
struct Rule {
    pattern: Pattern,
    fate: Fate,
    /// How many have arrived, whether they are meant or not.
    seen: u32,
}

/// A rule's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RuleId(usize);

/// What a frame is, for the rules.
struct Label {
    source: Source,
    api: i16,
    /// Where a Produce answer says what went wrong.
    error_at: Option<usize>,
}

#[derive(Debug, Default)]
struct Shared {
    rules: Mutex<Vec<Rule>>,
    changed: Condvar,
    /// The Produce requests and their answers, in words, as they arrived.
    journal: Mutex<Vec<String>>,
}

/// The proxy of a cluster. Its threads end with the process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Proxy {
    shared: Arc<Shared>,
}

impl Pattern {
    fn covers(&self, label: &Label, target: u8, way: Way) -> bool {
        let source = match (&self.source, &label.source) {
            (Some(wanted), source) => wanted == source,
            (None, source) => matches!(source, Source::Client(_)),
        };
        let is_target = self.target.is_none_or(|wanted| wanted == target);
        source && is_target && self.way == way && self.api.is_none_or(|api| api == label.api)
    }
}

impl Shared {
    fn rules(&self) -> MutexGuard<'_, Vec<Rule>> {
        self.rules.lock().expect("no thread panics with the rules")
    }

    /// Counts a frame that has arrived, and says which rules mean it.
    fn arrived(&self, label: &Label, target: u8, way: Way) -> Vec<usize> {
        let mut meant = Vec::new();
        for (index, rule) in self.rules().iter_mut().enumerate() {
            if rule.pattern.covers(label, target, way) {
                rule.seen += 1;
                if (rule.pattern.first..=rule.pattern.last).contains(&rule.seen) {
                    meant.push(index);
                }
            }
        }
        self.changed.notify_all();
        meant
    }

    /// Waits until nothing holds the frame. Says whether it may go on.
    fn may_pass(&self, meant: &[usize]) -> bool {
        let is = |rules: &[Rule], fate| meant.iter().any(|index| rules[*index].fate == fate);
        let held = |rules: &mut Vec<Rule>| !is(rules, Fate::Break) && is(rules, Fate::Hold);
        let rules = self.changed.wait_while(self.rules(), held);
        let rules = rules.expect("no thread panics with the rules");
        let delay = |index: &usize| match rules[*index].fate {
            Fate::Delay(milliseconds) => milliseconds,
            Fate::Pass | Fate::Hold | Fate::Break | Fate::Fail(_) => 0,
        };
        let delay = Duration::from_millis(meant.iter().map(delay).max().unwrap_or_default());
        let may_pass = !is(&rules, Fate::Break);
        drop(rules);
        thread::sleep(delay);
        may_pass
    }

    /// The error that an answer is to have.
    fn error(&self, meant: &[usize]) -> Option<i16> {
        let rules = self.rules();
        meant.iter().find_map(|index| match rules[*index].fate {
            Fate::Fail(error) => Some(error),
            Fate::Pass | Fate::Delay(_) | Fate::Hold | Fate::Break => None,
        })
    }

    fn note(&self, line: String) {
        self.journal.lock().expect("no thread panics with the journal").push(line);
    }
}

impl Proxy {
    /// Takes connections for a node from now on. Returns the port to advertise.
    pub(crate) fn stand_for(&self, node: u8, port: u16) -> u16 {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let advertised = listener.local_addr().expect("it is bound").port();
        let shared = Arc::clone(&self.shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // A node that is down refuses, and so the connection ends at once.
                if let Ok(server) = TcpStream::connect(("127.0.0.1", port)) {
                    join(&client, &server, node, &shared);
                }
            }
        });
        advertised
    }

    /// A new rule.
    pub(crate) fn rule(&self, pattern: Pattern, fate: Fate) -> RuleId {
        let mut rules = self.shared.rules();
        rules.push(Rule { pattern, fate, seen: 0 });
        RuleId(rules.len() - 1)
    }

    /// Frames of the rule go this way from now on, also those that wait.
    pub(crate) fn set(&self, rule: RuleId, fate: Fate) {
        self.shared.rules()[rule.0].fate = fate;
        self.shared.changed.notify_all();
    }

    /// Everything passes. Rules keep their numbers, since frames may still wait for them.
    pub(crate) fn forget(&self) {
        for rule in self.shared.rules().iter_mut() {
            rule.fate = Fate::Pass;
            rule.pattern.last = 0;
        }
        self.shared.changed.notify_all();
    }

    /// The Produce requests and answers since the last time.
    pub(crate) fn take_journal(&self) -> String {
        let mut journal = self.shared.journal.lock().expect("no thread panics with the journal");
        std::mem::take(&mut *journal).join("\n")
    }

    /// Waits until so many frames of the rule's pattern have arrived. Says whether they have.
    pub(crate) fn has_seen(&self, rule: RuleId, count: u32, patience: Duration) -> bool {
        let wait = |rules: &mut Vec<Rule>| rules[rule.0].seen < count;
        let waited = self.shared.changed.wait_timeout_while(self.shared.rules(), patience, wait);
        !waited.expect("no thread panics with the rules").1.timed_out()
    }
}

/// Carries frames both ways until both sides are done.
fn join(client: &TcpStream, server: &TcpStream, node: u8, shared: &Arc<Shared>) {
    let clone = |stream: &TcpStream| stream.try_clone().expect("a descriptor");
    for stream in [client, server] {
        stream.set_nodelay(true).expect("a socket takes it");
    }
    let asked = Arc::new(Mutex::new(BTreeMap::new()));
    let requests = Lane::new(clone(client), clone(server), Way::Request, node, shared);
    let responses = Lane::new(clone(server), clone(client), Way::Response, node, shared);
    let (open, journal) = (Arc::clone(&asked), Arc::clone(shared));
    requests.start(move |frame| {
        let request = frame::request(frame)?;
        let (api, correlation, source) = (request.api, request.correlation, request.source.clone());
        if api == PRODUCE {
            let batch = frame::produced(frame, request.version);
            journal.note(format!("request {correlation} of {source:?} to {node}: {batch:?}"));
        }
        open.lock().expect("no panic").insert(correlation, request);
        Some(Label { source, api, error_at: None })
    });
    let journal = Arc::clone(shared);
    responses.start(move |frame| {
        let correlation = frame::answered(frame)?;
        let Request { api, version, source, .. } =
            asked.lock().expect("no panic").remove(&correlation)?;
        let mut error_at = None;
        if api == PRODUCE {
            let error = frame::produce_error(frame, version);
            journal.note(format!("answer {correlation} from {node}: {error:?}"));
            error_at = frame::produce_error_at(frame, version);
        }
        Some(Label { source, api, error_at })
    });
}

/// One direction of a connection.
struct Lane {
    from: TcpStream,
    to: TcpStream,
    way: Way,
    node: u8,
    shared: Arc<Shared>,
}

/// A frame and the rules that mean it.
struct Held {
    frame: Vec<u8>,
    meant: Vec<usize>,
    error_at: Option<usize>,
}

impl Lane {
    fn new(from: TcpStream, to: TcpStream, way: Way, node: u8, shared: &Arc<Shared>) -> Self {
        Self { from, to, way, node, shared: Arc::clone(shared) }
    }

    fn start(self, label: impl FnMut(&[u8]) -> Option<Label> + Send + 'static) {
        let (sender, receiver) = channel();
        let from = self.from.try_clone().expect("a descriptor");
        let (way, node, shared) = (self.way, self.node, Arc::clone(&self.shared));
        thread::spawn(move || read(from, way, node, &shared, &sender, label));
        thread::spawn(move || self.write(&receiver));
    }

    /// A request goes to the node even if its client is gone, as what a socket has received does.
    fn write(mut self, frames: &Receiver<Held>) {
        for Held { mut frame, meant, error_at } in frames {
            if !self.shared.may_pass(&meant) {
                let _gone = self.from.shutdown(Shutdown::Both);
                let _gone = self.to.shutdown(Shutdown::Both);
                return;
            }
            if let Some((error, at)) = self.shared.error(&meant).zip(error_at) {
                frame[at..at + 2].copy_from_slice(&error.to_be_bytes());
            }
            // The client may have closed the connection: nobody hears this response then.
            let _gone = self.to.write_all(&frame);
        }
        let _gone = self.to.shutdown(match self.way {
            Way::Request => Shutdown::Write,
            Way::Response => Shutdown::Both,
        });
    }
}

fn read(
    mut from: TcpStream,
    way: Way,
    node: u8,
    shared: &Shared,
    frames: &Sender<Held>,
    mut label: impl FnMut(&[u8]) -> Option<Label>,
) {
    while let Ok(Some(frame)) = frame::read(&mut from) {
        let label = label(&frame);
        let meant = label.as_ref().map_or_else(Vec::new, |label| shared.arrived(label, node, way));
        let error_at = label.and_then(|label| label.error_at);
        if frames.send(Held { frame, meant, error_at }).is_err() {
            return;
        }
    }
}
