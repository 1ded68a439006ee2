//! What is told of a judge beside its answers: where it is, whether it answers
//! now, what it was paid, and what it may cost.
//!
//! Invariant: pure over what is known; money nobody knows is said to be unknown,
//! never nought.

use super::hints::counted;
use super::hover::escape;
use super::rubric_lenses::money;
use crate::text::Span;

/// Characters a lens gives to one judge.
const LENS: usize = 160;

/// What is known of a judge.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JudgeFacts {
    /// Its name.
    pub name: String,
    /// Provider and model.
    pub model: String,
    /// Where text goes; `None` for a recording.
    pub host: Option<String>,
    /// Whether it answers.
    pub state: JudgeState,
    /// How often it was asked the same again in the last run that did so, and how
    /// often its answers differed; `None` before such a run.
    pub flips: Option<(usize, usize)>,
    /// What this project has paid it; `None` while that is not known.
    pub paid: Option<Paid>,
    /// USD that a save may cost, over all judges.
    pub save_cap: f64,
    /// USD that a run may cost, over all judges.
    pub run_cap: f64,
}

/// Whether a judge answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum JudgeState {
    /// Nothing stands against it.
    #[default]
    Ready,
    /// Its calls wait.
    Waiting {
        /// Until they are sent again.
        seconds: u64,
        /// What the server said.
        why: String,
    },
    /// It was stopped for the run.
    Stopped {
        /// Why, and when it works again where that is known.
        why: String,
    },
}

/// What a judge was paid.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Paid {
    /// USD since midnight.
    pub today: f64,
    /// USD ever.
    pub all: f64,
    /// Calls ever.
    pub calls: u64,
    /// Of these, calls whose cost nobody knows.
    pub unpriced: u64,
}

impl JudgeState {
    /// One word for a status bar.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Waiting { .. } => "waiting",
            Self::Stopped { .. } => "stopped",
        }
    }

    /// The reason, where there is one to give.
    #[must_use]
    pub fn line(&self) -> Option<String> {
        match self {
            Self::Ready => None,
            Self::Waiting { seconds, why } => Some(format!("waits {seconds} s: {why}")),
            Self::Stopped { why } => Some(format!("stopped: {why}")),
        }
    }
}

/// A judge in a hover, as markdown.
#[must_use]
pub fn hover(judge: &JudgeFacts) -> String {
    let place = judge.host.as_deref().map_or_else(
        || "answers come from a recording".to_owned(),
        |host| format!("text goes to {host}"),
    );
    let mut parts =
        vec![format!("**{}** {}", escape(&judge.name), escape(&judge.model)), escape(&place)];
    parts.extend(judge.state.line().map(|line| format!("**{}**", escape(&line))));
    if let Some((repeated, flipped)) = judge.flips.filter(|(repeated, _)| *repeated > 0) {
        let percent = 100.0 * flipped as f64 / repeated as f64;
        let asked = counted(repeated, "question");
        parts.push(escape(&format!("flips on {percent:.0} % of {asked} asked repeatedly")));
    }
    if judge.host.is_some() {
        parts.extend(judge.paid.as_ref().map(|paid| escape(&self::paid(paid))));
        let cap = |usd: f64| if usd.is_finite() { money(usd) } else { "no cap".to_owned() };
        let (save, run) = (cap(judge.save_cap), cap(judge.run_cap));
        parts.push(escape(&format!("budget of all judges: {save} a save, {run} a run")));
    }
    parts.join("\n\n")
}

/// The `[[judge]]` table of a settings file that a place is in: from its header to
/// the next one.
#[must_use]
pub fn table_at(text: &str, at: usize) -> Option<Span> {
    let mut open = None;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with('[') {
            if let Some(first) = open.filter(|first| (*first..start).contains(&at)) {
                return Some(Span::new(first, start));
            }
            open = line.trim_start().starts_with("[[judge]]").then_some(start);
        }
        start += line.len();
    }
    open.filter(|first| (*first..=text.len()).contains(&at))
        .map(|first| Span::new(first, text.len()))
}

/// One line about a judge that does not simply answer, for hovers over findings.
#[must_use]
pub fn trouble(judges: &[JudgeFacts]) -> Vec<String> {
    let line = |judge: &JudgeFacts| {
        judge.state.line().map(|line| format!("{}: {}", escape(&judge.name), escape(&line)))
    };
    judges.iter().filter_map(line).collect()
}

/// The same for a lens, which is plain text on one line.
#[must_use]
pub fn brief(judges: &[JudgeFacts]) -> Vec<String> {
    let line = |judge: &JudgeFacts| {
        let line = format!("{} {}", judge.name, judge.state.line()?).replace(char::is_control, " ");
        let short: String = line.chars().take(LENS).collect();
        Some(if short.len() < line.len() { short + "…" } else { short })
    };
    judges.iter().filter_map(line).collect()
}

fn paid(paid: &Paid) -> String {
    if paid.calls == 0 {
        return "nothing was paid for this project yet".to_owned();
    }
    let calls = counted(usize::try_from(paid.calls).unwrap_or(usize::MAX), "call");
    let unknown = match paid.unpriced {
        0 => String::new(),
        n => format!(", {n} of unknown cost"),
    };
    format!("{} today, {} in all ({calls}{unknown})", money(paid.today), money(paid.all))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge() -> JudgeFacts {
        JudgeFacts {
            name: "claude".into(),
            model: "anthropic m".into(),
            host: Some("api.example.org".into()),
            paid: Some(Paid::default()),
            save_cap: 0.5,
            run_cap: f64::INFINITY,
            ..JudgeFacts::default()
        }
    }

    #[test]
    fn a_hover_says_state_spend_and_budget() {
        let mut judge = judge();
        let ready = "**claude** anthropic m\n\ntext goes to api.example.org\n\n\
            nothing was paid for this project yet\n\n\
            budget of all judges: $0.50 a save, no cap a run";
        assert_eq!(hover(&judge), ready);
        judge.paid = Some(Paid { today: 0.12, all: 1.2, calls: 34, unpriced: 1 });
        judge.state = JudgeState::Waiting { seconds: 42, why: "busy".into() };
        let text = hover(&judge);
        assert!(text.contains("**waits 42 s: busy**"), "{text}");
        assert!(text.contains("$0.12 today, $1.20 in all (34 calls, 1 of unknown cost)"), "{text}");
    }

    #[test]
    fn a_place_is_in_the_table_above_it() {
        let text = "[assess]\nseed = 1\n[[judge]]\nname = 'a'\n[[judge]]\nname = 'b'\n";
        let found = |at| table_at(text, at).map(|span| span.of(text));
        assert_eq!(found(3), None);
        assert_eq!(found(text.find("'a'").unwrap()), Some("[[judge]]\nname = 'a'\n"));
        assert_eq!(found(text.len()), Some("[[judge]]\nname = 'b'\n"));
    }

    #[test]
    fn only_trouble_is_told_beside_findings() {
        let mut stopped = judge();
        stopped.state = JudgeState::Stopped { why: "no quota <left>".into() };
        assert_eq!(brief(&[judge(), stopped.clone()]), ["claude stopped: no quota <left>"]);
        assert_eq!(trouble(&[judge(), stopped]), ["claude: stopped: no quota &lt;left&gt;"]);
    }

    #[test]
    fn a_judge_that_was_asked_again_says_how_often_it_flipped() {
        let asked = |flips| hover(&JudgeFacts { flips, ..judge() });
        assert!(asked(Some((12, 3))).contains("flips on 25 % of 12 questions asked repeatedly"));
        assert!(!asked(Some((0, 0))).contains("flips") && !asked(None).contains("flips"));
    }
}
