//! What becomes of steps, branches and failures.

use std::sync::Arc;

use model::Outcome;
use serde_json::{Value, json};

use crate::room::{Room, World, action, block, end, notify, playbook, steps};

const GATEWAY: &str = "x-sereno-actuator--9c0f1d2e-5b77-4bb0-8a7a-000000000001";

async fn walk(playbook: &Value, world: &Arc<World>) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path(), world).await;
    room.start(playbook).await;
    let run = room.ended().await;
    room.close().await;
    run
}

fn says(outcome: Outcome) -> Arc<World> {
    let world = World::default();
    world.script.lock().unwrap().push_back(Ok(outcome));
    Arc::new(world)
}

fn failed() -> Outcome {
    Outcome::Failed { reason: "no such device".into(), retry: false }
}

fn pairs(expect: &[(&str, &str)]) -> Vec<(String, String)> {
    expect.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

#[tokio::test]
async fn outcomes_set_variables_that_conditions_ask() {
    let it = playbook(&[
        ("block", block(json!({ "on_completion": "@if@", "out_args": ["__blocked__:value"] }))),
        (
            "if",
            json!({ "type": "if-condition", "condition": "__blocked__:value = 'true'",
            "on_true": "@yes@", "on_false": "@no@", "on_completion": "@after@" }),
        ),
        ("yes", notify("yes", json!({ "on_completion": "@back@" }))),
        ("no", notify("no", json!({ "on_completion": "@back@" }))),
        ("back", end()),
        ("after", notify("after", json!({ "on_completion": "@end@" }))),
        ("end", end()),
    ]);
    let run = walk(&it, &Arc::default()).await;
    assert_eq!(run["state"], "succeeded", "{run:#}");
    assert_eq!(run["variables"]["__blocked__"], "true");
    let expect = [
        ("start", "done"),
        ("block", "done"),
        ("if", "done"),
        ("yes", "done"),
        ("back", "done"),
        ("after", "done"),
        ("end", "done"),
        ("no", "skipped"),
    ];
    assert_eq!(steps(&run), pairs(&expect));
    assert_eq!(run["path"].as_array().unwrap().len(), 7);
    assert_eq!(run["note"], Value::Null);
}

#[tokio::test]
async fn not_enforced_is_its_own_state_and_the_run_goes_on() {
    let reason = "user namespaces are switched off".to_owned();
    let world = says(Outcome::NotEnforced { reason, data: Value::Null });
    let it = playbook(&[("block", block(json!({ "on_success": "@end@" }))), ("end", end())]);
    let run = walk(&it, &world).await;
    assert_eq!(run["state"], "succeeded");
    assert_eq!(run["note"], "1 step not enforced here");
    assert_eq!(run["steps"][1]["state"], "not_enforced");
    assert_eq!(run["steps"][1]["outcome"]["outcome"], "not_enforced");
}

#[tokio::test]
async fn failures_go_where_the_playbook_says() {
    // on_failure takes care of it.
    let it = playbook(&[
        ("block", block(json!({ "on_success": "@end@", "on_failure": "@tell@" }))),
        ("tell", notify("it failed", json!({ "on_completion": "@end@" }))),
        ("end", end()),
    ]);
    let run = walk(&it, &says(failed())).await;
    assert_eq!((run["state"].as_str(), &run["note"]), (Some("succeeded"), &Value::Null));
    assert_eq!(steps(&run)[2], ("tell".to_owned(), "done".to_owned()));

    // on_completion goes on, but nothing pretends that all went well.
    let it = playbook(&[
        ("block", block(json!({ "on_completion": "@tell@" }))),
        ("tell", notify("anyway", json!({ "on_completion": "@end@" }))),
        ("end", end()),
    ]);
    let run = walk(&it, &says(failed())).await;
    assert_eq!(run["state"], "failed");
    assert_eq!(run["note"], "1 step failed");
    assert_eq!(steps(&run)[2], ("tell".to_owned(), "done".to_owned()));

    // Nothing takes care of it.
    let it = playbook(&[("block", block(json!({ "on_success": "@end@" }))), ("end", end())]);
    let run = walk(&it, &says(failed())).await;
    assert_eq!(run["state"], "failed");
    assert!(run["note"].as_str().unwrap().contains("nothing takes care"), "{run:#}");

    // The workflow's exception step does.
    let mut it = playbook(&[
        ("block", block(json!({ "on_success": "@end@" }))),
        ("rescue", notify("rescue", json!({ "on_completion": "@end@" }))),
        ("end", end()),
    ]);
    it["workflow_exception"] = json!("action--5d1f0f0e-8a4b-4b53-9a6d-000000000001");
    let run = walk(&it, &says(failed())).await;
    assert_eq!(run["state"], "failed");
    assert_eq!(steps(&run)[2], ("rescue".to_owned(), "done".to_owned()));
}

#[tokio::test]
async fn an_actuator_that_is_away_is_asked_again_under_the_same_key() {
    let world = Arc::new(World::default());
    for _ in 0..3 {
        world.script.lock().unwrap().push_back(Err("the gateway is away".into()));
    }
    let it = playbook(&[("block", block(json!({ "on_completion": "@end@" }))), ("end", end())]);
    let run = walk(&it, &world).await;
    assert_eq!(run["state"], "succeeded");
    assert_eq!(run["steps"][1]["attempts"], 4);
    let asked = world.asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 4);
    assert!(asked.iter().all(|ask| *ask == asked[0]), "{asked:?}");
    assert_eq!(world.verbs(), ["block"]);
}

#[tokio::test]
async fn a_step_fails_when_its_time_is_over() {
    let world = Arc::new(World::default());
    for _ in 0..50 {
        world.script.lock().unwrap().push_back(Err("the gateway is away".into()));
    }
    let it = playbook(&[
        ("block", block(json!({ "on_success": "@end@", "on_failure": "@tell@", "timeout": 300 }))),
        ("tell", notify("too late", json!({ "on_completion": "@end@" }))),
        ("end", end()),
    ]);
    let run = walk(&it, &world).await;
    assert_eq!(run["state"], "succeeded", "{run:#}");
    let reason = run["steps"][1]["outcome"]["reason"].as_str().unwrap();
    assert!(reason.contains("the gateway is away") && reason.contains("given up"), "{reason}");
    assert!(world.verbs().is_empty(), "nothing was done");
}

#[tokio::test]
async fn several_commands_are_carried_out_in_order_and_stop_at_a_failure() {
    let ask = |verb: &str| json!({ "type": "x-sereno-actuator", "command": verb });
    let all = json!([ask("block"), ask("release"), ask("block")]);
    let it = playbook(&[
        ("both", action(GATEWAY, all, json!({ "on_completion": "@end@" }))),
        ("end", end()),
    ]);
    let world = Arc::new(World::default());
    let run = walk(&it, &world).await;
    assert_eq!(run["state"], "succeeded");
    assert_eq!(world.verbs(), ["block", "release", "block"]);
    assert_eq!(run["steps"][1]["outcome"]["summary"], "blocked; blocked; blocked");

    let world = Arc::new(World::default());
    let fine = Outcome::Done { summary: "blocked".into(), data: Value::Null };
    world.script.lock().unwrap().extend([Ok(fine), Ok(failed())]);
    let run = walk(&it, &world).await;
    assert_eq!(run["state"], "failed");
    assert_eq!(world.verbs(), ["block", "release"]);
}

#[tokio::test]
async fn delays_are_waited_for_and_values_stay_within_their_bounds() {
    let big = "x".repeat(200_000);
    let world = says(Outcome::Done { summary: "blocked".into(), data: json!({ "blocked": big }) });
    let next = json!({ "on_completion": "@end@", "delay": 300, "out_args": ["__blocked__"] });
    let it = playbook(&[("block", block(next)), ("end", end())]);
    let run = walk(&it, &world).await;
    assert_eq!(run["state"], "succeeded", "{run:#}");
    let at = |name: &str, step: usize| {
        run["steps"][step][name].as_str().unwrap().parse::<model::Timestamp>().unwrap()
    };
    assert!(at("started_at", 1).micros_since(at("started_at", 0)) >= 300_000);
    assert_eq!(run["steps"][1]["outcome"]["data"]["trimmed"], true);
    assert_eq!(run["variables"]["__blocked__"], "false", "nothing was taken from what was cut");
}

#[tokio::test]
async fn a_loop_that_does_not_end_is_stopped() {
    let it = playbook(&[
        ("tell", notify("again", json!({ "on_completion": "@if@" }))),
        (
            "if",
            json!({ "type": "if-condition", "condition": "__who__:value = 'nobody'",
            "on_true": "@if2@", "on_false": "@end@" }),
        ),
        (
            "if2",
            json!({ "type": "if-condition", "condition": "__who__:value = 'nobody'",
            "on_true": "@if@", "on_false": "@end@" }),
        ),
        ("end", end()),
    ]);
    let run = walk(&it, &Arc::default()).await;
    assert_eq!(run["state"], "failed");
    assert!(run["note"].as_str().unwrap().contains("2000 steps"), "{}", run["note"]);
    assert_eq!(run["path"].as_array().unwrap().len(), 2_000);
}
