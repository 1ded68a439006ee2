//! What becomes of a critique's finding that a person accepts: a criterion more, or
//! the exchange it quotes as a calibration example.
//!
//! Invariant: what is handed out are the proven edits of the rubric
//! ([`addition::insert`], [`crate::rubric::example::insert`]) and nothing else.

use crate::assessment::evidence;
use crate::finding::Edit;
use crate::rubric::{CalibrationExample, ExampleLabel, addition, parse};
use crate::transcript::Transcript;

use super::calibration;
use super::critique::Said;

/// The edit that puts the finding's question into a rubric, and what it makes, in words.
/// `question` stands instead of the finding's own; `about_rubric`: the finding quotes
/// this very text; `category`: instead of the one that the quote or the words name.
///
/// # Errors
/// Why there is no such edit, and what to do.
pub fn criterion(
    text: &str,
    said: &Said,
    question: Option<&str>,
    about_rubric: bool,
    category: Option<&str>,
) -> Result<(Edit, String), String> {
    let question = question.unwrap_or(&said.question);
    if question.trim().is_empty() {
        return Err("it has no question of its own: write one as the note, or dismiss it".into());
    }
    let quoted = Some(&said.quote).filter(|_| about_rubric);
    let at = quoted.and_then(|quote| evidence::find(text, quote));
    let named = addition::category_named(&parse(text), at, &said.says);
    let category = category.or(named.as_deref());
    let added =
        addition::insert(text, question, category).map_err(|why| match (why, category) {
            (addition::Refused::NoCategory, Some(id)) => format!("{why} `{id}`"),
            (addition::Refused::Twice, _) => format!("{why}: dismiss the finding"),
            _ => why.to_string(),
        })?;
    let category = added.category.map(|id| format!(" of {id}")).unwrap_or_default();
    let asks = question.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok((added.edit, format!("criterion {}{category} ({asks})", added.id)))
}

/// The example that the quoted exchange of a transcript makes; `note` stands instead of
/// the finding's own words.
///
/// # Errors
/// Why it makes none.
pub fn example(
    transcript: &Transcript,
    said: &Said,
    criterion: &str,
    label: ExampleLabel,
    note: Option<&str>,
) -> Result<CalibrationExample, String> {
    let (id, quote) = (&transcript.id, &said.quote);
    let says = |index: &usize| evidence::find(&transcript.messages[*index].text, quote).is_some();
    let mut saying = (0..transcript.messages.len()).filter(says);
    let exchange = saying.find_map(|index| transcript.exchange_of(index));
    let exchange =
        exchange.ok_or_else(|| format!("no exchange of {id} says “{quote}” any more"))?;
    let why = note.unwrap_or(&said.says);
    let made = calibration::example(transcript, Some(exchange), label, criterion, &[], &[why]);
    let made = made.ok_or_else(|| format!("{id} has no exchange {exchange}"))?;
    if made.response.trim().is_empty() {
        return Err(format!("exchange {exchange} of {id} has no reply"));
    }
    Ok(made)
}
