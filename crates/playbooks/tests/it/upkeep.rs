//! The policy's versions, delivery of mail, what is old, and what cannot be read any more.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use model::Severity;
use ports::fake::FakeAuthorizer;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::approvals::{caller, config, desk, newer};
use crate::room::{Room, end, manual, opened, playbook};

#[tokio::test]
async fn a_policy_is_changed_from_what_was_read_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let desk = desk(folder.path(), json!({})).await;
    let (routes, _) = desk.room.room.router().into_parts();
    let app = Router::from(routes)
        .layer(axum::Extension(platform::http::Gate(Arc::new(FakeAuthorizer(true)))))
        .layer(axum::Extension(caller("ana", "administrator")));
    let send = async |method: &str, tag: Option<&str>, body: Value| {
        let mut request = Request::builder()
            .method(method)
            .uri("/api/v1/automation")
            .header("content-type", "application/json");
        if let Some(tag) = tag {
            request = request.header("if-match", tag);
        }
        let request = request.body(Body::from(body.to_string())).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        let tag = response.headers().get(header::ETAG).map(|it| it.to_str().unwrap().to_owned());
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, tag, serde_json::from_slice::<Value>(&bytes).unwrap())
    };
    let (_, read, mut policy) = send("GET", None, Value::Null).await;
    let read = read.unwrap();
    policy["zone_minutes"] = json!(60);
    let (status, changed, _) = send("PUT", Some(&read), policy.clone()).await;
    assert_eq!(status, StatusCode::OK);
    policy["zone_minutes"] = json!(120);
    let (status, _, said) = send("PUT", Some(&read), policy.clone()).await;
    assert_eq!(status, StatusCode::PRECONDITION_FAILED, "{said}");
    assert!(said["remedy"].as_str().unwrap().contains("ETag"), "{said}");
    let (_, now, kept) = send("GET", None, Value::Null).await;
    assert_eq!((&now, &kept["zone_minutes"]), (&changed, &json!(60)), "nothing was changed");
    let (status, ..) = send("PUT", Some("W/x"), policy.clone()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    for wrong in
        [json!({ "on": true }), json!({ "roles": [""] }), json!({ "roles": vec!["x"; 101] })]
    {
        policy["mail_links"] = wrong;
        let (status, _, said) = send("PUT", None, policy.clone()).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{said}");
        assert!(said["errors"].to_string().contains("mail_links"), "{said}");
    }
    desk.room.close().await;
}

#[tokio::test]
async fn what_is_old_goes_and_a_run_that_cannot_be_read_ends() {
    let folder = tempfile::tempdir().unwrap();
    let desk = desk(folder.path(), json!({})).await;
    let text =
        playbook(&[("ask", manual("wait", json!({ "on_completion": "@end@" }))), ("end", end())]);
    let run = desk.room.start(&newer(text)).await;
    desk.room.run_in(&["waiting"]).await;
    let write = async |platform: &platform::Platform, text: &'static str| {
        let done: Result<u64, platform::db::DbError> = platform
            .db
            .write(move |tx| {
                Box::pin(
                    async move { Ok(sqlx::query(text).execute(tx.sql()).await?.rows_affected()) },
                )
            })
            .await;
        done.unwrap()
    };
    let row = "INSERT INTO playbooks_effects (key, run, position, actuator, verb, arguments, state, summary, \
               data, recorded_at) VALUES ('k', 'gone', 1, 'gateway', 'block', '{}', 'there', '', 'null', 1)";
    write(&desk.room.platform, row).await;
    let row = "INSERT INTO playbooks_effects (key, run, position, actuator, verb, arguments, state, summary, \
               data, recorded_at) SELECT 'open', id, 1, 'gateway', 'block', '{}', 'there', '', 'null', 1 \
               FROM playbooks_runs";
    assert_eq!(write(&desk.room.platform, row).await, 1);
    assert_eq!(desk.room.room.sweep().await.unwrap(), 1, "that of a run under way stays");
    assert_eq!(desk.room.room.sweep().await.unwrap(), 0);

    write(&desk.room.platform, "UPDATE playbooks_books SET body = '{\"torn'").await;
    write(&desk.room.platform, "UPDATE playbooks_runs SET wake_at = 1").await;
    let world = Arc::clone(&desk.world);
    desk.room.close().await;
    let room = Room::open_with(folder.path(), &world, config(desk.port)).await;
    let ended = room.ended_of(&run).await;
    assert_eq!(ended["state"], "failed", "{ended}");
    assert!(ended["note"].as_str().unwrap().contains("cannot be read any more"), "{ended}");
    room.close().await;
    let short = playbooks::Config { keep_days: 0, ..config(desk.port) };
    let platform =
        platform::testing::platform(folder.path(), &[intel::MIGRATIONS, playbooks::MIGRATIONS])
            .await
            .unwrap();
    let needs = Room::needs(&world);
    let refused = playbooks::Playbooks::new(platform.clone(), short, needs).install().await;
    assert!(refused.unwrap_err().to_string().contains("playbooks.keep_days"));
    platform.db.close().await;
}

#[tokio::test]
async fn a_server_that_is_away_is_tried_again_and_what_cannot_go_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let links = json!({ "mail_links": { "on": true, "roles": ["operator"] } });
    let desk = desk(folder.path(), links).await;
    desk.world.people.0.lock().unwrap()[1].mail = Some("ben@elsewhere.example".into());
    desk.room.close().await;
    // The server is away while the question comes up.
    let away = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let room = Room::open_with(folder.path(), &desk.world, config(away)).await;
    room.room.reached_at(Some("https://soc.example"));
    room.publish(&opened(1, Severity::High)).await;
    let delivery = async |room: &Room, state: &str, name: &str| {
        for _ in 0..2_000 {
            let (_, list) = room.call("GET", "/api/v1/answer-mails", Value::Null).await;
            let items = list["items"].as_array().unwrap().clone();
            let found = items
                .into_iter()
                .find(|it| it["person"] == name && it["state"] == state && it["attempts"] != 0);
            if let Some(found) = found {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("{name} is never {state}");
    };
    let waits = delivery(&room, "queued", "ana").await;
    assert!(waits["reason"].as_str().unwrap().contains("127.0.0.1"), "{waits}");
    let refused = delivery(&room, "failed", "ben").await;
    assert!(
        refused["reason"].as_str().unwrap().contains("playbooks.actuators.mail.to"),
        "{refused}"
    );
    room.close().await;
    let room = Room::open_with(folder.path(), &desk.world, config(desk.port)).await;
    room.room.reached_at(Some("https://soc.example"));
    delivery(&room, "sent", "ana").await;
    assert_eq!(desk.mails.lock().unwrap().len(), 1);
    room.close().await;
}

#[tokio::test]
async fn a_link_ends_with_its_time_and_a_changed_playbook_needs_a_new_answer() {
    let folder = tempfile::tempdir().unwrap();
    let links = json!({ "escalate_after_s": 2, "expire_after_s": 3,
        "mail_links": { "on": true, "persons": ["ana"], "then_persons": ["rita"] } });
    let desk = desk(folder.path(), links).await;
    desk.room.publish(&opened(1, Severity::High)).await;
    let link = desk.links(1).await[0].1.clone();
    assert_eq!(desk.page("GET", &link, "").await.0, StatusCode::OK);
    let text =
        playbook(&[("ask", manual("x", json!({ "on_completion": "@end@" }))), ("end", end())]);
    desk.room.store(&newer(text)).await;
    for method in ["GET", "POST"] {
        let (status, _, page) = desk.page(method, &link, "answer=yes").await;
        assert_eq!(status, StatusCode::GONE, "ana was asked about another playbook: {page}");
        assert!(page.contains("changed"), "{page}");
    }
    tokio::time::sleep(Duration::from_millis(3_100)).await;
    let (status, _, page) = desk.page("POST", &link, "answer=yes").await;
    assert_eq!(status, StatusCode::GONE);
    assert!(page.contains("This link has expired."), "{page}");
    assert!(desk.room.runs().await.is_empty());
    // The next in line may not answer: it is said on the console that nobody could be asked.
    let (_, notices) = desk.room.call("GET", "/api/v1/notices", Value::Null).await;
    assert!(notices.to_string().contains("Nobody could be asked by mail"), "{notices}");
    desk.room.close().await;
}
