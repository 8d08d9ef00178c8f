//! What a TAXII 2.1 server offers, from any address of it: discovery, an API root, a collection (§4.1, §4.2, §5.1, §5.2).

use reqwest::Url;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::fetch::shown;
use crate::net::{Answer, Fault, Line};

/// What requests say they take.
pub(crate) const MEDIA: &str = "application/taxii+json;version=2.1";
/// Bytes of a description of a server, root or collection.
const MAX_BYTES: usize = 4 << 20;
/// API roots looked at.
const MAX_ROOTS: usize = 50;
/// Collections of a server.
const MAX_COLLECTIONS: usize = 1_000;
/// Characters kept of titles and descriptions.
const MAX_CHARS: usize = 500;

/// A collection of a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = FeedDiscovered)]
pub struct Found {
    /// Title of its API root.
    pub root: String,
    /// UUID.
    pub id: String,
    /// A name that may stand for the id.
    pub alias: Option<String>,
    /// Title.
    pub title: String,
    /// What it holds.
    pub description: String,
    /// Whether these credentials may read it.
    pub can_read: bool,
    /// Whether these credentials may write to it.
    pub can_write: bool,
    /// Its address, which a feed may name.
    pub url: String,
}

/// What a server offers, and what of it could not be read.
#[derive(Debug, Default)]
pub(crate) struct Offer {
    pub(crate) collections: Vec<Found>,
    pub(crate) problems: Vec<Problem>,
}

/// A part of an offer that could not be read.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) text: String,
    /// Whether it may well be there the next time: collections that are known are missing now.
    pub(crate) passing: bool,
}

impl Offer {
    fn odd(&mut self, text: String) {
        self.problems.push(Problem { text, passing: false });
    }
}

/// What an address turned out to be.
enum Kind {
    Discovery(Vec<String>),
    Root(String),
    Collections(Vec<Value>),
    Collection(Box<Value>),
}

/// The media type of an answer must be that of TAXII, or at least JSON.
pub(crate) fn check_media(url: &Url, answer: &Answer) -> Result<(), Fault> {
    let media = answer.header("content-type").unwrap_or_default().to_ascii_lowercase();
    let kind = media.split(';').next().unwrap_or_default().trim();
    let fits =
        ["application/taxii+json", "application/json", "application/stix+json"].contains(&kind);
    if fits || kind.is_empty() {
        return Ok(());
    }
    let kind: String = kind.chars().take(80).collect();
    let text = match kind.starts_with("application/vnd.oasis") {
        true => "speaks TAXII 2.0, which is not read".to_owned(),
        false => format!("answers with '{kind}', which is not TAXII 2.1"),
    };
    Err(Fault::new(format!("{} {text}", shown(url))))
}

/// An answer of TAXII as JSON.
pub(crate) async fn ask(line: &Line, url: &Url) -> Result<Value, Fault> {
    let answer = line.get(url, MEDIA, MAX_BYTES).await?;
    check_media(url, &answer)?;
    stix::json::read(&answer.body, stix::json::DEFAULT_LIMITS)
        .map_err(|error| Fault::new(format!("{}: {error}", shown(url))))
}

fn text(value: &Value, name: &str) -> String {
    let said = value.get(name).and_then(Value::as_str).unwrap_or_default();
    said.chars().filter(|c| !c.is_control()).take(MAX_CHARS).collect()
}

fn kind(value: Value) -> Option<Kind> {
    let Value::Object(mut map) = value else { return None };
    if let Some(Value::Array(list)) = map.shift_remove("collections") {
        return Some(Kind::Collections(list));
    }
    if map.contains_key("can_read") && map.contains_key("id") {
        return Some(Kind::Collection(Box::new(Value::Object(map))));
    }
    if map.contains_key("versions") {
        return Some(Kind::Root(text(&Value::Object(map), "title")));
    }
    let default = map.get("default").cloned();
    match map.shift_remove("api_roots") {
        Some(Value::Array(list)) => {
            let named = default.into_iter().chain(list);
            let mut roots: Vec<String> =
                named.filter_map(|root| root.as_str().map(str::to_owned)).collect();
            let mut seen = std::collections::HashSet::new();
            roots.retain(|root| seen.insert(root.trim_end_matches('/').to_owned()));
            Some(Kind::Discovery(roots))
        }
        _ if map.contains_key("title") => {
            let default = default.as_ref().and_then(Value::as_str).map(str::to_owned);
            Some(Kind::Discovery(default.into_iter().collect()))
        }
        _ => None,
    }
}

/// An address below another one, which ends with a slash.
pub(crate) fn below(base: &Url, path: &str) -> Result<Url, Fault> {
    let mut base = base.clone();
    base.set_query(None);
    base.set_fragment(None);
    if !base.path().ends_with('/') {
        let path = format!("{}/", base.path());
        base.set_path(&path);
    }
    base.join(path).map_err(|_| Fault::new(format!("{path} is no address")))
}

/// A collection as it is described, if its id is one.
fn collection(value: &Value, root: &str, list: &Url) -> Option<Found> {
    let id = uuid::Uuid::parse_str(value.get("id")?.as_str()?).ok()?.to_string();
    let right = |name: &str| value.get(name).and_then(Value::as_bool).unwrap_or(false);
    let alias = Some(text(value, "alias")).filter(|alias| !alias.is_empty());
    Some(Found {
        root: root.to_owned(),
        alias,
        title: text(value, "title"),
        description: text(value, "description"),
        can_read: right("can_read"),
        can_write: right("can_write"),
        url: below(list, &format!("{id}/")).ok()?.to_string(),
        id,
    })
}

/// All collections of a server, of a root, or the one collection at an address.
pub(crate) async fn offer(line: &Line, url: &Url) -> Result<Offer, Fault> {
    let start = below(url, "")?;
    let value = match ask(line, &start).await {
        // People write down the host alone.
        Err(fault) if start.path() == "/" && fault.status.is_none_or(|s| s.is_client_error()) => {
            let usual = below(&start, "taxii2/")?;
            return from_answer(line, &usual, ask(line, &usual).await.map_err(|_| fault)?).await;
        }
        other => other?,
    };
    from_answer(line, &start, value).await
}

async fn from_answer(line: &Line, at: &Url, value: Value) -> Result<Offer, Fault> {
    let mut offer = Offer::default();
    match kind(value) {
        None => {
            let text =
                format!("{} is neither discovery, API root nor collection of TAXII 2.1", shown(at));
            return Err(Fault::new(text));
        }
        Some(Kind::Collection(value)) => {
            let list = at.join("../").map_err(|_| Fault::new("the address has no folder"))?;
            match collection(&value, "", &list) {
                Some(found) => offer.collections.push(Found { url: at.to_string(), ..found }),
                None => return Err(Fault::new(format!("{}: the id is no UUID", shown(at)))),
            }
        }
        Some(Kind::Collections(list)) => take(&mut offer, &list, "", at),
        Some(Kind::Root(title)) => collections_of(line, &mut offer, at, &title).await?,
        Some(Kind::Discovery(roots)) => {
            for root in roots.iter().take(MAX_ROOTS) {
                if let Err(fault) = one_root(line, &mut offer, at, root).await {
                    let closed = fault.status.is_some_and(|status| status.is_client_error());
                    let passing = fault.status.is_some() && !closed || fault.again_s.is_some();
                    offer.problems.push(Problem { text: fault.text, passing });
                }
            }
            if roots.len() > MAX_ROOTS {
                offer.odd(format!("{} API roots, {MAX_ROOTS} are looked at", roots.len()));
            }
        }
    }
    Ok(offer)
}

async fn one_root(line: &Line, offer: &mut Offer, at: &Url, root: &str) -> Result<(), Fault> {
    let url = at.join(root).map_err(|_| Fault::new("an API root is no address"))?;
    let url = below(&url, "")?;
    if !line.is_home(&url) {
        let text = "is another server; the credentials are not for it: make it a feed of its own";
        return Err(Fault::new(format!("{} {text}", shown(&url))));
    }
    let told = ask(line, &url).await?;
    collections_of(line, offer, &url, &text(&told, "title")).await
}

async fn collections_of(
    line: &Line,
    offer: &mut Offer,
    root: &Url,
    title: &str,
) -> Result<(), Fault> {
    let url = below(root, "collections/")?;
    let told = ask(line, &url).await?;
    // A server without any may leave the list out (§5.1).
    let list = told.get("collections").and_then(Value::as_array).cloned().unwrap_or_default();
    take(offer, &list, title, &url);
    Ok(())
}

fn take(offer: &mut Offer, list: &[Value], root: &str, at: &Url) {
    for value in list {
        if offer.collections.len() >= MAX_COLLECTIONS {
            offer.odd(format!("more than {MAX_COLLECTIONS} collections; the rest is left out"));
            return;
        }
        match collection(value, root, at) {
            Some(found) => offer.collections.push(found),
            None => offer.odd(format!("{}: a collection without UUID", shown(at))),
        }
    }
}
