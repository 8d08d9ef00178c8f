//! Model files of a build that knew fewer metrics.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use analytics::detector::Detector;
use analytics::host::Host;
use analytics::metrics::{METRICS, Metric};
use analytics::model_file::ModelFile;
use analytics::policy::DevicePolicy;
use analytics::record::WindowRecord;
use analytics::train::{TrainOptions, train};
use analytics::windows::{Class, DEFAULT_WINDOW_US, Segment};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::support::Cut;

/// Metrics of the build before.
const KNOWN_BEFORE: usize = 33;

/// An hour of one device that talks to two servers.
fn hour() -> Vec<WindowRecord> {
    let mut cut = Cut::new(DEFAULT_WINDOW_US);
    for turn in 0..3_600_i64 {
        let segment = Segment {
            src: Some(Host::v4([192, 168, 1, 9].into())),
            dst: Some(Host::v4([203, 0, 113, (turn % 7 / 5) as u8].into())),
            class: Class::Tcp,
            protocol: 6,
            src_port: 40_000,
            dst_port: 443,
            tcp_flags: 16,
            ..Segment::frame(80 + (turn * turn % 700) as u32)
        };
        cut.segment(turn * 1_000_000_000, &segment);
    }
    cut.finish()
}

/// The file with another body and a header that fits it.
fn with_body(bytes: &[u8], edit: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let [mut head, mut body] = [(); 2]
        .map(|()| serde_json::from_slice::<serde_json::Value>(lines.next().unwrap()).unwrap());
    edit(&mut body);
    let body = serde_json::to_vec(&body).unwrap();
    head["bytes"] = body.len().into();
    head["sha256"] =
        Sha256::digest(&body).iter().map(|byte| format!("{byte:02x}")).collect::<String>().into();
    [serde_json::to_vec(&head).unwrap(), body].join(&b'\n')
}

/// Leaves a stored network the rows of the metrics known before.
fn shorten(network: &mut serde_json::Value) {
    for name in ["sides", "input", "output", "bias"] {
        let bytes = STANDARD.decode(network[name].as_str().unwrap()).unwrap();
        let kept = bytes.len() / METRICS * KNOWN_BEFORE;
        network[name] = STANDARD.encode(&bytes[..kept]).into();
    }
    // What the most of training was, no network told.
    network.as_object_mut().unwrap().remove("most");
}

#[test]
fn a_model_that_judges_none_of_the_new_metrics_is_read_and_judges_the_same() {
    let records = hour();
    let options = TrainOptions::default();
    let mut trained = train(&records, &options, |_| {}).unwrap();
    for model in trained.devices.iter_mut().chain(&mut trained.pooled) {
        // As it was made before: neither range nor network knows them.
        model.metrics.retain(|metric| metric.metric.index() < KNOWN_BEFORE);
    }
    let file = ModelFile::new(trained, &options, DEFAULT_WINDOW_US, DevicePolicy::Local);
    let bytes = file.to_bytes().unwrap();
    let before = with_body(&bytes, |body| {
        body["features"].as_array_mut().unwrap().truncate(KNOWN_BEFORE);
        let mut networks = 0;
        for place in ["/devices/0/network", "/pooled/network"] {
            let Some(network) = body.pointer_mut(place).filter(|network| network.is_object())
            else {
                continue;
            };
            shorten(network);
            networks += 1;
        }
        assert!(networks > 0, "an hour is enough for a network");
    });
    let read = ModelFile::from_bytes(&before).unwrap();
    assert_eq!(read.features.len(), KNOWN_BEFORE);
    let (mut now, mut then) = (Detector::new(file), Detector::new(read));
    for record in &records {
        assert_eq!(now.judge(record), then.judge(record));
    }
}

#[test]
fn a_file_that_judges_what_models_do_not_is_refused() {
    let options = TrainOptions::default();
    let trained = train(&hour(), &options, |_| {}).unwrap();
    let bytes = ModelFile::new(trained, &options, DEFAULT_WINDOW_US, DevicePolicy::Local)
        .to_bytes()
        .unwrap();
    let told = analytics::metrics::ALL[METRICS];
    let refused = |name: &str| {
        let foreign =
            with_body(&bytes, |body| body["devices"][0]["metrics"][0]["metric"] = name.into());
        ModelFile::from_bytes(&foreign).unwrap_err().to_string()
    };
    assert!(refused(told.name()).contains("none of its metrics"), "{}", refused(told.name()));
    assert!(refused("no_such_metric").contains("damaged"));
    assert!(ModelFile::from_bytes(&with_body(&bytes, |_| {})).is_ok(), "{}", Metric::Peers.name());
}
