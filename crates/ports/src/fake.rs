//! In-memory stand-ins for tests: deterministic, recording what they were asked.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use model::id::TypedId;
use model::{
    BlockTarget, CommunityId, Device, DeviceId, DeviceRole, IncidentId, IncidentReport, Outcome,
    PeerId, Severity, ShareDecision, ShareId, Timestamp,
};

use crate::disclosure::{
    Address, Candidate, Disclosed, Disclosure, Known, Named, Organisations, Recipient, Said,
};
use crate::{
    AccessQuestion, Actuator, ActuatorCommand, AddressSighting, AssetDirectory, Authorizer, Clock,
    Enforcer, Exchange, IncidentReader, IntelAnswer, IntelLookup, InventorySink, Notice, Notifier,
    PortError, Pseudonymiser, Random, SharePreview, Signer, WindowBatch, WindowSink,
};

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A clock that stands still until told.
#[derive(Debug)]
pub struct FakeClock(AtomicI64);

impl FakeClock {
    /// Standing at `at`.
    pub fn at(at: Timestamp) -> Self {
        Self(AtomicI64::new(at.as_micros()))
    }
    /// Moves on by `micros`.
    pub fn advance_micros(&self, micros: i64) {
        self.0.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// Predictable bytes: a SplitMix64 stream. Never for keys.
#[derive(Debug)]
pub struct FakeRandom(AtomicU64);

impl FakeRandom {
    /// A stream that starts at `seed`.
    pub const fn seeded(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl Random for FakeRandom {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            let state = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst);
            let mut z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let bytes = (z ^ (z >> 31)).to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
    }
}

/// Signs nothing: the "signature" is the message's first bytes. For tests that do not verify.
#[derive(Debug)]
pub struct FakeSigner;

impl Signer for FakeSigner {
    fn public_key(&self) -> [u8; 32] {
        [7; 32]
    }
    fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        let length = message.len().min(64);
        signature[..length].copy_from_slice(&message[..length]);
        signature
    }
}

/// Says yes or no to everything.
#[derive(Debug)]
pub struct FakeAuthorizer(pub bool);

impl Authorizer for FakeAuthorizer {
    fn decide(&self, question: &AccessQuestion) -> ShareDecision {
        ShareDecision {
            allowed: self.0,
            reason: format!("fake decision about {}", question.action),
            policies: vec!["fake".into()],
        }
    }
}

/// Decides by a rule.
#[derive(Clone, Copy, Debug)]
pub struct FakeRule(pub fn(&AccessQuestion) -> bool);

impl Authorizer for FakeRule {
    fn decide(&self, question: &AccessQuestion) -> ShareDecision {
        FakeAuthorizer((self.0)(question)).decide(question)
    }
}

/// Records commands and answers each key once with the same outcome.
#[derive(Debug, Default)]
pub struct FakeActuator {
    /// Commands carried out, without repetitions.
    pub performed: Mutex<Vec<ActuatorCommand>>,
    outcomes: Mutex<HashMap<String, Outcome>>,
}

#[async_trait]
impl Actuator for FakeActuator {
    fn name(&self) -> &'static str {
        "fake"
    }
    fn verbs(&self) -> &'static [(&'static str, &'static str)] {
        &[("do", "records the command")]
    }
    async fn perform(&self, command: &ActuatorCommand) -> Result<Outcome, PortError> {
        let mut outcomes = locked(&self.outcomes);
        if let Some(outcome) = outcomes.get(&command.key) {
            return Ok(outcome.clone());
        }
        locked(&self.performed).push(command.clone());
        let outcome = Outcome::Done {
            summary: format!("{} done", command.verb),
            data: serde_json::json!({ "verb": command.verb }),
        };
        outcomes.insert(command.key.clone(), outcome.clone());
        Ok(outcome)
    }
}

/// Knows the values it was given.
#[derive(Debug, Default)]
pub struct FakeIntel(pub BTreeMap<String, IntelAnswer>);

#[async_trait]
impl IntelLookup for FakeIntel {
    async fn lookup(&self, value: &str) -> Result<IntelAnswer, PortError> {
        Ok(self.0.get(value).cloned().unwrap_or_else(|| IntelAnswer {
            value: value.to_owned(),
            known: false,
            summary: "unknown".into(),
            sources: vec![],
        }))
    }
}

/// Allows every share and records it.
#[derive(Debug, Default)]
pub struct FakeExchange(pub Mutex<Vec<(IncidentId, PeerId, String)>>);

#[async_trait]
impl Exchange for FakeExchange {
    async fn preview(&self, _incident: IncidentId) -> Result<Vec<SharePreview>, PortError> {
        Ok(vec![])
    }
    async fn share(
        &self,
        incident: IncidentId,
        peer: PeerId,
        _actor: &str,
        key: &str,
    ) -> Result<ShareId, PortError> {
        locked(&self.0).push((incident, peer, key.to_owned()));
        Ok(ShareId::from_uuid(incident.uuid()))
    }
}

/// Holds reports by incident.
#[derive(Debug, Default)]
pub struct FakeIncidents(pub Mutex<HashMap<IncidentId, IncidentReport>>);

#[async_trait]
impl IncidentReader for FakeIncidents {
    async fn report(&self, id: IncidentId) -> Result<Option<IncidentReport>, PortError> {
        Ok(locked(&self.0).get(&id).cloned())
    }
}

/// One device per MAC (or address), minted in order.
#[derive(Debug, Default)]
pub struct FakeAssets(Mutex<Vec<(String, Device)>>);

#[async_trait]
impl AssetDirectory for FakeAssets {
    async fn identify(&self, sighting: &AddressSighting) -> Result<Device, PortError> {
        let key = sighting
            .mac
            .clone()
            .or_else(|| sighting.address.map(|address| address.to_string()))
            .unwrap_or_default();
        let mut devices = locked(&self.0);
        if let Some((_, device)) = devices.iter().find(|(known, _)| *known == key) {
            return Ok(device.clone());
        }
        let number = u8::try_from(devices.len()).unwrap_or(u8::MAX);
        let device = Device {
            id: DeviceId::mint(sighting.seen_at, [number; 10]),
            name: key.clone(),
            place: None,
            role: DeviceRole::Protected,
            criticality: Severity::Medium,
            mac: sighting.mac.clone(),
            addresses: sighting.address.into_iter().collect(),
            first_seen: sighting.seen_at,
            last_seen: sighting.seen_at,
        };
        devices.push((key, device.clone()));
        Ok(device)
    }
    async fn device(&self, id: DeviceId) -> Result<Option<Device>, PortError> {
        Ok(locked(&self.0).iter().map(|(_, device)| device).find(|d| d.id == id).cloned())
    }
}

/// Records orders and says they were done.
#[derive(Debug, Default)]
pub struct FakeEnforcer(pub Mutex<Vec<(String, BlockTarget)>>);

#[async_trait]
impl Enforcer for FakeEnforcer {
    async fn block(
        &self,
        key: &str,
        target: &BlockTarget,
        timeout_s: u32,
    ) -> Result<Outcome, PortError> {
        locked(&self.0).push((key.to_owned(), target.clone()));
        Ok(Outcome::Done {
            summary: format!("blocked for {timeout_s} s"),
            data: serde_json::Value::Null,
        })
    }
    async fn release(&self, key: &str, target: &BlockTarget) -> Result<Outcome, PortError> {
        locked(&self.0).push((key.to_owned(), target.clone()));
        Ok(Outcome::Done { summary: "released".into(), data: serde_json::Value::Null })
    }
}

/// Records notices.
#[derive(Debug, Default)]
pub struct FakeNotifier(pub Mutex<Vec<(String, Notice)>>);

#[async_trait]
impl Notifier for FakeNotifier {
    async fn notify(&self, key: &str, notice: &Notice) -> Result<(), PortError> {
        locked(&self.0).push((key.to_owned(), notice.clone()));
        Ok(())
    }
}

/// Flips the last bit of an address, turns labels around: different, stable, reversible. Never for real data.
#[derive(Debug)]
pub struct FakePseudonymiser;

impl Pseudonymiser for FakePseudonymiser {
    fn pseudonym(&self, _recipient: &str, address: IpAddr) -> IpAddr {
        match address {
            IpAddr::V4(v4) => IpAddr::V4((u32::from(v4) ^ 1).into()),
            IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) ^ 1).into()),
        }
    }
    fn original(&self, recipient: &str, pseudonym: IpAddr) -> IpAddr {
        self.pseudonym(recipient, pseudonym)
    }
    fn label(&self, _recipient: &str, above: &str, label: &str) -> String {
        // The domain above counts: the same label elsewhere is another one.
        let turned: String = label.chars().rev().collect();
        format!("p{}-{turned}", above.len())
    }
    fn original_label(&self, _recipient: &str, above: &str, pseudonym: &str) -> Option<String> {
        let turned = pseudonym.strip_prefix(&format!("p{}-", above.len()))?;
        Some(turned.chars().rev().collect())
    }
}

/// Keeps what it is told of devices.
#[derive(Debug, Default)]
pub struct FakeInventory(pub Mutex<Vec<(String, serde_json::Value)>>);

#[async_trait]
impl InventorySink for FakeInventory {
    async fn note(&self, sensor: &str, facts: &serde_json::Value) -> Result<(), PortError> {
        locked(&self.0).push((sensor.to_owned(), facts.clone()));
        Ok(())
    }
}

/// Keeps every batch once.
#[derive(Debug, Default)]
pub struct FakeSink(pub Mutex<Vec<WindowBatch>>);

#[async_trait]
impl WindowSink for FakeSink {
    async fn accept(&self, batch: WindowBatch) -> Result<(), PortError> {
        let mut batches = locked(&self.0);
        let seen = |b: &WindowBatch| (b.edge.clone(), b.epoch, b.seq);
        if !batches.iter().any(|known| seen(known) == seen(&batch)) {
            batches.push(batch);
        }
        Ok(())
    }
    async fn last_seq(&self, edge: &str, epoch: u64) -> Result<Option<u64>, PortError> {
        let batches = locked(&self.0);
        Ok(batches.iter().filter(|b| b.edge == edge && b.epoch == epoch).map(|b| b.seq).max())
    }
}

/// Organisations by name; may change in between.
#[derive(Debug, Default)]
pub struct FakeOrganisations(pub Mutex<Vec<Named>>);

#[async_trait]
impl Organisations for FakeOrganisations {
    async fn organisation(&self, name: &str) -> Result<Named, PortError> {
        let found = locked(&self.0).iter().find(|known| known.name == name).cloned();
        found.ok_or_else(|| PortError::NotFound(format!("organisation '{name}'")))
    }
    async fn name_of(&self, recipient: Recipient) -> Result<Option<String>, PortError> {
        let all = locked(&self.0);
        Ok(all.iter().find(|known| known.recipient == recipient).map(|known| known.name.clone()))
    }
}

/// A rule about one object for one recipient: `Err` holds the reason why it stays.
pub type DisclosureRule = fn(Recipient, Address, &Candidate) -> Result<serde_json::Value, String>;

/// Lets leave what a rule lets; knows the communities it was told of.
#[derive(Debug)]
pub struct FakeDisclosure {
    /// Decides; may be replaced in between.
    pub rule: Mutex<DisclosureRule>,
    /// Recipients of communities.
    pub members: Mutex<BTreeMap<CommunityId, Vec<PeerId>>>,
    /// The communities led here.
    pub led: Mutex<Vec<CommunityId>>,
    /// Whether the rule may change ids.
    pub renames: Mutex<bool>,
}

impl FakeDisclosure {
    /// Lets leave what `rule` lets.
    pub fn by(rule: DisclosureRule) -> Self {
        Self {
            rule: Mutex::new(rule),
            members: Mutex::default(),
            led: Mutex::default(),
            renames: Mutex::default(),
        }
    }
}

#[async_trait]
impl Disclosure for FakeDisclosure {
    async fn judge(
        &self,
        to: Recipient,
        address: Address,
        objects: &[Candidate],
    ) -> Result<Vec<Disclosed>, PortError> {
        let rule = *locked(&self.rule);
        let judge = |candidate: &Candidate| {
            let answer = rule(to, address, candidate);
            Disclosed {
                decision: ShareDecision {
                    allowed: answer.is_ok(),
                    reason: answer.as_ref().err().cloned().unwrap_or_else(|| "fake".into()),
                    policies: vec!["fake".into()],
                },
                object: answer.ok(),
                redactions: vec![],
            }
        };
        Ok(objects.iter().map(judge).collect())
    }
    async fn judge_known(
        &self,
        to: Recipient,
        address: Address,
        objects: &[Known],
    ) -> Result<Vec<Disclosed>, PortError> {
        let own = |known: &Known| Candidate {
            object: known.object.clone(),
            tlp: known.tlp,
            from: None,
            through: None,
            said: Said::Own,
            source: String::new(),
        };
        let objects: Vec<Candidate> = objects.iter().map(own).collect();
        self.judge(to, address, &objects).await
    }
    async fn rewrite(
        &self,
        _: Recipient,
        values: &[(serde_json::Value, BTreeSet<String>)],
    ) -> Result<Vec<(serde_json::Value, BTreeSet<String>)>, PortError> {
        Ok(values.iter().map(|(value, _)| (value.clone(), BTreeSet::new())).collect())
    }
    async fn renames(&self, _: Recipient) -> Result<bool, PortError> {
        Ok(*locked(&self.renames))
    }
    async fn pseudonym_names(&self, to: Recipient) -> Result<[String; 2], PortError> {
        Ok([to.to_string(), to.to_string()])
    }
    async fn recipients(&self, community: CommunityId) -> Result<Vec<PeerId>, PortError> {
        let found = locked(&self.members).get(&community).cloned();
        found.ok_or_else(|| PortError::NotFound(format!("community {community}")))
    }
    async fn led(&self) -> Result<Vec<CommunityId>, PortError> {
        Ok(locked(&self.led).clone())
    }
    async fn may_send(&self, from: PeerId, community: CommunityId) -> Result<bool, PortError> {
        Ok(locked(&self.members).get(&community).is_some_and(|members| members.contains(&from)))
    }
}

/// Tells of one device what it was given; `None` stands for a device that was never scored.
#[derive(Debug, Default)]
pub struct FakeFresh(pub Mutex<Option<crate::recovery::Fresh>>);

#[async_trait]
impl crate::recovery::FreshScore for FakeFresh {
    async fn mark(
        &self,
        _device: DeviceId,
    ) -> Result<Option<crate::recovery::ScoreMark>, PortError> {
        Ok(locked(&self.0).as_ref().map(|_| crate::recovery::ScoreMark { epoch: 1, end_us: 0 }))
    }
    async fn since(
        &self,
        _device: DeviceId,
        _mark: crate::recovery::ScoreMark,
    ) -> Result<crate::recovery::Fresh, PortError> {
        Ok(locked(&self.0).clone().unwrap_or_default())
    }
}
