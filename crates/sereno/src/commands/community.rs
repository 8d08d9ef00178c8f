//! `sereno organisation …` and `sereno community …`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::{read_file, table, text};
use crate::api::{Api, escape};
use crate::arguments::Place;
use crate::output::{self, Failure};

/// What is shown of organisations.
const COLUMNS: [&str; 6] = ["id", "name", "kind", "sector", "country", "note"];
/// Largest invitation file read, bytes.
const MAX_INVITATION_BYTES: u64 = 16 << 10;

/// Organisations: this node's own, one for each node it exchanges with, and those that have no node.
#[derive(Debug, Subcommand)]
pub(crate) enum OrganisationCommand {
    /// All of them.
    List(Place),
    /// Make one that has no node: a recipient for tokens, accounts and pushes.
    New {
        #[command(flatten)]
        place: Place,
        /// Its name, which no other has.
        name: String,
        #[command(flatten)]
        about: About,
    },
    /// Note what it is.
    Set {
        #[command(flatten)]
        place: Place,
        /// Its name or id.
        organisation: String,
        #[command(flatten)]
        about: About,
    },
    /// Forget one that has no node. Tokens, accounts and pushes for it get nothing any more.
    Remove {
        #[command(flatten)]
        place: Place,
        /// Its name or id.
        organisation: String,
    },
}

/// What is noted of an organisation.
#[derive(Debug, Args)]
pub(crate) struct About {
    /// operator, cert, authority, vendor, other.
    #[arg(long)]
    kind: Option<String>,
    /// Its sector.
    #[arg(long)]
    sector: Option<String>,
    /// ISO 3166-1 alpha-2, like PT.
    #[arg(long)]
    country: Option<String>,
    /// Anything.
    #[arg(long)]
    note: Option<String>,
}

impl About {
    fn body(self, name: Option<String>) -> Value {
        given(&[
            ("name", name.map(Value::from)),
            ("kind", self.kind.map(Value::from)),
            ("sector", self.sector.map(Value::from)),
            ("country", self.country.map(Value::from)),
            ("note", self.note.map(Value::from)),
        ])
    }
}

/// What holds in a community.
#[derive(Debug, Args)]
pub(crate) struct Terms {
    /// What it is for.
    #[arg(long)]
    description: Option<String>,
    /// Nothing marked above it is shared through the community [default of a new one: TLP:AMBER].
    #[arg(long)]
    max_tlp: Option<String>,
    /// Who may share with it: members, leader.
    #[arg(long)]
    contribute: Option<String>,
    /// Who is told who the members are: members, leader.
    #[arg(long)]
    roster: Option<String>,
    /// Whether what came through it may go elsewhere as far as its label allows: true, false.
    #[arg(long)]
    onward: Option<bool>,
}

/// Communities: circles of organisations that trust each other with some of what they know.
#[derive(Debug, Subcommand)]
pub(crate) enum CommunityCommand {
    /// Those this node leads, is in, or was in.
    List(Place),
    /// One of them with its members.
    Show(Named),
    /// Make one that this node leads.
    New {
        #[command(flatten)]
        place: Place,
        /// Its name.
        name: String,
        #[command(flatten)]
        terms: Terms,
    },
    /// Change what holds in one that this node leads; its members are told.
    Change {
        #[command(flatten)]
        named: Named,
        /// Another name.
        #[arg(long)]
        rename: Option<String>,
        #[command(flatten)]
        terms: Terms,
    },
    /// Make an invitation: a signed file for one organisation that works once.
    Invite {
        #[command(flatten)]
        named: Named,
        /// The invited organisation, by name or the id of its node.
        #[arg(long)]
        organisation: String,
        /// contributor or reader.
        #[arg(long, default_value = "reader")]
        role: String,
        /// The file to write; standard output when absent.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// The invitations made here to one of them: for whom, until when, used or open.
    Invitations(Named),
    /// Take an invitation back that was not used: its file opens nothing any more.
    Withdraw {
        #[command(flatten)]
        named: Named,
        /// The invitation, by its id or the invited organisation.
        invitation: String,
    },
    /// Use an invitation; the leader's answer makes this node a member.
    Join {
        #[command(flatten)]
        place: Place,
        /// The invitation file.
        invitation: PathBuf,
    },
    /// Offer the leadership to a member; it accepts or declines.
    Lead {
        #[command(flatten)]
        named: Named,
        /// The member's organisation, by name or the id of its node.
        member: String,
    },
    /// Take the leadership that was offered; every member is told.
    Accept {
        #[command(flatten)]
        named: Named,
        /// Leave members behind that do not exchange with this node.
        #[arg(long)]
        leave_behind: bool,
    },
    /// Say no to the leadership.
    Decline(Named),
    /// Leave one of another node, or forget one whose leader refused.
    Leave(Named),
    /// Give a member another role.
    Role {
        #[command(flatten)]
        named: Named,
        /// The member's organisation, by name or the id of its node.
        member: String,
        /// contributor or reader.
        role: String,
    },
    /// Put a member out.
    Expel {
        #[command(flatten)]
        named: Named,
        /// The member's organisation, by name or the id of its node.
        member: String,
    },
    /// End one that this node leads.
    Dissolve(Named),
}

#[derive(Debug, Args)]
pub(crate) struct Named {
    #[command(flatten)]
    place: Place,
    /// Its name or id.
    name: String,
}

pub(crate) async fn organisation(
    command: OrganisationCommand,
    json: bool,
) -> Result<ExitCode, Failure> {
    match command {
        OrganisationCommand::List(place) => {
            let api = Api::of(&place).await?;
            let answer = api.get("/api/v1/organisations").await;
            api.close().await;
            table(&answer?, &COLUMNS, json)?;
        }
        OrganisationCommand::New { place, name, about } => {
            let api = Api::of(&place).await?;
            let made = api.post("/api/v1/organisations", &about.body(Some(name))).await;
            api.close().await;
            table(&json!([made?]), &COLUMNS, json)?;
        }
        OrganisationCommand::Set { place, organisation, about } => {
            let api = Api::of(&place).await?;
            let changed = async {
                let id = organisation_id(&api, &organisation).await?;
                api.patch(&format!("/api/v1/organisations/{id}"), &about.body(None)).await
            }
            .await;
            api.close().await;
            table(&json!([changed?]), &COLUMNS, json)?;
        }
        OrganisationCommand::Remove { place, organisation } => {
            let api = Api::of(&place).await?;
            let removed = async {
                let id = organisation_id(&api, &organisation).await?;
                api.delete(&format!("/api/v1/organisations/{id}")).await
            }
            .await;
            api.close().await;
            removed?;
            output::note("removed");
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn community(command: CommunityCommand, json: bool) -> Result<ExitCode, Failure> {
    let place = match &command {
        CommunityCommand::List(place)
        | CommunityCommand::New { place, .. }
        | CommunityCommand::Join { place, .. } => place.clone(),
        CommunityCommand::Show(named)
        | CommunityCommand::Leave(named)
        | CommunityCommand::Decline(named)
        | CommunityCommand::Lead { named, .. }
        | CommunityCommand::Accept { named, .. }
        | CommunityCommand::Dissolve(named)
        | CommunityCommand::Change { named, .. }
        | CommunityCommand::Invitations(named)
        | CommunityCommand::Withdraw { named, .. }
        | CommunityCommand::Invite { named, .. }
        | CommunityCommand::Role { named, .. }
        | CommunityCommand::Expel { named, .. } => named.place.clone(),
    };
    let api = Api::of(&place).await?;
    let done = run(&api, command, json).await;
    api.close().await;
    done.map(|()| ExitCode::SUCCESS)
}

async fn run(api: &Api, command: CommunityCommand, json: bool) -> Result<(), Failure> {
    match command {
        CommunityCommand::List(_) => {
            let all = api.get("/api/v1/communities").await?;
            table(&all, &["id", "name", "role", "state", "max_tlp", "leader"], json)
        }
        CommunityCommand::Show(named) => {
            show(&api.get(&path(api, &named.name).await?).await?, json)
        }
        CommunityCommand::New { name, terms, .. } => {
            let body = with_terms(Some(name), terms);
            show(&api.post("/api/v1/communities", &body).await?, json)
        }
        CommunityCommand::Change { named, rename, terms } => {
            let path = path(api, &named.name).await?;
            show(&api.patch(&path, &with_terms(rename, terms)).await?, json)
        }
        CommunityCommand::Invite { named, organisation, role, out } => {
            let path = format!("{}/invitations", path(api, &named.name).await?);
            let body = json!({ "organisation": organisation, "role": role });
            invited(&api.post(&path, &body).await?, out, json)
        }
        CommunityCommand::Invitations(named) => {
            let all = api.get(&format!("{}/invitations", path(api, &named.name).await?)).await?;
            table(&all, &["id", "organisation", "role", "state", "expires_at"], json)
        }
        CommunityCommand::Withdraw { named, invitation } => {
            withdraw(api, &named.name, &invitation).await
        }
        CommunityCommand::Join { invitation, .. } => join(api, &invitation, json).await,
        CommunityCommand::Lead { named, member } => {
            let path = format!("{}/lead", path(api, &named.name).await?);
            offered(&api.post(&path, &json!({ "organisation": member })).await?, json)
        }
        CommunityCommand::Accept { named, leave_behind } => {
            let path = format!("{}/lead/accept", path(api, &named.name).await?);
            show(&api.post(&path, &json!({ "leave_behind": leave_behind })).await?, json)
        }
        CommunityCommand::Decline(named) => {
            let path = format!("{}/lead/decline", path(api, &named.name).await?);
            api.post(&path, &Value::Null).await?;
            output::note("declined; the leader is told");
            Ok(())
        }
        CommunityCommand::Leave(named) => {
            let path = format!("{}/leave", path(api, &named.name).await?);
            api.post(&path, &Value::Null).await?;
            output::note("left");
            Ok(())
        }
        CommunityCommand::Role { named, member, role } => {
            let path = member_path(api, &named.name, &member).await?;
            api.patch(&path, &json!({ "role": role })).await?;
            output::note("changed; the members are told");
            Ok(())
        }
        CommunityCommand::Expel { named, member } => {
            api.delete(&member_path(api, &named.name, &member).await?).await?;
            output::note("put out; the members are told");
            Ok(())
        }
        CommunityCommand::Dissolve(named) => {
            api.delete(&path(api, &named.name).await?).await?;
            output::note("dissolved; the members are told");
            Ok(())
        }
    }
}

/// Writes an invitation to its file, or prints it.
fn invited(invitation: &Value, out: Option<PathBuf>, json: bool) -> Result<(), Failure> {
    let Some(out) = out else { return output::value(invitation) };
    let text = serde_json::to_string_pretty(invitation).map_err(Failure::file(&out))?;
    std::fs::write(&out, text + "\n").map_err(Failure::file(&out))?;
    if json {
        return output::value(&json!({ "out": out, "expires_at": invitation["expires_at"] }));
    }
    output::note(&format!("good once, until {}", text_of(invitation, "expires_at")));
    Ok(())
}

/// Says that the leadership is offered.
fn offered(community: &Value, json: bool) -> Result<(), Failure> {
    if json {
        return output::value(community);
    }
    let until = text_of(&community["offer"], "expires_at");
    output::note(&format!("offered until {until}; this node leads on until it accepts"));
    Ok(())
}

fn text_of(value: &Value, field: &str) -> String {
    text(value, field).to_owned()
}

fn given(fields: &[(&str, Option<Value>)]) -> Value {
    let set = fields.iter().filter_map(|(name, value)| Some(((*name).to_owned(), value.clone()?)));
    Value::Object(set.collect::<Map<String, Value>>())
}

fn with_terms(name: Option<String>, terms: Terms) -> Value {
    given(&[
        ("name", name.map(Value::from)),
        ("description", terms.description.map(Value::from)),
        ("max_tlp", terms.max_tlp.map(Value::from)),
        ("contribute", terms.contribute.map(Value::from)),
        ("roster", terms.roster.map(Value::from)),
        ("onward", terms.onward.map(Value::from)),
    ])
}

fn show(community: &Value, json: bool) -> Result<(), Failure> {
    if json {
        return output::value(community);
    }
    table(&json!([community]), &["id", "name", "role", "state", "max_tlp", "leader"], false)?;
    if let Some(refusal) = community.get("refusal").and_then(Value::as_str) {
        // It comes from another node: it may not move the cursor.
        let refusal = analytics::inventory::seen_as_it_is(refusal);
        output::note(&format!("the leader refused: {refusal}"));
    }
    match community.get("members") {
        Some(members) if members.as_array().is_some_and(|all| !all.is_empty()) => {
            table(members, &["node", "organisation", "role", "state", "holds", "not_after"], false)
        }
        _ => Ok(()),
    }
}

async fn path(api: &Api, name: &str) -> Result<String, Failure> {
    Ok(format!("/api/v1/communities/{}", community_id(api, name).await?))
}

async fn member_path(api: &Api, name: &str, member: &str) -> Result<String, Failure> {
    let path = path(api, name).await?;
    let community = api.get(&path).await?;
    let node = found(&community["members"], "member", member, &["node", "organisation"])?;
    Ok(format!("{path}/members/{}", escape(text(&node, "node"))))
}

async fn join(api: &Api, invitation: &Path, json: bool) -> Result<(), Failure> {
    let bytes = read_file(invitation, MAX_INVITATION_BYTES)?;
    let body: Value = serde_json::from_slice(&bytes).map_err(Failure::file(invitation))?;
    show(&api.post("/api/v1/communities/join", &body).await?, json)
}

async fn withdraw(api: &Api, community: &str, invitation: &str) -> Result<(), Failure> {
    let path = format!("{}/invitations", path(api, community).await?);
    let id = open_invitation(&api.get(&path).await?["items"], invitation)?;
    api.delete(&format!("{path}/{id}")).await?;
    output::note("withdrawn; its file opens nothing any more");
    Ok(())
}

/// The id of an invitation by id, or of the open one of an organisation.
fn open_invitation(all: &Value, name: &str) -> Result<String, Failure> {
    let open = |one: &&Value| text(one, "state") == "open" || text(one, "id") == name;
    let open: Vec<Value> = all.as_array().into_iter().flatten().filter(open).cloned().collect();
    let fields = ["id", "organisation", "node"];
    let found = found(&Value::from(open), "invitation", name, &fields)?;
    Ok(escape(text(&found, "id")))
}

/// The id of a community by its name or id.
pub(super) async fn community_id(api: &Api, name: &str) -> Result<String, Failure> {
    let all = api.get("/api/v1/communities").await?;
    let found = found(&all["items"], "community", name, &["id", "name"])?;
    Ok(escape(text(&found, "id")))
}

/// The id of an organisation by its name or id.
pub(super) async fn organisation_id(api: &Api, name: &str) -> Result<String, Failure> {
    let all = api.get("/api/v1/organisations").await?;
    let found = found(&all["items"], "organisation", name, &["id", "name"])?;
    Ok(escape(text(&found, "id")))
}

/// The one of a list that is called so.
fn found(all: &Value, what: &str, name: &str, fields: &[&str]) -> Result<Value, Failure> {
    let called = |item: &&Value| fields.iter().any(|field| text(item, field) == name);
    let mut fit = all.as_array().into_iter().flatten().filter(called);
    match (fit.next(), fit.next()) {
        (Some(one), None) => Ok(one.clone()),
        (Some(_), Some(_)) => {
            Err(Failure::wrong_use(format!("several are called '{name}'; name one by its id")))
        }
        _ => {
            let mut failure = Failure::new(format!("{what} '{name}' does not exist here"))
                .remedy(format!("`sereno {what} list` shows them."));
            match what {
                "member" => failure = failure.remedy("`sereno community show NAME` shows them."),
                "invitation" => {
                    failure = failure.remedy("`sereno community invitations NAME` shows them.");
                }
                _ => {}
            }
            failure.code = output::NO;
            Err(failure)
        }
    }
}
