//! Alerts as STIX 2.1 objects.
//!
//! | module       | takes                        | gives                                  |
//! |--------------|------------------------------|----------------------------------------|
//! | [`id`]       | who, which alert, which part | an id, the same whenever it is asked   |
//! | [`object`]   | –                            | what an object may hold, as JSON       |
//! | [`marking`]  | a TLP label                  | its marking                            |
//! | [`shared`]   | the centre, a country        | objects that many alerts refer to      |
//! | [`observed`] | an alert                     | addresses and traffic                  |
//! | [`told`]     | an alert                     | all of its objects                     |
//!
//! # What becomes of an alert
//! - **A host that scans or is infected**: an `indicator`, and what it rests on: `observed-data`,
//!   `sighting`, and `malware` where a family is named.
//! - **Everything else**: a `report`, with `observed-data` where it names an address. Victims, hosts
//!   that may be framed, open reflectors, exercises and imported evidence never become an
//!   indicator: who reads indicators blocks them.
//! - **A sensor's silence**: nothing. It is no threat, and names a sensor.
//!
//! # Promises
//! - Neither a target's address nor a sensor is ever named.
//! - No `note` (a common importer loses what only a note refers to), no empty list (invalid), and
//!   what an object refers to stands before it.
//! - Withdrawing an alert revokes its objects. What is shared with other alerts, and observables,
//!   which STIX gives no versions, stay.

pub mod id;
pub mod marking;
pub mod object;
pub mod observed;
pub mod shared;
pub mod told;

use noroshi_store::registry::partner::StixMarkings;

pub use object::Object;
pub use told::objects;

/// On whose behalf objects are made, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audience<'a> {
    /// What the centre is called.
    pub centre: &'a str,
    /// The partner's id.
    pub partner: &'a str,
    /// Where it works: what an alert without a country concerns.
    pub country: &'a str,
    /// How TLP labels are said.
    pub markings: StixMarkings,
}
