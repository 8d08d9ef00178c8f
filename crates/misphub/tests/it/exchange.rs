//! What passes between servers beside events: proposals, clusters, sightings.

use ports::misp::MispDesk;
use serde_json::json;

use crate::{EVENT, House, event};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_asks_and_sends_beside_events_is_answered() {
    let house = House::new().await;
    house.post("events/add", event()).await;
    house.post("tags/attachTagToObject", json!({"uuid": EVENT, "tag": "own", "local": 1})).await;
    let long = format!(
        "events/view/{EVENT}/deleted[]:0/deleted[]:1/excludeGalaxy:1/includeEventCorrelations:0/includeFeedCorrelations:0\
         /includeWarninglistHits:0/excludeLocalTags:1"
    );
    let (status, shown) = house.get(&long).await;
    let names: Vec<&str> = shown["Event"]["Tag"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| tag["name"].as_str().unwrap())
        .collect();
    assert_eq!((status, names), (200, vec!["tlp:amber"]), "local tags stay here");
    assert!(shown["Event"].get("Galaxy").is_none());
    // Proposals for an event that both hold; for another one they are left.
    let proposal = |event: &str| {
        json!({"ShadowAttribute": {"id": "2", "old_id": "0", "event_id": "1", "type": "domain",
            "category": "Network activity", "to_ids": true, "comment": "", "value": "told.example",
            "uuid": "856a3eed-aa55-4c73-bd1c-1ceadca5ca76", "timestamp": "1662472028", "event_uuid": event,
            "org_uuid": "10c8f445-888b-4a2d-bac8-4e1e8861d595",
            "Org": {"name": "HOST", "uuid": "10c8f445-888b-4a2d-bac8-4e1e8861d595", "id": "1"}}})
    };
    let desk: &dyn MispDesk = &house.room;
    let stray = "11111111-1111-4111-8111-111111111111";
    let list = vec![proposal(EVENT), proposal(stray), json!(7)];
    assert_eq!(desk.take_proposals(list.clone(), "feed:a").await.unwrap(), 1);
    assert_eq!(desk.take_proposals(list, "feed:a").await.unwrap(), 0, "told again");
    let path =
        "shadow_attributes/index/all:1/timestamp:0/limit:1000/page:1/deleted[]:0/deleted[]:1.json";
    let (_, open) = house.get(path).await;
    assert_eq!(open.as_array().unwrap().len(), 1);
    assert_eq!(open[0]["ShadowAttribute"]["Org"]["name"], "HOST");
    let (_, second) =
        house.get("shadow_attributes/index/all:1/timestamp:0/limit:1000/page:2.json").await;
    assert_eq!(second, json!([]));
    // Clusters, under the label of the feed; what was made here is not theirs to change.
    let cluster = |version: &str, uuid: &str| {
        json!({"GalaxyCluster": {"uuid": uuid, "type": "test-galaxy", "value": format!("v{version}"),
            "version": version, "distribution": "3", "authors": [], "GalaxyElement": [],
            "Galaxy": {"uuid": "c5f2dfb4-21a1-42d8-a452-1d3c36a204ff", "name": "Test", "type": "test-galaxy"}}})
    };
    let theirs = "8faab056-4212-4e80-8b54-b7eadec6b739";
    let take = async |version: &str, uuid: &str, teller: &str| {
        desk.take_clusters(vec![cluster(version, uuid)], "TLP:AMBER", teller).await.unwrap()
    };
    assert_eq!(take("1", theirs, "feed:a").await, 1);
    assert_eq!(take("1", theirs, "feed:a").await, 0);
    assert_eq!(take("2", theirs, "feed:b").await, 0, "another server told it");
    assert_eq!(take("2", theirs, "feed:a").await, 1);
    let (_, shown) = house.get(&format!("galaxy_clusters/view/{theirs}")).await;
    assert_eq!(shown["GalaxyCluster"]["value"], "v2");
    let (status, _) = house.green(&format!("galaxy_clusters/view/{theirs}"), json!({})).await;
    assert_eq!(status, 404, "the feed says TLP:AMBER");
    let question = json!({"minimal": 1, "published": 1});
    let (_, heads) = house.post("galaxy_clusters/restSearch", question).await;
    assert_eq!(heads["response"][0]["GalaxyCluster"], json!({"uuid": theirs, "version": "2"}));
    // Sightings.
    let sighting = json!([{"Sighting": {"uuid": "9faab056-4212-4e80-8b54-b7eadec6b739", "type": "0",
        "attribute_uuid": "57c06bb1-625c-4d34-9b9f-4066950d2100", "date_sighting": "1662472028", "source": "s"}},
        {"Sighting": {"attribute_uuid": stray}}]);
    let path = format!("sightings/bulkSaveSightings/{EVENT}");
    let (_, done) = house.post(&path, sighting).await;
    assert_eq!(done["message"], "1 sightings added.");
    let ids = json!({"id": [EVENT, stray]});
    let (_, seen) = house.post("sightings/restSearch/event", ids).await;
    assert_eq!(seen["response"].as_array().unwrap().len(), 1, "{seen}");
    let wanted = json!(["9faab056-4212-4e80-8b54-b7eadec6b739", stray]);
    let (_, new) =
        house.post(&format!("sightings/filterSightingUuidsForPush/{EVENT}"), wanted).await;
    assert_eq!(new, json!([stray]));
    assert_eq!(house.get("analyst_data/indexMinimal").await, (200, json!([])));
}
