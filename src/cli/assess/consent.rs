//! Text that seems to hold secrets or personal data: said, and sent only when the
//! user says so.
//!
//! Invariant: without a terminal nobody is asked and nothing of it is sent.

use std::collections::HashMap;
use std::io::{BufRead, IsTerminal};

use super::entries::Entry;
use crate::assessment::privacy;
use crate::cli::output::Output;
use crate::cli::report::counted;
use crate::cli::style::plain;
use crate::config::SensitiveText;
use crate::engine::{AssessJob, Engine, Plan, exchanges};

/// Transcripts listed by name.
const LISTED: usize = 5;

/// What a run would take, when everything, or what is harmless, may be sent.
pub fn plan(engine: &Engine, job: &AssessJob, everything: bool) -> Plan {
    let plan = engine.plan(job);
    if !everything || plan.withheld.is_empty() {
        return plan;
    }
    engine.consent(plan.withheld.iter().map(|withheld| withheld.transcript));
    engine.plan(job)
}

/// The plan once the user was told, and perhaps asked, about what it leaves out.
pub fn settle(
    engine: &Engine,
    job: &AssessJob,
    plan: Plan,
    entries: &[Entry],
    out: &mut Output,
) -> Plan {
    if plan.withheld.is_empty() {
        return plan;
    }
    say(&plan, entries, out);
    let count = counted(plan.withheld.len(), "transcript");
    if job.settings.sensitive_text == SensitiveText::Block {
        out.warning(&format!("{count} not sent: assess.sensitive_text is \"block\""));
        return plan;
    }
    if std::io::stdin().is_terminal() && out.watched {
        out.note(&format!("Send {count} all the same? [y/N]"));
        if agreed() {
            engine.consent(plan.withheld.iter().map(|withheld| withheld.transcript));
            return engine.plan(job);
        }
    }
    out.warning(&format!(
        "{count} not sent and left unscored: take it out of the text, or send it all the same with \
         --send-sensitive"
    ));
    plan
}

/// Which transcripts, where, and what they seem to hold.
fn say(plan: &Plan, entries: &[Entry], out: &mut Output) {
    let texts: HashMap<_, _> = plan.withheld.iter().map(|one| (one.transcript, one)).collect();
    let named = entries.iter().filter_map(|entry| Some((entry, *texts.get(&entry.digest)?)));
    let named: Vec<_> = named.collect();
    for (entry, withheld) in named.iter().take(LISTED) {
        out.warning(&plain(&format!(
            "{}:{}: {} seems to hold {} ({})",
            entry.file,
            entry.line,
            entry.transcript.id,
            privacy::kinds(&withheld.found),
            exchanges(&withheld.found)
        )));
    }
    if named.len() > LISTED {
        out.warning(&format!("and {} more", named.len() - LISTED));
    }
}

fn agreed() -> bool {
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.is_ok() && matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}
