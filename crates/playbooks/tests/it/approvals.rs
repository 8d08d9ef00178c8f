//! Answers by the link of a mail, delegation, escalation by mail, and what the log says of all of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use model::{Severity, ShareDecision, Tlp};
use platform::http::{Caller, CallerKind};
use platform::people::Person;
use playbooks::actuators::config::{ActuatorsConfig, Mail};
use ports::fake::FakeAuthorizer;
use ports::{AccessQuestion, Authorizer};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::messages::smtp;
use crate::room::{Room, World, block, end, manual, opened, playbook, report};

/// Operators may run playbooks and see up to TLP:AMBER, readers may not run and see TLP:GREEN.
#[derive(Default)]
pub(crate) struct Roles;

impl Authorizer for Roles {
    fn decide(&self, question: &AccessQuestion) -> ShareDecision {
        let has = |role: &str| question.principal_attributes["roles"].to_string().contains(role);
        let allowed = match question.action.as_str() {
            "playbooks.run" => has("operator") || has("administrator"),
            "playbooks.write" => has("administrator"),
            "see" => {
                let tlp: Tlp = question.resource.parse().unwrap();
                let most = if has("administrator") {
                    Tlp::Red
                } else if has("operator") {
                    Tlp::Amber
                } else {
                    Tlp::Green
                };
                tlp <= most
            }
            other => panic!("nobody asks for {other}"),
        };
        ShareDecision { allowed, reason: "test".into(), policies: vec![] }
    }
}

pub(crate) fn caller(name: &str, role: &str) -> Caller {
    Caller {
        kind: CallerKind::User,
        id: format!("id-{name}"),
        name: name.into(),
        roles: vec![role.into()],
        grants: vec![],
        outside: None,
    }
}

fn person(name: &str, role: &str) -> Person {
    Person { caller: caller(name, role), mail: Some(format!("{name}@city.example")) }
}

pub(crate) struct Desk {
    pub(crate) room: Room,
    pub(crate) world: Arc<World>,
    pub(crate) mails: Arc<Mutex<Vec<String>>>,
    pub(crate) port: u16,
}

pub(crate) fn config(port: u16) -> playbooks::Config {
    let mail = Mail {
        server: format!("smtp://127.0.0.1:{port}"),
        user: None,
        secret: None,
        from: "sereno@city.example".into(),
        to: vec!["@city.example".into()],
    };
    playbooks::Config {
        install_shipped: false,
        actuators: ActuatorsConfig { mail: Some(mail), ..ActuatorsConfig::default() },
        ..playbooks::Config::default()
    }
}

/// A room whose playbook blocks after a yes of operators, who are asked by mail.
pub(crate) async fn desk(folder: &Path, links: Value) -> Desk {
    let mails: Arc<Mutex<Vec<String>>> = Arc::default();
    let port = smtp(Arc::clone(&mails)).await;
    let world: Arc<World> = Arc::default();
    *world.people.0.lock().unwrap() =
        vec![person("ana", "operator"), person("ben", "operator"), person("rita", "read-only")];
    let room = Room::open_with(folder, &world, config(port)).await;
    room.room.reached_at(Some("https://soc.example"));
    let text = playbook(&[("block", block(json!({ "on_completion": "@end@" }))), ("end", end())]);
    let id = room.store(&text).await;
    let trigger = json!({ "trigger": { "on": "incidents.opened", "min_severity": "low" } });
    room.call("PUT", &format!("/api/v1/playbooks/{id}/trigger"), trigger).await;
    let desk = Desk { room, world, mails, port };
    desk.policy(links).await;
    desk
}

impl Desk {
    async fn policy(&self, links: Value) {
        let (_, mut policy) = self.room.call("GET", "/api/v1/automation", Value::Null).await;
        policy["levels"]["medium"] = json!("ask");
        for (key, value) in links.as_object().unwrap() {
            policy[key] = value.clone();
        }
        let (status, said) = self.room.call("PUT", "/api/v1/automation", policy).await;
        assert_eq!(status, StatusCode::OK, "{said}");
    }

    /// The links of the mails so far by who got them; waits until there are `count` mails.
    async fn links(&self, count: usize) -> Vec<(String, String)> {
        self.mailed(count).await.iter().map(|mail| (to(mail), link(mail))).collect()
    }

    async fn mailed(&self, count: usize) -> Vec<String> {
        for _ in 0..2_000 {
            let mails = self.mails.lock().unwrap().clone();
            if mails.len() >= count {
                assert_eq!(mails.len(), count, "{mails:#?}");
                return mails.iter().map(|mail| plain(mail)).collect();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let (_, list) = self.room.call("GET", "/api/v1/answer-mails", Value::Null).await;
        panic!("not {count} mails: {:#?}\n{list:#}", self.mails.lock().unwrap());
    }

    async fn page(&self, method: &str, path: &str, form: &str) -> (StatusCode, HeaderMap, String) {
        let (routes, _) = self.room.room.router().into_parts();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()))
            .unwrap();
        let response = Router::from(routes).oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, headers, String::from_utf8(bytes.to_vec()).unwrap())
    }

    async fn by(&self, who: &Caller, method: &str, path: &str, body: Value) -> (StatusCode, Value) {
        self.room.call_by(who.clone(), Arc::new(FakeAuthorizer(true)), method, path, body).await
    }

    async fn open(&self) -> Value {
        let (_, list) = self.room.call("GET", "/api/v1/proposals?state=open", Value::Null).await;
        list["items"][0].clone()
    }

    async fn sentences(&self, kind: &str) -> Vec<String> {
        self.room.facts(kind).await.into_iter().map(|fact| fact.sentence).collect()
    }
}

/// A mail without the marks of its transfer encoding.
fn plain(mail: &str) -> String {
    mail.replace("=\n", "").replace("=3D", "=")
}

fn to(mail: &str) -> String {
    let line = mail.lines().find_map(|line| line.strip_prefix("To: ")).unwrap();
    line.split('@').next().unwrap().trim_start_matches('<').to_owned()
}

fn link(mail: &str) -> String {
    let at = mail.find("https://soc.example/answer/").unwrap_or_else(|| panic!("no link: {mail}"));
    let link = mail[at..].split_whitespace().next().unwrap();
    link.strip_prefix("https://soc.example").unwrap().to_owned()
}

fn links_of(all: Vec<(String, String)>) -> BTreeMap<String, String> {
    all.into_iter().collect()
}

/// In place of the playbook that the desk has.
pub(crate) fn newer(mut playbook: Value) -> Value {
    playbook["modified"] = json!("2027-01-01T00:00:00.000Z");
    playbook
}

#[tokio::test]
async fn a_link_shows_on_get_and_answers_once_on_post() {
    let folder = tempfile::tempdir().unwrap();
    let links = json!({ "mail_links": { "on": true, "roles": ["operator", "read-only"] } });
    let desk = desk(folder.path(), links).await;
    desk.room.publish(&opened(1, Severity::High)).await;
    let links = links_of(desk.links(2).await);
    assert_eq!(links.keys().collect::<Vec<_>>(), ["ana", "ben"], "who may not answer is not asked");
    let mail = desk.mailed(2).await[0].clone();
    assert!(mail.contains("Shall the playbook 'Test' start?"), "{mail}");
    assert!(mail.contains("medium criticality"), "why: {mail}");

    for _ in 0..3 {
        let (status, headers, page) = desk.page("GET", &links["ana"], "").await;
        assert_eq!(status, StatusCode::OK, "{page}");
        assert!(page.contains("Shall the playbook") && page.contains("<form method=\"post\">"));
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
        assert!(!page.contains("<script"));
    }
    assert!(desk.room.runs().await.is_empty(), "looking changes nothing");

    let (status, _, page) = desk.page("POST", &links["ana"], "answer=maybe").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{page}");
    let (status, _, page) = desk.page("POST", &links["ana"], "answer=yes&comment=go+%3Cb%3E").await;
    assert_eq!(status, StatusCode::OK, "{page}");
    let run = desk.room.ended().await;
    assert!(run["trigger"].as_str().unwrap().ends_with("accepted by ana (by link)"), "{run}");
    let (status, _, page) = desk.page("POST", &links["ana"], "answer=yes").await;
    assert_eq!(status, StatusCode::GONE);
    assert!(page.contains("used before"), "{page}");
    let (status, _, page) = desk.page("GET", &links["ben"], "").await;
    assert_eq!(status, StatusCode::GONE, "the question is answered");
    assert!(page.contains("answered, changed or ended") && !page.contains("Test"), "{page}");
    assert_eq!(desk.world.verbs(), ["block"]);
    let said = desk.sentences("playbooks.question_answered").await;
    assert_eq!(said, ["ana says yes to starting 'Test' (by link): go <b>"]);
    let (_, mails) = desk.room.call("GET", "/api/v1/answer-mails", Value::Null).await;
    let text = mails.to_string();
    assert!(text.contains("\"sent\"") && !text.contains("/answer/"), "{text}");
    for fact in desk.room.facts("playbooks.proposal_decided").await {
        assert!(!fact.sentence.contains(&links["ana"]));
    }
    desk.room.close().await;
}

#[tokio::test]
async fn what_is_no_link_or_was_changed_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let links = json!({ "mail_links": { "on": true, "roles": ["operator"] } });
    let desk = desk(folder.path(), links).await;
    desk.room.publish(&opened(1, Severity::High)).await;
    let links = links_of(desk.links(2).await);
    let own = &links["ana"];
    let other = if own.ends_with('A') { "B" } else { "A" };
    let forged = format!("{}{other}", &own[..own.len() - 1]);
    for path in [forged.as_str(), "/answer/x", &format!("/answer/{}", "A".repeat(64))] {
        for method in ["GET", "POST"] {
            let (status, _, page) = desk.page(method, path, "answer=yes").await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
            assert!(page.contains("This link is not valid."), "{page}");
        }
    }
    // Whoever can write the database cannot turn ben's link into another person's.
    let changed: Result<(), platform::db::DbError> = desk
        .room
        .platform
        .db
        .write(|tx| {
            Box::pin(async move {
                let text = "UPDATE playbooks_letters SET account = 'id-cleo', name = 'cleo' WHERE name = 'ben'";
                sqlx::query(text).execute(tx.sql()).await?;
                Ok(())
            })
        })
        .await;
    changed.unwrap();
    let (status, ..) = desk.page("POST", &links["ben"], "answer=yes").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    // An account that lost its right, and one that went.
    desk.world.people.0.lock().unwrap()[0].caller.roles = vec!["read-only".into()];
    let (status, _, page) = desk.page("POST", own, "answer=yes").await;
    assert_eq!(status, StatusCode::GONE, "{page}");
    desk.world.people.0.lock().unwrap().remove(0);
    let (status, ..) = desk.page("POST", own, "answer=yes").await;
    assert_eq!(status, StatusCode::GONE);
    desk.world.people.0.lock().unwrap().insert(0, person("ana", "operator"));
    let (status, ..) = desk.page("GET", own, "").await;
    assert_eq!(status, StatusCode::OK);
    // The policy takes it back.
    desk.policy(json!({ "mail_links": { "on": true, "persons": ["ben"] } })).await;
    let (status, ..) = desk.page("POST", own, "answer=yes").await;
    assert_eq!(status, StatusCode::GONE);
    assert!(desk.room.runs().await.is_empty() && desk.world.verbs().is_empty());
    let long = "x".repeat(300_000);
    desk.policy(json!({ "mail_links": { "on": true, "roles": ["operator"] } })).await;
    let (status, ..) = desk.page("POST", own, &format!("answer=yes&comment={long}")).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let mut last = StatusCode::OK;
    for _ in 0..70 {
        last = desk.page("GET", own, "").await.0;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    desk.room.close().await;
}

#[tokio::test]
async fn two_persons_stay_two_by_link_by_hand_and_by_delegation() {
    let folder = tempfile::tempdir().unwrap();
    let links = json!({ "two_persons_from": "low",
        "mail_links": { "on": true, "persons": ["ana"] } });
    let desk = desk(folder.path(), links).await;
    let (ana, ben) = (caller("ana", "operator"), caller("ben", "operator"));
    let until = desk.room.platform.now().plus_secs(3_600).to_string();
    let wanted = json!({ "taker": "ben", "until": until, "comment": "on leave" });
    let (status, made) = desk.by(&ana, "POST", "/api/v1/delegations", wanted).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    assert_eq!((made["giver"].as_str(), made["active"].as_bool()), (Some("ana"), Some(true)));
    desk.mailed(2).await;
    desk.room.publish(&opened(1, Severity::High)).await;
    // Ana is asked, and ben in her place.
    let mails = desk.mailed(4).await;
    let asked: Vec<&String> = mails.iter().filter(|mail| mail.contains("/answer/")).collect();
    let links = links_of(asked.iter().map(|mail| (to(mail), link(mail))).collect());
    let for_ana = asked.iter().find(|mail| to(mail) == "ben").unwrap();
    assert!(for_ana.contains("You answer in place of ana."), "{for_ana}");
    let one = desk.open().await;
    let path = format!("/api/v1/proposals/{}/answer", one["id"].as_str().unwrap());

    let (status, _, page) = desk.page("POST", &links["ben"], "answer=yes").await;
    assert_eq!(status, StatusCode::OK, "{page}");
    assert!(page.contains("One more person"), "{page}");
    // Neither of the two names counts again, whichever way.
    let (status, _, page) = desk.page("POST", &links["ana"], "answer=yes").await;
    assert_eq!(status, StatusCode::CONFLICT, "{page}");
    for (who, body) in [
        (&ben, json!({ "accept": true })),
        (&ana, json!({ "accept": true })),
        (&ben, json!({ "accept": true, "for": "ana" })),
    ] {
        let (status, said) = desk.by(who, "POST", &path, body).await;
        assert_eq!(status, StatusCode::CONFLICT, "{said}");
    }
    assert!(desk.room.runs().await.is_empty());
    desk.world.people.0.lock().unwrap().push(person("cleo", "operator"));
    let cleo = caller("cleo", "operator");
    let (status, said) =
        desk.by(&cleo, "POST", &path, json!({ "accept": true, "for": "ana" })).await;
    assert_eq!(status, StatusCode::CONFLICT, "ana gave cleo nothing: {said}");
    let (status, said) = desk.by(&cleo, "POST", &path, json!({ "accept": true })).await;
    assert_eq!(status, StatusCode::OK, "{said}");
    let run = desk.room.ended().await;
    let trigger = run["trigger"].as_str().unwrap();
    assert!(trigger.ends_with("accepted by ben for ana (by link) and cleo"), "{trigger}");
    assert!(said["decided_at"].as_str().unwrap() <= run["started_at"].as_str().unwrap());
    let (_, decided) = desk.room.call("GET", "/api/v1/proposals?state=decided", Value::Null).await;
    assert_eq!(decided["items"][0]["voices"][0]["for"], "ana");
    assert_eq!(decided["items"][0]["voices"][0]["method"], "link");
    desk.room.close().await;
}

#[tokio::test]
async fn a_delegation_never_widens_and_ends() {
    let folder = tempfile::tempdir().unwrap();
    let desk = desk(folder.path(), json!({})).await;
    let (ana, ben) = (caller("ana", "operator"), caller("ben", "operator"));
    let now = desk.room.platform.now();
    let until = |seconds| now.plus_secs(seconds).to_string();
    for (body, says) in [
        (json!({ "taker": "rita", "until": until(60) }), "may answer"),
        (json!({ "taker": "nobody", "until": until(60) }), "may answer"),
        (json!({ "taker": "ana", "until": until(60) }), "same person"),
        (json!({ "taker": "ben", "until": until(-60) }), "until must"),
        (json!({ "taker": "ben", "until": until(93 * 86_400) }), "at most 92 days"),
        (json!({ "taker": "ben", "until": until(60), "kinds": [] }), "kinds is empty"),
        (json!({ "taker": "ana", "until": until(60), "giver": "ben" }), "one's own voice"),
    ] {
        let (status, said) = desk.by(&ana, "POST", "/api/v1/delegations", body.clone()).await;
        assert!(status.is_client_error(), "{body}: {said}");
        assert!(said["detail"].as_str().unwrap().contains(says), "{body}: {said}");
    }
    let body = json!({ "taker": "ben", "until": until(3_600), "kinds": ["steps"] });
    let (_, made) = desk.by(&ana, "POST", "/api/v1/delegations", body).await;
    desk.room.publish(&opened(1, Severity::High)).await;
    let one = loop {
        let one = desk.open().await;
        if one.is_object() {
            break one;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    let answer = format!("/api/v1/proposals/{}/answer", one["id"].as_str().unwrap());
    let (status, said) =
        desk.by(&ben, "POST", &answer, json!({ "accept": true, "for": "ana" })).await;
    assert_eq!(status, StatusCode::CONFLICT, "it is for steps only: {said}");
    let path = format!("/api/v1/delegations/{}", made["id"].as_str().unwrap());
    let cleo = caller("cleo", "operator");
    let (status, _) = desk.by(&cleo, "DELETE", &path, Value::Null).await;
    assert_eq!(status, StatusCode::CONFLICT, "it is not hers");
    let (status, _) = desk.by(&ana, "DELETE", &path, Value::Null).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (status, _) = desk.by(&ana, "DELETE", &path, Value::Null).await;
    assert_eq!(status, StatusCode::CONFLICT, "it has ended");
    let (_, list) = desk.room.call("GET", "/api/v1/delegations", Value::Null).await;
    assert_eq!(
        (list["items"][0]["active"].as_bool(), list["items"].as_array().unwrap().len()),
        (Some(false), 1)
    );
    let said = desk.sentences("playbooks.delegation_changed").await;
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(
        said[0].starts_with("Delegation from ana to ben made by ana: manual steps"),
        "{said:?}"
    );
    assert!(desk.mails.lock().unwrap().is_empty(), "off, no mail leaves");
    desk.room.close().await;
}

#[tokio::test]
async fn a_manual_step_is_answered_by_link_and_somebody_else_can_be_asked() {
    let folder = tempfile::tempdir().unwrap();
    let links = json!({ "mail_links": { "on": true, "persons": ["ana"] } });
    let desk = desk(folder.path(), links).await;
    let text = playbook(&[
        ("ask", manual("pull the plug", json!({ "on_completion": "@end@" }))),
        ("end", end()),
    ]);
    let run = desk.room.start(&newer(text)).await;
    let links = links_of(desk.links(1).await);
    let path = format!("/api/v1/runs/{}/steps/2/ask", run["id"].as_str().unwrap());
    let (status, said) =
        desk.by(&caller("ana", "operator"), "POST", &path, json!({ "person": "rita" })).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "rita may not answer: {said}");
    let body = json!({ "person": "ben", "comment": "you are nearer" });
    let (status, said) = desk.by(&caller("ana", "operator"), "POST", &path, body).await;
    assert_eq!((status, said["mailed"].as_bool()), (StatusCode::OK, Some(true)), "{said}");
    let mails = desk.mailed(2).await;
    let mail = mails.iter().find(|mail| to(mail) == "ben").unwrap();
    assert!(mail.contains("ana asks you to answer this instead."), "{mail}");
    let (status, _, page) = desk.page("POST", &link(mail), "answer=yes&comment=pulled").await;
    assert_eq!(status, StatusCode::OK, "{page}");
    let run = desk.room.ended().await;
    assert_eq!(run["state"], "succeeded", "{run}");
    assert!(run.to_string().contains("approved by ben (by link): pulled"), "{run}");
    let (status, ..) = desk.page("POST", &links["ana"], "answer=no").await;
    assert_eq!(status, StatusCode::GONE);
    let passed = desk.sentences("playbooks.question_passed_on").await;
    assert!(passed[0].starts_with("ana asks ben to answer step"), "{passed:?}");
    desk.room.close().await;
}

#[tokio::test]
async fn nobody_in_time_asks_the_next_and_red_stays_inside() {
    let folder = tempfile::tempdir().unwrap();
    let links = json!({ "escalate_after_s": 1, "expire_after_s": 60,
        "mail_links": { "on": true, "persons": ["ana"], "then_persons": ["ben"] } });
    let desk = desk(folder.path(), links).await;
    let mut red = report(2, Severity::High);
    red.incident.tlp = Tlp::Red;
    red.incident.title = "Hidden thing".into();
    desk.world.incidents.0.lock().unwrap().insert(red.incident.id, red.clone());
    desk.room.publish(&opened(1, Severity::High)).await;
    let mails = desk.mailed(2).await;
    assert_eq!(mails.iter().map(|mail| to(mail)).collect::<Vec<_>>(), ["ana", "ben"]);
    assert!(mails[1].contains("Nobody has answered this yet."), "{}", mails[1]);
    desk.room.publish(&model::event::IncidentOpened { report: red, received: false }).await;
    let mail = desk.mailed(3).await[2].clone();
    assert!(mail.contains("TLP:RED waits"), "{mail}");
    assert!(
        !mail.contains("Hidden") && !mail.contains("/answer/") && !mail.contains("Test'"),
        "{mail}"
    );
    desk.room.close().await;
}
