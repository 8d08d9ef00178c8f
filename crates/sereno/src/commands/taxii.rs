//! `sereno taxii root|collection|user|certificate …`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::taxii_certificate::{self, CertificateCommand};
use super::{table, text};
use crate::api::{Api, escape};
use crate::arguments::Place;
use crate::output::{self, Failure};

/// The TAXII server: API roots, collections, accounts.
#[derive(Debug, Subcommand)]
pub(crate) enum TaxiiCommand {
    /// API roots.
    #[command(subcommand)]
    Root(RootCommand),
    /// Collections.
    #[command(subcommand)]
    Collection(CollectionCommand),
    /// Accounts for clients that know basic authentication only.
    #[command(subcommand)]
    User(UserCommand),
    /// Client certificates for mutual TLS.
    #[command(subcommand)]
    Certificate(CertificateCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum RootCommand {
    /// Make a root at /taxii2/NAME/.
    New(NewRoot),
    /// The roots.
    List(Place),
    /// Take a root away; it must have no collections.
    Remove(Named),
}

#[derive(Debug, Args)]
pub(crate) struct NewRoot {
    #[command(flatten)]
    place: Place,
    /// Its name in the path: small letters, digits, dashes.
    name: String,
    #[arg(long)]
    title: String,
    #[arg(long, default_value = "")]
    description: String,
    /// Largest envelope, bytes [default: the node's limit].
    #[arg(long)]
    max_content_length: Option<usize>,
    /// A role or peer:NODE that sees it, repeatable [default: everybody who may read over TAXII].
    #[arg(long = "seen-by")]
    seen_by: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Named {
    #[command(flatten)]
    place: Place,
    /// Name, id or alias.
    name: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CollectionCommand {
    /// Make a collection.
    New(NewCollection),
    /// The collections.
    List(Place),
    /// Take a collection away; its objects stay known.
    Remove(Named),
}

#[derive(Debug, Args)]
pub(crate) struct NewCollection {
    #[command(flatten)]
    place: Place,
    #[arg(long)]
    title: String,
    #[arg(long, default_value = "")]
    description: String,
    /// The API root it belongs to.
    #[arg(long, default_value = "sereno")]
    root: String,
    /// A name that can stand for the id.
    #[arg(long)]
    alias: Option<String>,
    /// UUID [default: a new one].
    #[arg(long)]
    id: Option<String>,
    /// Whoever sees the root may read it.
    #[arg(long)]
    public_read: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Make an account; its password is shown once.
    New {
        #[command(flatten)]
        named: Named,
        /// A right on one collection, ID:read, ID:write or ID:read,write; repeatable. With rights it has no others.
        #[arg(long = "collection")]
        collections: Vec<String>,
        /// The other organisation it is for, by name or id: what it reads is judged and redacted for that one.
        #[arg(long = "for")]
        organisation: Option<String>,
    },
    /// The accounts.
    List(Place),
    /// Take an account away.
    Remove(Named),
}

const ROOTS: &str = "/api/v1/taxii/roots";
const COLLECTIONS: &str = "/api/v1/taxii/collections";
const USERS: &str = "/api/v1/users";

pub(crate) async fn run(command: TaxiiCommand, json: bool) -> Result<ExitCode, Failure> {
    match command {
        TaxiiCommand::Root(RootCommand::New(new)) => {
            let body = json!({"name": new.name, "title": new.title, "description": new.description,
                "max_content_length": new.max_content_length, "seen_by": new.seen_by});
            let made = with(&new.place, async |api| api.post(ROOTS, &body).await).await?;
            say(&made, json, || format!("/taxii2/{}/", text(&made, "name")))?;
        }
        TaxiiCommand::Root(RootCommand::List(place)) => {
            let all = with(&place, async |api| api.get(ROOTS).await).await?;
            table(&all, &["name", "title", "max_content_length", "seen_by"], json)?;
        }
        TaxiiCommand::Root(RootCommand::Remove(Named { place, name })) => {
            with(&place, async |api| api.delete(&format!("{ROOTS}/{}", safe(&name)?)).await)
                .await?;
            say(&json!({"removed": name}), json, || "removed".into())?;
        }
        TaxiiCommand::Collection(CollectionCommand::New(new)) => {
            let body = json!({"title": new.title, "description": new.description, "root": new.root,
                "alias": new.alias, "id": new.id, "public_read": new.public_read});
            let made = with(&new.place, async |api| api.post(COLLECTIONS, &body).await).await?;
            say(&made, json, || text(&made, "id").to_owned())?;
        }
        TaxiiCommand::Collection(CollectionCommand::List(place)) => {
            let all = with(&place, async |api| api.get(COLLECTIONS).await).await?;
            table(&all, &["id", "root", "alias", "kind", "objects", "title"], json)?;
        }
        TaxiiCommand::Collection(CollectionCommand::Remove(Named { place, name })) => {
            let remove = async |api: &Api| {
                let id = collection_id(&api.get(COLLECTIONS).await?, &name)?;
                api.delete(&format!("{COLLECTIONS}/{id}")).await
            };
            with(&place, remove).await?;
            say(&json!({"removed": name}), json, || "removed".into())?;
        }
        TaxiiCommand::User(command) => user(command, json).await?,
        TaxiiCommand::Certificate(command) => taxii_certificate::run(command, json).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn user(command: UserCommand, json: bool) -> Result<(), Failure> {
    match command {
        UserCommand::New { named: Named { place, name }, collections, organisation } => {
            let make = async |api: &Api| {
                let grants = grants(api, &collections).await?;
                let body = json!({"name": name, "role": "taxii", "grants": grants,
                    "for": organisation});
                api.post(USERS, &body).await
            };
            let made = with(&place, make).await?;
            say(&made, json, || text(&made, "password").to_owned())?;
            output::note("This password is shown once.");
        }
        UserCommand::List(place) => {
            let all = with(&place, async |api| api.get(USERS).await).await?;
            table(&all, &["name", "roles", "for", "grants"], json)?;
        }
        UserCommand::Remove(Named { place, name }) => {
            with(&place, async |api| api.delete(&format!("{USERS}/{}", safe(&name)?)).await)
                .await?;
            say(&json!({"removed": name}), json, || "removed".into())?;
        }
    }
    Ok(())
}

/// The rights of `ID:read`, `ID:read,write` … as the API takes them; every collection is looked up by id or alias.
pub(crate) async fn grants(api: &Api, asked: &[String]) -> Result<Vec<String>, Failure> {
    if asked.is_empty() {
        return Ok(vec![]);
    }
    let all = api.get(COLLECTIONS).await?;
    let mut grants = Vec::new();
    for text in asked {
        let (name, rights) = text.rsplit_once(':').ok_or_else(|| {
            Failure::wrong_use(format!("'{text}' is no right on a collection"))
                .remedy("Write ID:read, ID:write or ID:read,write.")
        })?;
        let id = collection_id(&all, name)?;
        for right in rights.split([',', '|']) {
            if !matches!(right, "read" | "write") {
                return Err(Failure::wrong_use(format!("'{right}' in '{text}' is no right"))
                    .remedy("Rights are read and write."));
            }
            grants.push(format!("{id}:{right}"));
        }
    }
    Ok(grants)
}

/// The id of a collection by id, by alias, or by ROOT/ALIAS where an alias stands in several roots.
fn collection_id(all: &Value, name: &str) -> Result<String, Failure> {
    let items = all.as_array().map(Vec::as_slice).unwrap_or_default();
    let fits = |item: &&Value| {
        let (root, alias) = (text(item, "root"), text(item, "alias"));
        text(item, "id") == name || alias == name || format!("{root}/{alias}") == name
    };
    let found: Vec<&Value> = items.iter().filter(fits).collect();
    match found.as_slice() {
        [one] => Ok(text(one, "id").to_owned()),
        [] => Err(Failure::wrong_use(format!("there is no collection '{name}'"))
            .remedy("`sereno taxii collection list` shows ids and aliases.")),
        _ => Err(Failure::wrong_use(format!("'{name}' stands for {} collections", found.len()))
            .remedy("Write ROOT/ALIAS or the id.")),
    }
}

/// A name as it stands in a path.
fn safe(name: &str) -> Result<String, Failure> {
    // Dots alone would be a step in the path, however they are written.
    if !name.chars().all(|c| c == '.') {
        return Ok(escape(name));
    }
    Err(Failure::wrong_use(format!("there is nothing of the name '{name}'")))
}

pub(super) async fn with<T>(
    place: &Place,
    act: impl AsyncFnOnce(&Api) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let api = Api::of(place).await?;
    let done = act(&api).await;
    api.close().await;
    done
}

pub(super) fn say(value: &Value, json: bool, line: impl FnOnce() -> String) -> Result<(), Failure> {
    if json {
        return output::value(value);
    }
    output::line(&line());
    Ok(())
}
