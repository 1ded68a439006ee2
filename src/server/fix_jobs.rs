//! Fixups under way: what one needs, and the way of its end into the main loop.
//!
//! Invariant: a fixup owns everything it needs; the text it is about is read from
//! the document as it was, and told by its digest. Nothing here blocks.

use std::sync::Arc;

use crate::engine::fixup::FixupJob;
use crate::engine::ledger::Purpose;
use crate::engine::{AssessJob, Spending, Stopped, Trust};
use crate::fixup::{EntailedFixup, Offer, Refusal};
use crate::prompt::Template;
use crate::text::Span;
use crate::text::document::Document;
use crate::text::json;
use crate::transcript::{TranscriptDigest, digest, read};

use tower_lsp_server::gen_lsp_types::Uri;

use super::event::Event;
use super::jobs::{About, Jobs};
use super::panel::Panel;
use super::projects::Live;

/// A fixup that is wanted, before any of its text is read.
#[derive(Clone, Debug)]
pub struct FixupWish {
    /// The document.
    pub uri: Uri,
    /// Its text.
    pub text: Document,
    /// Where the transcript is.
    pub span: Span,
    /// What it says.
    pub digest: TranscriptDigest,
    /// Its id.
    pub id: Arc<str>,
    /// What is to be mended.
    pub offer: Offer,
    /// What the user wants to be different.
    pub note: Option<String>,
    /// Judges and criteria.
    pub panel: Arc<Panel>,
    /// The project.
    pub live: Arc<Live>,
    /// Whether it is trusted.
    pub trust: Trust,
}

/// What came of a wish.
#[derive(Debug)]
pub struct Fixed {
    /// The number of the run.
    pub number: u64,
    /// The transcript's id.
    pub id: Arc<str>,
    /// What it said.
    pub digest: TranscriptDigest,
    /// What was to be mended.
    pub offer: Offer,
    /// The judges and criteria it was proven under.
    pub panel: Arc<Panel>,
    /// The fixup, or why there is none.
    pub result: Result<EntailedFixup, Refusal>,
}

impl Jobs {
    /// Drafts and proves in the background; an [`Event::Fixed`] follows. The number
    /// of the run.
    pub fn fix(&mut self, wish: FixupWish) -> u64 {
        let number = self.begin(About::Document(wish.uri.clone()), &wish.live, &wish.panel);
        let Some(running) = self.running.get(&number) else { return number };
        let cancel = running.cancel.token();
        let (engine, events, template) =
            (self.engine.clone(), self.events.clone(), self.template());
        self.runtime.spawn(async move {
            let (id, offer) = (Arc::clone(&wish.id), wish.offer.clone());
            let (digest, panel) = (wish.digest, Arc::clone(&wish.panel));
            let work = tokio::spawn(async move {
                let job = tokio::task::spawn_blocking(move || job(wish, number, template)).await;
                let job = job.ok().flatten().ok_or(Refusal::Stale)?;
                engine.fixup(&job, &cancel).await
            });
            let failed = || Refusal::NotDrafted("rubricator failed; its log says where".into());
            let result = work.await.unwrap_or_else(|_| Err(failed()));
            let fixed = Fixed { number, id, digest, offer, panel, result };
            events.send(Event::Fixed(Box::new(fixed)));
        });
        number
    }
}

/// `None` when the text is not the one that was meant.
fn job(wish: FixupWish, number: u64, template: Arc<Template>) -> Option<FixupJob> {
    let settings = wish.live.settings();
    let context = wish.live.context();
    let record: Arc<str> = Arc::from(&*wish.text.slice(wish.span));
    let json = json::parse(&record, context.depth_limit);
    let transcript = read::read(&record, &json).transcript.ok()?;
    let digest = digest::of(&record, &transcript);
    let asking = AssessJob {
        generation: number,
        transcripts: Vec::new(),
        rubric: Arc::clone(&wish.panel.rubric),
        judges: wish.panel.judges.clone(),
        settings: settings.assess.clone(),
        template,
        trust: wish.trust,
        project_dir: wish.live.project.root.clone(),
        spending: Spending::of_run(&settings.assess).on(Purpose::Fixup),
        stopped: Stopped::default(),
    };
    (digest == wish.digest).then(|| FixupJob {
        record,
        transcript: Arc::new(transcript),
        digest,
        offer: wish.offer,
        note: wish.note,
        drafter: settings.fixup.drafter.clone(),
        context,
        asking,
    })
}
