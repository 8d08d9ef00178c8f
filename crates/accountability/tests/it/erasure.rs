use accountability::{verify_folder, verify_proof};

use crate::{close, entries, folder_with, open};

#[tokio::test]
async fn an_erased_entry_says_nothing_more_and_every_proof_still_holds() {
    let folder = folder_with(7).await;
    let (platform, log) = open(folder.path()).await;
    let before = log.prove(3, Some(7)).await.unwrap();
    log.erase(3, "ana", "request under article 17 GDPR").await.unwrap();
    log.erase(3, "ana", "asked twice").await.unwrap();
    entries(&log, 8).await;

    let after = log.prove(3, Some(7)).await.unwrap();
    assert_eq!(after.entry, None);
    assert_eq!((&after.leaf_hash, &after.path), (&before.leaf_hash, &before.path));
    let checked = verify_proof(&serde_json::to_value(&after).unwrap(), None).unwrap();
    assert!(checked.verified && checked.sentence.contains("erased"), "{}", checked.sentence);
    let report = log.verify().await.unwrap();
    assert!(report.verified, "{}", report.sentence());
    assert_eq!((report.entries, report.erased), (8, 1));

    let refused = log.erase(7, "ana", "no trace").await.unwrap_err().to_string();
    assert!(refused.contains("accounts for an erasure"), "{refused}");
    assert!(log.erase(99, "ana", "nothing there").await.is_err());

    let mut sql = platform.db.read().await.unwrap();
    let facts = platform::db::read_facts(&mut sql, 0, &[], 100).await.unwrap();
    drop(sql);
    assert!(!serde_json::to_string(&facts[3]).unwrap().contains("user 3"));
    assert!(facts[7].sentence.contains("Entry 3 was erased"), "{}", facts[7].sentence);
    close(platform).await;
    assert!(verify_folder(folder.path()).await.unwrap().verified);
}
