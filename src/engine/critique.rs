//! Asking for a critique, once: what was answered is in the project's file.
//!
//! Invariant: the question's digest covers the prompt, whatever boundary it is
//! fenced with, and the judge's parameters; a reply that is not as asked is not kept.

use std::path::Path;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use crate::assessment::Unscored;
use crate::config::Judge;
use crate::prompt::critique::critique;
use crate::prompt::{FenceKey, Prompt};
use crate::review::critique::{Critiques, Line};
use crate::transcript::{Transcript, TranscriptDigest};

use super::answer_key::AnswerKey;
use super::{AssessJob, Engine, JobTranscript, journal};

/// Where a project's critiques are, in its folder.
pub const FILE: &str = "data/critiques.jsonl";

/// A text to be criticised.
#[derive(Clone, Debug)]
pub struct Shown {
    /// What it is, in words.
    pub what: String,
    /// The text, as the only message of a conversation.
    pub text: Arc<Transcript>,
    /// The digest of that.
    pub digest: TranscriptDigest,
}

impl Shown {
    fn prompt(&self, fence: FenceKey) -> Prompt {
        critique(&self.what, &self.text, &self.digest.0, fence)
    }

    /// The digest of everything that changes the reply, in hex.
    #[must_use]
    pub fn asked(&self, judge: &Judge) -> String {
        let prompt = self.prompt(FenceKey::new([0; 32]));
        let mut hash = Sha256::new();
        for text in [prompt.system_text(), prompt.user_text(), prompt.schema.to_string()] {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        }
        let template = Sha256::digest(b"rubricator critique 1").into();
        let key = AnswerKey::new(judge, self.digest, hash.finalize().into(), template, 0);
        TranscriptDigest(key.digest()).to_string()
    }
}

impl Engine {
    /// The text that a judge answers with. Of the job its settings, trust and spending
    /// count.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn critique(
        &self,
        shown: &Shown,
        judge: &Judge,
        job: &AssessJob,
        cancel: &CancellationToken,
    ) -> Result<String, Unscored> {
        let about = JobTranscript::new(Arc::clone(&shown.text), shown.digest);
        let prompt = shown.prompt(self.fence());
        self.inner().ask(judge, job, &about, &prompt, cancel).await
    }
}

/// Reads a project's critiques; none where there is no file yet.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn read(root: &Path) -> std::io::Result<Critiques> {
    journal::read(&root.join(FILE)).map(|text| Critiques::read(&text))
}

/// Appends a line, on disk when this returns.
///
/// # Errors
/// When the file cannot be written.
pub fn append(root: &Path, line: &Line) -> std::io::Result<()> {
    journal::append(&root.join(FILE), [line.text().as_str()])
}
