//! How much may come from one address: requests a second and failed credentials, by network.
//!
//! Every source is counted for itself, so that one that is stopped stops nobody else.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use model::Timestamp;

use crate::config::NetworkLimit;
use crate::limit::MAX_PER_SOURCE;

/// Requests a second of a source that no configured network holds; none are counted on loopback.
pub(crate) const DEFAULT_REQUESTS_PER_S: f64 = 200.0;
/// A burst may hold this many seconds' worth of requests.
pub(crate) const BURST_S: f64 = 10.0;
/// Failures of a loopback source before it waits: programs of this machine share one address.
pub(crate) const MAX_PER_LOOPBACK: usize = 10 * MAX_PER_SOURCE;
/// Networks with limits of their own.
const MAX_NETWORKS: usize = 256;
/// Sources remembered at most; beyond, those that could send a full burst again are forgotten.
const MAX_SOURCES: usize = 10_000;

/// A network and what its sources may do.
#[derive(Debug)]
struct Network {
    base: u128,
    bits: u32,
    requests_per_s: f64,
    failures: usize,
}

/// The requests a source has left, and when that was counted.
#[derive(Debug)]
struct Bucket {
    left: f64,
    at: Timestamp,
}

/// Limits and what was used of them.
#[derive(Debug)]
pub(crate) struct Rates {
    networks: Vec<Network>,
    buckets: Mutex<HashMap<IpAddr, Bucket>>,
}

fn wide(address: IpAddr) -> u128 {
    let address = match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    };
    u128::from(address)
}

fn network(limit: &NetworkLimit) -> Result<Network, String> {
    let wrong = || {
        format!(
            "identity.limits: '{}' is no network with limits; write e.g. network = \"10.0.0.0/8\", \
             requests_per_s = 50, failures = 30",
            limit.network
        )
    };
    let (address, length) = limit.network.split_once('/').ok_or_else(wrong)?;
    let address: IpAddr = address.parse().map_err(|_| wrong())?;
    let length: u32 = length.parse().map_err(|_| wrong())?;
    let (most, before) = if address.is_ipv4() { (32, 96) } else { (128, 0) };
    let rate = limit.requests_per_s;
    if length > most || !rate.is_finite() || rate < 0.0 || limit.failures == 0 {
        return Err(wrong());
    }
    let bits = length + before;
    let base = wide(address) & mask(bits);
    Ok(Network { base, bits, requests_per_s: rate, failures: limit.failures })
}

fn mask(bits: u32) -> u128 {
    u128::MAX.checked_shl(128 - bits).unwrap_or(0)
}

impl Rates {
    /// With the configured networks.
    pub(crate) fn new(limits: &[NetworkLimit]) -> Result<Self, String> {
        if limits.len() > MAX_NETWORKS {
            return Err(format!("identity.limits: at most {MAX_NETWORKS} networks"));
        }
        let mut networks = limits.iter().map(network).collect::<Result<Vec<_>, _>>()?;
        networks.sort_by_key(|network| std::cmp::Reverse(network.bits));
        Ok(Self { networks, buckets: Mutex::default() })
    }

    fn of(&self, source: IpAddr) -> (f64, usize) {
        let address = wide(source);
        let held = self.networks.iter().find(|n| address & mask(n.bits) == n.base);
        match held {
            Some(network) => (network.requests_per_s, network.failures),
            None if source.to_canonical().is_loopback() => (0.0, MAX_PER_LOOPBACK),
            None => (DEFAULT_REQUESTS_PER_S, MAX_PER_SOURCE),
        }
    }

    /// Failed credentials that a source may have.
    pub(crate) fn failures(&self, source: &str) -> usize {
        source.parse().map_or(MAX_PER_LOOPBACK, |source| self.of(source).1)
    }

    /// Counts a request; the seconds to wait when it is one too many. What does not come over the network is not
    /// counted.
    pub(crate) fn admit(&self, source: &str, now: Timestamp) -> Option<i64> {
        let source: IpAddr = source.parse().ok()?;
        let (rate, _) = self.of(source);
        if rate <= 0.0 {
            return None;
        }
        // One holder of an IPv6 prefix has as many addresses as it likes.
        let key = match source.to_canonical() {
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from(u128::from(v6) & mask(64))),
            v4 => v4,
        };
        let full = (rate * BURST_S).max(1.0);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_SOURCES && !buckets.contains_key(&key) {
            let idle_us = 1_000_000.0 * BURST_S;
            buckets.retain(|_, bucket| (now.micros_since(bucket.at) as f64) < idle_us);
            if buckets.len() >= MAX_SOURCES {
                buckets.clear();
            }
        }
        let bucket = buckets.entry(key).or_insert(Bucket { left: full, at: now });
        let passed_s = now.micros_since(bucket.at).max(0) as f64 / 1e6;
        bucket.left = (bucket.left + passed_s * rate).min(full);
        bucket.at = now;
        if bucket.left >= 1.0 {
            bucket.left -= 1.0;
            return None;
        }
        Some(((1.0 - bucket.left) / rate).ceil().max(1.0) as i64)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn limit(network: &str, requests_per_s: f64, failures: usize) -> NetworkLimit {
        NetworkLimit { network: network.into(), requests_per_s, failures }
    }

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_micros(1_700_000_000_000_000 + ms * 1_000)
    }

    #[test]
    fn a_source_that_is_stopped_stops_nobody_else() {
        let rates = Rates::new(&[limit("10.0.0.0/8", 2.0, 5)]).unwrap();
        let sent = (0..100).filter(|_| rates.admit("10.1.2.3", at(0)).is_none()).count();
        assert_eq!(sent, 20, "a burst of ten seconds");
        assert_eq!(rates.admit("10.1.2.3", at(0)), Some(1));
        assert_eq!(rates.admit("10.1.2.4", at(0)), None);
        let later = (0..100).filter(|_| rates.admit("10.1.2.3", at(1_500)).is_none()).count();
        assert_eq!(later, 3, "two a second");
        assert!((0..100_000).all(|_| rates.admit("127.0.0.1", at(0)).is_none()));
        assert!((0..100_000).all(|_| rates.admit("this machine", at(0)).is_none()));
    }

    #[test]
    fn the_smallest_network_decides() {
        let rates =
            Rates::new(&[limit("0.0.0.0/0", 1.0, 3), limit("10.9.0.0/16", 0.0, 77)]).unwrap();
        assert_eq!((rates.failures("10.9.9.9"), rates.failures("10.8.9.9")), (77, 3));
        assert_eq!(rates.failures("::ffff:10.9.1.1"), 77);
        assert_eq!(rates.failures("2001:db8::1"), MAX_PER_SOURCE);
        for wrong in ["10.0.0.0", "10.0.0.0/33", "x/8", "::/129"] {
            assert!(Rates::new(&[limit(wrong, 1.0, 1)]).is_err(), "{wrong}");
        }
        assert!(Rates::new(&[limit("::/0", f64::NAN, 1)]).is_err());
    }

    #[test]
    fn memory_is_bounded() {
        let rates = Rates::new(&[]).unwrap();
        for n in 0..3 * MAX_SOURCES as u32 {
            rates.admit(&std::net::Ipv4Addr::from(n + 0x0b00_0000).to_string(), at(0));
        }
        assert!(rates.buckets.lock().unwrap().len() <= MAX_SOURCES);
    }
}
