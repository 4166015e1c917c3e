//! What the kernel lets through, as a program for its classic packet filter (BPF).
//!
//! The program looks behind up to two VLAN tags for IP, and there at the target. What is
//! wrapped deeper or in another way passes whole, and decoding judges it.
//!
//! ```text
//! type at 12 ─► tag? ─► type at 16 ─► tag? ─► type at 20 ─► IPv4: target within a prefix?
//!                                                           IPv6: target within a prefix?
//!                                                           wrapped, SNAP: passes
//!                                                           anything else: dropped
//! ```
//! The kernel takes the outer tag off before the filter sees a frame; the program is right
//! with it and without. A load behind the end of a frame drops it: nothing could be decoded.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv6Net};

use crate::telescope::Telescope;

/// Prefixes a program names, neighbours joined. Each costs every frame a comparison or two,
/// and the kernel allows 4,096 instructions and, before Linux 6.7, 20 KiB of them.
pub const FILTERED_PREFIXES_MAX: usize = 128;

/// One instruction, as the kernel takes it (`struct sock_filter` of linux/filter.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// What is done.
    pub code: u16,
    /// Instructions skipped where a comparison holds.
    pub jt: u8,
    /// Instructions skipped where it does not.
    pub jf: u8,
    /// The operand.
    pub k: u32,
}

// Codes of linux/bpf_common.h: class, size and mode, or class, operation and operand.
/// A = the 16 bits at `k`.
pub const LOAD_HALF: u16 = 0x28;
/// A = the 16 bits at X + `k`.
pub const LOAD_HALF_INDEXED: u16 = 0x48;
/// A = the 32 bits at X + `k`.
pub const LOAD_WORD_INDEXED: u16 = 0x40;
/// X = `k`.
pub const SET_INDEX: u16 = 0x01;
/// Skips `k` instructions.
pub const JUMP: u16 = 0x05;
/// Whether A = `k`.
pub const EQUAL: u16 = 0x15;
/// Whether A > `k`.
pub const GREATER: u16 = 0x25;
/// Whether A >= `k`.
pub const AT_LEAST: u16 = 0x35;
/// Ends: the first `k` bytes of the frame pass, with 0 none does.
pub const RETURN: u16 = 0x06;

const IPV4: u32 = 0x0800;
const IPV6: u32 = 0x86dd;
/// 802.1Q, 802.1ad, and the latter's number before it had one.
const TAGS: [u32; 3] = [0x8100, 0x88a8, 0x9100];
/// A third tag, VN-Tag, MPLS unicast and multicast, PPPoE: decoding looks into these.
const WRAPPED: [u32; 7] = [0x8100, 0x88a8, 0x9100, 0x8926, 0x8847, 0x8848, 0x8864];
/// Below this an Ethernet type is a length (IEEE 802.3).
const ETHERTYPE_MIN: u32 = 0x0600;
/// Where the outermost type stands in an Ethernet frame, and what it names begins.
const TYPE_AT: u32 = 12;
const NETWORK_AT: u32 = 14;
/// Where the target stands in IP.
const TARGET_AT_V4: u32 = NETWORK_AT + 16;
const TARGET_AT_V6: u32 = NETWORK_AT + 24;

/// Lets the first `snaplen` bytes of every frame through.
pub fn everything(snaplen: u32) -> Vec<Instruction> {
    vec![instruction(RETURN, snaplen)]
}

/// Lets through the first `snaplen` bytes of what is addressed to `telescope`, and of what is
/// wrapped. `None` where the telescope has more than [`FILTERED_PREFIXES_MAX`] prefixes.
pub fn of_telescope(telescope: &Telescope, snaplen: u32) -> Option<Vec<Instruction>> {
    let prefixes = IpNet::aggregate(&telescope.prefixes().to_vec());
    if prefixes.len() > FILTERED_PREFIXES_MAX {
        return None;
    }
    let (mut v4, mut v6) = (vec![load_word(TARGET_AT_V4)], Vec::new());
    for prefix in &prefixes {
        match prefix {
            IpNet::V4(prefix) => {
                let (first, last) = (prefix.network(), prefix.broadcast());
                let tests = within(first.to_bits(), last.to_bits());
                v4.extend(all_hold(tests, snaplen));
            }
            IpNet::V6(prefix) => v6.extend(all_hold(words_within(prefix), snaplen)),
        }
    }
    let mut program = ethertype();
    program.extend(where_type_is(IPV4, v4));
    program.extend(where_type_is(IPV6, v6));
    program.extend(wrapped(snaplen));
    Some(program)
}

/// Leaves the type behind up to two tags in A, and the bytes of these tags in X.
fn ethertype() -> Vec<Instruction> {
    let mut program = vec![instruction(SET_INDEX, 0), instruction(LOAD_HALF, TYPE_AT)];
    // Three comparisons, a jump, and what a tag leads to.
    const STEP: u32 = 6;
    for (tag_bytes, further) in [(4, STEP), (8, 0)] {
        program.extend(
            TAGS.iter()
                .zip([3, 2, 1])
                .map(|(&tag, to_load)| Instruction {
                    code: EQUAL,
                    jt: to_load,
                    jf: 0,
                    k: tag,
                }),
        );
        program.extend([
            instruction(JUMP, 2 + further),
            instruction(SET_INDEX, tag_bytes),
            instruction(LOAD_HALF_INDEXED, TYPE_AT),
        ]);
    }
    program
}

/// What is done with one type; it is dropped where that comes to no end.
fn where_type_is(ethertype: u32, mut then: Vec<Instruction>) -> Vec<Instruction> {
    then.push(instruction(RETURN, 0));
    let mut program = vec![
        Instruction {
            code: EQUAL,
            jt: 1,
            jf: 0,
            k: ethertype,
        },
        instruction(JUMP, then.len() as u32),
    ];
    program.extend(then);
    program
}

/// The end of the program: the type in A is neither IPv4 nor IPv6.
fn wrapped(snaplen: u32) -> Vec<Instruction> {
    const LLC_AND_SNAP: u32 = 0xaaaa_0300; // RFC 1042; then two bytes 0 and a type
    let mut program = Vec::new();
    for (index, &k) in WRAPPED.iter().enumerate() {
        program.push(passing(k, index));
    }
    let length = Instruction {
        code: AT_LEAST,
        jt: 5,
        jf: 0,
        k: ETHERTYPE_MIN,
    };
    let snap = Instruction {
        code: EQUAL,
        jt: 0,
        jf: 3,
        k: LLC_AND_SNAP,
    };
    program.extend([
        length,
        load_word(NETWORK_AT),
        snap,
        load_word(NETWORK_AT + 4),
    ]);
    for k in [IPV4, IPV6] {
        program.push(passing(k, program.len()));
    }
    program.extend([instruction(RETURN, 0), instruction(RETURN, snaplen)]);
    program
}

/// The `index`th instruction of [`wrapped`]: the frame passes where the type is `k`.
fn passing(k: u32, index: usize) -> Instruction {
    /// Of the last instruction, by which frames pass, less one.
    const PASS: usize = WRAPPED.len() + 6;
    Instruction {
        code: EQUAL,
        jt: (PASS - index) as u8,
        jf: 0,
        k,
    }
}

/// One step towards knowing whether a target is within a prefix.
#[derive(Clone, Copy)]
enum Test {
    /// The next 32 bits of the target are looked at.
    Load(u32),
    /// Fails where A is another number.
    Equal(u32),
    /// Fails where A is less.
    AtLeast(u32),
    /// Fails where A is more.
    AtMost(u32),
}

fn within(first: u32, last: u32) -> Vec<Test> {
    if first == last {
        return vec![Test::Equal(first)];
    }
    vec![Test::AtLeast(first), Test::AtMost(last)]
}

fn words_within(prefix: &Ipv6Net) -> Vec<Test> {
    let words = |address: Ipv6Addr| {
        let octets = address.octets();
        [0, 4, 8, 12].map(|at| {
            let word = [octets[at], octets[at + 1], octets[at + 2], octets[at + 3]];
            Ipv4Addr::from(word).to_bits()
        })
    };
    let bounds = words(prefix.network())
        .into_iter()
        .zip(words(prefix.broadcast()));
    let named = usize::from(prefix.prefix_len()).div_ceil(32);
    let mut tests = Vec::new();
    for (at, (first, last)) in (TARGET_AT_V6..).step_by(4).zip(bounds).take(named) {
        tests.push(Test::Load(at));
        tests.extend(within(first, last));
    }
    tests
}

/// The frame passes where no test fails; else what follows goes on.
fn all_hold(tests: Vec<Test>, snaplen: u32) -> Vec<Instruction> {
    let count = tests.len();
    let mut program: Vec<Instruction> = tests
        .into_iter()
        .enumerate()
        .map(|(index, test)| {
            let past = (count - index) as u8; // at most 3 tests for each of 4 words
            let (code, jt, jf, k) = match test {
                Test::Load(at) => return load_word(at),
                Test::Equal(k) => (EQUAL, 0, past, k),
                Test::AtLeast(k) => (AT_LEAST, 0, past, k),
                Test::AtMost(k) => (GREATER, past, 0, k),
            };
            Instruction { code, jt, jf, k }
        })
        .collect();
    program.push(instruction(RETURN, snaplen));
    program
}

fn load_word(at: u32) -> Instruction {
    instruction(LOAD_WORD_INDEXED, at)
}

fn instruction(code: u16, k: u32) -> Instruction {
    Instruction {
        code,
        jt: 0,
        jf: 0,
        k,
    }
}

#[cfg(test)]
mod tests;
