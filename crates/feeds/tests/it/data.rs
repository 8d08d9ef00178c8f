//! The data pack: whole catalogues, counted by other programs before (Python's `json`).

use std::collections::BTreeMap;
use std::io::Read;
use std::time::Instant;

use feeds::csaf::{self, Change};
use feeds::extract::{LIMITS, Names, extract};
use feeds::knowledge::d3fend::{D3fend, Fit};
use feeds::knowledge::{ItemKind, Knowledge, RelationKind};
use feeds::plain::Plain;
use feeds::record::{DEFAULT_LIMITS, Record};
use feeds::value::Observable;
use feeds::warninglist::{Matcher, Warninglist};
use feeds::{Seen, kev, plain};
use serde_json::Value;
use stix::Object;

use crate::{all, data};

/// Names and contents of the files of a tar archive (POSIX ustar: blocks of 512 bytes).
fn tar(bytes: &[u8]) -> Vec<(String, &[u8])> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(header) = bytes.get(at..at + 512).filter(|header| header[0] != 0) {
        let text = |from: usize, to: usize| {
            let field = &header[from..to];
            let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
            String::from_utf8_lossy(&field[..end]).trim().to_owned()
        };
        let size = usize::from_str_radix(&text(124, 136), 8).unwrap();
        let name = format!("{}/{}", text(345, 500), text(0, 100));
        at += 512;
        if matches!(header[156], b'0' | 0) {
            found.push((name, &bytes[at..at + size]));
        }
        at += size.div_ceil(512) * 512;
    }
    found
}

fn objects(name: &str) -> Option<Vec<Object>> {
    let Value::Object(mut bundle) = serde_json::from_slice(&data(name)?).unwrap() else { panic!() };
    let Some(Value::Array(list)) = bundle.remove("objects") else { panic!() };
    Some(list.into_iter().map(|value| Object::from_value(value).unwrap()).collect())
}

#[test]
fn known_exploited_vulnerabilities() {
    let Some(bytes) = data("cti/kev/known_exploited_vulnerabilities.json.gz") else { return };
    let (records, rejects, summary) = all(|s| kev::read(&*bytes, DEFAULT_LIMITS, s));
    assert_eq!((records.len(), rejects.len()), (1_404, 0));
    assert!(summary.is_complete());
}

#[test]
fn suspicious_addresses() {
    let Some(bytes) = data("cti/ipsum/ipsum.txt.gz") else { return };
    let format = Plain { score: Some(1), ..Plain::default() };
    let (records, rejects, _) = all::<Record>(|s| plain::read(&*bytes, &format, DEFAULT_LIMITS, s));
    assert_eq!((records.len(), rejects.len()), (120_430, 0));
    assert!(records.iter().all(|record| record.score.is_some()));
    let mut seen = Seen::new(200_000);
    let new = records.iter().filter(|record| seen.insert(&record.observable) == Ok(true)).count();
    assert_eq!(new, 120_430);
}

#[test]
fn industrial_advisories() {
    let Some(packed) = data("vuln/cisa-csaf-ot/cisa-csaf-ot.tar.zst") else { return };
    let mut bytes = Vec::new();
    ruzstd::decoding::StreamingDecoder::new(&*packed).unwrap().read_to_end(&mut bytes).unwrap();
    let files = tar(&bytes);
    let (mut documents, mut vulnerabilities, mut rows, mut products) = (0, 0, 0, 0);
    let mut problems = BTreeMap::new();
    for (name, body) in &files {
        if name.ends_with("changes.csv") {
            let (changes, rejects, _) = all::<Change>(|s| csaf::changes(*body, DEFAULT_LIMITS, s));
            assert!(changes.len() > 2_000 && rejects.is_empty(), "{rejects:?}");
        } else if name.ends_with("feed-tlp-white.json") {
            let feed = csaf::rolie(body).unwrap();
            assert!(feed.entries.len() > 2_000 && feed.rejected.is_empty());
        } else if name.ends_with(".json") {
            let advisory = csaf::read(body).unwrap_or_else(|error| panic!("{name}: {error}"));
            documents += 1;
            vulnerabilities += advisory.vulnerabilities.len();
            rows += advisory.records().count();
            products += advisory.products.all().len();
            for problem in advisory.problems {
                let section = problem.text.rsplit('(').next().unwrap_or_default().to_owned();
                *problems.entry(section).or_insert(0) += 1;
            }
        }
    }
    println!("problems told by section: {problems:?}");
    let told = problems.get("§6.1.2)").copied().unwrap_or(0);
    assert_eq!((documents, vulnerabilities, rows, products + told), (2_379, 7_907, 43_334, 17_158));
}

#[test]
fn examples_of_the_standard() {
    for name in ["bsi-2022-0001", "cisco-sa-20180328-smi2", "rhsa-2019_1862", "rhsa-2021_5186"] {
        let Some(bytes) = data(&format!("cti/csaf/csaf_2.0/examples/csaf/{name}.json")) else {
            return;
        };
        let advisory = csaf::read(&bytes).unwrap();
        assert!(advisory.problems.is_empty(), "{name}: {:?}", advisory.problems);
        assert!(advisory.records().all(|row| row.product.is_some()));
    }
    if let Some(bytes) = data("cti/csaf/csaf_2.0/examples/ROLIE/example-01-feed-tlp-white.json") {
        assert_eq!(csaf::rolie(&bytes).unwrap().entries.len(), 1);
    }
    let name = "cti/csaf/csaf_2.0/examples/provider-metadata/example-01-provider-metadata.json";
    if let Some(bytes) = data(name) {
        assert_eq!(csaf::provider(&bytes).unwrap().role, "csaf_trusted_provider");
    }
}

#[test]
fn every_warninglist() {
    let Some(bytes) = data("cti/misp-warninglists/misp-warninglists.tar.gz") else { return };
    let lists: Vec<Warninglist> = tar(&bytes)
        .into_iter()
        .filter(|(name, _)| name.ends_with("/list.json"))
        .map(|(name, body)| {
            Warninglist::read(body).unwrap_or_else(|error| panic!("{name}: {error}"))
        })
        .collect();
    assert_eq!(lists.len(), 135);
    let (matcher, left_out) = Matcher::new(&lists).unwrap();
    println!("{} bytes, left out: {left_out:?}", matcher.bytes());
    assert!(left_out.len() < 30);
    // Every entry that names an address or a network is found in its own list.
    for (place, list) in lists.iter().enumerate().filter(|(_, list)| list.list.len() < 20_000) {
        for entry in
            list.list.iter().filter(|_| list.matching == feeds::warninglist::Matching::Cidr)
        {
            let Ok(observable) = Observable::classify(entry) else { continue };
            let hits = matcher.lists(&observable);
            let meant = hits.iter().any(|hit| usize::from(*hit) == place);
            let applies = left_out.iter().all(|left| left.list != place);
            assert!(meant || !applies, "{}: {entry}", list.name);
        }
    }
}

#[test]
fn attack_capec_and_atlas() {
    for (name, domain, techniques, parts) in [
        ("cti/attack/enterprise-attack-18.1-rebuilt.json.gz", "enterprise-attack", 216, 475),
        ("cti/attack/ics-attack-18.1.json.gz", "ics-attack", 83, 0),
        ("cti/attack/mobile-attack-18.1-rebuilt.json.gz", "mobile-attack", 77, 47),
        ("cti/atlas/stix-atlas.json.gz", "atlas", 101, 69),
    ] {
        let Some(objects) = objects(name) else { return };
        let knowledge = Knowledge::read(&objects);
        let matrix = knowledge.matrix_of(domain, &BTreeMap::new()).unwrap();
        assert_eq!((matrix.techniques, matrix.sub_techniques), (techniques, parts), "{name}");
        assert!(matrix.columns.iter().all(|column| !column.cells.is_empty()), "{name}");
        assert!(knowledge.loose.is_empty(), "{name}: {:?}", knowledge.loose);
        println!("{name}: not read {:?}", knowledge.not_read);
        if domain == "enterprise-attack" {
            assert_eq!(matrix.columns[0].short_name, "reconnaissance");
            assert_eq!(matrix.columns[13].short_name, "impact");
            assert!(knowledge.statements[0].contains("MITRE"));
            assert!(knowledge.sources("T1059.001", RelationKind::Uses).count() > 100);
            reports_name_what_they_mean(&knowledge);
        }
    }
    let Some(objects) = objects("cti/capec/stix-capec-2.1-rebuilt.json.gz") else { return };
    let knowledge = Knowledge::read(&objects);
    let patterns: Vec<_> = knowledge.of_kind(ItemKind::AttackPattern).collect();
    assert_eq!((patterns.len(), patterns.iter().filter(|p| p.deprecated).count()), (615, 56));
    assert_eq!(knowledge.get("CAPEC-4").unwrap().parents, ["CAPEC-267"]);
    assert!(knowledge.get("CAPEC-4").unwrap().references.contains(&"CWE-291".to_owned()));
}

/// Descriptions of campaigns name groups and software by links: the names must be found in the text.
fn reports_name_what_they_mean(knowledge: &Knowledge) {
    let names = Names::new(knowledge.names()).unwrap();
    let (mut named, mut found) = (0, 0);
    for campaign in knowledge.of_kind(ItemKind::Campaign) {
        // [Name](https://attack.mitre.org/groups/G0001): the address would give the identifier away.
        let links = campaign.description.split("](https://attack.mitre.org/");
        let text: String = links
            .enumerate()
            .map(|(at, part)| if at == 0 { part } else { part.split_once(')').unwrap().1 })
            .collect();
        let text = text.replace('[', "");
        let review = extract(&text, Some(&names), LIMITS).unwrap();
        for link in campaign.description.split("](https://attack.mitre.org/").skip(1) {
            let id = link.split(')').next().unwrap().rsplit('/').next().unwrap();
            // Campaigns of two domains name what only the other one holds.
            if !id.starts_with(['G', 'S']) || knowledge.get(id).is_none() {
                continue;
            }
            named += 1;
            let before = found;
            found += usize::from(review.candidates.iter().any(|candidate| {
                matches!(&candidate.found, feeds::extract::Found::Knowledge { id: have, .. } if have == id)
            }));
            if found == before {
                println!("not found: {id}, {}", knowledge.get(id).map_or("", |item| &item.name));
            }
        }
    }
    println!("campaigns: {found} of {named} linked names found");
    assert!(named > 50 && found * 100 >= named * 95, "{found} of {named}");
}

#[test]
fn countermeasures() {
    let Some(bytes) = data("range/d3fend/d3fend-protege-1.2.0.ttl.gz") else { return };
    let start = Instant::now();
    let read = D3fend::read(&bytes).unwrap();
    println!(
        "{} countermeasures, {} links in {:?}",
        read.countermeasures.len(),
        read.links.len(),
        start.elapsed()
    );
    assert!(read.countermeasures.len() > 200 && read.links.len() > 3_000);
    assert_eq!(read.countermeasures["D3-FH"].name, "File Hashing");
    assert!(read.terms.iter().any(|term| term == "MIT"));
    // A start-up script is a file: what analyses files meets it.
    assert!(read.against("T1547.001")["D3-FA"] <= Fit::Covers);
    assert!(read.against("T1547.001").contains_key("D3-FH"), "countermeasures inherit");
}
