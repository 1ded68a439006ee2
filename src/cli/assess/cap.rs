//! What a run may cost, looked at before anything is sent.
//!
//! Deliberately absent: holding the cap while calls are under way; the engine's
//! budget does that.

use super::job::Asking;
use super::{Run, usd};
use crate::cli::Failure;
use crate::cli::settings::shown_path;
use crate::cli::style::plain;
use crate::engine::{Plan, prices};

impl Run<'_> {
    /// Refuses what the cap cannot hold or does not allow while nothing is sent yet;
    /// later the budget stops the run.
    pub(super) fn within_cap(&mut self, plan: &Plan, asking: &Asking) -> Result<(), Failure> {
        let cap = asking.settings.max_cost_per_run;
        let unpriced = plan.unpriced().next();
        if cap.is_infinite() {
            if let Some(judge) = unpriced {
                let name = plain(&judge.judge);
                self.session.out.note(&format!("what judge {name} costs is not known"));
            }
            return Ok(());
        }
        if let Some(judge) = unpriced {
            let file = prices::own_file().map_or_else(|| "prices.toml".into(), |p| shown_path(&p));
            return Err(Failure::new(format!(
                "judge {}: no price is known for {} at {}, so assess.max_cost_per_run = {cap} cannot be \
                 held and nothing was sent: name the price in {file}, or remove the cap with \
                 --set assess.max_cost_per_run=inf",
                judge.judge,
                judge.model,
                judge.host.as_deref().unwrap_or("its host"),
            )));
        }
        let likely = plan.cost().unwrap_or(0.0);
        if asking.spending.budget.spent() == 0.0 && likely > cap {
            return Err(Failure::new(format!(
                "this would cost about {}, more than assess.max_cost_per_run = {cap}: assess fewer \
                 transcripts, or raise it with --set assess.max_cost_per_run=VALUE",
                usd(likely)
            )));
        }
        Ok(())
    }
}
