//! `sereno-edge checkpoint run|list|take|restore|restart|verify|backends`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use dataplane::checkpoint::{EdgeRandom, Protect, agent, backend};
use model::Timestamp;
use ports::checkpoint::{CheckpointOrder, Reply, WhenNone};
use serde_json::json;

use crate::life;

/// Pause between two questions after an order that is under way.
const ASK_AGAIN: Duration = Duration::from_millis(200);

#[derive(Debug, Subcommand)]
pub(crate) enum CheckpointCommand {
    /// Keep the declared services running, take their checkpoints, and carry out orders
    Run(RunArgs),
    /// The services, their checkpoints and intervals
    List(AskArgs),
    /// Take a checkpoint now
    Take {
        #[command(flatten)]
        ask: AskArgs,
        /// The service
        service: String,
    },
    /// Restart a service covertly from the newest checkpoint older than the evidence less the margin
    Restore {
        #[command(flatten)]
        ask: AskArgs,
        /// The service
        service: String,
        /// The first evidence of infection (RFC 3339)
        #[arg(long, value_name = "TIME")]
        before: Timestamp,
        /// Seconds before the evidence from which nothing is trusted (default: agent.margin_s)
        #[arg(long, value_name = "SECONDS")]
        margin: Option<u32>,
        /// What to do when no checkpoint is old enough
        #[arg(long, value_enum, default_value = "refuse")]
        when_none: None_,
    },
    /// Restart a service at a random moment from its own state
    Restart {
        #[command(flatten)]
        ask: AskArgs,
        /// The service
        service: String,
    },
    /// Read every checkpoint of a store whose agent does not run: exit 0 when all are what was taken
    Verify {
        /// Declaration of what is protected
        #[arg(long, value_name = "FILE")]
        protect: PathBuf,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// What can keep a service's state on this machine, and why not
    Backends {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum None_ {
    /// Do nothing, and tell what is offered
    Refuse,
    /// The oldest checkpoint, which may be infected
    Oldest,
    /// The declared clean base
    Clean,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct RunArgs {
    /// Declaration of what is protected
    #[arg(long, value_name = "FILE")]
    protect: PathBuf,
    /// Where to listen (<data>/run/checkpoint/NAME.sock of the node); without it nobody gives orders
    #[arg(long, value_name = "PATH", requires = "token_file")]
    socket: Option<PathBuf>,
    /// File with the node's proof (<data>/keys/checkpoint.token)
    #[arg(long, value_name = "FILE", requires = "socket")]
    token_file: Option<PathBuf>,
    /// The store was put back on purpose although the counter is beyond it; once
    #[arg(long)]
    accept_rollback: bool,
    /// End when the process that started this one ends
    #[arg(long)]
    exit_with_parent: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct AskArgs {
    /// The agent's socket
    #[arg(long, value_name = "PATH")]
    socket: PathBuf,
    /// File with the node's proof (<data>/keys/checkpoint.token)
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
}

pub(crate) fn run(command: CheckpointCommand) -> Result<ExitCode> {
    match command {
        CheckpointCommand::Run(args) => serve(args),
        CheckpointCommand::List(ask) => answer(&ask, CheckpointOrder::List),
        CheckpointCommand::Take { ask, service } => {
            answer(&ask, CheckpointOrder::Take { key: key(), service })
        }
        CheckpointCommand::Restore { ask, service, before, margin, when_none } => {
            let when_none = match when_none {
                None_::Refuse => WhenNone::Refuse,
                None_::Oldest => WhenNone::Oldest,
                None_::Clean => WhenNone::Clean,
            };
            let order = CheckpointOrder::RestoreBefore {
                key: key(),
                service,
                evidence_at: before,
                margin_s: margin,
                when_none,
                known_delays_s: vec![],
            };
            answer(&ask, order)
        }
        CheckpointCommand::Restart { ask, service } => {
            answer(&ask, CheckpointOrder::Restart { key: key(), service })
        }
        CheckpointCommand::Verify { protect, json } => verify(&protect, json),
        CheckpointCommand::Backends { json } => backends(json),
    }
}

fn serve(args: RunArgs) -> Result<ExitCode> {
    // Before the first thread: signals are waited for by one of them.
    let signals = life::block_signals()?;
    let stop = life::stop_on(signals, args.exit_with_parent)?;
    let protect = Protect::read(&args.protect)?;
    let listen = args.socket.zip(args.token_file);
    let options = agent::AgentOptions { protect, listen, accept_rollback: args.accept_rollback };
    agent::run(options, &EdgeRandom, &stop)?;
    Ok(ExitCode::SUCCESS)
}

/// A key for an order that a person gives once.
fn key() -> String {
    let mut bytes = [0; 16];
    ports::Random::fill(&EdgeRandom, &mut bytes);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("hand-{hex}")
}

/// Gives the order and waits for its end; the reply is printed as JSON. Exit 1 when the answer is "no".
fn answer(ask: &AskArgs, order: CheckpointOrder) -> Result<ExitCode> {
    let key = order.effect().map(|(key, _)| key.to_owned());
    let once = |order| agent::ask(&ask.socket, &ask.token_file, order).map_err(anyhow::Error::msg);
    let mut reply = once(order)?;
    while let (Reply::Working { .. }, Some(key)) = (&reply, &key) {
        std::thread::sleep(ASK_AGAIN);
        reply = once(CheckpointOrder::Outcome { key: key.clone() })?;
    }
    print(&serde_json::to_value(&reply)?)?;
    Ok(match reply {
        Reply::Refused { reason } => bail!("{reason}"),
        Reply::Failed { .. } => ExitCode::from(super::NO),
        _ => ExitCode::SUCCESS,
    })
}

fn print(value: &serde_json::Value) -> Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value)?;
    writeln!(out)?;
    Ok(())
}

fn verify(path: &std::path::Path, as_json: bool) -> Result<ExitCode> {
    let protect = Protect::read(path)?;
    let verdict = agent::verify(&protect, &EdgeRandom).context("the store cannot be opened")?;
    let sound = verdict.rollback.is_none() && verdict.refused.is_empty();
    if as_json {
        print(
            &json!({ "sound": sound, "checkpoints": verdict.sound, "rollback": verdict.rollback,
            "refused": verdict.refused.iter().map(|(counter, reason)| json!({ "counter": counter, "reason": reason }))
                .collect::<Vec<_>>() }),
        )?;
    } else {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{} checkpoints are what was taken", verdict.sound.len())?;
        for (counter, reason) in &verdict.refused {
            writeln!(out, "refused  {counter}: {reason}")?;
        }
        if let Some(rollback) = &verdict.rollback {
            writeln!(out, "rollback {rollback}")?;
        }
    }
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::from(super::NO) })
}

fn backends(as_json: bool) -> Result<ExitCode> {
    let found: Vec<_> = backend::all().into_iter().map(|kind| ((kind.works)(), kind)).collect();
    if as_json {
        let list: Vec<_> = found
            .iter()
            .map(|(works, kind)| {
                json!({ "backend": kind.name, "keeps": kind.keeps, "works": works.is_ok(), "why_not": works.as_ref().err() })
            })
            .collect();
        print(&json!(list))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = std::io::stdout().lock();
    for (works, kind) in &found {
        match works {
            Ok(()) => writeln!(out, "works   {}: {}", kind.name, kind.keeps)?,
            Err(why) => writeln!(out, "absent  {}: {why}", kind.name)?,
        }
    }
    Ok(ExitCode::SUCCESS)
}
