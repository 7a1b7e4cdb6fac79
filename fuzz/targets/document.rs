//! The policy document.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::document(bytes));
