//! Organisations without a node: kept, judged and previewed like the others.

use model::Tlp;
use ports::PortError;
use ports::disclosure::{Address, Candidate, Disclosure, Known, Organisations, Recipient};
use serde_json::{Value, json};

use crate::kit::{NAMES, Net, Node, indicator, own, to};

const ORGANISATIONS: &str = "/api/v1/organisations";

async fn new(node: &Node, about: Value) -> (u16, Value) {
    node.ask("POST", ORGANISATIONS, &about).await
}

fn recipient(made: &Value) -> Recipient {
    Recipient::Organisation(made["id"].as_str().unwrap().parse().unwrap())
}

/// Which of CLEAR, GREEN, AMBER, RED go.
async fn goes(node: &Node, to: Recipient, address: Address, from: Option<Recipient>) -> Vec<bool> {
    let labels = [Tlp::Clear, Tlp::Green, Tlp::Amber, Tlp::Red];
    let objects: Vec<Candidate> = labels
        .into_iter()
        .map(|label| Candidate { from, ..own(indicator(1, label, json!({})), label) })
        .collect();
    let judged = node.room.judge(to, address, &objects).await.unwrap();
    judged.iter().map(|one| one.decision.allowed && one.object.is_some()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn organisations_without_a_node_are_made_changed_and_forgotten() {
    let net = Net::new(2).await;
    let node = &net.nodes[0];
    let about =
        json!({ "name": "Harbour ISAC", "kind": "cert", "sector": "ports", "country": "pt" });
    let (status, made) = new(node, about.clone()).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!((&made["country"], &made["has_node"]), (&json!("PT"), &json!(false)));
    assert_eq!(new(node, about).await.0, 409, "one of a name");
    assert_eq!(new(node, json!({ "name": NAMES[1] })).await.0, 409, "a peer has it");
    assert_eq!(new(node, json!({ "name": NAMES[0] })).await.0, 409, "we have it");
    for wrong in [
        json!({ "name": "" }),
        json!({ "name": "x".repeat(121) }),
        json!({ "name": "01890a5d-ac96-774b-bcce-b302099a8057" }),
        json!({ "name": "X", "kind": "club" }),
        json!({ "name": "X", "country": "XX" }),
    ] {
        assert_eq!(new(node, wrong.clone()).await.0, 422, "{wrong}");
    }
    let path = format!("{ORGANISATIONS}/{}", made["id"].as_str().unwrap());
    let (status, changed) = node.ask("PATCH", &path, &json!({ "kind": "vendor" })).await;
    assert_eq!(
        (status, &changed["kind"], &changed["sector"]),
        (200, &json!("vendor"), &json!("ports"))
    );
    let (_, all) = node.ask("GET", ORGANISATIONS, &Value::Null).await;
    let listed: Vec<&Value> =
        all["items"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(listed, [NAMES[0], "Harbour ISAC", NAMES[1]], "our own first");
    let named = node.room.organisation("Harbour ISAC").await.unwrap();
    assert_eq!(named.recipient, recipient(&made));
    assert_eq!(node.room.organisation(NAMES[1]).await.unwrap().recipient, to(101));
    assert!(node.room.organisation(NAMES[0]).await.is_err(), "our own receives nothing");
    assert_eq!(node.room.name_of(recipient(&made)).await.unwrap().unwrap(), "Harbour ISAC");
    assert_eq!(node.ask("DELETE", &path, &Value::Null).await.0, 204);
    assert_eq!(node.ask("DELETE", &path, &Value::Null).await.0, 404);
    assert_eq!(node.room.name_of(recipient(&made)).await.unwrap(), None);
    let of_peer = format!("{ORGANISATIONS}/{}", all["items"][2]["id"].as_str().unwrap());
    assert_eq!(node.ask("DELETE", &of_peer, &Value::Null).await.0, 409);
    let gone = node.room.judge(recipient(&made), Address::Named, &[]).await;
    assert!(matches!(gone, Err(PortError::NotFound(_))), "{gone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn they_are_judged_by_what_is_noted_of_them() {
    let net = Net::new(2).await;
    let node = &net.nodes[0];
    let (_, isac) = new(node, json!({ "name": "ISAC", "kind": "cert" })).await;
    let (_, shop) = new(node, json!({ "name": "Shop", "kind": "vendor" })).await;
    let (isac, shop) = (recipient(&isac), recipient(&shop));
    let named = Address::Named;
    assert_eq!(goes(node, isac, named, None).await, [true, true, true, false], "by name");
    assert_eq!(goes(node, isac, Address::Open, None).await, [true, true, false, false], "open");
    assert_eq!(goes(node, shop, named, None).await, [true, false, false, false]);
    assert_eq!(
        goes(node, Recipient::Unnamed, Address::Open, None).await,
        [true, false, false, false]
    );
    // what an organisation without a node brought was received
    assert_eq!(goes(node, to(101), named, Some(shop)).await, [true, true, false, false]);
    let community = net.community(json!({ "name": "Energy" }), &[1]).await.parse().unwrap();
    let through = goes(node, isac, Address::Through(community), None).await;
    assert_eq!(through, [false; 4], "it belongs to no community");
    let red = "@reason(\"they must know\") permit (principal, action, resource) when { resource.tlp_rank == 4 };";
    let path = "/api/v1/sharing/policies/red";
    let (status, answer) = node.ask("PUT", path, &json!({ "text": red })).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(goes(node, isac, named, None).await, [true; 4]);
    assert!(!goes(node, isac, Address::Open, None).await[3], "RED is never open");
    let open = "@reason(\"not for all\") forbid (principal, action, resource) when { resource.to_community == \"open\" };";
    let (status, answer) =
        node.ask("PUT", "/api/v1/sharing/policies/open", &json!({ "text": open })).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(
        answer["policy"]["words"],
        "Objects open to whoever may read them may not go to any organisation."
    );
    assert_eq!(goes(node, isac, Address::Open, None).await, [false; 4]);
}

/// What the store holds is judged by who brought it, and the preview says the same.
#[tokio::test(flavor = "multi_thread")]
async fn what_they_brought_is_theirs() {
    let net = Net::new(2).await;
    let node = &net.nodes[0];
    let (_, isac) = new(node, json!({ "name": "ISAC", "kind": "cert" })).await;
    let (id, isac) = (isac["id"].clone(), recipient(&isac));
    let object = indicator(7, Tlp::Amber, json!({}));
    let source =
        node.store_as(&isac.to_string(), "organisation", std::slice::from_ref(&object)).await;
    let known = [Known { object: object.clone(), tlp: Tlp::Amber, source }];
    let judged = node.room.judge_known(to(101), Address::Named, &known).await.unwrap();
    assert_eq!(judged[0].decision.policies, ["tlp.amber"], "{judged:?}");
    let mine = indicator(8, Tlp::Amber, json!({}));
    node.store(None, std::slice::from_ref(&mine)).await;
    let ask = json!({ "objects": [object["id"], mine["id"]], "to": { "organisations": ["ISAC"] } });
    let (status, preview) = node.ask("POST", "/api/v1/sharing/preview", &ask).await;
    assert_eq!(status, 200, "{preview}");
    let one = &preview["recipients"][0];
    assert_eq!(
        (&one["organisation"], &one["peer"], &one["name"]),
        (&id, &Value::Null, &json!("ISAC"))
    );
    assert_eq!(
        (&one["answers"][0]["allowed"], &one["answers"][1]["allowed"]),
        (&json!(false), &json!(true))
    );
}

/// Who hides addresses before it asks gives a recipient the same pseudonyms.
#[tokio::test(flavor = "multi_thread")]
async fn pseudonyms_are_the_same_whoever_makes_them() {
    use ports::Pseudonymiser;
    let net = Net::new(2).await;
    let node = &net.nodes[0];
    let names = node.room.pseudonym_names(to(101)).await.unwrap();
    let hidden = crate::kit::Flip.pseudonym(&names[0], "10.0.0.1".parse().unwrap());
    assert!(!node.room.renames(to(101)).await.unwrap());
    let rule = json!({ "name": "own", "action": { "do": "pseudonymise" } });
    assert_eq!(node.ask("POST", "/api/v1/sharing/redactions", &rule).await.0, 201);
    assert!(node.room.renames(to(101)).await.unwrap());
    let judge = |text: String| async move {
        let object = [own(indicator(1, Tlp::Clear, json!({ "description": text })), Tlp::Clear)];
        let judged = node.room.judge(to(101), Address::Named, &object).await.unwrap().remove(0);
        judged.object.unwrap()["description"].as_str().unwrap().to_owned()
    };
    assert_eq!(judge("at 10.0.0.1".into()).await, format!("at {hidden}"));
    assert_eq!(judge(format!("at {hidden}")).await, format!("at {hidden}"), "not once more");
}
