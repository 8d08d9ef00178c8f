//! What other servers ask when they synchronise, and this node's own exchange.

use ports::disclosure::{Address, Recipient};
use ports::misp::{EventOut, EventTaken, MispDesk};
use serde_json::{Value, json};

use super::House;

fn uuid(n: usize) -> String {
    format!("{n:08x}-1111-4111-8111-111111111111")
}

fn event(n: usize, stamp: i64, distribution: &str, tags: &[&str]) -> Value {
    let tags: Vec<Value> = tags.iter().map(|tag| json!({ "name": tag })).collect();
    json!({"Event": {"id": "77", "uuid": uuid(n), "info": format!("event {n}"), "date": "2026-01-02",
        "timestamp": stamp.to_string(), "published": true, "distribution": distribution, "analysis": "2",
        "threat_level_id": "2", "Orgc": {"name": "CIRCL", "uuid": "55f6ea5e-2c60-40e5-964f-47a8950d210f"}, "Tag": tags,
        "Attribute": [{"type": "domain", "category": "Network activity", "to_ids": true, "value": format!("n{n}.example.net"),
            "uuid": format!("{n:08x}-2222-4222-8222-222222222222"), "timestamp": stamp.to_string(), "distribution": "5"}]}})
}

impl House {
    async fn goes(&self, n: usize) -> EventOut {
        let (to, address) = (Recipient::Unnamed, Address::Open);
        self.room.outgoing(&uuid(n), "TLP:GREEN", to, address).await.unwrap()
    }

    async fn view(&self, n: usize, more: &str) -> Value {
        self.post(&format!("events/view/{}{more}", uuid(n)), json!({})).await.1["Event"].clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_another_server_keep_their_times_and_go_one_step_less_far() {
    let house = House::new().await;
    let room = &house.room;
    let first = event(1, 1_700_000_000, "2", &[]);
    assert_eq!(room.take(first.clone(), "TLP:AMBER", "feed:a").await.unwrap(), EventTaken::New);
    assert_eq!(room.take(first, "TLP:AMBER", "feed:a").await.unwrap(), EventTaken::Same);
    let shown = house.view(1, "").await;
    assert_eq!((&shown["timestamp"], &shown["distribution"]), (&json!("1700000000"), &json!("1")));
    assert_eq!(shown["Tag"][0]["name"], "tlp:amber", "the feed's label where there is none");
    assert_eq!(
        house.known("n1.example.net", intel::Sight::ALL).await.len(),
        2,
        "observed and indicated"
    );
    assert!(house.known("n1.example.net", intel::Sight::up_to(stix::Tlp::Green)).await.is_empty());
    let mut newer = event(1, 1_700_000_100, "2", &[]);
    newer["Event"]["Attribute"][0]["deleted"] = json!(true);
    assert_eq!(room.take(newer, "TLP:AMBER", "feed:a").await.unwrap(), EventTaken::Updated);
    assert_eq!(house.view(1, "").await["timestamp"], "1700000100");
    assert!(
        house.known("n1.example.net", intel::Sight::ALL).await.is_empty(),
        "deleted there, gone here"
    );
    // Another teller does not change it, nor what was made here.
    let other = event(1, 1_800_000_000, "3", &["tlp:clear"]);
    assert_eq!(room.take(other, "TLP:CLEAR", "feed:b").await.unwrap(), EventTaken::Same);
    assert!(!room.remove(&uuid(1), "feed:b").await.unwrap());
    assert!(room.remove(&uuid(1), "feed:a").await.unwrap());
    for bad in [json!(7), json!({"Event": {}}), json!({"Event": {"uuid": "x", "info": "y"}})] {
        assert!(room.take(bad, "TLP:CLEAR", "feed:a").await.is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_leaves_is_published_here_and_may() {
    let house = House::new().await;
    for (n, distribution, tags) in [
        (1, "3", vec!["tlp:green"]),
        (2, "0", vec!["tlp:clear"]),
        (3, "1", vec!["tlp:clear"]),
        (4, "4", vec!["tlp:clear"]),
        (5, "3", vec!["tlp:amber"]),
        (6, "2", vec!["tlp:clear"]),
    ] {
        assert_eq!(
            house.post("events/add", event(n, 1_700_000_000, distribution, &tags)).await.0,
            200
        );
    }
    let mut draft = event(7, 1_700_000_000, "3", &["tlp:clear"]);
    draft["Event"]["published"] = json!(false);
    house.post("events/add", draft).await;
    house
        .room
        .take(event(8, 1_700_000_000, "3", &["tlp:clear"]), "TLP:CLEAR", "feed:a")
        .await
        .unwrap();
    let heads = house.room.published("TLP:GREEN").await.unwrap();
    let mut uuids: Vec<String> = heads.into_iter().map(|head| head.uuid).collect();
    uuids.sort();
    assert_eq!(uuids, [uuid(1), uuid(6)]);
    assert!(house.goes(5).await.event.is_none());
    // Parts that may not leave stay, and so do tags of this node's own.
    for (value, more) in [
        ("own.example.net", json!({"distribution": "0"})),
        ("red.example.net", json!({"Tag": [{"name": "tlp:red"}]})),
        ("fine.example.net", json!({"Tag": [{"name": "our-own-word", "local": true}]})),
    ] {
        let mut attribute =
            json!({"type": "domain", "category": "Network activity", "value": value});
        attribute.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_eq!(house.post(&format!("attributes/add/{}", uuid(6)), attribute).await.0, 200);
    }
    house.post(&format!("events/publish/{}", uuid(6)), json!({})).await;
    let goes = house.goes(6).await.event.unwrap();
    let values: Vec<&str> = goes["Event"]["Attribute"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["value"].as_str().unwrap())
        .collect();
    assert_eq!(values, ["n6.example.net", "fine.example.net"], "{goes}");
    assert_eq!(goes["Event"]["distribution"], "1");
    assert!(!goes.to_string().contains("our-own-word") && goes["Event"].get("id").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_pushes_and_pulls_is_answered_as_it_asks() {
    let house = House::new().await;
    house.post("events/add", event(1, 1_700_000_000, "3", &["tlp:green"])).await;
    house.post("events/add", event(2, 1_700_000_000, "3", &["tlp:red"])).await;
    let ask =
        |n: usize, stamp: i64| json!({"Event": {"uuid": uuid(n), "timestamp": stamp.to_string()}});
    let asked = json!([ask(1, 1_700_000_000), ask(1, 1_700_000_001), ask(2, 1), ask(3, 1), {"Event": 7}, 8]);
    let (status, wanted) = house.post("events/filterEventIdsForPush", asked.clone()).await;
    assert_eq!((status, wanted), (200, json!([uuid(1), uuid(3)])));
    // What lies beyond the caller's sight is wanted like what is not there.
    let (_, wanted) = house.green("events/filterEventIdsForPush", asked).await;
    assert_eq!(wanted, json!([uuid(1), uuid(2), uuid(3)]));
    // A newer state keeps the time that the other server gives; an older one is refused.
    let newer = event(1, 1_700_000_500, "3", &["tlp:green"]);
    let (status, saved) = house.post(&format!("events/edit/{}", uuid(1)), newer).await;
    assert_eq!((status, &saved["Event"]["timestamp"]), (200, &json!("1700000500")));
    let older = event(1, 1_700_000_400, "3", &["tlp:green"]);
    assert_eq!(house.post(&format!("events/edit/{}", uuid(1)), older).await.0, 403);
    // As MISP asks when it pulls.
    let (_, index) = house
        .post("events/index", json!({"minimal": 1, "published": 1, "limit": 10, "page": 1}))
        .await;
    assert_eq!(index.as_array().unwrap().len(), 2, "{index}");
    assert!(
        index[0]["uuid"].is_string()
            && index[0]["timestamp"].is_string()
            && index[0]["orgc_uuid"].is_string()
    );
    let deleted = json!({"deleted": true});
    let attribute = format!("attributes/edit/{:08x}-2222-4222-8222-222222222222", 1);
    house.post(&attribute, deleted).await;
    let all = house.view(1, "/deleted[]:0/deleted[]:1/excludeGalaxy:1/includeEventCorrelations:0/includeFeedCorrelations:0/includeWarninglistHits:0/excludeLocalTags:1").await;
    let deleted: Vec<&Value> = all["Attribute"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["deleted"] == json!(true))
        .collect();
    assert_eq!(deleted.len(), 1, "{all}");
}

/// An event goes by its label, an attribute when all that it becomes goes.
#[tokio::test(flavor = "multi_thread")]
async fn what_leaves_is_judged_by_what_it_becomes() {
    let house = House::new().await;
    let mut made = event(1, 1_700_000_000, "3", &["tlp:green"]);
    let more = |n: usize, value: &str| {
        json!({"type": "domain", "category": "Network activity", "to_ids": true, "value": value,
            "uuid": format!("{n:08x}-3333-4333-8333-333333333333"), "distribution": "5"})
    };
    made["Event"]["Attribute"].as_array_mut().unwrap().push(more(2, "secret.example.net"));
    made["Event"]["Object"] = json!([{"name": "domain-ip", "meta-category": "network", "template_uuid": "43b3b146-77eb-4931-b4cc-b66c60f28734",
        "template_version": "9", "uuid": "00000009-4444-4444-8444-444444444444", "distribution": "5",
        "Attribute": [{"type": "domain", "object_relation": "domain", "category": "Network activity", "to_ids": true,
            "value": "secret.example.org", "uuid": "00000009-5555-4555-8555-555555555555", "distribution": "5"}]}]);
    assert_eq!(house.post("events/add", made).await.0, 200);
    assert_eq!(house.goes(1).await.stayed, 0, "everything goes");
    *house.judge.rule.lock().unwrap() = |_, _, candidate| {
        let green = candidate.tlp == model::Tlp::Green;
        let secret = candidate.object.to_string().contains("secret.example");
        match candidate.object["type"].as_str() {
            _ if secret => Err("denied because secrets stay".into()),
            _ if !green && candidate.object["type"] != "marking-definition" => {
                Err("denied label".into())
            }
            _ => Ok(candidate.object.clone()),
        }
    };
    let out = house.goes(1).await;
    assert_eq!((out.stayed, out.reasons.len()), (2, 1), "{:?}", out.reasons);
    let goes = out.event.unwrap();
    assert!(!goes.to_string().contains("secret."), "{goes}");
    assert_eq!(goes["Event"]["Attribute"].as_array().unwrap().len(), 1);
    assert_eq!(goes["Event"]["Object"], json!([]));
    assert_eq!(goes["Event"]["info"], "event 1");
    // what was deleted still says its value
    let gone = format!("attributes/delete/{}", "00000002-3333-4333-8333-333333333333");
    assert_eq!(house.post(&gone, json!({})).await.0, 200);
    house.post(&format!("events/publish/{}", uuid(1)), json!({})).await;
    let out = house.goes(1).await;
    assert!(!out.event.unwrap().to_string().contains("secret."), "{:?}", out.reasons);
    *house.judge.rule.lock().unwrap() = |_, _, candidate| match candidate.object["type"].as_str() {
        Some("report") => Err("denied because reports stay".into()),
        _ => Ok(candidate.object.clone()),
    };
    let out = house.goes(1).await;
    assert!(
        out.event.is_none() && out.reasons == ["denied because reports stay"],
        "{:?}",
        out.reasons
    );
}
