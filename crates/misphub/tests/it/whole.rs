//! Proposals, reports, galaxies, correlation, forms of an answer.

use serde_json::{Value, json};

use crate::{EVENT, House, event};

const OTHER: &str = "57c06bb1-625c-4d34-9b9f-4066950d2aaa";
const ATTRIBUTE: &str = "57c06bb1-625c-4d34-9b9f-4066950d2100";

fn second(tag: &str) -> Value {
    json!({"Event": {"uuid": OTHER, "info": "another", "date": "2016-08-27", "distribution": "1",
        "Tag": [{"name": tag}],
        "Attribute": [{"type": "ip-dst", "value": "198.51.100.7"}]}})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_changes_nothing_until_it_is_accepted() {
    let house = House::new().await;
    house.post("events/add", event()).await;
    let path = format!("shadow_attributes/edit/{ATTRIBUTE}");
    let (status, one) = house.post(&path, json!({"comment": "better"})).await;
    assert_eq!(status, 200, "{one}");
    let id = one["ShadowAttribute"]["id"].as_str().unwrap().to_owned();
    let path = format!("shadow_attributes/add/{EVENT}");
    let (_, new) = house.post(&path, json!({"type": "domain", "value": "new.example"})).await;
    assert_eq!(new["ShadowAttribute"]["old_id"], "0");
    let (_, shown) = house.get(&format!("events/view/{EVENT}")).await;
    assert_eq!(shown["Event"]["Attribute"][0]["comment"], "c");
    assert_eq!(shown["Event"]["Attribute"][0]["ShadowAttribute"][0]["comment"], "better");
    assert_eq!(shown["Event"]["ShadowAttribute"][0]["value"], "new.example");
    assert_eq!(house.post(&format!("shadow_attributes/accept/{id}"), json!({})).await.0, 200);
    let (status, _) = house.post(&format!("shadow_attributes/accept/{id}"), json!({})).await;
    assert_eq!(status, 404, "it is decided on");
    let (_, shown) = house.get(&format!("attributes/view/{ATTRIBUTE}")).await;
    assert_eq!(shown["Attribute"]["comment"], "better");
    assert_eq!(shown["Attribute"]["x_own"], true, "what was not proposed stays");
    let (_, open) = house.get("shadow_attributes/index").await;
    assert_eq!(open.as_array().unwrap().len(), 1);
    assert_eq!(open[0]["ShadowAttribute"]["event_uuid"], EVENT);
    let (_, hidden) = house.green("shadow_attributes/index", json!({})).await;
    assert_eq!(hidden, json!([]), "the event is TLP:AMBER");
    house.post(&format!("shadow_attributes/delete/{ATTRIBUTE}"), json!({})).await;
    let (_, published) = house.post(&format!("events/publish/{EVENT}"), json!({})).await;
    assert!(!published.to_string().contains("new.example"), "what is proposed is not published");
    assert!(house.known("new.example", intel::Sight::ALL).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_published_as_a_note_and_withdrawn_with_it() {
    let house = House::new().await;
    house.post("events/add", event()).await;
    let path = format!("eventReports/add/{EVENT}");
    let (status, added) =
        house.post(&path, json!({"EventReport": {"name": "n", "content": "# text"}})).await;
    assert_eq!(status, 200, "{added}");
    let uuid = added["EventReport"]["uuid"].as_str().unwrap().to_owned();
    house.post(&format!("events/publish/{EVENT}"), json!({})).await;
    let note = format!("note--{uuid}");
    let state = |list: Vec<(String, i64, bool)>| {
        list.into_iter().find(|(id, ..)| *id == note).map(|(_, tlp, revoked)| (tlp, revoked))
    };
    assert_eq!(state(house.objects().await), Some((intel::rank(stix::Tlp::Amber), false)));
    let (_, edited) =
        house.post(&format!("eventReports/edit/{uuid}"), json!({"content": "other"})).await;
    assert_eq!(
        (&edited["EventReport"]["name"], &edited["EventReport"]["content"]),
        (&json!("n"), &json!("other"))
    );
    let (_, shown) = house.get(&format!("events/view/{EVENT}")).await;
    assert_eq!(shown["Event"]["EventReport"][0]["content"], "other");
    assert_eq!(house.green(&format!("eventReports/view/{uuid}"), json!({})).await.0, 404);
    house.post(&format!("eventReports/delete/{uuid}"), json!({})).await;
    assert!(state(house.objects().await).is_none_or(|(_, revoked)| revoked));
    let (_, left) = house.get(&format!("eventReports/index/{EVENT}")).await;
    assert_eq!(left, json!([]));
    let long = "x".repeat((1 << 20) + 1);
    let (status, problem) = house.post(&path, json!({"name": "n", "content": long})).await;
    assert_eq!(status, 403);
    assert!(problem["errors"]["content"][0].as_str().unwrap().contains("1048576"), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_share_a_value_are_told_within_sight_only() {
    let house = House::new().await;
    let mut first = event();
    first["Event"]["Tag"] = json!([{"name": "tlp:green"}]);
    house.post("events/add", first).await;
    house.post("events/add", second("tlp:red")).await;
    let view = format!("events/view/{EVENT}");
    let (_, all) = house.post(&view, json!({})).await;
    assert_eq!(all["Event"]["RelatedEvent"][0]["Event"]["uuid"], OTHER);
    let (_, green) = house.green(&view, json!({})).await;
    assert_eq!(green["Event"]["RelatedEvent"], json!([]));
    let question = json!({"value": "198.51.100.7", "includeCorrelations": 1});
    let (_, found) = house.green("attributes/restSearch", question.clone()).await;
    assert_eq!(found["response"]["Attribute"][0]["RelatedAttribute"], json!([]));
    let (_, found) = house.post("attributes/restSearch", question).await;
    let related = &found["response"]["Attribute"][0]["RelatedAttribute"];
    assert_eq!(related[0]["Event"]["uuid"], OTHER);
    // What is published of an event says nothing of others.
    let (_, published) = house.post(&format!("events/publish/{EVENT}"), json!({})).await;
    assert!(!published.to_string().contains(OTHER));
    house.post("correlation_exclusions/add", json!({"value": "198.51.100.7"})).await;
    let (_, all) = house.post(&view, json!({})).await;
    assert_eq!(all["Event"]["RelatedEvent"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_is_everywhere_correlates_with_nothing() {
    let house = House::new().await;
    for number in 0..101 {
        let attributes = json!([{"type": "domain", "value": "everywhere.example"}]);
        let (status, _) = house
            .post("events/add", json!({"info": format!("{number}"), "Attribute": attributes}))
            .await;
        assert_eq!(status, 200);
    }
    let (_, shown) = house.get("events/view/1").await;
    assert_eq!(shown["Event"]["RelatedEvent"], json!([]));
    house.post("events/delete/101", json!({})).await;
    house.post("events/delete/100", json!({})).await;
    let (_, shown) = house.get("events/view/1").await;
    assert_eq!(shown["Event"]["RelatedEvent"].as_array().unwrap().len(), 98);
}

fn galaxy_file() -> Value {
    json!({"uuid": "f8d6a1c4-0000-4000-8000-000000000001", "type": "rat", "name": "RAT", "description": "d",
        "version": 3, "values": [{"value": "PlugX", "uuid": "f8d6a1c4-0000-4000-8000-000000000002",
            "description": "a tool", "meta": {"synonyms": ["Korplug", "Sogu"]},
            "related": [{"dest-uuid": "f8d6a1c4-0000-4000-8000-000000000009", "type": "similar"}]}]})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_stands_behind_its_tag_for_those_who_may_see_it() {
    let house = House::new().await;
    let (status, loaded) = house.post("galaxies/import", galaxy_file()).await;
    assert_eq!(status, 200, "{loaded}");
    house.post("galaxies/import", galaxy_file()).await;
    let (_, view) = house.get("galaxies/view/rat").await;
    assert_eq!(view["GalaxyCluster"].as_array().unwrap().len(), 1, "loaded twice is there once");
    assert_eq!(view["GalaxyCluster"][0]["meta"]["synonyms"], json!(["Korplug", "Sogu"]));
    let id = view["GalaxyCluster"][0]["id"].as_str().unwrap().to_owned();
    let mut first = event();
    first["Event"]["Tag"] = json!([{"name": "tlp:green"}]);
    house.post("events/add", first).await;
    let own = json!({"GalaxyCluster": {"value": "Ours", "distribution": "0",
        "GalaxyElement": [{"key": "k", "value": "secret"}]}});
    let (status, own) = house.post("galaxy_clusters/add/rat", own).await;
    assert_eq!(status, 200, "{own}");
    let own_id = own["GalaxyCluster"]["id"].as_str().unwrap().to_owned();
    for cluster in [&id, &own_id] {
        let body = json!({"Galaxy": {"target_id": cluster}});
        let (status, done) =
            house.post(&format!("galaxies/attachCluster/{EVENT}/event"), body).await;
        assert_eq!(status, 200, "{done}");
    }
    let view = format!("events/view/{EVENT}");
    let (_, all) = house.post(&view, json!({})).await;
    assert_eq!(all["Event"]["Galaxy"][0]["GalaxyCluster"].as_array().unwrap().len(), 2);
    let (_, green) = house.green(&view, json!({})).await;
    let clusters = green["Event"]["Galaxy"][0]["GalaxyCluster"].as_array().unwrap();
    assert_eq!(clusters.len(), 1);
    assert_eq!(clusters[0]["value"], "PlugX");
    assert!(!green.to_string().contains("Ours"), "not even its name stands in the tag");
    let (status, hidden) = house.green(&format!("galaxy_clusters/view/{own_id}"), json!({})).await;
    let (_, never) = house.green("galaxy_clusters/view/999", json!({})).await;
    assert_eq!((status, &hidden), (404, &never));
    // Published under TLP:GREEN, without the cluster of the organisation.
    house.post(&format!("events/publish/{EVENT}"), json!({})).await;
    let stored = house.bodies().await;
    assert!(stored.contains("PlugX") && !stored.contains("secret"));
    let (status, _) =
        house.post(&format!("galaxy_clusters/edit/{id}"), json!({"value": "x"})).await;
    assert_eq!(status, 403, "loaded ones are not changed");
    let body = json!({"Galaxy": {"target_id": id}});
    house.post(&format!("galaxies/detachCluster/{EVENT}/event"), body).await;
    let (_, all) = house.post(&view, json!({})).await;
    assert_eq!(all["Event"]["Galaxy"][0]["GalaxyCluster"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_form_of_an_answer_holds_what_it_is_for() {
    let house = House::new().await;
    house.post("events/add", event()).await;
    let ask = |format: &str| json!({"returnFormat": format, "eventid": EVENT});
    let lines = async |format: &str| house.text("events/restSearch", ask(format)).await;
    assert_eq!(lines("text").await, "", "nothing is published");
    let csv = lines("csv").await;
    assert!(csv.starts_with("uuid,event_id,category,type,value,comment,to_ids,date,"), "{csv}");
    assert!(csv.contains(",file,file"), "the object stands beside: {csv}");
    house.post(&format!("events/publish/{EVENT}"), json!({})).await;
    assert_eq!(lines("text").await, "198.51.100.7\na.exe");
    let rules = lines("suricata").await;
    assert!(rules.starts_with("alert ip $HOME_NET any -> 198.51.100.7 any (msg:"), "{rules}");
    let (status, bundle) = house.post("events/restSearch", ask("stix2")).await;
    assert_eq!((status, &bundle["type"]), (200, &json!("bundle")));
    assert!(bundle.to_string().contains("198.51.100.7"));
    let (status, problem) = house.post("events/restSearch", ask("stix-xml")).await;
    assert_eq!(status, 400);
    assert!(problem["message"].as_str().unwrap().contains("suricata"), "{problem}");
    for question in
        [json!({"searchall": true, "value": "%A TEST%"}), json!({"searchall": "a test"})]
    {
        let (_, found) = house.post("events/restSearch", question).await;
        assert_eq!(found["response"].as_array().unwrap().len(), 1, "words of what it is about");
    }
    let (status, _) = house.post("events/index", json!({"sort": "id; DROP TABLE x"})).await;
    assert_eq!(status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn pasted_text_becomes_attributes() {
    let house = House::new().await;
    house.post("events/add", event()).await;
    let body = json!({"value": "seen hxxp://evil[.]example/a and 203.0.113.9, 203.0.113.9"});
    let (status, found) = house.post(&format!("events/freeTextImport/{EVENT}"), body).await;
    assert_eq!(status, 200, "{found}");
    let values: Vec<&str> =
        found.as_array().unwrap().iter().map(|one| one["value"].as_str().unwrap()).collect();
    assert_eq!(values, ["http://evil.example/a", "203.0.113.9"]);
    let (_, shown) = house.get(&format!("events/view/{EVENT}")).await;
    assert_eq!(shown["Event"]["Attribute"].as_array().unwrap().len(), 3);
    let big = "x".repeat((4 << 20) + 1);
    let path = format!("events/freeTextImport/{EVENT}");
    let (status, problem) = house.post(&path, json!({"value": big})).await;
    assert_eq!(status, 403, "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warninglist_that_is_enabled_holds_for_everything() {
    let house = House::new().await;
    let (_, all) = house.get("warninglists/index").await;
    let all = all["Warninglists"].as_array().unwrap().clone();
    let resolver = all.iter().find(|one| {
        one["Warninglist"]["name"].as_str().unwrap().to_lowercase().contains("dns resolv")
    });
    let name = resolver.unwrap()["Warninglist"]["name"].as_str().unwrap().to_owned();
    let (_, before) = house.post("warninglists/checkValue", json!(["8.8.8.8"])).await;
    assert_eq!(before, json!({}));
    let body = json!({"name": ["%dns resolv%"], "enabled": true});
    let (_, done) = house.post("warninglists/toggleEnable", body).await;
    assert_eq!(done["saved"], true, "{done}");
    let (_, after) = house.post("warninglists/checkValue", json!(["8.8.8.8", "192.0.2.1"])).await;
    let hits = after["8.8.8.8"].as_array().unwrap();
    assert!(hits.iter().any(|hit| hit["name"] == name) || !hits.is_empty());
    assert!(after.get("192.0.2.1").is_none());
    house.post("events/add", event()).await;
    let list = json!([{"type": "ip-dst", "value": "8.8.8.8", "enforceWarninglist": true},
        {"type": "ip-dst", "value": "192.0.2.1", "enforceWarninglist": true}]);
    let (_, added) = house.post(&format!("attributes/add/{EVENT}"), list).await;
    assert_eq!(added["Attribute"]["value"], "192.0.2.1", "{added}");
    assert!(added["errors"]["attribute_0"].as_str().unwrap().contains("warninglist"), "{added}");
    let body = json!({"name": ["%dns resolv%"], "enabled": false});
    house.post("warninglists/toggleEnable", body).await;
    let (_, after) = house.post("warninglists/checkValue", json!(["8.8.8.8"])).await;
    assert_eq!(after, json!({}));
}

#[tokio::test(flavor = "multi_thread")]
async fn members_of_a_sharing_group_come_and_go() {
    let house = House::new().await;
    house.post("events/add", event()).await;
    let (_, group) = house.post("sharing_groups/add", json!({"name": "g"})).await;
    let id = group["SharingGroup"]["id"].as_str().unwrap().to_owned();
    let body = json!({"sg_id": id, "org_id": "CIRCL", "extend": true});
    assert_eq!(house.post("sharingGroups/addOrg", body.clone()).await.0, 200);
    assert_eq!(house.post("sharingGroups/addOrg", body.clone()).await.0, 200);
    let view = format!("sharing_groups/view/{id}");
    let (_, shown) = house.get(&view).await;
    assert_eq!(shown["SharingGroupOrg"].as_array().unwrap().len(), 1, "{shown}");
    assert_eq!(shown["SharingGroupOrg"][0]["Organisation"]["name"], "CIRCL");
    assert_eq!(house.green("sharingGroups/addOrg", body.clone()).await.0, 404);
    assert_eq!(house.post("sharingGroups/removeOrg", body.clone()).await.0, 200);
    assert_eq!(house.post("sharingGroups/removeOrg", body).await.0, 404);
    let (_, shown) = house.get(&view).await;
    assert_eq!(shown["SharingGroupOrg"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_uploaded_bundle_becomes_an_event_that_gives_it_back() {
    let house = House::new().await;
    house.post("events/add", event()).await;
    let (_, bundle) =
        house.post("events/restSearch", json!({"returnFormat": "stix2", "eventid": EVENT})).await;
    house.post(&format!("events/delete/{EVENT}"), json!({})).await;
    let (status, made) = house.post("events/upload_stix/2", bundle).await;
    assert_eq!(status, 200, "{made}");
    assert_eq!(made["Event"]["uuid"], EVENT);
    assert_eq!(made["Event"]["Attribute"][0]["value"], "198.51.100.7");
    assert_eq!(made["Event"]["Object"][0]["Attribute"][0]["value"], "a.exe");
    let (status, _) = house.post("events/upload_stix/2", json!({"type": "x"})).await;
    assert_eq!(status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_of_attack_becomes_clusters_as_far_as_it_is_public() {
    let house = House::new().await;
    let technique = |n: usize, marking: Value, number: &str| {
        json!({"type": "attack-pattern", "spec_version": "2.1", "name": format!("Technique {n}"),
            "id": format!("attack-pattern--{n:08x}-1111-4111-8111-111111111111"),
            "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z",
            "object_marking_refs": marking, "kill_chain_phases": [{"kill_chain_name": "mitre-attack",
                "phase_name": "execution"}],
            "external_references": [{"source_name": "mitre-attack", "external_id": number,
                "url": "https://attack.mitre.org/x"}]})
    };
    let clear = json!(["marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"]);
    let red = json!(["marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"]);
    let mut other = technique(3, clear.clone(), "T3");
    other["external_references"][0]["source_name"] = "capec".into();
    house.keep(vec![technique(1, clear, "T1"), technique(2, red, "T2"), other]).await;
    let (status, done) = house.post("galaxies/update", json!({})).await;
    assert_eq!(status, 200, "{done}");
    house.post("galaxies/update", json!({})).await;
    let (_, view) = house.get("galaxies/view/mitre-attack-pattern").await;
    let clusters = view["GalaxyCluster"].as_array().unwrap();
    assert_eq!(clusters.len(), 1, "{view}");
    assert_eq!(clusters[0]["tag_name"], "misp-galaxy:mitre-attack-pattern=\"Technique 1 - T1\"");
    assert_eq!(clusters[0]["meta"]["kill_chain"], json!(["mitre-attack:execution"]));
}
