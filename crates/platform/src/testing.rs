//! A platform in a temporary folder, for the tests of rooms.

use std::path::Path;
use std::sync::Arc;

use model::id::TypedId;
use model::{NodeId, Timestamp};

use crate::Platform;
use crate::config::NodeIdentity;
use crate::data::DataFolder;
use crate::db::{Db, RoomMigrations};
use crate::keys::NodeKey;
use crate::system::{SystemClock, SystemRandom};

/// A platform over `folder` with the real clock.
///
/// # Errors
/// The folder or the database cannot be opened.
pub async fn platform(
    folder: &Path,
    rooms: &[RoomMigrations],
) -> Result<Platform, Box<dyn std::error::Error + Send + Sync>> {
    let data = DataFolder::open(folder)?;
    let clock = Arc::new(SystemClock);
    let random = Arc::new(SystemRandom);
    let db = Db::open(&data.database(), rooms, clock.clone(), random.clone()).await?;
    let signer = NodeKey::open(&data, random.as_ref())?;
    Ok(Platform {
        db,
        clock,
        random,
        live: crate::live::Live::default(),
        signer: Arc::new(signer),
        data: Arc::new(data),
        node: NodeIdentity {
            id: NodeId::mint(Timestamp::from_secs(1_700_000_000), [1; 10]),
            name: "Test Node".into(),
            kind: "operator".into(),
        },
        tasks: crate::tasks::Tasks::default(),
    })
}
