//! Notes whether connections to a peer come about, so that people see who can be reached. A
//! connection that is kept open is one contact, however many requests it carries.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use model::{PeerId, Timestamp};
use ports::Clock;
use tower::{Layer, Service};

/// When a peer was last heard of; kept in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contact {
    /// When.
    pub at: Timestamp,
    /// True when it answered or called, false when it could not be reached.
    pub ok: bool,
}

/// What is known of all peers; it never holds more than there are peers.
pub(crate) struct Contacts {
    clock: Arc<dyn Clock>,
    last: Mutex<HashMap<PeerId, Contact>>,
}

impl Contacts {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, last: Mutex::default() }
    }

    pub(crate) fn note(&self, peer: PeerId, ok: bool) {
        let contact = Contact { at: self.clock.now(), ok };
        self.last.lock().unwrap_or_else(PoisonError::into_inner).insert(peer, contact);
    }

    pub(crate) fn last(&self, peer: PeerId) -> Option<Contact> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).get(&peer).copied()
    }
}

/// Wraps the connector of a peer's client.
#[derive(Clone)]
pub(crate) struct NoteContacts {
    pub(crate) contacts: Arc<Contacts>,
    pub(crate) peer: PeerId,
}

impl<S> Layer<S> for NoteContacts {
    type Service = Noting<S>;
    fn layer(&self, inner: S) -> Noting<S> {
        Noting { inner, notes: self.clone() }
    }
}

/// A connector that notes how it went.
#[derive(Clone)]
pub(crate) struct Noting<S> {
    inner: S,
    notes: NoteContacts,
}

impl<S, R> Service<R> for Noting<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let connecting = self.inner.call(request);
        let notes = self.notes.clone();
        Box::pin(async move {
            let outcome = connecting.await;
            notes.contacts.note(notes.peer, outcome.is_ok());
            outcome
        })
    }
}
