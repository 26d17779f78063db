//! `--demo`: a small fleet over the last hour, from profiles that ship with the program.
//!
//! Each service has real profiles of a small program at several loads (`demo/record.py`), which repeat over the hour with
//! their times shifted.

use crate::api::insert;
use crate::app::{App, ServeError};

/// What a client sent at once: the name and content of each part.
type Sent = &'static [(&'static str, &'static [u8])];

/// A service of the demo fleet.
struct Service {
    name: &'static str,
    language: &'static str,
    hosts: &'static [&'static str],
    /// The versions, oldest first: each with its uploads at several loads.
    versions: [(&'static str, &'static [Sent]); 2],
    /// The client's description of the process.
    tags: &'static [&'static str],
}

macro_rules! fixture {
    ($($name:literal),+) => {
        include_bytes!(concat!("../demo/fleet/", $($name),+)).as_slice()
    };
}

macro_rules! recording {
    ($name:literal) => {
        &[("main.jfr", fixture!($name))]
    };
}

macro_rules! python {
    ($number:literal) => {
        &[("profile.pprof", fixture!("recommender-", $number, ".profile.pprof.zst"))]
    };
}

macro_rules! go {
    ($number:literal) => {
        &[
            ("cpu.pprof", fixture!("gateway-", $number, ".cpu.pprof.zst")),
            ("delta-heap.pprof", fixture!("gateway-", $number, ".delta-heap.pprof.zst")),
            ("metrics.json", fixture!("gateway-", $number, ".metrics.json")),
        ]
    };
}

macro_rules! node {
    ($number:literal) => {
        &[
            ("wall.pprof", fixture!("storefront-", $number, ".wall.pprof.zst")),
            ("space.pprof", fixture!("storefront-", $number, ".space.pprof.zst")),
        ]
    };
}

const BILLING: &[Sent] = &[recording!("billing-1.jfr.zst"), recording!("billing-2.jfr.zst")];
const RECOMMENDER: &[Sent] = &[python!("1"), python!("2"), python!("3"), python!("4")];
const GATEWAY: &[Sent] = &[go!("1"), go!("2"), go!("3"), go!("4")];
const STOREFRONT: &[Sent] = &[node!("1"), node!("2"), node!("3"), node!("4")];

const FLEET: [Service; 5] = [
    Service {
        name: "shop",
        language: "java",
        hosts: &["web-1", "web-2"],
        versions: [
            ("1.2.0", &[recording!("shop-1.2.0-1.jfr.zst"), recording!("shop-1.2.0-2.jfr.zst")]),
            (
                "1.3.0",
                &[
                    recording!("shop-1.3.0-1.jfr.zst"),
                    recording!("shop-1.3.0-2.jfr.zst"),
                    recording!("shop-1.3.0-3.jfr.zst"),
                ],
            ),
        ],
        tags: &[],
    },
    Service {
        name: "billing",
        language: "java",
        hosts: &["batch-1"],
        versions: [("7", BILLING), ("7", BILLING)],
        tags: &[],
    },
    Service {
        name: "recommender",
        language: "python",
        hosts: &["ml-1"],
        versions: [("0.9", RECOMMENDER), ("1.0", RECOMMENDER)],
        tags: &["runtime_version:3.11.2"],
    },
    Service {
        name: "gateway",
        language: "go",
        hosts: &["edge-1", "edge-2"],
        versions: [("2.4", GATEWAY), ("2.4", GATEWAY)],
        tags: &["runtime_version:go1.26.8"],
    },
    Service {
        name: "storefront",
        language: "node",
        hosts: &["web-3"],
        versions: [("5.1", STOREFRONT), ("5.2", STOREFRONT)],
        tags: &["runtime_version:v20.20.2"],
    },
];

/// Time between two profiles of a host.
const STEP: i64 = 5 * 60_000;
/// How long each profile is: as long as it was recorded.
const LENGTH: i64 = 20_000;
/// Profiles per host.
const ROUNDS: usize = 12;

/// Which of `count` loads a host has in a round: up and down again, and not the same on all hosts.
fn load(round: usize, host: usize, count: usize) -> usize {
    let turn = (2 * count.max(2)).saturating_sub(2);
    let at = (round + host) % turn;
    at.min(turn - at).min(count.saturating_sub(1))
}

/// Fills an empty store. A store with profiles is left alone.
pub(crate) fn fill(app: &App) -> Result<(), ServeError> {
    if app.index.totals().profiles > 0 {
        return Ok(());
    }
    let now = crate::time::now();
    let mut end = now - 5_000;
    // Newest first, because users look at those first.
    for round in 0..ROUNDS {
        for service in &FLEET {
            let [old, new] = service.versions;
            let (version, loads) = if round < ROUNDS / 2 { new } else { old };
            for (place, host) in service.hosts.iter().enumerate() {
                let Some(sent) = loads.get(load(round, place, loads.len())) else { continue };
                let (name, language) = (service.name, service.language);
                let mut query = format!(
                    "service={name}&env=demo&version={version}&host={host}&language={language}&tag=runtime-id:demo-{name}-{version}-{host}"
                );
                query.extend(service.tags.iter().map(|tag| format!("&tag={tag}")));
                insert(app, sent, &query, Some((end - LENGTH, end)))
                    .map_err(|refusal| ServeError::Failed(format!("--demo: {}", refusal.detail)))?;
            }
        }
        end -= STEP;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_load_goes_up_and_down() {
        let rounds = |host, count| (0..8).map(|round| load(round, host, count)).collect::<Vec<_>>();
        assert_eq!(rounds(0, 4), [0, 1, 2, 3, 2, 1, 0, 1]);
        assert_eq!(rounds(1, 4), [1, 2, 3, 2, 1, 0, 1, 2]);
        assert_eq!(rounds(1, 2), [1, 0, 1, 0, 1, 0, 1, 0]);
        assert_eq!(rounds(0, 2), [0, 1, 0, 1, 0, 1, 0, 1]);
        assert_eq!(rounds(0, 1), [0; 8]);
    }

    #[test]
    fn the_demo_profiles_have_at_most_a_megabyte() {
        let mut parts: Vec<&[u8]> = FLEET
            .iter()
            .flat_map(|service| service.versions)
            .flat_map(|(_, loads)| loads.iter().copied().flatten())
            .map(|(_, content)| *content)
            .collect();
        // A service whose versions do not differ uses the same profiles for both.
        parts.sort_unstable();
        parts.dedup();
        assert!(parts.iter().map(|content| content.len()).sum::<usize>() <= 1_000_000);
    }
}
