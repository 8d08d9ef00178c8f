//! API tokens: `sereno_ID_SECRET`. The secret is shown once; its SHA-256 is kept.

use model::event::AccessNoted;
use model::id::TypedId;
use model::{Timestamp, TokenId};
use platform::http::{Caller, CallerKind};
use subtle::ConstantTimeEq;

use crate::error::IdentityError;
use crate::store::access::{self, Token};
use crate::users::{checked_name, digest, roles_beside};
use crate::{Identity, ROLES};

/// Tokens in force at most.
pub(crate) const MAX_TOKENS: i64 = 1_000;
/// Grants of a token at most.
pub(crate) const MAX_GRANTS: usize = 50;
/// Characters of a grant.
pub(crate) const MAX_GRANT_CHARS: usize = 100;
const PREFIX: &str = "sereno_";

/// What a token shall be.
#[derive(Clone, Debug, Default)]
pub struct TokenRequest {
    /// Its role, one of [`ROLES`].
    pub role: String,
    /// What it is for.
    pub label: String,
    /// Rights on single things, `ID:read` or `ID:write`; with grants it has those and no others.
    pub grants: Vec<String>,
    /// The other organisation it is for, by name or id; what it reads is judged for that one.
    pub organisation: Option<String>,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
}

/// A token just made.
#[derive(Clone)]
pub struct NewToken {
    /// Its id.
    pub id: TokenId,
    /// The whole text, shown once.
    pub token: String,
}

impl Identity {
    /// Makes a token.
    ///
    /// # Errors
    /// Unknown role, unusable label, grant or date, too many tokens, or the database said no.
    pub async fn create_token(
        &self,
        by: &Caller,
        request: TokenRequest,
    ) -> Result<NewToken, IdentityError> {
        if !ROLES.contains(&request.role.as_str()) {
            return Err(IdentityError::Invalid(format!(
                "'{}' is no role; roles are {}",
                request.role,
                ROLES.join(", ")
            )));
        }
        let label = checked_name("a label", &request.label)?;
        check_grants(&request.grants)?;
        let named = self.stands_for(request.organisation.as_deref(), &request.role).await?;
        let now = self.platform().now();
        if request.expires_at.is_some_and(|at| at <= now) {
            return Err(IdentityError::Invalid("expires_at lies in the past".into()));
        }
        let id: TokenId = self.platform().mint();
        let secret = self.random_hex();
        let token = Token {
            id,
            digest: digest(&secret),
            label,
            roles: vec![request.role],
            grants: request.grants,
            recipient: named.as_ref().map(|named| named.recipient),
            made_by: by.name.clone(),
            recorded_at: now,
            expires_at: request.expires_at,
            revoked_at: None,
        };
        let actor = by.name.clone();
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    if access::count_tokens(tx.sql()).await? >= MAX_TOKENS {
                        let text = format!("there are {MAX_TOKENS} tokens, the limit; revoke some");
                        return Err(IdentityError::Conflict(text));
                    }
                    access::insert_token(tx, &token).await?;
                    let role = token.roles.join(", ");
                    let mut detail =
                        format!("token {} “{}” with role {role}", token.id, token.label);
                    if let Some(named) = &named {
                        detail.push_str(&format!(" for {}", named.name));
                    }
                    let note =
                        AccessNoted { what: "token_created".into(), who: actor.clone(), detail };
                    tx.publish(&actor, &note).await?;
                    Ok(())
                })
            })
            .await?;
        Ok(NewToken { id, token: format!("{PREFIX}{}_{secret}", id.uuid().simple()) })
    }

    /// Makes a token worthless.
    ///
    /// # Errors
    /// No such token, or the database said no. Revoking twice is "not found".
    pub async fn revoke_token(&self, by: &Caller, id: TokenId) -> Result<(), IdentityError> {
        let actor = by.name.clone();
        let revoked = self
            .platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    if !access::revoke_token(tx, id).await? {
                        return Err(IdentityError::NotFound(format!("token {id}")));
                    }
                    let detail = format!("token {id}");
                    let note =
                        AccessNoted { what: "token_revoked".into(), who: actor.clone(), detail };
                    tx.publish(&actor, &note).await?;
                    Ok(())
                })
            })
            .await;
        self.inner.tokens.clear();
        revoked
    }

    /// A token as stored; at hand when it was asked for since the last revocation.
    async fn stored_token(&self, id: TokenId) -> Result<Option<Token>, IdentityError> {
        let (known, change) = self.inner.tokens.get(&id);
        if known.is_some() {
            return Ok(known);
        }
        let mut sql = self.platform().db.read().await?;
        let found = access::token(&mut sql, id).await?;
        if let Some(token) = &found {
            self.inner.tokens.keep(change, id, token.clone());
        }
        Ok(found)
    }

    /// Who holds a token, or why it opens nothing; the reason never says more than the holder knows.
    pub(crate) async fn token_caller(
        &self,
        text: &str,
    ) -> Result<Result<Caller, (String, &'static str)>, IdentityError> {
        let nobody = |why| Ok(Err(("a token".to_owned(), why)));
        let Some((id, secret)) = parts(text) else {
            return nobody("this is no token of this node");
        };
        let Some(token) = self.stored_token(id).await? else {
            return nobody("this is no token of this node");
        };
        let known = token.digest.as_bytes();
        if !bool::from(digest(secret).as_bytes().ct_eq(known)) {
            return nobody("this is no token of this node");
        }
        let name = format!("token {}", token.label);
        if token.revoked_at.is_some() {
            return Ok(Err((name, "the token was revoked")));
        }
        if token.expires_at.is_some_and(|at| at <= self.platform().now()) {
            return Ok(Err((name, "the token has expired")));
        }
        let (id, grants) = (token.id.to_string(), token.grants);
        let roles = roles_beside(&grants, token.roles);
        let outside = token.recipient;
        Ok(Ok(Caller { kind: CallerKind::Token, id, name, roles, grants, outside }))
    }
}

fn parts(text: &str) -> Option<(TokenId, &str)> {
    let (id, secret) = text.trim().strip_prefix(PREFIX)?.split_once('_')?;
    Some((id.parse().ok()?, secret))
}

pub(crate) fn check_grants(grants: &[String]) -> Result<(), IdentityError> {
    if grants.len() > MAX_GRANTS {
        let text = format!("{} grants; the limit is {MAX_GRANTS}", grants.len());
        return Err(IdentityError::Invalid(text));
    }
    let fits = |grant: &&String| {
        grant.chars().count() <= MAX_GRANT_CHARS
            && grant
                .rsplit_once(':')
                .is_some_and(|(id, right)| !id.is_empty() && matches!(right, "read" | "write"))
    };
    match grants.iter().find(|grant| !fits(grant)) {
        None => Ok(()),
        Some(wrong) => Err(IdentityError::Invalid(format!(
            "'{}' is no grant; a grant is COLLECTION:read or COLLECTION:write",
            crate::note::clean(wrong)
        ))),
    }
}
