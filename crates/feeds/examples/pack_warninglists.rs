//! Packs the selection of warninglists that the product brings.
//!
//! `cargo run -p feeds --example pack_warninglists -- FOLDER OUT` reads `FOLDER/*/list.json` of
//! MISP/misp-warninglists (CC0-1.0) and writes one JSON document a line, packed with gzip.
//!
//! Taken is what makes every analyst look bad once: addresses that are no places (RFC lists), values
//! of nothing (empty hashes), what half the internet talks to (resolvers, largest sites, clouds and
//! networks of content, certificate checks), and what reports name as sources or tools (blogs,
//! sandboxes, "what is my address"). Left out: lists of scanners, which change daily and are better
//! fetched; all but one of the large rankings, which differ in little; lists of places that attackers
//! rent as well (dynamic DNS, VPN), where a hit says less.
#![allow(clippy::print_stdout)]

use std::io::Write;

use feeds::warninglist::Warninglist;

const TAKEN: &[&str] = &[
    "akamai",
    "alexa",
    "amazon-aws",
    "apple",
    "automated-malware-analysis",
    "bank-website",
    "bunny-net",
    "captive-portals",
    "cisco_top1000",
    "cloudflare",
    "common-contact-emails",
    "common-ioc-false-positive",
    "crl-hostname",
    "crl-ip",
    "disposable-email",
    "eicar.com",
    "empty-hashes",
    "fastly",
    "findip-host",
    "github",
    "google",
    "google-gcp",
    "google-gmail-sending-ips",
    "googlebot",
    "ipv6-linklocal",
    "link-in-bio",
    "lots-project",
    "microsoft",
    "microsoft-azure",
    "microsoft-office365",
    "microsoft-office365-ip",
    "microsoft-win10-connection-endpoints",
    "moz-top500",
    "mozilla-CA",
    "multicast",
    "oracle-oci",
    "parking-domain",
    "parking-domain-ns",
    "public-dns-v4",
    "public-dns-v6",
    "rfc1918",
    "rfc3849",
    "rfc5735",
    "rfc6598",
    "rfc6761",
    "second-level-tlds",
    "security-provider-blogpost",
    "sinkholes",
    "smtp-receiving-ips",
    "smtp-sending-ips",
    "tlds",
    "tranco10k",
    "umbrella-blockpage-hostname",
    "umbrella-blockpage-v4",
    "umbrella-blockpage-v6",
    "university_domains",
    "url-shortener",
    "whats-my-ip",
    "wikimedia",
    "zscaler",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(folder), Some(out)) = (arguments.next(), arguments.next()) else {
        return Err("pack_warninglists FOLDER OUT".into());
    };
    let mut packer =
        flate2::write::GzEncoder::new(std::fs::File::create(out)?, flate2::Compression::best());
    let mut entries = 0;
    for name in TAKEN {
        let path = std::path::Path::new(&folder).join(name).join("list.json");
        let list = Warninglist::read(&std::fs::read(path)?)?;
        entries += list.list.len();
        serde_json::to_writer(&mut packer, &list)?;
        packer.write_all(b"\n")?;
    }
    packer.finish()?;
    println!("{} lists, {entries} entries", TAKEN.len());
    Ok(())
}
