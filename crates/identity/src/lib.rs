//! Who may do what: users, sessions, tokens, other nodes, and the policies that decide.
//!
//! Invariants
//! - No secret is stored: passwords as Argon2id, session cookies, tokens and invitation codes as
//!   digests; keys only under `keys/`. No secret is logged.
//! - Every decision is one of the Cedar policies and carries its reason; what no policy allows is
//!   denied.
//! - Strangers' failures lock nobody out of the place they work from, and the owner of the data folder
//!   can always come in through the admin socket.
//! - A peer is whoever holds the newest certificate we issued to its node; it keeps its signing key.
//!
//! Entry points: [`Identity`] (opened before the ports), [`Identity::protect`],
//! [`Identity::authorizer`], [`Identity::server_tls`], [`Identity::router`];
//! `Identity` is the node's [`platform::peers::PeerDirectory`].

mod accounts;
mod authenticate;
mod authority;
mod cache;
mod certificates;
mod config;
mod contact;
mod device;
mod enrolment;
mod error;
mod find;
mod http;
mod joining;
mod limit;
mod mail;
mod note;
mod outside;
mod password;
mod peers;
mod people;
mod policy;
mod preferences;
mod rate;
mod sessions;
mod shown;
mod stands_for;
mod store;
mod tls;
mod tokens;
mod users;
mod views;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use model::{PeerId, Timestamp};
use platform::Platform;
use platform::db::{Migration, RoomMigrations};
use platform::health::{Component, Health};
use platform::http::{AccessRule, Caller, Permission, RoomRouter};
use ports::Authorizer;
use ports::disclosure::Organisations;
use utoipa_axum::routes;

pub use authenticate::{COOKIE_PREFIX, Encrypted, PeerCertificate, REQUEST_HEADER};
pub use authority::{AUTHORITY_DAYS, CLIENT_DAYS, RENEW_BEFORE_DAYS, SERVER_DAYS};
pub use certificates::{CertificateRequest, MAX_CERTIFICATE_DAYS, NewCertificate, new_request};
pub use config::{ClientCa, Config, NetworkLimit, SubjectAccount};
pub use contact::Contact;
pub use enrolment::{Enrolled, Enrolment, Invitation, KINDS, Renewal, proof_text};
pub use error::IdentityError;
pub use joining::RENEW_CLIENT_BEFORE_DAYS;
pub use limit::{MAX_PER_NAME, MAX_PER_NAME_AND_SOURCE, MAX_PER_SOURCE, WINDOW_S};
pub use password::{ARGON2_LANES, ARGON2_MEMORY_KIB, ARGON2_PASSES, MIN_PASSWORD_CHARS};
pub use policy::{Policies, ROLES};
pub use sessions::{Entry, Session};
pub use tokens::{NewToken, TokenRequest};

/// The room's tables.
pub const MIGRATIONS: RoomMigrations = RoomMigrations {
    room: "identity",
    steps: &[
        Migration { number: 1, sql: include_str!("../migrations/0001_identity.sql") },
        Migration { number: 2, sql: include_str!("../migrations/0002_grants.sql") },
        Migration { number: 3, sql: include_str!("../migrations/0003_certificates.sql") },
        Migration { number: 4, sql: include_str!("../migrations/0004_recipients.sql") },
        Migration { number: 5, sql: include_str!("../migrations/0005_mail.sql") },
        Migration { number: 10, sql: include_str!("../migrations/0010_accounts.sql") },
        Migration { number: 11, sql: include_str!("../migrations/0011_sessions.sql") },
        Migration { number: 20, sql: include_str!("../migrations/0020_preferences.sql") },
    ],
};

/// Pause between two looks at the server certificate, seconds.
const RENEWAL_CHECK_S: u64 = 3_600;

/// Identity of a node; cheap to clone.
#[derive(Clone)]
pub struct Identity {
    inner: Arc<Inner>,
}

struct Inner {
    platform: Platform,
    config: Config,
    policies: Arc<Policies>,
    passwords: password::Passwords,
    limits: Mutex<limit::Limits>,
    rates: rate::Rates,
    tokens: cache::Cache<model::TokenId, store::access::Token>,
    /// Names and password digests that were checked a moment ago.
    passed: cache::Cache<String, Caller>,
    /// What certificates say, by their fingerprint.
    shown: cache::Cache<String, Arc<shown::Shown>>,
    /// Client certificates of programs, by their fingerprint.
    certificates: cache::Cache<String, store::certificates::Certificate>,
    /// The authority outside this node whose certificates open accounts.
    outside: outside::Outside,
    /// Mixed into those digests; new at every start.
    salt: String,
    /// Under it stand the marks of browsers that people signed in from, and sealed secrets.
    key: [u8; 32],
    notes: note::Notes,
    authority: authority::Authority,
    /// There once a TLS listener has asked for it.
    served: OnceLock<Arc<tls::Served>>,
    /// Which client certificates the listener takes; there once it has been asked for.
    takes: OnceLock<Arc<tls::Clients>>,
    peer_url: RwLock<Option<String>>,
    /// Names and addresses in the server certificate besides loopback.
    names: RwLock<Vec<String>>,
    access: RwLock<Arc<Vec<AccessRule>>>,
    /// How to call each peer, and until when before its certificate is looked at again.
    clients: Mutex<HashMap<PeerId, (reqwest::Client, Timestamp)>>,
    contacts: Arc<contact::Contacts>,
    /// Set once the room stands that keeps them.
    organisations: OnceLock<Arc<dyn Organisations>>,
    /// One enrolment with another node at a time: they share files under `keys/`.
    joining: tokio::sync::Mutex<()>,
}

impl Identity {
    /// Loads the policies, makes or reads the certificate authority.
    ///
    /// # Errors
    /// A policy or a key file cannot be used, or the file system refuses; the text names the file.
    pub async fn open(platform: &Platform, config: Config) -> Result<Self, IdentityError> {
        let platform = platform.clone();
        let making = move || Self::make(platform, config);
        // Keys are made and files are read here: not on a thread that serves requests.
        tokio::task::spawn_blocking(making).await.map_err(IdentityError::certificate)?
    }

    fn make(platform: Platform, config: Config) -> Result<Self, IdentityError> {
        let policies = Policies::load(Some(&platform.data.root().join("policies")))?;
        let authority = authority::Authority::open(&platform)?;
        let inner = Inner {
            passwords: password::Passwords::new(Arc::clone(&platform.random)),
            policies: Arc::new(policies),
            limits: Mutex::default(),
            rates: rate::Rates::new(&config.limits).map_err(IdentityError::Invalid)?,
            tokens: cache::Cache::default(),
            passed: cache::Cache::default(),
            shown: cache::Cache::default(),
            certificates: cache::Cache::default(),
            outside: outside::Outside::load(config.client_ca.as_ref())?,
            salt: {
                let mut salt = [0; 16];
                platform.random.fill(&mut salt);
                hex::encode(salt)
            },
            key: device::key(&platform)?,
            notes: note::Notes::default(),
            served: OnceLock::new(),
            takes: OnceLock::new(),
            authority,
            peer_url: RwLock::new(config.peer_url.clone()),
            names: RwLock::new(config.names.clone()),
            access: RwLock::default(),
            clients: Mutex::default(),
            contacts: Arc::new(contact::Contacts::new(Arc::clone(&platform.clock))),
            organisations: OnceLock::new(),
            joining: tokio::sync::Mutex::default(),
            platform,
            config,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The room's routes.
    pub fn router(&self) -> RoomRouter {
        let router = RoomRouter::<Self>::default();
        let own = Permission("session.read");
        let change = Permission("session.write");
        let peers = Permission("peers.read");
        router
            .route(Permission::PUBLIC, routes!(http::first_run::first_run))
            .route(Permission::PUBLIC, routes!(http::sign_in::sign_in))
            .route(Permission::PUBLIC, routes!(http::sign_out::sign_out))
            .route(own, routes!(http::me::me))
            .route(change, routes!(http::mail::own))
            .route(change, routes!(http::account::password))
            .route(change, routes!(http::account::shown))
            .route(own, routes!(http::sessions::own))
            .route(change, routes!(http::sessions::end_own))
            .route(change, routes!(http::sessions::end_others))
            .route(Permission("users.manage"), routes!(http::sessions::of))
            .route(Permission("users.manage"), routes!(http::sessions::end_all_of))
            .route(Permission("users.manage"), routes!(http::users::change))
            .route(Permission("users.manage"), routes!(http::users::password))
            .route(Permission("users.manage"), routes!(http::mail::set))
            .route(Permission("console.read"), routes!(http::preferences::read))
            .route(Permission("console.write"), routes!(http::preferences::write))
            .route(Permission("console.read"), routes!(http::views::list))
            .route(Permission("console.write"), routes!(http::views::create))
            .route(Permission("console.write"), routes!(http::views::change))
            .route(Permission("console.write"), routes!(http::views::remove))
            .route(Permission("tokens.create"), routes!(http::token_create::create))
            .route(Permission("tokens.read"), routes!(http::token_list::list))
            .route(Permission("tokens.revoke"), routes!(http::token_revoke::revoke))
            .route(Permission("tokens.create"), routes!(http::certificate_create::create))
            .route(Permission("tokens.read"), routes!(http::certificate_list::list))
            .route(Permission("tokens.revoke"), routes!(http::certificate_revoke::revoke))
            .route(Permission("users.list"), routes!(http::users::list))
            .route(Permission("users.manage"), routes!(http::users::create))
            .route(Permission("users.manage"), routes!(http::users::remove))
            .route(Permission("access.read"), routes!(http::access_matrix::matrix))
            .route(peers, routes!(http::peer_list::list))
            .route(Permission("peers.remove"), routes!(http::peer_remove::remove))
            .route(Permission("peers.invite"), routes!(http::invitation::invite))
            .route(Permission("peers.join"), routes!(http::join::join))
            .route(Permission::PUBLIC, routes!(http::enrol::enrol))
            .route(Permission("peers.renew"), routes!(http::renewal::renew))
            .with_state(self.clone())
    }

    /// The policies, for everything that must ask them.
    pub fn authorizer(&self) -> Arc<dyn Authorizer> {
        Arc::clone(&self.inner.policies) as Arc<dyn Authorizer>
    }

    /// How the TLS listener at `local` speaks: our certificate for `names` too, client certificates of
    /// our authority, of the one outside or none. Unless the configuration names another address, peers are told this
    /// one. The certificate is renewed while the node runs.
    ///
    /// # Errors
    /// A name cannot stand in a certificate, or the certificates cannot be used.
    pub async fn server_tls(
        &self,
        local: SocketAddr,
        names: &[String],
    ) -> Result<Arc<rustls::ServerConfig>, IdentityError> {
        let fixed = !local.ip().is_unspecified();
        let host = names.first().cloned().or_else(|| fixed.then(|| local.ip().to_string()));
        {
            let mut all = self.inner.names.write().unwrap_or_else(PoisonError::into_inner);
            all.extend(names.iter().cloned());
            if fixed {
                all.push(local.ip().to_string());
            }
        }
        let served = self.renewed()?;
        if let Some(host) = host {
            let host = if host.contains(':') { format!("[{host}]") } else { host };
            self.set_peer_url(format!("https://{host}:{}", local.port()));
        }
        self.keep_renewing();
        let clock = Arc::clone(&self.platform().clock);
        let inner = &self.inner;
        let takes = tls::Clients::new(&inner.authority, &inner.outside, Arc::clone(&clock))?;
        let takes = Arc::clone(inner.takes.get_or_init(|| takes));
        Ok(Arc::new(tls::server_config(takes, served, clock)?))
    }

    /// Our certificate authority, PEM, for people who want to trust it in a browser.
    pub fn ca_pem(&self) -> &str {
        &self.inner.authority.ca_pem
    }

    fn keep_renewing(&self) {
        let own = self.clone();
        self.platform().tasks.spawn("certificates", async move {
            loop {
                tokio::time::sleep(Duration::from_secs(RENEWAL_CHECK_S)).await;
                if let Err(error) = own.renew() {
                    tracing::error!(%error, "certificates or revocation lists could not be renewed");
                }
            }
        });
    }

    /// Makes the server certificate anew when it is near its end, and reads the revocation lists of the authority
    /// outside again.
    ///
    /// # Errors
    /// It cannot be made or stored, or the lists cannot be read; the former ones stay in force then.
    pub fn renew(&self) -> Result<(), IdentityError> {
        self.renewed()?;
        let inner = &self.inner;
        inner.takes.get().map_or(Ok(()), |takes| takes.refresh(&inner.authority, &inner.outside))
    }

    fn renewed(&self) -> Result<Arc<tls::Served>, IdentityError> {
        let inner = &self.inner;
        let names = inner.names.read().unwrap_or_else(PoisonError::into_inner).clone();
        let now = inner.platform.now();
        let fresh = inner.authority.server(&inner.platform.data, &names, now)?;
        #[allow(clippy::cast_precision_loss)] // microseconds of this century: exact to the second
        metrics::gauge!("sereno_tls_certificate_end_seconds")
            .set(fresh.not_after.as_micros() as f64 / 1e6);
        if let Some(served) = inner.served.get() {
            served.replace(fresh)?;
            return Ok(Arc::clone(served));
        }
        let served = tls::Served::new(fresh)?;
        Ok(Arc::clone(inner.served.get_or_init(|| served)))
    }

    fn set_peer_url(&self, url: String) {
        if self.inner.config.peer_url.is_none() {
            *self.inner.peer_url.write().unwrap_or_else(PoisonError::into_inner) = Some(url);
        }
    }

    /// Where other nodes reach us.
    pub fn peer_url(&self) -> Option<String> {
        self.inner.peer_url.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Every route of the node, for the access matrix.
    pub fn set_access(&self, rules: Vec<AccessRule>) {
        *self.inner.access.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
    }

    /// Notes a TLS handshake that failed: a wrong or expired certificate, or no TLS at all.
    pub fn note_refused_peer(&self, from: SocketAddr, reason: String) {
        let own = self.clone();
        self.platform().tasks.spawn("refused peer", async move {
            let who = from.ip().to_string();
            own.refused("peer_refused", &who, &format!("TLS handshake: {reason}")).await;
        });
    }

    /// How the room is.
    pub async fn health(&self) -> Vec<Component> {
        let accounts = match self.first_run().await {
            Ok(true) => Component::not_ok(
                "accounts",
                Health::Degraded,
                "nobody has an account yet",
                "Open the console and create the administrator.",
            ),
            Ok(false) => Component::ok("accounts", "there is an administrator"),
            Err(error) => Component::not_ok(
                "accounts",
                Health::Failed,
                error.to_string(),
                "See the node's log; check the disk of the data folder.",
            ),
        };
        let count = self.inner.policies.count();
        let policies = Component::ok("policies", format!("{count} policies in force"));
        let fingerprint = self.inner.authority.fingerprint();
        let authority =
            Component::ok("certificate authority", format!("fingerprint {fingerprint}"));
        vec![accounts, policies, authority]
    }

    fn platform(&self) -> &Platform {
        &self.inner.platform
    }

    fn access_rules(&self) -> Arc<Vec<AccessRule>> {
        Arc::clone(&self.inner.access.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// 32 unpredictable bytes as hex.
    fn random_hex(&self) -> String {
        let mut bytes = [0; 32];
        self.platform().random.fill(&mut bytes);
        hex::encode(bytes)
    }

    async fn refused(&self, what: &str, who: &str, detail: &str) {
        self.inner.notes.refused(self.platform(), what, who, detail).await;
    }
}
