//! What people say of findings, groups of findings, and their packets.

use std::sync::Arc;

use axum::http::StatusCode;
use detection::Config;
use model::event::{FindingGrouped, FindingRaised, Payload};
use ports::WindowSink;
use ports::fake::FakeAssets;
use serde_json::{Value, json};

use crate::meter::{LEARNED, Watch, life_of, meets, window};
use crate::node::Node;

#[tokio::test(flavor = "multi_thread")]
async fn what_people_call_normal_is_counted_and_not_told_until_it_is_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let assets = Arc::new(FakeAssets::default());
    let mut watch = Watch::start(folder.path(), &assets).await;
    watch.feed(&life_of(1, 0..LEARNED + 60)).await;
    let visit = |place: i64| meets(window(1, place, 1.0), "203.0.113.40", 8_883);
    let before = watch.node.findings().await.len();
    watch.feed(&[visit(LEARNED + 60)]).await;
    let findings = watch.node.findings().await;
    assert_eq!(findings.len(), before + 1, "a new peer is told");
    let finding = findings.last().unwrap();
    assert!(watch.facts(FindingGrouped::KIND).await > 0, "and it is in a group");

    let path = format!("/api/v1/findings/{}/feedback", finding.id);
    assert_eq!(watch.node.call_as("POST", &path, false).await.0, StatusCode::FORBIDDEN);
    let wrong = json!({ "verdict": "normal", "reason": "x", "until": "2001-01-01T00:00:00Z" });
    assert_eq!(watch.send("POST", &path, wrong).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let word =
        json!({ "verdict": "normal", "reason": "the new broker", "until": "2199-01-01T00:00:00Z" });
    let (status, taken) = watch.send("POST", &path, word).await;
    assert_eq!(status, StatusCode::OK, "{taken}");
    println!("{taken}");

    // An hour later it comes again: counted, not told.
    watch.feed(&life_of(1, LEARNED + 61..LEARNED + 130)).await;
    watch.feed(&[visit(LEARNED + 130), visit(LEARNED + 131)]).await;
    assert_eq!(watch.node.findings().await.len(), before + 1);
    // Something else still is, also beside it.
    let other = meets(visit(LEARNED + 132), "203.0.113.41", 23);
    watch.feed(&[other]).await;
    assert_eq!(watch.node.findings().await.len(), before + 2);

    let (_, page) = watch.node.call("GET", "/api/v1/detection/suppressions").await;
    let all = page["items"].as_array().unwrap().clone();
    assert!(!all.is_empty() && all.iter().all(|one| one["active"] == true), "{page}");
    let (_, one) = watch.node.call("GET", &format!("/api/v1/findings/{}", finding.id)).await;
    assert_eq!(one["feedback"]["verdict"], "normal");
    for one in &all {
        let path = format!("/api/v1/detection/suppressions/{}", one["id"].as_str().unwrap());
        assert_eq!(watch.node.call_as("DELETE", &path, false).await.0, StatusCode::FORBIDDEN);
        assert_eq!(watch.node.call("DELETE", &path).await.0, StatusCode::NO_CONTENT);
        assert_eq!(watch.node.call("DELETE", &path).await.0, StatusCode::CONFLICT);
    }
    watch.feed(&life_of(1, LEARNED + 133..LEARNED + 260)).await;
    watch.feed(&[visit(LEARNED + 260)]).await;
    assert_eq!(watch.node.findings().await.len(), before + 3, "told again");
    let (_, page) = watch.node.call("GET", "/api/v1/detection/suppressions").await;
    assert_eq!(page["items"], json!([]));
    let (_, page) = watch.node.call("GET", "/api/v1/detection/suppressions?all=true").await;
    assert_eq!(page["items"].as_array().unwrap().len(), all.len(), "decisions are kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_metric_called_normal_is_covered_up_to_its_ceiling() {
    let folder = tempfile::tempdir().unwrap();
    let assets = Arc::new(FakeAssets::default());
    let mut watch = Watch::start(folder.path(), &assets).await;
    watch.feed(&life_of(1, 0..LEARNED + 60)).await;
    let device = watch.id().await;
    let body = json!({
        "device": device, "scope": { "metric": "bytes_out" }, "ceiling": 3.0, "reason": "updates",
    });
    let (status, one) = watch.send("POST", "/api/v1/detection/suppressions", body.clone()).await;
    assert_eq!(status, StatusCode::CREATED, "{one}");
    for wrong in [
        json!({ "metric": "no_such" }),
        json!({ "peer": "x" }),
        json!({ "port": 3 }),
        json!({ "whole_device": true, "metric": "bytes_out" }),
        json!({}),
    ] {
        let mut body = body.clone();
        body["scope"] = wrong;
        let (status, _) = watch.send("POST", "/api/v1/detection/suppressions", body).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let mut much = window(1, LEARNED + 60, 1.0);
    much.counts[analytics::metrics::Metric::BytesOut.index()] = 1 << 40;
    let before = watch.node.findings().await.len();
    watch.feed(&[much]).await;
    assert_eq!(watch.node.findings().await.len(), before + 1, "far more than was called normal");
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_listed_and_updates_do_not_crowd() {
    let folder = tempfile::tempdir().unwrap();
    let assets = Arc::new(FakeAssets::default());
    let mut watch = Watch::start(folder.path(), &assets).await;
    watch.feed(&life_of(1, 0..LEARNED + 60)).await;
    // Three visits, twenty minutes apart: three findings of one group.
    for visit in 0..3 {
        let place = LEARNED + 60 + visit * 121;
        watch.feed(&[meets(window(1, place, 1.0), "203.0.113.40", 8_883)]).await;
        watch.feed(&life_of(1, place + 1..place + 121)).await;
    }
    let (_, page) = watch.node.call("GET", "/api/v1/detection/groups").await;
    let mine: Vec<&Value> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|group| group["peer"] == "203.0.113.40")
        .collect();
    assert_eq!(mine.len(), 1, "{page}");
    assert_eq!(mine[0]["findings"], 3);
    assert_eq!(mine[0]["finding_ids"].as_array().unwrap().len(), 3);
    let raised = watch.facts(FindingRaised::KIND).await;
    let updated = watch.facts(model::event::FindingUpdated::KIND).await;
    assert!(updated <= raised, "{updated} updates of {raised} findings");
}

#[tokio::test(flavor = "multi_thread")]
async fn packets_are_cut_kept_and_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let assets = Arc::new(FakeAssets::default());
    let node = Node::start(folder.path(), &assets, Config::default()).await;
    for batch in crate::hakai::batches(&crate::hakai::windows()[..240], 1, 40) {
        node.detection.accept(batch).await.unwrap();
    }
    node.settle().await;
    let finding = node.findings().await.pop().unwrap();
    let file = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../data/captures/hakai-test.pcap.gz");
    let request = detection::SliceRequest {
        device: finding.device_address.parse().ok(),
        mac: None,
        peers: finding.evidence.iter().map(|party| party.peer.into()).collect(),
        from: finding.first_at,
        to: finding.last_at,
    };
    let capture = flate2::read::GzDecoder::new(std::fs::File::open(file).unwrap());
    let cut = detection::slice(capture, &request).unwrap();
    println!("{} packets, {} bytes, {} beyond", cut.packets, cut.pcap.len(), cut.beyond);
    assert!(cut.packets > 10 && cut.pcap.len() <= detection::MAX_SLICE_BYTES + 1_024);
    let kept = node.detection.attach_capture(finding.id, &cut.pcap, "a test").await.unwrap();
    assert_eq!(kept, cut.packets);
    let (_, one) = node.call("GET", &format!("/api/v1/findings/{}", finding.id)).await;
    assert_eq!(one["capture"]["packets"].as_u64(), Some(cut.packets));
    assert!(one["explanation"].as_str().unwrap().contains("Since 2018-07-31"), "{one}");
    let path = format!("/api/v1/findings/{}/capture", finding.id);
    assert_eq!(node.call("GET", &path).await.0, StatusCode::OK);
    for wrong in [b"no capture".to_vec(), vec![], vec![0; detection::MAX_SLICE_BYTES + 2_000]] {
        assert!(node.detection.attach_capture(finding.id, &wrong, "a test").await.is_err());
    }
}
