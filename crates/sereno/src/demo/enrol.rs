//! Introduces the two nodes to each other and opens their doors, through the same API that people use.

use platform::data::DataFolder;
use platform::system::SystemRandom;
use serde_json::json;

use super::layout::{Layout, Side};
use crate::api::Api;
use crate::output::Failure;

/// Who signs in by the links.
const DUTY_OFFICER: &str = "Duty officer";

/// Links that sign the duty officers in.
pub(super) struct Doors {
    pub(super) operator: String,
    pub(super) cert: String,
}

/// The CERT invites, the operator joins; once.
pub(super) async fn introduce(layout: &Layout) -> Result<(), Failure> {
    let operator = Api::running(&layout.data(Side::Operator))?;
    let peers = operator.get("/api/v1/peers").await?;
    if peers["items"].as_array().is_some_and(|items| !items.is_empty()) {
        return Ok(());
    }
    let cert = Api::running(&layout.data(Side::Cert))?;
    let body = json!({ "name": Side::Operator.name(), "kind": "operator" });
    let invitation = cert.post("/api/v1/peers/invitations", &body).await?;
    operator.post("/api/v1/peers/join", &invitation).await?;
    Ok(())
}

/// A duty officer per node. Name and password stand behind the `#` of the link, which browsers never
/// send; the page trades them for a session.
pub(super) async fn open_doors(layout: &Layout) -> Result<Doors, Failure> {
    let operator = door(layout, Side::Operator).await?;
    let cert = door(layout, Side::Cert).await?;
    Ok(Doors { operator, cert })
}

async fn door(layout: &Layout, side: Side) -> Result<String, Failure> {
    let data = DataFolder::beside(&layout.data(side));
    let password = data
        .secret_hex("duty-officer", 16, &SystemRandom)
        .map_err(|cause| Failure::new(cause.to_string()))?;
    let api = Api::running(&layout.data(side))?;
    let node = api.get("/api/v1/node").await?;
    if node["first_run"].as_bool() == Some(true) {
        let body = json!({
            "organisation": side.name(), "name": DUTY_OFFICER, "password": password,
        });
        api.post("/api/v1/first-run", &body).await?;
    }
    let name = DUTY_OFFICER.replace(' ', "%20");
    Ok(format!("{}/#enter={name}:{password}", layout.console_url(side)))
}
