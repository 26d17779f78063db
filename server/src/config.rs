//! The options of `jfrkit serve`. The command line and `jfrkit.toml` use the same names.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

/// The settings of a server.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// Where all state is kept.
    pub dir: PathBuf,
    /// Addresses to listen on: `host:port` or `unix:PATH`.
    pub listen: Vec<String>,
    /// Keys for uploads; if empty, anyone may upload.
    pub intake_keys: Vec<String>,
    /// Tokens for the page and the API; if empty, anyone may read.
    pub page_tokens: Vec<String>,
    /// Profiles are deleted this many milliseconds after receipt.
    pub keep: i64,
    /// Received data is deleted this many milliseconds after receipt.
    pub keep_received: i64,
    /// Maximum size of the store in bytes.
    pub max_bytes: u64,
    /// Maximum size of an upload in bytes.
    pub max_upload: u64,
    /// Maximum number of concurrent uploads.
    pub uploads: usize,
    /// Maximum bytes waiting for a worker.
    pub spool_max: u64,
    /// Number of threads that process uploads.
    pub workers: usize,
    /// Bytes of decoded profiles to cache in memory.
    pub cache: u64,
    /// Where to forward Datadog uploads.
    pub forward: Option<String>,
    /// Only forward uploads; store nothing but the forwarding queue.
    pub forward_only: bool,
    /// Maximum bytes waiting to be forwarded.
    pub forward_max: u64,
    /// Serve the page without uploads or changes.
    pub read_only: bool,
    /// Fill an empty store with a few built-in profiles.
    pub demo: bool,
    /// Bytes of disk space to keep free; by default 5 %, at least 1 GiB, at most a quarter of the disk.
    pub min_free: Option<u64>,
    /// Allow listening on non-loopback addresses without keys.
    pub insecure: bool,
    /// Additional host names under which the page may be opened.
    pub allow_host: Vec<String>,
    /// Networks that may upload without a key.
    pub allow_from: Vec<(IpAddr, u8)>,
    /// Do not offer received files for download.
    pub no_received_download: bool,
    /// Trust `X-Forwarded-For` and `X-Forwarded-Proto`.
    pub trust_proxy: bool,
    /// Uploads are the user's own files, so the limits of the command-line tools apply, not those for untrusted uploads.
    /// Set by `jfrkit open`; there is no command-line option.
    pub trusted: bool,
    /// Log as JSON.
    pub log_json: bool,
    /// The `[rules]` and `[[pattern]]` tables of `jfrkit.toml`.
    pub rules: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        const DAY: i64 = 86_400_000;
        Self {
            dir: PathBuf::from("jfrkit-data"),
            listen: Vec::new(),
            intake_keys: Vec::new(),
            page_tokens: Vec::new(),
            keep: 30 * DAY,
            keep_received: 3 * DAY,
            max_bytes: 50 << 30,
            max_upload: 128 << 20,
            uploads: 64,
            spool_max: 4 << 30,
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            cache: 256 << 20,
            forward: None,
            forward_only: false,
            forward_max: 1 << 30,
            read_only: false,
            demo: false,
            min_free: None,
            insecure: false,
            allow_host: Vec::new(),
            allow_from: Vec::new(),
            no_received_download: false,
            trust_proxy: false,
            trusted: false,
            log_json: false,
            rules: None,
        }
    }
}

/// Where Datadog tracers expect the agent.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8126";

impl Options {
    /// Sets an option by its command-line name, without the leading hyphens.
    ///
    /// # Errors
    /// Fails if the option does not exist or the value is invalid.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "dir" => self.dir = PathBuf::from(value),
            "listen" => self.listen.push(value.to_owned()),
            "intake-key" => self.intake_keys = secrets(Path::new(value))?,
            "page-token" => self.page_tokens = secrets(Path::new(value))?,
            "keep" => self.keep = age(value)?,
            "keep-received" => self.keep_received = age(value)?,
            "max-bytes" => self.max_bytes = size(value)?,
            "max-upload" => self.max_upload = size(value)?,
            "uploads" => self.uploads = number(value)?.clamp(1, 10_000),
            "spool-max" => self.spool_max = size(value)?,
            "workers" => self.workers = number(value)?.clamp(1, 1_024),
            "cache" => self.cache = size(value)?,
            "forward" => {
                if !value.starts_with("http://") && !value.starts_with("https://") {
                    return Err(format!("expected an http or https address, not {value:?}"));
                }
                self.forward = Some(value.trim_end_matches('/').to_owned());
            }
            "forward-only" => self.forward_only = truth(value)?,
            "forward-max" => self.forward_max = size(value)?,
            "min-free" => self.min_free = Some(size(value)?),
            "read-only" => self.read_only = truth(value)?,
            "demo" => self.demo = truth(value)?,
            "insecure" => self.insecure = truth(value)?,
            "allow-host" => self.allow_host.push(value.to_ascii_lowercase()),
            "allow-from" => self.allow_from.push(network(value)?),
            "no-received-download" => self.no_received_download = truth(value)?,
            "trust-proxy" => self.trust_proxy = truth(value)?,
            "log-format" => {
                self.log_json = match value {
                    "json" => true,
                    "text" => false,
                    _ => return Err("expected text or json".to_owned()),
                }
            }
            _ => return Err(format!("unknown option {name:?}")),
        }
        Ok(())
    }

    /// Applies a settings file. `text` is its content; errors name the line.
    ///
    /// # Errors
    /// Fails on invalid TOML, an unknown key or an invalid value.
    pub fn read_config(&mut self, text: &str) -> Result<(), String> {
        let line = |at: usize| text.get(..at).map_or(1, |before| before.matches('\n').count() + 1);
        let document = DeTable::parse(text)
            .map_err(|e| format!("line {}: {}", e.span().map_or(1, |s| line(s.start)), e.message()))?;
        for (key, value) in document.get_ref() {
            let name = key.get_ref().as_ref();
            let fail = |reason: String| format!("line {}: {name}: {reason}", line(key.span().start));
            if matches!(name, "rules" | "pattern") {
                self.rules = Some(rules_of(text));
                continue;
            }
            match value.get_ref() {
                DeValue::Array(values) => {
                    for value in values.iter() {
                        self.set(name, &scalar(value.get_ref()).ok_or_else(|| fail("expected strings".to_owned()))?)
                            .map_err(fail)?;
                    }
                }
                value => self
                    .set(
                        name,
                        &scalar(value)
                            .ok_or_else(|| fail("expected a string, a whole number, true or false".to_owned()))?,
                    )
                    .map_err(fail)?,
            }
        }
        // Report a mistake in the rules now, not at the first upload.
        if self.rules.is_some() {
            crate::derive::compute::Rules::new(self.rules.as_deref())?;
        }
        Ok(())
    }

    /// Reports what prevents a server from starting with these options.
    pub(crate) fn check(&self) -> Result<(), String> {
        for address in &self.listen {
            let port = address.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
            if !address.starts_with("unix:") && !matches!(port, Some(Ok(_))) {
                return Err(format!("listen: expected host:port or unix:PATH, not {address:?}"));
            }
        }
        if self.forward_only && self.forward.is_none() {
            return Err("forward-only needs forward, the address to send to".to_owned());
        }
        let open = self.listen.iter().find(|address| !is_loopback(address));
        if let Some(address) = open
            && !self.insecure
            && (self.intake_keys.is_empty() && !self.read_only || self.page_tokens.is_empty())
        {
            return Err(format!(
                "other machines can reach {address}: give --intake-key and --page-token, or --insecure if this is intended"
            ));
        }
        Ok(())
    }
}

fn is_loopback(address: &str) -> bool {
    if address.starts_with("unix:") {
        return true;
    }
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host).trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Boolean(truth) => Some(truth.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Only the rule tables, at their original line numbers so that errors point to the right line.
fn rules_of(text: &str) -> String {
    let mut ours = false;
    let lines = text.lines().map(|line| {
        if let Some(header) = line.trim_start().strip_prefix('[') {
            let name = header.trim_start_matches('[').trim_start();
            ours = name.starts_with("rules") || name.starts_with("pattern");
        }
        if ours { line } else { "" }
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn secrets(path: &Path) -> Result<Vec<String>, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let secrets: Vec<String> =
        text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')).map(str::to_owned).collect();
    if secrets.is_empty() { Err(format!("{}: the file contains no secret", path.display())) } else { Ok(secrets) }
}

fn number(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("expected a whole number, not {text:?}"))
}

fn truth(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| format!("expected true or false, not {text:?}"))
}

fn age(text: &str) -> Result<i64, String> {
    crate::time::parse_duration(text)
        .filter(|ms| *ms > 0)
        .ok_or_else(|| format!("expected an age like 30d, 12h or 90m, not {text:?}"))
}

/// Parses `128MiB`, `50GB` or `1000`.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    jfrkit_profile::units::parse_size(text).map_err(|_| format!("expected a size like 128MiB or 50GB, not {text:?}"))
}

fn network(text: &str) -> Result<(IpAddr, u8), String> {
    let error = || format!("expected a network like 10.0.0.0/8, not {text:?}");
    let (address, bits) = text.split_once('/').map_or((text, None), |(a, b)| (a, Some(b)));
    let address: IpAddr = address.parse().map_err(|_| error())?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Ok(most), |b| b.parse().map_err(|_| error()))?;
    if bits > most { Err(error()) } else { Ok((address, bits)) }
}

/// Whether an address belongs to a network.
pub(crate) fn within(address: IpAddr, (network, bits): (IpAddr, u8)) -> bool {
    let wide = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => u128::from(u32::from(ip)) << 96,
        IpAddr::V6(ip) => u128::from(ip),
    };
    let address = match address {
        IpAddr::V6(ip) => ip.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    };
    let mask = if bits == 0 { 0 } else { u128::MAX << (128 - u32::from(bits).min(128)) };
    address.is_ipv4() == network.is_ipv4() && wide(address) & mask == wide(network) & mask
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn sizes_ages_and_networks() {
        assert_eq!(size("128MiB"), Ok(128 << 20));
        assert_eq!(size("50GB"), Ok(50_000_000_000));
        assert!(size("x").is_err() && size("5 parsec").is_err());
        let net = network("10.0.0.0/8").unwrap();
        assert!(within("10.1.2.3".parse().unwrap(), net) && !within("11.0.0.1".parse().unwrap(), net));
        assert!(within("::ffff:10.0.0.1".parse().unwrap(), net));
        assert!(network("10.0.0.0/40").is_err());
    }

    #[test]
    fn the_settings_file_has_the_options_and_the_rules() {
        let mut options = Options::default();
        options.read_config("listen = [\"127.0.0.1:1\", \"127.0.0.1:2\"]\nkeep = \"2d\"\nworkers = 3\n[rules.LongGcPause]\ninfo = \"500 ms\"\n").unwrap();
        assert_eq!((options.listen.len(), options.keep, options.workers), (2, 172_800_000, 3));
        let wrong = options.read_config("keep = \"2d\"\nnothing = 1\n").unwrap_err();
        assert!(wrong.contains("line 2") && wrong.contains("nothing"), "{wrong}");
        let wrong = options.read_config("\n[rules.Nope]\nx = 1\n").unwrap_err();
        assert!(wrong.contains("Nope"), "{wrong}");
    }

    #[test]
    fn other_addresses_need_keys() {
        let mut options = Options { listen: vec!["0.0.0.0:8126".to_owned()], ..Options::default() };
        assert!(options.check().is_err());
        options.insecure = true;
        assert!(options.check().is_ok());
        for fine in ["127.0.0.1:1", "localhost:1", "[::1]:1", "unix:/tmp/x"] {
            assert!(Options { listen: vec![fine.to_owned()], ..Options::default() }.check().is_ok(), "{fine}");
        }
        for wrong in ["127.0.0.1", "localhost:http", "localhost:70000", ""] {
            let error = Options { listen: vec![wrong.to_owned()], ..Options::default() }.check().unwrap_err();
            assert!(error.contains("host:port"), "{error}");
        }
        assert!(Options { forward_only: true, ..Options::default() }.check().unwrap_err().contains("forward"));
    }
}
