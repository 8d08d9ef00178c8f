//! A node with this room alone: real database, real HTTP on loopback. A header stands for the
//! certificate or token that `identity` would check.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use base64::Engine;
use cti::{Config, Cti, Deps};
use model::id::TypedId;
use model::{
    AttackKind, DeviceId, Evidence, Finding, FindingId, Incident, IncidentId, IncidentReport,
    IncidentState, NodeId, PeerId, Reason, Severity, Technique, TimelineItem, Timestamp, Tlp,
};
use platform::Platform;
use platform::http::{Caller, CallerKind, Gate};
use platform::peers::{Peer, PeerDirectory};
use ports::disclosure::Recipient;
use ports::fake::{DisclosureRule, FakeDisclosure, FakeIncidents, FakePseudonymiser};
use ports::{Authorizer, PortError};

pub(crate) const TAXII: &str = "application/taxii+json;version=2.1";

pub(crate) fn id<T: TypedId>(n: u8) -> T {
    T::mint(Timestamp::from_secs(1_790_000_000), [n; 10])
}

/// The peers of a node, set after both know each other's port.
#[derive(Default)]
pub(crate) struct Peers {
    pub(crate) list: Mutex<Vec<Peer>>,
    /// What we call ourselves at the peers.
    pub(crate) own: Mutex<Option<NodeId>>,
}

#[async_trait]
impl PeerDirectory for Peers {
    async fn peers(&self) -> Result<Vec<Peer>, PortError> {
        Ok(self.list.lock().unwrap().clone())
    }
    async fn peer(&self, id: PeerId) -> Result<Option<Peer>, PortError> {
        Ok(self.list.lock().unwrap().iter().find(|peer| peer.id == id).cloned())
    }
    async fn client(&self, _: PeerId) -> Result<reqwest::Client, PortError> {
        let own = self.own.lock().unwrap().unwrap();
        let mut headers = reqwest::header::HeaderMap::new();
        headers.insert("x-test-peer", own.to_string().parse().unwrap());
        Ok(client_with(headers))
    }
}

fn client_with(headers: reqwest::header::HeaderMap) -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().default_headers(headers).no_proxy().build().unwrap()
}

/// A client with nothing to show.
pub(crate) fn nobody() -> reqwest::Client {
    client_with(reqwest::header::HeaderMap::new())
}

/// A client with a role's token.
pub(crate) fn client(role: &str) -> reqwest::Client {
    let mut headers = reqwest::header::HeaderMap::new();
    headers.insert("authorization", format!("Bearer {role}").parse().unwrap());
    client_with(headers)
}

/// A running node.
pub(crate) struct Node {
    pub(crate) platform: Platform,
    pub(crate) cti: Cti,
    pub(crate) peers: Arc<Peers>,
    pub(crate) incidents: Arc<FakeIncidents>,
    pub(crate) disclosure: Arc<FakeDisclosure>,
    pub(crate) address: SocketAddr,
    server: tokio::task::JoinHandle<()>,
    folder: Arc<tempfile::TempDir>,
}

pub(crate) struct Setup {
    pub(crate) number: u8,
    pub(crate) kind: &'static str,
    pub(crate) rule: DisclosureRule,
    pub(crate) config: Config,
}

impl Setup {
    pub(crate) fn new(number: u8, kind: &'static str) -> Self {
        let config = Config {
            poll_fast_ms: 50,
            poll_slow_ms: 200,
            deliver_pause_max_ms: 250,
            ..Config::default()
        };
        Self { number, kind, rule: |_, _, object| Ok(object.object.clone()), config }
    }

    pub(crate) async fn start(self) -> Node {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        self.start_in(folder, Arc::default(), Arc::default(), "127.0.0.1:0").await
    }

    pub(crate) async fn start_in(
        self,
        folder: Arc<tempfile::TempDir>,
        peers: Arc<Peers>,
        incidents: Arc<FakeIncidents>,
        listen: &str,
    ) -> Node {
        let mut platform =
            platform::testing::platform(folder.path(), &[intel::MIGRATIONS, cti::MIGRATIONS])
                .await
                .unwrap();
        platform.node.id = id(self.number);
        platform.node.name = format!("Node {}", self.number);
        platform.node.kind = self.kind.into();
        *peers.own.lock().unwrap() = Some(platform.node.id);
        let disclosure = Arc::new(FakeDisclosure::by(self.rule));
        let deps = Deps {
            disclosure: disclosure.clone(),
            pseudonymiser: Arc::new(FakePseudonymiser),
            incidents: incidents.clone(),
            peers: peers.clone(),
        };
        let cti = Cti::open(&platform, self.config, deps).await.unwrap();
        platform::bus::start(&platform, cti.consumers());
        platform::jobs::start(&platform, cti.jobs()).await.unwrap();
        cti.start();
        let listener = tokio::net::TcpListener::bind(listen).await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = app(&cti, peers.clone());
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Node { platform, cti, peers, incidents, disclosure, address, server, folder }
    }
}

impl Node {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn as_peer(&self, url: bool) -> Peer {
        Peer {
            id: PeerId::from_uuid(self.platform.node.id.uuid()),
            node: self.platform.node.id,
            name: self.platform.node.name.clone(),
            kind: self.platform.node.kind.clone(),
            url: url.then(|| self.url("")),
            fingerprint: "00".into(),
            signing_key: hex::encode(self.platform.signer.public_key()),
        }
    }

    /// Stops everything at once, without a word, and hands back what survives a crash.
    pub(crate) async fn kill(
        self,
    ) -> (Arc<tempfile::TempDir>, Arc<Peers>, Arc<FakeIncidents>, SocketAddr) {
        self.server.abort();
        self.platform.tasks.stop(std::time::Duration::from_secs(5)).await;
        self.platform.db.close().await;
        let Self { folder, peers, incidents, address, .. } = self;
        (folder, peers, incidents, address)
    }

    /// Facts of one kind, in sequence.
    pub(crate) async fn facts(&self, kind: &str) -> Vec<model::event::Fact> {
        let mut sql = self.platform.db.read().await.unwrap();
        platform::db::read_facts(&mut sql, 0, &[kind], 1_000).await.unwrap()
    }
}

fn app(cti: &Cti, peers: Arc<Peers>) -> axum::Router {
    let (router, _) = cti.router().into_parts();
    let (router, _) = router.split_for_parts();
    let gate = Gate(Arc::new(Signed));
    cti::liberal_paths(router.layer(from_fn(move |mut request: Request, next: Next| {
        let (peers, gate) = (peers.clone(), gate.clone());
        async move {
            let caller = caller(&request, &peers);
            request.extensions_mut().insert(caller);
            request.extensions_mut().insert(gate);
            next.run(request).await
        }
    })))
}

/// Everybody but nobody.
struct Signed;
impl Authorizer for Signed {
    fn decide(&self, question: &ports::AccessQuestion) -> model::ShareDecision {
        let allowed = question.principal_kind != "Anonymous";
        model::ShareDecision { allowed, reason: "test".into(), policies: vec![] }
    }
}

fn caller(request: &Request, peers: &Peers) -> Caller {
    let header = |name: &str| request.headers().get(name)?.to_str().ok().map(str::to_owned);
    if let Some(node) = header("x-test-peer") {
        let list = peers.list.lock().unwrap();
        let Some(peer) = list.iter().find(|peer| peer.node.to_string() == node) else {
            return Caller::anonymous();
        };
        return Caller {
            kind: CallerKind::Peer { peer: peer.id, node: peer.node },
            id: peer.id.to_string(),
            name: peer.name.clone(),
            roles: vec!["peer".into()],
            grants: vec![],
            outside: Some(Recipient::Peer(peer.id)),
        };
    }
    let token = match header("authorization").as_deref().map(|h| h.split_at(h.find(' ').unwrap())) {
        Some(("Bearer", token)) => token.trim().to_owned(),
        Some(("Basic", pair)) => {
            let pair = base64::engine::general_purpose::STANDARD.decode(pair.trim()).unwrap();
            let pair = String::from_utf8(pair).unwrap();
            pair.split_once(':').unwrap().1.to_owned()
        }
        _ => return Caller::anonymous(),
    };
    // `for=NAME` or `for=NAME=GRANT`: of another organisation
    let (outside, token) = match token.strip_prefix("for=") {
        Some(rest) => {
            let (name, grant) = rest.split_once('=').unwrap_or((rest, ""));
            let grant = if grant.is_empty() { "taxii".into() } else { format!("grant={grant}") };
            (Some(Recipient::Organisation(id(name.as_bytes()[0]))), grant)
        }
        None => (None, token),
    };
    let grants = token.strip_prefix("grant=").map(str::to_owned);
    Caller {
        kind: CallerKind::Token,
        id: format!("token-{token}"),
        name: format!("token {token}"),
        roles: if grants.is_some() { vec![] } else { vec![token] },
        grants: grants.iter().flat_map(|all| all.split('+')).map(str::to_owned).collect(),
        outside,
    }
}

/// Waits until `check` gives something; the test runner's own limit ends a wait that never ends.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(mut check: impl FnMut() -> F) -> T {
    loop {
        if let Some(value) = check().await {
            return value;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// Two nodes that know each other: an operator and a CERT.
pub(crate) async fn pair(operator: Setup, cert: Setup) -> (Node, Node) {
    let (operator, cert) = (operator.start().await, cert.start().await);
    acquaint(&operator, &cert);
    (operator, cert)
}

pub(crate) fn acquaint(operator: &Node, cert: &Node) {
    *operator.peers.list.lock().unwrap() = vec![cert.as_peer(true)];
    *cert.peers.list.lock().unwrap() = vec![operator.as_peer(false)];
}

pub(crate) fn report(number: u8, tlp: Tlp) -> IncidentReport {
    let at = Timestamp::from_secs(1_532_516_400);
    let now = Timestamp::from_secs(1_795_300_000);
    let evidence = |peer: &str, new: bool| Evidence {
        peer: peer.parse().unwrap(),
        protocol: "tcp".into(),
        port: Some(23),
        packets: 40,
        new,
    };
    let finding = Finding {
        id: id::<FindingId>(number),
        device: id::<DeviceId>(number),
        device_name: "Camera b8:27:eb:7d:6b:a6".into(),
        device_address: "192.168.100.113".into(),
        device_mac: Some("b8:27:eb:7d:6b:a6".into()),
        detector: "aarnn".into(),
        model: "m".into(),
        title: "192.168.100.113 calls a controller at 203.0.113.66:23".into(),
        kind: AttackKind::CommandAndControl,
        severity: Severity::High,
        score: 12.5,
        why: vec![Reason {
            metric: "syn_out".into(),
            meaning: "connection attempts sent in 10 s".into(),
            measured: 30.0,
            expected: 0.5,
            judge: "range".into(),
            ratio: 12.5,
        }],
        evidence: vec![
            evidence("203.0.113.66", true),
            evidence("198.51.100.53", false),
            evidence("192.168.100.1", true),
        ],
        techniques: vec![Technique {
            framework: "mitre-attack".into(),
            id: "T1071".into(),
            name: "Application Layer Protocol".into(),
        }],
        first_at: at,
        last_at: at.plus_secs(600),
        windows: 60,
        recorded_at: now,
    };
    let incident = Incident {
        id: id::<IncidentId>(number),
        title: "Camera at 192.168.100.113 is infected".into(),
        state: IncidentState::New,
        severity: Severity::High,
        tlp,
        origin: id(1),
        origin_name: "Node 1".into(),
        findings: 1,
        received_share: None,
        acknowledged_by: None,
        event_at: at,
        recorded_at: now,
        updated_at: now,
    };
    let timeline = vec![TimelineItem {
        kind: "action".into(),
        text: "Blocked 192.168.100.113 at the gateway".into(),
        actor: "playbook".into(),
        link: None,
        event_at: None,
        recorded_at: now,
    }];
    IncidentReport { incident, findings: vec![finding], timeline }
}

impl Node {
    pub(crate) fn hold(&self, report: &IncidentReport) {
        let mut all = self.incidents.0.lock().unwrap();
        let all: &mut HashMap<_, _> = &mut all;
        all.insert(report.incident.id, report.clone());
    }
}
