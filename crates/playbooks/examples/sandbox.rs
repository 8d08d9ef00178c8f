//! The program that locks itself in, alone: what `sereno sandbox-shell` does, for the room's tests.
#![allow(clippy::print_stderr)]

fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match playbooks::actuators::bash::sandbox::become_shell(&arguments) {
        Ok(never) => match never {},
        Err(cause) => {
            eprintln!("{cause}");
            std::process::ExitCode::from(251)
        }
    }
}
