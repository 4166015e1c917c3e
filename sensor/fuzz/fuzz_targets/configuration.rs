//! Law: any text is a configuration or faults, each on a line of it and with words.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use noroshi_sensor::config::Config;

fuzz_target!(|text: &str| {
    if let Err(faults) = Config::parse(text, Path::new("")) {
        let lines = text.matches('\n').count() + 1;
        assert!(!faults.is_empty());
        for fault in faults {
            assert!((1..=lines).contains(&fault.line) && !fault.text.is_empty());
        }
    }
});
