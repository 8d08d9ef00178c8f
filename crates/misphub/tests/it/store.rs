//! What an event puts into the store of intelligence, and takes out of it again.

use intel::Sight;
use serde_json::{Value, json};

use super::{EVENT, House, event};

const ATTRIBUTE: &str = "57c06bb1-625c-4d34-9b9f-4066950d2100";
const VALUE: &str = "198.51.100.7";

async fn published(house: &House) {
    house.post("events/add", event()).await;
    let (status, answer) = house.post(&format!("events/publish/{EVENT}"), Value::Null).await;
    assert_eq!(status, 200, "{answer}");
    assert!(!house.known(VALUE, Sight::ALL).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_event_no_longer_says_is_withdrawn() {
    for (path, body) in [
        (format!("events/unpublish/{EVENT}"), Value::Null),
        (format!("events/delete/{EVENT}"), Value::Null),
        (format!("attributes/delete/{ATTRIBUTE}"), Value::Null),
        (format!("attributes/delete/{ATTRIBUTE}"), json!({ "hard": 1 })),
        (format!("attributes/edit/{ATTRIBUTE}"), json!({ "deleted": true })),
        (
            format!("events/edit/{EVENT}"),
            json!({ "Attribute": [{ "uuid": ATTRIBUTE, "type": "ip-dst", "value": VALUE, "deleted": true }] }),
        ),
    ] {
        let house = House::new().await;
        published(&house).await;
        let (status, answer) = house.post(&path, body.clone()).await;
        assert_eq!(status, 200, "{path} {body}: {answer}");
        assert!(house.known(VALUE, Sight::ALL).await.is_empty(), "{path} {body}");
        let objects = house.objects().await;
        let of = |kind: &str| objects.iter().find(|o| o.0 == format!("{kind}--{ATTRIBUTE}"));
        assert!(of("indicator").is_some_and(|o| o.2), "{path}: revoked");
        assert!(of("observed-data").is_some_and(|o| o.2), "{path}: revoked");
        assert!(!objects.iter().any(|o| o.0.starts_with("ipv4-addr")), "{path}: {objects:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_again_is_known_again() {
    let house = House::new().await;
    published(&house).await;
    house.post(&format!("events/unpublish/{EVENT}"), Value::Null).await;
    house.post(&format!("events/publish/{EVENT}"), Value::Null).await;
    assert!(!house.known(VALUE, Sight::ALL).await.is_empty());
    assert!(house.objects().await.iter().all(|object| !object.2));
    let before = house.objects().await.len();
    house.post(&format!("events/publish/{EVENT}"), Value::Null).await;
    assert_eq!(house.objects().await.len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_was_changed_goes_when_the_event_is_published_again() {
    let house = House::new().await;
    published(&house).await;
    let path = format!("attributes/edit/{ATTRIBUTE}");
    assert_eq!(house.post(&path, json!({ "value": "203.0.113.9" })).await.0, 200);
    let (_, answer) = house.post(&format!("events/publish/{EVENT}"), Value::Null).await;
    assert_eq!(answer["x_sereno_not_carried"].as_array().map(Vec::len), Some(0), "{answer}");
    assert!(house.known(VALUE, Sight::ALL).await.is_empty());
    assert!(!house.known("203.0.113.9", Sight::ALL).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_event_says_too_stays() {
    let house = House::new().await;
    published(&house).await;
    let mut twin = event();
    twin["Event"]["uuid"] = "57c06bb1-625c-4d34-9b9f-4066950d2aaa".into();
    twin["Event"]["Attribute"][0]["uuid"] = "57c06bb1-625c-4d34-9b9f-4066950d2bbb".into();
    twin["Event"]["published"] = true.into();
    assert_eq!(house.post("events/add", twin).await.0, 200);
    house.post(&format!("events/delete/{EVENT}"), Value::Null).await;
    assert!(!house.known(VALUE, Sight::ALL).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_has_one_container_and_is_published_once_it_is_stored() {
    let house = House::new().await;
    published(&house).await;
    let containers = |objects: Vec<(String, i64, bool)>| {
        objects.into_iter().map(|o| o.0).filter(|id| id.ends_with(EVENT)).collect::<Vec<_>>()
    };
    assert_eq!(containers(house.objects().await), [format!("report--{EVENT}")]);
    house.post(&format!("events/edit/{EVENT}"), json!({ "info": "other" })).await;
    house.post(&format!("events/publish/{EVENT}"), Value::Null).await;
    assert_eq!(containers(house.objects().await), [format!("report--{EVENT}")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_comes_published_is_stored_too() {
    let house = House::new().await;
    let mut sent = event();
    sent["Event"]["published"] = true.into();
    let (status, added) = house.post("events/add", sent).await;
    assert_eq!(status, 200, "{added}");
    assert_eq!(added["Event"]["published"], true);
    assert!(added["x_sereno_not_carried"].is_array());
    assert!(!house.known(VALUE, Sight::ALL).await.is_empty());
    let more =
        json!({ "published": true, "Attribute": [{ "type": "ip-dst", "value": "203.0.113.9" }] });
    let (status, edited) = house.post(&format!("events/edit/{EVENT}"), more).await;
    assert_eq!((status, &edited["Event"]["published"]), (200, &json!(true)), "{edited}");
    assert!(!house.known("203.0.113.9", Sight::ALL).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stored_is_what_is_marked_as_published() {
    let house = House::new().await;
    published(&house).await;
    // Edits and publications at once: in the end a published event is wholly in the store.
    for round in 0..5 {
        let value = format!("203.0.113.{}", 10 + round);
        let (path, one) = (format!("attributes/edit/{ATTRIBUTE}"), json!({ "value": value }));
        let publish = format!("events/publish/{EVENT}");
        let (edited, done) =
            tokio::join!(house.post(&path, one), house.post(&publish, Value::Null));
        assert_eq!(edited.0, 200);
        assert!(matches!(done.0, 200 | 409), "{}", done.1);
        let (_, shown) = house.get(&format!("events/view/{EVENT}")).await;
        let known = !house.known(&value, Sight::ALL).await.is_empty();
        assert_eq!(shown["Event"]["published"], known, "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_is_refused_is_neither_stored_nor_told_as_saved() {
    let house = House::new().await;
    house.post("events/add", event()).await;
    let seen = "57c06bb1-625c-4d34-9b9f-4066950d2ccc";
    let (status, _) =
        house.post(&format!("sightings/add/{ATTRIBUTE}"), json!({ "uuid": seen })).await;
    assert_eq!(status, 200);
    let list = json!([
        { "type": "ip-dst", "value": "203.0.113.1", "Tag": [{ "name": "" }] },
        { "type": "ip-dst", "value": "203.0.113.2", "Sighting": [{ "uuid": seen }] },
        { "type": "ip-dst", "value": "203.0.113.3" },
    ]);
    let (status, answer) = house.post(&format!("attributes/add/{EVENT}"), list).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["Attribute"]["value"], "203.0.113.3", "{answer}");
    let refused: Vec<&String> = answer["errors"].as_object().unwrap().keys().collect();
    assert_eq!(refused, ["attribute_0", "attribute_1"]);
    let (_, found) = house.post("attributes/restSearch", json!({ "value": "203.0.113.%" })).await;
    assert_eq!(found["response"]["Attribute"].as_array().unwrap().len(), 1, "{found}");
    // the UUID of another's sighting or reference
    let (_, more) = house
        .post(
            &format!("attributes/add/{EVENT}"),
            json!({ "type": "ip-dst", "value": "203.0.113.4" }),
        )
        .await;
    let id = more["Attribute"]["id"].as_str().unwrap();
    let (status, problem) =
        house.post(&format!("sightings/add/{id}"), json!({ "uuid": seen })).await;
    assert_eq!(status, 403, "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn references_and_sightings_go_too() {
    let house = House::new().await;
    let (_, added) = house.post("events/add", event()).await;
    let object = added["Event"]["Object"][0]["uuid"].as_str().unwrap();
    let (refer, seen) =
        ("57c06bb1-625c-4d34-9b9f-4066950d2eee", "57c06bb1-625c-4d34-9b9f-4066950d2fff");
    let body = json!({ "object_uuid": object, "referenced_uuid": ATTRIBUTE, "uuid": refer });
    assert_eq!(house.post("objectReferences/add", body).await.0, 200);
    let (_, other) = house.post("objects/add/1", json!({ "name": "file", "Attribute": [] })).await;
    let other = other["Object"]["uuid"].as_str().unwrap();
    let body = json!({ "object_uuid": other, "referenced_uuid": ATTRIBUTE, "uuid": refer });
    let (status, problem) = house.post("objectReferences/add", body).await;
    assert_eq!(status, 403, "another object's reference: {problem}");
    house.post(&format!("sightings/add/{ATTRIBUTE}"), json!({ "uuid": seen })).await;
    house.post(&format!("events/publish/{EVENT}"), Value::Null).await;
    let revoked = |objects: Vec<(String, i64, bool)>, uuid: &str| {
        objects.iter().find(|o| o.0.ends_with(uuid)).map(|o| o.2)
    };
    for (path, uuid) in [("objectReferences/delete", refer), ("sightings/delete", seen)] {
        assert_eq!(revoked(house.objects().await, uuid), Some(false), "{path}");
        assert_eq!(house.post(&format!("{path}/{uuid}"), Value::Null).await.0, 200);
        assert_eq!(revoked(house.objects().await, uuid), Some(true), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_object_does_not_undo_a_newer_one() {
    let house = House::new().await;
    house.post("events/add", event()).await;
    let (_, shown) = house.get(&format!("events/view/{EVENT}")).await;
    let object = &shown["Event"]["Object"][0];
    let uuid = object["uuid"].as_str().unwrap();
    let (status, _) =
        house.post(&format!("objects/edit/{uuid}"), json!({ "comment": "newer" })).await;
    assert_eq!(status, 200);
    let older = json!({ "Object": [{ "uuid": uuid, "name": "file", "comment": "older", "timestamp": "1" }] });
    house.post(&format!("events/edit/{EVENT}"), older).await;
    let (_, shown) = house.get(&format!("objects/view/{uuid}")).await;
    assert_eq!(shown["Object"]["comment"], "newer");
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_not_given_twice() {
    let house = House::new().await;
    let (_, first) = house.post("events/add", event()).await;
    house.post(&format!("events/delete/{EVENT}"), Value::Null).await;
    let (_, second) = house.post("events/add", event()).await;
    assert_ne!(first["Event"]["id"], second["Event"]["id"]);
    let id = |answer: &Value| answer["Event"]["Attribute"][0]["id"].clone();
    assert_ne!(id(&first), id(&second));
}

#[tokio::test(flavor = "multi_thread")]
async fn sharing_groups_are_extended_and_not_added_twice() {
    let house = House::new().await;
    let uuid = "57c06bb1-625c-4d34-9b9f-4066950d2ddd";
    let first = json!({ "name": "g", "uuid": uuid, "description": "d", "x_own": 1 });
    assert_eq!(house.post("sharing_groups/add", first).await.0, 200);
    let path = format!("sharing_groups/edit/{uuid}");
    let (status, edited) = house.post(&path, json!({ "releasability": "r" })).await;
    assert_eq!(status, 200, "{edited}");
    let group = &edited["SharingGroup"];
    assert_eq!(
        (&group["description"], &group["releasability"], &group["x_own"]),
        (&json!("d"), &json!("r"), &json!(1))
    );
    let (status, problem) =
        house.post("sharing_groups/add", json!({ "name": "other", "uuid": uuid })).await;
    assert_eq!(status, 403, "{problem}");
    assert!(problem["errors"]["uuid"].is_array(), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_an_older_version_are_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let old =
        platform::db::RoomMigrations { room: "misphub", steps: &misphub::MIGRATIONS.steps[..1] };
    let platform =
        platform::testing::platform(folder.path(), &[intel::MIGRATIONS, old]).await.unwrap();
    let done: Result<(), platform::db::DbError> = platform
        .db
        .write(|tx| {
            Box::pin(async move {
                for text in [
                    "INSERT INTO misphub_orgs (uuid, name) VALUES ('55f6ea5e-2c60-40e5-964f-47a8950d210f', 'CIRCL')",
                    "INSERT INTO misphub_events (id, uuid, orgc, info, date, published, stamp, publish_stamp, tlp, \
                     body, made_by) VALUES (7, '57c06bb1-625c-4d34-9b9f-4066950d210f', 1, 'old', '2016-08-26', 1, 9, \
                     9, 1, '{\"x_own\":1}', 'me')",
                    "INSERT INTO misphub_attributes (id, uuid, event, object, type, category, value, lower, to_ids, \
                     stamp, deleted, body) VALUES (8, '57c06bb1-625c-4d34-9b9f-4066950d2100', 7, 0, 'ip-dst', \
                     'Network activity', '198.51.100.7', '198.51.100.7', 1, 9, 0, '{}')",
                    "INSERT INTO misphub_tags (id, name, body) VALUES (3, 'ours', '{}')",
                    "INSERT INTO misphub_tagged VALUES ('event', 7, 3, 0)",
                ] {
                    sqlx::query(text).execute(tx.sql()).await?;
                }
                Ok(())
            })
        })
        .await;
    done.unwrap();
    drop(platform);
    let rooms = [intel::MIGRATIONS, misphub::MIGRATIONS];
    let platform = platform::testing::platform(folder.path(), &rooms).await.unwrap();
    let house = House::over(platform, folder);
    let (status, shown) = house.get("events/view/7").await;
    assert_eq!(status, 200, "{shown}");
    let shown = &shown["Event"];
    assert_eq!((&shown["x_own"], &shown["Tag"][0]["name"]), (&json!(1), &json!("ours")));
    assert_eq!(shown["Attribute"][0]["id"], "8");
    house.post("attributes/delete/8", json!({ "hard": 1 })).await;
    let more = json!({ "type": "ip-dst", "value": VALUE });
    let (_, added) = house.post("attributes/add/7", more).await;
    assert_eq!(added["Attribute"]["id"], "9", "{added}");
    assert_eq!(house.post("events/publish/7", Value::Null).await.0, 200);
    assert!(!house.known(VALUE, Sight::ALL).await.is_empty());
}
