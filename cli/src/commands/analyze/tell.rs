//! What the rules say of themselves: `--list` and `--explain`.

use jfr_analyzers::rule::{Analysis, AnalysisError};
use jfrkit_rules::catalog;

use super::{Args, Form, write};
use crate::failure::Failure;

impl Args {
    /// What rules say of themselves.
    pub(super) fn tell(&self, analysis: Analysis) -> Result<(), Failure> {
        if let Some(id) = &self.explain {
            let rule = analysis.rules().find(|rule| rule.info().id == id).ok_or_else(|| unknown(id))?;
            if self.format != Form::Text {
                return Err(Failure::Usage("--explain writes text; leave out --format".into()));
            }
            return write(self.output.as_deref(), |out| out.write_all(catalog::explain(rule).as_bytes()));
        }
        self.known(&analysis)?;
        let options = self.chosen();
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

    /// Whether all rules that are named exist; before anything is read.
    pub(super) fn known(&self, analysis: &Analysis) -> Result<(), Failure> {
        let mut named = self.rules.iter().chain(&self.skip);
        match named.find(|id| analysis.infos().all(|info| info.id != **id)) {
            Some(id) => Err(unknown(id)),
            None => Ok(()),
        }
    }
}

fn unknown(id: &str) -> Failure {
    Failure::Usage(AnalysisError::UnknownRule(id.to_owned()).to_string())
}
