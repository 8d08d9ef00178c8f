//! Open vocabularies and enumerations (STIX 2.1 §10). A value outside an open vocabulary is
//! allowed and gives a warning; one outside an enumeration is an error.

/// A named list of values.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    /// Name in the standard.
    pub(crate) name: &'static str,
    /// Its values.
    pub(crate) values: &'static [&'static str],
}

macro_rules! vocabularies {
    ($($ident:ident = $name:literal: $($value:literal)+;)+) => {
        $(pub(crate) const $ident: Vocabulary = Vocabulary { name: $name, values: &[$($value),+] };)+
    };
}

vocabularies! {
    IDENTITY_CLASS = "identity-class-ov":
        "individual" "group" "system" "organization" "class" "unknown";
    INDUSTRY_SECTOR = "industry-sector-ov":
        "agriculture" "aerospace" "automotive" "chemical" "commercial" "communications"
        "construction" "defense" "education" "energy" "entertainment" "financial-services"
        "government" "emergency-services" "government-local" "government-national"
        "government-public-services" "government-regional" "healthcare" "hospitality-leisure"
        "infrastructure" "dams" "nuclear" "water" "insurance" "manufacturing" "mining"
        "non-profit" "pharmaceuticals" "retail" "technology" "telecommunications"
        "transportation" "utilities";
    INFRASTRUCTURE_TYPE = "infrastructure-type-ov":
        "amplification" "anonymization" "botnet" "command-and-control" "control-system"
        "exfiltration" "firewall" "hosting-malware" "hosting-target-lists" "phishing"
        "reconnaissance" "routers-switches" "staging" "workstation" "unknown";
    INDICATOR_TYPE = "indicator-type-ov":
        "anomalous-activity" "anonymization" "benign" "compromised" "malicious-activity"
        "attribution" "unknown";
    PATTERN_TYPE = "pattern-type-ov":
        "stix" "pcre" "sigma" "snort" "suricata" "yara";
    MALWARE_TYPE = "malware-type-ov":
        "adware" "backdoor" "bot" "bootkit" "ddos" "downloader" "dropper" "exploit-kit"
        "keylogger" "ransomware" "remote-access-trojan" "resource-exploitation"
        "rogue-security-software" "rootkit" "screen-capture" "spyware" "trojan" "unknown" "virus"
        "webshell" "wiper" "worm";
    REPORT_TYPE = "report-type-ov":
        "attack-pattern" "campaign" "identity" "indicator" "intrusion-set" "malware"
        "observed-data" "threat-actor" "threat-report" "tool" "vulnerability";
    TOOL_TYPE = "tool-type-ov":
        "denial-of-service" "exploitation" "information-gathering" "network-capture"
        "credential-exploitation" "remote-access" "vulnerability-scanning" "unknown";
    GROUPING_CONTEXT = "grouping-context-ov":
        "suspicious-activity" "malware-analysis" "unspecified";
    EXTENSION_TYPE = "extension-type-enum":
        "new-sdo" "new-sco" "new-sro" "property-extension" "toplevel-property-extension";
    OPINION = "opinion-enum":
        "strongly-disagree" "disagree" "neutral" "agree" "strongly-agree";
    HASH_ALGORITHM = "hash-algorithm-ov":
        "MD5" "SHA-1" "SHA-256" "SHA-512" "SHA3-256" "SHA3-512" "SSDEEP" "TLSH";
    RELATIONSHIP_TYPE = "relationship types of STIX 2.1":
        "analysis-of" "attributed-to" "authored-by" "based-on" "beacons-to" "belongs-to"
        "characterizes" "communicates-with" "compromises" "consists-of" "contains" "controls"
        "delivers" "derived-from" "downloads" "drops" "duplicate-of" "dynamic-analysis-of"
        "exfiltrates-to" "exploits" "has" "hosts" "impersonates" "indicates" "investigates"
        "located-at" "mitigates" "originates-from" "owns" "related-to" "remediates"
        "resolves-to" "static-analysis-of" "targets" "uses" "variant-of";
}
