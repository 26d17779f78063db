//! A user-defined rule next to the built-in ones, and findings as values:
//! `cargo run --release --example slow_reads -- rec.jfr`.

use std::error::Error;
use std::path::Path;

use jfr_analyzers::events::{Facts, GroupBy, Needs};
use jfr_analyzers::math;
use jfr_analyzers::rule::{AnalysisOptions, Category, Rule, RuleInfo, Setting, Settings, Severity, Value, Verdict};
use jfr_parse::Recording;

/// Warns about slow file reads.
struct SlowReads;

/// The reads of each file.
const READS: GroupBy = GroupBy::of(&["jdk.FileRead"]).by(&["path"]).measure(&["duration"]);

impl Rule for SlowReads {
    fn info(&self) -> RuleInfo {
        RuleInfo::own("SlowReads")
            .title("Slow reads")
            .category(Category::Io)
            .description("Whether reading a file took long")
            .formula("25 for the longest read at `info`, 75 at `warning`")
            .settings(
                const { &[Setting::seconds("info", 0.1, "worth a look"), Setting::seconds("warning", 1.0, "bad")] },
            )
    }

    fn needs(&self) -> Needs {
        Needs::new().enabled("jdk.FileRead").groups(READS)
    }

    fn evaluate(&self, facts: &Facts, settings: &Settings) -> Verdict {
        let reads = facts.groups(&READS);
        let Some(longest) = reads.iter().max_by(|a, b| a.max("duration").total_cmp(&b.max("duration"))) else {
            return Verdict::ok("No reads");
        };
        let score = math::map2(longest.max("duration") / 1e9, settings.number("info"), settings.number("warning"));
        Verdict::scored(score, format!("The longest read took {:.3} s", longest.max("duration") / 1e9))
            .remedy("Read ahead of time, or less.")
            .with("path", longest.text("path").unwrap_or("unknown"))
            .with("longest", Value::nanos_f64(longest.max("duration")))
    }
}

fn findings(input: &Path) -> Result<(), Box<dyn Error>> {
    let recording = Recording::open(input)?;
    let analysis = jfrkit_rules::analysis().with_rule(SlowReads)?;
    let report = analysis.evaluate(&recording, &AnalysisOptions::default())?;
    for outcome in report.worst_first(Severity::Info) {
        println!("{} {}: {}", outcome.verdict.severity, outcome.rule.id, outcome.verdict.summary);
        if let Some(Value::Duration { nanos }) = outcome.verdict.evidence.get("longest") {
            println!("    the longest took {} ms", nanos.0 / 1_000_000);
        }
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("usage: slow_reads RECORDING");
        std::process::exit(2);
    };
    findings(Path::new(&path))
}
