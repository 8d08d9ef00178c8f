use axum::http::StatusCode;
use identity::{Enrolment, Identity, Invitation, proof_text};
use model::id::TypedId;
use model::{NodeId, PeerId, Timestamp};
use platform::http::Caller;
use platform::peers::PeerDirectory;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};
use serde_json::{Value, json};

use crate::tls::{Door, door};
use crate::{Node, open};

pub(crate) async fn invite(node: &Node, name: &str) -> Invitation {
    let body = json!({ "name": name, "kind": "operator" });
    let answer = node.admin("POST", "/api/v1/peers/invitations", body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    serde_json::from_value(answer.json).unwrap()
}

pub(crate) async fn join(node: &Node, invitation: &Invitation) -> PeerId {
    let body = serde_json::to_value(invitation).unwrap();
    let answer = node.admin("POST", "/api/v1/peers/join", body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    answer.json["id"].as_str().unwrap().parse().unwrap()
}

pub(crate) async fn taxii(
    identity: &Identity,
    peer: PeerId,
    door: &Door,
) -> reqwest::Result<(u16, String)> {
    let client = identity.client(peer).await.unwrap();
    let answer = client.get(format!("https://{}/taxii2/", door.address)).send().await?;
    Ok((answer.status().as_u16(), answer.text().await?))
}

/// A client certificate made by somebody else's hand.
pub(crate) fn forged(
    authority: &Issuer<'_, KeyPair>,
    node: &str,
    until: Timestamp,
) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, node);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let moment = |at: Timestamp| {
        time::OffsetDateTime::from_unix_timestamp(at.as_micros() / 1_000_000).unwrap()
    };
    params.not_before = moment(until.plus_secs(-86_400));
    params.not_after = moment(until);
    let certificate = params.signed_by(&key, authority).unwrap().pem();
    (certificate, key.serialize_pem())
}

pub(crate) async fn with_identity(
    ca_pem: &str,
    own: Option<&(String, String)>,
    url: String,
) -> reqwest::Result<u16> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let ca = reqwest::Certificate::from_pem(ca_pem.as_bytes()).unwrap();
    let mut builder = reqwest::Client::builder().tls_certs_only([ca]).no_proxy();
    if let Some((certificate, key)) = own {
        let pem = format!("{certificate}\n{key}");
        builder = builder.identity(reqwest::Identity::from_pem(pem.as_bytes()).unwrap());
    }
    Ok(builder.build().unwrap().get(url).send().await?.status().as_u16())
}

#[tokio::test]
async fn an_invited_node_calls_with_its_certificate_until_it_is_removed() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (cert, operator) = (open(one.path(), 1).await, open(two.path(), 2).await);
    let door = door(&cert).await;
    let invitation = invite(&cert, "Harbour Tram and Grid").await;
    assert_eq!(invitation.url, format!("https://{}", door.address));
    let peer = join(&operator, &invitation).await;
    assert_eq!(
        taxii(&operator.identity, peer, &door).await.unwrap(),
        (200, "Harbour Tram and Grid peer".into())
    );

    // Both sides know each other under the same node ids, keys and authority.
    let there = operator.identity.peers().await.unwrap();
    let here = cert.identity.peers().await.unwrap();
    assert_eq!((there.len(), here.len()), (1, 1));
    assert_eq!((there[0].node, here[0].node), (cert.platform.node.id, operator.platform.node.id));
    assert_eq!(there[0].signing_key, hex::encode(cert.platform.signer.public_key()));
    assert_eq!(here[0].signing_key, hex::encode(operator.platform.signer.public_key()));
    assert_eq!(there[0].fingerprint, here[0].fingerprint);
    assert_eq!((there[0].kind.as_str(), here[0].url.as_ref()), ("cert", None));
    assert!(cert.identity.client(here[0].id).await.is_err(), "it only calls us");
    let listed = cert.admin("GET", "/api/v1/peers", Value::Null).await;
    assert_eq!(listed.json["items"][0]["state"], json!("reachable"), "{}", listed.text);
    assert_eq!(listed.json["items"][0]["direction"], json!("they send"));

    // After a restart the operator still can.
    operator.close().await;
    let operator = open(two.path(), 2).await;
    assert_eq!(taxii(&operator.identity, peer, &door).await.unwrap().0, 200);

    // Removed, its certificate is still good for TLS and opens nothing.
    let removed = cert.admin("DELETE", &format!("/api/v1/peers/{}", here[0].id), Value::Null).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    let (status, text) = taxii(&operator.identity, peer, &door).await.unwrap();
    assert_eq!(status, 403, "{text}");
    assert!(text.contains("was ended"), "{text}");
    assert_eq!(cert.noted("peer_refused").await.len(), 1);

    // Who can be reached is seen from the calls themselves.
    let seen = async || {
        let peers = operator.admin("GET", "/api/v1/peers", Value::Null).await;
        peers.json["items"][0]["state"].as_str().unwrap().to_owned()
    };
    assert_eq!(seen().await, "reachable");
    let client = operator.identity.client(peer).await.unwrap();
    client.get("https://127.0.0.1:1/").send().await.unwrap_err();
    assert_eq!(seen().await, "unreachable");

    // A new invitation opens it again.
    assert_eq!(join(&operator, &invite(&cert, "Harbour").await).await, peer);
    assert_eq!(taxii(&operator.identity, peer, &door).await.unwrap().0, 200);
}

#[tokio::test]
async fn a_client_certificate_is_renewed_before_its_end_and_not_after() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (cert, operator) = (open(one.path(), 1).await, open(two.path(), 2).await);
    let door = door(&cert).await;
    let peer = join(&operator, &invite(&cert, "Harbour").await).await;
    let name = format!("peer-{}.crt.pem", cert.platform.node.id);
    let file = || operator.platform.data.read_key(&name).unwrap().unwrap();
    let first = file();
    let advance = |days: i64| {
        for clock in [&cert.clock, &operator.clock] {
            clock.advance_micros(days * 86_400 * 1_000_000);
        }
        cert.identity.renew().unwrap();
    };
    assert_eq!(taxii(&operator.identity, peer, &door).await.unwrap().0, 200);
    assert_eq!(file(), first);
    advance(identity::CLIENT_DAYS - identity::RENEW_CLIENT_BEFORE_DAYS + 1);
    assert_eq!(taxii(&operator.identity, peer, &door).await.unwrap().0, 200);
    assert_ne!(file(), first, "60 days before its end");
    advance(identity::RENEW_CLIENT_BEFORE_DAYS);
    assert_eq!(taxii(&operator.identity, peer, &door).await.unwrap().0, 200, "the first is over");
    advance(identity::CLIENT_DAYS);
    assert!(taxii(&operator.identity, peer, &door).await.is_err(), "too late");
    while cert.noted("peer_refused").await.is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn wrong_and_expired_certificates_end_the_handshake_and_are_noted() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path(), 1).await;
    let door = door(&node).await;
    let url = format!("https://{}/api/v1/things", door.address);
    // The test's own client goes by the real clock, so the node does too.
    let real = ports::Clock::now(&platform::system::SystemClock);
    node.clock.advance_micros(real.micros_since(node.platform.now()));
    node.identity.renew().unwrap();
    let ca = node.identity.ca_pem().to_owned();
    assert_eq!(with_identity(&ca, None, url.clone()).await.unwrap(), 401, "no certificate is fine");

    let key =
        KeyPair::from_pem(&node.platform.data.read_key("ca.key.pem").unwrap().unwrap()).unwrap();
    let own = Issuer::from_ca_cert_pem(&ca, key).unwrap();
    let mut other = CertificateParams::default();
    other.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let other = Issuer::new(other, KeyPair::generate().unwrap());
    let peer = NodeId::mint(real, [9; 10]).to_string();
    for (why, certificate) in [
        ("expired", forged(&own, &peer, real.plus_secs(-60))),
        ("other authority", forged(&other, &peer, real.plus_secs(3_600))),
    ] {
        let before = door.refused.lock().unwrap().len();
        let answer = with_identity(&ca, Some(&certificate), url.clone()).await;
        assert!(answer.is_err(), "{why}: {answer:?}");
        assert!(door.refused.lock().unwrap().len() > before, "{why}");
    }
    let unknown = forged(&own, &peer, real.plus_secs(3_600));
    assert_eq!(with_identity(&ca, Some(&unknown), url.clone()).await.unwrap(), 403, "unknown node");
    while node.noted("peer_refused").await.len() < 2 {
        tokio::task::yield_now().await;
    }

    // The other way round: a server that is not the pinned one gets nothing.
    let stranger = tempfile::tempdir().unwrap();
    let stranger = open(stranger.path(), 3).await;
    assert!(with_identity(stranger.identity.ca_pem(), None, url).await.is_err());
}

#[tokio::test]
async fn a_code_is_used_once_and_by_one_node() {
    let (one, two, three) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (cert, operator) = (open(one.path(), 1).await, open(two.path(), 2).await);
    let thief = open(three.path(), 3).await;
    let _door = door(&cert).await;
    let invitation = invite(&cert, "Harbour").await;
    let peer = join(&operator, &invitation).await;
    // The node that joined may have died before it stored the answer: it asks again and gets the same.
    let files = |node: &Node| {
        let name = format!("peer-{}.crt.pem", cert.platform.node.id);
        node.platform.data.read_key(&name).unwrap().unwrap()
    };
    let first = files(&operator);
    operator.close().await;
    let operator = open(two.path(), 2).await;
    assert_eq!(join(&operator, &invitation).await, peer);
    assert_eq!(files(&operator), first);

    let body = serde_json::to_value(&invitation).unwrap();
    let stolen = thief.admin("POST", "/api/v1/peers/join", body).await;
    assert_eq!(stolen.status, StatusCode::BAD_GATEWAY);
    assert!(stolen.text.contains("used already"), "{}", stolen.text);
    assert_eq!(cert.noted("peer_refused").await.len(), 1);
    assert!(thief.identity.peers().await.unwrap().is_empty());
    assert_eq!(cert.identity.peers().await.unwrap().len(), 1);

    let late = invite(&cert, "Late").await;
    cert.clock.advance_micros(48 * 3_600 * 1_000_000);
    let body = serde_json::to_value(&late).unwrap();
    let refused = thief.admin("POST", "/api/v1/peers/join", body).await;
    assert!(refused.text.contains("has expired"), "{}", refused.text);
}

fn enrolment(node: &Node, code: &str, as_node: &str) -> Enrolment {
    let key = KeyPair::generate().unwrap();
    let csr = CertificateParams::default().serialize_request(&key).unwrap().pem().unwrap();
    let signer = &node.platform.signer;
    Enrolment {
        code: code.into(),
        node: as_node.into(),
        signing_key: hex::encode(signer.public_key()),
        proof: hex::encode(signer.sign(proof_text(code, &csr, as_node).as_bytes())),
        csr,
    }
}

#[tokio::test]
async fn nobody_enrols_as_somebody_else() {
    let (one, two, three) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (cert, operator) = (open(one.path(), 1).await, open(two.path(), 2).await);
    let thief = open(three.path(), 3).await;
    let _door = door(&cert).await;
    join(&operator, &invite(&cert, "Harbour").await).await;
    let code = invite(&cert, "Thief").await.code;
    let send = async |body: Enrolment| {
        let body = serde_json::to_value(body).unwrap();
        cert.nobody("POST", "/api/v1/peers/enrol", body).await
    };
    let harbour = operator.platform.node.id.to_string();
    let own = thief.platform.node.id.to_string();
    let taken = send(enrolment(&thief, &code, &harbour)).await;
    assert_eq!(taken.status, StatusCode::CONFLICT, "{}", taken.text);
    let honest = enrolment(&thief, &code, &own);
    let cases = [
        (Enrolment { code: "guess".into(), ..honest.clone() }, StatusCode::FORBIDDEN),
        (enrolment(&thief, "guess", &own), StatusCode::FORBIDDEN),
        (Enrolment { proof: "00".repeat(64), ..honest.clone() }, StatusCode::FORBIDDEN),
        (Enrolment { csr: "nonsense".into(), ..honest.clone() }, StatusCode::FORBIDDEN),
        (Enrolment { node: "nonsense".into(), ..honest.clone() }, StatusCode::UNPROCESSABLE_ENTITY),
        (
            enrolment(&thief, &code, &cert.platform.node.id.to_string()),
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
    ];
    for (asked, status) in cases {
        let answer = send(asked).await;
        assert_eq!(answer.status, status, "{}", answer.text);
    }
    // None of that used the code up.
    assert_eq!(send(honest).await.status, StatusCode::OK);
    let peers = cert.identity.peers().await.unwrap();
    let known = peers.iter().find(|peer| peer.node == operator.platform.node.id).unwrap();
    assert_eq!(known.signing_key, hex::encode(operator.platform.signer.public_key()));
}

#[tokio::test]
async fn invitations_that_cannot_work_are_refused_with_what_to_do() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (cert, operator) = (open(one.path(), 1).await, open(two.path(), 2).await);
    let body = json!({ "name": "Harbour", "kind": "operator" });
    let no_door = cert.admin("POST", "/api/v1/peers/invitations", body).await;
    assert_eq!(no_door.status, StatusCode::CONFLICT);
    assert!(no_door.text.contains("--tls-listen"), "{}", no_door.text);
    let open_door = door(&cert).await;
    let body = json!({ "name": "Harbour", "kind": "king" });
    let no_kind = cert.admin("POST", "/api/v1/peers/invitations", body).await;
    assert_eq!(no_kind.status, StatusCode::UNPROCESSABLE_ENTITY);

    let good = invite(&cert, "Harbour").await;
    let own = cert.identity.join(&Caller::local_admin(), &good).await.unwrap_err().to_string();
    assert!(own.contains("own"), "{own}");
    let wrong = [
        Invitation { version: 2, ..good.clone() },
        Invitation { url: "http://127.0.0.1:1".into(), ..good.clone() },
        Invitation { ca_pem: "no certificate".into(), ..good.clone() },
        Invitation { ca_pem: operator.identity.ca_pem().into(), ..good.clone() },
        Invitation { signing_key: "short".into(), ..good.clone() },
        Invitation { node: "x".into(), ..good.clone() },
    ];
    for invitation in wrong {
        let answer = operator.identity.join(&Caller::local_admin(), &invitation).await;
        assert!(answer.is_err(), "{invitation:?}");
    }
    assert!(operator.identity.peers().await.unwrap().is_empty());
    // While the inviting node is away the code stays good.
    let address = open_door.address;
    drop(open_door);
    let away = operator.identity.join(&Caller::local_admin(), &good).await.unwrap_err().to_string();
    assert!(away.contains(&address.to_string()), "{away}");
}

#[tokio::test]
async fn the_server_certificate_is_kept_and_renewed_before_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path(), 1).await;
    let read = |node: &Node| node.platform.data.read_key("server.crt.pem").unwrap().unwrap();
    let address = "127.0.0.1:9443".parse().unwrap();
    node.identity.server_tls(address, &["tram.example".into()]).await.unwrap();
    let first = read(&node);
    node.close().await;
    let node = open(folder.path(), 1).await;
    node.identity.server_tls(address, &["tram.example".into()]).await.unwrap();
    assert_eq!(read(&node), first, "kept over a restart");
    node.clock.advance_micros((identity::SERVER_DAYS - 31) * 86_400 * 1_000_000);
    node.identity.renew().unwrap();
    assert_eq!(read(&node), first, "not yet");
    node.clock.advance_micros(2 * 86_400 * 1_000_000);
    node.identity.renew().unwrap();
    let second = read(&node);
    assert_ne!(second, first, "30 days before its end");
    node.identity.server_tls(address, &["other.example".into()]).await.unwrap();
    assert_ne!(read(&node), second, "another name");
    assert!(node.identity.server_tls(address, &["not a name \u{7}é".into()]).await.is_err());
}
