//! `noroshi update key|sign`: what is done where the key is.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use noroshi_collector::clock;
use noroshi_proto::limits::UPDATE_BYTES_MAX;
use noroshi_proto::time::Millis;
use noroshi_proto::update::key::SigningKey;
use noroshi_proto::update::target::Target;
use noroshi_proto::update::{Digest, Manifest, Signed};
use pem::{EncodeConfig, LineEnding, Pem};
use sha2::{Digest as _, Sha256};

use crate::arguments::updates::{UpdateKey, UpdateSign};
use crate::failure::Failure;

const DAY_MILLIS: u64 = 86_400_000;
/// What PKCS #8 is called in PEM (RFC 7468).
const TAG: &str = "PRIVATE KEY";
/// Bytes of a key's file.
const KEY_BYTES_MAX: u64 = 16 * 1024;

pub(super) fn key(arguments: &UpdateKey) -> Result<(), Failure> {
    let path = &arguments.file;
    if !path.exists() {
        draw(path)?;
        eprintln!(
            "{} is new: whoever has it decides what sensors run. Keep it, and a copy, where no \
             network is.",
            path.display()
        );
    }
    let public = read(path)?.public();
    writeln!(io::stdout().lock(), "{public}").context("standard output")?;
    Ok(())
}

pub(super) fn sign(arguments: &UpdateSign) -> Result<(), Failure> {
    let key = read(&arguments.key)?;
    let program = &arguments.program;
    let bytes = program_bytes(program)?;
    let target = match (&arguments.target, Target::of_program(&bytes)) {
        (Some(wanted), Some(is)) if *wanted != is => {
            return Err(anyhow!("{} is for {is}, not for {wanted}", program.display()).into());
        }
        (Some(wanted), _) => wanted.clone(),
        (None, Some(is)) => is,
        (None, None) => {
            return Err(anyhow!(
                "{} does not say which machines it is for: write --target, as in x86_64-linux",
                program.display()
            )
            .into());
        }
    };
    let issued = Millis(clock::now().seconds() * 1_000);
    let manifest = Manifest {
        version: arguments.version,
        target,
        bytes: bytes.len() as u64,
        sha256: Digest(Sha256::digest(&bytes).into()),
        issued,
        expires: Millis(issued.0 + arguments.days * DAY_MILLIS),
    };
    let out = arguments.out.clone().unwrap_or_else(|| beside(program));
    let signed = Signed::new(&manifest, &key).to_bytes();
    fs::write(&out, signed).with_context(|| format!("{}", out.display()))?;
    println!(
        "{}: version {} for {}, signed by {}, to be taken until {}",
        out.display(),
        manifest.version,
        manifest.target,
        key.public(),
        manifest.expires,
    );
    Ok(())
}

/// Where a program's signed manifest stands, unless told otherwise.
pub(super) fn beside(program: &Path) -> PathBuf {
    let mut path = program.as_os_str().to_owned();
    path.push(".signed");
    path.into()
}

fn draw(path: &Path) -> anyhow::Result<()> {
    let config = EncodeConfig::new().set_line_ending(LineEnding::LF);
    let text = pem::encode_config(&Pem::new(TAG, SigningKey::draw()?), config);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("{}", path.display()))?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .with_context(|| format!("{}", path.display()))
}

fn read(path: &Path) -> anyhow::Result<SigningKey> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(KEY_BYTES_MAX).read_to_string(&mut text));
    read.with_context(|| format!("{}", path.display()))?;
    let parsed = pem::parse(&text).with_context(|| format!("{}", path.display()))?;
    if parsed.tag() != TAG {
        bail!(
            "{}: it holds a {}, not a {TAG}",
            path.display(),
            parsed.tag()
        );
    }
    SigningKey::read(parsed.contents()).with_context(|| format!("{}", path.display()))
}

fn program_bytes(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = UPDATE_BYTES_MAX + 1;
    let read = File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes));
    read.with_context(|| format!("{}", path.display()))?;
    match bytes.len() as u64 {
        0 => bail!("{} is empty", path.display()),
        length if length > UPDATE_BYTES_MAX => bail!(
            "{} has more than the {UPDATE_BYTES_MAX} bytes that sensors take",
            path.display()
        ),
        _ => Ok(bytes),
    }
}
