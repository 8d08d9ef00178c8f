//! The last look before objects go: what the sharing policies say for the organisation that the push goes to.

use intel::outgoing::Outgoing;
use ports::PortError;
use ports::disclosure::{Address, Known, Recipient};
use serde_json::Value;

use super::refusal;
use crate::error::FeedError;
use crate::net::Fault;
use crate::room::Feedhub;
use crate::store::pushes::{Push, Unsent};

/// Said with every reason while a push names nobody.
const UNNAMED: &str =
    "; the push names no organisation (`--for`), so that it counts as one of kind other";

/// How a push is addressed: to the organisation that it names, else to nobody.
pub(super) fn address(push: &Push) -> Address {
    match push.new.recipient {
        Recipient::Unnamed => Address::Open,
        _ => Address::Named,
    }
}

/// Why it stays, in words for people of this node.
pub(super) fn reason(push: &Push, reason: &str) -> String {
    let hint = if push.new.recipient == Recipient::Unnamed { UNNAMED } else { "" };
    format!("{reason}{hint}")
}

/// A judgement that could not be had holds the push up: nothing is passed over because of it.
pub(super) fn fault(error: PortError) -> Fault {
    match error {
        PortError::NotFound(_) => Fault::new(
            "the organisation that the push goes to is no longer known here; name another one with `sereno feed push for`",
        ),
        other => Fault::new(other.to_string()),
    }
}

/// Objects in the form in which they go, and those that stay, with their places.
pub(super) async fn judged(
    room: &Feedhub,
    push: &Push,
    objects: Vec<Outgoing>,
) -> Result<(Vec<Outgoing>, Vec<(i64, Unsent)>), Fault> {
    let known: Vec<Known> = objects.iter().map(known).collect();
    let judge = room.judge().map_err(|error: FeedError| Fault::from(error))?;
    let answers = judge.judge_known(push.new.recipient, address(push), &known).await;
    let (mut goes, mut stays) = (Vec::new(), Vec::new());
    for ((mut one, known), answer) in objects.into_iter().zip(&known).zip(answers.map_err(fault)?) {
        match answer.object.filter(|_| answer.decision.allowed) {
            Some(object) => {
                if object != known.object {
                    one.body = object.to_string();
                    if let Some(id) = object.get("id").and_then(Value::as_str) {
                        one.id = id.to_owned();
                    }
                }
                goes.push(one);
            }
            None => {
                let reason = reason(push, &answer.decision.reason);
                stays.push((one.place, refusal(&one, "withheld", &reason)));
            }
        }
    }
    Ok((goes, stays))
}

fn known(one: &Outgoing) -> Known {
    let tlp = match intel::label(one.tlp) {
        stix::Tlp::Clear => model::Tlp::Clear,
        stix::Tlp::Green => model::Tlp::Green,
        stix::Tlp::Amber => model::Tlp::Amber,
        stix::Tlp::AmberStrict => model::Tlp::AmberStrict,
        stix::Tlp::Red => model::Tlp::Red,
    };
    Known {
        object: serde_json::from_str(&one.body).unwrap_or(Value::Null),
        tlp,
        source: one.source,
    }
}
