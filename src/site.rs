//! The store a command works on, and the engine that holds it where it is embedded.

use noroshi_store::engine::{Engine, EngineConfig};
use noroshi_store::retention::Retention;
use noroshi_store::store::{Store, StoreConfig};

use crate::config::{Config, Place};
use crate::failure::Failure;

/// An open store, with its engine where it is embedded.
pub struct Site {
    /// What the centre keeps.
    pub store: Store,
    engine: Option<Engine>,
}

impl Site {
    /// The store of the configuration: the engine that serves it already, one of our own, or
    /// a server.
    ///
    /// # Errors
    /// Where the engine is missing or held, the server does not answer, or the schema is newer
    /// than this program.
    pub async fn open(config: &Config) -> Result<Self, Failure> {
        let (engine, endpoint) = match &config.store.place {
            Place::Embedded(path) => {
                let engine = Engine::start(EngineConfig::new(path)).await?;
                let endpoint = engine.endpoint().clone();
                (Some(engine), endpoint)
            }
            Place::Server(endpoint) => (None, endpoint.clone()),
        };
        let store = Store::open(&StoreConfig {
            endpoint,
            cluster: config.store.cluster.clone(),
            retention: config.store.retention.clone(),
        })
        .await?;
        Ok(Self { store, engine })
    }

    /// A store that is gone afterwards and forgets nothing until then, however old its rows.
    ///
    /// # Errors
    /// Where the engine is missing or does not start.
    pub async fn throw_away() -> Result<Self, Failure> {
        let engine = Engine::throw_away(None).await?;
        let store = Store::open(&StoreConfig {
            endpoint: engine.endpoint().clone(),
            cluster: None,
            retention: Retention::forever(),
        })
        .await?;
        Ok(Self {
            store,
            engine: Some(engine),
        })
    }

    /// Ends with the reason when the engine is lost for good; never for a server.
    pub async fn lost(&self) -> String {
        match &self.engine {
            Some(engine) => engine.lost().await,
            None => std::future::pending().await,
        }
    }

    /// Waits until what was taken is kept, then stops the engine if it is ours.
    pub async fn close(self) {
        self.store.close().await;
        if let Some(engine) = self.engine {
            engine.stop().await;
        }
    }
}
