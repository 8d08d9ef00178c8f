//! An event as somebody of another organisation gets it: the event by its own label, each attribute and object by what it
//! becomes as STIX. A part goes only when all of that goes, and only in a form in which every rule that changes its STIX
//! objects has changed it too.

use std::collections::{BTreeSet, HashSet};

use intel::from_misp;
use ports::PortError;
use ports::disclosure::{Address, Candidate, Disclosure, Recipient, Said};
use serde_json::{Value, json};

use crate::fields::Fields;

/// Attributes and objects of an event at most: each is converted and judged by itself.
const MAX_PARTS: usize = 20_000;
/// Parts that are converted and judged in one go.
const AT_ONCE: usize = 200;
/// The lists of an event that hold its parts.
const LISTS: [&str; 2] = ["Attribute", "Object"];

/// What goes.
pub(crate) struct Seen {
    /// The event; `None` when it stays.
    pub(crate) event: Option<Value>,
    /// Why parts of it stay, or it as a whole; each reason once.
    pub(crate) reasons: Vec<String>,
    /// Parts that stay.
    pub(crate) stayed: usize,
}

/// Who gets it, and how it is addressed.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'j> {
    pub(crate) judge: &'j dyn Disclosure,
    pub(crate) to: Recipient,
    pub(crate) address: Address,
    /// Whose word the event is: this organisation's, or that of another whose events came over MISP.
    pub(crate) said: Said,
    /// What that organisation is called.
    pub(crate) source: &'j str,
}

/// A piece of an event with what it becomes as STIX: object and rank.
struct Piece {
    value: Value,
    stix: Result<Vec<(Value, i64)>, String>,
}

/// What became of a piece.
type Outcome = Result<Value, String>;

/// Judges an event (`{"Event": …}`) under its label's rank.
pub(crate) async fn event(
    reader: Reader<'_>,
    mut shown: Value,
    tlp: i64,
) -> Result<Seen, PortError> {
    let Some(Value::Object(mut frame)) = shown.get_mut("Event").map(Value::take) else {
        return Err(PortError::Invalid("the event is no object".into()));
    };
    let mut parts: Vec<(usize, Value)> = Vec::new();
    for (list, name) in LISTS.iter().enumerate() {
        if let Some(Value::Array(items)) = frame.insert((*name).to_owned(), json!([])) {
            parts.extend(items.into_iter().map(|item| (list, item)));
        }
    }
    if parts.len() > MAX_PARTS {
        let text = format!("an event of {} parts is not judged; {MAX_PARTS} may be", parts.len());
        return Err(PortError::Invalid(text));
    }
    let bare = frame.clone();
    let whole = tokio::task::spawn_blocking(move || whole(bare, tlp)).await.map_err(lost)?;
    let common: HashSet<String> = whole.stix.iter().flatten().filter_map(id_of).collect();
    let judged = pieces(reader, vec![whole]).await?.pop();
    let mut seen = Seen { event: None, reasons: vec![], stayed: 0 };
    let mut goes = match judged {
        Some(Ok(Value::Object(fields))) => fields,
        Some(Err(reason)) => {
            seen.reasons.push(reason);
            return Ok(seen);
        }
        _ => return Ok(seen),
    };
    let mut kept: [Vec<Value>; 2] = Default::default();
    while !parts.is_empty() {
        let rest = parts.split_off(parts.len().min(AT_ONCE));
        let chunk = std::mem::replace(&mut parts, rest);
        let lists: Vec<usize> = chunk.iter().map(|(list, _)| *list).collect();
        let (frame, common) = (frame.clone(), common.clone());
        let converted = tokio::task::spawn_blocking(move || {
            chunk.into_iter().map(|(list, part)| piece(&frame, &common, list, part, tlp)).collect()
        });
        let converted: Vec<Piece> = converted.await.map_err(lost)?;
        for (list, outcome) in lists.into_iter().zip(pieces(reader, converted).await?) {
            match outcome {
                Ok(part) => kept[list].push(part),
                Err(reason) => {
                    seen.stayed += 1;
                    if !seen.reasons.contains(&reason) {
                        seen.reasons.push(reason);
                    }
                }
            }
        }
    }
    for (name, items) in LISTS.into_iter().zip(kept) {
        goes.insert(name.to_owned(), Value::Array(items));
    }
    seen.event = Some(json!({ "Event": goes }));
    Ok(seen)
}

fn lost(_: tokio::task::JoinError) -> PortError {
    PortError::Internal("the event could not be converted".into())
}

fn id_of((object, _): &(Value, i64)) -> Option<String> {
    object.get("id").and_then(Value::as_str).map(str::to_owned)
}

fn converted(shown: Value, tlp: i64) -> Result<Vec<(Value, i64)>, String> {
    let objects = from_misp::prepared(shown, tlp)?.objects;
    let read = objects.into_iter().map(|object| {
        let rank = object.tlp.unwrap_or(tlp);
        serde_json::from_str(&object.body).map(|value| (value, rank)).map_err(|e| e.to_string())
    });
    read.collect()
}

/// The event without its parts. What it becomes as STIX depends on them, so that a report stands for it besides.
fn whole(frame: Fields, tlp: i64) -> Piece {
    let mut stix = converted(json!({ "Event": frame }), tlp);
    if let Ok(objects) = &mut stix {
        let uuid = frame.get("uuid").and_then(Value::as_str).unwrap_or_default();
        let info = frame.get("info").and_then(Value::as_str).unwrap_or_default();
        let at = "1970-01-01T00:00:00.000Z";
        let report = json!({ "type": "report", "spec_version": "2.1", "id": format!("report--{uuid}"),
            "created": at, "modified": at, "published": at, "name": info,
            "object_refs": [format!("report--{uuid}")] });
        objects.push((report, tlp));
    }
    Piece { value: Value::Object(frame), stix }
}

/// A part with what it alone becomes. What was deleted is judged as what it was: it still says its value.
fn piece(frame: &Fields, common: &HashSet<String>, list: usize, part: Value, tlp: i64) -> Piece {
    let mut as_it_was = part.clone();
    undeleted(&mut as_it_was);
    let mut event = frame.clone();
    event.insert(LISTS[list].to_owned(), json!([as_it_was]));
    let stix = converted(json!({ "Event": event }), tlp).and_then(|objects| {
        let own: Vec<(Value, i64)> = objects
            .into_iter()
            .filter(|object| id_of(object).is_none_or(|id| !common.contains(&id)))
            .collect();
        match own.is_empty() {
            true => Err("withheld: it becomes nothing as STIX that could be judged".to_owned()),
            false => Ok(own),
        }
    });
    Piece { value: part, stix }
}

fn undeleted(part: &mut Value) {
    let Value::Object(fields) = part else { return };
    fields.shift_remove("deleted");
    if let Some(Value::Array(attributes)) = fields.get_mut("Attribute") {
        attributes.iter_mut().for_each(undeleted);
    }
}

/// Judges pieces; one outcome each, in their order.
async fn pieces(reader: Reader<'_>, pieces: Vec<Piece>) -> Result<Vec<Outcome>, PortError> {
    let mut candidates = Vec::new();
    let mut counts = Vec::with_capacity(pieces.len());
    for piece in &pieces {
        let objects = piece.stix.as_deref().unwrap_or_default();
        counts.push(objects.len());
        candidates.extend(objects.iter().map(|(object, rank)| Candidate {
            object: object.clone(),
            tlp: label(*rank),
            from: None,
            through: None,
            said: reader.said,
            source: reader.source.to_owned(),
        }));
    }
    let answers = reader.judge.judge(reader.to, reader.address, &candidates).await?;
    let mut answers = answers.into_iter();
    let mut outcomes: Vec<Outcome> = Vec::with_capacity(pieces.len());
    let mut going: Vec<(usize, Value, BTreeSet<String>)> = Vec::new();
    for (at, (piece, count)) in pieces.into_iter().zip(counts).enumerate() {
        let own: Vec<_> = answers.by_ref().take(count).collect();
        let stays = own.iter().find(|one| !one.decision.allowed || one.object.is_none());
        let outcome = match (piece.stix, stays) {
            (Err(reason), _) => Err(reason),
            (Ok(_), Some(answer)) => Err(answer.decision.reason.clone()),
            (Ok(_), None) => {
                let changes = own.into_iter().flat_map(|answer| answer.redactions);
                going.push((at, piece.value, changes.map(|change| change.rule).collect()));
                Ok(Value::Null)
            }
        };
        outcomes.push(outcome);
    }
    let asked: Vec<(Value, BTreeSet<String>)> =
        going.iter().map(|(_, value, rules)| (value.clone(), rules.clone())).collect();
    let rewritten = reader.judge.rewrite(reader.to, &asked).await?;
    for ((at, _, rules), (value, used)) in going.into_iter().zip(rewritten) {
        outcomes[at] = match rules.iter().find(|rule| !used.contains(*rule)) {
            None if value.is_null() => Err("withheld: redaction would not come to an end".into()),
            None if used.is_empty() => Ok(value),
            None => sound(value),
            Some(rule) => Err(format!(
                "withheld: redaction rule '{rule}' changes what it becomes as STIX and has no place in MISP's form"
            )),
        };
    }
    Ok(outcomes)
}

/// A value that redaction made no value of its type any more does not go.
fn sound(part: Value) -> Outcome {
    let of = |one: &Value| {
        let (kind, value) = (one.get("type")?.as_str()?, one.get("value")?.as_str()?);
        misp::value::normalise(kind, value).err()
    };
    let inner = part.get("Attribute").and_then(Value::as_array).into_iter().flatten();
    match std::iter::once(&part).chain(inner).find_map(of) {
        None => Ok(part),
        Some(error) => {
            Err(format!("withheld: after redaction it is no value of its type: {error}"))
        }
    }
}

fn label(rank: i64) -> model::Tlp {
    match intel::label(rank) {
        stix::Tlp::Clear => model::Tlp::Clear,
        stix::Tlp::Green => model::Tlp::Green,
        stix::Tlp::Amber => model::Tlp::Amber,
        stix::Tlp::AmberStrict => model::Tlp::AmberStrict,
        stix::Tlp::Red => model::Tlp::Red,
    }
}
