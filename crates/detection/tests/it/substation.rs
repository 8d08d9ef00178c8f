//! A made-up bay: a publisher of GOOSE, and a client that reads from the same machine over MMS.

use analytics::goose::{Entry, GooseMessage};
use protocols::capture::{CaptureWriter, WriterOptions};

pub(crate) const START_S: i64 = 1_600_000_000;
pub(crate) const SECOND_US: i64 = 1_000_000;
/// Seconds of training, and where the test part ends; both whole minutes.
pub(crate) const LEARNED_S: i64 = 1_800;
pub(crate) const END_S: i64 = 2_400;
/// When attacks begin: in the middle of a window and of a state.
pub(crate) const ATTACK_S: i64 = 2_105;
pub(crate) const ATTACK_WINDOW: i64 = START_S + 2_100;
pub(crate) const PUBLISHER: &str = "02:00:00:00:07:14";
/// Seconds a state of the breaker lasts.
const STATE_S: i64 = 30;
/// Times of the repetitions after a change, microseconds; then one a second.
const CURVE_US: [i64; 5] = [0, 4_000, 12_000, 60_000, 300_000];

/// One message of the publisher, as it is or as somebody made it.
#[derive(Clone)]
pub(crate) struct Message {
    pub(crate) ts_us: i64,
    pub(crate) state: u32,
    pub(crate) sequence: u32,
    pub(crate) t_us: i64,
    pub(crate) closed: bool,
}

/// The publisher's own messages from one second to another, counted from the start.
pub(crate) fn lawful(from_s: i64, to_s: i64) -> Vec<Message> {
    let mut messages = Vec::new();
    for state in from_s / STATE_S..to_s / STATE_S {
        let t_us = (START_S + state * STATE_S) * SECOND_US;
        let rest = (1..STATE_S).map(|second| second * SECOND_US);
        for (sequence, offset) in CURVE_US.into_iter().chain(rest).enumerate() {
            messages.push(Message {
                ts_us: t_us + offset + 1_000,
                state: u32::try_from(state + 1).unwrap(),
                sequence: u32::try_from(sequence).unwrap(),
                t_us,
                closed: state % 2 == 0,
            });
        }
    }
    messages
}

pub(crate) fn attacked(message: &Message, seconds: i64) -> bool {
    let from_us = (START_S + ATTACK_S) * SECOND_US;
    (from_us..from_us + seconds * SECOND_US).contains(&message.ts_us)
}

/// A field of ASN.1: tag, length, contents.
fn field(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = u8::try_from(contents.len()).unwrap();
    if length < 0x80 {
        [&[tag, length], contents].concat()
    } else {
        [&[tag, 0x81, length], contents].concat()
    }
}

fn entry(entry: &Entry) -> Vec<u8> {
    match entry {
        Entry::Bool(value) => field(0x83, &[u8::from(*value)]),
        Entry::Number(value) => field(0x85, &i32::try_from(*value).unwrap().to_be_bytes()),
        other => panic!("no publisher here tells {other:?}"),
    }
}

/// The frame of a message (IEC 61850-8-1, annex A).
pub(crate) fn frame(message: &GooseMessage<'_>) -> Vec<u8> {
    let mut time = u32::try_from(message.t_us / SECOND_US).unwrap().to_be_bytes().to_vec();
    let fraction = (message.t_us % SECOND_US) * (1 << 24) / SECOND_US;
    time.extend(&u32::try_from(fraction).unwrap().to_be_bytes()[1..]);
    time.push(10);
    let fields = [
        field(0x80, message.control.as_bytes()),
        field(0x81, &u16::try_from(message.ttl_ms).unwrap().to_be_bytes()),
        field(0x82, message.data_set.as_bytes()),
        field(0x83, message.go_id.as_bytes()),
        field(0x84, &time),
        field(0x85, &message.state.to_be_bytes()),
        field(0x86, &message.sequence.to_be_bytes()),
        field(0x87, &[u8::from(message.simulation)]),
        field(0x88, &message.conf_rev.to_be_bytes()),
        field(0x89, &[u8::from(message.needs_commissioning)]),
        field(0x8a, &[u8::try_from(message.entries).unwrap()]),
        field(0xab, &message.data.iter().flat_map(entry).collect::<Vec<u8>>()),
    ]
    .concat();
    let unit = field(0x61, &fields);
    let mut frame = message.dst.as_mac().unwrap().to_vec();
    frame.extend(message.src.as_mac().unwrap());
    frame.extend([0x88, 0xb8]);
    frame.extend(u16::try_from(message.app_id).unwrap().to_be_bytes());
    frame.extend(u16::try_from(unit.len() + 8).unwrap().to_be_bytes());
    frame.extend([0; 4]);
    frame.extend(unit);
    frame
}

fn goose(message: &Message) -> Vec<u8> {
    frame(&GooseMessage {
        ts_us: message.ts_us,
        src: PUBLISHER.parse().unwrap(),
        dst: "01:0c:cd:01:00:01".parse().unwrap(),
        app_id: 1,
        length: 0,
        control: "BAY1/LLN0$GO$Trip",
        ttl_ms: 2_000,
        data_set: "BAY1/LLN0$DS",
        go_id: "trip",
        t_us: message.t_us,
        state: message.state,
        sequence: message.sequence,
        simulation: false,
        conf_rev: 1,
        needs_commissioning: false,
        entries: 1,
        data: &[Entry::Bool(message.closed)],
    })
}

pub(crate) type Frames = Vec<(i64, Vec<u8>)>;

pub(crate) fn frames(messages: &[Message]) -> Frames {
    messages.iter().map(|message| (message.ts_us, goose(message))).collect()
}

/// A segment of a connection between a client and the machine that also speaks GOOSE.
fn segment(next: &mut [u32; 2], ask: bool, flags: u8, payload: &[u8]) -> Vec<u8> {
    const CLIENT: ([u8; 6], [u8; 4]) = ([2, 0, 0, 0, 7, 9], [192, 168, 7, 9]);
    const MACHINE: ([u8; 6], [u8; 4]) = ([2, 0, 0, 0, 7, 0x14], [192, 168, 7, 20]);
    let (from, to) = if ask { (CLIENT, MACHINE) } else { (MACHINE, CLIENT) };
    let ports: [u16; 2] = if ask { [40_000, 102] } else { [102, 40_000] };
    let total = u16::try_from(40 + payload.len()).unwrap();
    let mut frame = [&to.0[..], &from.0, &[8, 0, 0x45, 0], &total.to_be_bytes()].concat();
    frame.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
    frame.extend([from.1, to.1].concat());
    ports.iter().for_each(|port| frame.extend(port.to_be_bytes()));
    let (own, other) = if ask { (0, 1) } else { (1, 0) };
    frame.extend(next[own].to_be_bytes());
    frame.extend(if flags == 2 { 0 } else { next[other] }.to_be_bytes());
    frame.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    frame.extend(payload);
    next[own] += u32::try_from(payload.len()).unwrap() + u32::from(flags & 2 != 0);
    frame
}

/// An MMS unit in presentation, session and transport.
fn unit(pdu: &[u8]) -> Vec<u8> {
    let value = [&[2, 1, 3][..], &field(0xa0, pdu)].concat();
    let data = [&[1, 0, 1, 0][..], &field(0x61, &field(0x30, &value))].concat();
    let length = u8::try_from(data.len() + 7).unwrap();
    [&[3, 0, 0, length, 2, 0xf0, 0x80][..], &data].concat()
}

/// A variable is read every five seconds; at the second of the attack names are listed.
pub(crate) fn mms(from_s: i64, to_s: i64, attack: bool) -> Frames {
    let mut next = [1_000, 5_000];
    let mut frames = Vec::new();
    let mut put = |at_us: i64, ask: bool, flags: u8, payload: &[u8]| {
        frames.push((START_S * SECOND_US + at_us, segment(&mut next, ask, flags, payload)));
    };
    let open_us = from_s * SECOND_US;
    put(open_us, true, 0x02, &[]);
    put(open_us + 100, false, 0x12, &[]);
    put(open_us + 200, true, 0x10, &[]);
    let name = [field(0x1a, b"BAY1"), field(0x1a, b"MMXU1$MX")].concat();
    let variable = field(0xa0, &field(0x30, &field(0xa0, &field(0xa1, &name))));
    for second in (from_s + 1..to_s).filter(|second| second % 5 == 0) {
        let listed = attack && second == ATTACK_S;
        let invoke = [&[2, 2][..], &u16::try_from(second).unwrap().to_be_bytes()].concat();
        let (asked, answered) = if listed {
            (field(0xa1, &field(0xa0, &[0x80, 1, 0])), field(0xa1, &field(0xa0, &[])))
        } else {
            (field(0xa4, &field(0xa1, &variable)), field(0xa4, &field(0xa1, &[0x85, 1, 7])))
        };
        let at_us = second * SECOND_US + 300_000;
        put(at_us, true, 0x18, &unit(&field(0xa0, &[&invoke[..], &asked].concat())));
        put(at_us + 900, false, 0x18, &unit(&field(0xa1, &[&invoke[..], &answered].concat())));
    }
    frames
}

/// A capture of frames, in the order of time.
pub(crate) fn write(mut frames: Frames) -> Vec<u8> {
    frames.sort_by_key(|frame| frame.0);
    let mut writer = CaptureWriter::new(Vec::new(), WriterOptions::default()).unwrap();
    for (ts_us, bytes) in frames {
        writer.write(ts_us * 1_000, &bytes, bytes.len() as u32).unwrap();
    }
    writer.finish().unwrap()
}

/// A Zstandard frame of raw blocks (RFC 8878, section 3.1.1).
pub(crate) fn zstandard(bytes: &[u8]) -> Vec<u8> {
    const BLOCK: usize = 1 << 16;
    let mut packed = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 0x58];
    let blocks = bytes.chunks(BLOCK);
    let last = blocks.len() - 1;
    for (place, block) in blocks.enumerate() {
        let header = u32::try_from(block.len() << 3).unwrap() | u32::from(place == last);
        packed.extend(&header.to_le_bytes()[..3]);
        packed.extend(block);
    }
    packed
}
