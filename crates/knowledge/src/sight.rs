//! Which labels a caller may read, by the policies.

use axum::http::StatusCode;
use intel::Sight;
use platform::http::{Caller, Gate, Problem};

/// Up to which label the caller may read.
///
/// # Errors
/// 403 when the caller may not even read what is clear.
pub fn of(gate: &Gate, caller: &Caller) -> Result<Sight, Problem> {
    match Sight::of(gate, caller) {
        Sight::NOTHING => {
            let text = format!("{} may not read intelligence: no policy allows it", caller.name);
            Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", text)
                .remedy("Ask an administrator for a role that includes it."))
        }
        sight => Ok(sight),
    }
}
