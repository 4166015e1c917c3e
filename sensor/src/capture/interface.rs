//! Frames from an interface, by the way that the configuration names. Nothing is ever sent.

use std::time::Duration;

use noroshi_proto::loss::Losses;

#[cfg(feature = "libpcap")]
use super::libpcap::Libpcap;
#[cfg(target_os = "linux")]
use super::ring::Ring;
use super::{Capture, CaptureError, Progress};
use crate::config::{self, Method};
use crate::decode::tunnel::Delivery;
use crate::packet::Frame;
use crate::telescope::Telescope;

/// How long silence lasts before [`Progress::Idle`] is reported.
pub const PATIENCE: Duration = Duration::from_millis(200);
/// How long the kernel may keep a ring block that is not full.
pub const BLOCK_TIMEOUT: Duration = Duration::from_millis(100);

/// An interface that is captured from.
pub enum Interface {
    /// Through our own ring.
    #[cfg(target_os = "linux")]
    Ring(Ring),
    /// Through libpcap.
    #[cfg(feature = "libpcap")]
    Libpcap(Libpcap),
}

impl Interface {
    /// Begins to capture.
    ///
    /// # Errors
    /// There is no such interface, it may not be captured from, or this binary lacks the method.
    pub fn open(
        settings: &config::Capture,
        telescope: &Telescope,
        delivery: Delivery,
    ) -> Result<Self, CaptureError> {
        match settings.method {
            #[cfg(target_os = "linux")]
            Method::Ring => Ring::open(settings, telescope, delivery).map(Self::Ring),
            #[cfg(feature = "libpcap")]
            Method::Pcap => Libpcap::open(settings, telescope, delivery).map(Self::Libpcap),
            #[allow(
                unreachable_patterns,
                reason = "a full build for Linux has every method"
            )]
            method => Err(CaptureError::Open {
                name: settings.interface.clone(),
                reason: method.lacking().unwrap_or_default().to_owned(),
            }),
        }
    }

    /// From now on the kernel passes what is addressed to `telescope` and arrives by `delivery`, as far
    /// as `settings` say that it filters; nothing is missed meanwhile. A filter of libpcap's stays as it is.
    ///
    /// # Errors
    /// The kernel does not take the filter; the one before stays.
    pub fn pass(
        &self,
        settings: &config::Capture,
        telescope: &Telescope,
        delivery: Delivery,
    ) -> Result<(), CaptureError> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Ring(ring) => ring.pass(settings, telescope, delivery),
            #[cfg(feature = "libpcap")]
            Self::Libpcap(_) => Ok(()),
        }
    }

    /// What was lost before it reached us since this was asked last.
    ///
    /// # Errors
    /// The kernel does not say.
    pub fn losses(&mut self) -> Result<Losses, CaptureError> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Ring(ring) => ring.losses(),
            #[cfg(feature = "libpcap")]
            Self::Libpcap(libpcap) => libpcap.losses(),
        }
    }

    /// How long ago the youngest frame may have been captured that was not handed over yet.
    pub const fn delay() -> Duration {
        BLOCK_TIMEOUT
    }
}

impl Capture for Interface {
    fn read(&mut self, sink: impl FnMut(Frame<'_>)) -> Result<Progress, CaptureError> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Ring(ring) => ring.read(sink),
            #[cfg(feature = "libpcap")]
            Self::Libpcap(libpcap) => libpcap.read(sink),
        }
    }
}
