//! Connections of a server.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::open::{Gauge, Open};
use crate::text::Text;

/// Why a connection was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoConnection {
    /// Its address has its share.
    Share,
    /// The system said no: its table of open files is full.
    System,
}

/// Connections, from the start of the program.
#[derive(Debug, Default)]
pub struct Connections {
    open: Gauge,
    /// For want of a share.
    shares: AtomicU64,
    /// For want of the system's leave.
    system: AtomicU64,
}

impl Connections {
    /// Counts a connection for as long as it is open.
    pub fn connected(&self) -> Open {
        self.open.open()
    }

    /// Counts a connection that was not taken.
    pub fn not_connected(&self, why: NoConnection) {
        let count = match why {
            NoConnection::Share => &self.shares,
            NoConnection::System => &self.system,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// `connections_open` and `connections_refused_total`.
    pub fn write(&self, text: &mut Text) {
        let help = "Connections that are open.";
        text.single("connections_open", "gauge", help, &self.open);
        let help = "Connections that were not taken, by reason.";
        text.family("connections_refused_total", "counter", help);
        for (reason, count) in [
            ("address_has_its_share", &self.shares),
            ("system", &self.system),
        ] {
            let labels = format!("{{reason=\"{reason}\"}}");
            text.value(
                "connections_refused_total",
                &labels,
                count.load(Ordering::Relaxed),
            );
        }
    }
}
