//! The messages of `profile.proto`, for reading.
//!
//! Strings are indices into [`Profile::string_table`]; index 0 is the empty string. `mapping_id` and `function_id` are ids of
//! messages in the same file, not positions.
//!
//! The structs are written by hand from `proto/profile.proto` in the pprof repository (github.com/google/pprof): a tag here is the
//! field number there. Generating them would add a protobuf compiler to the build for eight small messages, and the generated docs
//! would lack the meanings. `cli/tests/oracle.rs` compares what is written with what Go's pprof reads.

/// A profile.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Profile {
    /// What each value of a sample measures.
    #[prost(message, repeated, tag = "1")]
    pub sample_type: Vec<ValueType>,
    /// The samples.
    #[prost(message, repeated, tag = "2")]
    pub sample: Vec<Sample>,
    /// Programs and libraries.
    #[prost(message, repeated, tag = "3")]
    pub mapping: Vec<Mapping>,
    /// Locations in the code.
    #[prost(message, repeated, tag = "4")]
    pub location: Vec<Location>,
    /// Functions.
    #[prost(message, repeated, tag = "5")]
    pub function: Vec<Function>,
    /// All strings.
    #[prost(string, repeated, tag = "6")]
    pub string_table: Vec<String>,
    /// A regular expression (string) for frames to drop.
    #[prost(int64, tag = "7")]
    pub drop_frames: i64,
    /// A regular expression (string) for frames to keep even if they match `drop_frames`.
    #[prost(int64, tag = "8")]
    pub keep_frames: i64,
    /// Start in nanoseconds since the Unix epoch.
    #[prost(int64, tag = "9")]
    pub time_nanos: i64,
    /// Duration in nanoseconds.
    #[prost(int64, tag = "10")]
    pub duration_nanos: i64,
    /// What is measured between two samples.
    #[prost(message, optional, tag = "11")]
    pub period_type: Option<ValueType>,
    /// The sampling period, in the unit of `period_type`.
    #[prost(int64, tag = "12")]
    pub period: i64,
    /// Comments (strings).
    #[prost(int64, repeated, tag = "13")]
    pub comment: Vec<i64>,
    /// The name (string) of the value to show by default.
    #[prost(int64, tag = "14")]
    pub default_sample_type: i64,
}

/// The type of a value.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct ValueType {
    /// The name (string).
    #[prost(int64, tag = "1")]
    pub r#type: i64,
    /// The unit (string).
    #[prost(int64, tag = "2")]
    pub unit: i64,
}

/// A sample.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Sample {
    /// Ids of the locations, leaf first.
    #[prost(uint64, repeated, tag = "1")]
    pub location_id: Vec<u64>,
    /// One value per sample type.
    #[prost(int64, repeated, tag = "2")]
    pub value: Vec<i64>,
    /// The labels.
    #[prost(message, repeated, tag = "3")]
    pub label: Vec<Label>,
}

/// A label of a sample: a string or a number.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Label {
    /// The key (string).
    #[prost(int64, tag = "1")]
    pub key: i64,
    /// The value, if it is a string.
    #[prost(int64, tag = "2")]
    pub str: i64,
    /// The value, if it is a number.
    #[prost(int64, tag = "3")]
    pub num: i64,
    /// The unit of the number (string).
    #[prost(int64, tag = "4")]
    pub num_unit: i64,
}

/// A program or library.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Mapping {
    /// The id; never 0.
    #[prost(uint64, tag = "1")]
    pub id: u64,
    /// The first address.
    #[prost(uint64, tag = "2")]
    pub memory_start: u64,
    /// The address after the last one.
    #[prost(uint64, tag = "3")]
    pub memory_limit: u64,
    /// Offset in the file of the first address.
    #[prost(uint64, tag = "4")]
    pub file_offset: u64,
    /// The file name (string).
    #[prost(int64, tag = "5")]
    pub filename: i64,
    /// The build id (string).
    #[prost(int64, tag = "6")]
    pub build_id: i64,
    /// Whether the locations have functions.
    #[prost(bool, tag = "7")]
    pub has_functions: bool,
    /// Whether the functions have file names.
    #[prost(bool, tag = "8")]
    pub has_filenames: bool,
    /// Whether the locations have line numbers.
    #[prost(bool, tag = "9")]
    pub has_line_numbers: bool,
    /// Whether the locations list inlined calls.
    #[prost(bool, tag = "10")]
    pub has_inline_frames: bool,
}

/// A location in the code.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Location {
    /// The id; never 0.
    #[prost(uint64, tag = "1")]
    pub id: u64,
    /// The id of the mapping; 0 if there is none.
    #[prost(uint64, tag = "2")]
    pub mapping_id: u64,
    /// The address.
    #[prost(uint64, tag = "3")]
    pub address: u64,
    /// The lines of the location, innermost first.
    #[prost(message, repeated, tag = "4")]
    pub line: Vec<Line>,
    /// Whether several addresses were folded into this location.
    #[prost(bool, tag = "5")]
    pub is_folded: bool,
}

/// A line of a function.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Line {
    /// The id of the function.
    #[prost(uint64, tag = "1")]
    pub function_id: u64,
    /// The line number; 0 if unknown.
    #[prost(int64, tag = "2")]
    pub line: i64,
    /// The column number; 0 if unknown.
    #[prost(int64, tag = "3")]
    pub column: i64,
}

/// A function.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Function {
    /// The id; never 0.
    #[prost(uint64, tag = "1")]
    pub id: u64,
    /// The human-readable name (string).
    #[prost(int64, tag = "2")]
    pub name: i64,
    /// The system name (string).
    #[prost(int64, tag = "3")]
    pub system_name: i64,
    /// The source file (string).
    #[prost(int64, tag = "4")]
    pub filename: i64,
    /// The line where the function begins; 0 if unknown.
    #[prost(int64, tag = "5")]
    pub start_line: i64,
}
