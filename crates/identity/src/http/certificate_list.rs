//! `GET /api/v1/certificates`: client certificates of programs.

use axum::extract::{Query, State};
use model::{CertificateId, Timestamp};
use platform::http::{Json, Page, PageQuery, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::store::certificates::{self, Certificate};
use crate::{Identity, IdentityError};

/// A client certificate as people may see it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CertificateView {
    /// Its id.
    #[schema(value_type = String)]
    id: CertificateId,
    /// Whose it is.
    label: String,
    /// Its roles.
    roles: Vec<String>,
    /// Its rights on single things.
    grants: Vec<String>,
    /// What the other organisation is called that it is for; absent: it is of the house.
    #[serde(rename = "for")]
    organisation: Option<String>,
    /// SHA-256 of the certificate, hex.
    fingerprint: String,
    /// Its serial number, hex.
    serial: String,
    /// Who made it.
    made_by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it ends by itself.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// When it was revoked.
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
    /// `in force`, `expired` or `revoked`.
    state: &'static str,
}

fn view(row: Certificate, organisation: Option<String>, now: Timestamp) -> CertificateView {
    CertificateView {
        id: row.id,
        label: row.label,
        roles: row.roles,
        grants: row.grants,
        organisation,
        fingerprint: row.fingerprint,
        serial: row.serial,
        made_by: row.made_by,
        created_at: row.recorded_at,
        expires_at: row.expires_at,
        revoked_at: row.revoked_at,
        state: match row.revoked_at {
            Some(_) => "revoked",
            None if row.expires_at <= now => "expired",
            None => "in force",
        },
    }
}

/// Client certificates, newest first, revoked and expired ones too.
#[utoipa::path(get, path = "/api/v1/certificates", tag = "identity", params(PageQuery),
    responses((status = 200, body = Page<CertificateView>)))]
pub(crate) async fn list(
    State(identity): State<Identity>,
    Query(paging): Query<PageQuery>,
) -> Result<Json<Page<CertificateView>>, Problem> {
    let (limit, now) = (paging.limit(), identity.platform().now());
    let mut sql = identity.platform().db.read().await?;
    let found = certificates::list(&mut sql, paging.after()?, i64::from(limit) + 1).await;
    let found = found.map_err(IdentityError::from)?;
    drop(sql);
    let mut items = Vec::with_capacity(found.len());
    for row in found {
        let organisation = identity.called(row.recipient).await;
        items.push(view(row, organisation, now));
    }
    Ok(Json(Page::from_surplus(items, limit, |row: &CertificateView| row.id.to_string())))
}
