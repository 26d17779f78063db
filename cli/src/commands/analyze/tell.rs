//! Descriptions of rules: `--list` and `--explain`.

use jfr_analyzers::rule::Analysis;
use jfrkit_rules::catalog;

use super::{Args, Form, write};
use crate::failure::Failure;
use crate::near::hint;

impl Args {
    /// Prints the descriptions.
    pub(super) fn tell(&self, analysis: Analysis) -> Result<(), Failure> {
        if let Some(id) = &self.explain {
            let rule = analysis
                .rules()
                .find(|rule| rule.info().id.eq_ignore_ascii_case(id))
                .ok_or_else(|| unknown(&analysis, id))?;
            if self.format != Form::Text {
                return Err(Failure::Usage("--explain writes text; leave out --format".into()));
            }
            return write(self.output.as_deref(), |out| out.write_all(catalog::explain(rule).as_bytes()));
        }
        let options = self.chosen(&analysis)?;
        let chosen = analysis.retain(|info| options.choose(info));
        match self.format {
            Form::Text => write(self.output.as_deref(), |out| catalog::text(out, &chosen)),
            Form::Markdown => write(self.output.as_deref(), |out| catalog::markdown(out, &chosen)),
            Form::Json => write(self.output.as_deref(), |out| catalog::json(out, &chosen)),
            _ => {
                Err(Failure::Usage("--list writes text, Markdown or JSON: give --format text, markdown or json".into()))
            }
        }
    }
}

/// Converts rule ids to their exact spelling, ignoring case, and reports unknown ones before any input is read.
pub(super) fn spelled(analysis: &Analysis, ids: &[String]) -> Result<Vec<String>, Failure> {
    ids.iter()
        .map(|id| {
            let found = analysis.infos().find(|info| info.id.eq_ignore_ascii_case(id));
            found.map(|info| info.id.into_owned()).ok_or_else(|| unknown(analysis, id))
        })
        .collect()
}

fn unknown(analysis: &Analysis, id: &str) -> Failure {
    let ids: Vec<_> = analysis.infos().map(|info| info.id).collect();
    let hint = hint(id, ids.iter().map(|id| &**id), "jfrkit analyze --list names them all");
    Failure::Usage(format!("there is no rule {id:?}{hint}"))
}
