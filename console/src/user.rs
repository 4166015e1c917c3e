//! Who may sign in: a file of users, each with a role, and how they prove who they are: an argon2id
//! hash of a password, a name at the provider of identities, or both.

use std::path::Path;
use std::sync::Arc;

use argon2::password_hash::{PasswordHash, SaltString};
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use noroshi_proto::id::SensorId;
use noroshi_store::document::{Document, Faults, is_open_to_others, read_text};
use noroshi_store::origin::PartnerId;
use noroshi_store::registry::Registry;

use crate::text::Texts;

/// Users in one file.
pub const USERS_MAX: usize = 1_000;
/// Longest name, in characters.
pub const NAME_MAX: usize = 64;
/// Shortest password that is given to a user, in characters (NIST SP 800-63B-4, §3.1.1.2).
pub const PASSWORD_MIN: usize = 15;
/// Longest password, in bytes: more would only cost time.
pub const PASSWORD_MAX: usize = 256;
/// Longest name at a provider of identities, in bytes (OpenID Connect Core, §2, has 255 for `sub`).
pub const ELSEWHERE_MAX: usize = 255;
/// Sensors of one host.
pub const SENSORS_MAX: usize = 64;

/// What somebody is here for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// Looks at sums.
    Viewer,
    /// Asks questions, and states a purpose before single sources.
    Analyst,
    /// Runs the centre: the same, and acts on cases.
    Operator,
    /// Of one partner: sees that partner's own and nothing else.
    Partner(PartnerId),
    /// Keeps these sensors running: sees how they are and the sums of what they saw.
    Host(Vec<SensorId>),
}

impl Role {
    /// Its name in the file of users.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Analyst => "analyst",
            Self::Operator => "operator",
            Self::Partner(_) => "partner",
            Self::Host(_) => "host",
        }
    }
}

/// Somebody who may sign in.
#[derive(Clone, Debug)]
pub struct User {
    /// The name typed at sign-in.
    pub name: String,
    /// What for.
    pub role: Role,
    /// The language of pages; the browser's where it is not set.
    pub language: Option<&'static Texts>,
    /// The password's hash, as a PHC string.
    hash: Option<String>,
    /// Their name at the provider of identities.
    elsewhere: Option<String>,
}

impl User {
    /// As histories and the audit name them: `operator:NAME`, or `partner:ID:console:NAME`.
    pub fn author(&self) -> String {
        match &self.role {
            Role::Partner(partner) => format!("partner:{partner}:console:{}", self.name),
            role => format!("{}:{}", role.name(), self.name),
        }
    }

    /// The partner that a user is of.
    pub fn partner(&self) -> Option<&PartnerId> {
        match &self.role {
            Role::Partner(partner) => Some(partner),
            _ => None,
        }
    }
}

/// Everybody who may sign in.
#[derive(Clone, Debug, Default)]
pub struct Users(Vec<Arc<User>>);

impl Users {
    /// Reads the file of users, which nobody else may read.
    ///
    /// # Errors
    /// Everything wrong in it, with its line and what to do.
    pub fn load(path: &Path, registry: &Registry) -> Result<Self, Faults> {
        let file = path.display().to_string();
        if is_open_to_others(path) {
            let text = format!("others may read the users' hashes: chmod 600 {file}");
            return Err(Faults::of_file(&file, text));
        }
        Self::parse(&file, &read_text(path)?, registry)
    }

    /// Reads the text of such a file.
    ///
    /// # Errors
    /// As [`Users::load`].
    pub fn parse(file: &str, text: &str, registry: &Registry) -> Result<Self, Faults> {
        let document = Document::parse(file, text)?;
        let mut root = document.root();
        let mut users: Vec<Arc<User>> = Vec::new();
        for section in root.sections("user") {
            let line = section.line();
            let Some(user) = file::user(section, registry) else {
                continue;
            };
            if users.iter().any(|known| known.name == user.name) {
                document.fault(line, format!("there are two users `{}`", user.name));
            }
            let same = |known: &Arc<User>| known.elsewhere == user.elsewhere;
            if let Some(name) = &user.elsewhere
                && users.iter().any(same)
            {
                document.fault(line, format!("two users have `oidc = {name:?}`"));
            }
            users.push(Arc::new(user));
        }
        root.close();
        if users.len() > USERS_MAX {
            document.fault(1, format!("more than {USERS_MAX} users"));
        }
        Faults::none_in(document.into_faults())?;
        Ok(Self(users))
    }

    /// Some that were made otherwise.
    pub fn of(users: Vec<User>) -> Self {
        Self(users.into_iter().map(Arc::new).collect())
    }

    /// Whether somebody has this name.
    pub fn knows(&self, name: &str) -> bool {
        self.0.iter().any(|user| user.name == name)
    }

    /// The user whom the provider of identities knows by this name.
    pub fn from_elsewhere(&self, name: &str) -> Option<Arc<User>> {
        let mut users = self.0.iter();
        let user = users.find(|user| user.elsewhere.as_deref() == Some(name));
        user.map(Arc::clone)
    }

    /// The first user who signs in by the provider of identities alone.
    pub fn without_password(&self) -> Option<&User> {
        let mut users = self.0.iter();
        users.find(|user| user.hash.is_none()).map(Arc::as_ref)
    }

    /// The user of this name, where the password is theirs. Costs the same whoever asks: some
    /// 20 ms and 19 MiB.
    pub fn prove(&self, name: &str, password: &str) -> Option<Arc<User>> {
        let user = self
            .0
            .iter()
            .find(|user| user.name == name && user.hash.is_some());
        let hash = user
            .and_then(|user| user.hash.as_deref())
            .unwrap_or(NOBODYS);
        let hash = PasswordHash::new(hash).ok()?;
        let proven = password.len() <= PASSWORD_MAX
            && argon2id()
                .verify_password(password.as_bytes(), &hash)
                .is_ok();
        user.filter(|_| proven).map(Arc::clone)
    }
}

/// The hash of a password that was drawn and forgotten, so that an unknown name takes as long.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXRoaW5nIGRyYXdu$8Jr0zFJ0d6E9e1rH7Yt0qj5m7wV9p2Zk3x6bQnLsUcA";

/// 19 MiB, two passes, one lane: OWASP's recommendation, and the crate's default.
fn argon2id() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT)
}

/// A user whose password is this; `salt` is drawn for it.
///
/// # Errors
/// Where the password is too short or too long, in words.
pub fn with_password(
    name: &str,
    role: Role,
    password: &str,
    salt: &[u8; 16],
) -> Result<User, String> {
    if password.chars().count() < PASSWORD_MIN || password.len() > PASSWORD_MAX {
        return Err(format!(
            "a password has {PASSWORD_MIN} characters or more, and at most {PASSWORD_MAX} bytes"
        ));
    }
    let salt = SaltString::encode_b64(salt).map_err(|error| error.to_string())?;
    let hash = argon2id().hash_password(password.as_bytes(), &salt);
    Ok(User {
        name: name.to_owned(),
        role,
        language: None,
        hash: Some(hash.map_err(|error| error.to_string())?.to_string()),
        elsewhere: None,
    })
}

/// A user without a password, whom the provider of identities knows by `elsewhere`.
///
/// # Errors
/// Where that is no name there, in words.
pub fn with_provider(name: &str, role: Role, elsewhere: &str) -> Result<User, String> {
    if !is_elsewhere(elsewhere) {
        return Err(format!(
            "a name at the provider of identities has 1 to {ELSEWHERE_MAX} bytes"
        ));
    }
    Ok(User {
        name: name.to_owned(),
        role,
        language: None,
        hash: None,
        elsewhere: Some(elsewhere.to_owned()),
    })
}

impl User {
    /// The lines of the file of users that stand for this one.
    pub fn written(&self) -> String {
        let mut text = format!(
            "[[user]]\nname = {:?}\nrole = {:?}\n",
            self.name,
            self.role.name()
        );
        if let Some(partner) = self.partner() {
            text.push_str(&format!("partner = {:?}\n", partner.as_str()));
        }
        if let Role::Host(sensors) = &self.role {
            let ids: Vec<&str> = sensors.iter().map(SensorId::as_str).collect();
            text.push_str(&format!("sensors = {ids:?}\n"));
        }
        if let Some(hash) = &self.hash {
            text.push_str(&format!("password = {hash:?}\n"));
        }
        if let Some(elsewhere) = &self.elsewhere {
            text.push_str(&format!("oidc = {elsewhere:?}\n"));
        }
        text
    }
}

/// Whether this may be a user's name: letters, digits, `.`, `-` and `_`.
pub fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(plain)
}

/// Whether a provider of identities may know somebody by this.
fn is_elsewhere(name: &str) -> bool {
    (1..=ELSEWHERE_MAX).contains(&name.len()) && !name.chars().any(char::is_control)
}

mod file;
#[cfg(test)]
mod tests;
