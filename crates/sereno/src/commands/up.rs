//! `sereno up`: reads as the start-up order.

use std::process::ExitCode;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::arguments::Up;
use crate::notify::{self, Manager};
use crate::output::{self, Failure};
use crate::settings;

/// Signs of life within the time after which the service manager gives a silent node up: one may be lost.
const WATCHDOG_SIGNS: u32 = 3;

pub(crate) async fn run(up: Up) -> Result<ExitCode, Failure> {
    let settings = settings::load(&up.place, Some(&up))?;
    platform::observe::start_logs(settings.log.form, &settings.log.filter)
        .map_err(Failure::wrong_use)?;
    let metrics = platform::observe::start_metrics();
    let failed = |cause: anyhow::Error| Failure::new(format!("{cause:#}"));

    // Ports are taken before the rooms open, so that a taken port changes nothing.
    let ports = server::wire::Ports::bind(&settings.server).await.map_err(failed)?;
    let mut node =
        server::wire::Node::open(&up.place.data, &settings.node, &settings.demo, settings.rooms)
            .await
            .map_err(failed)?;
    node.start_background().await.map_err(failed)?;
    let addresses = node.serve(ports, &settings.server, metrics).await.map_err(failed)?;
    output::line(&format!("Sereno is ready: {}", addresses.console));
    if let Some(tls) = &addresses.tls {
        output::line(&format!("Peers and TLS:    {tls}"));
    }
    if node.first_run().await {
        output::line("Nobody has an account yet: open the page and create the administrator.");
    }

    // Only now: whoever waits for the service finds every door open.
    if let Some(manager) = Manager::from_environment() {
        manager.ready(&addresses.console);
        if let Some(within) = notify::watchdog() {
            node.while_well(within / WATCHDOG_SIGNS, move || manager.well());
        }
    }

    wait_for_stop().await?;
    output::note("stopping");
    if let Some(manager) = Manager::from_environment() {
        manager.stopping();
    }
    if !node.stop(Duration::from_secs(settings.server.drain_s)).await {
        output::note("some requests did not end within the deadline and were cut");
    }
    Ok(ExitCode::SUCCESS)
}

async fn wait_for_stop() -> Result<(), Failure> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::io("signals"))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::io("signals"))?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
