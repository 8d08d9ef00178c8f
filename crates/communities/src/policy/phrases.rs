//! The parts that sentences about policies are made of, and what Cedar's JSON form says.

use serde_json::Value;

use super::facts::{Pap, tlp};

/// What is put where a condition has a form that these words do not know.
pub(super) const NO_WORDS: &str = "a condition holds that only the text of the policy can say";

/// A condition in two forms: after a noun ("objects *of type indicator*"), and as a sentence of its own.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Phrase {
    pub(super) about: About,
    pub(super) noun: String,
    pub(super) sentence: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    Object,
    Recipient,
    Both,
}

impl Phrase {
    pub(super) fn object(noun: impl Into<String>) -> Self {
        let noun = noun.into();
        Self { about: About::Object, sentence: format!("the object is {noun}"), noun }
    }
    pub(super) fn recipient(noun: impl Into<String>) -> Self {
        let noun = noun.into();
        Self { about: About::Recipient, sentence: format!("the recipient is {noun}"), noun }
    }
    pub(super) fn said(about: About, noun: &str, sentence: &str) -> Self {
        Self { about, noun: noun.into(), sentence: sentence.into() }
    }
    pub(super) fn unknown() -> Self {
        Self::said(About::Both, "", NO_WORDS)
    }
}

/// Two attributes compared with each other.
pub(super) fn between(operator: &str, a: &str, b: &str) -> Phrase {
    match (operator, a, b) {
        ("==", "through", "to_community") | ("==", "to_community", "through") => {
            Phrase::object("shared with the community that it came through")
        }
        ("!=", "through", "to_community") | ("!=", "to_community", "through") => {
            Phrase::object("not shared with the community that it came through")
        }
        (">", "tlp_rank", "ceiling") | ("<", "ceiling", "tlp_rank") => {
            Phrase::object("marked above the highest TLP of the community")
        }
        _ => Phrase::unknown(),
    }
}

/// Ranks and confidence compared with a number.
pub(super) fn ranked(operator: &str, name: &str, number: i64) -> Phrase {
    if name == "confidence" {
        let noun = match operator {
            "==" => format!("of confidence {number}"),
            "!=" => format!("of another confidence than {number}"),
            ">=" => format!("of confidence {number} or more"),
            ">" => format!("of confidence above {number}"),
            "<=" => format!("of confidence {number} or less, or unknown"),
            "<" => format!("of confidence below {number}, or unknown"),
            _ => return Phrase::unknown(),
        };
        return Phrase::object(noun);
    }
    let label = |rank: i64| match name {
        "tlp_rank" if (0..=4).contains(&rank) => Some(tlp(rank).label()),
        "ceiling" if (0..=4).contains(&rank) => Some(tlp(rank).label()),
        "pap_rank" => [Pap::Clear, Pap::Green, Pap::Amber, Pap::Red]
            .into_iter()
            .find(|pap| *pap as i64 == rank)
            .map(Pap::label),
        _ => None,
    };
    let (number, form) = match operator {
        "==" => (number, ""),
        "<=" => (number, " or freer"),
        "<" => (number - 1, " or freer"),
        ">=" => (number, " or stricter"),
        ">" => (number + 1, " or stricter"),
        "!=" => (number, "!"),
        _ => return Phrase::unknown(),
    };
    let Some(label) = label(number) else { return Phrase::unknown() };
    match (name, form) {
        ("ceiling", "!") => Phrase::unknown(),
        ("ceiling", form) => Phrase::object(format!("shared with a community up to {label}{form}")),
        // No PAP at all has the lowest rank.
        ("pap_rank", " or freer") => {
            Phrase::object(format!("marked {label}{form}, or without PAP"))
        }
        (_, "!") => Phrase::object(format!("not marked {label}")),
        // The ends of the scale need no "or".
        ("tlp_rank", " or freer") if number == 0 => Phrase::object(format!("marked {label}")),
        ("tlp_rank", " or stricter") if number == 4 => Phrase::object(format!("marked {label}")),
        ("pap_rank", " or stricter") if number == 3 => Phrase::object(format!("marked {label}")),
        (_, form) => Phrase::object(format!("marked {label}{form}")),
    }
}

pub(super) fn mirrored(operator: &str) -> &str {
    match operator {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        same => same,
    }
}

/// `resource.type` as ("resource", "type").
pub(super) fn attribute(expression: &Value) -> Option<(&str, &str)> {
    let access = expression.get(".")?;
    Some((access["left"]["Var"].as_str()?, access["attr"].as_str()?))
}

/// An entity as an expression or in a scope.
pub(super) fn entity(expression: &Value) -> Value {
    expression["Value"]["__entity"].clone()
}

/// A set of texts.
pub(super) fn strings(expression: &Value) -> Option<Vec<String>> {
    if let Some(items) = expression.get("Set").and_then(Value::as_array) {
        return items.iter().map(|item| item["Value"].as_str().map(str::to_owned)).collect();
    }
    let items = expression.get("Value").and_then(Value::as_array)?;
    items.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

pub(super) fn and(parts: &[String]) -> String {
    listed(parts, "and")
}

pub(super) fn or(parts: &[String]) -> String {
    listed(parts, "or")
}

fn listed(parts: &[String], word: &str) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} {word} {last}", most.join(", ")),
    }
}
