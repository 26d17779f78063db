//! The local time zone, from the zone database files of Unix systems.

use std::path::{Path, PathBuf};

use jfr_parse::Zone;

/// The zone selected by the variable TZ or by /etc/localtime.
pub(crate) fn local() -> Result<Zone, String> {
    let named = std::env::var("TZ").ok().filter(|name| !name.is_empty());
    let path = match named.as_deref().map(|name| name.trim_start_matches(':')) {
        None => PathBuf::from("/etc/localtime"),
        Some(name) => match Rule::parse(name) {
            Some(rule) => return Ok(Zone::new(move |nanos| rule.ahead(nanos.div_euclid(1_000_000_000)))),
            None if name.starts_with('/') => PathBuf::from(name),
            None => Path::new("/usr/share/zoneinfo").join(name),
        },
    };
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        // A machine without a setting uses UTC.
        Err(e) if named.is_none() && e.kind() == std::io::ErrorKind::NotFound && cfg!(unix) => {
            return Ok(Zone::new(|_| 0));
        }
        Err(e) => return Err(format!("the local time zone is not known: {}: {e}", path.display())),
    };
    let table = Table::parse(&bytes).ok_or_else(|| format!("{}: no file of the zone database", path.display()))?;
    Ok(Zone::new(move |nanos| table.ahead(nanos.div_euclid(1_000_000_000))))
}

/// The content of a zone file (RFC 9636): changes of the offset from UTC, and the rule that applies after the last one.
#[derive(Debug, PartialEq)]
struct Table {
    first: i64,
    /// Times in seconds since 1970, each with the offset from then on.
    changes: Vec<(i64, i64)>,
    rule: Option<Rule>,
}

impl Table {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let number = |at: usize| {
            let bytes: [u8; 4] = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
            usize::try_from(u32::from_be_bytes(bytes)).ok()
        };
        if !bytes.starts_with(b"TZif") {
            return None;
        }
        // The counts of UT and standard indicators, leap seconds, changes, types, and characters of names.
        let counts = |header: usize| {
            Some([
                number(header + 20)?,
                number(header + 24)?,
                number(header + 28)?,
                number(header + 32)?,
                number(header + 36)?,
                number(header + 40)?,
            ])
        };
        let [ut, standard, leaps, changes, types, names] = counts(0)?;
        // The first block has 32-bit times; newer versions have a second block with 64-bit times.
        let (header, width) = if bytes.get(4)? >= &b'2' {
            (44 + changes.checked_mul(5)? + types.checked_mul(6)? + names + leaps.checked_mul(8)? + standard + ut, 8)
        } else {
            (0, 4)
        };
        let [ut, standard, leaps, changes, types, names] = counts(header)?;
        let times = header + 44;
        let indices = times.checked_add(changes.checked_mul(width)?)?;
        let kinds = indices.checked_add(changes)?;
        let ahead = |kind: usize| {
            let at = kinds.checked_add(kind.checked_mul(6)?)?;
            let bytes: [u8; 4] = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
            (kind < types).then(|| i64::from(i32::from_be_bytes(bytes)))
        };
        let time = |i: usize| {
            let at = times.checked_add(i.checked_mul(width)?)?;
            let part = bytes.get(at..at.checked_add(width)?)?;
            match width {
                8 => Some(i64::from_be_bytes(part.try_into().ok()?)),
                _ => Some(i64::from(i32::from_be_bytes(part.try_into().ok()?))),
            }
        };
        let change = |i: usize| Some((time(i)?, ahead((*bytes.get(indices.checked_add(i)?)?).into())?));
        let list = (0..changes.min(bytes.len())).map(change).collect::<Option<Vec<_>>>()?;
        let end = kinds.checked_add(types.checked_mul(6)?)? + names + leaps.checked_mul(width + 4)? + standard + ut;
        let footer = bytes.get(end..).and_then(|rest| std::str::from_utf8(rest).ok()).unwrap_or_default();
        Some(Self { first: ahead(0)?, changes: list, rule: Rule::parse(footer.trim()) })
    }

    fn ahead(&self, seconds: i64) -> i64 {
        let at = self.changes.partition_point(|(from, _)| *from <= seconds);
        if at == self.changes.len()
            && let Some(rule) = &self.rule
        {
            return rule.ahead(seconds);
        }
        at.checked_sub(1).and_then(|at| self.changes.get(at)).map_or(self.first, |(_, ahead)| *ahead)
    }
}

/// A rule in POSIX format: `CET-1CEST,M3.5.0,M10.5.0/3`.
#[derive(Debug, Clone, PartialEq)]
struct Rule {
    standard: i64,
    summer: Option<Summer>,
}

/// Daylight saving time: its offset, start and end.
#[derive(Debug, Clone, PartialEq)]
struct Summer {
    ahead: i64,
    from: Day,
    to: Day,
}

/// A day of the year, and seconds from its beginning in local time.
#[derive(Debug, Clone, PartialEq)]
enum Day {
    /// Month, week (5 is the last), weekday (0 is Sunday).
    Week(i64, i64, i64, i64),
    /// 1 to 365, without February 29.
    Julian(i64, i64),
    /// 0 to 365.
    Count(i64, i64),
}

impl Rule {
    fn parse(text: &str) -> Option<Self> {
        let (standard, rest) = Self::zone(text)?;
        let (standard, rest) = (-standard?, rest);
        if rest.is_empty() {
            return Some(Self { standard, summer: None });
        }
        let (ahead, rest) = Self::zone(rest)?;
        let ahead = ahead.map_or(standard + 3_600, |west| -west);
        // Without days, the rule of the United States is commonly used.
        let days = if rest.is_empty() { ",M3.2.0,M11.1.0" } else { rest };
        let (from, to) = days.strip_prefix(',')?.split_once(',')?;
        Some(Self { standard, summer: Some(Summer { ahead, from: Day::parse(from)?, to: Day::parse(to)? }) })
    }

    /// A zone name, optionally followed by the offset west of Greenwich.
    fn zone(text: &str) -> Option<(Option<i64>, &str)> {
        let rest = match text.strip_prefix('<') {
            Some(rest) => rest.split_once('>')?.1,
            None => {
                let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
                text.get(end..).filter(|_| end >= 3)?
            }
        };
        let end = rest.find(|c: char| !(c.is_ascii_digit() || "+-:".contains(c))).unwrap_or(rest.len());
        let (offset, rest) = rest.split_at_checked(end)?;
        if offset.is_empty() { Some((None, rest)) } else { Some((Some(seconds(offset)?), rest)) }
    }

    fn ahead(&self, at: i64) -> i64 {
        let Some(summer) = &self.summer else { return self.standard };
        let year = civil_year((at + self.standard).div_euclid(86_400));
        let (from, to) = (summer.from.at(year) - self.standard, summer.to.at(year) - summer.ahead);
        let is_summer = if from <= to { (from..to).contains(&at) } else { !(to..from).contains(&at) };
        if is_summer { summer.ahead } else { self.standard }
    }
}

/// `[+-]hh[:mm[:ss]]`.
fn seconds(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut parts = digits.split(':').map(|part| part.parse::<i64>().ok().filter(|n| (0..=167).contains(n)));
    let hours = parts.next()??;
    let minutes = parts.next().unwrap_or(Some(0))?;
    let seconds = parts.next().unwrap_or(Some(0))?;
    parts.next().is_none().then(|| sign * (hours * 3_600 + minutes * 60 + seconds))
}

impl Day {
    fn parse(text: &str) -> Option<Self> {
        let (day, time) = text.split_once('/').unwrap_or((text, "2"));
        let time = seconds(time)?;
        let number = |text: &str| text.parse::<i64>().ok();
        if let Some(weeks) = day.strip_prefix('M') {
            let mut parts = weeks.split('.').map(number);
            let (month, week, weekday) = (parts.next()??, parts.next()??, parts.next()??);
            let fits = (1..=12).contains(&month) && (1..=5).contains(&week) && (0..=6).contains(&weekday);
            return fits.then_some(Self::Week(month, week, weekday, time));
        }
        match day.strip_prefix('J') {
            Some(day) => Some(Self::Julian(number(day).filter(|day| (1..=365).contains(day))?, time)),
            None => Some(Self::Count(number(day).filter(|day| (0..=365).contains(day))?, time)),
        }
    }

    /// Seconds since 1970 in local time.
    fn at(&self, year: i64) -> i64 {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        match *self {
            Self::Week(month, week, weekday, time) => {
                let first = days(year, month, 1);
                // 1970-01-01 was a Thursday.
                let of_first = (first + 4).rem_euclid(7);
                let length = if month == 12 { 31 } else { days(year, month + 1, 1) - first };
                let mut day = (weekday - of_first).rem_euclid(7) + (week - 1) * 7;
                if day >= length {
                    day -= 7;
                }
                (first + day) * 86_400 + time
            }
            Self::Julian(day, time) => (days(year, 1, 1) + day - 1 + i64::from(leap && day >= 60)) * 86_400 + time,
            Self::Count(day, time) => (days(year, 1, 1) + day) * 86_400 + time,
        }
    }
}

/// Days since 1970-01-01. Years start in March here, so that a leap day is the last day of its year.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let from_march = (month + 9) % 12;
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_year - 719_468
}

/// The year of a day since 1970-01-01.
fn civil_year(day: i64) -> i64 {
    let mut year = 1970 + day.div_euclid(366);
    while days(year + 1, 1, 1) <= day {
        year += 1;
    }
    year
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn rules_of_posix() {
        let berlin = Rule::parse("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        // 2026-03-29 01:00Z and 2026-10-25 01:00Z.
        for (at, ahead) in
            [(1_774_745_999, 3_600), (1_774_746_000, 7_200), (1_792_889_999, 7_200), (1_792_890_000, 3_600)]
        {
            assert_eq!(berlin.ahead(at), ahead, "{at}");
        }
        let sydney = Rule::parse("AEST-10AEDT,M10.1.0,M4.1.0/3").unwrap();
        assert_eq!((sydney.ahead(1_767_225_600), sydney.ahead(1_782_864_000)), (39_600, 36_000));
        assert_eq!(Rule::parse("<+0530>-5:30").unwrap().ahead(0), 19_800);
        assert_eq!(Rule::parse("UTC0").unwrap().ahead(0), 0);
        for none in ["", "X", "Europe/Berlin", "CET", "CET-1CEST,M13.1.0,M1.1.0", "CET-x"] {
            assert_eq!(Rule::parse(none), None, "{none}");
        }
    }

    #[test]
    fn files_of_the_zone_database() {
        // Version 2: an empty first block, then one change (at 1,000 s to +2 h) between two types, then the rule.
        let header = |changes: u32, types: u32, names: u32| {
            let counts = [0u32, 0, 0, changes, types, names].map(u32::to_be_bytes).concat();
            [b"TZif2".as_slice(), &[0; 15], &counts].concat()
        };
        let kind = |ahead: i32| [ahead.to_be_bytes().as_slice(), &[0, 0]].concat();
        let file = [
            header(0, 1, 1),
            kind(0),
            vec![0],
            header(1, 2, 1),
            1_000i64.to_be_bytes().to_vec(),
            vec![1],
            kind(3_600),
            kind(7_200),
            vec![0],
            b"\nABC-3\n".to_vec(),
        ]
        .concat();
        let table = Table::parse(&file).unwrap();
        assert_eq!((table.ahead(0), table.ahead(999), table.ahead(1_000)), (3_600, 3_600, 10_800));
        assert_eq!(table.changes, [(1_000, 7_200)]);
        for length in 0..file.len() - b"..\0\nABC-3\n".len() {
            assert_eq!(Table::parse(&file[..length]), None, "{length}");
        }
    }
}
