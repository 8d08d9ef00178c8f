//! Laws of patterns: printing, normal form, index and live matching agree with the matcher.

use proptest::prelude::*;
use serde_json::{Value, json};
use stix::pattern::index::{Found, Held, Index};
use stix::pattern::live::Live;
use stix::pattern::{
    Comparison, Constant, Expression, Matcher, Observed, Op, Path, Pattern, Qualifier, Step, Test,
    equivalent,
};

fn path() -> impl Strategy<Value = Path> {
    let key = prop_oneof![
        Just("a"),
        Just("b"),
        Just("x-y"),
        Just("IN"),
        Just("it's"),
        Just("o_ref"),
        Just("o_refs"),
        Just("c_hex")
    ];
    let step = prop_oneof![
        4 => key.prop_map(|k| Step::Key(k.into())),
        1 => Just(Step::Any),
        1 => (0_i64..2).prop_map(Step::Index),
    ];
    (prop_oneof![Just("t"), Just("u-v")], proptest::collection::vec(step, 0..4)).prop_map(
        |(kind, rest)| {
            let mut steps = rest;
            if !matches!(steps.first(), Some(Step::Key(_))) {
                steps.insert(0, Step::Key("a".into()));
            }
            Path { kind: kind.into(), steps }
        },
    )
}

fn constant() -> impl Strategy<Value = Constant> {
    prop_oneof![
        (0_i64..3).prop_map(Constant::Integer),
        (0_i64..3).prop_map(|n| Constant::Float(n as f64 / 2.0)),
        prop_oneof![Just("x"), Just("y'\\"), Just("é"), Just("10.0.0.1"), Just("00ff")]
            .prop_map(|t| Constant::Text(t.into())),
        Just(Constant::Timestamp("2026-01-01T00:00:00Z".into())),
        proptest::collection::vec(any::<u8>(), 1..3).prop_map(Constant::Binary),
        proptest::collection::vec(any::<u8>(), 0..3).prop_map(Constant::Hex),
    ]
}

fn test() -> impl Strategy<Value = Test> {
    let text = || prop_oneof![Just("x"), Just("%"), Just("_y%")].prop_map(str::to_owned);
    let op = prop_oneof![
        4 => constant().prop_map(Op::Equal),
        2 => constant().prop_map(Op::NotEqual),
        1 => constant().prop_map(Op::Less),
        1 => constant().prop_map(Op::GreaterOrEqual),
        1 => proptest::collection::vec((0_i64..3).prop_map(Constant::Integer), 0..3).prop_map(Op::In),
        2 => proptest::collection::vec(
            prop_oneof![Just("x"), Just("10.0.0.1"), Just("00ff")], 1..3
        ).prop_map(|set| Op::In(set.into_iter().map(|t| Constant::Text(t.into())).collect())),
        2 => prop_oneof![Just("10.0.0.0/8"), Just("10.0.0.1"), Just("0.0.0.0/0"), Just("::/1")]
            .prop_map(|range| Op::IsSubset(range.into())),
        1 => text().prop_map(Op::Like),
        1 => Just(Op::Exists),
    ];
    (path(), any::<bool>(), op).prop_map(|(path, negated, op)| Test { path, negated, op })
}

fn comparison() -> impl Strategy<Value = Comparison> {
    test().prop_map(Comparison::Test).prop_recursive(2, 8, 3, |inner| {
        let many = proptest::collection::vec(inner, 2..4);
        prop_oneof![many.clone().prop_map(Comparison::And), many.prop_map(Comparison::Or),]
    })
}

fn expression() -> impl Strategy<Value = Expression> {
    comparison().prop_map(Expression::Test).prop_recursive(3, 10, 3, |inner| {
        let many = proptest::collection::vec(inner.clone(), 2..4);
        let qualifier = prop_oneof![
            (1_u64..4).prop_map(|times| Qualifier::Repeats { times }),
            (1_u32..40).prop_map(|n| Qualifier::Within { seconds: f64::from(n) / 2.0 }),
            Just(Qualifier::StartStop {
                start: "2026-01-01T00:00:05Z".into(),
                stop: "2026-01-01T00:00:30.5Z".into()
            }),
        ];
        prop_oneof![
            many.clone().prop_map(Expression::And),
            many.clone().prop_map(Expression::Or),
            many.prop_map(Expression::FollowedBy),
            (inner, qualifier).prop_map(|(e, q)| Expression::Qualified(Box::new(e), q)),
        ]
    })
}

prop_compose! {
    fn pattern()(root in expression()) -> Pattern {
        Pattern { root }
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = || {
        prop_oneof![
            (0_i64..3).prop_map(|n| json!(n)),
            Just(json!(0.5)),
            Just(json!("x")),
            Just(json!("y'\\")),
            Just(json!("10.0.0.1")),
            Just(json!("10.0.0.0/9")),
            Just(json!("00ff")),
            Just(json!("2026-01-01T00:00:00.000Z")),
            Just(json!(true)),
        ]
    };
    prop_oneof![
        4 => leaf(),
        1 => proptest::collection::vec(leaf(), 0..3).prop_map(Value::Array),
        1 => leaf().prop_map(|inner| json!({"a": inner, "x-y": 1})),
    ]
}

fn data() -> impl Strategy<Value = Value> {
    let one = (prop_oneof![Just("t"), Just("u-v")], value(), 0_u32..40, 0_u32..10, 1_u64..3);
    proptest::collection::vec(one, 0..5).prop_map(|all| {
        let mut objects = Vec::new();
        for (n, (kind, value, from, long, number)) in all.into_iter().enumerate() {
            // References to itself, to others, and to what is not there.
            objects.push(json!({"type": kind, "id": format!("o{n}"), "a": value, "c_hex": value, "o_ref": "o0",
                "o_refs": ["gone", format!("o{n}"), "o1"]}));
            let at = |s: u32| format!("2026-01-01T00:00:{s:02}Z");
            objects.push(json!({"type": "observed-data", "id": format!("d{n}"), "number_observed": number,
                "first_observed": at(from), "last_observed": at(from + long), "object_refs": [format!("o{n}"), "o0", "o1"]}));
        }
        json!({"type": "bundle", "id": "b", "objects": objects})
    })
}

fn matches(pattern: &Pattern, data: &Value) -> Option<bool> {
    let data = [data.clone()];
    Matcher::new(pattern).ok()?.matches(&Observed::read(&data).unwrap()).ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_printed_reads_back(pattern in pattern()) {
        // The parser flattens nothing, the generator may nest alike operators: printing keeps brackets.
        let printed = pattern.to_string();
        let read = Pattern::parse(&printed);
        prop_assert_eq!(read.map(|p| p.to_string()), Ok(printed));
    }

    #[test]
    fn the_normal_form_is_one_and_means_the_same(pattern in pattern(), data in data()) {
        let normal = pattern.normal();
        prop_assert_eq!(normal.normal(), normal.clone());
        prop_assert!(equivalent(&pattern, &normal));
        if let (Some(a), Some(b)) = (matches(&pattern, &data), matches(&normal, &data)) {
            prop_assert_eq!(a, b, "{} and {}", pattern, normal);
        }
    }

    #[test]
    fn the_index_finds_what_the_matcher_finds(patterns in proptest::collection::vec(pattern(), 1..6), data in data()) {
        let index = Index::default();
        for (handle, pattern) in patterns.iter().enumerate() {
            if index.insert(handle as u64, pattern).is_err() {
                return Ok(());
            }
        }
        let own = [data.clone()];
        let observed = Observed::read(&own).unwrap();
        let expect: Vec<u64> = (0..).zip(&patterns)
            .filter(|(_, pattern)| matches(pattern, &data) == Some(true)).map(|(h, _)| h).collect();
        prop_assert_eq!(index.matching(&observed).unwrap(), Found { matched: expect, undecided: vec![] });
        for (handle, pattern) in patterns.iter().enumerate() {
            index.remove(handle as u64, pattern);
        }
        prop_assert!(index.is_empty());
        prop_assert_eq!(index.matching(&observed).unwrap(), Found::default());
    }
}

#[test]
fn equivalent_patterns_and_others() {
    let check = |a: &str, b: &str, same: bool| {
        let (a, b) = (Pattern::parse(a).unwrap(), Pattern::parse(b).unwrap());
        assert_eq!(equivalent(&a, &b), same, "{a} and {b}: {} and {}", a.normal(), b.normal());
    };
    check("[a:b = 1 OR a:c = 2]", "[a:c = 2] OR [a:b = 1]", true);
    check("[a:b = 1 OR a:b = 2]", "[a:b IN (2, 1.0, 2)]", true);
    check("[a:b NOT = 1]", "[a:b != 1]", true);
    check("[a:b = 1 AND (a:b = 1 OR a:c = 3)]", "[a:b = 1]", true);
    check("[a:b = h'00'] REPEATS 1 TIMES", "[a:b = b'AA==']", true);
    check("[a:b = t'2020-01-01T00:00:00Z']", "[a:b = t'2020-01-01T00:00:00.000Z']", true);
    check("([a:b=1] AND [a:c=2]) AND [a:d=3]", "[a:d=3] AND ([a:c=2] AND [a:b=1])", true);
    check("[a:b = 1] AND [a:b = 1]", "[a:b = 1]", false);
    check("[a:b = 1] FOLLOWEDBY [a:c = 1]", "[a:c = 1] FOLLOWEDBY [a:b = 1]", false);
    check("[a:b = 1 AND a:c = 2]", "[a:b = 1] AND [a:c = 2]", false);
    check("[a:b NOT < 1]", "[a:b >= 1]", false);
}

#[test]
fn an_index_is_changed_while_it_is_read() {
    let index = Index::default();
    let path = "domain-name:value";
    std::thread::scope(|scope| {
        for part in 0..2_u64 {
            let index = &index;
            scope.spawn(move || {
                for n in (part..20_000).step_by(2) {
                    assert!(index.insert_value(n, path, &format!("host{}.example", n % 10_000)));
                }
            });
        }
        scope.spawn(|| {
            for _ in 0..200 {
                let mut found = Vec::new();
                index.lookup(path, "host7.example", |handle| found.push(handle));
                assert!(found.iter().all(|handle| [7, 10_007].contains(handle)));
            }
        });
    });
    let mut found = Vec::new();
    index.lookup(path, "host7.example", |handle| found.push(handle));
    found.sort_unstable();
    assert_eq!(found, [7, 10_007]);
    index.lookup("url:value", "host7.example", |_| panic!("another path"));
    let pattern =
        Pattern::parse("[domain-name:value IN ('host7.example', 'host8.example')]").unwrap();
    assert!(index.remove(7, &pattern));
    assert!(!index.remove(7, &pattern));
    assert_eq!(index.len(), 19_999);
    assert_eq!(index.insert(7, &pattern), Ok(Held::Values(2)));
    assert_eq!(index.len(), 20_001);
}

fn seen(n: u32, kind: &str, at_s: u32) -> Vec<Value> {
    let at = format!("2026-01-01T00:{:02}:{:02}Z", at_s / 60, at_s % 60);
    vec![
        json!({"type": kind, "id": format!("o{n}"), "a": 1}),
        json!({"type": "observed-data", "id": format!("d{n}"), "number_observed": 1,
            "first_observed": at, "last_observed": at, "object_refs": [format!("o{n}")]}),
    ]
}

fn now_us(at_s: u32) -> i64 {
    let midnight = stix::Timestamp::parse("2026-01-01T00:00:00Z").unwrap().unix_us();
    midnight + i64::from(at_s) * 1_000_000
}

#[test]
fn an_observation_of_the_far_future_lets_nothing_go() {
    let mut live = Live::default();
    let text = "([t:a = 1] FOLLOWEDBY [u:a = 1]) WITHIN 10 SECONDS";
    live.watch(1, &Pattern::parse(text).unwrap()).unwrap();
    let mut far = seen(9, "t", 0);
    far[1]["first_observed"] = json!("9999-01-01T00:00:00Z");
    far[1]["last_observed"] = json!("9999-01-01T00:00:00Z");
    assert!(live.observe(&far, now_us(0)).unwrap().matched.is_empty());
    assert!(live.observe(&seen(1, "t", 1), now_us(1)).unwrap().matched.is_empty());
    assert_eq!(live.observe(&seen(2, "u", 5), now_us(5)).unwrap().matched, [1]);
}

/// What one value costs must not grow with how many patterns name it.
#[test]
fn one_value_of_many_patterns_is_held_at_once() {
    let index = Index::default();
    let pattern = Pattern::parse("[domain-name:value = 'a.example']").unwrap();
    const MANY: u64 = 200_000;
    for handle in 0..MANY {
        assert!(index.insert_value(handle, "domain-name:value", "a.example"));
        assert!(index.insert_value(handle, "domain-name:value", "a.example"), "held already");
    }
    assert_eq!(index.len(), usize::try_from(MANY).unwrap());
    // other values make the table anew
    for other in 0..50_000 {
        assert!(index.insert_value(other, "domain-name:value", &format!("b{other}.example")));
    }
    for handle in (0..MANY).step_by(2) {
        assert!(index.remove(handle, &pattern) && !index.remove(handle, &pattern));
    }
    assert!(index.insert_value(0, "domain-name:value", "a.example"));
    let mut found = Vec::new();
    index.lookup("domain-name:value", "a.example", |handle| found.push(handle));
    found.sort_unstable();
    let expect: Vec<u64> = std::iter::once(0).chain((1..MANY).step_by(2)).collect();
    assert_eq!(found, expect);
}

#[test]
fn live_matching_sees_what_comes_over_time_and_counts_what_it_lets_go() {
    let mut live = Live::default();
    let watch = |live: &mut Live, handle, text: &str| {
        live.watch(handle, &Pattern::parse(text).unwrap()).unwrap();
    };
    watch(&mut live, 1, "[t:a = 1]");
    watch(&mut live, 2, "([t:a = 1] FOLLOWEDBY [u:a = 1]) WITHIN 10 SECONDS");
    watch(&mut live, 3, "[t:a = 1] REPEATS 3 TIMES");
    let mut at = |n, kind, at_s| live.observe(&seen(n, kind, at_s), now_us(at_s)).unwrap().matched;
    assert_eq!(at(1, "t", 0), [1]);
    assert_eq!(at(2, "u", 20), Vec::<u64>::new(), "too late");
    assert_eq!(at(3, "t", 30), [1]);
    assert_eq!(at(4, "u", 40), [2]);
    assert_eq!(at(5, "u", 41), Vec::<u64>::new(), "the first has been told");
    assert_eq!(at(6, "t", 50), [1, 3]);
    assert_eq!(at(7, "v", 51), Vec::<u64>::new());
    assert_eq!(live.let_go(), 0);
    assert!(live.forget(1) && live.forget(3) && !live.forget(3));
    watch(&mut live, 4, "[t:a = 1] FOLLOWEDBY [v:a = 2]");
    for n in 0..1_010 {
        live.observe(&seen(100 + n, "t", 100), now_us(100)).unwrap();
    }
    assert!(live.let_go() >= 10);
}

#[test]
fn an_index_finds_ranges_and_patterns_by_what_they_need() {
    let index = Index::default();
    let hold = |handle, text: &str| index.insert(handle, &Pattern::parse(text).unwrap()).unwrap();
    assert_eq!(hold(1, "[ipv4-addr:value ISSUBSET '198.51.100.0/24']"), Held::Values(1));
    assert_eq!(hold(2, "[ipv4-addr:value ISSUBSET '198.51.0.0/16']"), Held::Values(1));
    assert_eq!(hold(3, "[ipv6-addr:value ISSUBSET '2001:db8::/32']"), Held::Values(1));
    assert_eq!(hold(4, "[ipv4-addr:value = '198.51.100.7']"), Held::Values(1));
    let needing =
        "[process:name = 'a' AND process:pid > 3] FOLLOWEDBY [url:value = 'x' OR url:value = 'y']";
    assert_eq!(hold(5, needing), Held::Needing(1));
    assert_eq!(hold(6, "[file:size > 3]"), Held::Evaluated);
    let found = |path: &str, value: &str| {
        let mut found = Vec::new();
        index.lookup(path, value, |handle| found.push(handle));
        found.sort_unstable();
        found
    };
    assert_eq!(found("ipv4-addr:value", "198.51.100.7"), [1, 2, 4]);
    assert_eq!(found("ipv4-addr:value", "198.51.100.128/25"), [1, 2]);
    assert_eq!(found("ipv4-addr:value", "198.51.101.1"), [2]);
    assert_eq!(found("ipv4-addr:value", "198.51.0.0/15"), Vec::<u64>::new());
    assert_eq!(found("ipv6-addr:value", "2001:db8:7::1"), [3]);
    assert_eq!(found("ipv6-addr:value", "198.51.100.7"), Vec::<u64>::new());
    assert_eq!(found("url:value", "198.51.100.7"), Vec::<u64>::new());
    assert!(
        index.remove(2, &Pattern::parse("[ipv4-addr:value ISSUBSET '198.51.0.0/16']").unwrap())
    );
    assert_eq!(found("ipv4-addr:value", "198.51.100.7"), [1, 4]);
    assert!(!index.insert_value(7, "no path", "x"));
    // values of every length, up to those that are left to be evaluated
    for length in [0, 7, 8, 255, 256, 257, 300, 30_000] {
        let url = "u".repeat(length);
        assert!(index.insert_value(8, "url:value", &url));
        assert_eq!(found("url:value", &url), [8], "{length}");
    }
    // many at once find what each finds alone
    let asked: Vec<(&str, String)> = (0..500)
        .map(|n| match n % 4 {
            0 => ("ipv4-addr:value", format!("198.51.{}.7", 98 + n % 5)),
            1 => ("url:value", "u".repeat(n)),
            2 => ("ipv6-addr:value", format!("2001:db{:x}::1", 6 + n % 4)),
            _ => ("domain-name:value", format!("host{n}.example")),
        })
        .collect();
    let asked: Vec<(&str, &str)> =
        asked.iter().map(|(path, value)| (*path, value.as_str())).collect();
    let mut together = Vec::new();
    index.lookup_all(&asked, |at, handle| together.push((at, handle)));
    together.sort_unstable();
    let alone: Vec<(usize, u64)> = asked
        .iter()
        .enumerate()
        .flat_map(|(at, (path, value))| {
            found(path, value).into_iter().map(move |handle| (at, handle))
        })
        .collect();
    assert!(alone.len() > 100);
    assert_eq!(together, alone);
    let text = format!("[url:value = '{}']", "u".repeat(40_000));
    assert_eq!(hold(9, &text), Held::Evaluated);
}

#[test]
fn a_search_is_as_good_as_trying_everything() {
    // The matcher's short cuts against the matcher of OASIS are held by the tables; here they meet a pattern that
    // says the same in a way that has none: `REPEATS` against a group that is never bound.
    proptest!(ProptestConfig::with_cases(300), |(data in data(), times in 1_u64..5, seconds in 1_u32..30)| {
        let of = |text: String| matches(&Pattern::parse(&text).unwrap(), &data);
        let counted = of(format!("[EXISTS t:a] REPEATS {times} TIMES WITHIN {seconds} SECONDS"));
        let searched = of(format!("([EXISTS t:a] OR ([t:gone = 1] AND [t:gone = 1])) REPEATS {times} TIMES WITHIN {seconds} SECONDS"));
        let written = of(format!("({}) WITHIN {seconds} SECONDS", vec!["[EXISTS t:a]"; usize::try_from(times).unwrap()].join(" AND ")));
        prop_assert_eq!(counted, searched);
        prop_assert_eq!(counted, written);
    });
}
