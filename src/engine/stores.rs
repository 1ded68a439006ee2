//! Which store belongs to which project, and the open ones.
//!
//! Invariant: a project's answers go to `.rubricator/store.db` in its folder,
//! those of files outside any project to the user's own data folder; looking
//! up never makes a store, only keeping does.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::store::{self, Store, owner};

/// The open stores.
#[derive(Debug)]
pub(super) struct Stores {
    data_dir: Option<PathBuf>,
    // Held while a store is opened, so that two jobs do not open one twice.
    open: Mutex<HashMap<PathBuf, Result<Arc<Store>, String>>>,
}

/// A store, or the sentence that says why there is none.
#[derive(Clone, Debug)]
pub(super) enum Opened {
    Store(Arc<Store>),
    /// There is none yet, and none was asked to be made.
    Nothing,
    /// It cannot be used. `first` is true the first time this is said.
    Failed {
        why: String,
        first: bool,
    },
}

impl Opened {
    pub(super) fn store(&self) -> Option<&Arc<Store>> {
        match self {
            Self::Store(store) => Some(store),
            Self::Nothing | Self::Failed { .. } => None,
        }
    }
}

impl Stores {
    pub(super) fn new(data_dir: Option<PathBuf>) -> Self {
        Self { data_dir, open: Mutex::default() }
    }

    /// The store of a project, when there is one.
    pub(super) fn existing(&self, project: Option<&Path>) -> Opened {
        match self.path(project) {
            Some(path) if path.exists() => self.opened(path),
            _ => Opened::Nothing,
        }
    }

    /// The store of a project, made when there is none.
    pub(super) fn made(&self, project: Option<&Path>) -> Opened {
        self.path(project).map_or(Opened::Nothing, |path| self.opened(path))
    }

    fn path(&self, project: Option<&Path>) -> Option<PathBuf> {
        Some(store::place(self.data_dir.as_deref()?, project))
    }

    fn opened(&self, path: PathBuf) -> Opened {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Ok(store)) = open.get(&path) {
            return Opened::Store(Arc::clone(store));
        }
        match self.open(&path) {
            Ok(store) => {
                open.insert(path, Ok(Arc::clone(&store)));
                Opened::Store(store)
            }
            Err(why) => {
                let said = matches!(open.get(&path), Some(Err(before)) if *before == why);
                open.insert(path, Err(why.clone()));
                Opened::Failed { why, first: !said }
            }
        }
    }

    fn open(&self, path: &Path) -> Result<Arc<Store>, String> {
        let Some(data_dir) = &self.data_dir else { return Err("no data folder".into()) };
        let owner = owner::id(data_dir).map_err(|e| format!("the owner id: {e}"))?;
        Store::open(path, &owner).map(Arc::new).map_err(|e| e.to_string())
    }
}
