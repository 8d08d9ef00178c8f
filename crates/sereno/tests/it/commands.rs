//! One false register among thousands of commands: the node names it, although it dies meanwhile.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::faults_kit::{Phoenix, ask, items, until};
use crate::programs::{edge, output, sereno};

/// Seconds of learning; below ten minutes nothing is certain.
const LEARNED_S: u32 = 700;
/// Where the capture ends.
const END_S: u32 = 1_100;
const START_S: u32 = 1_700_000_000;
const MACHINE: ([u8; 6], [u8; 4]) = ([2, 0, 0, 0, 7, 20], [192, 168, 7, 20]);
const MASTER: ([u8; 6], [u8; 4]) = ([2, 0, 0, 0, 7, 1], [192, 168, 7, 1]);
/// The registers written falsely, each once.
const FALSE_WRITES: u16 = 10;

/// A Modbus/TCP conversation between a master and a machine, as a capture.
struct Conversation {
    capture: Vec<u8>,
    /// Next sequence numbers of master and machine.
    next: [u32; 2],
    transaction: u16,
}

impl Conversation {
    fn open(at_s: u32) -> Self {
        let mut capture = 0xa1b2_c3d4_u32.to_le_bytes().to_vec();
        capture.extend([2, 0, 4, 0]);
        capture.extend([0; 8]);
        capture.extend(262_144_u32.to_le_bytes());
        capture.extend(1_u32.to_le_bytes());
        let mut own = Self { capture, next: [1_000, 5_000], transaction: 0 };
        own.segment((at_s, 0), true, 0x02, &[]);
        own.segment((at_s, 100), false, 0x12, &[]);
        own.segment((at_s, 200), true, 0x10, &[]);
        own
    }

    fn segment(&mut self, (at_s, at_us): (u32, u32), ask: bool, flags: u8, payload: &[u8]) {
        let (from, to) = if ask { (MASTER, MACHINE) } else { (MACHINE, MASTER) };
        let (own, other) = if ask { (0, 1) } else { (1, 0) };
        let ports: [u16; 2] = if ask { [40_000, 502] } else { [502, 40_000] };
        let total = u16::try_from(40 + payload.len()).unwrap();
        let mut frame = [&to.0[..], &from.0, &[8, 0, 0x45, 0], &total.to_be_bytes()].concat();
        frame.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
        frame.extend(from.1);
        frame.extend(to.1);
        ports.iter().for_each(|port| frame.extend(port.to_be_bytes()));
        frame.extend(self.next[own].to_be_bytes());
        frame.extend(if flags == 0x02 { 0 } else { self.next[other] }.to_be_bytes());
        frame.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        frame.extend(payload);
        let sent = u32::try_from(payload.len()).unwrap();
        self.next[own] += sent + u32::from(flags & 0x02 != 0);
        let size = u32::try_from(frame.len()).unwrap();
        for number in [at_s, at_us, size, size] {
            self.capture.extend(number.to_le_bytes());
        }
        self.capture.extend(frame);
    }

    /// A question and its answer.
    fn exchange(&mut self, at: (u32, u32), question: &[u8], answer: &[u8]) {
        self.transaction = self.transaction.wrapping_add(1);
        let transaction = self.transaction.to_be_bytes();
        for (ask, body, later) in [(true, question, 0), (false, answer, 900)] {
            let length = u16::try_from(body.len() + 1).unwrap().to_be_bytes();
            let message = [&transaction[..], &[0, 0], &length, &[1], body].concat();
            self.segment((at.0, at.1 + later), ask, 0x18, &message);
        }
    }

    /// Function 3: two holding registers from 0.
    fn poll(&mut self, at: (u32, u32)) {
        self.exchange(at, &[3, 0, 0, 0, 2], &[3, 4, 0, 1, 0, 2]);
    }

    /// Function 6: one register.
    fn write(&mut self, at: (u32, u32), register: u8, value: u16) {
        let [high, low] = value.to_be_bytes();
        let body = [6, 0, register, high, low];
        self.exchange(at, &body, &body);
    }
}

/// Polls every half second, the set point 7 every five; later, ten false values.
fn capture(file: &Path) {
    let mut own = Conversation::open(START_S);
    let mut falsely = 0;
    for second in 1..END_S {
        let at_s = START_S + second;
        own.poll((at_s, 0));
        if second % 5 == 0 {
            own.write((at_s, 200_000), 12, 7);
        }
        if second > LEARNED_S + 150 && second % 13 == 0 && falsely < FALSE_WRITES {
            own.write((at_s, 300_000), 12, 900 + falsely);
            falsely += 1;
        }
        own.poll((at_s, 500_000));
    }
    assert_eq!(falsely, FALSE_WRITES);
    std::fs::write(file, own.capture).unwrap();
}

struct Reader(Child);

impl Reader {
    fn start(node: &Phoenix, file: &Path) -> Self {
        let mut command = Command::new(edge());
        command.args(["gateway", "--file", "--device-mac", "02:00:00:00:07:14"]);
        command.args(["--speed", "20000", "--capture"]).arg(file);
        command.arg("--socket").arg(node.data.join("run/edge.sock"));
        command.arg("--token-file").arg(node.data.join("keys/edge.token"));
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The unusual values of all findings of commands.
fn unusual(data: &Path) -> Vec<Value> {
    let findings = items(data, &["findings"]);
    let own = findings.iter().filter(|finding| finding["detector"] == "commands");
    own.flat_map(|finding| {
        let path = format!("/api/v1/findings/{}", finding["id"].as_str().unwrap());
        ask(data, &["get", &path])["commands"].as_array().cloned().unwrap_or_default()
    })
    .filter(|command| command["kind"] == "unusual_value")
    .collect()
}

#[test]
fn ten_false_writes_among_thousands_are_named_although_the_node_dies() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("modbus.pcap");
    capture(&file);
    let mut node = Phoenix::up(&folder.path().join("node"), "Water works", "operator");
    let settings = node.data.join("sereno.toml");
    let more = format!("[detection]\ntraining_span_s = {LEARNED_S}\n");
    let text = std::fs::read_to_string(&settings).unwrap() + &more;
    node.fall();
    std::fs::write(&settings, text).unwrap();
    node.rise();
    let data = node.data.clone();
    let reader = Reader::start(&node, &file);
    let machine = || items(&data, &["commands", "list"]).into_iter().next();
    until("the machine model to begin", machine);
    node.fall();
    node.rise();
    let watched = || machine().filter(|one| one["state"]["state"] == "watching");
    let watched = until("the machine model to watch", watched);
    assert_eq!(watched["thin"], false, "{watched}");
    let all = || Some(unusual(&data)).filter(|all| all.len() >= usize::from(FALSE_WRITES));
    until("ten unusual values", all);
    node.fall();
    node.rise();
    let found = unusual(&data);
    assert_eq!(found.len(), usize::from(FALSE_WRITES), "{found:#?}");
    let mut values: Vec<f64> = found.iter().map(|one| one["value"].as_f64().unwrap()).collect();
    values.sort_by(f64::total_cmp);
    let expected: Vec<f64> = (0..FALSE_WRITES).map(|place| f64::from(900 + place)).collect();
    assert_eq!(values, expected);
    for one in &found {
        assert_eq!((&one["function"], &one["name"]), (&6.into(), &"write single register".into()));
        assert!(one["object"].as_str().unwrap().ends_with("12"), "{one}");
        assert_eq!(
            (one["from"].as_str(), one["to"].as_str()),
            (Some("192.168.7.1"), Some("192.168.7.20"))
        );
        assert!(one["expected"].as_str().unwrap().contains("always 7"), "{one}");
    }
    assert!(!items(&data, &["incidents"]).is_empty(), "an incident is open");
    drop(reader);
    by_hand(&data, folder.path(), machine().unwrap()["edge"].as_str().unwrap());
}

/// The model as text, through the command line.
fn by_hand(data: &Path, folder: &Path, edge: &str) {
    let shown = output(sereno().args(["commands", "show", edge, "--data"]).arg(data));
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.status.success() && text.contains("[[pair]]"), "{text}");
    let file = folder.join("commands.toml");
    std::fs::write(&file, text.replacen("role = \"", "role = \"x", 1)).unwrap();
    let bad = output(sereno().args(["commands", "check"]).arg(&file).arg("--data").arg(data));
    assert_eq!(bad.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&bad.stderr).contains("line "), "{bad:?}");
    std::fs::write(&file, format!("# reviewed\n{text}")).unwrap();
    let words = ["commands", "apply", edge, file.to_str().unwrap()];
    assert_eq!(ask(data, &words)["version"], 2);
    let activated = output(sereno().args(["commands", "activate", edge, "1", "--data"]).arg(data));
    assert!(activated.status.success(), "{activated:?}");
    let versions = items(data, &["commands", "versions", edge]);
    let states: Vec<&str> = versions.iter().map(|one| one["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["retired", "active"]);
}
