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
use super::provider::{ProviderReply, Usage};

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
        Fare { purse: self, judge, rate, tokens }
    }

    /// USD so far; `None` when a call had no known price.
    pub(super) fn cost(&self) -> Option<f64> {
        let spent = *self.spent();
        (!spent.unpriced).then_some(spent.usd)
    }

    /// True the first time a call is refused, which is when to say so.
    pub(super) fn first_refusal(&self) -> bool {
        !std::mem::replace(&mut self.spent().refused, true)
    }

    /// A reply that came with a batch: counts it, and writes it down at its price.
    pub(super) fn collected(&self, index: usize, judge: &Judge, reply: &ProviderReply) {
        let Some(usage) = reply.usage() else { return };
        let usd = self.rates[index].cost(&usage, true);
        {
            let mut spent = self.spent();
            spent.usd += usd.unwrap_or(0.0);
            spent.unpriced |= usd.is_none();
        }
        self.record(judge, Some(usage), usd, name(reply), true);
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
    /// Takes the most a call can cost in a batch.
    ///
    /// # Errors
    /// When it does not fit, or nobody knows what it costs.
    pub(super) fn promise(self) -> Result<(), Over> {
        let share = if let Rate::Priced(price) = self.rate { price.batch } else { 1.0 };
        let at_most = self.tokens.at_most(self.rate).map(|usd| usd * share);
        self.purse.spending.budget.promise(at_most)
    }

    /// Reserves the most an attempt can cost; waits while others hold the money.
    ///
    /// # Errors
    /// When it fits no more, or nobody knows what it costs.
    pub(super) async fn reserve(self) -> Result<Charge<'a>, Over> {
        let at_most = self.tokens.at_most(self.rate);
        let held = self.purse.spending.budget.reserve(at_most).await?;
        Ok(Charge { fare: self, held: Some(held) })
    }
}

impl Charge<'_> {
    /// It was not sent after all.
    pub(super) fn unsent(mut self) {
        self.settle_at(0.0);
    }

    /// What came back: counts what it cost, and writes it down.
    pub(super) fn settle(mut self, reply: &ProviderReply) {
        if let Some(usage) = reply.usage() {
            return self.paid(usage, name(reply));
        }
        match reply {
            // It may have been served and paid for.
            ProviderReply::TimedOut => self.lost("timed-out"),
            _ => self.settle_at(0.0),
        }
    }

    fn paid(&mut self, usage: Usage, reply: &'static str) {
        // A server that counts nothing did not serve it for nothing.
        let counted = Some(usage).filter(|usage| *usage != Usage::default());
        let usd = match (self.fare.rate, &counted) {
            (Rate::Free, _) => Some(0.0),
            (rate, Some(usage)) => rate.cost(usage, false),
            (_, None) => None,
        };
        {
            let mut spent = self.fare.purse.spent();
            spent.usd += usd.unwrap_or(0.0);
            spent.unpriced |= usd.is_none();
        }
        self.fare.purse.record(self.fare.judge, counted, usd, reply, false);
        match usd {
            Some(usd) => self.settle_at(usd),
            None => self.held = None,
        }
    }

    /// Nothing came back, and the money may be gone: the reservation counts as spent.
    fn lost(&mut self, reply: &'static str) {
        if self.held.take().is_some() && *self.fare.rate != Rate::Free {
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
        ProviderReply::Unreadable(..) => "unreadable",
        _ => "answer",
    }
}
