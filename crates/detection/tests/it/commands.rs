//! Commands judged in operation: learned, judged, called normal, edited as text; the node dies between
//! every step.

use std::path::Path;
use std::sync::Arc;

use analytics::commands::{Command, Summariser};
use analytics::host::Host;
use analytics::operations::Report;
use axum::Extension;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use detection::Config;
use model::event::{FindingRaised, MachineModelChanged, Payload};
use model::{AttackKind, Finding, Severity};
use platform::db::read_facts;
use platform::http::{Caller, Gate};
use ports::fake::{FakeAssets, FakeAuthorizer};
use ports::{WindowBatch, WindowSink};
use protocols::app::{Effect, Object, Operation, Protocol, Role, Values};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::meter;
use crate::node::{Node, life};

/// Windows of learning: an hour of ten seconds each, and a little more.
const LEARNED: i64 = 365;
const MODELS: &str = "/api/v1/detection/commands/meter-gw";

fn host(text: &str) -> Host {
    text.parse().unwrap()
}

/// The master's commands of one window: three polls, and a set point of 7 now and then.
fn commands(window: i64, extra: &[(u16, u32, f64)]) -> Vec<Report> {
    let mut summariser = Summariser::new(10_000_000);
    let (start, mut place) = (meter::window(1, window, 1.0).start_us, 0);
    let mut push = |function: u16, name: &'static str, effect, point: u32, value: Option<f64>| {
        place += 1;
        let bytes = value.unwrap_or_default().to_le_bytes();
        let values = if value.is_some() { Values::f64_le(&bytes) } else { Values::f64_le(&[]) };
        summariser.push(&Command {
            ts_us: start + place * 1_000,
            from: host("192.168.50.5"),
            to: host(MACHINE),
            protocol: Protocol::Modbus,
            operation: Operation {
                role: Role::Request,
                effect,
                function,
                name,
                unit: 1,
                transaction: None,
                refused: None,
                cause: 0,
                object: Object::Range { space: 4, start: point, count: 1 },
                values,
            },
        });
    };
    for point in 1..=3 {
        push(3, "read holding registers", Effect::Read, point, None);
    }
    if window % 3 == 0 {
        push(6, "write single register", Effect::Write, 12, Some(7.0));
    }
    for (function, point, value) in extra {
        push(*function, "write single register", Effect::Write, *point, Some(*value));
    }
    summariser.finish().into_iter().map(Report::Commands).collect()
}

/// The machine: the first device of `meter`.
const MACHINE: &str = "192.168.7.1";

fn batch(seq: u64, window: i64, reports: &[Report]) -> WindowBatch {
    let mut batch = meter::batches(&meter::life_of(1, window..window + 1), seq, 1).remove(0);
    batch.operations = serde_json::to_value(reports).unwrap();
    batch
}

fn config() -> Config {
    Config { min_training_operations: 500, ..meter::config() }
}

async fn start(folder: &Path, assets: &Arc<FakeAssets>) -> Node {
    let node = Node::start(folder, assets, config()).await;
    settle(&node).await;
    node
}

async fn settle(node: &Node) {
    node.settle().await;
    let busy = "SELECT COUNT(*) FROM platform_jobs WHERE state IN ('waiting', 'running')";
    while node.number(busy).await > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

/// Feeds windows from the place the node knows, as an edge does.
async fn feed(node: &Node, windows: std::ops::Range<i64>) {
    for window in windows {
        node.detection
            .accept(batch(window as u64 + 1, window, &commands(window, &[])))
            .await
            .unwrap();
    }
    settle(node).await;
}

async fn strange(node: &Node, window: i64, extra: &[(u16, u32, f64)]) {
    let reports = commands(window, extra);
    node.detection.accept(batch(window as u64 + 1, window, &reports)).await.unwrap();
}

async fn found(node: &Node) -> Vec<Finding> {
    node.findings().await.into_iter().filter(|one| one.detector == "commands").collect()
}

/// A call with headers and any body: status, ETag, body.
async fn call(
    node: &Node,
    (method, path): (&str, &str),
    if_match: Option<&str>,
    body: &str,
    allowed: bool,
) -> (StatusCode, String, String) {
    let (routes, _) = node.detection.router().into_parts();
    let gate = Extension(Gate(Arc::new(FakeAuthorizer(allowed))));
    let app = axum::Router::from(routes).layer(gate);
    let json = body.starts_with('{');
    let kind = if json { "application/json" } else { "text/plain" };
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::CONTENT_TYPE, kind)
        .extension(Caller::local_admin());
    if let Some(version) = if_match {
        request = request.header(header::IF_MATCH, format!("\"{version}\""));
    }
    let answer = app.oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
    let etag = answer.headers().get(header::ETAG).map(|tag| tag.to_str().unwrap().to_owned());
    let status = answer.status();
    let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    (status, etag.unwrap_or_default(), String::from_utf8(bytes.to_vec()).unwrap())
}

async fn machine(node: &Node) -> Value {
    let (status, page) = node.call("GET", "/api/v1/detection/commands").await;
    assert_eq!(status, StatusCode::OK);
    page["items"][0].clone()
}

/// Ten false writes: other values, another register.
fn attack() -> Vec<(u16, u32, f64)> {
    let values = (0..9).map(|place| (6, 12, 900.0 + f64::from(place)));
    values.chain([(6, 77, 1.0)]).collect()
}

#[test]
fn ten_false_writes_are_ten_pieces_of_evidence_however_often_the_node_dies() {
    let folder = tempfile::tempdir().unwrap();
    let assets = Arc::new(FakeAssets::default());
    let lives = |windows: std::ops::Range<i64>| {
        life(folder.path(), async {
            let node = start(folder.path(), &assets).await;
            feed(&node, windows).await;
            machine(&node).await
        })
    };
    let early = lives(0..100);
    assert_eq!(early["state"]["state"], "learning", "{early}");
    assert!(early["state"]["progress"].as_f64().unwrap() > 0.2);
    assert!(early["protection"].as_str().unwrap().starts_with("not protected yet"), "{early}");
    lives(100..LEARNED - 10);
    // The training is ordered in one life and done in the next.
    life(folder.path(), async {
        let node = Node::start_idle(folder.path(), &assets, config()).await;
        for window in LEARNED - 10..LEARNED + 5 {
            let reports = commands(window, &[]);
            node.detection.accept(batch(window as u64 + 1, window, &reports)).await.unwrap();
        }
        assert_eq!(machine(&node).await["state"]["state"], "training");
        strange(&node, LEARNED + 5, &attack()[..1]).await;
    });
    let watching = lives(0..0);
    assert_eq!(watching["state"]["state"], "watching", "{watching}");
    assert_eq!((&watching["version"], &watching["thin"]), (&json!(1), &json!(false)));
    assert_eq!(watching["waiting"], 0);
    for (place, one) in attack().iter().enumerate().skip(1) {
        life(folder.path(), async {
            let node = start(folder.path(), &assets).await;
            let window = LEARNED + 5 + place as i64;
            strange(&node, window, &[*one]).await;
            // Taken twice, because the edge did not hear the answer.
            strange(&node, window, &[*one]).await;
        });
    }
    life(folder.path(), async {
        let node = start(folder.path(), &assets).await;
        let found = found(&node).await;
        assert_eq!(found.len(), 1, "{found:#?}");
        let one = &found[0];
        assert_eq!((one.kind, one.severity), (AttackKind::FalseCommand, Severity::High));
        assert!(one.techniques.iter().any(|own| own.id == "T0836"), "{one:?}");
        assert!(one.title.contains("write single register"), "{}", one.title);
        let (_, detail) = node.call("GET", &format!("/api/v1/findings/{}", one.id)).await;
        let commands = detail["commands"].as_array().unwrap();
        let writes: Vec<&Value> = commands
            .iter()
            .filter(|it| it["kind"] == "unusual_value" || it["kind"] == "unusual_object")
            .collect();
        assert_eq!(writes.len(), 10, "{detail:#}");
        for (write, (function, point, value)) in writes.iter().zip(attack()) {
            assert_eq!(write["function"], function);
            assert_eq!(write["value"], value);
            assert!(write["object"].as_str().unwrap().ends_with(&point.to_string()), "{write}");
            assert_eq!((&write["count"], &write["unit"]), (&json!(1), &json!(1)));
        }
        assert_eq!(detail["commands_beyond"], 0);
        let mut connection = node.platform.db.read().await.unwrap();
        let raised = read_facts(&mut connection, 0, &[FindingRaised::KIND], 100).await.unwrap();
        let told = raised.iter().filter(|fact| fact.sentence.contains("always 7")).count();
        assert_eq!(told, 1, "told once");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn everyday_commands_raise_nothing_and_what_people_call_normal_is_honoured() {
    let folder = tempfile::tempdir().unwrap();
    let assets = Arc::new(FakeAssets::default());
    let node = start(folder.path(), &assets).await;
    feed(&node, 0..LEARNED + 60).await;
    assert!(found(&node).await.is_empty());
    strange(&node, LEARNED + 60, &[(6, 12, 900.0)]).await;
    let one = found(&node).await.remove(0);
    let path = format!("/api/v1/findings/{}/feedback", one.id);
    let body = json!({ "verdict": "normal", "reason": "maintenance" });
    let (status, taken) =
        platform::testing::call(node.detection.router(), true, "POST", &path, &body).await;
    assert_eq!(status, StatusCode::OK, "{taken}");
    let scope = taken["suppressions"][0]["scope"].as_str().unwrap();
    assert!(scope.contains("write single register") && scope.contains("900"), "{scope}");
    strange(&node, LEARNED + 61, &[(6, 12, 900.0)]).await;
    assert_eq!(found(&node).await.len(), 1, "called normal");
    assert!(machine(&node).await["suppressed"].as_i64().unwrap() >= 1);
    strange(&node, LEARNED + 62, &[(6, 12, 901.0)]).await;
    let all = found(&node).await;
    assert_eq!(all.len(), 2, "another value was not called normal");
    // Learned for good: a new version.
    let body = json!({ "finding": all[1].id, "reason": "new recipe" });
    let path = format!("{MODELS}/learn");
    let (status, answer) =
        platform::testing::call(node.detection.router(), true, "POST", &path, &body).await;
    assert_eq!((status, &answer["version"]), (StatusCode::OK, &json!(2)), "{answer}");
    feed(&node, LEARNED + 63..LEARNED + 130).await;
    strange(&node, LEARNED + 130, &[(6, 12, 901.0)]).await;
    assert_eq!(found(&node).await.len(), 2, "learned");
    let (_, page) = node.call("GET", &format!("{MODELS}/versions")).await;
    assert_eq!(page["items"][0]["origin"], "taught");
    assert_eq!(page["items"][0]["signature_valid"], true);
    assert_eq!(page["items"][1]["state"], "retired");
}

#[test]
fn the_model_is_text_that_people_edit_and_leave_again() {
    let folder = tempfile::tempdir().unwrap();
    let assets = Arc::new(FakeAssets::default());
    let reason = "{\"reason\":\"not agreed\"}";
    life(folder.path(), edits(folder.path(), &assets));
    life(folder.path(), async {
        // The edited version is in use after a restart, too.
        let node = start(folder.path(), &assets).await;
        strange(&node, LEARNED + 5, &[(6, 12, 8.0)]).await;
        assert!(found(&node).await.is_empty());
        let back = format!("{MODELS}/versions/1/activate");
        let (status, _, _) = call(&node, ("POST", &back), None, reason, true).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        strange(&node, LEARNED + 6, &[(6, 12, 8.0)]).await;
        assert_eq!(found(&node).await.len(), 1);
        only_the_permitted(&node, &back, reason).await;
        let mut connection = node.platform.db.read().await.unwrap();
        let kinds = [MachineModelChanged::KIND];
        let facts = read_facts(&mut connection, 0, &kinds, 100).await.unwrap();
        assert_eq!(facts.len(), 3, "learned, edited, activated");
        assert_eq!(facts[1].actor, "local administrator");
        drop(connection);
        let again = format!("{MODELS}/versions/2/activate");
        let (status, _, _) = call(&node, ("POST", &again), None, reason, true).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        tamper(&node).await;
    });
    life(folder.path(), async {
        // A changed version is not used: the earlier one takes its place, and health says so.
        let node = start(folder.path(), &assets).await;
        let shown = machine(&node).await;
        assert_eq!(shown["version"], 1, "{shown}");
        assert!(shown["protection"].as_str().unwrap().contains("signature"), "{shown}");
        let health = node.detection.health().await;
        assert!(format!("{health:?}").contains("earlier version"), "{health:?}");
        let relearn = format!("{MODELS}/relearn");
        let (status, _, _) = call(&node, ("POST", &relearn), None, reason, true).await;
        assert_eq!(status, StatusCode::ACCEPTED);
        assert_eq!(machine(&node).await["state"]["state"], "learning");
        let (status, _, answer) = call(&node, ("GET", MODELS), None, "", true).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert!(answer.contains("learning"), "{answer}");
    });
}

async fn edits(folder: &Path, assets: &Arc<FakeAssets>) {
    let node = start(folder, assets).await;
    feed(&node, 0..LEARNED + 5).await;
    let (status, etag, text) = call(&node, ("GET", MODELS), None, "", true).await;
    assert_eq!((status, etag.as_str()), (StatusCode::OK, "\"1\""), "{text}");
    assert!(text.contains("write single register"), "{text}");
    // The set point may also be 8 from now on.
    let edited = format!("# reviewed\n{}", text.replace("only = [7.0]", "only = [7.0, 8.0]"));
    let edited = edited.replace("high = 7.0", "high = 8.0");
    let edited = edited.replace("follows = [3]", "follows = [3, 6]");
    let check = format!("{MODELS}/check");
    let (status, _, answer) = call(&node, ("POST", &check), None, &edited, true).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert!(answer.contains("\"functions_removed\":0"), "{answer}");
    let bad = edited.replace("role = \"request\"", "role = \"boss\"");
    for (method, path) in [("POST", check.as_str()), ("PUT", MODELS)] {
        let (status, _, answer) = call(&node, (method, path), Some("1"), &bad, true).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.contains("line ") && answer.contains("boss"), "{answer}");
    }
    for (if_match, allowed, expected) in [
        (None, true, StatusCode::PRECONDITION_REQUIRED),
        (Some("7"), true, StatusCode::PRECONDITION_FAILED),
        (Some("1"), false, StatusCode::FORBIDDEN),
    ] {
        let (status, _, _) = call(&node, ("PUT", MODELS), if_match, &edited, allowed).await;
        assert_eq!(status, expected);
    }
    assert_eq!(machine(&node).await["version"], 1, "nothing of this changed anything");
    let (status, _, answer) = call(&node, ("PUT", MODELS), Some("1"), &edited, true).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let (_, etag, now) = call(&node, ("GET", MODELS), None, "", true).await;
    assert_eq!((etag.as_str(), now), ("\"2\"", edited), "comments stay");
}

async fn only_the_permitted(node: &Node, activate: &str, body: &str) {
    for (method, path) in [
        ("GET", "/api/v1/detection/commands".to_owned()),
        ("GET", MODELS.to_owned()),
        ("GET", format!("{MODELS}/versions")),
        ("POST", format!("{MODELS}/check")),
        ("POST", activate.to_owned()),
        ("POST", format!("{MODELS}/relearn")),
        ("POST", format!("{MODELS}/learn")),
    ] {
        let (status, _, _) = call(node, (method, &path), None, body, false).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{method} {path}");
    }
}

async fn tamper(node: &Node) {
    let done: Result<(), platform::db::DbError> = node
        .platform
        .db
        .write(|tx| {
            Box::pin(async move {
                sqlx::query("UPDATE detection_machine_models SET blob = 'x' WHERE number = 2")
                    .execute(tx.sql())
                    .await?;
                Ok(())
            })
        })
        .await;
    done.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_after_the_learning_is_judged_although_it_is_in_the_same_batch() {
    let folder = tempfile::tempdir().unwrap();
    let assets = Arc::new(FakeAssets::default());
    let node = start(folder.path(), &assets).await;
    let last = LEARNED + 40;
    let mut one = meter::batches(&meter::life_of(1, 0..last + 1), 1, 10_000).remove(0);
    let mut reports: Vec<Report> = (0..last).flat_map(|at| commands(at, &[])).collect();
    reports.extend(commands(last, &attack()));
    one.operations = serde_json::to_value(&reports).unwrap();
    node.detection.accept(one).await.unwrap();
    settle(&node).await;
    let shown = machine(&node).await;
    assert_eq!(shown["state"]["state"], "watching", "{shown}");
    let found = found(&node).await;
    assert_eq!(found.len(), 1, "{found:#?}");
    let (_, detail) = node.call("GET", &format!("/api/v1/findings/{}", found[0].id)).await;
    let commands = detail["commands"].as_array().unwrap();
    let rate = commands.iter().filter(|it| it["kind"] == "unusual_rate").count();
    assert_eq!(
        (commands.len(), rate),
        (11, 1),
        "ten writes, and that they are so many: {detail:#}"
    );
}
