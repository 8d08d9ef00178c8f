//! Whose playbooks are run: what the node asks of signatures (`[playbooks] signatures`), and the keys it trusts.

use cacao::signature::{Trust, Verdict, verify};
use model::Timestamp;
use platform::db::{DbError, Tx};
use sqlx::AnyConnection;

use crate::config::{Config, Signatures};
use crate::engine::Texts;
use crate::store::keys;

/// What a node asks of signatures, with its keys as they are now.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    policy: Signatures,
    trust: Trust,
}

/// Why a playbook, or one that it calls, is not run: signatures are required and none of a trusted key holds.
///
/// # Errors
/// The database failed.
pub(crate) async fn unsigned(
    config: &Config,
    tx: &mut Tx,
    texts: &Texts,
) -> Result<Vec<String>, DbError> {
    let asked = Asked::read(config, tx.sql()).await?;
    let all = std::iter::once(&texts.own).chain(texts.called.values());
    Ok(all.filter_map(|text| asked.lacks(text, tx.now())).collect())
}

impl Asked {
    /// Reads the keys.
    ///
    /// # Errors
    /// The database failed.
    pub(crate) async fn read(
        config: &Config,
        connection: &mut AnyConnection,
    ) -> Result<Self, DbError> {
        let mut trust = Trust { trusted: config.trusted_keys.clone(), ..Trust::default() };
        if config.signatures == Signatures::Ignore {
            return Ok(Self { policy: config.signatures, trust });
        }
        for kept in keys::all(connection).await? {
            trust.trusted.push(kept.fingerprint.clone());
            if let Some(since) = kept.revoked_at {
                trust.revoked.push((kept.fingerprint.clone(), Some(since)));
            }
            if let Some(thumbprint) = kept.thumbprint.clone() {
                trust.by_thumbprint.push((thumbprint, kept.key()?));
            }
        }
        Ok(Self { policy: config.signatures, trust })
    }

    fn verdict(&self, body: &str, now: Timestamp) -> Verdict {
        let refused = |reason: String| Verdict { valid: false, reason, signatures: vec![] };
        if self.trust.trusted.is_empty() {
            return refused("this node trusts no key yet".into());
        }
        // Strictly: a name that stands twice would let the signed text mean something else to the engine.
        match stix::json::read(body.as_bytes(), stix::json::Limits::default()) {
            Ok(value) => verify(&value, &self.trust, now),
            Err(cause) => refused(format!("it cannot be read strictly: {cause}")),
        }
    }

    /// Why a playbook is not run, where signatures are required and none of a trusted key holds.
    fn lacks(&self, body: &str, now: Timestamp) -> Option<String> {
        (self.policy == Signatures::Require).then(|| self.doubt(body, now))?
    }

    /// What is to be told of a playbook's signatures, unless they are ignored.
    pub(crate) fn doubt(&self, body: &str, now: Timestamp) -> Option<String> {
        if self.policy == Signatures::Ignore {
            return None;
        }
        let verdict = self.verdict(body, now);
        let cause = verdict.signatures.iter().find_map(|checked| checked.reason.as_ref());
        let cause = cause.map(|cause| format!(" ({cause})")).unwrap_or_default();
        (!verdict.valid).then(|| {
            format!(
                "no signature of a trusted key holds: {}{cause}; sign it with `sereno playbook sign`, or trust its \
                 signer with `sereno playbook key add FILE`",
                verdict.reason
            )
        })
    }
}
