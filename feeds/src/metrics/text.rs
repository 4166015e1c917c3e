//! What is told of it.

use noroshi_metrics::held;
use noroshi_metrics::text::Text;
use noroshi_proto::time::Millis;

use super::{Metrics, Way};
use crate::retry::Outcome;

impl Metrics {
    /// All of it, as it stands at `now`.
    pub fn text(&self, now: Millis) -> String {
        let mut text = Text::of("noroshi_feeds_");
        self.answers.write(&mut text);
        self.connections.write(&mut text);
        let help = "Streams of alerts that are open.";
        text.single("streams_open", "gauge", help, self.seats.count());
        self.write_deliveries(&mut text);
        self.write_queues(&mut text, now);
        text.into_string()
    }

    fn write_deliveries(&self, text: &mut Text) {
        let help = "Attempts to deliver a message, by kind of channel and outcome.";
        text.family("delivery_attempts_total", "counter", help);
        let deliveries = held(&self.deliveries);
        for way in Way::ALL {
            for outcome in Outcome::NAMES {
                let labels = format!("{{channel=\"{}\",outcome=\"{outcome}\"}}", way.name());
                let count = deliveries.get(&(way, outcome)).copied().unwrap_or_default();
                text.value("delivery_attempts_total", &labels, count);
            }
        }
    }

    fn write_queues(&self, text: &mut Text, now: Millis) {
        let queues: Vec<_> = held(&self.queues).values().copied().collect();
        let of = |way| queues.iter().filter(move |queue| queue.way == way);
        let help =
            "Messages still to be delivered, those for a digest among them, by kind of channel.";
        text.family("deliveries_waiting", "gauge", help);
        for way in Way::ALL {
            let labels = format!("{{channel=\"{}\"}}", way.name());
            let messages: usize = of(way).map(|queue| queue.messages).sum();
            text.value("deliveries_waiting", &labels, messages);
        }
        let help = "Age of the oldest message that is still to be delivered and waits for no digest; 0 where there is none.";
        text.family("oldest_delivery_seconds", "gauge", help);
        for way in Way::ALL {
            let labels = format!("{{channel=\"{}\"}}", way.name());
            let oldest = of(way).filter_map(|queue| queue.oldest).min();
            let age = oldest.map_or(0, |oldest| now.0.saturating_sub(oldest.0));
            text.value("oldest_delivery_seconds", &labels, age as f64 / 1e3);
        }
    }
}
