//! `sereno demo`: two whole nodes and a gateway, supervised. The demonstration adds nothing to what
//! the nodes do: it makes their folders, introduces them to each other, sends a real capture through
//! the gateway, and restarts what dies.

mod child;
mod enrol;
mod layout;
mod report;
mod walk;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::arguments::{Demo, DemoAction};
use crate::output::{self, Failure};
use child::Child;
use layout::{Layout, Side};

/// How the capture is credited, on every page that shows it.
pub(crate) const CREDIT: &str = "CTU-IoT-Malware-Capture-8-1 (Hakai) from IoT-23: Garcia, Parmisano \
     and Erquiaga, Stratosphere Laboratory 2020, doi 10.5281/zenodo.4743746, CC BY 4.0; cut and split";

/// The device of the capture, which stands behind the gateway.
const DEVICE_MAC: &str = "b8:27:eb:7d:6b:a6";

/// The edge program: beside this one, or named by `SERENO_EDGE`.
pub(crate) fn edge_program() -> Result<PathBuf, Failure> {
    if let Some(path) = std::env::var_os("SERENO_EDGE") {
        return Ok(path.into());
    }
    let own = std::env::current_exe().map_err(Failure::io("this program's place"))?;
    let beside = own.with_file_name("sereno-edge");
    if beside.is_file() {
        return Ok(beside);
    }
    Err(Failure::new(format!("{} is missing", beside.display()))
        .remedy("Build it with `cargo build -p sereno-edge`, in the same profile."))
}

pub(crate) async fn run(demo: Demo, json: bool) -> Result<ExitCode, Failure> {
    platform::observe::start_logs(platform::observe::LogForm::Human, "warn")
        .map_err(Failure::wrong_use)?;
    if matches!(demo.action, Some(DemoAction::Remove)) {
        layout::remove(&demo.data).await?;
        output::note("the demonstration and everything it made are gone");
        return Ok(ExitCode::SUCCESS);
    }
    if !(1.0..=100_000.0).contains(&demo.speed) {
        return Err(Failure::wrong_use("--speed must lie between 1 and 100000"));
    }
    let edge = edge_program()?;
    let layout = Layout::prepare(&demo)?;
    let control = UnixListener::bind(layout.supervisor_socket())
        .map_err(Failure::file(&layout.supervisor_socket()))?;

    let mut family = Family::start(&layout).await?;
    enrol::introduce(&layout).await?;
    let doors = enrol::open_doors(&layout).await?;
    family.edge = Some(start_edge(&layout, &demo, &edge)?);
    if !demo.headless {
        announce(&doors);
    }

    let ended = tokio::select! {
        ended = walk::walk(&layout, &demo) => ended,
        ended = supervise(&mut family, control) => ended,
        ended = stop_signal() => ended,
    };
    family.stop().await;
    let _ = std::fs::remove_file(layout.supervisor_socket());
    match ended? {
        End::Report(report) => {
            let complete = report.complete();
            if json || demo.headless {
                output::value(&report)?;
            }
            Ok(if complete { ExitCode::SUCCESS } else { ExitCode::from(output::FAILURE) })
        }
        End::Remove => {
            layout::delete(&demo.data)?;
            output::note("the demonstration and everything it made are gone");
            Ok(ExitCode::SUCCESS)
        }
        End::Stop => {
            output::note(
                "stopped; the same command goes on where it was, `sereno demo remove` deletes it",
            );
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// How a demonstration ends.
enum End {
    /// Headless: the loop was walked, or the time ran out.
    Report(Box<report::Report>),
    /// Somebody asked for its removal.
    Remove,
    /// A signal.
    Stop,
}

/// The processes.
struct Family {
    cert: Child,
    operator: Child,
    edge: Option<Child>,
}

impl Family {
    async fn start(layout: &Layout) -> Result<Self, Failure> {
        let cert = Child::start("CERT node", layout.node_command(Side::Cert)?)?;
        let operator = Child::start("operator node", layout.node_command(Side::Operator)?)?;
        let mut family = Self { cert, operator, edge: None };
        for side in [Side::Cert, Side::Operator] {
            let child = if side == Side::Cert { &mut family.cert } else { &mut family.operator };
            child.wait_ready(&layout.console_url(side)).await?;
        }
        Ok(family)
    }

    /// The edge first, so that its last windows reach a living node.
    async fn stop(self) {
        if let Some(edge) = self.edge {
            edge.stop().await;
        }
        tokio::join!(self.operator.stop(), self.cert.stop());
    }
}

fn start_edge(layout: &Layout, demo: &Demo, edge: &std::path::Path) -> Result<Child, Failure> {
    let mut command = tokio::process::Command::new(edge);
    command.arg("lab");
    for capture in layout.captures()? {
        command.arg("--capture").arg(capture);
    }
    command
        .args([
            "--speed",
            &demo.speed.to_string(),
            "--device-mac",
            DEVICE_MAC,
            "--name",
            "harbour-gw",
        ])
        .args(["--credit", CREDIT])
        .arg("--socket")
        .arg(layout.data(Side::Operator).join("run/edge.sock"))
        .arg("--token-file")
        .arg(layout.data(Side::Operator).join("keys/edge.token"));
    if demo.no_enforce {
        command.args(["--force-file", "switched off by --no-enforce"]);
    }
    Child::start("gateway", command)
}

fn announce(doors: &enrol::Doors) {
    output::line("");
    output::line("  Sereno demonstration: Harbour Tram and Grid, and its CERT");
    output::line("");
    output::line(&format!("  Operator  {}", doors.operator));
    output::line(&format!("  CERT      {}", doors.cert));
    output::line("");
    output::line(
        "  The links sign you in as the duty officer of each node. Ctrl-C stops; the page or",
    );
    output::line("  `sereno demo remove` deletes everything.");
    output::line("");
}

/// Restarts what dies, listens for removal.
async fn supervise(family: &mut Family, control: UnixListener) -> Result<End, Failure> {
    loop {
        tokio::select! {
            accepted = control.accept() => {
                let Ok((mut stream, _)) = accepted else { continue };
                let mut order = [0; 6];
                let read = tokio::time::timeout(Duration::from_secs(1), stream.read_exact(&mut order));
                if matches!(read.await, Ok(Ok(_))) && &order == b"remove" {
                    return Ok(End::Remove);
                }
            }
            outcome = family.cert.died() => family.cert.restart(outcome).await?,
            outcome = family.operator.died() => family.operator.restart(outcome).await?,
            outcome = died(family.edge.as_mut()) => if let Some(edge) = family.edge.as_mut() {
                edge.restart(outcome).await?;
            },
        }
    }
}

async fn died(child: Option<&mut Child>) -> String {
    match child {
        Some(child) => child.died().await,
        None => std::future::pending().await,
    }
}

async fn stop_signal() -> Result<End, Failure> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::io("signals"))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::io("signals"))?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(End::Stop)
}
