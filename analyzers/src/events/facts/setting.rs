//! The event settings that were in effect.

use super::Facts;
use crate::hash::HashMap;
use crate::math::to_i64;

/// A setting of an event type, as recorded by `jdk.ActiveSetting`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettingValue<'f> {
    /// When it was recorded, in nanoseconds since the Unix epoch. Each chunk repeats all settings.
    pub at: i64,
    /// The value: `20 ms`, `true`.
    pub value: &'f str,
}

/// How often an event type was enabled and disabled: by its actual id, and as JMC counts it.
type Switches = [(u64, u64); 2];

/// The rows of the settings table, by event type and setting name.
#[derive(Debug, Default)]
pub(super) struct Index {
    by_name: HashMap<(jfrkit_profile::StrId, jfrkit_profile::StrId), Vec<usize>>,
}

impl Facts {
    /// Counts how often each event type was enabled and disabled.
    pub(crate) fn count_switches(&mut self) {
        // Keyed by string handle, because names can be long and there are many settings.
        let mut counts: HashMap<(usize, usize), (&str, Switches)> = HashMap::default();
        for row in self.table("jdk.ActiveSetting").rows().filter(|r| r.text("name") == Some("enabled")) {
            let on = match row.text("value") {
                Some("true") => true,
                Some("false") => false,
                _ => continue,
            };
            for (i, event) in [row.text("id"), self.jmc_type(&row)].into_iter().enumerate() {
                let Some(event) = event else { continue };
                let place = (event.as_ptr().addr(), event.len());
                let (_, counts) = counts.entry(place).or_insert((event, Default::default()));
                if let Some((ons, offs)) = counts.get_mut(i) {
                    let count = if on { ons } else { offs };
                    *count = count.saturating_add(1);
                }
            }
        }
        let counts: Vec<(String, Switches)> =
            counts.into_values().map(|(event, counts)| (event.to_owned(), counts)).collect();
        let add = |sum: &mut u64, n: u64| *sum = sum.saturating_add(n);
        for (event, [right, as_jmc]) in counts {
            let facts = self.events.entry(event).or_default();
            add(&mut facts.switched_on, right.0);
            add(&mut facts.switched_off, right.1);
            add(&mut facts.jmc_switches.0, as_jmc.0);
            add(&mut facts.jmc_switches.1, as_jmc.1);
        }
    }

    /// The event type of a setting if JMC sees the setting. JMC misinterprets settings whose fields differ from
    /// those in an earlier chunk: it assigns them to a type for which no rule asks.
    fn jmc_type<'f>(&'f self, setting: &super::Event<'f>) -> Option<&'f str> {
        if setting.text(super::SHAPE) == self.first_shape.as_deref() { setting.text("id") } else { None }
    }

    /// [`settings_of`](Self::settings_of) as seen by JMC.
    #[must_use]
    pub fn jmc_settings_of(&self, event: &str, name: &str) -> Vec<SettingValue<'_>> {
        let rows = self.table("jdk.ActiveSetting").rows();
        rows.filter(|r| r.text("name") == Some(name) && self.jmc_type(r) == Some(event))
            .filter_map(|r| Some(SettingValue { at: r.start, value: r.text("value")? }))
            .collect()
    }

    /// The values of a setting of an event type, in chronological order.
    #[must_use]
    pub fn settings_of(&self, event: &str, name: &str) -> Vec<SettingValue<'_>> {
        let table = self.table("jdk.ActiveSetting");
        let index = self.lazy.settings.get_or_init(|| {
            let mut index = Index::default();
            for (i, row) in table.rows().enumerate() {
                if let (Some(event), Some(name)) = (row.cell("id").text(), row.cell("name").text()) {
                    index.by_name.entry((event, name)).or_default().push(i);
                }
            }
            index
        });
        let key = self.names.string_id(event).zip(self.names.string_id(name));
        let places = key.and_then(|key| index.by_name.get(&key));
        places
            .into_iter()
            .flatten()
            .filter_map(|i| table.get(*i))
            .filter_map(|row| Some(SettingValue { at: row.start, value: row.text("value")? }))
            .collect()
    }

    /// The last recorded value of a setting.
    #[must_use]
    pub fn setting(&self, event: &str, name: &str) -> Option<&str> {
        self.settings_of(event, name).last().map(|s| s.value)
    }

    /// The last recorded value of a duration setting in nanoseconds; `None` for special values such as
    /// `everyChunk`.
    #[must_use]
    pub fn setting_nanos(&self, event: &str, name: &str) -> Option<i64> {
        self.setting(event, name).and_then(parse_timespan)
    }
}

/// Parses `20 ms`, `1.5 s`, `10000000` (nanoseconds) and similar texts to nanoseconds. `None` for `everyChunk` and the like.
///
/// Not [`parse_duration`](jfrkit_profile::units::parse_duration), which reads what people write: recorders have a grammar of their
/// own (one number and one unit, `m` for minutes, nanoseconds without a unit), and recordings must mean what they meant to the JVM.
#[must_use]
pub fn parse_timespan(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    let factor = match unit.trim() {
        "ns" | "" => 1,
        "us" | "µs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "d" => 86_400_000_000_000,
        _ => return None,
    };
    if number.contains('.') {
        return Some(to_i64((number.parse::<f64>().ok()? * factor as f64).round())).filter(|nanos| *nanos < i64::MAX);
    }
    number.parse::<i64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use jfr_parse::Recording;
    use jfr_parse::testing::{ChunkWriter, Class, Field, LONG, Payload, STRING};

    use super::parse_timespan;
    use crate::events::read::Wanted;
    use crate::events::read::read;
    use crate::events::{Facts, Needs, Presence};
    use crate::rule::AnalysisOptions;

    /// A chunk that declares `jdk.FileRead` and, if `on` is true, enables it in settings with these additional
    /// fields.
    fn chunk(more: Option<&str>, on: bool) -> Vec<u8> {
        let mut setting = Class::event(100, "jdk.ActiveSetting").field(Field::new("startTime", LONG));
        setting = more.into_iter().fold(setting, |s, name| s.field(Field::new(name, LONG)));
        for (name, holds) in [("id", LONG), ("name", STRING), ("value", STRING)] {
            setting = setting.field(Field::new(name, holds));
        }
        let mut chunk = ChunkWriter::new();
        let read = Class::event(101, "jdk.FileRead").field(Field::new("startTime", LONG));
        chunk.metadata(&[setting, read]);
        if on {
            let start = more.iter().fold(Payload::new().varint(42), |p, _| p.varint(0));
            chunk.event(100, &start.varint(101).utf8("enabled").utf8("true"));
        }
        chunk.finish()
    }

    fn facts(chunks: &[Vec<u8>]) -> Facts {
        let recording = Recording::from_bytes(chunks.concat(), &Default::default()).unwrap();
        read(&recording, &Wanted::new(std::iter::empty::<&Needs>()), &AnalysisOptions::default()).unwrap()
    }

    #[test]
    fn jmc_sees_only_settings_with_the_fields_of_the_first_chunk() {
        let of = |chunks: &[Vec<u8>]| {
            let facts = facts(chunks);
            (facts.presence("jdk.FileRead"), facts.jmc_presence("jdk.FileRead"))
        };
        let (on, off) = (chunk(None, true), chunk(None, false));
        assert_eq!(of(&[off.clone(), on.clone()]), (Presence::Enabled, Presence::Enabled));
        assert_eq!(of(&[off.clone(), chunk(Some("duration"), true)]), (Presence::Enabled, Presence::Declared));
        assert_eq!(of(&[on.clone(), chunk(Some("duration"), true)]), (Presence::Enabled, Presence::Enabled));
        // Each chunk repeats the settings, but JMC expects exactly one.
        let mut later = on.clone();
        later.get_mut(39).into_iter().for_each(|byte| *byte ^= 1);
        assert_eq!(of(&[on, later]), (Presence::Enabled, Presence::Declared));
    }

    #[test]
    fn durations_as_settings_write_them() {
        assert_eq!(parse_timespan("20 ms"), Some(20_000_000));
        assert_eq!(parse_timespan("1 s"), Some(1_000_000_000));
        assert_eq!(parse_timespan("0 ns"), Some(0));
        assert_eq!(parse_timespan("1.5 µs"), Some(1_500));
        assert_eq!(parse_timespan("9223372036854775807.5 s"), None);
        assert_eq!(parse_timespan("9999999"), Some(9_999_999));
        assert_eq!(parse_timespan("everyChunk"), None);
        assert_eq!(parse_timespan("9223372036854775807 s"), None);
    }
}
