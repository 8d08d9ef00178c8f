//! 10,000 objects judged for 20 recipients: without rules, and with one that replaces addresses.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use communities::{Communities, Config, Deps};
use model::id::TypedId;
use model::{NodeId, PeerId, Timestamp, Tlp};
use platform::peers::{Peer, PeerDirectory};
use platform::testing::call;
use ports::PortError;
use ports::disclosure::{Address, Candidate, Disclosure, Said};
use ports::fake::FakePseudonymiser;
use serde_json::{Value, json};

const OBJECTS: usize = 10_000;
const RECIPIENTS: u8 = 20;

struct Peers;

fn peer(n: u8) -> Peer {
    let at = Timestamp::from_secs(1_795_000_000);
    Peer {
        id: PeerId::mint(at, [n; 10]),
        node: NodeId::mint(at, [n; 10]),
        name: format!("CERT {n}"),
        kind: "cert".into(),
        url: None,
        fingerprint: String::new(),
        signing_key: String::new(),
    }
}

#[async_trait]
impl PeerDirectory for Peers {
    async fn peers(&self) -> Result<Vec<Peer>, PortError> {
        Ok((0..RECIPIENTS).map(peer).collect())
    }
    async fn peer(&self, id: PeerId) -> Result<Option<Peer>, PortError> {
        Ok((0..RECIPIENTS).map(peer).find(|peer| peer.id == id))
    }
    async fn client(&self, _: PeerId) -> Result<reqwest::Client, PortError> {
        Err(PortError::Unavailable("nobody calls here".into()))
    }
}

fn candidate(n: usize) -> Candidate {
    let (a, b) = (n / 250, n % 250);
    let at = "2026-01-01T00:00:00.000Z";
    let marking = [stix::Tlp::Green, stix::Tlp::Amber][n % 2].id();
    let object = json!({
        "type": "indicator", "spec_version": "2.1", "id": format!("indicator--00000000-0000-4000-8000-{n:012}"),
        "created": at, "modified": at, "name": format!("seen from 10.0.{a}.{b}"), "valid_from": at,
        "indicator_types": ["malicious-activity"], "pattern_type": "stix", "confidence": n % 100,
        "pattern": format!("[ipv4-addr:value = '198.51.{a}.{b}']"), "labels": [format!("case-{n}")],
        "object_marking_refs": [marking],
    });
    Candidate {
        object,
        tlp: Tlp::Clear,
        from: None,
        through: None,
        said: Said::Own,
        source: String::new(),
    }
}

async fn judge(room: &Communities, objects: &[Candidate], what: &str) {
    let began = Instant::now();
    let mut goes = 0;
    for n in 0..RECIPIENTS {
        let judged = room.judge(peer(n).id.into(), Address::Named, objects).await.unwrap();
        goes += judged.iter().filter(|one| one.object.is_some()).count();
    }
    let seconds = began.elapsed().as_secs_f64();
    let asked = objects.len() * usize::from(RECIPIENTS);
    println!(
        "{what}: {asked} judged, {goes} go: {seconds:.2} s, {:.0} a second",
        asked as f64 / seconds
    );
}

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let rooms = [intel::MIGRATIONS, communities::MIGRATIONS];
    let platform = platform::testing::platform(folder.path(), &rooms).await.unwrap();
    let deps = Deps { peers: Arc::new(Peers), pseudonymiser: Arc::new(FakePseudonymiser) };
    let room = Communities::open(&platform, Config::default(), deps).await.unwrap();
    let objects: Vec<Candidate> = (0..OBJECTS).map(candidate).collect();
    judge(&room, &objects, "as they are, first").await;
    judge(&room, &objects, "as they are, again").await;
    let rule: Value = json!({ "name": "own", "action": { "do": "pseudonymise" } });
    let path = "/api/v1/sharing/redactions";
    let (status, _) = call(room.router(), true, "POST", path, &rule).await;
    assert_eq!(status, 201);
    judge(&room, &objects, "addresses replaced").await;
}
