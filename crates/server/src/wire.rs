//! Introduces the rooms to each other. Reads as the start-up order: folder, database, rooms from those
//! that need nobody to those that need many, background, doors.

mod doors;
mod health;
mod identity_row;
mod machine;
mod pulse;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use accountability::{Accountability, Pseudonyms};
use anyhow::Context;
use assets::Assets;
use axum::Router;
use backup::Backups;
use communities::Communities;
use cti::Cti;
use detection::Detection;
use federation::Federation;
use feedhub::Feedhub;
use gateway::Gateway;
use identity::Identity;
use incidents::Incidents;
use knowledge::Knowledge;
use metrics_exporter_prometheus::PrometheusHandle;
use misphub::Misphub;
use platform::Platform;
use platform::bus::Consumer;
use platform::config::{Config, ConfigError};
use platform::data::DataFolder;
use platform::db::{Db, RoomMigrations};
use platform::http::{Gate, RoomRouter};
use platform::jobs::JobHandler;
use platform::keys::NodeKey;
use platform::live::Live;
use platform::system::{SystemClock, SystemRandom};
use platform::tasks::Tasks;
use playbooks::Playbooks;
use recovery::Recovery;
use serde::Serialize;
use situation::Situation;
use webhooks::Webhooks;

use crate::config::{DemoConfig, NodeConfig, ServerConfig};
use crate::http::NodeState;
use crate::traffic::Numbers;
use crate::{app, http};

pub use doors::{Addresses, Ports};

/// The tables of all rooms, in the order in which they are made.
pub const MIGRATIONS: [RoomMigrations; 17] = [
    identity::MIGRATIONS,
    accountability::MIGRATIONS,
    assets::MIGRATIONS,
    detection::MIGRATIONS,
    gateway::MIGRATIONS,
    incidents::MIGRATIONS,
    intel::MIGRATIONS,
    cti::MIGRATIONS,
    misphub::MIGRATIONS,
    feedhub::MIGRATIONS,
    federation::MIGRATIONS,
    communities::MIGRATIONS,
    knowledge::MIGRATIONS,
    playbooks::MIGRATIONS,
    webhooks::MIGRATIONS,
    recovery::MIGRATIONS,
    situation::MIGRATIONS,
];

/// The sections of all rooms.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RoomConfigs {
    identity: identity::Config,
    accountability: accountability::Config,
    assets: assets::Config,
    detection: detection::Config,
    gateway: gateway::Config,
    incidents: incidents::Config,
    cti: cti::Config,
    knowledge: knowledge::Config,
    feedhub: feedhub::Config,
    federation: federation::Config,
    communities: communities::Config,
    playbooks: playbooks::Config,
    webhooks: webhooks::Config,
    recovery: recovery::Config,
    backup: backup::Config,
}

impl RoomConfigs {
    /// Reads every room's section.
    ///
    /// # Errors
    /// Names the section and key that is wrong.
    pub fn read(config: &mut Config) -> Result<Self, ConfigError> {
        Ok(Self {
            identity: config.section("identity")?,
            accountability: config.section("accountability")?,
            assets: config.section("assets")?,
            detection: config.section("detection")?,
            gateway: config.section("gateway")?,
            incidents: config.section("incidents")?,
            cti: config.section("cti")?,
            knowledge: config.section("knowledge")?,
            feedhub: config.section("feedhub")?,
            federation: config.section("federation")?,
            communities: config.section("communities")?,
            playbooks: config.section("playbooks")?,
            webhooks: config.section("webhooks")?,
            recovery: config.section("recovery")?,
            backup: config.section("backup")?,
        })
    }
}

/// All rooms of a node.
#[derive(Clone)]
pub(crate) struct Rooms {
    pub(crate) identity: Identity,
    pub(crate) accountability: Accountability,
    pub(crate) assets: Assets,
    pub(crate) detection: Detection,
    pub(crate) gateway: Gateway,
    pub(crate) incidents: Incidents,
    pub(crate) cti: Cti,
    pub(crate) knowledge: Knowledge,
    pub(crate) misphub: Misphub,
    pub(crate) feedhub: Feedhub,
    pub(crate) federation: Federation,
    pub(crate) communities: Communities,
    pub(crate) playbooks: Playbooks,
    pub(crate) webhooks: Webhooks,
    pub(crate) recovery: Recovery,
    pub(crate) situation: Situation,
    pub(crate) backups: Backups,
}

/// A node over its data folder.
pub struct Node {
    platform: Platform,
    rooms: Rooms,
    demo: DemoConfig,
    configured: NodeConfig,
    ready: Arc<AtomicBool>,
}

impl Node {
    /// Locks the folder, migrates the database, opens the rooms. No port is opened, nothing runs yet.
    ///
    /// # Errors
    /// The folder is in use, the database is newer than the program, or a room cannot open.
    pub async fn open(
        data: &Path,
        node: &NodeConfig,
        demo: &DemoConfig,
        configs: RoomConfigs,
    ) -> anyhow::Result<Self> {
        let data = Arc::new(DataFolder::open(data)?);
        let clock = Arc::new(SystemClock);
        let random = Arc::new(SystemRandom);
        let db = Db::open(&data.database(), &MIGRATIONS, clock.clone(), random.clone())
            .await
            .with_context(|| data.database().display().to_string())?;
        let signer = NodeKey::open(&data, random.as_ref())?;
        let configured = node.clone();
        let node = identity_row::load(&db, node).await?;
        let platform = Platform {
            db,
            clock,
            random,
            live: Live::default(),
            signer: Arc::new(signer),
            data,
            node,
            tasks: Tasks::default(),
        };
        let rooms = Rooms::open(&platform, configs).await?;
        let ready = Arc::new(AtomicBool::new(false));
        Ok(Self { platform, rooms, demo: demo.clone(), configured, ready })
    }

    /// Starts consumers, jobs and the socket for edges.
    ///
    /// # Errors
    /// Jobs of a dead process cannot be taken back, or the socket cannot be made.
    pub async fn start_background(&mut self) -> anyhow::Result<()> {
        platform::bus::start(&self.platform, self.rooms.consumers());
        platform::jobs::start(&self.platform, self.rooms.jobs()).await?;
        self.rooms.detection.start();
        self.rooms.cti.start();
        self.rooms.feedhub.start();
        self.rooms.federation.start();
        self.rooms.communities.start();
        self.rooms.playbooks.start();
        self.rooms.webhooks.start();
        self.rooms.backups.start();
        self.rooms.gateway.listen()?;
        Ok(())
    }

    /// Opens the doors.
    ///
    /// # Errors
    /// TLS cannot be set up, the node has no account although it should listen beyond loopback, or
    /// the admin socket cannot be made.
    pub async fn serve(
        &self,
        ports: Ports,
        config: &ServerConfig,
        metrics: Option<PrometheusHandle>,
    ) -> anyhow::Result<Addresses> {
        self.rooms.playbooks.reached_at(config.public_url.as_deref());
        let app = self.router(config.max_body_bytes, metrics);
        let addresses =
            doors::open(&self.platform, &self.rooms.identity, ports, config, app).await?;
        self.ready.store(true, Ordering::Release);
        Ok(addresses)
    }

    /// The router as every door serves it.
    fn router(&self, max_body_bytes: usize, metrics: Option<PrometheusHandle>) -> Router {
        let (_, _, access) =
            app::describe(self.rooms.router().merge(self.own_routes(None, vec![])));
        self.rooms.identity.set_access(access.clone());
        let all = self.rooms.router().merge(self.own_routes(metrics, access));
        let (routes, description, _) = app::describe(all);
        let gate = Gate(self.rooms.identity.authorizer());
        let identity = self.rooms.identity.clone();
        let numbers = Numbers::new(self.platform.random.as_ref());
        let router =
            app::router(routes, description, gate, max_body_bytes, numbers, move |router| {
                identity.protect(router)
            });
        cti::liberal_paths(router)
    }

    fn own_routes(
        &self,
        metrics: Option<PrometheusHandle>,
        access: Vec<platform::http::AccessRule>,
    ) -> RoomRouter {
        http::router(NodeState {
            platform: self.platform.clone(),
            health: Arc::new(health::All::new(&self.platform, &self.rooms)),
            ready: Arc::clone(&self.ready),
            configured: self.configured.clone(),
            demo: self.demo.clone(),
            metrics,
            access: Arc::new(access),
            fanout: http::fanout::Fanout::default(),
            finders: Arc::new(self.rooms.finders(&self.platform)),
        })
    }

    /// The router without doors: commands beside a stopped node call it directly.
    pub fn app(&self) -> Router {
        self.router(ServerConfig::default().max_body_bytes, None)
    }

    /// The API description, for the snapshot.
    pub fn description(&self) -> utoipa::openapi::OpenApi {
        app::describe(self.rooms.router().merge(self.own_routes(None, vec![]))).1
    }

    /// True while nobody has an account.
    pub async fn first_run(&self) -> bool {
        self.rooms.identity.first_run().await.unwrap_or(false)
    }

    /// Stops: no new work, open requests drain, last writes are kept. False when the deadline cut some.
    pub async fn stop(self, deadline: Duration) -> bool {
        self.ready.store(false, Ordering::Release);
        let drained = self.platform.tasks.stop(deadline + Duration::from_secs(1)).await;
        self.platform.db.close().await;
        drained
    }

    /// Closes a node whose background was never started.
    pub async fn close(self) {
        self.platform.db.close().await;
    }
}

impl Rooms {
    async fn open(platform: &Platform, configs: RoomConfigs) -> anyhow::Result<Self> {
        let identity = Identity::open(platform, configs.identity).await?;
        let accountability = Accountability::new(platform.clone(), configs.accountability);
        let assets = Assets::new(platform.clone(), configs.assets)?;
        let detection =
            Detection::new(platform.clone(), Arc::new(assets.clone()), configs.detection)?;
        let gateway = Gateway::new(platform.clone(), configs.gateway, Arc::new(detection.clone()))
            .with_inventory(Arc::new(assets.clone()));
        let incidents = Incidents::new(platform.clone(), configs.incidents);
        let pseudonyms = Arc::new(Pseudonyms::open(&platform.data, platform.random.as_ref())?);
        let needs = communities::Deps {
            peers: Arc::new(identity.clone()),
            pseudonymiser: pseudonyms.clone(),
        };
        let communities = Communities::open(platform, configs.communities, needs).await?;
        identity.set_organisations(Arc::new(communities.clone()));
        let deps = cti::Deps {
            disclosure: Arc::new(communities.clone()),
            pseudonymiser: pseudonyms,
            incidents: Arc::new(incidents.clone()),
            peers: Arc::new(identity.clone()),
        };
        let cti = Cti::open(platform, configs.cti, deps).await?;
        let knowledge = Knowledge::open(platform, configs.knowledge)?;
        knowledge.sweep().await?;
        let misphub = Misphub::open(platform);
        let feedhub = Feedhub::open(platform, configs.feedhub)?;
        let peers = Arc::new(identity.clone());
        let federation = Federation::open(platform, configs.federation, peers).await?;
        introduce(&communities, &federation, &misphub, &feedhub);
        let recovery = recovering(platform, configs.recovery, (&incidents, &detection, &gateway))?;
        let needs = playbooks::Needs {
            intel: Arc::new(cti.clone()),
            exchange: Arc::new(cti.clone()),
            peers: Arc::new(identity.clone()),
            incidents: Arc::new(incidents.clone()),
            assets: Arc::new(assets.clone()),
            people: Arc::new(identity.clone()),
            authorizer: identity.authorizer(),
            actuators: actuators(&gateway, &recovery, &incidents),
        };
        let playbooks = Playbooks::new(platform.clone(), configs.playbooks, needs);
        playbooks.install().await?;
        let situation = situate(platform, (&assets, &detection, &gateway, &playbooks, &incidents));
        Ok(Self {
            identity,
            accountability,
            assets,
            detection,
            gateway,
            incidents,
            cti,
            knowledge,
            misphub,
            feedhub,
            federation,
            communities,
            playbooks,
            webhooks: Webhooks::open(platform, configs.webhooks)?,
            recovery,
            situation,
            backups: Backups::open(platform, configs.backup)?,
        })
    }

    fn router(&self) -> RoomRouter {
        [
            self.identity.router(),
            self.accountability.router(),
            self.assets.router(),
            self.detection.router(),
            self.gateway.router(),
            self.incidents.router(),
            self.cti.router(),
            self.knowledge.router(),
            self.misphub.router(),
            self.feedhub.router(),
            self.federation.router(),
            self.communities.router(),
            self.playbooks.router(),
            self.webhooks.router(),
            self.recovery.router(),
            self.situation.router(),
            self.backups.router(),
        ]
        .into_iter()
        .fold(RoomRouter::default(), RoomRouter::merge)
    }

    /// Who answers a search over everything, in the order of the answer.
    fn finders(&self, platform: &Platform) -> Vec<Arc<dyn ports::find::Find>> {
        vec![
            Arc::new(self.incidents.clone()),
            Arc::new(self.detection.clone()),
            Arc::new(self.assets.clone()),
            Arc::new(self.knowledge.clone()),
            Arc::new(self.playbooks.clone()),
            Arc::new(playbooks::find::Runs(platform.clone())),
            Arc::new(self.identity.clone()),
        ]
    }

    fn consumers(&self) -> Vec<Arc<dyn Consumer>> {
        let mut all = self.accountability.consumers();
        all.extend(self.detection.consumers());
        all.extend(self.gateway.consumers());
        all.extend(self.incidents.consumers());
        all.extend(self.cti.consumers());
        all.extend(self.playbooks.consumers());
        all.extend(self.webhooks.consumers());
        all.extend(self.recovery.consumers());
        all.extend(self.situation.consumers());
        all
    }

    fn jobs(&self) -> Vec<Arc<dyn JobHandler>> {
        let mut all = self.detection.jobs();
        all.extend(self.gateway.jobs());
        all.extend(self.cti.jobs());
        all.extend(self.knowledge.jobs());
        all.extend(self.playbooks.jobs());
        all.extend(self.recovery.jobs());
        all
    }
}

/// Who decides what may leave, and who carries it, know each other through ports alone.
fn introduce(
    communities: &Communities,
    federation: &Federation,
    misphub: &Misphub,
    feedhub: &Feedhub,
) {
    let deciding = Arc::new(communities.clone());
    federation.meet(deciding.clone(), vec![deciding]);
    communities.set_courier(Arc::new(federation.clone()));
    communities.set_provenance(Arc::new(federation.clone()));
    misphub.ask(Arc::new(communities.clone()));
    feedhub.meet(Arc::new(misphub.clone()));
    feedhub.ask(Arc::new(communities.clone()), Arc::new(communities.clone()));
}

/// The rooms that playbooks command.
fn actuators(
    gateway: &Gateway,
    recovery: &Recovery,
    incidents: &Incidents,
) -> Vec<Arc<dyn ports::Actuator>> {
    vec![Arc::new(gateway.clone()), Arc::new(recovery.clone()), Arc::new(incidents.clone())]
}

/// The situation asks each of them for the present.
fn situate(
    platform: &Platform,
    (assets, detection, gateway, playbooks, incidents): (
        &Assets,
        &Detection,
        &Gateway,
        &Playbooks,
        &Incidents,
    ),
) -> Situation {
    let needs = situation::Needs {
        sites: Arc::new(assets.clone()),
        watch: Arc::new(detection.clone()),
        orders: Arc::new(gateway.clone()),
        questions: Arc::new(playbooks.clone()),
        incidents: Arc::new(incidents.clone()),
    };
    Situation::new(platform.clone(), needs)
}

/// Recovery asks incidents, detectors and gateways; it calls people through the console.
fn recovering(
    platform: &Platform,
    config: recovery::Config,
    (incidents, detection, gateway): (&Incidents, &Detection, &Gateway),
) -> anyhow::Result<Recovery> {
    let needs = recovery::Needs {
        incidents: Arc::new(incidents.clone()),
        fresh: Arc::new(detection.clone()),
        gateway: Arc::new(gateway.clone()),
    };
    let people = Arc::new(playbooks::actuators::console::Console(platform.clone()));
    Ok(Recovery::open(platform, config, needs, people)?)
}
