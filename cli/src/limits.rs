//! Options that limit what a recording may demand.

use std::time::Duration;

use jfr_parse::{Limits, OpenOptions, Stop};
use jfrkit_profile::units::{ParseError, parse_duration, parse_size};

use crate::interrupt;

/// Limits on resources and time.
#[derive(Debug, Clone, clap::Args)]
#[group(id = "limits-group")]
#[command(next_help_heading = "Limits")]
pub(crate) struct Args {
    /// Limits for what a recording may demand, such as memory and nesting
    #[arg(long, value_enum, value_name = "PRESET", default_value_t = Preset::Tool)]
    limits: Preset,

    /// Override one limit, for example recording-bytes=100G; repeatable. The limits are recording-bytes,
    /// unpack-ratio, chunks, types, metadata-elements, pool-entries, string-bytes, array-elements, nesting, value-depth,
    /// value-nodes, stack-frames, stacks, memory and losses
    #[arg(long = "max", value_name = "NAME=VALUE", value_parser = limit)]
    each: Vec<(&'static str, u64)>,

    /// Stop with an error after this time: 30s, 500ms, 2min
    #[arg(long, value_name = "TIME", value_parser = patience)]
    timeout: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Preset {
    /// Generous, for your own recordings
    Tool,
    /// Strict, for untrusted uploads
    Intake,
}

impl Args {
    /// A handle that stops all work after the timeout, which starts now.
    pub(crate) fn stop(&self) -> Stop {
        if let Some(timeout) = self.timeout {
            interrupt::end_after(timeout);
        }
        self.timeout.map_or_else(Stop::new, Stop::after)
    }

    /// Options for opening recordings. The timeout starts now.
    pub(crate) fn opening(&self) -> OpenOptions {
        let mut limits = match self.limits {
            Preset::Tool => Limits::tool(),
            Preset::Intake => Limits::intake(),
        };
        for (name, value) in &self.each {
            let known = limits.set(name, *value);
            debug_assert!(known, "{name}");
        }
        OpenOptions::new().limits(limits).stop(self.stop())
    }
}

/// Parses `name=value`; the name may contain hyphens, and the value a unit.
fn limit(text: &str) -> Result<(&'static str, u64), String> {
    let (name, value) = text.split_once('=').ok_or("expected a name and a value, as in chunks=100")?;
    let wanted = name.trim().replace('-', "_");
    let name = Limits::NAMES.iter().find(|known| **known == wanted).ok_or_else(|| {
        let names: Vec<String> = Limits::NAMES.iter().map(|n| option_name(n)).collect();
        format!("no such limit; expected one of {}", names.join(", "))
    })?;
    let value = parse_size(value).map_err(|error| match error {
        ParseError::Number => "expected a whole number",
        ParseError::Unit => "expected a whole number, optionally followed by K, M, G or T (powers of 1,024)",
        ParseError::TooLarge => "the value is too large",
    })?;
    Ok((name, value))
}

/// The name of a limit on the command line.
pub(crate) fn option_name(name: &str) -> String {
    name.replace('_', "-")
}

fn patience(text: &str) -> Result<Duration, String> {
    let wanted = "expected a time with a unit (ns, us, ms, s, min, h, d), such as 30s";
    match parse_duration(text) {
        Ok(nanos) => u64::try_from(nanos).map(Duration::from_nanos).map_err(|_| wanted.to_owned()),
        Err(ParseError::Unit) if text.bytes().all(|b| b.is_ascii_digit() || b == b'.') => {
            Err(format!("{text} has no unit; {wanted}"))
        }
        Err(_) => Err(wanted.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn limits_as_options() {
        assert_eq!(limit("chunks=12"), Ok(("chunks", 12)));
        assert_eq!(limit("recording-bytes=2G"), Ok(("recording_bytes", 2 << 30)));
        for wrong in ["chunks", "chunks=", "chunks=-1", "chunks=1X", "nothing=1", "memory=99999999T"] {
            assert!(limit(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_help_names_every_limit() {
        use clap::Args as _;
        let command = Args::augment_args(clap::Command::new("test"));
        let help = command.get_arguments().find(|a| a.get_id() == "each").unwrap().get_help().unwrap().to_string();
        for name in Limits::NAMES {
            assert!(help.contains(&option_name(name)), "{name}");
        }
    }
}
