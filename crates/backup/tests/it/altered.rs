//! Whatever is done to a backup on the way, it is restored whole or not at all.

use std::io::{Read, Write};
use std::path::Path;

use backup::{BackupError, Config, Opening, Wanted, restore, verify};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use model::Timestamp;

use crate::House;

type Entry = (String, Vec<u8>, tar::EntryType);

fn entries(file: &Path) -> Vec<Entry> {
    let mut archive = tar::Archive::new(GzDecoder::new(std::fs::File::open(file).unwrap()));
    let read = |entry: std::io::Result<tar::Entry<'_, _>>| {
        let mut entry: tar::Entry<'_, GzDecoder<std::fs::File>> = entry.unwrap();
        let mut content = vec![];
        entry.read_to_end(&mut content).unwrap();
        (entry.path().unwrap().to_str().unwrap().to_owned(), content, tar::EntryType::Regular)
    };
    archive.entries().unwrap().map(read).collect()
}

/// Packs entries again, paths as they are, also such as no honest program writes.
fn pack(entries: &[Entry], to: &Path) {
    let mut tar =
        tar::Builder::new(GzEncoder::new(std::fs::File::create(to).unwrap(), Compression::fast()));
    for (path, content, kind) in entries {
        let mut header = tar::Header::new_gnu();
        header.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o777);
        header.set_cksum();
        tar.append(&header, &content[..]).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap().flush().unwrap();
}

/// Neither read as sound nor restored, and nothing of it is left beside the target.
async fn refused(house: &House, file: &Path, why: &str) {
    let said = verify(file, Opening::default()).await.unwrap_err();
    assert!(said.to_string().contains(why), "'{said}' does not say '{why}'");
    let target = house.folder.path().join("restored");
    restore(file, &target, Opening::default(), false, Timestamp::from_secs(1)).await.unwrap_err();
    let left: Vec<_> = std::fs::read_dir(house.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("restored"))
        .collect();
    assert_eq!(left, Vec::<String>::new(), "nothing may be left of a refused restore");
}

#[tokio::test]
async fn what_was_altered_is_named() {
    let house = House::new(Config::default()).await;
    let file = house.make(Wanted::default()).await;
    let honest = entries(&file);
    let bad = house.folder.path().join("bad.tar.gz");
    let at = |name: &str| honest.iter().position(|(path, ..)| path == name).unwrap();
    let with = |change: &dyn Fn(&mut Vec<Entry>)| {
        let mut all = honest.clone();
        change(&mut all);
        pack(&all, &bad);
    };
    pack(&honest, &bad);
    assert_eq!(
        verify(&bad, Opening::default()).await.unwrap().database,
        "ok",
        "the test packs honestly"
    );

    with(&|all| *all[at("sereno.db")].1.last_mut().unwrap() ^= 1);
    refused(&house, &bad, "'sereno.db' is not what was written").await;
    with(&|all| {
        all.remove(at("policies/own.cedar"));
    });
    refused(&house, &bad, "stands where the manifest has 'policies/own.cedar'").await;
    with(&|all| all.truncate(at("manifest.json")));
    refused(&house, &bad, "cut off").await;
    with(&|all| {
        all.pop();
    });
    refused(&house, &bad, "the signature is missing").await;
    with(&|all| all.last_mut().unwrap().1[0] ^= 1);
    refused(&house, &bad, "signature").await;
    with(&|all| all.push(("late".into(), vec![1], tar::EntryType::Regular)));
    refused(&house, &bad, "behind the signature").await;
    with(&|all| all.insert(2, all[1].clone()));
    refused(&house, &bad, "twice").await;
    with(&|all| {
        all.remove(0);
    });
    refused(&house, &bad, "no backup of a node").await;
    for path in ["../evil", "/etc/evil", "policies/../../evil"] {
        with(&|all| all[at("policies/own.cedar")].0 = path.into());
        refused(&house, &bad, "no path that a backup may hold").await;
    }
    with(&|all| all[at("policies/own.cedar")].2 = tar::EntryType::Symlink);
    refused(&house, &bad, "no plain file").await;
    with(&|all| all[at("policies/own.cedar")].0 = "keys/node.ed25519".into());
    refused(&house, &bad, "says it has no keys").await;
    with(&|all| all[at("policies/own.cedar")].1 = vec![0; 8 << 20]);
    refused(&house, &bad, "more than the backup says").await;
}

#[tokio::test]
async fn every_cut_and_every_flipped_byte_is_seen() {
    let house = House::new(Config::default()).await;
    let file = house.make(Wanted::default()).await;
    let whole = std::fs::read(&file).unwrap();
    let bad = house.folder.path().join("bad.tar.gz");
    for part in 0..16 {
        std::fs::write(&bad, &whole[..whole.len() * part / 16]).unwrap();
        let said = verify(&bad, Opening::default()).await.unwrap_err();
        assert!(matches!(said, BackupError::Damaged(_)), "{part}/16: {said}");
    }
    // Behind the signature stands nothing but the end of the packing, which carries nothing.
    std::fs::write(&bad, &whole[..whole.len() - 64]).unwrap();
    verify(&bad, Opening::default()).await.unwrap_err();
    // The ten bytes of the packing's own header say nothing about the content.
    for at in (10..whole.len()).step_by(whole.len() / 64) {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x40;
        std::fs::write(&bad, &flipped).unwrap();
        // A packing can say the same in two ways: then nothing was changed.
        if let Ok(said) = verify(&bad, Opening::default()).await {
            assert_eq!(entries(&bad), entries(&file), "byte {at} was flipped: {said:?}");
        }
    }
    std::fs::write(&bad, b"hello").unwrap();
    verify(&bad, Opening::default()).await.unwrap_err();
}
