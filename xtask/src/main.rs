//! `cargo xtask floors`: prints the house as it is.

use std::io::Write;

fn main() -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    for (name, dependencies) in xtask::arrows(&xtask::root())? {
        let floor = xtask::floor(&name).map_or_else(|| "?".into(), |floor| floor.to_string());
        writeln!(out, "{floor}  {name:16} → {}", dependencies.join(", "))?;
    }
    Ok(())
}
