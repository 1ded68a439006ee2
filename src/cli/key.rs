//! `key`: puts a key into the system's keyring, or takes it out.
//!
//! Invariant: a key is read from standard input alone, so it stands in no shell
//! history and no list of processes, and it is never printed.

use std::io::{BufRead, IsTerminal, Read};

use super::args::Key;
use super::output::Output;
use super::style::plain;
use super::{Ending, Failure};
use crate::engine::keyring;
use crate::engine::secret::Secret;

/// No key is longer.
const LONGEST: u64 = 1 << 16;

/// Does it.
pub fn run(args: &Key, out: &mut Output) -> Result<Ending, Failure> {
    match args {
        Key::Set { name } => {
            let name = variable(name)?;
            let key = read(name)?;
            keyring::set(name, &key).map_err(Failure::new)?;
            out.line(&format!(
                "{name} is in the keyring, for judges with api_key_env = \"{name}\""
            ));
        }
        Key::Forget { name } => {
            let name = variable(name)?;
            let was = keyring::forget(name).map_err(Failure::new)?;
            let line = if was { "is no longer in the keyring" } else { "was not in the keyring" };
            out.line(&format!("{name} {line}"));
        }
    }
    Ok(Ending::Good)
}

/// The name, unless it may be the key itself: then it is not repeated.
fn variable(name: &str) -> Result<&str, Failure> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let digit = name.starts_with(|c: char| c.is_ascii_digit());
    if name.is_empty() || digit || !name.bytes().all(fits) {
        return Err(Failure::new(
            "give the name of the key, such as OPENAI_API_KEY, never the key itself",
        ));
    }
    Ok(name)
}

fn read(name: &str) -> Result<String, Failure> {
    let input = std::io::stdin();
    if input.is_terminal() {
        return Err(Failure::new(format!(
            "a key typed here would stay on the screen: give it on standard input, as in \
             `rubricator key set {name} < FILE`, or from a password manager through a pipe"
        )));
    }
    let mut line = String::new();
    let read = input.lock().take(LONGEST).read_line(&mut line);
    read.map_err(|_| Failure::new("standard input holds no text"))?;
    // From here on it is taken out of everything that is printed.
    if Secret::new(&line).is_none() {
        return Err(Failure::new(format!("standard input is empty: no key for {}", plain(name))));
    }
    Ok(line.trim().to_owned())
}
