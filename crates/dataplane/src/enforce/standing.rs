//! Orders in force, and the file that keeps them over a restart of the gateway.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use model::BlockTarget;
use ports::edge::{Flow, GatewayPolicy, Order, Verb};
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::nft::Placed;

/// Orders in force at most: so many of the longest ones fit into a frame to the node, beside the counters.
pub const MAX_STANDING: usize = 2_048;
/// Of these, orders that are more than the block of a device: each costs passing packets a rule.
pub const MAX_RULES: usize = 256;
/// Longest state file read, bytes.
const MAX_STATE_BYTES: u64 = 8 << 20;

/// One order in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// Number in the table.
    pub id: u16,
    /// The order's key.
    pub key: String,
    /// What to do.
    #[serde(flatten)]
    pub verb: Verb,
    /// To whom, with the MAC address where it was found.
    pub target: BlockTarget,
    /// Only this traffic.
    pub flow: Option<Flow>,
    /// Why.
    pub why: String,
    /// Wall time at which it ends, microseconds since 1970.
    pub until_us: i64,
    /// Only counts what it would do.
    pub dry_run: bool,
}

impl Held {
    /// As the table is told.
    #[must_use]
    pub fn placed(&self) -> Placed {
        Placed {
            id: self.id,
            verb: self.verb.clone(),
            mac: self.target.mac.clone(),
            addresses: self.target.addresses.clone(),
            flow: self.flow.clone(),
        }
    }

    /// Seconds until it ends by the wall clock, rounded up; 0 when it has ended.
    #[must_use]
    pub fn left_s(&self) -> u32 {
        let left = self.until_us.saturating_sub(clock::realtime_ns() / 1_000);
        u32::try_from((left.max(0) + 999_999) / 1_000_000).unwrap_or(u32::MAX)
    }

    /// Whether an order for this target and flow is about this one.
    #[must_use]
    pub fn concerns(&self, target: &BlockTarget, flow: Option<&Flow>) -> bool {
        let nobody = target.mac.is_none() && target.addresses.is_empty();
        let mine_nobody = self.target.mac.is_none() && self.target.addresses.is_empty();
        let same = target.mac.is_some() && target.mac == self.target.mac
            || target.addresses.iter().any(|address| self.target.addresses.contains(address))
            || nobody && mine_nobody;
        same && (flow.is_none() && !nobody || flow == self.flow.as_ref())
    }

    /// The target in one word.
    #[must_use]
    pub fn name(&self) -> String {
        let address = self.target.addresses.first().map(ToString::to_string);
        let net = self
            .flow
            .as_ref()
            .and_then(|flow| flow.remote.or(flow.local))
            .map(|net| net.to_string());
        self.target.mac.clone().or(address).or(net).unwrap_or_else(|| "everybody".to_owned())
    }
}

/// What an edge keeps.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Book {
    /// The policy.
    pub policy: GatewayPolicy,
    /// Orders in force.
    pub standing: Vec<Held>,
    #[serde(skip)]
    file: Option<PathBuf>,
}

impl Book {
    /// What was kept there; nothing when there is no file yet, or none is kept.
    ///
    /// # Errors
    /// The file is there and cannot be read: starting without the policy would be a silent change.
    pub fn open(file: Option<PathBuf>) -> Result<Self, String> {
        let Some(path) = &file else { return Ok(Self::default()) };
        let failed = |error: &dyn std::fmt::Display| {
            format!(
                "state file {}: {error}: mend it, or remove it to begin with no orders and mode 'enforce'",
                path.display()
            )
        };
        let size = match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self { file, ..Self::default() });
            }
            Err(error) => return Err(failed(&error)),
            Ok(about) => about.len(),
        };
        if size > MAX_STATE_BYTES {
            return Err(failed(&format!("{size} bytes are more than {MAX_STATE_BYTES}")));
        }
        let text = fs::read(path).map_err(|error| failed(&error))?;
        let book: Self = serde_json::from_slice(&text).map_err(|error| failed(&error))?;
        Ok(Self { file, ..book })
    }

    /// Writes the file anew: whole or not at all.
    pub fn keep(&self) {
        let Some(path) = &self.file else { return };
        if let Err(error) = self.write(path) {
            tracing::error!(file = %path.display(), %error, "the gateway's state cannot be kept");
        }
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        let beside = path.with_extension("new");
        let mut file = fs::File::create(&beside)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    }

    /// A number no order has.
    ///
    /// # Errors
    /// There is no room for one more order of this kind.
    pub fn free_id(&self, order: &Order) -> Result<u16, String> {
        let whole =
            |verb: &Verb, flow: &Option<Flow>| matches!(verb, Verb::Block { .. }) && flow.is_none();
        let rules = self.standing.iter().filter(|held| !whole(&held.verb, &held.flow)).count();
        if self.standing.len() >= MAX_STANDING {
            return Err(format!(
                "{MAX_STANDING} orders are in force, more are not taken: undo some"
            ));
        }
        if !whole(&order.verb, &order.flow) && rules >= MAX_RULES {
            return Err(format!(
                "{MAX_RULES} orders with rules of their own are in force, more are not taken: undo some"
            ));
        }
        let taken = |id: &u16| self.standing.iter().any(|held| held.id == *id);
        (0..=u16::MAX).find(|id| !taken(id)).ok_or_else(|| "no number is free".to_owned())
    }
}
