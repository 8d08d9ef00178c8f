//! `sereno site list|add|change|remove|assign|import|export|map`: where devices stand, and the maps of the house.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{read_file, table};
use crate::api::{Api, escape};
use crate::arguments::Place;
use crate::output::{self, Failure};

const PATH: &str = "/api/v1/sites";
const LAYERS: &str = "/api/v1/map/layers";
/// Largest file of sites that is sent, bytes; the node says the rest.
const MAX_SITES_BYTES: u64 = 4 << 20;
/// Largest map or plan that is sent, bytes.
const MAX_MAP_BYTES: u64 = 128 << 20;

/// What is said of a site; what is left out is not known, or stays.
#[derive(Debug, Default, Args)]
pub(crate) struct SiteWords {
    /// Where it is, in words.
    #[arg(long)]
    place: Option<String>,
    /// Degrees north (WGS 84).
    #[arg(long, allow_negative_numbers = true, requires = "longitude")]
    latitude: Option<f64>,
    /// Degrees east.
    #[arg(long, allow_negative_numbers = true, requires = "latitude")]
    longitude: Option<f64>,
    /// A plan's id, `sereno site map list`.
    #[arg(long, requires = "x", requires = "y")]
    plan: Option<String>,
    /// From the plan's left edge, 0 to 1.
    #[arg(long)]
    x: Option<f64>,
    /// From the plan's upper edge, 0 to 1.
    #[arg(long)]
    y: Option<f64>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SiteCommand {
    /// All sites.
    List {
        #[command(flatten)]
        place: Place,
        /// Sites listed at most.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=500))]
        limit: u32,
    },
    /// Makes a site.
    Add {
        #[command(flatten)]
        node: Place,
        /// Its name.
        name: String,
        /// What it is: tram stop, substation, plant, office …
        #[arg(long)]
        kind: String,
        #[command(flatten)]
        words: SiteWords,
    },
    /// Changes a site.
    Change {
        #[command(flatten)]
        node: Place,
        /// Its id or name.
        site: String,
        /// A new name.
        #[arg(long)]
        name: Option<String>,
        /// What it is.
        #[arg(long)]
        kind: Option<String>,
        #[command(flatten)]
        words: SiteWords,
    },
    /// Removes a site; one with devices only when it is said where they go.
    Remove {
        #[command(flatten)]
        place: Place,
        /// Its id or name.
        site: String,
        /// Where its devices go: another site, or `none`.
        #[arg(long)]
        move_to: Option<String>,
    },
    /// Puts devices to a site, all or none.
    Assign {
        #[command(flatten)]
        place: Place,
        /// The site's id or name, or `none`.
        site: String,
        /// Ids of devices.
        #[arg(required = true)]
        devices: Vec<String>,
    },
    /// Makes or changes sites from a GeoJSON file of points, all or none.
    Import {
        #[command(flatten)]
        place: Place,
        /// The file.
        file: PathBuf,
    },
    /// Prints all sites as GeoJSON.
    Export(Place),
    /// Maps and plans of the house.
    #[command(subcommand)]
    Map(MapCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum MapCommand {
    /// All maps and plans.
    List(Place),
    /// Keeps a map (GeoJSON, PMTiles 3) or a plan (PNG, JPEG).
    Add {
        #[command(flatten)]
        place: Place,
        /// The file.
        file: PathBuf,
        /// How it shall be called; the file's name when absent.
        #[arg(long)]
        name: Option<String>,
    },
    /// Removes a map or plan that no site stands on.
    Remove {
        #[command(flatten)]
        place: Place,
        /// Its id.
        id: String,
    },
}

fn path(site: &str) -> String {
    format!("{PATH}/{}", escape(site))
}

/// The body of a site: what is said, over what is known.
fn body(known: &Value, name: Option<String>, kind: Option<String>, words: SiteWords) -> Value {
    let or_known = |said: Option<Value>, field: &str| said.unwrap_or_else(|| known[field].clone());
    let spot = words.plan.zip(words.x).zip(words.y);
    json!({
        "name": or_known(name.map(Value::from), "name"),
        "kind": or_known(kind.map(Value::from), "kind"),
        "place": or_known(words.place.map(Value::from), "place"),
        "latitude": or_known(words.latitude.map(Value::from), "latitude"),
        "longitude": or_known(words.longitude.map(Value::from), "longitude"),
        "plan": or_known(spot.map(|((layer, x), y)| json!({ "layer": layer, "x": x, "y": y })), "plan"),
    })
}

pub(crate) async fn run(command: SiteCommand, as_json: bool) -> Result<ExitCode, Failure> {
    match command {
        SiteCommand::List { place, limit } => {
            let api = Api::of(&place).await?;
            let answer = api.get(&format!("{PATH}?limit={limit}")).await;
            api.close().await;
            let columns = ["name", "kind", "devices", "place", "latitude", "longitude", "id"];
            table(&answer?, &columns, as_json)?;
        }
        SiteCommand::Add { node, name, kind, words } => {
            let api = Api::of(&node).await?;
            let given = body(&Value::Null, Some(name), Some(kind), words);
            let answer = api.post(PATH, &given).await;
            api.close().await;
            output::value(&answer?)?;
        }
        SiteCommand::Change { node, site, name, kind, words } => {
            let api = Api::of(&node).await?;
            let answer = change(&api, &site, name, kind, words).await;
            api.close().await;
            output::value(&answer?)?;
        }
        SiteCommand::Remove { place, site, move_to } => {
            let query = move_to.map_or_else(String::new, |to| format!("?move_to={}", escape(&to)));
            let api = Api::of(&place).await?;
            let answer = api.delete(&format!("{}{query}", path(&site))).await;
            api.close().await;
            answer?;
            output::note("removed");
        }
        SiteCommand::Assign { place, site, devices } => {
            let to = (site != "none").then_some(site);
            let api = Api::of(&place).await?;
            let asked = json!({ "site": to, "devices": devices });
            let answer = api.post("/api/v1/devices/site", &asked).await;
            api.close().await;
            output::value(&answer?)?;
        }
        SiteCommand::Import { place, file } => {
            let bytes = read_file(&file, MAX_SITES_BYTES)?;
            let api = Api::of(&place).await?;
            let to = format!("{PATH}/geojson");
            let answer = api.post_bytes(&to, bytes, "application/geo+json").await;
            api.close().await;
            output::value(&answer?)?;
        }
        SiteCommand::Export(place) => {
            let api = Api::of(&place).await?;
            let answer = api.get_text(&format!("{PATH}/geojson")).await;
            api.close().await;
            output::line(&answer?);
        }
        SiteCommand::Map(command) => map(command, as_json).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn change(
    api: &Api,
    site: &str,
    name: Option<String>,
    kind: Option<String>,
    words: SiteWords,
) -> Result<Value, Failure> {
    let known = api.get(&path(site)).await?;
    api.put(&path(site), &body(&known, name, kind, words)).await
}

async fn map(command: MapCommand, as_json: bool) -> Result<(), Failure> {
    match command {
        MapCommand::List(place) => {
            let api = Api::of(&place).await?;
            let answer = api.get(LAYERS).await;
            api.close().await;
            table(
                &answer?,
                &["name", "form", "bytes", "width", "height", "added_by", "id"],
                as_json,
            )
        }
        MapCommand::Add { place, file, name } => {
            let bytes = read_file(&file, MAX_MAP_BYTES)?;
            let name = name.unwrap_or_else(|| stem(&file));
            let api = Api::of(&place).await?;
            let to = format!("{LAYERS}?name={}", escape(&name));
            let answer = api.post_bytes(&to, bytes, "application/octet-stream").await;
            api.close().await;
            output::value(&answer?)
        }
        MapCommand::Remove { place, id } => {
            let api = Api::of(&place).await?;
            let answer = api.delete(&format!("{LAYERS}/{}", escape(&id))).await;
            api.close().await;
            answer?;
            output::note("removed");
            Ok(())
        }
    }
}

fn stem(file: &Path) -> String {
    file.file_stem().map_or_else(|| "map".into(), |name| name.to_string_lossy().into_owned())
}
