//! What an interface description block says about the packets that refer to it.

use noroshi_proto::time::Millis;

use crate::capture::file::{ByteOrder, u16_at, u32_at};
use crate::packet::{Frame, LinkType};

const OPTION_END: u16 = 0;
const OPTION_TIME_RESOLUTION: u16 = 9;
const OPTION_TIME_OFFSET: u16 = 14;

/// One interface of a section.
pub(super) struct Interface {
    pub link: LinkType,
    /// The most captured of a frame; `u32::MAX` for no limit.
    pub snaplen: u32,
    ticks_per_second: u128,
    offset_seconds: i64,
}

impl Interface {
    /// Reads the body of an interface description block.
    pub fn read(body: &[u8], order: ByteOrder) -> Result<Self, String> {
        let Some((header, options)) = body.split_at_checked(8) else {
            return Err("an interface description without a link type".into());
        };
        let snaplen = match u32_at(header, 4, order) {
            0 => u32::MAX,
            snaplen => snaplen,
        };
        let mut interface = Self {
            link: LinkType(u16_at(header, 0, order).into()),
            snaplen,
            ticks_per_second: 1_000_000,
            offset_seconds: 0,
        };
        interface.read_options(options, order)?;
        Ok(interface)
    }

    fn read_options(&mut self, mut options: &[u8], order: ByteOrder) -> Result<(), String> {
        while let Some((header, rest)) = options.split_at_checked(4) {
            let (code, length) = (u16_at(header, 0, order), u16_at(header, 2, order));
            if code == OPTION_END {
                return Ok(());
            }
            let Some(value) = rest.get(..length.into()) else {
                return Err(format!("interface option {code} is longer than its block"));
            };
            match (code, value) {
                (OPTION_TIME_RESOLUTION, [resolution]) => {
                    self.ticks_per_second = ticks_per_second(*resolution);
                }
                (OPTION_TIME_OFFSET, value) if value.len() == 8 => {
                    self.offset_seconds = i64_of(value, order);
                }
                (OPTION_TIME_RESOLUTION | OPTION_TIME_OFFSET, _) => {
                    return Err(format!("interface option {code} has {length} bytes"));
                }
                _ => {}
            }
            options = rest
                .get(usize::from(length).next_multiple_of(4)..)
                .unwrap_or_default();
        }
        Ok(())
    }

    /// When the interface's clock showed `ticks`; [`Frame::NO_TIME`] before 1970.
    pub fn time(&self, ticks: u64) -> Millis {
        if self.ticks_per_second == 1_000_000 && self.offset_seconds == 0 {
            return Millis(ticks / 1_000);
        }
        let millis = u128::from(ticks) * 1_000 / self.ticks_per_second;
        i128::try_from(millis)
            .ok()
            .map(|millis| millis + i128::from(self.offset_seconds) * 1_000)
            .and_then(|millis| u64::try_from(millis).ok())
            .map_or(Frame::NO_TIME, Millis)
    }
}

/// The highest bit chooses between powers of 2 and of 10. Resolutions too fine for the
/// number make every tick a time before the first millisecond.
fn ticks_per_second(resolution: u8) -> u128 {
    let exponent = u32::from(resolution & 0x7f);
    if resolution & 0x80 != 0 {
        return 1 << exponent;
    }
    10u128.checked_pow(exponent).unwrap_or(u128::MAX)
}

fn i64_of(value: &[u8], order: ByteOrder) -> i64 {
    let (first, second) = (u32_at(value, 0, order), u32_at(value, 4, order));
    let (high, low) = match order {
        ByteOrder::Little => (second, first),
        ByteOrder::Big => (first, second),
    };
    (u64::from(high) << 32 | u64::from(low)) as i64
}
