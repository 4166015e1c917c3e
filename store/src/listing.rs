//! Alerts page by page, as people look through them.

use noroshi_proto::time::Millis;

use crate::alert::{Kind, Severity, State};
use crate::cases::{Case, told};
use crate::origin::{Country, PartnerId};
use crate::question::sql;
use crate::store::{Store, StoreError};

/// Alerts on one page.
pub const PAGE: u32 = 50;

/// What comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// What opened last.
    #[default]
    Opened,
    /// What is most urgent; among equals what opened last.
    Severity,
    /// What was seen last.
    Seen,
}

impl Order {
    /// Every order.
    pub const ALL: [Self; 3] = [Self::Opened, Self::Severity, Self::Seen];

    /// Its name in questions.
    pub fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Severity => "severity",
            Self::Seen => "seen",
        }
    }
}

/// Which alerts to list; the default asks for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Only this partner's.
    pub partner: Option<PartnerId>,
    /// Only of this kind.
    pub kind: Option<Kind>,
    /// Only of this severity.
    pub severity: Option<Severity>,
    /// Only in one of these states; in any where there is none.
    pub states: Vec<State>,
    /// Only of this country.
    pub country: Option<Country>,
    /// Only opened at or after this.
    pub from: Option<Millis>,
    /// Only opened before this.
    pub until: Option<Millis>,
    /// What comes first.
    pub order: Order,
    /// Which page of [`PAGE`] alerts; 0 is the first.
    pub page: u32,
}

/// One page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listing {
    /// What stands on it.
    pub cases: Vec<Case>,
    /// Alerts on all pages; 0 as well where the page lies behind the last.
    pub total: u64,
}

impl Store {
    /// One page of alerts, each in its last state.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn listing(&self, wanted: &Wanted) -> Result<Listing, StoreError> {
        let states: Vec<&str> = wanted.states.iter().map(|state| state.name()).collect();
        let partner = wanted.partner.as_ref();
        let rows = self
            .ask(sql!("listing"))
            .param("partner", partner.map_or("", PartnerId::as_str))
            .param("kind", wanted.kind.map_or("", Kind::name))
            .param("severity", wanted.severity.map_or("", Severity::name))
            .param("state", states.join(","))
            .param(
                "country",
                wanted.country.as_ref().map_or("", Country::as_str),
            )
            .param("from", wanted.from.map_or(0, |from| from.0))
            .param(
                "until",
                wanted.until.map_or(i64::MAX as u64, |until| until.0),
            )
            .param("order", wanted.order.name())
            .param("limit", PAGE)
            .param("offset", u64::from(wanted.page) * u64::from(PAGE));
        let mut listing = Listing::default();
        for (version, withdrawn, body, total) in rows.fetch_all::<(u64, u8, String, u64)>().await? {
            listing.total = total;
            listing.cases.push(told((version, withdrawn, body))?);
        }
        Ok(listing)
    }
}
