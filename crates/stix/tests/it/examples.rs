//! The examples that OASIS publishes beside its schemas.

use std::path::{Path, PathBuf};

use stix::Bundle;
use stix::json::{DEFAULT_LIMITS, Limits};
use stix::validate::{self, Severity};

fn read(path: &Path) -> (serde_json::Value, Bundle) {
    let bytes = std::fs::read(path).unwrap();
    let bundle = Bundle::read(&bytes, DEFAULT_LIMITS).unwrap_or_else(|e| panic!("{path:?}: {e}"));
    (serde_json::from_slice(&bytes).unwrap(), bundle)
}

fn json_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(json_files(&path));
        } else if path.extension().is_some_and(|e| e == "json") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn check_examples(folder: &Path) -> usize {
    let mut files = json_files(folder);
    // a lone object, not a bundle
    files.retain(|path| !path.ends_with("interop-objectmarking-test.json"));
    for path in &files {
        let (value, bundle) = read(path);
        assert_eq!(bundle.to_value(), value, "{path:?} must go out as it came in");
        let report = validate::bundle(&bundle);
        let errors: Vec<_> =
            report.problems.iter().filter(|p| p.severity == Severity::Error).collect();
        assert!(errors.is_empty(), "{path:?}: {errors:#?}");
    }
    files.len()
}

#[test]
fn shipped_examples_are_valid_and_kept() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    assert_eq!(check_examples(&folder), 3);
}

/// The examples of the data pack, where it is at hand.
#[test]
fn all_examples_of_the_standard_are_valid_and_kept() {
    let Some(root) = data() else { return };
    let count = check_examples(&root.join("cti/stix-schemas/examples"));
    assert!(count >= 7, "{count} examples");
}

/// ATT&CK for ICS: some two thousand objects of many types, custom properties among them.
#[test]
fn a_large_real_bundle_is_kept_and_judged() {
    let Some(root) = data() else { return };
    let path = root.join("cti/attack/ics-attack-18.1.json.gz");
    let output = std::process::Command::new("gzip").arg("-dc").arg(&path).output().unwrap();
    let limits = Limits { max_bytes: 64 << 20, ..DEFAULT_LIMITS };
    let bundle = Bundle::read(&output.stdout, limits).unwrap();
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(bundle.to_value(), value);
    let report = validate::bundle(&bundle);
    assert!(bundle.objects.len() > 1_500, "{} objects", bundle.objects.len());
    // Release 18.1 leaves empty lists in one custom property; every other MUST is kept.
    let errors = report.problems.iter().filter(|p| p.severity == Severity::Error);
    let others: Vec<_> =
        errors.filter(|p| !p.property.ends_with("/related_asset_sectors")).collect();
    assert!(others.is_empty(), "{others:#?}");
}

pub(crate) fn data() -> Option<PathBuf> {
    let root = std::env::var_os("SERENO_TEST_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    if root.is_dir() {
        return Some(root);
    }
    println!("skipped: no data pack (SERENO_TEST_DATA)");
    None
}
