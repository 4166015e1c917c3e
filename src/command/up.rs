//! `noroshi up|collector|analyzer|feeds|console`: the centre's roles, until SIGTERM.

use std::future::Future;
use std::sync::Arc;

use anyhow::Context;
use noroshi_collector::enrich::reload::Reloader;
use noroshi_collector::run::Parts;
use noroshi_console::Console;
use noroshi_console::user::Users;
use noroshi_feeds::metrics::Metrics;
use noroshi_feeds::metrics::listener::Listener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::arguments::Configured;
use crate::command::{CENTRE, identities};
use crate::config::Config;
use crate::failure::Failure;
use crate::site::Site;

/// One part of the centre's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Admits, enriches and keeps.
    Collector,
    /// Looks for alerts.
    Analyzer,
    /// Serves partners' machines.
    Feeds,
    /// Serves people.
    Console,
}

impl Role {
    /// What `up` runs.
    pub const ALL: [Self; 4] = [Self::Collector, Self::Analyzer, Self::Feeds, Self::Console];
}

#[tokio::main]
pub async fn run(arguments: &Configured, roles: &[Role]) -> Result<(), Failure> {
    let config = Config::load(&arguments.config)?;
    let mut signals = Signals::listen()?; // before the engine starts, which takes a while
    let site = tokio::select! {
        site = Site::open(&config) => site?,
        () = signals.told_to_end() => return Ok(()),
    };
    let (stop, stopped) = watch::channel(());
    let mut tasks = JoinSet::new();
    for role in roles {
        start(*role, &config, &site, &stopped, &mut tasks)?;
    }
    drop(stopped);
    let result = tokio::select! {
        () = signals.told_to_end() => Ok(()),
        reason = site.lost() => Err(Failure::Failed(anyhow::anyhow!("the engine is lost: {reason}"))),
        ended = tasks.join_next() => ended_early(ended),
    };
    drop(stop); // every role sees its sender gone, finishes what it acknowledged, and ends
    while let Some(ended) = tasks.join_next().await {
        if let Err(failure) = ended.context("a role broke off")? {
            tracing::error!("{failure}");
        }
    }
    site.close().await;
    result
}

fn start(
    role: Role,
    config: &Config,
    site: &Site,
    stopped: &watch::Receiver<()>,
    tasks: &mut JoinSet<Result<(), Failure>>,
) -> Result<(), Failure> {
    let store = site.store.clone();
    let registry = Arc::clone(&config.registry);
    let shutdown = gone(stopped.clone());
    match role {
        Role::Collector => {
            let (reloader, reports) =
                Reloader::start(config.sources.clone(), Arc::clone(&registry))?;
            for report in reports {
                tracing::info!("{report}");
            }
            let tables = reloader.tables();
            let reloading = reloader.run(gone(stopped.clone()));
            tasks.spawn(async move {
                reloading.await;
                Ok(())
            });
            let settings = config.collector.clone();
            let parts = Parts {
                store,
                registry,
                tables,
            };
            tasks.spawn(async move {
                Ok(noroshi_collector::run::run(&settings, parts, shutdown).await?)
            });
        }
        Role::Analyzer => {
            let settings = config.analyzer.clone();
            tasks.spawn(async move {
                Ok(noroshi_analyzer::run::run(store, registry, settings, shutdown).await?)
            });
        }
        Role::Feeds => {
            let metrics = metrics(config, stopped, tasks)?;
            push(config, site, (stopped, &metrics), tasks);
            let Some(credentials) = config.feeds.tokens.clone() else {
                tracing::warn!("[feeds] tokens names no directory: no feed is served");
                return Ok(());
            };
            let settings = noroshi_feeds::Settings {
                listen: config.feeds.listen,
                credentials,
                key: config.feeds.key_file.clone(),
                tls: config.feeds.tls.clone(),
                public_url: config.feeds.public_url.clone(),
                centre: CENTRE.to_owned(),
                signing_key: config
                    .feeds
                    .push
                    .mail
                    .as_ref()
                    .and_then(|mail| mail.signing_key.clone()),
            };
            tasks.spawn(async move {
                Ok(noroshi_feeds::run(&settings, store, registry, metrics, shutdown).await?)
            });
        }
        Role::Console => console(config, site, shutdown, tasks)?,
    }
    Ok(())
}

/// Serves people, where there are any who may sign in.
fn console(
    config: &Config,
    site: &Site,
    shutdown: impl Future<Output = ()> + Send + 'static,
    tasks: &mut JoinSet<Result<(), Failure>>,
) -> Result<(), Failure> {
    let Some(file) = &config.console.users else {
        tracing::warn!("[console] users names no file: no console is served");
        return Ok(());
    };
    let registry = Arc::clone(&config.registry);
    let users = Users::load(file, &registry)?;
    let feeds = &config.feeds;
    let scheme = if feeds.tls.is_some() { "https" } else { "http" };
    let own_url = || format!("{scheme}://{}", feeds.listen);
    let settings = noroshi_console::Settings {
        listen: config.console.listen,
        way: config.console.way.clone(),
        feeds_url: feeds.public_url.clone().unwrap_or_else(own_url),
        identities: identities::for_console(config).map(Arc::new),
    };
    let store = site.store.clone();
    tasks.spawn(async move {
        let console = Console::open(&settings, store, registry, users).await?;
        console.run(shutdown).await;
        Ok(())
    });
    Ok(())
}

/// What the feeds count; told to operators where they want it.
fn metrics(
    config: &Config,
    stopped: &watch::Receiver<()>,
    tasks: &mut JoinSet<Result<(), Failure>>,
) -> Result<Arc<Metrics>, Failure> {
    let metrics = Arc::new(Metrics::default());
    if let Some(address) = config.feeds.metrics_listen {
        let listener = Listener::open(address)?;
        let serving = listener.run(Arc::clone(&metrics), gone(stopped.clone()));
        tasks.spawn(async move {
            serving.await;
            Ok(())
        });
    }
    Ok(metrics)
}

/// Pushes alerts to the partners that want them pushed.
fn push(
    config: &Config,
    site: &Site,
    (stopped, metrics): (&watch::Receiver<()>, &Arc<Metrics>),
    tasks: &mut JoinSet<Result<(), Failure>>,
) {
    let metrics = Arc::clone(metrics);
    let (settings, store) = (config.feeds.push.clone(), site.store.clone());
    let registry = Arc::clone(&config.registry);
    let shutdown = gone(stopped.clone());
    tasks.spawn(async move {
        Ok(noroshi_feeds::deliver::run(&settings, store, &registry, &metrics, shutdown).await?)
    });
}

/// Ends when the sender is dropped.
async fn gone(mut stopped: watch::Receiver<()>) {
    while stopped.changed().await.is_ok() {}
}

/// SIGTERM and SIGINT.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// From now on they end nothing by themselves.
    fn listen() -> Result<Self, Failure> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn told_to_end(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// No role ends by itself unless something is wrong.
fn ended_early(
    ended: Option<Result<Result<(), Failure>, tokio::task::JoinError>>,
) -> Result<(), Failure> {
    match ended {
        Some(Ok(Err(failure))) => Err(failure),
        Some(Err(broken)) => Err(broken.into()),
        Some(Ok(Ok(()))) | None => Err(Failure::Failed(anyhow::anyhow!(
            "a role of the centre ended by itself"
        ))),
    }
}
