//! `sereno playbook diff|verify|sign`: files only, no node is asked.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use model::Timestamp;
use platform::system::{SystemClock, SystemRandom};
use playbooks::signature::{self, Algorithm, Checked, Signing, State, Trust};
use ports::{Clock, Random};
use serde_json::{Value, json};

use super::playbook::MAX_PLAYBOOK_BYTES;
use super::read_file;
use crate::output::{self, Failure};

/// Largest key file read, bytes.
const MAX_KEY_BYTES: u64 = 64 << 10;

pub(super) fn diff(before: &Path, after: &Path, as_json: bool) -> Result<ExitCode, Failure> {
    let changes = playbooks::difference(&document(before)?, &document(after)?);
    if as_json {
        output::value(&json!({ "same": changes.is_empty(), "changes": changes }))?;
        return Ok(output::answer(changes.is_empty()));
    }
    for change in &changes {
        output::line(&change.words());
        let side = |sign: char, value: &Option<Value>| {
            if let Some(value) = value {
                output::line(&format!("  {sign} {value}"));
            }
        };
        side('-', &change.before);
        side('+', &change.after);
    }
    if changes.is_empty() {
        output::line("the same");
    }
    Ok(output::answer(changes.is_empty()))
}

pub(super) fn verify(
    file: &Path,
    at: Option<Timestamp>,
    keys: &[PathBuf],
    revoked: &[String],
    as_json: bool,
) -> Result<ExitCode, Failure> {
    let playbook = document(file)?;
    let mut trust = Trust::default();
    for path in keys {
        let bytes = read_file(path, MAX_KEY_BYTES)?;
        let key = signature::public_key(&bytes).map_err(Failure::file(path))?;
        trust.trusted.push(key.fingerprint.clone());
        if let Some(thumbprint) = signature::thumbprint(&bytes) {
            trust.by_thumbprint.push((thumbprint, key));
        }
    }
    trust.revoked = revoked.iter().map(|word| revocation(word)).collect::<Result<_, _>>()?;
    let verdict = signature::verify(&playbook, &trust, at.unwrap_or_else(|| SystemClock.now()));
    if as_json {
        output::value(&verdict)?;
        return Ok(output::answer(verdict.valid));
    }
    verdict.signatures.iter().for_each(|checked| say(checked, 0));
    let word = if verdict.valid { "well signed" } else { "not well signed" };
    output::line(&format!("{word}: {}", verdict.reason));
    if verdict.valid && keys.is_empty() {
        output::note(
            "no --key was given: this says that the keys in the file signed, not whose they are",
        );
    }
    Ok(output::answer(verdict.valid))
}

fn say(checked: &Checked, depth: usize) {
    let state = match checked.state {
        State::Good => "good",
        State::Lapsed => "lapsed",
        State::Superseded => "superseded",
        State::Broken => "broken",
    };
    let indent = "  ".repeat(depth);
    let reason = checked.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let Checked { id, signee, algorithm, .. } = checked;
    output::line(&format!("{indent}{state} {algorithm} {id} by {signee}{reason}"));
    if let Some(key) = &checked.key {
        output::line(&format!("{indent}  key {key}"));
    }
    if let Some(counter) = &checked.counter {
        say(counter, depth + 1);
    }
}

/// `KEY` or `KEY@TIME`; the key is a file or a fingerprint.
fn revocation(word: &str) -> Result<(String, Option<Timestamp>), Failure> {
    let (key, since) = match word.rsplit_once('@') {
        Some((key, time)) => {
            let since = time.parse().map_err(|cause| {
                Failure::wrong_use(format!("--revoked {word}: {cause}"))
                    .remedy("write KEY or KEY@TIME, such as old.pem@2026-05-01T00:00:00Z")
            })?;
            (key, Some(since))
        }
        None => (word, None),
    };
    let is_fingerprint = key.len() == 64 && key.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_fingerprint {
        return Ok((key.to_ascii_lowercase(), since));
    }
    let path = Path::new(key);
    let bytes = read_file(path, MAX_KEY_BYTES)?;
    let key = signature::public_key(&bytes).map_err(Failure::file(path))?;
    Ok((key.fingerprint, since))
}

/// What the new signature says of itself.
pub(super) struct New {
    pub(super) signee: String,
    pub(super) identity: Option<String>,
    pub(super) algorithm: Option<String>,
    pub(super) valid_until: Option<Timestamp>,
    pub(super) counter: Option<String>,
}

pub(super) fn sign(
    file: &Path,
    key: &Path,
    new: New,
    out: Option<&Path>,
    as_json: bool,
) -> Result<ExitCode, Failure> {
    let mut playbook = document(file)?;
    let report = playbooks::validate(&playbook, &playbooks::abilities::standard());
    if let Some(error) = report.errors.first() {
        return Err(Failure::new(format!("{}: {error}", file.display())).remedy(
            "only a playbook that keeps the standard is signed; see `sereno playbook validate`",
        ));
    }
    let algorithm = new.algorithm.as_deref().map(|name| {
        Algorithm::named(name).ok_or_else(|| {
            Failure::wrong_use(format!("the algorithm '{name}' is not known"))
                .remedy("RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 or Ed25519")
        })
    });
    let bytes = read_file(key, MAX_KEY_BYTES)?;
    let key = signature::private_key(&bytes, algorithm.transpose()?).map_err(Failure::file(key))?;
    let mut random = [0; 16];
    SystemRandom.fill(&mut random);
    let signing = Signing {
        id: signature::new_id(random),
        signee: new.signee,
        created_by: new.identity,
        now: SystemClock.now(),
        valid_until: new.valid_until,
        algorithm: key.algorithm().name(),
        public_key: key.public_spki(),
        sign: &|message| key.sign(message),
    };
    let done = match &new.counter {
        Some(below) => signature::counter_sign(&mut playbook, below, &signing),
        None => signature::sign(&mut playbook, &signing),
    };
    done.map_err(Failure::file(file))?;
    write(out.unwrap_or(file), &playbook)?;
    if as_json {
        output::value(&json!({ "id": signing.id, "algorithm": signing.algorithm }))?;
    } else {
        output::line(&signing.id);
    }
    Ok(ExitCode::SUCCESS)
}

/// Strictly: a name that stands twice would let the signed text mean something else to another reader.
fn document(path: &Path) -> Result<Value, Failure> {
    let bytes = read_file(path, MAX_PLAYBOOK_BYTES)?;
    stix::json::read(&bytes, stix::json::Limits::default()).map_err(Failure::file(path))
}

/// Beside the target first, then in its place: a full disk leaves the old file whole.
fn write(path: &Path, playbook: &Value) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(playbook).map_err(Failure::file(path))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.new"));
    std::fs::write(&beside, format!("{text}\n")).map_err(Failure::file(&beside))?;
    std::fs::rename(&beside, path).map_err(Failure::file(path))
}
