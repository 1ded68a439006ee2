//! The system's keyring: a place for keys that is neither a file nor the environment.
//!
//! Invariant: it is asked off the main loop, under the service `rubricator` and the
//! name that `api_key_env` gives, only when the environment has no such variable,
//! and for a bounded time. Without a keyring there is no key, at once.

use std::time::Duration;

use crate::config::Judge;

use super::options::EngineOptions;
use super::provider;
use super::secret::Secret;

/// Looks up a key by its name; `Ok(None)` when there is none. It may block.
pub type Lookup = fn(&str) -> Result<Option<String>, String>;

/// A keyring that asks the user to unlock it gets this long.
const PATIENCE: Duration = Duration::from_secs(30);
#[cfg(feature = "keyring")]
const SERVICE: &str = "rubricator";

/// The key a judge wants: from the environment, else from the keyring.
///
/// # Errors
/// A sentence that says where there is none.
pub(super) async fn of_judge(
    options: &EngineOptions,
    judge: &Judge,
) -> Result<Option<Secret>, String> {
    let named = judge.api_key_env.as_deref();
    let variables = match &named {
        Some(name) => std::slice::from_ref(name),
        None => provider::key_variables(judge),
    };
    let Some(first) = variables.first() else { return Ok(None) };
    let held = |name: &&str| (options.env)(name).as_deref().and_then(Secret::new);
    if let Some(key) = variables.iter().find_map(held) {
        return Ok(Some(key));
    }
    let missing = format!("judge {}: the environment has no {first}", judge.name);
    for name in variables {
        match key(options.keyring, name).await {
            Ok(Some(key)) => return Ok(Some(key)),
            Ok(None) => {}
            Err(why) => return Err(format!("{missing}, and {why}; set it to the key")),
        }
    }
    Err(format!("{missing}; set it to the key"))
}

/// Where a judge's key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// It wants none.
    Unwanted,
    /// In this environment variable.
    Environment(String),
    /// In the keyring, under this name.
    Keyring(String),
    /// Neither; under none of these names, and what the keyring said.
    Missing(Vec<String>, Option<String>),
}

/// Looks for a judge's key, as a call would, and does not keep it. It may block.
#[must_use]
pub fn whereabouts(options: &EngineOptions, judge: &Judge) -> Whereabouts {
    let named = judge.api_key_env.as_deref();
    let names = match &named {
        Some(name) => std::slice::from_ref(name),
        None => provider::key_variables(judge),
    };
    if names.is_empty() {
        return Whereabouts::Unwanted;
    }
    let is_key = |text: Option<String>| text.as_deref().and_then(Secret::new).is_some();
    if let Some(name) = names.iter().find(|name| is_key((options.env)(name))) {
        return Whereabouts::Environment((*name).to_owned());
    }
    let mut trouble = None;
    for name in names {
        match (options.keyring)(name) {
            Ok(found) if is_key(found.clone()) => return Whereabouts::Keyring((*name).to_owned()),
            Ok(_) => {}
            Err(why) => trouble = trouble.or(Some(why)),
        }
    }
    Whereabouts::Missing(names.iter().map(|name| (*name).to_owned()).collect(), trouble)
}

/// The key under this name.
async fn key(lookup: Lookup, name: &str) -> Result<Option<Secret>, String> {
    let asked = name.to_owned();
    let looking = tokio::task::spawn_blocking(move || lookup(&asked));
    match tokio::time::timeout(PATIENCE, looking).await {
        Ok(Ok(found)) => Ok(found?.as_deref().and_then(Secret::new)),
        Ok(Err(_)) => Err("the system keyring could not be asked".into()),
        Err(_) => Err(format!("the system keyring did not answer in {} s", PATIENCE.as_secs())),
    }
}

/// The key under this name in the system's keyring.
///
/// # Errors
/// A sentence that says why there is no keyring, or what it said.
#[cfg(feature = "keyring")]
pub fn read(name: &str) -> Result<Option<String>, String> {
    if !is_there() {
        return Ok(None);
    }
    match entry(name)?.get_password() {
        Ok(key) => Ok(Some(key)),
        Err(::keyring::Error::NoEntry) => Ok(None),
        Err(error) => Err(said(&error)),
    }
}

/// This build has no keyring.
///
/// # Errors
/// None.
#[cfg(not(feature = "keyring"))]
pub fn read(_: &str) -> Result<Option<String>, String> {
    Ok(None)
}

/// Puts a key into the system's keyring, in place of one that is there.
///
/// # Errors
/// A sentence that says why there is no keyring, or what it said.
#[cfg(feature = "keyring")]
pub fn set(name: &str, key: &str) -> Result<(), String> {
    if !is_there() {
        return Err("there is no system keyring here: no session bus is running".into());
    }
    entry(name)?.set_password(key).map_err(|error| said(&error))
}

/// Takes a key out of the system's keyring; false when there was none.
///
/// # Errors
/// A sentence that says why there is no keyring, or what it said.
#[cfg(feature = "keyring")]
pub fn forget(name: &str) -> Result<bool, String> {
    if !is_there() {
        return Err("there is no system keyring here: no session bus is running".into());
    }
    match entry(name)?.delete_credential() {
        Ok(()) => Ok(true),
        Err(::keyring::Error::NoEntry) => Ok(false),
        Err(error) => Err(said(&error)),
    }
}

/// This build has no keyring.
///
/// # Errors
/// Always.
#[cfg(not(feature = "keyring"))]
pub fn set(_: &str, _: &str) -> Result<(), String> {
    Err(ABSENT.into())
}

/// This build has no keyring.
///
/// # Errors
/// Always.
#[cfg(not(feature = "keyring"))]
pub fn forget(_: &str) -> Result<bool, String> {
    Err(ABSENT.into())
}

#[cfg(not(feature = "keyring"))]
const ABSENT: &str = "this build has no keyring: put the key into an environment variable, or \
                      install with `--features keyring`";

#[cfg(feature = "keyring")]
fn entry(name: &str) -> Result<::keyring::v1::Entry, String> {
    ::keyring::v1::Entry::new(SERVICE, name).map_err(|error| said(&error))
}

/// Without the value: some errors carry what they could not read.
#[cfg(feature = "keyring")]
fn said(error: &::keyring::Error) -> String {
    use ::keyring::Error as E;
    let what = match error {
        E::NoStorageAccess(_) => "is locked or cannot be reached",
        E::NoDefaultStore => "cannot be reached",
        E::BadEncoding(_) => "holds something that is no text",
        E::Ambiguous(_) => "holds several keys of this name",
        _ => "failed",
    };
    format!("the system keyring {what}")
}

/// Whether there is a session bus; without one, looking for it would only take time.
#[cfg(all(feature = "keyring", unix, not(target_os = "macos")))]
fn is_there() -> bool {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let socket = || Some(std::path::PathBuf::from(set("XDG_RUNTIME_DIR")?).join("bus"));
    set("DBUS_SESSION_BUS_ADDRESS").is_some() || socket().is_some_and(|path| path.exists())
}

#[cfg(all(feature = "keyring", not(all(unix, not(target_os = "macos")))))]
const fn is_there() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::trust::tests::judge;

    #[tokio::test]
    async fn what_the_keyring_says_is_passed_on() {
        let found = key(|name| Ok(Some(format!("key of {name}"))), "A").await;
        assert_eq!(found.map(|key| key.map(|k| k.bearer())), Ok(Some("Bearer key of A".into())));
        assert!(matches!(key(|_| Ok(None), "A").await, Ok(None)));
        let locked = key(|_| Err("it is locked".into()), "A").await;
        assert_eq!(locked.err().as_deref(), Some("it is locked"));
    }

    #[test]
    fn a_key_is_looked_for_in_the_environment_and_then_in_the_keyring() {
        let found = |env: fn(&str) -> Option<String>, keyring: Lookup, judge: &Judge| {
            whereabouts(&EngineOptions { env, keyring, ..EngineOptions::default() }, judge)
        };
        let google = Judge { provider: crate::config::Provider::Gemini, ..judge(None) };
        let kept: Lookup = |name| Ok((name == "GEMINI_API_KEY").then(|| "k".repeat(20)));
        let set = |name: &str| (name == "GEMINI_API_KEY").then(|| "e".repeat(20));
        assert_eq!(found(set, kept, &google), Whereabouts::Environment("GEMINI_API_KEY".into()));
        assert_eq!(found(|_| None, kept, &google), Whereabouts::Keyring("GEMINI_API_KEY".into()));
        let names = vec!["GOOGLE_API_KEY".to_owned(), "GEMINI_API_KEY".to_owned()];
        assert_eq!(
            found(|_| None, |_| Err("it is locked".into()), &google),
            Whereabouts::Missing(names, Some("it is locked".into()))
        );
        let local = judge(Some("http://localhost:1/v1"));
        assert_eq!(found(set, kept, &local), Whereabouts::Unwanted);
    }

    #[tokio::test]
    async fn a_keyring_that_panics_is_a_sentence() {
        let broken: Lookup = |_| std::panic::resume_unwind(Box::new(()));
        assert_eq!(
            key(broken, "A").await.err().as_deref(),
            Some("the system keyring could not be asked")
        );
    }
}
