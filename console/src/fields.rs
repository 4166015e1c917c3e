//! Fields of a query or a form.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;

/// Fields of one request at most; further ones are not read.
const FIELDS_MAX: usize = 256;
/// How long a form may take to arrive.
const FORM_WAIT: Duration = Duration::from_secs(30);

/// Those of a request's own query, for whoever answers it.
pub(crate) struct Asked(pub(crate) Fields);

impl<S: Sync> FromRequestParts<S> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self(Fields::read(query.as_bytes())))
    }
}

/// Names and values, as they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads `a=b&c=d`.
    pub(crate) fn read(text: &[u8]) -> Self {
        Self(
            form_urlencoded::parse(text)
                .into_owned()
                .take(FIELDS_MAX)
                .collect(),
        )
    }

    /// Those of a form.
    ///
    /// # Errors
    /// With what to answer where it has more than `bytes_max` bytes, or comes too slowly.
    pub(crate) async fn received(body: Body, bytes_max: usize) -> Result<Self, StatusCode> {
        match tokio::time::timeout(FORM_WAIT, to_bytes(body, bytes_max)).await {
            Ok(Ok(bytes)) => Ok(Self::read(&bytes)),
            Ok(Err(_)) => Err(StatusCode::PAYLOAD_TOO_LARGE),
            Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
        }
    }

    /// The value of that name, without space around it; `None` where it is empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found
            .map(|(_, value)| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// The value as it was typed.
    pub(crate) fn whole(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    /// Every value of that name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(known, _)| known == name);
        named.map(|(_, value)| value.as_str())
    }

    /// The same fields as a query, with one of them set anew.
    pub(crate) fn with(&self, name: &str, value: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let others = self
            .0
            .iter()
            .filter(|(known, value)| known != name && !value.is_empty());
        for (known, value) in others {
            query.append_pair(known, value);
        }
        query.append_pair(name, value);
        query.finish()
    }
}
