//! Which telescope address a packet came to, without saying which.
//!
//! # What leaves the sensor
//! - Telescopes of at most 65,536 IPv4 addresses: the address's place in the telescope, sent
//!   through a permutation of 16 bits drawn from the key. Different targets stay different,
//!   so counting them is exact.
//! - Larger ones, and those with IPv6: a keyed 32-bit hash of the address (SipHash-2-4,
//!   Aumasson and Bernstein 2012, cut to 32 bits). Two targets of one flow collide with
//!   probability 2^-32.
//!
//! # What that protects, and what not
//! Whoever reads batches, the store or a feed learns neither which addresses are watched nor
//! which were hit, as long as the key stays on the sensor: the permutation is one of 65,536!,
//! the hash a pseudo-random function. The key is all there is: 16 bits can be tried in no
//! time, so whoever has it, or can send packets to addresses of their choice *and* read what
//! the centre stored of them, learns the mask of every address they tried. Equal targets of
//! one sensor stay recognisable as equal; without that nothing could be merged. In replay
//! the key is made from the sensor's id and protects nothing: the capture is at hand.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use noroshi_proto::id::SensorId;
use noroshi_proto::sample::TargetBits;

use crate::telescope::Telescope;

/// What a sensor masks targets with, and never tells.
#[derive(Clone)]
pub struct MaskKey([u64; 2]);

impl MaskKey {
    /// From 16 random bytes that the sensor keeps.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        let number = u128::from_le_bytes(bytes);
        Self([number as u64, (number >> 64) as u64])
    }

    /// For replay: the same sensor masks the same targets alike every time.
    pub fn from_sensor_id(sensor: &SensorId) -> Self {
        let words: Vec<u64> = sensor
            .as_str()
            .as_bytes()
            .chunks(8)
            .map(|chunk| {
                chunk
                    .iter()
                    .fold(0, |word, byte| word << 8 | u64::from(*byte))
            })
            .collect();
        Self([0, 1].map(|half| sip_hash([half, 0], &words)))
    }
}

/// Masks the targets of one telescope.
#[derive(Clone)]
pub struct Mask {
    telescope: Telescope,
    key: MaskKey,
    how: How,
}

#[derive(Clone)]
enum How {
    Permuted(Box<[u16; 1 << 16]>),
    Hashed,
}

impl Mask {
    /// Draws the permutation, if the telescope is small enough for one.
    pub fn new(key: &MaskKey, telescope: Telescope) -> Self {
        let is_v4 = |prefix: &IpNet| matches!(prefix, IpNet::V4(_));
        let is_small = telescope.addresses() <= 1 << 16;
        let how = if is_small && telescope.prefixes().iter().all(is_v4) {
            How::Permuted(permutation(key))
        } else {
            How::Hashed
        };
        Self {
            telescope,
            key: key.clone(),
            how,
        }
    }

    /// Monitored dark IPv4 addresses.
    pub fn telescope_addresses(&self) -> u64 {
        self.telescope.addresses()
    }

    /// How wide a masked target is.
    pub fn bits(&self) -> TargetBits {
        match self.how {
            How::Permuted(_) => TargetBits::Sixteen,
            How::Hashed => TargetBits::ThirtyTwo,
        }
    }

    /// The mask of a watched address. (Others are never asked for; they would all be masked
    /// like the first address.)
    pub fn mask(&self, target: IpAddr) -> u32 {
        match target {
            IpAddr::V4(address) => self.mask_v4(address),
            IpAddr::V6(address) => {
                let number = u128::from(address);
                self.hash(&[(number >> 64) as u64, number as u64])
            }
        }
    }

    /// The same, of an IPv4 address.
    #[inline]
    pub fn mask_v4(&self, target: Ipv4Addr) -> u32 {
        match &self.how {
            How::Permuted(places) => {
                let offset = self.telescope.offset(target.into()).unwrap_or_default();
                places[usize::from(offset as u16)].into()
            }
            How::Hashed => self.hash(&[u32::from(target).into()]),
        }
    }

    fn hash(&self, words: &[u64]) -> u32 {
        (sip_hash(self.key.0, words) >> 32) as u32
    }
}

/// A shuffle (Fisher and Yates) whose every step the key decides.
fn permutation(key: &MaskKey) -> Box<[u16; 1 << 16]> {
    let mut places: Vec<u16> = (0..=u16::MAX).collect();
    for last in (1..places.len()).rev() {
        let random = u128::from(sip_hash(key.0, &[last as u64]));
        let chosen = (random * (last as u128 + 1)) >> 64;
        places.swap(last, chosen as usize);
    }
    places
        .try_into()
        .expect("as many as 16 bits can tell apart")
}

/// SipHash-2-4 of a message of whole words.
fn sip_hash(key: [u64; 2], words: &[u64]) -> u64 {
    let mut state = [
        key[0] ^ 0x736f_6d65_7073_6575,
        key[1] ^ 0x646f_7261_6e64_6f6d,
        key[0] ^ 0x6c79_6765_6e65_7261,
        key[1] ^ 0x7465_6462_7974_6573,
    ];
    let length = (words.len() as u64 * 8) << 56;
    for word in words.iter().chain([&length]) {
        state[3] ^= word;
        sip_round(&mut state);
        sip_round(&mut state);
        state[0] ^= word;
    }
    state[2] ^= 0xff;
    for _ in 0..4 {
        sip_round(&mut state);
    }
    state[0] ^ state[1] ^ state[2] ^ state[3]
}

#[inline]
fn sip_round([v0, v1, v2, v3]: &mut [u64; 4]) {
    *v0 = v0.wrapping_add(*v1);
    *v1 = v1.rotate_left(13) ^ *v0;
    *v0 = v0.rotate_left(32);
    *v2 = v2.wrapping_add(*v3);
    *v3 = v3.rotate_left(16) ^ *v2;
    *v0 = v0.wrapping_add(*v3);
    *v3 = v3.rotate_left(21) ^ *v0;
    *v2 = v2.wrapping_add(*v1);
    *v1 = v1.rotate_left(17) ^ *v2;
    *v2 = v2.rotate_left(32);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    #[allow(deprecated, reason = "an independent SipHash-2-4 to compare with")]
    use std::hash::{Hasher, SipHasher};

    use super::*;

    fn mask(prefixes: &[&str], key: u8) -> Mask {
        let prefixes: Vec<IpNet> = prefixes.iter().map(|p| p.parse().unwrap()).collect();
        Mask::new(&MaskKey::from_bytes([key; 16]), Telescope::new(&prefixes))
    }

    #[test]
    #[allow(deprecated, reason = "an independent SipHash-2-4 to compare with")]
    fn the_hash_is_siphash() {
        for length in 0..9 {
            let words: Vec<u64> = (0..length)
                .map(|word| word * 0x0123_4567_89ab_cdef)
                .collect();
            let mut reference = SipHasher::new_with_keys(7, 8);
            words
                .iter()
                .for_each(|word| reference.write(&word.to_le_bytes()));
            assert_eq!(sip_hash([7, 8], &words), reference.finish());
        }
    }

    #[test]
    fn a_small_telescope_keeps_its_targets_apart() {
        let mask = mask(&["198.18.0.0/17", "203.0.113.0/24", "198.18.128.0/18"], 1);
        assert_eq!(mask.bits(), TargetBits::Sixteen);
        let targets = (0..(1 << 15) + (1 << 14)).map(|low| 0xc612_0000_u32 + low);
        let masked: BTreeSet<u32> = targets
            .clone()
            .map(|t| mask.mask(t.to_be_bytes().into()))
            .collect();
        assert_eq!(masked.len(), targets.count());
        assert!(masked.last().is_some_and(|highest| *highest < 1 << 16));
    }

    #[test]
    fn large_telescopes_and_ipv6_are_hashed() {
        assert_eq!(mask(&["198.18.0.0/16"], 1).bits(), TargetBits::Sixteen);
        assert_eq!(mask(&["198.18.0.0/15"], 1).bits(), TargetBits::ThirtyTwo);
        assert_eq!(
            mask(&["198.18.0.0/24", "2001:db8::/64"], 1).bits(),
            TargetBits::ThirtyTwo
        );
    }

    #[test]
    fn another_key_masks_otherwise() {
        let differs = |prefix: &str| {
            let (one, other) = (mask(&[prefix], 1), mask(&[prefix], 2));
            let targets = (0..256u32).map(|low| IpAddr::from((0xc612_0000 + low).to_be_bytes()));
            targets
                .filter(|target| one.mask(*target) != other.mask(*target))
                .count()
        };
        assert!(differs("198.18.0.0/16") > 250);
        assert!(differs("198.18.0.0/15") > 250);
    }

    #[test]
    fn replays_of_one_sensor_mask_alike() {
        let key = |name| MaskKey::from_sensor_id(&SensorId::new(name).unwrap()).0;
        assert_eq!(key("north-1"), key("north-1"));
        assert_ne!(key("north-1"), key("north-2"));
    }
}
