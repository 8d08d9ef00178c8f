//! The open vocabularies of CACAO v2.0: words outside of them are allowed and advised against.

/// A vocabulary.
pub(super) struct Vocabulary {
    /// Its name in the standard.
    pub(super) name: &'static str,
    pub(super) words: &'static [&'static str],
}

impl Vocabulary {
    /// Whether a word is one of it, or announces itself as somebody's own.
    pub(super) fn knows(&self, word: &str) -> bool {
        word.starts_with("x-") || self.words.contains(&word)
    }
}

/// §3.1.1
pub(super) static PLAYBOOK_TYPES: Vocabulary = Vocabulary {
    name: "playbook-type-ov",
    words: &[
        "attack",
        "detection",
        "engagement",
        "investigation",
        "mitigation",
        "notification",
        "prevention",
        "remediation",
    ],
};

/// §3.1.2
pub(super) static ACTIVITIES: Vocabulary = Vocabulary {
    name: "playbook-activity-type-ov",
    words: &[
        "compose-content",
        "deliver-content",
        "identify-audience",
        "identify-channel",
        "scan-system",
        "match-indicator",
        "analyze-collected-data",
        "identify-indicators",
        "scan-vulnerabilities",
        "configure-systems",
        "restrict-access",
        "disconnect-system",
        "eliminate-risk",
        "revert-system",
        "restore-data",
        "restore-capabilities",
        "map-network",
        "identify-steps",
        "step-sequence",
        "prepare-engagement",
        "execute-operation",
        "analyze-engagement-results",
    ],
};

/// §7.7.1
pub(super) static SECTORS: Vocabulary = Vocabulary {
    name: "industry-sector-ov",
    words: &[
        "aerospace",
        "aviation",
        "agriculture",
        "automotive",
        "biotechnology",
        "chemical",
        "commercial",
        "consulting",
        "construction",
        "cosmetics",
        "critical-infrastructure",
        "dams",
        "defense",
        "education",
        "emergency-services",
        "energy",
        "non-renewable-energy",
        "renewable-energy",
        "media",
        "financial",
        "food",
        "gambling",
        "government",
        "local-government",
        "national-government",
        "regional-government",
        "public-services",
        "healthcare",
        "information-communications-technology",
        "electronics-hardware",
        "software",
        "telecommunications",
        "legal-services",
        "lodging",
        "manufacturing",
        "maritime",
        "metals",
        "mining",
        "non-profit",
        "humanitarian-aid",
        "human-rights",
        "nuclear",
        "petroleum",
        "pharmaceuticals",
        "research",
        "transportation",
        "logistics-shipping",
        "utilities",
        "video-game",
        "water",
    ],
};

/// §7.11.1
pub(super) static CATEGORIES: Vocabulary = Vocabulary {
    name: "security-category-type-ov",
    words: &[
        "aaa",
        "analytics",
        "caldera",
        "content-gateway",
        "desktop",
        "endpoint",
        "firewall",
        "handset",
        "ids",
        "ips",
        "kali",
        "manx",
        "orchestrator",
        "os-linux",
        "os-mac",
        "os-windows",
        "redcanary-atomicred",
        "ragdoll",
        "router",
        "sandcat",
        "server",
        "siem",
        "switch",
        "ticketing",
        "tip",
        "wireless",
    ],
};

/// §7.2
pub(super) static PARTIES: Vocabulary = Vocabulary {
    name: "agent-target-type-ov",
    words: &[
        "group",
        "individual",
        "location",
        "organization",
        "sector",
        "http-api",
        "linux",
        "net-address",
        "security-category",
        "ssh",
    ],
};

/// §6.2
pub(super) static CREDENTIALS: Vocabulary = Vocabulary {
    name: "authentication-info-type-ov",
    words: &["http-basic", "oauth2", "user-auth"],
};

/// §5.2
pub(super) static COMMANDS: Vocabulary = Vocabulary {
    name: "command-type-ov",
    words: &[
        "manual",
        "bash",
        "caldera-cmd",
        "elastic",
        "http-api",
        "jupyter",
        "kestrel",
        "openc2-http",
        "powershell",
        "sigma",
        "ssh",
        "yara",
    ],
};

/// §10.18.4
pub(super) static VARIABLES: Vocabulary = Vocabulary {
    name: "variable-type-ov",
    words: &[
        "bool",
        "dictionary",
        "float",
        "hexstring",
        "integer",
        "ipv4-addr",
        "ipv6-addr",
        "long",
        "mac-addr",
        "hash",
        "md5-hash",
        "sha256-hash",
        "string",
        "uri",
        "uuid",
    ],
};

/// §10.15
pub(super) static ALGORITHMS: Vocabulary = Vocabulary {
    name: "signature-algorithm-type-ov",
    words: &[
        "RS256",
        "RS384",
        "RS512",
        "ES256",
        "ES384",
        "ES512",
        "PS256",
        "PS384",
        "PS512",
        "Ed25519",
        "Ed448",
        "XMSS-SHA2_10_256",
        "XMSS-SHA2_16_256",
        "XMSS-SHA2_20_256",
        "LMS_SHA256_M32_H5",
        "LMS_SHA256_M32_H10",
        "LMS_SHA256_M32_H15",
        "LMS_SHA256_M32_H20",
        "LMS_SHA256_M32_H25",
    ],
};

/// Regions of the world (§10.4.1), closed.
pub(super) const REGIONS: &[&str] = &[
    "africa",
    "eastern-africa",
    "middle-africa",
    "northern-africa",
    "southern-africa",
    "western-africa",
    "americas",
    "caribbean",
    "central-america",
    "latin-america-caribbean",
    "northern-america",
    "south-america",
    "asia",
    "central-asia",
    "eastern-asia",
    "southern-asia",
    "south-eastern-asia",
    "western-asia",
    "europe",
    "eastern-europe",
    "northern-europe",
    "southern-europe",
    "western-europe",
    "oceania",
    "antarctica",
    "australia-new-zealand",
    "melanesia",
    "micronesia",
    "polynesia",
];
