//! How cases fared on their partners' side: what was false, what was cleaned, what is known to be.

use std::collections::BTreeMap;

use noroshi_proto::time::Millis;
use uuid::Uuid;

use crate::question::sql;
use crate::remedy::Remedy;
use crate::steps::parse;
use crate::store::{Store, StoreError};

/// The cases of one partner and kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Whose; empty for the centre's alone.
    pub partner: String,
    /// Of which kind.
    pub kind: String,
    /// How many.
    pub cases: u64,
    /// Where they stand. Those with which nothing was done are `delivered`.
    pub standing: BTreeMap<Remedy, u64>,
}

impl Tally {
    /// Alerts that should not have been: called a false positive, or taken back.
    pub fn false_alerts(&self) -> u64 {
        let of = |state| self.standing.get(&state).copied().unwrap_or(0);
        of(Remedy::FalsePositive) + of(Remedy::Withdrawn)
    }
}

impl Store {
    /// How the cases opened between two instants fared, by partner and kind.
    pub async fn tally(&self, from: Millis, until: Millis) -> Result<Vec<Tally>, StoreError> {
        let period = |sql| {
            let question = self.ask(sql).param("from", from.0);
            question.param("until", until.0)
        };
        let counted = period(sql!("tally"))
            .fetch_all::<(String, String, u64)>()
            .await?;
        let touched = period(sql!("tally_of_steps"))
            .fetch_all::<(String, String, String)>()
            .await?;
        let ids: Vec<Uuid> = touched
            .iter()
            .map(|(id, ..)| parse(id))
            .collect::<Result<_, _>>()?;
        let standings = self.standings(&ids).await?;
        let mut tallies: BTreeMap<(String, String), Tally> = BTreeMap::new();
        for (partner, kind, cases) in counted {
            let tally = Tally {
                partner: partner.clone(),
                kind: kind.clone(),
                cases,
                standing: BTreeMap::from([(Remedy::Delivered, cases)]),
            };
            tallies.insert((partner, kind), tally);
        }
        for ((_, partner, kind), id) in touched.into_iter().zip(ids) {
            let state = standings
                .get(&id)
                .map_or(Remedy::Delivered, |one| one.state);
            if let Some(tally) = tallies.get_mut(&(partner, kind)) {
                let delivered = tally.standing.entry(Remedy::Delivered).or_default();
                *delivered = delivered.saturating_sub(1);
                *tally.standing.entry(state).or_default() += 1;
            }
        }
        Ok(tallies.into_values().collect())
    }
}
