//! One list of what the rules without a target and those of a target found.
//!
//! Invariant: of two findings with one code at one place the target's stands. A
//! general finding that this trainer is known not to mind becomes a hint; only
//! advice that this trainer would punish disappears.

use super::{Target, Trainer};
use crate::finding::{Finding, Severity};

/// `general` and `own` together, by place.
#[must_use]
pub fn settled(mut general: Vec<Finding>, own: Vec<Finding>, target: &Target) -> Vec<Finding> {
    let meets = |g: &Finding, o: &Finding| g.code == o.code && g.span.meets(o.span);
    general.retain(|g| !own.iter().any(|o| meets(g, o)));
    // An id would be refused.
    if target.trainer.top_level_keys().is_some() {
        general.retain(|g| g.code != "R005");
    }
    for finding in &mut general {
        if is_fine(&finding.code, target) && finding.severity < Severity::Hint {
            finding.severity = Severity::Hint;
        }
    }
    general.extend(own);
    general.sort_by(|a, b| (a.span, a.severity, &a.code).cmp(&(b.span, b.severity, &b.code)));
    general
}

/// What this trainer takes as it is.
fn is_fine(code: &str, target: &Target) -> bool {
    let knows = target.template_is_known && target.trainer.renders_here();
    match code {
        // Where the template decides, T008 speaks.
        "T003" | "T004" | "T005" => {
            knows || matches!(target.trainer, Trainer::OpenAi | Trainer::Mistral)
        }
        // Objects are what chat templates want.
        "K001" => target.trainer.renders_here(),
        // Switches that nobody reads switch nothing off: W001 says so.
        "W003" => !target.trainer.reads_weights(),
        _ => false,
    }
}
