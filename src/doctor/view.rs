//! A record as rendered: its text, what of it is trained, how many tokens that is
//! and how many of them are kept.
//!
//! Invariant: with the model's own tokenizer a token is trained when it shares a
//! character with a trained span, as in `transformers`; a limit keeps the first
//! tokens. Otherwise the counts are sums over pieces, and say they are estimates.

use super::input::Handed;
use super::subject::Subject;
use super::{Loss, OverLength, Target, Trainer};
use crate::text::Span;
use crate::tokens::template::{ChatTemplate, Located, Rendered, located};
use crate::tokens::{Counter, Precision, RenderInput, Template, TemplateError};
use crate::transcript::{Role, Shape};

/// How many tokens a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// Tokens as rendered.
    pub tokens: usize,
    /// Those that the loss is taken on, were nothing cut off.
    pub trained: usize,
    /// Tokens the trainer keeps.
    pub kept: usize,
    /// Those of them that the loss is taken on.
    pub kept_trained: usize,
    /// Whether these are the numbers, or close to them.
    pub precision: Precision,
}

/// A record as the trainer sees it.
#[derive(Clone, Debug)]
pub struct View {
    /// The text; empty where there is none but a formula of counting.
    pub text: String,
    /// What is trained, in order.
    pub trained: Vec<Span>,
    /// Bytes of the text that are kept.
    pub kept: usize,
    /// The message of the transcript in which it is cut off.
    pub cut_in: Option<usize>,
    /// Its tokens; `None` where a text could not be counted.
    pub count: Option<Count>,
    /// Where each message handed to the template stands.
    pub(super) places: Vec<Located>,
}

/// The view of a record.
///
/// # Errors
/// What the template said, or why there is no view.
pub(super) fn of(subject: &Subject<'_>, handed: &Handed<'_>) -> Result<View, String> {
    match subject.target.counter.template() {
        Template::OpenAi => Ok(by_formula(subject, handed)),
        Template::Jinja(template) => rendered(subject, handed, template).map_err(|e| e.to_string()),
    }
}

/// The view by a template's text.
///
/// # Errors
/// What the template said.
pub(super) fn rendered(
    subject: &Subject<'_>,
    handed: &Handed<'_>,
    template: &ChatTemplate,
) -> Result<View, TemplateError> {
    let rendered = template.render_marked(&handed.input)?;
    let text = rendered.text();
    let places = located(text, &handed.input.messages);
    let trained = trained(subject, handed, template, &rendered, &places);
    let mut view = View {
        text: text.to_owned(),
        trained,
        kept: text.len(),
        cut_in: None,
        count: None,
        places,
    };
    let precision = precision(subject.target, rendered.precision());
    view.count(subject, handed, precision);
    Ok(view)
}

/// Whether the count is what the trainer counts.
fn precision(target: &Target, rendered: Precision) -> Precision {
    if rendered != Precision::Exact {
        return rendered;
    }
    let own = matches!(target.counter.counter(), Counter::HuggingFace(_));
    if !own {
        return Precision::Estimate("not the model's own tokenizer");
    }
    if !target.template_is_known {
        return Precision::Estimate("no chat template was named");
    }
    if !target.trainer.renders_here() {
        return Precision::Estimate("the trainer renders it elsewhere");
    }
    Precision::Exact
}

impl View {
    fn count(&mut self, subject: &Subject<'_>, handed: &Handed<'_>, precision: Precision) {
        let target = subject.target;
        let Ok(total) = target.counter.rendered_tokens(&self.text) else { return };
        let limit = target.max_length.filter(|_| target.trainer.over_length() == OverLength::Cut);
        let all_trained = self.trained.first() == Some(&Span::new(0, self.text.len()));
        let within = limit.is_none_or(|limit| total <= limit);
        if all_trained && within {
            self.count = Some(Count {
                tokens: total,
                trained: total,
                kept: total,
                kept_trained: total,
                precision,
            });
            return;
        }
        let tokens = self.tokens(target);
        // Pieces may add up to a few more or less than the whole.
        let sum: usize = tokens.iter().map(|(_, n)| n).sum();
        let limit = limit.filter(|_| !within).unwrap_or(usize::MAX);
        let (mut kept, mut trained, mut kept_trained) = (0, 0, 0);
        let mut cut = None;
        for (span, n) in &tokens {
            let is_trained = self.trained.iter().any(|t| span.end > t.start && span.start < t.end);
            let room = limit.saturating_sub(kept).min(*n);
            if room < *n && cut.is_none() {
                let part = span.len() * room / (*n).max(1);
                cut = Some(floor(&self.text, span.start + part));
            }
            kept += room;
            if is_trained {
                trained += n;
                kept_trained += room;
            }
        }
        let tokens = if sum == total { sum } else { total };
        kept = if cut.is_none() { tokens } else { kept };
        if let Some(at) = cut {
            self.kept = at;
            let hit = |place: &Located| place.said.is_some_and(|s| s.end > at);
            let hit = self.places.iter().position(hit);
            self.cut_in = hit.or(self.places.len().checked_sub(1)).map(|i| handed.index[i]);
        }
        self.count = Some(Count { tokens, trained, kept, kept_trained, precision });
    }

    /// The tokens with their places: one by one by the model's own tokenizer, else
    /// the pieces between the borders that matter, each with its count.
    fn tokens(&self, target: &Target) -> Vec<(Span, usize)> {
        if let Counter::HuggingFace(own) = target.counter.counter()
            && let Ok(offsets) = own.offsets(&self.text)
        {
            return offsets.into_iter().map(|span| (span, 1)).collect();
        }
        let said = self.places.iter().filter_map(|p| p.said);
        let borders = self.trained.iter().copied().chain(said).flat_map(|s| [s.start, s.end]);
        let mut borders: Vec<usize> = borders.chain([0, self.text.len()]).collect();
        borders.sort_unstable();
        borders.dedup();
        let piece = |pair: &[usize]| {
            let span = Span::new(pair[0], pair[1]);
            (span, target.counter.rendered_tokens(span.of(&self.text)).unwrap_or_default())
        };
        borders.windows(2).map(piece).collect()
    }
}

fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at)
}

/// What the loss is taken on.
fn trained(
    subject: &Subject<'_>,
    handed: &Handed<'_>,
    template: &ChatTemplate,
    rendered: &Rendered,
    places: &[Located],
) -> Vec<Span> {
    let target = subject.target;
    let whole = Span::new(0, rendered.text().len());
    let is_pair = matches!(subject.draft.shape, Shape::PromptCompletion | Shape::Preference);
    let completion = || {
        let prompt = prompt_length(subject, handed);
        Span::new(prefix(template, &handed.input, prompt, rendered.text()), whole.end)
    };
    match (target.trainer, target.loss) {
        (Trainer::Trl | Trainer::Unsloth, Loss::All) if is_pair => vec![completion()],
        (_, Loss::All) => vec![whole],
        (_, Loss::Last) => {
            let before = handed.input.messages.len().saturating_sub(1);
            vec![Span::new(prefix(template, &handed.input, before, rendered.text()), whole.end)]
        }
        (Trainer::Trl, Loss::Replies) if is_pair => {
            let after = completion().start;
            let cut = |s: &Span| Span::new(s.start.max(after), s.end.max(after));
            rendered.generated().iter().map(cut).filter(|s| !s.is_empty()).collect()
        }
        (Trainer::Trl, Loss::Replies) => rendered.generated().to_vec(),
        (_, Loss::Replies) => replies(subject, handed, template, rendered, places),
    }
}

/// The replies: what the template marks as such, else their texts with the marker
/// that ends each.
fn replies(
    subject: &Subject<'_>,
    handed: &Handed<'_>,
    template: &ChatTemplate,
    rendered: &Rendered,
    places: &[Located],
) -> Vec<Span> {
    let message = |i: &usize| &subject.transcript.messages[handed.index[*i]];
    let spoken: Vec<usize> =
        (0..places.len()).filter(|i| message(i).role == Role::Assistant).collect();
    let off = |i: &usize| subject.target.trainer.reads_weights() && message(i).untrained;
    if rendered.generated().len() == spoken.len() {
        let both = spoken.iter().zip(rendered.generated());
        return both.filter(|(i, _)| !off(i)).map(|(_, span)| *span).collect();
    }
    let markers = template.markers().spans(rendered.text());
    let with_end = |span: Span| {
        let end = markers.iter().find(|m| m.start == span.end).map_or(span.end, |m| m.end);
        Span::new(span.start, end)
    };
    let said = spoken.iter().filter(|i| !off(i)).filter_map(|i| places[*i].said);
    said.map(with_end).filter(|s| !s.is_empty()).collect()
}

/// Messages before what is learnt: all but the last run of the assistant's.
fn prompt_length(subject: &Subject<'_>, handed: &Handed<'_>) -> usize {
    let is_reply = |i: &&usize| subject.transcript.messages[**i].role == Role::Assistant;
    handed.index.len() - handed.index.iter().rev().take_while(is_reply).count()
}

/// Bytes that the first messages, rendered as a question, share with the whole.
fn prefix(template: &ChatTemplate, input: &RenderInput<'_>, messages: usize, whole: &str) -> usize {
    let mut asked = input.prefix(messages);
    asked.add_generation_prompt =
        input.messages.get(messages).is_some_and(|next| next.role() == "assistant");
    let Ok(asked) = template.render(&asked, false) else { return 0 };
    let same = asked.text().bytes().zip(whole.bytes()).take_while(|(a, b)| a == b).count();
    floor(whole, same)
}

/// The view where there is a formula of counting and no text.
fn by_formula(subject: &Subject<'_>, handed: &Handed<'_>) -> View {
    let target = subject.target;
    let mut view = View {
        text: String::new(),
        trained: Vec::new(),
        kept: 0,
        cut_in: None,
        count: None,
        places: Vec::new(),
    };
    let Ok(count) = target.counter.record_tokens(&handed.input) else { return view };
    let precision = match (count.precision, target.trainer) {
        (Precision::Exact, Trainer::OpenAi) => Precision::Exact,
        (Precision::Exact, _) => Precision::Estimate("by OpenAI's formula"),
        (estimate, _) => estimate,
    };
    let said = |messages: usize| -> usize {
        let of = |i: &usize| &subject.transcript.messages[handed.index[*i]];
        let off = |i: &usize| target.trainer.reads_weights() && of(i).untrained;
        let spoken = (0..messages).filter(|i| of(i).role == Role::Assistant && !off(i));
        spoken.map(|i| target.counter.message_tokens(&of(&i).text).unwrap_or_default()).sum()
    };
    let all = target.loss == Loss::All;
    let messages = handed.index.len();
    let trained = if all { count.tokens } else { said(messages) };
    let limit = target.max_length.filter(|_| target.trainer.over_length() == OverLength::Cut);
    let limit = limit.filter(|limit| count.tokens > *limit);
    let crossing = limit.and_then(|limit| target.counter.crossing(&handed.input, limit));
    view.cut_in = crossing.map(|i| handed.index[i]);
    let kept = limit.unwrap_or(count.tokens);
    let kept_trained = match crossing {
        Some(_) if all => kept,
        Some(message) => said(message),
        None => trained,
    };
    let tokens = count.tokens;
    view.count = Some(Count { tokens, trained, kept, kept_trained, precision });
    view
}
