//! The money side of a run: reserves what a call can cost, settles what it did
//! cost, and writes that into the ledger.
//!
//! Invariant: no attempt goes out without a [`Charge`], and every charge ends:
//! with the reply's own cost, with nothing when the server did not serve it, or,
//! when it ends without a reply, as money that may be gone.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::config::{Judge, Provider};
use crate::prompt::Prompt;

use super::assess::Inner;
use super::budget::{Over, Reservation, Spending};
use super::estimate::{CallTokens, Estimator};
use super::job::AssessJob;
use super::ledger::{self, Entry, Ledger};
use super::prices::{Prices, Rate};
use super::provider::{ProviderReply, Request, Usage, claude_cli};
use super::retry::Sent;

/// The money of one run.
#[derive(Debug)]
pub(super) struct Purse {
    /// What each judge's calls cost, in the order of the job.
    pub(super) rates: Vec<Rate>,
    spending: Spending,
    project: Option<PathBuf>,
    ledger: Option<Arc<Ledger>>,
    // Held only to add or copy one number; never across an await.
    spent: Mutex<Spent>,
}

/// What a run has spent.
#[derive(Clone, Copy, Debug, Default)]
struct Spent {
    input: u64,
    output: u64,
    usd: f64,
    unpriced: bool,
    refused: bool,
}

/// What a call may cost, every attempt at it.
#[derive(Clone, Copy)]
pub(super) struct Fare<'a> {
    purse: &'a Purse,
    judge: &'a Judge,
    rate: &'a Rate,
    tokens: CallTokens,
    batch: bool,
}

/// One attempt that may go out.
pub(super) struct Charge<'a> {
    fare: Fare<'a>,
    held: Option<Reservation>,
}

impl Purse {
    pub(super) fn new(engine: &Inner, job: &AssessJob) -> Self {
        let prices = Prices::read(engine.options.price_file.as_deref());
        let asks = job.judges.iter().any(|judge| judge.provider != Provider::Recorded);
        Self {
            rates: job.judges.iter().map(|judge| prices.rate(judge)).collect(),
            spending: job.spending.clone(),
            project: job.project_dir.clone(),
            ledger: engine.ledger().filter(|_| asks).cloned(),
            spent: Mutex::default(),
        }
    }

    /// What a call of this judge, the job's `index`th, may cost. Only what costs
    /// something is counted for it.
    pub(super) fn fare<'a>(
        &'a self,
        estimator: &Estimator,
        index: usize,
        judge: &'a Judge,
        prompt: &Prompt,
        criteria: usize,
    ) -> Fare<'a> {
        let rate = &self.rates[index];
        let tokens = match rate {
            Rate::Priced(_) => estimator.tokens(prompt, criteria, judge, rate),
            Rate::Free | Rate::Unknown => CallTokens::default(),
        };
        Fare { purse: self, judge, rate, tokens, batch: false }
    }

    /// USD so far; `None` when a call had no known price.
    pub(super) fn cost(&self) -> Option<f64> {
        let spent = *self.spent();
        (!spent.unpriced).then_some(spent.usd)
    }

    /// Tokens so far, in and out, as the servers count them.
    pub(super) fn tokens(&self) -> (u64, u64) {
        let spent = *self.spent();
        (spent.input, spent.output)
    }

    /// True the first time a call is refused, which is when to say so.
    pub(super) fn first_refusal(&self) -> bool {
        !std::mem::replace(&mut self.spent().refused, true)
    }

    /// A reply to a call that an earlier run handed in, and held the money for:
    /// counts it, and writes it down at the price of batches.
    pub(super) fn collected(&self, index: usize, judge: &Judge, reply: &ProviderReply) {
        if let Some(usage) = reply.usage() {
            self.paid(&self.rates[index], judge, usage, name(reply), true);
        }
    }

    /// Counts a call that was paid for, and writes it down; what it cost.
    fn paid(
        &self,
        rate: &Rate,
        judge: &Judge,
        usage: Usage,
        reply: &'static str,
        batch: bool,
    ) -> Option<f64> {
        // A server that counts nothing did not serve it for nothing.
        let counted = Some(usage).filter(|usage| *usage != Usage::default());
        let usd = match (rate, &counted) {
            (Rate::Free, _) => Some(0.0),
            (rate, Some(usage)) => rate.cost(usage, batch),
            (_, None) => None,
        };
        {
            let mut spent = self.spent();
            spent.input += usage.input;
            spent.output += usage.output;
            spent.usd += usd.unwrap_or(0.0);
            spent.unpriced |= usd.is_none();
        }
        self.record(judge, counted, usd, reply, batch);
        usd
    }

    fn record(
        &self,
        judge: &Judge,
        usage: Option<Usage>,
        usd: Option<f64>,
        reply: &'static str,
        batch: bool,
    ) {
        let Some(ledger) = &self.ledger else { return };
        ledger.record(Entry {
            at: ledger::now(),
            project: self.project.clone(),
            judge: judge.name.clone(),
            provider: judge.provider,
            model: judge.model.clone(),
            purpose: self.spending.purpose,
            reply,
            batch,
            usage,
            usd,
        });
    }

    /// Waits until what was paid is written down; says what is in the way.
    pub(super) async fn written(&self) -> Result<(), String> {
        match &self.ledger {
            Some(ledger) => ledger.flush().await,
            None => Ok(()),
        }
    }

    fn spent(&self) -> MutexGuard<'_, Spent> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> Fare<'a> {
    /// The same call in a batch.
    pub(super) fn in_batch(self) -> Self {
        Self { batch: true, ..self }
    }

    /// USD it cannot exceed.
    fn at_most(&self) -> Option<f64> {
        let share = match self.rate {
            Rate::Priced(price) if self.batch => price.batch,
            _ => 1.0,
        };
        self.tokens.at_most(self.rate, self.judge).map(|usd| usd * share)
    }

    /// The request, told what it may cost where it may ask more than once.
    pub(super) fn bounds(&self, mut request: Request) -> Request {
        if let (Request::Command(command), Rate::Priced(_)) = (&mut request, self.rate)
            && let Some(usd) = self.tokens.once(self.rate)
        {
            claude_cli::bound(command, usd);
        }
        request
    }

    /// Reserves the most it can cost without waiting: `None` when it may fit once
    /// others are settled.
    ///
    /// # Errors
    /// As [`Self::reserve`].
    pub(super) fn offer(self) -> Result<Option<Charge<'a>>, Over> {
        let held = self.purse.spending.budget.offer(self.at_most())?;
        Ok(held.map(|held| Charge { fare: self, held: Some(held) }))
    }

    /// Reserves the most an attempt can cost; waits while others hold the money.
    ///
    /// # Errors
    /// When it fits no more, or nobody knows what it costs.
    pub(super) async fn reserve(self) -> Result<Charge<'a>, Over> {
        let held = self.purse.spending.budget.reserve(self.at_most()).await?;
        Ok(Charge { fare: self, held: Some(held) })
    }
}

impl Charge<'_> {
    /// It was not sent after all.
    pub(super) fn unsent(mut self) {
        self.settle_at(0.0);
    }

    /// What came back: counts what it cost, and writes it down.
    pub(super) fn settle(mut self, sent: &Sent) {
        match (sent.usage(), &sent.reply) {
            (Some(usage), reply) => self.paid(usage, name(reply)),
            // It may have been served and paid for.
            (None, ProviderReply::TimedOut) => self.lost("timed-out"),
            (None, _) => self.settle_at(0.0),
        }
    }

    fn paid(&mut self, usage: Usage, reply: &'static str) {
        let Fare { purse, judge, rate, batch, .. } = self.fare;
        match purse.paid(rate, judge, usage, reply, batch) {
            Some(usd) => self.settle_at(usd),
            None => self.held = None,
        }
    }

    /// Nothing came back, and the money may be gone: the reservation counts as
    /// spent. What a batch costs is written down by whoever fetches it.
    fn lost(&mut self, reply: &'static str) {
        let held = self.held.take().is_some();
        if held && *self.fare.rate != Rate::Free && !self.fare.batch {
            self.fare.purse.record(self.fare.judge, None, None, reply, false);
        }
    }

    fn settle_at(&mut self, usd: f64) {
        if let Some(held) = self.held.take() {
            held.settle(usd);
        }
    }
}

impl Drop for Charge<'_> {
    /// Cancelled on its way.
    fn drop(&mut self) {
        self.lost("cancelled");
    }
}

fn name(reply: &ProviderReply) -> &'static str {
    match reply {
        ProviderReply::Truncated(_) => "truncated",
        ProviderReply::Refused(..) => "refused",
        ProviderReply::Blocked(..) => "blocked",
        ProviderReply::Unreadable(..) | ProviderReply::Malformed(..) => "unreadable",
        ProviderReply::Text { .. } => "answer",
        _ => "failed",
    }
}
