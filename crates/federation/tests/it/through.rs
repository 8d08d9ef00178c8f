//! Communities, standing shares, and what must not come back.

use model::CommunityId;
use model::id::TypedId;
use serde_json::{Value, json};
use stix::Tlp;

use crate::house::{FIRST, House, SECOND, calm, id, indicator};

fn community() -> CommunityId {
    CommunityId::mint(model::Timestamp::from_secs(1_700_000_000), [9; 10])
}

/// A leader in the middle of three members.
async fn star() -> (House, Vec<House>) {
    let leader = House::new("lead", 1).await;
    let members =
        vec![House::new("a", 2).await, House::new("b", 3).await, House::new("c", 4).await];
    let mut ids = vec![];
    for member in &members {
        ids.push(leader.knows(member));
        let to_leader = member.knows(&leader);
        member.disclosure.members.lock().unwrap().insert(community(), vec![to_leader]);
    }
    leader.disclosure.members.lock().unwrap().insert(community(), ids);
    leader.disclosure.led.lock().unwrap().push(community());
    (leader, members)
}

async fn through(house: &House, ids: &[&str]) -> Value {
    let body = json!({ "objects": ids, "to": { "communities": [community()] } });
    let (status, share) = house.ask("POST", "/shares", &body).await;
    assert_eq!(status, 201, "{share}");
    share
}

#[tokio::test]
async fn what_a_member_sends_goes_on_to_the_others_once() {
    let (leader, members) = star().await;
    let all: Vec<&House> = std::iter::once(&leader).chain(&members).collect();
    members[0].say(&[indicator(1, Tlp::Clear, FIRST, "for all")]).await;
    through(&members[0], &[&id(1)]).await;
    calm(&all).await;
    for member in &members[1..] {
        assert_eq!(member.knows_of(&id(1)).await.unwrap()["name"], "for all", "{}", member.name);
    }
    assert_eq!(members[0].link().await["in_seq"], 0, "it came back to who sent it");
    members[0].say(&[indicator(1, Tlp::Clear, SECOND, "for all, again")]).await;
    calm(&all).await;
    for member in &members[1..] {
        assert_eq!(member.knows_of(&id(1)).await.unwrap()["name"], "for all, again");
        assert_eq!(member.link().await["in_seq"], 2, "one letter a version");
    }
    let (_, shares) = leader.ask("GET", "/shares", &Value::Null).await;
    assert_eq!(shares["items"][0]["kind"], "onward");
    assert_eq!(shares["items"].as_array().unwrap().len(), 1, "{shares:#}");
}

#[tokio::test]
async fn who_may_not_send_through_a_community_is_refused() {
    let (leader, members) = star().await;
    let all: Vec<&House> = std::iter::once(&leader).chain(&members).collect();
    members[0].say(&[indicator(1, Tlp::Clear, FIRST, "mine")]).await;
    let share = through(&members[0], &[&id(1)]).await;
    leader.disclosure.members.lock().unwrap().insert(community(), vec![]);
    calm(&all).await;
    assert_eq!(members[0].counts(&share).await, json!({ "refused": 1 }));
    assert_eq!(leader.knows_of(&id(1)).await, None);
}

#[tokio::test]
async fn a_community_that_is_gone_stops_nothing_else() {
    let (leader, members) = star().await;
    let all: Vec<&House> = std::iter::once(&leader).chain(&members).collect();
    let to = leader.peer(&members[0]).id;
    let rule = json!({ "highest_tlp": "clear", "communities": [community()], "peers": [to] });
    assert_eq!(leader.ask("POST", "/standing", &rule).await.0, 201);
    members[1].say(&[indicator(2, Tlp::Clear, FIRST, "for all")]).await;
    through(&members[1], &[&id(2)]).await;
    crate::house::bring(&members[1], &leader).await;
    // Dissolved before it went on.
    leader.disclosure.members.lock().unwrap().clear();
    leader.say(&[indicator(1, Tlp::Clear, FIRST, "by the rule")]).await;
    calm(&all).await;
    assert!(members[0].knows_of(&id(1)).await.is_some(), "the rule's other recipient got nothing");
    for member in [&members[0], &members[2]] {
        assert_eq!(member.knows_of(&id(2)).await, None, "{}", member.name);
    }
}

#[tokio::test]
async fn a_ring_ends_where_it_began() {
    let ring = [House::new("a", 1).await, House::new("b", 2).await, House::new("c", 3).await];
    for at in 0..3 {
        ring[at].knows(&ring[(at + 1) % 3]);
        ring[(at + 1) % 3].knows(&ring[at]);
    }
    let all: Vec<&House> = ring.iter().collect();
    for house in &ring {
        let peers: Vec<String> =
            house.directory.0.lock().unwrap().iter().map(|peer| peer.id.to_string()).collect();
        let rule = json!({ "highest_tlp": "clear", "own_only": false, "peers": peers });
        let (status, made) = house.ask("POST", "/standing", &rule).await;
        assert_eq!(status, 201, "{made}");
    }
    ring[0].say(&[indicator(1, Tlp::Clear, FIRST, "round")]).await;
    calm(&all).await;
    for house in &ring {
        assert_eq!(house.knows_of(&id(1)).await.unwrap()["name"], "round", "{}", house.name);
    }
    let (_, links) = ring[0].ask("GET", "/links", &Value::Null).await;
    for link in links["items"].as_array().unwrap() {
        assert_eq!(link["in_seq"], 0, "it came back: {links:#}");
    }
}

#[tokio::test]
async fn a_standing_share_takes_what_fits_and_arrives_after_it() {
    let (a, b) = (House::new("a", 1).await, House::new("b", 2).await);
    let to = a.knows(&b);
    b.knows(&a);
    a.say(&[indicator(1, Tlp::Clear, FIRST, "before")]).await;
    a.room.follow().await.unwrap();
    let rule = json!({ "types": ["indicator"], "labels": ["malicious-activity"],
        "highest_tlp": "green", "peers": [to] });
    let (status, made) = a.ask("POST", "/standing", &rule).await;
    assert_eq!(status, 201, "{made}");
    let mut benign = indicator(3, Tlp::Clear, FIRST, "benign");
    benign["indicator_types"] = json!(["benign"]);
    let identity = json!({ "type": "identity", "spec_version": "2.1", "name": "somebody",
        "id": "identity--00000000-0000-4000-8000-000000000009", "created": FIRST, "modified": FIRST });
    a.say(&[
        indicator(2, Tlp::Green, FIRST, "fits"),
        benign,
        indicator(4, Tlp::Amber, FIRST, "too strict"),
        identity,
    ])
    .await;
    calm(&[&a, &b]).await;
    assert!(b.knows_of(&id(2)).await.is_some());
    for number in [1, 3, 4] {
        assert_eq!(b.knows_of(&id(number)).await, None, "{number}");
    }
    assert_eq!(b.knows_of("identity--00000000-0000-4000-8000-000000000009").await, None);
    let path = format!("/standing/{}", made["id"].as_str().unwrap());
    assert_eq!(a.ask("DELETE", &path, &Value::Null).await.0, 204);
    a.say(&[indicator(5, Tlp::Clear, FIRST, "after")]).await;
    calm(&[&a, &b]).await;
    assert_eq!(b.knows_of(&id(5)).await, None);
    for wrong in
        [json!({ "highest_tlp": "blue", "peers": [to] }), json!({ "highest_tlp": "clear" })]
    {
        assert_eq!(a.ask("POST", "/standing", &wrong).await.0, 422, "{wrong}");
    }
}
