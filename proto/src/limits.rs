//! The most a sensor may send. The sensor never makes more; the collector refuses more.

use std::time::Duration;

/// Flow tuples in one batch. A busier interval is cut into several batches.
pub const BATCH_FLOWS_MAX: usize = 100_000;
/// Spans in one batch: a day of 1-second intervals.
pub const BATCH_SPANS_MAX: usize = 86_400;
/// Bytes of one batch as it travels.
pub const BATCH_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Bytes of a batch's spans once decompressed: the guard against decompression bombs.
pub const SPANS_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Batches sent and not yet answered, per stream.
pub const IN_FLIGHT_MAX: usize = 32;
/// Prefixes a hello may declare.
pub const TELESCOPE_PREFIXES_MAX: usize = 1_024;
/// Longest text in a hello or a refusal, in bytes.
pub const TEXT_BYTES_MAX: usize = 1_024;
/// How far a sensor's clock may be ahead of the collector's.
pub const CLOCK_AHEAD_MAX: Duration = Duration::from_secs(300);
/// How far a sensor's clock may be behind the collector's when it says hello.
pub const CLOCK_SLOW_MAX: Duration = Duration::from_secs(300);
/// How old an interval may be when it arrives; below the raw rows' retention.
pub const CLOCK_BEHIND_MAX: Duration = Duration::from_secs(14 * 86_400);
/// HTTP/2 stream and connection windows, in bytes: below 4 MiB gRPC throughput halves.
pub const HTTP2_WINDOW_BYTES: u32 = 4 * 1024 * 1024;
/// Ranges of sequences a welcome may list.
pub const HELD_RANGES_MAX: usize = 4_096;
/// Bytes of one gRPC message, in either direction: a batch and its frame.
pub const MESSAGE_BYTES_MAX: usize = BATCH_BYTES_MAX + 64 * 1024;
/// Bytes of a signing request: an RSA key of 8,192 bits and its names fit.
pub const SIGNING_REQUEST_BYTES_MAX: usize = 8 * 1024;
/// Bytes of one message of the enrolment service, in either direction.
pub const ENROLMENT_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a sensor's program, as an update.
pub const UPDATE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Bytes of a signed manifest: twice what it takes.
pub const UPDATE_MANIFEST_BYTES_MAX: usize = 1_024;
/// Bytes of a program in one message.
pub const UPDATE_CHUNK_BYTES: usize = 64 * 1024;
/// Bytes of one message of the updates' service, in either direction.
pub const UPDATE_MESSAGE_BYTES_MAX: usize = UPDATE_CHUNK_BYTES + 4 * 1024;
/// Keys by which updates are believed.
pub const UPDATE_KEYS_MAX: usize = 8;
/// How long a whole program may take to arrive; who is slower begins anew.
pub const UPDATE_FETCH_MAX: Duration = Duration::from_secs(3_600);
/// How long one piece of it may take, on either side.
pub const UPDATE_CHUNK_MAX: Duration = Duration::from_secs(30);
