//! Values, templates, documents, feeds.

use misp::document::{self, MispObject};
use misp::{describe, feed, template, value};
use proptest::prelude::*;
use serde_json::{Value, json};

#[test]
fn values_take_the_form_that_misp_gives_them() {
    for (kind, given, expected) in [
        ("md5", " D41D8CD98F00B204E9800998ECF8427E ", "d41d8cd98f00b204e9800998ecf8427e"),
        (
            "filename|sha1",
            "a|b.exe|DA39A3EE5E6B4B0D3255BFEF95601890AFD80709",
            "a|b.exe|da39a3ee5e6b4b0d3255bfef95601890afd80709",
        ),
        ("ip-dst", "198.51.100[.]7", "198.51.100.7"),
        ("ip-src", "2001:DB8:0::1/128", "2001:db8::1"),
        ("ip-dst|port", "198.51.100.7:443", "198.51.100.7|443"),
        ("ip-dst|port", "2001:db8::1|443", "2001:db8::1|443"),
        ("domain", "EXAMPLE[.]org.", "example.org"),
        ("domain|ip", "Example.org|198.51.100.7", "example.org|198.51.100.7"),
        ("url", "hxxps://example[.]org/a", "https://example.org/a"),
        ("email-src", "A[at]Example.org", "a@example.org"),
        ("AS", "AS64500", "64500"),
        ("AS", "1.2", "65538"),
        ("mac-address", "00-11-22-AA-BB-CC", "00:11:22:aa:bb:cc"),
        ("vulnerability", "cve-2021-44228", "CVE-2021-44228"),
        ("boolean", "True", "1"),
        ("port", "0443", "443"),
    ] {
        assert_eq!(value::normalise(kind, given).as_deref(), Ok(expected), "{kind} {given}");
    }
}

#[test]
fn values_that_do_not_fit_are_refused_with_what_is_expected() {
    for (kind, given, says) in [
        ("md5", "d41d8cd98f00b204e9800998ecf8427", "32 hexadecimal"),
        ("sha256", "zz", "64 hexadecimal"),
        ("ip-src", "198.51.100.300", "IPv4 or IPv6"),
        ("ip-src", "198.51.100.0/33", "0 to 32"),
        ("ip-dst|port", "2001:db8::1:443", "ip-dst|port"),
        ("domain", "localhost", "domain name"),
        ("domain", "198.51.100.7", "domain name"),
        ("email", "a b@example.org", "name@host"),
        ("AS", "AS4294967296", "32 bits"),
        ("port", "65536", "65535"),
        ("filename|md5", "only", "filename|md5"),
        ("text", "  ", "empty"),
    ] {
        let error = value::normalise(kind, given).unwrap_err().to_string();
        assert!(error.contains(says), "{kind} {given}: {error}");
    }
}

#[test]
fn types_and_categories_are_those_of_describe_types() {
    assert_eq!(describe::attribute_types().len(), 194);
    let sha = describe::attribute_type("sha256").unwrap();
    assert_eq!((sha.default_category, sha.to_ids), ("Payload delivery", true));
    assert!(
        describe::may_stand("ip-dst", "Network activity")
            && !describe::may_stand("ip-dst", "Person")
    );
    let Some(root) = std::env::var_os("SERENO_TEST_DATA") else {
        println!("skipped: no data pack (SERENO_TEST_DATA)");
        return;
    };
    let path = std::path::Path::new(&root).join("cti/misp-core/describeTypes.json");
    let all: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    for kind in describe::attribute_types() {
        let known = &all["result"]["sane_defaults"][kind.name];
        assert_eq!(known["default_category"], kind.default_category, "{}", kind.name);
        assert_eq!(known["to_ids"], i32::from(kind.to_ids), "{}", kind.name);
        for category in describe::CATEGORIES {
            let list = all["result"]["category_type_mappings"][category].as_array().unwrap();
            assert_eq!(
                list.contains(&kind.name.into()),
                kind.categories.contains(&category),
                "{} {category}",
                kind.name
            );
        }
    }
}

#[test]
fn templates_say_what_is_missing() {
    assert_eq!(template::templates().len(), 424);
    let check = |parts: Value| {
        let map = json!({"name": "domain-ip", "Attribute": parts}).as_object().unwrap().clone();
        template::check(&MispObject::from_map(map))
    };
    assert_eq!(
        check(json!([{"object_relation": "ip", "type": "ip-dst", "value": "198.51.100.7"}])),
        []
    );
    assert!(matches!(check(json!([]))[..], [template::TemplateError::MissingOneOf { .. }]));
    let wrong = check(json!([{"object_relation": "ip", "type": "domain", "value": "a.example"},
        {"object_relation": "odd", "type": "text", "value": "b"}]));
    assert!(matches!(
        wrong[..],
        [
            template::TemplateError::Type { expected: "ip-dst", .. },
            template::TemplateError::Unknown { .. }
        ]
    ));
}

#[test]
fn every_spelling_of_a_document_is_read() {
    let read = |value: Value| {
        document::from_value(value).map(|d| (d.events.len(), d.attributes.len(), d.objects.len()))
    };
    let event = json!({"info": "a", "Attribute": []});
    let attribute = json!({"type": "md5", "value": "b"});
    assert_eq!(read(json!({"Event": event})), Ok((1, 0, 0)));
    assert_eq!(read(json!({"response": [{"Event": event}, {"Event": event}]})), Ok((2, 0, 0)));
    assert_eq!(read(json!([{"Event": event}, event])), Ok((2, 0, 0)));
    assert_eq!(read(json!({"response": {"Attribute": [attribute, attribute]}})), Ok((0, 2, 0)));
    assert_eq!(
        read(json!({"Attribute": {"type": "md5", "value": "b", "Event": event}})),
        Ok((0, 1, 0))
    );
    assert_eq!(read(json!([{"Object": {"name": "file", "Attribute": []}}])), Ok((0, 0, 1)));
    for bad in [json!(7), json!({}), json!([[[[[event]]]]]), json!({"Attribute": [7]})] {
        assert!(read(bad.clone()).is_err(), "{bad}");
    }
}

#[test]
fn feeds_give_values_with_types_and_name_what_they_leave() {
    let text = "# a comment\n198.51.100.7,bad.example,\"x, y\"\nhxxp://evil[.]example/a,d41d8cd98f00b204e9800998ecf8427e,\n";
    let how = feed::Csv { columns: &[1, 2], ..feed::Csv::default() };
    let (found, rejected) = feed::csv(text, &how);
    let found: Vec<_> = found.iter().map(|f| (f.kind, f.value.as_str(), f.line)).collect();
    assert_eq!(
        found,
        [
            ("ip-dst", "198.51.100.7", 2),
            ("domain", "bad.example", 2),
            ("url", "http://evil.example/a", 3),
            ("md5", "d41d8cd98f00b204e9800998ecf8427e", 3)
        ]
    );
    assert_eq!(rejected, []);
    let exclude = |text: &str| text.contains("good");
    let (found, left) = feed::free_text(
        "Seen 198.51.100[.]7:8443 and a.bad.example, good.example; CVE-2021-44228. version 1.2",
        &feed::FreeText { exclude: Some(&exclude) },
    );
    let found: Vec<_> = found.iter().map(|f| (f.kind, f.value.as_str())).collect();
    assert_eq!(
        found,
        [
            ("ip-dst|port", "198.51.100.7|8443"),
            ("hostname", "a.bad.example"),
            ("vulnerability", "CVE-2021-44228")
        ]
    );
    assert_eq!(left.len(), 1);
    let (pairs, bad) =
        feed::hashes("d41d8cd98f00b204e9800998ecf8427e,57c4445b-c548-4654-af0b-4be3950d210f\nx\n");
    assert_eq!((pairs.len(), bad.len()), (1, 1));
    let limits = stix::json::DEFAULT_LIMITS;
    let good = br#"{"57c4445b-c548-4654-af0b-4be3950d210f": {"info": "a"}}"#;
    assert_eq!(feed::manifest(good, limits).unwrap()[0].fields["info"], "a");
    assert!(feed::manifest(br#"{"../../etc/passwd": {}}"#, limits).is_err());
}

proptest! {
    #[test]
    fn a_normal_form_is_its_own_normal_form(which in 0..194_usize, text in "[a-fA-F0-9.:|@/x -]{1,70}") {
        let kind = describe::attribute_types()[which].name;
        if let Ok(once) = value::normalise(kind, &text) {
            prop_assert_eq!(value::normalise(kind, &once), Ok(once));
        }
    }

    #[test]
    fn any_text_is_taken_or_left(text in "\\PC{0,200}") {
        let _ = (feed::csv(&text, &feed::Csv::default()), feed::free_text(&text, &feed::FreeText::default()));
    }
}
