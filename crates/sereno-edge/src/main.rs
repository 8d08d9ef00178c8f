//! `sereno-edge`: the gateway for the lamppost, and the lab that shows it at work on one machine.

mod args;
mod checkpoint;
mod life;

use std::io::{IsTerminal, Write};
use std::os::fd::AsFd;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use dataplane::file::FileSettings;
use dataplane::gateway::GatewaySettings;
use dataplane::lab::LabSettings;
use dataplane::nft::Form;
use dataplane::{captures, check, file, gateway, lab, probe};

use args::{Args, Command, GatewayArgs, LabArgs, ProbeArgs};

/// Exit code when the answer is "no".
const NO: u8 = 1;
/// Exit code of a failure.
const FAILED: u8 = 3;

fn main() -> ExitCode {
    let args = Args::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_env("SERENO_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    let result = match args.command {
        Command::Lab(args) => run_lab(args),
        Command::Gateway(args) => run_gateway(*args),
        Command::Probe(args) => run_probe(*args),
        Command::Checkpoint(command) => checkpoint::run(command),
        Command::Check { json } => run_check(json),
    };
    result.unwrap_or_else(|error| {
        tracing::error!("{error:#}");
        ExitCode::from(FAILED)
    })
}

/// Lab first, and where that is not possible the same loop from the file, with the reason.
fn run_lab(args: LabArgs) -> Result<ExitCode> {
    // Before the first thread: signals are waited for by one of them.
    let signals = life::block_signals()?;
    let forced = args.force_file.clone();
    let settings = LabSettings {
        replay: args.replay.settings()?,
        node: args.node.address(),
        device_macs: args.device_macs,
        program: std::env::current_exe().context("this program's own path")?,
    };
    let summary = lab::summarise(&settings)?;
    let built = match forced {
        Some(reason) => Err(reason),
        None => lab::build(&settings, &summary),
    };
    let stop = life::stop_on(signals, !args.stay)?;
    match built {
        Ok(lab) => lab.run(settings, &summary, &stop)?,
        Err(reason) => {
            let (replay, node, device_macs) =
                (settings.replay, settings.node, settings.device_macs);
            file::run(FileSettings { replay, node, device_macs, reason }, &summary, &stop)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn run_gateway(args: GatewayArgs) -> Result<ExitCode> {
    let signals = life::block_signals()?;
    let node = args.node.address();
    let inline = args.inline();
    if let Some(replay) = args.file {
        let stop = life::stop_on(signals, args.exit_with_parent)?;
        let replay = replay.settings()?;
        let summary = captures::summarise(&replay.captures)?;
        let reason = args.reason.unwrap_or_else(|| "the packets are read from a file".to_owned());
        let device_macs = args.device_macs;
        file::run(FileSettings { replay, node, device_macs, reason }, &summary, &stop)?;
        return Ok(ExitCode::SUCCESS);
    }
    let (Some(device_port), Some(rest_port)) = (args.device_port, args.rest_port) else {
        anyhow::bail!("name both sides: --device-port and --rest-port");
    };
    let lane = if args.replay_on_stdin.is_some() {
        // The lab is our parent: without it there is nothing to do.
        life::die_with_parent()?;
        Some(std::io::stdin().as_fd().try_clone_to_owned().context("the lane to the lab")?)
    } else {
        None
    };
    let stop = life::stop_on(signals, args.exit_with_parent)?;
    let credit = args.replay_on_stdin;
    let settings = GatewaySettings {
        node,
        form: if args.router { Form::Router } else { Form::Bridge },
        device_port,
        rest_port,
        inline,
        state: args.state,
        protect: args.protect,
        protect_macs: args.protect_macs,
        device_macs: args.device_macs,
        credit,
    };
    gateway::run(settings, lane, &stop)?;
    Ok(ExitCode::SUCCESS)
}

/// What was seen and what was not is told at the end, as JSON on standard output.
fn run_probe(args: ProbeArgs) -> Result<ExitCode> {
    let signals = life::block_signals()?;
    let stop = life::stop_on(signals, args.exit_with_parent)?;
    let summary = probe::run(args.settings()?, &stop)?;
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, &summary)?;
    writeln!(out)?;
    Ok(ExitCode::SUCCESS)
}

fn run_check(json: bool) -> Result<ExitCode> {
    let report = check::run();
    let mut out = std::io::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut out, &report)?;
        writeln!(out)?;
    } else {
        for found in &report.capabilities {
            if found.works {
                writeln!(out, "works   {}", found.name)?;
            } else {
                writeln!(out, "absent  {}: {}", found.name, found.cause)?;
                writeln!(out, "        remedy: {}", found.remedy)?;
            }
        }
    }
    Ok(if report.enforces { ExitCode::SUCCESS } else { ExitCode::from(NO) })
}
