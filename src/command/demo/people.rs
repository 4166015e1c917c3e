//! The console of the demo: on loopback, with passwords that are drawn for it and printed.

use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::Context;
use noroshi_console::user::{Role, Users, with_password};
use noroshi_console::{Console, Settings, Way};
use noroshi_store::registry::Registry;
use tokio::sync::watch::Receiver;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::failure::Failure;
use crate::site::Site;

/// Serves the console until the sender of `left` is gone, and says where it is.
pub(super) async fn receive(
    site: &Site,
    registry: &Arc<Registry>,
    mut left: Receiver<()>,
) -> Result<JoinHandle<()>, Failure> {
    let settings = Settings {
        listen: (Ipv4Addr::LOCALHOST, 0).into(),
        way: Way::Loopback,
        feeds_url: "http://127.0.0.1:7615".to_owned(),
        identities: None,
        provider: None,
        authorities: None,
        metrics: Arc::default(),
    };
    let mut roles = vec![("operator".to_owned(), Role::Operator)];
    let first = registry
        .partners()
        .first()
        .map(|partner| partner.id.clone());
    roles.extend(first.map(|partner| (partner.to_string(), Role::Partner(partner))));
    let (mut users, mut told) = (Vec::new(), Vec::new());
    for (name, role) in roles {
        let password = Uuid::new_v4().simple().to_string();
        let salt = Uuid::new_v4().into_bytes();
        let user = with_password(&name, role, &password, &salt);
        users.push(
            user.map_err(anyhow::Error::msg)
                .context("a user of the demo")?,
        );
        told.push((name, password));
    }
    let store = site.store.clone();
    let console = Console::open(&settings, store, Arc::clone(registry), Users::of(users)).await?;
    println!(
        "The console is at http://{}/ until the demo ends. Sign in as",
        console.address()
    );
    for (name, password) in told {
        println!("    {name:<10} {password}");
    }
    println!();
    let gone = async move { while left.changed().await.is_ok() {} };
    Ok(tokio::spawn(console.run(gone)))
}
