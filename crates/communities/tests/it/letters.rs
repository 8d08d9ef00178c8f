//! Letters from who may not write them.

use communities::Invitation;
use model::id::TypedId;
use model::{CommunityId, NodeId};
use serde_json::{Value, json};

use crate::kit::{Net, id};

/// What is said to whoever has no part in a community, whether or not there is one.
const NOTHING: &str = "no such community stands between us";

fn about(community: &str) -> Value {
    json!({ "community": community })
}

/// The body of a letter of a kind about a community.
fn body(kind: &str, community: &str) -> Value {
    match kind {
        "communities.expelled" => json!({ "community": community, "invitation": "" }),
        _ => about(community),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_no_member_cannot_tell_whether_a_community_exists() {
    let net = Net::new(4).await;
    let made = net.community(json!({ "name": "Secret" }), &[1]).await;
    let invited: Invitation = net.nodes[0].invite(&made, 2, "reader").await;
    let never: CommunityId = id(77);
    let never = never.to_string();
    let join = |community: &str, code: &str| json!({ "community": community, "code": code });
    for kind in ["leave", "expelled", "dissolved"] {
        for community in [&made, &never] {
            for stranger in [2, 3] {
                let kind = format!("communities.{kind}");
                let letter = body(&kind, community);
                let refused = net.nodes[0].take(stranger, &kind, letter).await;
                assert_eq!(refused, Err(NOTHING.into()), "{kind} from {stranger}");
            }
        }
    }
    for (from, community, code) in [
        (3, made.as_str(), invited.code.as_str()), // the code of somebody else
        (3, &never, &invited.code),
        (2, &never, &invited.code),
        (2, &made, "0000"),
        (3, &never, "0000"),
    ] {
        let refused = net.nodes[0].take(from, "communities.join", join(community, code)).await;
        assert_eq!(refused, Err(NOTHING.into()), "{from}");
    }
    // at a member too: another member, or a stranger, speaks for nobody
    for from in [2, 3] {
        for kind in ["communities.expelled", "communities.dissolved", "communities.leave"] {
            for community in [&made, &never] {
                let refused = net.nodes[1].take(from, kind, body(kind, community)).await;
                assert_eq!(refused, Err(NOTHING.into()));
            }
        }
    }
    assert_eq!(net.nodes[1].community(&made).await["state"], "active");
    assert_eq!(net.nodes[0].community(&made).await["members"].as_array().unwrap().len(), 1);
    for (kind, body) in [("communities.join", json!([])), ("communities.leave", json!({"a": 1}))] {
        assert!(net.nodes[0].take(1, kind, body).await.is_err());
    }
    assert!(net.nodes[0].take(1, "communities.unheard", json!({})).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_opens_once_and_its_replay_changes_nothing() {
    let net = Net::new(3).await;
    let made = net.nodes[0].make(json!({ "name": "Energy" })).await;
    let invited = net.nodes[0].invite(&made, 1, "reader").await;
    net.join(1, &invited).await;
    assert_eq!(net.deliver().await, []);
    let serial = net.nodes[0].community(&made).await["members"][0]["serial"].clone();
    let body = json!({ "community": made, "code": invited.code });
    assert_eq!(net.nodes[0].take(1, "communities.join", body.clone()).await, Ok(()));
    assert_eq!(net.nodes[0].community(&made).await["members"][0]["serial"], serial);
    assert_eq!(net.nodes[0].take(2, "communities.join", body.clone()).await, Err(NOTHING.into()));
    // who left does not come back by it
    assert_eq!(net.nodes[0].take(1, "communities.leave", about(&made)).await, Ok(()));
    assert_eq!(net.nodes[0].take(1, "communities.join", body).await, Err(NOTHING.into()));
}

/// The membership letter the leader posted to a node, taken out of the post.
fn membership(net: &Net, to: u8) -> Value {
    let post = net.nodes[0].post.0.lock().unwrap();
    let letter = post.iter().rfind(|letter| letter.to == id(100 + to)).unwrap();
    assert_eq!(letter.kind, "communities.membership");
    letter.body.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_leader_did_not_sign_makes_nobody_a_member() {
    let net = Net::new(4).await;
    let made = net.community(json!({ "name": "Energy" }), &[2]).await;
    let invited = net.nodes[0].invite(&made, 1, "reader").await;
    net.join(1, &invited).await;
    let join = net.nodes[1].post.0.lock().unwrap().pop_front().unwrap();
    assert_eq!(net.nodes[0].take(1, &join.kind, join.body).await, Ok(()));
    let sound = membership(&net, 1);
    let kind = "communities.membership";
    let altered = |pointer: &str, value: Value| {
        let mut altered = sound.clone();
        *altered.pointer_mut(pointer).unwrap() = value;
        altered
    };
    for (pointer, value) in [
        ("/certificate/role", json!("contributor")),
        ("/certificate/not_after", json!("2099-01-01T00:00:00.000000Z")),
        ("/certificate/serial", json!(99)),
        ("/certificate/node", json!(id::<NodeId>(3))),
        ("/certificate/signature", json!("00".repeat(64))),
        ("/certificate/leader_key", json!("00".repeat(32))),
        ("/members/0/certificate/key", json!("00".repeat(32))),
        ("/members/0/role", json!("reader")),
        ("/members/0/node", json!(id::<NodeId>(3))),
    ] {
        let refused = net.nodes[1].take(0, kind, altered(pointer, value)).await;
        assert!(refused.unwrap_err().contains("certificate"), "{pointer}");
    }
    // another node cannot speak for the leader, whatever it has seen
    for from in [2, 3] {
        assert_eq!(net.nodes[1].take(from, kind, sound.clone()).await, Err(NOTHING.into()));
    }
    // and to who did not ask, it makes no member
    assert_eq!(net.nodes[3].take(0, kind, sound.clone()).await, Err(NOTHING.into()));
    assert_eq!(net.nodes[1].community(&made).await["state"], "joining");
    assert_eq!(net.nodes[1].take(0, kind, sound.clone()).await, Ok(()));
    assert_eq!(net.nodes[1].community(&made).await["state"], "active");
    // what comes late changes nothing
    let path = format!("/api/v1/communities/{made}");
    net.nodes[0].ask("PATCH", &path, &json!({ "name": "Power" })).await;
    let newer = membership(&net, 1);
    assert_eq!(net.nodes[1].take(0, kind, newer).await, Ok(()));
    assert_eq!(net.nodes[1].take(0, kind, sound).await, Ok(()));
    assert_eq!(net.nodes[1].community(&made).await["name"], "Power");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_in_the_place_of_a_members_is_no_member() {
    let net = Net::new(2).await;
    let made = net.community(json!({ "name": "Energy" }), &[1]).await;
    let community: CommunityId = made.parse().unwrap();
    use ports::disclosure::Disclosure;
    assert_eq!(net.nodes[0].room.recipients(community).await.unwrap(), [id(101)]);
    net.nodes[0].peers.0.lock().unwrap()[0].signing_key = "11".repeat(32);
    assert!(net.nodes[0].room.recipients(community).await.unwrap().is_empty());
    assert!(!net.nodes[0].room.may_send(id(101), community).await.unwrap());
    assert_eq!(community.uuid().get_version_num(), 7);
}
