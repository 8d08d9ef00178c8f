//! Organisations, communities, policies, redaction and preview at the command line, beside running nodes.

use std::path::Path;

use serde_json::{Value, json};

use crate::faults_kit::{Phoenix, invitation, items, join, until};
use crate::programs::{Node, blocking, json as read_json, output, sereno};

const AT: &str = "2026-11-30T00:00:00.000Z";
const GREEN: &str = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb";

/// Runs a command; its exit code, standard output and standard error.
fn run(data: &Path, words: &[&str]) -> (i32, String, String) {
    let done = output(sereno().args(words).arg("--data").arg(data));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (done.status.code().unwrap(), text(&done.stdout), text(&done.stderr))
}

/// Runs a command that must do; its answer as JSON.
fn answer(data: &Path, words: &[&str]) -> Value {
    let done = output(sereno().args(words).arg("--json").arg("--data").arg(data));
    assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
    read_json(&done)
}

fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

fn indicator() -> Value {
    json!({"type": "indicator", "spec_version": "2.1", "id": "indicator--00000000-0000-4000-8000-000000000001",
        "created": AT, "modified": AT, "name": "beacon of case-17 at 10.0.0.7", "pattern_type": "stix",
        "indicator_types": ["malicious-activity"], "pattern": "[ipv4-addr:value = '203.0.113.77']",
        "valid_from": AT, "object_marking_refs": [GREEN]})
}

/// Policies are put, tried, refused, forced and removed; in the end none is there.
fn policies_are_tried(data: &Path, of: &Path, preview: &[&str]) {
    let tests = json!({"tests": [{"name": "CERTs get GREEN", "recipient": {"kind": "cert"},
        "object": {"type": "indicator", "tlp": "TLP:GREEN"}, "expected": true}]});
    let tests = file(of, "tests.json", &tests.to_string());
    assert_eq!(run(data, &["policy", "test", "--put", &tests]).0, 0);
    let stop = file(
        of,
        "stop.cedar",
        "@reason(\"the port is closed\")\nforbid (principal, action, resource)\n\
        when { principal.sector == \"ports\" && principal.kind == \"cert\" };",
    );
    assert_eq!(run(data, &["policy", "put", &stop]).0, 0, "no test speaks of that sector");
    let shown = answer(data, preview);
    assert_eq!(shown["recipients"][0]["answers"][0]["reason"], "denied because the port is closed");
    let (_, words, _) = run(data, &["policy", "list"]);
    assert!(
        words.contains("All objects may not go to organisations of sector ports and of kind cert.")
    );
    let all = file(of, "all.cedar", "@reason(\"r\") forbid (principal, action, resource);");
    let (code, _, said) = run(data, &["policy", "put", &all]);
    assert!(code == 1 && said.contains("CERTs get GREEN"), "{code} {said}");
    let bad = file(
        of,
        "bad.cedar",
        "@reason(\"r\")\npermit (principal, action, resource) when { resource.size > 1 };",
    );
    let (code, _, said) = run(data, &["policy", "put", &bad]);
    assert!(code == 1 && said.contains("line 2, column"), "{code} {said}");
    assert_eq!(run(data, &["policy", "put", &all, "--force"]).0, 0);
    assert_eq!(run(data, &["policy", "test"]).0, 1);
    for id in ["all", "stop"] {
        assert_eq!(run(data, &["policy", "remove", id]).0, 0);
    }
    assert_eq!(run(data, &["policy", "remove", "stop"]).0, 1, "gone");
}

#[test]
fn what_would_leave_is_decided_tried_and_shown_before_it_does() {
    let folder = tempfile::tempdir().unwrap();
    let operator = Phoenix::up(&folder.path().join("operator"), "Harbour", "operator");
    let cert = Phoenix::up(&folder.path().join("cert"), "Harbour CERT", "cert");
    let invited = invitation(&cert.data, folder.path(), "Harbour");
    assert_eq!(join(&operator.data, &invited).0, 0);
    let (data, of) = (operator.data.as_path(), folder.path());

    let known = items(data, &["organisation", "list"]);
    assert_eq!((&known[0]["own"], &known[1]["name"]), (&json!(true), &json!("Harbour CERT")));
    let set = ["organisation", "set", "Harbour CERT", "--country", "pt", "--sector", "ports"];
    assert_eq!(answer(data, &set)[0]["country"], "PT");
    assert_eq!(run(data, &["organisation", "set", "Harbour CERT", "--country", "XX"]).0, 1);
    assert_eq!(run(data, &["organisation", "set", "Nobody", "--note", "x"]).0, 1);

    let bundle = json!({"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000001", "objects": [indicator()]});
    let bundle = file(of, "bundle.json", &bundle.to_string());
    assert_eq!(run(data, &["intel", "import", &bundle, "--label", "own"]).0, 0);
    let id = indicator()["id"].as_str().unwrap().to_owned();
    let preview = ["share", "preview", "--object", &id, "--bodies"];
    let shown = answer(data, &preview);
    assert_eq!(shown["recipients"][0]["answers"][0]["allowed"], true, "{shown}");

    policies_are_tried(data, of, &preview);
    answer(data, &["redaction", "new", "own addresses", "--pseudonymise"]);
    let cases = [
        "redaction",
        "new",
        "cases",
        "--replace",
        "case-[0-9]+",
        "--with",
        "(case)",
        "--kind",
        "cert",
    ];
    let rule = answer(data, &cases)[0]["id"].as_str().unwrap().to_owned();
    let shown = answer(data, &preview);
    let body = &shown["recipients"][0]["answers"][0]["body"];
    let name = body["name"].as_str().unwrap();
    assert!(name.starts_with("beacon of (case) at ") && !name.contains("10.0.0.7"), "{body}");
    assert_eq!(body["pattern"], indicator()["pattern"], "no address of ours");
    assert_eq!(run(data, &["redaction", "pause", &rule]).0, 0);
    let (_, lines, _) = run(data, &preview[..4]);
    assert!(lines.contains("Harbour CERT: 1 go, 1 changed, 0 stay"), "{lines}");

    // what holds is on the disk
    let mut operator = operator;
    operator.fall();
    let again = answer(&operator.data, &preview);
    let name = again["recipients"][0]["answers"][0]["body"]["name"].as_str().unwrap();
    assert!(
        name.contains("case-17") && !name.contains("10.0.0.7"),
        "beside a stopped node: {name}"
    );
}

#[test]
fn communities_are_made_and_their_invitations_are_for_one_node() {
    let folder = tempfile::tempdir().unwrap();
    let operator = Phoenix::up(&folder.path().join("operator"), "Harbour", "operator");
    let cert = Phoenix::up(&folder.path().join("cert"), "Harbour CERT", "cert");
    let invited = invitation(&cert.data, folder.path(), "Harbour");
    assert_eq!(join(&operator.data, &invited).0, 0);
    let made = answer(&cert.data, &["community", "new", "Ports", "--max-tlp", "TLP:GREEN"]);
    assert_eq!((&made["role"], &made["state"]), (&json!("leader"), &json!("active")));
    assert_eq!(run(&cert.data, &["community", "new", "Ports"]).0, 1, "the name is taken");
    assert_eq!(run(&cert.data, &["community", "new", "Red", "--max-tlp", "TLP:RED"]).0, 1);
    let out = folder.path().join("ports.json");
    let path = out.display().to_string();
    let invite = [
        "community",
        "invite",
        "Ports",
        "--organisation",
        "Harbour",
        "--role",
        "contributor",
        "--out",
        &path,
    ];
    assert_eq!(run(&cert.data, &invite).0, 0);
    let (code, _, said) = run(&cert.data, &["community", "join", &path]);
    assert!(code == 1 && said.contains("no node that we exchange with"), "{code} {said}");
    let mut forged: Value = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
    forged["expires_at"] = json!("2099-01-01T00:00:00Z");
    let forged = file(folder.path(), "forged.json", &forged.to_string());
    let (code, _, said) = run(&operator.data, &["community", "join", &forged]);
    assert!(code == 1 && said.contains("not signed"), "{code} {said}");
    assert!(items(&operator.data, &["community", "list"]).is_empty());
    assert_eq!(run(&operator.data, &["community", "show", "Ports"]).0, 1, "nothing is known of it");
    assert_eq!(run(&cert.data, &["community", "change", "Ports", "--roster", "leader"]).0, 0);
    assert_eq!(answer(&cert.data, &["community", "show", "Ports"])["roster"], "leader");
    let made = items(&cert.data, &["community", "invitations", "Ports"]);
    assert_eq!((&made[0]["organisation"], &made[0]["state"]), (&json!("Harbour"), &json!("open")));
    assert_eq!(run(&cert.data, &["community", "withdraw", "Ports", "Harbour"]).0, 0);
    assert_eq!(
        run(&cert.data, &["community", "withdraw", "Ports", "Harbour"]).0,
        1,
        "none is open"
    );
    // its file is sound and worthless: the leader's answer says what it says to everybody
    assert_eq!(run(&operator.data, &["community", "join", &path]).0, 0);
    let refused = until("the leader's refusal", || {
        stands(&operator, "Ports").filter(|community| community["state"] == "refused")
    });
    assert_eq!(refused["refusal"], "no such community stands between us");
    assert_eq!(run(&operator.data, &["community", "leave", "Ports"]).0, 0);
    assert!(items(&operator.data, &["community", "list"]).is_empty());
    assert_eq!(run(&cert.data, &["community", "dissolve", "Ports"]).0, 0);
    assert_eq!(items(&cert.data, &["community", "list"])[0]["state"], "dissolved");
}

/// Administrators do everything; analysts read and preview; nobody else sees anything of it.
#[test]
fn roles_and_communities() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(folder.path());
    let none = "01890a5d-ac96-774b-bcce-b302099a8057";
    let asked: Vec<(&str, String, Value, bool)> = vec![
        ("GET", "organisations".into(), Value::Null, true),
        ("GET", "communities".into(), Value::Null, true),
        ("GET", format!("communities/{none}"), Value::Null, true),
        ("GET", "sharing/policies".into(), Value::Null, true),
        ("GET", "sharing/policies/tlp.red".into(), Value::Null, true),
        ("GET", "sharing/tests".into(), Value::Null, true),
        ("GET", "sharing/redactions".into(), Value::Null, true),
        ("POST", "sharing/preview".into(), json!({"objects": ["indicator--x"]}), true),
        ("PATCH", format!("organisations/{none}"), json!({}), false),
        ("POST", "communities".into(), json!({"name": "x"}), false),
        ("PATCH", format!("communities/{none}"), json!({}), false),
        ("DELETE", format!("communities/{none}"), Value::Null, false),
        (
            "POST",
            format!("communities/{none}/invitations"),
            json!({"organisation": "x", "role": "reader"}),
            false,
        ),
        ("GET", format!("communities/{none}/invitations"), Value::Null, true),
        ("DELETE", format!("communities/{none}/invitations/00"), Value::Null, false),
        ("POST", "communities/join".into(), json!({}), false),
        ("POST", format!("communities/{none}/lead"), json!({"organisation": "x"}), false),
        ("POST", format!("communities/{none}/lead/accept"), json!({}), false),
        ("POST", format!("communities/{none}/lead/decline"), Value::Null, false),
        ("POST", format!("communities/{none}/leave"), Value::Null, false),
        ("PATCH", format!("communities/{none}/members/{none}"), json!({"role": "reader"}), false),
        ("DELETE", format!("communities/{none}/members/{none}"), Value::Null, false),
        ("PUT", "sharing/policies/x".into(), json!({"text": "x"}), false),
        ("DELETE", "sharing/policies/x".into(), Value::Null, false),
        ("PUT", "sharing/tests".into(), json!({"tests": []}), false),
        (
            "POST",
            "sharing/redactions".into(),
            json!({"name": "x", "action": {"do": "drop"}}),
            false,
        ),
        ("PATCH", "sharing/redactions/x".into(), json!({}), false),
        ("DELETE", "sharing/redactions/x".into(), Value::Null, false),
    ];
    let roles = ["analyst", "operator", "assessor", "read-only", "taxii", "administrator"];
    blocking(async {
        let client = reqwest::Client::new();
        for role in roles {
            let token = node.token(role);
            for (method, path, body, reads) in &asked {
                let url = format!("{}/api/v1/{path}", node.url);
                let mut request = client.request(method.parse().unwrap(), &url).bearer_auth(&token);
                if !body.is_null() {
                    request = request.json(body);
                }
                let status = request.send().await.unwrap().status().as_u16();
                let may = role == "administrator" || (role == "analyst" && *reads);
                assert_eq!(status != 403, may, "{role} {method} {path}: {status}");
                assert!(status < 500, "{role} {method} {path}: {status}");
            }
        }
    });
}

/// How a community stands at a node.
fn stands(node: &Phoenix, name: &str) -> Option<Value> {
    let all = items(&node.data, &["community", "list"]);
    all.into_iter().find(|community| community["name"] == name)
}

/// Whether a node knows the indicator.
fn knows(node: &Phoenix) -> bool {
    let id = indicator()["id"].as_str().unwrap().to_owned();
    run(&node.data, &["intel", "show", &id]).0 == 0
}

#[test]
fn a_community_lives_by_letters_and_hands_on_what_its_members_share() {
    let folder = tempfile::tempdir().unwrap();
    let of = folder.path();
    let leader = Phoenix::up(&of.join("leader"), "Ports CERT", "cert");
    let members = ["Harbour", "Lock"].map(|name| {
        let node = Phoenix::up(&of.join(name), name, "operator");
        let invited = invitation(&leader.data, of, name);
        assert_eq!(join(&node.data, &invited).0, 0);
        node
    });
    answer(&leader.data, &["community", "new", "Ports", "--max-tlp", "TLP:AMBER"]);
    for (node, name) in members.iter().zip(["Harbour", "Lock"]) {
        let out = of.join(format!("{name}-ports.json")).display().to_string();
        let invite = [
            "community",
            "invite",
            "Ports",
            "--organisation",
            name,
            "--role",
            "contributor",
            "--out",
            &out,
        ];
        assert_eq!(run(&leader.data, &invite).0, 0);
        assert_eq!(run(&node.data, &["community", "join", &out]).0, 0);
        until("the leader's answer", || {
            stands(node, "Ports").filter(|community| community["holds"] == true)
        });
    }
    let [harbour, lock] = members;
    until("the roster at the first member", || {
        let shown = answer(&harbour.data, &["community", "show", "Ports"]);
        (shown["members"][0]["organisation"] == "Lock").then_some(())
    });
    let community = stands(&harbour, "Ports").unwrap()["id"].as_str().unwrap().to_owned();

    // the first member shares with the community; its leader hands it to the second
    let bundle = json!({"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000001", "objects": [indicator()]});
    let bundle = file(of, "bundle.json", &bundle.to_string());
    assert_eq!(run(&harbour.data, &["intel", "import", &bundle, "--label", "own"]).0, 0);
    let id = indicator()["id"].as_str().unwrap().to_owned();
    let shown = answer(&harbour.data, &["share", "preview", "--object", &id, "--to", "Ports"]);
    let goes = |shown: &Value| -> Vec<(String, bool)> {
        let all = shown["recipients"].as_array().unwrap();
        let one = |r: &Value| (r["name"].as_str().unwrap().to_owned(), r["allowed"] == 1);
        all.iter().map(one).collect()
    };
    assert_eq!(goes(&shown), [("Ports CERT".to_owned(), true)]);
    answer(&harbour.data, &["share", "objects", &id, "--to", &community]);
    until("the indicator at the other member", || knows(&lock).then_some(()));

    // who is put out knows nothing of the community any more, and gets nothing of it
    assert_eq!(run(&leader.data, &["community", "expel", "Ports", "Lock"]).0, 0);
    let shown = answer(&leader.data, &["share", "preview", "--object", &id, "--to", "Ports"]);
    assert_eq!(goes(&shown).len(), 1, "at once: {shown}");
    until("the letter to who was put out", || {
        stands(&lock, "Ports").filter(|community| community["state"] == "expelled")
    });
    until("the roster without it", || {
        let shown = answer(&harbour.data, &["community", "show", "Ports"]);
        (shown["members"] == json!([])).then_some(())
    });
    assert_eq!(run(&harbour.data, &["community", "leave", "Ports"]).0, 0);
    until("the letter of who left", || {
        let shown = answer(&leader.data, &["community", "show", "Ports"]);
        let left = |member: &Value| member["state"] == "left";
        shown["members"].as_array().unwrap().iter().any(left).then_some(())
    });
}

#[test]
fn a_leadership_moves_and_the_next_leader_hands_on_what_is_shared() {
    let folder = tempfile::tempdir().unwrap();
    let of = folder.path();
    let leader = Phoenix::up(&of.join("leader"), "Ports CERT", "cert");
    let harbour = Phoenix::up(&of.join("harbour"), "Harbour", "operator");
    let lock = Phoenix::up(&of.join("lock"), "Lock", "operator");
    for (hub, node, name) in
        [(&leader, &harbour, "Harbour"), (&leader, &lock, "Lock"), (&harbour, &lock, "Lock")]
    {
        assert_eq!(join(&node.data, &invitation(&hub.data, of, name)).0, 0);
    }
    answer(&leader.data, &["community", "new", "Ports", "--max-tlp", "TLP:AMBER"]);
    let out = of.join("ports.json").display().to_string();
    for (node, name) in [(&harbour, "Harbour"), (&lock, "Lock")] {
        let invite =
            ["community", "invite", "Ports", "--organisation", name, "--role", "contributor"];
        assert_eq!(run(&leader.data, &[&invite[..], &["--out", &out]].concat()).0, 0);
        assert_eq!(run(&node.data, &["community", "join", &out]).0, 0);
        until("the leader's answer", || {
            stands(node, "Ports").filter(|community| community["holds"] == true)
        });
    }
    let community = stands(&lock, "Ports").unwrap()["id"].as_str().unwrap().to_owned();
    assert_eq!(run(&harbour.data, &["community", "accept", "Ports"]).0, 1, "nothing is offered");
    assert_eq!(run(&leader.data, &["community", "lead", "Ports", "Harbour"]).0, 0);
    assert_eq!(run(&leader.data, &["community", "expel", "Ports", "Lock"]).0, 1, "on its way");
    until("the offer", || {
        stands(&harbour, "Ports").filter(|community| community["offer"]["ours"] == true)
    });
    assert_eq!(answer(&harbour.data, &["community", "accept", "Ports"])["led"], true);
    for node in [&leader, &lock] {
        until("the next leader", || {
            stands(node, "Ports").filter(|it| it["leader"] == "Harbour" && it["holds"] == true)
        });
    }
    // what a member shares now goes to the next leader and from there to the old one
    let bundle = json!({"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000001", "objects": [indicator()]});
    let bundle = file(of, "bundle.json", &bundle.to_string());
    assert_eq!(run(&lock.data, &["intel", "import", &bundle]).0, 0);
    let id = indicator()["id"].as_str().unwrap().to_owned();
    answer(&lock.data, &["share", "objects", &id, "--to", &community]);
    until("the indicator at the old leader", || knows(&leader).then_some(()));
    let came = items(&leader.data, &["share", "received"]);
    assert!(came.iter().any(|one| one["peer_name"] == "Harbour"), "{came:?}");
}
