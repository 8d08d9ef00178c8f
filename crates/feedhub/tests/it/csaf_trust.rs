//! Signatures of advisories, and aggregators of providers.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::House;
use super::csaf::{Site, advisory, house, site};

/// Keys of the test's own, made by GnuPG; `None` where it is not installed.
struct Gpg(tempfile::TempDir);

impl Gpg {
    fn new(names: &[&str]) -> Option<Self> {
        Command::new("gpg").arg("--version").output().ok()?;
        let gpg = Self(tempfile::tempdir().unwrap());
        for name in names {
            gpg.run(&["--quick-gen-key", name, "ed25519", "sign", "never"]);
        }
        Some(gpg)
    }

    fn run(&self, args: &[&str]) -> String {
        let mut command = Command::new("gpg");
        command.env("GNUPGHOME", self.0.path()).current_dir(self.0.path());
        command.args(["--batch", "--yes", "--quiet", "--passphrase", "", "--pinentry-mode"]);
        let done = command.arg("loopback").args(args).output().unwrap();
        assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    fn key(&self, name: &str) -> (String, String) {
        let listed = self.run(&["--with-colons", "--list-keys", name]);
        let line = listed.lines().find(|line| line.starts_with("fpr")).unwrap();
        let fingerprint = line.split(':').nth(9).unwrap().to_owned();
        (fingerprint, self.run(&["--armor", "--export", name]))
    }

    fn sign(&self, name: &str, text: &str) -> String {
        std::fs::write(self.0.path().join("doc"), text).unwrap();
        let output = "--output=-";
        self.run(&["--local-user", name, "--armor", output, "--detach-sign", "doc"])
    }
}

impl Drop for Gpg {
    fn drop(&mut self) {
        let home = Path::new(self.0.path());
        let _ = Command::new("gpgconf").env("GNUPGHOME", home).args(["--kill", "all"]).output();
    }
}

fn metadata(url: &str, distributions: &Value, keys: &Value) -> String {
    json!({"canonical_url": format!("{url}/provider-metadata.json"), "role": "csaf_trusted_provider",
        "metadata_version": "2.0", "last_updated": "2026-01-01T00:00:00Z", "list_on_CSAF_aggregators": true,
        "mirror_on_CSAF_aggregators": true, "distributions": distributions, "public_openpgp_keys": keys,
        "publisher": {"category": "vendor", "name": "Example", "namespace": "https://example.com"}})
    .to_string()
}

const WELL_KNOWN: &str = "/.well-known/csaf/provider-metadata.json";
const DATE: &str = "2026-02-01T00:00:00Z";

/// Advisory 1 is signed well, 2 was changed afterwards, 3 is signed by a stranger, 4 is not signed.
fn signed(site: &Site, url: &str, gpg: &Gpg) {
    let (fingerprint, key) = gpg.key("psirt");
    site.put("/key.asc", key);
    let keys = json!([{"fingerprint": fingerprint, "url": format!("{url}/key.asc")}]);
    let folder = json!([{"directory_url": format!("{url}/csaf/")}]);
    site.put(WELL_KNOWN, metadata(url, &folder, &keys));
    let mut changes = String::new();
    for n in 1..=4 {
        let text = advisory(n, DATE, "WHITE").to_string();
        let place = format!("/csaf/2026/{n}.json");
        let shown = if n == 2 { text.replace("1.1", "6.6") } else { text.clone() };
        let signer = if n == 3 { "stranger" } else { "psirt" };
        if n < 4 {
            site.put(&format!("{place}.asc"), gpg.sign(signer, &text));
        }
        site.put(&place, shown);
        changes.push_str(&format!("\"2026/{n}.json\",\"{DATE}\"\n"));
    }
    site.put("/csaf/changes.csv", changes);
}

async fn known(house: &House) -> Vec<bool> {
    let mut all = Vec::new();
    for n in 1..=4 {
        all.push(house.known(&format!("cve-2026-{}", 4_000 + n)).await);
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn signatures_decide_as_the_feed_has_it() {
    let Some(gpg) = Gpg::new(&["psirt", "stranger"]) else {
        println!("skipped: gpg is not installed");
        return;
    };
    for (policy, taken, counts) in [
        ("prefer", [true, false, false, true], [1, 2, 1, 0]),
        ("require", [true, false, false, false], [1, 2, 1, 0]),
        ("ignore", [true, true, true, true], [0, 0, 0, 0]),
    ] {
        let (url, site) = site().await;
        signed(&site, &url, &gpg);
        let house = house(&url, json!({"form": "csaf", "signatures": policy})).await;
        let (status, feed) = house.run("c").await;
        assert_eq!(status, 200, "{policy}: {feed}");
        assert_eq!(known(&house).await, taken, "{policy}");
        let said = &feed["counts"]["signatures"];
        let said = ["good", "bad", "missing", "unknown"].map(|name| said[name].as_u64().unwrap());
        assert_eq!(said, counts, "{policy}");
        let refused = taken.iter().filter(|taken| !**taken).count();
        assert_eq!(feed["counts"]["rejected"], refused, "{policy}");
        if policy != "ignore" {
            assert_eq!(feed["counts"]["rejected_by"]["signature"], refused);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_other_than_the_one_named_judges_nothing() {
    let Some(gpg) = Gpg::new(&["psirt", "stranger"]) else {
        println!("skipped: gpg is not installed");
        return;
    };
    let (url, site) = site().await;
    signed(&site, &url, &gpg);
    // Whoever changed the advisories changed the key as well, but not the metadata.
    site.put("/key.asc", gpg.key("stranger").1);
    let house = house(&url, json!({"form": "csaf", "signatures": "require"})).await;
    let (_, feed) = house.run("c").await;
    assert_eq!(known(&house).await, [false; 4], "{feed}");
    assert_eq!(feed["counts"]["rejected_by"]["key"], 1);
    assert_eq!(feed["counts"]["signatures"]["unknown"], 3);
    assert_eq!(feed["counts"]["signatures"]["good"], 0);
    // The right key again, what is good is taken: refused documents are asked for again.
    site.put("/key.asc", gpg.key("psirt").1);
    house.run("c").await;
    assert_eq!(known(&house).await, [true, false, false, false]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_aggregator_is_read_as_all_its_providers() {
    let (url, site) = site().await;
    let entry = |name: &str, place: &str, mirrors: Value| {
        json!({"metadata": {"last_updated": DATE, "role": "csaf_provider", "url": format!("{url}{place}"),
            "publisher": {"category": "vendor", "name": name, "namespace": "https://example.com"}},
            "mirrors": mirrors})
    };
    for n in 1..=3 {
        let folder = json!([{"directory_url": format!("{url}/p{n}/")}]);
        site.put(&format!("/p{n}/pm.json"), metadata(&url, &folder, &json!([])));
        site.put(&format!("/p{n}/2026/{n}.json"), advisory(n, DATE, "WHITE").to_string());
        site.put(&format!("/p{n}/changes.csv"), format!("\"2026/{n}.json\",\"{DATE}\"\n"));
    }
    let aggregator = |providers: Value| {
        json!({"aggregator": {"category": "aggregator", "name": "A", "namespace": "https://a.example"},
            "aggregator_version": "2.0", "canonical_url": format!("{url}/aggregator.json"),
            "last_updated": DATE, "csaf_providers": providers})
        .to_string()
    };
    // The second one's own address is dead, its mirror is not; the third is dead altogether.
    let dead = entry("Three", "/nowhere.json", json!([]));
    let two = entry("Two", "/nowhere.json", json!([format!("{url}/p2/pm.json")]));
    let one = entry("One", "/p1/pm.json", json!([]));
    site.put("/aggregator.json", aggregator(json!([one, two, dead])));
    let house = house(&format!("{url}/aggregator.json"), json!({"form": "csaf"})).await;
    let (status, problem) = house.run("c").await;
    assert_eq!(status, 502, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("Three"), "{problem}");
    assert_eq!(known(&house).await, [true, true, false, false]);
    // It comes back, and the first leaves the list: what only it said goes.
    let three = entry("Three", "/p3/pm.json", json!([]));
    site.put("/aggregator.json", aggregator(json!([two, three])));
    let (status, feed) = house.run("c").await;
    assert_eq!(status, 200, "{feed}");
    assert_eq!(known(&house).await, [false, true, true, false], "{feed}");
    // An aggregator in an aggregator is not followed.
    let circle = entry("Circle", "/aggregator.json", json!([]));
    site.put("/aggregator.json", aggregator(json!([two, three, circle])));
    let (_, problem) = house.run("c").await;
    assert!(problem["detail"].as_str().unwrap().contains("within an aggregator"), "{problem}");
    assert_eq!(known(&house).await, [false, true, true, false]);
}
