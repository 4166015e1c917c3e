//! Grounds of confidence. What is said of them stands in the catalogues
//! ([`noroshi_store::explanation`]).

/// Why confidence is what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ground {
    /// Only a packet or two.
    FewPackets,
    /// Enough evidence, but a source address can be forged.
    Forgeable,
    /// Sensors of different owners agree.
    IndependentSensors,
    /// Many targets, five minutes apart, over one path; or an attack that lasts.
    Steady,
    /// Several sensors count the same hops, or nearly.
    PathsAgree,
    /// Sensors count hops that no single host explains.
    PathsDiffer,
    /// What it is follows from ports alone.
    ByPorts,
    /// Whose it is follows from a country alone.
    ByCountry,
    /// Few of our addresses were hit.
    FewTargets,
    /// Many sources, many targets.
    ManySources,
    /// Its host may be another one tomorrow.
    Dynamic,
    /// Many hosts share it.
    Cgn,
    /// Only one telescope misses them.
    OneTelescope,
    /// Several telescopes miss them, and nobody else.
    OthersGoOn,
}

impl Ground {
    /// Every ground.
    pub const ALL: [Self; 14] = [
        Self::FewPackets,
        Self::Forgeable,
        Self::IndependentSensors,
        Self::Steady,
        Self::PathsAgree,
        Self::PathsDiffer,
        Self::ByPorts,
        Self::ByCountry,
        Self::FewTargets,
        Self::ManySources,
        Self::Dynamic,
        Self::Cgn,
        Self::OneTelescope,
        Self::OthersGoOn,
    ];

    /// Whether nothing is more than medium sure where it holds.
    pub fn limits(self) -> bool {
        matches!(self, Self::ByPorts | Self::ByCountry)
    }

    /// Its name in the catalogues.
    pub fn name(self) -> &'static str {
        match self {
            Self::FewPackets => "few_packets",
            Self::Forgeable => "forgeable",
            Self::IndependentSensors => "independent_sensors",
            Self::Steady => "steady",
            Self::PathsAgree => "paths_agree",
            Self::PathsDiffer => "paths_differ",
            Self::ByPorts => "by_ports",
            Self::ByCountry => "by_country",
            Self::FewTargets => "few_targets",
            Self::ManySources => "many_sources",
            Self::Dynamic => "dynamic",
            Self::Cgn => "cgn",
            Self::OneTelescope => "one_telescope",
            Self::OthersGoOn => "others_go_on",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use noroshi_store::explanation::Texts;

    use super::*;
    use crate::finding::Reason;
    use crate::settings::Language;

    #[test]
    fn every_catalogue_is_complete() {
        let reasons: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        let grounds: BTreeSet<&str> = Ground::ALL.iter().map(|ground| ground.name()).collect();
        for language in [Language::En, Language::Ja] {
            let texts = Texts::of(language.tag()).expect("each language has one");
            assert_eq!(
                texts.reasons().collect::<BTreeSet<_>>(),
                reasons,
                "{language:?}"
            );
            assert_eq!(
                texts.grounds().collect::<BTreeSet<_>>(),
                grounds,
                "{language:?}"
            );
        }
    }
}
