//! The network on small graphs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use crate::metrics::COUNTS;
use crate::pace::Pace;
use crate::record::{KeyCount, RECORD_VERSION};

fn host(last: u8) -> Host {
    Host::v4([10, 0, 0, last].into())
}

fn record(device: u8, peers: &[(u8, u32)]) -> WindowRecord {
    let key = |(last, packets): &(u8, u32)| KeyCount::new(host(*last), 6, 443, *packets);
    WindowRecord {
        version: RECORD_VERSION,
        device: host(device),
        mac: None,
        start_us: 0,
        end_us: 10_000_000,
        counts: [1; COUNTS],
        keys: peers.iter().map(key).collect(),
        overflow_packets: 0,
        pace: Pace::default(),
        talk: None,
    }
}

/// Everyone knows the cloud (200) and the hub (1).
fn known() -> KnownKeys {
    let mut known = KnownKeys::default();
    known.learn(&record(0, &[(200, 1), (1, 1)]));
    known
}

fn judge(records: &[(WindowRecord, f64)]) -> Vec<f64> {
    let known = known();
    let seen: Vec<Seen<'_>> = records
        .iter()
        .map(|(record, evidence)| Seen { record, evidence: *evidence, known: Some(&known) })
        .collect();
    associate(&seen).iter().map(|judged| judged.association).collect()
}

/// Three devices with evidence just below the limit turn to the same unknown host; a fourth with
/// the same evidence to one of its own; two are quiet.
fn outbreak() -> Vec<(WindowRecord, f64)> {
    vec![
        (record(2, &[(200, 50), (250, 4)]), 0.8),
        (record(3, &[(200, 90), (250, 4)]), 0.8),
        (record(4, &[(200, 10), (250, 4)]), 0.8),
        (record(5, &[(200, 50), (251, 4)]), 0.8),
        (record(6, &[(200, 50), (1, 9)]), 0.2),
        (record(1, &[(6, 9), (200, 5)]), 0.3),
    ]
}

#[test]
fn the_compromised_set_is_found_together() {
    let benign: Vec<Vec<(WindowRecord, f64)>> = (0..60)
        .map(|turn| {
            let mut window = outbreak();
            for (place, (record, evidence)) in window.iter_mut().enumerate() {
                record.start_us = i64::from(turn) * 10_000_000;
                record.keys.retain(|key| key.peer == host(200) || key.peer == host(1));
                *evidence = f64::from((turn * 7 + place as i32 * 5) % 19) / 20.0;
            }
            window
        })
        .collect();
    let flat: Vec<(WindowRecord, f64)> = benign.into_iter().flatten().collect();
    let devices: Vec<Vec<&(WindowRecord, f64)>> = (1..7)
        .map(|last| flat.iter().filter(|(record, _)| record.device == host(last)).collect())
        .collect();
    let records: Vec<Vec<&WindowRecord>> =
        devices.iter().map(|windows| windows.iter().map(|(record, _)| record).collect()).collect();
    let evidence: Vec<Vec<f64>> = devices
        .iter()
        .map(|windows| windows.iter().map(|(_, evidence)| *evidence).collect())
        .collect();
    let pupils: Vec<Pupil<'_>> = records
        .iter()
        .zip(&evidence)
        .map(|(records, evidence)| Pupil { records, evidence })
        .collect();
    let model = Arnn::train(&pupils, 0.005).unwrap();
    let known = known();
    let outbreak = outbreak();
    let seen: Vec<Seen<'_>> = outbreak
        .iter()
        .map(|(record, evidence)| Seen { record, evidence: *evidence, known: Some(&known) })
        .collect();
    let judged = model.judge(&seen);
    let alerts: Vec<bool> = judged.iter().map(|(_, score)| *score > 1.0).collect();
    assert_eq!(alerts, [true, true, true, false, false, false], "{judged:?} {model:?}");
    assert_eq!(judged[0].0.through, Some(host(250)));
    assert_eq!(judged[3].0.through, None);
}

#[test]
fn alone_the_evidence_decides() {
    let mut last = 0.0;
    for evidence in [0.0, 0.1, 0.5, 1.0, 2.0, 50.0, f64::INFINITY] {
        let now = judge(&[(record(2, &[(200, 3)]), evidence)])[0];
        assert!(now >= last && now <= 1.0, "{evidence}: {now}");
        last = now;
    }
    let even = judge(&[(record(2, &[]), 1.0)])[0];
    assert!((even - 0.5).abs() < 1e-6, "{even}");
    assert!(associate(&[]).is_empty());
}

#[test]
fn suspicion_spreads_over_unusual_ties_only() {
    let with = |evidence: f64, peer: u8| {
        judge(&[(record(2, &[(peer, 9)]), evidence), (record(3, &[(peer, 9)]), 0.5)])[1]
    };
    assert!(with(5.0, 250) > with(0.1, 250) + 0.05);
    assert!(with(5.0, 200) - with(0.1, 200) < 0.1);
    // A device that attacks another directly.
    let direct =
        |evidence: f64| judge(&[(record(2, &[(3, 9)]), evidence), (record(3, &[(2, 9)]), 0.5)])[1];
    assert!(direct(5.0) > direct(0.1) + 0.05);
}

#[test]
fn stored_form_round_trips_and_refuses_damage() {
    let model = Arnn { version: VERSION, devices: BTreeMap::from([(host(1), 2.0)]), pooled: 0.5 };
    assert_eq!(Arnn::open(&model.stored()).unwrap(), model);
    for damaged in [r#"{"version":2,"threshold":0.5}"#, r#"{"version":1,"threshold":0}"#, "{}"] {
        assert!(Arnn::open(&serde_json::from_str(damaged).unwrap()).is_err());
    }
    assert!(Arnn::train(&[], 0.01).is_none());
}
