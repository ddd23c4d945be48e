//! From a file to everything that a run needs.

use crate::census::Census;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::document::{Node, parse};
use crate::expectation::Expectations;
use crate::form::{Form, Worded};
use crate::format::{Scenario, check_names};
use crate::overrides::{Change, apply, apply_text};
use crate::read::Reader;
use crate::source::{Place, Sources};
use inflight_des::Seed;
use inflight_protocol::{TopicId, Topics};
use inflight_sim::Setup;
use inflight_sim::setup::{
    AfterAbort, ClientSetup, ConsumerSetup, Effect, OffsetsBy, OnError, ProducerSetup, Reading,
    Work,
};
use inflight_trace::{ClientDescription, CommitStyle, ConsumerDescription, Description};
use std::path::{Path, PathBuf};

/// How a scenario is read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Changes to the file, as `key=value`; see [the crate](crate#overrides).
    pub overrides: Vec<String>,
    /// Where paths in the file start. [`load_file`] takes the file's directory if there is none.
    pub directory: Option<PathBuf>,
}

/// A scenario with nothing left to fill in.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What happens, in one line.
    pub title: String,
    /// What there is to learn from it.
    pub teaches: Vec<String>,
    /// The seed.
    pub seed: Seed,
    /// The input of a run.
    pub setup: Setup,
    /// What readers of its facts must know.
    pub description: Description,
    /// What must come out.
    pub expectations: Expectations,
    /// The same with the one change that cures it, if the file has one.
    pub fix: Option<Box<Fix>>,
    /// What its author may not expect.
    pub warnings: Diagnostics,
    /// The file with its overrides.
    pub(crate) document: Node,
}

/// The change that cures a scenario.
#[derive(Clone, Debug)]
pub struct Fix {
    /// Why it helps, as a sentence.
    pub why: String,
    /// What it changes: keys or paths and their new values, as the file has them.
    pub changes: Vec<(String, String)>,
    /// The scenario with the change, and with the fix's own expectations.
    pub scenario: Loaded,
}

/// Reads a scenario from a file.
pub fn load_file(path: &Path, options: &Options) -> Result<Loaded, Diagnostics> {
    let name = path.display().to_string();
    let fail = |text: String, place: (usize, usize), problem: String| {
        let mut sources = Sources::default();
        let source = sources.add(name.as_str(), text);
        let place = Place::new(source, place.0, place.1);
        Diagnostics::new(sources, vec![Diagnostic::error(place, problem)])
    };
    let bytes = std::fs::read(path)
        .map_err(|error| fail(String::new(), (0, 0), format!("cannot read {name}: {error}")))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
        fail(text, (valid, valid + 1), "not UTF-8".to_owned())
    })?;
    let mut options = options.clone();
    options.directory = options.directory.or_else(|| path.parent().map(Path::to_owned));
    load_text(&name, &text, &options)
}

/// Reads a scenario from a text. The name is that of diagnostics.
pub fn load_text(name: &str, text: &str, options: &Options) -> Result<Loaded, Diagnostics> {
    let mut sources = Sources::default();
    let source = sources.add(name, text);
    let mut root = match parse(source, text) {
        Ok(root) => root,
        Err(diagnostic) => return Err(Diagnostics::new(sources, vec![*diagnostic])),
    };
    let mut wrong = Vec::new();
    for change in &options.overrides {
        wrong.extend(apply_text(&mut root, change, &mut sources).err().map(|refusal| *refusal));
    }
    let (built, mut found, mut sources) = build(root, sources, options.directory.clone());
    wrong.append(&mut found);
    let Some(mut loaded) = built.filter(|_| !has_errors(&wrong)) else {
        return Err(Diagnostics::new(sources, wrong));
    };
    if let Some(part) = loaded.fix_part.take() {
        let mut root = loaded.loaded.document.clone();
        root.remove("fix");
        root.remove("expect");
        for member in &part.set {
            let value = member.node.clone();
            let change = Change { key: &member.key, key_place: member.key_place, value };
            wrong.extend(apply(&mut root, &change).err().map(|refusal| *refusal));
        }
        let (twin, mut found, all_sources) = build(root, sources, options.directory.clone());
        sources = all_sources;
        wrong.append(&mut found);
        if let Some(Built { loaded: mut scenario, .. }) = twin {
            scenario.expectations = part.expect;
            let text = |member: &crate::document::Member| {
                let value = member.node.as_text().map(str::to_owned);
                (member.key.clone(), value.unwrap_or_else(|| member.node.to_string()))
            };
            let changes = part.set.iter().map(text).collect();
            loaded.loaded.fix = Some(Box::new(Fix { why: part.why, changes, scenario }));
        }
    }
    let diagnostics = Diagnostics::new(sources, wrong);
    if diagnostics.errors() > 0 {
        return Err(diagnostics);
    }
    loaded.loaded.warnings = diagnostics;
    Ok(loaded.loaded)
}

/// A scenario whose fix is not applied yet.
struct Built {
    loaded: Loaded,
    fix_part: Option<crate::format::FixPart>,
}

/// Reads a document.
fn build(
    root: Node,
    sources: Sources,
    directory: Option<PathBuf>,
) -> (Option<Built>, Vec<Diagnostic>, Sources) {
    let census = Census::of(&root);
    let mut reader = Reader::new(&census, sources, directory);
    let scenario = Scenario::read(&root, &mut reader);
    check_names(&root, &mut reader);
    let setup = scenario.as_ref().and_then(|scenario| scenario.setup(&root, &mut reader));
    let (sources, diagnostics) = reader.finish();
    let built = scenario.zip(setup).map(|(scenario, setup)| {
        let description = describe(&scenario, &setup, &root);
        let loaded = Loaded {
            title: scenario.title,
            teaches: scenario.teaches.map(|teaches| teaches.0).unwrap_or_default(),
            seed: Seed::new(scenario.seed),
            setup,
            description,
            expectations: scenario.expect,
            fix: None,
            warnings: Diagnostics::new(Sources::default(), Vec::new()),
            document: root,
        };
        Built { loaded, fix_part: scenario.fix }
    });
    (built, diagnostics, sources)
}

fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
}

fn describe(scenario: &Scenario, setup: &Setup, root: &Node) -> Description {
    let cluster = Description::of_cluster(&setup.title, scenario.seed, &setup.cluster);
    let defects = scenario.cluster.defects.iter().map(|defect| Worded::word(*defect).to_owned());
    Description {
        kafka: scenario.kafka().to_owned(),
        clients: setup.clients.iter().map(|client| describe_client(client, setup)).collect(),
        faults: crate::words::of_faults(root.get("faults"), &setup.faults),
        defects: defects.collect(),
        ..cluster
    }
}

fn describe_client(client: &ClientSetup, setup: &Setup) -> ClientDescription {
    let mut styles = client.threads.iter().map(|thread| thread.style.word());
    let first = styles.next().unwrap_or("idle");
    let style = if styles.all(|style| style == first) { first } else { "mixed" };
    let resends = |on_error: OnError| matches!(on_error, OnError::Resend { .. });
    let description = ClientDescription {
        name: client.name.clone(),
        style: style.to_owned(),
        resends_on_error: client.threads.iter().any(|thread| resends(thread.on_error)),
        produces: client.producer.is_some(),
        consumer: client.consumer.as_ref().map(describe_consumer),
        writes: Some(names(written(client), &setup.cluster.topics)),
        reads: Some(names(read(client, &setup.cluster.topics), &setup.cluster.topics)),
        ..ClientDescription::default()
    };
    let Some(ProducerSetup { config, .. }) = &client.producer else { return description };
    let timeout_ms = u64::try_from(config.transaction_timeout_ms).ok();
    let texts = config.effective().into_iter().map(|(key, text)| (key.to_owned(), text));
    ClientDescription {
        acks: config.acks,
        enable_idempotence: config.enable_idempotence,
        retries: config.retries,
        max_in_flight: config.max_in_flight_requests_per_connection,
        delivery_timeout_ms: u64::try_from(config.delivery_timeout_ms).unwrap_or(0),
        config: texts.collect(),
        transactional_id: config.transactional_id.clone(),
        transaction_timeout_ms: timeout_ms.filter(|_| config.transactional_id.is_some()),
        ..description
    }
}

/// The topics that a client writes to.
fn written(client: &ClientSetup) -> Vec<TopicId> {
    let transform = client.consumer.as_ref().and_then(|consumer| match &consumer.work {
        Work::Transform(plan) => Some(plan.to),
        _ => None,
    });
    client.threads.iter().map(|thread| thread.topic).chain(transform).collect()
}

/// The topics that a client reads.
fn read(client: &ClientSetup, topics: &Topics) -> Vec<TopicId> {
    match client.consumer.as_ref().map(|consumer| &consumer.reading) {
        Some(Reading::Topics(topics)) => topics.clone(),
        Some(Reading::Partitions(parts)) => {
            parts.iter().map(|partition| topics.split(*partition).0).collect()
        }
        None => Vec::new(),
    }
}

/// Topics by name, each once, in the order of the setup.
fn names(mut of: Vec<TopicId>, topics: &Topics) -> Vec<String> {
    of.sort_unstable();
    of.dedup();
    of.into_iter().map(|topic| topics.name(topic).to_owned()).collect()
}

fn describe_consumer(consumer: &ConsumerSetup) -> ConsumerDescription {
    let config = &consumer.config;
    let transform = match &consumer.work {
        Work::Transform(plan) => Some(plan),
        _ => None,
    };
    ConsumerDescription {
        group: config.group_id.clone(),
        isolation: config.isolation_level,
        auto_offset_reset: config.auto_offset_reset.word().to_owned(),
        enable_auto_commit: config.enable_auto_commit,
        commits: match &consumer.work {
            Work::CommitThenProcess => CommitStyle::CommitFirst,
            Work::AutoCommit => CommitStyle::Auto,
            Work::Transform(plan) if plan.offsets != OffsetsBy::CommitSync => {
                CommitStyle::Transaction
            }
            Work::Read
            | Work::ProcessThenCommit
            | Work::ProcessThenCommitAsync
            | Work::Transform(_) => CommitStyle::ProcessFirst,
        },
        sends_group_metadata: transform.is_none_or(|plan| plan.offsets != OffsetsBy::GroupName),
        rewinds_after_abort: transform.is_none_or(|plan| plan.after_abort == AfterAbort::Rewind),
        deduplicates: consumer.effect == Effect::Deduplicated,
        assigns_by_hand: matches!(consumer.reading, Reading::Partitions(_)),
        config: config.effective().into_iter().map(|(key, text)| (key.to_owned(), text)).collect(),
    }
}

impl Loaded {
    /// The same scenario with another seed, and its fix too.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = Seed::new(seed);
        self.description.seed = seed;
        if let Some(fix) = &mut self.fix {
            fix.scenario.seed = Seed::new(seed);
            fix.scenario.description.seed = seed;
        }
        self
    }
}
