//! Invitations that are listed and taken back, and joins that are refused.

use serde_json::{Value, json};

use crate::kit::Net;

/// What is said to whoever has no part in a community.
const NOTHING: &str = "no such community stands between us";

async fn invitations(net: &Net, community: &str) -> Vec<Value> {
    let path = format!("/api/v1/communities/{community}/invitations");
    let (status, all) = net.nodes[0].ask("GET", &path, &Value::Null).await;
    assert_eq!(status, 200, "{all}");
    all["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn open_invitations_are_listed_until_they_are_used_or_end() {
    let net = Net::new(4).await;
    let made = net.community(json!({ "name": "Energy" }), &[1]).await;
    net.pass_days(1);
    let open = net.nodes[0].invite(&made, 2, "reader").await;
    let all = invitations(&net, &made).await;
    let told: Vec<(&str, &str, &str)> = all
        .iter()
        .map(|one| {
            let word = |name: &str| one[name].as_str().unwrap();
            (word("organisation"), word("role"), word("state"))
        })
        .collect();
    assert_eq!(told, [("Utility", "reader", "open"), ("National CERT", "contributor", "used")]);
    assert!(!all[0].to_string().contains(&open.code), "the code opens the door: {}", all[0]);
    net.pass_days(15);
    assert_eq!(invitations(&net, &made).await[0]["state"], "expired");
    // the next one sweeps what has ended away
    net.nodes[0].invite(&made, 3, "reader").await;
    let left = invitations(&net, &made).await;
    assert_eq!(left.len(), 1, "{left:?}");
    // a member sees none: it made none
    let path = format!("/api/v1/communities/{made}/invitations");
    let (status, none) = net.nodes[1].ask("GET", &path, &Value::Null).await;
    assert_eq!((status, &none["items"]), (200, &json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_invitation_opens_nothing_and_the_invitee_reads_why_it_is_not_in() {
    let net = Net::new(3).await;
    let made = net.community(json!({ "name": "Energy" }), &[1]).await;
    net.pass_days(1);
    let invited = net.nodes[0].invite(&made, 2, "reader").await;
    let all = invitations(&net, &made).await;
    let path = |n: usize| {
        format!("/api/v1/communities/{made}/invitations/{}", all[n]["id"].as_str().unwrap())
    };
    assert_eq!(net.nodes[0].ask("DELETE", &path(0), &Value::Null).await.0, 204);
    assert_eq!(net.nodes[0].ask("DELETE", &path(0), &Value::Null).await.0, 204, "again");
    assert_eq!(net.nodes[0].ask("DELETE", &path(1), &Value::Null).await.0, 409, "used");
    let none = format!("/api/v1/communities/{made}/invitations/{}", "0".repeat(64));
    assert_eq!(net.nodes[0].ask("DELETE", &none, &Value::Null).await.0, 404);
    assert_eq!(invitations(&net, &made).await[0]["state"], "withdrawn");

    net.join(2, &invited).await;
    assert_eq!(net.nodes[2].community(&made).await["state"], "joining");
    let refused = net.deliver().await;
    assert_eq!(refused, [(2, 0, "communities.join".into(), NOTHING.into())]);
    let seen = net.nodes[2].community(&made).await;
    assert_eq!((&seen["state"], &seen["refusal"]), (&json!("refused"), &json!(NOTHING)), "{seen}");
    // tried again by a new file, it is in and the refusal is gone
    let invited = net.nodes[0].invite(&made, 2, "reader").await;
    net.join(2, &invited).await;
    assert_eq!(net.deliver().await, []);
    let seen = net.nodes[2].community(&made).await;
    assert_eq!((&seen["state"], seen.get("refusal")), (&json!("active"), None), "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_join_is_tried_again_by_the_same_file_or_removed() {
    let net = Net::new(3).await;
    let made = net.nodes[0].make(json!({ "name": "Energy" })).await;
    let invited = net.nodes[0].invite(&made, 1, "reader").await;
    net.join(1, &invited).await;
    let first = net.nodes[1].post.0.lock().unwrap().pop_front().unwrap();
    // what another node says to it, or about another letter, is nobody's answer
    net.nodes[1].hear(2, &first.key, Some("no".into())).await;
    net.nodes[1].hear(0, "communities.join:other:1", Some("no".into())).await;
    net.nodes[1].hear(0, "communities.join:", Some("no".into())).await;
    assert_eq!(net.nodes[1].community(&made).await["state"], "joining");
    net.nodes[1].hear(0, &first.key, Some("the community is full".into())).await;
    let seen = net.nodes[1].community(&made).await;
    assert_eq!(seen["refusal"], "the community is full", "{seen}");
    assert_eq!(seen["holds"], false);
    // the same file again is another letter
    net.clock.advance_micros(1);
    net.join(1, &invited).await;
    assert_ne!(net.nodes[1].post.0.lock().unwrap()[0].key, first.key);
    assert_eq!(net.deliver().await, []);
    assert_eq!(net.nodes[1].community(&made).await["state"], "active");
    // who is in and asks for another role in vain stays in, and reads that
    let other = net.nodes[0].invite(&made, 1, "contributor").await;
    net.join(1, &other).await;
    let asked = net.nodes[1].post.0.lock().unwrap().pop_front().unwrap();
    net.nodes[1].hear(0, &asked.key, Some(NOTHING.into())).await;
    let seen = net.nodes[1].community(&made).await;
    assert_eq!((&seen["holds"], &seen["refusal"]), (&json!(true), &json!(NOTHING)), "{seen}");
    // refused and removed: nothing is left of it, and the leader is not written to
    let gone = net.nodes[0].invite(&made, 2, "reader").await;
    net.join(2, &gone).await;
    let asked = net.nodes[2].post.0.lock().unwrap().pop_front().unwrap();
    net.nodes[2].hear(0, &asked.key, Some(NOTHING.into())).await;
    let leave = format!("/api/v1/communities/{made}/leave");
    assert_eq!(net.nodes[2].ask("POST", &leave, &Value::Null).await.0, 204);
    let path = format!("/api/v1/communities/{made}");
    assert_eq!(net.nodes[2].ask("GET", &path, &Value::Null).await.0, 404);
    assert!(net.nodes[2].post.0.lock().unwrap().is_empty());
}
