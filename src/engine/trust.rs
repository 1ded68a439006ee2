//! Whether a judge may be asked here at all (SPEC 10).
//!
//! Invariant: a repository alone can never make text or a key leave the machine.
//! What it may name itself is a recording and a keyless server on this machine.

use std::fmt;

use reqwest::Url;

use crate::config::{Judge, Origin, Provider};

/// What is known about the folder the text comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The user, or the editor, said no: static work only.
    Denied,
    /// Nobody said anything.
    Unsaid,
    /// The user said yes.
    Given,
}

/// Why a judge is not asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The folder is not trusted.
    Denied,
    /// The judge has a key, another host or a command, and nobody trusts the folder yet.
    NeedsTrust,
    /// A host that only the user's own file may name.
    ForeignHost(String),
    /// The base URL is none.
    BadUrl(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied => f.write_str("this folder is not trusted, so no judge is asked"),
            Self::NeedsTrust => f.write_str(
                "it would send text away from this machine: run `rubricator trust` in the project first",
            ),
            Self::ForeignHost(host) => write!(
                f,
                "only your own settings file may name the host {host}: \
                 move the judge there from the project's rubricator.toml"
            ),
            Self::BadUrl(url) => write!(f, "base_url {url:?} is no http or https address"),
        }
    }
}

/// Whether this judge may be asked.
///
/// # Errors
/// The rule of SPEC 10 that forbids it.
pub fn allowed(judge: &Judge, trust: Trust) -> Result<(), Refusal> {
    if trust == Trust::Denied {
        return Err(Refusal::Denied);
    }
    if judge.provider == Provider::Recorded {
        return Ok(());
    }
    let url = judge.base_url.as_deref().map(address).transpose()?;
    let program = judge.provider == Provider::ClaudeCli;
    let loopback = url.as_ref().is_some_and(is_loopback) && !program;
    // An editor's settings may come from the repository as well (workspace settings).
    let from_repository = matches!(judge.origin, Origin::ProjectFile | Origin::Editor);
    match url {
        Some(url) if from_repository && !loopback => {
            Err(Refusal::ForeignHost(url.host_str().unwrap_or_default().to_owned()))
        }
        _ if trust == Trust::Given => Ok(()),
        _ if loopback && judge.api_key_env.is_none() => Ok(()),
        _ => Err(Refusal::NeedsTrust),
    }
}

/// True when what is sent to this judge stays on this machine.
#[must_use]
pub fn stays_here(judge: &Judge) -> bool {
    let url = judge.base_url.as_deref().map(address);
    match judge.provider {
        Provider::Recorded => true,
        // Where the program sends it is the vendor's address.
        Provider::ClaudeCli => false,
        _ => matches!(url, Some(Ok(url)) if is_loopback(&url)),
    }
}

/// Where this judge's text goes; `None` when it goes nowhere.
#[must_use]
pub fn host(judge: &Judge) -> Option<String> {
    let default = match judge.provider {
        Provider::Anthropic | Provider::ClaudeCli => "api.anthropic.com",
        Provider::OpenAi => "api.openai.com",
        Provider::Gemini => "generativelanguage.googleapis.com",
        Provider::OpenAiCompatible | Provider::Recorded => "",
    };
    let named = judge.base_url.as_deref().and_then(|url| address(url).ok());
    match named {
        _ if judge.provider == Provider::Recorded => None,
        Some(url) => {
            let port = url.port().map_or(String::new(), |port| format!(":{port}"));
            Some(format!("{}{port}", url.host_str().unwrap_or_default()))
        }
        None => Some(default.to_owned()).filter(|host| !host.is_empty()),
    }
}

fn address(text: &str) -> Result<Url, Refusal> {
    let url = Url::parse(text.trim()).ok();
    let fits = |url: &Url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some();
    url.filter(fits).ok_or_else(|| Refusal::BadUrl(text.to_owned()))
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host.eq_ignore_ascii_case("localhost") || ip.is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    /// A judge at this address.
    pub(in crate::engine) fn judge(base_url: Option<&str>) -> Judge {
        Judge {
            name: "local".into(),
            provider: Provider::OpenAiCompatible,
            model: "m".into(),
            base_url: base_url.map(str::to_owned),
            api_key_env: None,
            command: None,
            file: None,
            max_concurrency: 8,
            timeout_s: 120,
            max_tokens: None,
            effort: None,
            temperature: None,
            family: None,
            repeat: 1,
            origin: Origin::ProjectFile,
        }
    }

    fn check(judge: &Judge, expected: Expect) {
        let said = [Trust::Denied, Trust::Unsaid, Trust::Given].map(|trust| {
            let refusal = allowed(judge, trust).err();
            refusal.map_or("yes".to_owned(), |r| format!("{r:?}"))
        });
        expected.assert_eq(&said.join(" | "));
    }

    #[test]
    fn a_keyless_judge_on_this_machine_needs_no_trust() {
        let urls = [
            "http://localhost:11434/v1",
            "http://127.1.2.3/v1",
            "http://[::1]:1/v1",
            "HTTP://LOCALHOST",
        ];
        for url in urls {
            check(&judge(Some(url)), expect!["Denied | yes | yes"]);
        }
        let keyed = Judge { api_key_env: Some("KEY".into()), ..judge(Some("http://localhost/v1")) };
        check(&keyed, expect!["Denied | NeedsTrust | yes"]);
    }

    #[test]
    fn a_repository_names_no_other_host() {
        check(
            &judge(Some("https://evil.example/v1")),
            expect![[r#"Denied | ForeignHost("evil.example") | ForeignHost("evil.example")"#]],
        );
        check(
            &judge(Some("http://localhost@evil.example/")),
            expect![[r#"Denied | ForeignHost("evil.example") | ForeignHost("evil.example")"#]],
        );
        check(
            &judge(Some("http://localhost.evil.example/")),
            expect![[
                r#"Denied | ForeignHost("localhost.evil.example") | ForeignHost("localhost.evil.example")"#
            ]],
        );
        check(
            &judge(Some("http://0.0.0.0/")),
            expect![[r#"Denied | ForeignHost("0.0.0.0") | ForeignHost("0.0.0.0")"#]],
        );
        check(
            &judge(Some("file:///etc/passwd")),
            expect![[r#"Denied | BadUrl("file:///etc/passwd") | BadUrl("file:///etc/passwd")"#]],
        );
        let own = Judge { origin: Origin::UserFile, ..judge(Some("https://lab.example/v1")) };
        check(&own, expect!["Denied | NeedsTrust | yes"]);
        let vendor = Judge { provider: Provider::Anthropic, ..judge(None) };
        check(&vendor, expect!["Denied | NeedsTrust | yes"]);
    }

    #[test]
    fn recordings_go_nowhere() {
        let recorded = Judge { provider: Provider::Recorded, ..judge(None) };
        check(&recorded, expect!["Denied | yes | yes"]);
        assert_eq!(host(&recorded), None);
        assert!(stays_here(&recorded));
        assert_eq!(host(&judge(Some("http://localhost:9/v1"))).as_deref(), Some("localhost:9"));
    }
}
