//! Laws of the parsers of [`super::app_it`]: no bytes make them panic, a beginning never says
//! something else than the whole, and noise is not taken for a protocol.

use proptest::collection::vec;
use proptest::prelude::{Strategy as _, any, prop_assert, prop_assert_eq, proptest};
use proptest::sample::select;
use protocols::app::{Carrier, Place, Protocol, Recognition, Scratch, Step, all, parser};

use crate::app_it::seeds;

/// Most of a million pieces of noise that may be taken for any of these protocols, of one carrier.
const MAX_FALSE_PER_MILLION: u64 = 20;

/// Pseudo-random numbers (splitmix64), the same in every run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
}

#[test]
fn noise_is_not_a_protocol() {
    const PIECES: u64 = 200_000;
    let mut noise = Noise(3);
    for carrier in [Carrier::Udp, Carrier::Tcp] {
        let place =
            Place { carrier, src_port: 40_000, dst_port: 50_000, from_opener: Some(true), cut: 0 };
        let mut found = [0_u64; 32];
        for _ in 0..PIECES {
            let len = 1 + noise.next() as usize % 120;
            let bytes: Vec<u8> = (0..len).map(|_| noise.next() as u8).collect();
            for parser in all().iter().filter(|parser| parser.carried_by(carrier)) {
                if parser.recognise(&place, &bytes) == Recognition::Certain {
                    found[parser.protocol() as usize] += 1;
                }
            }
        }
        for protocol in Protocol::ALL.into_iter().filter(|protocol| !protocol.is_industrial()) {
            let rate = found[protocol as usize] * 1_000_000 / PIECES;
            eprintln!("{carrier:?} {}: {rate} false of a million", protocol.name());
            assert!(rate <= MAX_FALSE_PER_MILLION, "{}: {rate} of a million", protocol.name());
        }
    }
}

/// Over streams, a beginning of the bytes needs more, or says what the whole says.
#[test]
fn a_beginning_says_what_the_whole_says() {
    for seed in seeds().iter().filter(|seed| seed.place.carrier == Carrier::Tcp) {
        let parser = parser(seed.protocol);
        let (mut at, mut scratch) = (0, Scratch::default());
        while at < seed.bytes.len() {
            let whole = &seed.bytes[at..];
            let mut after = scratch;
            let step = parser.next(&seed.place, &mut after, whole);
            for end in 1..whole.len() {
                let mut then = scratch;
                match parser.next(&seed.place, &mut then, &whole[..end]) {
                    Step::NeedMore(need) => {
                        assert!(need > end);
                        assert_eq!(then, scratch, "{}: remembered too early", seed.name);
                        let (Step::Message { consumed, .. } | Step::Pass { consumed }) = step
                        else {
                            continue;
                        };
                        assert!(need <= consumed, "{} needs {need} of {consumed}", seed.name);
                    }
                    Step::Message { record, consumed } => {
                        let said = format!("{:?}", Step::Message { record, consumed });
                        assert_eq!(said, format!("{step:?}"), "{} at {at}..{end}", seed.name);
                    }
                    // Bodies of unknown length are passed over as they come.
                    Step::Pass { .. } => {
                        assert!(matches!(step, Step::Pass { .. }), "{}", seed.name)
                    }
                    other => panic!("{}: {other:?} at {at}..{end}, whole {step:?}", seed.name),
                }
            }
            scratch = after;
            at += match step {
                Step::Message { consumed, .. } | Step::Pass { consumed } => consumed,
                Step::Done => whole.len(),
                other => panic!("{}: {other:?}", seed.name),
            };
        }
    }
}

/// A datagram the capture cut is told as cut off, or says what the whole says.
#[test]
fn a_cut_datagram_says_nothing_else() {
    for seed in seeds().iter().filter(|seed| seed.place.carrier == Carrier::Udp) {
        let parser = parser(seed.protocol);
        let whole = parser.next(&seed.place, &mut Scratch::default(), &seed.bytes);
        let Step::Message { record: whole, .. } = whole else { panic!("{}", seed.name) };
        for end in 1..seed.bytes.len() {
            let place = Place { cut: (seed.bytes.len() - end) as u32, ..seed.place };
            let bytes = &seed.bytes[..end];
            match parser.next(&place, &mut Scratch::default(), bytes) {
                Step::NeedMore(need) => assert_eq!(need, seed.bytes.len(), "{}", seed.name),
                Step::Message { record, .. } => {
                    assert_eq!(format!("{record:?}"), format!("{whole:?}"), "{} {end}", seed.name);
                }
                other => panic!("{}: {other:?} at {end}", seed.name),
            }
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_survived(pick in 0_u8..11, rest in vec(any::<u8>(), 2..400)) {
        protocols::fuzz::app(&[&[pick], &rest[..]].concat());
    }

    #[test]
    fn damaged_messages_are_survived(
        seed in select(seeds().iter().map(|s| s.name.clone()).collect::<Vec<_>>()),
        damage in vec((any::<u16>(), any::<u8>()), 1..6),
        cut in any::<u16>(),
    ) {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/app");
        let mut bytes = std::fs::read(format!("{folder}/{seed}")).unwrap();
        let len = bytes.len() - 3;
        for (at, value) in damage {
            bytes[3 + usize::from(at) % len] = value;
        }
        protocols::fuzz::app(&bytes);
        bytes.truncate(3 + usize::from(cut) % len);
        protocols::fuzz::app(&bytes);
    }

    /// However a telnet stream is cut into segments, the texts are the same.
    #[test]
    fn lines_do_not_depend_on_segments(
        text in vec(select(vec![
            "login: ", "Password:", "root", "\r\n", "# ", " ", ":", "last login", "x", "\u{1}", "user name :",
        ]).prop_map(str::as_bytes), 0..12),
        cut in any::<u16>(),
    ) {
        let text = text.concat();
        let place = Place { carrier: Carrier::Tcp, src_port: 23, dst_port: 40_000, from_opener: Some(false), cut: 0 };
        let telnet = parser(Protocol::Telnet);
        let whole = texts(telnet, &place, &[&text]);
        let (left, right) = text.split_at(if text.is_empty() { 0 } else { usize::from(cut) % text.len() });
        prop_assert_eq!(whole, texts(telnet, &place, &[left, right]));
        prop_assert!(text.is_empty() || telnet.recognise(&place, &text) != Recognition::NotForUs || text.contains(&1));
    }
}

/// The texts of segments, put together as a conversation does.
fn texts(parser: &dyn protocols::app::Parser, place: &Place, segments: &[&[u8]]) -> Vec<String> {
    let (mut scratch, mut held, mut told) = (Scratch::default(), Vec::new(), Vec::new());
    for segment in segments {
        held.extend_from_slice(segment);
        let mut at = 0;
        while at < held.len() {
            match parser.next(place, &mut scratch, &held[at..]) {
                Step::Message { record, consumed } => {
                    told.push(format!("{record:?}"));
                    at += consumed;
                }
                Step::Pass { consumed } => at += consumed,
                _ => break,
            }
        }
        held.drain(..at);
    }
    told
}
