//! Endpoints, one a file.

pub(crate) mod access_matrix;
pub(crate) mod account;
pub(crate) mod certificate_create;
pub(crate) mod certificate_list;
pub(crate) mod certificate_revoke;
pub(crate) mod enrol;
pub(crate) mod first_run;
pub(crate) mod invitation;
pub(crate) mod join;
pub(crate) mod mail;
pub(crate) mod me;
pub(crate) mod peer_list;
pub(crate) mod peer_remove;
pub(crate) mod preferences;
pub(crate) mod renewal;
pub(crate) mod sessions;
pub(crate) mod sign_in;
pub(crate) mod sign_out;
pub(crate) mod token_create;
pub(crate) mod token_list;
pub(crate) mod token_revoke;
pub(crate) mod users;
pub(crate) mod views;

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use platform::http::{Caller, CallerKind, Problem};
use serde_json::Value;

use crate::authenticate::{Encrypted, source_of};
use crate::sessions::BySession;
use crate::{Entry, Identity, PeerCertificate, Session};

/// What the listener knows about the other end.
pub(crate) struct Door {
    /// Its address, or "this machine".
    pub(crate) source: String,
    /// True when the connection is encrypted.
    pub(crate) encrypted: bool,
    /// The browser's own words.
    agent: String,
    /// By which session the request came; its digest.
    pub(crate) session: Option<String>,
    cookies: HeaderMap,
}

impl Door {
    /// How somebody comes in here.
    pub(crate) fn entry(&self, identity: &Identity) -> Entry {
        Entry {
            source: self.source.clone(),
            agent: self.agent.clone(),
            device: identity.device_shown(&self.cookies, self.encrypted).unwrap_or_default(),
            former: identity.session_secret(&self.cookies, self.encrypted),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Door {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let info = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let encrypted = parts.extensions.get::<Encrypted>().is_some()
            || parts.extensions.get::<PeerCertificate>().is_some();
        let agent = parts.headers.get(header::USER_AGENT).and_then(|it| it.to_str().ok());
        let cookies = parts.headers.get_all(header::COOKIE).iter();
        Ok(Self {
            source: source_of(info),
            encrypted,
            agent: agent.unwrap_or_default().to_owned(),
            session: parts.extensions.get::<BySession>().map(|by| by.digest.clone()),
            cookies: cookies.map(|value| (header::COOKIE, value.clone())).collect(),
        })
    }
}

/// The headers that give a browser its session.
pub(crate) fn session_headers(
    identity: &Identity,
    session: &Session,
    door: &Door,
) -> Result<HeaderMap, Problem> {
    let mut headers =
        cookie_headers(&identity.cookie(&session.secret, session.lifetime_s, door.encrypted))?;
    let device = identity.device_cookie(&session.device, door.encrypted);
    headers.append(header::SET_COOKIE, HeaderValue::from_str(&device).map_err(Problem::internal)?);
    Ok(headers)
}

pub(crate) fn cookie_headers(cookie: &str) -> Result<HeaderMap, Problem> {
    let value = HeaderValue::from_str(cookie).map_err(Problem::internal)?;
    Ok(HeaderMap::from_iter([
        (header::SET_COOKIE, value),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ]))
}

/// May this caller do this?
pub(crate) fn may(identity: &Identity, caller: &Caller, permission: &str) -> bool {
    let none = std::collections::BTreeMap::<String, Value>::new();
    let question = caller.question(permission, "Endpoint", permission, none);
    permission == "public" || identity.authorizer().decide(&question).allowed
}

/// A caller that has nothing but this role.
pub(crate) fn in_role(role: &str) -> Caller {
    let kind = if role == "peer" {
        let nobody = uuid_zero();
        CallerKind::Peer { peer: nobody.0, node: nobody.1 }
    } else {
        CallerKind::User
    };
    Caller {
        kind,
        id: role.into(),
        name: role.into(),
        roles: vec![role.into()],
        ..Caller::anonymous()
    }
}

fn uuid_zero() -> (model::PeerId, model::NodeId) {
    use model::id::TypedId;
    let at = model::Timestamp::from_micros(0);
    (TypedId::mint(at, [0; 10]), TypedId::mint(at, [0; 10]))
}
