//! One conversation, message by message.
//!
//! Invariant: every message is looked up before it is asked for, and kept before it is
//! used; a message with too few or too many words is asked for once more, and the
//! nearer one is taken with a note. Two runs that ask the same read the same.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use crate::assessment::reply::unfenced;
use crate::assessment::{Answer, Unscored, UnscoredReason};
use crate::config::Judge;
use crate::engine::answer_key::{AnswerKey, KeyDigest};
use crate::engine::provider::may_be_fenced;
use crate::engine::secret;
use crate::engine::store::{Row, Store};
use crate::engine::{Engine, journal};
use crate::generate::{
    Bounds, Exchange, Persona, Said, Speaker, Turn, Violation, id, record, turn,
};
use crate::prompt::generate::{self as prompts, Next};
use crate::prompt::{FenceKey, Prompt};
use crate::rubric::Verdict;
use crate::transcript::{TranscriptDigest, words};

use super::{GenerateJob, GenerateUpdate, Made};

/// What a message is kept as an answer to, for people who look into the store.
const MESSAGE: &str = "_message";
/// Told apart from the templates that answers are kept under.
const TEMPLATE: &[u8] = b"rubricator generated message 1";
/// Words that a reply may always have, however short the message was.
const ALWAYS: usize = 20;

/// A conversation to be had.
pub(super) struct Talk {
    pub(super) engine: Engine,
    pub(super) job: GenerateJob,
    pub(super) store: Option<Arc<Store>>,
    pub(super) stop: CancellationToken,
    pub(super) updates: UnboundedSender<GenerateUpdate>,
    pub(super) index: u64,
}

/// Whose message is asked for, where.
struct Place<'a> {
    persona: &'a Persona,
    history: &'a [Exchange],
    turn: &'a Turn,
    /// The message to answer, when the assistant speaks.
    message: Option<&'a str>,
    words: Option<Bounds>,
}

impl Talk {
    /// Has it to its end; the record.
    pub(super) async fn made(&self) -> Made {
        let persona = self.job.persona(self.index);
        let recipe = &self.job.setup.recipe;
        let mut history = Vec::new();
        for number in 1..=persona.exchanges {
            let turn = turn(recipe, &persona, number);
            let place = Place {
                persona: &persona,
                history: &history,
                turn: &turn,
                message: None,
                words: persona.words,
            };
            let user = self.said(&place).await?;
            let place =
                Place { message: Some(&user.text), words: self.bounds(&user.text), ..place };
            let assistant = self.said(&place).await?;
            history.push(Exchange { turn, user, assistant });
            // Nobody may listen.
            let _ = self.updates.send(GenerateUpdate::Exchange { index: self.index });
        }
        Ok(record(&persona, &self.job.setup.maker, &history, &journal::now()))
    }

    /// Words of the reply to a message.
    fn bounds(&self, message: &str) -> Option<Bounds> {
        let ratio = self.job.setup.recipe.reply_ratio?;
        let most = (words::count(message) as f64 * ratio) as usize;
        Some(Bounds { min: 1, max: most.max(ALWAYS) })
    }

    /// A message of the asked length, or the nearer of two.
    async fn said(&self, place: &Place<'_>) -> Result<Said, Unscored> {
        let first = self.message(place, None).await?;
        let Some(asked) = place.words else { return Ok(Said { text: first, violation: None }) };
        let count = words::count(&first);
        if off(count, asked) == 0 {
            return Ok(Said { text: first, violation: None });
        }
        let second = self.message(place, Some(count)).await?;
        let again = words::count(&second);
        let (text, words) =
            if off(again, asked) <= off(count, asked) { (second, again) } else { (first, count) };
        let violated = off(words, asked) > 0;
        let violation = violated.then(|| Violation { who: place.speaker(), words, asked });
        Ok(Said { text, violation })
    }

    /// One message, known or asked for.
    async fn message(&self, place: &Place<'_>, missed: Option<usize>) -> Result<String, Unscored> {
        let prompt = self.prompt(place, missed);
        let sides = &self.job.setup.sides;
        let judge = match place.speaker() {
            Speaker::User => &sides.user,
            Speaker::Assistant => &sides.assistant,
        };
        let key = self.key(judge, &prompt);
        if let Some(known) = self.store.as_ref().and_then(|store| store.get(&key)) {
            return Ok(known.reasoning);
        }
        let inner = self.engine.inner();
        let about = &self.job.setup.about;
        let reply = inner.ask(judge, &self.job.asking, about, &prompt, &self.stop).await?;
        let text = if may_be_fenced(judge.provider) { unfenced(&reply) } else { &reply };
        let message = prompts::message(text).ok_or_else(|| {
            let why = format!("{} did not answer with one message", judge.model);
            Unscored::new(UnscoredReason::Malformed, why)
        })?;
        let message = secret::without_keys(&message).into_owned();
        self.keep(judge, key, &message, place).await;
        Ok(message)
    }

    fn prompt(&self, place: &Place<'_>, missed: Option<usize>) -> Prompt {
        let sides = &self.job.setup.sides;
        let Place { persona, history, turn, message, words } = *place;
        // No secret: the mark changes as soon as anybody says it, and prompts are the
        // same on every machine.
        let fence = FenceKey::new(Sha256::digest(TEMPLATE).into());
        let next = Next { persona, history, turn, words, missed, fence };
        match message {
            None => prompts::user(&sides.user_prompt, &next),
            Some(message) => {
                prompts::assistant(&sides.assistant_prompt, &sides.system_prompt, message, &next)
            }
        }
    }

    /// Which of all transcripts there could be this is.
    fn name(&self) -> TranscriptDigest {
        let mut hash = Sha256::new();
        hash.update(TEMPLATE);
        hash.update(self.job.seed.to_le_bytes());
        hash.update(self.index.to_le_bytes());
        TranscriptDigest(hash.finalize().into())
    }

    fn key(&self, judge: &Judge, prompt: &Prompt) -> KeyDigest {
        let mut hash = Sha256::new();
        for text in [prompt.system_text(), prompt.user_text()] {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        }
        let template = Sha256::digest(TEMPLATE).into();
        AnswerKey::new(judge, self.name(), hash.finalize().into(), template, 0).digest()
    }

    async fn keep(&self, judge: &Judge, key: KeyDigest, message: &str, place: &Place<'_>) {
        let Some(store) = &self.store else { return };
        let reasoning = message.to_owned();
        let row = Row {
            key,
            answer: Answer { verdict: Verdict::Yes, reasoning, evidence: Vec::new() },
            provider: judge.provider,
            model: judge.model.clone(),
            criterion: MESSAGE.to_owned(),
            transcript: self.name(),
            id: id(place.persona, &self.job.setup.maker),
        };
        // What cannot be kept is paid for again; the conversation goes on.
        if let Ok(Err(error)) = store.put(vec![row]).await {
            tracing::warn!(%error, "a message is not kept");
        }
    }
}

impl Place<'_> {
    const fn speaker(&self) -> Speaker {
        if self.message.is_some() { Speaker::Assistant } else { Speaker::User }
    }
}

/// Words too few or too many.
const fn off(count: usize, asked: Bounds) -> usize {
    asked.min.saturating_sub(count) + count.saturating_sub(asked.max)
}
