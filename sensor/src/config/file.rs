//! The file as an operator writes it.

use std::path::{Path, PathBuf};

use noroshi_proto::id::{ID_BYTES_MAX, SensorId};
use noroshi_proto::time::IntervalLength;
use serde::Deserialize;
use toml::Spanned;

use super::collector::Collector;
use super::size::ByteSize;
use super::update::UpdateSection;
use super::watched::WatchedLine;
use super::{Capture, Check, Config, KernelFilter, Method, Spool};
use crate::capture::file::FRAME_BYTES_MAX;
use crate::decode::tunnel::Delivery;
use crate::identity::IdentityFiles;
use crate::summarise::Memory;

/// Room for the headers a telescope needs, tunnels and quoted headers included.
const SNAPLEN_DEFAULT: u32 = 256;
/// Ethernet, IPv4 and TCP with all its options.
const SNAPLEN_MIN: u32 = 94;
/// Survives a stall of 200 ms at 500,000 packets per second.
const RING_DEFAULT: ByteSize = ByteSize::mebibytes(16);
/// libpcap's own default is 2 MiB, and its limit a C `int`.
const RING_MIN: ByteSize = ByteSize::mebibytes(1);
const RING_MAX: ByteSize = ByteSize::mebibytes(1024);
/// A week of a /16, at 4.5 bytes per packet.
const SPOOL_DEFAULT: ByteSize = ByteSize::mebibytes(16 * 1024);
/// Beside the configuration.
const IDENTITY_DEFAULT: &str = "identity";
/// Below this one busy hour fills it.
const SPOOL_MIN: ByteSize = ByteSize::mebibytes(64);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    sensor: Spanned<String>,
    collector: Spanned<String>,
    interface: Spanned<String>,
    telescope: Spanned<Vec<WatchedLine>>,
    #[serde(default)]
    delivery: Delivery,
    interval_seconds: Option<Spanned<u32>>,
    salt_file: PathBuf,
    identity: Option<Spanned<IdentitySection>>,
    spool: SpoolSection,
    #[serde(default)]
    capture: CaptureSection,
    memory: Option<Spanned<ByteSize>>,
    update: Option<UpdateSection>,
}

/// A directory of the sensor's own, or three files that are brought.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct IdentitySection {
    path: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    ca: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SpoolSection {
    path: PathBuf,
    bytes_max: Option<Spanned<ByteSize>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaptureSection {
    method: Option<Spanned<Method>>,
    ring: Option<Spanned<ByteSize>>,
    snaplen: Option<Spanned<u32>>,
    #[serde(default)]
    kernel_filter: Switch,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Switch {
    #[default]
    On,
    Off,
}

impl File {
    /// `None` where a fault was noted; all of them are.
    pub fn check(self, check: &mut Check<'_>, directory: &Path) -> Option<Config> {
        let sensor = check.keep(self.sensor.span().start, sensor_id(self.sensor.as_ref()));
        let at = self
            .identity
            .as_ref()
            .map_or(0, |section| section.span().start);
        let identity = self.identity.map(Spanned::into_inner).unwrap_or_default();
        let identity = check.keep(at, identity.check(directory));
        let unknown = IdentityFiles::Enrolled(PathBuf::new()); // noted, so nothing comes of it
        let files = identity.as_ref().unwrap_or(&unknown);
        let collector = Collector::with_identity(self.collector.as_ref(), files);
        let collector = check.keep(self.collector.span().start, collector);
        let at = self.telescope.span().start;
        let telescope = check.keep(at, super::telescope(self.telescope.into_inner()));
        let interval_length = match self.interval_seconds {
            Some(seconds) => check.keep(seconds.span().start, interval(*seconds.as_ref())),
            None => Some(IntervalLength::DEFAULT),
        };
        let spool = self.spool.check(check, directory);
        let capture = self.capture.check(check, &self.interface);
        let memory = match self.memory {
            Some(written) => check.keep(written.span().start, memory(*written.as_ref())),
            None => Some(Memory::DEFAULT),
        };
        let update = self.update.map(|section| section.check(check, directory));
        Some(Config {
            sensor: sensor?,
            collector: collector?,
            telescope: telescope?,
            identity: identity?,
            delivery: self.delivery,
            interval_length: interval_length?,
            salt_file: directory.join(self.salt_file),
            spool: spool?,
            capture: capture?,
            memory: memory?,
            update: match update {
                Some(checked) => Some(checked?),
                None => None,
            },
        })
    }
}

fn memory(size: ByteSize) -> Result<Memory, String> {
    let bounds = [Memory::MIN, Memory::MAX].map(|bytes| ByteSize::mebibytes((bytes >> 20) as u64));
    let within = size
        .at_least(bounds[0])
        .and_then(|size| size.at_most(bounds[1]));
    let size = within.map_err(|fault| format!("memory {fault}"))?;
    Memory::new(size.bytes()).ok_or_else(|| "memory is out of bounds".to_owned())
}

impl IdentitySection {
    fn check(self, directory: &Path) -> Result<IdentityFiles, String> {
        match (self.path, self.certificate, self.key, self.ca) {
            (path, None, None, None) => {
                let path = path.unwrap_or_else(|| IDENTITY_DEFAULT.into());
                Ok(IdentityFiles::Enrolled(directory.join(path)))
            }
            (None, Some(certificate), Some(key), Some(ca)) => Ok(IdentityFiles::Brought {
                certificate: directory.join(certificate),
                key: directory.join(key),
                ca: directory.join(ca),
            }),
            _ => Err(
                "[identity] is either `path`, for a sensor that is enrolled, or `certificate`, \
                 `key` and `ca`, all three, of your own authority"
                    .to_owned(),
            ),
        }
    }
}

impl SpoolSection {
    fn check(self, check: &mut Check<'_>, directory: &Path) -> Option<Spool> {
        let bytes_max = match self.bytes_max {
            Some(written) => {
                let least = written.as_ref().at_least(SPOOL_MIN);
                let checked = least.map_err(|fault| format!("spool.bytes_max {fault}"));
                check.keep(written.span().start, checked)
            }
            None => Some(SPOOL_DEFAULT),
        };
        Some(Spool {
            path: directory.join(self.path),
            bytes_max: bytes_max?,
        })
    }
}

impl CaptureSection {
    fn check(self, check: &mut Check<'_>, interface: &Spanned<String>) -> Option<Capture> {
        let name = check.keep(interface.span().start, interface_name(interface.as_ref()));
        let ring = match self.ring {
            Some(written) => {
                let size = written.as_ref();
                let within = size
                    .at_least(RING_MIN)
                    .and_then(|size| size.at_most(RING_MAX));
                let checked = within.map_err(|fault| format!("capture.ring {fault}"));
                check.keep(written.span().start, checked)
            }
            None => Some(RING_DEFAULT),
        };
        let snaplen = match self.snaplen {
            Some(written) => check.keep(written.span().start, snaplen(*written.as_ref())),
            None => Some(SNAPLEN_DEFAULT),
        };
        let method = match self.method {
            Some(written) => check.keep(written.span().start, method(*written.as_ref())),
            None => Some(Method::default()),
        };
        let kernel_filter = match self.kernel_filter {
            Switch::On => KernelFilter::On,
            Switch::Off => KernelFilter::Off,
        };
        Some(Capture {
            interface: name?,
            method: method?,
            ring: ring?,
            snaplen: snaplen?,
            kernel_filter,
        })
    }
}

fn sensor_id(name: &str) -> Result<SensorId, String> {
    SensorId::new(name).ok_or_else(|| {
        format!(
            "sensor `{name}` is no id: write 1 to {ID_BYTES_MAX} lower-case letters, digits and \
             hyphens, as in the centre's registry"
        )
    })
}

fn interval(seconds: u32) -> Result<IntervalLength, String> {
    IntervalLength::new(seconds).ok_or_else(|| {
        format!("interval_seconds {seconds} does not divide a minute: write 1 to 60, as in 10")
    })
}

fn interface_name(name: &str) -> Result<String, String> {
    if name.is_empty() || name.contains(char::is_whitespace) {
        return Err(format!(
            "interface `{name}` is no name: `ip link` lists them"
        ));
    }
    Ok(name.to_owned())
}

fn method(method: Method) -> Result<Method, String> {
    method
        .lacking()
        .map_or(Ok(method), |reason| Err(reason.to_owned()))
}

fn snaplen(bytes: u32) -> Result<u32, String> {
    if (SNAPLEN_MIN..=FRAME_BYTES_MAX as u32).contains(&bytes) {
        return Ok(bytes);
    }
    Err(format!(
        "capture.snaplen {bytes}: write {SNAPLEN_MIN} to {FRAME_BYTES_MAX} bytes, as in \
         {SNAPLEN_DEFAULT}"
    ))
}
