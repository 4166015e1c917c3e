//! Who is told of what concerns no single address.

use noroshi_store::origin::PartnerId;

use super::*;

#[test]
fn what_concerns_one_country_goes_to_its_partners() {
    let about = |about, kind, reason| Finding {
        kind,
        about,
        sources: Some(40),
        reason,
        ..bot("203.0.113.7", START)
    };
    let thailand = Country::new("TH").expect("a country");
    let laos = Country::new("LA").expect("a country");
    let partner = PartnerId::new("my-cert").expect("an id");
    let (surge, silence) = (Kind::ScanSurge, Kind::CountrySilence);
    let national = |country| {
        about(
            About::Service(TELNET, Some(country)),
            surge,
            Reason::NationalSurge,
        )
    };
    let cases = [
        (national(thailand), vec![Some("th-cert")]),
        (national(laos), vec![None]),
        (
            about(About::Service(TELNET, Some(thailand)), surge, Reason::Surge),
            vec![Some("th-cert"), Some("my-cert")],
        ),
        (
            about(
                About::ServiceOf(TELNET, partner),
                surge,
                Reason::PartnerSurge,
            ),
            vec![Some("my-cert")],
        ),
        (
            about(About::Country(thailand), silence, Reason::CountrySilence),
            vec![Some("th-cert"), None],
        ),
        (
            about(About::Country(laos), silence, Reason::CountrySilence),
            vec![None],
        ),
    ];
    for (finding, expected) in cases {
        let outcomes = merge(&mut alerts(), vec![finding.clone()], START);
        let told: Vec<_> = opened(&outcomes)
            .iter()
            .map(|alert| alert.partner.as_deref())
            .collect();
        assert_eq!(told, expected, "{:?} {:?}", finding.about, finding.reason);
    }
}
