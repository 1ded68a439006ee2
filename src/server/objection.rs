//! Why a run is not sent: a judge that may not be asked, or a cap of the settings.
//!
//! Invariant: pure; a command of the user is consent to the cost, a save is not.
//! Neither is consent to send what looks like secrets or personal data.

use crate::analysis::hints::counted;
use crate::analysis::rubric_lenses::money;
use crate::assessment::privacy::{self, Sensitive};
use crate::config::{Assess, SensitiveText};
use crate::engine::{Plan, exchanges};

use tower_lsp_server::gen_lsp_types::Uri;

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
        let (place, command, uri) = place(about);
        let count = counted(plan.lacking, "transcript");
        let lack = if plan.lacking == 1 { "lacks" } else { "lack" };
        let message = format!("{count} of {place} {lack} answers, and nothing was sent: {why}.");
        let button = format!("Assess {count} ({})", price(plan));
        let target = Target { uri: uri.0.clone(), ..Target::default() };
        Some(Self { message, offer: Some(Offer { button, command, target, consent: Vec::new() }) })
    }
}

impl Objection {
    /// What is left out of this plan, while the rest goes on.
    #[must_use]
    pub fn withheld(plan: &Plan, about: &About, settings: &Assess) -> Option<Self> {
        let first = plan.withheld.first()?;
        let (place, command, uri) = place(about);
        let count = counted(plan.withheld.len(), "transcript");
        let found: Vec<Sensitive> = plan.withheld.iter().flat_map(|w| w.found.clone()).collect();
        let kinds = privacy::kinds(&found);
        let (id, exchanges) = (&first.id, exchanges(&first.found));
        let verb = if plan.withheld.len() == 1 { "seems" } else { "seem" };
        let mut message = format!(
            "{count} of {place} {verb} to hold {kinds} (first: {id}, {exchanges}), so nothing of it \
             was sent."
        );
        if settings.sensitive_text == SensitiveText::Block {
            message.push_str(" The settings say so: assess.sensitive_text = \"block\".");
            return Some(Self { message, offer: None });
        }
        let button = "Assess anyway".to_owned();
        let target = Target { uri: uri.0.clone(), ..Target::default() };
        let consent = plan.withheld.iter().map(|withheld| withheld.transcript).collect();
        Some(Self { message, offer: Some(Offer { button, command, target, consent }) })
    }
}

/// What the user calls it, and how to ask for it again.
fn place(about: &About) -> (String, Command, &Uri) {
    match about {
        About::Document(uri) => (uri::file_name(uri), Command::Assess, uri),
        About::Project(_, uri) => ("the project".to_owned(), Command::AssessAll, uri),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assessment::privacy::Kind;
    use crate::engine::Withheld;
    use crate::transcript::TranscriptDigest;
    use expect_test::expect;

    fn plan() -> Plan {
        let one = |kind, exchange| Sensitive { kind, message: 0, exchange, range: 0..1 };
        let withheld = |id: &str, found| Withheld {
            transcript: TranscriptDigest([7; 32]),
            id: id.to_owned(),
            found,
        };
        let first = vec![one(Kind::Email, 2), one(Kind::ApiKey, 2), one(Kind::Email, 5)];
        let withheld = vec![withheld("a", first), withheld("b", vec![one(Kind::Phone, 1)])];
        Plan { withheld, ..Plan::default() }
    }

    #[test]
    fn what_is_withheld_is_named_and_may_be_sent_after_all() {
        let about = About::Document(Uri("file:///p/chats.jsonl".into()));
        let asked = Objection::withheld(&plan(), &about, &Assess::default()).unwrap();
        expect!["2 transcripts of chats.jsonl seem to hold an API key, an e-mail address and a phone number (first: a, exchanges 2, 5), so nothing of it was sent."].assert_eq(&asked.message);
        let offer = asked.offer.unwrap();
        assert_eq!((offer.button.as_str(), offer.consent.len()), ("Assess anyway", 2));
        let settings = Assess { sensitive_text: SensitiveText::Block, ..Assess::default() };
        let blocked = Objection::withheld(&plan(), &about, &settings).unwrap();
        assert!(blocked.offer.is_none() && blocked.message.contains("\"block\""));
        assert!(Objection::withheld(&Plan::default(), &about, &settings).is_none());
    }
}
