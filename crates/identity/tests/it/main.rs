//! Identity as browsers, scripts and other nodes meet it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod access;
mod accounts;
mod certificates;
mod peers;
mod people;
mod preferences;
mod tls;
mod tokens;
mod users;

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use identity::{Config, Identity, MIGRATIONS};
use model::event::Fact;
use model::id::TypedId;
use model::{NodeId, Timestamp};
use platform::Platform;
use platform::config::NodeIdentity;
use platform::data::DataFolder;
use platform::db::Db;
use platform::http::{Caller, Permission, RoomRouter};
use platform::keys::NodeKey;
use platform::system::SystemRandom;
use ports::fake::FakeClock;
use serde_json::Value;
use tower::ServiceExt;

/// A password that is long enough.
pub const PASSWORD: &str = "correct horse battery";

/// A node with its clock in our hand.
pub struct Node {
    /// Its plumbing.
    pub platform: Platform,
    /// The room.
    pub identity: Identity,
    /// Its time.
    pub clock: Arc<FakeClock>,
    /// Everything it serves.
    pub app: Router,
}

/// A route that every analyst may read, standing for all other rooms.
#[utoipa::path(get, path = "/api/v1/things", responses((status = 200)))]
async fn things() -> &'static str {
    "things"
}

/// A route that TAXII callers and peers may read; answers with the caller's name.
#[utoipa::path(get, path = "/taxii2/", responses((status = 200)))]
async fn discovery(caller: Caller) -> String {
    format!("{} {}", caller.name, caller.roles.join(","))
}

/// A route that answers for which organisation its caller reads.
#[utoipa::path(get, path = "/taxii2/outside", responses((status = 200)))]
async fn outside(caller: Caller) -> String {
    caller.outside.map_or_else(|| "of the house".to_owned(), |it| it.to_string())
}

/// A change that operators may make.
#[utoipa::path(post, path = "/api/v1/things", responses((status = 200)))]
async fn change_things() -> &'static str {
    "changed"
}

/// Opens node number `n` over a folder.
pub async fn open(folder: &Path, n: u8) -> Node {
    open_with(folder, n, Config::default()).await
}

/// Opens a node with settings of its own.
pub async fn open_with(folder: &Path, n: u8, config: Config) -> Node {
    let data = DataFolder::open(folder).unwrap();
    let clock = Arc::new(FakeClock::at(Timestamp::from_secs(1_790_000_000)));
    let random = Arc::new(SystemRandom);
    let db =
        Db::open(&data.database(), &[MIGRATIONS], clock.clone(), random.clone()).await.unwrap();
    let platform = Platform {
        db,
        clock: clock.clone(),
        random: random.clone(),
        live: platform::live::Live::default(),
        signer: Arc::new(NodeKey::open(&data, random.as_ref()).unwrap()),
        data: Arc::new(data),
        node: NodeIdentity {
            id: NodeId::mint(Timestamp::from_secs(1_700_000_000), [n; 10]),
            name: format!("Node {n}"),
            kind: if n == 1 { "cert".into() } else { "operator".into() },
        },
        tasks: platform::tasks::Tasks::default(),
    };
    let identity = Identity::open(&platform, config).await.unwrap();
    let rooms = RoomRouter::<()>::default()
        .route(Permission("things.read"), utoipa_axum::routes!(things))
        .route(Permission("taxii.read"), utoipa_axum::routes!(discovery))
        .route(Permission("taxii.read"), utoipa_axum::routes!(outside))
        .route(Permission("incidents.write"), utoipa_axum::routes!(change_things));
    let (routes, access) = identity.router().merge(rooms).into_parts();
    let (routes, _) = routes.split_for_parts();
    identity.set_access(access);
    let app = identity.protect(routes);
    Node { platform, identity, clock, app }
}

/// What came back.
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// The body, null when it is no JSON.
    pub json: Value,
    /// The body as text.
    pub text: String,
}

impl Node {
    /// As the person of a session cookie, on the node's own page.
    pub async fn with(&self, cookie: &str, method: &str, path: &str, body: Value) -> Answer {
        let headers = [
            ("cookie", cookie),
            ("x-sereno-request", "1"),
            ("user-agent", "Mozilla/5.0 (X11; Linux) Firefox/145.0"),
        ];
        self.send(method, path, &headers, body, None).await
    }

    /// Signs in and returns the cookie pair.
    pub async fn sign_in(&self, name: &str, password: &str) -> String {
        let body = serde_json::json!({ "name": name, "password": password });
        let answer = self.nobody("POST", "/api/v1/sign-in", body).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
        cookie(&answer)
    }

    /// Sends a request with these headers; `caller` is what the admin socket would say.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
        caller: Option<Caller>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !body.is_null() {
            request = request.header("content-type", "application/json");
        }
        if let Some(caller) = caller {
            request = request.extension(caller);
        }
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let response = self.app.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { status, headers, json, text }
    }

    /// As the owner of the data folder.
    pub async fn admin(&self, method: &str, path: &str, body: Value) -> Answer {
        self.send(method, path, &[], body, Some(Caller::local_admin())).await
    }

    /// As somebody with one role.
    pub async fn role(&self, role: &str, method: &str, path: &str, body: Value) -> Answer {
        let mut caller = Caller::local_admin();
        caller.kind = platform::http::CallerKind::User;
        caller.roles = vec![role.to_owned()];
        self.send(method, path, &[], body, Some(caller)).await
    }

    /// As nobody.
    pub async fn nobody(&self, method: &str, path: &str, body: Value) -> Answer {
        self.send(method, path, &[], body, None).await
    }

    /// All facts so far.
    pub async fn facts(&self) -> Vec<Fact> {
        let mut sql = self.platform.db.read().await.unwrap();
        platform::db::read_facts(&mut sql, 0, &[], 1_000).await.unwrap()
    }

    /// Facts about access of one kind.
    pub async fn noted(&self, what: &str) -> Vec<Fact> {
        let mut facts = self.facts().await;
        facts.retain(|fact| fact.payload["what"] == what);
        facts
    }

    /// Makes the first administrator and returns the cookie pair.
    pub async fn first_run(&self) -> String {
        let body =
            serde_json::json!({ "organisation": "Harbour", "name": "ana", "password": PASSWORD });
        let answer = self.nobody("POST", "/api/v1/first-run", body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        cookie(&answer)
    }

    /// Ends the process in an orderly way.
    pub async fn close(self) {
        drop(self.app);
        self.platform.tasks.stop(std::time::Duration::from_secs(5)).await;
        self.platform.db.close().await;
    }
}

/// `name=value` of the cookie that was set.
pub fn cookie(answer: &Answer) -> String {
    let set = answer.headers[header::SET_COOKIE].to_str().unwrap();
    set.split(';').next().unwrap().to_owned()
}
