//! The local time zone. Jiff reads the files of the zone database and POSIX rules.

use std::path::{Path, PathBuf};

use jfr_parse::Zone;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The zone selected by the variable TZ or by /etc/localtime.
pub(crate) fn local() -> Result<Zone, String> {
    let named = std::env::var("TZ").ok().filter(|name| !name.is_empty());
    let path = match named.as_deref().map(|name| name.trim_start_matches(':')) {
        None => PathBuf::from("/etc/localtime"),
        Some(name) => match TimeZone::posix(name) {
            Ok(rule) => return Ok(zone(rule)),
            Err(_) if name.starts_with('/') => PathBuf::from(name),
            Err(_) => Path::new("/usr/share/zoneinfo").join(name),
        },
    };
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        // A machine without a setting uses UTC.
        Err(e) if named.is_none() && e.kind() == std::io::ErrorKind::NotFound && cfg!(unix) => {
            return Ok(Zone::default());
        }
        Err(e) => return Err(format!("the local time zone is not known: {}: {e}", path.display())),
    };
    match TimeZone::tzif("local", &bytes) {
        Ok(table) => Ok(zone(table)),
        Err(_) => Err(format!("{}: not a file of the zone database", path.display())),
    }
}

/// The zone of recordings that has the offsets of this one.
fn zone(of: TimeZone) -> Zone {
    if of.to_offset(Timestamp::UNIX_EPOCH).is_zero() && of.following(Timestamp::UNIX_EPOCH).next().is_none() {
        return Zone::default();
    }
    // Jiff knows the years until 9999, 64 bits of nanoseconds end in 2262.
    Zone::new(move |instant| {
        let at = Timestamp::from_second(instant.0.div_euclid(1_000_000_000)).unwrap_or(Timestamp::UNIX_EPOCH);
        of.to_offset(at).seconds().into()
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use jfr_parse::EpochNanos;

    use super::*;

    #[test]
    fn offsets_follow_the_rules_of_a_zone() {
        let berlin = zone(TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap());
        // 2026-03-29 01:00Z and 2026-10-25 01:00Z.
        for (at, ahead) in
            [(1_774_745_999, 3_600), (1_774_746_000, 7_200), (1_792_889_999, 7_200), (1_792_890_000, 3_600)]
        {
            assert_eq!(berlin.ahead(EpochNanos(at * 1_000_000_000)), ahead, "{at}");
        }
        // A zone without offsets is UTC, and has its name.
        assert_eq!(zone(TimeZone::posix("UTC0").unwrap()).name(EpochNanos(0)), "UTC");
        let india = zone(TimeZone::posix("<+0530>-5:30").unwrap());
        assert_eq!([0, i64::MIN, i64::MAX].map(|nanos| india.ahead(EpochNanos(nanos))), [19_800; 3]);
    }
}
