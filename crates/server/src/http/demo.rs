//! `POST /api/v1/demo/remove`: asks the demonstration's supervisor to stop and delete everything.

use axum::extract::State;
use axum::http::StatusCode;
use platform::http::Problem;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;

use super::NodeState;

/// Stops both demonstration nodes and deletes their data folders.
#[utoipa::path(post, path = "/api/v1/demo/remove", tag = "node",
    responses((status = 202), (status = 409, body = Problem)))]
pub async fn remove(State(state): State<NodeState>) -> Result<StatusCode, Problem> {
    let Some(supervisor) = &state.demo.supervisor else {
        return Err(Problem::conflict("This node is not part of a demonstration.")
            .remedy("Nothing to remove."));
    };
    let ask = async {
        let mut stream = UnixStream::connect(supervisor).await?;
        stream.write_all(b"remove\n").await
    };
    ask.await.map_err(|cause| {
        Problem::conflict(format!("The demonstration's supervisor does not answer: {cause}"))
            .remedy("Stop the processes, then run `sereno demo remove --data DIR`.")
    })?;
    Ok(StatusCode::ACCEPTED)
}
