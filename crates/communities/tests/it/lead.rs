//! Leadership moves: offered, accepted, followed by the members; lies and repetitions change nothing.

use model::NodeId;
use ports::disclosure::Disclosure;
use serde_json::{Value, json};

use crate::kit::{NAMES, Net, id};

const NOTHING: &str = "no such community stands between us";

impl Net {
    async fn offer(&self, from: usize, community: &str, to: usize) -> (u16, Value) {
        let path = format!("/api/v1/communities/{community}/lead");
        self.nodes[from].ask("POST", &path, &json!({ "organisation": NAMES[to] })).await
    }

    async fn accept(&self, n: usize, community: &str) -> (u16, Value) {
        let path = format!("/api/v1/communities/{community}/lead/accept");
        self.nodes[n].ask("POST", &path, &json!({})).await
    }

    /// Moves the leadership and lets everybody hear of it.
    async fn moves(&self, from: usize, community: &str, to: usize) {
        assert_eq!(self.offer(from, community, to).await.0, 202);
        assert_eq!(self.deliver().await, []);
        let (status, led) = self.accept(to, community).await;
        assert_eq!((status, &led["led"]), (200, &json!(true)), "{led}");
        assert_eq!(self.deliver().await, []);
    }

    /// Who leads by the word of each node, and whether its membership holds.
    async fn leaders(&self, community: &str, of: &[usize]) -> Vec<(String, bool)> {
        let mut all = Vec::new();
        for n in of {
            let seen = self.nodes[*n].community(community).await;
            let leader = seen["leader"].as_str().unwrap().to_owned();
            all.push((leader, seen["holds"] == true));
        }
        all
    }
}

fn everywhere(name: &str, count: usize) -> Vec<(String, bool)> {
    vec![(name.to_owned(), true); count]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_leader_renews_all_and_is_the_hub_from_then_on() {
    let net = Net::new(4).await;
    let made = net.community(json!({ "name": "Energy" }), &[1, 2, 3]).await;
    let community = made.parse().unwrap();
    let (status, offered) = net.offer(0, &made, 1).await;
    assert_eq!((status, &offered["offer"]["ours"]), (202, &json!(false)), "{offered}");
    assert_eq!(net.deliver().await, []);
    // nothing has moved, and nothing changes meanwhile
    assert_eq!(net.leaders(&made, &[0, 1, 2, 3]).await, everywhere("City", 4));
    let path = format!("/api/v1/communities/{made}");
    assert_eq!(net.nodes[0].ask("PATCH", &path, &json!({ "name": "x" })).await.0, 409);
    assert_eq!(net.offer(0, &made, 2).await.0, 409, "one at a time");
    let seen = net.nodes[1].community(&made).await;
    assert_eq!(seen["offer"]["ours"], true);
    assert_eq!(seen["offer"]["members"], json!(["Utility", "Vendor"]), "{seen}");

    assert_eq!(net.accept(1, &made).await.0, 200);
    assert_eq!(net.deliver().await, []);
    assert_eq!(net.leaders(&made, &[0, 1, 2, 3]).await, everywhere("National CERT", 4));
    let old = net.nodes[0].community(&made).await;
    assert_eq!((&old["role"], &old["handovers"]), (&json!("contributor"), &json!(1)), "{old}");
    assert_eq!(net.nodes[1].room.recipients(community).await.unwrap(), [id(100), id(102), id(103)]);
    for n in [0, 2, 3] {
        let hub = net.nodes[n].room.recipients(community).await.unwrap();
        assert_eq!(hub, [id(101)], "{n} sends to the new leader alone");
        assert!(net.nodes[n].room.may_send(id(101), community).await.unwrap());
    }
    assert!(!net.nodes[2].room.may_send(id(100), community).await.unwrap(), "no leader any more");
    assert!(net.nodes[0].room.led().await.unwrap().is_empty());
    // the new leader does what a leader does
    let out = format!("{path}/members/{}", id::<NodeId>(3));
    assert_eq!(net.nodes[1].ask("DELETE", &out, &Value::Null).await.0, 204);
    assert_eq!(net.deliver().await, []);
    assert_eq!(net.nodes[3].community(&made).await["state"], "expelled");
    assert_eq!(net.nodes[2].community(&made).await["members"].as_array().unwrap().len(), 1);
    // who comes in later follows the next move too, and it may come back
    let invitation = net.nodes[1].invite(&made, 3, "reader").await;
    net.join(3, &invitation).await;
    assert_eq!(net.deliver().await, []);
    net.moves(1, &made, 2).await;
    assert_eq!(net.leaders(&made, &[0, 1, 2, 3]).await, everywhere("Utility", 4));
    net.moves(2, &made, 0).await;
    assert_eq!(net.leaders(&made, &[0, 1, 2, 3]).await, everywhere("City", 4));
    assert_eq!(net.nodes[3].community(&made).await["role"], "reader");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_away_follows_the_whole_chain() {
    let net = Net::new(4).await;
    let made = net.community(json!({ "name": "Energy" }), &[1, 2, 3]).await;
    let away = id::<model::PeerId>(103);
    let full = |on: bool| {
        for node in &net.nodes {
            let mut queue = node.post.1.lock().unwrap();
            queue.clear();
            queue.extend(on.then_some(away));
        }
    };
    full(true);
    net.moves(0, &made, 1).await;
    net.moves(1, &made, 2).await;
    assert_eq!(net.leaders(&made, &[3]).await, everywhere("City", 1), "it heard nothing");
    full(false);
    net.nodes[2].room.tell_again().await.unwrap();
    assert_eq!(net.deliver().await, []);
    let seen = net.nodes[3].community(&made).await;
    assert_eq!((&seen["leader"], &seen["handovers"]), (&json!("Utility"), &json!(2)), "{seen}");
    assert_eq!(seen["holds"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn lies_and_repetitions_move_nothing() {
    let net = Net::new(4).await;
    let made = net.community(json!({ "name": "Energy" }), &[1, 2, 3]).await;
    assert_eq!(net.offer(0, &made, 1).await.0, 202);
    let offer = net.nodes[0].post.0.lock().unwrap().pop_front().unwrap();
    // to nobody else, from nobody else, and not altered
    assert_eq!(
        net.nodes[2].take(0, &offer.kind, offer.body.clone()).await.unwrap_err(),
        "the offer of the leadership does not hold"
    );
    assert_eq!(net.nodes[1].take(2, &offer.kind, offer.body.clone()).await, Err(NOTHING.into()));
    for (pointer, value) in [
        ("/handover/to", json!(id::<NodeId>(2))),
        ("/handover/number", json!(2)),
        ("/handover/expires_at", json!("2099-01-01T00:00:00.000000Z")),
        ("/handover/signature", json!("00".repeat(64))),
    ] {
        let mut altered = offer.body.clone();
        *altered.pointer_mut(pointer).unwrap() = value;
        assert!(net.nodes[1].take(0, &offer.kind, altered).await.is_err(), "{pointer}");
    }
    assert_eq!(net.accept(1, &made).await.0, 409, "nothing sound was offered");
    assert_eq!(net.nodes[1].take(0, &offer.kind, offer.body.clone()).await, Ok(()));
    assert_eq!(net.accept(1, &made).await.0, 200);
    let told = |to: u8| {
        let post = net.nodes[1].post.0.lock().unwrap();
        post.iter().rfind(|letter| letter.to == id(100 + to)).unwrap().clone()
    };
    let led = told(3);
    assert_eq!(led.kind, "communities.led");
    // another node that has seen the letter is no leader by it, and a chain of one's own leads nowhere
    assert_eq!(net.nodes[3].take(2, &led.kind, led.body.clone()).await, Err(NOTHING.into()));
    for (pointer, value) in [
        ("/handovers/0/from", json!(id::<NodeId>(2))),
        ("/handovers/0/to_key", json!("11".repeat(32))),
        ("/handovers/0/signature", json!("00".repeat(64))),
        ("/handovers", json!([])),
    ] {
        let mut altered = led.body.clone();
        *altered.pointer_mut(pointer).unwrap() = value;
        assert_eq!(
            net.nodes[3].take(1, &led.kind, altered).await,
            Err(NOTHING.into()),
            "{pointer}"
        );
    }
    assert_eq!(net.leaders(&made, &[3]).await, everywhere("City", 1));
    assert_eq!(net.deliver().await, []);
    assert_eq!(net.leaders(&made, &[0, 1, 2, 3]).await, everywhere("National CERT", 4));
    // the same again changes nothing; the old leader says nothing that counts
    let before = net.nodes[3].community(&made).await;
    assert_eq!(net.nodes[3].take(1, &led.kind, led.body.clone()).await, Ok(()));
    let plain = led.body["membership"].clone();
    assert_eq!(net.nodes[3].take(0, "communities.membership", plain).await, Err(NOTHING.into()));
    let about = json!({ "community": made });
    assert_eq!(net.nodes[3].take(0, "communities.dissolved", about).await, Err(NOTHING.into()));
    assert_eq!(net.nodes[1].take(0, &offer.kind, offer.body).await, Err(NOTHING.into()));
    assert_eq!(net.nodes[3].community(&made).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_is_declined_runs_out_or_waits_for_those_who_could_not_be_told() {
    let net = Net::new(4).await;
    let made = net.community(json!({ "name": "Energy" }), &[1, 2]).await;
    assert_eq!(net.offer(0, &made, 3).await.0, 404, "no member");
    assert_eq!(net.offer(1, &made, 2).await.0, 409, "it does not lead");
    assert_eq!(net.offer(0, &made, 1).await.0, 202);
    assert_eq!(net.deliver().await, []);
    let decline = format!("/api/v1/communities/{made}/lead/decline");
    assert_eq!(net.nodes[2].ask("POST", &decline, &Value::Null).await.0, 409);
    assert_eq!(net.nodes[1].ask("POST", &decline, &Value::Null).await.0, 204);
    assert_eq!(net.deliver().await, []);
    assert!(net.nodes[0].community(&made).await.get("offer").is_none());
    assert_eq!(net.accept(1, &made).await.0, 409);
    // who leaves takes the offer along
    assert_eq!(net.offer(0, &made, 2).await.0, 202);
    assert_eq!(net.deliver().await, []);
    let leave = format!("/api/v1/communities/{made}/leave");
    assert_eq!(net.nodes[2].ask("POST", &leave, &Value::Null).await.0, 204);
    assert_eq!(net.deliver().await, []);
    assert_eq!(net.accept(2, &made).await.0, 409);
    let back = net.nodes[0].invite(&made, 2, "contributor").await;
    net.join(2, &back).await;
    assert_eq!(net.deliver().await, []);
    // it runs out
    assert_eq!(net.offer(0, &made, 1).await.0, 202);
    assert_eq!(net.deliver().await, []);
    net.pass_days(8);
    assert_eq!(net.accept(1, &made).await.0, 409);
    // a member that the next leader does not exchange with stands in the way, unless it is left behind
    assert_eq!(net.offer(0, &made, 1).await.0, 202);
    assert_eq!(net.deliver().await, []);
    net.nodes[1].peers.0.lock().unwrap().retain(|peer| peer.name != "Utility");
    let (status, refused) = net.accept(1, &made).await;
    assert_eq!((status, &refused["errors"]), (409, &json!(["Utility"])), "{refused}");
    let path = format!("/api/v1/communities/{made}/lead/accept");
    let (status, _) = net.nodes[1].ask("POST", &path, &json!({ "leave_behind": true })).await;
    assert_eq!(status, 200);
    assert_eq!(net.deliver().await, []);
    assert_eq!(net.leaders(&made, &[0, 1]).await, everywhere("National CERT", 2));
    let members = net.nodes[1].community(&made).await;
    assert_eq!(members["members"].as_array().unwrap().len(), 1, "{members}");
}

/// The signed hand-over is still with the node that said no.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_does_not_give_way_by_an_offer_that_was_declined() {
    let net = Net::new(3).await;
    let made = net.community(json!({ "name": "Energy" }), &[1]).await;
    assert_eq!(net.offer(0, &made, 1).await.0, 202);
    let offer = net.nodes[0].post.0.lock().unwrap().pop_front().unwrap();
    assert_eq!(net.nodes[1].take(0, &offer.kind, offer.body.clone()).await, Ok(()));
    let decline = format!("/api/v1/communities/{made}/lead/decline");
    assert_eq!(net.nodes[1].ask("POST", &decline, &Value::Null).await.0, 204);
    assert_eq!(net.deliver().await, []);
    assert_eq!(net.nodes[1].take(0, &offer.kind, offer.body).await, Ok(()));
    assert_eq!(net.accept(1, &made).await.0, 200, "it lies to itself");
    assert_ne!(net.deliver().await, []);
    assert_eq!(net.leaders(&made, &[0]).await, everywhere("City", 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_out_when_it_moved_comes_back_to_the_next_leader() {
    let net = Net::new(4).await;
    let made = net.community(json!({ "name": "Energy" }), &[1, 2]).await;
    let leave = format!("/api/v1/communities/{made}/leave");
    assert_eq!(net.nodes[2].ask("POST", &leave, &Value::Null).await.0, 204);
    assert_eq!(net.deliver().await, []);
    net.moves(0, &made, 1).await;
    let invitation = net.nodes[1].invite(&made, 2, "reader").await;
    // who is in cannot be led away by an invitation, though
    let stolen = net.nodes[1].invite(&made, 0, "reader").await;
    net.join(2, &invitation).await;
    assert_eq!(net.deliver().await, []);
    assert_eq!(net.leaders(&made, &[0, 1, 2]).await, everywhere("National CERT", 3));
    net.moves(1, &made, 2).await;
    let body = serde_json::to_value(&stolen).unwrap();
    let (status, refused) = net.nodes[0].ask("POST", "/api/v1/communities/join", &body).await;
    assert_eq!(status, 422, "{refused}");
    assert_eq!(net.leaders(&made, &[0, 1, 2]).await, everywhere("Utility", 3));
}
