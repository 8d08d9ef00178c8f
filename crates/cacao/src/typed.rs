//! What the parts of a document are, type by type: views over the model, which keeps everything as it came.
//!
//! A view borrows; nothing is lost by looking. Types that are not in the standard are views of their own (`Other`).

use crate::{AgentTarget, Command, Playbook, Step};

use serde_json::{Map, Value};

/// A step by type (§4).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum StepType<'a> {
    /// Where it begins.
    Start,
    /// Where it, or a branch, ends.
    End,
    /// Commands, by an agent, on targets.
    Action {
        /// In order.
        commands: &'a [Command],
        /// By id.
        agent: Option<&'a str>,
        /// By id.
        targets: &'a [String],
    },
    /// Another playbook.
    PlaybookAction {
        /// Its id.
        playbook: &'a str,
        /// Its `modified`; none: the newest there is.
        version: Option<&'a str>,
    },
    /// Branches at the same time.
    Parallel(Vec<&'a str>),
    /// One of two branches.
    If {
        /// A STIX comparison expression.
        condition: &'a str,
        /// First step when it holds.
        on_true: &'a str,
        /// First step when it does not.
        on_false: Option<&'a str>,
    },
    /// A branch as long as a condition holds.
    While {
        /// A STIX comparison expression.
        condition: &'a str,
        /// First step of the branch.
        on_true: &'a str,
    },
    /// A branch by value.
    Switch {
        /// Name of the variable.
        variable: &'a str,
        /// First step by value; `default` for all others.
        cases: Vec<(&'a str, &'a str)>,
    },
    /// No type of the standard, or a property that its type needs is missing.
    Other(&'a str),
}

/// A command by type (§5).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum CommandType {
    /// For a person.
    Manual(String),
    /// A shell's text: `bash`, `powershell` or `ssh`.
    Shell {
        /// Its type.
        shell: &'static str,
        /// What is run.
        text: String,
    },
    /// HTTP: start line, and body if there is one.
    Http {
        /// `METHOD TARGET VERSION`.
        start_line: String,
        /// Body.
        content: Option<String>,
    },
    /// OpenC2 over HTTP: start line and body.
    OpenC2 {
        /// `METHOD TARGET VERSION`.
        start_line: String,
        /// JSON.
        content: String,
    },
    /// For a tool that knows what to do with the text: Caldera, Elastic, Jupyter, Kestrel, Sigma, YARA.
    Tool {
        /// Its type.
        tool: &'static str,
        /// Decoded.
        text: String,
    },
    /// Of another type, or without what its type needs.
    Other(String),
}

/// An agent or target by type (§7).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum PartyType<'a> {
    /// A person.
    Individual(Option<&'a Map<String, Value>>),
    /// Several persons.
    Group(Option<&'a Map<String, Value>>),
    /// An organisation.
    Organization(Option<&'a Map<String, Value>>),
    /// Places by name.
    Location(Vec<&'a str>),
    /// A sector of industry.
    Sector(&'a str),
    /// Whatever does this kind of work.
    SecurityCategory(Vec<&'a str>),
    /// What has an address: `http-api`, `linux`, `net-address` or `ssh`.
    Addressed {
        /// Its type.
        kind: &'static str,
        /// Addresses with their kinds, in the order of the kinds.
        addresses: Vec<(&'a str, String)>,
        /// Port, as text.
        port: Option<&'a str>,
        /// Credential, by id.
        credential: Option<&'a str>,
    },
    /// Of another type.
    Other(&'a str),
}

/// Authentication information by type (§6). It has no `Debug`: a secret must not get into a log.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credential<'a> {
    /// User and password over HTTP.
    HttpBasic {
        /// User.
        user: Option<&'a str>,
        /// Secret.
        secret: Secret<'a>,
    },
    /// A token.
    OAuth2 {
        /// Name of the scheme in the header.
        header: &'a str,
        /// Secret.
        secret: Secret<'a>,
    },
    /// User and password.
    UserAuth {
        /// User.
        user: Option<&'a str>,
        /// Secret.
        secret: Secret<'a>,
    },
    /// Of another type.
    Other(&'a str),
}

/// Where a secret is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Secret<'a> {
    /// Nowhere.
    None,
    /// In the playbook.
    Here(&'a str),
    /// In a key management system, under this name.
    Kept(&'a str),
}

impl Step {
    /// What it is.
    pub fn typed(&self) -> StepType<'_> {
        let typed = match self.kind.as_str() {
            "start" => Some(StepType::Start),
            "end" => Some(StepType::End),
            "action" => Some(StepType::Action {
                commands: &self.commands,
                agent: self.agent.as_deref(),
                targets: &self.targets,
            }),
            "playbook-action" => self
                .called()
                .map(|(playbook, version)| StepType::PlaybookAction { playbook, version }),
            "parallel" => Some(StepType::Parallel(self.next_steps())),
            "if-condition" => self.question().map(|(condition, on_true)| StepType::If {
                condition,
                on_true,
                on_false: self.on_false.as_deref(),
            }),
            "while-condition" => {
                self.question().map(|(condition, on_true)| StepType::While { condition, on_true })
            }
            "switch-condition" => {
                self.switch().map(|variable| StepType::Switch { variable, cases: self.cases() })
            }
            _ => None,
        };
        typed.unwrap_or(StepType::Other(&self.kind))
    }

    fn question(&self) -> Option<(&str, &str)> {
        self.condition.as_deref().zip(self.on_true.as_deref())
    }
}

impl Command {
    /// What it is.
    pub fn typed(&self) -> CommandType {
        let text = || self.text();
        let typed = match self.kind.as_str() {
            "manual" => text().map(CommandType::Manual),
            "http-api" => self.command.clone().map(|start_line| {
                let content = self.content.clone().or_else(|| self.decoded_content());
                CommandType::Http { start_line, content }
            }),
            "openc2-http" => self
                .command
                .clone()
                .zip(self.decoded_content())
                .map(|(start_line, content)| CommandType::OpenC2 { start_line, content }),
            kind => one_of(kind, ["bash", "powershell", "ssh"])
                .zip(text())
                .map(|(shell, text)| CommandType::Shell { shell, text })
                .or_else(|| {
                    let tools = ["caldera-cmd", "elastic", "jupyter", "kestrel", "sigma", "yara"];
                    let tool = one_of(kind, tools);
                    tool.zip(text()).map(|(tool, text)| CommandType::Tool { tool, text })
                }),
        };
        typed.unwrap_or_else(|| CommandType::Other(self.kind.clone()))
    }
}

impl AgentTarget {
    /// What it is.
    pub fn typed(&self) -> PartyType<'_> {
        let contact = || self.other.get("contact").and_then(Value::as_object);
        let texts = |name: &str| {
            let list = self.other.get(name).and_then(Value::as_array);
            list.into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>()
        };
        match self.kind.as_str() {
            "individual" => PartyType::Individual(contact()),
            "group" => PartyType::Group(contact()),
            "organization" => PartyType::Organization(contact()),
            "location" => PartyType::Location(texts("logical")),
            "security-category" => PartyType::SecurityCategory(texts("category")),
            "sector" => match self.other.get("sector").and_then(Value::as_str) {
                Some(sector) => PartyType::Sector(sector),
                None => PartyType::Other(&self.kind),
            },
            kind => match one_of(kind, ["http-api", "linux", "net-address", "ssh"]) {
                None => PartyType::Other(kind),
                Some(kind) => PartyType::Addressed {
                    kind,
                    addresses: self.addresses(),
                    port: self.port.as_deref(),
                    credential: self.authentication_info.as_deref(),
                },
            },
        }
    }

    fn addresses(&self) -> Vec<(&str, String)> {
        let each =
            self.address.iter().flat_map(|(kind, all)| all.iter().map(move |one| (kind, one)));
        each.map(|(kind, one)| (kind.as_str(), crate::variables::to_text(one))).collect()
    }
}

impl Playbook {
    /// Authentication information by id.
    pub fn credential(&self, id: &str) -> Option<Credential<'_>> {
        let info = self.authentication_info_definitions.get(id)?;
        let text = |name: &str| info.get(name).and_then(Value::as_str);
        let kept = info.get("kms").and_then(Value::as_bool).unwrap_or_default();
        let secret = |name: &str| match (kept, text("kms_key_identifier"), text(name)) {
            (true, Some(key), _) => Secret::Kept(key),
            (_, _, Some(secret)) => Secret::Here(secret),
            _ => Secret::None,
        };
        Some(match (text("type")?, text("oauth_header")) {
            ("http-basic", _) => {
                Credential::HttpBasic { user: text("user_id"), secret: secret("password") }
            }
            ("user-auth", _) => {
                Credential::UserAuth { user: text("username"), secret: secret("password") }
            }
            ("oauth2", Some(header)) => Credential::OAuth2 { header, secret: secret("token") },
            (other, _) => Credential::Other(other),
        })
    }
}

fn one_of<const N: usize>(word: &str, words: [&'static str; N]) -> Option<&'static str> {
    words.into_iter().find(|known| *known == word)
}
