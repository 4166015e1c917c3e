//! Who is signed in. Pure: time and secrets are arguments.
//!
//! # Promises
//! - A session is known by the digest of its id: who reads this memory cannot take one over.
//! - It ends after [`IDLE`] without a request, after [`LIFE`] in any case, and with sign-out.
//! - A sign-in makes a new id, whatever the browser sent before.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use noroshi_proto::time::Millis;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::user::User;

/// Milliseconds without a request after which a session is over: half an hour.
pub const IDLE: u64 = 30 * 60_000;
/// Milliseconds after which it is over in any case: a shift.
pub const LIFE: u64 = 12 * 3_600_000;
/// Sessions at a time; the one unused for longest makes room.
pub const SESSIONS_MAX: usize = 10_000;
/// Sessions of one user at a time; likewise.
pub const SESSIONS_PER_USER_MAX: usize = 8;
/// Cases whose single sources one session has asked for; the oldest purpose must be stated again.
pub const PURPOSES_MAX: usize = 256;

/// What only its holder knows: 256 random bits, as text.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Of random bits.
    pub fn of(bits: [u8; 32]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(bits))
    }

    /// As a browser sent it back.
    pub fn received(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// To be given to its holder.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Whether `text` is this secret; how long it takes says nothing about it.
    pub fn is(&self, text: &str) -> bool {
        digest(text) == digest(&self.0)
    }
}

/// A digest: compared in whatever time, it tells nothing about what it is of.
type Digest = [u8; 32];

fn digest(text: &str) -> Digest {
    Sha256::digest(text.as_bytes()).into()
}

/// How somebody showed who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// By a password of the console's own.
    Password,
    /// By what a provider of identities says; who signs out here is still known there.
    Provider,
}

/// A session as one request sees it.
#[derive(Clone)]
pub struct Session {
    /// Who.
    pub user: Arc<User>,
    /// How they showed that.
    pub proof: Proof,
    /// What every form of theirs carries.
    pub token: Secret,
    began: Millis,
    used: Millis,
    purposes: BTreeMap<Uuid, (u64, String)>,
    inquiry: Option<Inquiry>,
}

/// What for somebody looks through single sources, until they say otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inquiry {
    /// What for.
    pub purpose: String,
    /// The case that it is about; without one no partner's sources are shown.
    pub case: Option<Uuid>,
}

impl Session {
    fn is_over(&self, now: Millis) -> bool {
        now.0.saturating_sub(self.used.0) >= IDLE || now.0.saturating_sub(self.began.0) >= LIFE
    }

    /// What for they asked to see the single sources of this case.
    pub fn purpose(&self, case: Uuid) -> Option<&str> {
        self.purposes
            .get(&case)
            .map(|(_, purpose)| purpose.as_str())
    }

    /// What for they look through single sources.
    pub fn inquiry(&self) -> Option<&Inquiry> {
        self.inquiry.as_ref()
    }
}

/// Everybody who is signed in.
#[derive(Default)]
pub struct Sessions(HashMap<Digest, Session>);

impl Sessions {
    /// Signs `user` in under a new `id`.
    pub fn begin(
        &mut self,
        user: Arc<User>,
        proof: Proof,
        (id, token): (&Secret, Secret),
        now: Millis,
    ) {
        self.0.retain(|_, session| !session.is_over(now));
        let theirs = |session: &Session| session.user.name == user.name;
        if self.0.values().filter(|session| theirs(session)).count() >= SESSIONS_PER_USER_MAX {
            self.end_oldest(theirs);
        }
        if self.0.len() >= SESSIONS_MAX {
            self.end_oldest(|_| true);
        }
        let session = Session {
            user,
            proof,
            token,
            began: now,
            used: now,
            purposes: BTreeMap::new(),
            inquiry: None,
        };
        self.0.insert(digest(id.text()), session);
    }

    fn end_oldest(&mut self, among: impl Fn(&Session) -> bool) {
        let some = self.0.iter().filter(|(_, session)| among(session));
        let oldest = some
            .min_by_key(|(_, session)| session.used)
            .map(|(id, _)| *id);
        if let Some(oldest) = oldest {
            self.0.remove(&oldest);
        }
    }

    /// The session of this id, which is used now; `None` where there is none, or it is over.
    pub fn take_up(&mut self, id: &str, now: Millis) -> Option<Session> {
        let id = digest(id);
        let session = self.0.get_mut(&id)?;
        if session.is_over(now) {
            self.0.remove(&id);
            return None;
        }
        session.used = session.used.max(now);
        Some(session.clone())
    }

    /// The session of this id, looked at by a page that keeps itself fresh: that is no use, so a
    /// screen that is left alone ends its session.
    pub fn look_up(&mut self, id: &str, now: Millis) -> Option<Session> {
        let session = self.0.get(&digest(id))?;
        (!session.is_over(now)).then(|| session.clone())
    }

    /// Notes what for the single sources of a case are asked for.
    pub fn allow(&mut self, id: &str, case: Uuid, purpose: String) {
        let Some(session) = self.0.get_mut(&digest(id)) else {
            return;
        };
        let purposes = &mut session.purposes;
        let next = purposes
            .values()
            .map(|(place, _)| place + 1)
            .max()
            .unwrap_or(0);
        purposes.insert(case, (next, purpose));
        if purposes.len() > PURPOSES_MAX {
            let oldest = purposes.iter().min_by_key(|(_, (place, _))| *place);
            if let Some(oldest) = oldest.map(|(case, _)| *case) {
                purposes.remove(&oldest);
            }
        }
    }

    /// Notes what for single sources are looked through; what was said before is over.
    pub fn inquire(&mut self, id: &str, inquiry: Inquiry) {
        if let Some(session) = self.0.get_mut(&digest(id)) {
            session.inquiry = Some(inquiry);
        }
    }

    /// Signs out.
    pub fn end(&mut self, id: &str) {
        self.0.remove(&digest(id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::user::{Role, with_password};

    fn user(name: &str) -> Arc<User> {
        let made = with_password(name, Role::Viewer, "a long enough password", &[7; 16]);
        Arc::new(made.unwrap())
    }

    fn secret(bits: u16) -> Secret {
        let mut all = [0; 32];
        all[..2].copy_from_slice(&bits.to_be_bytes());
        Secret::of(all)
    }

    #[test]
    fn a_session_ends_when_idle_and_at_its_end() {
        let mut sessions = Sessions::default();
        let aiko = user("aiko");
        sessions.begin(
            Arc::clone(&aiko),
            Proof::Password,
            (&secret(1), secret(2)),
            Millis(0),
        );
        let id = secret(1);
        assert!(sessions.take_up(id.text(), Millis(IDLE - 1)).is_some());
        assert!(sessions.take_up(id.text(), Millis(2 * IDLE - 2)).is_some());
        assert!(sessions.take_up(id.text(), Millis(3 * IDLE - 2)).is_none());
        sessions.begin(aiko, Proof::Password, (&id, secret(2)), Millis(0));
        let mut now = 0;
        while now + IDLE / 2 < LIFE {
            now += IDLE / 2;
            assert!(sessions.take_up(id.text(), Millis(now)).is_some() == (now < LIFE));
        }
        assert!(sessions.take_up(id.text(), Millis(LIFE)).is_none());
    }

    #[test]
    fn sessions_of_one_user_are_limited_and_do_not_end_anothers() {
        let mut sessions = Sessions::default();
        let (aiko, anan) = (user("aiko"), user("anan"));
        sessions.begin(anan, Proof::Password, (&secret(0), secret(0)), Millis(0));
        for place in 1..=SESSIONS_PER_USER_MAX as u16 + 1 {
            let now = Millis(u64::from(place));
            sessions.begin(
                Arc::clone(&aiko),
                Proof::Password,
                (&secret(place), secret(0)),
                now,
            );
        }
        let now = Millis(100);
        assert!(sessions.take_up(secret(0).text(), now).is_some());
        assert!(
            sessions.take_up(secret(1).text(), now).is_none(),
            "the oldest made room"
        );
        assert!(sessions.take_up(secret(2).text(), now).is_some());
    }

    #[test]
    fn purposes_are_limited_and_of_one_session() {
        let mut sessions = Sessions::default();
        let aiko = user("aiko");
        sessions.begin(
            Arc::clone(&aiko),
            Proof::Password,
            (&secret(1), secret(0)),
            Millis(0),
        );
        sessions.begin(aiko, Proof::Password, (&secret(2), secret(0)), Millis(0));
        for case in 0..=PURPOSES_MAX as u128 {
            sessions.allow(secret(1).text(), Uuid::from_u128(case), "why".to_owned());
        }
        let first = sessions.take_up(secret(1).text(), Millis(1)).unwrap();
        let second = sessions.take_up(secret(2).text(), Millis(1)).unwrap();
        assert_eq!(first.purpose(Uuid::from_u128(0)), None);
        assert_eq!(first.purpose(Uuid::from_u128(1)), Some("why"));
        assert_eq!(second.purpose(Uuid::from_u128(1)), None);
    }

    #[test]
    fn a_secret_is_itself_alone() {
        assert!(secret(1).is(secret(1).text()));
        assert!(!secret(1).is(secret(2).text()));
        assert!(!secret(1).is(""));
    }
}
