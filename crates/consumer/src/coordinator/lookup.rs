//! Finding the coordinator, and giving it up. Kafka: AbstractCoordinator.ensureCoordinatorReady.

use crate::consumer::Consumer;
use crate::env::Ctx;
use crate::network::Outcome;
use crate::request::Purpose;
use crate::wait::Progress;
use inflight_protocol::fact::SendError;
use inflight_protocol::message::{FindCoordinatorRequest, Request, Response};
use inflight_protocol::transaction::CoordinatorKey;
use inflight_protocol::{BrokerId, ErrorCode};

/// A FindCoordinator request. Kafka: findCoordinatorFuture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FindCoordinator {
    /// There is none.
    None,
    /// It is on its way.
    Asked,
    /// It was answered, and nobody has looked at that.
    Answered(Result<(), Failure>),
}

/// Why a request of a coordinator failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// A RetriableException: the same again may do.
    Retriable(ErrorCode),
    /// Another exception.
    Fatal(SendError),
}

impl Failure {
    /// The exception of an error code.
    pub(crate) const fn of(error: ErrorCode) -> Self {
        if error.is_retriable() {
            Self::Retriable(error)
        } else {
            Self::Fatal(SendError::Code(error))
        }
    }

    /// DisconnectException or TimeoutException, both retriable.
    pub(crate) const fn of_transport(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::NotSent => Self::Retriable(ErrorCode::RequestTimedOut),
            Outcome::Disconnected | Outcome::Response(_) => {
                Self::Retriable(ErrorCode::NetworkException)
            }
        }
    }

    /// What an application is told.
    pub(crate) const fn error(self) -> SendError {
        match self {
            Self::Retriable(error) => SendError::Code(error),
            Self::Fatal(error) => error,
        }
    }
}

/// How far ensureCoordinatorReady() is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lookup {
    attempts: u32,
    stage: LookupStage,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum LookupStage {
    #[default]
    Start,
    Asking,
    /// Sleeping until then; the next thing is a metadata update, or another question.
    Backoff {
        until_ms: i64,
        then_metadata: bool,
    },
    /// Waiting for metadata beyond this version.
    Metadata(u32),
}

impl Consumer {
    /// Whether a coordinator is known that can be reached. Kafka: checkAndGetCoordinator.
    pub(crate) fn coordinator_node(&mut self, ctx: &Ctx<'_, '_>) -> Option<BrokerId> {
        let node = self.coordinator.as_ref()?.node?;
        if self.network.is_unavailable(self.network.coordinator(node), ctx.now_ms) {
            self.forget_coordinator();
            return None;
        }
        Some(node)
    }

    /// The connection to the coordinator is lost. Kafka: markCoordinatorUnknown(true, ...).
    pub(crate) fn forget_coordinator(&mut self) {
        if let Some(coordinator) = &mut self.coordinator {
            coordinator.node = None;
        }
    }

    /// A broker is not the coordinator, or does not answer: whatever it was asked is given up.
    /// Kafka: markCoordinatorUnknown(false, ...).
    pub(crate) fn drop_coordinator(&mut self) {
        let Some(node) = self.coordinator.as_mut().and_then(|known| known.node.take()) else {
            return;
        };
        self.network.disconnect_soon(self.network.coordinator(node));
    }

    /// Asks for the coordinator unless that was done. Returns what has come of it so far: with nobody
    /// to ask there is nothing that the next one would wait for. Kafka: lookupCoordinator.
    pub(crate) fn look_up_coordinator(&mut self, ctx: &mut Ctx<'_, '_>) -> FindCoordinator {
        let Some(coordinator) = &mut self.coordinator else { return FindCoordinator::None };
        if coordinator.find != FindCoordinator::None {
            return coordinator.find;
        }
        let key = CoordinatorKey::Group(coordinator.group);
        let Some(peer) = self.network.least_loaded_node(ctx, &self.metadata) else {
            let nobody = Failure::Retriable(ErrorCode::BrokerNotAvailable);
            return FindCoordinator::Answered(Err(nobody));
        };
        coordinator.find = FindCoordinator::Asked;
        let request = Request::FindCoordinator(FindCoordinatorRequest { key });
        let timeout_ms = ctx.env.config.request_timeout_ms;
        self.network.send(ctx, peer, request, Purpose::FindCoordinator, timeout_ms);
        FindCoordinator::Asked
    }

    /// Kafka: FindCoordinatorResponseHandler.
    pub(crate) fn coordinator_found(&mut self, ctx: &mut Ctx<'_, '_>, outcome: Outcome) {
        let found = match outcome {
            Outcome::Response(Response::FindCoordinator(response)) => {
                response.coordinator.map_err(Failure::of)
            }
            other => Err(Failure::of_transport(&other)),
        };
        let Some(coordinator) = &mut self.coordinator else { return };
        if let Ok(node) = found {
            coordinator.node = Some(node);
            coordinator.heartbeat.reset_session_timeout(ctx);
            let peer = self.network.coordinator(node);
            self.network.try_connect(ctx, peer);
        }
        if coordinator.find == FindCoordinator::Asked {
            coordinator.find = FindCoordinator::Answered(found.map(|_| ()));
        }
        self.run_pending_commits(ctx, found.err());
    }

    /// Waits until a coordinator is known, or until `deadline_ms`.
    /// Kafka: ensureCoordinatorReady(timer).
    pub(crate) fn ensure_coordinator(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        deadline_ms: i64,
    ) -> Progress<bool> {
        loop {
            let was_known = self.coordinator.as_ref().is_some_and(|known| known.node.is_some());
            if self.coordinator_node(ctx).is_some() {
                self.end_lookup();
                return Progress::Done(true);
            }
            let Some(coordinator) = &mut self.coordinator else { return Progress::Done(false) };
            let Lookup { attempts, stage } = coordinator.lookup;
            let is_late = ctx.now_ms >= deadline_ms;
            match stage {
                LookupStage::Start => {
                    coordinator.lookup.stage = LookupStage::Asking;
                    let find = self.look_up_coordinator(ctx);
                    if find == FindCoordinator::Asked && !is_late {
                        return Progress::Polling(deadline_ms);
                    }
                    self.poll_network(ctx);
                    if let (FindCoordinator::Answered(Err(_)), Some(coordinator)) =
                        (find, &mut self.coordinator)
                    {
                        coordinator.find = find;
                    }
                }
                LookupStage::Asking => match coordinator.find {
                    FindCoordinator::Answered(result) => {
                        coordinator.find = FindCoordinator::None;
                        if let Err(Failure::Fatal(error)) = result {
                            self.set_lookup(Lookup::default());
                            return Progress::Failed(error);
                        }
                        if result.is_ok() && !was_known {
                            // An answer from before the coordinator was lost.
                            self.set_lookup(Lookup { attempts, stage: LookupStage::Start });
                            if is_late {
                                self.set_lookup(Lookup::default());
                                return Progress::Done(false);
                            }
                            continue;
                        }
                        let stream = ctx.streams.coordinator_backoff;
                        let wait_ms = coordinator.backoff.draw(attempts, ctx.turn.chance(), stream);
                        let until_ms = ctx.now_ms.saturating_add(wait_ms).min(deadline_ms);
                        let then_metadata = result.is_err();
                        let stage = LookupStage::Backoff { until_ms, then_metadata };
                        self.set_lookup(Lookup { attempts: attempts + 1, stage });
                    }
                    FindCoordinator::None | FindCoordinator::Asked if is_late => {
                        self.set_lookup(Lookup::default());
                        return Progress::Done(false);
                    }
                    // The heartbeat thread may have given up the question.
                    FindCoordinator::None => coordinator.lookup.stage = LookupStage::Start,
                    FindCoordinator::Asked => return Progress::Polling(deadline_ms),
                },
                LookupStage::Backoff { until_ms, .. } if ctx.now_ms < until_ms => {
                    return Progress::Sleeping(until_ms);
                }
                LookupStage::Backoff { then_metadata: true, .. } => {
                    let version = self.metadata.request_update();
                    self.set_lookup(Lookup { attempts, stage: LookupStage::Metadata(version) });
                    if !is_late {
                        return Progress::Polling(deadline_ms);
                    }
                    self.poll_network(ctx);
                }
                LookupStage::Metadata(version)
                    if self.metadata.update_version() == version && !is_late =>
                {
                    return Progress::Polling(deadline_ms);
                }
                LookupStage::Backoff { .. } | LookupStage::Metadata(_) if is_late => {
                    self.set_lookup(Lookup::default());
                    return Progress::Done(false);
                }
                LookupStage::Backoff { .. } | LookupStage::Metadata(_) => {
                    self.set_lookup(Lookup { attempts, stage: LookupStage::Start });
                }
            }
        }
    }

    /// A coordinator is known. Whoever has waited for the answer looks at it.
    fn end_lookup(&mut self) {
        let Some(coordinator) = &mut self.coordinator else { return };
        let Lookup { stage, .. } = std::mem::take(&mut coordinator.lookup);
        if stage == LookupStage::Asking && coordinator.find != FindCoordinator::Asked {
            coordinator.find = FindCoordinator::None;
        }
    }

    fn set_lookup(&mut self, lookup: Lookup) {
        if let Some(coordinator) = &mut self.coordinator {
            coordinator.lookup = lookup;
        }
    }
}
