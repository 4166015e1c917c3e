//! How long things took, in classes.

use std::time::Duration;

use crate::text::Text;

/// Upper ends of the classes, in seconds: around the 200 ms that a page or a batch may take, up to
/// what the store may take.
pub const SECONDS: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 10.0, 20.0,
];

/// How long things took.
#[derive(Clone, Debug, Default)]
pub struct Times {
    /// By class; those beyond the last are in `count` alone.
    classes: [u64; SECONDS.len()],
    sum: f64,
    count: u64,
}

impl Times {
    /// Counts one more.
    pub fn took(&mut self, time: Duration) {
        let seconds = time.as_secs_f64();
        if let Some(class) = SECONDS.iter().position(|end| seconds <= *end) {
            self.classes[class] += 1;
        }
        self.sum += seconds;
        self.count += 1;
    }

    /// Writes the values of a histogram; `labels` without braces, or nothing.
    pub fn write(&self, text: &mut Text, name: &str, labels: &str) {
        let comma = if labels.is_empty() { "" } else { "," };
        let mut below = 0;
        for (end, count) in SECONDS.iter().zip(self.classes) {
            below += count;
            let labels = format!("{{{labels}{comma}le=\"{end}\"}}");
            text.value(&format!("{name}_bucket"), &labels, below);
        }
        let all = format!("{{{labels}{comma}le=\"+Inf\"}}");
        text.value(&format!("{name}_bucket"), &all, self.count);
        let braced = match labels {
            "" => String::new(),
            labels => format!("{{{labels}}}"),
        };
        text.value(&format!("{name}_sum"), &braced, self.sum);
        text.value(&format!("{name}_count"), &braced, self.count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_time_counts_in_its_class_and_in_all_above() {
        let mut times = Times::default();
        for millis in [5, 6, 21_000] {
            times.took(Duration::from_millis(millis));
        }
        let mut text = Text::of("noroshi_test_");
        times.write(&mut text, "seconds", "");
        let text = text.into_string();
        for line in [
            "noroshi_test_seconds_bucket{le=\"0.005\"} 1\n",
            "noroshi_test_seconds_bucket{le=\"0.01\"} 2\n",
            "noroshi_test_seconds_bucket{le=\"20\"} 2\n",
            "noroshi_test_seconds_bucket{le=\"+Inf\"} 3\n",
            "noroshi_test_seconds_sum 21.011\n",
            "noroshi_test_seconds_count 3\n",
        ] {
            assert!(text.contains(line), "{line} not in {text}");
        }
    }
}
