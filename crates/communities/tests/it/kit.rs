//! Nodes that know each other, and the post between them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use communities::{Communities, Config, Deps, Invitation};
use ed25519_dalek::{Signer as _, SigningKey};
use model::id::TypedId;
use model::{NodeId, PeerId, Timestamp, Tlp};
use platform::Platform;
use platform::courier::{Correspondent, Courier, Letter};
use platform::db::{DbError, Tx};
use platform::http::Gate;
use platform::peers::{Peer, PeerDirectory};
use platform::testing::{call, call_through};
use ports::disclosure::{Candidate, Recipient, Said};
use ports::fake::FakeClock;
use ports::{AccessQuestion, PortError, Pseudonymiser, Signer};
use serde_json::{Value, json};

/// When the tests begin.
pub(crate) const START_S: i64 = 1_795_000_000;

pub(crate) fn id<T: TypedId>(n: u8) -> T {
    T::mint(Timestamp::from_secs(START_S), [n; 10])
}

pub(crate) struct Key(pub(crate) SigningKey);

impl Key {
    pub(crate) fn of(n: u8) -> Self {
        Self(SigningKey::from_bytes(&[n; 32]))
    }
    pub(crate) fn hex(&self) -> String {
        self.0.verifying_key().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Signer for Key {
    fn public_key(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }
    fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

/// Keeps prefixes and moves every network away: flips the first bit.
pub(crate) struct Flip;

impl Pseudonymiser for Flip {
    fn pseudonym(&self, _: &str, address: std::net::IpAddr) -> std::net::IpAddr {
        match address {
            std::net::IpAddr::V4(v4) => std::net::IpAddr::V4((u32::from(v4) ^ (1 << 31)).into()),
            std::net::IpAddr::V6(v6) => std::net::IpAddr::V6((u128::from(v6) ^ (1 << 127)).into()),
        }
    }
    fn original(&self, recipient: &str, pseudonym: std::net::IpAddr) -> std::net::IpAddr {
        self.pseudonym(recipient, pseudonym)
    }
    fn label(&self, recipient: &str, above: &str, label: &str) -> String {
        ports::fake::FakePseudonymiser.label(recipient, above, label)
    }
    fn original_label(&self, recipient: &str, above: &str, pseudonym: &str) -> Option<String> {
        ports::fake::FakePseudonymiser.original_label(recipient, above, pseudonym)
    }
}

#[derive(Default)]
pub(crate) struct Peers(pub(crate) Mutex<Vec<Peer>>);

#[async_trait]
impl PeerDirectory for Peers {
    async fn peers(&self) -> Result<Vec<Peer>, PortError> {
        Ok(self.0.lock().unwrap().clone())
    }
    async fn peer(&self, id: PeerId) -> Result<Option<Peer>, PortError> {
        Ok(self.0.lock().unwrap().iter().find(|peer| peer.id == id).cloned())
    }
    async fn client(&self, _: PeerId) -> Result<reqwest::Client, PortError> {
        Err(PortError::Unavailable("nobody calls in these tests".into()))
    }
}

/// Keeps letters until they are handed over, and takes none for peers whose queue is full.
#[derive(Default)]
pub(crate) struct Post(pub(crate) Mutex<VecDeque<Letter>>, pub(crate) Mutex<Vec<PeerId>>);

#[async_trait]
impl Courier for Post {
    async fn post(&self, _: &mut Tx, letter: Letter) -> Result<bool, DbError> {
        if self.1.lock().unwrap().contains(&letter.to) {
            return Err(DbError::QueueFull("full".into()));
        }
        self.0.lock().unwrap().push_back(letter);
        Ok(true)
    }
}

/// A node with this room alone. The n-th node knows the m-th as peer `id(100 + m)`.
pub(crate) struct Node {
    pub(crate) n: u8,
    pub(crate) room: Communities,
    pub(crate) platform: Platform,
    pub(crate) peers: Arc<Peers>,
    pub(crate) post: Arc<Post>,
    _folder: tempfile::TempDir,
}

pub(crate) const NAMES: [&str; 5] = ["City", "National CERT", "Utility", "Vendor", "Other CERT"];
const KINDS: [&str; 5] = ["operator", "cert", "operator", "other", "cert"];

pub(crate) fn peer(n: u8) -> Peer {
    let at = usize::from(n);
    Peer {
        id: id(100 + n),
        node: id(n),
        name: NAMES[at].into(),
        kind: KINDS[at].into(),
        url: None,
        fingerprint: String::new(),
        signing_key: Key::of(n + 1).hex(),
    }
}

impl Node {
    pub(crate) async fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let (status, answer) = call(self.room.router(), true, method, path, body).await;
        (status.as_u16(), answer)
    }

    /// As somebody who sees up to TLP:GREEN.
    pub(crate) async fn ask_green(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let rule = |question: &AccessQuestion| {
            question.action != "see"
                || ["TLP:CLEAR", "TLP:GREEN"].contains(&question.resource.as_str())
        };
        let gate = Gate(Arc::new(ports::fake::FakeRule(rule)));
        let (status, answer) = call_through(self.room.router(), gate, method, path, body).await;
        (status.as_u16(), answer)
    }

    pub(crate) async fn make(&self, terms: Value) -> String {
        let (status, made) = self.ask("POST", "/api/v1/communities", &terms).await;
        assert_eq!(status, 201, "{made}");
        made["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn invite(&self, community: &str, n: u8, role: &str) -> Invitation {
        let path = format!("/api/v1/communities/{community}/invitations");
        let body = json!({ "organisation": NAMES[usize::from(n)], "role": role });
        let (status, invitation) = self.ask("POST", &path, &body).await;
        assert_eq!(status, 201, "{invitation}");
        serde_json::from_value(invitation).unwrap()
    }

    pub(crate) async fn community(&self, id: &str) -> Value {
        let path = format!("/api/v1/communities/{id}");
        let (status, found) = self.ask("GET", &path, &Value::Null).await;
        assert_eq!(status, 200, "{found}");
        found
    }

    /// Takes a letter as from the m-th node.
    pub(crate) async fn take(&self, from: u8, kind: &str, body: Value) -> Result<(), String> {
        let (room, kind) = (self.room.clone(), kind.to_owned());
        let from = peer(from);
        let taken: Result<Result<(), String>, DbError> = self
            .platform
            .db
            .write(move |tx| Box::pin(async move { room.take(tx, &from, &kind, &body).await }))
            .await;
        taken.unwrap()
    }

    /// Hears what the m-th node said to a letter posted under a key.
    pub(crate) async fn hear(&self, by: u8, key: &str, refused: Option<String>) {
        let (room, by, key) = (self.room.clone(), peer(by), key.to_owned());
        let heard: Result<(), DbError> = self
            .platform
            .db
            .write(move |tx| {
                Box::pin(async move { room.answered(tx, &by, &key, refused.as_deref()).await })
            })
            .await;
        heard.unwrap();
    }

    /// Stores objects under a source: an own one, or that of a peer.
    pub(crate) async fn store(&self, from: Option<u8>, objects: &[Value]) {
        let key = from.map_or("own".into(), |n| format!("peer:{}", id::<PeerId>(100 + n)));
        self.store_as(&key, "own", objects).await;
    }

    /// Stores objects under the source of this key and kind; its number.
    pub(crate) async fn store_as(&self, key: &str, kind: &str, objects: &[Value]) -> i64 {
        let source = intel::Source {
            key: key.into(),
            name: "source".into(),
            kind: kind.into(),
            tlp: stix::Tlp::Clear,
            licence: String::new(),
        };
        let prepared: Vec<intel::Prepared> = objects
            .iter()
            .map(|o| intel::Prepared::new(&stix::Object::from_value(o.clone()).unwrap()))
            .collect();
        let done: Result<i64, DbError> = self
            .platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let source = intel::sources::ensure(tx.sql(), &source, 1).await?;
                    let batch = intel::Batch {
                        source,
                        unmarked: 0,
                        collection: None,
                        objects: &prepared,
                        now_us: 1,
                    };
                    intel::write::store(tx.sql(), &batch).await?;
                    Ok(source)
                })
            })
            .await;
        done.unwrap()
    }
}

/// Nodes that all know each other, with one clock.
pub(crate) struct Net {
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) nodes: Vec<Node>,
}

impl Net {
    pub(crate) async fn new(count: u8) -> Self {
        let clock = Arc::new(FakeClock::at(Timestamp::from_secs(START_S)));
        let mut nodes = Vec::new();
        for n in 0..count {
            nodes.push(node(n, count, &clock).await);
        }
        Self { clock, nodes }
    }

    pub(crate) fn pass_days(&self, days: i64) {
        self.clock.advance_micros(days * 86_400_000_000);
    }

    /// Hands letters over until there are none; refusals as (from, to, kind, reason).
    pub(crate) async fn deliver(&self) -> Vec<(u8, u8, String, String)> {
        let mut refused = Vec::new();
        loop {
            let mut any = false;
            for from in &self.nodes {
                let letter = from.post.0.lock().unwrap().pop_front();
                let Some(letter) = letter else { continue };
                any = true;
                let to = self.nodes.iter().find(|to| id::<PeerId>(100 + to.n) == letter.to);
                let to = to.expect("a letter to nobody");
                let taken = to.take(from.n, &letter.kind, letter.body).await;
                let taker = (to.n, taken.as_ref().err().cloned());
                from.hear(taker.0, &letter.key, taker.1).await;
                if let Err(reason) = taken {
                    refused.push((from.n, to.n, letter.kind, reason));
                }
            }
            if !any {
                return refused;
            }
        }
    }

    /// The first node's community with the others in it, as contributors.
    pub(crate) async fn community(&self, terms: Value, members: &[u8]) -> String {
        let made = self.nodes[0].make(terms).await;
        for n in members {
            let invitation = self.nodes[0].invite(&made, *n, "contributor").await;
            self.join(*n, &invitation).await;
        }
        assert_eq!(self.deliver().await, []);
        made
    }

    pub(crate) async fn join(&self, n: u8, invitation: &Invitation) {
        let body = serde_json::to_value(invitation).unwrap();
        let (status, answer) =
            self.nodes[usize::from(n)].ask("POST", "/api/v1/communities/join", &body).await;
        assert_eq!(status, 202, "{answer}");
    }
}

async fn node(n: u8, count: u8, clock: &Arc<FakeClock>) -> Node {
    let folder = tempfile::tempdir().unwrap();
    let rooms = [intel::MIGRATIONS, communities::MIGRATIONS];
    let mut platform = platform::testing::platform(folder.path(), &rooms).await.unwrap();
    platform.db = platform::db::Db::open(
        &platform.data.database(),
        &rooms,
        clock.clone(),
        platform.random.clone(),
    )
    .await
    .unwrap();
    platform.clock = clock.clone();
    platform.signer = Arc::new(Key::of(n + 1));
    platform.node.id = id::<NodeId>(n);
    platform.node.name = NAMES[usize::from(n)].into();
    let others = (0..count).filter(|other| *other != n).map(peer).collect();
    let peers = Arc::new(Peers(Mutex::new(others)));
    let deps = Deps { peers: peers.clone(), pseudonymiser: Arc::new(Flip) };
    let room = Communities::open(&platform, Config::default(), deps).await.unwrap();
    let post = Arc::new(Post::default());
    room.set_courier(post.clone());
    Node { n, room, platform, peers, post, _folder: folder }
}

/// The n-th id of a type.
pub(crate) fn stix_id(kind: &str, n: u32) -> String {
    format!("{kind}--00000000-0000-4000-8000-{n:012}")
}

/// An indicator under a label.
pub(crate) fn indicator(n: u32, label: Tlp, more: Value) -> Value {
    let marking = stix::Tlp::from_label(label.label()).unwrap().id();
    let mut object = json!({
        "type": "indicator", "spec_version": "2.1", "id": stix_id("indicator", n),
        "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z",
        "name": format!("indicator {n}"), "indicator_types": ["malicious-activity"],
        "pattern": "[domain-name:value = 'bad.example']", "pattern_type": "stix",
        "valid_from": "2026-01-01T00:00:00Z", "object_marking_refs": [marking],
    });
    object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    object
}

/// The n-th peer as a recipient.
pub(crate) fn to(n: u8) -> Recipient {
    Recipient::Peer(id(n))
}

/// An object said first here.
pub(crate) fn own(object: Value, tlp: Tlp) -> Candidate {
    Candidate { object, tlp, from: None, through: None, said: Said::Own, source: String::new() }
}
