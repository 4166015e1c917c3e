//! `noroshi user`: a user of the console, for the file of users.

use std::io::Read as _;

use anyhow::Context;
use noroshi_console::user::{self, PASSWORD_MAX, Role};
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
    eprintln!(
        "Password of {} (one line on standard input, shown as it is typed):",
        arguments.name
    );
    let mut line = String::new();
    let most = PASSWORD_MAX as u64 + 2;
    let mut input = std::io::stdin().lock().take(most);
    std::io::BufRead::read_line(&mut input, &mut line).context("standard input")?;
    let password = line.trim_end_matches(['\r', '\n']);
    let salt = uuid::Uuid::new_v4().into_bytes();
    let user = user::with_password(&arguments.name, role, password, &salt).map_err(wrong)?;
    print!("{}", user.written());
    Ok(())
}

fn role(arguments: &User) -> Result<Role, String> {
    let partner = arguments.partner.as_deref();
    match (arguments.role.as_str(), partner) {
        ("viewer", None) => Ok(Role::Viewer),
        ("analyst", None) => Ok(Role::Analyst),
        ("operator", None) => Ok(Role::Operator),
        ("partner", Some(id)) => {
            let partner = PartnerId::new(id).map(Role::Partner);
            partner.ok_or_else(|| format!("`{id}` is no partner id"))
        }
        ("partner", None) => Err("role partner needs --partner ID".to_owned()),
        (_, Some(_)) => Err("--partner is for role partner alone".to_owned()),
        (role, None) => Err(format!(
            "no role `{role}`: viewer, analyst, operator or partner"
        )),
    }
}

fn wrong(text: String) -> Failure {
    Failure::Failed(anyhow::anyhow!(text))
}
