//! CSAF documents and how they are published.

use feeds::csaf::{self, Change, CsafError, Status};
use feeds::record::DEFAULT_LIMITS;

use crate::{all, fixture};

#[test]
fn an_advisory() {
    let advisory = csaf::read(&fixture("advisory.json")).unwrap();
    assert_eq!(advisory.document.tracking.id, "EX-2026-1");
    assert_eq!(advisory.document.distribution.label(), "GREEN");
    let names: Vec<_> = advisory.products.all().iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["PLC 9 <2.1", "PLC 9 2.1", "Gateway", "PLC 9 <2.1 on Gateway"]);
    let first = advisory.products.get("P1").unwrap();
    assert_eq!(
        (first.vendor.as_deref(), first.product.as_deref(), first.version.as_deref()),
        (Some("Example"), Some("PLC 9"), Some("<2.1"))
    );
    assert!(first.version_is_range && first.helper.cpe.is_some());
    let combined = advisory.products.get("P4").unwrap();
    assert_eq!(combined.vendor.as_deref(), Some("Example"));
    assert_eq!(combined.relation.as_ref().unwrap().0, "installed_on");
    let rows: Vec<_> = advisory
        .records()
        .map(|r| (r.vulnerability.unwrap(), r.product_id, r.status, r.remediations.len()))
        .collect();
    let (cve, bug) = ("CVE-2026-0001", "BUG-7");
    assert_eq!(
        rows,
        [
            (cve, "P2", Status::Fixed, 1),
            (cve, "P1", Status::Affected, 2),
            (cve, "P4", Status::Affected, 2),
            (cve, "P3", Status::NotAffected, 1),
            (cve, "P9", Status::NotAffected, 1),
            (bug, "P2", Status::Fixed, 0),
            (bug, "P2", Status::Affected, 0),
        ]
    );
    let row = advisory.records().find(|row| row.product_id == "P1").unwrap();
    assert_eq!(row.cvss.unwrap().0, 9.8);
    let row = advisory.records().find(|row| row.product_id == "P3").unwrap();
    assert_eq!((row.justification, row.cvss), (Some("component_not_present"), None));
    let problems: Vec<_> = advisory.problems.iter().map(|p| p.place.to_string()).collect();
    assert_eq!(
        problems,
        [
            "/product_tree/full_product_names/1",
            "/vulnerabilities/2",
            "/vulnerabilities/0",
            "/vulnerabilities/1/product_status"
        ]
    );
}

#[test]
fn what_is_no_advisory() {
    let version = br#"{"document":{"csaf_version":"3.0"}}"#;
    assert!(matches!(csaf::read(version), Err(CsafError::Version(v)) if v == "3.0"));
    assert!(matches!(csaf::read(b"{}"), Err(CsafError::Shape(_))));
    assert!(matches!(csaf::read(b"{"), Err(CsafError::Json(_))));
    let bare = br#"{"document":{"csaf_version":"2.0","title":"x"}}"#;
    assert!(matches!(csaf::read(bare), Err(CsafError::Shape(_))));
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    assert!(matches!(csaf::read(deep.as_bytes()), Err(CsafError::Json(_))));
}

#[test]
fn how_providers_publish() {
    let provider = csaf::provider(&fixture("provider.json")).unwrap();
    assert_eq!(
        provider.distributions[0].directory_url.as_deref(),
        Some("https://psirt.example/csaf/")
    );
    let feeds: Vec<_> = provider.distributions[1].feeds().collect();
    assert_eq!(feeds, [("WHITE", "https://psirt.example/feed.json")]);
    let feed = csaf::rolie(&fixture("rolie.json")).unwrap();
    assert_eq!(feed.entries[0].url, "https://psirt.example/2026/ex-2026-1.json");
    assert!(feed.entries[0].hash.as_ref().unwrap().ends_with(".sha512"));
    assert_eq!(feed.rejected, [(1, "no `title`".to_owned())]);
    let bytes = fixture("changes.csv");
    let (changes, rejects, _) = all::<Change>(|s| csaf::changes(&*bytes, DEFAULT_LIMITS, s));
    assert_eq!(changes[0].path, "2026/ex-2026-1.json");
    assert_eq!((changes.len(), rejects.len()), (2, 2));
    let index = b"a/b.json\n/etc/x.json\n\na/../../b.json\na/%2e%2e/b.json\nhttp://x/y.json\n";
    let (paths, rejects, _) = all::<String>(|s| csaf::index(&index[..], DEFAULT_LIMITS, s));
    assert_eq!((paths, rejects.len()), (vec!["a/b.json".to_owned()], 4));
}
