//! An internet address with a prefix length.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A network in CIDR form (RFC 4632, RFC 4291 §2.3); a single address has the whole length. Bits
/// beyond the prefix are zero. Written `10.0.0.0/8`, or `10.0.0.1` for one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Net {
    address: IpAddr,
    prefix: u8,
}

/// The text is not a network.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not an address or network such as 10.0.0.1, 10.0.0.0/8 or 2001:db8::/32")]
pub struct NotANet(pub String);

const fn bits(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from(u32::from(v4) & mask))
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from(u128::from(v6) & mask))
        }
    }
}

impl Net {
    /// The network of `address` with this prefix length.
    ///
    /// # Errors
    /// The length is more than the address has bits.
    pub fn new(address: IpAddr, prefix: u8) -> Result<Self, NotANet> {
        if prefix > bits(address) {
            return Err(NotANet(format!("{address}/{prefix}")));
        }
        Ok(Self { address: masked(address, prefix), prefix })
    }

    /// One address.
    #[must_use]
    pub const fn one(address: IpAddr) -> Self {
        Self { address, prefix: bits(address) }
    }

    /// The first address.
    #[must_use]
    pub const fn address(self) -> IpAddr {
        self.address
    }

    /// Prefix length in bits.
    #[must_use]
    pub const fn prefix(self) -> u8 {
        self.prefix
    }

    /// Whether it is of IPv4.
    #[must_use]
    pub const fn is_v4(self) -> bool {
        self.address.is_ipv4()
    }

    /// Whether it holds `address`.
    #[must_use]
    pub fn holds(self, address: IpAddr) -> bool {
        self.is_v4() == address.is_ipv4() && masked(address, self.prefix) == self.address
    }

    /// Whether it holds all of `other`.
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        self.prefix <= other.prefix && self.holds(other.address)
    }
}

impl fmt::Display for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.prefix == bits(self.address) {
            return self.address.fmt(f);
        }
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl FromStr for Net {
    type Err = NotANet;

    fn from_str(text: &str) -> Result<Self, NotANet> {
        let wrong = || NotANet(text.chars().take(64).collect());
        let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        match prefix {
            None => Ok(Self::one(address)),
            Some(prefix) => {
                let digits =
                    (1..=3).contains(&prefix.len()) && prefix.bytes().all(|b| b.is_ascii_digit());
                let prefix = prefix.parse().ok().filter(|_| digits).ok_or_else(wrong)?;
                Self::new(address, prefix).map_err(|_| wrong())
            }
        }
    }
}

impl TryFrom<String> for Net {
    type Error = NotANet;
    fn try_from(text: String) -> Result<Self, NotANet> {
        text.parse()
    }
}

impl From<Net> for String {
    fn from(net: Net) -> Self {
        net.to_string()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_network_has_no_bits_beyond_its_prefix_and_knows_what_it_holds() {
        let net: Net = "10.1.2.3/8".parse().unwrap();
        assert_eq!(net.to_string(), "10.0.0.0/8");
        assert!(net.holds("10.255.0.1".parse().unwrap()));
        assert!(!net.holds("11.0.0.1".parse().unwrap()));
        assert!(!net.holds("::a00:1".parse().unwrap()));
        assert!(net.covers("10.9.0.0/16".parse().unwrap()));
        assert!(!"10.9.0.0/16".parse::<Net>().unwrap().covers(net));
        let all: Net = "0.0.0.0/0".parse().unwrap();
        assert!(all.holds("255.255.255.255".parse().unwrap()));
        assert_eq!("2001:db8::1".parse::<Net>().unwrap().to_string(), "2001:db8::1");
        for wrong in ["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/+8", "10.0.0/8", "", "x", "::/129"] {
            assert!(wrong.parse::<Net>().is_err(), "{wrong}");
        }
    }
}
