//! `GET /taxii2/`: server discovery (§4.1).

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use platform::http::Caller;
use serde::Serialize;
use utoipa::ToSchema;

use super::media::{Accepts, taxii};
use super::{API_ROOT, TaxiiError, rights};
use crate::room::Cti;

/// What the server offers.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = TaxiiDiscovery)]
pub(crate) struct Discovery {
    /// Title.
    title: String,
    /// Description.
    description: String,
    /// The API root to begin with.
    default: String,
    /// All API roots.
    api_roots: Vec<String>,
}

/// Server discovery.
#[utoipa::path(get, path = "/taxii2/", tag = "taxii", responses(
    (status = 200, description = "TAXII discovery", body = Discovery,
        content_type = "application/taxii+json;version=2.1"),
    (status = 401, body = TaxiiError), (status = 406, body = TaxiiError)))]
pub(crate) async fn discovery(
    _: Accepts,
    State(cti): State<Cti>,
    caller: Caller,
) -> Result<Response, TaxiiError> {
    let known = cti.catalogue().known(&cti).await?;
    let mut api_roots = Vec::new();
    for root in &known.roots {
        if rights::sees(&caller, root) || rights::granted_in(&cti, &caller, &root.name).await? {
            api_roots.push(format!("/taxii2/{}/", root.name));
        }
    }
    let body = Discovery {
        title: format!("{} threat intelligence", cti.platform().node.name),
        description: "Shared incidents and their acknowledgements, STIX 2.1 over TAXII 2.1".into(),
        default: API_ROOT.into(),
        api_roots,
    };
    Ok(taxii(StatusCode::OK, &body))
}
