//! `--demo`: a small fleet over the last hour, built from a few profiles that ship with the program.

use crate::api::insert;
use crate::app::{App, ServeError};

/// A service of the demo fleet: name, language, hosts, and the profile each host sent.
struct Service {
    name: &'static str,
    language: &'static str,
    versions: [&'static str; 2],
    hosts: &'static [&'static str],
    content: &'static [u8],
}

const FLEET: [Service; 4] = [
    Service {
        name: "shop",
        language: "java",
        versions: ["1.2.0", "1.3.0"],
        hosts: &["web-1", "web-2"],
        content: include_bytes!("../demo/jdk21-full.jfr.gz"),
    },
    Service {
        name: "billing",
        language: "java",
        versions: ["7", "7"],
        hosts: &["batch-1"],
        content: include_bytes!("../demo/jdk17-profile.jfr.gz"),
    },
    Service {
        name: "recommender",
        language: "python",
        versions: ["0.9", "1.0"],
        hosts: &["ml-1"],
        content: include_bytes!("../demo/python.pprof.zst"),
    },
    Service {
        name: "gateway",
        language: "go",
        versions: ["2.4", "2.4"],
        hosts: &["edge-1"],
        content: include_bytes!("../demo/go-cpu.pprof.gz"),
    },
];

/// Time between two profiles of a host.
const STEP: i64 = 5 * 60_000;
/// How long each profile is.
const LENGTH: i64 = 60_000;

/// Fills an empty store. A store with profiles is left alone.
pub(crate) fn fill(app: &App) -> Result<(), ServeError> {
    if app.index.totals().profiles > 0 {
        return Ok(());
    }
    let now = crate::time::now();
    // Newest first, because users look at those first.
    for round in 0..12 {
        let end = now - round * STEP - 5_000;
        for service in &FLEET {
            for host in service.hosts {
                let [old, new] = service.versions;
                let version = if round > 5 { old } else { new };
                let (name, language) = (service.name, service.language);
                let query = format!(
                    "service={name}&env=demo&version={version}&host={host}&language={language}&tag=runtime-id:demo-{name}-{host}"
                );
                insert(app, service.content, &query, Some((end - LENGTH, end)))
                    .map_err(|refusal| ServeError::Failed(format!("--demo: {}", refusal.detail)))?;
            }
        }
    }
    Ok(())
}
