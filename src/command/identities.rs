//! The directory of identities, as `noroshi sensor` and the console use it.

use anyhow::anyhow;
use noroshi_collector::clock;
use noroshi_collector::identity::IdentityError;
use noroshi_collector::identity::authority::Authority;
use noroshi_collector::identity::journal::{self, Deed};
use noroshi_collector::identity::register::{Issued, Register};
use noroshi_collector::identity::revocations::{Revocations, RevocationsDirectory};
use noroshi_collector::identity::tls::{AuthoritySettings, TlsSettings};
use noroshi_collector::identity::tokens::{TOKEN_MILLIS, Tokens};
use noroshi_collector::update::standing::Standings;
use noroshi_console::identity::{Identities, Identity, Invitation, Running};
use noroshi_proto::certificate::SensorCertificate;
use noroshi_proto::id::SensorId;
use noroshi_proto::time::Millis;
use noroshi_proto::token::{Fingerprint, Token};

use crate::config::Config;

/// How every sensor stands with its identity.
pub(super) struct Roll {
    register: Register,
    tokens: Tokens,
    revocations: Revocations,
    now: Millis,
}

/// How one sensor stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// In one word, as `noroshi sensor list` prints it.
    pub word: &'static str,
    /// Its newest certificate.
    pub issued: Option<Issued>,
    /// What was issued until then is void.
    pub revoked: Option<Millis>,
    /// Until when a token waits.
    pub token_until: Option<Millis>,
}

impl Roll {
    pub(super) fn open(tls: &TlsSettings, now: Millis) -> Result<Self, IdentityError> {
        Ok(Self {
            register: Register::open(&tls.directory)?,
            tokens: Tokens::open(&tls.directory)?,
            revocations: RevocationsDirectory::open(&tls.directory)?.read()?,
            now,
        })
    }

    pub(super) fn of(&self, sensor: &SensorId) -> Result<Standing, IdentityError> {
        let mut standing = Standing {
            word: "",
            issued: self.register.of(sensor)?,
            revoked: self.revocations.of(sensor),
            token_until: self.tokens.waiting(sensor, self.now)?,
        };
        standing.word = self.word(sensor, &standing);
        Ok(standing)
    }

    fn word(&self, sensor: &SensorId, standing: &Standing) -> &'static str {
        let Some(issued) = standing.issued else {
            return match (standing.token_until, standing.revoked) {
                (Some(_), _) => "invited",
                (None, Some(_)) => "revoked",
                (None, None) => "not enrolled",
            };
        };
        let certificate = SensorCertificate {
            sensor: sensor.clone(),
            valid: issued.from..issued.until,
        };
        if self.revocations.against(&certificate).is_some() {
            "revoked"
        } else if issued.until <= self.now {
            "expired"
        } else {
            "enrolled"
        }
    }
}

/// Gives `sensor` a token, good once, and writes down who did.
///
/// # Errors
/// The centre's authority is not its own, or its directory cannot be written.
pub(super) fn invite(
    tls: &TlsSettings,
    sensor: &SensorId,
    by: &str,
    (now, until): (Millis, Millis),
) -> anyhow::Result<(Token, Fingerprint)> {
    if matches!(tls.authority, AuthoritySettings::Brought(_)) {
        return Err(anyhow!(
            "[collector.tls] names files of your own authority: it issues sensors' certificates, \
             each with the URI noroshi:sensor:ID; here nobody is enrolled"
        ));
    }
    let authority = Authority::open_or_draw(&tls.directory, now)?;
    let tokens = Tokens::open(&tls.directory)?;
    let token = tokens.give(sensor, authority.fingerprint(), by, (now, until))?;
    journal::note(&tls.directory, Deed::Invited, sensor, by, now)?;
    Ok((token, authority.fingerprint()))
}

/// What the console may know and do; `None` where sensors have no identity.
pub(super) fn for_console(config: &Config) -> Option<Identities> {
    let tls = config.collector.tls.clone()?;
    let updates = config.collector.updates.as_ref();
    let standings = updates.map(|updates| Standings::new(&updates.directory));
    let invites = matches!(tls.authority, AuthoritySettings::Own { .. });
    let inviting = tls.clone();
    let of = move |sensors: &[SensorId]| {
        let known = known(&tls, standings.as_ref(), sensors);
        known.map_err(|error| error.to_string())
    };
    let invite = move |sensor: &SensorId, by: &str| {
        let now = clock::now();
        let until = Millis(now.0 + TOKEN_MILLIS);
        let given = invite(&inviting, sensor, by, (now, until));
        let (token, _) = given.map_err(|error| format!("{error:#}"))?;
        Ok(Invitation {
            token: token.to_string(),
            until,
        })
    };
    Some(Identities {
        of: Box::new(of),
        invite: if invites {
            Some(Box::new(invite))
        } else {
            None
        },
    })
}

fn known(
    tls: &TlsSettings,
    standings: Option<&Standings>,
    sensors: &[SensorId],
) -> Result<Vec<Identity>, IdentityError> {
    let roll = Roll::open(tls, clock::now())?;
    let one = |sensor: &SensorId| {
        let standing = roll.of(sensor)?;
        let said = match standings {
            Some(standings) => standings.of(sensor)?,
            None => None,
        };
        Ok(Identity {
            state: standing.word,
            certificate_until: standing.issued.map(|issued| issued.until),
            token_until: standing.token_until,
            runs: said.map(|said| Running {
                at: said.at(),
                version: said.version,
                failed: said.failed_version,
                why: said.failed_reason,
            }),
        })
    };
    sensors.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_console_gives_is_a_token_that_lets_its_sensor_in() {
        let directory = tempfile::tempdir().unwrap();
        let registry = "[[partner]]\nid = \"a\"\nname = \"A\"\ncountry = \"TH\"\n\
                        [[sensor]]\nid = \"th-1\"\npartner = \"a\"\n\
                        telescope = [{ prefix = \"198.18.0.0/24\" }]\n";
        std::fs::write(directory.path().join("registry.toml"), registry).unwrap();
        let file = directory.path().join("noroshi.toml");
        let text =
            "registry = \"registry.toml\"\n[collector.tls]\nnames = [\"centre.example.org\"]\n";
        std::fs::write(&file, text).unwrap();
        let config = Config::load(&file).unwrap();
        let identities = for_console(&config).unwrap();
        let sensor = SensorId::new("th-1").unwrap();
        let state = || (identities.of)(std::slice::from_ref(&sensor)).unwrap()[0].state;
        assert_eq!(state(), "not enrolled");
        let given = identities.invite.as_ref().unwrap()(&sensor, "operator:aiko").unwrap();
        assert_eq!(state(), "invited");
        let token: Token = given.token.parse().unwrap();
        let tls = config.collector.tls.as_ref().unwrap();
        let tokens = Tokens::open(&tls.directory).unwrap();
        assert!(tokens.take(&token.secret, &sensor, clock::now()).is_ok());
        let journal = std::fs::read_to_string(tls.directory.join("journal.jsonl")).unwrap();
        assert!(journal.contains("operator:aiko"), "{journal}");
        std::fs::write(&file, "registry = \"registry.toml\"\n").unwrap();
        assert!(for_console(&Config::load(&file).unwrap()).is_none());
    }
}
