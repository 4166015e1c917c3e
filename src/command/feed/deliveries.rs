//! `noroshi feed failures|resend`: what did not reach partners.

use std::io::{self, Write};

use anyhow::Context;
use noroshi_store::deliveries::Delivery;
use serde_json::json;

use crate::arguments::partners::{FeedFailures, FeedResend};
use crate::command::author::author;
use crate::config::Config;
use crate::failure::Failure;
use crate::site::Site;

/// Messages listed at once.
const LISTED_MAX: u32 = 1_000;

#[tokio::main]
pub async fn failures(arguments: &FeedFailures) -> Result<(), Failure> {
    let site = Site::open(&Config::load(&arguments.config)?).await?;
    let partner = arguments.partner.as_ref();
    let failing = site.store.failing_deliveries(partner, LISTED_MAX).await;
    site.close().await;
    let mut out = io::BufWriter::new(io::stdout().lock());
    for delivery in failing? {
        let line = match arguments.json {
            true => as_json(&delivery).to_string(),
            false => as_text(&delivery),
        };
        writeln!(out, "{line}").context("standard output")?;
    }
    Ok(())
}

fn as_text(delivery: &Delivery) -> String {
    format!(
        "{} {} {:<10} {} ({}): {}, tried {} times, next {}: {}",
        delivery.id,
        delivery.planned_at,
        delivery.partner,
        delivery.channel,
        delivery.form.name(),
        delivery.state.name(),
        delivery.attempt,
        delivery.next_at,
        delivery.error,
    )
}

fn as_json(delivery: &Delivery) -> serde_json::Value {
    json!({
        "id": delivery.id,
        "partner": delivery.partner,
        "channel": delivery.channel,
        "form": delivery.form.name(),
        "state": delivery.state.name(),
        "case": (!delivery.case.is_nil()).then_some(delivery.case),
        "attempts": delivery.attempt,
        "planned_at": delivery.planned_at.to_string(),
        "next_at": delivery.next_at.to_string(),
        "error": delivery.error,
    })
}

#[tokio::main]
pub async fn resend(arguments: &FeedResend) -> Result<(), Failure> {
    let site = Site::open(&Config::load(&arguments.config)?).await?;
    let result = ask_again(&site, arguments).await;
    site.close().await;
    result
}

async fn ask_again(site: &Site, arguments: &FeedResend) -> Result<(), Failure> {
    let id = arguments.id;
    let now = site.store.wall_time().await?;
    let Some(delivery) = site.store.resend(id, now).await? else {
        let text = format!("no message {id} waits: see `noroshi feed failures`");
        return Err(Failure::Failed(anyhow::anyhow!(text)));
    };
    let who = author(arguments.by.as_deref());
    let action = format!("resend {id} to {}", delivery.partner);
    site.store.audit(&who, &action, "asked for again").await?;
    println!(
        "{id} is sent again to {} by {}",
        delivery.partner, delivery.channel
    );
    Ok(())
}
