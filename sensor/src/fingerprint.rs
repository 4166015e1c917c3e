//! Which tools and malware write such headers.
//!
//! A match is evidence about a source only in numbers: 16-bit rules match one random packet
//! in 65,536. The centre judges them (at least 3 packets, 90 % agreement); the sensor counts
//! them per packet, because sequence numbers and IP ids never leave it.

use noroshi_proto::flow::OptionLayout;
use noroshi_proto::traffic::Traffic;

use crate::packet::MarkBits;

/// `ip.id` of ZMap before 4.1.0 (its CHANGELOG, 2024-03-21), for probes of every transport.
const ZMAP_ID: u16 = 54_321;
/// Initial time-to-live of the common systems is at most 128; above 200 the sender began
/// with 255, as masscan and many stateless senders do (Hiesgen et al., Spoki, 2022).
const IRREGULAR_TTL: u8 = 200;
/// Systems that begin with 64, and tools that pretend to, arrive with at most this.
const UNIX_TTL: u8 = 64;
/// Window of ZMap from 4.1.1 (`module_tcp_synscan.c`).
const ZMAP_MODERN_WINDOW: u16 = 65_535;
/// Window of nmap -sS, and of masscan.
const NMAP_WINDOW: u16 = 1_024;

/// The part of an IPv4 header that fingerprints look at.
#[derive(Clone, Copy, Debug)]
pub struct Ipv4Facts {
    /// Identification.
    pub id: u16,
    /// Whether it must not be fragmented.
    pub dont_fragment: bool,
    /// Target address as a number.
    pub target: u32,
}

/// The part of a SYN that fingerprints look at.
#[derive(Clone, Copy, Debug)]
pub struct Syn {
    /// Sequence number.
    pub sequence: u32,
    /// Port asked for.
    pub target_port: u16,
    /// Window.
    pub window: u16,
    /// Time-to-live or hop limit.
    pub ttl: u8,
    /// Its options.
    pub options: OptionLayout,
}

/// What a SYN matches. `ipv4` is `None` for IPv6, where the rules on `ip.id`, DF and the
/// target's 32 bits do not apply.
#[inline(always)]
pub fn of_syn(syn: &Syn, ipv4: Option<&Ipv4Facts>) -> MarkBits {
    let mut marks = MarkBits::SYN;
    let mut is_masscan = false;
    if let Some(ip) = ipv4 {
        // bot/scanner.c of the leaked source: `tcph->seq = iph->daddr`.
        marks |= mark(MarkBits::MIRAI, syn.sequence == ip.target);
        marks |= mark(MarkBits::ZMAP, ip.id == ZMAP_ID);
        // masscan: ip_id = (ip_them ^ port_them ^ seqno) & 0xffff, in every version.
        let relation = ip.target ^ u32::from(syn.target_port) ^ syn.sequence;
        is_masscan = ip.id == relation as u16;
        marks |= mark(MarkBits::MASSCAN, is_masscan);
        marks |= mark(MarkBits::ZMAP_MODERN, is_zmap_modern(syn, ip));
    }
    // `&` and `|` where `&&` and `||` would make the processor guess.
    let is_nmap = (syn.window == NMAP_WINDOW)
        & (syn.options == OptionLayout::Mss)
        & (syn.ttl <= UNIX_TTL)
        & !is_masscan;
    marks |= mark(MarkBits::NMAP, is_nmap);
    let is_irregular = (syn.ttl > IRREGULAR_TTL) | (syn.options == OptionLayout::None);
    marks |= mark(MarkBits::IRREGULAR, is_irregular);
    MarkBits(marks)
}

/// What a packet other than a SYN matches.
#[inline]
pub fn of_other(traffic: Traffic, ipv4: Option<&Ipv4Facts>) -> MarkBits {
    let is_zmap = traffic.is_scan() && ipv4.is_some_and(|ip| ip.id == ZMAP_ID);
    MarkBits(mark(MarkBits::ZMAP, is_zmap))
}

/// Options in Windows' order, but a TTL, window and DF bit that Windows does not send:
/// ZMap's default since 4.1.1.
#[inline]
fn is_zmap_modern(syn: &Syn, ip: &Ipv4Facts) -> bool {
    (syn.options == OptionLayout::Windows)
        & (syn.window == ZMAP_MODERN_WINDOW)
        & (syn.ttl <= UNIX_TTL)
        & !ip.dont_fragment
}

#[inline]
fn mark(bit: u8, matches: bool) -> u8 {
    bit * u8::from(matches)
}

/// The order of a SYN's options: all of them, padding included.
#[inline]
pub fn option_layout(options: &[u8]) -> OptionLayout {
    // Kinds: 1 no-operation, 2 MSS, 3 window scale, 4 SACK permitted, 8 time-stamps.
    match options {
        [] => OptionLayout::None,
        [2, 4, _, _] => OptionLayout::Mss,
        [2, 4, _, _, 4, 2, 8, 10, _, _, _, _, _, _, _, _, 1, 3, 3, _] => OptionLayout::Linux,
        [2, 4, _, _, 1, 3, 3, _, 1, 1, 4, 2] => OptionLayout::Windows,
        [
            2,
            4,
            _,
            _,
            1,
            3,
            3,
            _,
            1,
            1,
            8,
            10,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            4,
            2,
            0,
            0,
        ] => {
            OptionLayout::Bsd // macOS, and ZMap's layout of that name
        }
        [2, 4, _, _, 1, 3, 3, _, 8, 10, _, _, _, _, _, _, _, _, 4, 2] => OptionLayout::Bsd,
        [2, 4, _, _, 1, 3, 3, _, 4, 2, 8, 10, _, _, _, _, _, _, _, _] => {
            OptionLayout::Bsd // FreeBSD
        }
        others => unusual_layout(others),
    }
}

/// Whether options of no known order can be read at all.
fn unusual_layout(mut options: &[u8]) -> OptionLayout {
    let (mut seen, mut mss) = (0, 0);
    loop {
        options = match options {
            [] | [0, ..] => break,
            [1, rest @ ..] => rest,
            [kind, length, ..] if *length >= 2 && options.len() >= usize::from(*length) => {
                seen += 1;
                mss += u32::from(*kind == 2);
                &options[usize::from(*length)..]
            }
            _ => return OptionLayout::Malformed,
        };
    }
    match (seen, mss) {
        (0, _) => OptionLayout::None,
        (1, 1) => OptionLayout::Mss,
        _ => OptionLayout::Other,
    }
}

#[cfg(test)]
mod tests;
