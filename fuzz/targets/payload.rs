//! The trigger decoder, and the document in what it decodes.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::payload(bytes));
