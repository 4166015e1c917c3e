//! Law: whatever a centre offers, nothing is believed that was not signed; whatever was signed or
//! stands on disk is read to an end, has one text, and something is started in the end.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use noroshi_proto::time::Millis;
use noroshi_proto::update::key::{PublicKey, SigningKey};
use noroshi_proto::update::target::Target;
use noroshi_proto::update::{Manifest, NotAnUpdate, Signed};
use noroshi_sensor::update::judge::judge;
use noroshi_sensor::update::own_version;
use noroshi_sensor::update::state::{Choice, STARTS_MAX, State};

static KEY: LazyLock<SigningKey> = LazyLock::new(|| {
    let der = SigningKey::draw().expect("random numbers");
    SigningKey::read(&der).expect("it was just made")
});

fuzz_target!(|bytes: &[u8]| {
    let keys: [PublicKey; 1] = [KEY.public()];
    let mut manifest = bytes;
    if let Ok(signed) = Signed::read(bytes) {
        assert_eq!(signed.to_bytes(), bytes);
        assert_eq!(signed.open(&keys), Err(NotAnUpdate::Unbelieved));
        manifest = &bytes[139..]; // behind the signature's line
    }
    let mut state = State::default();
    if let Ok(parsed) = Manifest::parse(manifest) {
        assert_eq!(parsed.to_string().as_bytes(), manifest);
        assert_eq!(Signed::new(&parsed, &KEY).open(&keys), Ok(parsed.clone()));
        let runs = (own_version(), &Target::here());
        let _ = judge(&parsed, &state, runs, parsed.issued);
        state.see(&parsed);
        state.stage(parsed.version);
    } else if let Ok(read) = State::parse(bytes) {
        assert_eq!(State::parse(&read.to_bytes()).as_ref(), Ok(&read));
        state = read;
    }
    let _ = state.held_back_since(Millis(0));
    for _ in 0..=STARTS_MAX {
        state.start(own_version());
    }
    assert!(!matches!(state.start(own_version()), Choice::Trial(_)));
});
