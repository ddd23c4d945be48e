//! A story that is told twice: by Kafka's rules, and with one of them broken.

use inflight::{
    CheckerId, Halt, Judgement, Keep, Loaded, Mechanism, Options, Played, Verdict, load_text, play,
};
use std::collections::BTreeSet;

/// A defect, a story that brings it to light, and who sees it.
pub(crate) struct Story {
    /// The rule that is broken, as scenario files name it.
    pub(crate) defect: &'static str,
    /// The brokers.
    pub(crate) brokers: u8,
    /// What else the cluster has, as in a scenario file.
    pub(crate) cluster: &'static str,
    /// The partitions of the topic `orders`, as in a scenario file; one on all brokers without it.
    pub(crate) partitions: Option<&'static str>,
    /// The list of producers, as in a scenario file.
    pub(crate) producers: &'static str,
    /// The list of faults, as in a scenario file.
    pub(crate) faults: &'static str,
    /// The list of consumers, as in a scenario file.
    pub(crate) consumers: &'static str,
    /// The gravest verdict with the defect.
    pub(crate) verdict: Verdict,
    /// The checkers that say so, and no others do.
    pub(crate) red: &'static [CheckerId],
    /// How the first of them explains it.
    pub(crate) mechanism: Mechanism,
}

impl Story {
    fn load(&self, defects: &str) -> Loaded {
        let Self { brokers, cluster, producers, faults, consumers, .. } = self;
        let usual = format!("\"replication\": {brokers}");
        let partitions = self.partitions.unwrap_or(&usual);
        let min_isr = brokers.div_ceil(2);
        let text = format!(
            r#"{{
              "title": "{}",
              "cluster": {{ "brokers": {brokers}, "defects": [{defects}], {cluster} }},
              "topics": [{{
                "name": "orders",
                {partitions},
                "config": {{ "min.insync.replicas": {min_isr} }},
              }}],
              "producers": [{producers}],
              "faults": [{faults}],
              "consumers": [{consumers}],
              // Slow enough for two requests of a producer to be on their way at a time.
              "network": {{ "latency": "5ms" }},
            }}"#,
            self.defect
        );
        let loaded = load_text(self.defect, &text, &Options::default());
        loaded.unwrap_or_else(|wrong| panic!("{wrong}"))
    }

    /// The story as Kafka would have it.
    fn honest(&self) -> Played {
        play(&self.load(""), Keep::Everything)
    }

    /// The story with the rule broken.
    pub(crate) fn planted(&self) -> (Loaded, Played) {
        let loaded = self.load(&format!("\"{}\"", self.defect));
        let played = play(&loaded, Keep::Everything);
        (loaded, played)
    }

    /// Nobody sees anything until the rule is broken, and then those see it that guard it.
    pub(crate) fn check(&self) {
        let honest = self.honest();
        assert_eq!(honest.halt, Halt::Quiescent, "{}", self.defect);
        let findings = &honest.judgement.findings;
        assert_eq!(honest.judgement.worst(), Verdict::Ok, "without the defect: {findings:?}");

        let (loaded, planted) = self.planted();
        assert_eq!(planted.halt, Halt::Quiescent, "{}", self.defect);
        let findings = &planted.judgement.findings;
        assert_eq!(planted.judgement.worst(), self.verdict, "with the defect: {findings:?}");
        let red: Vec<_> = who_says(&planted.judgement, self.verdict).into_iter().collect();
        assert_eq!(red, self.red, "with the defect: {findings:?}");

        let report = planted.explain(&loaded.description);
        let first = report.explanations.iter().find(|told| told.finding.verdict == self.verdict);
        let first = first.unwrap_or_else(|| panic!("{}: nothing is explained", self.defect));
        assert_eq!(first.mechanism, self.mechanism, "{}", first.headline);
    }
}

/// The checkers of one verdict.
pub(crate) fn who_says(judgement: &Judgement, verdict: Verdict) -> BTreeSet<CheckerId> {
    let opinions = judgement.opinions();
    opinions.filter(|(_, opinion)| opinion.verdict == verdict).map(|(id, _)| id).collect()
}
