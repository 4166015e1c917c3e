//! The console in a browser, as people have it: the real programs serve it, Chromium shows it, Playwright presses its
//! keys, and axe judges its pages.
//!
//! What is done in the browser stands in JavaScript, one file a subject. Where the browser or what drives it is missing
//! these tests fail and say how to get it.

#[path = "../it/process.rs"]
mod process;

mod centre;
mod children;
mod demo;
mod driver;
mod play;
mod provider;

use centre::Centre;
use demo::Demo;
use driver::drive;
use noroshi_proto::time::Millis;

/// When the play of the tests begins, 2026-11-01 00:00 UTC: they see the same whenever they run.
const FROM: Millis = Millis(1_793_491_200_000);

#[test]
fn alerts_of_the_demo_appear_by_themselves() {
    let demo = Demo::start();
    drive(&["live.mjs"], &demo.facts());
}

#[test]
fn people_and_partners_find_what_they_may_and_act_on_it() {
    let centre = Centre::with_play(FROM);
    let facts = centre.facts(&[
        "viewer", "analyst", "operator", "th-cert", "my-cert", "host",
    ]);
    std::thread::scope(|scope| {
        scope.spawn(|| drive(&["pages.mjs"], &facts)); // as long as all others
        drive(
            &[
                "list.mjs",
                "case.mjs",
                "partners.mjs",
                "door.mjs",
                "keyboard.mjs",
            ],
            &facts,
        );
    });
}

#[test]
fn pages_without_anything_on_them_are_in_order_too() {
    let centre = Centre::empty();
    drive(&["pages.mjs"], &centre.facts(&["operator", "th-cert"]));
}

#[test]
fn people_sign_in_by_a_provider_of_identities() {
    let centre = Centre::with_provider();
    drive(&["elsewhere.mjs"], &centre.facts(&[]));
}

#[test]
#[ignore = "makes the pictures of docs/images"]
fn pictures() {
    let centre = Centre::with_play(play::ending_now());
    drive(&["pictures.mjs"], &centre.facts(&[]));
    let centre = Centre::with_provider();
    drive(&["bare.mjs"], &centre.facts(&[]));
}
