//! What is made of `[collector.tls]`, and what goes on beside the serving because of it.

use std::future::Future;
use std::sync::Arc;

use noroshi_store::registry::Registry;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tokio_rustls::TlsAcceptor;

use super::{RunError, gone};
use crate::clock;
use crate::identity::authority::Authority;
use crate::identity::enrolment::Office;
use crate::identity::register::Register;
use crate::identity::revocations::{Revocations, RevocationsDirectory, Watched};
use crate::identity::tls::{AuthoritySettings, Shown, Source, TlsSettings};
use crate::identity::tokens::Tokens;

/// What is made of `[collector.tls]`; nothing where there is none.
#[derive(Default)]
pub(super) struct Identity {
    /// For every connection.
    pub(super) acceptor: Option<TlsAcceptor>,
    /// Where sensors are enrolled.
    pub(super) office: Option<Office>,
    /// What goes on meanwhile.
    pub(super) background: Background,
}

/// What goes on beside the serving.
#[derive(Default)]
pub(super) struct Background {
    revocations: Option<(RevocationsDirectory, Revocations)>,
    certificate: Option<OwnCertificate>,
}

/// The collector's own certificate, which is another in time.
struct OwnCertificate {
    source: Source,
    shown: Arc<Shown>,
}

impl Identity {
    /// Reads and makes what it names.
    pub(super) fn open(settings: &TlsSettings, registry: &Arc<Registry>) -> Result<Self, RunError> {
        let directory = &settings.directory;
        let revocations = RevocationsDirectory::open(directory)?;
        let read = revocations.read()?; // who was revoked before is never let in
        let now = clock::now();
        let (source, office) = match &settings.authority {
            AuthoritySettings::Brought(files) => (Source::Brought(files.clone()), None),
            AuthoritySettings::Own {
                names,
                sensor_millis,
            } => {
                let authority = Arc::new(Authority::open_or_draw(directory, now)?);
                let office = Office {
                    directory: directory.clone(),
                    authority: Arc::clone(&authority),
                    tokens: Tokens::open(directory)?,
                    register: Register::open(directory)?,
                    revocations: revocations.clone(),
                    registry: Arc::clone(registry),
                    sensor_millis: *sensor_millis,
                };
                let names = names.clone();
                (Source::Own { authority, names }, Some(office))
            }
        };
        let (acceptor, shown) = source.acceptor(now)?;
        Ok(Self {
            acceptor: Some(acceptor),
            office,
            background: Background {
                revocations: Some((revocations, read)),
                certificate: Some(OwnCertificate { source, shown }),
            },
        })
    }
}

impl Background {
    /// Revocations as they are now, and what watches and renews until the collector stops.
    pub(super) fn start(
        self,
        stopped: &watch::Receiver<()>,
    ) -> (Watched, impl Future<Output = ()> + use<>) {
        let (directory, read) = self.revocations.unzip();
        let (tell, watched) = watch::channel(Arc::new(read.unwrap_or_default()));
        let (stopped, also_stopped) = (stopped.clone(), stopped.clone());
        let watching = async move {
            match directory {
                Some(directory) => directory.watch(tell, gone(stopped)).await,
                None => gone(stopped).await,
            }
        };
        let renewing = async move {
            match self.certificate {
                Some(certificate) => certificate.renew(gone(also_stopped)).await,
                None => gone(also_stopped).await,
            }
        };
        (watched, async {
            tokio::join!(watching, renewing);
        })
    }
}

impl OwnCertificate {
    async fn renew(self, stopped: impl Future<Output = ()>) {
        let mut stopped = std::pin::pin!(stopped);
        let mut due = interval(self.source.every());
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        due.tick().await; // the first one is at once
        loop {
            tokio::select! {
                () = &mut stopped => return,
                _ = due.tick() => {}
            }
            match self.source.certificate(clock::now()) {
                Ok(certificate) => self.shown.change(certificate),
                Err(error) => tracing::error!(%error, "the collector's certificate"),
            }
        }
    }
}
