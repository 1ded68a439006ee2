//! Where an address leads: to this machine, or beyond it.
//!
//! Invariant: an address is read more strictly than any HTTP client reads it;
//! what two readers could understand differently is refused, so nothing that
//! passes for loopback here can lead elsewhere.

use std::net::{Ipv4Addr, Ipv6Addr};

/// An http(s) address, taken apart as far as trust needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Host name or IP address, in lower case, without brackets and port.
    pub name: String,
    /// It leads to this machine.
    pub loopback: bool,
}

/// Reads the host of an http(s) address; the error says what is wrong with it.
///
/// # Errors
/// No `http://` or `https://`, no host, a user name or password in the address,
/// a port that is none, or characters that have no place in a host.
pub fn host(url: &str) -> Result<Host, &'static str> {
    let rest = strip_scheme(url).ok_or("it must begin with http:// or https://")?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    if authority.contains('@') {
        return Err("it must not hold a user name or password");
    }
    let (name, port) = split_port(authority).ok_or("its host cannot be read")?;
    if !port.is_empty() && port.parse::<u16>().is_err() {
        return Err("its port is not a number up to 65535");
    }
    if name.is_empty() {
        return Err("it has no host");
    }
    let name = name.to_ascii_lowercase();
    let loopback = is_loopback(&name);
    Ok(Host { name, loopback })
}

fn strip_scheme(url: &str) -> Option<&str> {
    ["http://", "https://"].iter().find_map(|scheme| {
        let (head, rest) = url.split_at_checked(scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then_some(rest)
    })
}

/// Host without brackets, and the port or nothing.
fn split_port(authority: &str) -> Option<(&str, &str)> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (name, tail) = rest.split_once(']')?;
        name.parse::<Ipv6Addr>().ok()?;
        return tail.strip_prefix(':').or(tail.is_empty().then_some("")).map(|port| (name, port));
    }
    let (name, port) = authority.split_once(':').unwrap_or((authority, ""));
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    name.bytes().all(plain).then_some((name, port))
}

/// Names below `localhost` are left out: some resolvers ask a name server for them.
fn is_loopback(name: &str) -> bool {
    name == "localhost"
        || name.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
        || name.parse::<Ipv6Addr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_this_machine_from_others() {
        for (url, loopback) in [
            ("http://localhost:11434/v1", true),
            ("http://127.0.0.1:8000", true),
            ("HTTP://127.9.9.9/", true),
            ("http://[::1]:8000/v1", true),
            ("http://api.localhost", false),
            ("http://localhost.", false),
            ("http://[::ffff:127.0.0.1]", false),
            ("http://127.0.0.1.nip.io", false),
            ("https://api.openai.com/v1", false),
            ("http://127.0.0.1.example.com", false),
            ("http://localhost.example.com", false),
            ("http://10.0.0.1:8000", false),
            ("http://2130706433/", false),
        ] {
            assert_eq!(host(url).map(|h| h.loopback), Ok(loopback), "{url}");
        }
    }

    #[test]
    fn refuses_what_can_be_read_two_ways() {
        for url in [
            "http://127.0.0.1@example.com",
            "http://127.0.0.1\\@example.com",
            "http://user:pw@localhost",
            "http://127.0.0.1\t.example.com",
            "http://[::1]example.com",
            "http://[::1",
            "http://",
            "ftp://localhost",
            "localhost:8000",
            "http://localhost:99999",
        ] {
            assert!(host(url).is_err(), "{url}");
        }
    }
}
