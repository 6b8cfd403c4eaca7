//! How a command fails: what is said and which exit code follows.

use std::error::Error;
use std::process::ExitCode;

/// The exit code for a wrong command line. Source: `EX_USAGE`, sysexits.h of BSD.
pub(super) const EXIT_USAGE: u8 = 64;

/// Any error, kept with its chain of causes.
pub(crate) type AnyError = Box<dyn Error + Send + Sync>;

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The command line cannot be carried out as written. Exit code 64.
    #[error("{0}")]
    Usage(String),
    /// The command was understood and failed. Exit code 1.
    #[error("{what}")]
    Failed {
        what: String,
        #[source]
        cause: Option<AnyError>,
    },
}

impl Failure {
    /// A failure without a deeper cause.
    pub(crate) fn because(what: impl Into<String>) -> Self {
        Self::Failed {
            what: what.into(),
            cause: None,
        }
    }

    /// A failure of doing `what`, for a function given to `map_err`.
    pub(crate) fn while_doing<E: Into<AnyError>>(
        what: impl Into<String>,
    ) -> impl FnOnce(E) -> Self {
        let what = what.into();
        |cause| Self::Failed {
            what,
            cause: Some(cause.into()),
        }
    }

    /// The message and all its causes on one line, outermost first.
    pub(super) fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut next = self.source();
        while let Some(cause) = next {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            next = cause.source();
        }
        text
    }

    pub(super) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(EXIT_USAGE),
            Self::Failed { .. } => ExitCode::FAILURE,
        }
    }
}

/// A failed write to standard output ends any command the same way.
pub(super) fn cannot_print(cause: std::io::Error) -> Failure {
    Failure::Failed {
        what: "cannot print".into(),
        cause: Some(cause.into()),
    }
}
