//! Checks of reading pprof.

use jfrkit_profile::Cancel;
use jfrkit_profile::tree::{By, Tree, View, table};
use pprof_emit::{AnyLimits, any_to_bytes, check, pb, read_any, read_with_limit};
use prost::Message;

/// Reads arbitrary bytes as a profile: what is accepted must be valid, and stay valid when it is written and
/// read again. Its numbers must be those that another decoder finds, in trees and tables too.
pub fn pprof(bytes: &[u8]) {
    const LIMIT: u64 = 16 << 20;
    if let Ok(profile) = read_with_limit(bytes, LIMIT) {
        check(&profile).expect("what was read is valid");
        let again = read_with_limit(&profile.encode_to_vec(), u64::MAX).expect("what was read can be written and read");
        assert_eq!(profile, again);
    }
    let limits = AnyLimits { bytes: LIMIT, ..AnyLimits::intake() };
    let cancel = Cancel::never();
    let Ok(profile) = read_any(bytes, &limits, &cancel) else { return };
    let again = read_any(&any_to_bytes(&profile), &AnyLimits::default(), &cancel).expect("it was just written");
    assert_eq!((&profile.samples, &profile.locations), (&again.samples, &again.locations));
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return;
    }
    let theirs = pb::Profile::decode(bytes).ok();
    for value in 0..profile.width().min(4) {
        let values = || profile.samples().map(|sample| i128::from(sample.values[value]));
        if let Some(theirs) = &theirs {
            assert!(theirs.sample.iter().map(|sample| i128::from(sample.value[value])).eq(values()), "values differ");
        }
        let (least, sum): (i128, i128) = (values().min().unwrap_or(0), values().sum());
        // Sums of other signs may saturate on the way.
        if least < 0 || sum > i128::from(i64::MAX) {
            assert!(sum <= i128::from(i64::MAX) || !profile.losses.is_empty(), "a sum beyond 64 bits is not reported");
            continue;
        }
        let stacks = profile.call_stacks(&[value]);
        let view = View::default();
        let tree = Tree::new(&stacks, 0, &view, &cancel).expect("there is such a value");
        assert_eq!(i128::from(tree.total[0]), sum);
        let rows = table(&stacks, 0, &view, &By::Function, &cancel).expect("there is such a value");
        assert_eq!(i128::from(rows.total), sum);
        assert_eq!(rows.rows.iter().map(|row| i128::from(row.own)).sum::<i128>(), sum);
        let inverted = Tree::callers(&stacks, 0, &view, &cancel).expect("there is such a value");
        assert_eq!(i128::from(inverted.total[0]), sum);
    }
}
