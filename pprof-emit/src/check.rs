//! Checks what viewers require of a profile.

use hashbrown::HashSet;

use crate::pb;

/// What is wrong with a profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The string table does not begin with the empty string.
    #[error("string_table[0] is not the empty string")]
    FirstString,
    /// A string index is out of range.
    #[error("{field}: no string {index}")]
    NoString {
        /// The field that contains the index.
        field: &'static str,
        /// The index.
        index: i64,
    },
    /// The ids are not exactly 1, 2, 3… up to the number of messages.
    #[error("{kind} ids are not dense: {id} of {count}")]
    NotDense {
        /// `mapping`, `location` or `function`.
        kind: &'static str,
        /// The first id that is zero, too high or a duplicate.
        id: u64,
        /// The number of messages.
        count: usize,
    },
    /// A reference to an id that does not exist.
    #[error("{kind} {id} does not exist")]
    Dangling {
        /// `mapping`, `location` or `function`.
        kind: &'static str,
        /// The id.
        id: u64,
    },
    /// A sample's number of values differs from the number of sample types.
    #[error("sample {sample} has {found} values for {expected} sample types")]
    Values {
        /// Index of the sample.
        sample: usize,
        /// The number of values of the sample.
        found: usize,
        /// The number of sample types.
        expected: usize,
    },
    /// The profile has samples but no sample types.
    #[error("samples without sample types")]
    NoSampleType,
    /// The default sample type is not one of the sample types.
    #[error("the default sample type is not one of the sample types")]
    DefaultSampleType,
}

/// Checks that ids are dense, that all references are valid, that each sample has as many values as there are
/// sample types, and that the string table begins with the empty string.
///
/// # Errors
/// The first violation.
pub fn check(profile: &pb::Profile) -> Result<(), CheckError> {
    if profile.string_table.first().is_none_or(|first| !first.is_empty()) {
        return Err(CheckError::FirstString);
    }
    texts(profile)?;
    dense("mapping", profile.mapping.iter().map(|m| m.id))?;
    dense("location", profile.location.iter().map(|l| l.id))?;
    dense("function", profile.function.iter().map(|f| f.id))?;
    for location in &profile.location {
        // A missing mapping is allowed, and is written as 0.
        if location.mapping_id != 0 {
            exists("mapping", location.mapping_id, profile.mapping.len())?;
        }
        for line in &location.line {
            exists("function", line.function_id, profile.function.len())?;
        }
    }
    let expected = profile.sample_type.len();
    if expected == 0 && !profile.sample.is_empty() {
        return Err(CheckError::NoSampleType);
    }
    let default = profile.default_sample_type;
    if default != 0 && !profile.sample_type.iter().any(|t| t.r#type == default) {
        return Err(CheckError::DefaultSampleType);
    }
    for (i, sample) in profile.sample.iter().enumerate() {
        if sample.value.len() != expected {
            return Err(CheckError::Values { sample: i, found: sample.value.len(), expected });
        }
        for &id in &sample.location_id {
            exists("location", id, profile.location.len())?;
        }
    }
    Ok(())
}

fn texts(profile: &pb::Profile) -> Result<(), CheckError> {
    let count = profile.string_table.len();
    let text = |field: &'static str, index: i64| {
        let there = usize::try_from(index).is_ok_and(|i| i < count);
        if there { Ok(()) } else { Err(CheckError::NoString { field, index }) }
    };
    for value in profile.sample_type.iter().chain(&profile.period_type) {
        text("value type", value.r#type)?;
        text("unit", value.unit)?;
    }
    for mapping in &profile.mapping {
        text("mapping.filename", mapping.filename)?;
        text("mapping.build_id", mapping.build_id)?;
    }
    for function in &profile.function {
        text("function.name", function.name)?;
        text("function.system_name", function.system_name)?;
        text("function.filename", function.filename)?;
    }
    for label in profile.sample.iter().flat_map(|s| &s.label) {
        text("label.key", label.key)?;
        text("label.str", label.str)?;
        text("label.num_unit", label.num_unit)?;
    }
    for &comment in &profile.comment {
        text("comment", comment)?;
    }
    text("default_sample_type", profile.default_sample_type)?;
    text("drop_frames", profile.drop_frames)?;
    text("keep_frames", profile.keep_frames)
}

fn dense(kind: &'static str, ids: impl ExactSizeIterator<Item = u64>) -> Result<(), CheckError> {
    let count = ids.len();
    let mut seen = HashSet::with_capacity_and_hasher(count, foldhash::fast::RandomState::default());
    for id in ids {
        if !in_range(id, count) || !seen.insert(id) {
            return Err(CheckError::NotDense { kind, id, count });
        }
    }
    Ok(())
}

fn exists(kind: &'static str, id: u64, count: usize) -> Result<(), CheckError> {
    if in_range(id, count) { Ok(()) } else { Err(CheckError::Dangling { kind, id }) }
}

fn in_range(id: u64, count: usize) -> bool {
    id != 0 && usize::try_from(id).is_ok_and(|id| id <= count)
}
