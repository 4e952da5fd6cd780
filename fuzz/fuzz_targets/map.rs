#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tuffet_fuzz::map(input));
