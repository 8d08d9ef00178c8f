//! Distribution, threat level, analysis; tags that are markings.

use stix::Object;
use stix::marking::{Tlp, tlp_1_definition};

/// How far something may travel (MISP core format §2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Distribution {
    /// The own organisation.
    Organisation = 0,
    /// This community.
    Community = 1,
    /// Communities connected to it.
    Connected = 2,
    /// Everybody.
    All = 3,
    /// The members of a sharing group.
    SharingGroup = 4,
    /// As what it stands in.
    Inherit = 5,
}

impl Distribution {
    /// Reads the level.
    #[must_use]
    pub fn from_level(level: i64) -> Option<Self> {
        [
            Self::Organisation,
            Self::Community,
            Self::Connected,
            Self::All,
            Self::SharingGroup,
            Self::Inherit,
        ]
        .into_iter()
        .find(|known| *known as i64 == level)
    }
}

/// How dangerous an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ThreatLevel {
    /// 1
    High = 1,
    /// 2
    Medium = 2,
    /// 3
    Low = 3,
    /// 4
    Undefined = 4,
}

impl ThreatLevel {
    /// Reads the level.
    #[must_use]
    pub fn from_level(level: i64) -> Option<Self> {
        [Self::High, Self::Medium, Self::Low, Self::Undefined]
            .into_iter()
            .find(|known| *known as i64 == level)
    }
}

/// How far the analysis of an event has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Analysis {
    /// 0
    Initial = 0,
    /// 1
    Ongoing = 1,
    /// 2
    Complete = 2,
}

impl Analysis {
    /// Reads the level.
    #[must_use]
    pub fn from_level(level: i64) -> Option<Self> {
        [Self::Initial, Self::Ongoing, Self::Complete]
            .into_iter()
            .find(|known| *known as i64 == level)
    }
}

/// Tags with the id of the marking definition they become: those of TLP 1 as STIX 2.1 fixes them, those that came with
/// TLP 2.0 as OASIS published them. misp-stix chooses the same.
const MARKINGS: [(&str, &str); 6] = [
    ("tlp:white", "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"),
    ("tlp:green", "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"),
    ("tlp:amber", "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"),
    ("tlp:red", "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"),
    ("tlp:clear", Tlp::Clear.id()),
    ("tlp:amber+strict", Tlp::AmberStrict.id()),
];

/// The id of the marking definition that a tag stands for.
#[must_use]
pub fn marking_of(tag: &str) -> Option<&'static str> {
    MARKINGS.iter().find(|(name, _)| *name == tag).map(|(_, id)| *id)
}

/// The tag for the id of a marking definition of TLP.
#[must_use]
pub fn tag_of(id: &str) -> Option<&'static str> {
    if let Some((name, _)) = MARKINGS.iter().find(|(_, known)| *known == id) {
        return Some(name);
    }
    match Tlp::from_id(id)? {
        Tlp::Green => Some("tlp:green"),
        Tlp::Amber => Some("tlp:amber"),
        Tlp::Red => Some("tlp:red"),
        Tlp::Clear | Tlp::AmberStrict => None,
    }
}

/// The marking definition itself.
#[must_use]
pub fn definition(id: &str) -> Option<Object> {
    tlp_1_definition(id).or_else(|| Tlp::from_id(id).map(Tlp::definition))
}

/// The most restrictive Permissible Actions Protocol level among tags: `RED`, `AMBER`, `GREEN`, `CLEAR` (or `WHITE`).
#[must_use]
pub fn pap<'a>(tags: impl Iterator<Item = &'a str>) -> Option<&'static str> {
    let order = ["CLEAR", "WHITE", "GREEN", "AMBER", "RED"];
    tags.filter_map(|tag| {
        let (head, level) = tag.split_at_checked(4)?;
        if !head.eq_ignore_ascii_case("pap:") {
            return None;
        }
        order.iter().position(|known| known.eq_ignore_ascii_case(level))
    })
    .max()
    .map(|at| order[at])
}

/// The confidence, 0 to 100, that a tag of the taxonomy `misp` states.
#[must_use]
pub fn confidence_of(tag: &str) -> Option<u8> {
    match tag.strip_prefix("misp:confidence-level=\"")?.strip_suffix('"')? {
        "completely-confident" => Some(100),
        "usually-confident" => Some(75),
        "fairly-confident" => Some(50),
        "rarely-confident" => Some(25),
        "unconfident" => Some(0),
        _ => None,
    }
}
