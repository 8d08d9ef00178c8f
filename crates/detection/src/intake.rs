//! From a batch on the wire to windows per device.

use std::collections::BTreeMap;
use std::net::IpAddr;

use analytics::guard::flood::{MAX_WINDOWS_PER_DEVICE, is_sampled};
use analytics::host::Host;
use analytics::record::WindowRecord;
use model::{Device, DeviceId, DeviceRole, Timestamp};
use ports::{AddressSighting, AssetDirectory, WindowBatch};
use serde_json::Value;

use crate::error::DetectionError;
use crate::machines::intake::Reports;

/// Windows a batch may hold.
pub const MAX_BATCH_WINDOWS: usize = 10_000;

/// A batch that was read.
#[derive(Debug)]
pub(crate) struct Intake {
    pub(crate) edge: String,
    pub(crate) epoch: i64,
    pub(crate) seq: i64,
    pub(crate) complete_to: Timestamp,
    pub(crate) records: Vec<WindowRecord>,
    /// Records that could not be read; the rest of the batch is used.
    pub(crate) refused: i64,
    /// What machines were asked.
    pub(crate) reports: Reports,
}

impl Intake {
    /// Reads a batch. A record that cannot be read does not hold up the others: an edge would send
    /// the batch again for ever. It is counted and logged.
    pub(crate) fn read(batch: WindowBatch) -> Result<Self, DetectionError> {
        let wrong = |what: &str| {
            DetectionError::Batch(format!(
                "batch {}/{} of {}: {what}",
                batch.epoch, batch.seq, batch.edge
            ))
        };
        let number = |n: u64| i64::try_from(n).map_err(|_| wrong("its number is beyond 2^63"));
        let (epoch, seq) = (number(batch.epoch)?, number(batch.seq)?);
        let Value::Array(values) = &batch.records else {
            return Err(wrong("its records are no JSON array"));
        };
        if values.len() > MAX_BATCH_WINDOWS {
            let count = values.len();
            return Err(wrong(&format!(
                "{count} windows, the limit is {MAX_BATCH_WINDOWS}; send smaller batches"
            )));
        }
        let mut records = Vec::with_capacity(values.len());
        let mut refused = 0;
        for value in values {
            match serde::Deserialize::deserialize(value) {
                Ok(record) => records.push(record),
                Err(cause) => {
                    // One word a batch: an edge of another version sends nothing else.
                    if refused == 0 {
                        tracing::warn!(edge = batch.edge, %cause, "window records were refused");
                    }
                    refused += 1;
                }
            }
        }
        let reports = Reports::read(&batch.operations);
        let (edge, complete_to) = (batch.edge, batch.complete_to);
        Ok(Self { edge, epoch, seq, complete_to, records, refused, reports })
    }

    /// The windows by protected device, in the order of time, and how many belong to none. Sources
    /// that are not admitted, and windows beyond a device's share, are counted.
    pub(crate) async fn by_device(
        self,
        assets: &dyn AssetDirectory,
        mut admits: impl FnMut((Option<Host>, Host), i64) -> bool + Send,
    ) -> Result<Sorted, DetectionError> {
        let mut groups: BTreeMap<(Option<Host>, Host), Vec<WindowRecord>> = BTreeMap::new();
        for record in self.records {
            groups.entry((record.mac, record.device)).or_default().push(record);
        }
        let mut devices: BTreeMap<DeviceId, DeviceWindows> = BTreeMap::new();
        let (mut unwatched, mut turned_away) = (0, 0);
        for ((mac, host), mut records) in groups {
            let last_us = records.iter().map(|record| record.end_us).max().unwrap_or_default();
            if !admits((mac, host), last_us) {
                turned_away += records.len() as u64;
                continue;
            }
            turned_away += sample(&mut records);
            let sighting = AddressSighting {
                sensor: self.edge.clone(),
                mac: mac.or(host.as_mac().map(|_| host)).map(|mac| mac.to_string()),
                address: host.ip(),
                seen_at: Timestamp::from_micros(last_us),
            };
            let device = assets.identify(&sighting).await?;
            if device.role != DeviceRole::Protected {
                unwatched += records.len() as u64;
                continue;
            }
            let address = address_in_words(host.ip(), &device);
            devices
                .entry(device.id)
                .or_insert_with(|| DeviceWindows { device, address, records: vec![] })
                .records
                .extend(records);
        }
        for windows in devices.values_mut() {
            windows.put_in_order();
        }
        Ok(Sorted { devices: devices.into_values().collect(), unwatched, turned_away })
    }
}

/// The address a person knows the device by: the one on the wire, else the inventory's newest.
fn address_in_words(seen: Option<IpAddr>, device: &Device) -> String {
    seen.or_else(|| device.addresses.first().copied())
        .map(|address| address.to_string())
        .or_else(|| device.mac.clone())
        .unwrap_or_default()
}

/// A batch, sorted.
#[derive(Debug)]
pub(crate) struct Sorted {
    pub(crate) devices: Vec<DeviceWindows>,
    /// Windows of nobody who is watched.
    pub(crate) unwatched: u64,
    /// Windows that were not taken, because there were too many.
    pub(crate) turned_away: u64,
}

/// Leaves an even sample of the windows of one source that exceed its share; says how many went.
fn sample(records: &mut Vec<WindowRecord>) -> u64 {
    let total = records.len();
    if total <= MAX_WINDOWS_PER_DEVICE {
        return 0;
    }
    let mut place = 0;
    records.retain(|_| {
        place += 1;
        is_sampled(place - 1, total, MAX_WINDOWS_PER_DEVICE)
    });
    (total - records.len()) as u64
}

/// One device's part of a batch.
#[derive(Debug)]
pub(crate) struct DeviceWindows {
    pub(crate) device: Device,
    pub(crate) address: String,
    pub(crate) records: Vec<WindowRecord>,
}

impl DeviceWindows {
    /// By time; a device with several addresses has one window of each, which become one.
    fn put_in_order(&mut self) {
        self.records.sort_by_key(|record| (record.start_us, record.end_us, record.device));
        let mut merged: Vec<WindowRecord> = Vec::with_capacity(self.records.len());
        for record in self.records.drain(..) {
            match merged.last_mut() {
                Some(last) if (last.start_us, last.end_us) == (record.start_us, record.end_us) => {
                    last.merge(&record);
                }
                _ => merged.push(record),
            }
        }
        self.records = merged;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use analytics::metrics::{COUNTS, Metric};
    use analytics::pace::Pace;
    use analytics::record::{KeyCount, RECORD_VERSION};
    use ports::fake::FakeAssets;
    use proptest::prelude::*;

    use super::*;

    fn record(last: u8, start_s: i64, packets: u64, size: u64) -> WindowRecord {
        let mut counts = [0; COUNTS];
        counts[Metric::PacketsOut.index()] = packets;
        counts[Metric::MeanSizeOut.index()] = size;
        WindowRecord {
            version: RECORD_VERSION,
            device: Host::v4([192, 168, 0, last].into()),
            mac: Some(Host::mac([2, 0, 0, 0, 0, 7])),
            start_us: start_s * 1_000_000,
            end_us: (start_s + 10) * 1_000_000,
            counts,
            keys: vec![KeyCount::new(Host::v4([192, 0, 2, 1].into()), 6, 80, 2)],
            overflow_packets: 0,
            pace: Pace::default(),
            talk: None,
        }
    }

    fn batch(records: Value) -> WindowBatch {
        WindowBatch {
            edge: "gw".into(),
            epoch: 1,
            seq: 1,
            complete_to: Timestamp::from_secs(100),
            records,
            devices: serde_json::Value::Null,
            operations: serde_json::Value::Null,
        }
    }

    #[tokio::test]
    async fn two_addresses_of_a_device_make_one_window() {
        let records = vec![record(8, 20, 4, 100), record(7, 10, 1, 50), record(7, 20, 1, 50)];
        let intake = Intake::read(batch(serde_json::to_value(&records).unwrap())).unwrap();
        let sorted = intake.by_device(&FakeAssets::default(), |_, _| true).await.unwrap();
        assert_eq!((sorted.devices.len(), sorted.unwatched, sorted.turned_away), (1, 0, 0));
        let windows = &sorted.devices[0].records;
        assert_eq!(
            windows.iter().map(|w| w.start_us).collect::<Vec<_>>(),
            [10_000_000, 20_000_000]
        );
        assert_eq!(windows[1].count(Metric::PacketsOut), 5);
        assert_eq!(windows[1].count(Metric::MeanSizeOut), 90);
        assert_eq!(windows[1].keys.len(), 1);
        assert_eq!(windows[1].keys[0].packets, 4);
    }

    #[test]
    fn one_bad_record_does_not_hold_up_the_rest() {
        let good = serde_json::to_value(record(7, 10, 1, 50)).unwrap();
        let intake =
            Intake::read(batch(Value::Array(vec![good, Value::Null, "x".into()]))).unwrap();
        assert_eq!((intake.records.len(), intake.refused), (1, 2));
        let error = Intake::read(batch(Value::Null)).unwrap_err().to_string();
        assert!(error.contains("gw") && error.contains("1/1"), "{error}");
        let many = Value::Array(vec![Value::Null; MAX_BATCH_WINDOWS + 1]);
        assert!(Intake::read(batch(many)).unwrap_err().to_string().contains("limit"));
    }

    proptest! {
        #[test]
        fn any_json_is_a_batch_or_an_error(text in "[\\[\\]{}\",:0-9a-z]{0,60}") {
            if let Ok(value) = serde_json::from_str::<Value>(&text) {
                let _ = Intake::read(batch(value));
            }
        }
    }
}
