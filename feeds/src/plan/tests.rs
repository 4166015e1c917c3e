use noroshi_store::alert::{Confidence, State};
use proptest::prelude::*;

use super::*;
use crate::message::sample::{MORNING, alert, shown, stands};

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;

fn profile(pace: Pace) -> Profile {
    Profile {
        partner: PartnerId::new("th-cert").unwrap(),
        channel: "mail".to_owned(),
        kinds: Vec::new(),
        pace,
    }
}

/// A place in the order of changes, and in it a case.
fn change(number: u64, shown: Shown) -> (ChangeCursor, Shown) {
    let id = shown.alert.id;
    let cursor = format!("{number}/{id}/{number}").parse().unwrap();
    (cursor, shown)
}

fn opened(cases: std::ops::Range<u64>) -> Vec<(ChangeCursor, Shown)> {
    cases
        .map(|number| change(number, shown(number.into())))
        .collect()
}

/// A channel in time of its own: what is tried is met with what `receiver` says.
struct Simulation {
    profile: Profile,
    queue: Queue,
    now: Millis,
    tried: Vec<(Millis, Delivery)>,
    rows: BTreeMap<Uuid, Delivery>,
}

impl Simulation {
    fn new(pace: Pace) -> Self {
        Self {
            profile: profile(pace),
            queue: Queue::default(),
            now: MORNING,
            tried: Vec::new(),
            rows: BTreeMap::new(),
        }
    }

    fn keep(&mut self, kept: &[Delivery]) {
        for delivery in kept {
            let before = self.rows.insert(delivery.id, delivery.clone());
            assert!(
                before.is_none_or(|before| before.revision < delivery.revision),
                "a row is replaced by a later one"
            );
        }
    }

    fn take_in(&mut self, changes: &[(ChangeCursor, Shown)]) {
        let planned = self.profile.intake(HashMap::new(), changes, self.now);
        self.keep(&planned);
        self.queue.take(&planned);
    }

    /// Does all there is to do now.
    fn act(&mut self, receiver: &mut impl FnMut(Millis, &Delivery) -> Outcome) {
        while let Some(action) = self.profile.next(&self.queue, self.now) {
            match action {
                Action::Record(kept) => {
                    self.keep(&kept);
                    self.queue.take(&kept);
                }
                Action::Try(id) => {
                    let delivery = self.rows[&id].clone();
                    let outcome = receiver(self.now, &delivery);
                    self.tried.push((self.now, delivery));
                    let after = self.queue.tried(id, &outcome, self.now).unwrap();
                    self.keep(&[after]);
                }
            }
        }
    }

    /// Lets time pass, looking each minute.
    fn pass(&mut self, millis: u64, receiver: &mut impl FnMut(Millis, &Delivery) -> Outcome) {
        let end = self.now.0 + millis;
        while self.now.0 < end {
            self.act(receiver);
            self.now.0 += 60_000;
        }
        self.act(receiver);
    }

    fn of_form(&self, form: Form) -> usize {
        self.tried
            .iter()
            .filter(|(_, one)| one.form == form)
            .count()
    }
}

fn takes(_: Millis, _: &Delivery) -> Outcome {
    Outcome::Delivered
}

fn is_away(_: Millis, _: &Delivery) -> Outcome {
    Outcome::unreached("nobody there")
}

#[test]
fn each_change_is_sent_once_and_observations_are_not() {
    let mut seen_again = alert(1);
    seen_again.state = State::Continuing;
    let mut raised = seen_again.clone();
    raised.severity = Severity::High;
    let mut over = raised.clone();
    over.state = State::Closed;
    let mut simulation = Simulation::new(Pace::Digests(0));
    simulation.take_in(&[
        change(1, shown(1)),
        change(2, Shown::new(seen_again, None)),
        change(3, Shown::new(raised, None)),
        change(4, Shown::new(over.clone(), None)),
        change(5, stands(over, Remedy::Confirmed)),
    ]);
    simulation.act(&mut takes);
    let events: Vec<&str> = simulation
        .tried
        .iter()
        .map(|(_, one)| one.event.as_str())
        .collect();
    assert_eq!(events, ["opened", "raised", "closed", "confirmed"]);
    assert!(simulation.queue.open.is_empty());
}

#[test]
fn what_is_anothers_is_never_planned() {
    let mut foreign = alert(1);
    foreign.partner = Some("my-cert".to_owned());
    let mut nobodys = alert(2);
    nobodys.partner = None;
    let changes = [
        change(1, Shown::new(foreign, None)),
        change(2, Shown::new(nobodys, None)),
    ];
    let planned = profile(Pace::Everything).intake(HashMap::new(), &changes, MORNING);
    assert_eq!(planned, []);
}

#[test]
fn planning_again_after_a_crash_makes_no_twin() {
    let changes = opened(0..50);
    let first = profile(Pace::Digests(0)).intake(HashMap::new(), &changes, MORNING);
    let later = Millis(MORNING.0 + 77_000);
    let again = profile(Pace::Digests(0)).intake(HashMap::new(), &changes, later);
    let ids = |planned: &[Delivery]| planned.iter().map(|one| one.id).collect::<Vec<_>>();
    assert_eq!(ids(&first), ids(&again));
}

#[test]
fn a_surge_floods_nobody_and_loses_nothing() {
    let mut simulation = Simulation::new(Pace::Digests(0));
    let mut next = 0;
    for _ in 0..60 {
        simulation.take_in(&opened(next..next + 10));
        next += 10;
        simulation.pass(60_000, &mut takes);
    }
    simulation.pass(HOUR, &mut takes);
    let within = |form: Form, at: Millis| {
        let all = simulation.tried.iter();
        let earlier = all.filter(|(other, one)| one.form == form && *other <= at);
        earlier.filter(|(other, _)| other.0 + HOUR > at.0).count()
    };
    for (at, _) in &simulation.tried {
        assert!(within(Form::Single, *at) <= SINGLES_PER_HOUR);
        assert!(
            within(Form::Overflow, *at) <= 4,
            "one each quarter of an hour"
        );
    }
    assert!(simulation.of_form(Form::Overflow) >= 4);
    let told: u64 = simulation
        .tried
        .iter()
        .map(|(_, one)| said(one).count())
        .sum();
    assert_eq!(told, 600);
    assert!(simulation.queue.open.is_empty());
}

#[test]
fn lines_for_machines_are_not_held_back() {
    let mut simulation = Simulation::new(Pace::Everything);
    simulation.take_in(&opened(0..500));
    simulation.act(&mut takes);
    assert_eq!(simulation.of_form(Form::Single), 500);
}

#[test]
fn what_can_wait_comes_once_a_day() {
    let mut simulation = Simulation::new(Pace::Digests(6 * 60 + 30));
    for number in 0..5 {
        let mut unsure = alert(number.into());
        unsure.confidence = Confidence::Low;
        simulation.take_in(&[change(number, Shown::new(unsure, None))]);
        simulation.pass(5 * 60_000, &mut takes);
    }
    assert_eq!(simulation.tried.len(), 0);
    simulation.pass(HOUR, &mut takes);
    let [(at, digest)] = &*simulation.tried else {
        panic!("one message: {:?}", simulation.tried);
    };
    assert_eq!((at.0, digest.form), (MORNING.0 + 30 * 60_000, Form::Digest));
    assert_eq!(said(digest).items.len(), 5);
}

#[test]
fn a_receiver_that_is_away_is_asked_by_one_message_alone() {
    let mut simulation = Simulation::new(Pace::Digests(0));
    simulation.take_in(&opened(0..300));
    simulation.pass(2 * DAY, &mut is_away);
    let ids: std::collections::BTreeSet<Uuid> =
        simulation.tried.iter().map(|(_, one)| one.id).collect();
    assert_eq!(ids.len(), 1);
    let after: Vec<u64> = simulation
        .tried
        .iter()
        .map(|(at, _)| (at.0 - MORNING.0) / HOUR)
        .collect();
    assert_eq!(after.len(), 8, "{after:?}");
    assert!(after.windows(2).all(|pair| pair[0] <= pair[1]));
    simulation.pass(DAY, &mut takes);
    assert!(simulation.queue.open.is_empty());
    let told: u64 = simulation
        .rows
        .values()
        .filter(|one| one.state == DeliveryState::Delivered)
        .count() as u64;
    assert!(told >= SINGLES_PER_HOUR as u64);
}

#[test]
fn after_fourteen_days_one_summary_is_left() {
    let mut simulation = Simulation::new(Pace::Digests(0));
    simulation.take_in(&opened(0..30));
    simulation.pass(10 * DAY, &mut is_away);
    simulation.take_in(&opened(30..40));
    simulation.pass(15 * DAY, &mut is_away);
    let open: Vec<_> = simulation
        .queue
        .open
        .iter()
        .map(|one| (one.form, said(one).more))
        .collect();
    assert_eq!(open, [(Form::Summary, 40)]);
    simulation.pass(2 * DAY, &mut takes);
    assert!(simulation.queue.open.is_empty());
    let delivered = simulation
        .rows
        .values()
        .filter(|one| one.state == DeliveryState::Delivered);
    assert_eq!(delivered.count(), 1);
}

#[test]
fn one_that_is_refused_holds_up_no_other() {
    let mut simulation = Simulation::new(Pace::Digests(0));
    simulation.take_in(&opened(0..3));
    let poison = simulation.queue.open[0].id;
    let mut receiver = |_: Millis, one: &Delivery| match one.id == poison {
        true => Outcome::Refused("answered 400".to_owned()),
        false => Outcome::Delivered,
    };
    simulation.act(&mut receiver);
    assert_eq!(
        simulation
            .rows
            .values()
            .filter(|one| one.state == DeliveryState::Delivered)
            .count(),
        2
    );
    assert_eq!(simulation.rows[&poison].state, DeliveryState::Waiting);
    assert_eq!(simulation.rows[&poison].error, "answered 400");
}

#[test]
fn whoever_wants_no_more_is_left_alone() {
    let mut simulation = Simulation::new(Pace::Digests(0));
    simulation.take_in(&opened(0..3));
    let mut receiver = |_: Millis, _: &Delivery| Outcome::Gone("answered 410".to_owned());
    simulation.pass(13 * DAY, &mut receiver);
    assert_eq!(simulation.tried.len(), 1);
}

#[test]
fn what_waits_for_a_key_asks_each_hour_and_holds_up_no_other() {
    let mut simulation = Simulation::new(Pace::Digests(0));
    simulation.take_in(&opened(0..2));
    let secret = simulation.queue.open[0].id;
    let mut receiver =
        |at: Millis, one: &Delivery| match one.id == secret && at.0 < MORNING.0 + 5 * HOUR {
            true => Outcome::NoKey("no key".to_owned()),
            false => Outcome::Delivered,
        };
    simulation.pass(4 * HOUR, &mut receiver);
    assert_eq!(simulation.rows[&secret].state, DeliveryState::Held);
    assert!((4..=5).contains(&simulation.rows[&secret].attempt));
    simulation.pass(3 * HOUR, &mut receiver);
    assert!(simulation.queue.open.is_empty());
}

#[test]
fn words_are_kept_no_longer_than_they_are_needed() {
    let mut simulation = Simulation::new(Pace::Digests(0));
    simulation.take_in(&opened(0..100));
    simulation.pass(HOUR, &mut takes);
    assert!(simulation.rows.values().all(|one| one.body.is_empty()));
}

#[test]
fn a_high_case_that_nobody_took_up_is_asked_about() {
    let half_an_hour = Duration::from_secs(1_800);
    let mut high = alert(1);
    high.severity = Severity::High;
    let mut over = high.clone();
    over.state = State::Closed;
    let told = [(high.id, MORNING)];
    for (shown, minutes, asked) in [
        (Shown::new(high.clone(), None), 29, 0),
        (Shown::new(high.clone(), None), 30, 1),
        (stands(high.clone(), Remedy::Delivered), 31, 1),
        (stands(high.clone(), Remedy::Acknowledged), 31, 0),
        (stands(high.clone(), Remedy::FalsePositive), 31, 0),
        (stands(high, Remedy::Withdrawn), 31, 0),
        (Shown::new(over, None), 31, 0),
        (shown(1), 31, 0),
    ] {
        let cases = BTreeMap::from([(shown.alert.id, shown.clone())]);
        let now = Millis(MORNING.0 + minutes * 60_000);
        let late = unanswered(&told, &cases, half_an_hour, now);
        assert_eq!(late.len(), asked, "{shown:?} after {minutes} minutes");
    }
}

#[test]
fn the_digest_comes_at_its_minute() {
    for (planned, minute, expected) in [
        ("2026-11-02T06:00:00Z", 390, "2026-11-02T06:30:00Z"),
        ("2026-11-02T06:30:00Z", 390, "2026-11-03T06:30:00Z"),
        ("2026-11-02T06:00:00Z", 0, "2026-11-03T00:00:00Z"),
    ] {
        let at = |text: &str| {
            let instant: jiff::Timestamp = text.parse().unwrap();
            Millis(instant.as_millisecond() as u64)
        };
        assert_eq!(
            digest_after(at(planned), minute),
            at(expected),
            "{planned} {minute}"
        );
    }
}

proptest! {
    /// Whatever receivers do: each change reaches its partner once, or is counted as lost.
    #[test]
    fn nothing_disappears(
        arrivals in proptest::collection::vec((0_u64..30, 0_u64..40), 1..12),
        answers in proptest::collection::vec(0_u8..8, 64),
    ) {
        let mut simulation = Simulation::new(Pace::Digests(0));
        let mut asked = 0;
        let mut receiver = |_: Millis, _: &Delivery| {
            asked += 1;
            match answers[asked % answers.len()] {
                0 => Outcome::Refused("answered 500".to_owned()),
                1 | 2 => Outcome::unreached("nobody there"),
                _ => Outcome::Delivered,
            }
        };
        let mut number = 0;
        for (cases, hours) in arrivals {
            simulation.take_in(&opened(number..number + cases));
            number += cases;
            simulation.now.0 += hours * HOUR;
            simulation.act(&mut receiver);
        }
        for _ in 0..40 {
            simulation.now.0 += DAY;
            simulation.act(&mut takes);
        }
        prop_assert!(simulation.queue.open.is_empty());
        let mut told = BTreeMap::new();
        for (_, one) in &simulation.tried {
            if simulation.rows[&one.id].state == DeliveryState::Delivered {
                told.insert(one.id, said(one).count()); // the last attempt's words
            }
        }
        prop_assert_eq!(told.values().sum::<u64>(), number);
    }
}
