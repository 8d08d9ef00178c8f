//! Versions of models: signed by the node's key, checked whenever one is loaded.

use platform::Platform;
use platform::blobs::Blobs;
use serde_json::json;

use crate::judge::Watch;
use crate::store::law_models::LawModelRow;
use crate::store::machine_models::MachineModelRow;
use crate::store::models::ModelRow;

/// First line of what is signed, so that the signature means nothing elsewhere.
const PURPOSE: &str = "sereno detection model v1\n";
/// First line of what is signed of a pooled model.
const PRIOR_PURPOSE: &str = "sereno detection prior v1\n";

/// What a version's signature covers: everything that says which model it is and what it was made of.
fn message(row: &ModelRow) -> Vec<u8> {
    let body = json!([
        row.device,
        row.number,
        row.blob,
        row.trained_from,
        row.trained_to,
        row.windows,
        row.alpha,
        row.seed,
        row.config,
        row.measured_false_rate,
    ]);
    [PURPOSE.as_bytes(), body.to_string().as_bytes()].concat()
}

/// Signs a version.
pub(crate) fn sign(platform: &Platform, row: &mut ModelRow) {
    row.signature = hex::encode(platform.signer.sign(&message(row)));
    row.signed_by = hex::encode(platform.signer.public_key());
}

/// Signs a pooled model.
pub(crate) fn sign_prior(platform: &Platform, kind: &str, blob: &str) -> String {
    hex::encode(platform.signer.sign(format!("{PRIOR_PURPOSE}{kind}\n{blob}").as_bytes()))
}

/// Whether a pooled model is the one that was signed.
pub(crate) fn check_prior(platform: &Platform, kind: &str, blob: &str, signature: &str) -> bool {
    verify(platform, format!("{PRIOR_PURPOSE}{kind}\n{blob}").as_bytes(), signature)
}

fn verify(platform: &Platform, message: &[u8], signature: &str) -> bool {
    let mut bytes = [0; 64];
    hex::decode_to_slice(signature, &mut bytes).is_ok()
        && platform::keys::verify(&platform.signer.public_key(), message, &bytes)
}

/// Why a version is not used.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    /// One sentence that names the version.
    pub(crate) cause: String,
    /// True when it is not what was signed; false when it is gone or of another form.
    pub(crate) tampered: bool,
}

impl Refusal {
    /// It is not what was signed.
    pub(crate) const fn tampered(cause: String) -> Self {
        Self { cause, tampered: true }
    }

    const fn unreadable(cause: String) -> Self {
        Self { cause, tampered: false }
    }
}

/// Whether a version is the one that was signed, by this node.
pub(crate) fn check(platform: &Platform, row: &ModelRow) -> Result<(), String> {
    if row.signature.is_empty() {
        return Err(format!("version {} carries no signature", row.number));
    }
    if row.signed_by != hex::encode(platform.signer.public_key()) {
        return Err(format!("version {} was signed by another key than this node's", row.number));
    }
    if verify(platform, &message(row), &row.signature) {
        Ok(())
    } else {
        Err(format!("the signature of version {} does not fit it", row.number))
    }
}

/// A version ready to judge: signature checked, file there, whole and of this build's form.
pub(crate) async fn load(platform: &Platform, row: &ModelRow) -> Result<Watch, Refusal> {
    check(platform, row).map_err(Refusal::tampered)?;
    let (number, hash) = (row.number, &row.blob);
    let bytes = Blobs::new(&platform.data)
        .get(hash)
        .await
        .map_err(|cause| {
            let damaged = matches!(cause, platform::blobs::BlobError::Damaged(_));
            let cause = format!("version {number} cannot be read: {cause}");
            Refusal { cause, tampered: damaged }
        })?
        .ok_or_else(|| {
            Refusal::unreadable(format!("the file of version {number} ({hash}) is missing"))
        })?;
    Watch::from_bytes(&bytes, hash)
        .map_err(|cause| Refusal::unreadable(format!("version {number}: {cause}")))
}

/// First line of what is signed of a machine model.
const MACHINE_PURPOSE: &str = "sereno machine model v1\n";

fn machine_message(row: &MachineModelRow) -> Vec<u8> {
    let body = json!([
        row.edge,
        row.number,
        row.origin,
        row.author,
        row.reason,
        row.blob,
        row.created_at,
        row.operations,
    ]);
    [MACHINE_PURPOSE.as_bytes(), body.to_string().as_bytes()].concat()
}

/// Signs a version of a machine model.
pub(crate) fn sign_machine(platform: &Platform, row: &mut MachineModelRow) {
    row.signature = hex::encode(platform.signer.sign(&machine_message(row)));
    row.signed_by = hex::encode(platform.signer.public_key());
}

/// Whether a version of a machine model is the one that was signed, by this node.
pub(crate) fn check_machine(platform: &Platform, row: &MachineModelRow) -> Result<(), String> {
    if verify(platform, &machine_message(row), &row.signature) {
        Ok(())
    } else {
        Err(format!("the signature of version {} does not fit it", row.number))
    }
}

/// First line of what is signed of a model of laws.
const LAW_PURPOSE: &str = "sereno law model v1\n";

fn law_message(row: &LawModelRow) -> Vec<u8> {
    let body = json!([
        row.edge,
        row.protocol,
        row.number,
        row.reason,
        row.blob,
        row.created_at,
        row.messages,
        row.trained_from,
        row.trained_to,
    ]);
    [LAW_PURPOSE.as_bytes(), body.to_string().as_bytes()].concat()
}

/// Signs a version of a model of laws.
pub(crate) fn sign_law(platform: &Platform, row: &mut LawModelRow) {
    row.signature = hex::encode(platform.signer.sign(&law_message(row)));
    row.signed_by = hex::encode(platform.signer.public_key());
}

/// Whether a version of a model of laws is the one that was signed, by this node.
pub(crate) fn check_law(platform: &Platform, row: &LawModelRow) -> Result<(), String> {
    if verify(platform, &law_message(row), &row.signature) {
        Ok(())
    } else {
        Err(format!("the signature of version {} does not fit it", row.number))
    }
}
