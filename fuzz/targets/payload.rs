//! The trigger decoder, and the document in whatever it decodes.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::payload(bytes));
