//! Patterns: what is accepted, what is refused and where, and what matches.

use serde_json::{Value, json};
use stix::pattern::{MatchError, Matcher, Observed, Pattern};

#[test]
fn accepts_what_the_grammar_accepts() {
    for text in [
        "[file:size = 1280]",
        "[file:size == -1]",
        "[file:size <> +1.5]",
        "[a:b = .5]",
        "[file:extended_properties.'ntfs-ext'.sid = '234']",
        "[x:a[0].b[*].c[-1] = true]",
        "[ipv4-addr:value NOT ISSUBSET '192.168.0.1/24']",
        "[a:b IN ()]",
        "[EXISTS a:b AND NOT EXISTS a:'c-d'.e]",
        "[a:b = b'dGhpcyBpcyBhIHRlc3Q=' OR a:b = h'00fF' OR a:b = h'']",
        "[a:b = b'dGhpcyBp\r\ncyBhIHRlc3Q=\n']",
        "[x:created = t'2024-02-30T12:00:00Z']",
        "([a:b = 1]) WITHIN 5 SECONDS WITHIN 6.5 SECONDS",
        "[a:b = 1] START t'2016-06-01T01:30:00.123Z' STOP t'2016-06-01T02:20:60Z'",
        "( [(a:b IN(443,6443) AND a:c != 0) ] )REPEATS 2 TIMES",
        "[a:b = 'it\\'s \\\\ fine'] /* why */ AND // more\n [c:d = 1]",
        "[a:b = 'x']\u{a0}FOLLOWEDBY\u{3000}[c:d LIKE 'x%']",
    ] {
        let pattern = Pattern::check(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let printed = pattern.to_string();
        assert_eq!(Pattern::parse(&printed).as_ref(), Ok(&pattern), "{text} → {printed}");
    }
}

#[test]
fn refuses_the_rest_and_names_the_place() {
    for (text, column) in [
        ("", 1),
        ("file:size = 1280", 1),
        ("[file:size = ]", 14),
        ("[file.size = 1]", 6),
        ("[file:name MATCHES /x/]", 20),
        ("[a:b = 1] WITHIN 5 HOURS", 20),
        ("[a:b = 1] WITHIN -5 SECONDS", 18),
        ("[a:b = 1] WITHIN 0 SECONDS", 18),
        ("[a:b = 1] REPEATS 1.5 TIMES", 19),
        ("[a:b = 1] within 2 SECONDS", 11),
        ("[a:b = t'2457-73-22T32:81:84.1Z']", 8),
        ("[a:b = b'====']", 8),
        ("[a:b = h'abc']", 8),
        ("[a:b = 'open]", 8),
        ("[a:b = '\\n']", 9),
        ("[a:b-c = 1]", 4),
        ("[a:b = 007]", 8),
        ("[a:b < true]", 12),
        ("[NOT a:b = 1]", 6),
        ("[a:b NOT EXISTS]", 10),
        ("[a:b = 1] AND", 14),
        ("[a:b = 1] [c:d = 1]", 11),
        ("[a:b = 1] /* open", 11),
        ("[a:b = 1]\n AND [c:d ~ 2]", 11),
    ] {
        let error = Pattern::check(text).unwrap_err();
        assert_eq!(error.column, column, "{text}: {error}");
        assert!(!error.message.is_empty());
    }
    assert_eq!(Pattern::parse("[a:b = 1]\n AND [c:d ~ 2]").unwrap_err().line, 2);
    // what only the standard forbids is read, and told when it is checked
    for text in ["[file:hashes.'SHA-256' = 'f00']", "[a:b = 1] WITHIN 5 SECONDS WITHIN 6 SECONDS"] {
        assert!(Pattern::parse(text).is_ok() && Pattern::check(text).is_err(), "{text}");
    }
}

#[test]
fn bounds_are_errors() {
    let deep = format!("{}[a:b = 1]{}", "(".repeat(10_000), ")".repeat(10_000));
    let wide = format!("[a:b IN ({}1)]", "1,".repeat(50_000));
    let long = format!("[a:b = '{}']", "x".repeat(300_000));
    for text in [deep, wide, long] {
        assert!(Pattern::parse(&text).is_err());
    }
}

fn observed(n: u32, from_s: u32, to_s: u32, number: u64, refs: &[&str]) -> Value {
    json!({"type": "observed-data", "id": format!("observed-data--{n}"), "number_observed": number,
        "first_observed": format!("2026-01-01T00:{:02}:{:02}Z", from_s / 60, from_s % 60),
        "last_observed": format!("2026-01-01T00:{:02}:{:02}Z", to_s / 60, to_s % 60), "object_refs": refs})
}

fn bundle() -> Value {
    json!({"type": "bundle", "id": "bundle--1", "objects": [
        {"type": "ipv4-addr", "id": "ip", "value": "198.51.100.7"},
        {"type": "network-traffic", "id": "flow", "src_ref": "ip", "dst_ref": "gone", "dst_port": 23,
         "protocols": ["ipv4", "tcp"], "is_active": false, "start": "2026-01-01T00:00:00.5Z"},
        {"type": "file", "id": "file", "name": "cafe\u{301}.exe", "size": 12.0,
         "hashes": {"SHA-256": "aa"}, "contains_refs": ["gone", "ip", "ip2"],
         "extensions": {"x-ext": {"raw_hex": "00ff", "deep": [{"k": 1}, {"k": 2}]}}},
        {"type": "ipv6-addr", "id": "ip2", "value": "2001:db8::1"},
        {"type": "artifact", "id": "artifact", "payload_bin": "AAE="},
        observed(1, 0, 10, 1, &["ip", "flow"]),
        observed(2, 30, 40, 3, &["file", "ip2"]),
        observed(3, 100, 100, 1, &["artifact", "ip"]),
    ]})
}

fn matches(pattern: &str) -> Result<bool, MatchError> {
    let data = [bundle()];
    let pattern = Pattern::parse(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    Matcher::new(&pattern)?.matches(&Observed::read(&data).unwrap())
}

fn check(rows: &[(&str, bool)]) {
    for (pattern, expect) in rows {
        assert_eq!(matches(pattern), Ok(*expect), "{pattern}");
    }
}

#[test]
fn compares_by_type() {
    check(&[
        ("[ipv4-addr:value = '198.51.100.7']", true),
        ("[ipv4-addr:value != '198.51.100.7']", false),
        ("[ipv4-addr:value ISSUBSET '198.51.100.0/24']", true),
        ("[ipv4-addr:value ISSUPERSET '198.51.100.7/32']", true),
        ("[ipv4-addr:value ISSUBSET '2001:db8::/32']", false),
        ("[ipv4-addr:value = 1]", false),
        ("[ipv4-addr:value NOT = 1]", true),
        ("[ipv4-addr:value > 1]", false),
        ("[ipv4-addr:value NOT > 1]", true),
        ("[network-traffic:dst_port IN (22, 23.0)]", true),
        ("[network-traffic:dst_port >= 23 AND network-traffic:dst_port < 23.5]", true),
        ("[network-traffic:is_active = false]", true),
        ("[network-traffic:protocols[*] = 'tcp']", true),
        ("[network-traffic:protocols[0] = 'tcp']", false),
        ("[network-traffic:protocols[-1] = 'tcp']", false),
        ("[network-traffic:start = t'2026-01-01T00:00:00.500Z']", true),
        ("[network-traffic:start > t'2026-01-01T00:00:00Z']", true),
        ("[file:size = 12]", true),
        ("[file:name LIKE 'caf_.e%']", true),
        ("[file:name LIKE 'CAF%']", false),
        ("[file:name MATCHES '^caf\u{e9}']", true),
        ("[file:name MATCHES '(?<!x)\\\\.exe$']", true),
        ("[file:extensions.'x-ext'.raw_hex = h'00ff']", true),
        ("[file:extensions.'x-ext'.raw_hex = '\u{0}\u{ff}']", true),
        ("[file:extensions.'x-ext'.deep[*].k = 2]", true),
        ("[artifact:payload_bin = b'AAE=']", true),
        ("[artifact:payload_bin < h'0002']", true),
        ("[artifact:payload_bin = '\u{0}\u{1}']", true),
    ]);
}

#[test]
fn one_object_must_make_all_of_it_true() {
    check(&[
        (
            "[network-traffic:dst_port = 23 AND network-traffic:src_ref.value = '198.51.100.7']",
            true,
        ),
        ("[network-traffic:dst_port = 23 AND ipv4-addr:value = '198.51.100.7']", false),
        ("[network-traffic:dst_port = 24 OR ipv4-addr:value = '198.51.100.7']", true),
        ("[network-traffic:dst_ref.value = 'x']", false),
        ("[network-traffic:src_ref.type = 'ipv4-addr']", true),
        // references that lead nowhere, or to what the observation does not list (§9.7.4), are no items
        ("[file:contains_refs[0].value = '2001:db8::1']", true),
        ("[file:contains_refs[*].value = '198.51.100.7']", false),
        ("[EXISTS file:hashes.'SHA-256']", true),
        ("[NOT EXISTS file:hashes.MD5]", true),
        ("[NOT EXISTS file:hashes.'SHA-256']", false),
        ("[NOT EXISTS url:value]", false),
        ("[EXISTS network-traffic:src_ref]", true),
        // a reference is there although its object is not listed; what stands in that object is not
        ("[EXISTS network-traffic:dst_ref]", true),
        ("[NOT EXISTS network-traffic:dst_ref]", false),
        ("[NOT EXISTS network-traffic:dst_ref.value]", true),
        ("[EXISTS file:contains_refs]", true),
        ("[NOT EXISTS file:parent_directory_ref]", true),
    ]);
}

#[test]
fn each_part_has_an_observation_of_its_own() {
    let (ip, file) = ("[ipv4-addr:value = '198.51.100.7']", "[file:size = 12]");
    let rows = [
        (format!("{ip} AND {ip}"), true),
        (format!("{ip} AND {ip} AND {ip}"), false),
        (format!("{file} REPEATS 3 TIMES"), true),
        (format!("{file} REPEATS 4 TIMES"), false),
        (format!("{file} REPEATS 2 TIMES REPEATS 2 TIMES"), false),
        (format!("({file} OR {ip}) REPEATS 5 TIMES"), true),
        (format!("({file} OR {ip}) REPEATS 6 TIMES"), false),
        (format!("({file} AND {ip}) REPEATS 2 TIMES"), true),
        (format!("({file} AND {ip}) REPEATS 3 TIMES"), false),
        (format!("{ip} FOLLOWEDBY {file} FOLLOWEDBY {ip}"), true),
        (format!("{ip} FOLLOWEDBY {ip} FOLLOWEDBY {file}"), false),
        (format!("({file} FOLLOWEDBY {ip}) WITHIN 60 SECONDS"), true),
        (format!("({file} FOLLOWEDBY {ip}) WITHIN 59.9 SECONDS"), false),
        (format!("({ip} AND {file}) WITHIN 20 SECONDS"), true),
        // the window holds what it qualifies, not what follows
        (format!("({ip} AND {file}) WITHIN 20 SECONDS FOLLOWEDBY {ip}"), true),
        (format!("{ip} START t'2026-01-01T00:01:00Z' STOP t'2026-01-01T00:01:40Z'"), false),
        (format!("{ip} START t'2026-01-01T00:01:40Z' STOP t'2026-01-01T00:01:41Z'"), true),
        (format!("{ip} START t'2026-01-01T00:01:40Z' STOP t'2026-01-01T00:01:40Z'"), false),
    ];
    for (pattern, expect) in rows {
        assert_eq!(matches(&pattern), Ok(expect), "{pattern}");
    }
}

#[test]
fn what_has_no_meaning_or_passes_a_bound_is_an_error() {
    for pattern in [
        "[a:b = t'2023-02-29T12:00:00Z']",
        "[a:b IN (1, 'x')]",
        "[ipv4-addr:value MATCHES '(']",
        "[ipv4-addr:value ISSUBSET 'nowhere']",
        "[ipv4-addr:value ISSUBSET '198.51.100.0/33']",
        "[ipv4-addr:value MATCHES '(x{1000}){1000}']",
    ] {
        assert!(matches(pattern).is_err(), "{pattern}");
    }
    let many: Vec<Value> = (0..40).map(|n| observed(n, 0, 0, 1, &["ip"])).collect();
    let mut data = vec![json!({"type": "ipv4-addr", "id": "ip", "value": "198.51.100.7"})];
    data.extend(many);
    // half of them have to be earlier than the others, which never holds in so many ways
    let part = "([ipv4-addr:value = '198.51.100.7'] AND [ipv4-addr:value = '198.51.100.7'])";
    let text = format!("{} AND [ipv4-addr:value = 'x']", [part; 12].join(" AND "));
    let matcher = Matcher::new(&Pattern::parse(&text).unwrap()).unwrap();
    let found = matcher.matches(&Observed::read(&data).unwrap());
    assert!(matches!(found, Ok(false) | Err(MatchError::Steps(_))), "{found:?}");
}

#[test]
fn data_that_lacks_what_a_pattern_needs_is_named() {
    let lacking = |change: &dyn Fn(&mut Value)| {
        let mut object = observed(7, 0, 0, 1, &[]);
        change(&mut object);
        let data = [object];
        Observed::read(&data).unwrap_err().to_string()
    };
    let remove =
        |name: &'static str| lacking(&|object| drop(object.as_object_mut().unwrap().remove(name)));
    for (error, word) in [
        (remove("first_observed"), "first_observed"),
        (remove("number_observed"), "number_observed"),
        (remove("object_refs"), "object_refs"),
        (lacking(&|o| o["number_observed"] = json!(0)), "number_observed"),
        (lacking(&|o| o["last_observed"] = json!("2020-01-01T00:00:00Z")), "last_observed"),
    ] {
        assert!(error.contains(word) && error.contains("observed-data--7"), "{error}");
    }
    assert!(Observed::read(&[json!(7)]).is_err());
    assert!(Observed::read(&[json!({"type": "bundle", "objects": 7})]).is_err());
}

fn many(count: u32) -> Vec<Value> {
    let mut data = vec![
        json!({"type": "ipv4-addr", "id": "ip", "value": "198.51.100.7"}),
        json!({"type": "ipv6-addr", "id": "ip2", "value": "2001:db8::1"}),
    ];
    data.extend((0..count).map(|n| observed(n, n % 3_000, n % 3_000, 1, &["ip"])));
    data.push(observed(count, 3_500, 3_500, 1, &["ip2"]));
    data
}

#[test]
fn ten_thousand_observations_are_no_combinations() {
    let data = many(10_000);
    let observed = Observed::read(&data).unwrap();
    let (ip, other) = ("[ipv4-addr:value = '198.51.100.7']", "[ipv6-addr:value = '2001:db8::1']");
    for (pattern, expect) in [
        (format!("{ip} REPEATS 10000 TIMES"), Ok(true)),
        (format!("{ip} REPEATS 10001 TIMES"), Ok(false)),
        // four seconds of three or four observations each
        (format!("{ip} REPEATS 16 TIMES WITHIN 3 SECONDS"), Ok(true)),
        (format!("{ip} REPEATS 17 TIMES WITHIN 3 SECONDS"), Ok(false)),
        (
            format!(
                "{ip} REPEATS 4 TIMES START t'2026-01-01T00:16:38Z' STOP t'2026-01-01T00:16:39Z'"
            ),
            Ok(true),
        ),
        (
            format!(
                "{ip} REPEATS 5 TIMES START t'2026-01-01T00:16:38Z' STOP t'2026-01-01T00:16:39Z'"
            ),
            Ok(false),
        ),
        (format!("{ip} REPEATS 5000 TIMES AND {ip} REPEATS 5000 TIMES"), Ok(true)),
        (format!("{other} FOLLOWEDBY {ip}"), Ok(false)),
        (format!("{ip} FOLLOWEDBY {other}"), Ok(true)),
        (format!("({ip} FOLLOWEDBY {other}) WITHIN 500 SECONDS"), Ok(false)),
        (format!("({ip} FOLLOWEDBY {other}) WITHIN 501 SECONDS"), Ok(true)),
        (format!("({ip} FOLLOWEDBY {ip} FOLLOWEDBY {other}) WITHIN 501 SECONDS"), Ok(true)),
    ] {
        let matcher = Matcher::new(&Pattern::parse(&pattern).unwrap()).unwrap();
        assert_eq!(matcher.matches(&observed), expect, "{pattern}");
    }
    // what is bound inside each other takes stack, and is an error before there is none left
    let data = many(1_000);
    let deep = format!("{ip}{}", format!(" AND {ip}").repeat(600));
    let matcher = Matcher::new(&Pattern::parse(&deep).unwrap()).unwrap();
    let found = matcher.matches(&Observed::read(&data).unwrap());
    assert!(matches!(found, Err(MatchError::Bound(_))));
}

/// The only `y` is in the earliest of many: it must be left for the second part.
#[test]
fn passing_over_an_observation_takes_no_stack() {
    let mut data = many(600);
    data.push(json!({"type": "file", "id": "file", "name": "y"}));
    data[2]["object_refs"] = json!(["ip", "file"]);
    let observed = Observed::read(&data).unwrap();
    let answer = |times: u32| {
        let text = format!(
            "[ipv4-addr:value = '198.51.100.7'] REPEATS {times} TIMES AND [file:name = 'y']"
        );
        Matcher::new(&Pattern::parse(&text).unwrap()).unwrap().matches(&observed)
    };
    assert_eq!(answer(2), Ok(true));
    assert_eq!(answer(3), Ok(true));
}

#[test]
fn references_in_circles_end_in_an_error() {
    let ids: Vec<String> = (0..20).map(|n| format!("p{n}")).collect();
    let mut data: Vec<Value> = ids
        .iter()
        .map(|id| json!({"type": "process", "id": id, "child_refs": ids, "pid": 7}))
        .collect();
    let refs: Vec<&str> = ids.iter().map(String::as_str).collect();
    data.push(observed(1, 0, 0, 1, &refs));
    let observed = Observed::read(&data).unwrap();
    let answer = |steps: usize, pid: u32| {
        let text = format!("[process:{}pid = {pid}]", "child_refs[*].".repeat(steps));
        Matcher::new(&Pattern::parse(&text).unwrap()).unwrap().matches(&observed)
    };
    assert_eq!(answer(12, 7), Ok(true));
    assert_eq!(answer(2, 8), Ok(false));
    assert!(matches!(answer(12, 8), Err(MatchError::Values(_))));
}

#[test]
fn regular_expressions_as_the_standard_asks_for() {
    let data = [
        json!({"type": "artifact", "id": "a", "text": "one\ntwo", "payload_bin": "1MOyoQIABAA="}),
        observed(1, 0, 0, 1, &["a"]),
    ];
    let observed = Observed::read(&data).unwrap();
    for (pattern, expect) in [
        // §9.6.1: DOTALL
        ("[artifact:text MATCHES 'one.two']", true),
        ("[artifact:text LIKE 'one_two']", true),
        // §9.8: the header of a capture
        (r"[artifact:payload_bin MATCHES '\\xd4\\xc3\\xb2\\xa1\\x02\\x00\\x04\\x00']", true),
        (r"[artifact:payload_bin MATCHES '^\\w']", false),
        (r"[artifact:payload_bin MATCHES '(?<=\\xd4)\\xc3']", true),
    ] {
        let matcher = Matcher::new(&Pattern::parse(pattern).unwrap()).unwrap();
        assert_eq!(matcher.matches(&observed), Ok(expect), "{pattern}");
    }
}

#[test]
fn numbers_compare_exactly() {
    let data = [
        json!({"type": "x", "id": "a", "max": u64::MAX, "big": 9_007_199_254_740_993_i64, "half": 0.5}),
        observed(1, 0, 0, 1, &["a"]),
    ];
    let observed = Observed::read(&data).unwrap();
    for (pattern, expect) in [
        ("[x:max = 9223372036854775807]", false),
        ("[x:max > 9223372036854775807]", true),
        ("[x:big = 9007199254740993]", true),
        ("[x:big = 9007199254740992.0]", false),
        ("[x:big > 9007199254740992.0]", true),
        ("[x:half < 1 AND x:half > 0 AND x:half != 0]", true),
    ] {
        let matcher = Matcher::new(&Pattern::parse(pattern).unwrap()).unwrap();
        assert_eq!(matcher.matches(&observed), Ok(expect), "{pattern}");
    }
}

#[test]
fn what_can_never_match_is_told() {
    let told = |text: &str| Pattern::parse(text).unwrap().cautions().join("; ");
    for (text, word) in [
        (
            "[network-traffic:dst_port = 23 AND ipv4-addr:value = '1']",
            "network-traffic and ipv4-addr",
        ),
        ("[(a:b = 1 OR c:d = 1) AND e:f = 1]", "a or c and e"),
        ("[a:b = 1] START t'2026-01-02T00:00:00Z' STOP t'2026-01-02T00:00:00Z'", "not before STOP"),
        (
            "[a:b = 1] START t'2026-02-30T00:00:00Z' STOP t'2026-03-02T00:00:00Z'",
            "a day that is none",
        ),
        ("[a:b IN ()]", "empty set"),
    ] {
        assert!(told(text).contains(word), "{text}: {}", told(text));
    }
    for text in [
        "[(a:b = 1 OR c:d = 2) AND (a:b = 2 OR c:d = 1)]",
        "[a:b = 1 AND (a:b = 2 OR c:d = 1)]",
        "[a:b = 1] AND [c:d = 1] START t'2026-01-01T00:00:00Z' STOP t'2026-01-02T00:00:00Z'",
        "[a:b NOT IN ()]",
    ] {
        assert_eq!(told(text), "", "{text}");
    }
}
