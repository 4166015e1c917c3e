use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use noroshi_proto::time::Millis;
use noroshi_proto::update::key::SigningKey;
use noroshi_proto::update::target::Target;
use noroshi_proto::update::version::Version;
use noroshi_proto::update::{Digest, Manifest, Signed};
use proptest::option::of;
use proptest::prelude::*;
use sha2::Digest as _;
use tempfile::TempDir;

use super::judge::{Offered, Refused, judge};
use super::releases::{ReleaseError, Releases};
use super::state::{Choice, Failed, STARTS_MAX, Seen, State};
use super::*;
use crate::clock;

mod hostile;
mod launched;

const DAY: u64 = 86_400_000;

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

/// An author of updates, and a sensor that believes it.
struct Author {
    key: SigningKey,
    directory: TempDir,
}

impl Author {
    fn new() -> Self {
        Self {
            key: SigningKey::read(&SigningKey::draw().unwrap()).unwrap(),
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn directory(&self) -> &Path {
        self.directory.path()
    }

    fn releases(&self) -> Releases {
        Releases::new(self.directory())
    }

    fn sign(&self, program: &[u8], named: &str) -> (Signed, Manifest) {
        let now = clock::now().0 / 1_000 * 1_000;
        let manifest = Manifest {
            version: version(named),
            target: Target::here(),
            bytes: program.len() as u64,
            sha256: Digest(sha2::Sha256::digest(program).into()),
            issued: Millis(now),
            expires: Millis(now + DAY),
        };
        (Signed::new(&manifest, &self.key), manifest)
    }

    /// Puts a version among the sensor's releases.
    fn release(&self, program: &[u8], named: &str) {
        let (signed, manifest) = self.sign(program, named);
        let releases = self.releases();
        let mut staging = releases.stage(&manifest).unwrap();
        staging.take(program).unwrap();
        staging.finish(&signed).unwrap();
    }

    fn program(&self, named: &str) -> Result<std::path::PathBuf, ReleaseError> {
        let keys = [self.key.public()];
        self.releases()
            .program(version(named), &keys, &Target::here())
    }

    fn state(&self) -> State {
        State::load(self.directory()).unwrap()
    }
}

#[test]
fn the_version_is_three_numbers() {
    assert_eq!(own_version().to_string(), env!("CARGO_PKG_VERSION"));
}

/// What each attack by an old or a wrong manifest comes to.
#[test]
fn a_manifest_is_followed_only_where_it_is_newer_in_time_and_for_this_machine() {
    let now = Millis(1_795_699_200_000);
    let offered = Manifest {
        version: version("0.3.0"),
        target: Target::here(),
        bytes: 1,
        sha256: Digest([3; 32]),
        issued: Millis(now.0 - DAY),
        expires: Millis(now.0 + DAY),
    };
    let seen = |named: &str, digest: u8| State {
        seen: Some(Seen {
            version: version(named),
            sha256: Digest([digest; 32]),
            expires: now,
        }),
        ..State::default()
    };
    let here = Target::here();
    let runs = |running: &str, state: &State, manifest: &Manifest| {
        judge(manifest, state, (version(running), &here), now)
    };
    let fresh = State::default();
    assert_eq!(runs("0.2.9", &fresh, &offered), Ok(Offered::Wanted));
    assert_eq!(
        runs("0.2.9", &seen("0.3.0", 3), &offered),
        Ok(Offered::Wanted)
    );
    assert_eq!(runs("0.3.0", &fresh, &offered), Ok(Offered::Current));
    assert_eq!(runs("0.4.0", &fresh, &offered), Ok(Offered::Current));

    let old = runs("0.2.9", &seen("0.3.1", 9), &offered);
    assert!(
        matches!(old, Err(Refused::Older { .. })),
        "a rollback: {old:?}"
    );
    let other = runs("0.2.9", &seen("0.3.0", 4), &offered);
    assert_eq!(other, Err(Refused::OtherFile(version("0.3.0"))));
    let mut expired = offered.clone();
    expired.expires = now;
    let frozen = runs("0.2.9", &fresh, &expired);
    assert_eq!(frozen, Err(Refused::Expired(now)), "a freeze");
    let mut early = offered.clone();
    early.issued = Millis(now.0 + DAY);
    early.expires = Millis(now.0 + 2 * DAY);
    assert_eq!(
        runs("0.2.9", &fresh, &early),
        Err(Refused::FromTheFuture(early.issued))
    );
    let mut elsewhere = offered.clone();
    elsewhere.target = Target::new("pdp11-unix").unwrap();
    let elsewhere = runs("0.2.9", &fresh, &elsewhere);
    assert!(matches!(elsewhere, Err(Refused::OtherTarget { .. })));
    let mut failed = fresh;
    failed.fail(version("0.3.0"), "it broke");
    let again = runs("0.2.9", &failed, &offered);
    assert!(
        matches!(again, Err(Refused::FailedHere { .. })),
        "{again:?}"
    );
}

#[test]
fn a_version_is_tried_some_times_and_then_never_again() {
    let (installed, good, new) = (version("0.1.0"), version("0.2.0"), version("0.3.0"));
    let mut state = State {
        good: Some(good),
        ..State::default()
    };
    assert_eq!(state.start(installed), Choice::Good(good));
    assert_eq!(
        state.start(version("0.2.1")),
        Choice::Installed,
        "a package is newer"
    );
    state.stage(new);
    for _ in 0..STARTS_MAX {
        assert_eq!(state.start(installed), Choice::Trial(new));
    }
    assert_eq!(state.start(installed), Choice::Good(good));
    assert_eq!(
        state.failed.as_ref().map(|failed| failed.version),
        Some(new)
    );
    assert!(!state.report(new), "too late");

    let newer = version("0.4.0");
    state.stage(newer);
    for _ in 0..10 {
        assert_eq!(state.start(installed), Choice::Trial(newer));
        state.interrupt(newer); // the operator restarts the service
    }
    assert_eq!(state.start(installed), Choice::Trial(newer));
    assert!(state.report(newer) && !state.report(newer));
    assert_eq!(state.start(installed), Choice::Good(newer));
    state.stage(version("0.5.0"));
    assert_eq!(
        state.start(version("0.5.0")),
        Choice::Installed,
        "a package is as new"
    );
    assert_eq!(state.trial, None);
}

#[test]
fn what_is_seen_is_never_forgotten_and_expires_once() {
    let author = Author::new();
    let (_, mut manifest) = author.sign(b"x", "0.2.0");
    let mut state = State::default();
    state.see(&manifest);
    let until = manifest.expires;
    assert_eq!(state.held_back_since(Millis(until.0 - 1)), None);
    assert_eq!(state.held_back_since(until), Some(until));
    manifest.expires = Millis(until.0 - DAY / 2); // an older signature of the same version
    state.see(&manifest);
    assert_eq!(state.held_back_since(until), Some(until));
    assert_eq!(state.held_back_since(manifest.expires), None);
}

fn states() -> impl Strategy<Value = State> {
    let version = || {
        any::<[u32; 3]>().prop_map(|[major, minor, patch]| Version {
            major,
            minor,
            patch,
        })
    };
    let seen = (version(), any::<[u8; 32]>(), any::<u64>());
    let seen = seen.prop_map(|(version, sha256, expires)| Seen {
        version,
        sha256: Digest(sha256),
        expires: Millis(expires),
    });
    let trial = (version(), any::<u32>());
    let trial = trial.prop_map(|(version, starts)| super::state::Trial { version, starts });
    let failed = (version(), ".{0,40}").prop_map(|(version, reason)| Failed { version, reason });
    (of(seen), of(version()), of(trial), of(failed)).prop_map(|(seen, good, trial, failed)| State {
        seen,
        good,
        trial,
        failed,
    })
}

proptest! {
    #[test]
    fn what_is_remembered_is_read_again(state in states()) {
        prop_assert_eq!(State::parse(&state.to_bytes()), Ok(state));
    }

    /// Whatever stands there, something is started in the end, and nothing that failed.
    #[test]
    fn every_state_comes_to_rest(mut state in states()) {
        let installed = version("0.1.0");
        for _ in 0..=STARTS_MAX {
            state.start(installed);
        }
        prop_assert_eq!(state.trial, None);
        let rest = state.start(installed);
        prop_assert_eq!(rest, state.start(installed));
    }
}

/// Programs of other years read it: what is written may grow, and never change.
#[test]
fn the_state_s_text_is_a_contract() {
    let author = Author::new();
    let (_, mut manifest) = author.sign(b"x", "0.3.0");
    (manifest.sha256, manifest.expires) = (Digest([1; 32]), Millis(2_000));
    let mut state = State::default();
    state.see(&manifest);
    (state.good, state.failed) = (Some(version("0.2.0")), None);
    state.fail(version("0.2.5"), "why");
    state.stage(version("0.3.0"));
    let text = String::from_utf8(state.to_bytes()).unwrap();
    expect_test::expect![[r#"
        {"seen":{"version":"0.3.0","sha256":"0101010101010101010101010101010101010101010101010101010101010101","expires_ms":2000},"good":"0.2.0","trial":{"version":"0.3.0","starts":0},"failed":{"version":"0.2.5","reason":"why"}}
    "#]].assert_eq(&text);
    let later = text.replacen('{', "{\"later\":[1],", 1);
    assert_eq!(State::parse(later.as_bytes()), Ok(state));
    assert_eq!(State::parse(b"{}"), Ok(State::default()));
    for length in 0..text.len() - 1 {
        assert!(
            State::parse(&text.as_bytes()[..length]).is_err(),
            "{length}"
        );
    }
}

#[test]
fn a_state_that_is_damaged_is_told_and_kept() {
    let author = Author::new();
    assert_eq!(author.state(), State::default());
    let path = author.directory().join("state.json");
    fs::write(&path, "{\"good\":\"2\"}").unwrap();
    let told = State::load(author.directory()).unwrap_err().to_string();
    assert!(told.contains("three numbers"), "{told}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"good\":\"2\"}");
}

/// A transfer that breaks off at any byte, or goes on behind the last, leaves nothing that runs;
/// the version before is where it was.
#[test]
fn a_file_that_is_cut_at_any_byte_is_never_a_release() {
    let author = Author::new();
    author.release(b"the version before", "0.1.1");
    let program: Vec<u8> = (0..=u8::MAX).cycle().take(1_500).collect();
    let (signed, manifest) = author.sign(&program, "0.2.0");
    let releases = author.releases();
    for length in 0..program.len() {
        let mut staging = releases.stage(&manifest).unwrap();
        staging.take(&program[..length]).unwrap();
        let cut = staging.finish(&signed).unwrap_err();
        assert!(matches!(cut, ReleaseError::OtherFile(_)), "{length}: {cut}");
        assert!(author.program("0.2.0").is_err(), "{length}");
        let mut other = releases.stage(&manifest).unwrap();
        let mut changed = program.clone();
        changed[length] ^= 1;
        other.take(&changed).unwrap();
        assert!(other.finish(&signed).is_err(), "byte {length} is another");
    }
    let mut long = releases.stage(&manifest).unwrap();
    long.take(&program).unwrap();
    assert!(matches!(long.take(b"x"), Err(ReleaseError::OtherFile(_))));
    assert!(author.program("0.2.0").is_err());
    author.program("0.1.1").expect("it is untouched");
}

/// The same for what the power cuts while it is written, or somebody changes afterwards.
#[test]
fn a_release_that_is_not_what_was_signed_is_not_run() {
    let author = Author::new();
    let program = b"#!/bin/sh\nexit 0\n";
    author.release(program, "0.2.0");
    let path = author.program("0.2.0").expect("it is as it was signed");
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o500);
    let spoil = |file: &str, bytes: &[u8]| {
        let path = path.with_file_name(file);
        let whole = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(&path, bytes).unwrap();
        let spoilt = author.program("0.2.0");
        fs::write(&path, whole).unwrap();
        assert!(spoilt.is_err(), "{file}: {bytes:?}");
    };
    for length in 0..program.len() {
        spoil("noroshi-sensor", &program[..length]);
    }
    spoil("noroshi-sensor", b"#!/bin/sh\nexit 0\n#");
    spoil("noroshi-sensor", b"#!/bin/sh\nexit 1\n");
    let signed = fs::read(path.with_file_name("signed")).unwrap();
    for length in 0..signed.len() {
        spoil("signed", &signed[..length]);
    }
    let (another, _) = author.sign(program, "0.2.1"); // mix and match
    spoil("signed", &another.to_bytes());
    author.program("0.2.0").expect("it is whole again");

    let other = Author::new().key.public();
    let unbelieved = author
        .releases()
        .program(version("0.2.0"), &[other], &Target::here());
    assert!(matches!(unbelieved, Err(ReleaseError::Manifest(_))));
    let elsewhere = Target::new("pdp11-unix").unwrap();
    let keys = [author.key.public()];
    let wrong = author
        .releases()
        .program(version("0.2.0"), &keys, &elsewhere);
    assert!(matches!(wrong, Err(ReleaseError::OtherFile(_))));
}

#[test]
fn what_is_not_needed_goes() {
    let author = Author::new();
    author
        .releases()
        .sweep([].into_iter())
        .expect("there is nothing yet");
    for named in ["0.2.0", "0.3.0", "0.4.0"] {
        author.release(b"x", named);
    }
    let (_, unfinished) = author.sign(b"xx", "0.5.0");
    author
        .releases()
        .stage(&unfinished)
        .unwrap()
        .take(b"x")
        .unwrap();
    let needed = ["0.2.0", "0.4.0"].map(version);
    author.releases().sweep(needed.into_iter()).unwrap();
    let left = fs::read_dir(author.directory().join("releases")).unwrap();
    let left: BTreeSet<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, BTreeSet::from(["0.2.0".into(), "0.4.0".into()]));
    assert!(!author.directory().join("staging").exists());
}
