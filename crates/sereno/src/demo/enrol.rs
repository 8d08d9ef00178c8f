//! Introduces the two nodes to each other and opens their doors, through the same API that people use.

use serde_json::{Value, json};

use super::layout::{Layout, Side};
use crate::api::Api;
use crate::output::Failure;

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

/// A token per node. It stands behind the `#`, which browsers never send; the page trades it for a
/// session.
pub(super) async fn open_doors(layout: &Layout) -> Result<Doors, Failure> {
    let operator = door(layout, Side::Operator).await?;
    let cert = door(layout, Side::Cert).await?;
    Ok(Doors { operator, cert })
}

async fn door(layout: &Layout, side: Side) -> Result<String, Failure> {
    let api = Api::running(&layout.data(side))?;
    let body = json!({ "role": "administrator", "label": "demonstration" });
    let made = api.post("/api/v1/tokens", &body).await?;
    let token = made.get("token").and_then(Value::as_str).unwrap_or_default();
    Ok(format!("{}/#enter={token}", layout.console_url(side)))
}
