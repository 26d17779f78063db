//! Why a command ends without having done its work.

/// One line for the user: what went wrong, where, and what to do.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Nothing could be done.
    Failed(String),
    /// The command line asks for something that does not exist.
    Usage(String),
    /// It was done, and what was found is to be a failure.
    Found(String),
    /// Some of it could not be done, and the user was told which.
    Told,
    /// Whoever read the output has seen enough.
    ClosedPipe,
}

impl Failure {
    /// The failure of an input.
    pub(crate) fn of(input: &str, error: &jfr_parse::Error) -> Self {
        Self::Failed(match error {
            // Names the file already.
            jfr_parse::Error::Io { .. } => error.to_string(),
            jfr_parse::Error::LimitExceeded { offset, what, name, limit } => format!(
                "{input}: offset {offset}: more than {limit} {what}; if the recording can be trusted, raise it with \
                 --max {}=N",
                crate::limits::option_name(name)
            ),
            jfr_parse::Error::Stopped => format!("{input}: {}", crate::interrupt::TIMED_OUT),
            _ => format!("{input}: {error}"),
        })
    }

    /// The exit status.
    pub(crate) fn status(&self) -> u8 {
        match self {
            Self::Failed(_) | Self::Told => 1,
            Self::Usage(_) => 2,
            Self::Found(_) => 3,
            Self::ClosedPipe => 0,
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Failed(message) | Self::Usage(message) | Self::Found(message) => f.write_str(message),
            Self::Told => f.write_str("some inputs failed"),
            Self::ClosedPipe => f.write_str("the output was closed"),
        }
    }
}

/// Writing the output failed.
impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self::ClosedPipe,
            _ => Self::Failed(format!("writing the output failed: {error}")),
        }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        std::io::Error::from(error).into()
    }
}
