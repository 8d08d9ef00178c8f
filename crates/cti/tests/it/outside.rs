//! What other organisations read over TAXII: judged, redacted, and the rest as if it were not there.

use ports::disclosure::{Address, Candidate, Recipient};
use ports::fake::DisclosureRule;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::support::{Node, Setup, TAXII, client};
use crate::taxii::malware;

const DAY1: &str = "2020-01-01T00:00:00.000Z";
const DAY2: &str = "2020-01-02T00:00:00.000Z";
const OWN: &str = "10.0.0.5";
const PSEUDONYM: &str = "138.0.0.5";

fn has(candidate: &Candidate, label: &str) -> bool {
    candidate.object["labels"].as_array().is_some_and(|all| all.iter().any(|one| one == label))
}

fn address(value: &str) -> Value {
    let object = json!({ "type": "ipv4-addr", "spec_version": "2.1", "value": value });
    let id = stix::id::deterministic("ipv4-addr", object.as_object().unwrap()).unwrap();
    let mut object = object;
    object["id"] = id.as_str().into();
    object
}

/// What is labelled `secret` stays, `named` goes only to whom it is addressed, own addresses get other ones.
fn rule(_: Recipient, to: Address, candidate: &Candidate) -> Result<Value, String> {
    if has(candidate, "secret") || (has(candidate, "named") && to != Address::Named) {
        return Err("it stays".into());
    }
    if candidate.object["value"] == OWN {
        return Ok(address(PSEUDONYM));
    }
    Ok(candidate.object.clone())
}

async fn node(rule: DisclosureRule) -> (Node, String) {
    let node = Setup { rule, ..Setup::new(1, "operator") }.start().await;
    let made: Value = client("administrator")
        .post(node.url("/api/v1/taxii/collections"))
        .json(&json!({ "title": "C2", "alias": "c2", "public_read": true }))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    (node, made["id"].as_str().unwrap().to_owned())
}

async fn put(node: &Node, who: &str, objects: &[Value]) {
    let answer = client(who)
        .post(node.url("/taxii2/sereno/collections/c2/objects/"))
        .header("content-type", TAXII)
        .header("accept", TAXII)
        .body(json!({ "objects": objects }).to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let status: Value = answer.json().await.unwrap();
    assert_eq!(status["failure_count"], 0, "{status}");
}

async fn get(node: &Node, who: &str, path: &str) -> Response {
    client(who)
        .get(node.url(&format!("/taxii2/sereno/collections/c2/{path}")))
        .send()
        .await
        .unwrap()
}

async fn read(node: &Node, who: &str, path: &str) -> Value {
    let answer = get(node, who, path).await;
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    answer.json().await.unwrap()
}

fn ids(answer: &Value) -> Vec<String> {
    let objects = answer["objects"].as_array().cloned().unwrap_or_default();
    objects.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

fn labelled(n: u32, labels: &[&str]) -> Value {
    let mut object = malware(n, DAY1);
    object["labels"] = json!(labels);
    object
}

/// Ids in order by `next` and by `added_after`, with the dates that the pages tell.
async fn all_pages(node: &Node, who: &str, what: &str, by_date: bool) -> (Vec<String>, Vec<usize>) {
    let (mut found, mut sizes, mut query) = (Vec::new(), Vec::new(), String::new());
    loop {
        let answer = get(node, who, &format!("{what}/?limit=4{query}")).await;
        let last = answer.headers().get("x-taxii-date-added-last").cloned();
        let page: Value = answer.json().await.unwrap();
        let here = ids(&page);
        assert_eq!(last.is_some(), !here.is_empty(), "dates speak of what goes out: {page}");
        sizes.push(here.len());
        found.extend(here);
        if page["more"] != true {
            return (found, sizes);
        }
        let last = last.map(|last| last.to_str().unwrap().to_owned());
        query = match last.filter(|_| by_date) {
            Some(last) => format!("&added_after={last}"),
            None => format!("&next={}", page["next"].as_str().unwrap()),
        };
        assert!(sizes.len() < 100, "the pages end");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_hold_what_goes_and_lose_and_repeat_nothing() {
    let (node, _) = node(rule).await;
    // 300 in a row stay: more than are looked at in one go
    let hidden = |n: u32| n % 3 == 1 || (40..340).contains(&n);
    let objects: Vec<Value> =
        (0..360).map(|n| labelled(n, if hidden(n) { &["secret"] } else { &["open"] })).collect();
    put(&node, "administrator", &objects).await;
    let goes: Vec<String> = (0..360)
        .filter(|n| !hidden(*n))
        .map(|n| objects[n as usize]["id"].as_str().unwrap().to_owned())
        .collect();
    for what in ["objects", "manifest"] {
        for by_date in [false, true] {
            let (found, sizes) = all_pages(&node, "for=i", what, by_date).await;
            assert_eq!(found, goes, "{what} {by_date}");
            let (last, full) = sizes.split_last().unwrap();
            assert!(full.iter().all(|size| *size == 4) && (1..=4).contains(last), "{sizes:?}");
        }
        let (all, _) = all_pages(&node, "taxii", what, false).await;
        assert_eq!(all.len(), 360, "who is of the house reads as ever");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stays_is_as_if_it_were_not_there() {
    let (node, id) = node(rule).await;
    let (open, secret, named) =
        (labelled(1, &["open"]), labelled(2, &["secret"]), labelled(3, &["named"]));
    let mut older = labelled(4, &["open"]);
    put(&node, "administrator", &[open.clone(), secret.clone(), named.clone(), older.clone()])
        .await;
    older["modified"] = DAY2.into();
    older["labels"] = json!(["secret"]);
    put(&node, "administrator", &[older.clone()]).await;
    let text = |object: &Value| object["id"].as_str().unwrap().to_owned();
    let never = "malware--00000000-0000-4000-8000-999999999999";
    for hidden in [text(&secret), text(&named), text(&older)] {
        for path in ["", "versions/", "?match[version]=first", "?match[version]=all"] {
            let answer = get(&node, "for=i", &format!("objects/{hidden}/{path}")).await;
            let none = get(&node, "for=i", &format!("objects/{never}/{path}")).await;
            assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{hidden} {path}");
            assert_eq!(answer.text().await.unwrap(), none.text().await.unwrap());
        }
        let page =
            read(&node, "for=i", &format!("objects/?match[id]={hidden}&match[version]=all")).await;
        assert_eq!(page, json!({ "more": false }));
    }
    assert_eq!(ids(&read(&node, "for=i", "objects/?match[version]=all").await), [text(&open)]);
    // a grant that names the collection addresses the organisation by name
    let granted = format!("for=i={id}:read");
    assert_eq!(ids(&read(&node, &granted, "objects/").await), [text(&open), text(&named)]);
    assert_eq!(
        read(&node, &granted, &format!("objects/{}/versions/", text(&named))).await["versions"],
        json!([DAY1])
    );
    // what it does not see it cannot take away
    let full = format!("for=i={id}:read+{id}:write");
    let delete = async |object: &str| {
        let path = format!("/taxii2/sereno/collections/c2/objects/{object}/");
        client(&full).delete(node.url(&path)).send().await.unwrap().status()
    };
    assert_eq!(delete(&text(&secret)).await, StatusCode::NOT_FOUND);
    assert_eq!(delete(never).await, StatusCode::NOT_FOUND);
    assert_eq!(delete(&text(&named)).await, StatusCode::OK);
    let left = ids(&read(&node, "taxii", "objects/").await);
    assert!(left.contains(&text(&secret)) && !left.contains(&text(&named)), "{left:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_organisation_sent_it_gets_back_as_it_sent_it() {
    let (node, id) = node(rule).await;
    let full = format!("for=i={id}:read+{id}:write");
    let secret = labelled(1, &["secret"]);
    put(&node, &full, &[secret.clone(), address(OWN)]).await;
    let back = read(&node, &full, "objects/").await;
    assert_eq!(back["objects"], json!([secret, address(OWN)]));
    // another token of the same organisation is the same organisation
    assert_eq!(read(&node, &format!("for=i={id}:read"), "objects/").await, back);
    let other = read(&node, &format!("for=o={id}:read+{id}:write"), "objects/").await;
    assert_eq!(ids(&other), [address(PSEUDONYM)["id"].as_str().unwrap()], "{other}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn observables_are_found_by_the_id_they_go_out_with() {
    let (node, _) = node(rule).await;
    *node.disclosure.renames.lock().unwrap() = true;
    put(&node, "administrator", &[labelled(1, &["open"]), address("203.0.113.9"), address(OWN)])
        .await;
    let (real, told) = (address(OWN), address(PSEUDONYM));
    let (real, told) = (real["id"].as_str().unwrap(), told["id"].as_str().unwrap());
    let list = read(&node, "for=i", "objects/?match[type]=ipv4-addr").await;
    assert!(!list.to_string().contains(OWN), "{list}");
    assert_eq!(ids(&list)[1], told);
    assert_eq!(ids(&read(&node, "for=i", "manifest/?match[type]=ipv4-addr").await)[1], told);
    assert_eq!(
        read(&node, "for=i", &format!("objects/{told}/")).await["objects"][0]["value"],
        PSEUDONYM
    );
    // whoever guesses an address and asks for its id learns nothing
    for path in [format!("objects/{real}/"), format!("objects/{real}/versions/")] {
        assert_eq!(get(&node, "for=i", &path).await.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(get(&node, "taxii", &path).await.status(), StatusCode::OK);
    }
    let found =
        read(&node, "for=i", &format!("objects/?match[id]={real},{told}&match[type]=ipv4-addr"))
            .await;
    assert_eq!(ids(&found), [told]);
    let none =
        read(&node, "for=i", &format!("objects/?match[id]={told}&match[type]=malware")).await;
    assert_eq!(none, json!({ "more": false }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_that_changes_while_pages_are_read_hides_the_rest() {
    let (node, _) = node(rule).await;
    let objects: Vec<Value> = (0..10).map(|n| labelled(n, &["open"])).collect();
    put(&node, "administrator", &objects).await;
    let first = read(&node, "for=i", "objects/?limit=4").await;
    assert_eq!((ids(&first).len(), &first["more"]), (4, &json!(true)));
    *node.disclosure.rule.lock().unwrap() = |_, _, _| Err("nothing goes any more".into());
    let next = first["next"].as_str().unwrap();
    let rest = read(&node, "for=i", &format!("objects/?limit=4&next={next}")).await;
    assert_eq!(rest, json!({ "more": false }));
}
