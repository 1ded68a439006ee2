//! Document addresses and file paths.
//!
//! Invariant: `to_path(&from_path(p)) == Some(p)` for absolute paths. Only
//! `file:` addresses have a path; every other scheme (`untitled:`, …) is a
//! document without a file and without a project.

use std::path::{Path, PathBuf};

use tower_lsp_server::gen_lsp_types::Uri;

/// The file an address names.
#[must_use]
pub fn to_path(uri: &Uri) -> Option<PathBuf> {
    let rest = uri.0.strip_prefix("file://")?;
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    let end = path.find(['?', '#']).unwrap_or(path.len());
    let decoded = decode(path.get(..end)?)?;
    if !decoded.starts_with('/') {
        return None;
    }
    let drive = decoded.as_bytes().get(2) == Some(&b':');
    Some(PathBuf::from(if cfg!(windows) && drive { &decoded[1..] } else { &decoded }))
}

/// The address of an absolute path.
#[must_use]
pub fn from_path(path: &Path) -> Uri {
    let text = path.to_string_lossy().replace('\\', if cfg!(windows) { "/" } else { "\\" });
    let mut uri = String::from(if text.starts_with('/') { "file://" } else { "file:///" });
    for byte in text.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"/-._~:".contains(&byte);
        if plain {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    Uri(uri)
}

/// The last part of an address, decoded: what extensions are looked up in.
#[must_use]
pub fn file_name(uri: &Uri) -> String {
    let end = uri.0.find(['?', '#']).unwrap_or(uri.0.len());
    let path = &uri.0[..end];
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    decode(name).unwrap_or_else(|| name.to_owned())
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = (*first == b'%').then(|| tail.get(..2)).flatten();
        let hex = escaped.and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_survive_the_round_trip() {
        for path in ["/a/b.jsonl", "/with space/ü#?%.json", "/", "/a+b/c;d"] {
            assert_eq!(to_path(&from_path(Path::new(path))).as_deref(), Some(Path::new(path)));
        }
    }

    #[test]
    fn addresses_are_decoded_and_others_have_no_path() {
        let path = |uri: &str| to_path(&Uri(uri.to_owned()));
        assert_eq!(path("file:///a%20b/c.jsonl"), Some(PathBuf::from("/a b/c.jsonl")));
        assert_eq!(path("file://localhost/a"), Some(PathBuf::from("/a")));
        assert_eq!(path("file:///a%zz"), Some(PathBuf::from("/a%zz")));
        for other in ["untitled:Untitled-1", "vscode-notebook-cell:/a", "file://host/a", "a"] {
            assert_eq!(path(other), None, "{other}");
        }
        assert_eq!(file_name(&Uri("file:///a/b%20c.jsonl?x".into())), "b c.jsonl");
        assert_eq!(
            file_name(&Uri("untitled:Untitled-1.jsonl".into())),
            "untitled:Untitled-1.jsonl"
        );
    }
}
