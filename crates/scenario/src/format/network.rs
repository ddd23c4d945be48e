//! The network.

use super::who::Named;
use crate::form::Form;
use crate::quantity::Rate;
use inflight_des::{Delay, Ratio, Span};
use inflight_net::{LinkSettings, LossMode, NetworkSettings};
use inflight_protocol::Node as Process;
use inflight_sim::fault::Ways;

object! {
    /// What carries messages.
    struct Network {
        /// The time that a message takes from one node to another.
        "latency" latency: default Delay = "\"250us\"",
        /// The bandwidth of each link. Without it bytes take no time.
        "bandwidth" bandwidth: optional Rate,
        /// The odds that a packet is lost.
        "loss" loss: default Ratio = "\"0%\"",
        /// After how long a lost packet is sent again, the first time; it doubles.
        "retransmission-timeout" retransmission_timeout: default Span = "\"200ms\"",
        /// What becomes of packets that are lost, and of all packets while a link is cut.
        "mode" mode: default LossMode = "\"tcp\"",
        /// Links that are different.
        "links" links: default Vec<SpecialLink> = "[]",
    }
}

object! {
    /// Links that are different from the others.
    struct SpecialLink {
        /// One side. Without it everybody else.
        "from" from: optional Named,
        /// The other side. Without it everybody else.
        "to" to: optional Named,
        /// Whether it is about one direction or both.
        "ways" ways: default Ways = "\"both\"",
        /// The time that a message takes.
        "latency" latency: optional Delay,
        /// The bandwidth.
        "bandwidth" bandwidth: optional Rate,
        /// The odds that a packet is lost.
        "loss" loss: optional Ratio,
        /// After how long a lost packet is sent again, the first time.
        "retransmission-timeout" retransmission_timeout: optional Span,
    }
}

words! {
    /// What becomes of lost packets.
    "mode" for LossMode {
        /// They are sent again, as TCP does: loss is delay, and a cut holds messages back.
        "tcp" => LossMode::Retransmit,
        /// They are gone. No TCP does this; it makes for clear diagrams.
        "drop" => LossMode::Drop,
    }
}

words! {
    /// In one direction or both.
    "direction" for Ways {
        /// From the one to the other.
        "one" => Ways::One,
        /// Both.
        "both" => Ways::Both,
    }
}

/// The nodes of a run by number: the controller, the brokers, the clients.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nodes {
    pub(crate) brokers: u16,
    pub(crate) clients: u16,
}

impl Nodes {
    const fn number(self, process: Process) -> u16 {
        match process {
            Process::Controller => 0,
            Process::Broker(broker) => broker.get() as u16,
            Process::Client(client) => 1 + self.brokers + client.get(),
        }
    }

    fn ends(self, named: Option<Named>) -> Vec<u16> {
        match named {
            Some(Named(process)) => vec![self.number(process)],
            None => (0..=self.brokers + self.clients).collect(),
        }
    }
}

impl Network {
    /// All links between these nodes.
    pub(crate) fn complete(&self, nodes: Nodes) -> NetworkSettings {
        let links = LinkSettings {
            delay: self.latency.clone(),
            bandwidth: self.bandwidth.map(|rate| rate.0),
            loss: self.loss,
            retransmission_timeout: self.retransmission_timeout,
        };
        let mut special: Vec<(u16, u16, LinkSettings)> = Vec::new();
        for link in &self.links {
            for from in nodes.ends(link.from) {
                for to in nodes.ends(link.to).into_iter().filter(|to| *to != from) {
                    let back = (link.ways == Ways::Both).then_some((to, from));
                    for (a, b) in [(from, to)].into_iter().chain(back) {
                        let known = special.iter().rfind(|(x, y, _)| (*x, *y) == (a, b));
                        let base = known.map_or(&links, |(_, _, settings)| settings);
                        let settings = link.over(base);
                        special.retain(|(x, y, _)| (*x, *y) != (a, b));
                        special.push((a, b, settings));
                    }
                }
            }
        }
        NetworkSettings { mode: self.mode, links, special }
    }

    /// The network of a scenario that says nothing about it.
    pub(crate) fn common(reader: &mut crate::read::Reader<'_>) -> Option<Self> {
        let place = crate::source::Place::default();
        Self::read(&crate::document::Node::object(place, Vec::new()), reader)
    }
}

impl SpecialLink {
    fn over(&self, base: &LinkSettings) -> LinkSettings {
        let timeout = self.retransmission_timeout.unwrap_or(base.retransmission_timeout);
        LinkSettings {
            delay: self.latency.as_ref().unwrap_or(&base.delay).clone(),
            bandwidth: self.bandwidth.map(|rate| rate.0).or(base.bandwidth),
            loss: self.loss.unwrap_or(base.loss),
            retransmission_timeout: timeout,
        }
    }
}
