//! The catalogue of metrics, the source, the dashboard, the alert rules and the document say the same.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use platform::measures::{Kind, MEASURES};
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn known() -> BTreeSet<&'static str> {
    MEASURES.iter().map(|measure| measure.name).collect()
}

/// Names of metrics in a text; those of a histogram's parts as the histogram's.
fn named(text: &str) -> BTreeSet<String> {
    let histograms: Vec<&str> =
        MEASURES.iter().filter(|m| m.kind == Kind::Histogram).map(|m| m.name).collect();
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.split(|c| !word(c))
        .filter(|name| name.starts_with("sereno_"))
        .map(|name| {
            let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
            base.filter(|base| histograms.contains(base)).unwrap_or(name).to_owned()
        })
        .collect()
}

fn sources(folder: &Path, into: &mut String) {
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            into.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_metric_of_the_source_is_described_and_every_description_has_one() {
    let mut text = String::new();
    for room in std::fs::read_dir(root().join("crates")).unwrap() {
        sources(&room.unwrap().path().join("src"), &mut text);
    }
    let mut used = BTreeSet::new();
    for kind in ["counter!(", "gauge!(", "histogram!("] {
        for (at, _) in text.match_indices(&format!("metrics::{kind}")) {
            let rest = text[at..].split_once('(').unwrap().1.trim_start();
            let name = rest.strip_prefix('"').and_then(|rest| rest.split('"').next());
            used.insert(name.unwrap_or_else(|| panic!("no name: {}", &rest[..40])).to_owned());
        }
    }
    let known: BTreeSet<String> = known().into_iter().map(str::to_owned).collect();
    assert_eq!(used, known, "left: in the source; right: platform::measures::MEASURES");
    let sorted: Vec<&str> = MEASURES.iter().map(|measure| measure.name).collect();
    assert!(sorted.is_sorted(), "MEASURES stand by name");
}

#[test]
fn every_panel_of_the_dashboard_asks_for_metrics_that_exist() {
    let text = std::fs::read_to_string(root().join("packaging/grafana/sereno.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let mut ids = BTreeSet::new();
    let mut asked = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        assert!(ids.insert(panel["id"].as_i64().unwrap()), "two panels have one id");
        if panel["type"] == "row" {
            continue;
        }
        for target in panel["targets"].as_array().unwrap() {
            let names = named(target["expr"].as_str().unwrap());
            assert!(!names.is_empty(), "{} asks for nothing of ours", panel["title"]);
            asked.extend(names);
        }
    }
    let unknown: Vec<&String> = asked.iter().filter(|n| !known().contains(n.as_str())).collect();
    assert!(unknown.is_empty(), "no such metrics: {unknown:?}");
    assert!(asked.len() > 25, "only {} metrics are shown", asked.len());
}

#[test]
fn every_alert_rests_on_metrics_that_exist_and_says_what_to_do() {
    let path = root().join("packaging/prometheus/sereno-alerts.yml");
    let text = std::fs::read_to_string(path).unwrap();
    let rules: String =
        text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n");
    let unknown: Vec<String> =
        named(&rules).into_iter().filter(|name| !known().contains(name.as_str())).collect();
    assert!(unknown.is_empty(), "no such metrics: {unknown:?}");
    let alerts: Vec<&str> = rules.split("- alert: ").skip(1).collect();
    assert!(alerts.len() > 10);
    for alert in alerts {
        for part in ["expr:", "severity:", "summary:", "description:"] {
            assert!(alert.contains(part), "no {part} in {alert}");
        }
    }
}

#[test]
fn the_document_lists_every_metric() {
    let mut table = String::from("| metric | kind | labels | meaning |\n|---|---|---|---|\n");
    for measure in MEASURES {
        let kind = match measure.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let labels = if measure.labels.is_empty() { "–" } else { measure.labels };
        writeln!(table, "| `{}` | {kind} | {labels} | {} |", measure.name, measure.help).unwrap();
    }
    let file = root().join("docs/monitoring.md");
    let kept = std::fs::read_to_string(&file).unwrap();
    let (head, rest) = kept.split_once("<!-- metrics -->\n").unwrap();
    let (_, tail) = rest.split_once("<!-- end of metrics -->").unwrap();
    let now = format!("{head}<!-- metrics -->\n{table}<!-- end of metrics -->{tail}");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&file, &now).unwrap();
    }
    assert!(
        kept == now || std::env::var_os("UPDATE_SNAPSHOTS").is_some(),
        "docs/monitoring.md is stale; `UPDATE_SNAPSHOTS=1 cargo nextest run -p server` writes its table"
    );
}
