//! The other organisation is away, is somebody else, or is no longer welcome.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair,
};
use reqwest::header::ACCEPT;
use serde_json::Value;
use sqlx::{Connection, Row};

use crate::faults_kit::{
    Answer, Edge, Phoenix, ask, facts, invitation, items, join, plain, send, until,
};
use crate::programs::{output, sereno};

const TAXII: &str = "application/taxii+json;version=2.1";

struct Pair {
    _folder: tempfile::TempDir,
    invitation: PathBuf,
    operator: Phoenix,
    cert: Phoenix,
}

impl Pair {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let operator = Phoenix::up(&folder.path().join("operator"), "Harbour", "operator");
        let cert = Phoenix::up(&folder.path().join("cert"), "Harbour CERT", "cert");
        let invitation = invitation(&cert.data, folder.path(), "Harbour");
        let (code, said) = join(&operator.data, &invitation);
        assert_eq!(code, 0, "{said}");
        Self { _folder: folder, invitation, operator, cert }
    }

    /// The certificate and key that the CERT gave the operator, PEM.
    fn client_identity(&self) -> (String, String) {
        let node = items(&self.operator.data, &["peer", "list"])[0]["node"].clone();
        let node = node.as_str().unwrap();
        let part = |kind| self.operator.key(&format!("peer-{node}.{kind}.pem"));
        (part("crt"), part("key"))
    }
}

/// What stands in the outbox of shares: id, state, signature, digest of the envelope.
fn shares(data: &Path) -> Vec<(String, String, String, String)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        sqlx::any::install_default_drivers();
        let url = format!("sqlite://{}?mode=ro", data.join("sereno.db").display());
        let mut sql = sqlx::AnyConnection::connect(&url).await.unwrap();
        let rows = sqlx::query("SELECT id, state, signature, digest FROM cti_shares ORDER BY id")
            .fetch_all(&mut sql)
            .await
            .unwrap();
        sql.close().await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3))).collect()
    })
}

/// How often the bus says that a share moved to a state.
fn moves(data: &Path, state: &str) -> usize {
    let moved = facts(data, "cti.share_moved");
    moved.iter().filter(|fact| fact["payload"]["state"] == state).count()
}

#[test]
fn a_share_waits_for_a_cert_that_is_down_and_arrives_once() {
    let mut pair = Pair::new();
    pair.cert.fall();
    let edge = Edge::feed(&pair.operator.data);
    let operator = pair.operator.data.clone();
    let waiting = until("a share that could not be delivered", || {
        let found = items(&operator, &["shares"]);
        found.iter().any(|share| share["last_error"].is_string()).then(|| shares(&operator))
    });
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    let (id, state, signature, digest) = waiting[0].clone();
    assert_eq!(state, "queued");
    assert!(signature.len() == 128 && hex_only(&signature), "not signed: '{signature}'");

    // The operator loses its power while it waits.
    drop(edge);
    pair.operator.fall();
    pair.operator.rise();
    assert_eq!(shares(&operator), waiting, "the share changed while it waited");

    pair.cert.rise();
    let delivered = until("delivery", || {
        items(&operator, &["shares"]).into_iter().find(|share| share["state"] == "delivered")
    });
    assert_eq!(delivered["id"], id.as_str());
    assert_eq!(delivered["receipt"]["verified"], true, "{delivered:#}");
    assert_eq!(delivered["receipt"]["digest"], digest.as_str(), "another envelope was delivered");

    // Both lose their power once more: nothing is sent or opened a second time.
    for node in [&mut pair.operator, &mut pair.cert] {
        node.fall();
        node.rise();
    }
    let cert = pair.cert.data.clone();
    let opened = until("the incident at the CERT", || {
        let all = items(&cert, &["incidents"]);
        (!all.is_empty()).then_some(all)
    });
    assert_eq!(opened.len(), 1, "{opened:#?}");
    assert_eq!(opened[0]["received_share"], id.as_str(), "{opened:#?}");
    assert_eq!(facts(&cert, "cti.incident_received").len(), 1);
    assert_eq!(items(&operator, &["runs"]).len(), 1);
    assert_eq!(shares(&operator).len(), 1);
    assert_eq!(moves(&operator, "delivered"), 1);
    for data in [&operator, &cert] {
        assert_eq!(ask(data, &["ledger", "verify"])["verified"], true);
    }
}

fn hex_only(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A client certificate made by this test's hand, valid for the days from now.
fn forged(authority: &Issuer<'_, KeyPair>, node: &str, days: (i64, i64)) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, node);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let now = time::OffsetDateTime::now_utc();
    params.not_before = now + time::Duration::days(days.0);
    params.not_after = now + time::Duration::days(days.1);
    let certificate = params.signed_by(&key, authority).unwrap().pem();
    (certificate, key.serialize_pem())
}

/// Asks for TAXII's discovery from one of this machine's own addresses: refusals are noted per
/// address, a flood from one of them becomes one fact.
fn discover(cert: &Phoenix, from: u8, own: Option<&(String, String)>) -> Result<Answer, String> {
    let ca = reqwest::Certificate::from_pem(cert.key("ca.crt.pem").as_bytes()).unwrap();
    let builder = |builder: reqwest::ClientBuilder| {
        let builder =
            builder.tls_certs_only([ca]).local_address(IpAddr::V4(Ipv4Addr::new(127, 0, 0, from)));
        match own {
            None => builder,
            Some((certificate, key)) => {
                let pem = format!("{certificate}\n{key}");
                builder.identity(reqwest::Identity::from_pem(pem.as_bytes()).unwrap())
            }
        }
    };
    send(builder, |client| client.get(format!("{}/taxii2/", cert.tls)).header(ACCEPT, TAXII))
}

fn refusals(data: &Path, who: &str) -> Vec<String> {
    facts(data, "identity.access_noted")
        .iter()
        .map(|fact| &fact["payload"])
        .filter(|note| note["what"] == "peer_refused" && note["who"] == who)
        .map(|note| note["detail"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn wrong_and_expired_certificates_end_the_handshake_and_are_noted() {
    let pair = Pair::new();
    let cert = &pair.cert;
    let real = pair.client_identity();
    let welcome = discover(cert, 10, Some(&real)).unwrap();
    assert_eq!(welcome.status, 200, "{welcome:?}");
    let nobody = discover(cert, 11, None).unwrap();
    assert_eq!(nobody.status, 401, "{nobody:?}");
    assert!(nobody.kind().starts_with("application/taxii+json"), "{nobody:?}");

    let ca = cert.key("ca.crt.pem");
    let own = Issuer::from_ca_cert_pem(&ca, KeyPair::from_pem(&cert.key("ca.key.pem")).unwrap());
    let own = own.unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let strange = Issuer::new(params, KeyPair::generate().unwrap());
    let operator_ca = pair.operator.key("ca.crt.pem");
    let operator_key = KeyPair::from_pem(&pair.operator.key("ca.key.pem")).unwrap();
    let operator_own = Issuer::from_ca_cert_pem(&operator_ca, operator_key).unwrap();
    let node = items(&cert.data, &["peer", "list"])[0]["node"].as_str().unwrap().to_owned();
    let cases = [
        (20, "another node's authority", forged(&operator_own, &node, (-1, 1))),
        (21, "nobody's authority", forged(&strange, &node, (-1, 1))),
        (22, "expired", forged(&own, &node, (-2, -1))),
        (23, "not valid yet", forged(&own, &node, (1, 2))),
    ];
    for (from, why, certificate) in &cases {
        let answer = discover(cert, *from, Some(certificate));
        assert!(answer.is_err(), "{why}: {answer:?}");
        let who = format!("127.0.0.{from}");
        let noted = until(why, || refusals(&cert.data, &who).pop());
        assert!(noted.contains("TLS handshake"), "{why}: {noted}");
    }
    assert!(refusals(&cert.data, "127.0.0.22")[0].to_lowercase().contains("expired"));
    // Our own authority, the right node, another key than the one we took in: TLS is content, we
    // are not.
    let stolen = forged(&own, &node, (-1, 1));
    let answer = discover(cert, 24, Some(&stolen)).unwrap();
    assert_eq!(answer.status, 403, "{answer:?}");
    until("the refusal of a replaced key", || refusals(&cert.data, "Harbour").pop());
    // None of that harmed the peer.
    assert_eq!(discover(cert, 10, Some(&real)).unwrap().status, 200);
}

#[test]
fn an_invitation_opens_the_door_to_one_node() {
    let pair = Pair::new();
    let folder = tempfile::tempdir().unwrap();
    let thief = Phoenix::up(&folder.path().join("thief"), "Thief", "operator");
    let (code, said) = join(&thief.data, &pair.invitation);
    assert_ne!(code, 0);
    assert!(said.contains("used already"), "{said}");
    assert!(items(&thief.data, &["peer", "list"]).is_empty());
    assert_eq!(items(&pair.cert.data, &["peer", "list"]).len(), 1);
    let thief_id = ask(&thief.data, &["get", "/api/v1/node"])["node"]["id"].clone();
    let thief_id = thief_id.as_str().unwrap().to_owned();
    let noted = until("the refusal", || refusals(&pair.cert.data, &thief_id).pop());
    assert!(noted.contains("used already"), "{noted}");
    // Other broken invitations say what is wrong with them.
    let file = folder.path().join("broken.json");
    let mut broken: Value =
        serde_json::from_slice(&std::fs::read(&pair.invitation).unwrap()).unwrap();
    broken["code"] = "guessed".into();
    std::fs::write(&file, broken.to_string()).unwrap();
    assert_ne!(join(&thief.data, &file).0, 0);
    std::fs::write(&file, "{\"version\":1").unwrap();
    let (code, said) = join(&thief.data, &file);
    assert!(code != 0 && said.contains("broken.json"), "{code} {said}");
}

#[test]
fn a_removed_peer_opens_nothing_any_more() {
    let pair = Pair::new();
    let own = pair.client_identity();
    assert_eq!(discover(&pair.cert, 10, Some(&own)).unwrap().status, 200);
    let peers = items(&pair.cert.data, &["peer", "list"]);
    let id = peers[0]["id"].as_str().unwrap();
    let remove =
        |id: &str| output(sereno().args(["peer", "remove", "--data"]).arg(&pair.cert.data).arg(id));
    assert!(remove(id).status.success());
    assert!(items(&pair.cert.data, &["peer", "list"]).is_empty());
    for path in ["/taxii2/", "/taxii2/sereno/collections/", "/api/v1/incidents", "/api/v1/node"] {
        let ca = reqwest::Certificate::from_pem(pair.cert.key("ca.crt.pem").as_bytes()).unwrap();
        let pem = format!("{}\n{}", own.0, own.1);
        let shown = reqwest::Identity::from_pem(pem.as_bytes()).unwrap();
        let answer = send(
            |builder| builder.tls_certs_only([ca]).identity(shown),
            |client| client.get(format!("{}{path}", pair.cert.tls)),
        );
        let answer = answer.unwrap();
        assert_eq!(answer.status, 403, "{path}: {answer:?}");
    }
    let noted = until("the refusal", || refusals(&pair.cert.data, "Harbour").pop());
    assert!(noted.contains("ended"), "{noted}");
    // Not from within either, and a second removal finds nobody.
    let anonymous = send(plain, |client| client.get(format!("{}/taxii2/", pair.cert.url)));
    assert_eq!(anonymous.unwrap().status, 401);
    assert_eq!(remove(id).status.code(), Some(1));
}
