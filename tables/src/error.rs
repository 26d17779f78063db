//! What can go wrong.

use std::path::PathBuf;

/// Tables could not be made or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The recording cannot be read.
    #[error(transparent)]
    Read(#[from] jfr_parse::Error),
    /// Arrays do not make a table.
    #[error("arrow: {0}")]
    Arrow(#[from] arrow_schema::ArrowError),
    /// Parquet's writer or reader failed.
    #[error("parquet: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// A file cannot be written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A folder has tables already.
    #[error("{}: has tables already; add to them with --append, or name another folder", .0.display())]
    NotEmpty(PathBuf),
    /// Findings could not be had.
    #[error(transparent)]
    Analysis(#[from] jfr_analyzers::rule::AnalysisError),
    /// A time range does not fit a recording.
    #[error("{0}")]
    Range(String),
    /// Our own mistake.
    #[error("internal error: {0}")]
    Internal(&'static str),
}

/// A result with our [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
