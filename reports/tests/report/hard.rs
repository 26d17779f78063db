//! Damaged and odd recordings of the corpus, which is not part of this repository: each yields a report in every format, or a
//! one-line error.

use jfr_analyzers::rule::AnalysisOptions;
use jfr_parse::Recording;
use jfrkit_reports::{Entry, Format};

use super::written;

const FORMATS: [Format; 5] = [Format::Text, Format::Json, Format::Markdown, Format::Junit, Format::Sarif];

#[test]
fn each_gives_a_report_or_a_one_line_error() {
    let Some(folder) = jfr_parse::testing::corpus("hard") else { return };
    let files = std::fs::read_dir(&folder).unwrap();
    let options = AnalysisOptions::default();
    let (mut reports, mut errors) = (0, 0);
    for file in files {
        let path = file.unwrap().path();
        if !path.is_file() {
            continue;
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let result = Recording::open(&path).map_err(|e| e.to_string());
        let result = result.and_then(|r| jfrkit_rules::analysis().evaluate(&r, &options).map_err(|e| e.to_string()));
        let entry = match &result {
            Ok(report) => {
                reports += 1;
                assert!(report.rules.iter().all(|outcome| !outcome.failed), "{name}");
                Entry::new(&name, report)
            }
            Err(error) => {
                errors += 1;
                assert!(!error.is_empty() && !error.contains('\n'), "{name}: {error}");
                Entry::failed(&name, error)
            }
        };
        for format in FORMATS {
            assert!(written(format, &[entry]).contains(&*name), "{name}: {format:?}");
        }
    }
    assert!(reports > 10 && errors > 2, "{reports} reports, {errors} errors");
}
