//! `GET /api/v1/situation`: the first page in one read.

use std::collections::{BTreeMap, HashMap};

use axum::extract::{Query, State};
use model::{IncidentId, Timestamp, Tlp};
use platform::http::{Beyond, Json, Problem};
use ports::PortError;
use ports::situation::{OpenQuestion, StandingOrder};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::present::{self, DeviceNow, Said, SiteNow, Standing};
use crate::store::{self, Campaign, Case};
use crate::{Needs, Situation};

/// Devices looked at; beyond, those without a site are left out and the answer says so.
const MAX_DEVICES: u32 = 5_000;
/// Sites looked at: as many as there can be.
const MAX_SITES: u32 = 5_000;
/// Open incidents whose devices are looked at.
const MAX_CALLING: i64 = 200;
/// Pairs of incident and device.
const MAX_PAIRS: u32 = 5_000;
/// Lists of the answer.
const MAX_LISTED: usize = 50;
/// Standing orders looked at.
const MAX_ORDERS: u32 = 500;
/// Changes counted; the page then says "more than".
const MAX_CHANGES: i64 = 1_000;
/// Campaigns told.
const MAX_CAMPAIGNS: usize = 10;

/// What the page knows already.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// When the person looked last (RFC 3339): what changed since is counted.
    since: Option<String>,
}

/// An incident in a line.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CaseLine {
    id: String,
    title: String,
    severity: String,
    state: String,
    tlp: String,
    /// True when another organisation shared it with us.
    received: bool,
    origin_name: String,
    acknowledged_by: Option<String>,
    /// When this node opened or received it.
    #[schema(value_type = String, format = DateTime)]
    opened_at: Timestamp,
}

/// An order at a gateway.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrderLine {
    key: String,
    gateway: String,
    verb: String,
    target: String,
    why: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// Whether it is known to take effect; absent while the gateway has not answered.
    enforced: Option<bool>,
}

/// A question that waits for a person.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QuestionLine {
    /// `run` or `proposal`.
    what: &'static str,
    run: Option<String>,
    title: String,
    incident: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
}

/// Incidents of several organisations that belong together, and why.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CampaignLine {
    /// Who sees it.
    organisations: Vec<String>,
    /// The remote parties they have in common: the reason.
    peers: Vec<String>,
    /// Techniques that several of the incidents show.
    techniques: Vec<String>,
    incidents: Vec<CampaignCase>,
    #[schema(value_type = String, format = DateTime)]
    first_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    last_at: Timestamp,
}

/// An incident of a campaign.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CampaignCase {
    id: String,
    title: String,
}

/// What another organisation shared with us.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OriginLine {
    name: String,
    /// Incidents it shared.
    shared: u64,
    /// Of those, acknowledged here.
    acknowledged: u64,
}

/// What changed since the person looked last.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Changes {
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// Incidents that are new.
    opened: u64,
    /// Older incidents that changed.
    changed: u64,
    /// No more than this is counted.
    at_most: u64,
}

/// What is happening, how sure, what to do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Now {
    /// When this was put together.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Open incidents by state.
    #[schema(value_type = Object)]
    open: BTreeMap<String, u64>,
    /// Open incidents that call first: most severe, then newest.
    calling: Vec<CaseLine>,
    /// Received incidents that nobody acknowledged, the longest waiting first.
    waiting: Vec<CaseLine>,
    /// The newest received incidents.
    received: Vec<CaseLine>,
    /// Who shared how much with us.
    origins: Vec<OriginLine>,
    /// Campaigns that several organisations see.
    campaigns: Vec<CampaignLine>,
    /// Sites, the worst first.
    sites: Vec<SiteNow>,
    /// Devices that are not simply well, the worst first; at most 50.
    devices: Vec<DeviceNow>,
    /// How many devices stand how.
    #[schema(value_type = Object)]
    standings: BTreeMap<Standing, u64>,
    /// True when there are more devices than were looked at.
    more_devices: bool,
    /// Questions that wait for people, the longest waiting first.
    questions: Vec<QuestionLine>,
    /// Orders that stand at gateways, newest first.
    orders: Vec<OrderLine>,
    /// Gateways that ever connected.
    gateways: u64,
    /// Gateways connected now.
    gateways_connected: u64,
    /// What changed, where the person said since when.
    changes: Option<Changes>,
    /// Parts that did not answer: the rest is right without them.
    missing: Vec<String>,
}

impl From<Case> for CaseLine {
    fn from(case: Case) -> Self {
        Self {
            id: case.id,
            title: case.title,
            severity: case.severity,
            state: case.state,
            tlp: case.tlp,
            received: case.received,
            origin_name: case.origin_name,
            acknowledged_by: case.acknowledged_by,
            opened_at: case.opened_at,
        }
    }
}

impl From<StandingOrder> for OrderLine {
    fn from(it: StandingOrder) -> Self {
        Self {
            key: it.key,
            gateway: it.gateway,
            verb: it.verb,
            target: it.target,
            why: it.why,
            since: it.since,
            until: it.until,
            enforced: it.enforced,
        }
    }
}

impl From<OpenQuestion> for QuestionLine {
    fn from(it: OpenQuestion) -> Self {
        Self {
            what: it.what,
            run: it.run.map(|run| run.to_string()),
            title: it.title,
            incident: it.incident.map(|id| id.to_string()),
            since: it.since,
        }
    }
}

impl From<Campaign> for CampaignLine {
    fn from(it: Campaign) -> Self {
        let incidents = it.incidents.into_iter().take(MAX_LISTED);
        Self {
            organisations: it.organisations.into_iter().take(MAX_LISTED).collect(),
            peers: it.peers.into_iter().take(MAX_LISTED).collect(),
            techniques: it.techniques.into_iter().take(MAX_LISTED).collect(),
            incidents: incidents.map(|(id, title)| CampaignCase { id, title }).collect(),
            first_at: it.first_at,
            last_at: it.last_at,
        }
    }
}

/// What the room keeps itself.
struct Kept {
    open: BTreeMap<String, u64>,
    calling: Vec<Case>,
    waiting: Vec<Case>,
    received: Vec<Case>,
    origins: Vec<OriginLine>,
    campaigns: Vec<Campaign>,
    changes: Option<Changes>,
}

const CLOSED: [&str; 2] = ["closed", "false_alarm"];

async fn kept(room: &Situation, beyond: &[Tlp], since: Option<Timestamp>) -> Result<Kept, Problem> {
    let mut sql = room.platform.db.read().await?;
    let always = (i64::MIN, i64::MAX);
    let states = store::count_by_item(&mut sql, "incidents.state", always, beyond).await?;
    let open = states.into_iter().filter(|(state, _)| !CLOSED.contains(&state.as_str())).collect();
    let listed = i64::try_from(MAX_LISTED).unwrap_or(i64::MAX);
    let shared = store::count_by_item(&mut sql, "incidents.origin", always, beyond).await?;
    let answered = store::count_by_item(&mut sql, "incidents.answered", always, beyond).await?;
    let answered: HashMap<String, u64> = answered.into_iter().collect();
    let mut origins: Vec<OriginLine> = shared
        .into_iter()
        .map(|(name, shared)| OriginLine {
            acknowledged: answered.get(&name).copied().unwrap_or(0),
            name,
            shared,
        })
        .collect();
    origins.sort_by_key(|one| std::cmp::Reverse(one.shared));
    origins.truncate(MAX_LISTED);
    let changes = match since {
        None => None,
        Some(since) => {
            let (opened, changed) =
                store::changes_since(&mut sql, since, beyond, MAX_CHANGES).await?;
            Some(Changes { since, opened, changed, at_most: MAX_CHANGES.unsigned_abs() })
        }
    };
    Ok(Kept {
        open,
        calling: store::calling(&mut sql, beyond, MAX_CALLING).await?,
        waiting: store::waiting(&mut sql, beyond, listed).await?,
        received: store::recent_origins(&mut sql, beyond, listed).await?,
        origins,
        campaigns: store::campaigns(&mut sql, beyond, MAX_CAMPAIGNS).await?,
        changes,
    })
}

/// A part's answer, or its name among those that are missing.
fn or_missing<T: Default>(
    name: &str,
    answer: Result<T, PortError>,
    missing: &mut Vec<String>,
) -> T {
    answer.unwrap_or_else(|error| {
        tracing::warn!(part = name, %error, "a part of the situation does not answer");
        missing.push(name.to_owned());
        T::default()
    })
}

async fn said(needs: &Needs, calling: &[Case], missing: &mut Vec<String>) -> Said {
    let contained: HashMap<IncidentId, bool> = calling
        .iter()
        .filter(|case| !case.received)
        .filter_map(|case| Some((case.id.parse().ok()?, case.contained_at.is_some())))
        .collect();
    let ids = present::distinct(
        calling.iter().filter(|case| !case.received).filter_map(|case| case.id.parse().ok()),
    );
    let about = needs.incidents.devices_of(&ids, MAX_PAIRS).await;
    let about = or_missing("incidents", about, missing);
    let about = about.into_iter().map(|(incident, device)| {
        (incident, device, contained.get(&incident).copied().unwrap_or(false))
    });
    Said {
        about: about.collect(),
        sites: or_missing("sites", needs.sites.sites(MAX_SITES).await, missing),
        devices: or_missing("devices", needs.sites.devices(MAX_DEVICES + 1).await, missing),
        watches: or_missing("detection", needs.watch.watches(MAX_DEVICES).await, missing),
        orders: or_missing("gateways", needs.orders.standing(MAX_ORDERS).await, missing),
    }
}

/// Everything the first page says, within the caller's sight.
#[utoipa::path(get, path = "/api/v1/situation", tag = "situation", params(Asked),
    responses((status = 200, body = Now), (status = 400, body = Problem)))]
pub(crate) async fn situation(
    State(room): State<Situation>,
    beyond: Beyond,
    Query(asked): Query<Asked>,
) -> Result<Json<Now>, Problem> {
    let since = asked.since.as_deref().map(str::parse::<Timestamp>).transpose().map_err(|_| {
        Problem::bad_request("since is no moment").remedy("Write it like 2026-11-30T08:00:00Z.")
    })?;
    let kept = kept(&room, &beyond.0, since).await?;
    let mut missing = Vec::new();
    let mut said = said(&room.needs, &kept.calling, &mut missing).await;
    let looked_at = usize::try_from(MAX_DEVICES).unwrap_or(usize::MAX);
    let more_devices = said.devices.len() > looked_at;
    said.devices.truncate(looked_at);
    let questions = room.needs.questions.open(&beyond.0, u32::try_from(MAX_LISTED).unwrap_or(50));
    let questions = or_missing("questions", questions.await, &mut missing);
    let (gateways, gateways_connected) =
        or_missing("gateways", room.needs.orders.gateways().await, &mut missing);
    let mut devices = present::devices(&said);
    let standings = present::totals(&devices);
    let sites = present::sites(&said, &devices);
    devices.retain(|device| device.standing != Standing::Well);
    devices.truncate(MAX_LISTED);
    missing.dedup();
    let lines = |cases: Vec<Case>| cases.into_iter().take(MAX_LISTED).map(CaseLine::from).collect();
    Ok(Json(Now {
        at: room.platform.now(),
        open: kept.open,
        calling: lines(kept.calling),
        waiting: lines(kept.waiting),
        received: lines(kept.received),
        origins: kept.origins,
        campaigns: kept.campaigns.into_iter().map(Into::into).collect(),
        sites,
        devices,
        standings,
        more_devices,
        questions: questions.into_iter().map(Into::into).collect(),
        orders: said.orders.into_iter().take(MAX_LISTED).map(Into::into).collect(),
        gateways,
        gateways_connected,
        changes: kept.changes,
        missing,
    }))
}
