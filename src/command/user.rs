//! `noroshi user`: a user of the console, for the file of users.

use std::io::Read as _;

use anyhow::Context;
use noroshi_console::user::{self, PASSWORD_MAX, Role};
use noroshi_proto::id::SensorId;
use noroshi_store::origin::PartnerId;

use crate::arguments::User;
use crate::failure::Failure;

pub fn run(arguments: &User) -> Result<(), Failure> {
    let role = role(arguments).map_err(wrong)?;
    if !user::is_name(&arguments.name) {
        return Err(wrong(
            "a name has letters, digits, `.`, `-` and `_`".to_owned(),
        ));
    }
    let user = match &arguments.oidc {
        Some(elsewhere) => user::with_provider(&arguments.name, role, elsewhere),
        None => with_password(&arguments.name, role)?,
    };
    print!("{}", user.map_err(wrong)?.written());
    Ok(())
}

/// A user whose password is the next line of standard input.
fn with_password(name: &str, role: Role) -> Result<Result<user::User, String>, Failure> {
    eprintln!("Password of {name} (one line on standard input, shown as it is typed):");
    let mut line = String::new();
    let most = PASSWORD_MAX as u64 + 2;
    let mut input = std::io::stdin().lock().take(most);
    std::io::BufRead::read_line(&mut input, &mut line).context("standard input")?;
    let password = line.trim_end_matches(['\r', '\n']);
    let salt = uuid::Uuid::new_v4().into_bytes();
    Ok(user::with_password(name, role, password, &salt))
}

fn role(arguments: &User) -> Result<Role, String> {
    let (partner, sensors) = (arguments.partner.as_deref(), arguments.sensors.as_slice());
    match (arguments.role.as_str(), partner, sensors) {
        ("viewer", None, []) => Ok(Role::Viewer),
        ("analyst", None, []) => Ok(Role::Analyst),
        ("operator", None, []) => Ok(Role::Operator),
        ("partner", Some(id), []) => {
            let partner = PartnerId::new(id).map(Role::Partner);
            partner.ok_or_else(|| format!("`{id}` is no partner id"))
        }
        ("partner", None, []) => Err("role partner needs --partner ID".to_owned()),
        ("host", None, []) => Err("role host needs --sensor ID".to_owned()),
        ("host", None, ids) => {
            let sensor =
                |id: &String| SensorId::new(id).ok_or_else(|| format!("`{id}` is no sensor id"));
            Ok(Role::Host(
                ids.iter().map(sensor).collect::<Result<_, _>>()?,
            ))
        }
        ("viewer" | "analyst" | "operator" | "partner" | "host", ..) => {
            Err("--partner is for role partner alone, --sensor for role host".to_owned())
        }
        (role, ..) => Err(format!(
            "no role `{role}`: viewer, analyst, operator, partner or host"
        )),
    }
}

fn wrong(text: String) -> Failure {
    Failure::Failed(anyhow::anyhow!(text))
}
