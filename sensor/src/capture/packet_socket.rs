//! A packet socket of Linux with a receive ring, TPACKET_V3 (packet(7); the kernel's
//! Documentation/networking/packet_mmap.rst): the one file of the sensor with `unsafe`.
//!
//! # Promises
//! - Nothing is received before [`PacketSocket::bind`], so nothing slips past the filter, and
//!   there is no way to send.
//! - The ring's memory is shared with the kernel. A block is lent by [`PacketSocket::block`]
//!   only while it is ours, and goes back when the loan ends; nothing else reads that memory.

#![allow(
    unsafe_code,
    reason = "packet(7) has no safe wrapper in the standard library"
)]

use std::ffi::CString;
use std::io;
use std::mem::{self, MaybeUninit, offset_of};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::atomic::{AtomicU32, Ordering};

use libc::c_int;

use super::filter::Instruction;

/// The size and the patience of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Bytes of one block, a multiple of a page.
    pub block_bytes: usize,
    /// Blocks.
    pub blocks: usize,
    /// After how long the kernel hands over a block that is not full, in milliseconds.
    pub timeout_millis: u32,
}

/// What the kernel counted since it was asked last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Frames that passed the filter, dropped ones included.
    pub frames: u32,
    /// Frames for which the ring had no room.
    pub dropped: u32,
    /// How often the ring became full.
    pub freezes: u32,
}

/// A packet socket, and the ring it receives into.
pub struct PacketSocket {
    socket: OwnedFd,
    memory: NonNull<u8>,
    layout: Layout,
    /// The block that is filled next, or ours already.
    next: usize,
}

// SAFETY: the memory belongs to this value alone, beside the kernel, which does not care
// about threads.
unsafe impl Send for PacketSocket {}

impl PacketSocket {
    /// A socket with a ring of this layout, that passes what `program` lets through, and
    /// nothing that this machine sends.
    ///
    /// # Errors
    /// What the system says: no right (CAP_NET_RAW), no memory, or a kernel older than 4.20.
    pub fn open(layout: Layout, program: &[Instruction]) -> io::Result<Self> {
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        // With protocol 0 it receives nothing until it is bound to another.
        // SAFETY: no memory is passed.
        let socket = checked(unsafe { libc::socket(libc::AF_PACKET, kind, 0) })?;
        // SAFETY: the descriptor is new, open, and nobody else's.
        let socket = unsafe { OwnedFd::from_raw_fd(socket) };
        attach(&socket, program)?;
        let version = libc::tpacket_versions::TPACKET_V3 as c_int;
        set_packet(&socket, libc::PACKET_VERSION, &version)?;
        set_packet(&socket, libc::PACKET_IGNORE_OUTGOING, &1_i32)?;
        set_packet(&socket, libc::PACKET_RX_RING, &request(layout))?;
        let memory = map(&socket, layout)?;
        Ok(Self {
            socket,
            memory,
            layout,
            next: 0,
        })
    }

    /// Begins to receive from the interface of this index, all that it sees.
    ///
    /// # Errors
    /// What the system says.
    pub fn bind(&self, index: u32) -> io::Result<()> {
        let membership = libc::packet_mreq {
            mr_ifindex: index.cast_signed(),
            mr_type: libc::PACKET_MR_PROMISC as u16,
            mr_alen: 0,
            mr_address: [0; 8],
        };
        set_packet(&self.socket, libc::PACKET_ADD_MEMBERSHIP, &membership)?;
        let address = libc::sockaddr_ll {
            sll_family: libc::AF_PACKET as u16,
            sll_protocol: (libc::ETH_P_ALL as u16).to_be(),
            sll_ifindex: index.cast_signed(),
            sll_hatype: 0,
            sll_pkttype: 0,
            sll_halen: 0,
            sll_addr: [0; 8],
        };
        // SAFETY: the address is a whole sockaddr_ll, and outlives the call.
        checked(unsafe {
            libc::bind(
                self.socket.as_raw_fd(),
                (&raw const address).cast(),
                length_of::<libc::sockaddr_ll>(),
            )
        })?;
        Ok(())
    }

    /// Passes what `program` lets through from now on, instead of what the one before did.
    ///
    /// # Errors
    /// What the system says; the one before stays.
    pub fn pass(&self, program: &[Instruction]) -> io::Result<()> {
        attach(&self.socket, program)
    }

    /// Lends the next block if the kernel has handed it over, and hands it back after.
    pub fn block<T>(&mut self, read: impl FnOnce(&[u8]) -> T) -> Option<T> {
        const STATUS_AT: usize = offset_of!(libc::tpacket_block_desc, hdr)
            + offset_of!(libc::tpacket_hdr_v1, block_status);
        let at = self.next * self.layout.block_bytes;
        // SAFETY: `next` is less than `blocks`, so the block is within the mapping, which lives
        // as long as `self`. Blocks begin at pages, so the status is aligned, and both sides
        // access it atomically.
        let status = unsafe {
            let status = self.memory.add(at + STATUS_AT).cast::<u32>();
            AtomicU32::from_ptr(status.as_ptr())
        };
        if status.load(Ordering::Acquire) & libc::TP_STATUS_USER == 0 {
            return None;
        }
        // SAFETY: as above; and the kernel does not write to a block that is ours, nor does
        // anyone read it but through this loan, which `&mut self` keeps alone.
        let block =
            unsafe { slice::from_raw_parts(self.memory.add(at).as_ptr(), self.layout.block_bytes) };
        let answer = read(block);
        status.store(libc::TP_STATUS_KERNEL, Ordering::Release);
        self.next = (self.next + 1) % self.layout.blocks;
        Some(answer)
    }

    /// What the kernel counted since this was asked last.
    ///
    /// # Errors
    /// What the system says.
    pub fn statistics(&self) -> io::Result<Statistics> {
        let counted: libc::tpacket_stats_v3 =
            get(&self.socket, libc::SOL_PACKET, libc::PACKET_STATISTICS)?;
        Ok(Statistics {
            frames: counted.tp_packets,
            dropped: counted.tp_drops,
            freezes: counted.tp_freeze_q_cnt,
        })
    }

    /// What went wrong with the socket since this was asked last.
    ///
    /// # Errors
    /// It, or what the system says instead.
    pub fn check(&self) -> io::Result<()> {
        match get::<c_int>(&self.socket, libc::SOL_SOCKET, libc::SO_ERROR)? {
            0 => Ok(()),
            error => Err(io::Error::from_raw_os_error(error)),
        }
    }

    /// The address it is bound to: the interface's index, -1 where that is gone, and its kind.
    ///
    /// # Errors
    /// What the system says.
    pub fn address(&self) -> io::Result<libc::sockaddr_ll> {
        let mut address = MaybeUninit::<libc::sockaddr_ll>::zeroed();
        let mut length = length_of::<libc::sockaddr_ll>();
        // SAFETY: there is room for `length` bytes, and both outlive the call.
        checked(unsafe {
            libc::getsockname(
                self.socket.as_raw_fd(),
                address.as_mut_ptr().cast(),
                &raw mut length,
            )
        })?;
        // SAFETY: a sockaddr_ll is integers, of which every bit pattern is one.
        Ok(unsafe { address.assume_init() })
    }

    /// Whether the interface of this name is up.
    ///
    /// # Errors
    /// What the system says: there may be none.
    pub fn is_up(&self, name: &str) -> io::Result<bool> {
        // SAFETY: an ifreq is integers and a union of integers and an address never read here.
        let mut request: libc::ifreq = unsafe { mem::zeroed() };
        // One byte stays 0, which ends the name.
        let room = request.ifr_name.len() - 1;
        for (to, from) in request.ifr_name[..room].iter_mut().zip(name.bytes()) {
            *to = libc::c_char::from_ne_bytes([from]); // signed or not, as the machine has it
        }
        // SAFETY: the request is a whole ifreq and outlives the call, which fills in the flags.
        let flags = unsafe {
            let socket = self.socket.as_raw_fd();
            checked(libc::ioctl(
                socket,
                libc::SIOCGIFFLAGS as _,
                &raw mut request,
            ))?;
            request.ifr_ifru.ifru_flags
        };
        Ok(c_int::from(flags) & libc::IFF_UP != 0)
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for PacketSocket {
    fn drop(&mut self) {
        // SAFETY: exactly what `map` mapped, and no loan outlives `self`.
        unsafe { libc::munmap(self.memory.as_ptr().cast(), bytes(self.layout)) };
    }
}

/// The index of the interface of this name.
///
/// # Errors
/// There is none.
pub fn index_of(name: &str) -> io::Result<u32> {
    let name = CString::new(name).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: the name ends with a 0 byte and outlives the call.
    match unsafe { libc::if_nametoindex(name.as_ptr()) } {
        0 => Err(io::Error::last_os_error()),
        index => Ok(index),
    }
}

fn attach(socket: &OwnedFd, program: &[Instruction]) -> io::Result<()> {
    let mut instructions: Vec<_> = program
        .iter()
        .map(|instruction| libc::sock_filter {
            code: instruction.code,
            jt: instruction.jt,
            jf: instruction.jf,
            k: instruction.k,
        })
        .collect();
    let program = libc::sock_fprog {
        len: u16::try_from(instructions.len()).map_err(|_| io::ErrorKind::InvalidInput)?,
        filter: instructions.as_mut_ptr(), // which lives until the end; the kernel copies it
    };
    set(socket, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program)
}

fn request(layout: Layout) -> libc::tpacket_req3 {
    /// TPACKET_V3 packs frames one behind the other; this only has to divide a block.
    const FRAME_BYTES: usize = 2_048;
    libc::tpacket_req3 {
        tp_block_size: layout.block_bytes as u32,
        tp_block_nr: layout.blocks as u32,
        tp_frame_size: FRAME_BYTES as u32,
        tp_frame_nr: (bytes(layout) / FRAME_BYTES) as u32,
        tp_retire_blk_tov: layout.timeout_millis,
        tp_sizeof_priv: 0,
        tp_feature_req_word: 0,
    }
}

fn bytes(layout: Layout) -> usize {
    layout.block_bytes * layout.blocks
}

fn map(socket: &OwnedFd, layout: Layout) -> io::Result<NonNull<u8>> {
    // SAFETY: a new mapping at an address the kernel chooses touches no other memory.
    let memory = unsafe {
        libc::mmap(
            ptr::null_mut(),
            bytes(layout),
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED,
            socket.as_raw_fd(),
            0,
        )
    };
    if memory == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    NonNull::new(memory.cast()).ok_or_else(|| io::ErrorKind::OutOfMemory.into())
}

fn set_packet<T: Copy>(socket: &OwnedFd, option: c_int, value: &T) -> io::Result<()> {
    set(socket, libc::SOL_PACKET, option, value)
}

fn set<T: Copy>(socket: &OwnedFd, level: c_int, option: c_int, value: &T) -> io::Result<()> {
    // SAFETY: the kernel reads as many bytes as `value` has, which outlives the call.
    checked(unsafe {
        let value = ptr::from_ref(value).cast();
        libc::setsockopt(socket.as_raw_fd(), level, option, value, length_of::<T>())
    })?;
    Ok(())
}

/// Only for options that are integers, or made of them.
fn get<T: Copy>(socket: &OwnedFd, level: c_int, option: c_int) -> io::Result<T> {
    let mut value = MaybeUninit::<T>::zeroed();
    let mut length = length_of::<T>();
    // SAFETY: there is room for `length` bytes, and both outlive the call.
    checked(unsafe {
        let value = value.as_mut_ptr().cast();
        libc::getsockopt(socket.as_raw_fd(), level, option, value, &raw mut length)
    })?;
    // SAFETY: every bit pattern is an integer, and what the kernel did not write is 0.
    Ok(unsafe { value.assume_init() })
}

fn length_of<T>() -> libc::socklen_t {
    size_of::<T>() as libc::socklen_t
}

fn checked(answer: c_int) -> io::Result<c_int> {
    match answer {
        -1 => Err(io::Error::last_os_error()),
        answer => Ok(answer),
    }
}
