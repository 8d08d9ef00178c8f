//! Follows the loop through the API. Headless it answers as the CERT's duty officer and ends with a
//! report; beside a browser it only answers when nobody else has.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::layout::{Layout, Side};
use super::report::Report;
use super::{DEVICE_MAC, End};
use crate::api::Api;
use crate::arguments::Demo;
use crate::output::Failure;

/// What the recorded device is called in the story of the demonstration.
const DEVICE_NAME: &str = "Stop 7 passenger counter";
const DEVICE_PLACE: &str = "Harbour line, stop 7 (demonstration)";
/// Pause between two looks.
const LOOK_EVERY_MS: u64 = 200;

pub(super) async fn walk(layout: &Layout, demo: &Demo) -> Result<End, Failure> {
    let walker = Walker {
        operator: Api::running(&layout.data(Side::Operator))?,
        cert: Api::running(&layout.data(Side::Cert))?,
    };
    let deadline = Instant::now() + Duration::from_secs(demo.timeout_s);
    let mut waiting_since: Option<Instant> = None;
    let mut named = false;
    loop {
        tokio::time::sleep(Duration::from_millis(LOOK_EVERY_MS)).await;
        if !named {
            named = walker.name_device().await.unwrap_or(false);
        }
        // A node may be restarting: what cannot be read now is read at the next look.
        if let Ok(Some(waiting)) = walker.unanswered().await {
            let since = *waiting_since.get_or_insert_with(Instant::now);
            let patience = Duration::from_secs(demo.answer_after_s);
            if demo.headless || since.elapsed() > patience {
                let _ = walker.answer(&waiting).await;
                waiting_since = None;
            }
        }
        if !demo.headless {
            continue;
        }
        let report = walker.look().await.unwrap_or_default().finish();
        if report.complete() || Instant::now() > deadline {
            return Ok(End::Report(Box::new(report)));
        }
    }
}

struct Walker {
    operator: Api,
    cert: Api,
}

impl Walker {
    /// Gives the recorded device the name that an operator would give it; true once it has one.
    async fn name_device(&self) -> Result<bool, Failure> {
        let devices = self.operator.get("/api/v1/devices").await?;
        let Some(device) = items(&devices).iter().find(|device| device["mac"] == DEVICE_MAC) else {
            return Ok(false);
        };
        if device["name"] == DEVICE_MAC {
            let path = format!("/api/v1/devices/{}", device["id"].as_str().unwrap_or_default());
            let body = json!({ "name": DEVICE_NAME, "place": DEVICE_PLACE });
            self.operator.patch(&path, &body).await?;
        }
        Ok(true)
    }

    /// A received incident that nobody at the CERT has acknowledged.
    async fn unanswered(&self) -> Result<Option<String>, Failure> {
        let incidents = self.cert.get("/api/v1/incidents?state=open").await?;
        let waiting = items(&incidents)
            .iter()
            .find(|incident| incident["acknowledged_by"].is_null())
            .and_then(|incident| incident["id"].as_str().map(ToOwned::to_owned));
        Ok(waiting)
    }

    async fn answer(&self, incident: &str) -> Result<(), Failure> {
        let body = json!({ "text": "Received; we watch for the same controllers elsewhere. (Answered by the demonstration's duty officer.)" });
        self.cert.post(&format!("/api/v1/incidents/{incident}/acknowledge"), &body).await?;
        Ok(())
    }

    async fn look(&self) -> Result<Report, Failure> {
        let mut report = Report::default();
        let incidents = self.operator.get("/api/v1/incidents?state=all").await?;
        let Some(incident) = items(&incidents).last().cloned() else { return Ok(report) };
        let id = incident["id"].as_str().unwrap_or_default().to_owned();
        let whole = self.operator.get(&format!("/api/v1/incidents/{id}")).await?;
        report.finding = whole["findings"].as_array().and_then(|all| all.first()).map(|finding| {
            pick(
                finding,
                &["id", "title", "kind", "severity", "score", "first_at", "recorded_at", "why"],
            )
        });
        report.incident =
            Some(pick(&incident, &["id", "title", "state", "severity", "event_at", "recorded_at"]));

        let runs = self.operator.get(&format!("/api/v1/runs?incident={id}")).await?;
        report.run = items(&runs)
            .iter()
            .find(|run| matches!(run["state"].as_str(), Some("succeeded" | "failed" | "cancelled")))
            .map(|run| pick(run, &["id", "name", "state", "started_at", "ended_at"]));

        report.enforcement = self.enforcement().await?;
        report.share = self.share(&id).await?;
        report.acknowledgement = self.acknowledgement(&id).await?;
        if report.acknowledgement.is_some() {
            report.ledger = self.ledger().await?;
        }
        Ok(report)
    }

    /// The block, once it is seen to work, or said plainly not to be enforced.
    async fn enforcement(&self) -> Result<Option<Value>, Failure> {
        let orders = self.operator.get("/api/v1/orders").await?;
        let Some(order) = items(&orders).iter().find(|order| order["verb"] == "block").cloned()
        else {
            return Ok(None);
        };
        let mut view = pick(&order, &["key", "requested_at", "done_at", "lifts_at"]);
        match order["outcome"]["outcome"].as_str() {
            Some("done") => {
                let seen = &order["seen"];
                if seen["dropped_after"].as_u64().unwrap_or(0) == 0 {
                    return Ok(None);
                }
                for field in ["forwarded_before", "forwarded_after", "dropped_after"] {
                    view[field] = seen[field].clone();
                }
            }
            Some("not_enforced") => view["not_enforced"] = order["outcome"]["reason"].clone(),
            _ => return Ok(None),
        }
        Ok(Some(view))
    }

    async fn share(&self, incident: &str) -> Result<Option<Value>, Failure> {
        let shares = self.operator.get(&format!("/api/v1/shares?incident={incident}")).await?;
        let Some(share) = items(&shares).first().cloned() else { return Ok(None) };
        let verified = share["receipt"]["verified"].as_bool();
        if share["decision"]["allowed"].as_bool() == Some(true) && verified.is_none() {
            return Ok(None);
        }
        let mut view =
            pick(&share, &["id", "state", "tlp", "decided_at", "delivered_at", "objects"]);
        view["decision"] = share["decision"].clone();
        view["receipt_verified"] = json!(verified.unwrap_or(false));
        Ok(Some(view))
    }

    async fn acknowledgement(&self, incident: &str) -> Result<Option<Value>, Failure> {
        let shares = self.operator.get(&format!("/api/v1/shares?incident={incident}")).await?;
        let answer = items(&shares).iter().find_map(|share| {
            let answer = share.get("answer").filter(|answer| !answer.is_null())?;
            let mut view = answer.clone();
            view["share"] = share["id"].clone();
            Some(view)
        });
        Ok(answer)
    }

    async fn ledger(&self) -> Result<Option<Value>, Failure> {
        let verified = self.operator.post("/api/v1/ledger/verify", &json!({})).await?;
        let head = self.operator.get("/api/v1/ledger").await?;
        Ok(Some(json!({
            "entries": verified["entries"],
            "verified": verified["verified"],
            "root": head["root"],
            "signed_at": head["signed_at"],
        })))
    }
}

fn items(answer: &Value) -> &[Value] {
    answer["items"].as_array().or_else(|| answer.as_array()).map_or(&[], Vec::as_slice)
}

fn pick(value: &Value, fields: &[&str]) -> Value {
    Value::Object(fields.iter().map(|field| ((*field).to_owned(), value[*field].clone())).collect())
}
