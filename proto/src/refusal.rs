//! Why the collector turns something away, and so what the sensor does next.

/// A verdict of the collector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Stop: the registry does not know this sensor.
    #[error("sensor {0} is not in the registry: ask the centre's operator to enrol it")]
    UnknownSensor(String),
    /// Stop: sensor and registry name different telescopes.
    #[error("the telescope differs from the registry: {0}")]
    TelescopeMismatch(String),
    /// Stop: this centre does not take replayed captures.
    #[error("this store takes no replayed captures: use `noroshi replay` or a demo store")]
    ReplayNotAdmitted,
    /// Stop: a newer stream of the same sensor took over.
    #[error("a newer stream of this sensor is open: run one sensor process per sensor id")]
    Fenced,
    /// Stop: the collector does not speak this sensor's version.
    #[error("unsupported sensor version: {0}")]
    UnsupportedVersion(String),
    /// Stop: the certificate that was shown is not this sensor's, or not any more.
    #[error("the sensor's certificate does not let it in: {0}")]
    Unidentified(String),
    /// Drop and count: it will never be right.
    #[error("malformed: {0}")]
    Malformed(String),
    /// Drop and count: larger than a sensor may send.
    #[error("over a limit: {0}")]
    OverLimit(String),
    /// Drop and count: older than the store keeps.
    #[error("too old: {0}")]
    TooOld(String),
    /// Drop and count: the same id was kept with other contents.
    #[error("batch {0} was kept before with other contents")]
    Conflict(String),
    /// Keep and try later: the store cannot take it now.
    #[error("the store cannot take it now: {0}")]
    StoreBusy(String),
    /// Keep and try later: the sensor's clock is ahead.
    #[error("the sensor's clock is ahead: {0}")]
    ClockAhead(String),
    /// Keep and try later: the sensor's clock is behind.
    #[error("the sensor's clock is behind: {0}")]
    ClockBehind(String),
    /// Try later: enough streams are open.
    #[error("too many streams are open")]
    TooManyStreams,
    /// Try later: a stream whose hello is younger, by the sensor's clock, is open.
    #[error("a stream of this sensor with a younger hello is open")]
    Overtaken,
}

/// What a sensor does about a [`Refusal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// End with an error that an operator reads.
    Stop,
    /// Give the batch up and count its packets as lost.
    DropAndCount,
    /// Keep the batch and send it again after a pause.
    RetryLater,
}

impl Refusal {
    /// In one word, for those who count.
    pub fn name(&self) -> &'static str {
        match self {
            Self::UnknownSensor(_) => "unknown_sensor",
            Self::TelescopeMismatch(_) => "telescope_mismatch",
            Self::ReplayNotAdmitted => "replay_not_admitted",
            Self::Fenced => "fenced",
            Self::UnsupportedVersion(_) => "unsupported_version",
            Self::Unidentified(_) => "unidentified",
            Self::Malformed(_) => "malformed",
            Self::OverLimit(_) => "over_limit",
            Self::TooOld(_) => "too_old",
            Self::Conflict(_) => "conflict",
            Self::StoreBusy(_) => "store_busy",
            Self::ClockAhead(_) => "clock_ahead",
            Self::ClockBehind(_) => "clock_behind",
            Self::TooManyStreams => "too_many_streams",
            Self::Overtaken => "overtaken",
        }
    }

    /// What the sensor does next.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::UnknownSensor(_)
            | Self::TelescopeMismatch(_)
            | Self::ReplayNotAdmitted
            | Self::Fenced
            | Self::UnsupportedVersion(_)
            | Self::Unidentified(_) => Remedy::Stop,
            Self::Malformed(_) | Self::OverLimit(_) | Self::TooOld(_) | Self::Conflict(_) => {
                Remedy::DropAndCount
            }
            Self::StoreBusy(_)
            | Self::ClockAhead(_)
            | Self::ClockBehind(_)
            | Self::TooManyStreams
            | Self::Overtaken => Remedy::RetryLater,
        }
    }
}
