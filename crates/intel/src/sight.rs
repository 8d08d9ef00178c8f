//! Who may see what: a bound that every read carries.

use platform::http::{Caller, Gate};
use stix::Tlp;

/// What a reader may see at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    most: i64,
}

impl Sight {
    /// Everything: for the node itself.
    pub const ALL: Self = Self { most: 4 };

    /// Nothing at all.
    pub const NOTHING: Self = Self { most: -1 };

    /// Objects marked at most so.
    #[must_use]
    pub const fn up_to(tlp: Tlp) -> Self {
        Self { most: rank(tlp) }
    }

    /// Up to which label the policies let a caller read ([`Gate::labels_beyond`]).
    #[must_use]
    pub fn of(gate: &Gate, caller: &Caller) -> Self {
        Self::without_strictest(gate.labels_beyond(caller).len())
    }

    /// Everything but so many labels, the strictest ones: as many as [`Gate::labels_beyond`] names.
    #[must_use]
    pub fn without_strictest(labels: usize) -> Self {
        let seen = Tlp::ALL.len().saturating_sub(labels);
        Tlp::ALL.get(..seen).and_then(<[Tlp]>::last).map_or(Self::NOTHING, |tlp| Self::up_to(*tlp))
    }

    /// The highest rank in sight.
    #[must_use]
    pub const fn most(self) -> i64 {
        self.most
    }

    /// Whether something of this rank is in sight.
    #[must_use]
    pub const fn sees(self, rank: i64) -> bool {
        rank <= self.most
    }
}

/// The rank of a label, 0 (clear) to 4 (red), as it is stored.
#[must_use]
pub const fn rank(tlp: Tlp) -> i64 {
    match tlp {
        Tlp::Clear => 0,
        Tlp::Green => 1,
        Tlp::Amber => 2,
        Tlp::AmberStrict => 3,
        Tlp::Red => 4,
    }
}

/// The label of a stored rank; what lies beyond is red.
#[must_use]
pub fn label(rank: i64) -> Tlp {
    usize::try_from(rank).ok().and_then(|at| Tlp::ALL.get(at).copied()).unwrap_or(Tlp::Red)
}
