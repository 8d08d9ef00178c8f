//! Identity by evidence.

use assets::{Assets, Config, MIGRATIONS};
use model::event::{DeviceSeen, Payload};
use model::{DeviceRole, Timestamp};
use platform::Platform;
use platform::db::read_facts;
use ports::{AddressSighting, AssetDirectory, PortError};
use proptest::prelude::*;

use crate::{MAC, open, seen};

async fn devices_seen(platform: &Platform) -> usize {
    let mut connection = platform.db.read().await.unwrap();
    read_facts(&mut connection, 0, &[DeviceSeen::KIND], 1_000).await.unwrap().len()
}

async fn evidence(platform: &Platform) -> Vec<(String, Option<i64>)> {
    let mut connection = platform.db.read().await.unwrap();
    sqlx::query_as(
        "SELECT value, valid_to FROM assets_evidence WHERE kind = 'ip' ORDER BY valid_from",
    )
    .fetch_all(&mut *connection)
    .await
    .unwrap()
}

#[tokio::test]
async fn a_device_keeps_its_id_when_its_address_changes_and_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let id = {
        let (platform, assets) = open(folder.path()).await;
        let first = assets.identify(&seen(Some(MAC), "192.168.1.5", 0)).await.unwrap();
        let moved = assets.identify(&seen(Some(MAC), "192.168.1.9", 10)).await.unwrap();
        assert_eq!(first.id, moved.id);
        assert_eq!(moved.name, MAC);
        assert_eq!(moved.addresses[0].to_string(), "192.168.1.9");
        assert_eq!(devices_seen(&platform).await, 1);
        platform.db.close().await;
        first.id
    };
    let (platform, assets) = open(folder.path()).await;
    let again = assets.identify(&seen(Some(MAC), "192.168.1.9", 20)).await.unwrap();
    assert_eq!(again.id, id);
    assert_eq!(devices_seen(&platform).await, 1, "known devices are not announced again");
}

#[tokio::test]
async fn an_address_that_moves_to_another_device_leaves_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let (platform, assets) = open(folder.path()).await;
    let one = assets.identify(&seen(Some(MAC), "192.168.1.5", 0)).await.unwrap();
    let other = "02:00:00:00:00:02";
    let two = assets.identify(&seen(Some(other), "192.168.1.5", 60)).await.unwrap();
    assert_ne!(one.id, two.id);
    assert!(assets.device(one.id).await.unwrap().unwrap().addresses.is_empty());
    let rows = evidence(&platform).await;
    assert_eq!(rows.len(), 2);
    assert!(rows[0].1.is_some() && rows[1].1.is_none(), "{rows:?}");
    // Without a MAC address the address leads to who holds it now.
    let by_address = assets.identify(&seen(None, "192.168.1.5", 70)).await.unwrap();
    assert_eq!(by_address.id, two.id);
    // The first comes back: it takes the address again.
    let back = assets.identify(&seen(Some(MAC), "192.168.1.5", 80)).await.unwrap();
    assert_eq!((back.id, back.addresses.len()), (one.id, 1));
    assert!(assets.device(two.id).await.unwrap().unwrap().addresses.is_empty());
}

#[tokio::test]
async fn a_mac_address_joins_the_device_known_by_address_only() {
    let folder = tempfile::tempdir().unwrap();
    let (_platform, assets) = open(folder.path()).await;
    let nameless = assets.identify(&seen(None, "192.168.1.5", 0)).await.unwrap();
    assert_eq!(nameless.name, "192.168.1.5");
    let named = assets.identify(&seen(Some(MAC), "192.168.1.5", 5)).await.unwrap();
    assert_eq!(named.id, nameless.id);
    assert_eq!((named.mac.as_deref(), named.name.as_str()), (Some(MAC), MAC));
}

#[tokio::test]
async fn a_mac_address_made_up_is_a_device_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let (_platform, assets) = open(folder.path()).await;
    let nameless = assets.identify(&seen(None, "192.168.1.5", 0)).await.unwrap();
    let one = assets.identify(&seen(Some("da:00:00:00:00:01"), "192.168.1.5", 5)).await.unwrap();
    let two = assets.identify(&seen(Some("da:00:00:00:00:02"), "192.168.1.5", 9)).await.unwrap();
    assert_eq!(nameless.mac, None);
    assert!(one.id != nameless.id && two.id != nameless.id && one.id != two.id);
}

#[tokio::test]
async fn two_devices_that_swap_their_addresses_stay_who_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let (_platform, assets) = open(folder.path()).await;
    let other = "b8:27:eb:00:00:02";
    let one = assets.identify(&seen(Some(MAC), "192.168.1.5", 0)).await.unwrap();
    let two = assets.identify(&seen(Some(other), "192.168.1.6", 0)).await.unwrap();
    for at in [10, 20, 30] {
        let (a, b) = if at == 20 { (5, 6) } else { (6, 5) };
        let first = seen(Some(MAC), &format!("192.168.1.{a}"), at);
        let second = seen(Some(other), &format!("192.168.1.{b}"), at);
        assert_eq!(assets.identify(&first).await.unwrap().id, one.id);
        assert_eq!(assets.identify(&second).await.unwrap().id, two.id);
        for (id, last) in [(one.id, a), (two.id, b)] {
            let holds = assets.device(id).await.unwrap().unwrap().addresses;
            assert_eq!(holds, [format!("192.168.1.{last}").parse::<std::net::IpAddr>().unwrap()]);
        }
    }
}

#[tokio::test]
async fn nothing_new_costs_no_write_and_last_seen_is_still_right() {
    let folder = tempfile::tempdir().unwrap();
    let (platform, assets) = open(folder.path()).await;
    let device = assets.identify(&seen(Some(MAC), "192.168.1.5", 0)).await.unwrap();
    // A database that refuses every write shows that none is tried.
    platform.db.close().await;
    for second in 1..60 {
        let known = assets.identify(&seen(Some(MAC), "192.168.1.5", second)).await.unwrap();
        assert_eq!(known.id, device.id);
        assert_eq!(known.last_seen, Timestamp::from_secs(1_533_042_911 + second));
    }
    let unknown = assets.identify(&seen(Some("02:00:00:00:00:03"), "192.168.1.6", 1)).await;
    assert!(matches!(unknown, Err(PortError::Unavailable(_))), "{unknown:?}");
}

#[tokio::test]
async fn only_protected_devices_are_announced_and_the_inventory_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let platform = platform::testing::platform(folder.path(), &[MIGRATIONS]).await.unwrap();
    let config = Config { protected_macs: vec![MAC.to_uppercase()], max_devices: 2 };
    let assets = Assets::new(platform.clone(), config).unwrap();
    let own = assets.identify(&seen(Some(MAC), "192.168.1.5", 0)).await.unwrap();
    let other = assets.identify(&seen(Some("02:00:00:00:00:02"), "192.168.1.6", 0)).await.unwrap();
    assert_eq!((own.role, other.role), (DeviceRole::Protected, DeviceRole::Unknown));
    assert_eq!(devices_seen(&platform).await, 1);
    let full = assets.identify(&seen(Some("02:00:00:00:00:03"), "192.168.1.7", 0)).await;
    let Err(PortError::Unavailable(why)) = full else { panic!("{full:?}") };
    assert!(why.contains("max_devices"), "{why}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// However sightings come, restarts included: one id per MAC address, and an address is held by
    /// at most one device.
    #[test]
    fn one_id_per_mac_and_one_holder_per_address(
        steps in proptest::collection::vec((0u8..4, 0u8..4, 0i64..200, proptest::bool::weighted(0.1)), 1..40)
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async move {
            let folder = tempfile::tempdir().unwrap();
            let (mut platform, mut assets) = open(folder.path()).await;
            let mut ids = std::collections::HashMap::new();
            for (mac, address, at, restart) in steps {
                if restart {
                    platform.db.close().await;
                    drop((platform, assets));
                    (platform, assets) = open(folder.path()).await;
                }
                let sighting = AddressSighting {
                    sensor: "gw".into(),
                    mac: Some(format!("02:00:00:00:00:0{mac}")),
                    ..seen(None, &format!("10.0.0.{}", address + 1), at)
                };
                let device = assets.identify(&sighting).await.unwrap();
                assert!(device.addresses.contains(&sighting.address.unwrap()));
                assert_eq!(*ids.entry(mac).or_insert(device.id), device.id);
            }
            let mut connection = platform.db.read().await.unwrap();
            let (held, distinct): (i64, i64) = sqlx::query_as(
                "SELECT COUNT(*), COUNT(DISTINCT value) FROM assets_evidence WHERE kind = 'ip' AND valid_to IS NULL",
            ).fetch_one(&mut *connection).await.unwrap();
            assert_eq!(held, distinct);
        });
    }
}
