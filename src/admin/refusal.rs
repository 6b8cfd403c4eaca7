//! Why a command of the operator was not carried out.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use quorate_raft::ProposeError;

use super::answer::Refused;

/// A status and one sentence for the operator: what, and what to do.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    error: String,
}

impl Refusal {
    /// 400: the command cannot be carried out as written.
    pub(super) fn wrong(error: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error: error.into(),
        }
    }

    /// 409: the cluster is not in a state that allows it.
    pub(super) fn conflict(error: impl Into<String>) -> Self {
        Self {
            status: StatusCode::CONFLICT,
            error: error.into(),
        }
    }

    /// 503: nothing has happened.
    pub(super) fn unavailable(error: impl Into<String>) -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            error: error.into(),
        }
    }

    /// 504: nobody knows what has happened.
    pub(super) fn unknown(error: impl Into<String>) -> Self {
        Self {
            status: StatusCode::GATEWAY_TIMEOUT,
            error: error.into(),
        }
    }

    /// 404: what the command names is not there.
    pub(super) fn missing(error: impl Into<String>) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            error: error.into(),
        }
    }
}

/// 503 if nothing has happened, 409 if a member has to be upgraded first, 504 if nobody knows.
impl From<ProposeError> for Refusal {
    fn from(error: ProposeError) -> Self {
        let status = match error {
            ProposeError::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            ProposeError::NotKnown { .. } => StatusCode::CONFLICT,
            ProposeError::Unknown => StatusCode::GATEWAY_TIMEOUT,
        };
        Self {
            status,
            error: error.to_string(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(Refused { error: self.error })).into_response()
    }
}
