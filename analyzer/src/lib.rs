//! Windows, detectors and alerts.
