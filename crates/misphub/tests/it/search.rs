//! Searching within bounds.

use serde_json::{Value, json};

use super::{EVENT, House, event};

#[tokio::test(flavor = "multi_thread")]
async fn as_many_values_as_may_be_asked_for_are_looked_for() {
    let house = House::new().await;
    house.post("events/add", event()).await;
    let mut values: Vec<String> = (0..499).map(|n| format!("nothing-{n}")).collect();
    values.push("198.51.100.7".into());
    let patterns: Vec<String> = (0..499).map(|n| format!("%nothing-{n}%")).collect();
    for (path, body, found) in [
        ("attributes/restSearch", json!({ "value": values }), 1),
        ("attributes/restSearch", json!({ "value": { "OR": patterns } }), 0),
        ("attributes/restSearch", json!({ "value": { "NOT": patterns } }), 2),
        ("attributes/restSearch", json!({ "value": { "AND": values } }), 0),
        ("attributes/restSearch", json!({ "tags": values, "org": values, "type": values }), 0),
        (
            "attributes/restSearch",
            json!({ "tags": { "AND": patterns }, "org": { "NOT": values } }),
            0,
        ),
        ("attributes/restSearch", json!({ "eventid": [EVENT], "uuid": { "NOT": values } }), 2),
    ] {
        let (status, answer) = house.post(path, body.clone()).await;
        assert_eq!(status, 200, "{body}: {answer}");
        assert_eq!(answer["response"]["Attribute"].as_array().unwrap().len(), found, "{body}");
    }
    let (status, answer) = house.post("events/restSearch", json!({ "value": values })).await;
    assert_eq!((status, answer["response"].as_array().map(Vec::len)), (200, Some(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn patterns_that_cannot_be_compared_are_refused() {
    let house = House::new().await;
    let (long, exact) = (format!("%{}", "x".repeat(60_000)), "x".repeat(60_000));
    for (path, name) in [
        ("attributes/restSearch", "value"),
        ("events/restSearch", "eventinfo"),
        ("events/restSearch", "searchall"),
        ("tags/search", "tagname"),
    ] {
        let (status, problem) = house.post(path, json!({ name: long })).await;
        assert_eq!(status, 400, "{path}: {problem}");
        assert!(problem["message"].as_str().unwrap().contains(name), "{problem}");
    }
    let (status, answer) = house.post("attributes/restSearch", json!({ "value": exact })).await;
    assert_eq!(status, 200, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_of_a_composite_value_is_found() {
    let house = House::new().await;
    let hash = "d41d8cd98f00b204e9800998ecf8427e";
    let mut sent = event();
    sent["Event"]["Attribute"] =
        json!([{ "type": "filename|md5", "value": format!("Odd_Name.exe|{hash}") }]);
    house.post("events/add", sent).await;
    for (value, found) in
        [("odd_name.exe", 1), (hash, 1), ("oddxname.exe", 0), ("odd_name", 0), ("exe", 0)]
    {
        let (_, answer) = house.post("attributes/restSearch", json!({ "value": value })).await;
        assert_eq!(answer["response"]["Attribute"].as_array().unwrap().len(), found, "{value}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_of_a_large_event_are_found_in_linear_time() {
    let house = House::new().await;
    let mut sent = event();
    let object = |n: usize| {
        json!({ "name": "file", "Attribute": [{ "type": "filename", "object_relation": "filename",
            "value": format!("f{n}.exe") }] })
    };
    sent["Event"]["Object"] = (0..3_000).map(object).collect();
    assert_eq!(house.post("events/add", sent).await.0, 200);
    let started = std::time::Instant::now();
    let (status, answer) = house.post("objects/restSearch", json!({ "value": "f%" })).await;
    assert_eq!(status, 200);
    let found = answer["response"].as_array().unwrap();
    assert_eq!(found.len(), 3_000);
    assert_eq!(found[7]["Object"]["Attribute"][0]["value"], "f7.exe");
    // Reading the event anew for each of them takes minutes.
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    let (_, index) = house.post("events/index", Value::Null).await;
    assert_eq!(index[0]["attribute_count"], "3001");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_too_large_is_refused_and_names_the_way_out() {
    let house = House::new().await;
    for n in 0..20 {
        let body =
            json!({ "info": format!("e{n}"), "Attribute": [{ "type": "comment", "value": "x" }] });
        assert_eq!(house.post("events/add", body).await.0, 200);
    }
    let grown: Result<(), platform::db::DbError> = house
        .platform
        .db
        .write(|tx| {
            Box::pin(async move {
                let text = "UPDATE misphub_attributes SET value = printf('%.*c', 7000000, 'x')";
                sqlx::query(text).execute(tx.sql()).await?;
                Ok(())
            })
        })
        .await;
    grown.unwrap();
    for path in ["events/restSearch", "attributes/restSearch"] {
        let (status, problem) = house.post(path, json!({})).await;
        assert_eq!(status, 400, "{path}");
        assert!(problem["message"].as_str().unwrap().contains("`limit`"), "{problem}");
        let (status, _) = house.post(path, json!({ "limit": 1, "page": 2 })).await;
        assert_eq!(status, 200, "{path}");
    }
}
