//! From counts to flags.
//!
//! Invariant: a flag says what was counted, of how many, and against which setting.

use serde_json::{Value, json};

use super::{Found, Instance, Twins, rounded};
use crate::audit::mined::Common;
use crate::audit::{Kind, Mined};
use crate::cli::report::json as rows;
use crate::config::Audit;

/// Replies under which a share says nothing.
const REPLIES_MIN: usize = 10;
/// Replies that have to have something before it is frequent at all.
const COUNT_MIN: usize = 5;

/// Something that is wrong with the data set.
pub struct Flag {
    /// Its name.
    pub name: &'static str,
    /// What is wrong, and what to do.
    pub message: String,
    /// What was measured, and what it may be at most.
    pub measured: (f64, f64),
    /// The words it is about.
    pub phrase: Option<String>,
    /// How many, and of how many.
    pub counted: (usize, usize),
    /// Where.
    pub instances: Vec<Instance>,
}

impl Flag {
    /// As JSON.
    pub fn to_json(&self) -> Value {
        let row = |one: &Instance| -> Value {
            serde_json::from_str(&rows::finding(&one.file, &one.placed)).unwrap_or_default()
        };
        json!({
            "flag": self.name, "message": self.message,
            "value": rounded(self.measured.0), "threshold": self.measured.1,
            "phrase": self.phrase, "count": self.counted.0, "of": self.counted.1,
            "instances": self.instances.iter().map(row).collect::<Vec<_>>(),
        })
    }
}

/// The least count that a share of replies stands for.
#[must_use]
pub fn least(share: f64, replies: usize) -> usize {
    ((share * replies as f64).ceil() as usize).max(COUNT_MIN)
}

/// All flags, the most frequent of each name first.
pub fn flags(rules: &Audit, found: &Found, mined: Mined<Instance>, twins: Vec<Twins>) -> Vec<Flag> {
    let mut flags = asked_for(rules, found);
    flags.extend(common(rules, found, mined));
    flags.extend(habits(rules, found));
    flags.extend(twins.into_iter().map(|twins| {
        let [one, other] = &twins.ids;
        let percent = twins.likeness * 100.0;
        Flag {
            name: "near-duplicate",
            message: format!(
                "{one} and {other} have {percent:.0} % of their word runs in common: keep one"
            ),
            measured: (twins.likeness, rules.similarity),
            phrase: None,
            counted: (2, found.tally.transcripts),
            instances: twins.instances,
        }
    }));
    flags
}

fn asked_for(rules: &Audit, found: &Found) -> Vec<Flag> {
    let replies = found.tally.replies;
    let mut flags = Vec::new();
    for (phrase, (count, instances)) in rules.phrases.iter().zip(&found.phrases) {
        let share = *count as f64 / replies.max(1) as f64;
        if replies >= REPLIES_MIN && share > rules.phrase_share {
            flags.push(phrase_flag(
                "phrase",
                phrase,
                share,
                rules.phrase_share,
                (*count, replies),
                instances.clone(),
            ));
        }
    }
    flags.sort_by_key(|flag| std::cmp::Reverse(flag.counted.0));
    flags
}

fn phrase_flag(
    name: &'static str,
    phrase: &str,
    share: f64,
    most: f64,
    counted: (usize, usize),
    instances: Vec<Instance>,
) -> Flag {
    let percent = share * 100.0;
    let message = match name {
        "opener" => format!(
            "{percent:.0} % of the replies begin with “{phrase}”: ask the assistant's prompt for varied openings"
        ),
        "ending" => format!(
            "{percent:.0} % of the replies end with “{phrase}”: ask the assistant's prompt for varied endings"
        ),
        "overused" => format!(
            "“{phrase}” is in {percent:.0} % of the replies and hardly in what users say: add it to a `phrases` check of the rubric"
        ),
        _ => format!(
            "“{phrase}” is in {percent:.0} % of the replies: add it to a `phrases` check of the rubric, and generate anew"
        ),
    };
    let (phrase, measured) = (Some(phrase.to_owned()), (share, most));
    Flag { name, message, measured, phrase, counted, instances }
}

fn common(rules: &Audit, found: &Found, mined: Mined<Instance>) -> Vec<Flag> {
    let (replies, asked) = (found.tally.replies, found.tally.asked);
    if replies < REPLIES_MIN {
        return Vec::new();
    }
    let share = |count: usize| count as f64 / replies as f64;
    let name = |one: &Common<Instance>| {
        let said = one.asked as f64 / asked.max(1) as f64;
        let own = share(one.replies);
        match one.kind {
            _ if one.replies < COUNT_MIN => None,
            Kind::Phrase if own > rules.phrase_share => Some(("phrase", rules.phrase_share)),
            Kind::Phrase if own >= rules.overused_share && own >= said * rules.overused_times => {
                Some(("overused", rules.overused_share))
            }
            Kind::Opener if own > rules.opener_share => Some(("opener", rules.opener_share)),
            Kind::Ending if own > rules.opener_share => Some(("ending", rules.opener_share)),
            _ => None,
        }
    };
    let named: Vec<String> =
        rules.phrases.iter().map(|phrase| crate::audit::words::folded(phrase)).collect();
    let mut flags = Vec::new();
    for one in mined.common(|one| name(one).is_some()) {
        let Some((name, most)) = name(&one).filter(|_| !named.contains(&one.text)) else {
            continue;
        };
        let counted = (one.replies, replies);
        flags.push(phrase_flag(name, &one.text, share(one.replies), most, counted, one.instances));
    }
    flags.sort_by_key(|flag| flag.name != "phrase");
    flags
}

fn habits(rules: &Audit, found: &Found) -> Vec<Flag> {
    let tally = &found.tally;
    let longest = || found.longest.iter().map(|(_, instance)| instance.clone()).collect();
    let mut flags = Vec::new();
    let mut flag = |name, message, measured, counted, instances| {
        flags.push(Flag { name, message, measured, phrase: None, counted, instances });
    };
    if let Some(mean) = tally.mean_ratio().filter(|mean| *mean > rules.mean_ratio) {
        let message = format!(
            "replies have {mean:.1} words for each of the user's on average: tighten the assistant's length limits"
        );
        let counted = (tally.over, tally.replies);
        flag("mean-ratio", message, (mean, rules.mean_ratio), counted, longest());
    }
    if let Some(share) = tally.over_share().filter(|share| *share > rules.over_ratio_share) {
        let message = format!(
            "{:.0} % of the replies have over twice the user's words: tighten the assistant's length limits",
            share * 100.0
        );
        let counted = (tally.over, tally.replies);
        flag("long-replies", message, (share, rules.over_ratio_share), counted, longest());
    }
    if let Some(growth) = tally.praise_growth().filter(|growth| *growth > rules.late_praise) {
        let message = format!(
            "late replies praise {growth:.1} times as often as early ones: the assistant grows flattering"
        );
        let counted = (tally.late.1, tally.late.0);
        flag("late-praise", message, (growth, rules.late_praise), counted, found.praise.clone());
    }
    if tally.rigid > 0 {
        let share = tally.rigid as f64 / tally.transcripts.max(1) as f64;
        let message = format!(
            "in {} of {} transcripts every reply has the same number of headers, over {}: vary the form",
            tally.rigid, tally.transcripts, rules.headers
        );
        flag("rigid", message, (share, 0.0), (tally.rigid, tally.transcripts), found.rigid.clone());
    }
    flags
}
