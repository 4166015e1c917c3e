//! What people say is heard, and cases keep their days.

use noroshi_store::maintenance::Maintenance;
use noroshi_store::observations::Observation;
use noroshi_store::origin::PartnerId;

use super::*;

fn surge(at: u64) -> Finding {
    Finding {
        kind: Kind::ScanSurge,
        about: About::Service(TELNET, None),
        sources: Some(400),
        reason: Reason::Surge,
        ..bot("203.0.113.7", at)
    }
}

#[test]
fn what_is_seen_again_within_a_day_goes_on_and_later_is_new() {
    let mut alerts = alerts();
    let first = merge(&mut alerts, vec![surge(START)], START);
    let id = opened(&first)[0].id;
    let over = START + 4 * 600;
    assert!(matches!(alerts.advance_to(over)[0], Outcome::Closed(_)));
    let again = over + 86_399;
    let outcomes = merge(&mut alerts, vec![surge(again)], again);
    let [Outcome::Continued(one), Outcome::Continued(_)] = outcomes.as_slice() else {
        panic!("{outcomes:?}");
    };
    assert_eq!((one.alert.id, one.alert.state), (id, State::Continuing));
    assert_eq!(one.version, 3, "opened, closed, seen again");
    let over = again + 4 * 600;
    assert_eq!(alerts.advance_to(over).len(), 2);
    let later = over + 86_400;
    let outcomes = merge(&mut alerts, vec![surge(later)], later);
    assert_ne!(opened(&outcomes)[0].id, id);
}

#[test]
fn a_restart_remembers_what_could_go_on() {
    let mut before = alerts();
    merge(&mut before, vec![surge(START)], START);
    let closed = before.advance_to(START + 4 * 600);
    let mut after = alerts();
    for outcome in closed {
        let kept = outcome.into_numbered();
        after.resume(kept.alert, kept.version);
    }
    assert_eq!(after.open(), 0);
    let repeated = merge(&mut after, vec![surge(START)], START);
    assert!(
        repeated.is_empty(),
        "the windows since the last position: {repeated:?}"
    );
    let again = START + 7_200;
    let outcomes = merge(&mut after, vec![surge(again)], again);
    assert!(
        opened(&outcomes).is_empty() && outcomes.len() == 2,
        "{outcomes:?}"
    );
}

#[test]
fn a_false_positive_ends_its_case_and_another_rule_begins_one() {
    let mut alerts = alerts();
    merge(&mut alerts, vec![bot("203.0.113.7", START)], START);
    merge(&mut alerts, vec![bot("203.0.113.8", START)], START);
    let closed = alerts.hear(not_again("203.0.113.7"), Millis(START * 1_000));
    assert!(
        matches!(closed.as_slice(), [Outcome::Disputed(_)]),
        "{closed:?}"
    );
    let at = START + 10;
    assert!(merge(&mut alerts, vec![bot("203.0.113.7", at)], at).is_empty());
    let other = Finding {
        reason: Reason::SmbWorm,
        ..bot("203.0.113.7", at + 10)
    };
    let outcomes = merge(&mut alerts, vec![other], at + 10);
    assert_eq!(opened(&outcomes)[0].reason_code, "smb_worm");
    let until = START + 100;
    let outcomes = merge(&mut alerts, vec![bot("203.0.113.7", until)], until);
    assert!(
        outcomes.is_empty(),
        "it joins the case that is open by then"
    );
}

#[test]
fn maintenance_explains_a_silence_until_the_sensor_had_time_to_come_back() {
    let sensor = SensorId::new("jp-1").expect("an id");
    let silence = |at: u64| Finding {
        kind: Kind::SensorSilence,
        about: About::Sensor(SensorId::new("jp-1").expect("an id")),
        reason: Reason::Silence,
        ..bot("203.0.113.7", at)
    };
    let window = Maintenance {
        id: Uuid::nil(),
        sensor,
        from: Millis(START * 1_000),
        until: Millis((START + 3_600) * 1_000),
        by: String::new(),
        reason: String::new(),
    };
    let mut alerts = alerts();
    let heard = Heard {
        maintenance: vec![window],
        ..Heard::default()
    };
    alerts.hear(heard, Millis(START * 1_000));
    for (at, told) in [
        (START, 0),
        (START + 3_599, 0),
        (START + 3_600 + 899, 0),
        (START + 3_600 + 900, 1),
    ] {
        let outcomes = merge(&mut alerts, vec![silence(at)], at);
        assert_eq!(opened(&outcomes).len(), told, "{}", at - START);
    }
    assert_eq!(alerts.withheld().get(&Withheld::Maintenance), Some(&3));
    let bot = merge(
        &mut alerts,
        vec![bot("203.0.113.7", START + 9_000)],
        START + 9_000,
    );
    assert!(!opened(&bot).is_empty(), "only silences are explained");
}

/// Packets of each day.
fn packets(observations: &[Observation]) -> Vec<u64> {
    observations.iter().map(|one| one.packets).collect()
}

#[test]
fn ten_days_are_ten_observations_across_midnights_and_a_restart() {
    let mut alerts = alerts();
    let mut kept: Vec<Observation> = Vec::new();
    for half_day in 0..9 {
        let at = START + half_day * 43_200;
        merge(&mut alerts, vec![bot("203.0.113.7", at)], at);
        if half_day == 0 {
            let seen = alerts.observations();
            assert_eq!(packets(&seen), [10], "kept with its opening");
        }
    }
    let case = alerts.checkpoint().remove(0).into_numbered();
    kept.extend(alerts.observations());
    assert_eq!(packets(&kept), [20, 20, 20, 20, 10]);
    assert!(
        kept.iter()
            .all(|one| one.case == case.alert.id && one.partner == "th-cert")
    );
    assert!(
        alerts.observations().is_empty(),
        "what did not change is not told again"
    );
    let mut after = self::alerts();
    after.resume(case.alert, case.version);
    after.remember(kept);
    let at = START + 4 * 86_400 + 40_000;
    merge(&mut after, vec![bot("203.0.113.7", at)], at);
    after.advance_to(at + 7 * 86_400);
    let last = after.observations();
    assert_eq!(packets(&last), [20], "of a case that is over as well");
    assert_eq!(last[0].sensors.len(), 1);
}

fn not_again(subject: &str) -> Heard {
    Heard {
        suppressions: vec![Suppression {
            partner: PartnerId::new("th-cert").expect("an id"),
            subject: subject.to_owned(),
            reason_code: "mirai_syn".to_owned(),
            until: Millis((START + 100) * 1_000),
        }],
        ..Heard::default()
    }
}

#[test]
fn a_partner_can_ask_not_to_hear_one_rule_about_one_source_again() {
    let mut alerts = alerts();
    alerts.hear(not_again("203.0.113.7"), Millis(START * 1_000));
    assert!(merge(&mut alerts, vec![bot("203.0.113.7", START)], START).is_empty());
    assert_eq!(alerts.withheld().get(&Withheld::Suppressed), Some(&1));
    let other_rule = Finding {
        reason: Reason::SmbWorm,
        ..bot("203.0.113.7", START + 10)
    };
    assert_eq!(
        opened(&merge(&mut alerts, vec![other_rule], START + 10)).len(),
        1
    );
    assert_eq!(
        opened(&merge(
            &mut alerts,
            vec![bot("203.0.113.8", START + 10)],
            START + 10
        ))
        .len(),
        1
    );
}

#[test]
fn a_flood_of_forged_bots_is_not_a_flood_of_cases() {
    let mut settings = Settings::default();
    settings.cases.openings_per_hour = 50;
    let mut alerts = Alerts::new(&settings, Purpose::Operation);
    let everybody = |at: u64| {
        (0..200)
            .map(move |host| bot(&format!("203.0.113.{host}"), at))
            .collect()
    };
    let outcomes = merge(&mut alerts, everybody(START), START);
    let told = opened(&outcomes);
    assert_eq!(told.len(), 51, "fifty, and one that gathers the rest");
    assert_eq!(alerts.withheld().get(&Withheld::TooMany), Some(&150));
    let gathered = told[50];
    assert_eq!(gathered.kind, Kind::SpoofSuspect);
    assert_eq!(gathered.partner.as_deref(), Some("th-cert"));
    let evidence = &gathered.evidence;
    assert_eq!((evidence.sources, evidence.victims.len()), (Some(150), 150));
    assert!(gathered.explanation.contains("150 further addresses"));
    let more = START + 10;
    assert!(opened(&merge(&mut alerts, everybody(more), more)).is_empty());
    let mut heard = not_again("tcp/23@TH");
    heard.suppressions[0].reason_code = "flood".to_owned();
    assert_eq!(
        alerts.hear(heard, Millis(START * 1_000)).len(),
        1,
        "the gathering case is over"
    );
    let more = START + 20;
    assert!(opened(&merge(&mut alerts, everybody(more), more)).is_empty());
    let hour = START + 3_600;
    let told = merge(&mut alerts, everybody(hour), hour);
    assert_eq!(opened(&told).len(), 51, "the suppression is over as well");
}
