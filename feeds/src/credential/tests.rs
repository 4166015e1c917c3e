//! Credentials as an operator writes them.

use super::*;

const NORTH: &str = "north-north-north-north-north-32";
const SOUTH: &str = "south-south-south-south-south-32";

fn partner(name: &str) -> PartnerId {
    PartnerId::new(name).expect("a name")
}

#[test]
fn a_token_is_its_partners_alone() {
    let mut credentials = Credentials::default();
    credentials.add(&partner("north"), NORTH).unwrap();
    credentials.add(&partner("south"), SOUTH).unwrap();
    assert_eq!(credentials.by_token(NORTH), Some(&partner("north")));
    assert_eq!(credentials.by_token(SOUTH), Some(&partner("south")));
    for unknown in [
        "",
        "x",
        &NORTH[1..],
        &format!("{NORTH} "),
        &NORTH.to_uppercase(),
    ] {
        assert_eq!(credentials.by_token(unknown), None, "{unknown}");
    }
}

#[test]
fn a_digest_stands_for_its_token() {
    let mut credentials = Credentials::default();
    // printf %s north-north-north-north-north-32 | sha256sum
    let digest = "4df7b49cf959a517ead725eb4ddaf1017b59f55b5a7373bc31406fc50e8af7c2";
    credentials
        .add(
            &partner("north"),
            &format!("# rotated in March\n\nsha256:{digest}\n"),
        )
        .unwrap();
    assert_eq!(credentials.by_token(NORTH), Some(&partner("north")));
    assert_eq!(
        credentials.by_token(digest),
        None,
        "the digest is not the token"
    );
}

#[test]
fn a_bad_line_is_named() {
    let many = format!("{NORTH}1\n{NORTH}2\n{NORTH}3\n{NORTH}4\n{NORTH}5\n");
    let long = "a".repeat(TOKEN_CHARACTERS_MAX + 1);
    for (text, line, problem) in [
        ("short", 1, Problem::NotAToken),
        (
            "\n# two\nnorth:north:north:north:north:32",
            3,
            Problem::NotAToken,
        ),
        (long.as_str(), 1, Problem::NotAToken),
        ("sha256:abc", 1, Problem::NotADigest),
        ("certificate:abc", 1, Problem::NotACertificate),
        (many.as_str(), 5, Problem::TooMany),
    ] {
        let refused = Credentials::default().add(&partner("north"), text);
        assert_eq!(refused, Err((line, problem)), "{text}");
    }
}

#[test]
fn two_partners_never_share_a_token() {
    let mut credentials = Credentials::default();
    credentials.add(&partner("north"), NORTH).unwrap();
    let shared = credentials.add(&partner("south"), &format!("{SOUTH}\n{NORTH}"));
    assert_eq!(shared, Err((2, Problem::Shared)));
}

#[test]
fn a_certificate_is_known_by_its_digest_and_no_token() {
    let mut credentials = Credentials::default();
    // printf %s 'a certificate' | sha256sum
    let digest = "81acd762140fa692a142822d2fbe4dc6f54bcaa501f68ab37e5aeed0bafe4d99";
    credentials
        .add(&partner("north"), &format!("certificate:{digest}"))
        .unwrap();
    assert_eq!(
        credentials.by_certificate(b"a certificate"),
        Some(&partner("north"))
    );
    assert_eq!(credentials.by_token("a certificate"), None);
    assert_eq!(credentials.by_certificate(b"another"), None);
}

#[test]
fn a_faulty_file_lets_nobody_in_and_keeps_nobody_else_out() {
    let directory = tempfile::tempdir().unwrap();
    let partners = [partner("north"), partner("south")];
    fs::write(directory.path().join("north"), format!("{NORTH}\nshort")).unwrap();
    fs::write(directory.path().join("south"), SOUTH).unwrap();
    let (credentials, faults) = Credentials::load_what_can_be(directory.path(), &partners).unwrap();
    assert_eq!(credentials.partners(), [&partner("south")]);
    assert_eq!(faults.len(), 1);
    assert!(faults[0].to_string().contains("north:2: "), "{}", faults[0]);
}

#[test]
fn a_directory_has_one_file_per_partner() {
    let directory = tempfile::tempdir().unwrap();
    let partners = [partner("north"), partner("south")];
    fs::write(directory.path().join("north"), NORTH).unwrap();
    fs::write(directory.path().join(".keep"), "").unwrap();
    let credentials = Credentials::load(directory.path(), &partners).unwrap();
    assert_eq!(credentials.partners(), [&partner("north")]);

    fs::write(directory.path().join("west"), SOUTH).unwrap();
    let error = Credentials::load(directory.path(), &partners)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("west: the registry has no partner"),
        "{error}"
    );

    let error = Credentials::load(&directory.path().join("nowhere"), &partners).unwrap_err();
    assert!(error.to_string().starts_with("cannot read "), "{error}");
}

#[test]
fn nothing_of_a_token_is_shown() {
    let mut credentials = Credentials::default();
    credentials.add(&partner("north"), NORTH).unwrap();
    let shown = format!("{credentials:?}");
    assert!(!shown.contains("north-north"), "{shown}");
}
