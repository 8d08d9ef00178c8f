//! Commands: ten false writes among eleven thousand packets, the scenarios, the text form.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use analytics::commands::{
    Command, CommandFinding, CommandJudge, CommandLearner, CommandModel, CommandWindow,
    CommandWindows, Deviation, each_command,
};
use analytics::host::Host;
use proptest::prelude::*;
use protocols::app::{Effect, Object, Operation, Protocol, Role, Values};
use protocols::flow::{Limits, Tracker};
use protocols::packet::{LinkType, decode};

use crate::support::{each_frame, labels, scenario};

pub(crate) const WINDOW_US: i64 = 10_000_000;

pub(crate) struct Frame {
    ts_ns: i64,
    link: LinkType,
    bytes: Vec<u8>,
    wire: u32,
    label: char,
}

pub(crate) fn frames(name: &str, part: &str) -> Option<Vec<Frame>> {
    let folder = scenario(name)?;
    let label = if part == "test" { labels(&folder) } else { Vec::new() };
    let mut frames = Vec::new();
    each_frame(&folder.join(format!("{part}.pcap.gz")), |ts_ns, link, captured, wire| {
        let label = label.get(frames.len()).copied().unwrap_or('0');
        frames.push(Frame { ts_ns, link, bytes: captured.to_vec(), wire, label });
    });
    Some(frames)
}

/// Tells the commands of frames, as one capture.
pub(crate) fn commands(frames: &[Frame], shift_ns: i64, each: &mut dyn FnMut(&Command<'_>)) {
    let mut tracker = Tracker::new(Limits::default());
    let mut tell = |sighting: &protocols::flow::Sighting<'_>| {
        each_command(sighting, &mut |command| each(&command));
    };
    for frame in frames {
        if let Ok(packet) = decode(frame.link, &frame.bytes, frame.wire) {
            tracker.push(frame.ts_ns + shift_ns, &packet, &mut tell);
        }
    }
    tracker.finish(&mut tell);
}

fn learn(parts: &[(&[Frame], i64)]) -> CommandModel {
    let mut learner = CommandLearner::new(WINDOW_US);
    for (frames, shift) in parts {
        commands(frames, *shift, &mut |command| learner.push(command));
    }
    learner.finish().unwrap()
}

fn judge(model: &CommandModel, frames: &[Frame]) -> (Vec<CommandFinding>, Vec<CommandWindow>) {
    let mut judge = CommandJudge::new(Arc::new(model.clone()));
    let (mut findings, mut windows) = (Vec::new(), CommandWindows::new(WINDOW_US));
    commands(frames, 0, &mut |command| {
        windows.command(command);
        judge.push(command, &mut |finding| {
            windows.finding(&finding);
            findings.push(finding);
        });
    });
    (findings, windows.finish())
}

/// Frames of one connection that carries one Modbus request: SYN, SYN-ACK, data.
fn write_frames(ts_ns: i64, from: u8, to: u8, port: u16, pdu: &[u8]) -> Vec<Frame> {
    let mut adu = vec![0, 9, 0, 0, 0, pdu.len() as u8 + 1, 1];
    adu.extend_from_slice(pdu);
    let frame =
        |ts_ns, (src, dst): (u8, u8), ports: (u16, u16), seq: u32, ack: u32, flags, data: &[u8]| {
            let mut bytes = vec![0x02, 0, 0, 0, 0, dst, 0x02, 0, 0, 0, 0, src, 0x08, 0x00];
            let total = (40 + data.len()) as u16;
            bytes.extend([0x45, 0]);
            bytes.extend(total.to_be_bytes());
            bytes.extend([0, 1, 0x40, 0, 64, 6, 0, 0, 192, 168, 1, src, 192, 168, 1, dst]);
            bytes.extend(ports.0.to_be_bytes());
            bytes.extend(ports.1.to_be_bytes());
            bytes.extend(seq.to_be_bytes());
            bytes.extend(ack.to_be_bytes());
            bytes.extend([0x50, flags, 0x20, 0, 0, 0, 0, 0]);
            bytes.extend_from_slice(data);
            let wire = bytes.len() as u32;
            Frame { ts_ns, link: LinkType::ETHERNET, bytes, wire, label: '1' }
        };
    vec![
        frame(ts_ns, (from, to), (port, 502), 100, 0, 0x02, &[]),
        frame(ts_ns + 1_000, (to, from), (502, port), 500, 101, 0x12, &[]),
        frame(ts_ns + 2_000, (from, to), (port, 502), 101, 501, 0x18, &adu),
    ]
}

pub(crate) fn host(last: u8) -> Host {
    Host::v4([192, 168, 1, last].into())
}

#[test]
fn ten_false_writes_among_eleven_thousand_packets_are_found_one_by_one() {
    let Some(mut polls) = frames("modbus-moving-files", "test") else { return };
    polls.retain(|frame| frame.label == '0');
    let span = polls.last().unwrap().ts_ns - polls[0].ts_ns + 1_000_000_000;
    let copies: Vec<(&[Frame], i64)> = (0..4).map(|copy| (polls.as_slice(), copy * span)).collect();
    let model = learn(&copies);
    assert!(!model.training.is_thin(), "{:?}", model.training);

    let start = polls[0].ts_ns + 4 * span;
    let mut judge = CommandJudge::new(Arc::new(model));
    let (mut findings, mut packets, mut expected) = (Vec::new(), 0, Vec::new());
    for copy in 0..4 {
        let mut capture: Vec<Frame> = Vec::new();
        for frame in &polls {
            let ts_ns = frame.ts_ns - polls[0].ts_ns + start + copy * span;
            let bytes = frame.bytes.clone();
            capture.push(Frame { ts_ns, link: frame.link, bytes, wire: frame.wire, label: '0' });
        }
        for number in (0..10_i64).filter(|number| number % 4 == copy) {
            let at = start + copy * span + (number + 3) * 7_000_000_000;
            let (register, value) = (40 + number as u16, 1_000 + number as u16);
            // By the master itself, by a controller that only answers, and of several registers.
            let from = if number % 3 == 1 { 101 } else { 100 };
            let [rh, rl] = register.to_be_bytes();
            let [vh, vl] = value.to_be_bytes();
            let (function, pdu) = if number % 3 == 2 {
                (16, vec![16, rh, rl, 0, 1, 2, vh, vl])
            } else {
                (6, vec![6, rh, rl, vh, vl])
            };
            capture.extend(write_frames(at, from, 104, 50_000 + number as u16, &pdu));
            expected.push((at / 1_000 + 2, host(from), function, register, f64::from(value)));
        }
        capture.sort_by_key(|frame| frame.ts_ns);
        packets += capture.len();
        commands(&capture, 0, &mut |command| {
            judge.push(command, &mut |finding| findings.push(finding));
        });
    }
    assert!(packets > 11_000, "{packets}");
    let mut found: BTreeMap<i64, CommandFinding> = BTreeMap::new();
    for finding in findings.iter().filter(|finding| finding.score > 1.0) {
        found.entry(finding.ts_us).or_insert_with(|| finding.clone());
    }
    expected.sort_by_key(|write| write.0);
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (finding, (ts_us, from, function, register, value)) in found.values().zip(expected) {
        assert_eq!((finding.ts_us, finding.from, finding.function), (ts_us, from, function));
        assert!(finding.object.contains(&format!("point {register}")), "{}", finding.object);
        assert_eq!(finding.value, Some(value));
        let kind = if from == host(100) { Deviation::Function } else { Deviation::NewPair };
        assert_eq!(finding.kind, kind);
        let technique = if from == host(100) { "T0836" } else { "T0848" };
        assert_eq!(finding.technique, Some(technique));
        assert!(!finding.why.is_empty() && !finding.expected.is_empty());
    }
}

/// Alerting windows by label: (attack windows alerting, attack windows, benign alerting, benign).
fn windows_by_label(frames: &[Frame], windows: &[CommandWindow]) -> [usize; 4] {
    let mut positive = BTreeSet::new();
    let mut all = BTreeSet::new();
    for frame in frames {
        let Ok(packet) = decode(frame.link, &frame.bytes, frame.wire) else { continue };
        let segment = analytics::windows::Segment::from(&packet);
        let start = frame.ts_ns.div_euclid(WINDOW_US * 1_000) * WINDOW_US;
        for end in [segment.src, segment.dst].into_iter().flatten() {
            if (100..=106).any(|last| end == host(last)) {
                all.insert((start, end));
                if frame.label == '1' {
                    positive.insert((start, end));
                }
            }
        }
    }
    let mut counts = [0, positive.len(), 0, all.len() - positive.len()];
    for window in windows.iter().filter(|window| window.score > 1.0) {
        let attack = positive.contains(&(window.start_us, window.device));
        counts[if attack { 0 } else { 2 }] += 1;
    }
    counts
}

#[test]
fn scenarios_raise_no_false_alarm_and_the_scan_is_seen() {
    let Some(train) = frames("modbus-cnc", "train") else { return };
    let model = learn(&[(&train, 0)]);
    assert!(model.training.is_thin());
    assert_eq!(model.masters().len(), 6);
    for (name, scanned) in
        [("modbus-cnc", false), ("modbus-moving-files", false), ("modbus-characterization", true)]
    {
        let Some(test) = frames(name, "test") else { return };
        let (findings, windows) = judge(&model, &test);
        let mut kinds: BTreeMap<_, usize> = BTreeMap::new();
        findings.iter().for_each(|finding| *kinds.entry(finding.kind).or_default() += 1);
        let [seen, attacks, wrong, benign] = windows_by_label(&test, &windows);
        eprintln!(
            "{name}: {seen} of {attacks} attack windows, {wrong} of {benign} benign; {kinds:?}"
        );
        assert_eq!(wrong, 0, "{name}");
        if scanned {
            assert!(seen * 100 >= attacks * 90, "{name}: {seen} of {attacks}");
            assert!(findings.iter().any(|finding| finding.kind == Deviation::Refused));
        }
    }
}

pub(crate) fn command(ts_us: i64, operation: Operation<'_>) -> Command<'_> {
    Command { ts_us, from: host(1), to: host(2), protocol: Protocol::Modbus, operation }
}

pub(crate) fn operation<'a>(function: u16, start: u32, values: Values<'a>) -> Operation<'a> {
    Operation {
        role: Role::Request,
        effect: if function > 4 { Effect::Write } else { Effect::Read },
        function,
        name: if function > 4 { "write registers" } else { "read registers" },
        unit: 1,
        transaction: None,
        refused: None,
        cause: 0,
        object: Object::Range { space: 4, start, count: values.len().max(1) as u32 },
        values,
    }
}

/// A quarter of an hour of polls and writes, as a plant makes them.
pub(crate) fn plant() -> CommandModel {
    let mut learner = CommandLearner::new(WINDOW_US);
    for second in 0..900_i64 {
        learner.push(&command(second * 1_000_000, operation(3, 0, Values::none())));
        let level = 100 + (second % 40).min(40 - second % 40) as u16;
        let bytes = [level.to_be_bytes(), 1_u16.to_be_bytes()].concat();
        learner.push(&command(second * 1_000_000 + 500, operation(16, 10, Values::u16_be(&bytes))));
    }
    learner.finish().unwrap()
}

fn kinds_of(judge: &mut CommandJudge, command: &Command<'_>) -> Vec<(Deviation, f64)> {
    let mut kinds = Vec::new();
    judge.push(command, &mut |finding| kinds.push((finding.kind, finding.score)));
    kinds
}

#[test]
fn values_steps_objects_order_and_rate_are_told_apart() {
    let model = plant();
    let mut judge = CommandJudge::new(Arc::new(model));
    let at = |second: i64| 1_000_000_000 + second * 1_000_000;
    let write = |judge: &mut CommandJudge, second, start, values: [u16; 2]| {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_be_bytes()).collect();
        kinds_of(judge, &command(at(second), operation(16, start, Values::u16_be(&bytes))))
    };
    let read = |judge: &mut CommandJudge, second| {
        kinds_of(judge, &command(at(second), operation(3, 0, Values::none())))
    };
    assert!(read(&mut judge, 0).is_empty());
    assert!(write(&mut judge, 0, 10, [105, 1]).is_empty());
    let kinds =
        |found: Vec<(Deviation, f64)>| found.iter().map(|(kind, _)| *kind).collect::<Vec<_>>();
    read(&mut judge, 1);
    assert_eq!(kinds(write(&mut judge, 1, 10, [400, 1])), [Deviation::Value]);
    read(&mut judge, 2);
    assert_eq!(kinds(write(&mut judge, 2, 10, [110, 7])), [Deviation::Step, Deviation::Value]);
    read(&mut judge, 3);
    assert_eq!(kinds(write(&mut judge, 3, 11, [1, 1])), [Deviation::Object]);
    assert_eq!(kinds(write(&mut judge, 4, 10, [110, 1])), [Deviation::Order]);
    let many: Vec<Deviation> = (0..60).flat_map(|_| kinds(read(&mut judge, 15))).collect();
    assert_eq!(many.iter().filter(|kind| **kind == Deviation::Rate).count(), 1);
    let refused = Operation { refused: Some(2), ..operation(3, 0, Values::none()) };
    assert!(kinds(kinds_of(&mut judge, &command(at(30), refused))).contains(&Deviation::Refused));
}

#[test]
fn the_text_reads_back_and_can_be_corrected() {
    let model = plant();
    let text = model.to_text().unwrap();
    assert_eq!(CommandModel::from_text(&text).unwrap(), model);
    // An engineer allows a further range and forgets to close a bracket.
    let wider = text
        .replace("ranges = [{ first = 10, last = 11 }]", "ranges = [{ first = 10, last = 20 }]");
    let wider = if wider == text { text.replacen("last = 11", "last = 20", 1) } else { wider };
    let corrected = CommandModel::from_text(&wider).unwrap();
    assert_ne!(corrected, model);
    let lines = text.lines().count();
    for (wrong, word) in [
        (format!("{text}\n[[pair"), ""),
        (text.replacen("role = \"request\"", "role = \"master\"", 1), "role `master`"),
        (text.replacen("version = 1", "version = 9", 1), "version 9"),
        (text.replacen("unit = 1", "unit = \"one\"", 1), ""),
        (text.replacen("unit = 1", "uint = 1", 1), "uint"),
        (text.replacen("last = 11", "last = 2", 1), "ranges"),
    ] {
        let error = CommandModel::from_text(&wrong).unwrap_err();
        assert!(error.problem.contains(word), "{error}");
        assert!(error.line <= lines + 2);
        assert!(error.line > 0 || word.contains("version"), "{error}");
    }
}

proptest! {
    #[test]
    fn every_model_reads_back(
        operations in proptest::collection::vec(
            (0_i64..1_000, 0_u16..20, any::<u32>(), proptest::collection::vec(any::<u8>(), 0..12), any::<bool>()),
            1..60,
        ),
    ) {
        let mut learner = CommandLearner::new(WINDOW_US);
        for (second, function, start, bytes, named) in &operations {
            let mut operation = operation(*function, *start, Values::f32_be(bytes));
            if *named {
                operation.object = Object::Name(bytes);
            }
            learner.push(&command(second * 1_000_000, operation));
        }
        let model = learner.finish().unwrap();
        let text = model.to_text().unwrap();
        prop_assert_eq!(&CommandModel::from_text(&text).unwrap(), &model);
        let json = serde_json::to_string(&model).unwrap();
        prop_assert_eq!(&serde_json::from_str::<CommandModel>(&json).unwrap(), &model);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        let _ = CommandModel::from_text(&text);
    }

    #[test]
    fn what_was_learned_is_usual(
        operations in proptest::collection::vec((0_u16..20, 0_u32..500, 0_u16..9), 1..60),
    ) {
        let mut learner = CommandLearner::new(WINDOW_US);
        let play = |each: &mut dyn FnMut(&Command<'_>)| {
            for (second, (function, start, value)) in operations.iter().enumerate() {
                let bytes = value.to_be_bytes();
                each(&command(second as i64 * 1_000_000, operation(*function, *start, Values::u16_be(&bytes))));
            }
        };
        play(&mut |command| learner.push(command));
        let mut judge = CommandJudge::new(Arc::new(learner.finish().unwrap()));
        let mut findings = 0;
        play(&mut |command| judge.push(command, &mut |_| findings += 1));
        prop_assert_eq!(findings, 0);
    }
}
