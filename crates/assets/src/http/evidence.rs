//! `GET /api/v1/devices/{id}/evidence`: all that is known of one device, and since when.

use analytics::inventory::{AskedBy, DeviceFacts, HintKind, NameSource, Sent};
use axum::extract::{Path, State};
use model::Timestamp;
use platform::http::{Json, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use super::device_id;
use crate::inventory::Known;
use crate::{Assets, AssetsError, store};

/// What identifies a device, and all that sensors know of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct DeviceEvidence {
    /// MAC and internet addresses, newest first.
    pub identity: Vec<IdentityRow>,
    /// What each sensor knows.
    pub known: Vec<KnownView>,
}

/// An address that a device was seen under.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct IdentityRow {
    /// The sensor that saw it.
    pub sensor: String,
    /// `mac` or `ip`.
    pub kind: String,
    /// The address.
    pub value: String,
    /// Since when (packet time).
    #[schema(value_type = String, format = DateTime)]
    pub valid_from: Timestamp,
    /// Until when; absent while it holds.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub valid_to: Option<Timestamp>,
    /// Last seen (packet time).
    #[schema(value_type = String, format = DateTime)]
    pub last_seen: Timestamp,
}

/// What one sensor knows of a device.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct KnownView {
    /// The sensor.
    pub sensor: String,
    /// The guessed kind, in plain words.
    pub kind: String,
    /// How sure, 0 to 1.
    pub confidence: f64,
    /// Why, the weightiest first.
    pub reasons: Vec<KindReason>,
    /// Maker of its network interface, where the tables name one.
    pub maker: Option<String>,
    /// The device made its MAC address up: it may change, and names no maker.
    pub mac_is_private: bool,
    /// Names, hints and services with their times.
    pub facts: Vec<FactRow>,
    /// Facts that found no place.
    pub beyond: u64,
}

/// One reason for the guessed kind. (Named apart from the reasons of findings: the API description
/// knows types by their last name.)
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct KindReason {
    /// In plain words.
    pub text: String,
    /// How much it says, 0 to 1.
    pub weight: f64,
}

/// One dated fact.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct FactRow {
    /// What it is: `name (DHCP)`, `offers`, `uses`, `TLS fingerprint (JA4)` …
    pub what: String,
    /// What it says.
    pub value: String,
    /// First seen (packet time).
    #[schema(value_type = String, format = DateTime)]
    pub first_seen: Timestamp,
    /// Last seen (packet time).
    #[schema(value_type = String, format = DateTime)]
    pub last_seen: Timestamp,
}

/// All that is known of a device.
#[utoipa::path(get, path = "/api/v1/devices/{id}/evidence", tag = "assets",
    params(("id" = String, Path, description = "The device's id")),
    responses((status = 200, body = DeviceEvidence), (status = 404, body = Problem)))]
pub(crate) async fn evidence(
    State(assets): State<Assets>,
    Path(id): Path<String>,
) -> Result<Json<DeviceEvidence>, Problem> {
    let id = device_id(&id)?;
    if assets.read_device(id).await?.is_none() {
        return Err(Problem::not_found(format!("device {id}")));
    }
    let mut connection = assets.platform.db.read().await.map_err(AssetsError::from)?;
    let identity = store::evidence(&mut connection, id).await?;
    let known = store::facts_of(&mut connection, id, id).await?;
    Ok(Json(DeviceEvidence {
        identity: identity
            .into_iter()
            .map(|row| IdentityRow {
                sensor: row.sensor,
                kind: row.kind,
                value: row.value,
                valid_from: row.valid_from,
                valid_to: row.valid_to,
                last_seen: row.last_seen,
            })
            .collect(),
        known: known.into_iter().map(KnownView::from).collect(),
    }))
}

impl From<Known> for KnownView {
    fn from(known: Known) -> Self {
        Self {
            sensor: known.sensor,
            kind: known.guess.kind.words().to_owned(),
            confidence: known.guess.confidence,
            reasons: known
                .guess
                .reasons
                .into_iter()
                .map(|reason| KindReason { text: reason.text, weight: reason.weight })
                .collect(),
            maker: known.maker,
            mac_is_private: known.facts.mac_is_private(),
            beyond: known.facts.beyond,
            facts: rows(&known.facts),
        }
    }
}

fn rows(facts: &DeviceFacts) -> Vec<FactRow> {
    let row = |what: &str, value: String, first_us: i64, last_us: i64| FactRow {
        what: what.to_owned(),
        value,
        first_seen: Timestamp::from_micros(first_us),
        last_seen: Timestamp::from_micros(last_us),
    };
    let names = facts.names.iter().map(|name| {
        let what = match name.value.0 {
            NameSource::Dhcp => "name (DHCP)",
            NameSource::Mdns => "name (multicast DNS)",
            NameSource::Dns => "name (DNS)",
        };
        row(what, name.value.1.clone(), name.first_us, name.last_us)
    });
    let services = [("offers", &facts.offers), ("uses", &facts.uses)];
    let services = services.into_iter().flat_map(|(what, services)| {
        services.iter().map(move |service| {
            let transport = if service.value.transport == 6 { "TCP" } else { "UDP" };
            let spoken = service
                .value
                .protocol
                .as_ref()
                .map_or_else(String::new, |name| format!(" ({name})"));
            let value = format!("{transport} port {}{spoken}", service.value.port);
            row(what, value, service.first_us, service.last_us)
        })
    });
    let hints = facts.hints.iter().map(|hint| {
        let what = match hint.value.kind {
            HintKind::DhcpVendor => "DHCP vendor class",
            HintKind::DhcpParameters => "DHCP parameter list",
            HintKind::MdnsService => "service told (multicast DNS)",
            HintKind::SsdpTarget => "kind told (UPnP)",
            HintKind::SsdpServer => "product told (UPnP)",
            HintKind::UserAgent => "HTTP user agent",
            HintKind::Ssh => "SSH software",
            HintKind::Ja4 => "TLS fingerprint (JA4)",
            HintKind::ServerName => "TLS server asked for",
            HintKind::MqttClient => "MQTT client name",
            HintKind::Model => "product told (multicast DNS)",
            HintKind::ServiceName => "name of a service (multicast DNS)",
            HintKind::HomekitCategory => "HomeKit category",
            HintKind::MatterType => "Matter device type",
            HintKind::HttpPath => "HTTP path asked for",
        };
        row(what, hint.value.text.clone(), hint.first_us, hint.last_us)
    });
    let asked = facts.asked.iter().map(|asked| {
        let what = match asked.value.by {
            AskedBy::Dns => "asks for (DNS)",
            AskedBy::Tls => "asks for (TLS)",
            AskedBy::Http => "asks for (HTTP)",
        };
        row(what, asked.value.name.clone(), asked.first_us, asked.last_us)
    });
    let sent = (facts.sent.frames > 0).then(|| {
        let Sent { frames, bytes, spans, .. } = facts.sent;
        let value = format!("{frames} frames, {bytes} bytes in {spans} spans of ten seconds");
        row("sent", value, facts.first_us, facts.last_us)
    });
    names.chain(services).chain(asked).chain(hints).chain(sent).collect()
}
