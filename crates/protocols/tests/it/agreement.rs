//! Agreement with tshark, frame by frame: number, times, lengths, addresses, ports, flags.

use std::path::{Path, PathBuf};
use std::process::Command;

use protocols::capture::CaptureReader;
use protocols::packet::{Net, PacketView, Transport, decode};

use crate::data;

/// What is asked of tshark, in the order of the columns.
const FIELDS: [&str; 20] = [
    "frame.time_epoch",
    "frame.len",
    "frame.cap_len",
    "frame.protocols",
    "eth.src",
    "vlan.id",
    "ip.src",
    "ip.dst",
    "ip.proto",
    "ipv6.src",
    "ipv6.dst",
    "arp.src.proto_ipv4",
    "arp.dst.proto_ipv4",
    "tcp.srcport",
    "tcp.dstport",
    "tcp.flags",
    "udp.srcport",
    "udp.dstport",
    "icmp.type",
    "icmpv6.type",
];
const PROTOCOLS: usize = 3;
/// First column of the network layer, of the transport layer.
const NETWORK: usize = 6;
const TRANSPORT: usize = 13;
/// Layers that may stand in front of the network layer this crate reads.
const BELOW_NETWORK: [&str; 7] = ["eth", "ethertype", "vlan", "ieee8021ad", "null", "llc", "raw"];

type Row = [String; FIELDS.len()];

/// tshark's view of a capture, one row a frame.
fn tshark(path: &Path) -> Vec<Row> {
    let mut command = Command::new("tshark");
    command.arg("-n").arg("-r").arg(path).args(["-T", "fields", "-E", "occurrence=f"]);
    for preference in ["ip.defragment", "ipv6.defragment", "tcp.desegment_tcp_streams"] {
        command.args(["-o", &format!("{preference}:FALSE")]);
    }
    for field in FIELDS {
        command.args(["-e", field]);
    }
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| {
            let mut columns = line.split('\t').map(str::to_owned);
            std::array::from_fn(|_| columns.next().unwrap_or_default())
        })
        .collect()
}

/// The layers tshark names, up to the transport one; inner packets (tunnels, ICMP errors) left out.
struct Layers {
    network: bool,
    transport: bool,
}

fn outer_layers(protocols: &str) -> Layers {
    let mut rest = protocols.split(':').skip_while(|name| BELOW_NETWORK.contains(name));
    let network = matches!(rest.next(), Some("ip" | "ipv6" | "arp"));
    let transport = rest.find(|name| !name.starts_with("ipv6.") && *name != "ah");
    let transport = matches!(transport, Some("tcp" | "udp" | "icmp" | "icmpv6"));
    Layers { network, transport: network && transport }
}

/// The same columns by this crate.
fn ours(view: &PacketView<'_>) -> Row {
    let mut row: Row = std::array::from_fn(|_| String::new());
    let mac = |mac: [u8; 6]| mac.map(|byte| format!("{byte:02x}")).join(":");
    row[4] = view.src_mac.map(mac).unwrap_or_default();
    row[5] = view.vlan.map(|id| id.to_string()).unwrap_or_default();
    match view.net {
        Net::V4 { src, dst, protocol, .. } => {
            (row[6], row[7], row[8]) = (src.to_string(), dst.to_string(), protocol.to_string());
        }
        Net::V6 { src, dst, .. } => (row[9], row[10]) = (src.to_string(), dst.to_string()),
        Net::Arp { sender_ip, target_ip, .. } => {
            (row[11], row[12]) = (sender_ip.to_string(), target_ip.to_string());
        }
        _ => {}
    }
    match view.transport {
        Transport::Tcp { src_port, dst_port, flags, .. } => {
            (row[13], row[14]) = (src_port.to_string(), dst_port.to_string());
            row[15] = format!("0x{:04x}", flags.0);
        }
        Transport::Udp { src_port, dst_port } => {
            (row[16], row[17]) = (src_port.to_string(), dst_port.to_string());
        }
        Transport::Icmp { kind, .. } => row[18] = kind.to_string(),
        Transport::Icmpv6 { kind, .. } => row[19] = kind.to_string(),
        _ => {}
    }
    row
}

/// Compares one capture; gives the frames compared and what differs.
fn compare(path: &Path) -> (usize, Vec<String>) {
    let theirs = tshark(path);
    let bytes = data::read(path);
    let frames: Vec<_> = CaptureReader::new(&bytes).map_while(Result::ok).collect();
    let name = path.file_name().unwrap().to_string_lossy();
    if frames.len() != theirs.len() {
        return (0, vec![format!("{name}: {} frames, tshark {}", frames.len(), theirs.len())]);
    }
    let mut differences = Vec::new();
    for (frame, mut their) in frames.iter().zip(theirs) {
        let mut row = match decode(frame.link, frame.captured, frame.wire_len) {
            Ok(view) => ours(&view),
            Err(_) => std::array::from_fn(|_| String::new()),
        };
        row[0] = format!("{}.{:09}", frame.ts_ns / 1_000_000_000, frame.ts_ns % 1_000_000_000);
        row[1] = frame.wire_len.to_string();
        row[2] = frame.captured.len().to_string();
        let layers = outer_layers(&their[PROTOCOLS]);
        row[PROTOCOLS].clone_from(&their[PROTOCOLS]);
        // tshark fills the columns from inner packets too.
        let inner = if layers.network { TRANSPORT } else { NETWORK };
        if !layers.transport {
            their[inner..].fill(String::new());
        }
        // Flags beyond the eight of the control octet (accurate ECN) are not kept here.
        if let Some(flags) = their[15].strip_prefix("0x0") {
            their[15] = format!("0x00{}", &flags[1..]);
        }
        // The columns of the layers this row has not: an ICMP error quotes ports.
        if matches!(their[8].as_str(), "1") {
            their[TRANSPORT..18].fill(String::new());
        }
        if !row[19].is_empty() {
            their[TRANSPORT..18].fill(String::new());
        }
        for (column, field) in FIELDS.iter().enumerate() {
            if row[column] != their[column] {
                let (we, they) = (&row[column], &their[column]);
                differences.push(format!(
                    "{name} frame {}: {field} is {we:?}, tshark {they:?} ({})",
                    frame.index + 1,
                    their[PROTOCOLS]
                ));
            }
        }
    }
    (frames.len(), differences)
}

fn tshark_is_there() -> bool {
    let there = Command::new("tshark").arg("--version").output().is_ok();
    if !there {
        eprintln!("skipped: tshark is not installed (Debian package tshark)");
    }
    there
}

#[track_caller]
fn check(files: &[PathBuf]) {
    let mut total = 0;
    let mut all = Vec::new();
    for path in files {
        let (frames, differences) = compare(path);
        total += frames;
        all.extend(differences);
    }
    eprintln!("{} captures, {total} frames, {} differences", files.len(), all.len());
    for difference in all.iter().take(60) {
        eprintln!("{difference}");
    }
    assert!(all.is_empty(), "{} differences in {total} frames", all.len());
}

/// One capture of every form and link type that occurs.
#[test]
fn a_few_captures_read_as_tshark_reads_them() {
    let Some(detection) = data::detection().filter(|_| tshark_is_there()) else { return };
    let Some(archives) = data::unpack_archives(&detection) else { return };
    let mut files = vec![
        detection.join("hakai/train.pcap.gz"),
        detection.join("modbus-cnc/test.pcap.gz"),
        archives.path().join("ics-pcaps-iti/s7/S7-1511_db2_var1_HMI.pcap"),
        archives.path().join("ics-pcaps-iti/MELSEC/melsoft_129_clean.pcap"),
    ];
    // The one big-endian file, the one Zigbee file and a loopback file, whatever their names.
    let all = data::captures_below(archives.path());
    for (magic, link) in [
        ([0xa1, 0xb2, 0xc3, 0xd4], [0, 0, 0, 1]),
        ([0xd4, 0xc3, 0xb2, 0xa1], [195, 0, 0, 0]),
        ([0xd4, 0xc3, 0xb2, 0xa1], [0; 4]),
    ] {
        let found = all.iter().find(|path| {
            let bytes = data::read(path);
            bytes.starts_with(&magic) && bytes.get(20..24) == Some(&link)
        });
        files.push(found.expect("the set holds such a capture").clone());
    }
    check(&files);
}

#[test]
#[ignore = "starts tshark some 700 times"]
fn all_captures_read_as_tshark_reads_them() {
    let Some(detection) = data::detection().filter(|_| tshark_is_there()) else { return };
    let Some(archives) = data::unpack_archives(&detection) else { return };
    let mut files = data::captures_below(&detection);
    files.extend(data::captures_below(archives.path()));
    check(&files);
}
