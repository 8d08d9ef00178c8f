//! Communities as people work with them: invite, join, leave, put out, change, end.

use model::Tlp;
use ports::disclosure::{Address, Disclosure};
use serde_json::{Value, json};

use crate::kit::{Net, id, indicator, own, to};

#[tokio::test(flavor = "multi_thread")]
async fn members_join_by_invitation_and_know_each_other_by_certificates() {
    let net = Net::new(3).await;
    let made = net.community(json!({ "name": "Energy", "max_tlp": "TLP:AMBER" }), &[1, 2]).await;
    for n in [1_usize, 2] {
        let seen = net.nodes[n].community(&made).await;
        assert_eq!((&seen["state"], &seen["holds"]), (&json!("active"), &json!(true)), "{seen}");
        assert_eq!((&seen["name"], &seen["role"]), (&json!("Energy"), &json!("contributor")));
        assert_eq!(seen["members"].as_array().unwrap().len(), 1, "the other one: {seen}");
        assert_eq!(seen["members"][0]["holds"], true);
    }
    let community = made.parse().unwrap();
    let leader = &net.nodes[0].room;
    assert_eq!(leader.recipients(community).await.unwrap(), [id(101), id(102)]);
    assert_eq!(leader.led().await.unwrap(), [community]);
    assert!(leader.may_send(id(101), community).await.unwrap());
    // a member sends to the leader, who hands it on; it takes from the leader alone
    let member = &net.nodes[1].room;
    assert_eq!(member.recipients(community).await.unwrap(), [id(100)]);
    assert!(member.led().await.unwrap().is_empty());
    assert!(member.may_send(id(100), community).await.unwrap());
    assert!(!member.may_send(id(102), community).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_roster_is_told_as_far_as_the_leader_says() {
    let net = Net::new(3).await;
    let made = net.community(json!({ "name": "Quiet", "roster": "leader" }), &[1, 2]).await;
    let seen = net.nodes[1].community(&made).await;
    assert_eq!(seen["members"], json!([]), "{seen}");
    let path = format!("/api/v1/communities/{made}");
    let (status, _) = net.nodes[0].ask("PATCH", &path, &json!({ "roster": "members" })).await;
    assert_eq!(status, 200);
    assert_eq!(net.deliver().await, []);
    let seen = net.nodes[1].community(&made).await;
    assert_eq!(seen["members"][0]["organisation"], "Utility");
    // what the leader changes, members read; they change nothing themselves
    let (status, _) = net.nodes[1].ask("PATCH", &path, &json!({ "name": "Loud" })).await;
    assert_eq!(status, 409);
    let (status, _) = net.nodes[1].ask("DELETE", &path, &Value::Null).await;
    assert_eq!(status, 409);
    let (status, refused) =
        net.nodes[0].ask("PATCH", &path, &json!({ "max_tlp": "TLP:RED" })).await;
    assert_eq!(status, 422, "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_was_put_out_gets_nothing_and_does_not_come_back_by_itself() {
    let net = Net::new(3).await;
    let made = net.community(json!({ "name": "Energy" }), &[1, 2]).await;
    let community = made.parse().unwrap();
    let invitation = net.nodes[0].invite(&made, 2, "contributor").await;
    let path = format!("/api/v1/communities/{made}/members/{}", id::<model::NodeId>(2));
    assert_eq!(net.nodes[0].ask("DELETE", &path, &Value::Null).await.0, 204);
    // at once, before any letter arrived
    assert_eq!(net.nodes[0].room.recipients(community).await.unwrap(), [id(101)]);
    let object = [own(indicator(1, Tlp::Green, json!({})), Tlp::Green)];
    let judged =
        net.nodes[0].room.judge(to(102), Address::Through(community), &object).await.unwrap();
    assert!(!judged[0].decision.allowed && judged[0].object.is_none(), "{judged:?}");
    assert_eq!(net.deliver().await, []);
    let gone = net.nodes[2].community(&made).await;
    assert_eq!((&gone["state"], &gone["holds"]), (&json!("expelled"), &json!(false)));
    assert_eq!(gone["members"], json!([]), "who is out knows nobody any more");
    assert_eq!(net.nodes[1].community(&made).await["members"], json!([]));
    // an invitation made before is worthless
    net.join(2, &invitation).await;
    let refused = net.deliver().await;
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!(net.nodes[0].room.recipients(community).await.unwrap(), [id(101)]);
    // a new one lets it in again
    let invitation = net.nodes[0].invite(&made, 2, "reader").await;
    net.join(2, &invitation).await;
    assert_eq!(net.deliver().await, []);
    assert_eq!(net.nodes[2].community(&made).await["role"], "reader");
    assert!(!net.nodes[0].room.may_send(id(102), community).await.unwrap(), "a reader");
}

#[tokio::test(flavor = "multi_thread")]
async fn members_leave_roles_change_and_communities_end() {
    let net = Net::new(3).await;
    let made = net.community(json!({ "name": "Energy" }), &[1, 2]).await;
    let community = made.parse().unwrap();
    let member = format!("/api/v1/communities/{made}/members/{}", id::<model::NodeId>(1));
    let (status, _) = net.nodes[0].ask("PATCH", &member, &json!({ "role": "reader" })).await;
    assert_eq!(status, 204);
    assert_eq!(net.deliver().await, []);
    assert_eq!(net.nodes[1].community(&made).await["role"], "reader");
    let object = [own(indicator(1, Tlp::Green, json!({})), Tlp::Green)];
    let judged =
        net.nodes[1].room.judge(to(100), Address::Through(community), &object).await.unwrap();
    assert!(judged[0].decision.reason.contains("only reads"), "{judged:?}");
    let leave = format!("/api/v1/communities/{made}/leave");
    assert_eq!(net.nodes[0].ask("POST", &leave, &Value::Null).await.0, 409, "it leads");
    assert_eq!(net.nodes[2].ask("POST", &leave, &Value::Null).await.0, 204);
    assert_eq!(net.deliver().await, []);
    assert_eq!(net.nodes[0].room.recipients(community).await.unwrap(), [id(101)]);
    let path = format!("/api/v1/communities/{made}");
    assert_eq!(net.nodes[0].ask("DELETE", &path, &Value::Null).await.0, 204);
    assert_eq!(net.deliver().await, []);
    assert_eq!(net.nodes[1].community(&made).await["state"], "dissolved");
    assert!(net.nodes[0].room.recipients(community).await.unwrap().is_empty());
    assert!(net.nodes[0].room.led().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_end_unless_they_are_made_anew() {
    let net = Net::new(2).await;
    let made = net.community(json!({ "name": "Energy" }), &[1]).await;
    let community = made.parse().unwrap();
    assert_eq!(net.nodes[0].room.renew().await.unwrap(), 0, "long enough");
    net.pass_days(61);
    assert_eq!(net.nodes[0].room.renew().await.unwrap(), 1);
    assert_eq!(net.deliver().await, []);
    net.pass_days(60);
    assert_eq!(net.nodes[1].community(&made).await["holds"], true);
    assert_eq!(net.nodes[0].room.recipients(community).await.unwrap(), [id(101)]);
    net.pass_days(31);
    assert_eq!(net.nodes[1].community(&made).await["holds"], false);
    assert!(net.nodes[0].room.recipients(community).await.unwrap().is_empty());
    assert!(net.nodes[1].room.recipients(community).await.unwrap().is_empty());
    assert!(!net.nodes[0].room.may_send(id(101), community).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn invitations_that_are_not_sound_open_nothing() {
    let net = Net::new(3).await;
    let made = net.nodes[0].make(json!({ "name": "Energy" })).await;
    let sound = net.nodes[0].invite(&made, 1, "reader").await;
    let refused = |n: usize, invitation: Value, word: &'static str| {
        let node = &net.nodes[n];
        async move {
            let (status, answer) = node.ask("POST", "/api/v1/communities/join", &invitation).await;
            assert_eq!(status, 422, "{answer}");
            assert!(answer["detail"].as_str().unwrap().contains(word), "{word}: {answer}");
        }
    };
    let with = |name: &str, value: Value| {
        let mut altered = serde_json::to_value(&sound).unwrap();
        altered[name] = value;
        altered
    };
    refused(1, with("role", json!("contributor")), "not signed").await;
    refused(1, with("code", json!("0".repeat(64))), "not signed").await;
    refused(1, with("expires_at", json!("2099-01-01T00:00:00Z")), "not signed").await;
    refused(1, with("version", json!(2)), "version").await;
    refused(1, with("leader", json!(id::<model::NodeId>(9))), "no node that we exchange").await;
    // the leader's place taken by another node we know: its key did not sign
    refused(1, with("leader", json!(id::<model::NodeId>(2))), "not signed").await;
    refused(2, serde_json::to_value(&sound).unwrap(), "another node").await;
    net.pass_days(15);
    refused(1, serde_json::to_value(&sound).unwrap(), "expired").await;
    assert!(net.nodes.iter().all(|node| node.post.0.lock().unwrap().is_empty()));
}

#[tokio::test(flavor = "multi_thread")]
async fn organisations_follow_the_peers_and_keep_what_is_noted() {
    let net = Net::new(3).await;
    let node = &net.nodes[0];
    let (_, all) = node.ask("GET", "/api/v1/organisations", &Value::Null).await;
    let names: Vec<&str> =
        all["items"].as_array().unwrap().iter().map(|o| o["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["City", "National CERT", "Utility"], "the own one first");
    let utility = format!("/api/v1/organisations/{}", id::<model::NodeId>(2));
    let change = json!({ "kind": "vendor", "sector": "energy", "country": "gr" });
    let (status, changed) = node.ask("PATCH", &utility, &change).await;
    assert_eq!(
        (status, &changed["country"], &changed["kind"]),
        (200, &json!("GR"), &json!("vendor"))
    );
    let (_, all) = node.ask("GET", "/api/v1/organisations", &Value::Null).await;
    assert_eq!(all["items"][2]["sector"], "energy");
    for (path, body, status) in [
        (utility.as_str(), json!({ "country": "XX" }), 422),
        (&utility, json!({ "kind": "friend" }), 422),
        (&utility, json!({ "sector": "x".repeat(81) }), 422),
        (&utility, json!({ "name": "Mine" }), 422),
        ("/api/v1/organisations/1", json!({}), 404),
    ] {
        let (got, answer) = node.ask("PATCH", path, &body).await;
        assert_eq!(got, status, "{body}: {answer}");
    }
    let own = format!("/api/v1/organisations/{}", id::<model::NodeId>(0));
    let (status, _) = node.ask("PATCH", &own, &json!({ "country": "PT" })).await;
    assert_eq!(status, 200);
    assert_eq!(node.ask("PATCH", &own, &json!({ "kind": "cert" })).await.0, 422);
    // a peer that is gone is no organisation any more
    node.peers.0.lock().unwrap().retain(|peer| peer.name != "Utility");
    let (_, all) = node.ask("GET", "/api/v1/organisations", &Value::Null).await;
    assert_eq!(all["items"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_for_whom_too_many_letters_wait_keeps_nobody_in() {
    let net = Net::new(4).await;
    let made = net.community(json!({ "name": "Energy" }), &[1, 2, 3]).await;
    let community = made.parse().unwrap();
    let leader = &net.nodes[0];
    leader.post.1.lock().unwrap().extend([id::<model::PeerId>(101), id(102)]);
    for n in [2, 3] {
        let path = format!("/api/v1/communities/{made}/members/{}", id::<model::NodeId>(n));
        assert_eq!(leader.ask("DELETE", &path, &Value::Null).await.0, 204);
    }
    assert_eq!(leader.room.recipients(community).await.unwrap(), [id(101)]);
    assert_eq!(net.deliver().await, []);
    let before = net.nodes[1].community(&made).await;
    assert_eq!(before["members"].as_array().unwrap().len(), 2, "not told yet");
    // when there is room again both are told, each once
    leader.post.1.lock().unwrap().clear();
    leader.room.tell_again().await.unwrap();
    leader.room.tell_again().await.unwrap();
    let waiting: Vec<String> =
        leader.post.0.lock().unwrap().iter().map(|letter| letter.kind.clone()).collect();
    assert_eq!(waiting, ["communities.expelled", "communities.membership"]);
    assert_eq!(net.deliver().await, []);
    let path = format!("/api/v1/communities/{made}");
    let (_, seen) = net.nodes[1].ask("GET", &path, &Value::Null).await;
    assert_eq!(seen["members"], json!([]), "{seen}");
    let (_, seen) = net.nodes[2].ask("GET", &path, &Value::Null).await;
    assert_eq!(seen["state"], "expelled", "{seen}");
}
