//! One reply of an applied fixup, or of one taken back: a line of `data/fixups.jsonl` (SPEC 7.5).
//!
//! Invariant: a record holds all it takes to undo the fixup and to make a
//! preference pair of it: both texts, and where they stood.

use serde::{Deserialize, Serialize};

use super::{Draft, EntailedFixup};

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FixupRecord {
    /// Unique.
    pub id: String,
    /// When, in UTC, as RFC 3339.
    pub at: String,
    /// The transcript's id.
    pub transcript: String,
    /// The digest of the text before, 64 hex digits.
    pub before_digest: String,
    /// The digest of the text after.
    pub after_digest: String,
    /// The exchange, from 1.
    pub exchange: u32,
    /// The reply before.
    pub before: String,
    /// The reply after.
    pub after: String,
    /// The criteria it mended.
    pub criteria: Vec<String>,
    /// The judge that drafted it; empty for one taken back.
    pub drafter: String,
    /// The judges that proved it.
    pub judges: Vec<String>,
    /// What all replies of one fixup share, when they are several: they were proven,
    /// and are taken back, together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub together: Option<String>,
    /// The fixup that this one takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverts: Option<String>,
}

impl FixupRecord {
    /// The records of a fixup that was applied, one a reply.
    #[must_use]
    pub fn applied(id: &str, at: &str, transcript: &str, fixup: &EntailedFixup) -> Vec<Self> {
        let drafts = fixup.drafts();
        let several = drafts.len() > 1;
        let record = |(index, draft): (usize, &Draft)| Self {
            id: if several { format!("{id}.{}", index + 1) } else { id.to_owned() },
            at: at.to_owned(),
            transcript: transcript.to_owned(),
            before_digest: fixup.before().to_string(),
            after_digest: fixup.after().to_string(),
            exchange: draft.target.exchange,
            before: draft.target.before.clone(),
            after: draft.after.clone(),
            criteria: draft.target.criteria.clone(),
            drafter: draft.drafter.clone(),
            judges: fixup.judges().to_vec(),
            together: several.then(|| id.to_owned()),
            reverts: None,
        };
        drafts.iter().enumerate().map(record).collect()
    }

    /// True when this id names it, or the fixup it is a part of.
    #[must_use]
    pub fn is_called(&self, id: &str) -> bool {
        self.id == id || self.together.as_deref() == Some(id)
    }

    /// The record of taking this one back.
    #[must_use]
    pub fn reverted(&self, id: String, at: &str) -> Self {
        Self {
            id,
            at: at.to_owned(),
            before_digest: self.after_digest.clone(),
            after_digest: self.before_digest.clone(),
            before: self.after.clone(),
            after: self.before.clone(),
            drafter: String::new(),
            judges: Vec::new(),
            together: None,
            reverts: Some(self.id.clone()),
            ..self.clone()
        }
    }

    /// The line that says it, without its line break.
    #[must_use]
    pub fn line(&self) -> String {
        // Strings and numbers alone: this cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The records of a fixups file; a line that is none is left out.
#[must_use]
pub fn read(text: &str) -> Vec<FixupRecord> {
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// Everything that this id names: a fixup, with the replies it was proven with.
#[must_use]
pub fn called<'a>(all: &'a [FixupRecord], id: &str) -> Vec<&'a FixupRecord> {
    let named = all.iter().find(|one| one.is_called(id));
    let id = named.and_then(|one| one.together.as_deref()).unwrap_or(id);
    all.iter().filter(|one| one.is_called(id)).collect()
}
