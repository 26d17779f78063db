//! What threads may share. That this compiles is the test.

use jfr_analyzers::events::{Facts, Group, Groups, Table};
use jfr_analyzers::rule::{
    Analysis, AnalysisError, AnalysisOptions, Evidence, Outcome, RecordingInfo, Report, Rule, RuleInfo, Settings,
    Verdict,
};
use jfr_analyzers::{CpuSource, Filter, LabelKey, Options, Progress, Summary, TimeBound};
use jfrkit_profile::{Absent, Interner, Profile, ProfileSet, ProfileType, Sample, Samples, Tables};
use jfrkit_reports::{Entry, Format, Style};
use jfrkit_rules::config::{Config, ConfigError};

fn shared<T: Send + Sync + ?Sized>() {}

#[test]
fn threads_may_share_profiles_and_how_they_are_made() {
    shared::<(Profile, ProfileSet, ProfileType, Sample, Samples, Tables, Absent, Interner)>();
    shared::<(Options, Filter, Progress, LabelKey, CpuSource, TimeBound)>();
    shared::<Summary>();
}

#[test]
fn threads_may_share_rules_and_findings() {
    shared::<dyn Rule>();
    shared::<(Analysis, AnalysisOptions, AnalysisError, RuleInfo, Settings, Config, ConfigError)>();
    shared::<(Facts, Group<'_>, Groups<'_>, Table<'_>)>();
    shared::<(Report, RecordingInfo, Outcome, Verdict, Evidence)>();
    shared::<(Entry<'_>, Format, Style)>();
}
