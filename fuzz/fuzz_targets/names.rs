#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| jfrkit_mutants::checks::names(text));
