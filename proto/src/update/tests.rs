use proptest::prelude::*;

use super::*;

/// Made by `openssl genpkey -algorithm ed25519` and signed by `openssl pkeyutl -sign -rawin`.
const BY_OPENSSL: &[u8] = include_bytes!("../../tests/data/update-v1.signed");
/// The public half of that key.
const OPENSSL_KEY: &str =
    "ed25519:d319e50114a89b4329985d19af7af27db3e3236279339210911c1ac8340970aa";

fn key() -> SigningKey {
    SigningKey::read(&SigningKey::draw().unwrap()).unwrap()
}

fn manifest() -> Manifest {
    Manifest {
        version: "0.2.0".parse().unwrap(),
        target: Target::new("x86_64-linux").unwrap(),
        bytes: 5_995_704,
        sha256: Digest([7; 32]),
        issued: Millis(1_795_699_200_000),
        expires: Millis(1_803_475_200_000),
    }
}

#[test]
fn what_openssl_signed_is_believed() {
    let signed = Signed::read(BY_OPENSSL).unwrap();
    let (wrong, right) = (key().public(), OPENSSL_KEY.parse().unwrap());
    let read = signed.open(&[wrong, right]).unwrap();
    assert_eq!(read.version.to_string(), "0.2.0");
    assert_eq!(read.expires, manifest().expires);
    assert_eq!(signed.to_bytes(), BY_OPENSSL);
    assert_eq!(signed.open(&[wrong]), Err(NotAnUpdate::Unbelieved));
    assert_eq!(signed.open(&[]), Err(NotAnUpdate::Unbelieved));
}

#[test]
fn keys_are_words_and_files() {
    let key = key();
    let public = key.public().to_string();
    assert_eq!(public.parse(), Ok(key.public()));
    for wrong in [
        "",
        "ed25519:",
        &public[1..],
        &public[..70],
        &public.to_uppercase(),
    ] {
        assert!(wrong.parse::<PublicKey>().is_err(), "{wrong}");
    }
    assert!(SigningKey::read(&SigningKey::draw().unwrap()[..47]).is_err());
    assert_ne!(SigningKey::draw(), SigningKey::draw());
}

/// A transfer that breaks off anywhere leaves nothing that is believed.
#[test]
fn a_manifest_that_is_cut_at_any_byte_is_none() {
    let key = key();
    let whole = Signed::new(&manifest(), &key).to_bytes();
    let open = |bytes: &[u8]| Signed::read(bytes).and_then(|signed| signed.open(&[key.public()]));
    assert_eq!(open(&whole), Ok(manifest()));
    for length in 0..whole.len() {
        assert!(open(&whole[..length]).is_err(), "{length}");
        assert!(open(&whole[length + 1..]).is_err(), "{length}");
    }
    let text = manifest().to_string();
    for length in 0..text.len() {
        let cut = Manifest::parse(&text.as_bytes()[..length]);
        assert!(cut.is_err(), "signed, and {length} bytes long");
    }
}

#[test]
fn a_manifest_with_any_bit_changed_is_none() {
    let key = key();
    let whole = Signed::new(&manifest(), &key).to_bytes();
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut changed = whole.clone();
            changed[at] ^= 1 << bit;
            let opened = Signed::read(&changed).and_then(|signed| signed.open(&[key.public()]));
            assert!(opened.is_err(), "byte {at}, bit {bit}");
        }
    }
    let long = [&whole[..], &[b'\n'; UPDATE_MANIFEST_BYTES_MAX]].concat();
    assert_eq!(Signed::read(&long), Err(NotAnUpdate::TooLong));
}

/// The key signs other things, too, or a person signs by hand.
#[test]
fn what_is_signed_and_no_manifest_is_none() {
    let text = manifest().to_string();
    let changed = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        Manifest::parse(text.replacen(from, to, 1).as_bytes())
    };
    for (from, to, line) in [
        ("noroshi-update 1", "noroshi-update 2", FORMAT),
        ("product noroshi-sensor", "product noroshi", "product"),
        ("version 0.2.0", "version 0.2", "version"),
        ("target x86_64-linux", "target ../x86_64", "target"),
        ("bytes 5995704", "bytes 0", "bytes"),
        ("bytes 5995704", "bytes 67108865", "bytes"),
        ("bytes 5995704", "bytes +5995704", FORMAT),
        ("sha256 0707", "sha256 07", "sha256"),
        ("issued 17", "issued 99917", "expires"),
        ("expires 18", "expires 17", "expires"),
        ("issued", "Issued", "issued"),
        ("\nissued", "\r\nissued", FORMAT),
        ("00\nexpires", "00\n\nexpires", "expires"),
    ] {
        assert_eq!(changed(from, to), Err(NotAnUpdate::Malformed(line)), "{to}");
    }
    let more = format!("{text}more 1\n");
    assert_eq!(
        Manifest::parse(more.as_bytes()),
        Err(NotAnUpdate::Malformed(FORMAT))
    );
    assert!(Manifest::parse(b"\xff\xfe").is_err());
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        numbers in any::<[u32; 3]>(), bytes in 1..=UPDATE_BYTES_MAX,
        sha256 in any::<[u8; 32]>(), issued in 0..u64::from(u32::MAX), life in 1..u64::from(u32::MAX),
    ) {
        let [major, minor, patch] = numbers;
        let written = Manifest {
            version: Version { major, minor, patch },
            target: Target::here(),
            bytes,
            sha256: Digest(sha256),
            issued: Millis(issued * 1_000),
            expires: Millis((issued + life) * 1_000),
        };
        let text = written.to_string();
        prop_assert_eq!(Manifest::parse(text.as_bytes()), Ok(written));
        prop_assert!(text.len() + 140 <= UPDATE_MANIFEST_BYTES_MAX);
    }

    #[test]
    fn whatever_is_sent_is_believed_by_nobody(bytes: Vec<u8>, tail in "[ -~\\n]{0,400}") {
        let signed = [SIGNATURE, &[b'0'; 128], b"\n", &bytes, tail.as_bytes()].concat();
        for sent in [&bytes[..], &signed, tail.as_bytes()] {
            let opened = Signed::read(sent).and_then(|read| read.open(&[key().public()]));
            prop_assert!(opened.is_err());
        }
        if let Ok(read) = Manifest::parse(tail.as_bytes()) {
            prop_assert_eq!(read.to_string(), tail);
        }
    }
}
