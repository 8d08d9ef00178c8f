//! The sandbox of shell commands: a process that limits itself and then becomes the shell. Nothing of it can be
//! undone from inside.
//!
//! In order: limits (`setrlimit`), Landlock (files, and network and signals where the kernel knows them), seccomp
//! (a list of system calls that pass; all others do not exist), the shell. Where the kernel has no Landlock or no
//! seccomp, nothing runs.

use std::convert::Infallible;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreatedAttr, RulesetStatus, Scope,
};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal;

use super::calls;

/// The hidden command of the program that makes the sandbox.
pub const COMMAND: &str = "sandbox-shell";
/// The exit status that tells that no sandbox could be made; nothing ran.
pub const REFUSED: u32 = 251;
/// Open files of one process.
const MAX_OPEN_FILES: u64 = 64;
/// Processes of the node's user; the kernel does not count those of root.
const MAX_PROCESSES: u64 = 512;

/// What may be read and started.
const READABLE: [&str; 12] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib64",
    "/etc/alternatives",
    "/etc/group",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/etc/services",
];
/// Devices without an effect.
const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// Locks this process in and has it become the shell: `MEMORY_MIB FILE_MIB CPU_S FOLDER SCRIPT`. It comes back
/// only when that failed, with one sentence.
///
/// # Errors
/// The arguments have no such form, or the kernel refuses a part of the sandbox: then nothing ran.
pub fn become_shell(arguments: &[String]) -> Result<Infallible, String> {
    let [memory_mib, file_mib, cpu_s, folder, script] = arguments else {
        return Err("the sandbox takes five arguments; it is no command for people".into());
    };
    let number = |text: &String| text.parse::<u64>().map_err(|_| format!("'{text}' is no number"));
    let mib = |text: &String| number(text).map(|mib| mib.saturating_mul(1 << 20));
    // Nobody is left behind when the node dies.
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).map_err(|cause| format!("prctl: {cause}"))?;
    limit(Resource::RLIMIT_AS, mib(memory_mib)?)?;
    limit(Resource::RLIMIT_FSIZE, mib(file_mib)?)?;
    limit(Resource::RLIMIT_CPU, number(cpu_s)?)?;
    limit(Resource::RLIMIT_NOFILE, MAX_OPEN_FILES)?;
    limit(Resource::RLIMIT_NPROC, MAX_PROCESSES)?;
    limit(Resource::RLIMIT_CORE, 0)?;
    files(Path::new(folder))?;
    calls::pass_only_known()?;
    let cause = Command::new("/bin/bash")
        .args(["--noprofile", "--norc", "-c", script])
        .current_dir(folder)
        .exec();
    Err(format!("/bin/bash: {cause}"))
}

fn limit(resource: Resource, value: u64) -> Result<(), String> {
    setrlimit(resource, value, value).map_err(|cause| format!("setrlimit {resource:?}: {cause}"))
}

/// Files by Landlock: what programs need may be read, the folder written, nothing else opened.
fn files(folder: &Path) -> Result<(), String> {
    let failed = |cause: landlock::RulesetError| format!("landlock: {cause}");
    let all = AccessFs::from_all(ABI::V5);
    let mut rules = Ruleset::default()
        // Without this much of Landlock nothing runs; what newer kernels add is taken where it is.
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1))
        .map_err(failed)?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(all)
        .map_err(failed)?
        .handle_access(AccessNet::from_all(ABI::V4))
        .map_err(failed)?
        .scope(Scope::from_all(ABI::V6))
        .map_err(failed)?
        .create()
        .map_err(failed)?;
    for path in READABLE {
        // What is not there needs no rule.
        let Ok(opened) = PathFd::new(path) else { continue };
        let access = if Path::new(path).is_dir() {
            AccessFs::from_read(ABI::V1)
        } else {
            AccessFs::ReadFile.into()
        };
        rules = rules.add_rule(PathBeneath::new(opened, access)).map_err(failed)?;
    }
    for path in DEVICES {
        let Ok(opened) = PathFd::new(path) else { continue };
        let access = AccessFs::ReadFile | AccessFs::WriteFile;
        rules = rules.add_rule(PathBeneath::new(opened, access)).map_err(failed)?;
    }
    let opened = PathFd::new(folder).map_err(|cause| format!("landlock: {cause}"))?;
    let own = all & !(AccessFs::MakeBlock | AccessFs::MakeChar | AccessFs::MakeSock);
    rules = rules.add_rule(PathBeneath::new(opened, own)).map_err(failed)?;
    let status = rules.restrict_self().map_err(failed)?;
    if status.ruleset == RulesetStatus::NotEnforced || !status.no_new_privs {
        return Err(
            "landlock: this kernel does not have it; Linux 5.13 or newer has, with landlock \
                    in its list of security modules"
                .into(),
        );
    }
    Ok(())
}
