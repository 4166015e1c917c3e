//! The channels of the partners: where each one's alerts are pushed, with keys read and addresses
//! parsed.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use lettre::Address;
use lettre::message::Mailbox;
use noroshi_proto::time::Millis;
use noroshi_store::registry::partner::Partner;
use noroshi_store::registry::push;
use sha2::{Digest as _, Sha256};

use crate::key::Key;
use crate::mail::pgp::{Certificate, Signer};
use crate::mail::post::{Post, Server};
use crate::mail::{Audience, Mails};
use crate::message::Message;
use crate::metrics::Way;
use crate::plan::{Pace, Profile};
use crate::retry::Outcome;
use crate::syslog::Collector;
use crate::text::Texts;
use crate::webhook::Hook;
use noroshi_web::outbound::{Guard, Outbound};

/// The channel of mails to a partner, after which the others are named.
pub const MAIL: &str = "mail";
const MAIL_SECOND: &str = "mail to second contacts";
const MAIL_OPERATOR: &str = "mail to the operator";

/// How the centre pushes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Networks that are not public and may be spoken to all the same.
    pub allow_private: Vec<IpNet>,
    /// Certificate authorities (PEM) that are trusted beside the system's.
    pub authorities: Option<PathBuf>,
    /// Where partners read their feeds; no slash at the end.
    pub public_url: Option<String>,
    /// The feeds' own key, which signs the links in mails.
    pub key_file: PathBuf,
    /// How long a high case may go without an answer: then the second contacts are asked, and after
    /// twice that time the operator.
    pub answer_within: Duration,
    /// The centre's mail.
    pub mail: Option<MailSettings>,
}

/// The centre's mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailSettings {
    /// The server that takes it.
    pub server: Server,
    /// From whom.
    pub from: String,
    /// The OpenPGP key that signs.
    pub signing_key: Option<PathBuf>,
    /// Whom to tell at the centre.
    pub operator: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            allow_private: Vec::new(),
            authorities: None,
            public_url: None,
            key_file: PathBuf::from("feeds.key"),
            answer_within: Duration::from_secs(30 * 60),
            mail: None,
        }
    }
}

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Problem {
    /// The line in the registry; `None` where it is the centre's own settings.
    pub line: Option<usize>,
    /// What is wrong and what to do.
    pub text: String,
}

/// Where one partner's alerts are pushed.
pub struct Channel {
    /// What it is told of.
    pub profile: Profile,
    /// What makes it speak.
    pub source: Source,
    target: Target,
}

/// What makes a channel speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Changes of the partner's cases.
    Changes,
    /// High cases that nobody took up for this long after the partner's mail told of them.
    Unanswered(Duration),
}

enum Target {
    Webhook(Box<Hook>, Arc<Outbound>),
    Mail(Box<Mails>, Arc<Post>),
    Syslog(Collector, Arc<Outbound>),
}

impl Channel {
    /// How it speaks.
    pub fn way(&self) -> Way {
        match self.target {
            Target::Webhook(..) => Way::Webhook,
            Target::Mail(..) => Way::Mail,
            Target::Syslog(..) => Way::Syslog,
        }
    }

    /// Tries to deliver a message.
    pub async fn send(&self, message: &Message, now: Millis) -> Outcome {
        match &self.target {
            Target::Webhook(hook, outbound) => hook.send(outbound, message, now).await,
            Target::Mail(mails, post) => post.send(mails, message).await,
            Target::Syslog(collector, outbound) => collector.send(outbound, message).await,
        }
    }

    /// Whether it is told once a day that the service is alive: machines are, people would not read it.
    pub fn beats(&self) -> bool {
        self.way() != Way::Mail
    }

    /// Whether the operator reads it.
    pub fn is_operators(&self) -> bool {
        self.profile.channel == MAIL_OPERATOR
    }

    /// What would go out for a message: for people who look at it.
    ///
    /// # Errors
    /// Why it would not go out.
    pub fn preview(&self, message: &Message) -> Result<String, String> {
        let bytes = match &self.target {
            Target::Webhook(hook, _) => hook.body(message),
            Target::Mail(mails, _) => mails.compose(message).map_err(|error| error.to_string())?,
            Target::Syslog(collector, _) => collector.frames(message),
        };
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// Opens every channel of these partners: reads keys, parses addresses. Mails have links where
/// there is a `key` to sign them with, and a public URL.
///
/// # Errors
/// All that the operator has to mend.
pub fn open(
    settings: &Settings,
    partners: &[Partner],
    key: Option<&Key>,
    now: Millis,
) -> Result<Vec<Channel>, Vec<Problem>> {
    let mut problems = Vec::new();
    let shared = match Shared::open(settings, key, now) {
        Ok(shared) => Some(shared),
        Err(text) => {
            problems.push(Problem { line: None, text });
            None
        }
    };
    let mut channels = Vec::new();
    if let Some(shared) = &shared {
        for partner in partners {
            channels.extend(shared.of(partner, &mut problems));
        }
    }
    match problems.is_empty() {
        true => Ok(channels),
        false => Err(problems),
    }
}

/// What all channels share.
struct Shared<'s> {
    settings: &'s Settings,
    outbound: Arc<Outbound>,
    mail: Option<CentresMail>,
    key: Option<Key>,
    now: Millis,
}

struct CentresMail {
    post: Arc<Post>,
    from: Mailbox,
    signer: Option<Signer>,
    operator: Option<Address>,
}

impl<'s> Shared<'s> {
    fn open(settings: &'s Settings, key: Option<&Key>, now: Millis) -> Result<Self, String> {
        let guard = Guard {
            allow: settings.allow_private.clone(),
            in_the_clear: settings.allow_private.clone(),
        };
        let outbound = Outbound::new(guard, settings.authorities.as_deref())?;
        let mail = settings.mail.as_ref();
        let mail = mail.map(|mail| CentresMail::open(mail, settings.authorities.as_ref()));
        Ok(Self {
            settings,
            outbound: Arc::new(outbound),
            mail: mail.transpose()?,
            key: key.cloned(),
            now,
        })
    }

    fn of(&self, partner: &Partner, problems: &mut Vec<Problem>) -> Vec<Channel> {
        let mut channels = Vec::new();
        let mut keep = |line, channel: Result<Channel, String>| match channel {
            Ok(channel) => channels.push(channel),
            Err(text) => problems.push(Problem {
                line: Some(line),
                text,
            }),
        };
        for webhook in &partner.push.webhooks {
            keep(webhook.line, self.webhook(partner, webhook));
        }
        if let Some(syslog) = &partner.push.syslog {
            keep(syslog.line, self.syslog(partner, syslog));
        }
        if let Some(mail) = &partner.push.mail {
            match &self.mail {
                Some(centre) => {
                    for channel in self.mails(centre, partner, mail) {
                        keep(mail.line, channel);
                    }
                }
                None => problems.push(Problem {
                    line: Some(mail.line),
                    text: "the centre has no mail server: name one under [feeds.mail] of its \
                           configuration, or take [partner.mail] out"
                        .to_owned(),
                }),
            }
        }
        channels
    }

    fn webhook(&self, partner: &Partner, webhook: &push::Webhook) -> Result<Channel, String> {
        let hook = Hook::open(webhook, self.settings.public_url.clone())?;
        // A new URL is a new channel: it begins with what happens from now on.
        let digest = Sha256::digest(webhook.url.as_bytes());
        let digest: String = digest[..4]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Ok(Channel {
            profile: Profile {
                kinds: webhook.kinds.clone(),
                ..profile(partner, &format!("webhook {digest}"), Pace::Digests(0))
            },
            source: Source::Changes,
            target: Target::Webhook(Box::new(hook), Arc::clone(&self.outbound)),
        })
    }

    fn syslog(&self, partner: &Partner, syslog: &push::Syslog) -> Result<Channel, String> {
        Ok(Channel {
            profile: profile(partner, "syslog", Pace::Everything),
            source: Source::Changes,
            target: Target::Syslog(
                Collector::new(&partner.id, syslog)?,
                Arc::clone(&self.outbound),
            ),
        })
    }

    /// To the partner's contacts, to its second ones, and to the operator.
    fn mails(
        &self,
        centre: &CentresMail,
        partner: &Partner,
        mail: &push::Mail,
    ) -> Vec<Result<Channel, String>> {
        let patience = self.settings.answer_within;
        let operator: Vec<String> = centre.operator.iter().map(Address::to_string).collect();
        let all = [
            (MAIL, &mail.to, Source::Changes),
            (MAIL_SECOND, &mail.second, Source::Unanswered(patience)),
            (MAIL_OPERATOR, &operator, Source::Unanswered(patience * 2)),
        ];
        let wanted = all.into_iter().filter(|(_, to, _)| !to.is_empty());
        let open = |(name, to, source): (&str, &Vec<String>, Source)| -> Result<Channel, String> {
            let mut mails = self.letters(centre, partner, mail)?;
            mails.to = to
                .iter()
                .map(|text| address(text))
                .collect::<Result<_, _>>()?;
            if name == MAIL_OPERATOR {
                mails.audience = Audience::Operator;
            }
            Ok(Channel {
                profile: profile(partner, name, Pace::Digests(mail.digest_at)),
                source,
                target: Target::Mail(Box::new(mails), Arc::clone(&centre.post)),
            })
        };
        wanted.map(open).collect()
    }

    fn letters(
        &self,
        centre: &CentresMail,
        partner: &Partner,
        mail: &push::Mail,
    ) -> Result<Mails, String> {
        let texts = Texts::of(&mail.language).ok_or_else(|| {
            let known = Texts::languages().join(", ");
            format!(
                "language {:?} has no catalogue: there are {known}",
                mail.language
            )
        })?;
        let key = mail.pgp_key.as_deref();
        let certificate = key
            .map(|path| Certificate::open(path, self.now))
            .transpose();
        Ok(Mails {
            from: centre.from.clone(),
            to: Vec::new(),
            audience: Audience::Partner,
            partner: partner.id.clone(),
            country: partner.country,
            texts,
            signer: centre.signer.clone(),
            certificate: certificate.map_err(|error| error.to_string())?,
            public_url: self.settings.public_url.clone(),
            key: self.key.clone(),
        })
    }
}

impl CentresMail {
    fn open(settings: &MailSettings, authorities: Option<&PathBuf>) -> Result<Self, String> {
        let signer = settings
            .signing_key
            .as_deref()
            .map(Signer::open)
            .transpose();
        let operator = settings.operator.as_deref().map(address).transpose();
        Ok(Self {
            post: Arc::new(Post::new(&settings.server, authorities)?),
            from: Mailbox::new(Some("Noroshi".to_owned()), address(&settings.from)?),
            signer: signer.map_err(|error| error.to_string())?,
            operator: operator?,
        })
    }
}

fn profile(partner: &Partner, channel: &str, pace: Pace) -> Profile {
    Profile {
        partner: partner.id.clone(),
        channel: channel.to_owned(),
        kinds: Vec::new(),
        pace,
    }
}

fn address(text: &str) -> Result<Address, String> {
    text.parse::<Address>()
        .map_err(|error| format!("{text:?} is not a mail address ({error}): write name@host"))
}
