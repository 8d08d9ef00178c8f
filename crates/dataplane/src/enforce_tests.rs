#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;

const MAC: &str = "b8:27:eb:7d:6b:a6";

/// A table in memory that can be told to lie or to fail.
#[derive(Default)]
struct FakeTable {
    reading: Reading,
    calls: Arc<AtomicU64>,
    deaf: bool,
    broken: bool,
}

impl Table for FakeTable {
    fn block(&mut self, mac: &str, _timeout_s: u32) -> Result<(), String> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if self.broken {
            return Err("broken".into());
        }
        if !self.deaf {
            self.reading.blocked.insert(mac.to_owned());
        }
        Ok(())
    }
    fn release(&mut self, mac: &str) -> Result<(), String> {
        self.reading.blocked.remove(mac);
        Ok(())
    }
    fn release_all(&mut self) -> Result<(), String> {
        self.reading.blocked.clear();
        Ok(())
    }
    fn read(&mut self) -> Result<Reading, String> {
        Ok(self.reading.clone())
    }
}

fn order(key: &str, verb: Verb) -> Order {
    let target = BlockTarget { mac: Some(MAC.to_uppercase()), addresses: vec![] };
    Order { key: key.into(), verb, target }
}

fn with(table: FakeTable) -> Enforcement {
    Enforcement::new(Ok(Box::new(table)), Arc::new(Shared::default()))
}

#[test]
fn a_repeated_key_is_answered_and_not_done_again() {
    let table = FakeTable::default();
    let calls = table.calls.clone();
    let mut enforcement = with(table);
    let block = order("k", Verb::Block { timeout_s: 60 });
    let first = enforcement.carry_out(&block);
    assert!(matches!(&first, Outcome::Done { data, .. } if data["mac"] == MAC), "{first:?}");
    assert_eq!(enforcement.carry_out(&block), first);
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    assert!(matches!(enforcement.carry_out(&order("r", Verb::Release)), Outcome::Done { .. }));
}

#[test]
fn done_is_only_what_the_table_shows_and_a_failure_may_be_repeated() {
    let mut deaf = with(FakeTable { deaf: true, ..FakeTable::default() });
    let block = order("k", Verb::Block { timeout_s: 60 });
    assert!(matches!(deaf.carry_out(&block), Outcome::Failed { retry: true, .. }));
    let table = FakeTable { broken: true, ..FakeTable::default() };
    let calls = table.calls.clone();
    let mut broken = with(table);
    for _ in 0..3 {
        assert!(matches!(broken.carry_out(&block), Outcome::Failed { retry: true, .. }));
    }
    assert_eq!(calls.load(Ordering::Relaxed), 3);
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
    let mut enforcement = with(FakeTable::default());
    for (mac, timeout_s) in [(MAC, 0), (MAC, MAX_TIMEOUT_S + 1), ("b8; flush ruleset", 5)] {
        let target = BlockTarget { mac: Some(mac.into()), addresses: vec![] };
        let verb = Verb::Block { timeout_s };
        let outcome =
            enforcement.carry_out(&Order { key: format!("{mac}{timeout_s}"), verb, target });
        assert!(matches!(outcome, Outcome::Failed { retry: false, .. }), "{outcome:?}");
    }
}

#[test]
fn an_address_is_enough_once_its_mac_was_seen() {
    let shared = Arc::new(Shared::default());
    let mut enforcement = Enforcement::new(Ok(Box::new(FakeTable::default())), shared.clone());
    let address: std::net::IpAddr = "192.168.100.113".parse().unwrap();
    let target = BlockTarget { mac: None, addresses: vec![address] };
    let order = |key: &str| Order {
        key: key.into(),
        verb: Verb::Block { timeout_s: 9 },
        target: target.clone(),
    };
    assert!(matches!(enforcement.carry_out(&order("a")), Outcome::Failed { retry: false, .. }));
    shared.seen(address, MAC.to_owned());
    assert!(matches!(enforcement.carry_out(&order("b")), Outcome::Done { .. }));
}

#[test]
fn remembered_keys_are_bounded() {
    let mut enforcement = with(FakeTable::default());
    for number in 0..MAX_REMEMBERED + 10 {
        enforcement.carry_out(&order(&number.to_string(), Verb::Release));
    }
    assert_eq!(enforcement.remembered.len(), MAX_REMEMBERED);
    assert_eq!(enforcement.order_of_keys.len(), MAX_REMEMBERED);
}
