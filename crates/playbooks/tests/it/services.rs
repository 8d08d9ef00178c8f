//! Caldera, Elasticsearch and Jupyter's scheduler: servers that answer as their interfaces say.

use axum::http::{Method, Uri};
use model::Outcome;
use playbooks::actuators::config::{ActuatorsConfig, Service};
use ports::Repeat;
use serde_json::{Value, json};

use crate::actuators::command;
use crate::messages::{desk, done, server, with_outcome};

fn service(url: String, scope: &str) -> Option<Service> {
    Some(Service { url, secret: Some("key".into()), scope: Some(scope.into()) })
}

#[tokio::test]
async fn an_ability_runs_as_an_operation_and_its_links_are_the_outcome() {
    fn answer(method: &Method, uri: &Uri) -> Value {
        match (method, uri.path()) {
            (&Method::POST, "/api/v2/operations") => json!({ "id": "op 1" }),
            (&Method::GET, "/api/v2/operations/op%201") => json!({ "state": "finished" }),
            (&Method::GET, "/api/v2/operations/op%201/links") => {
                json!([{ "status": 0, "host": "ws-1" }, { "status": 0, "host": "ws-2" }])
            }
            _ => json!({ "version": "5.3.0" }),
        }
    }
    let (url, heard) = server(answer).await;
    let config = ActuatorsConfig { caldera: service(url, "blue"), ..ActuatorsConfig::default() };
    let desk = desk(config, "caldera", "key-of-caldera").await;
    let asked = command("run", json!({ "ability": "9a30740d-3aa8-4c23-8efa-d51215e8a5b9" }));
    let data = done(desk.actuator.perform(&asked).await.unwrap());
    assert_eq!((&data["succeeded"], &data["hosts"]), (&json!(2), &json!(["ws-1", "ws-2"])));
    assert!(desk.actuator.undo(&with_outcome(&asked, data)).await.unwrap().is_some());
    assert_eq!(desk.actuator.repeat("run", &asked.arguments), Repeat::AskPerson);
    let heard = heard.lock().unwrap().clone();
    assert_eq!(heard[0].2["key"], "key-of-caldera");
    assert_eq!(heard[0].3["atomic_ordering"], json!(["9a30740d-3aa8-4c23-8efa-d51215e8a5b9"]));
    assert_eq!(heard[1].3["group"], "blue");
    assert_eq!(heard[1].3["adversary"]["adversary_id"], heard[0].3["adversary_id"]);
    let (method, uri, _, body) = heard.last().unwrap();
    assert_eq!((method, uri.path()), (&Method::PATCH, "/api/v2/operations/op%201"));
    assert_eq!(body, &json!({ "state": "cleanup" }));
    desk.room.close().await;
}

#[tokio::test]
async fn an_operation_without_agents_is_not_called_a_success() {
    fn answer(method: &Method, uri: &Uri) -> Value {
        match (method, uri.path().ends_with("/links")) {
            (&Method::POST, _) => json!({ "id": "op" }),
            (_, true) => json!([]),
            _ => json!({ "state": "finished" }),
        }
    }
    let (url, _) = server(answer).await;
    let config = ActuatorsConfig { caldera: service(url, "red"), ..ActuatorsConfig::default() };
    let desk = desk(config, "caldera", "key-of-caldera").await;
    let outcome = desk.actuator.perform(&command("run", json!({ "ability": "x" }))).await.unwrap();
    assert!(matches!(outcome, Outcome::NotEnforced { .. }), "{outcome:?}");
    desk.room.close().await;
}

#[tokio::test]
async fn queries_only_read_and_say_how_much_was_found() {
    fn answer(_: &Method, uri: &Uri) -> Value {
        match uri.path() {
            "/_query" => json!({ "columns": [], "values": [[1], [2]] }),
            "/" => json!({ "version": { "number": "9.1" } }),
            _ => json!({ "hits": { "total": { "value": 3 }, "hits": [] } }),
        }
    }
    let (url, heard) = server(answer).await;
    let config =
        ActuatorsConfig { elastic: service(url, "logs-*,a/b"), ..ActuatorsConfig::default() };
    let desk = desk(config, "elastic", "key-of-elastic").await;
    let query = json!({ "query": { "term": { "ip": "192.0.2.1" } }, "size": 9_999 });
    let search = command("search", json!({ "query": query }));
    let data = done(desk.actuator.perform(&search).await.unwrap());
    assert_eq!((&data["count"], &data["found"]), (&json!(3), &json!(true)));
    let esql = json!({ "query": "FROM logs | WHERE ip == ?v0", "params": [{ "v0": "x" }] });
    let esql = command("esql", json!({ "query": esql }));
    assert_eq!(done(desk.actuator.perform(&esql).await.unwrap())["count"], 2);
    let probed = desk.actuator.probe().await.unwrap();
    assert_eq!(probed.as_deref(), Some("Elasticsearch 9.1 lets us in"));
    let heard = heard.lock().unwrap().clone();
    assert_eq!(heard[0].1.path(), "/logs-*,a%2Fb/_search");
    assert_eq!(heard[0].2["authorization"], "ApiKey key-of-elastic");
    assert_eq!(heard[0].3["size"], 20);
    assert!(desk.actuator.perform(&command("delete", json!({}))).await.is_err());
    desk.room.close().await;
}

#[tokio::test]
async fn a_notebook_runs_as_a_job_with_values_as_parameters() {
    fn answer(method: &Method, uri: &Uri) -> Value {
        match (method, uri.path()) {
            (&Method::POST, _) => json!({ "job_id": "j1" }),
            (_, "/scheduler/jobs/j1") => json!({ "status": "COMPLETED", "job_files": [] }),
            _ => json!({}),
        }
    }
    let (url, heard) = server(answer).await;
    let config = ActuatorsConfig { jupyter: service(url, "python3"), ..ActuatorsConfig::default() };
    let desk = desk(config, "jupyter", "token-of-jupyter").await;
    let evil = "1; import os";
    let asked = command(
        "run",
        json!({ "notebook": { "cells": [{}], "nbformat": 4 }, "parameters": { "who": evil } }),
    );
    assert_eq!(done(desk.actuator.perform(&asked).await.unwrap())["job"], "j1");
    let heard = heard.lock().unwrap().clone();
    assert_eq!(heard[0].2["authorization"], "token token-of-jupyter");
    assert_eq!(heard[0].3["content"], json!({ "cells": [{}], "nbformat": 4 }));
    assert_eq!(heard[1].3["parameters"]["who"], evil);
    assert!(heard[0].1.path().ends_with(heard[1].3["input_uri"].as_str().unwrap()));
    desk.room.close().await;
}
