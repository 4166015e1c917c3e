//! The one handle to everything the centre keeps.

use std::sync::Arc;

use clickhouse::Client;
use noroshi_proto::id::BatchId;

use crate::append::Writer;
use crate::engine::Endpoint;
use crate::lease::Role;
use crate::retention::Retention;
use crate::schema;

/// Where the store is and how long it keeps what.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// The engine or server; its database is created where missing (`noroshi` where it names none).
    pub endpoint: Endpoint,
    /// The cluster's name as the servers know it; `None` for one engine or server.
    pub cluster: Option<String>,
    /// How long rows stay.
    pub retention: Retention,
}

/// The database used where the endpoint names none.
const DATABASE: &str = "noroshi";

/// Everything the centre keeps. Clones share one writer and one set of connections.
#[derive(Clone)]
pub struct Store {
    client: Client,
    writer: Arc<Writer>,
}

/// Why the store did not do what was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Try again later: the engine does not answer, or answers with an error of its own.
    #[error("the store does not answer: {0}")]
    Unavailable(Arc<clickhouse::error::Error>),
    /// Refuse the batch for good.
    #[error("batch {0} was kept before with other contents")]
    Conflict(BatchId),
    /// Refuse the batch for good: no row can hold it.
    #[error("cannot be stored: {0}")]
    Unstorable(String),
    /// Stop: run the newer program.
    #[error(
        "the store was made by a newer noroshi (schema {store}, this program knows {program}): \
         run that version, or newer"
    )]
    Newer {
        /// The store's schema.
        store: u32,
        /// The newest this program knows.
        program: u32,
    },
    /// Stop: program and store disagree about the past.
    #[error(
        "migration {0} was applied with other contents: this program was not built from a release, \
         or the table `migrations` was edited"
    )]
    Altered(String),
    /// A row was written by something else, or is damaged.
    #[error("a row of the store does not parse: {0}")]
    Spoiled(String),
    /// Stop: another took over.
    #[error("another {0} holds the lease (token {1})")]
    Fenced(Role, u64),
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

impl From<clickhouse::error::Error> for StoreError {
    fn from(error: clickhouse::error::Error) -> Self {
        Self::Unavailable(Arc::new(error))
    }
}

impl StoreError {
    /// Whether the engine itself said no, rather than nobody answering.
    pub(crate) fn is_answer(&self) -> bool {
        use clickhouse::error::Error::BadResponse;
        matches!(self, Self::Unavailable(error) if matches!(**error, BadResponse(_)))
    }
}

impl Store {
    /// Connects, brings the schema up to date and sets the retention.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where nothing answers; [`StoreError::Newer`] and
    /// [`StoreError::Altered`] where the schema is not one this program may touch.
    pub async fn open(config: &StoreConfig) -> Result<Self, StoreError> {
        let mut endpoint = config.endpoint.clone();
        if endpoint.database.is_empty() {
            endpoint.database = DATABASE.to_owned();
        }
        create_database(&endpoint, config.cluster.as_deref()).await?;
        // Reading back through a compressed answer costs more than loopback saves.
        let client = endpoint
            .client()
            .with_compression(clickhouse::Compression::None);
        let cluster = config.cluster.as_deref();
        schema::migrate(&client, cluster).await?;
        let changed = schema::retain(&client, cluster, &config.retention).await?;
        if !changed.is_empty() {
            tracing::info!(tables = ?changed, "retention changed");
        }
        client.clear_cached_metadata().await;
        let writer = Arc::new(Writer::start(client.clone()));
        Ok(Self { client, writer })
    }

    /// The official client, for questions of one's own.
    pub fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn writer(&self) -> &Writer {
        &self.writer
    }

    /// Takes no more batches and waits until those taken are kept.
    pub async fn close(&self) {
        self.writer.close().await;
    }
}

async fn create_database(endpoint: &Endpoint, cluster: Option<&str>) -> Result<(), StoreError> {
    let client = endpoint.with_database("").client();
    let on_cluster = match cluster {
        Some(_) => " ON CLUSTER {cluster:Identifier}",
        None => "",
    };
    let statement = format!("CREATE DATABASE IF NOT EXISTS {{database:Identifier}}{on_cluster}");
    let query = client
        .query(&statement)
        .param("database", &endpoint.database);
    let query = match cluster {
        Some(name) => query.param("cluster", name),
        None => query,
    };
    query.execute().await?;
    Ok(())
}
