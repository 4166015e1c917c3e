//! Whose an alert is: asked again by every rendering, although the store was asked for no others.

use noroshi_store::alert::{Alert, Kind};
use noroshi_store::origin::PartnerId;

/// Whether `reader` is the partner that the alert concerns.
pub(crate) fn is_readers(reader: &PartnerId, alert: &Alert) -> bool {
    alert.partner.as_deref() == Some(reader.as_str())
}

/// Whether the alert is about networks. A sensor that fell silent is its owner's own business: it
/// stands in the alerts, and in no format that is passed on.
pub(crate) fn is_about_networks(alert: &Alert) -> bool {
    alert.kind != Kind::SensorSilence
}
