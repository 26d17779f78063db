//! Converts a profile of a recording to an [`AnyProfile`].

use super::{AnyFunction, AnyLabel, AnyProfile, Line, Location, Mapping, SampleType, Texts};
use crate::{LabelValue, Profile, StrId, TIME_LABEL, Tables};
use foldhash::fast::RandomState;
use hashbrown::HashMap;

/// Copies each string of the tables once.
#[derive(Default)]
struct Copied<'t> {
    texts: Texts,
    known: HashMap<&'t str, StrId, RandomState>,
}

impl<'t> Copied<'t> {
    fn id(&mut self, text: &'t str) -> StrId {
        if text.is_empty() {
            return StrId::default();
        }
        *self.known.entry(text).or_insert_with(|| self.texts.push(text))
    }
}

const UNKNOWN: u32 = u32::MAX;

fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl AnyProfile {
    /// Converts a profile of a recording. The result is the same as writing it to a pprof file and reading it
    /// back. The label [`TIME_LABEL`] becomes the time of a sample.
    #[must_use]
    pub fn of(profile: &Profile, tables: &Tables) -> Self {
        let mut copied = Copied::default();
        let mut out = Self::default();
        let main = profile.main.as_deref().filter(|main| !main.is_empty()).unwrap_or("java");
        let flags = Mapping { has_functions: true, has_filenames: true, has_line_numbers: true, ..Mapping::default() };
        out.mappings.push(Mapping { file: copied.id(main), ..flags });
        for value in profile.values() {
            out.sample_types.push(SampleType { name: copied.id(value.name), unit: copied.id(value.unit) });
        }
        out.default_sample_type = out.sample_types.last().map(|of| of.name).unwrap_or_default();
        if let Some(period) = &profile.period {
            let (name, unit) = (copied.id(period.value.name), copied.id(period.value.unit));
            (out.period_type, out.period) = (Some(SampleType { name, unit }), period.amount);
        }
        out.comments = profile.comments.iter().map(|comment| copied.id(comment)).collect();
        (out.time_nanos, out.duration_nanos) = (profile.time_nanos, profile.duration_nanos);

        let mut location_of = vec![UNKNOWN; tables.frame_count()];
        let mut function_of = vec![UNKNOWN; tables.function_count()];
        let mut mapping_of: HashMap<StrId, u32, RandomState> = HashMap::default();
        let mut stack = Vec::new();
        let mut labels = Vec::new();
        let (mut times, mut timed) = (Vec::new(), false);
        for sample in profile.samples.iter() {
            stack.clear();
            for &frame in tables.stack(sample.stack).iter() {
                let Some(place) = location_of.get_mut(frame.index()) else { continue };
                if *place == UNKNOWN {
                    let of = tables.frame(frame);
                    let function = tables.function(of.function);
                    let Some(at) = function_of.get_mut(of.function.index()) else { continue };
                    if *at == UNKNOWN {
                        *at = number(out.functions.len());
                        out.functions.push(AnyFunction {
                            name: copied.id(tables.str(function.name)),
                            system_name: copied.id(tables.str(function.system_name)),
                            file: copied.id(tables.str(function.file)),
                            start_line: 0,
                        });
                    }
                    let library = tables.str(function.library);
                    let mapping = if library.is_empty() {
                        0
                    } else {
                        *mapping_of.entry(function.library).or_insert_with(|| {
                            out.mappings.push(Mapping { file: copied.id(library), ..flags });
                            number(out.mappings.len().saturating_sub(1))
                        })
                    };
                    let from = number(out.lines.len());
                    out.lines.push(Line { function: *at, line: of.line.into(), column: 0 });
                    *place = number(out.locations.len());
                    out.locations.push(Location {
                        mapping: Some(mapping),
                        lines_from: from,
                        lines_to: from.saturating_add(1),
                        ..Location::default()
                    });
                }
                stack.push(*place);
            }
            labels.clear();
            let mut time = profile.time_nanos;
            for label in tables.labels(sample.labels) {
                if let (TIME_LABEL, LabelValue::Number(number)) = (label.key, label.value) {
                    (time, timed) = (number, true);
                    continue;
                }
                let key = copied.id(label.key);
                labels.push(match label.value {
                    LabelValue::Text(text) => {
                        AnyLabel { key, text: copied.id(tables.str(text)), ..AnyLabel::default() }
                    }
                    LabelValue::Number(number) => AnyLabel { key, number, ..AnyLabel::default() },
                });
            }
            out.samples.push(stack.iter().copied(), sample.values, labels.iter().copied());
            times.push(time);
        }
        if timed {
            out.samples.set_times(times);
        }
        out.texts = copied.texts;
        out
    }
}
