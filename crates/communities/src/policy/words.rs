//! Policies in plain words, made from Cedar's JSON form: what the text says is what the program read.

use std::collections::HashMap;

use serde_json::Value;

use super::facts::OPEN;
use super::phrases::{
    About, NO_WORDS, Phrase, and, attribute, between, entity, mirrored, or, ranked, strings,
};

/// Conditions within conditions that are put into words.
const MAX_DEPTH: usize = 24;

/// Puts policies into words; names of communities and organisations by their ids.
pub(crate) struct Words<'n> {
    pub(crate) names: &'n HashMap<String, String>,
}

impl Words<'_> {
    /// A policy, in Cedar's JSON form, as one sentence.
    pub(crate) fn policy(&self, policy: &Value) -> String {
        let mut when = Vec::new();
        let mut unless = Vec::new();
        self.scope(&policy["principal"], &mut when);
        for condition in policy["conditions"].as_array().into_iter().flatten() {
            let body = &condition["body"];
            match condition["kind"].as_str() {
                Some("unless") => unless.push(self.expression(body, 0).sentence),
                _ => self.conjuncts(body, &mut when, 0),
            }
        }
        let nouns = |about: About| {
            when.iter().filter(|p| p.about == about).map(|p| p.noun.clone()).collect::<Vec<_>>()
        };
        let (objects, recipients) = (nouns(About::Object), nouns(About::Recipient));
        let may = if policy["effect"] == "forbid" { "may not go" } else { "may go" };
        let mut text = match objects.is_empty() {
            true => format!("All objects {may}"),
            false => format!("Objects {} {may}", and(&objects)),
        };
        text.push_str(&match recipients.is_empty() {
            true => " to any organisation".to_owned(),
            false => format!(" to organisations {}", and(&recipients)),
        });
        let general: Vec<String> =
            when.iter().filter(|p| p.about == About::Both).map(|p| p.sentence.clone()).collect();
        if !general.is_empty() {
            text.push_str(&format!(", when {}", and(&general)));
        }
        if !unless.is_empty() {
            text.push_str(&format!(", unless {}", unless.join(", or unless ")));
        }
        text.push('.');
        text
    }

    /// `principal == Organisation::"…"` in the head of a policy.
    fn scope(&self, scope: &Value, into: &mut Vec<Phrase>) {
        match scope["op"].as_str() {
            None | Some("All" | "is") => {}
            Some("==") => into.push(self.organisation(&scope["entity"])),
            Some(_) => into.push(Phrase::unknown()),
        }
    }

    fn organisation(&self, entity: &Value) -> Phrase {
        let id = entity["id"].as_str().unwrap_or_default();
        Phrase::recipient(format!("with the name {}", self.name(id)))
    }

    fn name(&self, id: &str) -> String {
        self.names.get(id).map_or_else(|| format!("'{id}'"), |name| format!("'{name}'"))
    }

    fn conjuncts(&self, expression: &Value, into: &mut Vec<Phrase>, depth: usize) {
        match expression.get("&&") {
            Some(both) if depth < MAX_DEPTH => {
                self.conjuncts(&both["left"], into, depth + 1);
                self.conjuncts(&both["right"], into, depth + 1);
            }
            _ => into.push(self.expression(expression, depth)),
        }
    }

    fn expression(&self, expression: &Value, depth: usize) -> Phrase {
        let Some((operator, body)) = expression.as_object().and_then(|map| map.iter().next())
        else {
            return Phrase::unknown();
        };
        if depth >= MAX_DEPTH {
            return Phrase::unknown();
        }
        let (left, right) = (&body["left"], &body["right"]);
        match operator.as_str() {
            "&&" | "||" => self.joined(operator, left, right, depth),
            "!" => negated(&self.expression(&body["arg"], depth + 1), &body["arg"]),
            "isEmpty" if attribute(&body["arg"]) == Some(("principal", "communities")) => {
                Phrase::recipient("without a community in common")
            }
            "." => self.flag(expression),
            "contains" => self.contains(left, right),
            "containsAny" | "containsAll" => match (attribute(left), strings(right)) {
                (Some(("resource", "labels")), Some(all)) => {
                    let join = if operator == "containsAny" { or(&all) } else { and(&all) };
                    Phrase::object(format!("labelled {join}"))
                }
                _ => Phrase::unknown(),
            },
            "==" | "!=" | "<" | "<=" | ">" | ">=" => self.compared(operator, left, right),
            "Value" if body == &Value::Bool(true) => Phrase::said(About::Both, "", "in every case"),
            "Value" if body == &Value::Bool(false) => Phrase::said(About::Both, "", "in no case"),
            _ => Phrase::unknown(),
        }
    }

    fn joined(&self, operator: &str, left: &Value, right: &Value, depth: usize) -> Phrase {
        let (a, b) = (self.expression(left, depth + 1), self.expression(right, depth + 1));
        let word = if operator == "&&" { "and" } else { "or" };
        // "a and b or c" would not say what belongs together.
        let mixed = |part: &Value| {
            part.as_object().is_some_and(|map| {
                ["&&", "||"].iter().any(|other| *other != operator && map.contains_key(*other))
            })
        };
        let part = |text: &str, of: &Value| {
            if mixed(of) { format!("({text})") } else { text.to_owned() }
        };
        let sentence = format!("{} {word} {}", part(&a.sentence, left), part(&b.sentence, right));
        if a.about == b.about && a.about != About::Both {
            let noun = format!("{} {word} {}", part(&a.noun, left), part(&b.noun, right));
            return Phrase { about: a.about, noun: format!("({noun})"), sentence };
        }
        Phrase { about: About::Both, noun: String::new(), sentence }
    }

    fn flag(&self, expression: &Value) -> Phrase {
        match attribute(expression) {
            Some(("resource", "received")) => Phrase::said(
                About::Object,
                "that others said first",
                "others said the object first",
            ),
            Some(("resource", "onward")) => Phrase::said(
                About::Object,
                "whose community lets them go elsewhere",
                "the community it came through lets it go elsewhere",
            ),
            _ => Phrase::unknown(),
        }
    }

    fn contains(&self, left: &Value, right: &Value) -> Phrase {
        if let (Some(all), Some((whose, name))) = (strings(left), attribute(right)) {
            return self.one_of(whose, name, &all);
        }
        match (attribute(left), attribute(right), right["Value"].as_str()) {
            (Some(("resource", "labels")), _, Some(label)) => {
                Phrase::object(format!("labelled '{label}'"))
            }
            (Some(("principal", "communities")), _, Some(id)) => {
                Phrase::recipient(format!("in community {}", self.name(id)))
            }
            (Some(("principal", "communities")), Some(("resource", "to_community")), _) => {
                Phrase::recipient("in the community it is shared with")
            }
            (Some(("principal", "communities")), Some(("resource", "through")), _) => {
                Phrase::recipient("in the community it came through")
            }
            _ => Phrase::unknown(),
        }
    }

    fn one_of(&self, whose: &str, name: &str, all: &[String]) -> Phrase {
        match (whose, name) {
            ("resource", "type") => Phrase::object(format!("of type {}", or(all))),
            ("resource", "tlp" | "pap") => Phrase::object(format!("marked {}", or(all))),
            ("resource", "origin") => {
                let all: Vec<String> = all.iter().map(|word| by(word)).collect();
                let noun = format!("first said by {}", or(&all));
                let sentence = format!("the object was first said by {}", or(&all));
                Phrase::said(About::Object, &noun, &sentence)
            }
            ("resource", "source") => {
                let noun = format!("first said by the source {}", or(all));
                let sentence = format!("the source {} said the object first", or(all));
                Phrase::said(About::Object, &noun, &sentence)
            }
            ("principal", "kind") => Phrase::recipient(format!("of kind {}", or(all))),
            ("principal", "country") => Phrase::recipient(format!("in country {}", or(all))),
            ("principal", "sector") => Phrase::recipient(format!("of sector {}", or(all))),
            ("principal", "name") => Phrase::recipient(format!("with the name {}", or(all))),
            _ => Phrase::unknown(),
        }
    }

    fn compared(&self, operator: &str, left: &Value, right: &Value) -> Phrase {
        if let (Some(a), Some(b)) = (attribute(left), attribute(right)) {
            return between(operator, a.1, b.1);
        }
        // `"cert" == principal.kind` says the same as the other way round.
        let Some((whose, name)) = attribute(left) else {
            return match (attribute(right), left["Var"].as_str(), operator) {
                (Some(_), _, _) => self.compared(mirrored(operator), right, left),
                (None, Some("principal"), "==") => self.organisation(&entity(right)),
                (None, Some("principal"), "!=") => {
                    let noun = self.organisation(&entity(right)).noun;
                    Phrase::recipient(format!("not {noun}"))
                }
                _ => Phrase::unknown(),
            };
        };
        if let Some(number) = right["Value"].as_i64() {
            return ranked(operator, name, number);
        }
        let Some(text) = right["Value"].as_str() else { return Phrase::unknown() };
        let same = match (whose, name, text) {
            ("resource", "through", "") => Phrase::said(
                About::Object,
                "that came through no community",
                "the object came through no community",
            ),
            ("resource", "to_community", "") => Phrase::said(
                About::Object,
                "shared by naming the recipient",
                "the sharing names the recipient",
            ),
            ("resource", "to_community", OPEN) => Phrase::said(
                About::Object,
                "open to whoever may read them",
                "the object is open to whoever may read it",
            ),
            ("resource", "through", id) => {
                let noun = format!("that came through community {}", self.name(id));
                let sentence = format!("the object came through community {}", self.name(id));
                Phrase::said(About::Object, &noun, &sentence)
            }
            ("resource", "to_community", id) => {
                Phrase::object(format!("shared with community {}", self.name(id)))
            }
            ("resource", "tlp" | "pap", "") => Phrase::object("unmarked"),
            ("principal", "country" | "sector" | "name", "") => {
                Phrase::recipient(format!("without a known {name}"))
            }
            _ => self.one_of(whose, name, &[text.to_owned()]),
        };
        match operator {
            "==" => same,
            "!=" => negated(&same, &Value::Null),
            _ => Phrase::unknown(),
        }
    }
}

/// Who said something first, by the word of its origin.
fn by(origin: &str) -> String {
    match origin {
        "own" => "this organisation".into(),
        "feed" => "a feed".into(),
        "import" => "an imported file".into(),
        "peer" => "another node".into(),
        "misp" => "a MISP server".into(),
        "taxii" => "a TAXII server or client".into(),
        other => format!("'{other}'"),
    }
}

/// "Not": without turning a sentence upside down.
fn negated(phrase: &Phrase, of: &Value) -> Phrase {
    match (attribute(of), of.get("isEmpty")) {
        (Some(("resource", "received")), _) => {
            return Phrase::said(
                About::Object,
                "first said here",
                "the object was first said here",
            );
        }
        (Some(("resource", "onward")), _) => {
            return Phrase::said(
                About::Object,
                "whose community does not let them go elsewhere",
                "the community it came through does not let it go elsewhere",
            );
        }
        (_, Some(empty)) if attribute(&empty["arg"]) == Some(("principal", "communities")) => {
            return Phrase::recipient("with a community in common");
        }
        _ => {}
    }
    if phrase.sentence == NO_WORDS {
        return Phrase::unknown();
    }
    let (about, noun) = (phrase.about, format!("not {}", phrase.noun));
    match about {
        About::Object if phrase.sentence == format!("the object is {}", phrase.noun) => {
            Phrase::object(noun)
        }
        About::Recipient if phrase.sentence == format!("the recipient is {}", phrase.noun) => {
            Phrase::recipient(noun)
        }
        _ => Phrase { about, noun, sentence: format!("it is not so that {}", phrase.sentence) },
    }
}

#[cfg(test)]
#[path = "words_tests.rs"]
mod tests;
