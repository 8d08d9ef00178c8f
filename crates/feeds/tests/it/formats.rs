//! Plain lists, separated values, JSON, the catalogue of known exploited vulnerabilities.

use std::ops::ControlFlow;

use feeds::csv::{Column, Csv};
use feeds::json::{Field, Json, Layout};
use feeds::plain::{Plain, Separator};
use feeds::record::{DEFAULT_LIMITS, End, Item, Kinds, Limits, Place, Record};
use feeds::value::{Kind, Observable};
use feeds::{Seen, csv, freetext, json, kev, plain};
use proptest::prelude::*;

use crate::{all, fixture};

fn values(records: &[Record]) -> Vec<&str> {
    records.iter().map(|record| record.observable.value()).collect()
}

#[test]
fn a_plain_list() {
    let bytes = fixture("plain.txt");
    let format = Plain { score: Some(1), comment: Some(2), refang: true, ..Plain::default() };
    let (records, rejects, summary) = all(|s| plain::read(&*bytes, &format, DEFAULT_LIMITS, s));
    assert_eq!(
        values(&records),
        [
            "198.51.100.7",
            "203.0.113.0/24",
            "evil.example",
            "2001:db8::1",
            "http://bad.example/a#frag"
        ]
    );
    assert_eq!((records[0].score, records[0].comment.as_deref()), (Some(5.0), Some("first")));
    assert_eq!(records[2].comment.as_deref(), Some("seen in March"));
    assert_eq!(records[2].place, Place::Line(6));
    let told: Vec<_> = rejects.iter().map(|r| (r.place.clone(), r.reason.code())).collect();
    assert_eq!(told, [(Place::Line(7), "unknown-kind"), (Place::Line(8), "wildcard")]);
    assert_eq!((summary.counts.skipped, summary.counts.unread_scores), (3, 1));
    assert!(summary.is_complete());
    assert_eq!(summary.counts.bytes, bytes.len() as u64);
}

#[test]
fn a_hosts_file_and_broken_lines() {
    let text =
        b"\xef\xbb\xbf0.0.0.0 a.example\r\n0.0.0.0\r\n0.0.0.0 \xff.example\n0.0.0.0 b.example";
    let format = Plain { value: 1, kinds: Kinds::OneOf(vec![Kind::Domain]), ..Plain::default() };
    let (records, rejects, _) = all(|s| plain::read(&text[..], &format, DEFAULT_LIMITS, s));
    assert_eq!(values(&records), ["a.example", "b.example"]);
    let codes: Vec<_> = rejects.iter().map(|reject| reject.reason.code()).collect();
    assert_eq!(codes, ["missing-field", "not-utf8"]);
    let long = format!("{}\n198.51.100.1\n", "a".repeat(100));
    let limits = Limits { max_record_bytes: 50, ..DEFAULT_LIMITS };
    let (records, rejects, _) = all(|s| plain::read(long.as_bytes(), &Plain::default(), limits, s));
    assert_eq!((records.len(), rejects[0].reason.code()), (1, "too-long"));
    let limits = Limits { max_bytes: 110, ..DEFAULT_LIMITS };
    let (_, _, summary) =
        all::<Record>(|s| plain::read(long.as_bytes(), &Plain::default(), limits, s));
    assert!(matches!(summary.end, End::Broken { place: Place::Line(2), .. }), "{:?}", summary.end);
}

#[test]
fn separated_values_with_header_quotes_and_kinds() {
    let bytes = fixture("list.csv");
    let named = |name: &str| Column::Named(name.into());
    let format = Csv {
        header: true,
        value: named("ioc_value"),
        kind: Some(named("IOC_type")),
        score: Some(named("confidence")),
        remark: Some(named("comment")),
        first_seen: Some(named("first_seen_utc")),
        tags: Some(named("tags")),
        ..Csv::default()
    };
    let (records, rejects, summary) = all(|s| csv::read(&*bytes, &format, DEFAULT_LIMITS, s));
    assert_eq!(
        values(&records),
        ["198.51.100.7:8080", "evil.example", "d41d8cd98f00b204e9800998ecf8427e"]
    );
    assert_eq!(records[0].comment.as_deref(), Some(r#"said "quoted", with comma"#));
    assert_eq!(records[0].tags, ["elf", "mirai"]);
    assert_eq!(records[0].first_seen.as_deref(), Some("2026-01-02 03:04:05"));
    assert_eq!(records[1].comment.as_deref(), Some("two\nlines"));
    assert_eq!(records[2].place, Place::Line(8));
    let told: Vec<_> = rejects.iter().map(|r| (r.place.clone(), r.reason.code())).collect();
    assert_eq!(told, [(Place::Line(6), "other-kind"), (Place::Line(7), "unknown-kind-name")]);
    assert_eq!(summary.counts.unread_scores, 1);
    let missing = Csv { value: named("nowhere"), ..format };
    let (_, _, summary) = all::<Record>(|s| csv::read(&*bytes, &missing, DEFAULT_LIMITS, s));
    assert!(matches!(&summary.end, End::Broken { reason, .. } if reason.contains("nowhere")));
}

#[test]
fn an_open_quote_costs_one_record() {
    let mut text = String::from("198.51.100.1,a\n\"198.51.100.2,b\n");
    for n in 3..60 {
        text.push_str(&format!("198.51.100.{n},c\n"));
    }
    let (records, rejects, _) =
        all(|s| csv::read(text.as_bytes(), &Csv::default(), DEFAULT_LIMITS, s));
    assert_eq!((records.len(), rejects.len()), (58, 1));
    assert_eq!((&rejects[0].place, rejects[0].reason.code()), (&Place::Line(2), "open-quote"));
    let wide = format!("{}\n198.51.100.1\n", ",".repeat(300));
    let (records, rejects, _) =
        all(|s| csv::read(wide.as_bytes(), &Csv::default(), DEFAULT_LIMITS, s));
    assert_eq!((records.len(), rejects[0].reason.code()), (1, "too-many-fields"));
}

#[test]
fn json_by_path() {
    let bytes = fixture("list.json");
    let format = Json {
        layout: Layout::Path("/data/*".into()),
        value: Field::at("/indicator"),
        kind: Some(Field::at("/type")),
        score: Some(Field::at("/score")),
        tags: Some(Field::at("/tags")),
        ..Json::default()
    };
    let (records, rejects, summary) = all(|s| json::read(&*bytes, &format, DEFAULT_LIMITS, s));
    assert_eq!(values(&records), ["evil.example", "198.51.100.7"]);
    assert_eq!((records[0].score, records[1].score), (Some(80.0), Some(12.5)));
    assert_eq!(
        (&records[0].tags[..], &records[1].tags[..]),
        (&["a".into(), "b".into()][..], &["c".into(), "d".into()][..])
    );
    let told: Vec<_> = rejects.iter().map(|r| (r.place.to_string(), r.reason.code())).collect();
    assert_eq!(told, [("/data/2".into(), "other-kind"), ("/data/3".into(), "missing-field")]);
    assert!(summary.is_complete());
    let wrong = Json { layout: Layout::Path("/date/*".into()), ..format };
    let (_, _, summary) = all::<Record>(|s| json::read(&*bytes, &wrong, DEFAULT_LIMITS, s));
    assert!(matches!(summary.end, End::Broken { .. }), "a wrong path is told");
}

#[test]
fn json_keyed_by_value_and_by_lines() {
    let keyed = br#"{"1":[{"v":"a.example"}],"2":[{"v":"b.example"},{"v":"c.example"}]}"#;
    let format =
        Json { layout: Layout::Path("/*/*".into()), value: Field::at("/v"), ..Json::default() };
    let (records, _, _) = all(|s| json::read(&keyed[..], &format, DEFAULT_LIMITS, s));
    assert_eq!(values(&records), ["a.example", "b.example", "c.example"]);
    let by_key = br#"{"http://x.example/~a":{"n":1},"a.example":{"n":2}}"#;
    let format = Json { value: Field::Key, score: Some(Field::at("/n")), ..Json::default() };
    let (records, _, _) = all(|s| json::read(&by_key[..], &format, DEFAULT_LIMITS, s));
    assert_eq!(values(&records), ["http://x.example/~a", "a.example"]);
    let lines = b"\"a.example\"\n\n{broken\n\"b.example\"\n";
    let format = Json { layout: Layout::Lines, ..Json::default() };
    let (records, rejects, summary) = all(|s| json::read(&lines[..], &format, DEFAULT_LIMITS, s));
    assert_eq!((values(&records), rejects.len()), (vec!["a.example", "b.example"], 1));
    assert_eq!(summary.counts.skipped, 1);
}

#[test]
fn json_that_is_hostile_breaks_off_and_keeps_what_was_read() {
    let deep = format!("[\"a.example\",{}", "[".repeat(10_000));
    let long = format!("[\"a.example\",\"{}\"]", "x".repeat(1 << 20));
    let cut = "[\"a.example\",\"b.exa".to_owned();
    let trailing = "[\"a.example\"] x".to_owned();
    for text in [deep, long, cut, trailing] {
        let (records, _, summary) =
            all(|s| json::read(text.as_bytes(), &Json::default(), DEFAULT_LIMITS, s));
        assert_eq!(values(&records), ["a.example"]);
        assert!(matches!(summary.end, End::Broken { .. }));
    }
}

#[test]
fn known_exploited_vulnerabilities() {
    let bytes = fixture("kev.json");
    let (records, rejects, _) = all(|s| kev::read(&*bytes, DEFAULT_LIMITS, s));
    let ids: Vec<_> = records.iter().map(|entry| entry.cve.as_str()).collect();
    assert_eq!(ids, ["CVE-2024-0001", "CVE-2024-0003"]);
    assert!(records[0].used_by_ransomware() && !records[1].used_by_ransomware());
    let places: Vec<_> = rejects.iter().map(|reject| reject.place.to_string()).collect();
    assert_eq!(places, ["/vulnerabilities/1", "/vulnerabilities/2"]);
}

#[test]
fn free_text_gives_what_is_beyond_doubt() {
    let text = "seen: hxxp://evil[.]top/x and 10.0.0.1\nnothing here\n";
    let format = freetext::FreeText::default();
    let (records, rejects, summary) =
        all(|s| freetext::read(text.as_bytes(), &format, DEFAULT_LIMITS, s));
    assert_eq!(values(&records), ["http://evil.top/x"]);
    assert!(rejects[0].reason.to_string().contains("not-public"), "{:?}", rejects);
    assert_eq!(summary.counts.skipped, 1);
}

#[test]
fn a_full_queue_stops_the_reader() {
    let text = "198.51.100.1\n198.51.100.2\n198.51.100.3\n";
    let mut taken = 0;
    let mut sink = |_: Item| {
        taken += 1;
        if taken == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let summary = plain::read(text.as_bytes(), &Plain::default(), DEFAULT_LIMITS, &mut sink);
    assert_eq!((summary.end, summary.counts.records), (End::Stopped, 2));
    let mut stop = |_: Item| ControlFlow::Break(());
    let summary =
        json::read(&b"[\"a.example\",1]"[..], &Json::default(), DEFAULT_LIMITS, &mut stop);
    assert_eq!((summary.end, summary.counts.records), (End::Stopped, 1));
}

proptest! {
    #[test]
    fn separated_values_read_back(
        rows in prop::collection::vec(("[a-z]{1,8}", "[ -~\n\"]{0,20}"), 0..20)
    ) {
        let mut text = String::new();
        for (name, remark) in &rows {
            text.push_str(&format!("{name}.example,\"{}\"\n", remark.replace('"', "\"\"")));
        }
        let format = Csv { remark: Some(Column::At(1)), comment: None, ..Csv::default() };
        let (records, rejects, _) = all(|s| csv::read(text.as_bytes(), &format, DEFAULT_LIMITS, s));
        prop_assert!(rejects.iter().all(|reject| reject.reason.code() == "open-quote"));
        if rows.iter().all(|(_, remark)| remark.matches('\n').count() < csv::MAX_RECORD_LINES) {
            prop_assert!(rejects.is_empty());
            for (record, (name, remark)) in records.iter().zip(&rows) {
                prop_assert_eq!(record.observable.value(), format!("{name}.example"));
                prop_assert_eq!(record.comment.as_deref().unwrap_or(""), remark.trim());
            }
            prop_assert_eq!(records.len(), rows.len());
        }
    }

    #[test]
    fn every_line_is_a_record_a_reject_or_skipped(text in "[ -~\n]{0,200}") {
        let (records, rejects, summary) = all::<Record>(|s| {
            plain::read(text.as_bytes(), &Plain { separator: Separator::None, ..Plain::default() }, DEFAULT_LIMITS, s)
        });
        let total = records.len() as u64 + rejects.len() as u64 + summary.counts.skipped;
        prop_assert_eq!(total, text.lines().count() as u64);
    }

    #[test]
    fn seen_agrees_with_a_set(hosts in prop::collection::vec("[ab]{1,3}", 0..50)) {
        let mut set = std::collections::HashSet::new();
        let mut seen = Seen::new(1_000);
        for host in &hosts {
            let observable = Observable::of_kind(Kind::Domain, &format!("{host}.Example")).unwrap();
            prop_assert_eq!(seen.insert(&observable), Ok(set.insert(host.clone())));
        }
        prop_assert_eq!(seen.len(), set.len());
    }
}
