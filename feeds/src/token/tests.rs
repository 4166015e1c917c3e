//! Tokens as an operator writes them.

use super::*;

const NORTH: &str = "north-north-north-north-north-32";
const SOUTH: &str = "south-south-south-south-south-32";

fn partner(name: &str) -> PartnerId {
    PartnerId::new(name).expect("a name")
}

#[test]
fn a_token_is_its_partners_alone() {
    let mut tokens = Tokens::default();
    tokens.add(&partner("north"), NORTH).unwrap();
    tokens.add(&partner("south"), SOUTH).unwrap();
    assert_eq!(tokens.partner(NORTH), Some(&partner("north")));
    assert_eq!(tokens.partner(SOUTH), Some(&partner("south")));
    for unknown in [
        "",
        "x",
        &NORTH[1..],
        &format!("{NORTH} "),
        &NORTH.to_uppercase(),
    ] {
        assert_eq!(tokens.partner(unknown), None, "{unknown}");
    }
}

#[test]
fn a_digest_stands_for_its_token() {
    let mut tokens = Tokens::default();
    // printf %s north-north-north-north-north-32 | sha256sum
    let digest = "4df7b49cf959a517ead725eb4ddaf1017b59f55b5a7373bc31406fc50e8af7c2";
    tokens
        .add(
            &partner("north"),
            &format!("# rotated in March\n\nsha256:{digest}\n"),
        )
        .unwrap();
    assert_eq!(tokens.partner(NORTH), Some(&partner("north")));
    assert_eq!(tokens.partner(digest), None, "the digest is not the token");
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
        (many.as_str(), 5, Problem::TooMany),
    ] {
        let refused = Tokens::default().add(&partner("north"), text);
        assert_eq!(refused, Err((line, problem)), "{text}");
    }
}

#[test]
fn two_partners_never_share_a_token() {
    let mut tokens = Tokens::default();
    tokens.add(&partner("north"), NORTH).unwrap();
    let shared = tokens.add(&partner("south"), &format!("{SOUTH}\n{NORTH}"));
    assert_eq!(shared, Err((2, Problem::Shared)));
}

#[test]
fn a_directory_has_one_file_per_partner() {
    let directory = tempfile::tempdir().unwrap();
    let partners = [partner("north"), partner("south")];
    fs::write(directory.path().join("north"), NORTH).unwrap();
    fs::write(directory.path().join(".keep"), "").unwrap();
    let tokens = Tokens::load(directory.path(), &partners).unwrap();
    assert_eq!(tokens.partners(), [&partner("north")]);

    fs::write(directory.path().join("west"), SOUTH).unwrap();
    let error = Tokens::load(directory.path(), &partners)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("west: the registry has no partner"),
        "{error}"
    );

    let error = Tokens::load(&directory.path().join("nowhere"), &partners).unwrap_err();
    assert!(error.to_string().starts_with("cannot read "), "{error}");
}

#[test]
fn nothing_of_a_token_is_shown() {
    let mut tokens = Tokens::default();
    tokens.add(&partner("north"), NORTH).unwrap();
    let shown = format!("{tokens:?}");
    assert!(!shown.contains("north-north"), "{shown}");
}
