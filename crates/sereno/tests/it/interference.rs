//! What becomes known above a reader's sight changes nothing of what it reads: not a count, not a cursor, not a
//! completion. Everything is asked, then more is learned under the next label, then everything is asked again.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::programs::{Node, blocking};
use crate::sight::{
    LABELS, LISTS, NOBODY, ROLES, STREAMS, Web, fill_labels, filled, id, more_questions, reads,
};

/// What counts the node's own acts, whatever they are about: a sequence without gaps, the log of all of them, the
/// state of the machine. What stands in them about guarded rooms is tested beside.
const COUNTS_ALL: [&str; 6] = [
    "/api/v1/facts",
    "/api/v1/ledger",
    "/api/v1/doctor",
    "/api/v1/node",
    "/api/v1/openapi.json",
    "/soarca/status",
];

type Reads = Vec<(String, Vec<(String, String)>)>;

/// Everything a role can read, by question.
async fn all(web: &Web<'_>, token: &str, reads: &Reads) -> BTreeMap<String, (u16, String)> {
    let words = LABELS.iter().map(|(_, _, word)| *word).chain([NOBODY.0, "", "a", "ind"]);
    let mut asked: Vec<(&str, String, Option<Value>)> =
        LISTS.iter().map(|path| ("GET", (*path).to_owned(), None)).collect();
    for (n, word) in words.enumerate() {
        let about =
            reads.iter().map(|(path, p)| ("GET", filled(path, p, word, n.min(LABELS.len())), None));
        asked.extend(about);
        if word.len() > 3 {
            asked.extend(more_questions(word, n));
        }
        // Completion at the end of what is typed, and pages of one.
        asked.push(("GET", format!("/api/v1/intel/complete?q=name:{word}&cursor=99"), None));
        asked.push(("GET", format!("/api/v1/intel/objects?limit=1&count=true&q={word}*"), None));
    }
    for path in [
        "/taxii2/sereno/collections/inbox/objects/?limit=1",
        "/taxii2/sereno/collections/inbox/manifest/?limit=2",
    ] {
        asked.push(("GET", path.into(), None));
    }
    let mut told = BTreeMap::new();
    for (method, path, body) in asked {
        if COUNTS_ALL.iter().any(|place| path.starts_with(place)) {
            continue;
        }
        let (status, text) = web.ask(token, method, &path, body.as_ref()).await;
        // A bundle has another random id each time.
        let text = match text.find("bundle--") {
            Some(at) => [&text[..at], text.get(at + 44..).unwrap_or_default()].concat(),
            None => text,
        };
        let text = fading(text);
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        told.insert(format!("{method} {path} {body}"), (status, text));
    }
    told
}

/// The text with scores in steps of ten and without the time they reach the threshold: both fade while the test runs.
fn fading(text: String) -> String {
    let Ok(mut value) = serde_json::from_str::<Value>(&text) else { return text };
    fn still(value: &mut Value) {
        match value {
            Value::Object(members) => {
                members.remove("until");
                for name in ["score_now", "score"] {
                    if let Some(now) = members.get(name).and_then(Value::as_f64) {
                        members.insert(name.into(), format!("{:.0}", now / 10.0).into());
                    }
                }
                members.values_mut().for_each(still);
            }
            Value::Array(items) => items.iter_mut().for_each(still),
            _ => {}
        }
    }
    still(&mut value);
    value.to_string()
}

/// What people of the node do with what they may see: a feed loaded by hand, a report, a sighting, a share, a webhook,
/// a redaction.
async fn work(web: &Web<'_>, admin: &str, level: usize) {
    let (label, _, word) = LABELS[level];
    let tlp = &label[4..];
    let feed =
        json!({ "name": format!("feed of the {word}"), "format": {"form": "plain"}, "tlp": tlp });
    let (status, said) = web.ask(admin, "POST", "/api/v1/feeds", Some(&feed)).await;
    assert_eq!(status, 201, "{said}");
    let feed: Value = serde_json::from_str(&said).unwrap();
    let load = format!("/api/v1/feeds/{}/load", feed["id"].as_str().unwrap());
    let url = format!("{}{load}", web.node.url);
    let list = format!(
        "198.51.100.{}\n203.0.113.77\n{word}.example.org\nno value at all {word}\n",
        level + 1
    );
    let sent = web.client.post(url).bearer_auth(admin).body(list).send().await.unwrap();
    assert!(sent.status().is_success(), "{:?}", sent.text().await);
    let text = format!("{word} calls 93.184.216.34 and {word}.example.net, CVE-2024-3400");
    let url = format!("{}/api/v1/knowledge/reports/extract", web.node.url);
    let sent = web.client.post(url).bearer_auth(admin).body(text.clone()).send().await.unwrap();
    let found: Value = serde_json::from_str(&sent.text().await.unwrap()).unwrap();
    let keys: Vec<&Value> =
        found["candidates"].as_array().unwrap().iter().map(|one| &one["key"]).collect();
    let report = json!({ "title": format!("report on the {word}"), "text": text, "tlp": tlp, "accept": keys });
    let indicator = id("indicator", level);
    for (path, body, expected) in [
        ("/api/v1/knowledge/reports".to_owned(), report, 201),
        (
            format!("/api/v1/knowledge/objects/{indicator}/sightings"),
            json!({ "type": "false-positive" }),
            201,
        ),
        (
            "/api/v1/webhooks".to_owned(),
            json!({ "url": format!("https://{word}.example/"), "events": ["object.new"] }),
            201,
        ),
        (
            "/api/v1/sharing/redactions".to_owned(),
            json!({ "name": word, "types": [], "action": {"do": "drop"} }),
            201,
        ),
    ] {
        let (status, said) = web.ask(admin, "POST", &path, Some(&body)).await;
        assert_eq!(status, expected, "{path}: {said}");
    }
}

#[test]
fn what_becomes_known_out_of_sight_changes_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(folder.path());
    let analyst = node.token("analyst");
    let tokens: Vec<(&str, usize, String)> =
        ROLES.into_iter().map(|(role, seen)| (role, seen, node.token(role))).collect();
    blocking(async {
        let web = Web { node: &node, client: reqwest::Client::new() };
        let (_, description) = web.ask(&analyst, "GET", "/api/v1/openapi.json", None).await;
        let reads = reads(&serde_json::from_str(&description).unwrap());
        let mut before: BTreeMap<&str, BTreeMap<String, (u16, String)>> = BTreeMap::new();
        let (mut compared, mut differs) = (0, Vec::new());
        for (level, (label, ..)) in LABELS.iter().enumerate() {
            fill_labels(&web, &analyst, level..level + 1).await;
            work(&web, &tokens[0].2, level).await;
            if level == 0 {
                continue;
            }
            for (role, seen, token) in &tokens {
                // Only who sees less than the next label is asked again after it.
                if *seen > level + 1 {
                    continue;
                }
                let now = all(&web, token, &reads).await;
                if *seen <= level
                    && let Some(then) = before.get(role)
                {
                    for (question, told) in &now {
                        compared += 1;
                        if then.get(question) != Some(told) {
                            differs.push(format!(
                                "{role} at {}: {question}\n    {:?}\n    {told:?}",
                                label,
                                then.get(question)
                            ));
                        }
                    }
                }
                before.insert(role, now);
            }
        }
        assert!(differs.is_empty(), "{} answers changed:\n{}", differs.len(), differs.join("\n"));
        assert!(compared > 2_000, "{compared} answers compared");
        eprintln!("{compared} answers compared");
    });
}

/// Reads a stream from its beginning until nothing comes for a while.
async fn streamed(web: &Web<'_>, token: &str, path: &str) -> (u16, String) {
    let request = web.client.get(format!("{}{path}", web.node.url)).bearer_auth(token);
    let mut answer = request.send().await.unwrap();
    let (status, mut text) = (answer.status().as_u16(), String::new());
    let quiet = std::time::Duration::from_millis(700);
    while let Ok(Ok(Some(chunk))) = tokio::time::timeout(quiet, answer.chunk()).await {
        text.push_str(&String::from_utf8_lossy(&chunk));
    }
    (status, text)
}

#[test]
fn streams_facts_and_the_log_tell_each_role_what_it_may_know() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(folder.path());
    let admin = node.token("administrator");
    blocking(async {
        let web = Web { node: &node, client: reqwest::Client::new() };
        fill_labels(&web, &admin, 0..LABELS.len()).await;
        let community = json!({ "name": "Ports", "max_tlp": "amber" });
        let (status, said) = web.ask(&admin, "POST", "/api/v1/communities", Some(&community)).await;
        assert_eq!(status, 201, "{said}");
        let community: Value = serde_json::from_str(&said).unwrap();
        let community = community["id"].as_str().unwrap();
        // The log follows the facts.
        let path = "/api/v1/ledger/entries?limit=500";
        for _ in 0..100 {
            if web.ask(&admin, "GET", path, None).await.1.contains(community) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        for (role, seen) in ROLES {
            let token = node.token(role);
            let told = [
                streamed(&web, &token, STREAMS[0]).await,
                streamed(&web, &token, &format!("{}?after=0", STREAMS[0])).await,
                streamed(&web, &token, &format!("{}?after=0", STREAMS[1])).await,
                web.ask(&token, "GET", "/api/v1/facts?limit=500", None).await,
                web.ask(&token, "GET", "/api/v1/facts?kind=communities.noted", None).await,
                web.ask(&token, "GET", path, None).await,
            ];
            for (_, _, word) in &LABELS[seen..] {
                assert!(
                    told.iter().all(|(_, text)| !text.contains(word)),
                    "{role} reads of {word}"
                );
            }
            let all = seen == LABELS.len();
            for (at, (status, text)) in told.iter().enumerate() {
                let reader = seen > 0;
                assert_eq!(*status, if reader { 200 } else { 403 }, "{role} {at}: {text}");
                assert!(all || !text.contains(community), "{role} reads of a community: {text}");
                assert!(all || !text.contains("communities.noted"), "{role} {at}: {text}");
            }
            assert_eq!(all, told[1].1.contains(community), "{role}: {}", told[1].1);
            assert_eq!(all, told[4].1.contains(community), "{role}: {}", told[4].1);
            if seen > 0 {
                let hidden = told[5].1.contains("\"hidden\":true");
                assert_eq!(hidden, !all, "{role}: {}", told[5].1);
                proofs(&web, role, &token, &told[5].1, community).await;
            }
        }
    });
}

/// A hidden entry stands in the log by its leaf; its proof holds and tells nothing.
async fn proofs(web: &Web<'_>, role: &str, token: &str, entries: &str, community: &str) {
    let entries: Value = serde_json::from_str(entries).unwrap();
    for entry in entries["items"].as_array().unwrap() {
        let path = format!("/api/v1/ledger/entries/{}/proof", entry["index"]);
        let (status, text) = web.ask(token, "GET", &path, None).await;
        assert_eq!(status, 200, "{text}");
        let proof: Value = serde_json::from_str(&text).unwrap();
        let hidden = entry["hidden"] == true;
        assert_eq!(proof["entry"].is_null(), hidden, "{role}: {text}");
        assert!(!hidden || !text.contains(community), "{role}: {text}");
        assert_eq!(proof["leaf_hash"], entry["leaf_hash"]);
    }
}

/// Requests of each kind in one look at times.
const TIMED: usize = 300;
/// The medians of hidden and absent differ by this factor at most.
const ALIKE: f64 = 1.25;

/// How long the answers about a hidden and an absent thing take, in turns so that whatever else goes on meets both.
async fn medians(web: &Web<'_>, token: &str, hidden: &str, absent: &str) -> (f64, f64) {
    let (mut of_hidden, mut of_absent) = (Vec::new(), Vec::new());
    for _ in 0..TIMED {
        for (path, times) in [(hidden, &mut of_hidden), (absent, &mut of_absent)] {
            let start = std::time::Instant::now();
            web.ask(token, "GET", path, None).await;
            times.push(start.elapsed().as_secs_f64());
        }
    }
    let median = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2] * 1e6
    };
    (median(&mut of_hidden), median(&mut of_absent))
}

#[test]
#[ignore = "needs a quiet machine: `make test-long`"]
#[allow(clippy::print_stdout)]
fn what_is_hidden_is_refused_as_fast_as_what_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(folder.path());
    let analyst = node.token("analyst");
    let reader = node.token("read-only");
    let mut worst: f64 = 1.0;
    blocking(async {
        let web = Web { node: &node, client: reqwest::Client::new() };
        fill_labels(&web, &analyst, 0..LABELS.len()).await;
        let (hidden, absent) = (id("indicator", 4), id("indicator", NOBODY.1));
        let word = LABELS[4].2;
        let collection = "/taxii2/sereno/collections/inbox/objects";
        for (hidden, absent) in [
            (format!("/api/v1/intel/objects/{hidden}"), format!("/api/v1/intel/objects/{absent}")),
            (
                format!("/api/v1/intel/objects/{hidden}/relations"),
                format!("/api/v1/intel/objects/{absent}/relations"),
            ),
            (
                format!("/api/v1/intel/objects?q=name:{word}"),
                format!("/api/v1/intel/objects?q=name:{}", NOBODY.0),
            ),
            (
                format!("/api/v1/intel/lookup?value={word}.example"),
                format!("/api/v1/intel/lookup?value={}.example", NOBODY.0),
            ),
            (
                format!("/api/v1/intel/complete?q=name:{word}"),
                format!("/api/v1/intel/complete?q=name:{}", NOBODY.0),
            ),
            (format!("{collection}/{hidden}/"), format!("{collection}/{absent}/")),
            ("/misp/events/view/5".to_owned(), "/misp/events/view/78".to_owned()),
        ] {
            // A neighbour on the machine may meet one of them more often: a real difference is there three times.
            let mut ratio = f64::MAX;
            for _ in 0..3 {
                let (one, other) = medians(&web, &reader, &hidden, &absent).await;
                println!("figure: {hidden}: hidden {one:.0} us, absent {other:.0} us");
                ratio = ratio.min((one / other).max(other / one));
                if ratio < ALIKE {
                    break;
                }
            }
            assert!(ratio < ALIKE, "{hidden}: {ratio:.2} times as long as {absent}, or as short");
            worst = worst.max(ratio);
        }
    });
    println!("figure: hidden and absent within {worst:.2} of each other, medians of {TIMED}");
}
