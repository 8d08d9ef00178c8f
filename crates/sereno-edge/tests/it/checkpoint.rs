//! The agent as a process: an infected service runs again from before its infection; kills lose nothing but what was
//! unfinished; back-ends that do not work here say why.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::checkpoint_kit::{COUNTER, Ground, now, read};

fn micros(value: &Value) -> i64 {
    let time: model::Timestamp = value.as_str().unwrap().parse().unwrap();
    time.as_micros()
}

#[test]
fn an_infected_service_runs_again_from_before_its_infection() {
    let mut ground = Ground::new(COUNTER);
    std::fs::write(ground.path("state/behaviour"), "good").unwrap();
    ground.start();
    ground.until_more_checkpoints(3);
    let infected_at = now();
    std::fs::write(ground.path("state/behaviour"), "evil").unwrap();
    ground.until("the infection shows", |own| read(&own.path("seen")) == "evil");
    // Infected checkpoints are taken before anybody notices.
    ground.until_more_checkpoints(2);
    let before = ground.checkpoints();
    let before_count: u64 = read(&ground.path("state/count")).trim().parse().unwrap_or(u64::MAX);

    let reply = ground.reply("restore", &["counter", "--before", &infected_at]);
    assert_eq!(reply["reply"], "done", "{reply}");
    let restored = reply["checkpoint"]["counter"].as_u64().unwrap();
    let newest_clean = before
        .iter()
        .filter(|one| {
            micros(&one["taken_at"]) <= infected_at.parse::<model::Timestamp>().unwrap().as_micros()
        })
        .map(|one| one["counter"].as_u64().unwrap())
        .max();
    assert_eq!(Some(restored), newest_clean, "the newest that is older than the evidence");
    let downtime = reply["downtime_s"].as_f64().unwrap();
    let (stopped, running) = (micros(&reply["stopped_at"]), micros(&reply["running_at"]));
    assert!(
        (downtime - (running - stopped) as f64 / 1e6).abs() < 1e-6 && downtime > 0.0,
        "{reply}"
    );
    let lost = reply["lost_s"].as_f64().unwrap();
    assert!(
        (lost - (stopped - micros(&reply["checkpoint"]["taken_at"])) as f64 / 1e6).abs() < 1e-6
    );
    assert!(reply["lost_bytes"].as_u64().unwrap() > 0, "{reply}");
    let chance = reply["chance_infected"].as_f64().unwrap();
    assert!((0.9..1.0).contains(&chance), "seconds against a mean delay of ten minutes: {chance}");
    assert!(reply["counter"].as_str().unwrap().contains("not hardware"), "{reply}");

    // It behaves again, and goes on counting from where it was.
    ground.until("it behaves again", |own| read(&own.path("seen")) == "good");
    assert_eq!(read(&ground.path("state/behaviour")), "good");
    let count: u64 = read(&ground.path("state/count")).trim().parse().unwrap();
    assert!(
        count > 1 && count < before_count.saturating_add(500),
        "{count}, {before_count} before"
    );
    // What was taken while it was infected is never restored; what it was is kept as evidence.
    let after = ground.checkpoints();
    for one in &after {
        let counter = one["counter"].as_u64().unwrap();
        if before.iter().any(|known| known["counter"] == one["counter"]) {
            assert_eq!(one["suspect"], json!(counter > restored), "{one}");
        }
    }
    let evidence = after.iter().find(|one| one["counter"] == reply["evidence"]).unwrap();
    assert_eq!(evidence["evidence"], true);
    // Evidence that lies before everything: nothing is done, and what is offered is said.
    let refused = ground.ask("restore", &["counter", "--before", "2020-01-01T00:00:00Z"]);
    assert_eq!(refused.status.code(), Some(1));
    let refused: Value = serde_json::from_slice(&refused.stdout).unwrap();
    assert_eq!(refused["reply"], "failed");
    assert!(refused["offers"][0].as_str().unwrap().starts_with("oldest: checkpoint "), "{refused}");
    ground.stop();
    let (sound, answer) = ground.verify();
    assert!(sound, "{answer}");
}

#[test]
fn a_wrong_token_gives_no_orders_and_a_second_agent_finds_the_store_in_use() {
    let mut ground = Ground::new(COUNTER);
    ground.start();
    std::fs::write(ground.path("other"), "wrong").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sereno-edge"));
    command.args(["checkpoint", "take", "counter", "--socket"]).arg(ground.path("agent.sock"));
    let output = command.arg("--token-file").arg(ground.path("other")).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stdout).contains("wrong token"), "{output:?}");
    let mut command = ground.command();
    let output =
        command.args(["run", "--protect"]).arg(ground.path("protect.toml")).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("in use by another agent"),
        "{output:?}"
    );
}

/// A small generator, so that a failing run can be repeated from its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

fn alive(pid: &str) -> bool {
    let stat = read(&Path::new("/proc").join(pid).join("stat"));
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

/// Kills in an ordinary run; `SERENO_KILLS` raises it (`make test-long` asks for 20).
const KILLS: u64 = 3;

#[test]
fn checkpoints_survive_kills_of_their_agent() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let (kills, seed) =
        (number("SERENO_KILLS").unwrap_or(KILLS), number("SERENO_KILL_SEED").unwrap_or(20_261_130));
    eprintln!("{kills} kills, SERENO_KILL_SEED={seed}");
    let mut dice = Dice(seed);
    // New bytes all the time, and an interval that keeps the agent writing.
    let busy = COUNTER
        .replace("0.4", "0.1")
        .replace("sleep 0.02", "head -c 300000 /dev/urandom > noise; sleep 0.01");
    let mut ground = Ground::new(&busy);
    let mut newest = 0;
    for kill in 0..kills {
        ground.start();
        let pids = read(&ground.path("pids"));
        let others: Vec<&str> = pids.lines().collect();
        let running = others.iter().filter(|pid| alive(pid)).count();
        assert!(running <= 1, "kill {kill}: the service of the dead agent still runs: {others:?}");
        std::thread::sleep(Duration::from_millis(300 + dice.roll(1_200)));
        let mut agent = ground.agent.take().unwrap();
        agent.kill().unwrap();
        agent.wait().unwrap();
        let (sound, answer) = ground.verify();
        assert!(sound, "kill {kill}: {answer}");
        let last =
            answer["checkpoints"].as_array().unwrap().last().and_then(Value::as_u64).unwrap_or(0);
        assert!(last >= newest, "kill {kill}: {last} after {newest}");
        newest = last;
    }
    assert!(newest > 0, "no checkpoint was ever taken");
    // A last agent, ended in order, so that the service ends too.
    ground.start();
    ground.stop();
}

#[test]
fn an_order_under_way_is_carried_through_by_the_next_agent() {
    let mut ground = Ground::new(COUNTER);
    let declared = read(&ground.path("protect.toml")).replace(
        "interrupt_mean_s = 0.2\ninterrupt_max_s = 1",
        "interrupt_mean_s = 900\ninterrupt_max_s = 2",
    );
    std::fs::write(ground.path("protect.toml"), declared).unwrap();
    std::fs::write(ground.path("state/behaviour"), "good").unwrap();
    ground.start();
    ground.until_more_checkpoints(2);
    let at = now();
    std::fs::write(ground.path("state/behaviour"), "evil").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sereno-edge"));
    command.args(["checkpoint", "restore", "counter", "--before", &at]);
    command
        .arg("--socket")
        .arg(ground.path("agent.sock"))
        .arg("--token-file")
        .arg(ground.path("token"));
    let mut asker = command.stdout(Stdio::null()).spawn().unwrap();
    let outcomes = ground.path("store/outcomes");
    // Under its own name: before that it is not on the disk, and nobody was told that it is taken.
    let written = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.is_ok_and(|entry| entry.path().extension().is_some_and(|ending| ending == "json"))
    };
    ground.until("the order is written down", |_| {
        std::fs::read_dir(&outcomes).is_ok_and(|mut list| list.any(written))
    });
    let mut agent = ground.agent.take().unwrap();
    agent.kill().unwrap();
    agent.wait().unwrap();
    let _ = asker.wait();
    ground.start();
    ground.until("it behaves again", |own| {
        read(&own.path("seen")) == "good" && read(&own.path("state/behaviour")) == "good"
    });
}

/// Counts in its memory and tells each count at QEMU's debug port: 35 bytes of real-mode code in a boot sector.
const BOOT: [u8; 34] = [
    0x31, 0xc0, 0x8e, 0xd8, 0xbb, 0x00, 0x7e, 0xc7, 0x07, 0x00, 0x00, 0xba, 0x20, 0x00, 0xb9, 0x00,
    0x00, 0xe2, 0xfe, 0x4a, 0x75, 0xf8, 0xff, 0x07, 0x8b, 0x07, 0xe6, 0xe9, 0x88, 0xe0, 0xe6, 0xe9,
    0xeb, 0xe9,
];

#[test]
fn a_virtual_machine_goes_on_from_its_checkpoint() {
    if Command::new("qemu-system-x86_64").arg("--version").output().is_err() {
        return eprintln!("skipped: virtual machines (install qemu-system-x86)");
    }
    let mut ground = Ground::new(
        "[[service]]\nname = 'plc'\nmin_interval_s = 3600\nkeep = { backend = 'machine', disks = ['AT/disk'] }\n\
         command = ['qemu-system-x86_64', '-machine', 'pc,accel=tcg', '-m', '8', '-display', 'none', '-nodefaults', \
         '-drive', 'file=AT/disk,format=raw,if=ide', '-debugcon', 'file:AT/told']\n",
    );
    let mut disk = vec![0; 1 << 20];
    disk[..BOOT.len()].copy_from_slice(&BOOT);
    disk[510..512].copy_from_slice(&[0x55, 0xaa]);
    std::fs::write(ground.path("disk"), &disk).unwrap();
    ground.start();
    let counts = |own: &Ground| -> Vec<u16> {
        let told = std::fs::read(own.path("told")).unwrap_or_default();
        told.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect()
    };
    ground.until("the machine counts", |own| counts(own).len() > 20);
    // The firmware speaks at the same port: the count begins where a 1 is followed by a 2.
    let own_count = counts(&ground).last().copied().unwrap();
    let taken = ground.reply("take", &["plc"]);
    assert_eq!(taken["reply"], "done", "{taken}");
    assert!(taken["checkpoint"]["bytes"].as_u64().unwrap() > 1 << 20, "{taken}");
    let at = counts(&ground).last().copied().unwrap();
    std::thread::sleep(Duration::from_millis(50));
    ground.until("it counts on after the checkpoint", |own| {
        counts(own).last().is_some_and(|last| *last > at.wrapping_add(10))
    });
    let reply = ground.reply("restore", &["plc", "--before", &now()]);
    assert_eq!(reply["reply"], "done", "{reply}");
    ground.until("it counts again", |own| counts(own).len() > 5);
    let first = counts(&ground)[0];
    assert!(
        first > 1 && first >= own_count.saturating_sub(1) && first <= at.saturating_add(50),
        "{own_count} … {at}, then {first}"
    );
}

#[test]
fn an_overlay_goes_back_with_what_was_deleted() {
    let probe = Command::new("unshare").args(["-Urm", "true"]).status();
    if !probe.is_ok_and(|status| status.success()) {
        return eprintln!("skipped: overlays (user namespaces are not allowed here)");
    }
    let mut ground = Ground::new(
        "[[service]]\nname = 'web'\nmin_interval_s = 3600\n\
         keep = { backend = 'overlay', lower = 'AT/lower', upper = 'AT/upper', work = 'AT/work', merged = 'AT/merged' }\n\
         command = ['/bin/sh', '-c', '''\n\
         cd AT/merged; while :; do sh program > ../seen.new 2>&1; mv ../seen.new ../seen; \
         test -f ../do && sh ../do && rm ../do; sleep 0.02; done\n''']\n",
    );
    ground.before = ["unshare", "-Urm", "--kill-child=TERM"].map(str::to_owned).to_vec();
    for (name, body) in [("program", "echo good; ls pages"), ("pages/a", "a"), ("pages/b", "b")] {
        let path = ground.path("lower").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, body).unwrap();
    }
    ground.start();
    let does = |own: &Ground, what: &str| {
        std::fs::write(own.path("do.new"), what).unwrap();
        std::fs::rename(own.path("do.new"), own.path("do")).unwrap();
        own.until("done", |own| !own.path("do").exists());
    };
    ground.until("it works", |own| read(&own.path("seen")) == "good\na\nb\n");
    does(&ground, "rm pages/a; echo c > pages/c");
    ground.until("it changed", |own| read(&own.path("seen")) == "good\nb\nc\n");
    let taken = ground.reply("take", &["web"]);
    if taken["reply"] == "failed" {
        panic!("{taken}");
    }
    let at = now();
    does(&ground, "echo 'echo evil' > program; rm -r pages; mkdir pages");
    ground.until("it is infected", |own| read(&own.path("seen")) == "evil\n");
    let reply = ground.reply("restore", &["web", "--before", &at]);
    assert_eq!(reply["reply"], "done", "{reply}");
    ground.until("as before, with what was deleted and added", |own| {
        read(&own.path("seen")) == "good\nb\nc\n"
    });
    // No checkpoint is older than this: the base below is clean by itself.
    let reply = ground
        .reply("restore", &["web", "--before", "2020-01-01T00:00:00Z", "--when-none", "clean"]);
    assert_eq!(reply["started_from"], "the clean base", "{reply}");
    ground.until("as it was at first", |own| read(&own.path("seen")) == "good\na\nb\n");
}

#[test]
fn every_back_end_works_or_says_why_not() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sereno-edge"));
    let output = command.args(["checkpoint", "backends", "--json"]).output().unwrap();
    let list: Value = serde_json::from_slice(&output.stdout).unwrap();
    let names: Vec<&str> =
        list.as_array().unwrap().iter().map(|one| one["backend"].as_str().unwrap()).collect();
    assert_eq!(names, ["state", "overlay", "btrfs", "machine", "criu"]);
    for one in list.as_array().unwrap() {
        let why = one["why_not"].as_str().unwrap_or_default();
        assert_eq!(one["works"].as_bool().unwrap(), why.is_empty(), "{one}");
        if !why.is_empty() {
            eprintln!("skipped: back-end {}: {why}", one["backend"]);
        }
    }
}
