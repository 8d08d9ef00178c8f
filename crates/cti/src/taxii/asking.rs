//! Who reads a collection, and how far: what a request to a list carries.

use std::convert::Infallible;

use ::intel::Sight;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use platform::http::{Caller, Gate};

/// A caller with its sight.
#[derive(Clone, Debug)]
pub(crate) struct Asking {
    pub(super) caller: Caller,
    pub(super) sight: Sight,
}

impl Asking {
    /// People of the house and their tokens read as far as their role reads intelligence. A right of one's own is not
    /// bound by a role: that of a grant, of a TAXII client, and of another organisation, whose objects are judged one by one.
    fn of(caller: Caller, gate: Option<&Gate>) -> Self {
        let own_right = caller.outside.is_some()
            || !caller.grants.is_empty()
            || caller.roles.iter().all(|role| role == "taxii");
        let sight = match gate {
            _ if own_right => Sight::ALL,
            Some(gate) => Sight::of(gate, &caller),
            None => Sight::NOTHING,
        };
        Self { caller, sight }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Asking {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let caller = match Caller::from_request_parts(parts, state).await {
            Ok(caller) => caller,
            Err(_) => Caller::anonymous(),
        };
        Ok(Self::of(caller, parts.extensions.get::<Gate>()))
    }
}
