//! One pass computes what separate calls compute.
#![allow(clippy::unwrap_used)]

use jfr_analyzers::metrics::Metrics;
use jfr_analyzers::rule::{Analysis, AnalysisOptions};
use jfr_analyzers::views::{Answers, Catalog, Filter, ViewSet, answer};
use jfr_analyzers::{Options, Pass, collect};
use jfr_parse::Recording;

fn cells(answers: &Answers) -> Vec<String> {
    let mut all = Vec::new();
    for answer in answers.iter() {
        for (row, column) in
            (0..answer.len()).flat_map(|row| (0..answer.columns.len()).map(move |column| (row, column)))
        {
            all.push(answers.cell(answer, row, column).into_owned());
        }
    }
    all
}

/// On fixtures, which have small chunks, and where the corpus is available on a chunk that is read in parts, which are
/// smaller when profiles are computed too.
#[test]
fn results_are_the_same_together_and_alone() {
    let fixtures = ["jdk17-full.jfr", "jdk17-multichunk.jfr", "jdk25-full.jfr.gz", "metrics/z-tlab.jfr.gz"];
    let views = ViewSet::new(Catalog::built_in().views(), Filter::default());
    let (options, analysis, judging) = (Options::default(), Analysis::empty(), AnalysisOptions::default());
    let large = jfr_parse::testing::corpus("bench/spark17-async.jfr");
    for path in fixtures.map(jfr_parse::testing::fixture).into_iter().chain(large) {
        let fixture = path.display();
        let recording = Recording::open(&path).unwrap();
        let set = collect(&recording, &options).unwrap();
        let metrics = Metrics::with_errors(&recording, None).unwrap();
        let answers = answer(&recording, &views).unwrap();
        for threads in [1, 2, 8] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let pass = Pass::new(&recording).profiles(&options).rules(&analysis, &judging).metrics(None).views(&views);
            let output = pool.install(|| pass.run()).unwrap();
            let profiles = output.profiles.unwrap().profiles;
            assert_eq!(profiles.len(), set.profiles.len(), "{fixture}");
            for (together, alone) in profiles.iter().zip(&set.profiles) {
                assert_eq!((together.kind, together.totals()), (alone.kind, alone.totals()), "{fixture}");
            }
            assert_eq!(output.metrics.as_ref(), Some(&metrics), "{fixture} on {threads} threads");
            let (together, errors) = output.views.unwrap();
            assert_eq!((cells(&together), errors), (cells(&answers.0), answers.1.clone()), "{fixture}");
        }
    }
}
