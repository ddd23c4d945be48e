//! A coordinator without log: a shard, a clock, and what came out of it.

use super::*;

/// A shard with a clock, and what came out of it.
pub(super) struct Bench {
    pub(super) shard: GroupShard,
    pub(super) now_ms: i64,
    pub(super) out: Vec<Action>,
    pub(super) rules: Rules,
    callers: Caller,
}

impl Bench {
    pub(super) fn new() -> Self {
        let rules = Rules::of(&BrokerConfig::default());
        let shard = GroupShard::new(LeaderEpoch::new(0));
        Self { shard, now_ms: 1_000_000, out: Vec::new(), rules, callers: 0 }
    }

    pub(super) fn request(member: Option<MemberId>) -> JoinGroupRequest {
        JoinGroupRequest {
            group: GROUP,
            member,
            session_timeout_ms: 45_000,
            rebalance_timeout_ms: 300_000,
            protocol: RebalanceProtocol::Eager,
            topics: smallvec::smallvec![TopicId::new(0)],
            owned: Default::default(),
            generation: None,
        }
    }

    /// A member joins, or joins again. Returns the caller that waits.
    pub(super) fn join(&mut self, client: u16, request: &JoinGroupRequest) -> Caller {
        self.callers += 1;
        let who = (self.callers, ClientId::new(client));
        self.shard.join(request, who, (self.now_ms, self.rules), &mut self.out);
        self.callers
    }

    /// A consumer gets a name.
    pub(super) fn name(&mut self, client: u16) -> MemberId {
        let caller = self.join(client, &Self::request(None));
        let response = self.joined(caller).expect("it is answered at once");
        assert_eq!(response.error, Some(ErrorCode::MemberIdRequired));
        response.member.expect("a name comes with it")
    }

    /// What the JoinGroup of a caller was answered.
    pub(super) fn joined(&mut self, caller: Caller) -> Option<JoinGroupResponse> {
        let place = self
            .out
            .iter()
            .position(|action| matches!(action, Action::Join(of, _) if *of == caller))?;
        match self.out.remove(place) {
            Action::Join(_, response) => Some(response),
            other => unreachable!("{other:?}"),
        }
    }

    pub(super) fn synced(&mut self, caller: Caller) -> Option<SyncGroupResponse> {
        let place = self
            .out
            .iter()
            .position(|action| matches!(action, Action::Sync(of, _) if *of == caller))?;
        match self.out.remove(place) {
            Action::Sync(_, response) => Some(response),
            other => unreachable!("{other:?}"),
        }
    }

    pub(super) fn sync(
        &mut self,
        member: MemberId,
        generation: u32,
        shares: &[(MemberId, TopicPartition)],
    ) -> Caller {
        self.callers += 1;
        let shares = shares.iter().map(|(member, partition)| GroupMember {
            member: *member,
            assignment: smallvec::smallvec![*partition],
        });
        let identity = GroupIdentity { group: GROUP, member: Some((member, generation)) };
        let request = SyncGroupRequest { identity, assignments: shares.collect() };
        self.shard.sync(&request, self.callers, &mut self.out);
        self.callers
    }

    /// The generation that is to be written is committed, or is not.
    pub(super) fn commit(&mut self, error: Option<ErrorCode>) {
        let place = self
            .out
            .iter()
            .position(|action| matches!(action, Action::Write(_, AfterWrite::Assign(_))));
        let Action::Write(value, AfterWrite::Assign(generation)) =
            self.out.remove(place.expect("something is to be written"))
        else {
            unreachable!()
        };
        let shares: Vec<_> = value.members.iter().map(|m| m.assigned.clone()).collect();
        let result = error.map_or(Ok(&shares[..]), Err);
        let clock = (self.now_ms, self.rules);
        self.shard.assigned((GROUP, generation), result, clock, &mut self.out);
    }

    pub(super) fn pass(&mut self, ms: i64) {
        let until = self.now_ms + ms;
        while let Some(at) = self.shard.next_ms().filter(|at| *at <= until) {
            self.now_ms = at.max(self.now_ms);
            assert!(
                self.shard.expire((self.now_ms, self.rules), &mut self.out),
                "what is due is done"
            );
        }
        self.now_ms = until;
    }

    pub(super) fn state(&self) -> GroupState {
        self.shard.group(GROUP).expect("there is a group").state()
    }

    pub(super) fn heartbeat(&mut self, member: MemberId, generation: u32) -> Option<ErrorCode> {
        let identity = GroupIdentity { group: GROUP, member: Some((member, generation)) };
        self.shard.heartbeat(identity, self.now_ms).unwrap_or_else(Some)
    }

    pub(super) fn check(
        &mut self,
        member: Option<(MemberId, u32)>,
        in_transaction: bool,
    ) -> Result<(), ErrorCode> {
        let identity = GroupIdentity { group: GROUP, member };
        self.shard.check_commit(identity, [P0].into_iter(), in_transaction, self.now_ms)
    }

    /// A group of two in generation 1: the first leads and has partition 0, the other has 1.
    pub(super) fn stable() -> (Self, MemberId, MemberId) {
        let mut bench = Self::new();
        let (one, two) = (bench.name(0), bench.name(1));
        bench.join(0, &Self::request(Some(one)));
        bench.join(1, &Self::request(Some(two)));
        bench.pass(6_000);
        bench.sync(two, 1, &[]);
        bench.sync(one, 1, &[(one, P0), (two, P1)]);
        bench.commit(None);
        assert_eq!(bench.state(), GroupState::Stable);
        bench.out.clear();
        (bench, one, two)
    }
}
