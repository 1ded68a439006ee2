//! Fixups of this session, by the text they were made for: under way, proven or
//! refused; and those that came into a buffer.
//!
//! Invariant: a fixup hangs on the text, never on a place, so it is there again with
//! undo and follows its record; it counts only under the judges and criteria that
//! proved it. It has *arrived* when a record that said the text it was made for says
//! the text that was proven, whoever typed it; only what arrived is ever logged.
//! Bounded: the texts drafted for longest ago are forgotten first.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use tower_lsp_server::gen_lsp_types::Uri;

use crate::finding::Finding;
use crate::fixup::{EntailedFixup, FixupRecord, Offer, Refusal};
use crate::transcript::TranscriptDigest;

use super::panel::Panel;

/// Texts remembered at most.
const KEPT: usize = 2000;

/// All of them.
#[derive(Clone, Debug, Default)]
pub struct Drafts {
    by_text: HashMap<TranscriptDigest, Vec<Drafted>>,
    order: VecDeque<TranscriptDigest>,
    /// By the text that was proven.
    proven: HashMap<TranscriptDigest, Arc<EntailedFixup>>,
    /// Not logged yet.
    arrived: Vec<Arrival>,
    /// Logged in this session.
    logged: Vec<Logged>,
}

/// What came of an offer.
#[derive(Clone, Debug)]
pub struct Drafted {
    /// What was to be mended.
    pub offer: Offer,
    /// The judges and criteria it was proven under.
    pub panel: Arc<Panel>,
    /// How far it is.
    pub state: State,
}

/// How far a fixup is.
#[derive(Clone, Debug)]
pub enum State {
    /// Being drafted or proven, by the run with this number.
    UnderWay(u64),
    /// Ready to be applied.
    Proven(Arc<EntailedFixup>),
    /// There is none, and why.
    Refused(Refusal),
}

/// A fixup that came into a buffer.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The document.
    pub uri: Uri,
    /// The transcript's id.
    pub transcript: Arc<str>,
    /// What came.
    pub fixup: Arc<EntailedFixup>,
}

/// A fixup that is in the log.
#[derive(Clone, Debug)]
pub struct Logged {
    /// The document.
    pub uri: Uri,
    /// The text it was made for.
    pub before: TranscriptDigest,
    /// What the log says.
    pub records: Vec<FixupRecord>,
}

impl Drafts {
    /// What came of an offer about this text, under this panel.
    #[must_use]
    pub fn get(
        &self,
        text: TranscriptDigest,
        offer: &Offer,
        panel: &Arc<Panel>,
    ) -> Option<&Drafted> {
        let all = self.by_text.get(&text).into_iter().flatten();
        all.into_iter().find(|one| one.is(offer) && Arc::ptr_eq(&one.panel, panel))
    }

    /// Notes how far the fixup of an offer is.
    pub fn set(&mut self, text: TranscriptDigest, drafted: Drafted) {
        if let State::Proven(fixup) = &drafted.state {
            self.proven.insert(fixup.after(), Arc::clone(fixup));
        }
        if !self.by_text.contains_key(&text) {
            self.order.push_back(text);
            self.forget();
        }
        let all = self.by_text.entry(text).or_default();
        all.retain(|one| !one.is(&drafted.offer));
        all.push(drafted);
    }

    /// Forgets the fixup of an offer; how far it was. What of it has arrived, has.
    pub fn remove(&mut self, text: TranscriptDigest, offer: &Offer) -> Option<State> {
        let all = self.by_text.get_mut(&text)?;
        let index = all.iter().position(|one| one.is(offer))?;
        Some(all.remove(index).state)
    }

    /// Says on the findings of a text how far their fixups are.
    pub fn note(&self, text: TranscriptDigest, panel: &Panel, findings: &mut [Finding]) {
        let all = self.by_text.get(&text).into_iter().flatten();
        for one in all.filter(|one| std::ptr::eq(&*one.panel, panel)) {
            let note = match &one.state {
                State::UnderWay(_) => "; a fixup is being drafted".to_owned(),
                State::Proven(_) => "; a proven fixup can be applied".to_owned(),
                State::Refused(why) => format!("; no fixup: {why}"),
            };
            let about = |f: &&mut Finding| f.judged && one.mends(&f.code, f.exchange);
            findings.iter_mut().filter(about).for_each(|finding| finding.message.push_str(&note));
        }
    }

    /// The fixup that arrives when a record that said `before` says `now`.
    #[must_use]
    pub fn arrival(
        &self,
        uri: &Uri,
        transcript: &Arc<str>,
        before: TranscriptDigest,
        now: TranscriptDigest,
    ) -> Option<Arrival> {
        let fixup = self.proven.get(&now).filter(|fixup| fixup.before() == before)?;
        let (uri, transcript) = (uri.clone(), Arc::clone(transcript));
        (before != now).then(|| Arrival { uri, transcript, fixup: Arc::clone(fixup) })
    }

    /// Notes what arrived.
    pub fn arrived(&mut self, arrivals: Vec<Arrival>) {
        for arrival in arrivals {
            let after = arrival.fixup.after();
            self.arrived.retain(|one| one.uri != arrival.uri || one.fixup.after() != after);
            self.arrived.push(arrival);
        }
    }

    /// What arrived in a document and is not logged yet; it is told once.
    pub fn take_arrived(&mut self, uri: &Uri) -> Vec<Arrival> {
        self.arrived.extract_if(.., |one| one.uri == *uri).collect()
    }

    /// Notes what was logged.
    pub fn logged(&mut self, logged: Logged) {
        self.logged.push(logged);
    }

    /// Logged fixups of a document that it says the text before of again; told once.
    pub fn take_back(&mut self, uri: &Uri, says: impl Fn(TranscriptDigest) -> bool) -> Vec<Logged> {
        self.logged.extract_if(.., |one| one.uri == *uri && says(one.before)).collect()
    }

    /// True when there is nothing that a save could have to log.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.proven.is_empty()
    }

    fn forget(&mut self) {
        while self.order.len() > KEPT {
            let oldest = self.order.pop_front();
            let gone = oldest.and_then(|oldest| self.by_text.remove(&oldest)).unwrap_or_default();
            for one in gone {
                if let State::Proven(fixup) = one.state {
                    self.proven.remove(&fixup.after());
                }
            }
        }
    }
}

impl Drafted {
    fn is(&self, offer: &Offer) -> bool {
        self.offer.exchanges() == offer.exchanges() && self.offer.criteria() == offer.criteria()
    }

    fn mends(&self, criterion: &str, exchange: Option<u32>) -> bool {
        self.offer.replies.iter().any(|reply| {
            Some(reply.exchange) == exchange && reply.criteria.iter().any(|id| id == criterion)
        })
    }
}
