//! All lists in one structure: two tables of texts, two of ranges, two automata.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use hashbrown::{DefaultHashBuilder, HashTable};
use regex::{RegexSet, RegexSetBuilder};

use super::ranges::{Net, Ranges};
use super::{MAX_ENTRIES, MAX_LISTS, Matching, Warninglist, WarninglistError};
use crate::record::{Kinds, kinds_of_name};
use crate::value::{Kind, Observable};

/// Bytes that the expressions of all lists may compile to.
const REGEX_BYTES: usize = 4 << 20;

/// An entry that is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Place of the list.
    pub list: usize,
    /// The entry, cut to 120 characters; empty for the whole list.
    pub entry: String,
    /// Why.
    pub reason: &'static str,
}

/// Lists that hold a value, by their places, ascending.
pub type Hits = Vec<u16>;

/// Sets of lists, each kept once; 0 is the empty one.
pub(super) struct Sets {
    all: Vec<Box<[u16]>>,
    by_content: HashMap<Box<[u16]>, u32>,
}

impl Sets {
    fn new() -> Self {
        let empty: Box<[u16]> = Box::default();
        Self { all: vec![empty.clone()], by_content: HashMap::from([(empty, 0)]) }
    }

    pub(super) fn intern(&mut self, lists: Vec<u16>) -> u32 {
        let lists = lists.into_boxed_slice();
        if let Some(known) = self.by_content.get(&lists) {
            return *known;
        }
        let id = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        self.all.push(lists.clone());
        self.by_content.insert(lists, id);
        id
    }

    pub(super) fn get(&self, id: u32) -> &[u16] {
        &self.all[id as usize]
    }
}

/// Texts with their sets, in one buffer.
struct Texts {
    texts: String,
    table: HashTable<(u32, u32, u32)>,
    hasher: DefaultHashBuilder,
}

impl Texts {
    fn new(entries: HashMap<String, Vec<u16>>, sets: &mut Sets) -> Self {
        let hasher = DefaultHashBuilder::default();
        let (mut texts, mut table) = (String::new(), HashTable::with_capacity(entries.len()));
        for (text, mut lists) in entries {
            lists.sort_unstable();
            lists.dedup();
            let start = u32::try_from(texts.len()).unwrap_or(u32::MAX);
            let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
            texts.push_str(&text);
            let hash = hasher.hash_one(text.as_str());
            let entry = (start, length, sets.intern(lists));
            table.insert_unique(hash, entry, |entry| hasher.hash_one(slice(&texts, entry)));
        }
        Self { texts, table, hasher }
    }

    fn get(&self, text: &str) -> u32 {
        let hash = self.hasher.hash_one(text);
        self.table.find(hash, |entry| slice(&self.texts, entry) == text).map_or(0, |entry| entry.2)
    }
}

fn slice<'a>(texts: &'a str, entry: &(u32, u32, u32)) -> &'a str {
    &texts[entry.0 as usize..(entry.0 + entry.1) as usize]
}

/// Lists by name, compiled.
pub struct Matcher {
    names: Vec<String>,
    /// For each list: the kinds it is meant for, a bit each.
    kinds: Vec<u32>,
    sets: Sets,
    exact: Texts,
    hosts: Texts,
    v4: Ranges<u32>,
    v6: Ranges<u128>,
    parts: AhoCorasick,
    part_lists: Vec<u16>,
    expressions: RegexSet,
    expression_lists: Vec<u16>,
}

#[derive(Default)]
struct Gathered {
    exact: HashMap<String, Vec<u16>>,
    hosts: HashMap<String, Vec<u16>>,
    v4: Vec<Net<u32>>,
    v6: Vec<Net<u128>>,
    parts: Vec<(String, u16)>,
    expressions: Vec<(String, u16)>,
    left_out: Vec<LeftOut>,
}

impl Matcher {
    /// Compiles lists; entries that cannot be used are told.
    ///
    /// # Errors
    /// [`WarninglistError`] where there are too many or they cannot be compiled.
    pub fn new(lists: &[Warninglist]) -> Result<(Self, Vec<LeftOut>), WarninglistError> {
        if lists.len() > MAX_LISTS {
            return Err(WarninglistError::TooManyLists(lists.len()));
        }
        if lists.iter().map(|list| list.list.len()).sum::<usize>() > MAX_ENTRIES {
            return Err(WarninglistError::TooManyEntries);
        }
        let mut gathered = Gathered::default();
        let mut kinds = Vec::new();
        for (place, list) in lists.iter().enumerate() {
            let mask = mask(&list.matching_attributes);
            kinds.push(mask);
            if mask == 0 {
                let reason = "is meant for attributes that are no kinds of values here";
                gathered.left_out.push(LeftOut { list: place, entry: String::new(), reason });
                continue;
            }
            gathered.take(u16::try_from(place).unwrap_or(u16::MAX), list);
        }
        let Gathered { exact, hosts, v4, v6, parts, expressions, left_out } = gathered;
        let compile = |error: &dyn std::fmt::Display| WarninglistError::Compile(error.to_string());
        let mut sets = Sets::new();
        let matcher = Self {
            names: lists.iter().map(|list| list.name.clone()).collect(),
            kinds,
            exact: Texts::new(exact, &mut sets),
            hosts: Texts::new(hosts, &mut sets),
            v4: Ranges::new(v4, &mut sets, |address| address.checked_add(1)),
            v6: Ranges::new(v6, &mut sets, |address| address.checked_add(1)),
            sets,
            parts: AhoCorasickBuilder::new()
                .ascii_case_insensitive(true)
                .match_kind(MatchKind::Standard)
                .build(parts.iter().map(|(part, _)| part))
                .map_err(|error| compile(&error))?,
            part_lists: parts.into_iter().map(|(_, list)| list).collect(),
            expressions: RegexSetBuilder::new(expressions.iter().map(|(text, _)| text))
                .size_limit(REGEX_BYTES)
                .dfa_size_limit(REGEX_BYTES)
                .build()
                .map_err(|error| compile(&error))?,
            expression_lists: expressions.into_iter().map(|(_, list)| list).collect(),
        };
        Ok((matcher, left_out))
    }

    /// The lists that hold a value.
    #[must_use]
    pub fn lists(&self, observable: &Observable) -> Hits {
        let (kind, value) = (observable.kind(), observable.value());
        let mut hits = Hits::new();
        let lower;
        let text = if value.bytes().any(|b| b.is_ascii_uppercase()) {
            lower = value.to_ascii_lowercase();
            &lower
        } else {
            value
        };
        hits.extend_from_slice(self.sets.get(self.exact.get(text)));
        match kind {
            Kind::Ipv4 | Kind::Ipv6 => self.address(value, &mut hits),
            Kind::Ipv4Net | Kind::Ipv6Net => self.network(value, &mut hits),
            Kind::Domain => self.host(text, &mut hits),
            Kind::Url | Kind::Endpoint | Kind::Email => {
                if let Some(host) = host_of(kind, text) {
                    match host.strip_prefix('[') {
                        Some(inner) => self.address(inner.trim_end_matches(']'), &mut hits),
                        None => {
                            self.address(host, &mut hits);
                            self.host(host, &mut hits);
                        }
                    }
                }
            }
            _ => {}
        }
        for found in self.parts.find_overlapping_iter(text) {
            hits.push(self.part_lists[found.pattern().as_usize()]);
        }
        if !self.expressions.is_empty() {
            let matched = self.expressions.matches(value);
            hits.extend(matched.iter().map(|at| self.expression_lists[at]));
        }
        if !hits.is_empty() {
            let bit = 1_u32 << kind as u32;
            hits.retain(|list| self.kinds[usize::from(*list)] & bit != 0);
            hits.sort_unstable();
            hits.dedup();
        }
        hits
    }

    /// The name of a list.
    #[must_use]
    pub fn name(&self, list: u16) -> &str {
        self.names.get(usize::from(list)).map_or("", String::as_str)
    }

    /// Number of lists.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// About how many bytes it takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let texts = |texts: &Texts| texts.texts.len() + texts.table.capacity() * 14;
        texts(&self.exact)
            + texts(&self.hosts)
            + self.v4.bytes()
            + self.v6.bytes()
            + self.parts.memory_usage()
    }

    fn host(&self, host: &str, hits: &mut Hits) {
        let mut rest = host;
        loop {
            hits.extend_from_slice(self.sets.get(self.hosts.get(rest)));
            match rest.split_once('.') {
                Some((_, parent)) => rest = parent,
                None => return,
            }
        }
    }

    fn address(&self, text: &str, hits: &mut Hits) {
        let set = match text.parse() {
            Ok(IpAddr::V4(ip)) => self.v4.get(ip.into()),
            Ok(IpAddr::V6(ip)) => self.v6.get(ip.into()),
            Err(_) => return,
        };
        hits.extend_from_slice(self.sets.get(set));
    }

    fn network(&self, text: &str, hits: &mut Hits) {
        match network(text) {
            Some(Network::V4(first, last)) => {
                hits.extend(self.v4.get_all(first, last, &self.sets));
            }
            Some(Network::V6(first, last)) => {
                hits.extend(self.v6.get_all(first, last, &self.sets));
            }
            None => {}
        }
    }
}

fn host_of(kind: Kind, text: &str) -> Option<&str> {
    match kind {
        Kind::Url => crate::value::url_host(text),
        Kind::Endpoint => Some(text.rsplit_once(':')?.0),
        _ => Some(text.rsplit_once('@')?.1),
    }
}

/// The kinds that attribute types stand for, a bit each.
fn mask(attributes: &[String]) -> u32 {
    if attributes.is_empty() {
        return u32::MAX;
    }
    let mut mask = 0;
    for name in attributes.iter().flat_map(|attribute| attribute.split('|')) {
        match kinds_of_name(name) {
            Some(Kinds::OneOf(kinds)) => {
                for kind in kinds {
                    mask |= 1_u32 << kind as u32;
                }
            }
            Some(Kinds::Any) | None => {}
        }
    }
    // An address or a host with a port is one, and inside a URL as well.
    let host =
        [Kind::Ipv4, Kind::Ipv6, Kind::Domain].iter().any(|kind| mask >> *kind as u32 & 1 == 1);
    if host { mask | 1 << Kind::Endpoint as u32 } else { mask }
}

enum Network {
    V4(u32, u32),
    V6(u128, u128),
}

/// First and last address of an address or network; host bits do not matter.
fn network(text: &str) -> Option<Network> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix.parse::<u32>().ok()?)),
        None => (text, None),
    };
    if let Ok(ip) = address.parse::<Ipv4Addr>() {
        let prefix = prefix.unwrap_or(32);
        let host = 32_u32.checked_sub(prefix)?;
        let mask = u32::MAX.checked_shl(host).unwrap_or(0);
        let first = u32::from(ip) & mask;
        return Some(Network::V4(first, first | !mask));
    }
    let ip: Ipv6Addr = address.parse().ok()?;
    let host = 128_u32.checked_sub(prefix.unwrap_or(128))?;
    let mask = u128::MAX.checked_shl(host).unwrap_or(0);
    let first = u128::from(ip) & mask;
    Some(Network::V6(first, first | !mask))
}

impl Gathered {
    fn take(&mut self, place: u16, list: &Warninglist) {
        for entry in &list.list {
            let text = entry.trim().to_lowercase();
            if text.is_empty() {
                self.leave(place, entry, "is empty");
                continue;
            }
            match list.matching {
                Matching::String if text.starts_with('.') => self.host(place, entry, &text),
                Matching::String => self.exact.entry(text).or_default().push(place),
                Matching::Hostname => self.host(place, entry, &text),
                Matching::Substring => self.parts.push((text, place)),
                Matching::Cidr => match network(&text) {
                    Some(Network::V4(first, last)) => {
                        self.v4.push(Net { first, last, list: place });
                    }
                    Some(Network::V6(first, last)) => {
                        self.v6.push(Net { first, last, list: place });
                    }
                    None => self.leave(place, entry, "is no address or network"),
                },
                Matching::Regex => match expression(entry.trim()) {
                    Some(expression) => self.expressions.push((expression, place)),
                    None => self.leave(place, entry, "is no expression that can be compiled"),
                },
            }
        }
    }

    fn host(&mut self, place: u16, entry: &str, text: &str) {
        let host = text.trim_matches('.');
        // Lists of hosts hold an address now and then.
        match network(host) {
            Some(Network::V4(first, last)) => self.v4.push(Net { first, last, list: place }),
            Some(Network::V6(first, last)) => self.v6.push(Net { first, last, list: place }),
            None if host.is_empty() => self.leave(place, entry, "is empty"),
            None => {
                let name = Observable::of_kind(Kind::Domain, host)
                    .map_or_else(|_| host.to_owned(), |name| name.into_parts().1);
                self.hosts.entry(name).or_default().push(place);
            }
        }
    }

    fn leave(&mut self, list: u16, entry: &str, reason: &'static str) {
        let entry = entry.chars().take(120).collect();
        self.left_out.push(LeftOut { list: list.into(), entry, reason });
    }
}

/// `/expression/flags` in this crate's syntax. Each is tried alone so that one bad entry does not
/// spoil the set.
fn expression(entry: &str) -> Option<String> {
    let text = match entry.strip_prefix('/') {
        Some(rest) => {
            let (body, flags) = rest.rsplit_once('/')?;
            let body = body.replace("\\/", "/");
            if flags.contains('i') { format!("(?i:{body})") } else { body }
        }
        None => entry.to_owned(),
    };
    regex::RegexBuilder::new(&text).size_limit(REGEX_BYTES / 8).build().ok()?;
    Some(text)
}
