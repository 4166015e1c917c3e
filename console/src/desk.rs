//! What all routes share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use noroshi_proto::time::Millis;
use noroshi_store::registry::Registry;
use noroshi_store::store::{Store, StoreError};
use noroshi_web::outbound::Outbound;
use rand::RngCore as _;
use rand::rngs::OsRng;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::attempts::Attempts;
use crate::clock;
use crate::glance::Glances;
use crate::identity::Identities;
use crate::provider::Provider;
use crate::session::{Proof, Secret, Sessions};
use crate::user::{NAME_MAX, PASSWORD_MAX, User, Users};

/// Passwords that are proven at once: each takes 19 MiB and a core for some 20 ms, and anybody may
/// ask for one, so it is one core at most.
const PROOFS_MAX: usize = 1;
/// Passwords that wait for that, or are proven: a second's worth.
const PROOFS_ASKED_MAX: usize = 50;

/// The desk that everybody comes to.
pub(crate) struct Desk {
    pub(crate) store: Store,
    pub(crate) registry: Arc<Registry>,
    /// How partners reach the feeds.
    pub(crate) feeds_url: String,
    /// Whether browsers come over TLS, so that cookies may insist on it.
    pub(crate) is_secure: bool,
    /// The directory of identities, where it is beside the console.
    pub(crate) identities: Option<Arc<Identities>>,
    /// Where else people prove who they are.
    pub(crate) provider: Option<Provider>,
    /// The way to other servers that the configuration names.
    pub(crate) outbound: Arc<Outbound>,
    /// What the region looks like.
    pub(crate) glances: Glances,
    /// Held while a shift's note is written: the next one rests on it.
    pub(crate) handing: tokio::sync::Mutex<()>,
    pub(crate) users: Arc<Users>,
    sessions: Mutex<Sessions>,
    attempts: Mutex<Attempts>,
    trials: Mutex<Attempts>,
    proofs: Arc<Semaphore>,
    proofs_asked: Arc<Semaphore>,
}

/// What the desk is told of what is around it.
pub(crate) struct Facts {
    /// How partners reach the feeds.
    pub(crate) feeds_url: String,
    /// Whether browsers come over TLS.
    pub(crate) is_secure: bool,
    /// The directory of identities.
    pub(crate) identities: Option<Arc<Identities>>,
    /// Where else people prove who they are.
    pub(crate) provider: Option<Provider>,
    /// The way to other servers that the configuration names.
    pub(crate) outbound: Arc<Outbound>,
}

/// What became of a name and a password.
pub(crate) enum SignIn {
    /// They are somebody's.
    Proven(Arc<User>),
    /// Name and password are not somebody's.
    Unproven,
    /// Too often under that name.
    TooOften,
    /// Too many ask at once.
    Busy,
}

impl Desk {
    pub(crate) fn new(store: Store, registry: Arc<Registry>, users: Users, facts: Facts) -> Self {
        Self {
            store,
            registry,
            feeds_url: facts.feeds_url,
            is_secure: facts.is_secure,
            identities: facts.identities,
            provider: facts.provider,
            outbound: facts.outbound,
            glances: Glances::default(),
            handing: tokio::sync::Mutex::default(),
            users: Arc::new(users),
            sessions: Mutex::default(),
            attempts: Mutex::default(),
            trials: Mutex::default(),
            proofs: Arc::new(Semaphore::new(PROOFS_MAX)),
            proofs_asked: Arc::new(Semaphore::new(PROOFS_ASKED_MAX)),
        }
    }

    pub(crate) fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this user may have their feeds tried once more.
    pub(crate) fn may_try(&self, name: &str, now: Millis) -> bool {
        let trials = self.trials.lock();
        trials
            .unwrap_or_else(PoisonError::into_inner)
            .try_once(name, now)
    }

    fn attempts(&self) -> MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whose name and password these are.
    pub(crate) async fn prove(&self, name: String, password: String) -> SignIn {
        if name.len() > NAME_MAX || password.len() > PASSWORD_MAX {
            return SignIn::Unproven; // nobody has such
        }
        let Ok(asked) = Arc::clone(&self.proofs_asked).try_acquire_owned() else {
            return SignIn::Busy;
        };
        let now = clock::now();
        // A name that nobody has may be a password in the wrong field: it is not logged.
        let user = if self.users.knows(&name) {
            name.as_str()
        } else {
            ""
        };
        if !self.attempts().try_once(&name, now) {
            tracing::warn!(user, "too many attempts to sign in");
            return SignIn::TooOften;
        }
        let Some(user) = self.compare(asked, name.clone(), password).await else {
            tracing::warn!(user, "an attempt to sign in failed");
            return SignIn::Unproven;
        };
        self.attempts().forget(&name);
        SignIn::Proven(user)
    }

    /// Begins a session, once it is written down; the one that the browser had before ends.
    pub(crate) async fn let_in(
        &self,
        user: &Arc<User>,
        before: Option<&str>,
        proof: Proof,
    ) -> Result<Secret, StoreError> {
        let action = match proof {
            Proof::Password => "console sign-in",
            Proof::Provider => "console sign-in elsewhere",
        };
        let written = self.store.audit(&user.author(), action, "").await;
        written.inspect_err(|error| tracing::error!(%error, "a sign-in cannot be written down"))?;
        let id = secret();
        let mut sessions = self.sessions();
        if let Some(before) = before {
            sessions.end(before);
        }
        sessions.begin(Arc::clone(user), proof, (&id, secret()), clock::now());
        Ok(id)
    }

    async fn compare(
        &self,
        asked: OwnedSemaphorePermit,
        name: String,
        password: String,
    ) -> Option<Arc<User>> {
        let place = Arc::clone(&self.proofs).acquire_owned().await.ok()?;
        let users = Arc::clone(&self.users);
        // The places go along: where the browser leaves, the work goes on.
        let proving = tokio::task::spawn_blocking(move || {
            let _places = (asked, place);
            users.prove(&name, &password)
        });
        proving.await.ok()?
    }

    /// Until when there are figures: the newest that sensors sent, or now where none did.
    pub(crate) async fn newest(&self) -> Result<Millis, StoreError> {
        let newest = self.store.newest().await?;
        Ok(newest.map_or_else(clock::now, |second| Millis(second * 1_000)))
    }
}

/// 256 random bits.
pub(crate) fn secret() -> Secret {
    let mut bits = [0; 32];
    OsRng.fill_bytes(&mut bits);
    Secret::of(bits)
}
