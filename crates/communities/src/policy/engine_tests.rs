#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;

use model::Tlp;
use proptest::prelude::*;

use ports::disclosure::Said;

use super::super::facts::Pap;
use super::*;

const ALL: [Tlp; 5] = [Tlp::Clear, Tlp::Green, Tlp::Amber, Tlp::AmberStrict, Tlp::Red];
const CIRCLE: &str = "c1";

fn engine(own: &[(&str, &str)]) -> Engine {
    let own: Vec<(String, String)> =
        own.iter().map(|(id, text)| ((*id).to_owned(), (*text).to_owned())).collect();
    Engine::compile(&own).unwrap_or_else(|wrong| panic!("{wrong:?}"))
}

fn to(kind: &str, communities: &[&str]) -> Recipient {
    Recipient {
        id: "n1".into(),
        name: "Utility".into(),
        kind: kind.into(),
        communities: communities.iter().map(|id| (*id).to_owned()).collect(),
        ..Recipient::default()
    }
}

fn object(tlp: Tlp) -> Facts {
    Facts {
        kind: "indicator".into(),
        tlp,
        pap: None,
        confidence: -1,
        labels: BTreeSet::new(),
        said: Said::Own,
        source: String::new(),
        through: String::new(),
        onward: true,
        to_community: String::new(),
        ceiling: 4,
    }
}

fn received(tlp: Tlp) -> Facts {
    Facts { said: Said::Peer, ..object(tlp) }
}

fn in_circle(facts: Facts) -> Facts {
    Facts { to_community: CIRCLE.into(), ceiling: 3, ..facts }
}

/// The labels, from clear to red, that go.
fn goes(recipient: &Recipient, facts: impl Fn(Tlp) -> Facts) -> Vec<bool> {
    let engine = engine(&[]);
    ALL.into_iter().map(|tlp| engine.decide(recipient, &facts(tlp)).allowed).collect()
}

const fn row(text: &str) -> [bool; 5] {
    let b = text.as_bytes();
    [b[0] == b'y', b[1] == b'y', b[2] == b'y', b[3] == b'y', b[4] == b'y']
}

#[test]
fn what_comes_from_elsewhere_counts_as_received_by_whatever_way() {
    let cert = to("cert", &[]);
    for (said, _) in Said::ALL {
        let by_name = goes(&cert, |tlp| Facts { said, ..object(tlp) });
        let expect = if said == Said::Own { "yyyyn" } else { "yynnn" };
        assert_eq!(by_name, row(expect), "{said:?}");
    }
    let text = "@reason(\"our reseller asks us not to\") forbid (principal, action, resource) \
                when { resource.origin == \"feed\" && resource.source == \"Paid list\" };";
    let engine = engine(&[("paid", text)]);
    let fact = |said, source: &str| Facts { said, source: source.into(), ..object(Tlp::Clear) };
    let ask = |facts| engine.decide(&cert, &engine.relevant(facts)).allowed;
    assert!(!ask(fact(Said::Feed, "Paid list")));
    assert!(ask(fact(Said::Feed, "Free list")) && ask(fact(Said::Own, "Paid list")));
}

/// Clear, green, amber, amber+strict, red.
#[test]
fn labels_of_tlp_decide_before_anybody_wrote_a_policy() {
    let check = |who: &str, what: &str, got: Vec<bool>, expect: &str| {
        assert_eq!(got, row(expect), "{what} to {who}");
    };
    let (operator, cert, fellow) =
        (to("operator", &[]), to("cert", &[]), to("operator", &[CIRCLE]));
    let other_fellow = to("operator", &["c2"]);
    check("an operator", "own, by name", goes(&operator, object), "ynnnn");
    check("a CERT", "own, by name", goes(&cert, object), "yyyyn");
    check("a fellow", "own, by name", goes(&fellow, object), "yyyyn");
    check("an operator", "received, by name", goes(&operator, received), "ynnnn");
    check("a CERT", "received, by name", goes(&cert, received), "yynnn");
    check("a fellow", "received, by name", goes(&fellow, received), "yynnn");
    check("a fellow", "own, in the circle", goes(&fellow, |t| in_circle(object(t))), "yyyyn");
    let relayed = |t| in_circle(Facts { through: CIRCLE.into(), ..received(t) });
    check("a fellow", "received in it, in the circle", goes(&fellow, relayed), "yyyyn");
    let crossed = |t| in_circle(Facts { through: "c2".into(), ..received(t) });
    check("a fellow", "received in another, in the circle", goes(&fellow, crossed), "yynnn");
    let kept = |t| in_circle(Facts { through: "c2".into(), onward: false, ..received(t) });
    check("a fellow", "of a circle that keeps its things", goes(&fellow, kept), "nnnnn");
    let low = |t| Facts { ceiling: 1, ..in_circle(object(t)) };
    check("a fellow", "above the highest label", goes(&fellow, low), "yynnn");
    let foreign = goes(&other_fellow, |t| in_circle(object(t)));
    check("who is not in the circle", "own", foreign, "yynnn");
    let pap = |t| Facts { pap: Some(Pap::Red), ..object(t) };
    check("a CERT", "PAP:RED", goes(&cert, pap), "nnnnn");
}

/// What the policies for incidents said before all ways out asked these: to a CERT from medium severity on, never
/// TLP:RED, nothing received above TLP:GREEN.
#[test]
fn incidents_go_to_a_cert_from_medium_severity_on() {
    let engine = engine(&[]);
    let goes = |kind: &str, severity: &str, tlp: Tlp, received: bool| {
        let labels = BTreeSet::from([format!("severity:{severity}")]);
        let said = if received { Said::Peer } else { Said::Own };
        let facts = Facts { kind: INCIDENT.into(), labels, said, ..object(tlp) };
        engine.decide(&to(kind, &[]), &engine.relevant(facts)).allowed
    };
    for severity in ["medium", "high", "critical"] {
        for tlp in [Tlp::Clear, Tlp::Green, Tlp::Amber] {
            assert!(goes("cert", severity, tlp, false), "{severity} {tlp}");
        }
        assert!(!goes("cert", severity, Tlp::Red, false));
        assert!(goes("cert", severity, Tlp::Green, true));
        assert!(!goes("cert", severity, Tlp::Amber, true));
        assert!(!goes("operator", severity, Tlp::Green, false));
    }
    for tlp in ALL {
        assert!(!goes("cert", "low", tlp, false), "{tlp}");
    }
}

#[test]
fn reasons_name_what_decided() {
    let engine = engine(&[]);
    let red = engine.decide(&to("cert", &[]), &received(Tlp::Red));
    assert_eq!(red.policies, ["tlp.red"]);
    assert!(red.reason.contains("TLP:RED goes only to a recipient that the sharing names"));
    let none = engine.decide(&to("cert", &[]), &received(Tlp::AmberStrict));
    assert_eq!(none.policies, ["tlp.amber-strict"]);
    let clear = engine.decide(&to("operator", &[]), &received(Tlp::Clear));
    assert_eq!(clear.policies, ["permit.clear"]);
}

#[test]
fn own_policies_permit_more_and_forbid_but_never_override_a_built_in_forbid() {
    let wide = "@reason(\"all of it\") permit (principal, action, resource);";
    let vendors = "@reason(\"vendors get no indicators\") \
        forbid (principal, action == Action::\"share\", resource) \
        when { principal.kind == \"vendor\" && resource.type == \"indicator\" };";
    let engine = engine(&[("wide", wide), ("vendors", vendors)]);
    let amber = received(Tlp::Amber);
    assert!(!engine.decide(&to("cert", &[]), &amber).allowed, "built in");
    let no = engine.decide(&to("vendor", &[]), &object(Tlp::Clear));
    assert!(!no.allowed && no.reason.contains("vendors get no indicators"), "{no:?}");
    assert!(engine.decide(&to("cert", &[]), &object(Tlp::Clear)).allowed);
}

/// TLP:RED goes where an own policy says so, and then only by name from where it was said first.
#[test]
fn red_goes_by_an_own_policy_alone() {
    let own = "@reason(\"they must know\") permit (principal == Organisation::\"n1\", action, resource) \
        when { resource.tlp_rank == 4 };";
    let engine = engine(&[("red", own)]);
    let named = to("operator", &[CIRCLE]);
    let other = Recipient { id: "n2".into(), ..named.clone() };
    let red = object(Tlp::Red);
    assert!(engine.decide(&named, &red).allowed);
    assert!(!engine.decide(&other, &red).allowed);
    assert!(!engine.decide(&named, &received(Tlp::Red)).allowed);
    assert!(!engine.decide(&named, &in_circle(red)).allowed);
}

#[test]
fn labels_and_confidence_count_where_a_policy_looks_at_them() {
    let policy = "@reason(\"doubtful\") forbid (principal, action, resource) when { \
        resource.labels.contains(\"internal\") || (resource.confidence >= 0 && resource.confidence < 50) };";
    let engine = engine(&[("doubt", policy)]);
    assert!(engine.looks_at_labels && engine.looks_at_confidence);
    let ask = |confidence, label: Option<&str>| {
        let labels = label.into_iter().map(str::to_owned).collect();
        let facts = engine.relevant(Facts { confidence, labels, ..object(Tlp::Clear) });
        engine.decide(&to("cert", &[]), &facts).allowed
    };
    assert!(ask(-1, None) && ask(50, None) && ask(50, Some("other")));
    assert!(!ask(49, None) && !ask(80, Some("internal")));
    assert!(!super::Engine::compile(&[]).unwrap_or_else(|_| panic!()).looks_at_labels);
    // a name written in another way is found too
    let escaped = "@reason(\"x\") forbid (principal, action, resource) when \
        { resource[\"l\\u{61}bels\"].contains(\"a\") };";
    assert!(self::engine(&[("e", escaped)]).looks_at_labels);
}

#[test]
fn what_is_wrong_is_named_with_line_and_column() {
    let check = |text: &str, place: (usize, usize), words: &str| {
        let wrong = Engine::compile(&[("p".into(), text.into())]).err().expect("must be refused");
        let (id, first) = &wrong[0];
        assert_eq!(id, "p");
        assert_eq!((first.line, first.column), place, "{first}");
        assert!(first.text.contains(words), "{first}");
    };
    let head = "@reason(\"r\")\npermit (principal, action == Action::\"share\", resource)\n";
    check(&format!("{head}when {{ resource.tlp = \"x\" }};"), (3, 8), "valid operator");
    check(&format!("{head}when {{ resource.colour == \"x\" }};"), (3, 8), "colour");
    check(&format!("{head}when {{ resource.tlp_rank == \"x\" }};"), (3, 8), "");
    check("permit (principal, action, resource);", (0, 0), "@reason");
    check("@reason(\"\") permit (principal, action, resource);", (0, 0), "@reason");
    check(&format!("@id(\"q\") {head};"), (0, 0), "@id");
    let named = "@reason(\"r\") permit (principal, action, resource == Object::\"x\");";
    check(named, (0, 0), "by what they are");
    check(&format!("{head};\n{head};"), (4, 1), "unexpected");
    for id in ["tlp.red", "permit.clear"] {
        let own = vec![(id.to_owned(), format!("{head};"))];
        let wrong = Engine::compile(&own).err().expect("must be refused");
        assert!(wrong[0].1.text.contains("built-in"), "{wrong:?}");
    }
}

/// A policy over everything a policy may look at.
fn condition() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        (0..6_i64).prop_map(|n| format!("resource.tlp_rank >= {n}")),
        Just("resource.received".to_owned()),
        Just("principal.kind == \"cert\"".to_owned()),
        Just("principal.country == \"PT\"".to_owned()),
        Just("resource.labels.contains(\"a\")".to_owned()),
        Just("principal.communities.contains(\"c1\")".to_owned()),
        Just("resource.to_community == \"\"".to_owned()),
        (0..100_i64).prop_map(|n| format!("resource.confidence > {n}")),
    ];
    leaf.prop_recursive(3, 12, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} && {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} || {b})")),
            inner.prop_map(|a| format!("!({a})")),
        ]
    })
}

fn question() -> impl Strategy<Value = (Recipient, Facts)> {
    let recipient = (
        prop::sample::select(vec!["cert", "operator", "vendor"]),
        prop::sample::select(vec!["PT", "GR", ""]),
        any::<bool>(),
    );
    let facts =
        (0..5_usize, any::<bool>(), any::<bool>(), any::<bool>(), -1..101_i64, any::<bool>());
    (recipient, facts).prop_map(
        |((kind, country, fellow), (tlp, from, circle, mark, confidence, onward))| {
            let mut recipient = to(kind, if fellow { &[CIRCLE] } else { &[] });
            recipient.country = country.into();
            let said = if from { Said::Feed } else { Said::Own };
            let mut facts = Facts { said, confidence, onward, ..object(ALL[tlp]) };
            if circle {
                facts = in_circle(facts);
            }
            if mark {
                facts.labels.insert("a".into());
            }
            (recipient, facts)
        },
    )
}

/// Judging 10,000 objects for 20 recipients asks the policies as often as the questions differ.
#[test]
fn the_same_question_is_decided_once() {
    let engine = engine(&[]);
    let recipients: Vec<Recipient> =
        (0..20).map(|n| Recipient { id: format!("n{n}"), ..to("operator", &[CIRCLE]) }).collect();
    let began = std::time::Instant::now();
    let mut goes = 0;
    for n in 0..10_000_i64 {
        let labels = BTreeSet::from([format!("case-{n}")]);
        let tlp = ALL[usize::try_from(n % 5).unwrap()];
        let facts = engine.relevant(Facts { labels, confidence: n % 100, ..object(tlp) });
        goes += recipients.iter().filter(|to| engine.decide(to, &facts).allowed).count();
    }
    assert_eq!(goes, 160_000, "all labels but TLP:RED, by name");
    assert_eq!(engine.asked(), 100, "20 recipients and 5 labels: nobody looks at the rest");
    println!("200,000 decisions in {} ms", began.elapsed().as_millis());
}

proptest! {
    // Reading policies takes long where nothing is optimised.
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_forbid_more_never_adds_a_recipient_and_a_permit_more_never_takes_one(
        forbid in condition(), permit in condition(),
        questions in prop::collection::vec(question(), 1..24),
    ) {
        let text = |effect: &str, condition: &str| {
            format!("@reason(\"r\") {effect} (principal, action, resource) when {{ {condition} }};")
        };
        let base = engine(&[("a", &text("permit", &permit))]);
        let more = engine(&[("a", &text("permit", &permit)), ("b", &text("forbid", &forbid))]);
        let plain = engine(&[]);
        for (recipient, facts) in &questions {
            let before = base.decide(recipient, facts).allowed;
            prop_assert!(before || !more.decide(recipient, facts).allowed, "{forbid}");
            prop_assert!(before || !plain.decide(recipient, facts).allowed, "{permit}");
            // what may never leave does not, whatever is permitted
            let never = facts.tlp == Tlp::Red && (facts.received() || !facts.to_community.is_empty());
            prop_assert!(!(never && before), "{permit}");
        }
    }

    #[test]
    fn what_was_decided_before_is_decided_so_again(questions in prop::collection::vec(question(), 1..40)) {
        let (kept, fresh) = (engine(&[]), engine(&[]));
        for (recipient, facts) in &questions {
            kept.decide(recipient, facts);
        }
        for (recipient, facts) in &questions {
            prop_assert_eq!(kept.decide(recipient, facts), Arc::new(fresh.ask(recipient, facts)));
        }
    }
}
