//! Versions are started as processes: shell scripts that do what a version may do.

use std::ffi::OsString;
use std::future::pending;
use std::time::Duration;

use nix::sys::signal::{Signal as Named, raise};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep;

use super::*;
use crate::update::launch::{Launch, LaunchError, launch};
use crate::update::selftest::try_out;

impl Author {
    fn settings(&self, trial: Duration) -> Settings {
        Settings {
            keys: vec![self.key.public()],
            directory: self.directory().to_owned(),
            every: Duration::from_secs(3_600),
            trial,
        }
    }

    /// A script among the releases, to be tried next.
    fn stage_script(&self, script: &str, named: &str) {
        self.release(format!("#!/bin/sh\n{script}\n").as_bytes(), named);
        let mut state = self.state();
        state.stage(version(named));
        state.save(self.directory()).unwrap();
    }

    /// One start by a service manager.
    async fn start(&self, trial: Duration, told: impl Future<Output = ()>) -> Launch {
        let arguments = [
            OsString::from("run"),
            "--config".into(),
            "sensor.toml".into(),
        ];
        let settings = self.settings(trial);
        let launched = launch(
            &settings,
            version("0.1.0"),
            &arguments,
            (told, &mut hangups()),
        )
        .await;
        launched.expect("it launches")
    }

    /// A line of a shell script by which a version says that it has reported.
    fn reporting(&self, named: &str) -> String {
        let mut state = self.state();
        state.stage(version(named));
        state.report(version(named));
        let text = String::from_utf8(state.to_bytes()).unwrap();
        let path = self.directory().join("state.json");
        format!("printf '%s' '{}' > '{}'", text.trim(), path.display())
    }

    fn why_failed(&self) -> String {
        self.state()
            .failed
            .map_or(String::new(), |failed| failed.reason)
    }
}

fn hangups() -> Signal {
    signal(SignalKind::hangup()).unwrap()
}

const LONG: Duration = Duration::from_secs(60);

fn code(launch: &Launch) -> Option<u8> {
    match launch {
        Launch::Here(_) => None,
        Launch::Ended(code) => Some(*code),
    }
}

#[tokio::test]
async fn without_a_version_the_program_runs_itself_and_alone() {
    let author = Author::new();
    let Launch::Here(lock) = author.start(LONG, pending()).await else {
        panic!("nothing else is there");
    };
    let second = launch(
        &author.settings(LONG),
        version("0.1.0"),
        &[],
        (pending(), &mut hangups()),
    )
    .await;
    assert!(matches!(second, Err(LaunchError::Held(_))));
    drop(lock);
    assert_eq!(code(&author.start(LONG, pending()).await), None);
}

#[tokio::test]
async fn a_version_that_reports_stays_and_is_told_its_name() {
    let author = Author::new();
    let told = author.directory().join("told");
    let report = author.reporting("0.2.0");
    author.stage_script(
        &format!("echo \"$@\" > '{}'\n{report}\nexit 3", told.display()),
        "0.2.0",
    );
    assert_eq!(
        code(&author.start(LONG, pending()).await),
        Some(3),
        "its own code"
    );
    let told = fs::read_to_string(told).unwrap();
    assert_eq!(told, "run --config sensor.toml --launched 0.2.0\n");
    assert_eq!(author.state().good, Some(version("0.2.0")));
    assert_eq!(code(&author.start(LONG, pending()).await), Some(3));
    assert_eq!(author.state().failed, None);
}

#[tokio::test]
async fn a_version_that_ends_before_it_reported_is_given_up() {
    let author = Author::new();
    author.stage_script("exit 78", "0.2.0");
    for starts in 1..=STARTS_MAX {
        let started = author.start(LONG, pending()).await;
        assert_eq!(
            code(&started),
            Some(START_AGAIN),
            "never a code that keeps it from starting"
        );
        let trial = author.state().trial.map(|trial| trial.starts);
        assert_eq!(trial, (starts < STARTS_MAX).then_some(starts));
    }
    let why = author.why_failed();
    assert!(why.contains("3 times") && why.contains("78"), "{why}");
    assert_eq!(
        code(&author.start(LONG, pending()).await),
        None,
        "the one before runs"
    );
}

#[tokio::test]
async fn a_version_that_hangs_is_given_up_whatever_it_does() {
    let author = Author::new();
    author.stage_script("exec sleep 600", "0.2.0");
    let started = author.start(Duration::from_millis(300), pending()).await;
    assert_eq!(code(&started), Some(START_AGAIN));
    assert!(
        author.why_failed().contains("did not report"),
        "{}",
        author.why_failed()
    );
    assert_eq!(code(&author.start(LONG, pending()).await), None);
}

#[tokio::test]
async fn whoever_ends_the_sensor_in_a_trial_fails_no_version() {
    let author = Author::new();
    author.stage_script("trap 'exit 0' TERM\nwhile :; do sleep 0.01; done", "0.2.0");
    for _ in 0..5 {
        let told = tokio::time::sleep(Duration::from_millis(200));
        assert_eq!(code(&author.start(LONG, told).await), Some(0));
        assert_eq!(author.state().trial.map(|trial| trial.starts), Some(0));
    }
}

#[tokio::test]
async fn a_version_is_told_that_its_configuration_may_have_changed() {
    let author = Author::new();
    let set = author.directory().join("set");
    let script = format!(
        "trap 'exit 5' HUP\n{}\ntouch '{}'\nwhile :; do sleep 0.01; done",
        author.reporting("0.2.0"),
        set.display()
    );
    author.stage_script(&script, "0.2.0");
    let _heard = hangups(); // before the first comes, which would end this process
    let hang_up = async {
        while !set.exists() {
            sleep(Duration::from_millis(10)).await;
        }
        raise(Named::SIGHUP).unwrap();
        pending::<()>().await;
    };
    let started = tokio::select! {
        started = author.start(LONG, pending()) => started,
        () = hang_up => unreachable!(),
    };
    assert_eq!(code(&started), Some(5));
}

/// The machine dies in each trial: nothing is noted but the start.
#[tokio::test]
async fn a_version_that_takes_the_machine_down_is_given_up() {
    let author = Author::new();
    author.stage_script("exit 0", "0.2.0");
    let mut state = author.state();
    for _ in 0..STARTS_MAX {
        assert_eq!(
            state.start(version("0.1.0")),
            Choice::Trial(version("0.2.0"))
        );
        state.save(author.directory()).unwrap();
        state = author.state();
    }
    assert_eq!(code(&author.start(LONG, pending()).await), None);
    assert!(author.why_failed().contains("never reported"));
}

#[tokio::test]
async fn what_was_changed_on_disk_or_is_no_program_is_not_started() {
    let author = Author::new();
    author.stage_script("exit 0", "0.2.0");
    let program = author.program("0.2.0").unwrap();
    fs::remove_file(&program).unwrap();
    fs::write(&program, "#!/bin/sh\nexit 1\n").unwrap();
    assert_eq!(code(&author.start(LONG, pending()).await), None);
    assert!(
        author.why_failed().contains("cannot be started"),
        "{}",
        author.why_failed()
    );

    author.release(b"no program at all", "0.3.0");
    let mut state = author.state();
    state.stage(version("0.3.0"));
    state.save(author.directory()).unwrap();
    assert_eq!(code(&author.start(LONG, pending()).await), None);
    assert_eq!(
        author.state().failed.map(|failed| failed.version),
        Some(version("0.3.0"))
    );
}

/// The power fails between any two steps of taking a version: what is left over changes nothing.
#[tokio::test]
async fn what_a_crash_leaves_behind_is_swept_and_not_run() {
    let author = Author::new();
    let good = b"#!/bin/sh\nexit 7\n";
    author.release(good, "0.2.0");
    let state = State {
        good: Some(version("0.2.0")),
        ..State::default()
    };
    state.save(author.directory()).unwrap();
    let mut next = state.clone();
    next.stage(version("0.3.0"));
    let program = b"#!/bin/sh\nexit 9\n";
    let (_, manifest) = author.sign(program, "0.3.0");
    for length in 0..=program.len() {
        let releases = author.releases();
        let mut staging = releases.stage(&manifest).unwrap();
        staging.take(&program[..length]).unwrap();
        drop(staging); // while it arrived
        assert_eq!(code(&author.start(LONG, pending()).await), Some(7));
        assert!(!author.directory().join("staging").exists());
    }
    author.release(program, "0.3.0"); // it is there, and nobody has said so yet
    let text = next.to_bytes();
    for length in 0..=text.len() {
        fs::write(author.directory().join(".state.new"), &text[..length]).unwrap();
        assert_eq!(code(&author.start(LONG, pending()).await), Some(7));
    }
    assert!(!author.directory().join("releases/0.3.0").exists());
    assert_eq!(author.state(), state);
}

#[tokio::test]
async fn where_a_new_version_fails_the_good_one_before_runs() {
    let author = Author::new();
    author.release(b"#!/bin/sh\nexit 7\n", "0.2.0");
    let mut state = State {
        good: Some(version("0.2.0")),
        ..State::default()
    };
    state.save(author.directory()).unwrap();
    author.stage_script("exit 1", "0.3.0");
    for _ in 0..STARTS_MAX {
        assert_eq!(
            code(&author.start(LONG, pending()).await),
            Some(START_AGAIN)
        );
    }
    assert_eq!(code(&author.start(LONG, pending()).await), Some(7));
    state = author.state();
    assert_eq!((state.good, state.trial), (Some(version("0.2.0")), None));
    assert!(!author.directory().join("releases/0.3.0").exists());
    fs::remove_dir_all(author.directory().join("releases/0.2.0")).unwrap();
    assert_eq!(
        code(&author.start(LONG, pending()).await),
        None,
        "the installed one always does"
    );
}

#[tokio::test]
async fn a_program_is_asked_before_anything_depends_on_it() {
    let author = Author::new();
    let config = author.directory().join("sensor.toml");
    let mut number = 1;
    let mut tried = async |script: &str| {
        number += 1;
        let named = format!("0.{number}.0");
        author.release(format!("#!/bin/sh\n{script}\n").as_bytes(), &named);
        try_out(&author.program(&named).unwrap(), version(&named), &config).await
    };
    let good = "test \"$1\" = --version && echo noroshi-sensor 0.2.0 && exit 0\n\
                test \"$1 $2\" = 'check --config'";
    assert_eq!(tried(good).await, Ok(()));
    let other = tried("echo noroshi-sensor 9.9.9").await.unwrap_err();
    assert!(other.contains("signed as noroshi-sensor 0.3.0"), "{other}");
    let picky = "test \"$1\" = --version && echo noroshi-sensor 0.4.0 && exit 0\n\
                 echo 'sensor.toml:3: wrong' >&2; exit 78";
    let picky = tried(picky).await.unwrap_err();
    assert!(
        picky.contains("sensor.toml:3") && picky.contains("78"),
        "{picky}"
    );
    let loud = "test \"$1\" = --version && exec yes\nexit 0";
    assert!(tried(loud).await.is_err(), "it ends, whatever it says");
}
