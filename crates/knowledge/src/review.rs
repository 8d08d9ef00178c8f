//! A report and what it names: candidates with the reasons to look twice, and the objects that the accepted ones become.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::LazyLock;

use feeds::extract::{Candidate, Found, LIMITS, Review, defang, extract};
use feeds::value::{Kind, Observable};
use feeds::warninglist::{Matcher, shipped};
use intel::excuse::Excuses;
use intel::{Sight, own, standing, terms};
use platform::http::Problem;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use stix::{Object, StixId};
use utoipa::ToSchema;

use crate::config::network;
use crate::ontology::Ontology;
use crate::room::Knowledge;

/// Longest report that is reviewed, bytes (8 MiB).
pub(crate) const MAX_REPORT_BYTES: usize = 8 << 20;
/// Candidates of one report; more are counted and not listed.
pub(crate) const MAX_CANDIDATES: usize = 5_000;
/// Relations between what stands in one sentence, for one report.
const MAX_RELATIONS: usize = 500;
/// Characters of the text that the report object keeps as its description.
const MAX_DESCRIPTION_CHARS: usize = 2_000;

/// Lists that ship with the program; a value on one of them is a doubt.
static SHIPPED: LazyLock<Option<Matcher>> = LazyLock::new(|| {
    shipped().and_then(|lists| Matcher::new(&lists)).ok().map(|(matcher, _)| matcher)
});

/// Something found in a report.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ReportCandidate)]
pub(crate) struct Item {
    /// Names it when it is accepted: `kind:value`.
    pub(crate) key: String,
    /// Kind of value, or `technique`, `group`, `software` …
    kind: String,
    /// In its normal form.
    value: String,
    /// So that no program makes a link of it.
    defanged: String,
    /// As it is spelt at its first place.
    spelling: String,
    /// How often it stands there.
    count: u64,
    /// Line of its first place, from 1.
    line: u64,
    /// First place in the text without markup, bytes.
    start: u64,
    /// Its end.
    end: u64,
    /// The sentence around its first place.
    context: String,
    /// `accept` or `doubt`.
    pub(crate) suggestion: String,
    /// Reasons to look twice: `warninglist`, `not-public`, `own-network`, `already-known`, `looks-like-version` …
    doubts: Vec<String>,
    /// Lists of well-known values that hold it.
    warninglists: Vec<String>,
    /// A STIX pattern for it, where it is a value.
    pattern: Option<String>,
    #[serde(skip)]
    found: Found,
}

/// A report that was looked through.
pub(crate) struct Reviewed {
    /// SHA-256 of the text, hexadecimal.
    pub(crate) sha256: String,
    pub(crate) items: Vec<Item>,
    /// Finds beyond [`MAX_CANDIDATES`].
    pub(crate) untold: usize,
    /// The beginning of the text, without markup.
    description: String,
}

/// Looks through a text for a reader.
///
/// # Errors
/// The text is too long, or the database says no.
pub(crate) async fn review(
    room: &Knowledge,
    text: String,
    sight: Sight,
) -> Result<Reviewed, Problem> {
    let ontology = crate::ontology::current(room).await?;
    let read = tokio::task::spawn_blocking(move || read(&text, &ontology));
    let mut reviewed = read.await.map_err(Problem::internal)??;
    let own: Vec<(IpAddr, u8)> =
        room.config().own_networks.iter().filter_map(|text| network(text)).collect();
    let mut sql = room.platform().db.read().await?;
    let excuses = Excuses::current(&mut sql).await?;
    let now_us = room.platform().now().as_micros();
    for item in &mut reviewed.items {
        let Found::Observable(observable) = &item.found else { continue };
        let value = terms::normal(observable.value());
        if let Some(lists) = excuses.of(&value) {
            item.warninglists.push(lists);
        }
        if let Some(shipped) = SHIPPED.as_ref() {
            let lists = shipped.lists(observable);
            item.warninglists.extend(lists.iter().map(|list| shipped.name(*list).to_owned()));
        }
        if !item.warninglists.is_empty() {
            item.doubts.push("warninglist".into());
        }
        if is_own(observable, &own) {
            item.doubts.push("own-network".into());
        }
        let known = standing::of_value(&mut sql, &value, sight, now_us).await?;
        if known.iter().any(|one| one.named == value) {
            item.doubts.push("already-known".into());
        }
        item.suggestion = if item.doubts.is_empty() { "accept" } else { "doubt" }.into();
    }
    Ok(reviewed)
}

fn read(text: &str, ontology: &Ontology) -> Result<Reviewed, Problem> {
    let limits = feeds::extract::ExtractLimits {
        max_bytes: MAX_REPORT_BYTES,
        max_candidates: MAX_CANDIDATES,
        ..LIMITS
    };
    let review = extract(text, ontology.names.as_ref(), limits).map_err(|error| {
        Problem::new(axum::http::StatusCode::PAYLOAD_TOO_LARGE, "too-large", error.to_string())
            .remedy("Send it in parts.")
    })?;
    let digest = Sha256::digest(text.as_bytes());
    let mut lines = Lines { text: &review.text, at: 0, line: 1 };
    Ok(Reviewed {
        sha256: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
        items: review.candidates.iter().map(|one| item(&review, one, &mut lines)).collect(),
        untold: review.untold,
        description: review.text.chars().take(MAX_DESCRIPTION_CHARS).collect(),
    })
}

/// Counts lines in one pass: candidates come in the order of their places.
struct Lines<'t> {
    text: &'t str,
    at: usize,
    line: u64,
}

impl Lines<'_> {
    fn of(&mut self, place: usize) -> u64 {
        let place = place.min(self.text.len());
        if place < self.at {
            (self.at, self.line) = (0, 1);
        }
        let passed = &self.text.as_bytes()[self.at..place];
        self.line += passed.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.at = place;
        self.line
    }
}

fn item(review: &Review<'_>, one: &Candidate, lines: &mut Lines<'_>) -> Item {
    let (kind, value, pattern) = match &one.found {
        Found::Observable(found) => {
            (found.kind().name().to_owned(), found.value().to_owned(), found.pattern())
        }
        Found::Knowledge { kind, id } => (words(kind), id.clone(), None),
    };
    let place = one.places.first().cloned().unwrap_or_default();
    Item {
        key: format!("{kind}:{value}"),
        defanged: if pattern.is_some() { defang(&value) } else { value.clone() },
        spelling: one.spelling.clone(),
        count: one.count as u64,
        line: lines.of(place.start),
        start: place.start as u64,
        end: place.end as u64,
        context: review.context(&place).to_owned(),
        suggestion: if one.doubts.is_empty() { "accept" } else { "doubt" }.into(),
        doubts: one.doubts.iter().map(words).collect(),
        warninglists: vec![],
        kind,
        value,
        pattern,
        found: one.found.clone(),
    }
}

/// A word of the crate as JSON writes it.
fn words<T: Serialize>(word: &T) -> String {
    serde_json::to_value(word).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Whether an address, or the host in a URL, lies in a network of one's own.
fn is_own(observable: &Observable, own: &[(IpAddr, u8)]) -> bool {
    let host = observable.host();
    let text = host.as_ref().map_or_else(|| observable.value(), Observable::value);
    let Ok(address) = text.split('/').next().unwrap_or_default().parse::<IpAddr>() else {
        return false;
    };
    own.iter().any(|(network, length)| {
        let same = |a: u128, b: u128, bits: u32| {
            let shift = bits.saturating_sub(u32::from(*length));
            a.checked_shr(shift).unwrap_or(0) == b.checked_shr(shift).unwrap_or(0)
        };
        match (address, network) {
            (IpAddr::V4(a), IpAddr::V4(b)) => same(u32::from(a).into(), u32::from(*b).into(), 32),
            (IpAddr::V6(a), IpAddr::V6(b)) => same(a.into(), (*b).into(), 128),
            _ => false,
        }
    })
}

/// What a report shall be stored as.
pub(crate) struct Draft {
    pub(crate) title: String,
    pub(crate) tlp: stix::Tlp,
    pub(crate) confidence: Option<u8>,
    /// When it was published, as STIX writes times.
    pub(crate) published: String,
    /// Now, as STIX writes times.
    pub(crate) now: String,
    /// This node.
    pub(crate) node: String,
}

/// The objects of a report.
pub(crate) struct Made {
    /// Id of the report.
    pub(crate) report: String,
    pub(crate) objects: Vec<Object>,
    /// Accepted candidates that STIX has no object for, by key.
    pub(crate) skipped: Vec<String>,
}

impl Reviewed {
    /// Id of the report object of this text under a label: the same text is the same report.
    pub(crate) fn report_id(&self, tlp: stix::Tlp) -> StixId {
        StixId::derived("report", own::NAMESPACE, &format!("{} {}", self.sha256, tlp.label()))
    }

    /// The report, an indicator (or observable, or vulnerability) for each accepted value, and relations between
    /// what stands in one sentence: that is all a text says of two names without a person reading it.
    pub(crate) fn make(
        &self,
        draft: &Draft,
        accepted: &BTreeSet<String>,
        ontology: &Ontology,
    ) -> Made {
        let report = self.report_id(draft.tlp);
        let mut made =
            Made { report: report.as_str().to_owned(), objects: vec![], skipped: vec![] };
        let mut sentences: BTreeMap<&str, (Vec<String>, Vec<String>)> = BTreeMap::new();
        let mut refs: Vec<String> = Vec::new();
        for item in self.items.iter().filter(|item| accepted.contains(&item.key)) {
            let id = match &item.found {
                Found::Observable(value) => made.value(self, draft, item, value),
                Found::Knowledge { id, .. } => {
                    ontology.tables.get(id).map(|known| known.stix_id.clone())
                }
            };
            let Some(id) = id else {
                made.skipped.push(item.key.clone());
                continue;
            };
            let (values, known) = sentences.entry(&item.context).or_default();
            match item.found {
                Found::Observable(_) => values.push(id.clone()),
                Found::Knowledge { .. } => known.push(id.clone()),
            }
            if !refs.contains(&id) {
                refs.push(id);
            }
        }
        let pairs = sentences.values().flat_map(|(values, known)| {
            values.iter().flat_map(|from| known.iter().map(move |to| (from.as_str(), to.as_str())))
        });
        let mut pairs: Vec<(&str, &str)> =
            pairs.filter(|(from, _)| from.starts_with("indicator--")).take(MAX_RELATIONS).collect();
        pairs.sort_unstable();
        for (from, to) in pairs {
            let relation = draft.related(from, to);
            refs.push(relation.id_text().to_owned());
            made.objects.push(relation);
        }
        if !refs.is_empty() {
            made.objects.push(self.report(draft, &report, &refs));
        }
        made
    }

    fn report(&self, draft: &Draft, id: &StixId, refs: &[String]) -> Object {
        let more = json!({
            "name": draft.title,
            "description": self.description,
            "report_types": ["threat-report"],
            "published": draft.published,
            "object_refs": refs,
            "external_references": [{ "source_name": "sha-256", "external_id": self.sha256,
                "description": "SHA-256 of the text" }],
        });
        draft.object(id, more)
    }
}

impl Made {
    /// The object of an accepted value; its id.
    fn value(
        &mut self,
        of: &Reviewed,
        draft: &Draft,
        item: &Item,
        value: &Observable,
    ) -> Option<String> {
        let seed = format!("{} {} {}", of.sha256, draft.tlp.label(), item.key);
        let derived = |kind: &str| StixId::derived(kind, own::NAMESPACE, &seed);
        let object = match (&item.pattern, value.kind()) {
            (Some(pattern), _) => {
                let more = json!({ "name": item.value, "description": item.context, "pattern": pattern,
                    "pattern_type": "stix", "valid_from": draft.published,
                    "indicator_types": ["malicious-activity"] });
                draft.object(&derived("indicator"), more)
            }
            (None, Kind::Cve) => {
                let more = json!({ "name": item.value, "external_references":
                    [{ "source_name": "cve", "external_id": item.value }] });
                draft.object(&derived("vulnerability"), more)
            }
            (None, _) => value.sco()?,
        };
        let id = object.id_text().to_owned();
        self.objects.push(object);
        Some(id)
    }
}

impl Draft {
    fn object(&self, id: &StixId, mut more: Value) -> Object {
        if let Some(confidence) = self.confidence {
            more["confidence"] = confidence.into();
        }
        own::object(id, &self.node, &self.now, self.tlp, more)
    }

    fn related(&self, from: &str, to: &str) -> Object {
        let seed = format!("{from} related-to {to} {}", self.tlp.label());
        let id = StixId::derived("relationship", own::NAMESPACE, &seed);
        let more = json!({ "relationship_type": "related-to", "source_ref": from, "target_ref": to,
            "description": "named in one sentence of a report" });
        self.object(&id, more)
    }
}
