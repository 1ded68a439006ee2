//! What a run may cost, looked at before anything is sent.

use super::Run;
use crate::cli::Failure;
use crate::config;
use crate::engine::Plan;

impl Run<'_> {
    pub(super) fn within_cap(
        &mut self,
        plan: &Plan,
        settings: &config::Assess,
    ) -> Result<(), Failure> {
        let spent = self.summary.cost.unwrap_or(0.0);
        let cap = settings.max_cost_per_run;
        match plan.cost() {
            Some(cost) if spent + cost > cap => Err(Failure::new(format!(
                "this would cost about ${:.2}, more than assess.max_cost_per_run = {cap}: assess \
                 fewer transcripts, or raise it with --set assess.max_cost_per_run=VALUE",
                spent + cost
            ))),
            Some(_) => Ok(()),
            None => {
                self.session.out.note(
                    "a model without a known price is asked: assess.max_cost_per_run cannot be held",
                );
                Ok(())
            }
        }
    }
}
