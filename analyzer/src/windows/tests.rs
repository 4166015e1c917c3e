//! Closing, and what comes late.
