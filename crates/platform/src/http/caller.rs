//! Who calls. The authenticating layer (room `identity`) puts a [`Caller`] into every request.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use model::{NodeId, PeerId, Tlp};
use ports::disclosure::Recipient;
use ports::{AccessQuestion, Authorizer};
use serde_json::{Value, json};

use super::Problem;
use crate::db::Hidden;

/// How the caller proved who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallerKind {
    /// Nobody yet.
    Anonymous,
    /// A person with a session.
    User,
    /// An API token.
    Token,
    /// Another node, by its certificate.
    Peer {
        /// Our id for it.
        peer: PeerId,
        /// Its node id.
        node: NodeId,
    },
    /// The owner of the data folder, through the admin socket.
    LocalAdmin,
}

/// Who calls, with which roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// How it proved that.
    pub kind: CallerKind,
    /// User id, token id, peer id, or `anonymous`.
    pub id: String,
    /// The name for logs and timelines.
    pub name: String,
    /// Roles: `administrator`, `analyst`, `operator`, `assessor`, `read-only`, `peer`.
    pub roles: Vec<String>,
    /// Rights of a token on single things, e.g. TAXII collections: `ID:read`, `ID:write`.
    pub grants: Vec<String>,
    /// The other organisation that it stands for: what it reads is judged for that one. `None`: it is of the house.
    pub outside: Option<Recipient>,
}

impl Caller {
    /// Nobody.
    pub fn anonymous() -> Self {
        Self {
            kind: CallerKind::Anonymous,
            id: "anonymous".into(),
            name: "anonymous".into(),
            roles: vec![],
            grants: vec![],
            outside: None,
        }
    }

    /// The owner of the data folder.
    pub fn local_admin() -> Self {
        Self {
            kind: CallerKind::LocalAdmin,
            id: "local".into(),
            name: "local administrator".into(),
            roles: vec!["administrator".into()],
            grants: vec![],
            outside: None,
        }
    }

    /// True when nobody proved anything.
    pub fn is_anonymous(&self) -> bool {
        self.kind == CallerKind::Anonymous
    }

    /// The question whether this caller may do `action` to a thing.
    pub fn question(
        &self,
        action: &str,
        resource_kind: &str,
        resource: &str,
        resource_attributes: BTreeMap<String, Value>,
    ) -> AccessQuestion {
        let principal_kind = match self.kind {
            CallerKind::Anonymous => "Anonymous",
            CallerKind::Peer { .. } => "Peer",
            _ => "User",
        };
        AccessQuestion {
            principal_kind: principal_kind.into(),
            principal: self.id.clone(),
            principal_attributes: BTreeMap::from([("roles".to_owned(), json!(self.roles))]),
            action: action.into(),
            resource_kind: resource_kind.into(),
            resource: resource.into(),
            resource_attributes,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_else(Self::anonymous))
    }
}

/// The labels beyond the caller's sight ([`Gate::labels_beyond`]); all of them where nobody can be asked.
#[derive(Clone, Debug)]
pub struct Beyond(pub Vec<Tlp>);

impl Beyond {
    /// Whether something bound by this label is beyond sight.
    #[must_use]
    pub fn hides(&self, bound: Option<Tlp>) -> bool {
        bound.is_some_and(|tlp| self.0.contains(&tlp))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Beyond {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, state).await?;
        let gate = parts.extensions.get::<Gate>();
        Ok(Self(gate.map_or_else(|| Tlp::ALL.into(), |gate| gate.labels_beyond(&caller))))
    }
}

/// The authorizer, carried by every request as an extension.
#[derive(Clone)]
pub struct Gate(pub Arc<dyn Authorizer>);

impl Gate {
    /// The facts this caller may not read: of rooms where the policies do not allow `facts.ROOM`, and what repeats words
    /// of others under a label beyond its sight.
    pub fn hidden_facts(&self, caller: &Caller) -> Hidden {
        let allowed = |room: &&'static str| {
            let action = format!("facts.{room}");
            self.0.decide(&caller.question(&action, "Endpoint", "facts", BTreeMap::new())).allowed
        };
        let rooms = model::event::GUARDED_ROOMS.into_iter().filter(|room| !allowed(room)).collect();
        Hidden { rooms, labels: self.labels_beyond(caller) }
    }

    /// The labels beyond a caller's sight. Asked is the action `see` on things of kind `Intel` from the freest label on;
    /// the first "no" ends it.
    pub fn labels_beyond(&self, caller: &Caller) -> Vec<Tlp> {
        let sees = |tlp: &Tlp| {
            let attributes = BTreeMap::from([("tlp".to_owned(), json!(tlp.label()))]);
            self.0.decide(&caller.question("see", "Intel", tlp.label(), attributes)).allowed
        };
        Tlp::ALL.into_iter().skip_while(sees).collect()
    }

    /// Lets the caller pass or says why not: 401 when signing in would help, 403 otherwise.
    ///
    /// # Errors
    /// The decision was "no"; the problem carries the policy's reason.
    pub fn check(&self, caller: &Caller, action: &str, resource: &str) -> Result<(), Problem> {
        let decision =
            self.0.decide(&caller.question(action, "Endpoint", resource, BTreeMap::new()));
        if decision.allowed {
            return Ok(());
        }
        if caller.is_anonymous() {
            return Err(Problem::new(
                StatusCode::UNAUTHORIZED,
                "sign-in",
                "You are not signed in.",
            )
            .remedy("Sign in, or send `Authorization: Bearer TOKEN` (`sereno token new`)."));
        }
        Err(Problem::new(
            StatusCode::FORBIDDEN,
            "forbidden",
            format!("{} may not do this ({action}): {}", caller.name, decision.reason),
        )
        .remedy("Ask an administrator for a role that includes it."))
    }
}
