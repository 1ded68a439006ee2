//! Findings of files that are not open: shown after the whole project was
//! assessed or audited, so that nobody has to open every file to see what failed.
//!
//! Invariant: what is shown for a file is of the text it had on disk; once the
//! file is opened its document takes over, once it changes it is shown no more.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use tower_lsp_server::gen_lsp_types::Uri;

use super::open_document::OpenDocument;
use super::publication::NOTHING;
use super::session::Session;

/// What is shown of files that are not open.
pub type Elsewhere = HashMap<PathBuf, Shown>;

/// What is shown of one file: JSON arrays of diagnostics, by whose they are.
#[derive(Clone, Debug)]
pub struct Shown {
    uri: Uri,
    lists: [Vec<u8>; 2],
}

/// Whose findings they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The judges'.
    Judged,
    /// The last audit's.
    Audited,
}

impl Shown {
    fn nothing(uri: Uri) -> Self {
        Self { uri, lists: [NOTHING.to_vec(), NOTHING.to_vec()] }
    }

    /// Both lists as one.
    fn list(&self) -> Vec<u8> {
        let inside = |list: &[u8]| list.get(1..list.len().saturating_sub(1)).map(<[u8]>::to_vec);
        let lists = self.lists.iter().filter_map(|list| inside(list));
        let lists: Vec<Vec<u8>> = lists.filter(|list| !list.is_empty()).collect();
        [b"[".to_vec(), lists.join(&b","[..]), b"]".to_vec()].concat()
    }
}

impl Session {
    /// Shows these for the files of a project that are not open, and nothing else of
    /// their side.
    pub(super) fn show_elsewhere(
        &mut self,
        root: Option<&Path>,
        side: Side,
        shown: Vec<(PathBuf, Uri, Vec<u8>)>,
    ) {
        let Some(root) = root else { return };
        let open = |path: &Path| self.documents.values().any(|d| d.path.as_deref() == Some(path));
        let mut came: HashMap<PathBuf, (Uri, Vec<u8>)> = HashMap::new();
        for path in self.sweeps.elsewhere.keys().filter(|path| path.starts_with(root)) {
            let uri = self.sweeps.elsewhere[path].uri.clone();
            came.insert(path.clone(), (uri, NOTHING.to_vec()));
        }
        let shown = shown.into_iter().filter(|(path, ..)| !open(path));
        came.extend(shown.map(|(path, uri, list)| (path, (uri, list))));
        for (path, (uri, list)) in came {
            let known = self.sweeps.elsewhere.entry(path.clone());
            let known = known.or_insert_with(|| Shown::nothing(uri.clone()));
            let before = known.list();
            known.lists[side as usize] = list;
            let after = known.list();
            if after == NOTHING {
                self.sweeps.elsewhere.remove(&path);
            }
            if before != after {
                self.outbox.publish(&uri, None, &after);
            }
        }
    }

    /// Nothing is shown for a file any more that is not open.
    pub(super) fn hide_elsewhere(&mut self, path: &Path) {
        if let Some(shown) = self.sweeps.elsewhere.remove(path) {
            self.outbox.publish(&shown.uri, None, NOTHING);
        }
    }

    /// A file was opened: its document takes over what is shown.
    pub(super) fn take_from_elsewhere(&mut self, document: &mut OpenDocument) {
        let Some(path) = &document.path else { return };
        match self.sweeps.elsewhere.remove(path) {
            Some(shown) if shown.uri == document.uri => document.is_shown_with(&shown.list()),
            // The client writes the address in another way.
            Some(shown) => self.outbox.publish(&shown.uri, None, NOTHING),
            None => {}
        }
    }
}
