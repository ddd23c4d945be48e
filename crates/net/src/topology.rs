//! All links between all nodes.

use crate::link::{Link, LinkSettings, LossMode, Outbound, Transit};
use inflight_des::Chance;

/// The links as a matrix, with their settings.
#[derive(Debug)]
pub struct Topology<P> {
    nodes: u16,
    links: Vec<Link>,
    /// Parcels that wait for a link to be healed, in the order in which they were sent.
    held: Vec<Held<P>>,
}

#[derive(Clone, Copy, Debug)]
struct Held<P> {
    from: u16,
    to: u16,
    parcel: P,
}

impl<P: Copy> Clone for Topology<P> {
    fn clone(&self) -> Self {
        Self { nodes: self.nodes, links: self.links.clone(), held: self.held.clone() }
    }

    fn clone_from(&mut self, source: &Self) {
        self.nodes = source.nodes;
        self.links.clone_from(&source.links);
        self.held.clone_from(&source.held);
    }
}

/// The settings of a whole network.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkSettings {
    /// What becomes of lost packets.
    pub mode: LossMode,
    /// The settings that links have unless they have their own.
    pub links: LinkSettings,
    /// Links with settings of their own: sender, receiver.
    pub special: Vec<(u16, u16, LinkSettings)>,
}

impl Default for NetworkSettings {
    fn default() -> Self {
        Self { mode: LossMode::Retransmit, links: LinkSettings::default(), special: Vec::new() }
    }
}

impl NetworkSettings {
    /// The settings of a link.
    #[inline]
    pub fn link(&self, from: u16, to: u16) -> &LinkSettings {
        if self.special.is_empty() {
            return &self.links;
        }
        let own = self.special.iter().rfind(|(a, b, _)| (*a, *b) == (from, to));
        own.map_or(&self.links, |(_, _, settings)| settings)
    }

    /// Whether the size of a packet matters on any link.
    #[inline]
    pub fn is_narrow(&self) -> bool {
        self.links.bandwidth.is_some()
            || self.special.iter().any(|(_, _, settings)| settings.bandwidth.is_some())
    }
}

impl<P: Copy> Topology<P> {
    /// Links between all of these nodes. The names label their streams.
    pub fn new(names: &[String], chance: &mut Chance) -> Self {
        let mut links = Vec::with_capacity(names.len() * names.len());
        for from in names {
            for to in names {
                links.push(Link::new(&format!("{from}>{to}"), chance));
            }
        }
        Self { nodes: names.len() as u16, links, held: Vec::new() }
    }

    /// The link from one node to another.
    #[inline]
    pub fn link_mut(&mut self, from: u16, to: u16) -> &mut Link {
        &mut self.links[usize::from(from) * usize::from(self.nodes) + usize::from(to)]
    }

    /// The link from one node to another.
    #[inline]
    pub fn link(&self, from: u16, to: u16) -> &Link {
        &self.links[usize::from(from) * usize::from(self.nodes) + usize::from(to)]
    }

    /// Sends a parcel: whatever the driver knows a message by.
    #[inline]
    pub fn send(
        &mut self,
        settings: &NetworkSettings,
        chance: &mut Chance,
        (from, to): (u16, u16),
        parcel: P,
        message: Outbound,
    ) -> Transit {
        let link = self.link_mut(from, to);
        let transit = link.send(settings.link(from, to), settings.mode, chance, message);
        if transit == Transit::Held {
            self.held.push(Held { from, to, parcel });
        }
        transit
    }

    /// Heals one cut of a link. Returns the parcels that were held back if that was the last one:
    /// they are to be sent again, in this order.
    pub fn heal(&mut self, from: u16, to: u16) -> Vec<P> {
        self.link_mut(from, to).heal();
        if self.link(from, to).is_cut() {
            return Vec::new();
        }
        self.take_held(|held| (held.from, held.to) == (from, to))
    }

    /// Takes back what a node has sent and links hold back: with its power it lost what it would
    /// have sent again.
    pub fn power_lost(&mut self, from: u16) -> Vec<P> {
        self.take_held(|held| held.from == from)
    }

    fn take_held(&mut self, which: impl Fn(&Held<P>) -> bool) -> Vec<P> {
        let mut taken = Vec::new();
        self.held.retain(|held| {
            let is_taken = which(held);
            if is_taken {
                taken.push(held.parcel);
            }
            !is_taken
        });
        taken
    }

    /// Whether anything is held back anywhere.
    pub fn holds_messages(&self) -> bool {
        !self.held.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use inflight_des::{Instant, Seed, Span};

    #[test]
    fn links_are_directed() {
        let mut chance = Chance::new(Seed::new(1));
        let names = ["a", "b", "c"].map(String::from);
        let mut topology: Topology<u8> = Topology::new(&names, &mut chance);
        topology.link_mut(0, 1).cut();
        assert!(topology.link(0, 1).is_cut());
        assert!(!topology.link(1, 0).is_cut());
        assert!(!topology.link(0, 2).is_cut());
    }

    #[test]
    fn a_cut_holds_messages_until_it_is_healed() {
        let mut chance = Chance::new(Seed::new(1));
        let names = ["a", "b"].map(String::from);
        let mut topology = Topology::new(&names, &mut chance);
        let settings = NetworkSettings::default();
        let message = Outbound { bytes: 9, now: Instant::START, not_before: Instant::START };
        topology.link_mut(0, 1).cut();
        topology.link_mut(0, 1).cut();
        for number in [7, 8] {
            let transit = topology.send(&settings, &mut chance, (0, 1), number, message);
            assert_eq!(transit, Transit::Held);
        }
        assert!(topology.heal(0, 1).is_empty(), "one of two cuts is left");
        assert!(topology.holds_messages());
        assert_eq!(topology.heal(0, 1), [7, 8]);
        assert!(!topology.holds_messages());
    }

    #[test]
    fn a_machine_without_power_sends_nothing_again() {
        let mut chance = Chance::new(Seed::new(1));
        let names = ["a", "b", "c"].map(String::from);
        let mut topology = Topology::new(&names, &mut chance);
        let settings = NetworkSettings::default();
        let message = Outbound { bytes: 9, now: Instant::START, not_before: Instant::START };
        for (link, number) in [((0, 1), 7), ((1, 0), 8), ((0, 2), 9)] {
            topology.link_mut(link.0, link.1).cut();
            let transit = topology.send(&settings, &mut chance, link, number, message);
            assert_eq!(transit, Transit::Held);
        }
        assert_eq!(topology.power_lost(0), [7, 9]);
        assert!(topology.heal(0, 1).is_empty());
        assert_eq!(topology.heal(1, 0), [8]);
    }

    #[test]
    fn a_link_may_have_settings_of_its_own() {
        let slow = LinkSettings {
            delay: inflight_des::Delay::Constant(Span::from_millis(5)),
            ..LinkSettings::default()
        };
        let settings =
            NetworkSettings { special: vec![(1, 2, slow.clone())], ..NetworkSettings::default() };
        assert_eq!(settings.link(1, 2), &slow);
        assert_eq!(settings.link(2, 1), &LinkSettings::default());
    }
}
