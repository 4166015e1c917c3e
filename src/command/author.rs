//! Who does something at the command line, as histories and the audit name them.

/// Longest name.
const NAME_CHARACTERS_MAX: usize = 64;

/// `operator:NAME`: as given, or $USER.
#[allow(
    clippy::disallowed_methods,
    reason = "a shell: who sits at it is what it knows"
)]
pub fn author(by: Option<&str>) -> String {
    let user = std::env::var("USER").ok();
    let name = by.or(user.as_deref()).unwrap_or("unknown");
    let plain = name.chars().filter(|character| !character.is_control());
    let name: String = plain.take(NAME_CHARACTERS_MAX).collect();
    format!("operator:{name}")
}
