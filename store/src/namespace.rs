//! What ids of cases are derived in.
//!
//! An id follows from what a case is about, so that a restart makes no twin. It stands on pages and in links
//! that do not tell the address: in a namespace that all know, trying four thousand million addresses would tell it.

use serde_json::json;
use uuid::Uuid;

use crate::cases::line;
use crate::question::sql;
use crate::steps::parse;
use crate::store::{Store, StoreError};

impl Store {
    /// This store's, drawn when it is first asked for: 122 bits of the system's randomness.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn case_namespace(&self) -> Result<Uuid, StoreError> {
        if let Some(drawn) = self.drawn_namespace().await? {
            return Ok(drawn);
        }
        let mut row = Vec::new();
        line(&mut row, &json!({ "namespace": Uuid::new_v4() }));
        self.insert_lines("case_namespace", row).await?;
        let drawn = self.drawn_namespace().await?;
        drawn.ok_or_else(|| StoreError::Unstorable("a namespace for ids of cases".to_owned()))
    }

    async fn drawn_namespace(&self) -> Result<Option<Uuid>, StoreError> {
        let drawn = self.ask(sql!("case_namespace"));
        let drawn = drawn.fetch_optional::<String>().await?;
        drawn.as_deref().map(parse).transpose()
    }
}
