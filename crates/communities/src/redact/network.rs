//! Networks by prefix.

use std::net::IpAddr;

/// A network, e.g. `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// An address as 128 bits from the top, and how many there are.
fn wide(address: IpAddr) -> (u128, u8) {
    match address {
        IpAddr::V4(v4) => (u128::from(u32::from(v4)) << 96, 32),
        IpAddr::V6(v6) => (u128::from(v6), 128),
    }
}

fn mask(bits: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0)
}

/// The address with all but the first bits cleared.
pub(crate) fn masked(address: IpAddr, bits: u8) -> IpAddr {
    let (value, length) = wide(address);
    let kept = value & mask(bits.min(length));
    match address {
        IpAddr::V4(_) => IpAddr::V4(u32::try_from(kept >> 96).unwrap_or_default().into()),
        IpAddr::V6(_) => IpAddr::V6(kept.into()),
    }
}

impl Network {
    /// Reads `10.0.0.0/8`; an address alone is a network of one. Bits beyond the prefix are cleared.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u8>().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let (_, length) = wide(address);
        let bits = bits.unwrap_or(length);
        (bits <= length).then(|| Self { address: masked(address, bits), bits })
    }

    /// Whether an address lies in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        address.is_ipv4() == self.address.is_ipv4() && masked(address, self.bits) == self.address
    }

    /// The network of the same length around an address.
    pub(crate) fn around(&self, address: IpAddr) -> Self {
        Self { address: masked(address, self.bits), bits: self.bits }
    }

    /// Its first address.
    pub(crate) const fn first(&self) -> IpAddr {
        self.address
    }

    /// Whether the two have an address in common.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let bits = self.bits.min(other.bits);
        self.address.is_ipv4() == other.address.is_ipv4()
            && masked(self.address, bits) == masked(other.address, bits)
    }
}
