//! A node that knows something under every label, with a peer, and who asks it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::access_kit::{Act, acts};
use crate::faults_kit::{Phoenix, invitation, items, join};
use crate::programs::{json as read_json, output, sereno};
use crate::sight::{LABELS, ROLES, id};

/// Who asks.
pub(crate) struct Asker {
    pub(crate) role: &'static str,
    /// How many labels are in its sight.
    pub(crate) seen: usize,
    client: reqwest::Client,
    base: String,
    token: Option<String>,
}

pub(crate) type Told = (u16, String, String);

impl Asker {
    pub(crate) async fn ask(&self, method: &str, path: &str, media: &str, body: &str) -> Told {
        let url = format!("{}{path}", self.base);
        let mut request = self.client.request(method.parse().unwrap(), &url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if path.starts_with("/taxii2/") {
            request = request.header("accept", "application/taxii+json;version=2.1");
        }
        if !body.is_empty() {
            request = request.header("content-type", media).body(body.to_owned());
        }
        let answer = request.send().await.unwrap();
        let kind =
            answer.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
        let status = answer.status().as_u16();
        (status, kind.unwrap_or_default(), answer.text().await.unwrap())
    }

    /// Asks about one thing; a path below MISP's door where the act has one.
    pub(crate) async fn act(&self, act: &Act, misp: &str, (word, n): (&str, usize)) -> Told {
        let about = |text: &str| about(text, word, n);
        let path = filled(&act.path, &about(misp), word, n);
        self.ask(&act.method, &path, &act.media, &about(act.body)).await
    }
}

fn about(text: &str, word: &str, n: usize) -> String {
    text.replace("$ID", &id("indicator", n))
        .replace("$UUID", &uuid(n))
        .replace("$WORD", word)
        .replace("$N", &(n + 1).to_string())
}

fn uuid(n: usize) -> String {
    id("x", n)[3..].to_owned()
}

/// A path of the description about one thing.
fn filled(path: &str, misp: &str, word: &str, n: usize) -> String {
    let parts: Vec<String> = path
        .split('/')
        .map(|part| match part {
            "{root}" => "sereno".into(),
            "{*path}" => misp.into(),
            "{object}" => id("indicator", n),
            "{name}" | "{edge}" => word.into(),
            "{device}" => "02:00:00:00:00:01".into(),
            "{version}" | "{n}" => "1".into(),
            "{protocol}" => "modbus".into(),
            "{id}" if path.starts_with("/taxii2/") => "inbox".into(),
            "{id}" if path.contains("/knowledge/objects/") => id("indicator", n),
            part if part.starts_with('{') => uuid(n),
            part => part.into(),
        })
        .collect();
    parts.join("/")
}

/// What was told, without what it was asked about.
pub(crate) fn plain((status, kind, text): &Told, word: &str, n: usize) -> Told {
    // What was taken in is answered by a receipt of its own each time.
    if *status == 202 {
        return (*status, kind.clone(), String::new());
    }
    let text = text.replace(&uuid(n), "UUID").replace(word, "WORD");
    // The digest of what was asked.
    let text = match text.find("\"sha256\":\"") {
        Some(at) => [&text[..at], text.get(at + 75..).unwrap_or_default()].concat(),
        None => text,
    };
    // When something was stopped.
    let text = match text.find("\"at\":\"") {
        Some(at) => [&text[..at], text.get(at + 34..).unwrap_or_default()].concat(),
        None => text,
    };
    // A bundle has another random id each time.
    let text = text.split("bundle--").next().unwrap_or_default().to_owned();
    (*status, kind.clone(), text)
}

/// A node that knows something under every label, with a peer.
pub(crate) struct Ground {
    _folder: tempfile::TempDir,
    pub(crate) node: Phoenix,
    _peer: Phoenix,
    pub(crate) askers: Vec<Asker>,
    pub(crate) administrator: Asker,
}

impl Ground {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let node = Phoenix::up(&folder.path().join("node"), "Harbour CERT", "cert");
        let peer = Phoenix::up(&folder.path().join("peer"), "Harbour", "operator");
        let invited = invitation(&node.data, folder.path(), "Harbour");
        assert_eq!(join(&peer.data, &invited).0, 0);
        let _ = rustls::crypto::ring::default_provider().install_default();
        let token = |role: &str| {
            let made = output(
                sereno().args(["token", "new", "--json", "--role", role, "--data"]).arg(&node.data),
            );
            read_json(&made)["token"].as_str().unwrap().to_owned()
        };
        let asker = |role: &'static str, seen: usize, token: Option<String>| Asker {
            role,
            seen,
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            base: node.url.clone(),
            token,
        };
        let mut askers: Vec<Asker> = ROLES
            .into_iter()
            .filter(|(role, _)| *role != "administrator")
            .map(|(role, seen)| asker(role, seen, Some(token(role))))
            .collect();
        askers.push(asker("nobody", 0, None));
        askers.push(Self::peer_of(&node, &peer));
        let administrator = asker("administrator", 5, Some(token("administrator")));
        Self { _folder: folder, node, _peer: peer, askers, administrator }
    }

    /// The peer's own certificate, in our hand.
    fn peer_of(node: &Phoenix, peer: &Phoenix) -> Asker {
        let known = items(&peer.data, &["peer", "list"])[0]["node"].as_str().unwrap().to_owned();
        let part = |kind: &str| peer.key(&format!("peer-{known}.{kind}.pem"));
        let own = format!("{}\n{}", part("crt"), part("key"));
        let ca = reqwest::Certificate::from_pem(node.key("ca.crt.pem").as_bytes()).unwrap();
        let client = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([ca])
            .identity(reqwest::Identity::from_pem(own.as_bytes()).unwrap())
            .build()
            .unwrap();
        Asker { role: "peer", seen: 0, client, base: node.tls.clone(), token: None }
    }

    pub(crate) async fn fill(&self) {
        let analyst = self.askers.iter().find(|asker| asker.role == "analyst").unwrap();
        let media = "application/json";
        let bundle = json!({"type": "bundle", "id": id("bundle", 0),
            "objects": crate::sight::objects(0..LABELS.len())});
        let path = "/api/v1/intel/import?tlp=clear";
        let (status, _, said) = analyst.ask("POST", path, media, &bundle.to_string()).await;
        assert_eq!(status, 200, "{said}");
        for (label, _, word) in LABELS {
            let event = json!({"Event": {"info": format!("an event of the {word}"), "distribution": "3",
                "Tag": [{"name": label}], "Attribute": [{"type": "domain", "value": format!("{word}.example"),
                "comment": format!("about the {word}")}]}});
            let (status, _, said) =
                analyst.ask("POST", "/misp/events/add", media, &event.to_string()).await;
            assert_eq!(status, 200, "{said}");
        }
    }

    pub(crate) async fn acts(&self) -> Vec<Act> {
        let path = "/api/v1/openapi.json";
        let (_, _, text) = self.administrator.ask("GET", path, "", "").await;
        acts(&serde_json::from_str(&text).unwrap())
    }

    /// Names of the acts that the node itself says each role may do.
    pub(crate) async fn matrix(&self) -> BTreeMap<String, Vec<String>> {
        let (_, _, text) = self.administrator.ask("GET", "/api/v1/access-matrix", "", "").await;
        let all: Value = serde_json::from_str(&text).unwrap();
        let mut may: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for route in all["routes"].as_array().unwrap() {
            let name = format!(
                "{} {}",
                route["method"].as_str().unwrap(),
                route["path"].as_str().unwrap()
            );
            for role in route["roles"].as_array().unwrap() {
                may.entry(role.as_str().unwrap().to_owned()).or_default().push(name.clone());
            }
        }
        may
    }
}
