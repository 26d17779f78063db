//! Standard output and standard error, and the options that control them.

use std::io::{BufWriter, IsTerminal, StdoutLock, Write};
use std::sync::OnceLock;

use indicatif::ProgressBar;
use jfr_parse::Zone;
use parking_lot::Mutex;

use crate::failure::Failure;

/// Standard output, locked and buffered. Flush it at the end to notice errors.
pub(crate) fn stdout() -> BufWriter<StdoutLock<'static>> {
    BufWriter::with_capacity(1 << 16, std::io::stdout().lock())
}

/// The progress bar on the terminal, if there is one.
static BAR: OnceLock<ProgressBar> = OnceLock::new();

/// Registers the progress bar.
pub(crate) fn shows_bar(bar: &ProgressBar) {
    let _ = BAR.set(bar.clone());
}

/// Removes the progress bar from the terminal.
pub(crate) fn clear_bar() {
    if let Some(bar) = BAR.get() {
        bar.finish_and_clear();
    }
}

/// The output settings from the options that every command has.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Args {
    /// When to use colors
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = When::Auto, display_order = 900)]
    color: When,

    /// Print only results and errors: no warnings, no progress, no list of written files
    #[arg(short, long, global = true, conflicts_with = "verbose", display_order = 901)]
    quiet: bool,

    /// Print more: every warning instead of one of each kind, the evidence for findings, how values were computed
    #[arg(short, long, global = true, display_order = 902)]
    verbose: bool,

    /// Show times and interpret --from and --to in UTC (the default)
    #[arg(long, global = true, display_order = 903)]
    utc: bool,

    /// Show times and interpret --from and --to in the local time zone; JSON is always UTC
    #[arg(long, global = true, conflicts_with = "utc", display_order = 904)]
    local: bool,
}

/// When text has colors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum When {
    /// On terminals, unless NO_COLOR is set
    #[default]
    Auto,
    /// Even in pipes
    Always,
    /// Never
    Never,
}

static ARGS: OnceLock<Args> = OnceLock::new();
static ZONE: OnceLock<Zone> = OnceLock::new();

impl Args {
    /// Applies the options to all output from now on.
    pub(crate) fn take_effect(self) -> Result<(), Failure> {
        if self.local {
            let _ = ZONE.set(crate::zone::local().map_err(Failure::Failed)?);
        }
        match self.color {
            When::Auto => {}
            When::Always => anstream::ColorChoice::Always.write_global(),
            When::Never => anstream::ColorChoice::Never.write_global(),
        }
        let _ = ARGS.set(self);
        Ok(())
    }
}

fn args() -> Args {
    ARGS.get().copied().unwrap_or_default()
}

/// The time zone for text output, and for times given without an offset.
pub(crate) fn zone() -> Zone {
    ZONE.get().cloned().unwrap_or_default()
}

/// Whether `-v` was given.
pub(crate) fn is_verbose() -> bool {
    args().verbose
}

/// Whether `-q` was given.
pub(crate) fn is_quiet() -> bool {
    args().quiet
}

/// Whether to color standard output: as the option says, or else on a terminal, unless NO_COLOR or similar is set.
pub(crate) fn has_color() -> bool {
    anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
}

/// The width of the terminal, or the value of COLUMNS; `None` in a pipe, where lines are not limited.
pub(crate) fn width() -> Option<usize> {
    let named = || std::env::var("COLUMNS").ok()?.parse().ok();
    let columns = if std::io::stdout().is_terminal() {
        terminal_size::terminal_size().map(|(width, _)| width.0.into()).or_else(named).or(Some(80))
    } else {
        named()
    };
    columns.filter(|&columns| columns >= 20)
}

/// Warnings waiting to be summarized.
static PENDING: Mutex<PendingWarnings> =
    Mutex::new(PendingWarnings { name: String::new(), kinds: Vec::new(), others: 0 });

/// Maximum kinds of warnings to keep per input; further ones are only counted.
const MAX_KINDS: usize = 20;

/// The warnings of one input, by kind.
struct PendingWarnings {
    name: String,
    kinds: Vec<Kind>,
    /// The number of warnings of further kinds.
    others: usize,
}

/// Warnings that differ only in numbers.
struct Kind {
    pattern: String,
    first: String,
    count: usize,
}

/// Prints a warning about an input. Of warnings that differ only in numbers (offsets, bytes), only the first is shown, with the
/// count; `-v` shows all, `-q` none.
pub(crate) fn warn(name: &str, text: impl std::fmt::Display) {
    let text = text.to_string();
    if is_quiet() {
        return;
    }
    if is_verbose() {
        return line("warning", &format!("{name}: {text}"));
    }
    let mut pending = PENDING.lock();
    if pending.name != name {
        pending.print();
        name.clone_into(&mut pending.name);
    }
    let pattern = pattern(&text);
    if let Some(kind) = pending.kinds.iter_mut().find(|kind| kind.pattern == pattern) {
        kind.count += 1;
    } else if pending.kinds.len() < MAX_KINDS {
        pending.kinds.push(Kind { pattern, first: text, count: 1 });
    } else {
        pending.others += 1;
    }
}

/// The text with `#` in place of each number.
fn pattern(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '0'..='9' if out.ends_with('#') => {}
            '0'..='9' => out.push('#'),
            c => out.push(c),
        }
    }
    out
}

impl PendingWarnings {
    fn print(&mut self) {
        let name = std::mem::take(&mut self.name);
        for kind in self.kinds.drain(..) {
            let more = match kind.count - 1 {
                0 => String::new(),
                n => {
                    let n = jfrkit_profile::units::count(i64::try_from(n).unwrap_or(i64::MAX));
                    format!("; {n} more like this (-v shows all)")
                }
            };
            line("warning", &format!("{name}: {}{more}", kind.first));
        }
        match std::mem::take(&mut self.others) {
            0 => {}
            n => line("warning", &format!("{name}: {n} more warnings of other kinds (-v shows all)")),
        }
    }
}

/// Prints the summarized warnings.
pub(crate) fn print_warnings() {
    // Whoever holds the lock is about to print them.
    if let Some(mut pending) = PENDING.try_lock() {
        pending.print();
    }
}

/// Prints an error, after the summarized warnings.
pub(crate) fn print_error(message: &str) {
    print_warnings();
    line("error", message);
}

/// Prints a warning that is not about an input, after the summarized ones; nothing with `-q`.
pub(crate) fn print_warning(message: &str) {
    print_warnings();
    if !is_quiet() {
        line("warning", message);
    }
}

/// Prints something that the user should know and that is not a problem.
pub(crate) fn print_note(message: &str) {
    print_warnings();
    line("note", message);
}

/// Writes a line to standard error. If that fails, there is nowhere to report it.
fn line(kind: &str, message: &str) {
    let line: String = message.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let _ = writeln!(std::io::stderr(), "jfrkit: {kind}: {line}");
}

#[cfg(test)]
mod tests {
    use super::pattern;

    #[test]
    fn warnings_that_differ_in_numbers_are_of_one_kind() {
        assert_eq!(pattern("offset 153: 1134 bytes skipped"), pattern("offset 1287: 91 bytes skipped"));
        assert_ne!(pattern("offset 1: a"), pattern("offset 1: b"));
    }
}
