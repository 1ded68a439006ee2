//! Everything static that is known of one record: what the editor shows beside
//! it and what `check` prints. Judged findings are laid over it elsewhere.
//!
//! Invariant: a [`RecordAnalysis`] depends on the record's text and the
//! [`Context`] alone, and all its spans count from the record's first byte; so
//! it stays true while the record moves, and is shared by editor and command line.

use std::borrow::Cow;
use std::sync::Arc;

use super::context::{Context, Memo};
use super::diagnostics::tokens::TokenRules;
use super::diagnostics::{checks, structure, tokens};
use crate::doctor::{self, Count, Diagnosis, Fate};
use crate::finding::Finding;
use crate::rubric::check::{self, CheckResult, Rule, Subject};
use crate::rubric::{Ask, Criterion, Rubric};
use crate::text::Span;
use crate::text::json::{self, Json};
use crate::transcript::digest::TranscriptDigest;
use crate::transcript::{Exchange, Message, Role, Shape, Transcript, digest, read};

/// What one record is and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub struct RecordAnalysis {
    /// Structure, token and check findings, by place.
    pub findings: Vec<Finding>,
    /// How the record is written, as far as its keys tell, even when it holds no conversation.
    pub shape: Option<Shape>,
    /// The conversation in outline; `None` when the record is none.
    pub outline: Option<Outline>,
    /// What the trainer makes of it, where there is a target.
    pub prospect: Option<Prospect>,
}

/// What becomes of a record at the trainer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prospect {
    /// How it fares.
    pub fate: Fate,
    /// Its tokens; `None` where it cannot be rendered.
    pub count: Option<Count>,
}

/// A transcript without its text: what lenses, hints, symbols and folds need.
#[derive(Clone, Debug)]
pub struct Outline {
    /// The transcript's id.
    pub id: Arc<str>,
    /// Where the id is written.
    pub id_source: Option<Span>,
    /// How it is written.
    pub shape: Shape,
    /// The transcript digest: what answers hang on; `None` when not asked for.
    pub digest: Option<TranscriptDigest>,
    /// Equal for equal conversations, as far as this process is concerned.
    pub content: u128,
    /// The same through case, white space and punctuation (rule D001); `None` when
    /// not asked for.
    pub normalised: Option<u128>,
    /// The record's own batch.
    pub batch: Option<String>,
    /// Tokens of the record as rendered; `None` until counted.
    pub tokens: Option<usize>,
    /// Its messages.
    pub messages: Vec<OutlineMessage>,
    /// Its exchanges.
    pub exchanges: Vec<OutlineExchange>,
}

/// One message in outline.
#[derive(Clone, Debug)]
pub struct OutlineMessage {
    /// Who speaks.
    pub role: Role,
    /// The exchange it belongs to.
    pub exchange: Option<u32>,
    /// The whole message.
    pub source: Span,
    /// Its words, without the quotes.
    pub text_source: Span,
    /// Words in it.
    pub words: usize,
    /// Tokens of its text; `None` until counted.
    pub tokens: Option<usize>,
}

/// One exchange in outline.
#[derive(Clone, Debug)]
pub struct OutlineExchange {
    /// From 1.
    pub number: u32,
    /// From its first message to its last.
    pub source: Span,
    /// Words the user wrote.
    pub user_words: usize,
    /// Words of the reply.
    pub reply_words: usize,
}

/// Looks at one record: the findings of the wanted families, and the outline.
#[must_use]
pub fn analyse(record: &str, context: &Context, memo: &mut Memo) -> RecordAnalysis {
    let json = json::parse(record, context.depth_limit);
    let reading = read::read(record, &json);
    let mut findings = Vec::new();
    if context.families.structure {
        findings = structure::record(record, &json, &reading);
    }
    let broken = json.syntax_problem().is_some();
    let shape = reading.shape;
    let Ok(transcript) = reading.transcript else {
        return RecordAnalysis { findings, shape, outline: None, prospect: None };
    };
    let mut outline = outline(record, &transcript, context.measures, memo);
    let mut prospect = None;
    if let Some(target) = context.target.as_deref().filter(|_| !broken) {
        let Diagnosis { findings: own, fate, count } =
            doctor::examine(record, &json, &transcript, target);
        prospect = Some(Prospect { fate, count });
        findings = doctor::settled(findings, own, target);
    }
    if !broken {
        let style = persona_style(record, &json);
        let mut look = Look { record, transcript: &transcript, style, context, memo };
        look.count(&mut outline, &mut findings);
        look.check(&outline, &mut findings);
    }
    for finding in &mut findings {
        finding.transcript = Some(Arc::clone(&outline.id));
    }
    findings.sort_by(|a, b| (a.span, a.severity, &a.code).cmp(&(b.span, b.severity, &b.code)));
    RecordAnalysis { findings, shape, outline: Some(outline), prospect }
}

/// One transcript being looked at.
struct Look<'a> {
    record: &'a str,
    transcript: &'a Transcript,
    style: Option<String>,
    context: &'a Context,
    memo: &'a mut Memo,
}

impl Look<'_> {
    fn count(&mut self, outline: &mut Outline, findings: &mut Vec<Finding>) {
        let Some(counting) = self.context.counting.as_ref().filter(|_| self.wants_tokens()) else {
            return;
        };
        let counts = counting.counter.counts(self.record, self.transcript);
        outline.tokens = counts.record.as_ref().ok().map(|c| c.tokens);
        for (message, tokens) in outline.messages.iter_mut().zip(&counts.messages) {
            message.tokens = *tokens;
        }
        if self.context.families.tokens {
            let rules = TokenRules {
                counter: &counting.counter,
                limit: counting.limit,
                // The doctor says what a template does, where there is a target.
                template_is_set: counting.template_is_set && self.context.target.is_none(),
            };
            findings.extend(tokens::findings(rules, self.record, self.transcript, &counts));
        }
    }

    /// Tokens are shown, limited, or measured by a check.
    fn wants_tokens(&self) -> bool {
        let Context { families, rubric, measures, .. } = self.context;
        let measured = |c: &Criterion| matches!(&c.ask, Ask::Check(check) if matches!(check.rule(), Rule::Tokens(_)));
        let checked = families.checks
            && rubric.as_ref().is_some_and(|rubric| rubric.criteria.iter().any(measured));
        families.tokens || *measures || checked
    }

    fn check(&mut self, outline: &Outline, findings: &mut Vec<Finding>) {
        let Some(rubric) = &self.context.rubric else { return };
        if !self.context.families.checks {
            return;
        }
        let results = self.results(rubric, outline);
        findings.extend(checks::findings(rubric, self.transcript, self.record, &results));
    }

    fn results(&mut self, rubric: &Rubric, outline: &Outline) -> Vec<(usize, CheckResult)> {
        let counts: Option<Vec<usize>> = outline.messages.iter().map(|m| m.tokens).collect();
        let subject = Subject {
            transcript: self.transcript,
            style: self.style.as_deref(),
            record_tokens: outline.tokens,
            message_tokens: counts.as_deref(),
        };
        check::run(rubric, &subject, |check, message| self.memo.facts(check, message))
    }
}

/// The results of a rubric's checks for one record, by index of the criterion:
/// what assessment counts beside the judges' answers. Empty for a broken record.
#[must_use]
pub fn check_results(
    record: &str,
    transcript: &Transcript,
    context: &Context,
    memo: &mut Memo,
) -> Vec<(usize, CheckResult)> {
    let json = json::parse(record, context.depth_limit);
    checked(record, &json, transcript, context, memo).0
}

/// The same for a record that is parsed, with its tokens where a check measures them.
#[must_use]
pub fn checked(
    record: &str,
    json: &Json,
    transcript: &Transcript,
    context: &Context,
    memo: &mut Memo,
) -> (Vec<(usize, CheckResult)>, Option<usize>) {
    let Some(rubric) = &context.rubric else { return (Vec::new(), None) };
    let mut outline = outline(record, transcript, false, memo);
    let style = persona_style(record, json);
    let mut look = Look { record, transcript, style, context, memo };
    look.count(&mut outline, &mut Vec::new());
    (look.results(rubric, &outline), outline.tokens)
}

fn outline(record: &str, transcript: &Transcript, measures: bool, memo: &mut Memo) -> Outline {
    let mut exchange_of = vec![None; transcript.messages.len()];
    for exchange in &transcript.exchanges {
        for &index in exchange.user.iter().chain(&exchange.rest) {
            exchange_of[index] = Some(exchange.number);
        }
    }
    let message = |(index, message): (usize, &Message)| OutlineMessage {
        role: message.role,
        exchange: exchange_of[index],
        source: message.source,
        text_source: message.text_source(),
        words: if measures { memo.words(message) } else { 0 },
        tokens: None,
    };
    let messages: Vec<_> = transcript.messages.iter().enumerate().map(message).collect();
    Outline {
        id: Arc::from(transcript.id.as_str()),
        id_source: transcript.id_source,
        shape: transcript.shape,
        digest: measures.then(|| digest_of(record, transcript, memo)),
        content: digest::content(transcript),
        normalised: measures.then(|| normalised_of(transcript, memo)),
        batch: transcript.batch.clone(),
        tokens: None,
        exchanges: transcript
            .exchanges
            .iter()
            .map(|e| exchange(e, transcript, &messages))
            .collect(),
        messages,
    }
}

fn digest_of(record: &str, transcript: &Transcript, memo: &mut Memo) -> TranscriptDigest {
    digest::of_messages(digest::spoken(transcript).map(|m| memo.digest(record, m)))
}

fn normalised_of(transcript: &Transcript, memo: &mut Memo) -> u128 {
    digest::normalised_of(digest::spoken(transcript).map(|m| memo.normalised(m)))
}

fn exchange(
    exchange: &Exchange,
    transcript: &Transcript,
    messages: &[OutlineMessage],
) -> OutlineExchange {
    let all = || exchange.user.iter().chain(&exchange.rest).map(|&i| messages[i].source);
    let start = all().map(|s| s.start).min().unwrap_or_default();
    OutlineExchange {
        number: exchange.number,
        source: Span::new(start, all().map(|s| s.end).max().unwrap_or(start)),
        user_words: exchange.user.iter().map(|&i| messages[i].words).sum(),
        reply_words: transcript.reply_messages(exchange).map(|i| messages[i].words).sum(),
    }
}

fn persona_style(record: &str, json: &Json) -> Option<String> {
    check::persona::style(json.root(record)?).map(Cow::into_owned)
}
