//! Every format and every channel, given everybody's alerts: what one partner gets is the same to the
//! byte as if there were no others, whatever the registry says, and whoever had an address before.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::LazyLock;

use noroshi_proto::time::Millis;
use noroshi_store::cases::ChangeCursor;
use noroshi_store::changes::Shown;
use noroshi_store::observations::{Observation, Sighting};
use noroshi_store::origin::{Country, PartnerId};
use noroshi_store::registry::Registry;
use noroshi_store::registry::attribution::{Verdict, Whereabouts};
use noroshi_store::registry::partner::{Partner, Programme};
use proptest::prelude::*;
use proptest::sample::select;
use tempfile::TempDir;
use uuid::Uuid;

use crate::channel::{self, Channel, Settings, Source};
use crate::key::Key;
use crate::message::Message;
use crate::plan::{Action, Queue};
use crate::publish::{self, Rendered};
use crate::retry::Outcome;
use crate::samples::{SENSOR, infected, mail_settings, samples, sightings};
use crate::shadowserver::{File, Report};
use crate::stix::Audience;
use crate::{cef, intelmq, misp, render, stix};

const PARTNERS: [(&str, &str, u32); 3] = [
    ("th-cert", "TH", 64_500),
    ("my-cert", "MY", 64_501),
    ("id-cert", "ID", 64_502),
];
/// Overlapping ones, so that the longest decides.
const PREFIXES: [&str; 5] = [
    "203.0.113.0/24",
    "203.0.113.0/25",
    "203.0.113.0/28",
    "198.51.100.0/24",
    "2001:db8:7::/48",
];
const ADDRESSES: [&str; 6] = [
    "203.0.113.7",
    "203.0.113.100",
    "203.0.113.200",
    "198.51.100.9",
    "2001:db8:7::1",
    "192.0.2.1",
];
/// Days of November 2026 on which prefixes change hands.
const DAYS: [u64; 3] = [1, 2, 3];

/// A directory with the webhooks' secret, in which every registry stands.
static SITE: LazyLock<TempDir> = LazyLock::new(|| {
    let site = tempfile::tempdir().expect("a directory");
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    std::fs::write(site.path().join("whsec"), secret).expect("a file");
    site
});

/// A prefix of a partner's: whose, which, and until or from which of [`DAYS`].
type Claim = (usize, usize, Option<(bool, u64)>);

/// Who the partners are, where everything is pushed to everybody.
fn registry(claims: &[Claim], by_country: [bool; 3], site: &Path) -> Option<Registry> {
    let mut text = String::new();
    for (number, (id, country, asn)) in PARTNERS.iter().enumerate() {
        let _ = write!(
            text,
            "[[partner]]\nid = \"{id}\"\nname = \"{id}\"\ncountry = \"{country}\"\nasns = [{asn}]\n\
             programmes = [\"practice\", \"daedalus\"]\nasn_consent = {{ by = \"{id}\", on = 2013-01-01 }}\n"
        );
        if by_country[number] {
            let _ = writeln!(
                text,
                "country_consent = {{ by = \"{id}\", on = 2013-01-01 }}"
            );
        }
        let _ = write!(
            text,
            "[[partner.webhook]]\nurl = \"https://{id}.example/full\"\nsecret_file = \"whsec\"\npayload = \"full\"\n\
             [[partner.webhook]]\nurl = \"https://{id}.example/thin\"\nsecret_file = \"whsec\"\n\
             [partner.mail]\nto = [\"soc@{id}.example\"]\nlanguage = \"ja\"\n\
             [partner.syslog]\naddress = \"{id}.example:6514\"\n"
        );
        for (_, prefix, change) in claims.iter().filter(|(owner, ..)| *owner == number) {
            let _ = write!(
                text,
                "[[partner.prefix]]\nprefix = \"{}\"\nclaim = \"verified\"\n\
                 consent = {{ by = \"{id}\", on = 2013-01-01 }}\n",
                PREFIXES[*prefix]
            );
            if let Some((until, day)) = change {
                let which = if *until { "valid_until" } else { "valid_from" };
                let _ = writeln!(text, "{which} = 2026-11-0{day}");
            }
        }
    }
    let file = site.join("registry.toml").display().to_string();
    Registry::parse(&file, &text).ok()
}

fn registries() -> impl Strategy<Value = Registry> {
    let change = prop::option::of((any::<bool>(), select(&DAYS[..])));
    let claim = (0..PARTNERS.len(), 0..PREFIXES.len(), change);
    let claims = prop::collection::vec(claim, 0..6);
    (claims, any::<[bool; 3]>()).prop_filter_map(
        "two partners hold the same prefix at once",
        |(claims, by_country)| registry(&claims, by_country, SITE.path()),
    )
}

/// Something seen: which sample, at which address, in which network and country, when.
#[derive(Clone, Debug)]
struct Seen {
    sample: usize,
    id: u128,
    place: Whereabouts,
    at: Millis,
    words: String,
}

fn seen() -> impl Strategy<Value = Seen> {
    let address = select(&ADDRESSES[..]).prop_map(|text| text.parse().expect("an address"));
    let asn = select(vec![0, 64_500, 64_501, 64_502, 64_999]);
    let country = select(vec!["TH", "MY", "ID", "JP"]);
    let at = (0..4_u64, 0..86_400_000_u64).prop_map(|(day, millis)| {
        let november = 1_793_491_200_000; // 1 November 2026
        Millis(november + day * 86_400_000 + millis)
    });
    let sample = 0..samples().len();
    (sample, any::<u128>(), address, asn, country, at, ".{0,20}").prop_map(
        |(sample, id, source, asn, country, at, words)| Seen {
            sample,
            id,
            place: Whereabouts {
                source,
                asn,
                country: Country::new(country),
            },
            at,
            words,
        },
    )
}

/// What becomes of it: a case of whoever the registry says, or of nobody.
fn case(registry: &Registry, seen: &Seen) -> Shown {
    let mut shown = samples().swap_remove(seen.sample);
    let alert = &mut shown.alert;
    alert.id = Uuid::from_u128(seen.id);
    alert.explanation = format!("{} {}", seen.place.source, seen.words);
    alert.partner = None;
    if let Verdict::Theirs(theirs) = registry.verdict(seen.place, seen.at, Programme::Daedalus) {
        alert.partner = Some(theirs.partner.as_str().to_owned());
        alert.country = Some(theirs.country.as_str().to_owned());
        alert.attribution = Some(theirs.attribution);
    }
    shown
}

/// In every format that a partner reads.
fn read(partner: &Partner, cases: &[Shown]) -> Vec<String> {
    let reader = &partner.id;
    let seen: Vec<Sighting> = sightings(cases.to_vec());
    let day = Observation::day_of(infected(1).first_seen);
    let event = misp::Event::new(reader, partner.tlp, day, Some(Millis(0)));
    let mut all = vec![
        render::lines(reader, cases),
        intelmq::lines(reader, cases),
        cef::lines(reader, cases),
        event.body(&seen),
        event.hashes(&seen),
    ];
    all.extend(Report::ALL.map(|report| File { day, report }.csv(reader, &seen)));
    all.extend(published(partner, cases));
    all
}

/// What a TAXII client finds in the partner's collection.
fn published(partner: &Partner, cases: &[Shown]) -> Vec<String> {
    let audience = Audience {
        centre: "Noroshi",
        partner: partner.id.as_str(),
        country: partner.country.as_str(),
        markings: partner.stix_markings,
    };
    let rendered = cases.iter().filter_map(|shown| {
        let owner = shown.alert.partner.as_deref().and_then(PartnerId::new)?;
        Some(Rendered {
            at: shown.alert.last_seen,
            partner: owner,
            imported: false,
            withdrawn: false,
            objects: stix::objects(shown, &audience),
        })
    });
    let published = publish::news(rendered.collect(), &BTreeMap::new());
    let theirs = published
        .into_iter()
        .filter(|one| one.partner == partner.id);
    theirs.map(|one| one.body).collect()
}

/// Everything that goes out by a channel within two days of these changes.
fn pushed(channel: &Channel, cases: &[Shown]) -> Vec<String> {
    let start = Millis(1_793_923_200_000); // 6 November 2026
    let numbered = cases.iter().enumerate();
    let changes: Vec<(ChangeCursor, Shown)> = numbered
        .map(|(number, shown)| (ChangeCursor::at(Millis(number as u64)), shown.clone()))
        .collect();
    let mut queue = Queue::default();
    let profile = &channel.profile;
    // Numbers of changes are the store's own and reach nobody: what is planned is compared without.
    let mut planned = profile.intake(HashMap::new(), &changes, start);
    for one in &mut planned {
        one.recorded = 0;
    }
    queue.take(&planned);
    let mut sent = Vec::new();
    for hour in 0..48 {
        let now = Millis(start.0 + hour * 3_600_000);
        while let Some(action) = profile.next(&queue, now) {
            match action {
                Action::Record(kept) => queue.take(&kept),
                Action::Try(id) => {
                    let mut open = queue.open.iter();
                    let delivery = open.find(|one| one.id == id).expect("it is open");
                    let message = Message::read(delivery).expect("its words parse");
                    let shown = channel.preview(&message);
                    sent.push(format!("{id} {shown:?}"));
                    queue.tried(id, &Outcome::Delivered, now);
                }
            }
        }
    }
    sent
}

fn settings() -> Settings {
    Settings {
        public_url: Some("https://feeds.example".to_owned()),
        mail: Some(mail_settings(None)),
        ..Settings::default()
    }
}

/// Every channel of every partner; none of them ever speaks here.
fn channels(registry: &Registry) -> Vec<Channel> {
    let key = Key::new([7; 32]);
    let opened = channel::open(&settings(), registry.partners(), Some(&key), Millis(0));
    opened.unwrap_or_else(|problems| panic!("{problems:?}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn no_byte_depends_on_what_is_anybody_elses(
        registry in registries(),
        seen in prop::collection::vec(seen(), 0..12),
    ) {
        let all: Vec<Shown> = seen.iter().map(|one| case(&registry, one)).collect();
        for partner in registry.partners() {
            let is_theirs = |one: &&Shown| one.alert.partner.as_deref() == Some(partner.id.as_str());
            let own: Vec<Shown> = all.iter().filter(is_theirs).cloned().collect();
            let told = read(partner, &all);
            prop_assert_eq!(&told, &read(partner, &own));
            for text in &told {
                prop_assert!(!text.contains(SENSOR), "{}", text);
            }
            for foreign in all.iter().filter(|one| !is_theirs(one)) {
                let id = foreign.alert.id.to_string();
                prop_assert!(told.iter().all(|text| !text.contains(&id)), "{}", id);
            }
        }
    }

    #[test]
    fn no_byte_is_pushed_that_depends_on_what_is_anybody_elses(
        registry in registries(),
        seen in prop::collection::vec(seen(), 0..30),
    ) {
        let all: Vec<Shown> = seen.iter().map(|one| case(&registry, one)).collect();
        let channels = channels(&registry);
        prop_assert_eq!(channels.len(), 4 * PARTNERS.len());
        for channel in channels.iter().filter(|channel| channel.source == Source::Changes) {
            let theirs = channel.profile.partner.as_str();
            let own = all.iter().filter(|one| one.alert.partner.as_deref() == Some(theirs));
            let own: Vec<Shown> = own.cloned().collect();
            prop_assert_eq!(pushed(channel, &all), pushed(channel, &own));
        }
    }
}
