//! Code lenses: one line above each transcript with its standing and its size.
//!
//! Invariant: pure over the outline and the assessment; what the lens says is
//! also in the hover at the start of the record.

use super::hints::counted;
use super::record::Outline;
use crate::review::gate::Gate;

/// How a transcript stands, in the words a lens shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    /// passed, failed, gated, incomplete, too-short, or `not assessed`.
    pub name: String,
    /// The lowest score of any judge.
    pub score: Option<f64>,
    /// How many judges answered.
    pub judges: usize,
    /// Judges differ.
    pub disagreement: bool,
    /// The text or the rubric has moved on and is being asked again.
    pub rechecking: bool,
    /// Replayed from a recording.
    pub recorded: bool,
}

/// One lens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lens {
    /// What it says.
    pub title: String,
    /// What pressing it does.
    pub press: Press,
}

/// What a lens does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Press {
    /// Explains the transcript's findings.
    Explain,
    /// Assesses the transcript.
    Assess,
    /// Asks what a person says of the transcript.
    Review,
    /// Shows the gates of all batches.
    Gate,
}

/// The lenses of one transcript. `limit` is the token limit of the settings; `review`
/// is the word for what people said, `None` where nothing can be said.
#[must_use]
pub fn lenses(
    outline: &Outline,
    standing: Option<&Standing>,
    limit: usize,
    review: Option<&str>,
) -> Vec<Lens> {
    let mut lenses = vec![
        Lens { title: summary(outline, standing, limit), press: Press::Explain },
        Lens { title: "Assess".into(), press: Press::Assess },
    ];
    lenses.extend(review.map(|word| {
        let title = if word.is_empty() { "Review".to_owned() } else { format!("Review ({word})") };
        Lens { title, press: Press::Review }
    }));
    lenses
}

/// The decision of a batch, and in few words what keeps it from scaling and how many
/// warnings stand beside it: a lens is cut off at the window's edge.
#[must_use]
pub fn gate(gate: &Gate, warnings: usize) -> String {
    let counted_of = gate.transcripts - gate.too_short;
    let mut parts = vec![gate.decision.name().to_owned()];
    parts.push(format!("{} of {counted_of} passed", gate.passed));
    let head = |missing: &String| missing.split(':').next().unwrap_or_default().to_owned();
    let is_new = |head: &String| !head.starts_with(&parts[1]);
    let heads: Vec<String> = gate.missing.iter().map(head).filter(is_new).collect();
    parts.extend(heads);
    parts.extend((warnings > 0).then(|| counted(warnings, "warning")));
    parts.join(" · ")
}

/// The same with all that is missing.
#[must_use]
pub fn gate_in_full(gate: &Gate) -> String {
    let counted = gate.transcripts - gate.too_short;
    let mut parts = vec![gate.decision.name().to_owned()];
    parts.push(format!("{} of {counted} passed", gate.passed));
    parts.extend(gate.missing.iter().cloned());
    parts.join(" · ")
}

/// Standing, lowest score, judges, tokens / limit, exchanges; also the head of the hover.
#[must_use]
pub fn summary(outline: &Outline, standing: Option<&Standing>, limit: usize) -> String {
    let mut parts = Vec::new();
    match standing {
        None => parts.push("not assessed".to_owned()),
        Some(standing) => {
            parts.push(match standing.score {
                Some(score) => format!("{} {score:.3}", standing.name),
                None => standing.name.clone(),
            });
            parts.push(counted(standing.judges, "judge"));
            parts.extend(standing.disagreement.then(|| "judges disagree".to_owned()));
            parts.extend(standing.recorded.then(|| "recorded".to_owned()));
            parts.extend(standing.rechecking.then(|| "re-checking".to_owned()));
        }
    }
    parts.extend(outline.tokens.map(|n| format!("{n} / {limit} tokens")));
    parts.push(counted(outline.exchanges.len(), "exchange"));
    parts.join(" · ")
}

#[cfg(test)]
mod tests {
    use super::super::samples::outline;
    use super::*;

    #[test]
    fn the_summary_says_what_is_known() {
        let mut outline = outline();
        assert_eq!(summary(&outline, None, 100), "not assessed · 1 exchange");
        outline.tokens = Some(42);
        let standing = Standing {
            name: "failed".into(),
            score: Some(0.625),
            judges: 2,
            disagreement: true,
            rechecking: true,
            recorded: false,
        };
        assert_eq!(
            summary(&outline, Some(&standing), 16_000),
            "failed 0.625 · 2 judges · judges disagree · re-checking · 42 / 16000 tokens · 1 exchange"
        );
    }
}
