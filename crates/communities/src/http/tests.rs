//! `GET` and `PUT /api/v1/sharing/tests`: what the policies must answer.

use axum::Json;
use axum::extract::State;
use platform::http::{Json as Body, Page, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::policy::trial::{Trial, Tried};
use crate::room::Communities;

/// A test and how it goes now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SharingTestRun {
    /// The test.
    test: Trial,
    /// How it goes.
    result: Tried,
}

/// All tests.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SharingTests {
    /// The tests; those that are not here are forgotten.
    tests: Vec<Trial>,
}

/// The tests, run against the policies in force.
#[utoipa::path(get, path = "/api/v1/sharing/tests", tag = "sharing", responses(
    (status = 200, description = "Tests, by name", body = Page<SharingTestRun>)))]
pub(crate) async fn run(
    State(room): State<Communities>,
) -> Result<Json<Page<SharingTestRun>>, Problem> {
    let tried = room.try_policies().await?;
    let runs = tried.into_iter().map(|(test, result)| SharingTestRun { test, result });
    Ok(Json(Page::whole(runs.collect())))
}

/// Keeps these tests in place of all others and runs them.
#[utoipa::path(put, path = "/api/v1/sharing/tests", tag = "sharing", request_body = SharingTests, responses(
    (status = 200, description = "Tests, by name", body = Page<SharingTestRun>),
    (status = 422, description = "One cannot be", body = Problem)))]
pub(crate) async fn put(
    State(room): State<Communities>,
    Body(request): Body<SharingTests>,
) -> Result<Json<Page<SharingTestRun>>, Problem> {
    room.put_tests(request.tests).await?;
    run(State(room)).await
}
