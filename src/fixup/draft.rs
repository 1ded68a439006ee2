//! A draft: an unproven rewrite of one reply, and every way in which it may be refused.
//!
//! Invariant: a draft names the text it was made for by digest, and nothing can
//! be done with it but to prove it ([`super::EntailedFixup::prove`]).

use std::fmt;

use serde::Deserialize;

use crate::transcript::{Exchange, Transcript, TranscriptDigest};

use super::continuity::Break;

/// A reply that may be rewritten, and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The transcript's digest.
    pub transcript: TranscriptDigest,
    /// The exchange, from 1.
    pub exchange: u32,
    /// Index of the message that is the reply.
    pub message: usize,
    /// What it says.
    pub before: String,
    /// The criteria it failed, by id.
    pub criteria: Vec<String>,
}

/// An unproven rewrite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Of what.
    pub target: Target,
    /// The judge that drafted it.
    pub drafter: String,
    /// The rewrite.
    pub after: String,
    /// What the drafter says about it.
    pub reasoning: String,
}

/// Why there is no fixup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody may draft, and why.
    NoDrafter(String),
    /// The reply is not one text, and why.
    NoSingleReply(&'static str),
    /// The drafter says it cannot be done.
    Unfixable(String),
    /// The drafter did not answer, or not as asked.
    NotDrafted(String),
    /// The rewrite says what the reply said.
    Unchanged,
    /// Words alone show that the next message no longer follows.
    BreaksContinuity(Vec<Break>),
    /// A judge says that the next message no longer follows.
    NextDoesNotFollow {
        /// Which.
        judge: String,
        /// Its reasoning.
        why: String,
    },
    /// The criteria it was made for still fail.
    StillFails(Vec<String>),
    /// A safety gate fails on the rewrite.
    GateFails(Vec<String>),
    /// Something could not be judged, so nothing is proven: the criteria.
    Unscored(Vec<String>),
    /// The text has changed since the draft was made.
    Stale,
    /// The rewrite of one of several replies is refused.
    OfReply {
        /// Its exchange.
        exchange: u32,
        /// Why.
        why: Box<Refusal>,
    },
}

impl Refusal {
    /// The same, naming the reply where there are several.
    #[must_use]
    pub fn of_reply(self, several: bool, exchange: u32) -> Self {
        if several { Self::OfReply { exchange, why: Box::new(self) } } else { self }
    }

    /// Nothing was decided: somebody did not answer, so asking again may.
    #[must_use]
    pub fn is_undecided(&self) -> bool {
        match self {
            Self::Unscored(_) | Self::NotDrafted(_) => true,
            Self::OfReply { why, .. } => why.is_undecided(),
            _ => false,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDrafter(why) => write!(f, "nobody can draft a rewrite: {why}"),
            Self::NoSingleReply(why) => write!(f, "the reply cannot be rewritten: {why}"),
            Self::Unfixable(why) => write!(f, "the drafter says it cannot be fixed: {why}"),
            Self::NotDrafted(why) => write!(f, "there is no draft: {why}"),
            Self::Unchanged => f.write_str("the draft says what the reply says already"),
            Self::BreaksContinuity(breaks) => {
                let all: Vec<&str> = breaks.iter().map(|b| b.message.as_str()).collect();
                write!(f, "it breaks the conversation: {}", all.join("; "))
            }
            Self::NextDoesNotFollow { judge, why } => {
                write!(f, "{judge} says the user's next message no longer follows: {why}")
            }
            Self::StillFails(ids) => write!(f, "the rewrite still fails {}", ids.join(", ")),
            Self::GateFails(ids) => {
                write!(f, "the rewrite fails the safety gate {}", ids.join(", "))
            }
            Self::Unscored(ids) => {
                write!(f, "nothing is proven: {} could not be judged", ids.join(", "))
            }
            Self::Stale => f.write_str("the transcript has changed since: draft it again"),
            Self::OfReply { exchange, why } => write!(f, "exchange {exchange}: {why}"),
        }
    }
}

impl std::error::Error for Refusal {}

impl Target {
    /// The reply of an exchange, as something that can be rewritten.
    ///
    /// # Errors
    /// When the exchange has no reply, or one of several texts.
    pub fn of(
        transcript: &Transcript,
        digest: TranscriptDigest,
        exchange: &Exchange,
        criteria: Vec<String>,
    ) -> Result<Self, Refusal> {
        let spoken = |i: &usize| !transcript.messages[*i].text.is_empty();
        let replies: Vec<usize> = transcript.reply_messages(exchange).filter(spoken).collect();
        let message = match replies.as_slice() {
            [one] => *one,
            [] => return Err(Refusal::NoSingleReply("it has no text")),
            _ => return Err(Refusal::NoSingleReply("it is made of several messages")),
        };
        if transcript.messages[message].parts.len() != 1 {
            return Err(Refusal::NoSingleReply("it is made of several text parts"));
        }
        let before = transcript.messages[message].text.clone();
        Ok(Self { transcript: digest, exchange: exchange.number, message, before, criteria })
    }

    /// The draft that a drafter's reply text holds.
    ///
    /// # Errors
    /// When the reply is not of the asked form, or says UNFIXABLE, or changes nothing.
    pub fn drafted(self, drafter: &str, reply: &str) -> Result<Draft, Refusal> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Reply {
            reasoning: String,
            outcome: String,
            rewrite: String,
        }
        let wrong = |why: String| Refusal::NotDrafted(format!("the reply is not as asked ({why})"));
        let read: Reply = serde_json::from_str(reply.trim()).map_err(|e| wrong(e.to_string()))?;
        match (read.outcome.as_str(), read.rewrite.trim()) {
            ("UNFIXABLE", _) => Err(Refusal::Unfixable(read.reasoning)),
            ("REWRITE", "") => Err(wrong("an empty rewrite".into())),
            ("REWRITE", after) if after == self.before.trim() => Err(Refusal::Unchanged),
            ("REWRITE", after) => Ok(Draft {
                after: after.to_owned(),
                target: self,
                drafter: drafter.to_owned(),
                reasoning: read.reasoning,
            }),
            (other, _) => Err(wrong(format!("outcome {other}"))),
        }
    }
}
