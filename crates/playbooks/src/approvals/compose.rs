//! The words of a mail. Of TLP:RED it says that something waits, and nothing else, and has no link.

use super::question::Question;
use crate::store::delegations::Delegation;
use crate::store::letters::Letter;

/// Longest part of a text of others in a mail, in characters.
const MAX_PART_CHARS: usize = 2_000;

/// A mail to be sent.
pub(crate) struct Text {
    pub(crate) subject: String,
    pub(crate) body: String,
}

/// A question with the link that answers it.
pub(crate) fn question(node: &str, url: &str, letter: &Letter, it: &Question, link: &str) -> Text {
    let name = &letter.name;
    let until = it.expires_at;
    if it.red() {
        let body = format!(
            "{name},\n\nsomething that is TLP:RED waits for an answer on {node}, until {until}. A mail may \
             not say more. Sign in to see it:\n\n{url}{}\n",
            it.place
        );
        return Text { subject: format!("[{node}] An answer is needed until {until}"), body };
    }
    let mut lines = vec![format!("{name},"), String::new()];
    if !letter.passed_by.is_empty() {
        lines.push(format!("{} asks you to answer this instead.", letter.passed_by));
    }
    if letter.round == super::asking::AGAIN {
        lines.push("Nobody has answered this yet.".into());
    }
    lines.push(format!("{node} asks: {}", it.title));
    lines.push(String::new());
    lines.extend(it.why.iter().map(|why| cut(why)));
    if let Some(report) = &it.report {
        let incident = &report.incident;
        lines.push(format!("Incident ({}): {}", incident.severity.word(), cut(&incident.title)));
        lines.push(format!("{url}/incidents/{}", incident.id));
    }
    if it.persons > 1 {
        let said: Vec<String> = it.voices.iter().map(|voice| voice.words()).collect();
        let said = if said.is_empty() { "nobody".into() } else { said.join(", ") };
        lines.push(format!("{} persons have to say yes; so far: {said}.", it.persons));
    }
    lines.push(format!("It waits until {until}."));
    if !letter.giver_name.is_empty() {
        lines.push(format!("You answer in place of {}.", letter.giver_name));
    }
    lines.push(String::new());
    lines.push("Look and answer here; opening the page changes nothing:".into());
    lines.push(link.to_owned());
    lines.push(String::new());
    lines.push(
        "This link is yours alone, answers once, and ends with the question. Do not pass it on: whoever has it \
         can answer in your name."
            .into(),
    );
    let waits = if letter.round == super::asking::AGAIN { "Still waiting: " } else { "" };
    Text { subject: format!("[{node}] {waits}{}", it.title), body: lines.join("\n") + "\n" }
}

/// A voice given or taken back.
pub(crate) fn delegation(node: &str, letter: &Letter, it: &Delegation) -> Text {
    let (giver, taker) = (&it.giver_name, &it.taker_name);
    let (subject, what) = if letter.version == "revoked" {
        let by = it.revoked_by.as_deref().unwrap_or("somebody");
        (
            format!("[{node}] {giver}'s delegation to {taker} has ended"),
            format!("{by} has ended it; {taker} does not answer for {giver} any more."),
        )
    } else {
        (
            format!("[{node}] {taker} may answer for {giver}"),
            format!("{taker} may answer in place of {giver}: {}.", super::delegations::words(it)),
        )
    };
    let comment = if it.comment.is_empty() {
        String::new()
    } else {
        format!("\nWhat was said about it: {}\n", cut(&it.comment))
    };
    let body = format!("{},\n\n{what}\n{comment}\nMade by {}.\n", letter.name, it.made_by);
    Text { subject, body }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_PART_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
