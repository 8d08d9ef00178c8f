//! Operator, national CERT, foreign CERT, each in a network of its own: links are cut, deaf one way and lossy, nodes
//! die meanwhile, and what was said, changed and taken back is everywhere once when the net heals.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::faults_kit::{facts, items, until};
use crate::nets::{Site, bridge, inside, is_inside};
use crate::programs::{output, sereno};

/// What takes longer than this after the net healed never comes.
const HEALED: Duration = Duration::from_secs(150);
/// Rounds of the long test, unless `SERENO_ROUNDS` says otherwise.
const ROUNDS: u32 = 120;

const FIRST: &str = "2026-01-01T00:00:00.000Z";

fn id(number: u32) -> String {
    format!("indicator--00000000-0000-4000-8000-{number:012}")
}

/// An indicator, modified at a minute of its first day.
fn indicator(number: u32, minute: u32, name: &str) -> Value {
    let (hour, minute) = (minute / 60, minute % 60);
    json!({
        "type": "indicator", "spec_version": "2.1", "id": id(number), "name": name,
        "created": FIRST, "modified": format!("2026-01-01T{hour:02}:{minute:02}:00.000Z"),
        "indicator_types": ["malicious-activity"], "pattern": "[ipv4-addr:value = '198.51.100.7']",
        "pattern_type": "stix", "valid_from": "2026-01-01T00:00:00Z",
        "object_marking_refs": [stix::Tlp::Clear.id()],
    })
}

struct Chain {
    folder: tempfile::TempDir,
    /// Operator, national CERT, foreign CERT.
    sites: [Site; 3],
}

const OPERATOR: usize = 0;
const NATIONAL: usize = 1;
const FOREIGN: usize = 2;

impl Chain {
    /// Both others call the national CERT, which hands on to the foreign one what it gets.
    fn new() -> Self {
        bridge();
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let sites = [
            Site::up(at, "operator", "operator", 1),
            Site::up(at, "national", "cert", 2),
            Site::up(at, "foreign", "cert", 3),
        ];
        let chain = Self { folder, sites };
        for who in [OPERATOR, FOREIGN] {
            chain.sites[who].joins(&chain.sites[NATIONAL], chain.folder.path());
        }
        chain.hand_on();
        chain
    }

    /// The national CERT shares with the foreign one by itself.
    fn hand_on(&self) {
        let national = &self.sites[NATIONAL];
        let peers = items(&national.data, &["peer", "list"]);
        let foreign = peers.iter().find(|peer| peer["name"] == "foreign").unwrap();
        let rule = json!({ "highest_tlp": "clear", "own_only": false, "peers": [foreign["id"]] });
        let file = self.folder.path().join("rule.json");
        std::fs::write(&file, rule.to_string()).unwrap();
        national.ask(&["share", "standing", "--add", file.to_str().unwrap()]);
    }

    fn says(&self, who: usize, objects: &[Value]) {
        let bundle = json!({ "type": "bundle", "objects": objects,
            "id": "bundle--00000000-0000-4000-8000-000000000001" });
        let file = self.folder.path().join("bundle.json");
        std::fs::write(&file, bundle.to_string()).unwrap();
        let words = ["intel", "import", "--data"];
        let done = output(sereno().args(words).arg(&self.sites[who].data).arg(&file));
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    fn shares(&self, numbers: &[u32]) {
        let ids: Vec<String> = numbers.iter().map(|number| id(*number)).collect();
        let mut words = vec!["share", "objects", "--to", "national"];
        words.extend(ids.iter().map(String::as_str));
        let made = self.sites[OPERATOR].ask(&words);
        assert!(made["id"].is_string(), "{made:#}");
    }

    fn takes_back(&self, number: u32) {
        let words = ["share", "retract", &id(number), "--reason", "it was wrong"];
        let made = self.sites[OPERATOR].ask(&words);
        assert!(made["id"].is_string(), "{made:#}");
    }

    fn known(&self, who: usize, number: u32) -> Value {
        let path = format!("/api/v1/intel/objects/{}", id(number));
        let done = output(sereno().args(["get", &path, "--data"]).arg(&self.sites[who].data));
        let answer: Value = serde_json::from_slice(&done.stdout).unwrap_or_default();
        answer["object"].clone()
    }

    /// Waits until an object stands so at a site.
    fn settles(&self, who: usize, number: u32, what: &str, look: impl Fn(&Value) -> bool) {
        let start = Instant::now();
        let name = self.sites[who].name;
        until(&format!("{what} at {name}"), || {
            let object = self.known(who, number);
            let found = look(&object);
            assert!(
                found || start.elapsed() < HEALED,
                "{what} at {name}: {object:#}{}",
                self.logs()
            );
            found.then_some(())
        });
    }

    fn logs(&self) -> String {
        let log = |site: &Site| {
            let text = std::fs::read_to_string(site.data.join("node.log")).unwrap_or_default();
            let links = if site.is_up() { site.ask(&["federation", "links"]) } else { Value::Null };
            format!("\n{}: {links:#}\n{text}", site.name)
        };
        self.sites.iter().map(log).collect()
    }

    fn link(&self, who: usize, with: &str) -> Value {
        let links = items(&self.sites[who].data, &["federation", "links"]);
        links.into_iter().find(|link| link["name"] == with).unwrap()
    }

    /// Nothing was refused or forged, nothing waits, every log holds.
    fn rests(&self) {
        let start = Instant::now();
        until("links at rest", || {
            let mut all =
                self.sites.iter().flat_map(|site| items(&site.data, &["federation", "links"]));
            let calm = |link: Value| link["queued"] == 0 && link["under_way"] == 0;
            let rest = all.all(calm);
            assert!(rest || start.elapsed() < HEALED, "something waits for ever{}", self.logs());
            rest.then_some(())
        });
        for site in &self.sites {
            for link in items(&site.data, &["federation", "links"]) {
                assert_eq!(link["refused"], 0, "{}: {link:#}", site.name);
            }
            assert_eq!(site.ask(&["ledger", "verify"])["verified"], true, "{}", site.name);
        }
        for (a, b) in [(OPERATOR, NATIONAL), (FOREIGN, NATIONAL)] {
            let (one, other) = (self.link(a, self.sites[b].name), self.link(b, self.sites[a].name));
            assert_eq!(one["out_seq"], other["in_seq"], "{one:#}{other:#}");
            assert_eq!(one["in_seq"], other["out_seq"], "{one:#}{other:#}");
        }
    }

    /// How often objects took effect at a site.
    fn kept(&self, who: usize) -> u64 {
        let received = facts(&self.sites[who].data, "federation.objects_received");
        received.iter().map(|fact| fact["payload"]["kept"].as_u64().unwrap()).sum()
    }
}

#[test]
fn a_partition_heals_and_everything_is_everywhere_once() {
    inside("partition::short", None);
}

#[test]
#[ignore = "runs inside the namespaces of its twin"]
fn short() {
    if !is_inside() {
        return;
    }
    let mut chain = Chain::new();
    chain.says(OPERATOR, &[1, 2, 3, 4].map(|number| indicator(number, 1, "first")));
    chain.shares(&[1, 2]);
    chain.settles(FOREIGN, 2, "what the operator said", |object| object["name"] == "first");

    // The middle is cut off; the operator goes on, and so does the foreign CERT, with the same object.
    chain.sites[NATIONAL].cut(true);
    chain.takes_back(1);
    chain.says(OPERATOR, &[indicator(2, 2, "corrected")]);
    chain.says(FOREIGN, &[indicator(2, 9, "another's word")]);
    chain.shares(&[3]);
    chain.sites[NATIONAL].fall();
    chain.sites[FOREIGN].fall();
    chain.sites[FOREIGN].rise();
    assert_eq!(chain.known(FOREIGN, 1)["revoked"], Value::Null, "it passed a cut line");
    chain.sites[NATIONAL].rise();
    chain.sites[NATIONAL].cut(false);

    for who in [NATIONAL, FOREIGN] {
        chain.settles(who, 1, "the retraction", |object| object["revoked"] == true);
        chain.settles(who, 3, "what was shared meanwhile", |object| object["name"] == "first");
    }
    chain.settles(NATIONAL, 2, "the correction", |object| object["name"] == "corrected");
    one_way(&chain);
    expelled(&chain);
}

/// What the operator sends does not come in, while its answers would go out.
fn one_way(chain: &Chain) {
    chain.sites[NATIONAL].deaf(1, 100);
    chain.shares(&[4]);
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(chain.known(NATIONAL, 4), Value::Null);
    chain.sites[NATIONAL].hear();
    chain.settles(FOREIGN, 4, "what was said to deaf ears", |object| object["name"] == "first");
    chain.rests();
    assert_eq!(chain.kept(FOREIGN), 4 + 1, "four objects and one correction, each once");
}

/// A member that is expelled in the middle of a push gets nothing more from that moment on.
fn expelled(chain: &Chain) {
    chain.says(OPERATOR, &(100..160).map(|n| indicator(n, 1, "many")).collect::<Vec<_>>());
    for number in 100..130 {
        chain.shares(&[number]);
    }
    let peers = items(&chain.sites[NATIONAL].data, &["peer", "list"]);
    let foreign = peers.iter().find(|peer| peer["name"] == "foreign").unwrap();
    let words = ["peer", "remove", foreign["id"].as_str().unwrap(), "--data"];
    let done = output(sereno().args(words).arg(&chain.sites[NATIONAL].data));
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let then = chain.kept(FOREIGN);
    for number in 130..160 {
        chain.shares(&[number]);
    }
    chain.settles(NATIONAL, 159, "all of it in the middle", |object| object["name"] == "many");
    std::thread::sleep(Duration::from_secs(2));
    // What was on the wire at that moment may still have come in; what was said afterwards may not.
    assert!(
        (130..160).all(|number| chain.known(FOREIGN, number).is_null()),
        "an expelled member was told"
    );
    assert!(chain.kept(FOREIGN) <= then + 30, "{} after {then}", chain.kept(FOREIGN));
}

/// Numbers that look like chance and come again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

#[test]
#[ignore = "many partitions: `make test-long`"]
fn many_partitions_heal() {
    let rounds = std::env::var("SERENO_ROUNDS").ok().and_then(|text| text.parse().ok());
    inside("partition::long", Some(rounds.unwrap_or(ROUNDS)));
}

#[test]
#[ignore = "runs inside the namespaces of its twin"]
#[allow(clippy::print_stdout)]
fn long() {
    if !is_inside() {
        return;
    }
    let rounds: u32 = std::env::var("SERENO_ROUNDS").unwrap().parse().unwrap();
    let seed = std::env::var("SERENO_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(7);
    let (mut chain, mut dice) = (Chain::new(), Dice(seed));
    let mut names: BTreeMap<u32, Option<String>> = BTreeMap::new();
    let (mut faults, start) = (BTreeMap::<&str, u32>::new(), Instant::now());
    for round in 1..=rounds {
        let fault = trouble(&mut chain, &mut dice);
        *faults.entry(fault).or_default() += 1;
        say(&chain, &mut dice, &mut names, round);
        std::thread::sleep(Duration::from_millis(dice.roll(1_500)));
        for site in &mut chain.sites {
            if !site.is_up() {
                site.rise();
            }
        }
        if dice.roll(3) > 0 {
            heal(&chain);
        }
    }
    heal(&chain);
    let healed = Instant::now();
    for (number, name) in &names {
        for who in [NATIONAL, FOREIGN] {
            match name {
                Some(name) => {
                    chain.settles(who, *number, name, |object| object["name"] == name.as_str())
                }
                None => chain.settles(who, *number, "a retraction", |object| {
                    object.is_null() || object["revoked"] == true
                }),
            }
        }
    }
    chain.rests();
    println!(
        "figure: {rounds} rounds (seed {seed}) in {:?}, {} objects, faults {faults:?}; all of it everywhere {:?} after the last one",
        start.elapsed(),
        names.len(),
        healed.elapsed()
    );
}

/// One fault.
fn trouble(chain: &mut Chain, dice: &mut Dice) -> &'static str {
    let who = usize::try_from(dice.roll(3)).unwrap();
    match dice.roll(5) {
        0 => {
            chain.sites[who].cut(true);
            "cut off"
        }
        1 => {
            chain.sites[NATIONAL].deaf(if who == OPERATOR { 1 } else { 3 }, 100);
            "deaf one way"
        }
        2 => {
            chain.sites[NATIONAL].deaf(if who == OPERATOR { 1 } else { 3 }, 30);
            "30 % lost"
        }
        3 => {
            chain.sites[who].fall();
            "killed"
        }
        _ => {
            chain.sites[who].cut(true);
            chain.sites[who].fall();
            "cut off and killed"
        }
    }
}

fn heal(chain: &Chain) {
    for site in &chain.sites {
        site.cut(false);
        site.hear();
    }
}

/// The operator shares three new objects, corrects an old one, takes one back, where it is up; what they are called.
fn say(chain: &Chain, dice: &mut Dice, names: &mut BTreeMap<u32, Option<String>>, round: u32) {
    let fresh: Vec<u32> = (round * 3..round * 3 + 3).collect();
    let name = format!("said in round {round}");
    chain.says(OPERATOR, &fresh.iter().map(|n| indicator(*n, 1, &name)).collect::<Vec<_>>());
    chain.shares(&fresh);
    names.extend(fresh.iter().map(|number| (*number, Some(name.clone()))));
    let pick = u32::try_from(dice.roll(u64::from(round) * 3)).unwrap() + 3;
    if let Some(Some(_)) = names.get(&pick) {
        if dice.roll(3) == 0 {
            chain.takes_back(pick);
            names.insert(pick, None);
        } else {
            let name = format!("corrected in round {round}");
            chain.says(OPERATOR, &[indicator(pick, round + 2, &name)]);
            names.insert(pick, Some(name));
        }
    }
}
