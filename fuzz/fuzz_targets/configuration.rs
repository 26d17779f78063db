#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| jfrkit_testkit::checks::configuration(text));
