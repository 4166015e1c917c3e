use std::io::Write as _;

use super::forger::{CLIENT, Deed, Forger, SECRET};
use super::*;
use crate::session::Secret;
use noroshi_web::outbound::Guard;

const NOON: Millis = Millis(1_793_620_800_000);

fn later(millis: u64) -> Millis {
    Millis(NOON.0 + millis)
}

fn provider(forger: &Forger) -> Provider {
    let mut secret = tempfile::NamedTempFile::new().unwrap();
    writeln!(secret, "{SECRET}").unwrap();
    let settings = Settings {
        issuer: Settings::issuer(&forger.issuer()).unwrap(),
        client: CLIENT.to_owned(),
        secret: secret.path().to_owned(),
        claim: Claim::Subject,
        name: "the ministry".to_owned(),
        back: Settings::back("https://noroshi.example.org").unwrap(),
    };
    let outbound = Outbound::new(Guard::of_operator(), None).unwrap();
    Provider::open(settings, Arc::new(outbound)).unwrap()
}

async fn who(provider: &Provider, forger: &Forger, now: Millis) -> Result<String, ProviderError> {
    let journey = Journey::begin(Secret::of([7; 32]), "/");
    forger.is_asked(&provider.way_there(&journey, now).await?);
    provider.who(&journey, "a-code", now).await
}

#[tokio::test]
async fn a_key_that_is_not_known_is_asked_for_but_not_all_the_time() {
    let forger = Forger::open().await;
    let provider = provider(&forger);
    assert_eq!(who(&provider, &forger, NOON).await.unwrap(), "248289761001");
    forger.changes_its_key();
    assert!(who(&provider, &forger, later(ANEW - 1)).await.is_err());
    assert_eq!(forger.asked(), 1);
    assert!(who(&provider, &forger, later(ANEW)).await.is_ok());
    assert_eq!(forger.asked(), 2);
    assert!(
        who(&provider, &forger, later(ANEW + BELIEVED - 1))
            .await
            .is_ok()
    );
    assert_eq!(forger.asked(), 2, "it is believed for an hour");
    assert!(
        who(&provider, &forger, later(ANEW + BELIEVED))
            .await
            .is_ok()
    );
    assert_eq!(forger.asked(), 3);
}

#[tokio::test]
async fn a_provider_that_comes_back_is_asked_again() {
    let forger = Forger::open().await;
    let provider = provider(&forger);
    forger.does(Deed::Redirect);
    let gone = who(&provider, &forger, NOON).await;
    assert!(matches!(gone, Err(ProviderError::Gone(_))), "{gone:?}");
    forger.does(Deed::Right);
    let still = who(&provider, &forger, later(ANEW - 1)).await;
    assert!(matches!(still, Err(ProviderError::Gone(_))), "{still:?}");
    assert!(who(&provider, &forger, later(ANEW)).await.is_ok());
}
