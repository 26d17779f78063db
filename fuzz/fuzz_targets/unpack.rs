#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| jfrkit_testkit::checks::unpack(bytes));
