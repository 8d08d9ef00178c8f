//! Asks every room how it is, and adds what belongs to none.

use async_trait::async_trait;
use platform::Platform;
use platform::health::{Component, Health};

use super::Rooms;
use crate::http::HealthSource;

/// All rooms.
pub(super) struct All {
    platform: Platform,
    rooms: Rooms,
}

impl All {
    pub(super) fn new(platform: &Platform, rooms: &Rooms) -> Self {
        Self { platform: platform.clone(), rooms: rooms.clone() }
    }

    async fn bus(&self) -> Component {
        match platform::bus::dead_facts(&self.platform.db).await {
            Ok(0) => Component::ok("facts", "every fact was taken by every room"),
            Ok(count) => Component::not_ok(
                "facts",
                Health::Failed,
                format!("{count} facts were set aside because a room could not take them"),
                "The node's log names them; report the fault. They are kept in platform_dead_facts.",
            ),
            Err(error) => Component::not_ok(
                "database",
                Health::Failed,
                error.to_string(),
                "Check the disk of the data folder.",
            ),
        }
    }
}

#[async_trait]
impl HealthSource for All {
    async fn components(&self) -> Vec<Component> {
        let rooms = &self.rooms;
        let mut all = vec![self.bus().await, console()];
        all.extend(super::machine::components(&self.platform).await);
        all.extend(rooms.identity.health().await);
        all.extend(rooms.accountability.health().await);
        all.extend(rooms.assets.health().await);
        all.extend(rooms.detection.health().await);
        all.extend(rooms.gateway.health().await);
        all.extend(rooms.incidents.health().await);
        all.extend(rooms.cti.health().await);
        all.extend(rooms.knowledge.health().await);
        all.extend(rooms.feedhub.health().await);
        all.extend(rooms.federation.health().await);
        all.extend(rooms.communities.health().await);
        all.extend(rooms.playbooks.health().await);
        all.extend(rooms.webhooks.health().await);
        all.extend(rooms.recovery.health().await);
        all.extend(rooms.backups.health());
        all
    }

    async fn first_run(&self) -> bool {
        self.rooms.identity.first_run().await.unwrap_or(false)
    }
}

fn console() -> Component {
    if web::built() {
        return Component::ok("console", "built into this program");
    }
    Component::not_ok(
        "console",
        Health::Degraded,
        "this program was built without the console",
        "Build it: `make console`, then build the program again.",
    )
}
