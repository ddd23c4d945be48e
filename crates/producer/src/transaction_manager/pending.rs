//! The requests that wait for their turn. Kafka: TransactionManager.pendingRequests, a
//! java.util.PriorityQueue.

use super::request::TxnRequest;

/// A binary heap with the steps of java.util.PriorityQueue: among requests of equal priority the
/// order is the heap's, and not that in which they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct PriorityQueue {
    heap: Vec<TxnRequest>,
}

impl PriorityQueue {
    pub(super) fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    pub(super) fn peek(&self) -> Option<&TxnRequest> {
        self.heap.first()
    }

    /// In the order of the array, as Java's forEach.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut TxnRequest> {
        self.heap.iter_mut()
    }

    /// Java: PriorityQueue.offer, siftUp.
    pub(super) fn offer(&mut self, request: TxnRequest) {
        let priority = request.priority();
        self.heap.push(request);
        let mut place = self.heap.len() - 1;
        while place > 0 {
            let parent = (place - 1) / 2;
            if priority >= self.heap[parent].priority() {
                break;
            }
            self.heap.swap(place, parent);
            place = parent;
        }
    }

    /// Java: PriorityQueue.poll, siftDown.
    pub(super) fn poll(&mut self) -> Option<TxnRequest> {
        let last = self.heap.pop()?;
        if self.heap.is_empty() {
            return Some(last);
        }
        let priority = last.priority();
        let first = std::mem::replace(&mut self.heap[0], last);
        let len = self.heap.len();
        let mut place = 0;
        while place < len / 2 {
            let mut child = 2 * place + 1;
            let right = child + 1;
            if right < len && self.heap[child].priority() > self.heap[right].priority() {
                child = right;
            }
            if priority <= self.heap[child].priority() {
                break;
            }
            self.heap.swap(place, child);
            place = child;
        }
        Some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transaction_manager::request::Handler;
    use inflight_protocol::transaction::CoordinatorKey;
    use inflight_protocol::{GroupId, TransactionResult};

    /// `P` is of priority 2 with a number, `F` of 0, `E` of 3, as `name` says them again.
    fn request(kind: char, number: u16) -> TxnRequest {
        let group = GroupId::new(number);
        TxnRequest::new(
            match kind {
                'F' => Handler::FindCoordinator(CoordinatorKey::Group(group)),
                'P' => Handler::AddOffsets {
                    producer: None,
                    identity: inflight_protocol::message::GroupIdentity { group, member: None },
                    offsets: Default::default(),
                },
                _ => Handler::EndTxn {
                    producer: None,
                    result: TransactionResult::Commit,
                    version: Default::default(),
                },
            },
            None,
        )
    }

    fn name(request: &TxnRequest) -> String {
        match &request.handler {
            Handler::FindCoordinator(CoordinatorKey::Group(group)) => format!("F{group}"),
            Handler::AddOffsets { identity, .. } => format!("P{}", identity.group),
            _ => "E0".to_owned(),
        }
    }

    fn drained(queue: &mut PriorityQueue) -> String {
        let names: Vec<String> =
            std::iter::from_fn(|| queue.poll()).map(|request| name(&request)).collect();
        names.join(" ")
    }

    #[test]
    fn the_smallest_priority_comes_first() {
        let mut queue = PriorityQueue::default();
        for kind in ['E', 'P', 'F', 'P', 'E', 'F'] {
            queue.offer(request(kind, 0));
        }
        assert_eq!(drained(&mut queue), "F0 F0 P0 P0 E0 E0");
    }

    /// What java.util.PriorityQueue of JDK 17 gives back for these, added in this order.
    #[test]
    fn ties_come_in_the_order_of_javas_heap() {
        let mut queue = PriorityQueue::default();
        (0..6).for_each(|number| queue.offer(request('P', number)));
        assert_eq!(drained(&mut queue), "P0 P5 P4 P3 P2 P1");
        let mut queue = PriorityQueue::default();
        for (kind, number) in
            [('P', 0), ('P', 1), ('E', 0), ('P', 2), ('F', 0), ('P', 3), ('F', 1), ('P', 4)]
        {
            queue.offer(request(kind, number));
        }
        assert_eq!(drained(&mut queue), "F0 F1 P3 P0 P1 P2 P4 E0");
    }
}
