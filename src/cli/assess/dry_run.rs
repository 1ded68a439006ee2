//! `assess --dry-run`: what a run would take, what would leave the machine and
//! where to. Nothing is sent, no connection is made.

use serde_json::{Value, json};

use crate::assessment::privacy;
use crate::cli::report::{counted, grouped};
use crate::cli::style::{Style, plain};
use crate::engine::prices::Prices;
use crate::engine::{JudgePlan, Plan};

/// The parts of a project that a judge is shown, and no other.
const SENT: [&str; 4] = [
    "the instructions",
    "the asked criteria with their guidance and calibration examples",
    "measured facts about each transcript",
    "its user, assistant and tool messages",
];

/// For people. `cap` is `max_cost_per_run`.
pub fn text(plan: &Plan, cap: f64, style: Style) -> String {
    let lacking = counted(plan.lacking, "transcript");
    let mut out = format!("{lacking} of {} to ask about\n", grouped(plan.transcripts));
    for judge in &plan.judges {
        out += &judge_text(judge, style);
    }
    if !plan.withheld.is_empty() {
        let count = counted(plan.withheld.len(), "transcript");
        let found: Vec<_> = plan.withheld.iter().flat_map(|w| w.found.clone()).collect();
        let kinds = privacy::kinds(&found);
        out += &format!("{count} not sent, for what they seem to hold: {kinds}\n");
    }
    let as_of = Prices::as_of();
    if plan.calls() > 0 {
        let calls = counted(plan.calls(), "call");
        let money = money(plan.cost(), plan.at_most());
        out += &format!("In all: {calls}, {money}");
        if cap.is_finite() {
            out += &format!("; assess.max_cost_per_run is {}", usd(cap));
        }
        out += "\n";
        let note = format!(
            "Tokens and money are estimates, at prices of {as_of} or your own; nothing was sent."
        );
        out += &format!("{}\n", style.dim(&note));
    }
    out
}

fn judge_text(judge: &JudgePlan, style: Style) -> String {
    let name = style.bold(&plain(&judge.judge));
    let asked = match judge.host {
        None => "recorded answers".to_owned(),
        Some(_) => format!("{} ({})", plain(&judge.model), judge.provider.name()),
    };
    let mut out = format!("{name}: {asked}\n");
    if let Some(why) = &judge.refused {
        out += &format!("  not asked: {}\n", plain(why));
        return out;
    }
    let Some(host) = &judge.host else {
        return out + "  answers come from a file; nothing is sent\n";
    };
    let calls = counted(judge.calls, "call");
    out += &format!("  {calls}, {} known\n", counted(judge.cached, "answer"));
    if judge.calls == 0 {
        return out;
    }
    let tokens = &judge.tokens;
    let tokens = [tokens.instructions, tokens.transcript, tokens.reply]
        .map(|n| grouped(usize::try_from(n).unwrap_or(usize::MAX)));
    out += &format!(
        "  tokens: about {} instructions and rubric, {} transcripts, {} replies\n",
        tokens[0], tokens[1], tokens[2]
    );
    out += &format!("  cost: {}\n", money(judge.cost, judge.at_most));
    let (sent, host) = (SENT.join("; "), plain(host));
    let place = if judge.stays_here { ", which is this machine" } else { "" };
    out + &format!("  text goes to {host}{place}: {sent}\n")
}

/// `about $0.12, at most $1.40`
fn money(likely: Option<f64>, at_most: Option<f64>) -> String {
    match (likely, at_most) {
        (Some(likely), Some(at_most)) if likely > 0.0 || at_most > 0.0 => {
            format!("about {}, at most {}", usd(likely), usd(at_most))
        }
        (Some(_), Some(_)) => "nothing".to_owned(),
        _ => "no known price".to_owned(),
    }
}

/// Cents, and four places where that would say nothing.
pub fn usd(amount: f64) -> String {
    if amount > 0.0 && amount < 0.1 { format!("${amount:.4}") } else { format!("${amount:.2}") }
}

/// For programs.
pub fn json(plan: &Plan, cap: f64) -> Value {
    let cost = |likely: Option<f64>, at_most: Option<f64>| {
        likely.zip(at_most).map_or(
            Value::Null,
            |(likely, at_most)| json!({"likely_usd": likely, "at_most_usd": at_most}),
        )
    };
    let judge = |judge: &JudgePlan| {
        json!({
            "judge": judge.judge,
            "provider": judge.provider.name(),
            "model": judge.model,
            "host": judge.host,
            "stays_here": judge.stays_here,
            "refused": judge.refused,
            "calls": judge.calls,
            "cached": judge.cached,
            "tokens": {
                "instructions": judge.tokens.instructions,
                "transcripts": judge.tokens.transcript,
                "replies": judge.tokens.reply,
                "replies_at_most": judge.tokens.reply_limit,
            },
            "cost": cost(judge.cost, judge.at_most),
            "sends": if judge.calls > 0 { json!(SENT) } else { json!([]) },
        })
    };
    json!({
        "estimate": true,
        "transcripts": plan.transcripts,
        "lacking": plan.lacking,
        "withheld": plan.withheld.iter().map(|w| w.id.as_str()).collect::<Vec<_>>(),
        "calls": plan.calls(),
        "cost": cost(plan.cost(), plan.at_most()),
        "max_cost_per_run": cap.is_finite().then_some(cap),
        "prices_as_of": Prices::as_of(),
        "judges": plan.judges.iter().map(judge).collect::<Vec<_>>(),
    })
}
