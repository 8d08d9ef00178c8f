//! From a running node to a restored folder.

use std::os::unix::fs::PermissionsExt;

use backup::{Config, Opening, Seal, Wanted, restore, verify};
use model::Timestamp;
use platform::blobs::Blobs;
use platform::data::DataFolder;

use crate::House;

const PASSPHRASE: &str = "seven lanterns by night";
const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

#[tokio::test]
async fn what_was_backed_up_comes_back_whole_without_keys() {
    let house = House::new(Config::default()).await;
    let file = house.make(Wanted { by: "ana".into(), ..Wanted::default() }).await;
    let checked = verify(&file, Opening::default()).await.unwrap();
    assert_eq!(checked.database, "ok");
    assert!(!checked.sealed && !checked.about.keys);
    let target = house.folder.path().join("restored");
    let restored = restore(&file, &target, Opening::default(), false, NOW).await.unwrap();
    assert_eq!((restored.keys, restored.former), ("none", None));
    let blobs = Blobs::new(&DataFolder::beside(&target));
    assert_eq!(blobs.get(&house.blob).await.unwrap().unwrap(), b"a lantern in the night");
    assert_eq!(std::fs::read_to_string(target.join("policies/own.cedar")).unwrap(), "// ours\n");
    assert!(!target.join("keys/node.ed25519").exists(), "keys leave only when asked for");
    assert!(!target.join("lock").exists() && !target.join("backups").exists());
    let opened = platform::testing::platform(&target, &[]).await.unwrap();
    opened.db.close().await;
}

#[tokio::test]
async fn keys_leave_only_sealed_and_open_only_by_the_passphrase() {
    let house = House::new(Config::default()).await;
    let refused = house.room.make(Wanted { keys: true, ..Wanted::default() }).await.unwrap_err();
    assert!(refused.to_string().contains("sealed"), "{refused}");
    let seal = Seal::of(Some(PASSPHRASE), &[]).unwrap();
    let file = house.make(Wanted { seal, keys: true, by: "ana".into() }).await;
    let bytes = std::fs::read(&file).unwrap();
    assert!(bytes.starts_with(b"age-encryption.org/v1"));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    for opening in [Opening::default(), Opening::of(Some("not the passphrase".into()), None)] {
        let refused = verify(&file, opening).await.unwrap_err();
        assert!(matches!(refused, backup::BackupError::Sealed(_)), "{refused}");
    }
    let target = house.folder.path().join("restored");
    let opening = Opening::of(Some(PASSPHRASE.into()), None);
    let restored = restore(&file, &target, opening, false, NOW).await.unwrap();
    assert_eq!(restored.keys, "backup");
    let key = target.join("keys/node.ed25519");
    assert_eq!(
        std::fs::read(&key).unwrap(),
        std::fs::read(house.data().join("keys/node.ed25519")).unwrap()
    );
    assert_eq!(std::fs::metadata(key).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_restore_in_place_keeps_the_former_folder_and_its_keys() {
    let house = House::new(Config::default()).await;
    let file = house.make(Wanted { by: "ana".into(), ..Wanted::default() }).await;
    let elsewhere = house.folder.path().join("kept.tar.gz");
    std::fs::copy(&file, &elsewhere).unwrap();
    let in_use =
        restore(&elsewhere, &house.data(), Opening::default(), true, NOW).await.unwrap_err();
    assert!(in_use.to_string().contains("in use"), "{in_use}");
    let data = house.data();
    let key = std::fs::read(data.join("keys/node.ed25519")).unwrap();
    let House { folder, platform, room, .. } = house;
    platform.db.close().await;
    drop((platform, room));
    let full = restore(&elsewhere, &data, Opening::default(), false, NOW).await.unwrap_err();
    assert!(full.to_string().contains("--replace"), "{full}");
    let restored = restore(&elsewhere, &data, Opening::default(), true, NOW).await.unwrap();
    assert_eq!(restored.keys, "former folder");
    assert_eq!(std::fs::read(data.join("keys/node.ed25519")).unwrap(), key);
    assert!(restored.former.unwrap().join("sereno.db").exists());
    drop(folder);
}

#[tokio::test]
async fn a_backup_is_of_one_moment_while_others_write() {
    let house = House::new(Config::default()).await;
    let db = house.platform.db.clone();
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let told = std::sync::Arc::clone(&stop);
    let writer = tokio::spawn(async move {
        let mut count = 0_u64;
        while !told.load(std::sync::atomic::Ordering::Relaxed) {
            let fact =
                model::event::BackupChanged { backup: "x".into(), detail: count.to_string() };
            let written: Result<(), platform::db::DbError> = db
                .write(move |tx| Box::pin(async move { tx.publish("test", &fact).await.map(drop) }))
                .await;
            written.unwrap();
            count += 1;
        }
        count
    });
    let mut last = 0;
    for round in 0..3_i64 {
        let file = house.make(Wanted { by: format!("round {round}"), ..Wanted::default() }).await;
        let target = house.folder.path().join(format!("restored-{round}"));
        restore(&file, &target, Opening::default(), false, NOW).await.unwrap();
        let facts = House::facts(&target).await;
        assert!(facts >= last, "a later backup has no fewer facts");
        last = facts;
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(writer.await.unwrap() > 0 && last > 0);
}

/// The program `age` of the distribution opens what we sealed: nobody needs us to get at their data.
#[tokio::test]
async fn age_itself_opens_what_was_sealed_for_a_recipient() {
    let there = std::process::Command::new("age-keygen").arg("--version").output().is_ok();
    if !there {
        eprintln!("skipped: the program age is not installed (apt install age)");
        return;
    }
    let house = House::new(Config::default()).await;
    let made = std::process::Command::new("age-keygen").output().unwrap();
    let identity = String::from_utf8(made.stdout).unwrap();
    let recipient = identity.lines().find_map(|line| line.strip_prefix("# public key: ")).unwrap();
    let seal = Seal::of(None, &[recipient.to_owned()]).unwrap();
    let file = house.make(Wanted { seal, keys: true, by: "ana".into() }).await;
    let key = house.folder.path().join("identity.txt");
    std::fs::write(&key, &identity).unwrap();
    let opened = house.folder.path().join("opened.tar.gz");
    let done = std::process::Command::new("age")
        .args(["-d", "-i"])
        .arg(&key)
        .arg("-o")
        .arg(&opened)
        .arg(&file)
        .status()
        .unwrap();
    assert!(done.success());
    let listed = std::process::Command::new("tar").arg("tzf").arg(&opened).output().unwrap();
    let names = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.status.success(), "tar finds nothing wrong");
    let first_and_last: Vec<_> = [names.lines().next(), names.lines().last()].into();
    assert_eq!(first_and_last, [Some("about.json"), Some("manifest.sig")]);
    assert!(names.contains("sereno.db\n") && names.contains("keys/node.ed25519\n"), "{names}");
    assert_eq!(verify(&file, Opening::of(None, Some(identity))).await.unwrap().database, "ok");
}
