//! A cap on money that is never crossed: every call is reserved at the most it
//! can cost before it is sent, and settled at what it did cost.
//!
//! Invariant: what is spent and what is reserved together never exceed the cap,
//! however many calls are under way. Reservations are granted in the order they
//! are asked for; a call that does not fit waits for those under way, and once
//! nothing is under way and it still does not fit, the budget is closed. A call
//! whose price nobody knows fits no finite cap. Money that may be gone (a call
//! without a reply) counts as gone.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::config;

use super::ledger::Purpose;

/// What a job may spend, and what for.
#[derive(Clone, Debug)]
pub struct Spending {
    /// The money; jobs of one run share it.
    pub budget: Budget,
    /// What for.
    pub purpose: Purpose,
}

/// Money of one run, or of several that share it; clones are one budget.
#[derive(Clone, Debug)]
pub struct Budget(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// `None` is no cap.
    cap: Option<Nano>,
    setting: &'static str,
    // Held only to look and count; never across an await.
    state: Mutex<State>,
    settled: Notify,
    // Held while waiting to fit, so that nobody overtakes.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    spent: Nano,
    reserved: Nano,
    under_way: usize,
    closed: Option<Over>,
}

/// Whole billionths of a USD: sums stay exact.
type Nano = u64;

/// The right to spend so much; dropped unsettled, all of it counts as spent.
#[derive(Debug)]
pub struct Reservation {
    budget: Budget,
    held: Nano,
    settled: bool,
}

/// Why a call is not sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Over {
    /// The cap in USD.
    pub cap: f64,
    /// The setting that says so, as `max_cost_per_run`.
    pub setting: &'static str,
    /// USD spent, calls without a reply at their most.
    pub spent: f64,
    /// The most the next call can cost; `None` where no price is known.
    pub next: Option<f64>,
}

impl Spending {
    /// What a run may spend on assessing that the user asked for.
    #[must_use]
    pub fn of_run(settings: &config::Assess) -> Self {
        let budget = Budget::new(settings.max_cost_per_run, "max_cost_per_run");
        Self { budget, purpose: Purpose::Assess }
    }

    /// What a save may spend on assessing.
    #[must_use]
    pub fn of_save(settings: &config::Assess) -> Self {
        let budget = Budget::new(settings.max_cost_per_save, "max_cost_per_save");
        Self { budget, purpose: Purpose::Assess }
    }

    /// The same money for something else.
    #[must_use]
    pub fn on(self, purpose: Purpose) -> Self {
        Self { purpose, ..self }
    }
}

impl Budget {
    /// A budget of so many USD; a cap that is not finite is none. `setting` is
    /// the key under `[assess]` that sets it.
    #[must_use]
    pub fn new(cap: f64, setting: &'static str) -> Self {
        let cap = cap.is_finite().then(|| floor(cap));
        Self(Arc::new(Shared {
            cap,
            setting,
            state: Mutex::default(),
            settled: Notify::new(),
            turn: tokio::sync::Mutex::default(),
        }))
    }

    /// A budget without a cap, which only counts.
    #[must_use]
    pub fn unlimited() -> Self {
        Self::new(f64::INFINITY, "max_cost_per_run")
    }

    /// Reserves the most a call can cost, once it fits.
    ///
    /// # Errors
    /// When it never will, or nobody knows what it costs. From then on every call
    /// that costs something is refused.
    pub async fn reserve(&self, at_most: Option<f64>) -> Result<Reservation, Over> {
        let wanted = at_most.map_or(0, ceil);
        if self.0.cap.is_none() || at_most == Some(0.0) {
            return Ok(self.take(&mut self.state(), wanted));
        }
        let _turn = self.0.turn.lock().await;
        loop {
            let settled = self.0.settled.notified();
            tokio::pin!(settled);
            settled.as_mut().enable();
            match self.fit(at_most) {
                Fit::Now(reservation) => return Ok(reservation),
                Fit::Never(over) => return Err(over),
                Fit::Later => settled.await,
            }
        }
    }

    /// Reserves the most a call can cost, without waiting: `None` when it may fit
    /// once others are settled.
    ///
    /// # Errors
    /// As [`Self::reserve`].
    pub fn offer(&self, at_most: Option<f64>) -> Result<Option<Reservation>, Over> {
        match self.fit(at_most) {
            Fit::Now(reservation) => Ok(Some(reservation)),
            Fit::Later => Ok(None),
            Fit::Never(over) => Err(over),
        }
    }

    fn fit(&self, at_most: Option<f64>) -> Fit {
        let mut state = self.state();
        if let Some(over) = &state.closed {
            return Fit::Never(over.clone());
        }
        let cap = self.0.cap.unwrap_or(Nano::MAX);
        let wanted = at_most.map(ceil).or((self.0.cap.is_none()).then_some(0));
        let taken = state.spent.saturating_add(state.reserved);
        match wanted {
            Some(wanted) if taken.saturating_add(wanted) <= cap => {
                Fit::Now(self.take(&mut state, wanted))
            }
            Some(_) if state.under_way > 0 => Fit::Later,
            _ => {
                let over = Over {
                    cap: usd(cap),
                    setting: self.0.setting,
                    spent: usd(state.spent),
                    next: at_most,
                };
                state.closed = Some(over.clone());
                Fit::Never(over)
            }
        }
    }

    fn take(&self, state: &mut State, wanted: Nano) -> Reservation {
        state.reserved = state.reserved.saturating_add(wanted);
        // What costs nothing keeps nobody waiting.
        state.under_way += usize::from(wanted > 0);
        Reservation { budget: self.clone(), held: wanted, settled: false }
    }

    /// USD spent, calls without a reply at their most.
    #[must_use]
    pub fn spent(&self) -> f64 {
        usd(self.state().spent)
    }

    /// The cap in USD; `None` where there is none.
    #[must_use]
    pub fn cap(&self) -> Option<f64> {
        self.0.cap.map(usd)
    }

    fn give_back(&self, held: Nano, cost: Nano) {
        {
            let mut state = self.state();
            state.reserved = state.reserved.saturating_sub(held);
            state.spent = state.spent.saturating_add(cost);
            state.under_way -= usize::from(held > 0);
        }
        self.0.settled.notify_waiters();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Fit {
    Now(Reservation),
    Later,
    Never(Over),
}

impl Reservation {
    /// The call is over and cost so many USD.
    pub fn settle(mut self, cost: f64) {
        self.settled = true;
        self.budget.give_back(self.held, ceil(cost));
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if !self.settled {
            self.budget.give_back(self.held, self.held);
        }
    }
}

impl fmt::Display for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cap, setting, spent, next } = self;
        match next {
            Some(next) => write!(
                f,
                "`{setting}` ({cap} USD) does not allow more: {spent:.4} USD are spent and the next \
                 call can cost up to {next:.4} USD. Raise `assess.{setting}` to go on, or lower the \
                 judge's `max_tokens`, which bounds a reply; what is answered is kept"
            ),
            None => write!(
                f,
                "no price is known for this model, so `{setting}` ({cap} USD) cannot be held: name \
                 its price in your own prices.toml, or remove the cap (`assess.{setting} = inf`)"
            ),
        }
    }
}

/// Never more than the cap that was set.
fn floor(usd: f64) -> Nano {
    (usd.max(0.0) * 1e9 + 1e-3) as Nano
}

/// Never less than what was spent.
fn ceil(usd: f64) -> Nano {
    (usd.max(0.0) * 1e9 - 1e-3).ceil() as Nano
}

fn usd(nano: Nano) -> f64 {
    nano as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[tokio::test]
    async fn a_call_that_does_not_fit_waits_for_those_under_way() {
        let budget = Budget::new(1.0, "max_cost_per_run");
        let first = budget.reserve(Some(0.6)).await.unwrap();
        let mut second = Box::pin(budget.reserve(Some(0.6)));
        assert!(futures_ready(&mut second).await.is_none());
        first.settle(0.3);
        let second = second.await.unwrap();
        second.settle(0.6);
        let over = budget.reserve(Some(0.2)).await.unwrap_err();
        assert_eq!((over.cap, over.next), (1.0, Some(0.2)));
        assert!((over.spent - 0.9).abs() < 1e-9);
        // Closed is closed: no smaller call slips in, but what is free goes on.
        assert!(budget.reserve(Some(0.01)).await.is_err());
        assert!(budget.reserve(Some(0.0)).await.is_ok());
    }

    #[tokio::test]
    async fn an_offer_does_not_wait() {
        let budget = Budget::new(1.0, "max_cost_per_run");
        let first = budget.offer(Some(0.6)).unwrap().unwrap();
        assert!(budget.offer(Some(0.6)).unwrap().is_none());
        first.settle(0.3);
        budget.offer(Some(0.6)).unwrap().unwrap().settle(0.6);
        assert!(budget.offer(Some(0.2)).is_err() && budget.offer(Some(0.01)).is_err());
    }

    #[tokio::test]
    async fn a_call_without_a_reply_counts_at_its_most() {
        let budget = Budget::new(1.0, "max_cost_per_run");
        drop(budget.reserve(Some(0.7)).await.unwrap());
        assert!((budget.spent() - 0.7).abs() < 1e-9);
        assert!(budget.reserve(Some(0.4)).await.is_err());
    }

    #[tokio::test]
    async fn an_unknown_price_fits_no_finite_cap() {
        let over = Budget::new(5.0, "max_cost_per_save").reserve(None).await.unwrap_err();
        assert!(over.to_string().contains("no price is known"), "{over}");
        assert!(Budget::unlimited().reserve(None).await.is_ok());
        assert!(Budget::new(0.0, "max_cost_per_save").reserve(Some(0.0)).await.is_ok());
        assert!(Budget::new(0.0, "max_cost_per_save").reserve(Some(1e-9)).await.is_err());
    }

    /// Polls once: `None` while it waits.
    async fn futures_ready<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        std::future::poll_fn(|cx| {
            std::task::Poll::Ready(match std::pin::Pin::new(&mut *future).poll(cx) {
                std::task::Poll::Ready(output) => Some(output),
                std::task::Poll::Pending => None,
            })
        })
        .await
    }

    proptest! {
        /// Calls of many sizes, in any order of settling, some without a reply.
        #[test]
        fn what_is_settled_never_exceeds_the_cap(
            cap in 0u32..5_000,
            calls in proptest::collection::vec((1u32..800, 0u32..=100, any::<bool>()), 1..60),
            at_once in 1usize..9,
        ) {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
            let spent = Arc::new(AtomicU64::new(0));
            let cap_usd = f64::from(cap) / 1000.0;
            let budget = Budget::new(cap_usd, "max_cost_per_run");
            runtime.block_on(async {
                let seats = Arc::new(tokio::sync::Semaphore::new(at_once));
                let mut tasks = tokio::task::JoinSet::new();
                for (most, percent, replies) in calls {
                    let (budget, spent, seats) = (budget.clone(), Arc::clone(&spent), Arc::clone(&seats));
                    tasks.spawn(async move {
                        let Ok(_seat) = seats.acquire().await else { return };
                        let most = f64::from(most) / 1000.0;
                        let Ok(held) = budget.reserve(Some(most)).await else { return };
                        tokio::task::yield_now().await;
                        let cost = most * f64::from(percent) / 100.0;
                        spent.fetch_add((cost * 1e6) as u64, Ordering::Relaxed);
                        if replies { held.settle(cost) } else { drop(held) }
                    });
                }
                while tasks.join_next().await.is_some() {}
            });
            prop_assert!(budget.spent() <= cap_usd + 1e-9);
            prop_assert!(spent.load(Ordering::Relaxed) as f64 / 1e6 <= budget.spent() + 1e-9);
        }
    }
}
