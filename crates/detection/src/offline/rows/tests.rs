//! Goals on the row scenarios, and attacks on the benign messages that change no counts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use analytics::goose::{Entry, GooseJudge, GooseMessage, GooseModel, WEAK_LAWS};
use analytics::host::Host;

use super::*;
use crate::offline::scenario::Scenario;

const WINDOW_US: i64 = 10_000_000;

fn folder(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SERENO_TEST_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let folder = root.join("detection").join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: {} is not there (SERENO_TEST_DATA)", folder.display());
    None
}

fn labels(folder: &Path) -> HashMap<u64, char> {
    let path = ["labels.csv", "labels.csv.gz"].map(|name| folder.join(name));
    let path = path.iter().find(|path| path.is_file()).unwrap();
    let mut table = Table::open(path, Form::Csv).unwrap();
    let mut labels = HashMap::new();
    while let Some(row) = table.next_row().unwrap() {
        labels.insert(row.get(0).parse().unwrap(), row.get(1).chars().next().unwrap());
    }
    labels
}

struct Opened {
    spec: RowsSpec,
    scenario: Scenario,
    models: RowModels,
}

fn opened(name: &str) -> Option<Opened> {
    let scenario = Scenario::read(&folder(name)?).unwrap();
    assert!(is_row_scenario(&scenario));
    let spec = read_spec(&scenario).unwrap();
    let train = scenario.train.clone().unwrap();
    let models = learn(&train, &spec, &Default::default()).unwrap();
    assert_eq!(models.summary.skipped, 0, "{:?}", models.summary);
    Some(Opened { spec, scenario, models })
}

type Place = (String, Option<Arc<str>>, i64);

/// (true positives, attack windows, false positives, benign windows).
fn measure(name: &str) -> Option<(f64, f64, f64)> {
    let Opened { spec, scenario, models } = opened(name)?;
    let test = scenario.test.as_ref().unwrap();
    let scores = score(test, &spec, &models).unwrap();
    let labels = labels(&scenario.folder);
    let mut truth: BTreeMap<Place, (bool, bool)> = BTreeMap::new();
    each_row(test, &spec, |facts| {
        let start = facts.ts_us.div_euclid(WINDOW_US) * WINDOW_US;
        for end in &facts.ends {
            let place = (end.to_string(), facts.group.clone(), start);
            let known = truth.entry(place).or_default();
            known.0 |= labels[&facts.number] == '1';
            known.1 |= labels[&facts.number] == 'x';
        }
    })
    .unwrap();
    let (mut positive, mut negative) = (Vec::new(), Vec::new());
    for window in scores.windows.iter().filter(|window| window.detector == "ensemble") {
        let place = (window.device.to_string(), window.group.clone(), window.start_us);
        match truth.get(&place).copied().unwrap_or_default() {
            (true, _) => positive.push(window.score),
            (false, true) => {}
            (false, false) => negative.push(window.score),
        }
    }
    let pairs = (positive.len() * negative.len()) as f64;
    let order = |a: f64, b: f64| if a > b { 1.0 } else { f64::from(u8::from(a == b)) / 2.0 };
    let auc: f64 =
        positive.iter().map(|p| negative.iter().map(|n| order(*p, *n)).sum::<f64>()).sum();
    let share = |scores: &[f64]| {
        scores.iter().filter(|score| **score > 1.0).count() as f64 / scores.len() as f64
    };
    let figures = (auc / pairs, share(&positive), share(&negative));
    eprintln!("{name}: {} + {} windows: {figures:?}", positive.len(), negative.len());
    Some(figures)
}

#[test]
fn goose_attacks_are_seen_and_emergencies_are_not() {
    let Some((auc, found, wrong)) = measure("goose") else { return };
    assert!(auc >= 0.995 && found >= 0.95 && wrong <= 0.005);
}

#[test]
fn mms_scanning_is_seen() {
    let Some((auc, found, wrong)) = measure("mms-scanning") else { return };
    assert!(auc >= 0.995 && found >= 0.98 && wrong <= 0.005);
}

/// A message that owns its parts, and whether an attacker touched it.
#[derive(Clone)]
struct Kept {
    ts_us: i64,
    src: Host,
    dst: Host,
    app_id: u32,
    length: u32,
    control: String,
    data_set: String,
    t_us: i64,
    state: u32,
    sequence: u32,
    data: Vec<Entry>,
    touched: bool,
}

impl Kept {
    fn message(&self) -> GooseMessage<'_> {
        GooseMessage {
            ts_us: self.ts_us,
            src: self.src,
            dst: self.dst,
            app_id: self.app_id,
            length: self.length,
            control: &self.control,
            ttl_ms: 1_100,
            data_set: &self.data_set,
            go_id: "gcb_1",
            t_us: self.t_us,
            state: self.state,
            sequence: self.sequence,
            simulation: false,
            conf_rev: 200,
            needs_commissioning: false,
            entries: self.data.len() as u32,
            data: &self.data,
        }
    }
}

/// The benign messages of every test run: what is labelled as attack is taken out.
fn benign_runs(opened: &Opened) -> Vec<Vec<Kept>> {
    let labels = labels(&opened.scenario.folder);
    let test = opened.scenario.test.as_ref().unwrap();
    let (mut table, columns) = open(test, &opened.spec).unwrap();
    let mut runs: BTreeMap<String, Vec<Kept>> = BTreeMap::new();
    let mut reader = GooseRow::default();
    while let Some(row) = table.next_row().unwrap() {
        if labels[&row.number] == '1' {
            continue;
        }
        let message = reader.read(&columns, row).unwrap();
        runs.entry(columns.text(row, "group").to_owned()).or_default().push(Kept {
            ts_us: message.ts_us,
            src: message.src,
            dst: message.dst,
            app_id: message.app_id,
            length: message.length,
            control: message.control.to_owned(),
            data_set: message.data_set.to_owned(),
            t_us: message.t_us,
            state: message.state,
            sequence: message.sequence,
            data: message.data.to_vec(),
            touched: false,
        });
    }
    runs.into_values().collect()
}

/// What an attack did to a run: the messages, and times at which something is missing or late.
struct Attacked {
    messages: Vec<Kept>,
    absent: Vec<(Host, i64)>,
}

/// The publisher that an attack picks: one that changes its state in the run, if there is one.
fn victim(run: &[Kept]) -> Host {
    run.iter().find(|kept| kept.state > 1).map_or(run[0].src, |kept| kept.src)
}

fn changed(run: &[Kept], from: i64, to: i64, change: impl Fn(&mut Kept)) -> Attacked {
    let (victim, mut messages) = (victim(run), run.to_vec());
    for kept in &mut messages {
        if kept.src == victim && (from..to).contains(&kept.ts_us) {
            change(kept);
            kept.touched = true;
        }
    }
    Attacked { messages, absent: Vec::new() }
}

fn removed(run: &[Kept], gone: impl Fn(&Kept) -> bool) -> Attacked {
    let victim = victim(run);
    let (absent, messages): (Vec<Kept>, Vec<Kept>) =
        run.iter().cloned().partition(|kept| kept.src == victim && gone(kept));
    Attacked { messages, absent: absent.iter().map(|kept| (kept.src, kept.ts_us)).collect() }
}

fn flip(data: &mut [Entry], places: &[usize]) {
    for place in places {
        if let Some(Entry::Bool(value)) = data.get_mut(*place) {
            *value = !*value;
        }
    }
}

/// An attacker in the line who tells his own states with rising numbers, fresh times and this
/// publisher's rest, and lets nothing of the publisher through.
fn masquerade(run: &[Kept], from: i64, to: i64) -> Attacked {
    let victim = victim(run);
    let last = run.iter().rfind(|kept| kept.src == victim && kept.ts_us < from);
    let Some(last) = last.cloned() else {
        return Attacked { messages: run.to_vec(), absent: Vec::new() };
    };
    let mut messages: Vec<Kept> = run.to_vec();
    messages.retain(|kept| kept.src != victim || !(from..to).contains(&kept.ts_us));
    let steps = [0, 1_000, 4_000, 16_000, 65_000, 256_000];
    let rest = (0..).map(|step| 342_000 + step * 915_000);
    let mut at = from;
    for (sequence, offset) in steps
        .into_iter()
        .scan(0, |sum, step| {
            *sum += step;
            Some(*sum)
        })
        .chain(rest.skip(1))
        .enumerate()
    {
        if at >= to {
            break;
        }
        at = from + offset;
        let mut kept = last.clone();
        (kept.ts_us, kept.t_us, kept.state) = (at, from, last.state + 1);
        (kept.sequence, kept.touched) = (sequence as u32, true);
        let places: &[usize] = if kept.data.len() > 8 { &[0, 4] } else { &[0] };
        flip(&mut kept.data, places);
        messages.push(kept);
    }
    messages.sort_by_key(|kept| kept.ts_us);
    Attacked { messages, absent: Vec::new() }
}

/// The attacker keeps telling the old state, lawfully counted, while a change is held back.
fn suppressed(run: &[Kept]) -> Attacked {
    let victim = victim(run);
    let own: Vec<&Kept> = run.iter().filter(|kept| kept.src == victim).collect();
    let change = own.windows(2).position(|pair| pair[1].state == pair[0].state + 1);
    let Some(change) = change else {
        return Attacked { messages: run.to_vec(), absent: Vec::new() };
    };
    let (old, from) = (own[change].clone(), own[change + 1].ts_us);
    let to = from + 20_000_000;
    let mut messages: Vec<Kept> = run.to_vec();
    messages.retain(|kept| kept.src != victim || !(from..to).contains(&kept.ts_us));
    let mut kept = old;
    while kept.ts_us + 915_000 < to {
        kept.ts_us += 915_000;
        kept.sequence += 1;
        kept.touched = kept.ts_us >= from;
        messages.push(kept.clone());
    }
    messages.sort_by_key(|kept| kept.ts_us);
    Attacked { messages, absent: Vec::new() }
}

fn replayed(run: &[Kept], from: i64, to: i64) -> Attacked {
    let victim = victim(run);
    let old: Vec<Kept> = run
        .iter()
        .filter(|kept| {
            kept.src == victim && (from - 25_000_000..to - 25_000_000).contains(&kept.ts_us)
        })
        .cloned()
        .collect();
    let mut messages: Vec<Kept> = run.to_vec();
    messages.retain(|kept| kept.src != victim || !(from..to).contains(&kept.ts_us));
    messages.extend(old.into_iter().map(|mut kept| {
        kept.ts_us += 25_000_000;
        kept.touched = true;
        kept
    }));
    messages.sort_by_key(|kept| kept.ts_us);
    Attacked { messages, absent: Vec::new() }
}

fn delayed(run: &[Kept], from: i64, to: i64, by_us: i64) -> Attacked {
    let mut attacked = changed(run, from, to, |kept| kept.ts_us += by_us);
    attacked.messages.sort_by_key(|kept| kept.ts_us);
    attacked
}

type Attack = fn(&[Kept], i64, i64) -> Attacked;

const ATTACKS: &[(&str, Attack)] = &[
    ("one value flipped on the way", |run, from, to| {
        changed(run, from, to, |kept| flip(&mut kept.data, &[0]))
    }),
    ("several values flipped on the way", |run, from, to| {
        changed(run, from, to, |kept| flip(&mut kept.data, &[0, 4, 6]))
    }),
    ("values flipped from a change of state on", |run, _, _| {
        changed(run, 0, i64::MAX, |_| {}).untrue_from_the_start()
    }),
    ("quality changed on the way", |run, from, to| {
        changed(run, from, to, |kept| kept.data[1] = Entry::Number(3))
    }),
    ("everything taken out", |run, from, to| removed(run, |kept| (from..to).contains(&kept.ts_us))),
    ("every third taken out", |run, from, to| {
        removed(run, |kept| (from..to).contains(&kept.ts_us) && kept.sequence % 3 == 0)
    }),
    ("beginnings of states taken out", |run, _, _| {
        removed(run, |kept| kept.state > 1 && kept.sequence < 6)
    }),
    ("states taken out whole", |run, _, _| removed(run, |kept| kept.state == 2)),
    ("numbers closed over what was taken out", |run, from, to| {
        let mut attacked = removed(run, |kept| (from..to).contains(&kept.ts_us));
        let (gone, victim) = (attacked.absent.len() as u32, victim(run));
        let state = attacked.messages.iter().rfind(|k| k.src == victim && k.ts_us < from);
        let state = state.map_or(1, |kept| kept.state);
        for kept in &mut attacked.messages {
            if kept.src == victim && kept.ts_us >= to && kept.state == state {
                kept.sequence -= gone.min(kept.sequence);
                kept.touched = true;
            }
        }
        attacked
    }),
    ("held back for three seconds", |run, from, to| delayed(run, from, to, 3_000_000)),
    ("old messages again", replayed),
    ("another's states, lawfully told", masquerade),
    ("a change held back", |run, _, _| suppressed(run)),
    ("an old time in every message", |run, from, to| {
        changed(run, from, to, |kept| kept.t_us -= 30_000_000)
    }),
    ("a higher state number alone", |run, from, to| changed(run, from, to, |kept| kept.state += 1)),
];

impl Attacked {
    /// Touches the messages of the second state instead: its data are another's from its beginning.
    fn untrue_from_the_start(mut self) -> Self {
        let victim = self.messages.iter().find(|kept| kept.state > 1).map(|kept| kept.src);
        for kept in &mut self.messages {
            kept.touched = Some(kept.src) == victim && kept.state == 2;
            if kept.touched {
                let places: &[usize] = if kept.data.len() > 8 { &[2, 4, 6] } else { &[4] };
                flip(&mut kept.data, places);
            }
        }
        self
    }
}

/// Windows found and windows attacked; benign windows that alert and benign windows.
fn judged(model: &Arc<GooseModel>, attacked: &Attacked) -> [usize; 4] {
    let window = |ts_us: i64| ts_us.div_euclid(WINDOW_US) * WINDOW_US;
    let touched = attacked.messages.iter().filter(|kept| kept.touched);
    let mut positive: BTreeSet<(Host, i64)> =
        touched.map(|kept| (kept.src, window(kept.ts_us))).collect();
    positive.extend(attacked.absent.iter().map(|(host, ts_us)| (*host, window(*ts_us))));
    let mut judge = GooseJudge::new(Arc::clone(model), WINDOW_US, None);
    attacked.messages.iter().for_each(|kept| judge.push(&kept.message()));
    let mut counts = [0, positive.len(), 0, 0];
    for window in judge.finish() {
        let reasons = model.limits.judge(&window.breaks, &WEAK_LAWS);
        let alert = reasons.first().is_some_and(|reason| reason.ratio > 1.0);
        let attack = positive.contains(&(window.device, window.start_us));
        counts[3] += usize::from(!attack);
        counts[if attack { 0 } else { 2 }] += usize::from(alert);
    }
    counts
}

#[test]
fn attacks_that_change_no_counts_are_found() {
    let Some(opened) = opened("goose") else { return };
    let model = opened.models.goose.as_ref().unwrap();
    let runs = benign_runs(&opened);
    let mut quiet = [0; 4];
    for run in &runs {
        let counts = judged(model, &Attacked { messages: run.clone(), absent: Vec::new() });
        quiet.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    eprintln!("untouched: {} of {} windows alert", quiet[2], quiet[3]);
    assert!(quiet[2] * 200 <= quiet[3]);
    let mut failed = Vec::new();
    for (name, attack) in ATTACKS {
        let mut sums = [0; 4];
        for run in &runs {
            let begin = run[0].ts_us;
            // Seven seconds into a window, so that both ends cut windows.
            let (from, to) = (begin + 67_000_000, begin + 112_000_000);
            let counts = judged(model, &attack(run, from, to));
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
        let [found, attacked, wrong, benign] = sums;
        eprintln!("{name}: {found} of {attacked} windows, {wrong} of {benign} benign ones");
        // A window before or after that holds the proof (a gap ends, an old state returns) may alert.
        if (found as f64) < 0.95 * attacked as f64 || wrong as f64 > 0.005 * benign as f64 {
            failed.push(*name);
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
}

/// A folder with rows of a quiet device, and later rows in which it scans.
fn written(folder: &Path, kind: &str, line: &dyn Fn(u64, bool) -> String, names: &str) -> Scenario {
    let suffix = kind.trim_start_matches("rows-");
    let rows = |from: u64, to: u64, attack: &dyn Fn(u64) -> bool| {
        let mut text = names.to_owned();
        (from..to).for_each(|second| text.push_str(&line(second, attack(second))));
        text
    };
    let train = rows(0, 6_000, &|_| false);
    let test = rows(6_000, 7_000, &|second| second >= 6_500);
    std::fs::write(folder.join(format!("train.{suffix}")), train).unwrap();
    std::fs::write(folder.join(format!("test.{suffix}")), test).unwrap();
    let toml = format!("name = \"made\"\nkind = \"{kind}\"\n[[device]]\nip = \"10.0.0.5\"\n");
    std::fs::write(folder.join("scenario.toml"), toml).unwrap();
    Scenario::read(folder).unwrap()
}

fn alerts(scenario: &Scenario) -> (usize, usize, RowModels) {
    let spec = read_spec(scenario).unwrap();
    let train = scenario.train.as_ref().unwrap();
    let models = learn(train, &spec, &Default::default()).unwrap();
    let scores = score(scenario.test.as_ref().unwrap(), &spec, &models).unwrap();
    let joint = scores.windows.iter().filter(|w| w.detector == "ensemble" && w.alert);
    let (late, early): (Vec<_>, Vec<_>) = joint.partition(|w| w.start_us >= 6_500_000_000);
    (early.len(), late.len(), models)
}

#[test]
fn flow_records_and_unknown_rows_are_learned_and_judged() {
    let folder = tempfile::tempdir().unwrap();
    let flow = |second: u64, attack: bool| {
        let (host, state) = if attack { (second % 200, "S0") } else { (9, "SF") };
        format!(
            "{{\"ts\":{second}.5,\"id.orig_h\":\"10.0.0.5\",\"id.orig_p\":{},\
             \"id.resp_h\":\"10.0.0.{host}\",\"id.resp_p\":443,\"proto\":\"tcp\",\
             \"orig_pkts\":4,\"orig_bytes\":{},\"resp_pkts\":{},\"conn_state\":\"{state}\"}}\n",
            40_000 + second % 1_000,
            400 + second % 7,
            if attack { 0 } else { 3 },
        )
    };
    let (early, late, models) = alerts(&written(folder.path(), "rows-jsonl", &flow, ""));
    assert_eq!(models.shape, Shape::Flow);
    assert!(early <= 1 && late >= 48, "{early} early, {late} late");

    let folder = tempfile::tempdir().unwrap();
    let other = |second: u64, attack: bool| {
        let level = if attack { 90.0 } else { 20.0 + (second % 5) as f64 };
        format!("{second},{level},{}\n", if second.is_multiple_of(2) { "open" } else { "shut" })
    };
    let scenario = written(folder.path(), "rows-csv", &other, "time,level,valve\n");
    let (early, late, models) = alerts(&scenario);
    assert_eq!(models.shape, Shape::Other);
    assert!(early <= 1 && late >= 48, "{early} early, {late} late");
}
