//! The language from outside: what it reads, refuses and writes.
#![allow(clippy::unwrap_used)]

use lists::sample::LIST;
use lists::{Asker, Rarity, Sql, Value, condition, parse, print, probes};
use proptest::prelude::*;

const NOW: i64 = 1_000_000_000_000_000;
const ASKER: Asker<'_> = Asker { now_us: NOW, me: "ana" };

fn sql(text: &str) -> Sql {
    let mut sql = Sql::default();
    condition(&mut sql, &parse(text, &LIST, ASKER).unwrap(), &LIST, &[]);
    sql
}

fn check(text: &str, expect: &str, values: &[Value]) {
    let sql = sql(text);
    assert_eq!((sql.text.as_str(), sql.values.as_slice()), (expect, values), "{text}");
}

fn texts(all: &[&str]) -> Vec<Value> {
    all.iter().map(|text| Value::Text((*text).to_owned())).collect()
}

#[test]
fn terms_become_conditions_with_parameters() {
    check("", "1 = 1", &[]);
    check("state:new,Triaged", "+l.state IN ($1, $2)", &texts(&["new", "triaged"]));
    check("-owner:me", "NOT (+l.owner IN ($1))", &texts(&["ana"]));
    check("owner:\"me\"", "+l.owner IN ($1)", &texts(&["me"]));
    check("owner:none", "+l.owner IN ($1)", &texts(&[""]));
    check("severity>=high", "((+l.severity >= $1))", &[Value::Whole(2)]);
    check(
        "severity:low..medium",
        "((+l.severity BETWEEN $1 AND $2))",
        &[Value::Whole(0), Value::Whole(1)],
    );
    check("opened>-1h", "((+l.recorded_at >= $1))", &[Value::Whole(NOW - 3_600_000_000 + 1)]);
    check("opened:-1h", "((+l.recorded_at >= $1))", &[Value::Whole(NOW - 3_600_000_000)]);
    check(
        "opened:1970-01-02",
        "((+l.recorded_at BETWEEN $1 AND $2))",
        &[Value::Whole(86_400_000_000), Value::Whole(172_799_999_999)],
    );
    check(
        "score:2..5",
        "((+l.score >= $1 AND +l.score <= $2))",
        &[Value::Real(2.0), Value::Real(5.0)],
    );
    check("is:open OR score>3", "(((l.open = 1)) OR ((+l.score > $1)))", &[Value::Real(3.0)]);
}

#[test]
fn texts_go_to_the_full_text_in_quotes_of_its_own() {
    let found = sql("device:\"Tram stop*\" scan* \"a) OR b\"");
    assert!(!found.text.contains("Tram") && !found.text.contains("OR"), "{}", found.text);
    assert_eq!(found.values, texts(&["{device} : (\"Tram stop\"*)", "\"scan\"*", "\"a) OR b\""]));
}

#[test]
fn the_rarest_term_leads_and_the_others_are_hidden_from_the_indexes() {
    let query = parse("severity:high peer:10.0.0.9 scan", &LIST, ASKER).unwrap();
    let asked: Vec<usize> = probes(&query, &LIST, 100).iter().map(|probe| probe.term).collect();
    assert_eq!(asked, [0, 1, 2]);
    let mut sql = Sql::default();
    condition(&mut sql, &query, &LIST, &[Rarity::Common, Rarity::Rare(3), Rarity::Rare(40)]);
    assert_eq!(
        sql.text,
        "((+l.severity = $1)) AND l.seq IN (SELECT seq FROM sample_marks WHERE kind = 'peer' AND value IN ($2)) \
         AND +l.seq IN (SELECT rowid FROM sample_text WHERE sample_text MATCH $3)"
    );
}

#[test]
fn a_refusal_names_the_place_and_the_remedy() {
    for (text, at, remedy) in [
        ("a (b", 5, "add `)`"),
        ("a b)", 4, "take it out"),
        ("\"open", 1, "add `\"`"),
        ("colour:red", 1, "fields are state"),
        ("x severity:purple", 12, "low to critical"),
        ("state<new", 1, "write state:value"),
        ("opened:yesterday", 8, "a day, a time, or -7d"),
        ("OR", 1, "write a word"),
        ("state:", 7, "it takes"),
        ("state:new,,closed", 11, "takes"),
        ("a OR", 5, "write a word"),
        ("--", 3, "write a word"),
        ("severity>low,high", 1, "comma"),
        ("x*", 1, "write more"),
        ("score:NaN", 7, "a number"),
        ("opened:-9999999999d", 8, "a day"),
        ("=x", 1, "field:value"),
    ] {
        let error = parse(text, &LIST, ASKER).unwrap_err();
        assert_eq!(error.at, at, "{text}: {error}");
        assert!(error.remedy.contains(remedy) || text == "state:", "{text}: {error}");
    }
}

#[test]
fn what_has_no_end_is_refused() {
    for text in [
        "(".repeat(40),
        "a ".repeat(20),
        "state:new ".repeat(70),
        "é".repeat(3_000),
        format!("state:{}", "new,".repeat(40)),
    ] {
        let error = parse(&text, &LIST, ASKER).unwrap_err();
        assert!(error.to_string().contains("MAX_"), "{error}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_and_prints_back(text in "\\PC{0,80}") {
        lists::fuzz::query(text.as_bytes());
    }

    #[test]
    fn signs_of_the_language_never_break_it(text in "([a-z():<>=\"*,.$';-]| |state:|severity|peer:|device:|is:open|OR |NOT ){0,40}") {
        lists::fuzz::query(text.as_bytes());
    }

    #[test]
    fn sensible_queries_print_back(parts in prop::collection::vec("(-)?(state:(new|closed|new,triaged)|severity(>=|<|:)high|device:\"[a-zé ]{1,9}x\"|owner:(me|none|\"me\"|ana)|opened(>|:|<=)(-24h|2026-01-02)|score:[0-9]{1,3}\\.\\.|peer:10\\.0\\.0\\.[0-9]|[a-z]{2,8}\\*?)", 1..8), between in prop::sample::select(vec![" ", " OR "])) {
        let text = parts.join(between);
        let Ok(query) = parse(&text, &LIST, ASKER) else { return Ok(()) };
        let printed = print(&query, &LIST);
        prop_assert_eq!(parse(&printed, &LIST, ASKER).unwrap(), query);
        lists::fuzz::query(text.as_bytes());
    }
}

#[test]
fn the_corpus_is_held() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/lists");
    let files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(files.len() >= 6, "the corpus holds {} files", files.len());
    for file in files {
        let data = std::fs::read(&file).unwrap();
        for end in 0..=data.len() {
            lists::fuzz::query(&data[..end]);
        }
    }
}
