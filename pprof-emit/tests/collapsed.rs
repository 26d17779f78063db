//! Collapsed stacks.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use common::{Plain, PlainSample, PlainValue, frame};
use jfrkit_profile::ProfileType;
use pprof_emit::{CollapsedOptions, write_collapsed};

fn collapsed(plain: &Plain, value: Option<usize>) -> std::io::Result<String> {
    let (profile, tables) = plain.model(0);
    let mut out = Vec::new();
    write_collapsed(&profile, &tables, &mut out, &CollapsedOptions { value, ..Default::default() })?;
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn root_first_with_the_last_value_in_order_of_first_sample() {
    let plain = Plain::new(ProfileType::Cpu).sample(&["z", "main"], &[1, 20]).sample(&["a", "main"], &[2, 40]);
    assert_eq!(collapsed(&plain, None).unwrap(), "main;z 20\nmain;a 40\n");
    assert_eq!(collapsed(&plain, Some(0)).unwrap(), "main;z 1\nmain;a 2\n");
    assert_eq!(collapsed(&plain, Some(2)).unwrap_err().kind(), std::io::ErrorKind::InvalidInput);
}

#[test]
fn lines_and_labels_do_not_separate_stacks() {
    let mut plain = Plain::new(ProfileType::Error);
    for line in 1..=3 {
        let labels = vec![("thread id", PlainValue::Number(i64::from(line)))];
        plain.samples.push(PlainSample { stack: vec![frame("run", line)], labels, values: vec![i64::MAX] });
    }
    // More than fits into an i64.
    assert_eq!(collapsed(&plain, None).unwrap(), "run 27670116110564327421\n");
}

#[test]
fn names_cannot_break_a_line() {
    let plain = Plain::new(ProfileType::Error).sample(&["a;b\nc\r", "", "größe 7"], &[5]);
    assert_eq!(collapsed(&plain, None).unwrap(), "größe 7;[unknown];a:b c  5\n");
}
