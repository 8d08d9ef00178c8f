//! Who calls: turns what a request shows into a [`Caller`]. Certificate, then token, then cookie.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use platform::http::{Caller, Gate, Problem};

use crate::Identity;
use crate::certificates::Refusal;
use crate::device::DEVICE_DAYS;
use crate::error::IdentityError;
use crate::sessions::BySession;
use crate::users::digest;

/// The certificate the other end of a TLS connection showed, DER; the listener puts it into each
/// request after the handshake has verified it against our authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerCertificate(pub Vec<u8>);

/// Put into each request by a listener that encrypts; cookies are then marked `Secure`.
#[derive(Clone, Copy, Debug)]
pub struct Encrypted;

/// Header that only our own page sends; other sites cannot make a browser send it with the cookie.
pub const REQUEST_HEADER: &str = "x-sereno-request";
/// Beginning of the session cookie's name; the rest tells apart nodes on one host, because cookies
/// do not know ports.
pub const COOKIE_PREFIX: &str = "sereno_session";
/// The same for the cookie by which a browser is known again.
const DEVICE_PREFIX: &str = "sereno_browser";

/// What is looked at before anything is waited for (a body cannot be shared between threads).
struct Seen {
    shown: Shown,
    source: String,
    method: Method,
    path: String,
    from_our_page: bool,
    /// The browser says that another site's page asks.
    from_elsewhere: bool,
}

/// What a request shows.
enum Shown {
    Certificate(Vec<u8>),
    Token { text: String, basic: bool },
    Password { name: String, password: String },
    Unusable(&'static str),
    Cookie(String),
    Nothing,
}

impl Identity {
    /// Puts [`Caller`] and [`Gate`] into every request, or refuses it.
    pub fn protect(&self, router: Router) -> Router {
        router.layer(from_fn_with_state(self.clone(), layer))
    }

    /// The session cookie's name on this node, behind an encrypted door or a plain one.
    pub fn cookie_name(&self, encrypted: bool) -> String {
        self.cookie_named(COOKIE_PREFIX, encrypted)
    }

    fn cookie_named(&self, prefix: &str, encrypted: bool) -> String {
        // Browsers take `__Host-` from this very host and with TLS alone: no neighbour can put one there.
        let host = if encrypted { "__Host-" } else { "" };
        format!("{host}{prefix}_{}", &digest(&self.platform().node.id.to_string())[..8])
    }

    /// `Set-Cookie` that opens a session, or ends it when `secret` is empty.
    pub(crate) fn cookie(&self, secret: &str, lifetime_s: i64, encrypted: bool) -> String {
        set_cookie(&self.cookie_name(encrypted), secret, lifetime_s, encrypted)
    }

    /// `Set-Cookie` by which a browser is known again.
    pub(crate) fn device_cookie(&self, mark: &str, encrypted: bool) -> String {
        let name = self.cookie_named(DEVICE_PREFIX, encrypted);
        set_cookie(&name, mark, DEVICE_DAYS * 86_400, encrypted)
    }

    /// The mark by which a browser is known again, in a request's cookies.
    pub(crate) fn device_shown(&self, headers: &HeaderMap, encrypted: bool) -> Option<String> {
        cookie_of(headers, &self.cookie_named(DEVICE_PREFIX, encrypted))
    }

    /// The session secret in a request's cookies.
    pub(crate) fn session_secret(&self, headers: &HeaderMap, encrypted: bool) -> Option<String> {
        cookie_of(headers, &self.cookie_name(encrypted))
    }

    fn shown(&self, request: &Request) -> Shown {
        if let Some(PeerCertificate(der)) = request.extensions().get() {
            return Shown::Certificate(der.clone());
        }
        if let Some(value) = request.headers().get(header::AUTHORIZATION) {
            return authorization(value);
        }
        let encrypted = request.extensions().get::<Encrypted>().is_some();
        self.session_secret(request.headers(), encrypted).map_or(Shown::Nothing, Shown::Cookie)
    }

    fn look(&self, request: &Request) -> Seen {
        Seen {
            shown: self.shown(request),
            source: source_of(request.extensions().get::<ConnectInfo<SocketAddr>>()),
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            from_our_page: request.headers().contains_key(REQUEST_HEADER),
            from_elsewhere: request
                .headers()
                .get("sec-fetch-site")
                .is_some_and(|site| matches!(site.as_bytes(), b"cross-site" | b"same-site")),
        }
    }

    async fn caller(&self, seen: Seen) -> Result<(Caller, Option<BySession>), Response> {
        let failed = |error: IdentityError| Problem::from(error).into_response();
        let source = &seen.source;
        // A browser that once was given a certificate, or a name and password, sends them by itself, as it does a cookie.
        let by_itself = matches!(
            seen.shown,
            Shown::Token { basic: true, .. } | Shown::Password { .. } | Shown::Certificate(_)
        );
        if by_itself && is_unsafe(&seen.method) && seen.from_elsewhere {
            let detail = format!("{} {} from another site", seen.method, seen.path);
            self.refused("cross_site_refused", "a browser", &detail).await;
            return Err(cross_site());
        }
        match seen.shown {
            Shown::Nothing => Ok((Caller::anonymous(), None)),
            Shown::Unusable(why) => {
                self.refused("denied", "a caller", &format!("from {source}: {why}")).await;
                Err(unauthorized(why, true))
            }
            Shown::Certificate(der) => match self.certificate_caller(&der).await.map_err(failed)? {
                Ok(caller) => Ok((caller, None)),
                Err(Refusal { who, why, remedy }) => {
                    self.refused("peer_refused", &who, &format!("from {source}: {why}")).await;
                    Err(Problem::new(
                        StatusCode::FORBIDDEN,
                        "peer-refused",
                        format!("Refused: {why}."),
                    )
                    .remedy(remedy)
                    .into_response())
                }
            },
            Shown::Token { text, basic } => match self.token_caller(&text).await.map_err(failed)? {
                Ok(caller) => Ok((caller, None)),
                Err((who, why)) => {
                    self.refused("denied", &who, &format!("from {source}: {why}")).await;
                    // A token that is good is never asked to wait: nobody guesses one, and others behind the same
                    // address would be locked out.
                    Err(match self.failed_credential(source) {
                        Some(seconds) => too_many(seconds, "credentials that open nothing"),
                        None => unauthorized(why, basic),
                    })
                }
            },
            Shown::Password { name, password } => {
                match self.password_caller(&name, password, source).await {
                    Ok(caller) => Ok((caller, None)),
                    Err(IdentityError::TooMany { retry_after_s }) => {
                        Err(too_many(retry_after_s, "wrong passwords"))
                    }
                    Err(IdentityError::WrongPassword) => {
                        Err(unauthorized("name or password is wrong", true))
                    }
                    Err(error) => Err(failed(error)),
                }
            }
            Shown::Cookie(secret) => {
                let found = self.session_caller(&secret).await.map_err(failed)?;
                // A session that is over is no reason to refuse the sign-in page.
                let Some((caller, by)) = found else { return Ok((Caller::anonymous(), None)) };
                if is_unsafe(&seen.method) && !seen.from_our_page {
                    let detail = format!("{} {} without the header", seen.method, seen.path);
                    self.refused("cross_site_refused", &caller.name, &detail).await;
                    return Err(cross_site());
                }
                Ok((caller, Some(by)))
            }
        }
    }
}

fn set_cookie(name: &str, value: &str, lifetime_s: i64, encrypted: bool) -> String {
    let secure = if encrypted { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={lifetime_s}{secure}")
}

fn cookie_of(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, value)| *key == name && !value.is_empty())
        .map(|(_, value)| value.to_owned())
}

async fn layer(State(identity): State<Identity>, mut request: Request, next: Next) -> Response {
    // Whoever came through the admin socket is known already.
    if request.extensions().get::<Caller>().is_none() {
        let seen = identity.look(&request);
        if let Some(seconds) = identity.inner.rates.admit(&seen.source, identity.platform().now()) {
            metrics::counter!("sereno_requests_limited_total").increment(1);
            return too_many(seconds, "requests");
        }
        // A link out of a mail speaks for itself: a session that a browser sends along neither adds to it nor is in
        // its way, and its path, which is a secret, must not stand in what is told of refusals.
        if seen.path.starts_with(platform::http::LINK_PATH) {
            request.extensions_mut().insert(Caller::anonymous());
            request.extensions_mut().insert(Gate(identity.authorizer()));
            return next.run(request).await;
        }
        match identity.caller(seen).await {
            Ok((caller, by)) => {
                request.extensions_mut().insert(caller);
                if let Some(by) = by {
                    request.extensions_mut().insert(by);
                }
            }
            Err(refused) => return refused,
        }
    }
    request.extensions_mut().insert(Gate(identity.authorizer()));
    next.run(request).await
}

/// Where a request came from, for limits and logs.
pub(crate) fn source_of(info: Option<&ConnectInfo<SocketAddr>>) -> String {
    info.map_or_else(|| "this machine".into(), |ConnectInfo(from)| from.ip().to_string())
}

fn is_unsafe(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

fn authorization(value: &HeaderValue) -> Shown {
    // MISP's tools send the key alone.
    if let Ok(text) = value.to_str()
        && text.starts_with("sereno_")
    {
        return Shown::Token { text: text.trim().to_owned(), basic: false };
    }
    let Some((scheme, rest)) = value.to_str().ok().and_then(|text| text.split_once(' ')) else {
        return Shown::Unusable("the Authorization header cannot be read");
    };
    if scheme.eq_ignore_ascii_case("bearer") {
        return Shown::Token { text: rest.trim().to_owned(), basic: false };
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return Shown::Unusable("only Bearer and Basic authorization is understood");
    }
    let decoded = STANDARD.decode(rest.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    match decoded.as_deref().and_then(|text| text.split_once(':')) {
        Some(("token", text)) => Shown::Token { text: text.to_owned(), basic: true },
        Some((name, password)) => {
            Shown::Password { name: name.to_owned(), password: password.to_owned() }
        }
        None => Shown::Unusable(
            "Basic authorization takes an account's name and password, or `token` and a token",
        ),
    }
}

fn unauthorized(why: &str, basic: bool) -> Response {
    let mut response =
        Problem::new(StatusCode::UNAUTHORIZED, "credential", format!("Refused: {why}."))
            .remedy("Send a token that is in force (`sereno token new`), or none at all.")
            .into_response();
    let challenge = if basic { "Basic realm=\"sereno\"" } else { "Bearer realm=\"sereno\"" };
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    response
}

fn too_many(seconds: i64, what: &str) -> Response {
    let mut response = Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too-many",
        format!("Too many {what} came from your address; the next is welcome in {seconds} s."),
    )
    .remedy("Wait as long as Retry-After says; an administrator may change `identity.limits`.")
    .into_response();
    response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    response
}

fn cross_site() -> Response {
    Problem::new(
        StatusCode::FORBIDDEN,
        "cross-site",
        "A change that a browser sends by itself needs the header `X-Sereno-Request: 1` and a page of this node.",
    )
    .remedy("The console sends it by itself; scripts should use a token instead of a cookie.")
    .into_response()
}
