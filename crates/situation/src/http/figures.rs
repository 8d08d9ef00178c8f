//! `GET /api/v1/figures`: counts of days, made where the data is.

use std::collections::BTreeMap;

use axum::extract::{Query, State};
use platform::http::{Beyond, Json, Problem};
use serde::{Deserialize, Serialize};
use time::macros::format_description;
use time::{Date, Duration};
use utoipa::{IntoParams, ToSchema};

use crate::consumer::BUCKETS;
use crate::{Situation, store};

/// Longest period, days.
const MAX_DAYS: i64 = 400;
/// The period when none is named, days.
const USUAL_DAYS: i64 = 30;

/// Which days, both included, UTC.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Period {
    /// First day, `2026-11-01`; by default 29 days before the last.
    from: Option<String>,
    /// Last day; today when absent.
    to: Option<String>,
}

/// Findings that were recorded on a day.
#[derive(Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Day {
    /// The day, UTC.
    day: String,
    low: u64,
    medium: u64,
    high: u64,
    critical: u64,
}

/// Something and how many.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Count {
    /// A word of the API.
    item: String,
    n: u64,
}

/// How long something took, by buckets: `5m` less than five minutes, … `more` three days or longer.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Took {
    bucket: String,
    n: u64,
}

/// The figures of a period.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Figures {
    /// First day.
    from: String,
    /// Last day.
    to: String,
    /// Findings by the day on which they were recorded, each day of the period.
    findings: Vec<Day>,
    /// Findings by detector.
    detectors: Vec<Count>,
    /// Findings by what they speak of.
    kinds: Vec<Count>,
    /// Incidents opened in the period, by the state they are in now.
    states: Vec<Count>,
    /// Incidents opened in the period, by severity.
    severities: Vec<Count>,
    /// From opening to the first acknowledgement, of those acknowledged in the period.
    acknowledge: Vec<Took>,
    /// From opening to containment.
    contain: Vec<Took>,
    /// From opening to recovery.
    recover: Vec<Took>,
    /// Incidents others shared with us, by organisation.
    origins: Vec<Count>,
}

fn parsed(text: &str, name: &str) -> Result<Date, Problem> {
    Date::parse(text, format_description!("[year]-[month]-[day]")).map_err(|_| {
        let shown: String = text.chars().take(40).collect();
        Problem::bad_request(format!("{name}: '{shown}' is no day"))
            .remedy("Write it like 2026-11-30.")
    })
}

fn written(day: Date) -> String {
    format!("{:04}-{:02}-{:02}", day.year(), u8::from(day.month()), day.day())
}

const EPOCH: Date = time::macros::date!(1970 - 01 - 01);

fn number(day: Date) -> i64 {
    (day - EPOCH).whole_days()
}

/// The period asked for; today is given in days since 1970-01-01.
fn period(asked: &Period, today: i64) -> Result<(Date, Date), Problem> {
    let today = EPOCH.checked_add(Duration::days(today)).unwrap_or(EPOCH);
    let to = asked.to.as_deref().map_or(Ok(today), |text| parsed(text, "to"))?;
    let from = match asked.from.as_deref() {
        Some(text) => parsed(text, "from")?,
        None => to.checked_sub(Duration::days(USUAL_DAYS - 1)).unwrap_or(to),
    };
    let days = number(to) - number(from) + 1;
    if days < 1 {
        return Err(Problem::bad_request("the period ends before it begins")
            .remedy("Exchange from and to."));
    }
    if days > MAX_DAYS {
        return Err(Problem::bad_request(format!(
            "{days} days are more than {MAX_DAYS}, the longest period"
        ))
        .remedy("Ask for a shorter one."));
    }
    Ok((from, to))
}

fn took(counts: Vec<(String, u64)>) -> Vec<Took> {
    let counts: BTreeMap<String, u64> = counts.into_iter().collect();
    let bucket =
        |name: &str| Took { bucket: name.into(), n: counts.get(name).copied().unwrap_or(0) };
    BUCKETS.iter().map(|(name, _)| bucket(name)).collect()
}

/// Figures of findings and incidents in a period of at most 400 days; of others' incidents only what the caller sees.
#[utoipa::path(get, path = "/api/v1/figures", tag = "situation", params(Period),
    responses((status = 200, body = Figures), (status = 400, body = Problem)))]
pub(crate) async fn figures(
    State(room): State<Situation>,
    beyond: Beyond,
    Query(asked): Query<Period>,
) -> Result<Json<Figures>, Problem> {
    let today = store::day_of(room.platform.now());
    let (from, to) = period(&asked, today)?;
    let days = (number(from), number(to));
    let mut sql = room.platform.db.read().await?;
    let mut by: BTreeMap<&str, Vec<(String, u64)>> = BTreeMap::new();
    for what in [
        "findings.detector",
        "findings.kind",
        "incidents.state",
        "incidents.severity",
        "time.acknowledge",
        "time.contain",
        "time.recover",
        "incidents.origin",
    ] {
        by.insert(what, store::count_by_item(&mut sql, what, days, &beyond.0).await?);
    }
    let mut findings: Vec<Day> = (0..=days.1 - days.0)
        .filter_map(|n| from.checked_add(Duration::days(n)))
        .map(|day| Day { day: written(day), ..Day::default() })
        .collect();
    for (day, severity, n) in store::daily(&mut sql, "findings.severity", days, &beyond.0).await? {
        let place = usize::try_from(day - days.0).ok().and_then(|at| findings.get_mut(at));
        let Some(of) = place else { continue };
        match severity.as_str() {
            "low" => of.low = n,
            "medium" => of.medium = n,
            "high" => of.high = n,
            _ => of.critical = n,
        }
    }
    let mut take = |what: &str| by.remove(what).unwrap_or_default();
    let counts = |list: Vec<(String, u64)>| {
        let mut list: Vec<Count> = list.into_iter().map(|(item, n)| Count { item, n }).collect();
        list.sort_by(|a, b| b.n.cmp(&a.n).then_with(|| a.item.cmp(&b.item)));
        list
    };
    Ok(Json(Figures {
        from: written(from),
        to: written(to),
        findings,
        detectors: counts(take("findings.detector")),
        kinds: counts(take("findings.kind")),
        states: counts(take("incidents.state")),
        severities: counts(take("incidents.severity")),
        acknowledge: took(take("time.acknowledge")),
        contain: took(take("time.contain")),
        recover: took(take("time.recover")),
        origins: counts(take("incidents.origin")),
    }))
}
