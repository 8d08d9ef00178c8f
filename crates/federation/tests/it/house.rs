//! A node with its room, and pipes between nodes.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use federation::{Config, Federation, FederationError, Receipt};
use intel::{Batch, Prepared, Sight, Source};
use model::id::TypedId;
use model::{NodeId, PeerId, Timestamp, Tlp};
use platform::Platform;
use platform::courier::{Correspondent, Courier, Letter};
use platform::db::{DbError, Tx};
use platform::peers::{Peer, PeerDirectory};
use platform::testing::call;
use ports::PortError;
use ports::disclosure::{Address, Candidate, Recipient};
use ports::fake::FakeDisclosure;
use serde_json::{Value, json};

/// Peers as a test names them.
#[derive(Default)]
pub(crate) struct Directory(pub(crate) Mutex<Vec<Peer>>);

#[async_trait]
impl PeerDirectory for Directory {
    async fn peers(&self) -> Result<Vec<Peer>, PortError> {
        Ok(self.0.lock().unwrap().clone())
    }
    async fn peer(&self, id: PeerId) -> Result<Option<Peer>, PortError> {
        Ok(self.0.lock().unwrap().iter().find(|peer| peer.id == id).cloned())
    }
    async fn client(&self, _: PeerId) -> Result<reqwest::Client, PortError> {
        Err(PortError::Unavailable("no network in this test".into()))
    }
}

/// Takes letters of two kinds: `test.note` is kept, `test.refuse` is refused.
pub(crate) struct Notes;

#[async_trait]
impl Correspondent for Notes {
    fn kinds(&self) -> &'static [&'static str] {
        &["test.note", "test.refuse", "test.broken"]
    }
    async fn take(
        &self,
        tx: &mut Tx,
        from: &Peer,
        kind: &str,
        body: &Value,
    ) -> Result<Result<(), String>, DbError> {
        if kind == "test.refuse" {
            return Ok(Err("not today".into()));
        }
        sqlx::query("INSERT INTO notes (peer, body) VALUES ($1, $2)")
            .bind(from.name.clone())
            .bind(body.to_string())
            .execute(tx.sql())
            .await?;
        if kind == "test.broken" {
            return Err(DbError::corrupt("notes.body", "a fault after the effect"));
        }
        Ok(Ok(()))
    }
}

const NOTES: platform::db::RoomMigrations = platform::db::RoomMigrations {
    room: "test",
    steps: &[platform::db::Migration {
        number: 1,
        sql: "CREATE TABLE notes (note INTEGER PRIMARY KEY, peer TEXT NOT NULL, body TEXT NOT NULL)",
    }],
};

pub(crate) struct House {
    pub(crate) name: &'static str,
    pub(crate) room: Federation,
    pub(crate) platform: Platform,
    pub(crate) directory: Arc<Directory>,
    pub(crate) disclosure: Arc<FakeDisclosure>,
    folder: tempfile::TempDir,
}

/// CLEAR goes everywhere, GREEN too where it was first said here, the rest stays.
pub(crate) fn usual(_: Recipient, _: Address, object: &Candidate) -> Result<Value, String> {
    match (object.tlp, object.from) {
        (Tlp::Clear, _) | (Tlp::Green, None) => Ok(object.object.clone()),
        (tlp, _) => Err(format!("{tlp} stays")),
    }
}

impl House {
    pub(crate) async fn new(name: &'static str, number: u8) -> Self {
        Self::with(name, number, Config::default()).await
    }

    pub(crate) async fn with(name: &'static str, number: u8, config: Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (platform, directory) = (open(folder.path(), name, number).await, Arc::default());
        let disclosure = Arc::new(FakeDisclosure::by(usual));
        let room = room(&platform, &directory, &disclosure, config).await;
        Self { name, room, platform, directory, disclosure, folder }
    }

    /// As after a crash: everything in memory is gone.
    pub(crate) async fn reborn(self, number: u8) -> Self {
        let Self { name, platform, directory, disclosure, folder, room: former } = self;
        drop(former);
        platform.db.close().await;
        drop(platform);
        let platform = open(folder.path(), name, number).await;
        let room = room(&platform, &directory, &disclosure, Config::default()).await;
        Self { name, room, platform, directory, disclosure, folder }
    }

    pub(crate) fn node(&self) -> NodeId {
        self.platform.node.id
    }

    /// Makes another house a peer of this one; our id for it.
    pub(crate) fn knows(&self, other: &Self) -> PeerId {
        let id = PeerId::mint(Timestamp::from_secs(1_700_000_000), [other.name.as_bytes()[0]; 10]);
        self.directory.0.lock().unwrap().push(Peer {
            id,
            node: other.node(),
            name: other.name.into(),
            kind: "cert".into(),
            url: None,
            fingerprint: String::new(),
            signing_key: hex::encode(other.platform.signer.public_key()),
        });
        id
    }

    pub(crate) fn peer(&self, other: &Self) -> Peer {
        let all = self.directory.0.lock().unwrap();
        all.iter().find(|peer| peer.node == other.node()).unwrap().clone()
    }

    pub(crate) async fn post(&self, to: PeerId, kind: &str, key: &str) -> Result<bool, DbError> {
        let letter =
            Letter { to, kind: kind.into(), key: key.into(), body: json!({ "text": key }) };
        let room = self.room.clone();
        self.platform.db.write(move |tx| Box::pin(async move { room.post(tx, letter).await })).await
    }

    /// What the correspondent kept, in its order.
    pub(crate) async fn notes(&self) -> Vec<String> {
        let mut sql = self.platform.db.read().await.unwrap();
        let rows = sqlx::query("SELECT body FROM notes ORDER BY note").fetch_all(&mut *sql).await;
        let text = |row: &sqlx::any::AnyRow| {
            let body: Value = serde_json::from_str(sqlx::Row::get(row, 0)).unwrap();
            body["text"].as_str().unwrap().to_owned()
        };
        rows.unwrap().iter().map(text).collect()
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let path = format!("/api/v1/federation{path}");
        let (status, answer) = call(self.room.router(), true, method, &path, body).await;
        (status.as_u16(), answer)
    }

    pub(crate) async fn link(&self) -> Value {
        self.ask("GET", "/links", &Value::Null).await.1["items"][0].clone()
    }

    /// Forgets which letters it took from, or sent to, its peers, as a node does that was restored from a backup or whose
    /// peer was removed and invited again.
    pub(crate) async fn forget(&self, what: &'static str) {
        let done: Result<(), DbError> = self
            .platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    for one in what.split(';') {
                        sqlx::query(sqlx::AssertSqlSafe(one.to_owned())).execute(tx.sql()).await?;
                    }
                    Ok(())
                })
            })
            .await;
        done.unwrap();
    }

    /// Says objects as a person of this node.
    pub(crate) async fn say(&self, objects: &[Value]) {
        self.say_as("person:test", objects).await;
    }

    pub(crate) async fn say_as(&self, key: &str, objects: &[Value]) {
        let prepared: Vec<Prepared> = objects
            .iter()
            .map(|object| Prepared::new(&stix::Object::from_value(object.clone()).unwrap()))
            .collect();
        let source = Source {
            key: key.into(),
            name: key.into(),
            kind: "person".into(),
            tlp: stix::Tlp::Clear,
            licence: String::new(),
        };
        let said: Result<(), DbError> = self
            .platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let now_us = tx.now().as_micros();
                    let source = intel::sources::ensure(tx.sql(), &source, now_us).await?;
                    let batch =
                        Batch { source, unmarked: 0, collection: None, objects: &prepared, now_us };
                    intel::write::store(tx.sql(), &batch).await?;
                    Ok(())
                })
            })
            .await;
        said.unwrap();
    }

    /// The newest version of an object.
    pub(crate) async fn knows_of(&self, id: &str) -> Option<Value> {
        let mut sql = self.platform.db.read().await.unwrap();
        let found = intel::objects::newest(&mut sql, id, Sight::ALL).await.unwrap();
        found.map(|object| serde_json::from_str(&object.body).unwrap())
    }

    pub(crate) async fn share(&self, ids: &[&str], to: &[&Self]) -> Value {
        let peers: Vec<&str> = to.iter().map(|house| house.name).collect();
        let body = json!({ "objects": ids, "to": { "peers": peers } });
        let (status, share) = self.ask("POST", "/shares", &body).await;
        assert_eq!(status, 201, "{share:#}");
        share
    }

    /// Counts of a share by state.
    pub(crate) async fn counts(&self, share: &Value) -> Value {
        let path = format!("/shares/{}", share["id"].as_str().unwrap());
        self.ask("GET", &path, &Value::Null).await.1["counts"].clone()
    }
}

async fn open(folder: &std::path::Path, name: &str, number: u8) -> Platform {
    let rooms = [intel::MIGRATIONS, federation::MIGRATIONS, NOTES];
    let mut platform = platform::testing::platform(folder, &rooms).await.unwrap();
    platform.node.id = NodeId::mint(Timestamp::from_secs(1_700_000_000), [number; 10]);
    platform.node.name = name.into();
    platform
}

async fn room(
    platform: &Platform,
    directory: &Arc<Directory>,
    disclosure: &Arc<FakeDisclosure>,
    config: Config,
) -> Federation {
    let peers: Arc<dyn PeerDirectory> = directory.clone();
    let room = Federation::open(platform, config, peers).await.unwrap();
    room.meet(disclosure.clone(), vec![Arc::new(Notes)]);
    room
}

/// Letters as one message.
pub(crate) fn message(letters: &[(i64, String)]) -> Vec<u8> {
    let texts: Vec<&str> = letters.iter().map(|(_, text)| text.as_str()).collect();
    format!("{{\"letters\":[{}]}}", texts.join(",")).into_bytes()
}

/// Letters that one house has for another.
pub(crate) async fn waiting(from: &House, to: &House) -> Vec<(i64, String)> {
    from.room.offer(&from.peer(to), None).await.unwrap()
}

/// Hands letters over; the receipts are not brought back.
pub(crate) async fn hand_over(
    from: &House,
    to: &House,
    letters: &[(i64, String)],
) -> Result<Vec<Receipt>, FederationError> {
    to.room.accept(&to.peer(from), message(letters)).await
}

/// Brings all that one house has for another, with receipts; how many letters.
pub(crate) async fn bring(from: &House, to: &House) -> usize {
    let (mut count, mut beginnings) = (0, 0);
    for _ in 0..200 {
        let letters = waiting(from, to).await;
        if letters.is_empty() {
            return count;
        }
        let receipts = match hand_over(from, to, &letters).await {
            Ok(receipts) => receipts,
            // As the worker does.
            Err(FederationError::Gap { .. } | FederationError::Lie(_)) => {
                beginnings += 1;
                assert!(beginnings < 3, "it begins anew again and again");
                from.room.begin_anew(from.peer(to).id).await.unwrap();
                continue;
            }
            Err(error) => panic!("{error}"),
        };
        count += receipts.len();
        from.room.settle(&from.peer(to), receipts).await.unwrap();
    }
    panic!("letters of {} to {} never end", from.name, to.name);
}

/// Lets every house follow what it knows and brings all letters until nothing moves any more.
pub(crate) async fn calm(houses: &[&House]) {
    for _ in 0..200 {
        let mut moved = 0;
        for from in houses {
            from.room.follow().await.unwrap();
            for to in houses {
                let linked = from.directory.0.lock().unwrap().iter().any(|p| p.node == to.node());
                if linked {
                    moved += bring(from, to).await;
                }
            }
        }
        if moved == 0 {
            return;
        }
    }
    panic!("the nodes never come to rest");
}

/// An indicator under a label.
pub(crate) fn indicator(number: u32, tlp: stix::Tlp, modified: &str, name: &str) -> Value {
    json!({
        "type": "indicator", "spec_version": "2.1",
        "id": format!("indicator--00000000-0000-4000-8000-{number:012}"),
        "created": "2026-01-01T00:00:00.000Z", "modified": modified, "name": name,
        "indicator_types": ["malicious-activity"], "pattern": "[ipv4-addr:value = '198.51.100.7']",
        "pattern_type": "stix", "valid_from": "2026-01-01T00:00:00Z",
        "object_marking_refs": [tlp.id()],
    })
}

pub(crate) fn id(number: u32) -> String {
    format!("indicator--00000000-0000-4000-8000-{number:012}")
}

pub(crate) const FIRST: &str = "2026-01-01T00:00:00.000Z";
pub(crate) const SECOND: &str = "2026-01-02T00:00:00.000Z";
