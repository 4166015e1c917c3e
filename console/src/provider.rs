//! The provider of identities: who somebody is, as another server says it (OpenID Connect Core 1.0,
//! the authorisation code flow with PKCE).
//!
//! What they may do is never asked there: roles stand in the file of users.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use noroshi_proto::time::Millis;
use noroshi_web::ask::{AskError, Patience, ask};
use noroshi_web::outbound::Outbound;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreIdToken, CoreIdTokenClaims,
};
use openidconnect::{
    AccessToken, AccessTokenHash, AsyncHttpClient, AuthType, AuthorizationCode, ClientId,
    ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest,
    HttpResponse, LogoutRequest, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge,
    PkceCodeVerifier, ProviderMetadataWithLogout, RequestTokenError, Scope, TokenResponse as _,
};
use tokio::sync::{Mutex, Semaphore};

use crate::journey::Journey;

pub use settings::{BACK, Claim, Settings, secret};

mod settings;

/// Codes that are traded in at once: anybody may come with one.
const EXCHANGES_MAX: usize = 8;
/// What an answer of the provider may take.
const PATIENCE: Patience = Patience {
    wait: Duration::from_secs(10),
    bytes: 1 << 20,
};
/// Milliseconds for which what the provider says of itself is believed, keys and all: an hour.
const BELIEVED: u64 = 3_600_000;
/// Milliseconds after which it is asked again for a key that is not known, and the soonest after it
/// did not answer.
const ANEW: u64 = 10_000;

/// Why somebody is not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProviderError {
    /// The provider, or the way there.
    #[error("{0}")]
    Gone(String),
    /// It does not say who somebody is.
    #[error("it refused: {0}")]
    Refused(String),
    /// What it says of somebody cannot be believed.
    #[error("{0}")]
    Unproven(String),
}

/// The provider as the console asks it.
pub(crate) struct Provider {
    settings: Settings,
    secret: ClientSecret,
    wire: Wire,
    known: Mutex<Known>,
    exchanges: Semaphore,
}

/// What the provider last said of itself, and when it was asked.
#[derive(Default)]
struct Known {
    said: Option<Arc<ProviderMetadataWithLogout>>,
    said_at: Millis,
    asked_at: Millis,
}

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

impl Provider {
    /// Reads the secret; the provider itself is asked when somebody wants to sign in.
    pub(crate) fn open(settings: Settings, outbound: Arc<Outbound>) -> Result<Self, String> {
        let secret = ClientSecret::new(settings::secret(&settings.secret)?);
        Ok(Self {
            settings,
            secret,
            wire: Wire { outbound },
            known: Mutex::default(),
            exchanges: Semaphore::new(EXCHANGES_MAX),
        })
    }

    /// What people call it.
    pub(crate) fn name(&self) -> &str {
        &self.settings.name
    }

    /// Whether an answer is this provider's and not another's (RFC 9207).
    pub(crate) fn is_from(&self, issuer: &str) -> Result<(), ProviderError> {
        if issuer == self.settings.issuer.as_str() {
            return Ok(());
        }
        let text = "the browser came back with another provider's answer";
        Err(ProviderError::Unproven(text.to_owned()))
    }

    /// Where a browser is sent.
    pub(crate) async fn way_there(
        &self,
        journey: &Journey,
        now: Millis,
    ) -> Result<String, ProviderError> {
        let client = self.client(&*self.said(now, BELIEVED).await?);
        let verifier = PkceCodeVerifier::new(journey.verifier());
        let scopes = self.settings.claim.scope().into_iter();
        let (state, nonce) = (journey.state(), journey.nonce());
        let (address, _, _) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                move || CsrfToken::new(state.clone()),
                move || Nonce::new(nonce.clone()),
            )
            .add_scopes(scopes.map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        Ok(address.into())
    }

    /// Where a browser is sent to be forgotten, if the provider says (OpenID Connect RP-Initiated
    /// Logout 1.0). It is not asked to send it back, for which it would have to know one more
    /// address of ours.
    pub(crate) async fn way_out(&self, now: Millis) -> Result<Option<String>, ProviderError> {
        let said = self.said(now, BELIEVED).await?;
        let end = said.additional_metadata().end_session_endpoint.clone();
        let client = ClientId::new(self.settings.client.clone());
        Ok(end.map(|end| {
            let request = LogoutRequest::from(end).set_client_id(client);
            request.http_get_url().into()
        }))
    }

    /// Trades in the code that the browser came back with for who somebody is there.
    pub(crate) async fn who(
        &self,
        journey: &Journey,
        code: &str,
        now: Millis,
    ) -> Result<String, ProviderError> {
        let _place = self.exchanges.acquire().await;
        let said = self.said(now, BELIEVED).await?;
        let unproven = |error: &dyn std::fmt::Display| ProviderError::Unproven(error.to_string());
        let answer = self
            .client(&said)
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|error| ProviderError::Gone(format!("no address for tokens: {error}")))?
            .set_pkce_verifier(PkceCodeVerifier::new(journey.verifier()))
            .request_async(&self.wire)
            .await
            .map_err(|error| match &error {
                RequestTokenError::Request(cause) => ProviderError::Gone(cause.to_string()),
                _ => unproven(&with_causes(&error)),
            })?;
        let token = answer
            .id_token()
            .ok_or_else(|| unproven(&"it sent no ID token"))?;
        let nonce = Nonce::new(journey.nonce());
        let claims = match self.claims(&said, token, answer.access_token(), &nonce) {
            Ok(claims) => claims,
            // Its keys may have changed since.
            Err(_) => {
                let said = self.said(now, ANEW).await?;
                let claims = self.claims(&said, token, answer.access_token(), &nonce);
                claims.map_err(|error| unproven(&error))?
            }
        };
        let name = self.settings.claim.name();
        let who = self.settings.claim.of(&claims);
        who.ok_or_else(|| unproven(&format!("it says no `{name}` that is verified")))
    }

    /// What the token says, once everything in it was checked: who signed it and for whom, until
    /// when it is good and for which journey, and that the access token beside it belongs to it.
    fn claims(
        &self,
        said: &ProviderMetadataWithLogout,
        token: &CoreIdToken,
        access: &AccessToken,
        nonce: &Nonce,
    ) -> Result<CoreIdTokenClaims, String> {
        let client = self.client(said);
        let verifier = client.id_token_verifier();
        let claims = token
            .claims(&verifier, nonce)
            .map_err(|error| with_causes(&error))?;
        if let Some(expected) = claims.access_token_hash() {
            let algorithm = token.signing_alg().map_err(|error| with_causes(&error))?;
            let key = token
                .signing_key(&verifier)
                .map_err(|error| with_causes(&error))?;
            let hash = AccessTokenHash::from_token(access, algorithm, key);
            if hash.map_err(|error| with_causes(&error))? != *expected {
                return Err("its access token is another's".to_owned());
            }
        }
        Ok(claims.clone())
    }

    fn client(&self, said: &ProviderMetadataWithLogout) -> Client {
        let settings = &self.settings;
        let methods = said.token_endpoint_auth_methods_supported();
        // What is not said is Basic (OpenID Connect Discovery, §3).
        let basic =
            methods.is_none_or(|all| all.contains(&CoreClientAuthMethod::ClientSecretBasic));
        CoreClient::from_provider_metadata(
            said.clone(),
            ClientId::new(settings.client.clone()),
            Some(self.secret.clone()),
        )
        .set_auth_type(if basic {
            AuthType::BasicAuth
        } else {
            AuthType::RequestBody
        })
        .set_redirect_uri(settings.back.clone())
    }

    /// What the provider says of itself, no older than this.
    async fn said(
        &self,
        now: Millis,
        oldest: u64,
    ) -> Result<Arc<ProviderMetadataWithLogout>, ProviderError> {
        let mut known = self.known.lock().await;
        let since = |at: Millis| now.0.saturating_sub(at.0);
        if let Some(said) = &known.said
            && (since(known.said_at) < oldest || since(known.asked_at) < ANEW)
        {
            return Ok(Arc::clone(said));
        }
        if since(known.asked_at) < ANEW {
            return Err(ProviderError::Gone(
                "it did not answer a moment ago".to_owned(),
            ));
        }
        known.asked_at = now;
        let issuer = self.settings.issuer.clone();
        let said = ProviderMetadataWithLogout::discover_async(issuer, &self.wire).await;
        let said = said.map_err(|error| ProviderError::Gone(with_causes(&error)))?;
        let said = Arc::new(said);
        *known = Known {
            said: Some(Arc::clone(&said)),
            said_at: now,
            asked_at: now,
        };
        Ok(said)
    }
}

/// How the library asks: by our own connections, which follow no redirection.
struct Wire {
    outbound: Arc<Outbound>,
}

impl<'a> AsyncHttpClient<'a> for Wire {
    type Error = AskError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, AskError>> + Send + 'a>>;

    fn call(&'a self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let request = request.map(|body| Full::new(body.into()));
            let answer = ask(&self.outbound, request, PATIENCE).await?;
            if !answer.is_whole {
                return Err(AskError::Large(PATIENCE.bytes));
            }
            Ok(HttpResponse::from_parts(answer.head, answer.body.into()))
        })
    }
}

/// An error with what caused it, in one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(one) = cause {
        text.push_str(": ");
        text.push_str(&one.to_string());
        cause = one.source();
    }
    text
}

#[cfg(test)]
#[path = "../tests/it/forger.rs"]
mod forger;
#[cfg(test)]
mod tests;
