//! A playbook in plain words.

use std::collections::HashMap;
use std::fmt::Write;

use crate::variables::{Values, fill, references, to_text};
use crate::{ACTUATOR, Command, Playbook, Step};

/// The playbook as numbered sentences.
pub fn explain(playbook: &Playbook) -> String {
    let order = playbook.reading_order();
    let numbers: HashMap<&str, usize> =
        order.iter().enumerate().map(|(index, id)| (*id, index + 1)).collect();
    let mut text = format!("{}\n", playbook.name);
    if let Some(description) = &playbook.description {
        let _ = writeln!(text, "{description}");
    }
    for id in order {
        let Some(step) = playbook.workflow.get(id) else { continue };
        let number = numbers.get(id).copied().unwrap_or_default();
        let _ = writeln!(text, "{number:>3}. {}", sentence(playbook, step, &numbers));
    }
    text
}

fn sentence(playbook: &Playbook, step: &Step, numbers: &HashMap<&str, usize>) -> String {
    let to = |id: &Option<String>| {
        id.as_deref().and_then(|id| numbers.get(id)).map(|number| format!("step {number}"))
    };
    let mut text = match step.kind.as_str() {
        "start" => "Start.".to_owned(),
        "end" => "End.".to_owned(),
        "if-condition" => format!(
            "{}: if {} go to {}, otherwise to {}.",
            step.title(),
            plain(step.condition.as_deref().unwrap_or("?")),
            to(&step.on_true).unwrap_or_else(|| "the end".into()),
            to(&step.on_false)
                .or_else(|| to(&step.on_completion))
                .unwrap_or_else(|| "the end".into()),
        ),
        "action" => {
            let done: Vec<String> =
                step.commands.iter().map(|command| words(playbook, step, command)).collect();
            format!("{}: {}.", step.title(), done.join("; then "))
        }
        other => format!("{} ({other}).", step.title()),
    };
    let after =
        if step.kind == "if-condition" { "When that branch ends, go to" } else { "Then go to" };
    for (property, when) in [
        (&step.on_completion, after),
        (&step.on_success, "When it worked, go to"),
        (&step.on_failure, "When it failed, go to"),
    ] {
        if let Some(next) = to(property) {
            let _ = write!(text, " {when} {next}.");
        }
    }
    text
}

fn words(playbook: &Playbook, step: &Step, command: &Command) -> String {
    let what = command.command.as_deref().unwrap_or("(encoded)");
    let agent = step.agent.as_ref().and_then(|agent| playbook.agent_definitions.get(agent));
    let agent = agent.map_or("nobody", |agent| agent.name.as_str());
    let what = &plain(what);
    match command.kind.as_str() {
        ACTUATOR => {
            let arguments: Vec<String> = command
                .arguments
                .iter()
                .map(|(name, value)| format!("{name}: {}", plain(&to_text(value))))
                .collect();
            format!("ask {agent} to {what} ({})", arguments.join(", "))
        }
        "manual" => format!("ask a person: {what}"),
        "http-api" => format!("call {what}"),
        other => format!("{other} command: {what}"),
    }
}

/// `__device_name__:value` reads as ‹device name›.
fn plain(text: &str) -> String {
    let names: Values = references(text)
        .into_iter()
        .map(|name| (name.to_owned(), format!("‹{}›", name.trim_matches('_').replace('_', " "))))
        .collect();
    fill(text, &names).unwrap_or_else(|_| text.to_owned())
}
