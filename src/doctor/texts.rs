//! C003: words in a message's text that the tokenizer reads as control tokens.
//!
//! Said where it is known (the model's own tokenizer, or the template's control
//! markers), and for OpenAI, which refuses its own.

use super::subject::Subject;
use super::{Fate, Trainer};
use crate::finding::Severity;
use crate::text::Span;
use crate::tokens::template::markers::Markers;
use crate::tokens::{Counter, Template};

/// Tokens OpenAI's check refuses in a text.
const OPENAI: [&str; 9] = [
    "<|endoftext|>",
    "<|fim_prefix|>",
    "<|fim_middle|>",
    "<|fim_suffix|>",
    "<|endofprompt|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|start|>",
    "<|end|>",
];
/// Findings of one record; the rest is more of the same.
const MOST: usize = 8;

/// C003.
pub(super) fn check(subject: &mut Subject<'_>) {
    let target = subject.target;
    let (rank, why) = match target.trainer {
        Trainer::OpenAi => ((Severity::Error, Fate::Refused), "openai refuses it in a text"),
        trainer if trainer.renders_here() => (
            (Severity::Error, Fate::Changed),
            "the tokenizer reads it as a control token, not as text: the model sees a turn end or begin here",
        ),
        _ => (
            (Severity::Warning, Fate::Changed),
            "tokenizers may read it as a control token: write it in another way",
        ),
    };
    let openai;
    let markers: Vec<&Markers> =
        match (target.trainer, target.counter.counter(), target.counter.template()) {
            (Trainer::OpenAi, ..) => {
                openai = Markers::of(&OPENAI.map(str::to_owned));
                vec![&openai]
            }
            (_, Counter::HuggingFace(own), Template::Jinja(template)) => {
                vec![own.markers(), template.markers()]
            }
            (_, Counter::HuggingFace(own), Template::OpenAi) => vec![own.markers()],
            (_, Counter::OpenAi(_), Template::Jinja(template)) => vec![template.markers()],
            (_, Counter::OpenAi(_), Template::OpenAi) => return,
        };
    let mut found = 0;
    for part in subject.parts() {
        let text = part.message.text.as_str();
        for span in markers.iter().filter_map(|m| m.first_control(text)).take(1) {
            let span: Span = span;
            let place = part.message.source_of(subject.record, span);
            let message = format!("`{}` in the text: {why}", span.of(text));
            subject.note(&part, "C003", rank, place, message);
            found += 1;
        }
        if found >= MOST {
            return;
        }
    }
}
