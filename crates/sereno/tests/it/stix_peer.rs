//! STIX objects and mutants of them beside the validator of OASIS.

use std::path::Path;
use std::process::Command;

use crate::programs::output;
use crate::taxii::python_with;

/// `SERENO_STIX_MUTANTS=0` asks about all of them, some 110,000.
const MUTANTS: &str = "1500";

#[test]
fn valid_is_what_the_validator_of_oasis_finds_valid_but_for_what_is_explained() {
    let Some(python) = python_with("stix-validator", "stix2-validator==3.3.1", "stix2validator")
    else {
        eprintln!(
            "skipped: stix2-validator 3.3.1 cannot be installed here (needs python3-venv and PyPI)"
        );
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools/peers/stix_validator.py");
    let count = std::env::var("SERENO_STIX_MUTANTS").unwrap_or_else(|_| MUTANTS.into());
    let done = output(Command::new(python).env("PYTHONDONTWRITEBYTECODE", "1").arg(script).args([
        "compare",
        env!("CARGO_BIN_EXE_sereno"),
        &count,
    ]));
    let said = String::from_utf8_lossy(&done.stdout);
    if said.starts_with("skipped: ") {
        eprintln!("{}", said.trim());
        return;
    }
    assert!(done.status.success(), "{said}\n{}", String::from_utf8_lossy(&done.stderr));
}
