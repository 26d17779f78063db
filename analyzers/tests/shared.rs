//! What threads may share. That this compiles is the test.

use jfr_analyzers::analysis::{
    Analysis, AnalysisError, AnalysisOptions, Evidence, Facts, Group, Groups, Outcome, RecordingInfo, Report, Rule,
    RuleInfo, Settings, Table, Timeline, Verdict,
};
use jfr_analyzers::config::{Config, ConfigError};
use jfr_analyzers::model::{Absent, Interner, Profile, ProfileSet, ProfileType, Sample, Samples, Tables};
use jfr_analyzers::report::{Entry, Format, Style};
use jfr_analyzers::top::{Top, TopOptions};
use jfr_analyzers::{CpuSource, Filter, LabelKey, Options, Progress, Summary, TimeBound};

fn shared<T: Send + Sync + ?Sized>() {}

#[test]
fn threads_may_share_profiles_and_how_they_are_made() {
    shared::<(Profile, ProfileSet, ProfileType, Sample, Samples, Tables, Absent, Interner)>();
    shared::<(Options, Filter, Progress, LabelKey, CpuSource, TimeBound)>();
    shared::<(Top, TopOptions, Summary)>();
}

#[test]
fn threads_may_share_rules_and_what_they_find() {
    shared::<dyn Rule>();
    shared::<(Analysis, AnalysisOptions, AnalysisError, RuleInfo, Settings, Config, ConfigError)>();
    shared::<(Facts, Group<'_>, Groups<'_>, Table<'_>)>();
    shared::<(Report, RecordingInfo, Outcome, Verdict, Evidence, Timeline)>();
    shared::<(Entry<'_>, Format, Style)>();
}
