//! The table in the kernel, through the program `nft`.
//!
//! Only the table `sereno` of the caller's network namespace is ever touched: of family `bridge` where
//! the gateway is a bridge, of family `inet` where it is a router. Whatever has a time ends by the
//! timeout of a set's element, without any process.

mod allow;
mod orders;
mod read;
mod script;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ports::edge::GatewayPolicy;

use crate::enforce::{Reading, Table};

pub use allow::MAX_ENTRIES as MAX_ALLOW_ENTRIES;
pub use orders::Placed;
pub use script::BEAT_FOR_S;

/// Where `nft` is looked for beside `PATH`.
const USUAL_PLACES: [&str; 3] = ["/usr/sbin/nft", "/sbin/nft", "/usr/local/sbin/nft"];
/// `nft` is missing.
pub const NO_NFT: &str = "the program nft is missing: install the package nftables";

/// Finds the program.
///
/// # Errors
/// It is nowhere; the text says what to install.
pub fn find() -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join("nft"))
        .chain(USUAL_PLACES.iter().map(PathBuf::from))
        .find(|candidate| candidate.is_file())
        .ok_or_else(|| NO_NFT.to_owned())
}

/// Runs a script, all or nothing.
fn run(program: &Path, script: &str) -> Result<(), String> {
    call(program, &["-f", "-"], script).map(drop)
}

/// Runs the program and gives what it prints.
fn call(program: &Path, arguments: &[&str], script: &str) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", program.display());
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut input) = child.stdin.take() {
        // The program reads all of its script before it writes, so this cannot block on it. A child
        // that did not want to read says why on its own.
        let _ = input.write_all(script.as_bytes());
    }
    let output = child.wait_with_output().map_err(failed)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("nft refused: {}", said.lines().next().unwrap_or("without a word")))
}

/// How the gateway stands between its two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A bridge: frames pass untouched, devices are told by their MAC addresses.
    Bridge,
    /// A router: packets are forwarded, devices are told by their internet addresses.
    Router,
}

/// Whether a text can be the name of an interface in a script.
fn is_name(text: &str) -> bool {
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !text.is_empty() && text.len() < 16 && text.chars().all(safe)
}

/// Where the table is to stand.
#[derive(Clone, Debug)]
pub struct TablePlace {
    /// Bridge or router.
    pub form: Form,
    /// The interface on the device side.
    pub device_port: String,
    /// The interface on the other side.
    pub rest_port: String,
    /// The interface by which frames of the self-test come in, where there is one.
    pub probe_port: Option<String>,
}

/// The gateway's table.
#[derive(Debug)]
pub struct NftTable {
    program: PathBuf,
    place: TablePlace,
    /// Orders with rules of their own: number, and whether it lets pass what others stop.
    listed: Vec<(u16, bool)>,
}

impl NftTable {
    /// Takes over the table of an earlier process, or makes one. Gives what the earlier one held.
    ///
    /// # Errors
    /// `nft` is missing or refuses; the text is for people.
    pub fn create(
        place: TablePlace,
        policy: &GatewayPolicy,
    ) -> Result<(Self, Option<Reading>), String> {
        let names = [Some(&place.device_port), Some(&place.rest_port), place.probe_port.as_ref()];
        if let Some(name) = names.into_iter().flatten().find(|name| !is_name(name)) {
            return Err(format!("'{name}' is not the name of an interface"));
        }
        let mut table = Self { program: find()?, place, listed: Vec::new() };
        let before = table.read().ok();
        let script = script::whole(
            table.place.form,
            &table.inside(),
            table.place.probe_port.as_deref(),
            policy,
        )?;
        run(&table.program, &script)?;
        table.beat()?;
        Ok((table, before))
    }

    fn inside(&self) -> Vec<&str> {
        [Some(self.place.device_port.as_str()), self.place.probe_port.as_deref()]
            .into_iter()
            .flatten()
            .collect()
    }

    fn run(&self, script: &str) -> Result<(), String> {
        run(&self.program, script)
    }
}

impl Table for NftTable {
    fn form(&self) -> Form {
        self.place.form
    }

    fn policy(&mut self, policy: &GatewayPolicy) -> Result<(), String> {
        self.run(&script::policy_script(self.place.form, policy)?)
    }

    fn place(&mut self, placed: &Placed, timeout_s: u32) -> Result<(), String> {
        let form = self.place.form;
        if placed.is_whole_block() {
            let elements = placed.elements(form);
            if elements.is_empty() {
                return Err("the order names neither a MAC nor an internet address".to_owned());
            }
            let texts = elements
                .iter()
                .map(|(set, element)| script::block(form, set, element, Some(timeout_s)));
            return self.run(&texts.collect::<String>());
        }
        let mut ports = self.inside();
        if placed.steers() {
            // Answers come in by the other side and must be turned back.
            ports.push(&self.place.rest_port);
        }
        let mut listed = self.listed.clone();
        listed.retain(|(id, _)| *id != placed.id);
        listed.push((placed.id, placed.exempts()));
        let text =
            script::order(form, &ports, placed, timeout_s)? + &script::order_list(form, &listed);
        self.run(&text)?;
        self.listed = listed;
        Ok(())
    }

    fn remove(&mut self, placed: &Placed) -> Result<(), String> {
        let form = self.place.form;
        if placed.is_whole_block() {
            let elements = placed.elements(form);
            let texts =
                elements.iter().map(|(set, element)| script::block(form, set, element, None));
            return self.run(&texts.collect::<String>());
        }
        let listed: Vec<_> =
            self.listed.iter().copied().filter(|(id, _)| *id != placed.id).collect();
        self.run(&(script::order_list(form, &listed) + &script::forget(form, placed)))?;
        self.listed = listed;
        Ok(())
    }

    fn beat(&mut self) -> Result<(), String> {
        self.run(&script::beat(self.place.form, &self.place.device_port))
    }

    fn read(&mut self) -> Result<Reading, String> {
        let mut words = vec!["-j", "list", "table"];
        words.extend(script::table(self.place.form).split(' '));
        // One command: nft 1.0.6 finds only the last of several listed sets.
        read::parse(&call(&self.program, &words, "")?)
    }
}
