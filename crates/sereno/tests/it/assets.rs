//! `sereno assets` on captures: dated evidence, and names that cannot deceive a terminal.

use crate::programs::{json, output, sereno};

/// A capture with one DHCP request of a device that made its MAC address up and calls itself `name`.
fn capture(name: &[u8]) -> Vec<u8> {
    let mut dhcp = vec![1, 1, 6, 0, 0, 0, 0, 1];
    dhcp.resize(28, 0);
    dhcp.extend([0xda, 0, 0, 0, 0, 1]);
    dhcp.resize(236, 0);
    dhcp.extend([0x63, 0x82, 0x53, 0x63, 53, 1, 1, 12, u8::try_from(name.len()).unwrap()]);
    dhcp.extend(name);
    dhcp.push(255);
    let length = |more: usize| u16::try_from(dhcp.len() + more).unwrap().to_be_bytes();
    let mut frame = vec![0xff; 6];
    frame.extend([0xda, 0, 0, 0, 0, 1, 0x08, 0, 0x45, 0]);
    frame.extend(length(28));
    frame.extend([0, 0, 0x40, 0, 64, 17, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 0, 68, 0, 67]);
    frame.extend(length(8));
    frame.extend([0, 0]);
    frame.extend(&dhcp);
    let mut capture = 0xa1b2_c3d4_u32.to_le_bytes().to_vec();
    capture.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0]);
    let size = u32::try_from(frame.len()).unwrap();
    for number in [1_700_000_000, 0, size, size] {
        capture.extend(number.to_le_bytes());
    }
    capture.extend(frame);
    capture
}

#[test]
fn a_capture_tells_its_devices_with_dates_and_harmless_names() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hostile.pcap");
    std::fs::write(&file, capture(b"cam\x1b[2J\x07\xe2\x80\xaegpj")).unwrap();
    let plain = output(sereno().args(["assets", "--pcap"]).arg(&file));
    assert!(plain.status.success());
    let text = String::from_utf8(plain.stdout).unwrap();
    assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text:?}");
    for part in ["da:00:00:00:00:01", "camera", "made up by the device", "2023-11-14T22:13:20"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let told = json(&output(sereno().args(["--json", "assets", "--pcap"]).arg(&file)));
    let device = &told["devices"][0];
    assert_eq!((device["mac_is_private"].as_bool(), device["maker"].is_null()), (Some(true), true));
    let name = &device["facts"]["names"][0];
    assert_eq!(name["value"][1], "cam\u{fffd}[2J\u{fffd}\u{fffd}gpj");
    assert_eq!(name["first_us"], 1_700_000_000_000_000_i64);
}
