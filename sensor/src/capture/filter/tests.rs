use std::net::IpAddr;

use noroshi_proto::time::Millis;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::decode::Decoder;
use crate::decode::tunnel::Delivery;
use crate::packet::{Frame, LinkType};

const SNAPLEN: u32 = 256;
/// `BPF_MAXINSNS` of linux/bpf_common.h.
const INSTRUCTIONS_MAX: usize = 4_096;

/// What the kernel makes of a program: how many bytes of the frame pass.
fn run(program: &[Instruction], frame: &[u8]) -> u32 {
    let (mut a, mut x, mut next) = (0, 0, 0);
    loop {
        let Instruction { code, jt, jf, k } = program[next];
        next += 1;
        let jump = |holds| usize::from(if holds { jt } else { jf });
        match code {
            RETURN => return k,
            JUMP => next += k as usize,
            SET_INDEX => x = k,
            EQUAL => next += jump(a == k),
            GREATER => next += jump(a > k),
            AT_LEAST => next += jump(a >= k),
            LOAD_HALF | LOAD_HALF_INDEXED | LOAD_WORD_INDEXED => {
                let at = k + if code == LOAD_HALF { 0 } else { x };
                let bytes = if code == LOAD_WORD_INDEXED { 4 } else { 2 };
                let Some(read) = frame.get(at as usize..at as usize + bytes) else {
                    return 0;
                };
                a = read.iter().fold(0, |a, &byte| a << 8 | u32::from(byte));
            }
            other => panic!("no instruction of ours: {other:#x}"),
        }
    }
}

fn passes(program: &[Instruction], frame: &[u8]) -> bool {
    let bytes = run(program, frame);
    assert!(bytes == 0 || bytes == SNAPLEN, "{bytes} bytes");
    bytes > 0
}

fn program(telescope: &Telescope) -> Vec<Instruction> {
    of_telescope(telescope, SNAPLEN).expect("few enough prefixes")
}

fn telescope(prefixes: &[&str]) -> Telescope {
    let prefixes: Vec<IpNet> = prefixes
        .iter()
        .map(|prefix| prefix.parse().unwrap())
        .collect();
    Telescope::new(&prefixes)
}

/// An Ethernet frame with these tags, then this type and what it names.
fn frame(tags: &[u16], ethertype: u16, network: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    for tag in tags {
        frame.extend(tag.to_be_bytes());
        frame.extend([0x20, 7]);
    }
    frame.extend(ethertype.to_be_bytes());
    frame.extend(network);
    frame
}

/// A UDP datagram to `target`, and its type.
fn datagram(target: IpAddr) -> (u16, Vec<u8>) {
    let udp = [0x9c, 0x40, 0, 53, 0, 8, 0, 0];
    let mut bytes;
    let ethertype = match target {
        IpAddr::V4(target) => {
            bytes = vec![0x45, 0, 0, 28, 0, 7, 0x40, 0, 52, 17, 0, 0, 203, 0, 113, 7];
            bytes.extend(target.octets());
            0x0800
        }
        IpAddr::V6(target) => {
            bytes = vec![0x60, 0, 0, 0, 0, 8, 17, 60];
            bytes.extend([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]);
            bytes.extend(target.octets());
            0x86dd
        }
    };
    bytes.extend(udp);
    (ethertype, bytes)
}

fn to(target: IpAddr, tags: &[u16]) -> Vec<u8> {
    let (ethertype, bytes) = datagram(target);
    frame(tags, ethertype, &bytes)
}

fn decodes(telescope: &Telescope, bytes: &[u8]) -> bool {
    let frame = Frame {
        seen_at: Millis(0),
        link: LinkType(1),
        bytes,
        wire_bytes: bytes.len() as u32,
    };
    let decoder = Decoder::new(telescope.clone(), Delivery::Direct);
    decoder.decode(&frame).is_ok()
}

fn v4() -> impl Strategy<Value = IpNet> {
    (any::<u32>(), 0..=32_u8).prop_map(|(address, length)| {
        let address = IpAddr::V4(Ipv4Addr::from_bits(address));
        IpNet::new(address, length).unwrap().trunc()
    })
}

fn v6() -> impl Strategy<Value = IpNet> {
    (any::<u128>(), 0..=128_u8).prop_map(|(address, length)| {
        let address = IpAddr::V6(Ipv6Addr::from_bits(address));
        IpNet::new(address, length).unwrap().trunc()
    })
}

/// Prefixes, and a target at an edge of one, beside it, or anywhere.
fn watched_and_target() -> impl Strategy<Value = (Telescope, IpAddr)> {
    let prefixes = vec(prop_oneof![v4(), v6()], 1..24);
    let place = (any::<prop::sample::Index>(), 0..6_u8, any::<u128>());
    (prefixes, place).prop_map(|(prefixes, (which, place, random))| {
        let prefix = which.get(&prefixes);
        let target = match (prefix.network(), prefix.broadcast()) {
            (IpAddr::V4(first), IpAddr::V4(last)) => {
                let (first, last, random) = (first.to_bits(), last.to_bits(), random as u32);
                let within = first | (random & (last ^ first));
                let before = first.wrapping_sub(1);
                let after = last.wrapping_add(1);
                let all = [first, last, within, before, after, random];
                IpAddr::V4(Ipv4Addr::from_bits(all[usize::from(place)]))
            }
            (IpAddr::V6(first), IpAddr::V6(last)) => {
                let (first, last) = (first.to_bits(), last.to_bits());
                let within = first | (random & (last ^ first));
                let before = first.wrapping_sub(1);
                let after = last.wrapping_add(1);
                // One bit off in any word is what a comparison of words would miss.
                let near = within ^ (1 << (random % 128));
                let all = [first, last, within, before, after, near];
                IpAddr::V6(Ipv6Addr::from_bits(all[usize::from(place)]))
            }
            _ => unreachable!("one prefix, one family"),
        };
        (Telescope::new(&prefixes), target)
    })
}

proptest! {
    /// Behind up to two tags exactly what is addressed to the telescope passes; behind more,
    /// everything.
    #[test]
    fn what_passes_is_addressed_to_the_telescope(
        (telescope, target) in watched_and_target(),
        tags in vec(select(vec![0x8100_u16, 0x88a8, 0x9100]), 0..5),
    ) {
        let passed = passes(&program(&telescope), &to(target, &tags));
        prop_assert_eq!(passed, tags.len() > 2 || telescope.contains(target));
    }

    /// No packet is lost to the filter, whatever the frame looks like and where it was cut.
    #[test]
    fn what_decodes_passes(
        (telescope, target) in watched_and_target(),
        tags in vec(select(vec![0x8100_u16, 0x88a8, 0x9100]), 0..4),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        length in any::<prop::sample::Index>(),
    ) {
        let mut bytes = to(target, &tags);
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let program = program(&telescope);
        for bytes in [&bytes[..], &bytes[..length.index(bytes.len() + 1)]] {
            prop_assert!(passes(&program, bytes) || !decodes(&telescope, bytes));
        }
    }
}

#[test]
fn what_is_wrapped_in_another_way_passes_if_decoding_may_find_ip_in_it() {
    let watched = telescope(&["198.18.0.0/20"]);
    let program = program(&watched);
    let target = "198.18.0.1".parse().unwrap();
    let (_, ip) = datagram(target);
    let behind = |header: &[u8]| [header, &ip].concat();
    let wrapped = [
        (0x8847, behind(&[0, 1, 1, 64])),
        (0x8848, behind(&[0, 1, 1, 64])),
        (0x8864, behind(&[0x11, 0, 0, 1, 0, 30, 0, 0x21])),
        (0x8926, behind(&[0, 1, 0, 1, 8, 0])),
        (0x0024, behind(&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0])),
    ];
    for (ethertype, network) in wrapped {
        for tags in [&[][..], &[0x8100], &[0x88a8, 0x8100]] {
            let bytes = frame(tags, ethertype, &network);
            assert!(decodes(&watched, &bytes), "{ethertype:#06x} is read");
            assert!(passes(&program, &bytes), "{ethertype:#06x} {tags:04x?}");
        }
    }
    // ARP, LLDP, a PPPoE discovery, spanning tree.
    for ethertype in [0x0806, 0x88cc, 0x8863, 0x0026] {
        let bytes = frame(&[], ethertype, &behind(&[0x42, 0x42, 3, 0, 0, 0, 8, 0]));
        assert!(!passes(&program, &bytes), "{ethertype:#06x}");
    }
}

/// What the kernel demands of a program (`bpf_check_classic`).
#[test]
fn the_longest_program_is_one_that_the_kernel_takes() {
    let many: Vec<String> = (0..=FILTERED_PREFIXES_MAX)
        .map(|n| format!("2001:db8:{n:x}:1::8/127"))
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let longest = program(&telescope(&many[1..]));
    assert!(longest.len() <= INSTRUCTIONS_MAX, "{}", longest.len());
    for (index, instruction) in longest.iter().enumerate() {
        let reach = match instruction.code {
            JUMP => instruction.k as usize,
            _ => instruction.jt.max(instruction.jf).into(),
        };
        assert!(index + reach < longest.len(), "{index}: {instruction:?}");
    }
    assert_eq!(longest.last().unwrap().code, RETURN);
    assert_eq!(of_telescope(&telescope(&many), SNAPLEN), None);
}

#[test]
fn neighbours_count_as_one_prefix() {
    let halves: Vec<String> = (0..256).map(|n| format!("10.0.{n}.0/24")).collect();
    let halves: Vec<&str> = halves.iter().map(String::as_str).collect();
    assert_eq!(
        program(&telescope(&halves)),
        program(&telescope(&["10.0.0.0/16"]))
    );
}

#[test]
fn without_a_telescope_everything_passes() {
    let everything = everything(SNAPLEN);
    assert!(passes(&everything, &[]) && passes(&everything, &[0; 60]));
}
