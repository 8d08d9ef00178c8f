//! `sereno`: the node and every command.
//!
//! Exit codes: 0 fine; 1 the answer is "no" (invalid, altered, alert); 2 wrong use; 3 failure.

mod api;
mod arguments;
mod commands;
mod demo;
mod notify;
mod output;
mod settings;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};
use output::Failure;

fn main() -> ExitCode {
    // The sandbox of shell commands starts this program again; it is no command for people.
    let sandbox = playbooks::actuators::bash::sandbox::COMMAND;
    if std::env::args_os().nth(1).is_some_and(|word| word == sandbox) {
        let words: Vec<String> =
            std::env::args_os().skip(2).map(|word| word.to_string_lossy().into_owned()).collect();
        return commands::sandbox::run(&words);
    }
    let arguments = Arguments::parse();
    // One provider for all TLS of the process; a second install would be a programming error.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let json = arguments.json;
    match run(arguments) {
        Ok(code) => code,
        Err(failure) => output::fail(&failure, json),
    }
}

fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    let json = arguments.json;
    match arguments.command {
        // Work on files needs no runtime.
        Command::Detect(command) => commands::detect::run(command, json),
        Command::Stix(command) => commands::stix::run(&command, json),
        Command::Completions { shell } => commands::shell::completions(shell),
        Command::Man { out } => commands::shell::man(&out),
        other => runtime()?.block_on(run_async(other, json)),
    }
}

pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(std::thread::available_parallelism().map_or(2, |n| n.get().min(4)))
        .enable_all()
        .build()
        .map_err(Failure::io("the asynchronous runtime"))
}

async fn run_async(command: Command, json: bool) -> Result<ExitCode, Failure> {
    match command {
        Command::Up(up) => commands::up::run(up).await,
        Command::Demo(demo) => demo::run(demo, json).await,
        Command::Doctor(place) => commands::doctor::run(place, json).await,
        Command::Config(command) => commands::config::run(command, json).await,
        Command::Token(command) => commands::token::run(command, json).await,
        Command::Backup(command) => commands::backup::run(command, json).await,
        Command::Ledger(command) => commands::ledger::run(command, json).await,
        Command::Automation(command) => commands::automation::run(command, json).await,
        Command::User(command) => commands::user::run(command, json).await,
        Command::Playbook(command) => commands::playbook::run(command, json).await,
        Command::Actuator(command) => commands::actuator::run(command, json).await,
        Command::Secret(command) => commands::secret::run(command, json).await,
        Command::Misp(command) => commands::misp::run(&command, json),
        Command::Feed(command) => commands::feed::run(command, json).await,
        Command::Licenses(asked) => commands::licences::run(asked, json).await,
        Command::Webhook(command) => commands::webhook::run(command, json).await,
        Command::Recovery(command) => commands::recovery::run(*command, json).await,
        Command::Intel(command) => commands::intel::run(command, json).await,
        Command::Taxii(command) => commands::taxii::run(command, json).await,
        Command::Share(command) => commands::share::run(command, json).await,
        Command::Federation(command) => commands::share::federation(command, json).await,
        Command::Peer(command) => commands::peer::run(command, json).await,
        Command::Organisation(command) => commands::community::organisation(command, json).await,
        Command::Community(command) => commands::community::community(*command, json).await,
        Command::Policy(command) => commands::sharing::policy(command, json).await,
        Command::Redaction(command) => commands::sharing::redaction(command, json).await,
        Command::Gateway(command) => commands::gateway::run(*command, json).await,
        Command::Get(command) => commands::lists::get(command, json).await,
        Command::Assets(assets) => commands::assets::run(assets, json).await,
        Command::Site(command) => commands::site::run(*command, json).await,
        Command::Devices(list) => commands::lists::run("devices", list, json).await,
        Command::Findings(findings) => commands::feedback::run(findings, json).await,
        Command::Commands(list) => commands::machines::run(list, json).await,
        Command::Laws(laws) => commands::laws::run(laws, json).await,
        Command::Models(models) => commands::models::run(models, json).await,
        Command::Suppressions(list) => commands::models::suppressions(list, json).await,
        Command::Incidents(list) => commands::lists::run("incidents", list, json).await,
        Command::Runs(list) => commands::lists::run("runs", list, json).await,
        Command::Shares(list) => commands::lists::run("shares", list, json).await,
        Command::Gateways(list) => commands::lists::run("gateways", list, json).await,
        // Handled without a runtime above.
        Command::Detect(_)
        | Command::Stix(_)
        | Command::Completions { .. }
        | Command::Man { .. } => Ok(ExitCode::SUCCESS),
    }
}
