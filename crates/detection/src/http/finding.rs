//! `GET /api/v1/findings/{id}`: one finding.

use analytics::metrics::Metric;
use axum::extract::{Path, State};
use model::{AttackKind, DeviceId, Finding, FindingId, Severity, Timestamp};
use platform::http::{Json, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Detection;
use crate::error::DetectionError;
use crate::finding::explanation;
use crate::machines::evidence::UnusualCommand;
use crate::store;

/// One line of an explanation.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ReasonView {
    /// Metric name, e.g. `syn_out`.
    metric: String,
    /// In plain words.
    meaning: String,
    /// Measured, in the metric's unit.
    measured: f64,
    /// Expected by the judge, same unit.
    expected: f64,
    /// `range` or `network`.
    judge: String,
    /// Error divided by its threshold.
    ratio: f64,
}

/// A remote party seen in alerting windows.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct EvidenceView {
    /// The remote address.
    peer: String,
    /// `tcp`, `udp`, `icmp` …
    protocol: String,
    /// The service port, where the protocol has one.
    port: Option<u16>,
    /// Packets exchanged in alerting windows.
    packets: u64,
    /// True when this party was never seen in training.
    new: bool,
}

/// A technique the evidence supports.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct TechniqueView {
    /// `mitre-attack`, `mitre-ics-attack` or `mitre-atlas`.
    framework: String,
    /// External id, e.g. `T1571`.
    id: String,
    /// Name as published.
    name: String,
}

/// A detector's judgement about a device.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct FindingView {
    /// Identity.
    #[schema(value_type = String)]
    pub(crate) id: FindingId,
    /// The device judged.
    #[schema(value_type = String)]
    device: DeviceId,
    /// Its name at the time.
    device_name: String,
    /// The address it used.
    device_address: String,
    /// Its MAC address, where seen.
    device_mac: Option<String>,
    /// `aarnn` or `range`.
    detector: String,
    /// SHA-256 of the model file.
    model: String,
    /// One sentence.
    title: String,
    /// `scan`, `flood`, `command_and_control`, `brute_force`, `exfiltration`, `lateral_movement`,
    /// `false_command`, `replay`, `man_in_the_middle`, `model_attack` or `anomaly`.
    #[schema(value_type = String)]
    kind: AttackKind,
    /// `low`, `medium`, `high` or `critical`.
    #[schema(value_type = String)]
    severity: Severity,
    /// Largest ratio of error to threshold.
    score: f64,
    /// Strongest reasons first.
    why: Vec<ReasonView>,
    /// Remote parties that carry the evidence.
    evidence: Vec<EvidenceView>,
    /// Techniques; may be empty.
    techniques: Vec<TechniqueView>,
    /// Packet time of the first alerting window's start.
    #[schema(value_type = String, format = DateTime)]
    first_at: Timestamp,
    /// Packet time of the last alerting window's end.
    #[schema(value_type = String, format = DateTime)]
    last_at: Timestamp,
    /// Alerting windows so far.
    windows: u64,
    /// When this node recorded it.
    #[schema(value_type = String, format = DateTime)]
    recorded_at: Timestamp,
    /// What, compared with what, since when: in plain words.
    explanation: String,
}

/// What a person said of a finding.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct JudgedView {
    /// `normal` or `attack`.
    verdict: String,
    /// Why.
    reason: String,
    /// Who.
    author: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// The packets kept with a finding.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct CaptureView {
    /// SHA-256 of the file.
    file: String,
    /// Its size.
    size_bytes: i64,
    /// Packets in it.
    packets: i64,
    /// Packet time of the first.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// Packet time of the last.
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
    /// Where they come from.
    source: String,
}

/// A finding with what belongs to it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct FindingDetail {
    #[serde(flatten)]
    finding: FindingView,
    /// The group it is in.
    group: Option<String>,
    /// The newest word of a person on it.
    feedback: Option<JudgedView>,
    /// Its packets, at `/api/v1/findings/{id}/capture`.
    capture: Option<CaptureView>,
    /// Unusual commands one by one, for findings of commands.
    commands: Vec<CommandView>,
    /// Unusual commands that are not listed, because they are too many.
    commands_beyond: u64,
    /// What else was counted in its strongest window and is not judged: pauses, names asked,
    /// messages of protocols, and the minute so far.
    counts: Vec<CountView>,
}

/// A count of a window that people are told.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct CountView {
    /// The metric's name, as in `docs/metrics.md`.
    metric: String,
    /// In plain words.
    meaning: String,
    /// The count.
    value: u64,
}

/// One unusual command.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct CommandView {
    /// In which way: `new_pair`, `unusual_function`, `unusual_object`, `unusual_value`,
    /// `unusual_step`, `unusual_rate`, `unusual_order` or `refused`.
    kind: String,
    /// Packet time of the first.
    #[schema(value_type = String, format = DateTime)]
    first_at: Timestamp,
    /// Packet time of the last.
    #[schema(value_type = String, format = DateTime)]
    last_at: Timestamp,
    /// How often it came.
    count: u64,
    /// Who sent it.
    from: String,
    /// Who received it.
    to: String,
    /// `modbus`, `iec104` …
    protocol: String,
    /// Unit behind the address.
    unit: u32,
    /// `request`, `response` or `report`.
    role: String,
    /// Function as the protocol numbers it.
    function: u16,
    /// Its name in the words of the field.
    name: String,
    /// `read`, `write`, `control`, `configure`, `diagnose` or `session`.
    effect: String,
    /// Points or name; empty for nothing in particular.
    object: String,
    /// The unusual value, or the first one carried.
    value: Option<f64>,
    /// Why it is unusual, in plain words.
    why: String,
    /// What training leads to expect.
    expected: String,
    /// Technique of ATT&CK for ICS.
    technique: Option<String>,
    /// Above 1 alerts.
    score: f64,
}

impl From<UnusualCommand> for CommandView {
    fn from(one: UnusualCommand) -> Self {
        Self {
            kind: one.kind.name().to_owned(),
            first_at: Timestamp::from_micros(one.first_us),
            last_at: Timestamp::from_micros(one.last_us),
            count: one.count,
            from: one.from.to_string(),
            to: one.to.to_string(),
            protocol: one.protocol,
            unit: one.unit,
            role: one.role,
            function: one.function,
            name: one.name,
            effect: one.effect,
            object: one.object,
            value: one.value,
            why: one.why,
            expected: one.expected,
            technique: one.technique,
            score: one.score,
        }
    }
}

impl From<Finding> for FindingView {
    fn from(finding: Finding) -> Self {
        let reason = |it: model::Reason| ReasonView {
            metric: it.metric,
            meaning: it.meaning,
            measured: it.measured,
            expected: it.expected,
            judge: it.judge,
            ratio: it.ratio,
        };
        let evidence = |it: model::Evidence| EvidenceView {
            peer: it.peer.to_string(),
            protocol: it.protocol,
            port: it.port,
            packets: it.packets,
            new: it.new,
        };
        let technique = |it: model::Technique| TechniqueView {
            framework: it.framework,
            id: it.id,
            name: it.name,
        };
        Self {
            explanation: explanation(&finding),
            id: finding.id,
            device: finding.device,
            device_name: finding.device_name,
            device_address: finding.device_address,
            device_mac: finding.device_mac,
            detector: finding.detector,
            model: finding.model,
            title: finding.title,
            kind: finding.kind,
            severity: finding.severity,
            score: finding.score,
            why: finding.why.into_iter().map(reason).collect(),
            evidence: finding.evidence.into_iter().map(evidence).collect(),
            techniques: finding.techniques.into_iter().map(technique).collect(),
            first_at: finding.first_at,
            last_at: finding.last_at,
            windows: finding.windows,
            recorded_at: finding.recorded_at,
        }
    }
}

/// One finding as it stands, with its group, what people said of it, and its packets.
#[utoipa::path(get, path = "/api/v1/findings/{id}", tag = "detection",
    params(("id" = String, Path, description = "The finding's id")),
    responses((status = 200, body = FindingDetail), (status = 404, body = Problem)))]
pub(crate) async fn finding(
    State(detection): State<Detection>,
    Path(id): Path<String>,
) -> Result<Json<FindingDetail>, Problem> {
    let missing =
        || Problem::not_found(format!("finding '{}'", id.chars().take(64).collect::<String>()));
    let parsed: FindingId = id.parse().map_err(|_| missing())?;
    let mut connection = detection.inner.platform.db.read().await.map_err(DetectionError::from)?;
    let found = store::findings::one(&mut connection, parsed).await?.ok_or_else(missing)?;
    let group = store::groups::of_finding(&mut connection, parsed).await?;
    let feedback = store::suppressions::feedback(&mut connection, parsed).await?;
    let capture = store::groups::capture(&mut connection, parsed).await?;
    let tally = store::findings::tally(&mut connection, parsed).await?;
    let (commands, commands_beyond, told) = tally
        .map_or_else(Default::default, |tally| (tally.commands, tally.commands_beyond, tally.told));
    let count = |(metric, value): (Metric, u64)| CountView {
        metric: metric.name().to_owned(),
        meaning: metric.describe().to_owned(),
        value,
    };
    Ok(Json(FindingDetail {
        commands: commands.into_iter().map(CommandView::from).collect(),
        commands_beyond,
        counts: told.into_iter().map(count).collect(),
        finding: found.into(),
        group: group.map(|group| group.id.to_string()),
        feedback: feedback.map(|(verdict, reason, author, at)| JudgedView {
            verdict,
            reason,
            author,
            at,
        }),
        capture: capture.map(|row| CaptureView {
            file: row.blob,
            size_bytes: row.bytes,
            packets: row.packets,
            from: row.from,
            to: row.to,
            source: row.source,
        }),
    }))
}
