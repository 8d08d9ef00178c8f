//! The present in plain words: what the rooms say, put together by device and by site.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::{DeviceId, IncidentId};
use ports::situation::{DeviceBrief, SiteBrief, StandingOrder, WatchBrief};
use serde::Serialize;
use utoipa::ToSchema;

/// How it stands with a device or a site, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    /// An open incident is about it, and nothing holds it.
    Attention,
    /// A gateway was told to block it, and it is not known that it does.
    NotEnforced,
    /// A gateway blocks it.
    Blocked,
    /// An open incident is about it, and it is contained.
    Contained,
    /// Nothing watches it.
    Unwatched,
    /// What is usual for it is still being learned.
    Learning,
    /// It is watched, and nothing unusual is open.
    Well,
    /// No device stands there.
    Empty,
}

/// A device that is not simply well.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct DeviceNow {
    /// Identity.
    #[schema(value_type = String)]
    pub(crate) id: DeviceId,
    /// Its name.
    pub(crate) name: String,
    /// Where it stands, in words.
    pub(crate) place: Option<String>,
    /// Its site's id.
    pub(crate) site: Option<String>,
    /// How it stands.
    pub(crate) standing: Standing,
    /// The open incident about it, the worst one.
    #[schema(value_type = Option<String>)]
    pub(crate) incident: Option<IncidentId>,
    /// The gateway that holds it, or was told to.
    pub(crate) gateway: Option<String>,
    /// What was ordered: `block`, `quarantine` …
    pub(crate) verb: Option<String>,
    /// Since when the order stands.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) since: Option<model::Timestamp>,
    /// When the order ends by itself.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) until: Option<model::Timestamp>,
    /// Why it is not watched, in the detectors' words.
    pub(crate) reason: String,
}

/// A site with what stands there.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SiteNow {
    /// Identity.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// What it is.
    pub(crate) kind: String,
    /// Where it is, in words.
    pub(crate) place: Option<String>,
    /// Degrees north.
    pub(crate) latitude: Option<f64>,
    /// Degrees east.
    pub(crate) longitude: Option<f64>,
    /// The plan it is on.
    pub(crate) plan: Option<String>,
    /// From the plan's left edge, 0 to 1.
    pub(crate) plan_x: Option<f64>,
    /// From the plan's upper edge, 0 to 1.
    pub(crate) plan_y: Option<f64>,
    /// That of its worst device.
    pub(crate) standing: Standing,
    /// Devices that stand there.
    pub(crate) devices: u64,
    /// How many of them stand how.
    #[schema(value_type = Object)]
    pub(crate) by_standing: BTreeMap<Standing, u64>,
}

/// What the rooms said.
pub(crate) struct Said {
    pub(crate) sites: Vec<SiteBrief>,
    pub(crate) devices: Vec<DeviceBrief>,
    pub(crate) watches: Vec<WatchBrief>,
    pub(crate) orders: Vec<StandingOrder>,
    /// Incident, device, whether the incident is contained; the worst incident first.
    pub(crate) about: Vec<(IncidentId, DeviceId, bool)>,
}

/// Verbs that keep a device from others.
const HOLDING: [&str; 2] = ["block", "quarantine"];

/// Every device with how it stands, the worst first.
pub(crate) fn devices(said: &Said) -> Vec<DeviceNow> {
    let watches: HashMap<DeviceId, &WatchBrief> =
        said.watches.iter().map(|watch| (watch.device, watch)).collect();
    let mut incidents: HashMap<DeviceId, (IncidentId, bool)> = HashMap::new();
    for (incident, device, contained) in &said.about {
        let entry = incidents.entry(*device).or_insert((*incident, *contained));
        // One incident that nobody contained is enough.
        if entry.1 && !contained {
            *entry = (*incident, false);
        }
    }
    let mut orders: HashMap<&str, &StandingOrder> = HashMap::new();
    for order in said.orders.iter().filter(|one| HOLDING.contains(&one.verb.as_str())) {
        if let Some(mac) = &order.mac {
            // Newest first: an older order does not hide it, unless it is the one that holds.
            let known = orders.entry(mac).or_insert(order);
            if known.enforced != Some(true) && order.enforced == Some(true) {
                *known = order;
            }
        }
    }
    let mut all: Vec<DeviceNow> = said
        .devices
        .iter()
        .map(|device| {
            let order = device.mac.as_deref().and_then(|mac| orders.get(mac).copied());
            let incident = incidents.get(&device.id).copied();
            let watch = watches.get(&device.id).copied();
            now(device, order, incident, watch)
        })
        .collect();
    all.sort_by(|a, b| a.standing.cmp(&b.standing).then_with(|| a.name.cmp(&b.name)));
    all
}

fn now(
    device: &DeviceBrief,
    order: Option<&StandingOrder>,
    incident: Option<(IncidentId, bool)>,
    watch: Option<&WatchBrief>,
) -> DeviceNow {
    let held = order.map(|order| order.enforced == Some(true));
    let standing = match (held, incident, watch.map(|watch| watch.state.as_str())) {
        (Some(true), ..) => Standing::Blocked,
        (Some(false), ..) => Standing::NotEnforced,
        (None, Some((_, false)), _) => Standing::Attention,
        (None, Some((_, true)), _) => Standing::Contained,
        (None, None, Some("watching")) => Standing::Well,
        (None, None, Some("learning" | "training")) => Standing::Learning,
        (None, None, _) => Standing::Unwatched,
    };
    let reason = match (standing, watch) {
        (Standing::Unwatched, Some(watch)) => watch.reason.clone(),
        _ => String::new(),
    };
    DeviceNow {
        id: device.id,
        name: device.name.clone(),
        place: device.place.clone(),
        site: device.site.clone(),
        standing,
        incident: incident.map(|(id, _)| id),
        gateway: order.map(|order| order.gateway.clone()),
        verb: order.map(|order| order.verb.clone()),
        since: order.and_then(|order| order.since),
        until: order.and_then(|order| order.until),
        reason,
    }
}

/// The sites, the worst first.
pub(crate) fn sites(said: &Said, devices: &[DeviceNow]) -> Vec<SiteNow> {
    let mut counts: HashMap<&str, BTreeMap<Standing, u64>> = HashMap::new();
    for device in devices {
        if let Some(site) = &device.site {
            *counts.entry(site).or_default().entry(device.standing).or_default() += 1;
        }
    }
    let mut all: Vec<SiteNow> = said
        .sites
        .iter()
        .map(|site| {
            let by_standing = counts.remove(site.id.as_str()).unwrap_or_default();
            let worst = by_standing.keys().next().copied();
            SiteNow {
                id: site.id.clone(),
                name: site.name.clone(),
                kind: site.kind.clone(),
                place: site.place.clone(),
                latitude: site.position.map(|(north, _)| north),
                longitude: site.position.map(|(_, east)| east),
                plan: site.plan.as_ref().map(|(plan, ..)| plan.clone()),
                plan_x: site.plan.as_ref().map(|(_, x, _)| *x),
                plan_y: site.plan.as_ref().map(|(.., y)| *y),
                standing: worst.unwrap_or(Standing::Empty),
                devices: by_standing.values().sum(),
                by_standing,
            }
        })
        .collect();
    all.sort_by(|a, b| a.standing.cmp(&b.standing).then_with(|| a.name.cmp(&b.name)));
    all
}

/// How many devices stand how.
pub(crate) fn totals(devices: &[DeviceNow]) -> BTreeMap<Standing, u64> {
    let mut totals = BTreeMap::new();
    for device in devices {
        *totals.entry(device.standing).or_default() += 1;
    }
    totals
}

/// Ids of the incidents, each once, in their order.
pub(crate) fn distinct(ids: impl Iterator<Item = IncidentId>) -> Vec<IncidentId> {
    let mut seen = BTreeSet::new();
    ids.filter(|id| seen.insert(*id)).collect()
}

#[cfg(test)]
mod tests {
    use model::Timestamp;
    use model::id::TypedId;

    use super::*;

    fn device(n: u8, site: Option<&str>) -> DeviceBrief {
        DeviceBrief {
            id: DeviceId::mint(Timestamp::from_secs(1), [n; 10]),
            name: format!("device {n}"),
            place: None,
            site: site.map(str::to_owned),
            mac: Some(format!("02:00:00:00:00:0{n}")),
        }
    }

    fn site(id: &str, name: &str) -> SiteBrief {
        SiteBrief {
            id: id.into(),
            name: name.into(),
            kind: "tram stop".into(),
            place: None,
            position: Some((41.0, 2.0)),
            plan: None,
        }
    }

    fn order(n: u8, verb: &str, enforced: Option<bool>) -> StandingOrder {
        StandingOrder {
            key: format!("order {n}"),
            gateway: "gw".into(),
            verb: verb.into(),
            mac: Some(format!("02:00:00:00:00:0{n}")),
            target: String::new(),
            why: String::new(),
            since: Some(Timestamp::from_secs(5)),
            until: None,
            enforced,
        }
    }

    #[test]
    fn a_device_stands_as_the_worst_that_is_known_of_it_and_a_site_as_its_worst_device() {
        let all: Vec<DeviceBrief> = (1..=8).map(|n| device(n, (n < 5).then_some("stop"))).collect();
        let incident = |n: u8| IncidentId::mint(Timestamp::from_secs(1), [n; 10]);
        let watch = |n: usize, state: &str| WatchBrief {
            device: all[n - 1].id,
            state: state.into(),
            reason: if state == "unprotected" { "no model".into() } else { String::new() },
        };
        let said = Said {
            sites: vec![site("depot", "Depot"), site("stop", "Stop")],
            watches: vec![
                watch(1, "watching"),
                watch(2, "learning"),
                watch(3, "unprotected"),
                watch(4, "watching"),
                watch(5, "watching"),
            ],
            orders: vec![
                order(4, "block", None),
                order(4, "block", Some(true)),
                order(6, "block", Some(false)),
                order(8, "rate_limit", Some(true)),
            ],
            // Device 5 has two incidents, one of which nobody contained; device 7 has a contained one.
            about: vec![
                (incident(1), all[4].id, true),
                (incident(2), all[4].id, false),
                (incident(1), all[6].id, true),
                (incident(3), all[3].id, false),
            ],
            devices: all,
        };
        let now = devices(&said);
        let named = |n: u8| format!("device {n}");
        let of = |n: u8| now.iter().find(|one| one.name == named(n));
        let standing = |n: u8| of(n).map(|one| one.standing);
        assert_eq!(standing(1), Some(Standing::Well));
        assert_eq!(standing(2), Some(Standing::Learning));
        assert_eq!(
            of(3).map(|one| (one.standing, one.reason.as_str())),
            Some((Standing::Unwatched, "no model"))
        );
        assert_eq!(
            standing(4),
            Some(Standing::Blocked),
            "held, although a newer order is unanswered"
        );
        assert_eq!(
            of(5).map(|one| (one.standing, one.incident)),
            Some((Standing::Attention, Some(incident(2))))
        );
        assert_eq!(standing(6), Some(Standing::NotEnforced));
        assert_eq!(standing(7), Some(Standing::Contained));
        assert_eq!(standing(8), Some(Standing::Unwatched), "a limited rate holds nobody");
        assert_eq!(now[0].standing, Standing::Attention);
        let sites = sites(&said, &now);
        assert_eq!(
            sites
                .iter()
                .map(|one| (one.name.as_str(), one.standing, one.devices))
                .collect::<Vec<_>>(),
            [("Stop", Standing::Blocked, 4), ("Depot", Standing::Empty, 0)]
        );
    }
}
