//! Numbers from a seed: repeatable, and no more random than that.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use crate::detectors::distinct::mix;

/// A sequence of numbers that only its seed decides.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The sequence of this seed.
    pub fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// Below `limit`, which is above 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        // biased by less than limit / 2^64
        ((u128::from(self.bits()) * u128::from(limit)) >> 64) as u64
    }

    /// From 0 up to, not including, 1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A pause, in milliseconds, between events at a mean rate per second.
    pub fn pause(&mut self, per_second: f64) -> f64 {
        -(1.0 - self.unit()).ln() / per_second * 1000.0
    }

    /// Any address of a prefix.
    pub fn address(&mut self, prefix: Ipv4Net) -> Ipv4Addr {
        let size = 1u64 << (32 - prefix.prefix_len());
        let offset = u32::try_from(self.below(size)).unwrap_or(0);
        Ipv4Addr::from_bits(prefix.network().to_bits() + offset)
    }

    /// A port that clients send from.
    pub fn client_port(&mut self) -> u16 {
        32_768 + self.below(28_232) as u16
    }
}
