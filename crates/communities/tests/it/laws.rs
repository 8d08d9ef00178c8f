//! Laws over any course of events.

use std::collections::BTreeSet;

use model::{CommunityId, NodeId, PeerId, Tlp};
use ports::disclosure::{Address, Disclosure};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::kit::{Net, id, indicator, own};

#[derive(Clone, Debug)]
enum Event {
    Invite(u8),
    Expel(u8),
    Leave(u8),
    Role(u8, bool),
    Renew,
    Days(i64),
    Deliver,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => (1..4_u8).prop_map(Event::Invite),
        2 => (1..4_u8).prop_map(Event::Expel),
        1 => (1..4_u8).prop_map(Event::Leave),
        1 => (1..4_u8, any::<bool>()).prop_map(|(n, reader)| Event::Role(n, reader)),
        1 => Just(Event::Renew),
        1 => (1..40_i64).prop_map(Event::Days),
        3 => Just(Event::Deliver),
    ]
}

async fn happen(net: &Net, made: &str, event: &Event) {
    let leader = &net.nodes[0];
    let member = |n: u8| format!("/api/v1/communities/{made}/members/{}", id::<NodeId>(n));
    match event {
        Event::Invite(n) => {
            let invitation = leader.invite(made, *n, "contributor").await;
            net.join(*n, &invitation).await;
        }
        Event::Expel(n) => {
            leader.ask("DELETE", &member(*n), &Value::Null).await;
        }
        Event::Leave(n) => {
            let path = format!("/api/v1/communities/{made}/leave");
            net.nodes[usize::from(*n)].ask("POST", &path, &Value::Null).await;
        }
        Event::Role(n, reader) => {
            let role = if *reader { "reader" } else { "contributor" };
            leader.ask("PATCH", &member(*n), &json!({ "role": role })).await;
        }
        Event::Renew => {
            leader.room.renew().await.unwrap();
        }
        Event::Days(days) => net.pass_days(*days),
        Event::Deliver => {
            net.deliver().await;
        }
    }
}

/// Nodes whose rows at the leader are not active: put out, gone, or never in.
async fn outside(net: &Net, made: &str) -> BTreeSet<PeerId> {
    let shown = net.nodes[0].community(made).await;
    let active: BTreeSet<&str> = shown["members"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|member| member["state"] == "active")
        .map(|member| member["node"].as_str().unwrap())
        .collect();
    (1..4)
        .filter(|n| !active.contains(id::<NodeId>(*n).to_string().as_str()))
        .map(|n| id(100 + n))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn who_is_out_gets_nothing_whatever_happened(events in prop::collection::vec(event(), 1..14)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let net = Net::new(4).await;
            let made = net.nodes[0].make(json!({ "name": "Energy" })).await;
            let community: CommunityId = made.parse().unwrap();
            let object = [own(indicator(1, Tlp::Green, json!({})), Tlp::Green)];
            let mut expelled = BTreeSet::new();
            for event in &events {
                happen(&net, &made, event).await;
                let room = &net.nodes[0].room;
                let gets: BTreeSet<PeerId> =
                    room.recipients(community).await.unwrap().into_iter().collect();
                match event {
                    Event::Expel(n) => { expelled.insert(id::<PeerId>(100 + *n)); }
                    // only a new invitation that was used lets anybody in again
                    Event::Deliver => expelled.retain(|peer| !gets.contains(peer)),
                    _ => prop_assert!(gets.is_disjoint(&expelled), "{event:?}"),
                }
                let out = outside(&net, &made).await;
                prop_assert!(gets.is_disjoint(&out), "{event:?}: {gets:?} {out:?}");
                for n in 1..4 {
                    let peer: PeerId = id(100 + n);
                    let judged = room.judge(peer.into(), Address::Through(community), &object).await.unwrap().remove(0);
                    prop_assert_eq!(judged.decision.allowed, gets.contains(&peer), "{:?}", judged);
                    prop_assert_eq!(judged.object.is_some(), gets.contains(&peer));
                    if !gets.contains(&peer) {
                        prop_assert!(!room.may_send(peer, community).await.unwrap());
                    }
                }
            }
            // in the end everybody agrees
            net.deliver().await;
            for n in 1..4_u8 {
                let path = format!("/api/v1/communities/{made}");
                let (_, seen) = net.nodes[usize::from(n)].ask("GET", &path, &Value::Null).await;
                let gets = net.nodes[0].room.recipients(community).await.unwrap();
                prop_assert_eq!(seen["holds"] == true, gets.contains(&id(100 + n)), "{}", seen);
            }
            Ok(())
        })?;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_has_its_permission() {
    let net = Net::new(1).await;
    let (_, rules) = net.nodes[0].room.router().into_parts();
    for rule in &rules {
        let sharing = rule.path.starts_with("/api/v1/sharing/");
        let reads = rule.method == "GET" || rule.path == "/api/v1/sharing/preview";
        let expect = match (sharing, reads) {
            (true, true) => "sharing.read",
            (true, false) => "sharing.write",
            (false, true) => "communities.read",
            (false, false) => "communities.manage",
        };
        assert_eq!(rule.permission, expect, "{} {}", rule.method, rule.path);
    }
    assert_eq!(rules.len(), 30);
}
