//! `GET /api/v1/tokens`: tokens without their secrets.

use axum::extract::{Query, State};
use model::{Timestamp, TokenId};
use platform::http::{Json, Page, PageQuery, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::store::access::{self, Token};
use crate::{Identity, IdentityError};

/// A token as people may see it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenView {
    /// Its id.
    #[schema(value_type = String)]
    id: TokenId,
    /// What it is for.
    label: String,
    /// Its roles.
    roles: Vec<String>,
    /// Its rights on single things.
    grants: Vec<String>,
    /// What the other organisation is called that it is for; absent: it is of the house.
    #[serde(rename = "for")]
    organisation: Option<String>,
    /// Who made it.
    made_by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it ends by itself.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// When it was revoked.
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
}

impl TokenView {
    fn new(token: Token, organisation: Option<String>) -> Self {
        Self {
            organisation,
            id: token.id,
            label: token.label,
            roles: token.roles,
            grants: token.grants,
            made_by: token.made_by,
            created_at: token.recorded_at,
            expires_at: token.expires_at,
            revoked_at: token.revoked_at,
        }
    }
}

/// Tokens, newest first, revoked ones too.
#[utoipa::path(get, path = "/api/v1/tokens", tag = "identity", params(PageQuery),
    responses((status = 200, body = Page<TokenView>)))]
pub(crate) async fn list(
    State(identity): State<Identity>,
    Query(paging): Query<PageQuery>,
) -> Result<Json<Page<TokenView>>, Problem> {
    let limit = paging.limit();
    let mut sql = identity.platform().db.read().await?;
    let found = access::tokens(&mut sql, paging.after()?, i64::from(limit) + 1).await;
    let found = found.map_err(IdentityError::from)?;
    drop(sql);
    let mut items = Vec::with_capacity(found.len());
    for token in found {
        let organisation = identity.called(token.recipient).await;
        items.push(TokenView::new(token, organisation));
    }
    Ok(Json(Page::from_surplus(items, limit, |token: &TokenView| token.id.to_string())))
}
