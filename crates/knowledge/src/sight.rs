//! Which labels a caller may read, by the policies: the action `see` on a thing of kind `Intel`.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use intel::Sight;
use platform::http::{Caller, Gate, Problem};
use serde_json::json;
use stix::Tlp;

/// Up to which label the caller may read: labels are asked from the least protected on, the first "no" ends it.
///
/// # Errors
/// 403 when the caller may not even read what is clear; the text carries the policy's reason.
pub fn of(gate: &Gate, caller: &Caller) -> Result<Sight, Problem> {
    let mut most = None;
    for tlp in Tlp::ALL {
        let attributes = BTreeMap::from([("tlp".to_owned(), json!(tlp.label()))]);
        let decision = gate.0.decide(&caller.question("see", "Intel", tlp.label(), attributes));
        if !decision.allowed {
            if most.is_none() {
                let text =
                    format!("{} may not read intelligence: {}", caller.name, decision.reason);
                return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", text)
                    .remedy("Ask an administrator for a role that includes it."));
            }
            break;
        }
        most = Some(tlp);
    }
    Ok(most.map_or(Sight::NOTHING, Sight::up_to))
}
