//! Policies over HTTP, the preview, and that it says what sharing does.

use model::{NodeId, Tlp};
use ports::disclosure::{Address, Candidate, Disclosure, Recipient};
use serde_json::{Value, json};

use crate::kit::{Net, Node, id, indicator, own, stix_id, to};

const POLICIES: &str = "/api/v1/sharing/policies";
const TESTS: &str = "/api/v1/sharing/tests";
const PREVIEW: &str = "/api/v1/sharing/preview";

async fn put(node: &Node, id: &str, text: &str, force: bool) -> (u16, Value) {
    node.ask("PUT", &format!("{POLICIES}/{id}"), &json!({ "text": text, "force": force })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_are_kept_by_version_and_decide_at_once() {
    let net = Net::new(3).await;
    let node = &net.nodes[0];
    let object = [own(indicator(1, Tlp::Clear, json!({})), Tlp::Clear)];
    let allowed = || async {
        node.room.judge(to(102), Address::Named, &object).await.unwrap()[0].decision.allowed
    };
    assert!(allowed().await);
    let text = "@reason(\"indicators stay this week\")\nforbid (principal, action == Action::\"share\", resource)\n\
        when { resource.type == \"indicator\" };";
    let (status, answer) = put(node, "stay", text, false).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(
        answer["policy"]["words"],
        "Objects of type indicator may not go to any organisation."
    );
    assert!(!allowed().await);
    let (_, list) = node.ask("GET", POLICIES, &Value::Null).await;
    let list = list["items"].as_array().unwrap();
    assert_eq!((&list[0]["id"], &list[0]["built_in"]), (&json!("stay"), &json!(false)));
    assert_eq!(list.iter().filter(|p| p["built_in"] == true).count(), 12);
    let path = format!("{POLICIES}/stay");
    assert_eq!(node.ask("DELETE", &path, &Value::Null).await.0, 200);
    assert!(allowed().await);
    assert_eq!(node.ask("DELETE", &path, &Value::Null).await.0, 404);
    let (_, history) = node.ask("GET", &path, &Value::Null).await;
    assert_eq!(history["versions"].as_array().unwrap().len(), 2, "{history}");
    assert_eq!(history["versions"][1]["text"], text);
    assert_eq!(node.ask("DELETE", &format!("{POLICIES}/tlp.red"), &Value::Null).await.0, 404);
    assert_eq!(node.ask("GET", &format!("{POLICIES}/none"), &Value::Null).await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_that_cannot_be_are_refused_with_their_place() {
    let net = Net::new(1).await;
    let node = &net.nodes[0];
    for (id, text, words) in [
        ("a", "", "empty"),
        ("a", "permit (principal, action, resource", "line 1"),
        (
            "a",
            "@reason(\"r\")\npermit (principal, action, resource)\nwhen { resource.colour == 1 };",
            "line 3, column 8",
        ),
        ("tlp.red", "@reason(\"r\") permit (principal, action, resource);", "built-in"),
        ("a%20b", "@reason(\"r\") permit (principal, action, resource);", "letters"),
    ] {
        let (status, answer) = put(node, id, text, true).await;
        assert_eq!(status, 422, "{answer}");
        assert!(answer["detail"].as_str().unwrap().contains(words), "{words}: {answer}");
    }
    let (status, _) = put(node, "a", &"x".repeat(17 << 10), false).await;
    assert_eq!(status, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_breaks_a_test_is_refused_unless_forced() {
    let net = Net::new(1).await;
    let node = &net.nodes[0];
    let tests = json!({ "tests": [
        { "name": "a CERT gets our indicators", "recipient": { "kind": "cert" },
          "object": { "type": "indicator", "tlp": "TLP:AMBER" }, "expected": true },
        { "name": "nobody gets PAP:RED", "recipient": { "kind": "cert" },
          "object": { "type": "indicator", "tlp": "TLP:CLEAR", "pap": "PAP:RED" }, "expected": false },
        { "name": "already broken", "recipient": { "kind": "other" },
          "object": { "type": "indicator", "tlp": "TLP:AMBER", "received": true }, "expected": true },
    ]});
    let (status, run) = node.ask("PUT", TESTS, &tests).await;
    assert_eq!(status, 200, "{run}");
    let passed = |run: &Value| -> Vec<bool> {
        let items = run["items"].as_array().unwrap();
        items.iter().map(|item| item["result"]["passed"].as_bool().unwrap()).collect()
    };
    assert_eq!(passed(&run), [true, false, true], "by name");
    let text = "@reason(\"no CERT\") forbid (principal, action, resource) when { principal.kind == \"cert\" };";
    let (status, refused) = put(node, "no-cert", text, false).await;
    assert_eq!(status, 409, "{refused}");
    let lines = refused["errors"].as_array().unwrap();
    assert_eq!(lines.len(), 1, "what was broken before is not broken by this: {refused}");
    assert!(lines[0].as_str().unwrap().contains("a CERT gets our indicators"), "{refused}");
    assert_eq!(passed(&node.ask("GET", TESTS, &Value::Null).await.1), [true, false, true]);
    assert_eq!(put(node, "no-cert", text, true).await.0, 200);
    assert_eq!(passed(&node.ask("GET", TESTS, &Value::Null).await.1), [false, false, true]);
    for wrong in [
        json!({ "name": "x", "recipient": {}, "object": { "type": "t", "tlp": "purple" }, "expected": true }),
        json!({ "name": "", "recipient": {}, "object": { "type": "t", "tlp": "TLP:RED" }, "expected": true }),
        json!({ "name": "x", "recipient": { "kind": "y" }, "object": { "type": "t", "tlp": "TLP:RED" }, "expected": true }),
    ] {
        let (status, answer) = node.ask("PUT", TESTS, &json!({ "tests": [wrong] })).await;
        assert_eq!(status, 422, "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_preview_says_what_sharing_does() {
    let net = Net::new(4).await;
    let made = net.community(json!({ "name": "Energy", "max_tlp": "TLP:GREEN" }), &[1, 2]).await;
    let community = made.parse().unwrap();
    let node = &net.nodes[0];
    let (status, rule) = node
        .ask(
            "POST",
            "/api/v1/sharing/redactions",
            &json!({
            "name": "names stay", "to": { "kinds": ["operator"] },
            "action": { "do": "remove", "properties": ["name"] } }),
        )
        .await;
    assert_eq!(status, 201, "{rule}");
    let labels = [Tlp::Clear, Tlp::Green, Tlp::Amber, Tlp::Red];
    let objects: Vec<Value> = (0..4).map(|n| indicator(n, labels[n as usize], json!({}))).collect();
    let brought = indicator(9, Tlp::Amber, json!({}));
    node.store(None, &objects).await;
    node.store(Some(1), std::slice::from_ref(&brought)).await;
    let ids: Vec<&Value> = objects.iter().chain([&brought]).map(|object| &object["id"]).collect();
    let ask = json!({ "objects": ids, "to": { "communities": [made], "organisations": ["National CERT", "Vendor"] } });
    let (status, preview) = node.ask("POST", &format!("{PREVIEW}?bodies=true"), &ask).await;
    assert_eq!(status, 200, "{preview}");
    let candidates: Vec<Candidate> = objects
        .iter()
        .enumerate()
        .map(|(n, object)| own(object.clone(), labels[n]))
        .chain([Candidate { from: Some(to(101)), ..own(brought.clone(), Tlp::Amber) }])
        .collect();
    let recipients = preview["recipients"].as_array().unwrap();
    assert_eq!(recipients.len(), 4);
    for (at, one) in recipients.iter().enumerate() {
        let through = one["community"].is_string().then_some(community);
        let peer = one["peer"].as_str().unwrap().parse().unwrap();
        let judged = node
            .room
            .judge(Recipient::Peer(peer), Address::through(through), &candidates)
            .await
            .unwrap();
        for (place, (answer, told)) in
            one["answers"].as_array().unwrap().iter().zip(&judged).enumerate()
        {
            assert_eq!(answer["allowed"], told.decision.allowed, "{answer}");
            assert_eq!(answer["reason"], told.decision.reason);
            assert_eq!(answer["policies"], json!(told.decision.policies));
            assert_eq!(answer.get("body"), told.object.as_ref());
            assert_eq!(preview["objects"][place]["goes"][at], told.decision.allowed);
        }
    }
    let goes = |name: &str, community: bool| -> Vec<bool> {
        let one = recipients
            .iter()
            .find(|r| r["name"] == name && r["community"].is_string() == community);
        one.unwrap()["answers"].as_array().unwrap().iter().map(|a| a["allowed"] == true).collect()
    };
    assert_eq!(goes("National CERT", false), [true, true, true, false, false]);
    assert_eq!(goes("National CERT", true), [true, true, false, false, false]);
    assert_eq!(goes("Utility", true), [true, true, false, false, false]);
    assert_eq!(goes("Vendor", false), [true, false, false, false, false]);
    let utility = recipients.iter().find(|r| r["name"] == "Utility").unwrap();
    assert_eq!((&utility["allowed"], &utility["redacted"]), (&json!(2), &json!(2)));
    assert_eq!(utility["answers"][0]["redactions"][0]["place"], "/name");
    assert_eq!(utility["answers"][0]["body"]["x_sereno_redacted"], json!([rule["id"]]));
    assert!(utility["answers"][2].get("body").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_preview_tells_whose_word_it_is_and_what_others_said_goes_no_further() {
    let net = Net::new(2).await;
    let node = &net.nodes[0];
    let sources = [
        ("own", "own", "own"),
        ("person:Ana", "person", "own"),
        ("feed:1", "feed", "feed"),
        ("feed:2", "taxii", "taxii"),
        ("feed:3", "misp", "misp"),
        ("misp:CIRCL", "feed", "misp"),
        ("import:Report 17", "import", "import"),
        ("sender:a client", "taxii", "taxii"),
        ("sender:one of us", "person", "own"),
        ("knowledge:attack", "knowledge", "feed"),
    ];
    let mut ids = Vec::new();
    for (n, (key, kind, _)) in (1..).zip(sources) {
        let object = indicator(n, Tlp::Amber, json!({}));
        ids.push(object["id"].clone());
        node.store_as(key, kind, &[object]).await;
    }
    let ask = json!({ "objects": ids, "to": { "organisations": ["National CERT"] } });
    let (status, preview) = node.ask("POST", PREVIEW, &ask).await;
    assert_eq!(status, 200, "{preview}");
    for (at, (key, _, origin)) in sources.into_iter().enumerate() {
        let object = &preview["objects"][at];
        assert_eq!((&object["origin"], &object["source"]), (&json!(origin), &json!("source")));
        assert_eq!(object["goes"], json!([origin == "own"]), "{key}: {preview}");
    }
    let reasons = preview["recipients"][0]["reasons"][0]["reason"].as_str().unwrap();
    assert!(reasons.contains("others said"), "{reasons}");
    // a second word of somebody else does not take an object away from who said it first
    node.store_as("feed:1", "feed", &[indicator(1, Tlp::Amber, json!({"confidence": 3}))]).await;
    let (_, again) = node.ask("POST", PREVIEW, &ask).await;
    assert_eq!(again["objects"][0]["origin"], "own");
    let test = json!({ "tests": [{ "name": "x", "recipient": { "kind": "cert" }, "expected": false,
        "object": { "type": "t", "tlp": "TLP:AMBER", "origin": "misp", "source": "CIRCL" } }] });
    let (_, kept) = node.ask("PUT", TESTS, &test).await;
    assert_eq!(kept["items"][0]["result"]["passed"], true, "{kept}");
    for (name, value) in [("origin", json!("moon")), ("origin", json!("own"))] {
        let mut wrong = test.clone();
        wrong["tests"][0]["object"]["received"] = json!(true);
        wrong["tests"][0]["object"][name] = value;
        assert_eq!(node.ask("PUT", TESTS, &wrong).await.0, 422, "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_preview_keeps_to_sight_and_to_its_bounds() {
    let net = Net::new(2).await;
    let node = &net.nodes[0];
    let objects = [indicator(1, Tlp::Green, json!({})), indicator(2, Tlp::Amber, json!({}))];
    node.store(None, &objects).await;
    let never = stix_id("indicator", 77);
    let ask = json!({ "objects": [objects[0]["id"], objects[1]["id"], never] });
    let (_, all) = node.ask("POST", PREVIEW, &ask).await;
    assert_eq!((all["objects"].as_array().unwrap().len(), &all["missing"]), (2, &json!([never])));
    let (_, some) = node.ask_green("POST", PREVIEW, &ask).await;
    assert_eq!(some["missing"], json!([objects[1]["id"], never]), "like one that never was");
    assert!(!some["recipients"].to_string().contains(objects[1]["id"].as_str().unwrap()));
    let (_, found) = node.ask_green("POST", PREVIEW, &json!({ "query": "type:indicator" })).await;
    assert_eq!(found["objects"].as_array().unwrap().len(), 1);
    let many: Vec<String> = (0..1_001).map(|n| stix_id("indicator", n)).collect();
    for wrong in [
        json!({}),
        json!({ "objects": many }),
        json!({ "objects": [never], "query": "x" }),
        json!({ "query": "tlp<<<" }),
    ] {
        let (status, answer) = node.ask("POST", PREVIEW, &wrong).await;
        assert_eq!(status, 422, "{answer}");
    }
    for to in [json!({ "communities": [id::<NodeId>(5)] }), json!({ "organisations": ["Nobody"] })]
    {
        let (status, _) = node.ask("POST", PREVIEW, &json!({ "objects": [never], "to": to })).await;
        assert_eq!(status, 404);
    }
    // many copies at once are refused
    let many: Vec<Value> = (100..300).map(|n| indicator(n, Tlp::Clear, json!({}))).collect();
    node.store(None, &many).await;
    // many recipients come in parts
    let peers: Vec<platform::peers::Peer> = (0..130_u8)
        .map(|n| platform::peers::Peer {
            id: id(n),
            node: id(n + 100),
            name: format!("Peer {n:03}"),
            ..crate::kit::peer(1)
        })
        .collect();
    *node.peers.0.lock().unwrap() = peers;
    let (_, first) = node.ask("POST", PREVIEW, &json!({ "objects": [objects[0]["id"]] })).await;
    assert_eq!(
        (first["recipients"].as_array().unwrap().len(), &first["next_recipient"]),
        (100, &json!(100))
    );
    let ask = json!({ "objects": [objects[0]["id"]], "skip_recipients": 100 });
    let (_, rest) = node.ask("POST", PREVIEW, &ask).await;
    assert_eq!(
        (rest["recipients"].as_array().unwrap().len(), &rest["next_recipient"]),
        (30, &Value::Null)
    );
    let ids: Vec<&Value> = many.iter().map(|object| &object["id"]).collect();
    let (status, answer) =
        node.ask("POST", &format!("{PREVIEW}?bodies=true"), &json!({ "objects": ids })).await;
    assert_eq!(status, 422, "{answer}");
    assert_eq!(node.ask("POST", PREVIEW, &json!({ "objects": ids })).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn statement_markings_say_pap_too() {
    let net = Net::new(2).await;
    let node = &net.nodes[0];
    let marking = json!({
        "type": "marking-definition", "spec_version": "2.1", "id": stix_id("marking-definition", 5),
        "created": "2026-01-01T00:00:00.000Z", "definition_type": "statement",
        "definition": { "statement": "PAP:RED" },
    });
    let marked = indicator(
        1,
        Tlp::Clear,
        json!({ "object_marking_refs": [stix::Tlp::Clear.id(), marking["id"]] }),
    );
    let labelled = indicator(2, Tlp::Clear, json!({ "labels": ["pap:red"] }));
    let judge = |candidates: Vec<Candidate>| {
        let room = node.room.clone();
        async move { room.judge(to(101), Address::Named, &candidates).await.unwrap() }
    };
    let batch = vec![
        own(marked.clone(), Tlp::Clear),
        own(labelled, Tlp::Clear),
        own(marking.clone(), Tlp::Clear),
    ];
    let judged = judge(batch).await;
    let allowed: Vec<bool> = judged.iter().map(|one| one.decision.allowed).collect();
    assert_eq!(allowed, [false, false, true], "{judged:?}");
    node.store(None, &[marking]).await;
    assert!(!judge(vec![own(marked, Tlp::Clear)]).await[0].decision.allowed, "from the store");
    // a part that is marked higher than the whole holds for the whole
    let part = indicator(
        3,
        Tlp::Clear,
        json!({
        "granular_markings": [{ "marking_ref": stix::Tlp::Amber.id(), "selectors": ["name"] }] }),
    );
    node.peers.0.lock().unwrap()[0].kind = "operator".into();
    let judged = judge(vec![own(part, Tlp::Clear), own(json!("text"), Tlp::Clear)]).await;
    assert!(!judged[0].decision.allowed && !judged[1].decision.allowed, "{judged:?}");
}
