//! Who sees what.

use intel::Sight;
use serde_json::{Value, json};
use stix::Tlp;

use super::{EVENT, House, event};

const ATTRIBUTE: &str = "57c06bb1-625c-4d34-9b9f-4066950d2100";

fn green() -> Sight {
    Sight::up_to(Tlp::Green)
}

/// The event with these tags.
fn tagged(list: &[&str]) -> Value {
    let mut event = event();
    event["Event"]["Tag"] = list.iter().map(|name| json!({ "name": name })).collect();
    event
}

#[tokio::test(flavor = "multi_thread")]
async fn no_object_of_an_event_is_less_protected_than_the_event() {
    let house = House::new().await;
    // An attribute that says green does not lower what it stands in.
    let mut red = tagged(&["TLP:RED"]);
    red["Event"]["Attribute"][0]["Tag"] = json!([{ "name": "tlp:green" }]);
    house.post("events/add", red).await;
    house.post(&format!("events/publish/{EVENT}"), Value::Null).await;
    let objects = house.objects().await;
    assert!(objects.len() > 4);
    for (id, tlp, _) in &objects {
        assert!(*tlp == 4 || id.starts_with("marking-definition"), "{id}: {tlp}");
    }
    assert!(house.known("198.51.100.7", green()).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_that_is_raised_reaches_what_is_stored() {
    let house = House::new().await;
    house.post("events/add", tagged(&[])).await;
    house.post(&format!("events/publish/{EVENT}"), Value::Null).await;
    assert!(!house.known("198.51.100.7", green()).await.is_empty());
    let body = json!({ "uuid": EVENT, "tag": "tlp:red" });
    assert_eq!(house.post("tags/attachTagToObject", body).await.0, 200);
    assert!(house.known("198.51.100.7", green()).await.is_empty(), "at once");
    house.post(&format!("events/publish/{EVENT}"), Value::Null).await;
    let objects = house.objects().await;
    for (id, tlp, _) in &objects {
        assert!(*tlp == 4 || id.starts_with("marking-definition"), "{id}: {tlp}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_value_of_a_red_attribute_is_red_in_a_green_event() {
    for late in [false, true] {
        let house = House::new().await;
        let mut sent = tagged(&["tlp:green"]);
        if !late {
            sent["Event"]["Attribute"][0]["Tag"] = json!([{ "name": "tlp:red" }]);
        }
        house.post("events/add", sent).await;
        house.post(&format!("events/publish/{EVENT}"), Value::Null).await;
        if late {
            assert!(!house.known("198.51.100.7", green()).await.is_empty());
            let body = json!({ "uuid": ATTRIBUTE, "tag": "tlp:red" });
            house.post("tags/attachTagToObject", body).await;
            let (_, shown) = house.get(&format!("attributes/view/{ATTRIBUTE}")).await;
            assert_ne!(shown["Attribute"]["timestamp"], "1472228273", "it says something else now");
            house.post(&format!("events/publish/{EVENT}"), Value::Null).await;
        }
        assert!(house.known("198.51.100.7", green()).await.is_empty(), "late: {late}");
        assert!(!house.known("198.51.100.7", Sight::ALL).await.is_empty());
        let objects = house.objects().await;
        let of_it = |id: &str| id.ends_with(ATTRIBUTE) || id.starts_with("relationship--");
        assert!(objects.iter().any(|o| o.0.starts_with("relationship--") && o.1 == 4));
        for (id, tlp, _) in objects.iter().filter(|object| of_it(&object.0)) {
            assert!(*tlp == 4 || id.starts_with("relationship--"), "{id}: {tlp}");
        }
        let report = objects.iter().find(|object| object.0.starts_with("report--"));
        assert_eq!(report.unwrap().1, 1, "the event stays as green as it is");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_red_part_of_an_object_makes_the_object_red() {
    let house = House::new().await;
    let mut sent = tagged(&["tlp:green"]);
    sent["Event"]["Object"][0]["Attribute"][0]["Tag"] = json!([{ "name": "TLP:RED" }]);
    house.post("events/add", sent).await;
    house.post(&format!("events/publish/{EVENT}"), Value::Null).await;
    let red: Vec<String> =
        house.objects().await.into_iter().filter(|o| o.1 == 4).map(|o| o.0).collect();
    assert!(red.iter().any(|id| id.starts_with("file--")), "{red:?}");
    assert!(red.iter().any(|id| id.starts_with("observed-data--")), "{red:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn members_of_sharing_groups_are_told_to_those_who_see_everything() {
    let house = House::new().await;
    let mut sent = tagged(&["tlp:green"]);
    let group = json!({ "name": "g", "SharingGroupOrg": [{ "Organisation": { "name": "secret member" } }] });
    sent["Event"]["distribution"] = 4.into();
    sent["Event"]["SharingGroup"] = group.clone();
    sent["Event"]["Attribute"][0]["SharingGroup"] = group.clone();
    sent["Event"]["Object"][0]["SharingGroup"] = group;
    house.post("events/add", sent).await;
    for (path, body) in [
        (format!("events/view/{EVENT}"), Value::Null),
        ("events/restSearch".into(), json!({})),
        ("events/index".into(), json!({})),
        ("attributes/restSearch".into(), json!({})),
        ("objects/restSearch".into(), json!({})),
        (format!("events/edit/{EVENT}"), json!({ "info": "x" })),
    ] {
        let (status, shown) = house.green(&path, body).await;
        assert_eq!(status, 200, "{path}: {shown}");
        assert!(!shown.to_string().contains("secret member"), "{path}: {shown}");
    }
    let (_, shown) = house.get(&format!("events/view/{EVENT}")).await;
    assert_eq!(shown.to_string().matches("secret member").count(), 3, "they stay stored");
    house.post(&format!("events/publish/{EVENT}"), Value::Null).await;
    let mut sql = house.platform.db.read().await.unwrap();
    let told = sqlx::query("SELECT 1 FROM intel_objects WHERE body LIKE '%secret member%'");
    assert!(told.fetch_optional(&mut *sql).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_that_is_renamed_or_deleted_labels_its_events_anew() {
    let house = House::new().await;
    house.post("events/add", tagged(&["ours"])).await;
    assert_eq!(house.green(&format!("events/view/{EVENT}"), Value::Null).await.0, 200);
    let (status, answer) = house.post("tags/edit/ours", json!({ "name": "tlp:red" })).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(house.green(&format!("events/view/{EVENT}"), Value::Null).await.0, 404);
    for path in ["tags/edit/tlp:red", "tags/delete/tlp:red"] {
        // `name:value` parts of a path are named ones, so the tag is asked by its number.
        let (_, tags) = house.get("tags/index").await;
        let id = tags["Tag"][0]["id"].as_str().unwrap().to_owned();
        let path = path.replace("tlp:red", &id);
        let (status, problem) = house.post(&path, json!({ "name": "harmless" })).await;
        assert_eq!(status, 403, "{path}: {problem}");
        assert!(problem["message"].as_str().unwrap().contains("decides who sees"), "{problem}");
    }
    assert_eq!(house.green(&format!("events/view/{EVENT}"), Value::Null).await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_that_goes_makes_its_attributes_newer() {
    let house = House::new().await;
    let mut sent = tagged(&["tlp:green"]);
    sent["Event"]["Attribute"][0]["Tag"] = json!([{ "name": "ours" }]);
    house.post("events/add", sent).await;
    house.post(&format!("events/publish/{EVENT}"), Value::Null).await;
    house.post("tags/delete/ours", Value::Null).await;
    let (_, shown) = house.get(&format!("events/view/{EVENT}")).await;
    assert_eq!(shown["Event"]["published"], false);
    assert_ne!(shown["Event"]["Attribute"][0]["timestamp"], "1472228273");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_stand_only_on_hidden_events_are_not_told() {
    let house = House::new().await;
    let mut red = tagged(&["tlp:red", "operation-x"]);
    red["Event"]["Attribute"][0]["Tag"] = json!([{ "name": "victim-y" }]);
    house.post("events/add", red).await;
    house.post("tags/add", json!({ "name": "unused" })).await;
    let (status, tags) = house.green("tags/index", json!({})).await;
    assert_eq!(status, 200, "{tags}");
    let names: Vec<&str> =
        tags["Tag"].as_array().unwrap().iter().filter_map(|t| t["name"].as_str()).collect();
    assert_eq!(names, ["unused"]);
    let (_, found) = house.green("tags/search", json!({ "tagname": "operation" })).await;
    assert_eq!(found, json!([]));
    let (_, found) =
        house.green("tags/search", json!({ "tagname": "operation-x", "strict_tagname": 1 })).await;
    assert_eq!(found, json!([]));
    assert_eq!(house.green("tags/view/victim-y", json!({})).await.0, 404);
    assert_eq!(house.post("tags/view/victim-y", json!({})).await.0, 200);
    let (_, orgs) = house.green("organisations/index", json!({})).await;
    let text = orgs.to_string();
    assert!(text.contains("Test Node") && !text.contains("CIRCL"), "{text}");
    let (_, orgs) = house.post("organisations/index", json!({})).await;
    assert!(orgs.to_string().contains("CIRCL"));
}
