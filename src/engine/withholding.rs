//! What is not sent although a judge may be asked: text that looks like it holds
//! secrets or personal data.
//!
//! Invariant: a run and its plan go by the same rule; a judge on this machine sees
//! everything; consent is given to one text, for as long as the process lives, and
//! an edit makes it another text.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::assessment::privacy::{self, Sensitive};
use crate::assessment::{Unscored, UnscoredReason};
use crate::config::{Judge, SensitiveText};
use crate::transcript::TranscriptDigest;

use super::job::{AssessJob, JobTranscript};
use super::prepared::{Prepared, Subject};
use super::trust;

/// The texts that the user has said may be sent whatever they hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Consent {
    // Held only to look up or add digests.
    given: Arc<Mutex<HashSet<TranscriptDigest>>>,
}

impl Consent {
    pub(super) fn give(&self, texts: impl IntoIterator<Item = TranscriptDigest>) {
        self.given.lock().unwrap_or_else(PoisonError::into_inner).extend(texts);
    }

    /// What was said of one text holds for a rewrite of it.
    pub(super) fn extend(&self, from: TranscriptDigest, to: TranscriptDigest) {
        if self.covers(from) {
            self.give([to]);
        }
    }

    fn covers(&self, text: TranscriptDigest) -> bool {
        self.given.lock().unwrap_or_else(PoisonError::into_inner).contains(&text)
    }
}

/// A text that is not sent as things are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withheld {
    /// Which.
    pub transcript: TranscriptDigest,
    /// Its id.
    pub id: String,
    /// What was found, and where.
    pub found: Vec<Sensitive>,
}

/// What keeps a text from a judge; empty when nothing does.
pub(super) fn found<'p>(
    prepared: &'p Prepared,
    subject: &'p Subject,
    judge: &Judge,
) -> &'p [Sensitive] {
    let free = match prepared.job.settings.sensitive_text {
        SensitiveText::Send => true,
        SensitiveText::Ask => prepared.consent.covers(subject.digest),
        SensitiveText::Block => false,
    };
    if free || trust::stays_here(judge) {
        return &[];
    }
    subject.sensitive.get_or_init(|| privacy::in_transcript(&subject.transcript))
}

/// What keeps a text from a judge outside of a run.
pub(super) fn objection(
    about: &JobTranscript,
    judge: &Judge,
    job: &AssessJob,
    consent: &Consent,
) -> Option<Unscored> {
    let free = match job.settings.sensitive_text {
        SensitiveText::Send => true,
        SensitiveText::Ask => consent.covers(about.digest),
        SensitiveText::Block => false,
    };
    if free || trust::stays_here(judge) {
        return None;
    }
    let found = privacy::in_transcript(&about.transcript);
    (!found.is_empty()).then(|| outcome(&found))
}

/// The outcome of every question about a text that is withheld.
pub(super) fn outcome(found: &[Sensitive]) -> Unscored {
    let detail = format!(
        "not sent: the transcript seems to hold {} ({}); take it out, or allow it with \
         assess.sensitive_text",
        privacy::kinds(found),
        exchanges(found),
    );
    Unscored::new(UnscoredReason::Withheld, detail)
}

/// `exchange 2` or `exchanges 2, 5`.
#[must_use]
pub fn exchanges(found: &[Sensitive]) -> String {
    let mut numbers: Vec<u32> = found.iter().map(|one| one.exchange).collect();
    numbers.dedup();
    let word = if numbers.len() == 1 { "exchange" } else { "exchanges" };
    let all: Vec<String> = numbers.iter().map(u32::to_string).collect();
    format!("{word} {}", all.join(", "))
}
