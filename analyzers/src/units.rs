//! x
/// x
pub fn amount(value: i64, unit: &str) -> String {
    format!("{value} {unit}")
}
