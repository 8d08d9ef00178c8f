//! A playbook in plain words.

use std::collections::HashMap;
use std::fmt::Write;

use stix::pattern::{Comparison, Constant, Op, Test};

use crate::condition::{self, Condition};
use crate::variables::{Values, fill, references, to_text};
use crate::{ACTUATOR, AgentTarget, Command, Playbook, Step};

/// Longest text of a command that is shown, in characters.
const MAX_SHOWN: usize = 500;

/// The playbook as numbered sentences.
pub fn explain(playbook: &Playbook) -> String {
    let order = playbook.reading_order();
    let numbers: HashMap<&str, usize> =
        order.iter().enumerate().map(|(index, id)| (*id, index + 1)).collect();
    let mut text = format!("{}\n", playbook.name);
    if let Some(description) = &playbook.description {
        let _ = writeln!(text, "{description}");
    }
    for line in head(playbook) {
        let _ = writeln!(text, "{line}");
    }
    let teller = Teller { playbook, numbers };
    for (number, id) in (1..).zip(&order) {
        let Some(step) = playbook.workflow.get(*id) else { continue };
        let _ = writeln!(text, "{number:>3}. {}", teller.sentence(step));
    }
    if let Some(exception) = playbook.workflow_exception.as_ref().and_then(|id| teller.place(id)) {
        let _ = writeln!(text, "A failure that no step takes care of goes to {exception}.");
    }
    text
}

/// What is to be known before it starts.
fn head(playbook: &Playbook) -> Vec<String> {
    let mut lines = Vec::new();
    if playbook.revoked {
        lines.push("Withdrawn by its creator: it must not be used any more.".into());
    }
    match (&playbook.valid_from, &playbook.valid_until) {
        (Some(from), Some(until)) => lines.push(format!("Valid from {from} until {until}.")),
        (Some(from), None) => lines.push(format!("Valid from {from}.")),
        (None, Some(until)) => lines.push(format!("Valid until {until}.")),
        (None, None) => {}
    }
    let given: Vec<String> = playbook
        .playbook_variables
        .iter()
        .filter(|(_, variable)| variable.external)
        .map(|(name, _)| shown_name(name))
        .collect();
    if !given.is_empty() {
        lines.push(format!("It is told: {}.", given.join(", ")));
    }
    lines
}

struct Teller<'p> {
    playbook: &'p Playbook,
    numbers: HashMap<&'p str, usize>,
}

impl Teller<'_> {
    fn place(&self, id: &str) -> Option<String> {
        self.numbers.get(id).map(|number| format!("step {number}"))
    }

    fn to(&self, id: Option<&str>) -> Option<String> {
        id.and_then(|id| self.place(id))
    }

    fn sentence(&self, step: &Step) -> String {
        let mut text = match step.kind.as_str() {
            "start" => "Start.".to_owned(),
            "end" => "End.".to_owned(),
            "action" => {
                let done: Vec<String> =
                    step.commands.iter().map(|command| self.command(step, command)).collect();
                format!("{}: {}{}.", step.title(), done.join("; then "), self.targets(step))
            }
            _ => self.branches(step),
        };
        if let Some(delay) = step.delay {
            let _ = write!(text, " It waits {} before.", duration(delay));
        }
        if let Some(timeout) = step.timeout.filter(|timeout| *timeout > 0) {
            let _ = write!(text, " It fails when it takes longer than {}.", duration(timeout));
        }
        if !step.out_args.is_empty() {
            let names: Vec<String> = step.out_args.iter().map(|name| shown_name(name)).collect();
            let _ = write!(text, " It sets {}.", names.join(", "));
        }
        let after = match step.kind.as_str() {
            "if-condition" | "switch-condition" => "When that branch ends, go to",
            "while-condition" => "When it does not hold any more, go to",
            "parallel" => "When all have ended, go to",
            _ => "Then go to",
        };
        for (next, when) in [
            (&step.on_completion, after),
            (&step.on_success, "When it worked, go to"),
            (&step.on_failure, "When it failed, go to"),
        ] {
            if let Some(next) = self.to(next.as_deref()) {
                let _ = write!(text, " {when} {next}.");
            }
        }
        text
    }

    /// Steps that open branches, and calls of other playbooks.
    fn branches(&self, step: &Step) -> String {
        let title = step.title();
        let condition = step.condition.as_deref().map_or_else(|| "?".into(), condition_words);
        let on_true = self.to(step.on_true.as_deref()).unwrap_or_else(|| "the end".into());
        match step.kind.as_str() {
            "if-condition" => {
                let otherwise = self
                    .to(step.on_false.as_deref())
                    .or_else(|| self.to(step.on_completion.as_deref()))
                    .unwrap_or_else(|| "the end".into());
                format!("{title}: if {condition} go to {on_true}, otherwise to {otherwise}.")
            }
            "while-condition" => {
                format!(
                    "{title}: as long as {condition}, repeat from {on_true} to the end of that branch."
                )
            }
            "parallel" => {
                let first: Vec<String> =
                    step.next_steps().into_iter().filter_map(|id| self.place(id)).collect();
                format!("{title}: at the same time, begin with {}.", listed(&first))
            }
            "switch-condition" => {
                let mut cases = Vec::new();
                let mut default = None;
                for (value, id) in step.cases() {
                    let Some(place) = self.place(id) else { continue };
                    if value == "default" {
                        default = Some(format!("for anything else to {place}"));
                    } else {
                        cases.push(format!("for '{value}' to {place}"));
                    }
                }
                cases.extend(default);
                let name = shown_name(step.switch().unwrap_or("?"));
                format!("{title}: look at {name} and go {}.", listed(&cases))
            }
            "playbook-action" => {
                let (id, version) = step.called().unwrap_or(("?", None));
                let version = version
                    .map_or_else(|| "newest version".into(), |at| format!("version of {at}"));
                let given: Vec<String> = step.in_args.iter().map(|name| shown_name(name)).collect();
                let given = match given.as_slice() {
                    [] => String::new(),
                    names => format!(", and hand it {}", listed(names)),
                };
                format!("{title}: run the playbook {id} ({version}){given}.")
            }
            other => format!("{title} ({other})."),
        }
    }

    fn command(&self, step: &Step, command: &Command) -> String {
        let what = command.text().unwrap_or_else(|| "(no text)".into());
        let what = clipped(&plain(&what));
        let agent = step.agent.as_ref().and_then(|id| self.playbook.agent_definitions.get(id));
        let agent = agent.map_or("nobody", |agent| agent.name.as_str());
        match command.kind.as_str() {
            ACTUATOR => {
                let arguments: Vec<String> = command
                    .arguments
                    .iter()
                    .map(|(name, value)| format!("{name}: {}", plain(&to_text(value))))
                    .collect();
                format!("ask {agent} to {what} ({})", arguments.join(", "))
            }
            "manual" if agent == "nobody" => format!("ask a person: {what}"),
            "manual" => format!("ask a person ({agent}): {what}"),
            "http-api" => format!("call {what}"),
            "openc2-http" => format!("send an OpenC2 command by {what}"),
            "bash" | "powershell" => format!("run on {agent} in {}: {what}", command.kind),
            "ssh" => format!("run over SSH: {what}"),
            "caldera-cmd" => format!("let Caldera run: {what}"),
            "elastic" => format!("ask Elastic: {what}"),
            "jupyter" => format!("run a Jupyter notebook: {what}"),
            "kestrel" => format!("hunt with Kestrel: {what}"),
            "sigma" => format!("search by the Sigma rule: {what}"),
            "yara" => format!("search by the YARA rule: {what}"),
            other => format!("{other} command: {what}"),
        }
    }

    fn targets(&self, step: &Step) -> String {
        let known = &self.playbook.target_definitions;
        let names: Vec<String> = step
            .targets
            .iter()
            .filter_map(|id| known.get(id))
            .map(|AgentTarget { name, .. }| plain(name))
            .collect();
        if names.is_empty() { String::new() } else { format!(", on {}", listed(&names)) }
    }
}

/// A condition in words; as it stands where it cannot be read.
fn condition_words(text: &str) -> String {
    match Condition::parse(text) {
        Ok(condition) => comparison_words(condition.comparison(), false),
        Err(_) => plain(text),
    }
}

fn comparison_words(comparison: &Comparison, inner: bool) -> String {
    let joined = |all: &[Comparison], word: &str| {
        let parts: Vec<String> = all.iter().map(|one| comparison_words(one, true)).collect();
        let text = parts.join(word);
        if inner { format!("({text})") } else { text }
    };
    match comparison {
        Comparison::And(all) => joined(all, " and "),
        Comparison::Or(any) => joined(any, " or "),
        Comparison::Test(test) => test_words(test),
    }
}

fn test_words(test: &Test) -> String {
    let name = condition::variable(&test.path).map_or_else(|| test.path.to_string(), shown_name);
    let value = |constant: &Constant| match constant {
        Constant::Text(text) => format!("'{}'", plain(text)),
        other => other.to_string(),
    };
    let (yes, no, what) = match &test.op {
        Op::Equal(it) => ("is", "is not", value(it)),
        Op::NotEqual(it) => ("is not", "is", value(it)),
        Op::Less(it) => ("is less than", "is not less than", value(it)),
        Op::LessOrEqual(it) => ("is at most", "is more than", value(it)),
        Op::Greater(it) => ("is more than", "is at most", value(it)),
        Op::GreaterOrEqual(it) => ("is at least", "is less than", value(it)),
        Op::In(set) => {
            let all: Vec<String> = set.iter().map(value).collect();
            ("is one of", "is none of", all.join(", "))
        }
        Op::Like(it) => ("looks like", "does not look like", format!("'{it}'")),
        Op::Matches(it) => ("matches", "does not match", format!("'{it}'")),
        Op::IsSubset(it) => ("lies within", "does not lie within", plain(it)),
        Op::IsSuperset(it) => ("contains", "does not contain", plain(it)),
        Op::Exists => ("has a value", "has no value", String::new()),
    };
    let verb = if test.negated { no } else { yes };
    format!("{name} {verb} {what}").trim_end().to_owned()
}

fn listed(parts: &[String]) -> String {
    match parts {
        [] => "nothing".into(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Milliseconds in the largest unit that is whole.
fn duration(ms: i64) -> String {
    let units = [(86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"), (1_000, "second")];
    let found = units.into_iter().find(|(size, _)| ms >= *size && ms % size == 0);
    let (count, unit) = found.map_or((ms, "millisecond"), |(size, unit)| (ms / size, unit));
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

fn clipped(text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.trim_end_matches('.').to_owned();
    if line.chars().count() <= MAX_SHOWN {
        return line;
    }
    let mut short: String = line.chars().take(MAX_SHOWN).collect();
    short.push('…');
    short
}

/// `__device_name__` reads as ‹device name›.
fn shown_name(name: &str) -> String {
    let name = crate::variables::bare(name);
    format!("‹{}›", name.trim_matches('_').replace('_', " "))
}

/// `__device_name__:value` reads as ‹device name›.
fn plain(text: &str) -> String {
    let names: Values =
        references(text).into_iter().map(|name| (name.to_owned(), shown_name(name))).collect();
    fill(text, &names).unwrap_or_else(|_| text.to_owned())
}
