//! Rules that apply, and what they do.

use super::{Event, Later, World};
use crate::fault::{Action, FaultRule, InjectWhen, Realised, Ways, When, Who};
use crate::trigger::Due;
use inflight_des::{Agenda, Span};
use inflight_protocol::fact::Value;
use inflight_protocol::{ApiKey, BrokerId, Fact, FactKind, Node};
use inflight_trace::Observer;
use smallvec::SmallVec;

/// The broker or client that a fact is about: the first of its fields that names one.
pub(super) fn subject_of(fact: &Fact) -> Option<Node> {
    let mut subject = None;
    fact.for_each_field(|name, value| {
        let node = match (name, value) {
            ("broker" | "leader", Value::Number(number)) => {
                u8::try_from(number).ok().filter(|n| *n > 0).map(|n| Node::Broker(BrokerId::new(n)))
            }
            ("client", Value::Client(client)) => Some(Node::Client(client)),
            ("from" | "at", Value::Node(node)) => Some(node),
            _ => None,
        };
        subject = subject.or(node);
    });
    subject
}

impl<O: Observer> World<'_, O> {
    /// A rule's time has come.
    pub(super) fn rule_is_due(&mut self, agenda: &mut Agenda<'_, Event>, index: u32) {
        let rule = &self.setup.faults[index as usize];
        match &rule.when {
            When::At(_) => {
                self.faults_ahead -= 1;
                self.apply(agenda, index, 0, None);
            }
            When::Every { every, limit } => {
                // Random faults stop when the clients have nothing more to do.
                if self.threads_active == 0 || self.rule_applied[index as usize] >= *limit {
                    return;
                }
                let span = self.chance.delay(self.random_fault_stream, every);
                agenda.after(span, Event::Rule(index));
                self.apply(agenda, index, 0, None);
            }
            When::Happened { .. } | When::Odds { .. } | When::Armed { .. } => {}
        }
    }

    /// A rule's fact has happened.
    pub(super) fn rule_matched(
        &mut self,
        agenda: &mut Agenda<'_, Event>,
        Due { rule: index, matched }: Due,
        subject: Option<Node>,
    ) {
        let after = self.setup.faults[index as usize].after;
        if after == Span::ZERO {
            self.apply(agenda, index, matched, subject);
        } else {
            self.put_off(agenda, after, Later::Apply { rule: index, matched, subject });
        }
    }

    /// Schedules something that is certain to take place.
    pub(super) fn put_off(&mut self, agenda: &mut Agenda<'_, Event>, span: Span, later: Later) {
        self.faults_ahead += 1;
        let slot = self.laters.insert(Some(later));
        agenda.after(span, Event::Later(slot));
    }

    pub(super) fn later_is_due(&mut self, agenda: &mut Agenda<'_, Event>, slot: u32) {
        self.faults_ahead -= 1;
        match self.laters.take(slot) {
            None => {}
            Some(Later::Apply { rule, matched, subject }) => {
                self.apply(agenda, rule, matched, subject);
            }
            Some(Later::Restart(node)) => {
                // A controlled shutdown may take longer than the break that was planned.
                if self.state(node).is_up() && self.state(node).is_stopping {
                    self.put_off(agenda, Span::from_millis(100), Later::Restart(node));
                } else {
                    self.restart(agenda, node);
                }
            }
            Some(Later::Resume(node, life)) => self.resume(agenda, node, life),
            Some(Later::Heal(from, to)) => self.heal(agenda, from, to),
            Some(Later::Unslow(from, to)) => self.slow_link(agenda, (from, to), Span::ZERO),
            Some(Later::Undisk(broker)) => self.slow_disk(agenda, broker, Span::ZERO),
        }
    }

    /// A rule takes effect, because of the fact with this number among those that it counts.
    fn apply(
        &mut self,
        agenda: &mut Agenda<'_, Event>,
        index: u32,
        matched: u32,
        subject: Option<Node>,
    ) {
        let setup = self.setup;
        let FaultRule { then, .. } = &setup.faults[index as usize];
        let position = self.realised.len();
        self.rule_applied[index as usize] += 1;
        self.realised.push(Realised { rule: index, at: agenda.now(), matched, drawn: None });
        self.did(agenda, FactKind::FaultInjected, || Fact::FaultInjected { fault: index });
        for action in then {
            self.act(agenda, action, subject, position);
        }
    }

    /// The node that a rule means.
    fn resolve(&mut self, who: Who, subject: Option<Node>, realised: usize) -> Option<Node> {
        match who {
            Who::Broker(broker) => Some(Node::Broker(broker)),
            Who::Client(client) => Some(Node::Client(client)),
            Who::Controller => Some(Node::Controller),
            Who::LeaderOf(partition) => {
                self.controller.partition(partition).leader.map(Node::Broker)
            }
            Who::FollowerOf(partition, nth) => {
                let leader = self.controller.partition(partition).leader;
                let replicas = self.setup.cluster.replicas(partition).iter();
                replicas
                    .filter(|broker| Some(**broker) != leader)
                    .nth(usize::from(nth))
                    .map(|broker| Node::Broker(*broker))
            }
            Who::Subject => subject,
            Who::AnyBroker => {
                let up: SmallVec<[BrokerId; 8]> = (self.setup.cluster.broker_ids())
                    .filter(|broker| self.state(Node::Broker(*broker)).is_up())
                    .collect();
                if up.is_empty() {
                    return None;
                }
                let drawn = self.chance.pick(self.random_fault_stream, up.len() as u64);
                let broker = up[drawn as usize];
                self.realised[realised].drawn = Some(broker);
                Some(Node::Broker(broker))
            }
        }
    }

    fn act(
        &mut self,
        agenda: &mut Agenda<'_, Event>,
        action: &Action,
        subject: Option<Node>,
        realised: usize,
    ) {
        match action {
            Action::Crash { who, surviving, restart_after } => {
                let Some(node) = self.resolve(*who, subject, realised) else { return };
                self.crash(agenda, node, *surviving);
                if let Some(span) = restart_after {
                    self.put_off(agenda, *span, Later::Restart(node));
                }
            }
            Action::ShutDown { who, restart_after } => {
                let Some(node) = self.resolve(*who, subject, realised) else { return };
                if let Node::Broker(broker) = node {
                    self.shut_down(agenda, broker);
                }
                if let Some(span) = restart_after {
                    self.put_off(agenda, *span, Later::Restart(node));
                }
            }
            Action::Restart { who } => {
                if let Some(node) = self.resolve(*who, subject, realised) {
                    self.restart(agenda, node);
                }
            }
            Action::Pause { who, span } => {
                if let Some(node) = self.resolve(*who, subject, realised) {
                    self.pause(agenda, node, *span);
                }
            }
            Action::Cut { from, to, ways, span } => {
                for link in self.links((*from, *to), *ways, subject, realised) {
                    self.cut(agenda, link, *span);
                }
            }
            Action::Reset { from, to } => self.reset(agenda, *from, *to, subject, realised),
            Action::Slow { from, to, ways, by, span } => {
                for link in self.links((*from, *to), *ways, subject, realised) {
                    self.slow_link(agenda, link, *by);
                    if let Some(span) = span {
                        self.put_off(agenda, *span, Later::Unslow(link.0, link.1));
                    }
                }
            }
            Action::SlowDisk { who, by, span } => {
                let Some(Node::Broker(broker)) = self.resolve(*who, subject, realised) else {
                    return;
                };
                self.slow_disk(agenda, broker, *by);
                if let Some(span) = span {
                    self.put_off(agenda, *span, Later::Undisk(broker));
                }
            }
            Action::Lose { .. } | Action::Delay { .. } | Action::Answer { .. } => {
                self.act_on_message(action);
            }
            Action::Elect { partition, leader } => {
                let wanted = match leader {
                    None => None,
                    Some(who) => match self.resolve(*who, subject, realised) {
                        Some(Node::Broker(broker)) => Some(broker),
                        _ => return,
                    },
                };
                self.with_controller(agenda, |controller, cluster, turn| {
                    controller.elect(cluster, turn, *partition, wanted);
                });
            }
            Action::Arm { rule } => {
                self.triggers.arm(&self.setup.faults, *rule);
                self.refresh_wanted();
            }
        }
    }

    /// What a rule does to the message that is being sent or delivered.
    fn act_on_message(&mut self, action: &Action) {
        match action {
            Action::Lose { how } => self.message.lost = Some(*how),
            Action::Delay { by } => self.message.delayed += *by,
            Action::Answer { error, when, partition } => {
                let Some(message) = self.message.message else { return };
                let Some(known) = self.connections.get(message.connection) else { return };
                let acceptor = known.node(inflight_net::Side::Acceptor);
                if let Node::Broker(broker) = self.node_at(acceptor) {
                    let request = (message.connection, message.correlation);
                    // Where nothing is written there is no afterwards.
                    let when = match message.api {
                        ApiKey::Fetch | ApiKey::ListOffsets | ApiKey::OffsetForLeaderEpoch => {
                            InjectWhen::BeforeAppend
                        }
                        _ => *when,
                    };
                    self.brokers[broker.index()].inject(request, *partition, *error, when);
                }
            }
            _ => {}
        }
    }

    /// The links that a rule means: from one to the other, or to or from everybody else.
    fn links(
        &mut self,
        (from, to): (Option<Who>, Option<Who>),
        ways: Ways,
        subject: Option<Node>,
        realised: usize,
    ) -> Vec<(u16, u16)> {
        let mut resolve = |who: Option<Who>| match who {
            None => Some(None),
            Some(who) => self.resolve(who, subject, realised).map(Some),
        };
        let (Some(from), Some(to)) = (resolve(from), resolve(to)) else { return Vec::new() };
        let all = 0..self.nodes.len() as u16;
        let ends = |node: Option<Node>| match node {
            Some(node) => vec![self.index_of(node)],
            None => all.clone().collect(),
        };
        let mut links = Vec::new();
        for a in ends(from) {
            for b in ends(to) {
                if a != b {
                    links.push((a, b));
                    if ways == Ways::Both {
                        links.push((b, a));
                    }
                }
            }
        }
        links.sort_unstable();
        links.dedup();
        links
    }

    fn cut(&mut self, agenda: &mut Agenda<'_, Event>, (from, to): (u16, u16), span: Option<Span>) {
        self.topology.link_mut(from, to).cut();
        let (a, b) = (self.node_at(from), self.node_at(to));
        self.did(agenda, FactKind::LinkCut, || Fact::LinkCut { from: a, to: b });
        if let Some(span) = span {
            self.put_off(agenda, span, Later::Heal(from, to));
        }
    }

    fn heal(&mut self, agenda: &mut Agenda<'_, Event>, from: u16, to: u16) {
        self.send_held(agenda, from, to);
        let (a, b) = (self.node_at(from), self.node_at(to));
        self.did(agenda, FactKind::LinkHealed, || Fact::LinkHealed { from: a, to: b });
    }

    fn slow_link(&mut self, agenda: &mut Agenda<'_, Event>, (from, to): (u16, u16), by: Span) {
        self.topology.link_mut(from, to).slow_by(by);
        let (from, to) = (self.node_at(from), self.node_at(to));
        self.did(agenda, FactKind::LinkSlowed, || Fact::LinkSlowed { from, to, by });
    }

    fn slow_disk(&mut self, agenda: &mut Agenda<'_, Event>, broker: BrokerId, by: Span) {
        self.brokers[broker.index()].set_disk_delay(by);
        self.did(agenda, FactKind::DiskSlowed, || Fact::DiskSlowed { broker, by });
    }

    /// Resets every connection between two nodes, or of a node: both ends learn of it.
    fn reset(
        &mut self,
        agenda: &mut Agenda<'_, Event>,
        from: Who,
        to: Option<Who>,
        subject: Option<Node>,
        realised: usize,
    ) {
        let Some(from) = self.resolve(from, subject, realised) else { return };
        let to = to.and_then(|who| self.resolve(who, subject, realised));
        let (from, to) = (self.index_of(from), to.map(|node| self.index_of(node)));
        for (slot, side) in self.connections.of_node(from) {
            let other = self.connections[slot].node(side.other());
            if to.is_none_or(|to| to == other) {
                self.reset_connection(agenda, slot, side);
            }
        }
    }
}
