//! How people want the console, and the pages they keep.

use axum::http::StatusCode;
use platform::http::{Caller, CallerKind};
use serde_json::{Value, json};

use crate::{Answer, Node, open};

fn person(name: &str, role: &str) -> Caller {
    Caller {
        kind: CallerKind::User,
        id: name.into(),
        name: name.into(),
        roles: vec![role.into()],
        ..Caller::anonymous()
    }
}

async fn ask(node: &Node, who: &Caller, method: &str, path: &str, body: Value) -> Answer {
    node.send(method, path, &[], body, Some(who.clone())).await
}

#[tokio::test]
async fn preferences_are_kept_for_each_person_and_never_overwritten_unseen() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path(), 1).await;
    let (ona, marc) = (person("ona", "operator"), person("marc", "read-only"));
    let path = "/api/v1/me/preferences";
    let empty = ask(&node, &ona, "GET", path, Value::Null).await;
    assert_eq!(empty.json, json!({"version": 0, "preferences": {}}));
    let wanted = json!({"theme": "contrast-dark", "language": "ca", "keys_off": ["act"]});
    let kept = ask(&node, &ona, "PUT", path, json!({"version": 0, "preferences": wanted})).await;
    assert_eq!((kept.status, &kept.json["version"]), (StatusCode::OK, &json!(1)));
    // A second browser that read before must not undo the first one's choice without knowing.
    let stale = ask(&node, &ona, "PUT", path, json!({"version": 0, "preferences": {}})).await;
    assert_eq!(stale.status, StatusCode::CONFLICT, "{}", stale.text);
    let read = ask(&node, &ona, "GET", path, Value::Null).await;
    assert_eq!(read.json, json!({"version": 1, "preferences": wanted}));
    assert_eq!(ask(&node, &marc, "GET", path, Value::Null).await.json["version"], 0);
    for bad in [json!({"theme": "pink"}), json!({"language": "xx"}), json!({"secret": "x"})] {
        let refused = ask(&node, &ona, "PUT", path, json!({"preferences": bad})).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
    }
    let token = node.admin("PUT", path, json!({"preferences": {}})).await;
    assert_eq!(token.status, StatusCode::CONFLICT, "nobody's console");
}

#[tokio::test]
async fn a_view_is_its_owners_until_it_is_shared() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path(), 1).await;
    let (ona, marc) = (person("ona", "operator"), person("marc", "read-only"));
    let chief = person("chief", "administrator");
    let path = "/api/v1/views";
    let body = json!({"name": "Night", "path": "/incidents?state=open"});
    let made = ask(&node, &ona, "POST", path, body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let one = format!("{path}/{}", made.json["id"].as_str().unwrap());
    assert_eq!(ask(&node, &marc, "GET", path, Value::Null).await.json, json!([]));
    // What is out of sight is answered as what is not there, for whoever asks.
    for (who, method) in [(&marc, "PATCH"), (&marc, "DELETE"), (&chief, "DELETE")] {
        let refused = ask(&node, who, method, &one, json!({"shared": true})).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{method}: {}", refused.text);
    }
    let shared = ask(&node, &ona, "PATCH", &one, json!({"shared": true})).await;
    assert_eq!((&shared.json["shared"], &shared.json["own"]), (&json!(true), &json!(true)));
    let seen = ask(&node, &marc, "GET", path, Value::Null).await;
    assert_eq!((&seen.json[0]["name"], &seen.json[0]["own"]), (&json!("Night"), &json!(false)));
    // A program of another organisation reads collections, not how people here call their pages.
    let program = ask(&node, &person("isac", "taxii"), "GET", path, Value::Null).await;
    assert_eq!(program.status, StatusCode::FORBIDDEN, "{}", program.text);
    let refused = ask(&node, &marc, "DELETE", &one, Value::Null).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    assert_eq!(
        ask(&node, &chief, "DELETE", &one, Value::Null).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(ask(&node, &ona, "GET", path, Value::Null).await.json, json!([]));
    let away = json!({"name": "Away", "path": "//evil.example/"});
    let refused = ask(&node, &ona, "POST", path, away).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn nobody_fills_the_disk_with_views() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path(), 1).await;
    let ona = person("ona", "operator");
    for number in 0..101 {
        let body = json!({"name": format!("view {number}"), "path": "/"});
        let made = ask(&node, &ona, "POST", "/api/v1/views", body).await;
        let expected = if number < 100 { StatusCode::CREATED } else { StatusCode::CONFLICT };
        assert_eq!(made.status, expected, "{number}: {}", made.text);
    }
}
