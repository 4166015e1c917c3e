//! One user as the file of users has it.

use argon2::password_hash::PasswordHash;
use noroshi_proto::id::SensorId;
use noroshi_store::document::{Section, Written};
use noroshi_store::origin::PartnerId;
use noroshi_store::registry::Registry;

use super::{ELSEWHERE_MAX, NAME_MAX, Role, SENSORS_MAX, User, is_elsewhere, is_name};
use crate::text::Texts;

/// Reads one; `None` where it cannot be one, which is noted.
pub(super) fn user(mut section: Section<'_>, registry: &Registry) -> Option<User> {
    let name = section.required::<String>("name");
    let role = role(&mut section, registry);
    let language = language(&mut section);
    let hash = hash(&mut section);
    let elsewhere = elsewhere(&mut section);
    if let Some(name) = &name
        && !is_name(&name.value)
    {
        let text = format!("`name` has letters, digits, `.`, `-`, `_`, at most {NAME_MAX}");
        section.fault(name.line, text);
    }
    if hash.is_none() && elsewhere.is_none() {
        let text = "a user has `password`, as `noroshi user NAME --role ROLE` makes it, or `oidc`, \
                    their name at the provider of identities";
        section.fault(section.line(), text.to_owned());
    }
    section.close();
    Some(User {
        name: name?.value,
        role: role?,
        language,
        hash: hash.map(|hash| hash.value),
        elsewhere: elsewhere.map(|name| name.value),
    })
}

/// The role, and whose it is.
fn role(section: &mut Section<'_>, registry: &Registry) -> Option<Role> {
    let written = section.required::<String>("role");
    let partner = section.optional::<PartnerId>("partner");
    let sensors = section.list::<SensorId>("sensors");
    let written = written?;
    if written.value != "partner"
        && let Some(partner) = &partner
    {
        let text = "`partner` is for role \"partner\" alone";
        section.fault(partner.line, text.to_owned());
    }
    if written.value != "host"
        && let Some(sensor) = sensors.first()
    {
        section.fault(
            sensor.line,
            "`sensors` is for role \"host\" alone".to_owned(),
        );
    }
    match written.value.as_str() {
        "viewer" => Some(Role::Viewer),
        "analyst" => Some(Role::Analyst),
        "operator" => Some(Role::Operator),
        "partner" => {
            let partner = partner.filter(|partner| registry.partner(&partner.value).is_some());
            if partner.is_none() {
                let text = "role \"partner\" needs `partner`, an id of the registry";
                section.fault(written.line, text.to_owned());
            }
            partner.map(|partner| Role::Partner(partner.value))
        }
        "host" => Some(Role::Host(hosted(section, written.line, sensors, registry))),
        _ => {
            let text = "`role` is \"viewer\", \"analyst\", \"operator\", \"partner\" or \"host\"";
            section.fault(written.line, text.to_owned());
            None
        }
    }
}

fn hosted(
    section: &Section<'_>,
    line: usize,
    sensors: Vec<Written<SensorId>>,
    registry: &Registry,
) -> Vec<SensorId> {
    if sensors.is_empty() || sensors.len() > SENSORS_MAX {
        let text = format!(
            "role \"host\" needs `sensors`, 1 to {SENSORS_MAX} ids of the registry's sensors"
        );
        section.fault(line, text);
    }
    for sensor in &sensors {
        if registry.sensor(&sensor.value).is_none() {
            let text = format!("`{}` is no sensor of the registry", sensor.value);
            section.fault(sensor.line, text);
        }
    }
    sensors.into_iter().map(|sensor| sensor.value).collect()
}

fn language(section: &mut Section<'_>) -> Option<&'static Texts> {
    let language = section.optional::<String>("language")?;
    let texts = Texts::of(&language.value);
    if texts.is_none() {
        let known = Texts::languages().join(", ");
        section.fault(language.line, format!("`language` is one of: {known}"));
    }
    texts
}

fn hash(section: &mut Section<'_>) -> Option<Written<String>> {
    let hash = section.optional::<String>("password")?;
    let is_argon2id = PasswordHash::new(&hash.value)
        .is_ok_and(|hash| hash.algorithm == argon2::ARGON2ID_IDENT && hash.hash.is_some());
    if !is_argon2id {
        let text = "`password` is an argon2id hash: `noroshi user NAME --role ROLE` makes one";
        section.fault(hash.line, text.to_owned());
    }
    Some(hash)
}

fn elsewhere(section: &mut Section<'_>) -> Option<Written<String>> {
    let name = section.optional::<String>("oidc")?;
    if !is_elsewhere(&name.value) {
        let text = format!("`oidc` has 1 to {ELSEWHERE_MAX} bytes");
        section.fault(name.line, text);
    }
    Some(name)
}
