//! CPU load over time, shared by the rules that judge it.

use crate::cpu_load::valid_share;
use jfr_analyzers::events::{Facts, Needs};

/// One CPU load sample, as shares of the whole machine from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Load {
    pub(super) at: i64,
    pub(super) user: f64,
    pub(super) system: f64,
    pub(super) machine: f64,
}

impl Load {
    pub(super) fn jvm(&self) -> f64 {
        self.user + self.system
    }
}

pub(super) fn needs(needs: Needs) -> Needs {
    needs.table("jdk.CPULoad", &["jvmUser", "jvmSystem", "machineTotal"])
}

/// The samples in time order, without those that lack a value.
pub(super) fn samples(facts: &Facts) -> Vec<Load> {
    let rows = facts.table("jdk.CPULoad").rows();
    rows.filter_map(|r| {
        Some(Load {
            at: r.end,
            user: valid_share(r.float("jvmUser")?)?,
            system: valid_share(r.float("jvmSystem")?)?,
            machine: valid_share(r.float("machineTotal")?)?,
        })
    })
    .collect()
}
