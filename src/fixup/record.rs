//! One applied fixup, or one taken back: a line of `data/fixups.jsonl` (SPEC 7.5).
//!
//! Invariant: a record holds all it takes to undo the fixup and to make a
//! preference pair of it: both texts, and where they stood.

use serde::{Deserialize, Serialize};

use super::EntailedFixup;

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
    /// The fixup that this one takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverts: Option<String>,
}

impl FixupRecord {
    /// The record of a fixup that was applied.
    #[must_use]
    pub fn applied(
        id: String,
        at: String,
        transcript: &str,
        after: &str,
        fixup: &EntailedFixup,
    ) -> Self {
        let draft = fixup.draft();
        Self {
            id,
            at,
            transcript: transcript.to_owned(),
            before_digest: draft.target.transcript.to_string(),
            after_digest: after.to_owned(),
            exchange: draft.target.exchange,
            before: draft.target.before.clone(),
            after: draft.after.clone(),
            criteria: draft.target.criteria.clone(),
            drafter: draft.drafter.clone(),
            judges: fixup.judges().to_vec(),
            reverts: None,
        }
    }

    /// The record of taking this one back.
    #[must_use]
    pub fn reverted(&self, id: String, at: String) -> Self {
        Self {
            id,
            at,
            before_digest: self.after_digest.clone(),
            after_digest: self.before_digest.clone(),
            before: self.after.clone(),
            after: self.before.clone(),
            drafter: String::new(),
            judges: Vec::new(),
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
