//! `noroshi up|collector|analyzer|feeds|console`: the centre's roles, until SIGTERM.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use noroshi_analyzer::metrics::Metrics as AnalyzerMetrics;
use noroshi_analyzer::run::Parts as AnalyzerParts;
use noroshi_collector::enrich::reload::Reloader;
use noroshi_collector::metrics::Metrics as CollectorMetrics;
use noroshi_collector::run::Parts;
use noroshi_console::Console;
use noroshi_console::user::Users;
use noroshi_feeds::clock;
use noroshi_feeds::metrics::Metrics;
use noroshi_web::prometheus::{Listener, Told};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::arguments::Configured;
use crate::command::{CENTRE, identities};
use crate::config::Config;
use crate::failure::Failure;
use crate::site::Site;
use crate::traces::Traces;

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

    /// Its name, which its crate has too.
    pub fn name(self) -> &'static str {
        match self {
            Self::Collector => "collector",
            Self::Analyzer => "analyzer",
            Self::Feeds => "feeds",
            Self::Console => "console",
        }
    }
}

#[tokio::main]
pub async fn run(arguments: &Configured, roles: &[Role], level: &str) -> Result<(), Failure> {
    let config = Config::load(&arguments.config)?;
    let traces = Traces::start(config.traces.as_ref(), roles, level)?;
    let mut signals = Signals::listen()?; // before the engine starts, which takes a while
    let site = tokio::select! {
        site = Site::open(&config) => site?,
        () = signals.told_to_end() => return Ok(()),
    };
    let (stop, stopped) = watch::channel(());
    let mut running = Running {
        stopped,
        tasks: JoinSet::new(),
        told: BTreeMap::new(),
    };
    for role in roles {
        start(*role, &config, &site, &mut running)?;
    }
    let mut tasks = running.tell()?;
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
    traces.end().await;
    result
}

type Tasks = JoinSet<Result<(), Failure>>;

/// Roles that were started.
struct Running {
    stopped: watch::Receiver<()>,
    tasks: Tasks,
    /// What Prometheus is told, by where it reads.
    told: BTreeMap<SocketAddr, Vec<Told>>,
}

impl Running {
    /// Ends when the centre does.
    fn shutdown(&self) -> impl Future<Output = ()> + Send + use<> {
        gone(self.stopped.clone())
    }

    /// Where an address is named, `text` is told there.
    fn tells(
        &mut self,
        address: Option<SocketAddr>,
        text: impl Fn() -> String + Send + Sync + 'static,
    ) {
        if let Some(address) = address {
            self.told.entry(address).or_default().push(Arc::new(text));
        }
    }

    /// Begins to tell; hands back what runs.
    fn tell(mut self) -> Result<Tasks, Failure> {
        for (address, parts) in std::mem::take(&mut self.told) {
            let all = move || parts.iter().map(|part| part()).collect::<String>();
            let serving = Listener::open(address)?.run(Arc::new(all), self.shutdown());
            self.tasks.spawn(async move {
                serving.await;
                Ok(())
            });
        }
        Ok(self.tasks)
    }
}

fn start(role: Role, config: &Config, site: &Site, running: &mut Running) -> Result<(), Failure> {
    let store = site.store.clone();
    let registry = Arc::clone(&config.registry);
    let shutdown = running.shutdown();
    match role {
        Role::Collector => collector(config, site, running)?,
        Role::Analyzer => {
            let metrics = Arc::new(AnalyzerMetrics::default());
            let parts = AnalyzerParts {
                store,
                registry,
                settings: config.analyzer.clone(),
                metrics: Arc::clone(&metrics),
            };
            running.tells(config.metrics.analyzer, move || metrics.text());
            running
                .tasks
                .spawn(async move { Ok(noroshi_analyzer::run::run(parts, shutdown).await?) });
        }
        Role::Feeds => {
            let metrics = Arc::new(Metrics::default());
            let told = Arc::clone(&metrics);
            running.tells(config.metrics.feeds, move || told.text(clock::now()));
            push(config, site, &metrics, running);
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
            running.tasks.spawn(async move {
                Ok(noroshi_feeds::run(&settings, store, registry, metrics, shutdown).await?)
            });
        }
        Role::Console => console(config, site, running)?,
    }
    Ok(())
}

fn collector(config: &Config, site: &Site, running: &mut Running) -> Result<(), Failure> {
    let registry = Arc::clone(&config.registry);
    let (reloader, reports) = Reloader::start(config.sources.clone(), Arc::clone(&registry))?;
    for report in reports {
        tracing::info!("{report}");
    }
    let metrics = Arc::new(CollectorMetrics::default());
    let parts = Parts {
        store: site.store.clone(),
        registry,
        tables: reloader.tables(),
        metrics: Arc::clone(&metrics),
    };
    running.tells(config.metrics.collector, move || metrics.text());
    let reloading = reloader.run(running.shutdown());
    running.tasks.spawn(async move {
        reloading.await;
        Ok(())
    });
    let (settings, shutdown) = (config.collector.clone(), running.shutdown());
    running
        .tasks
        .spawn(async move { Ok(noroshi_collector::run::run(&settings, parts, shutdown).await?) });
    Ok(())
}

/// Serves people, where there are any who may sign in.
fn console(config: &Config, site: &Site, running: &mut Running) -> Result<(), Failure> {
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
        provider: config.console.provider.clone(),
        authorities: config.console.authorities.clone(),
        metrics: Arc::default(),
    };
    let metrics = Arc::clone(&settings.metrics);
    running.tells(config.metrics.console, move || metrics.text());
    let (store, shutdown) = (site.store.clone(), running.shutdown());
    running.tasks.spawn(async move {
        let console = Console::open(&settings, store, registry, users).await?;
        console.run(shutdown).await;
        Ok(())
    });
    Ok(())
}

/// Pushes alerts to the partners that want them pushed.
fn push(config: &Config, site: &Site, metrics: &Arc<Metrics>, running: &mut Running) {
    let metrics = Arc::clone(metrics);
    let (settings, store) = (config.feeds.push.clone(), site.store.clone());
    let registry = Arc::clone(&config.registry);
    let shutdown = running.shutdown();
    running.tasks.spawn(async move {
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
