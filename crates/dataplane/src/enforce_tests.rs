#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;

use model::BlockTarget;
use ports::edge::{FailMode, Flow, Verb};

use super::*;
use crate::prove::ProbeFrame;

const MAC: &str = "b8:27:eb:7d:6b:a6";

#[derive(Default)]
struct State {
    reading: Reading,
    calls: AtomicU64,
    deaf: bool,
    broken: bool,
}

/// A table in memory that can be told to lie or to fail.
#[derive(Clone, Default)]
struct FakeTable(Arc<Mutex<State>>);

impl FakeTable {
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.lock().unwrap());
    }
    fn calls(&self) -> u64 {
        self.0.lock().unwrap().calls.load(Ordering::Relaxed)
    }
}

impl Table for FakeTable {
    fn form(&self) -> Form {
        Form::Bridge
    }
    fn policy(&mut self, policy: &GatewayPolicy) -> Result<(), String> {
        if policy.version == 13 { Err("unlucky".into()) } else { Ok(()) }
    }
    fn place(&mut self, placed: &Placed, timeout_s: u32) -> Result<(), String> {
        let mut state = self.0.lock().unwrap();
        state.calls.fetch_add(1, Ordering::Relaxed);
        if state.broken {
            return Err("broken".into());
        }
        if state.deaf {
            return Ok(());
        }
        if placed.is_whole_block() {
            for (_, element) in placed.elements(Form::Bridge) {
                state.reading.blocked.insert(element, timeout_s);
            }
        } else {
            let shown = OrderReading { left_s: timeout_s, alive: true, caught: Count::default() };
            state.reading.orders.insert(placed.id, shown);
        }
        Ok(())
    }
    fn remove(&mut self, placed: &Placed) -> Result<(), String> {
        let mut state = self.0.lock().unwrap();
        if placed.is_whole_block() {
            for (_, element) in placed.elements(Form::Bridge) {
                state.reading.blocked.remove(&element);
            }
        }
        state.reading.orders.remove(&placed.id);
        Ok(())
    }
    fn beat(&mut self) -> Result<(), String> {
        Ok(())
    }
    fn read(&mut self) -> Result<Reading, String> {
        Ok(self.0.lock().unwrap().reading.clone())
    }
}

/// A self-test whose frame is stopped and counted, or not.
struct FakeProver {
    table: FakeTable,
    arrives: bool,
    counted: bool,
}

impl Prove for FakeProver {
    fn probe(&mut self, frame: &ProbeFrame) -> Result<bool, String> {
        assert_eq!(frame.mac, analytics::host::parse_mac(MAC).unwrap());
        let counted = self.counted;
        self.table.change(|state| state.reading.probe_dropped += u64::from(counted));
        Ok(self.arrives)
    }
}

fn order(key: &str, verb: Verb) -> Order {
    let target = BlockTarget { mac: Some(MAC.to_uppercase()), addresses: vec![] };
    Order { key: key.into(), verb, target, flow: None, why: "test".into() }
}

fn block(key: &str) -> Order {
    order(key, Verb::Block { timeout_s: 60 })
}

fn arms(table: &FakeTable, book: Book) -> Arms {
    Arms {
        table: Box::new(table.clone()),
        prover: Err("no bridge".into()),
        protected: Protected::default(),
        book,
        before: None,
    }
}

fn with(table: &FakeTable) -> Enforcement {
    Enforcement::new(Ok(arms(table, Book::default())), Arc::new(Shared::default()))
}

fn in_force(enforcement: &mut Enforcement) -> Vec<Standing> {
    match enforcement.counters(0) {
        Some(FromEdge::Counters { standing, .. }) => standing,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_repeated_key_is_answered_and_not_done_again() {
    let table = FakeTable::default();
    let mut enforcement = with(&table);
    let first = enforcement.carry_out(&block("k"));
    assert!(matches!(&first, Outcome::Done { data, .. } if data["mac"] == MAC), "{first:?}");
    assert_eq!(enforcement.carry_out(&block("k")), first);
    assert_eq!(table.calls(), 1);
    let standing = in_force(&mut enforcement);
    assert_eq!(
        (standing[0].key.as_str(), standing[0].why.as_str(), standing[0].left_s),
        ("k", "test", 60)
    );
    assert!(matches!(enforcement.carry_out(&order("r", Verb::Release)), Outcome::Done { .. }));
    assert!(in_force(&mut enforcement).is_empty());
}

#[test]
fn done_is_only_what_the_table_shows_and_a_failure_may_be_repeated() {
    let table = FakeTable::default();
    table.change(|state| state.deaf = true);
    let mut deaf = with(&table);
    assert!(matches!(deaf.carry_out(&block("k")), Outcome::Failed { retry: true, .. }));
    let table = FakeTable::default();
    table.change(|state| state.broken = true);
    let mut broken = with(&table);
    for _ in 0..3 {
        assert!(matches!(broken.carry_out(&block("k")), Outcome::Failed { retry: true, .. }));
    }
    assert_eq!(table.calls(), 3);
}

#[test]
fn a_block_that_a_frame_gets_through_is_not_enforced_and_not_left_behind() {
    for (arrives, counted, done) in
        [(false, true, true), (true, false, false), (false, false, false)]
    {
        let table = FakeTable::default();
        let mut arms = arms(&table, Book::default());
        arms.prover = Ok(Box::new(FakeProver { table: table.clone(), arrives, counted }));
        let mut enforcement = Enforcement::new(Ok(arms), Arc::new(Shared::default()));
        match enforcement.carry_out(&block("k")) {
            Outcome::Done { data, .. } => {
                assert!(done);
                assert_eq!(
                    (&data["proof"]["by"], &data["proof"]["dropped"]),
                    (&"probe".into(), &1.into())
                );
            }
            Outcome::NotEnforced { reason, .. } => {
                assert!(!done && reason.contains("test"), "{reason}")
            }
            failed => panic!("{failed:?}"),
        }
        assert_eq!(in_force(&mut enforcement).len(), usize::from(done));
    }
}

#[test]
fn without_a_table_every_order_says_so() {
    let mut none = Enforcement::new(Err("no nft".into()), Arc::new(Shared::default()));
    for verb in [Verb::Block { timeout_s: 60 }, Verb::Release] {
        let outcome = none.carry_out(&order("k", verb));
        assert!(matches!(outcome, Outcome::NotEnforced { reason, .. } if reason == "no nft"));
    }
}

#[test]
fn wrong_orders_are_refused_with_the_remedy() {
    let mut enforcement = with(&FakeTable::default());
    let target = |mac: &str| BlockTarget { mac: Some(mac.into()), addresses: vec![] };
    let wrong = [
        (MAC, Verb::Block { timeout_s: 0 }),
        (MAC, Verb::Block { timeout_s: MAX_TIMEOUT_S + 1 }),
        ("b8; flush ruleset", Verb::Block { timeout_s: 5 }),
        (MAC, Verb::RateLimit { timeout_s: 5, packets_s: None, bytes_s: Some(0) }),
        (
            MAC,
            Verb::Redirect {
                timeout_s: 5,
                to: "10.0.0.9".parse().unwrap(),
                port: None,
                mac: Some("x".into()),
            },
        ),
    ];
    for (number, (mac, verb)) in wrong.into_iter().enumerate() {
        let order = Order {
            key: number.to_string(),
            verb,
            target: target(mac),
            flow: None,
            why: String::new(),
        };
        let outcome = enforcement.carry_out(&order);
        assert!(matches!(outcome, Outcome::Failed { retry: false, .. }), "{outcome:?}");
    }
}

#[test]
fn who_is_protected_is_not_cut_off_and_the_node_may_name_more() {
    let table = FakeTable::default();
    let mut enforcement = with(&table);
    let node = "10.0.0.2".parse().unwrap();
    let policy = GatewayPolicy { protect: vec![node], ..GatewayPolicy::default() };
    enforcement.take_policy(policy).unwrap();
    let target = BlockTarget { mac: None, addresses: vec![node] };
    let order = Order { target, ..block("n") };
    let outcome = enforcement.carry_out(&order);
    assert!(
        matches!(&outcome, Outcome::Failed { retry: false, reason } if reason.contains("10.0.0.2")),
        "{outcome:?}"
    );
    assert_eq!(table.calls(), 0);
}

#[test]
fn an_address_stands_for_its_mac_once_that_was_seen() {
    let shared = Arc::new(Shared::default());
    let table = FakeTable::default();
    let mut enforcement = Enforcement::new(Ok(arms(&table, Book::default())), shared.clone());
    let address: std::net::IpAddr = "192.168.100.113".parse().unwrap();
    let target = BlockTarget { mac: None, addresses: vec![address] };
    let order = |key: &str| Order { target: target.clone(), ..block(key) };
    assert!(matches!(enforcement.carry_out(&order("a")), Outcome::Done { .. }));
    shared.seen(address, MAC.to_owned());
    assert!(matches!(enforcement.carry_out(&order("b")), Outcome::Done { .. }));
    let blocked: Vec<String> = table.0.lock().unwrap().reading.blocked.keys().cloned().collect();
    assert_eq!(blocked, ["192.168.100.113", MAC]);
}

#[test]
fn modes_are_what_they_say_and_a_refused_policy_leaves_the_old_one() {
    let table = FakeTable::default();
    let mut enforcement = with(&table);
    let policy = |mode, version| GatewayPolicy {
        mode,
        version,
        fail: FailMode::Open,
        ..GatewayPolicy::default()
    };
    enforcement.take_policy(policy(Mode::Watch, 1)).unwrap();
    assert!(
        matches!(enforcement.carry_out(&block("w")), Outcome::NotEnforced { reason, .. } if reason.contains("only watches"))
    );
    assert_eq!(table.calls(), 0);
    enforcement.take_policy(policy(Mode::DryRun, 2)).unwrap();
    assert!(
        matches!(enforcement.carry_out(&block("d")), Outcome::NotEnforced { reason, .. } if reason.contains("dry run"))
    );
    assert!(in_force(&mut enforcement)[0].dry_run);
    assert_eq!(enforcement.take_policy(policy(Mode::Enforce, 13)), Err("unlucky".into()));
    assert!(in_force(&mut enforcement)[0].dry_run, "the old policy still holds");
    enforcement.take_policy(policy(Mode::Enforce, 3)).unwrap();
    assert!(in_force(&mut enforcement).is_empty(), "what was only tried does not take effect");
}

#[test]
fn one_order_is_undone_and_others_stay() {
    let table = FakeTable::default();
    let mut enforcement = with(&table);
    let flow = Flow { remote: Some("192.0.2.0/24".parse().unwrap()), ..Flow::default() };
    let narrow = Order { flow: Some(flow), ..block("narrow") };
    for order in [block("whole"), narrow] {
        assert!(matches!(enforcement.carry_out(&order), Outcome::Done { .. }));
    }
    let undo = |key: &str| order(&format!("u{key}"), Verb::Undo { order: key.to_owned() });
    assert!(
        matches!(enforcement.carry_out(&undo("narrow")), Outcome::Done { data, .. } if data["ended"][0] == "narrow")
    );
    let left: Vec<String> = in_force(&mut enforcement).into_iter().map(|order| order.key).collect();
    assert_eq!(left, ["whole"]);
    assert!(
        matches!(enforcement.carry_out(&undo("nobody")), Outcome::Done { summary, .. } if summary.contains("not in force"))
    );
}

#[test]
fn orders_and_policy_outlive_the_process_with_their_reason_and_the_kernel_says_how_long() {
    let folder = tempfile::tempdir().unwrap();
    let file = Some(folder.path().join("state"));
    let table = FakeTable::default();
    let book = Book::open(file.clone()).unwrap();
    let mut first = Enforcement::new(Ok(arms(&table, book)), Arc::new(Shared::default()));
    let policy = GatewayPolicy { fail: FailMode::Closed, version: 4, ..GatewayPolicy::default() };
    first.take_policy(policy).unwrap();
    first.carry_out(&block("k"));
    drop(first);
    table.change(|state| {
        state.reading.blocked.insert(MAC.to_owned(), 17);
        state.reading.blocked.insert("02:00:00:00:00:77".to_owned(), 9);
    });
    let book = Book::open(file.clone()).unwrap();
    assert_eq!((book.policy.version, book.policy.fail), (4, FailMode::Closed));
    let before = table.0.lock().unwrap().reading.clone();
    let fresh = FakeTable::default();
    let arms = Arms { before: Some(before), ..arms(&fresh, book) };
    let mut second = Enforcement::new(Ok(arms), Arc::new(Shared::default()));
    let standing = in_force(&mut second);
    let lines: Vec<_> = standing.iter().map(|order| (order.key.as_str(), order.left_s)).collect();
    assert_eq!(lines, [("k", 17), ("kernel/02:00:00:00:00:77", 9)]);
    // The node asks again, because it never heard the answer: it is given, and nothing is done twice.
    let calls = fresh.calls();
    let again = second.carry_out(&block("k"));
    assert!(matches!(&again, Outcome::Done { data, .. } if data["timeout_s"] == 17), "{again:?}");
    assert_eq!(fresh.calls(), calls);
    std::fs::write(folder.path().join("state"), "nonsense").unwrap();
    assert!(Book::open(file).unwrap_err().contains("mend it"));
}

#[test]
fn remembered_keys_and_orders_in_force_are_bounded() {
    let mut enforcement = with(&FakeTable::default());
    for number in 0..MAX_REMEMBERED + 10 {
        enforcement.carry_out(&order(&number.to_string(), Verb::Release));
    }
    assert_eq!(enforcement.remembered.len(), MAX_REMEMBERED);
    assert_eq!(enforcement.order_of_keys.len(), MAX_REMEMBERED);
    let rate = |number: usize| {
        order(
            &format!("r{number}"),
            Verb::RateLimit { timeout_s: 60, packets_s: Some(1), bytes_s: None },
        )
    };
    for number in 0..MAX_RULES {
        assert!(matches!(enforcement.carry_out(&rate(number)), Outcome::Done { .. }));
    }
    let outcome = enforcement.carry_out(&rate(MAX_RULES));
    assert!(matches!(outcome, Outcome::Failed { reason, .. } if reason.contains("256")));
}
