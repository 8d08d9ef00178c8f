//! What an edge tells of GOOSE and MMS is what was said.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use analytics::goose::{Entry, GooseMessage};
use analytics::host::Host;
use analytics::mms::MmsMessage;
use analytics::operations::{Gatherer, Report};
use proptest::prelude::*;

const WINDOW_US: i64 = 10_000_000;

fn through_json(mut gatherer: Gatherer) -> Vec<Report> {
    let reports = gatherer.finish();
    let text = serde_json::to_string(&reports).unwrap();
    assert_eq!(serde_json::from_str::<Vec<Report>>(&text).unwrap(), reports);
    reports
}

fn goose<'a>(ts_us: i64, control: &'a str, revision: u32, data: &'a [Entry]) -> GooseMessage<'a> {
    GooseMessage {
        ts_us,
        src: Host::mac([2, 0, 0, 0, 0, 1]),
        dst: Host::mac([1, 0x0c, 0xcd, 1, 0, 1]),
        app_id: 3,
        length: 145,
        control,
        ttl_ms: if ts_us % 2 == 0 { 2_000 } else { 10 },
        data_set: "IED1/LLN0$DS",
        go_id: "trip",
        t_us: ts_us - 5,
        state: (ts_us / 7) as u32,
        sequence: ts_us as u32,
        simulation: false,
        conf_rev: revision,
        needs_commissioning: false,
        entries: data.len() as u32,
        data,
    }
}

proptest! {
    #[test]
    fn goose_messages_come_back(
        drawn in proptest::collection::vec(
            (0_i64..40_000_000, 0_usize..3, 1_u32..3, proptest::collection::vec(any::<bool>(), 0..4)),
            0..80,
        ),
    ) {
        let mut drawn = drawn;
        drawn.sort();
        let data: Vec<Vec<Entry>> =
            drawn.iter().map(|one| one.3.iter().map(|bit| Entry::Bool(*bit)).collect()).collect();
        let controls = ["A$GO$1", "A$GO$2", "B$GO$1"];
        let messages = drawn.iter().zip(&data).map(|(one, data)| goose(one.0, controls[one.1], one.2, data));
        let messages: Vec<GooseMessage<'_>> = messages.collect();
        let mut gatherer = Gatherer::new(WINDOW_US);
        messages.iter().for_each(|message| gatherer.goose(message));
        prop_assert_eq!(gatherer.stats().messages, messages.len() as u64);
        let reports = through_json(gatherer);
        let mut back: Vec<GooseMessage<'_>> = reports.iter().flat_map(|report| match report {
            Report::Goose(report) => report.messages().collect::<Vec<_>>(),
            _ => vec![],
        }).collect();
        let mut sent = messages;
        let key = |one: &GooseMessage<'_>| format!("{one:?}");
        back.sort_by_key(key);
        sent.sort_by_key(key);
        prop_assert_eq!(back, sent);
    }

    #[test]
    fn mms_messages_come_back_in_order(
        drawn in proptest::collection::vec((0_i64..40_000_000, any::<bool>(), 0_u8..12, 0_u32..9, "[a-zé]{0,9}"), 0..80),
    ) {
        let mut drawn = drawn;
        drawn.sort();
        let (a, b) = (Host::v4([10, 0, 0, 1].into()), Host::v4([10, 0, 0, 2].into()));
        let messages: Vec<MmsMessage<'_>> = drawn.iter().map(|(ts_us, forth, pdu, invoke, item)| MmsMessage {
            ts_us: *ts_us,
            from: if *forth { a } else { b },
            to: if *forth { b } else { a },
            channel: 7,
            pdu: *pdu,
            service: (*pdu < 3).then_some(4),
            invoke: Some(*invoke),
            class: None,
            domain: "IED1",
            item,
        }).collect();
        let mut gatherer = Gatherer::new(WINDOW_US);
        messages.iter().for_each(|message| gatherer.mms(message));
        let reports = through_json(gatherer);
        let back: Vec<MmsMessage<'_>> = reports.iter().flat_map(|report| match report {
            Report::Mms(report) => report.messages().collect::<Vec<_>>(),
            _ => vec![],
        }).collect();
        prop_assert_eq!(back, messages);
    }
}

#[test]
fn what_finds_no_place_is_counted() {
    let mut gatherer = Gatherer::new(WINDOW_US);
    let data = [Entry::Bool(true)];
    for ts_us in 0..5_000 {
        gatherer.goose(&goose(ts_us, "A$GO$1", 1, &data));
    }
    assert!(gatherer.has_ended(WINDOW_US) && !gatherer.has_ended(WINDOW_US - 1));
    let reports = through_json(gatherer);
    let [report] = reports.as_slice() else { panic!("{}", reports.len()) };
    assert_eq!(report.count() + report.untold(), 5_000);
    assert!(report.untold() > 0);

    let mut gatherer = Gatherer::new(WINDOW_US);
    for revision in 0..100 {
        gatherer.goose(&goose(5, "A$GO$1", revision, &data));
    }
    let beyond = gatherer.stats().beyond;
    assert_eq!(gatherer.finish().iter().map(Report::count).sum::<u64>() + beyond, 100);
}
