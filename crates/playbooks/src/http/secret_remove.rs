//! `DELETE /api/v1/secrets/{name}`: forgets a credential.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use model::event::SecretChanged;
use platform::http::{Caller, Problem};

use crate::store::secrets;
use crate::{Playbooks, PlaybooksError};

/// Forgets a credential. Playbooks that name it fail from then on.
#[utoipa::path(delete, path = "/api/v1/secrets/{name}", tag = "playbooks",
    params(("name" = String, Path, description = "The name playbooks use")),
    responses((status = 204), (status = 404, body = Problem)))]
pub(crate) async fn remove(
    State(room): State<Playbooks>,
    Path(name): Path<String>,
    caller: Caller,
) -> Result<StatusCode, Problem> {
    let (gone, by) = (name.clone(), caller.name.clone());
    let found: Result<bool, PlaybooksError> = room
        .platform()
        .db
        .write(move |tx| {
            Box::pin(async move {
                let found = secrets::remove(tx.sql(), &gone).await?;
                if found {
                    let (what, hosts) = ("removed".into(), vec![]);
                    let fact = SecretChanged { name: gone, what, hosts, by: by.clone() };
                    tx.publish(&by, &fact).await?;
                }
                Ok(found)
            })
        })
        .await;
    if !found? {
        let shown: String = name.chars().take(64).collect();
        return Err(Problem::not_found(format!("secret '{shown}'")));
    }
    tracing::info!(secret = %name, by = %caller.name, "a secret was removed");
    Ok(StatusCode::NO_CONTENT)
}
