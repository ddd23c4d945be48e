//! Application threads that go on.

use super::{Event, Later, World};
use crate::application::{Heard, NextStep, Place};
use crate::setup::{Ending, OnFatal};
use inflight_des::{Agenda, Span};
use inflight_protocol::fact::{StopCause, Surviving, TransactionCall};
use inflight_protocol::{ClientId, Node, ThreadId};
use inflight_trace::Observer;

impl<O: Observer> World<'_, O> {
    /// The process has started: its threads begin.
    pub(super) fn application_starts(&mut self, agenda: &mut Agenda<'_, Event>, client: usize) {
        self.clients[client].application.start();
        self.threads_resume(agenda, client);
    }

    /// Every thread looks what it has to do.
    pub(super) fn threads_resume(&mut self, agenda: &mut Agenda<'_, Event>, client: usize) {
        for thread in 0..self.clients[client].application.threads.len() {
            self.thread_goes_on(agenda, client, thread);
        }
        self.application_goes_on(agenda, client);
    }

    /// A burst of a thread may be due.
    pub(super) fn thread_is_due(
        &mut self,
        agenda: &mut Agenda<'_, Event>,
        client: usize,
        thread: usize,
    ) {
        let node = Node::Client(ClientId::new(client as u16));
        if self.state(node).is_paused() {
            return;
        }
        if self.clients[client].reader.is_none() {
            self.thread_goes_on(agenda, client, thread);
        }
        self.application_goes_on(agenda, client);
        self.rearm_client(agenda, client);
    }

    /// The application takes in what its producer has to say, one thing after the other; the
    /// thread that it concerns goes on, which may make the producer say more.
    pub(super) fn application_goes_on(&mut self, agenda: &mut Agenda<'_, Event>, client: usize) {
        if self.clients[client].reader.is_some() {
            self.reader_goes_on(agenda, client);
            return;
        }
        let threads = &self.setup.clients[client].threads;
        let session = self.clients[client].session;
        let mut heard = 0;
        loop {
            let own = &mut self.clients[client];
            let Some(producer) = own.producer.as_mut().filter(|_| own.session == session) else {
                return;
            };
            let Some(completion) = producer.completions().get(heard).copied() else {
                producer.completions().clear();
                return;
            };
            heard += 1;
            match own.application.hear(threads, completion) {
                Heard::Thread(thread) => self.thread_goes_on(agenda, client, thread),
                Heard::End => self.threads_active -= own.application.done(),
            }
        }
    }

    /// A thread that is free takes one step.
    fn thread_goes_on(&mut self, agenda: &mut Agenda<'_, Event>, client: usize, index: usize) {
        let setup = &self.setup.clients[client].threads[index];
        let own = &mut self.clients[client];
        if own.application.threads[index].place != Place::Free || own.producer.is_none() {
            return;
        }
        match own.application.next_step(index, setup, agenda.now(), &mut self.chance) {
            NextStep::Send(request) => {
                self.call_producer(agenda, client, |producer, env, turn| {
                    producer.send(env, turn, request);
                });
            }
            NextStep::WaitUntil(at) => {
                agenda.at(at, Event::Thread { client: client as u16, thread: index as u16 });
            }
            NextStep::Call(call) => self.transactional_call(agenda, client, index, call),
            NextStep::Listen => {}
            NextStep::Finish => {
                own.application.threads[index].place = Place::Finished;
                if own.application.is_fatal()
                    && self.setup.clients[client].on_fatal == OnFatal::Restart
                {
                    self.begin_again(agenda, client);
                } else if own.application.all_finished() {
                    self.end_client(agenda, client, index);
                }
            }
        }
    }

    /// A thread makes a transactional call. [`Completion::Transaction`] says what came of it.
    ///
    /// [`Completion::Transaction`]: inflight_producer::Completion::Transaction
    fn transactional_call(
        &mut self,
        agenda: &mut Agenda<'_, Event>,
        client: usize,
        index: usize,
        call: TransactionCall,
    ) {
        let thread = ThreadId::new(index as u16);
        self.call_producer(agenda, client, |producer, env, turn| match call {
            TransactionCall::Init => producer.init_transactions(env, turn, thread),
            TransactionCall::Begin => producer.begin_transaction(env, turn, thread),
            TransactionCall::Commit => producer.commit_transaction(env, turn, thread),
            TransactionCall::Abort => producer.abort_transaction(env, turn, thread),
            TransactionCall::Send | TransactionCall::SendOffsets => {
                unreachable!("a thread without a consumer calls these otherwise or not at all")
            }
        });
    }

    /// A process that cannot use its producer any more ends and is started again.
    pub(super) fn begin_again(&mut self, agenda: &mut Agenda<'_, Event>, client: usize) {
        self.client_ends(agenda, client, StopCause::Exited, Surviving::Appended);
        let node = Node::Client(ClientId::new(client as u16));
        self.put_off(agenda, Span::ZERO, Later::Restart(node));
    }

    /// The last thread of a client has finished: what it does then, all do.
    fn end_client(&mut self, agenda: &mut Agenda<'_, Event>, client: usize, index: usize) {
        let thread = ThreadId::new(index as u16);
        let ending = self.setup.clients[client].threads[index].ending;
        let application = &mut self.clients[client].application;
        match ending {
            Ending::Close | Ending::CloseWithin(_) => {
                application.threads[index].place = Place::InClose;
                let timeout_ms = match ending {
                    Ending::CloseWithin(span) => span.as_millis() as i64,
                    _ => i64::MAX,
                };
                self.call_producer(agenda, client, |producer, env, turn| {
                    producer.close(env, turn, thread, timeout_ms);
                });
            }
            Ending::Flush => {
                application.threads[index].place = Place::InFlush;
                self.call_producer(agenda, client, |producer, env, turn| {
                    producer.flush(env, turn, thread);
                });
            }
            Ending::Exit => {
                self.client_ends(agenda, client, StopCause::Exited, Surviving::Appended);
            }
            Ending::Stay => self.threads_active -= application.done(),
        }
    }
}
