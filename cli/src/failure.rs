//! Why a command failed.

/// One line for the user: what went wrong, where, and what to do about it.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The work could not be done.
    Failed(String),
    /// The command line is invalid or refers to something that does not exist.
    Usage(String),
    /// The work was done, but the findings count as a failure.
    Found(String),
    /// Part of the work could not be done, which was already reported.
    Reported,
    /// The reader closed the output early.
    ClosedPipe,
}

impl Failure {
    /// A failure of one input.
    pub(crate) fn of(input: &str, error: &jfr_parse::Error) -> Self {
        Self::Failed(match error {
            // The message already contains the file name.
            jfr_parse::Error::Io { .. } => error.to_string(),
            jfr_parse::Error::LimitExceeded { offset, what, name, limit } => format!(
                "{input}: offset {offset}: more than {limit} {what}; if you trust the recording, raise it with \
                 --max {}=N",
                crate::limits::option_name(name)
            ),
            jfr_parse::Error::Stopped => format!("{input}: {}", crate::interrupt::TIMED_OUT),
            _ => format!("{input}: {error}"),
        })
    }

    /// Data of an input was lost, and --strict was given.
    pub(crate) fn lossy(input: &str) -> Self {
        Self::Failed(lossy(input))
    }

    /// The exit status.
    pub(crate) fn status(&self) -> u8 {
        match self {
            Self::Failed(_) | Self::Reported => 1,
            Self::Usage(_) => 2,
            Self::Found(_) => 3,
            Self::ClosedPipe => 0,
        }
    }
}

/// The message that data of an input was lost although --strict was given.
pub(crate) fn lossy(input: &str) -> String {
    format!("{input}: not read completely; leave out --strict to accept that")
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Failed(message) | Self::Usage(message) | Self::Found(message) => f.write_str(message),
            Self::Reported => f.write_str("some inputs failed"),
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
