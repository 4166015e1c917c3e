use super::*;

const REGISTRY: &str = "[[partner]]\nid = \"th-cert\"\nname = \"ThaiCERT\"\ncountry = \"TH\"\n";

fn registry() -> Registry {
    Registry::parse("registry.toml", REGISTRY).unwrap()
}

fn made(role: Role) -> User {
    with_password("aiko", role, "a long enough password", &[7; 16]).unwrap()
}

#[test]
fn what_is_written_can_be_read_and_proven() {
    let partner = PartnerId::new("th-cert").unwrap();
    for role in [
        Role::Viewer,
        Role::Analyst,
        Role::Operator,
        Role::Partner(partner),
    ] {
        let text = made(role.clone()).written();
        let users = Users::parse("users.toml", &text, &registry()).unwrap();
        let user = users.prove("aiko", "a long enough password").unwrap();
        assert_eq!(user.role, role);
        assert!(users.prove("aiko", "a long enough passworD").is_none());
        assert!(users.prove("aiko", "").is_none());
        assert!(users.prove("Aiko", "a long enough password").is_none());
    }
}

#[test]
fn the_hash_of_nobody_is_one() {
    let hash = PasswordHash::new(NOBODYS).unwrap();
    assert_eq!(hash.algorithm, argon2::ARGON2ID_IDENT);
    assert!(hash.hash.is_some(), "it costs what others cost");
}

#[test]
fn a_password_has_a_length() {
    let short = with_password("aiko", Role::Viewer, "fourteen chars", &[7; 16]);
    assert!(short.is_err());
    let long = with_password(
        "aiko",
        Role::Viewer,
        &"x".repeat(PASSWORD_MAX + 1),
        &[7; 16],
    );
    assert!(long.is_err());
}

#[test]
fn everything_wrong_is_said_with_its_line() {
    let good = made(Role::Viewer).written();
    for (text, line, word) in [
        (good.replace("viewer", "admin"), 3, "`role` is"),
        (good.replace("viewer", "partner"), 3, "needs `partner`"),
        (good.replace("aiko", "a b"), 2, "`name` has"),
        (good.replace("$argon2id", "$argon2i"), 4, "argon2id hash"),
        (
            good.replace("role =", "partner = \"th-cert\"\nrole ="),
            3,
            "alone",
        ),
        (format!("{good}language = \"xx\"\n"), 5, "one of: en, ja"),
        (format!("{good}{good}"), 5, "two users"),
    ] {
        let faults = Users::parse("users.toml", &text, &registry())
            .unwrap_err()
            .into_vec();
        let fault = faults.first().unwrap();
        assert_eq!(fault.line, Some(line), "{fault}");
        assert!(fault.text.contains(word), "{fault}");
    }
}
