//! Reports.

use feeds::extract::{
    Candidate, Doubt, Entry, Found, LIMITS, NameKind, Names, Review, Suggestion, defang, extract,
    refang,
};
use proptest::prelude::*;

use crate::fixture;

fn names() -> Names {
    let entry = |kind, id: &str, names: &[&str], withdrawn| Entry {
        kind,
        id: id.into(),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        withdrawn,
    };
    Names::new(vec![
        entry(NameKind::Group, "G0999", &["Example Group", "EG"], false),
        entry(NameKind::Software, "S9001", &["SilverFox"], false),
        entry(NameKind::Software, "S0039", &["Net"], false),
        entry(NameKind::Software, "S9002", &["Play", "ping"], false),
        entry(NameKind::Technique, "T1059.001", &["PowerShell"], false),
        entry(NameKind::Technique, "T1543.003", &["Windows Service"], true),
        entry(NameKind::Technique, "T1003", &["OS Credential Dumping"], false),
    ])
    .unwrap()
}

fn key(candidate: &Candidate) -> String {
    match &candidate.found {
        Found::Observable(observable) => observable.to_string(),
        Found::Knowledge { id, .. } => id.clone(),
    }
}

fn find<'a>(review: &'a Review<'_>, wanted: &str) -> &'a Candidate {
    review.candidates.iter().find(|candidate| key(candidate) == wanted).unwrap_or_else(|| {
        panic!("{wanted} not in {:#?}", review.candidates.iter().map(key).collect::<Vec<_>>())
    })
}

#[test]
fn a_report() {
    let text = String::from_utf8(fixture("report.txt")).unwrap();
    let names = names();
    let review = extract(&text, Some(&names), LIMITS).unwrap();
    for accepted in [
        "email billing@bad-invoices.com",
        "url https://cdn.bad-invoices.com:8443/a/setup.exe?id=1",
        "endpoint 185.220.101.7:443",
        "ipv6 2a02:6b8::feed",
        "cve CVE-2021-44228",
        "cve CVE-2021-45046",
        "md5 44d88612fea8a8f36de82e1278abb02f",
        "imphash 0c6803c4e922103c4dca5963aad36ddf",
        "sha256 275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f",
        r"registry-key HKEY_LOCAL_MACHINE\Software\Microsoft\Windows\CurrentVersion\Run\Agent",
        "G0999",
        "S9001",
        "T1059.001",
        "T1003",
    ] {
        let candidate = find(&review, accepted);
        assert_eq!(
            candidate.suggestion(),
            Suggestion::Accept,
            "{accepted}: {:?}",
            candidate.doubts
        );
    }
    for (doubted, doubt) in [
        ("domain www.wikipedia.org", Doubt::PlainAmongDefanged),
        ("ipv4 2.4.10.1", Doubt::LooksLikeVersion),
        ("ipv4 192.168.1.10", Doubt::NotPublic),
        ("ipv4 192.0.2.55", Doubt::ForExamples),
        ("file-name readme.txt", Doubt::OrdinaryFile),
        ("domain main.rs", Doubt::LooksLikeFile),
        (r"file-path C:\Program Files (x86)\Vendor Tool\agent.exe", Doubt::OrdinaryFile),
        ("file-path /tmp/.x/run.sh", Doubt::OrdinaryFile),
        ("T1543.003", Doubt::Withdrawn),
        ("T9999", Doubt::UnknownId),
        ("S0039", Doubt::CommonWord),
        ("domain asp.net", Doubt::LooksLikeProduct),
        ("domain end.in", Doubt::LooksLikeSentence),
    ] {
        let candidate = find(&review, doubted);
        assert!(candidate.doubts.contains(&doubt), "{doubted}: {:?}", candidate.doubts);
    }
    assert!(!review.candidates.iter().any(|candidate| key(candidate) == "S9002"), "everyday words");
    assert_eq!(find(&review, "S0039").count, 1);
    let mail = find(&review, "email billing@bad-invoices.com");
    assert_eq!(mail.spelling, "billing[at]bad-invoices[.]com");
    assert_eq!(&review.text[mail.places[0].clone()], mail.spelling);
    assert_eq!(
        review.context(&mail.places[0]),
        "Example Group (G0999) sent mails from billing[at]bad-invoices[.]com on Monday."
    );
    assert_eq!(find(&review, "G0999").count, 2, "by name and by identifier");
}

#[test]
fn what_is_defanged_is_not_always_a_host() {
    let text = r"script[.]xsl from evil[.]newtld sets HKCR\.enc at c2[.]ru";
    let review = extract(text, None, LIMITS).unwrap();
    let found: Vec<_> = review.candidates.iter().map(|c| (key(c), c.doubts.clone())).collect();
    assert_eq!(
        found,
        [
            ("file-name script.xsl".to_owned(), vec![Doubt::OrdinaryFile]),
            ("domain evil.newtld".to_owned(), vec![Doubt::UnknownTopLevel]),
            (r"registry-key HKEY_CLASSES_ROOT\.enc".to_owned(), vec![]),
            ("domain c2.ru".to_owned(), vec![]),
        ]
    );
}

#[test]
fn a_page() {
    let text = String::from_utf8(fixture("report.html")).unwrap();
    let review = extract(&text, None, LIMITS).unwrap();
    let keys: Vec<_> = review.candidates.iter().map(key).collect();
    assert_eq!(
        keys,
        ["domain evil.top", "url http://c2.evil.top/a?b=1&c=2", "ipv4 45.155.205.233"]
    );
    assert!(!review.text.contains("tracker"), "scripts are no text");
}

#[test]
fn spellings_of_defanging() {
    for (spelt, plain) in [
        ("hxxp://evil[.]example/a", "http://evil.example/a"),
        ("HXXPS[://]evil(.)example", "httpS://evil.example"),
        ("hxxps[:]//a[.]b[.]example", "https://a.b.example"),
        ("h**p://x{.}example", "http://x.example"),
        ("evil[dot]example", "evil.example"),
        ("evil [dot] example", "evil.example"),
        ("1.2.3[.4", "1.2.3.4"),
        ("user (at) evil (dot) example", "user@evil.example"),
        ("fxp://evil.example", "ftp://evil.example"),
        ("10[.]0[.]0[.]1[:]80", "10.0.0.1:80"),
        ("see [1], [.] or (.) at [2]", "see [1], [.] or (.) at [2]"),
    ] {
        assert_eq!(refang(spelt), plain, "{spelt}");
    }
    assert_eq!(defang("https://evil.example/a.b"), "hxxps://evil[.]example/a.b");
    assert_eq!(defang("a@evil.example"), "a[@]evil[.]example");
}

#[test]
fn a_long_text_takes_linear_time() {
    let text = String::from_utf8(fixture("report.txt")).unwrap();
    // What tempts a scanner to look again and again.
    let hostile = [
        "C:\\a \\",
        "http://a,",
        "a[.]",
        "(((((",
        "://",
        "HKLM\\x ",
        "1.",
        "a@",
        "&#",
        "<",
        ")",
        "a/b:",
        "a)]}.",
        "<a \"'>",
        "C:\\a\\b ",
        "</",
        "1:2:",
        "=",
        "[.",
    ];
    for part in hostile.into_iter().chain([text.as_str()]) {
        let once = part.repeat(200_000 / part.len());
        let ten = part.repeat(2_000_000 / part.len());
        let time = |text: &str| {
            let start = std::time::Instant::now();
            let review = extract(text, None, LIMITS).unwrap();
            assert!(review.candidates.len() <= LIMITS.max_candidates);
            start.elapsed().as_secs_f64()
        };
        let (short, long) = (time(&once).max(0.002), time(&ten));
        assert!(long < short * 60.0, "{part:?}: {short} s, ten times as much {long} s");
    }
}

proptest! {
    #[test]
    fn what_was_defanged_is_found_again(host in "[a-z]{3,8}\\.[a-z]{3,8}\\.(com|org|top)", path in "(/[a-z0-9]{1,6}){0,3}") {
        let url = format!("http://{host}{path}");
        let text = format!("They used {} (again).", defang(&url));
        let review = extract(&text, None, LIMITS).unwrap();
        let values: Vec<_> = review.accepted().map(|o| o.value().trim_end_matches('/').to_owned()).collect();
        prop_assert_eq!(values, vec![url]);
    }

    #[test]
    fn places_are_those_of_the_spelling(text in "[a-z0-9.@:/\\\\\\[\\]() ßé\u{200b}-]{0,120}") {
        feeds::fuzz::text(text.as_bytes());
    }
}
