//! The room's errors.

use axum::http::StatusCode;
use platform::bus::ConsumeError;
use platform::data::DataError;
use platform::db::DbError;
use platform::http::Problem;
use ports::PortError;

/// Why a gateway could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The database said no.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The data folder said no.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The socket for edges cannot be opened.
    #[error("the socket for gateways {place}: {cause}")]
    Socket {
        /// Where.
        place: String,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// No such gateway.
    #[error("gateway {0} not found")]
    NotFound(String),
    /// It is not connected now.
    #[error("gateway {0} is not connected")]
    Away(String),
    /// A request that cannot be right.
    #[error("{0}")]
    Invalid(String),
}

impl From<sqlx::Error> for GatewayError {
    fn from(cause: sqlx::Error) -> Self {
        Self::Db(cause.into())
    }
}

impl From<GatewayError> for PortError {
    fn from(error: GatewayError) -> Self {
        match error {
            GatewayError::NotFound(name) => Self::NotFound(format!("gateway {name}")),
            GatewayError::Invalid(detail) => Self::Invalid(detail),
            GatewayError::Away(_)
            | GatewayError::Db(DbError::DiskFull | DbError::Stopped | DbError::Commit(_)) => {
                Self::Unavailable(error.to_string())
            }
            other => Self::Internal(other.to_string()),
        }
    }
}

impl From<GatewayError> for ConsumeError {
    fn from(error: GatewayError) -> Self {
        match error {
            GatewayError::Db(db) => Self::Db(db),
            other => Self::Other(other.to_string()),
        }
    }
}

impl From<GatewayError> for Problem {
    fn from(error: GatewayError) -> Self {
        match error {
            GatewayError::Db(db) => db.into(),
            GatewayError::NotFound(name) => Self::not_found(format!("gateway {name}")),
            GatewayError::Invalid(detail) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail)
            }
            GatewayError::Away(_) => {
                Self::new(StatusCode::CONFLICT, "gateway-away", error.to_string())
                    .remedy("Start it, or wait until it connects again.")
            }
            other => Self::internal(other),
        }
    }
}
