//! Signing and counter-signing.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use model::Timestamp;
use serde_json::{Map, Value, json};

use super::{Hash, MAX_COUNTER_DEPTH, MAX_SIGNATURES, countered, covered};

/// Signs a message; an error says why not.
pub type Signer<'a> = dyn Fn(&[u8]) -> Result<Vec<u8>, String> + 'a;

/// Who signs, with what.
pub struct Signing<'a> {
    /// `jss--UUID` of the new signature.
    pub id: String,
    /// Who signs, in words.
    pub signee: String,
    /// The signer as a STIX identity, if it has one.
    pub created_by: Option<String>,
    /// Now.
    pub now: Timestamp,
    /// Until when it holds; without: for good.
    pub valid_until: Option<Timestamp>,
    /// Name of the algorithm.
    pub algorithm: &'static str,
    /// The public key as SubjectPublicKeyInfo, DER.
    pub public_key: Vec<u8>,
    /// Signs a message.
    pub sign: &'a Signer<'a>,
}

/// Adds a signature to a playbook.
///
/// # Errors
/// It has no `id` or `modified` to speak of, has [`MAX_SIGNATURES`] already, or the key does not sign.
pub fn sign(playbook: &mut Value, with: &Signing<'_>) -> Result<(), String> {
    let mut signature = with.envelope(playbook)?;
    let others = playbook.get("signatures").and_then(Value::as_array).map_or(0, Vec::len);
    if others >= MAX_SIGNATURES {
        return Err(format!("it has {others} signatures; {MAX_SIGNATURES} is the limit"));
    }
    let message = Hash::Sha256.text_of(&covered(playbook, &signature, 0));
    signature["value"] = with.value(&message)?;
    let members = playbook.as_object_mut().ok_or("it is no JSON object")?;
    match members.entry("signatures").or_insert_with(|| json!([])) {
        Value::Array(signatures) => signatures.push(signature),
        _ => return Err("/signatures is no list".into()),
    }
    Ok(())
}

/// Counter-signs a signature of a playbook, on top of the counter-signatures it has.
///
/// # Errors
/// There is no such signature, it bears [`MAX_COUNTER_DEPTH`] already, or the key does not sign.
pub fn counter_sign(playbook: &mut Value, id: &str, with: &Signing<'_>) -> Result<(), String> {
    let mut counter = with.envelope(playbook)?;
    let signatures = playbook.get_mut("signatures").and_then(Value::as_array_mut);
    let mut below = signatures
        .and_then(|all| all.iter_mut().find(|s| s.get("id").and_then(Value::as_str) == Some(id)))
        .ok_or_else(|| format!("it has no signature {id}"))?;
    let mut depth = 1;
    while below.get("signature").is_some() {
        depth += 1;
        below = below.get_mut("signature").ok_or("its counter-signature cannot be read")?;
    }
    if depth >= MAX_COUNTER_DEPTH {
        return Err(format!("{MAX_COUNTER_DEPTH} signatures upon each other is the limit"));
    }
    let message = Hash::Sha256.text_of(&countered(below, &counter));
    counter["value"] = with.value(&message)?;
    below["signature"] = counter;
    Ok(())
}

impl Signing<'_> {
    /// The signature without its value.
    fn envelope(&self, playbook: &Value) -> Result<Value, String> {
        let of_playbook = |name: &str| {
            let text = playbook.get(name).and_then(Value::as_str);
            text.ok_or_else(|| format!("the playbook has no {name}"))
        };
        let now = self.now.to_millis_text();
        let mut signature = Map::new();
        let mut put = |name: &str, value: &str| {
            signature.insert(name.to_owned(), value.into());
        };
        put("type", "jss");
        put("id", &self.id);
        if let Some(identity) = &self.created_by {
            put("created_by", identity);
        }
        put("created", &now);
        put("modified", &now);
        put("signee", &self.signee);
        put("valid_from", &now);
        if let Some(until) = self.valid_until {
            put("valid_until", &until.to_millis_text());
        }
        put("related_to", of_playbook("id")?);
        put("related_version", of_playbook("modified")?);
        put("hash_algorithm", &Hash::Sha256.to_string());
        put("algorithm", self.algorithm);
        put("public_key", &STANDARD.encode(&self.public_key));
        Ok(Value::Object(signature))
    }

    fn value(&self, message: &str) -> Result<Value, String> {
        Ok(URL_SAFE_NO_PAD.encode((self.sign)(message.as_bytes())?).into())
    }
}
