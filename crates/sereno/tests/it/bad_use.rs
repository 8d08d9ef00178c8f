//! Wrong use gets a sentence that names the place and the remedy.

use std::net::TcpListener;
use std::process::Output;

use crate::programs::{Node, json, output, post_status, sereno, status};

fn refusal(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_second_node_on_the_same_folder_is_refused_and_commands_go_through_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(folder.path());
    let second =
        output(sereno().args(["up", "--listen", "127.0.0.1:0", "--data"]).arg(folder.path()));
    let text = refusal(&second, 3);
    assert!(text.contains("in use by process"), "{text}");
    let token = node.token("read-only");
    assert_eq!(status(&format!("{}/api/v1/incidents", node.url), Some(&token)), 200);
}

#[test]
fn a_taken_port_is_named_with_its_holder_and_the_flag() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = holder.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let refused = output(sereno().args(["up", "--listen", &address, "--data"]).arg(folder.path()));
    let text = refusal(&refused, 3);
    assert!(text.contains(&address) && text.contains("--listen"), "{text}");
    assert!(text.contains(&std::process::id().to_string()), "names the holder: {text}");
}

#[test]
fn other_addresses_than_loopback_need_tls_and_an_account() {
    let folder = tempfile::tempdir().unwrap();
    let plain = output(sereno().args(["up", "--listen", "0.0.0.0:0", "--data"]).arg(folder.path()));
    let text = refusal(&plain, 2);
    assert!(text.contains("without TLS"), "{text}");
    let no_account = output(
        sereno()
            .args(["up", "--listen", "127.0.0.1:0", "--tls-listen", "0.0.0.0:0", "--data"])
            .arg(folder.path()),
    );
    let text = refusal(&no_account, 3);
    assert!(text.contains("no account"), "{text}");
}

#[test]
fn a_mistyped_configuration_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("sereno.toml"), "[servr]\nlisten = \"127.0.0.1:1\"\n")
        .unwrap();
    let checked = output(sereno().args(["config", "check", "--data"]).arg(folder.path()));
    let text = refusal(&checked, 1);
    assert!(text.contains("[servr]"), "{text}");
}

#[test]
fn strangers_see_nothing_and_tokens_reach_as_far_as_their_role() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(folder.path());
    let reader = node.token("read-only");
    let admin = node.token("administrator");
    for path in
        ["/api/v1/incidents", "/api/v1/facts", "/api/v1/ledger", "/api/v1/shares", "/metrics"]
    {
        let url = format!("{}{path}", node.url);
        assert_eq!(status(&url, None), 401, "{path}");
        assert_eq!(status(&url, Some("sereno_not_a_token")), 401, "{path}");
        assert_eq!(status(&url, Some(&admin)), 200, "{path}");
    }
    let body = serde_json::json!({ "role": "administrator", "label": "more for me" });
    let tokens = format!("{}/api/v1/tokens", node.url);
    assert_eq!(post_status(&tokens, &reader, &body), 403);
    assert_eq!(post_status(&tokens, &admin, &body), 201);
}

#[test]
fn broken_captures_are_scored_up_to_the_break_and_the_break_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let captures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/captures");
    let model = folder.path().join("model");
    let trained = output(
        sereno()
            .args(["detect", "train", "--json", "--pcap"])
            .arg(captures.join("hakai-train.pcap.gz"))
            .arg("--out")
            .arg(&model),
    );
    assert!(trained.status.success(), "{}", String::from_utf8_lossy(&trained.stderr));
    let wrong = folder.path().join("wrong.pcap");
    std::fs::write(&wrong, b"this is not a capture at all, not even nearly").unwrap();
    let out = folder.path().join("out.jsonl");
    let scored = output(
        sereno()
            .args(["detect", "score", "--model"])
            .arg(&model)
            .arg("--pcap")
            .arg(&wrong)
            .arg("--out")
            .arg(&out),
    );
    let text = refusal(&scored, 3);
    assert!(text.contains("wrong.pcap"), "{text}");
    let whole = output(
        sereno()
            .args(["detect", "score", "--json", "--model"])
            .arg(&model)
            .arg("--pcap")
            .arg(captures.join("hakai-test.pcap.gz"))
            .arg("--out")
            .arg(&out),
    );
    assert_eq!(whole.status.code(), Some(1), "the capture holds an attack");
    assert!(json(&whole).is_object());
    let lines = std::fs::read_to_string(&out).unwrap();
    let first: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    for field in ["device", "start", "end", "score", "alert", "detector", "why"] {
        assert!(first.get(field).is_some(), "{field} is missing in {first}");
    }
}

#[test]
fn detectors_are_compared_on_a_scenario_folder() {
    let folder = tempfile::tempdir().unwrap();
    let captures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/captures");
    let scenario = folder.path().join("hakai");
    std::fs::create_dir(&scenario).unwrap();
    for part in ["train", "test"] {
        std::fs::copy(
            captures.join(format!("hakai-{part}.pcap.gz")),
            scenario.join(format!("{part}.pcap.gz")),
        )
        .unwrap();
    }
    let description = "name = \"hakai\"\nkind = \"pcap\"\n[[device]]\nip = \"192.168.100.113\"\n";
    std::fs::write(scenario.join("scenario.toml"), description).unwrap();
    let page = folder.path().join("page.html");
    let scores = folder.path().join("scores");
    let eval = || {
        let mut command = sereno();
        command.args(["detect", "eval", "--json", "--seeds", "2", "--detector", "ensemble"]);
        command.args(["--detector", "zscore", "--html"]).arg(&page);
        command.arg("--scores").arg(&scores).arg(&scenario);
        output(&mut command)
    };
    let report = json(&eval());
    assert_eq!(report["format"], "sereno-evaluation");
    assert_eq!(report["scenarios"][0]["test"]["labelled"], false);
    let text = std::fs::read_to_string(&page).unwrap();
    assert!(text.starts_with("<!doctype html>") && !text.contains("<script"));
    for detector in ["ensemble", "zscore"] {
        let lines =
            std::fs::read_to_string(scores.join(format!("hakai/{detector}.jsonl"))).unwrap();
        let first: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
        assert_eq!(first["detector"], detector);
    }
    std::fs::write(scenario.join("labels.csv"), "frame,label,attack\n1,0,\n3,0,\n").unwrap();
    let text = refusal(&eval(), 3);
    assert!(text.contains("line 3"), "{text}");
    let missing = output(sereno().args(["detect", "eval"]).arg(folder.path().join("nowhere")));
    assert!(refusal(&missing, 2).contains("nowhere"));
}
