//! Every format, given everybody's alerts: one reader's are rendered as if there were no others.

use noroshi_proto::time::Millis;
use noroshi_store::alert::{Alert, Tlp};
use noroshi_store::changes::Shown;
use noroshi_store::observations::{Observation, Sighting};
use noroshi_store::origin::PartnerId;
use proptest::prelude::*;
use uuid::Uuid;

use crate::samples::{SENSOR, infected, partner, samples, sightings};
use crate::shadowserver::{File, Report};
use crate::{cef, intelmq, misp, render};

/// Every rendering of the same alerts for one reader.
fn renderings(reader: &PartnerId, alerts: &[Shown]) -> Vec<String> {
    let seen: Vec<Sighting> = sightings(alerts.to_vec());
    let day = Observation::day_of(infected(1).first_seen);
    let event = misp::Event::new(reader, Tlp::Amber, day, Some(Millis(0)));
    let cef: Vec<String> = alerts
        .iter()
        .filter_map(|one| cef::line(reader, one))
        .collect();
    let mut all = vec![
        intelmq::lines(reader, alerts),
        cef.join("\n"),
        event.body(&seen),
        event.hashes(&seen),
    ];
    all.extend(Report::ALL.map(|report| File { day, report }.csv(reader, &seen)));
    all
}

/// One of the samples, somebody's.
fn somebodys() -> impl Strategy<Value = Shown> {
    let owner = prop_oneof![Just(Some("th-cert")), Just(Some("my-cert")), Just(None)];
    let kind = 0..samples().len();
    (owner, kind, any::<u128>(), ".{0,20}").prop_map(|(owner, kind, id, said)| {
        let mut shown = samples().swap_remove(kind);
        shown.alert.partner = owner.map(str::to_owned);
        shown.alert.id = Uuid::from_u128(id);
        shown.alert.explanation = said;
        shown
    })
}

fn is_norths(alert: &Alert) -> bool {
    alert.partner.as_deref() == Some("th-cert")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn no_byte_depends_on_what_is_anybody_elses(
        alerts in prop::collection::vec(somebodys(), 0..12)
    ) {
        let north = partner("th-cert");
        let own: Vec<Shown> = alerts.iter().filter(|one| is_norths(&one.alert)).cloned().collect();
        prop_assert_eq!(renderings(&north, &alerts), renderings(&north, &own));
        prop_assert_eq!(render::lines(&north, &alerts), render::lines(&north, &own));
        for text in renderings(&north, &alerts) {
            prop_assert!(!text.contains(SENSOR), "{}", text);
            prop_assert!(!text.contains("bangkok-1"), "a sensor that fell silent: {}", text);
        }
    }
}
