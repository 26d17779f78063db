//! Errors.

use std::path::PathBuf;

/// Why tables could not be created or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The recording cannot be read.
    #[error(transparent)]
    Read(#[from] jfr_parse::Error),
    /// The arrays do not form a valid table.
    #[error("arrow: {0}")]
    Arrow(#[from] arrow_schema::ArrowError),
    /// The Parquet reader or writer failed.
    #[error("parquet: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// A file cannot be written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The folder already contains tables.
    #[error("{}: already contains tables; add to them with --append, or choose another folder", .0.display())]
    NotEmpty(PathBuf),
    /// The analysis failed.
    #[error(transparent)]
    Analysis(#[from] jfr_analyzers::rule::AnalysisError),
    /// The time range does not match the recording.
    #[error("{0}")]
    Range(String),
    /// A bug in this crate.
    #[error("internal error: {0}")]
    Internal(&'static str),
}

/// A result with our [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
