//! API roots and collections as administrators make them.

use serde_json::{Value, json};

use crate::support::{Node, Setup, TAXII, client};
use crate::taxii::malware;

async fn make(node: &Node, what: &str, body: Value) -> (u16, Value) {
    let url = node.url(&format!("/api/v1/taxii/{what}"));
    let request = client("administrator").post(url).header("content-type", "application/json");
    let answer = request.body(body.to_string()).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn see(node: &Node, role: &str, path: &str) -> (u16, Value) {
    let answer = client(role).get(node.url(&format!("/taxii2/{path}"))).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// A root for analysts with an open and a closed collection.
async fn furnished(node: &Node) -> (Value, Value) {
    let root = json!({"name": "cert", "title": "For CERTs", "max_content_length": 2_000,
        "seen_by": ["analyst"]});
    assert_eq!(make(node, "roots", root.clone()).await.0, 201);
    assert_eq!(make(node, "roots", root).await.0, 409);
    let open = json!({"title": "Open", "root": "cert", "alias": "open", "public_read": true});
    let (status, open) = make(node, "collections", open).await;
    assert_eq!((status, &open["kind"]), (201, &"open".into()));
    let closed = json!({"title": "Closed", "root": "cert", "alias": "closed"});
    (open, make(node, "collections", closed).await.1)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn roots_are_seen_by_whom_they_name_and_by_whom_they_were_granted() {
    let node = Setup::new(1, "operator").start().await;
    let (_, closed) = furnished(&node).await;
    let roots = async |role: &str| see(&node, role, "").await.1["api_roots"].clone();
    assert_eq!(roots("analyst").await, json!(["/taxii2/sereno/", "/taxii2/cert/"]));
    assert_eq!(roots("taxii").await, json!(["/taxii2/sereno/"]));
    assert_eq!(see(&node, "taxii", "cert/").await.0, 404);
    assert_eq!(see(&node, "taxii", "cert/collections/open/objects/").await.0, 404);
    let all = see(&node, "analyst", "cert/collections/").await.1;
    assert_eq!(all["collections"].as_array().unwrap().len(), 2);
    // a grant shows the one collection and its root, which is hidden otherwise
    let grant = format!("grant={}:write", closed["id"].as_str().unwrap());
    assert_eq!(roots(&grant).await, json!(["/taxii2/sereno/", "/taxii2/cert/"]));
    let shown = see(&node, &grant, "cert/collections/").await.1;
    assert_eq!(shown["collections"].as_array().unwrap().len(), 1);
    assert_eq!(shown["collections"][0]["alias"], "closed");
    let put = async |objects: &[Value]| {
        let url = node.url("/taxii2/cert/collections/closed/objects/");
        let body = json!({ "objects": objects }).to_string();
        let request = client(&grant).post(url).header("content-type", TAXII).body(body);
        request.send().await.unwrap().status().as_u16()
    };
    let many: Vec<Value> = (0..20).map(|n| malware(n, "2020-01-01T00:00:00.000Z")).collect();
    assert_eq!(put(&many[..1]).await, 202);
    assert_eq!(put(&many).await, 413, "the root's own limit");
    assert_eq!(see(&node, &grant, "cert/collections/closed/objects/").await.0, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_peers_use_stays_and_the_rest_can_be_removed() {
    let node = Setup::new(1, "operator").start().await;
    let (open, closed) = furnished(&node).await;
    for (what, body, status) in [
        ("roots", json!({"name": "../x", "title": "t"}), 422),
        ("roots", json!({"name": "x", "title": ""}), 422),
        ("collections", json!({"title": "x", "root": "cert", "alias": "open"}), 409),
        ("collections", json!({"title": "x", "root": "none"}), 404),
        ("collections", json!({"title": "x", "id": "../x"}), 422),
        ("collections", json!({"title": "x", "id": closed["id"]}), 409),
    ] {
        assert_eq!(make(&node, what, body.clone()).await.0, status, "{body}");
    }
    let delete = async |path: &str| {
        let url = node.url(&format!("/api/v1/taxii/{path}"));
        client("administrator").delete(url).send().await.unwrap().status().as_u16()
    };
    assert_eq!(delete("roots/cert").await, 409);
    for collection in [open, closed] {
        let id = collection["id"].as_str().unwrap();
        assert_eq!(delete(&format!("collections/{id}")).await, 204);
        assert_eq!(delete(&format!("collections/{id}")).await, 404);
    }
    assert_eq!(delete("roots/cert").await, 204);
    assert_eq!(delete("roots/sereno").await, 409);
    assert_eq!(delete(&format!("collections/{}", cti::INBOX_ID)).await, 409);
    assert_eq!(see(&node, "analyst", "cert/").await.0, 404);
}

/// Each collection holds what was said to it; what it holds already is not said otherwise.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn collections_hold_what_was_said_to_them() {
    let node = Setup::new(1, "operator").start().await;
    furnished(&node).await;
    let incident = |name: &str| {
        json!({"type": "incident", "spec_version": "2.1", "id": "incident--00000000-0000-4000-8000-000000000001",
            "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z", "name": name})
    };
    let put = async |place: &str, object: Value| -> Value {
        let url = node.url(&format!("/taxii2/{place}/objects/"));
        let body = json!({ "objects": [object] }).to_string();
        let request = client("analyst").post(url).header("content-type", TAXII).body(body);
        request.send().await.unwrap().json().await.unwrap()
    };
    let received = async || -> i64 {
        let mut sql = node.platform.db.read().await.unwrap();
        let row = sqlx::query("SELECT COUNT(*) FROM cti_received").fetch_one(&mut *sql).await;
        sqlx::Row::try_get(&row.unwrap(), 0).unwrap()
    };
    let elsewhere = put("cert/collections/closed", incident("as it was")).await;
    assert_eq!((&elsewhere["success_count"], received().await), (&json!(1), 0));
    // What another collection holds is nothing to this one.
    let taken = put("sereno/collections/inbox", incident("as we say")).await;
    assert_eq!((&taken["success_count"], received().await), (&json!(1), 1));
    for (place, name) in
        [("cert/collections/closed", "as it was"), ("sereno/collections/inbox", "as we say")]
    {
        let path = format!("{place}/objects/");
        assert_eq!(see(&node, "analyst", &path).await.1["objects"][0]["name"], name);
    }
    let mut newer = incident("as nobody says");
    let refused = put("sereno/collections/inbox", newer.clone()).await;
    assert_eq!(&refused["failure_count"], &json!(1));
    newer["modified"] = json!("2026-01-02T00:00:00.000Z");
    let both = put("cert/collections/closed", newer).await;
    assert_eq!(&both["success_count"], &json!(1));
}
