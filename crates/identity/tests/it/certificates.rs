use axum::http::StatusCode;
use identity::{ClientCa, Config, SubjectAccount, new_request};
use model::Timestamp;
use platform::peers::PeerDirectory;
use rcgen::{
    CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SanType, SerialNumber,
};
use serde_json::{Value, json};

use crate::peers::{forged, invite, join, taxii, with_identity};
use crate::tls::door;
use crate::{Node, open, open_with};

async fn made(node: &Node, label: &str, body: Value) -> (String, (String, String)) {
    let (key, request) = new_request().unwrap();
    let mut asked = json!({"role": "taxii", "label": label, "days": 30, "request": request});
    asked.as_object_mut().unwrap().extend(body.as_object().cloned().unwrap_or_default());
    let answer = node.admin("POST", "/api/v1/certificates", asked).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    let field = |name: &str| answer.json[name].as_str().unwrap().to_owned();
    assert_eq!(field("authority"), node.identity.ca_pem());
    (field("id"), (field("certificate"), key))
}

/// A client that keeps its connection.
fn client(node: &Node, own: &(String, String)) -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let ca = reqwest::Certificate::from_pem(node.identity.ca_pem().as_bytes()).unwrap();
    let pem = format!("{}\n{}", own.0, own.1);
    let own = reqwest::Identity::from_pem(pem.as_bytes()).unwrap();
    reqwest::Client::builder().tls_certs_only([ca]).no_proxy().identity(own).build().unwrap()
}

async fn get(client: &reqwest::Client, url: &str) -> (u16, String) {
    let answer = client.get(url).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn a_certificate_opens_its_rights_until_it_is_revoked_or_ends() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path(), 1).await;
    let door = door(&node).await;
    let url = format!("https://{}/taxii2/", door.address);
    let (id, own) = made(&node, "ISAC reader", json!({"grants": ["inbox:read"]})).await;
    let kept = client(&node, &own);
    assert_eq!(get(&kept, &url).await, (200, "certificate ISAC reader taxii".into()));
    let things = format!("https://{}/api/v1/things", door.address);
    assert_eq!(get(&kept, &things).await.0, 403, "a TAXII client has no other rights");
    let none = with_identity(node.identity.ca_pem(), None, url.clone()).await.unwrap();
    assert_eq!(none, 401);

    let listed = node.admin("GET", "/api/v1/certificates", Value::Null).await;
    assert_eq!(listed.json["items"][0]["state"], json!("in force"), "{}", listed.text);
    assert_eq!(listed.json["items"][0]["grants"], json!(["inbox:read"]));
    assert!(!listed.text.contains("BEGIN"), "{}", listed.text);

    // Revoked: the connection stands and opens nothing.
    let path = format!("/api/v1/certificates/{id}");
    let gone = node.admin("DELETE", &path, Value::Null).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    let (status, text) = get(&kept, &url).await;
    assert!(status == 403 && text.contains("was revoked"), "{status} {text}");
    assert!(text.contains("sereno taxii certificate new"), "{text}");
    let again = node.admin("DELETE", &path, Value::Null).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);

    // Its end counts on connections that stand, and ends the handshake of new ones.
    // The list is in the order of making, to the millisecond.
    node.clock.advance_micros(1_000_000);
    let (_, own) = made(&node, "short", json!({"days": 1})).await;
    let kept = client(&node, &own);
    assert_eq!(get(&kept, &url).await.0, 200);
    node.clock.advance_micros(86_402_000_000);
    let (status, text) = get(&kept, &url).await;
    assert!(status == 403 && text.contains("has expired"), "{status} {text}");
    client(&node, &own).get(&url).send().await.unwrap_err();
    assert!(door.refused.lock().unwrap().iter().any(|why| why.contains("xpired")));
    let listed = node.admin("GET", "/api/v1/certificates", Value::Null).await;
    assert_eq!(listed.json["items"][0]["state"], json!("expired"));
    assert_eq!(listed.json["items"][1]["state"], json!("revoked"));
    assert_eq!(node.noted("certificate_created").await.len(), 2);
    assert_eq!(node.noted("certificate_revoked").await.len(), 1);
}

#[tokio::test]
async fn programs_and_nodes_do_not_pass_for_each_other() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (cert, operator) = (open(one.path(), 1).await, open(two.path(), 2).await);
    let door = door(&cert).await;
    let peer = join(&operator, &invite(&cert, "Harbour").await).await;
    let url = format!("https://{}/taxii2/", door.address);

    // A program named like the node, even with the node's own key, is the program.
    let name = format!("peer-{}.key.pem", cert.platform.node.id);
    let key = operator.platform.data.read_key(&name).unwrap().unwrap();
    let request = CertificateParams::default().serialize_request(&KeyPair::from_pem(&key).unwrap());
    let node_id = operator.platform.node.id.to_string();
    let body = json!({"request": request.unwrap().pem().unwrap(), "grants": ["inbox:read"]});
    let (_, (certificate, _)) = made(&cert, &node_id, body).await;
    let as_program = client(&cert, &(certificate, key.clone()));
    let (status, text) = get(&as_program, &url).await;
    assert_eq!((status, text), (200, format!("certificate {node_id} taxii")));
    let renewal = format!("https://{}/api/v1/peers/certificate", door.address);
    let body = json!({"csr": new_request().unwrap().1});
    let answer = as_program.post(renewal).json(&body).send().await.unwrap();
    assert!(answer.status().is_client_error(), "{}", answer.status());

    // The node stays the node, and what the request asks for beside its key is not given.
    assert_eq!(taxii(&operator.identity, peer, &door).await.unwrap().1, "Harbour peer");
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, &node_id);
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let own = KeyPair::generate().unwrap();
    let request = params.serialize_request(&own).unwrap().pem().unwrap();
    let (id, (certificate, _)) = made(&cert, "greedy", json!({"request": request})).await;
    let issuer = Issuer::from_params(&params, KeyPair::from_pem(&own.serialize_pem()).unwrap());
    let below = forged(&issuer, &node_id, cert.platform.now().plus_secs(86_400));
    let chained = (format!("{}{certificate}", below.0), below.1);
    client(&cert, &chained).get(&url).send().await.unwrap_err();
    let der = pem_der(&certificate);
    assert!(contains(&der, format!("urn:sereno:client:{id}").as_bytes()));
    assert!(!contains(&der, b"localhost"), "names asked for are not given");
}

fn contains(hay: &[u8], needle: &[u8]) -> bool {
    hay.windows(needle.len()).any(|window| window == needle)
}

fn pem_der(pem: &str) -> Vec<u8> {
    use rustls_pki_types::pem::PemObject;
    rustls_pki_types::CertificateDer::from_pem_slice(pem.as_bytes()).unwrap().to_vec()
}

#[tokio::test]
async fn requests_that_cannot_be_right_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path(), 1).await;
    let good = new_request().unwrap().1;
    let check = async |change: Value, words: &str| {
        let mut body = json!({"role": "taxii", "label": "x", "days": 1, "request": good});
        body.as_object_mut().unwrap().extend(change.as_object().cloned().unwrap());
        let answer = node.admin("POST", "/api/v1/certificates", body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text);
        assert!(answer.text.contains(words), "{}", answer.text);
    };
    check(json!({"days": 0}), "1 to 825").await;
    check(json!({"days": 826}), "1 to 825").await;
    check(json!({"role": "peer"}), "is no role").await;
    check(json!({"label": "x".repeat(65)}), "64 characters").await;
    check(json!({"request": "nonsense"}), "signing request").await;
    check(json!({"request": "x".repeat(20_000)}), "the limit is 16384").await;
    let broken = good.replacen("MI", "MJ", 1);
    check(json!({"request": broken}), "signing request").await;
    let body = json!({"role": "taxii", "label": "x", "days": 1, "request": good});
    for role in ["analyst", "operator", "taxii", "read-only"] {
        let answer = node.role(role, "POST", "/api/v1/certificates", body.clone()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{role}");
    }
}

/// An authority that is not this node's.
struct Foreign {
    params: CertificateParams,
    key: KeyPair,
    pem: String,
}

impl Foreign {
    fn new(name: &str, now: Timestamp) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.not_before = moment(now.plus_secs(-86_400));
        params.not_after = moment(now.plus_secs(86_400_000));
        let pem = params.self_signed(&key).unwrap().pem();
        Self { params, key, pem }
    }

    fn client(
        &self,
        (cn, san): (&str, Option<&str>),
        serial: u64,
        now: Timestamp,
    ) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "Example ISAC");
        params.distinguished_name.push(DnType::CommonName, cn);
        if let Some(uri) = san {
            params.subject_alt_names = vec![SanType::URI(uri.try_into().unwrap())];
        }
        params.serial_number = Some(SerialNumber::from(serial));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.not_before = moment(now.plus_secs(-86_400));
        params.not_after = moment(now.plus_secs(86_400));
        let issuer = Issuer::from_params(&self.params, &self.key);
        (params.signed_by(&key, &issuer).unwrap().pem(), key.serialize_pem())
    }

    fn list(&self, serial: u64, now: Timestamp) -> String {
        let revoked = RevokedCertParams {
            serial_number: SerialNumber::from(serial),
            revocation_time: moment(now),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: moment(now),
            next_update: moment(now.plus_secs(86_400)),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: vec![revoked],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&Issuer::from_params(&self.params, &self.key)).unwrap().pem().unwrap()
    }
}

fn moment(at: Timestamp) -> time::OffsetDateTime {
    time::OffsetDateTime::from_unix_timestamp(at.as_micros() / 1_000_000).unwrap()
}

#[tokio::test]
async fn certificates_of_an_authority_outside_open_the_accounts_they_are_mapped_to() {
    let (folder, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let now = Timestamp::from_secs(1_790_000_000);
    let authority = Foreign::new("Partners", now);
    let (file, list) = (files.path().join("ca.pem"), files.path().join("crl.pem"));
    std::fs::write(&file, &authority.pem).unwrap();
    std::fs::write(&list, authority.list(99, now)).unwrap();
    let account = |subject: Option<&str>, san: Option<&str>, account: &str| SubjectAccount {
        account: account.into(),
        subject: subject.map(str::to_owned),
        san: san.map(str::to_owned),
        fingerprint: None,
    };
    let client_ca = ClientCa {
        file,
        revoked: Some(list.clone()),
        accounts: vec![
            account(Some("CN=reader, O=Example ISAC"), None, "isac"),
            account(None, Some("uri:urn:example:other"), "nobody"),
        ],
    };
    let config = Config { client_ca: Some(client_ca), ..Config::default() };
    let node = open_with(folder.path(), 1, config).await;
    let door = door(&node).await;
    let url = format!("https://{}/taxii2/", door.address);
    let body = json!({"name": "isac", "role": "taxii", "grants": ["inbox:read"]});
    assert_eq!(node.admin("POST", "/api/v1/users", body).await.status, StatusCode::CREATED);

    let reader = authority.client(("reader", None), 7, now);
    let kept = client(&node, &reader);
    assert_eq!(get(&kept, &url).await, (200, "isac taxii".into()));
    let check = async |own: (String, String), words: &str| {
        let (status, text) = get(&client(&node, &own), &url).await;
        assert!(status == 403 && text.contains(words), "{status} {text}");
    };
    check(authority.client(("someone", None), 8, now), "no account is mapped").await;
    let other = authority.client(("x", Some("urn:example:other")), 9, now);
    check(other, "no account 'nobody'").await;

    // It cannot make nodes or programs of ours.
    let (id, own) = made(&node, "own", json!({})).await;
    let uri = format!("urn:sereno:client:{id}");
    check(authority.client(("own", Some(&uri)), 10, now), "no account is mapped").await;
    assert_eq!(get(&client(&node, &own), &url).await.0, 200, "ours go on beside it");
    let peers = node.identity.peers().await.unwrap();
    assert!(peers.is_empty());

    // Others' authorities, and what it has revoked, do not pass the handshake.
    let stranger = Foreign::new("Partners", now).client(("reader", None), 7, now);
    client(&node, &stranger).get(&url).send().await.unwrap_err();
    let revoked = authority.client(("reader", None), 99, now);
    client(&node, &revoked).get(&url).send().await.unwrap_err();
    assert!(door.refused.lock().unwrap().iter().any(|why| why.contains("evoked")));
    std::fs::write(&list, authority.list(7, now)).unwrap();
    node.identity.renew().unwrap();
    client(&node, &reader).get(&url).send().await.unwrap_err();

    // An account that goes takes its certificates along, also on connections that stand.
    assert_eq!(get(&kept, &url).await.0, 200);
    let gone = node.admin("DELETE", "/api/v1/users/isac", Value::Null).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT, "{}", gone.text);
    let (status, text) = get(&kept, &url).await;
    assert!(status == 403 && text.contains("no account 'isac'"), "{status} {text}");
}
