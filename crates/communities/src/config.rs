//! Section `[communities]`.

use serde::{Deserialize, Serialize};

/// Settings of the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Days a certificate of membership holds.
    pub certificate_days: i64,
    /// Days before its end a certificate is made anew.
    pub renew_before_days: i64,
    /// Days an invitation holds.
    pub invitation_days: i64,
    /// Networks whose addresses are own ones: pseudonyms replace them where a rule says so.
    pub own_networks: Vec<String>,
    /// Domains whose host names are own ones, e.g. `plant.harbour.example`: pseudonyms replace them where a rule says so.
    pub own_domains: Vec<String>,
}

/// Private, shared, link-local and loopback networks (RFC 1918, 6598, 3927, 4193, 4291).
const OWN_NETWORKS: [&str; 9] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "127.0.0.0/8",
    "fc00::/7",
    "fe80::/10",
    "::1/128",
];

/// Own networks at most.
pub(crate) const MAX_OWN_NETWORKS: usize = 256;
/// Own domains at most.
pub(crate) const MAX_OWN_DOMAINS: usize = 256;

impl Default for Config {
    fn default() -> Self {
        Self {
            certificate_days: 90,
            renew_before_days: 30,
            invitation_days: 14,
            own_networks: OWN_NETWORKS.map(str::to_owned).to_vec(),
            own_domains: vec![],
        }
    }
}

impl Config {
    /// Refuses settings that cannot work.
    ///
    /// # Errors
    /// One sentence that names the key, the limit and the remedy.
    pub fn check(&self) -> Result<(), String> {
        let rules = [
            (
                (2..=825).contains(&self.certificate_days),
                "communities.certificate_days must lie between 2 and 825".to_owned(),
            ),
            (
                (1..self.certificate_days).contains(&self.renew_before_days),
                "communities.renew_before_days must be at least 1 and less than certificate_days"
                    .to_owned(),
            ),
            (
                (1..=365).contains(&self.invitation_days),
                "communities.invitation_days must lie between 1 and 365".to_owned(),
            ),
            (
                self.own_networks.len() <= MAX_OWN_NETWORKS,
                format!("communities.own_networks may name {MAX_OWN_NETWORKS} networks"),
            ),
            (
                self.own_domains.len() <= MAX_OWN_DOMAINS,
                format!("communities.own_domains may name {MAX_OWN_DOMAINS} domains"),
            ),
        ];
        if let Some((_, broken)) = rules.into_iter().find(|(holds, _)| !holds) {
            return Err(format!("{broken}; leave it out for the default"));
        }
        let domain = |text: &&String| crate::redact::Domain::parse(text).is_none();
        if let Some(wrong) = self.own_domains.iter().find(domain) {
            return Err(format!(
                "communities.own_domains: '{wrong}' is no domain; write it like plant.example"
            ));
        }
        match self.own_networks.iter().find(|text| crate::redact::Network::parse(text).is_none()) {
            None => Ok(()),
            Some(wrong) => Err(format!(
                "communities.own_networks: '{wrong}' is no network; write it like 10.0.0.0/8"
            )),
        }
    }
}
