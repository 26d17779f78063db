//! Standard output and standard error, and the options of every command on how they look.

use std::io::{BufWriter, IsTerminal, StdoutLock, Write};
use std::sync::{Mutex, OnceLock, PoisonError};

use indicatif::ProgressBar;
use jfr_parse::Zone;

use crate::failure::Failure;

/// Standard output, locked and buffered. Has to be flushed at the end, so that a failure is noticed.
pub(crate) fn stdout() -> BufWriter<StdoutLock<'static>> {
    BufWriter::with_capacity(1 << 16, std::io::stdout().lock())
}

/// The progress bar that is on the terminal, if one is.
static BAR: OnceLock<ProgressBar> = OnceLock::new();

/// Notes that a bar is on the terminal.
pub(crate) fn shows_bar(bar: &ProgressBar) {
    let _ = BAR.set(bar.clone());
}

/// Takes the bar off the terminal, for good.
pub(crate) fn clear_bar() {
    if let Some(bar) = BAR.get() {
        bar.finish_and_clear();
    }
}

/// What the options that every command has say of the output.
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
    /// From now on this is how output looks.
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

/// The zone of times in text, and of those that are given without an offset.
pub(crate) fn zone() -> Zone {
    ZONE.get().cloned().unwrap_or_default()
}

/// Whether more is wanted than usual.
pub(crate) fn is_verbose() -> bool {
    args().verbose
}

/// Whether nothing but results and errors is wanted.
pub(crate) fn is_quiet() -> bool {
    args().quiet
}

/// Whether text on standard output has colors: as the option says, else on a terminal, unless NO_COLOR and the like are set.
pub(crate) fn has_color() -> bool {
    anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
}

/// Columns of the terminal that standard output is, or that COLUMNS names; `None` in a pipe, where lines have no end.
pub(crate) fn width() -> Option<usize> {
    let named = || std::env::var("COLUMNS").ok()?.parse().ok();
    let columns = if std::io::stdout().is_terminal() {
        terminal_size::terminal_size().map(|(width, _)| width.0.into()).or_else(named).or(Some(80))
    } else {
        named()
    };
    columns.filter(|&columns| columns >= 20)
}

/// Warnings that wait to be summed up.
static HELD: Mutex<Held> = Mutex::new(Held { name: String::new(), kinds: Vec::new(), others: 0 });

/// Kinds of warnings that are kept of an input; of more only the number.
const MAX_KINDS: usize = 20;

/// The warnings of one input, by kind.
struct Held {
    name: String,
    kinds: Vec<Kind>,
    /// Warnings of kinds that are not kept.
    others: usize,
}

/// Warnings that differ in numbers only.
struct Kind {
    pattern: String,
    first: String,
    count: usize,
}

/// Warns of what is wrong with an input. Of warnings that differ in numbers only (offsets, bytes) the first is shown, with how
/// many there are; `-v` shows all, `-q` none.
pub(crate) fn warn(name: &str, text: impl std::fmt::Display) {
    let text = text.to_string();
    if is_quiet() {
        return;
    }
    if is_verbose() {
        return line("warning", &format!("{name}: {text}"));
    }
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    if held.name != name {
        held.tell();
        name.clone_into(&mut held.name);
    }
    let pattern = pattern(&text);
    if let Some(kind) = held.kinds.iter_mut().find(|kind| kind.pattern == pattern) {
        kind.count += 1;
    } else if held.kinds.len() < MAX_KINDS {
        held.kinds.push(Kind { pattern, first: text, count: 1 });
    } else {
        held.others += 1;
    }
}

/// A text with `#` for each number.
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

impl Held {
    fn tell(&mut self) {
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

/// Shows the warnings that are held back.
pub(crate) fn tell_warnings() {
    // Whoever holds it is about to show them.
    if let Ok(mut held) = HELD.try_lock() {
        held.tell();
    }
}

/// Writes one line to standard error; nobody can be told if that fails.
pub(crate) fn complain(kind: &str, message: &str) {
    tell_warnings();
    if kind != "warning" || !is_quiet() {
        line(kind, message);
    }
}

fn line(kind: &str, message: &str) {
    let line: String = message.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let _ = writeln!(std::io::stderr(), "jfrkit: {kind}: {line}");
}

#[cfg(test)]
mod tests {
    use super::pattern;

    #[test]
    fn warnings_that_differ_in_numbers_are_of_one_kind() {
        assert_eq!(pattern("offset 153: 1134 bytes passed over"), pattern("offset 1287: 91 bytes passed over"));
        assert_ne!(pattern("offset 1: a"), pattern("offset 1: b"));
    }
}
