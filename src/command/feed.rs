//! `noroshi feed …`: what partners receive, and what did not reach them.

mod deliveries;

use std::io::{self, Write};

use anyhow::Context;
use noroshi_feeds::deliver::DeliverError;
use noroshi_feeds::report::Report;
use noroshi_feeds::text::Texts;
use noroshi_feeds::{channel, drill};
use noroshi_store::week::Week;

use crate::arguments::partners::{Feed as Verb, FeedReport, FeedTest};
use crate::command::{CENTRE, known_partner};
use crate::config::Config;
use crate::failure::Failure;
use crate::site::Site;

pub fn run(verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Test(arguments) => test(&arguments),
        Verb::Report(arguments) => report(&arguments),
        Verb::Failures(arguments) => deliveries::failures(&arguments),
        Verb::Resend(arguments) => deliveries::resend(&arguments),
    }
}

fn test(arguments: &FeedTest) -> Result<(), Failure> {
    let config = Config::load(&arguments.config)?;
    let partner = known_partner(&config.registry, &arguments.partner)?;
    let now = noroshi_feeds::clock::now();
    let channels = channel::open(&config.feeds.push, std::slice::from_ref(partner), None, now);
    let channels = channels.map_err(DeliverError::Channels)?;
    let shown = drill::renderings(partner, &channels, CENTRE, now);
    let mut out = io::BufWriter::new(io::stdout().lock());
    let Some(format) = &arguments.format else {
        for one in shown {
            writeln!(
                out,
                "== {} · {}\n\n{}\n",
                one.format,
                one.way,
                one.text.trim_end()
            )
            .context("standard output")?;
        }
        return Ok(());
    };
    let formats: Vec<&str> = shown.iter().map(|one| one.format.as_str()).collect();
    let Some(one) = shown.iter().find(|one| one.format == *format) else {
        let text = format!("no format {format}; there are: {}", formats.join(", "));
        return Err(Failure::Failed(anyhow::anyhow!(text)));
    };
    out.write_all(one.text.as_bytes())
        .context("standard output")?;
    Ok(())
}

#[tokio::main]
async fn report(arguments: &FeedReport) -> Result<(), Failure> {
    let config = Config::load(&arguments.config)?;
    let partner = known_partner(&config.registry, &arguments.partner)?;
    let week = arguments
        .week
        .unwrap_or_else(|| Week::before(noroshi_feeds::clock::now()));
    let site = Site::open(&config).await?;
    let report = Report::ask(&site.store, partner, week).await;
    site.close().await;
    let report = report?;
    let text = if arguments.json {
        serde_json::to_string(&report).context("the report as JSON")? + "\n"
    } else {
        report.html(Texts::for_partner(partner))
    };
    io::stdout()
        .write_all(text.as_bytes())
        .context("standard output")?;
    Ok(())
}
