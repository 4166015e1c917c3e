//! What operators read of the console: answers and connections.

use std::sync::Arc;

use noroshi_metrics::answers::Answers;
use noroshi_metrics::connections::Connections;
use noroshi_metrics::text::Text;

/// Everything that is counted, from the start of the program.
#[derive(Debug, Default)]
pub struct Metrics {
    pub(crate) answers: Arc<Answers>,
    pub(crate) connections: Arc<Connections>,
}

impl Metrics {
    /// All of it.
    pub fn text(&self) -> String {
        let mut text = Text::of("noroshi_console_");
        self.answers.write(&mut text);
        self.connections.write(&mut text);
        text.into_string()
    }
}
