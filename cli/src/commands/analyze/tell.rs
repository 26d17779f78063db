//! Descriptions of rules: `--list` and `--explain`.

use jfr_analyzers::rule::{Analysis, RuleInfo};
use jfrkit_rules::{catalog, profiled};

use super::{Args, Form, write};
use crate::failure::Failure;
use crate::near::hint;

impl Args {
    /// Prints the descriptions.
    pub(super) fn tell(&self, analysis: Analysis) -> Result<(), Failure> {
        if let Some(id) = &self.explain {
            let is = |info: &RuleInfo| info.id.eq_ignore_ascii_case(id);
            let page = match analysis.rules().find(|rule| is(&rule.info())) {
                Some(rule) => catalog::explain(rule),
                None => match profiled::rules().iter().find(|info| is(info)) {
                    Some(info) => catalog::explain_profiled(info),
                    None => return Err(unknown(&analysis, id)),
                },
            };
            if self.format != Form::Text {
                return Err(Failure::Usage("--explain writes text; leave out --format".into()));
            }
            return write(self.output.as_deref(), |out| out.write_all(page.as_bytes()));
        }
        let options = self.chosen(&analysis)?;
        let chosen = analysis.retain(|info| options.choose(info));
        let mut profiled = profiled::rules();
        profiled.retain(|info| options.choose(info));
        match self.format {
            Form::Text => write(self.output.as_deref(), |out| catalog::text(out, &chosen, &profiled)),
            Form::Markdown => write(self.output.as_deref(), |out| catalog::markdown(out, &chosen, &profiled)),
            Form::Json => write(self.output.as_deref(), |out| catalog::json(out, &chosen, &profiled)),
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
            let found = infos(analysis).find(|info| info.id.eq_ignore_ascii_case(id));
            found.map(|info| info.id.into_owned()).ok_or_else(|| unknown(analysis, id))
        })
        .collect()
}

/// All rules: those for recordings and those for pprof profiles.
fn infos(analysis: &Analysis) -> impl Iterator<Item = RuleInfo> {
    analysis.infos().chain(profiled::rules())
}

fn unknown(analysis: &Analysis, id: &str) -> Failure {
    let ids: Vec<_> = infos(analysis).map(|info| info.id).collect();
    let hint = hint(id, ids.iter().map(|id| &**id), "`jfrkit analyze --list` lists all rules");
    Failure::Usage(format!("there is no rule {id:?}{hint}"))
}
