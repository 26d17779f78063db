//! Masks secrets in properties, variables, flags and command lines, as `jfrkit info` does.

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, StringArray};
use arrow_schema::ArrowError;
use jfr_analyzers::secrets;

use crate::column::{dictionary, strings};
use crate::schema::{Column, Shape};

/// Fields with JVM arguments.
const ARGUMENTS: [&str; 2] = ["jvmArguments", "jvmFlags"];
/// Fields with a command line.
const COMMANDS: [&str; 3] = ["javaArguments", "commandLine", "command"];
/// Fields that name what the field `value` contains.
const NAMES: [&str; 2] = ["key", "name"];

/// Masks secrets in the columns of an event type.
pub(crate) fn secrets(columns: &[Column], arrays: &mut [ArrayRef]) -> Result<(), ArrowError> {
    let place = |wanted: &str| columns.iter().position(|c| c.name == wanted && c.shape == Shape::Text);
    for name in ARGUMENTS.iter().chain(&COMMANDS) {
        let Some(array) = place(name).and_then(|i| arrays.get_mut(i)) else { continue };
        let arguments = ARGUMENTS.contains(name);
        let hide =
            |_, text: &str| Some(if arguments { secrets::arguments(text) } else { secrets::text(text).into_owned() });
        *array = mapped(array, hide)?;
    }
    let names = NAMES.iter().find_map(|name| place(name));
    let (Some(names), Some(values)) = (names.and_then(|i| arrays.get(i).cloned()), place("value")) else {
        return Ok(());
    };
    let Some(array) = arrays.get_mut(values) else { return Ok(()) };
    let names = names.as_dictionary_opt::<Int32Type>().and_then(|names| names.downcast_dict::<StringArray>());
    let name = |row: usize| {
        let names = names?;
        let key = names.keys().is_valid(row).then(|| names.keys().value(row))?;
        let key = usize::try_from(key).ok()?;
        names.values().is_valid(key).then(|| names.values().value(key))
    };
    *array = mapped(array, |row, text| Some(secrets::value(name(row).unwrap_or_default(), text).into_owned()))?;
    Ok(())
}

/// A string column with every value mapped.
fn mapped(array: &ArrayRef, map: impl Fn(usize, &str) -> Option<String>) -> Result<ArrayRef, ArrowError> {
    let Some(texts) = array.as_dictionary_opt::<Int32Type>().and_then(|texts| texts.downcast_dict::<StringArray>())
    else {
        return Ok(array.clone());
    };
    let one = |row: usize| {
        let key = texts.keys().is_valid(row).then(|| texts.keys().value(row))?;
        let key = usize::try_from(key).ok()?;
        texts.values().is_valid(key).then(|| texts.values().value(key)).and_then(|text| map(row, text))
    };
    dictionary(strings((0..array.len()).map(one))?, None)
}
