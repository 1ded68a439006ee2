//! Why a run is not sent: a judge that may not be asked, or a cap of the settings.
//!
//! Invariant: pure; a command of the user is consent to the cost, a save is not.

use crate::analysis::hints::counted;
use crate::analysis::rubric_lenses::money;
use crate::config::Assess;
use crate::engine::Plan;

use super::event::Offer;
use super::jobs::{About, Cause};
use super::requests::execute_command::{Command, Target};
use super::uri;

/// Why a run is not sent, and what the user can do.
#[derive(Debug)]
pub struct Objection {
    /// What the user is told.
    pub message: String,
    /// What the user may answer.
    pub offer: Option<Offer>,
}

impl Objection {
    /// What stands against this plan.
    #[must_use]
    pub fn to(plan: &Plan, cause: Cause, about: &About, settings: &Assess) -> Option<Self> {
        let refusals = plan.judges.iter().filter_map(|judge| {
            judge.refused.as_ref().map(|why| format!("{}: {why}", judge.judge))
        });
        let refusals: Vec<String> = refusals.collect();
        if !refusals.is_empty() {
            let message = format!("Nothing was assessed. {}", refusals.join(". "));
            return Some(Self { message, offer: None });
        }
        if plan.calls() == 0 || cause == Cause::Command {
            return None;
        }
        let why = over_cap(plan, settings)?;
        let (place, command, uri) = match about {
            About::Document(uri) => (uri::file_name(uri), Command::Assess, uri),
            About::Project(_, uri) => ("the project".to_owned(), Command::AssessAll, uri),
        };
        let count = counted(plan.lacking, "transcript");
        let lack = if plan.lacking == 1 { "lacks" } else { "lack" };
        let message = format!("{count} of {place} {lack} answers, and nothing was sent: {why}.");
        let button = format!("Assess {count} ({})", price(plan));
        let target = Target { uri: uri.0.clone(), ..Target::default() };
        Some(Self { message, offer: Some(Offer { button, command, target }) })
    }
}

/// The cap that a plan would exceed.
fn over_cap(plan: &Plan, settings: &Assess) -> Option<String> {
    match plan.cost() {
        None if settings.max_cost_per_save.is_finite() => Some(
            "a judge has no known price (`max_cost_per_save = inf` removes the cap)".to_owned(),
        ),
        Some(cost) if cost > settings.max_cost_per_save => Some(format!(
            "that would cost {}, over `max_cost_per_save` ({})",
            money(cost),
            money(settings.max_cost_per_save)
        )),
        _ if plan.lacking > settings.max_per_save => {
            Some(format!("that is over `max_per_save` ({})", settings.max_per_save))
        }
        _ => None,
    }
}

fn price(plan: &Plan) -> String {
    plan.cost().map_or_else(|| "price unknown".to_owned(), money)
}
