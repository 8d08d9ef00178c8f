use accountability::{body_of, merkle, verify_folder, verify_proof};
use serde_json::json;

use crate::{close, entries, folder_with, open, publish};

fn hash(text: &str) -> merkle::Hash {
    hex::decode(text).unwrap().try_into().unwrap()
}

#[tokio::test]
async fn every_fact_has_one_entry_although_the_node_dies_again_and_again() {
    let folder = tempfile::tempdir().unwrap();
    for round in 1..=4 {
        let (platform, _log) = open(folder.path()).await;
        for n in 0..5 {
            publish(&platform, &format!("user {round}.{n}")).await;
        }
        // Stopped wherever the log happens to be; the rest is taken after the next start.
        platform.tasks.stop(std::time::Duration::from_secs(5)).await;
        platform.db.close().await;
    }
    let (platform, log) = open(folder.path()).await;
    entries(&log, 20).await;
    let report = log.verify().await.unwrap();
    assert!(report.verified, "{}", report.sentence());
    assert_eq!((report.entries, report.head.as_ref().unwrap().size), (20, 20));
    let mut sql = platform.db.read().await.unwrap();
    let facts = platform::db::read_facts(&mut sql, 0, &[], 100).await.unwrap();
    drop(sql);
    for (index, fact) in facts.iter().enumerate() {
        let proof = log.prove(index as u64, None).await.unwrap();
        assert_eq!(proof.entry.unwrap().body, body_of(fact));
    }
    close(platform).await;
    let offline = verify_folder(folder.path()).await.unwrap();
    assert_eq!(offline, report);
}

#[tokio::test]
async fn proofs_hold_at_every_size_and_between_all_sizes() {
    let folder = folder_with(11).await;
    let (platform, log) = open(folder.path()).await;
    let key = hex::encode(platform.signer.public_key());
    for size in 1..=11 {
        for index in 0..size {
            let proof = serde_json::to_value(log.prove(index, Some(size)).await.unwrap()).unwrap();
            let checked = verify_proof(&proof, Some(&key)).unwrap();
            assert!(checked.verified, "{index}/{size}: {}", checked.sentence);
        }
        for first in 1..=size {
            let proof = log.prove_consistency(first, Some(size)).await.unwrap();
            let path: Vec<_> = proof.path.iter().map(|text| hash(text)).collect();
            let (old, new) = (hash(&proof.first_head.root), hash(&proof.second_head.root));
            assert!(merkle::is_consistent(first, size, &old, &new, &path), "{first} in {size}");
        }
    }
    for (first, second) in [(0, 3), (4, 3), (1, 12)] {
        assert!(log.prove_consistency(first, Some(second)).await.is_err(), "{first} in {second}");
    }
    assert!(log.prove(11, None).await.is_err());
}

#[tokio::test]
async fn an_altered_proof_does_not_hold() {
    let folder = folder_with(6).await;
    let (platform, log) = open(folder.path()).await;
    let key = hex::encode(platform.signer.public_key());
    let proof = serde_json::to_value(log.prove(2, None).await.unwrap()).unwrap();
    let honest = verify_proof(&proof, Some(&key)).unwrap();
    assert!(honest.verified && honest.sentence.contains("user 2"), "{}", honest.sentence);
    assert!(verify_proof(&proof, None).unwrap().verified);

    let mut changes = vec![
        ("/index", json!(3)),
        ("/size", json!(7)),
        ("/leaf_hash", json!("00".repeat(32))),
        ("/leaf_hash", json!("short")),
        ("/path", json!([])),
        ("/root", json!("11".repeat(32))),
        ("/head/size", json!(7)),
        ("/head/root", json!("11".repeat(32))),
        ("/head/origin", json!("sereno/other")),
        ("/head/signed_at", json!("2020-01-01T00:00:00.000000Z")),
        ("/entry/salt", json!("00".repeat(32))),
        ("/entry/body", json!("{}")),
    ];
    changes.push(("/path/0", proof["path"][1].clone()));
    for (place, value) in changes {
        let mut altered = proof.clone();
        *altered.pointer_mut(place).unwrap() = value;
        let checked = verify_proof(&altered, Some(&key)).unwrap();
        assert!(!checked.verified, "{place} was altered unseen");
    }
    assert!(!verify_proof(&proof, Some(&"22".repeat(32))).unwrap().verified);
    assert!(verify_proof(&proof, Some("no key")).is_err());
    assert!(verify_proof(&json!({ "index": 1 }), None).is_err());
    let mut long = proof;
    long["path"] = json!(vec!["00".repeat(32); 65]);
    assert!(verify_proof(&long, None).is_err());
}

#[tokio::test]
async fn a_running_node_and_its_auditor_do_not_disturb_each_other() {
    let folder = folder_with(3).await;
    let (platform, log) = open(folder.path()).await;
    publish(&platform, "late").await;
    entries(&log, 4).await;
    let report = verify_folder(folder.path()).await.unwrap();
    assert!(report.verified && report.entries == 4, "{}", report.sentence());
    close(platform).await;
    let nowhere = verify_folder(&folder.path().join("nowhere")).await.unwrap_err();
    assert!(nowhere.to_string().contains("--data"), "{nowhere}");
}
