//! `sereno sandbox-shell …`: this process locks itself in and becomes a shell. The node starts it for commands of the
//! type bash; people have no use for it.

use std::process::ExitCode;

use playbooks::actuators::bash::sandbox;

use crate::output;

/// Comes back only when no sandbox could be made; then nothing ran.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    match sandbox::become_shell(arguments) {
        Ok(never) => match never {},
        Err(cause) => {
            output::note(&cause);
            ExitCode::from(u8::try_from(sandbox::REFUSED).unwrap_or(u8::MAX))
        }
    }
}
