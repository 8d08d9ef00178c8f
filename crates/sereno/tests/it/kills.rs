//! `kill -9` of either node at seeded random moments: the loop finishes, nothing is lost, nothing is
//! done twice.

use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::programs::{demo, output, sereno};
use crate::walk::check;

/// Kills in an ordinary run; `SERENO_KILLS` raises it (`make test-long` asks for 50).
const KILLS: u32 = 5;

/// A small generator, so that a failing run can be repeated from its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// Process ids of `sereno up` on this data folder.
fn node_processes(data: &std::path::Path) -> Vec<i32> {
    let wanted = data.display().to_string();
    std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| {
            let id: i32 = entry.file_name().to_str()?.parse().ok()?;
            let words = std::fs::read(entry.path().join("cmdline")).ok()?;
            let words: Vec<String> = words
                .split(|byte| *byte == 0)
                .map(|word| String::from_utf8_lossy(word).into_owned())
                .collect();
            (words.get(1).is_some_and(|verb| verb == "up") && words.contains(&wanted)).then_some(id)
        })
        .collect()
}

fn kill_9(id: i32) {
    let _ = Command::new("kill").args(["-9", &id.to_string()]).status();
}

#[test]
fn the_loop_finishes_although_its_nodes_are_killed() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let kills = number("SERENO_KILLS").map_or(KILLS, |n: u64| u32::try_from(n).unwrap());
    let seed = number("SERENO_KILL_SEED").unwrap_or(20_261_122);
    eprintln!("{kills} kills, SERENO_KILL_SEED={seed}");
    let mut dice = Dice(seed);
    let mut left = kills;
    // A loop takes about ten seconds: several walks make room for many kills.
    while left > 0 {
        let in_this_walk = left.min(5);
        left -= in_this_walk;
        one_walk(&mut dice, in_this_walk);
    }
}

fn one_walk(dice: &mut Dice, kills: u32) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("demo");
    let child = demo(&data)
        .args(["--speed", "720"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // The nodes must have met once: enrolment is done by the supervisor, by hand as it were.
    while !data.join("operator/run/edge.sock").exists() {
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_millis(1_500));
    for _ in 0..kills {
        std::thread::sleep(Duration::from_millis(300 + dice.roll(2_500)));
        let side = if dice.roll(3) == 0 { "cert" } else { "operator" };
        let found = node_processes(&std::path::absolute(data.join(side)).unwrap());
        found.into_iter().for_each(kill_9);
    }
    let done = child.wait_with_output().unwrap();
    let report: Value = serde_json::from_slice(&done.stdout).unwrap();
    check(&report);
    // Nothing twice: the operator holds one run and one share per incident, the CERT each incident once.
    let incidents = list(&data.join("operator"), "incidents");
    let runs = list(&data.join("operator"), "runs");
    let shares = list(&data.join("operator"), "shares");
    let received = list(&data.join("cert"), "incidents");
    assert_eq!(runs.len(), incidents.len(), "{runs:#?}");
    assert_eq!(shares.len(), incidents.len(), "{shares:#?}");
    assert_eq!(received.len(), incidents.len(), "{received:#?}");
    let delivered: Vec<&Value> = shares.iter().filter(|s| s["state"] == "acknowledged").collect();
    assert!(!delivered.is_empty());
}

fn list(data: &std::path::Path, noun: &str) -> Vec<Value> {
    let answer = output(sereno().args([noun, "--json", "--data"]).arg(data));
    let answer: Value = serde_json::from_slice(&answer.stdout).unwrap();
    answer["items"].as_array().cloned().unwrap_or_default()
}
