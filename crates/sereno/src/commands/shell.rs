//! Completions and manual pages.

use std::path::Path;
use std::process::ExitCode;

use clap::CommandFactory;

use crate::arguments::Arguments;
use crate::output::Failure;

pub(crate) fn completions(shell: clap_complete::Shell) -> Result<ExitCode, Failure> {
    let mut command = Arguments::command();
    clap_complete::generate(shell, &mut command, "sereno", &mut std::io::stdout());
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn man(out: &Path) -> Result<ExitCode, Failure> {
    std::fs::create_dir_all(out).map_err(Failure::file(out))?;
    clap_mangen::generate_to(Arguments::command(), out).map_err(Failure::file(out))?;
    Ok(ExitCode::SUCCESS)
}
