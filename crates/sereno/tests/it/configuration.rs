//! The reference of the configuration and the commented file of the package are made from the code: keys, types and
//! meanings from the source, defaults from the program. They fail here when they are stale.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::configuration_source::{Key, Shape, Source};
use crate::programs::{json, output, sereno};

const HEAD: &str = "\
# Configuration

Made from the code: `UPDATE_SNAPSHOTS=1 cargo nextest run --workspace -E 'test(configuration)'`. `sereno config reference` prints it.

Read in this order, the later wins: the defaults below, the file, the environment, flags. The file is `sereno.toml` in the data
folder, or what `--config` (`SERENO_CONFIG`) names; the Debian package has `/etc/sereno/sereno.toml`. A key of a section is also the
variable `SERENO_SECTION__KEY`, e.g. `SERENO_SERVER__LISTEN=127.0.0.1:8700`; lists are written as in TOML. Flags of `sereno up`:
`--listen`, `--tls-listen`, `--log-format`.

**Every key is read once, before any port opens: a change takes effect with the next start** (`systemctl restart sereno`). What is
wrong stops the start and is named; a mistyped section or key is an error, never ignored: `sereno config check` tells beforehand
(exit 0 or 1), `sereno config show` prints what is in force. What changes while a node runs (accounts, feeds, policies, the rules of
automation) is not here: it has pages and commands of its own.
";

const FILE_HEAD: &str = "\
# Configuration of the node. Every key stands here with its default, commented out: change what you need.
# What each means at length: `sereno config reference`. Is it right? `sereno config check --config FILE`.
# Changes take effect with the next start.
";

/// Where a section's keys are declared: crate and struct.
fn owner(section: &str) -> (&str, &'static str) {
    match section {
        "server" => ("server", "ServerConfig"),
        "node" => ("server", "NodeConfig"),
        "log" => ("server", "LogConfig"),
        "demo" => ("server", "DemoConfig"),
        room => (room, "Config"),
    }
}

#[derive(Default)]
struct Written {
    reference: String,
    file: String,
}

struct Writer<'s> {
    source: &'s Source,
    owner: String,
    to: Written,
}

impl Writer<'_> {
    /// One table: its plain keys first, then the tables in it. `there`: whether it is there by default.
    fn table(&mut self, place: &str, keys: &[Key], defaults: &Value, there: bool) {
        let (mut plain, mut nested) = (vec![], vec![]);
        for key in keys {
            match self.source.find(&self.owner, inner(&key.kind)) {
                Some(Shape::Table(keys)) => nested.push((key, keys.clone())),
                _ => plain.push(key),
            }
        }
        self.head(place, there);
        if !plain.is_empty() {
            self.to.reference.push_str("\n| key | type | default | meaning |\n|---|---|---|---|\n");
        } else if nested.is_empty() {
            self.to.reference.push_str("\nNo keys: nothing can be switched off here.\n");
        }
        for key in plain {
            self.key(key, &defaults[&key.name]);
        }
        for (key, keys) in nested {
            let value = &defaults[&key.name];
            let (place, there) = match wrapper(&key.kind) {
                "Vec" => (format!("[{place}.{}]", key.name), false),
                "BTreeMap" => (format!("{place}.{}.NAME", key.name), false),
                "Option" => (format!("{place}.{}", key.name), false),
                _ => (format!("{place}.{}", key.name), there),
            };
            self.table(&place, &keys, value, there);
            let text = format!("\n{}\n", key.meaning);
            let at = self.to.reference.rfind(&format!("## `[{place}]`")).unwrap();
            let after = at + self.to.reference[at..].find('\n').unwrap() + 1;
            self.to.reference.insert_str(after, &text);
        }
    }

    fn head(&mut self, place: &str, there: bool) {
        let level = if place.contains('.') { "###" } else { "##" };
        let absent = if there { "" } else { " (absent by default)" };
        write!(self.to.reference, "\n{level} `[{place}]`{absent}\n").unwrap();
        let comment = if there { "" } else { "#" };
        write!(self.to.file, "\n{comment}[{place}]\n").unwrap();
    }

    fn key(&mut self, key: &Key, default: &Value) {
        let kind = self.kind(&key.kind);
        // In a table that is there only when somebody writes it, some keys cannot be left out.
        let asked = !key.kind.starts_with("Option<");
        let shown = match default {
            Value::Null if asked => "to be given".to_owned(),
            Value::Null => "absent".to_owned(),
            value => format!("`{}`", toml_of(value)),
        };
        let meaning = key.meaning.replace('|', "\\|");
        writeln!(self.to.reference, "| `{}` | {kind} | {shown} | {meaning} |", key.name).unwrap();
        for line in wrap(&key.meaning, 100) {
            writeln!(self.to.file, "# {line}").unwrap();
        }
        let line = match default {
            Value::Null => {
                let word = if asked { "to be given" } else { "absent by default" };
                format!("{} = {}  # {kind}; {word}", key.name, sample(&kind))
            }
            value => format!("{} = {}", key.name, toml_of(value)),
        };
        writeln!(self.to.file, "#{line}").unwrap();
    }

    /// A type in words.
    fn kind(&self, kind: &str) -> String {
        if let Some(of) = kind.strip_prefix("Option<").and_then(|rest| rest.strip_suffix('>')) {
            return self.kind(of);
        }
        if let Some(of) = kind.strip_prefix("Vec<").and_then(|rest| rest.strip_suffix('>')) {
            return format!("list of: {}", self.kind(of));
        }
        if kind.starts_with("BTreeMap<") {
            return "table of texts".into();
        }
        match kind {
            "bool" => "`true` or `false`".into(),
            "f64" => "number".into(),
            "String" => "text".into(),
            "PathBuf" => "path".into(),
            "SocketAddr" => "address:port".into(),
            "u8" | "u16" | "u32" | "u64" | "usize" | "i64" => "whole number".into(),
            other => match self.source.find(&self.owner, other) {
                Some(Shape::Words(words)) => {
                    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
                }
                _ => other.to_owned(),
            },
        }
    }
}

fn wrapper(kind: &str) -> &str {
    kind.split_once('<').map_or("", |(outer, _)| outer)
}

/// `Vec<Limit>` is about `Limit`, `BTreeMap<String, Hook>` about `Hook`.
fn inner(kind: &str) -> &str {
    let within = kind.split_once('<').map_or(kind, |(_, rest)| rest.trim_end_matches('>'));
    within.rsplit(", ").next().unwrap_or(within)
}

fn sample(kind: &str) -> &'static str {
    match kind {
        "whole number" | "number" => "0",
        "`true` or `false`" => "true",
        _ => "\"…\"",
    }
}

/// A default as TOML writes it.
fn toml_of(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            format!("[{}]", items.iter().map(toml_of).collect::<Vec<_>>().join(", "))
        }
        Value::Object(items) if items.is_empty() => "{}".into(),
        other => other.to_string(),
    }
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().unwrap();
        if !line.is_empty() && line.len() + 1 + word.len() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn written() -> Written {
    let folder = tempfile::tempdir().unwrap();
    let shown = json(&output(
        sereno().args(["--json", "config", "show", "--data"]).arg(folder.path()).env_clear(),
    ));
    let source = Source::read(&root());
    let mut to = Written { reference: HEAD.into(), file: FILE_HEAD.into() };
    let rooms = shown["rooms"].as_object().unwrap();
    let sections = [("server", &shown["server"]), ("node", &shown["node"]), ("log", &shown["log"])]
        .into_iter()
        .chain(rooms.iter().map(|(name, value)| (name.as_str(), value)))
        .chain([("demo", &shown["demo"])]);
    for (section, defaults) in sections {
        let (owner, name) = owner(section);
        let Some(Shape::Table(keys)) = source.find(owner, name) else {
            panic!("crates/{owner} has no struct {name}: where are the keys of [{section}]?")
        };
        let keys = keys.clone();
        // What the program shows and what the source declares are the same keys.
        let shown: std::collections::BTreeSet<&str> =
            defaults.as_object().unwrap().keys().map(String::as_str).collect();
        let declared = keys.iter().map(|key| key.name.as_str()).collect();
        assert_eq!(shown, declared, "[{section}]");
        let mut writer = Writer { source: &source, owner: owner.into(), to };
        writer.table(section, &keys, defaults, true);
        to = writer.to;
    }
    to
}

fn same(path: &str, now: &str) {
    let file = root().join(path);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&file, now).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == now,
        "{path} is not what the code says; UPDATE_SNAPSHOTS=1 with this test writes it"
    );
}

#[test]
fn the_reference_and_the_packaged_configuration_are_what_the_code_says() {
    let now = written();
    // Every key has a meaning: a reference with holes is none.
    let holes: Vec<&str> = now.reference.lines().filter(|line| line.ends_with("|  |")).collect();
    assert!(holes.is_empty(), "keys without a comment in the source: {holes:#?}");
    same("docs/configuration.md", &now.reference);
    same("packaging/sereno.toml", &now.file);
}

#[test]
fn the_packaged_configuration_is_right_as_it_is_and_with_every_default_uncommented() {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(root().join("packaging/sereno.toml")).unwrap();
    let check = |text: &str| {
        let file = folder.path().join("tried.toml");
        std::fs::write(&file, text).unwrap();
        output(sereno().args(["config", "check", "--config"]).arg(&file).env_clear())
    };
    let as_it_is = check(&text);
    assert!(as_it_is.status.success(), "{}", String::from_utf8_lossy(&as_it_is.stderr));
    let mut absent = false;
    let all: Vec<&str> = text
        .lines()
        .map(|line| {
            if line.starts_with('[') || line.starts_with("#[") {
                absent = line.starts_with('#');
            }
            match line.strip_prefix('#') {
                Some(key) if !absent && !key.starts_with(' ') && !key.contains("absent by") => key,
                _ => line,
            }
        })
        .collect();
    assert!(all.iter().filter(|line| line.contains(" = ")).count() > 60);
    let uncommented = check(&all.join("\n"));
    assert!(uncommented.status.success(), "{}", String::from_utf8_lossy(&uncommented.stderr));
    let wrong = check(&format!("{text}\n[server]\nlisten = \"nowhere\"\n"));
    assert_eq!(wrong.status.code(), Some(1));
}

#[test]
fn the_program_prints_both() {
    for (verb, file) in
        [("reference", "docs/configuration.md"), ("example", "packaging/sereno.toml")]
    {
        let said = output(sereno().args(["config", verb]));
        let kept = std::fs::read_to_string(root().join(file)).unwrap();
        assert_eq!(String::from_utf8_lossy(&said.stdout).trim_end(), kept.trim_end());
    }
}
