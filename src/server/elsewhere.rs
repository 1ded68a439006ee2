//! Findings of files that are not open: shown after the whole project was
//! assessed, so that nobody has to open every file to see what failed.
//!
//! Invariant: what is shown for a file is of the text it had on disk; once the
//! file is opened its document takes over, once it changes it is shown no more.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use tower_lsp_server::gen_lsp_types::Uri;

use super::open_document::OpenDocument;
use super::publication::NOTHING;
use super::session::Session;

/// What is shown of files that are not open: JSON arrays of diagnostics.
pub type Elsewhere = HashMap<PathBuf, (Uri, Vec<u8>)>;

impl Session {
    /// Shows these for the files of a project that are not open, and nothing else.
    pub(super) fn show_elsewhere(
        &mut self,
        root: Option<&Path>,
        shown: Vec<(PathBuf, Uri, Vec<u8>)>,
    ) {
        let Some(root) = root else { return };
        let open = |path: &Path| self.documents.values().any(|d| d.path.as_deref() == Some(path));
        let shown: Vec<_> = shown.into_iter().filter(|(path, ..)| !open(path)).collect();
        let gone: Vec<PathBuf> = self.sweeps.elsewhere.keys().cloned().collect();
        let still = |path: &PathBuf| shown.iter().any(|(own, ..)| own == path);
        for path in gone.iter().filter(|path| path.starts_with(root) && !still(path)) {
            self.hide_elsewhere(path);
        }
        for (path, uri, list) in shown {
            let before = self.sweeps.elsewhere.insert(path, (uri.clone(), list.clone()));
            if before.is_none_or(|(_, before)| before != list) {
                self.outbox.publish(&uri, None, &list);
            }
        }
    }

    /// Nothing is shown for a file any more that is not open.
    pub(super) fn hide_elsewhere(&mut self, path: &Path) {
        if let Some((uri, _)) = self.sweeps.elsewhere.remove(path) {
            self.outbox.publish(&uri, None, NOTHING);
        }
    }

    /// A file was opened: its document takes over what is shown.
    pub(super) fn take_from_elsewhere(&mut self, document: &mut OpenDocument) {
        let Some(path) = &document.path else { return };
        match self.sweeps.elsewhere.remove(path) {
            Some((uri, list)) if uri == document.uri => document.is_shown_with(&list),
            // The client writes the address in another way.
            Some((uri, _)) => {
                self.outbox.publish(&uri, None, NOTHING);
            }
            None => {}
        }
    }
}
