//! From counts to flags.
//!
//! Invariant: a flag says what was counted, of how many, and against which setting.

use std::sync::Arc;

use super::found::Found;
use super::mined::{Common, Kind, Mined};
use super::words::folded;
use crate::config::Audit;

/// Replies under which a share says nothing.
const REPLIES_MIN: usize = 10;
/// Replies that have to have something before it is frequent at all.
const COUNT_MIN: usize = 5;

/// What the code of every finding of an audit begins with.
pub const CODE: &str = "audit:";

/// Two transcripts that are nearly the same.
#[derive(Clone, Debug)]
pub struct Twins<P> {
    /// The share of word runs in common.
    pub likeness: f64,
    /// Their ids.
    pub ids: [Arc<str>; 2],
    /// Where they begin.
    pub instances: Vec<P>,
}

/// Something that is wrong with the data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Flag<P> {
    /// Its name.
    pub name: &'static str,
    /// What is wrong, and what to do.
    pub message: String,
    /// What was measured, and what it may be at most.
    pub measured: (f64, f64),
    /// The words it is about, in lower case without punctuation.
    pub phrase: Option<String>,
    /// The same as they are written at the first place.
    pub said: Option<String>,
    /// How many, and of how many.
    pub counted: (usize, usize),
    /// Where.
    pub instances: Vec<P>,
}

impl<P> Flag<P> {
    /// The same at these places.
    #[must_use]
    pub fn with<Q>(self, instances: Vec<Q>) -> Flag<Q> {
        let Self { name, message, measured, phrase, said, counted, .. } = self;
        Flag { name, message, measured, phrase, said, counted, instances }
    }

    /// The code of its findings: no criterion has a colon in its id.
    #[must_use]
    pub fn code(&self) -> String {
        format!("{CODE}{}", self.name)
    }

    /// The words to avoid, where avoiding them mends it.
    #[must_use]
    pub fn avoid(&self) -> Option<&str> {
        self.said.as_deref().filter(|_| matches!(self.name, "phrase" | "overused"))
    }
}

/// The least count that a share of replies stands for.
#[must_use]
pub fn least(share: f64, replies: usize) -> usize {
    ((share * replies as f64).ceil() as usize).max(COUNT_MIN)
}

/// All flags, the most frequent of each name first.
#[must_use]
pub fn flags<P: Clone>(
    rules: &Audit,
    found: &Found<P>,
    mined: Mined<P>,
    twins: Vec<Twins<P>>,
) -> Vec<Flag<P>> {
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
            said: None,
            counted: (2, found.tally.transcripts),
            instances: twins.instances,
        }
    }));
    flags
}

fn asked_for<P: Clone>(rules: &Audit, found: &Found<P>) -> Vec<Flag<P>> {
    let replies = found.tally.replies;
    let mut flags = Vec::new();
    for (phrase, (count, instances)) in rules.phrases.iter().zip(&found.phrases) {
        let share = *count as f64 / replies.max(1) as f64;
        if replies >= REPLIES_MIN && share > rules.phrase_share {
            flags.push(phrase_flag(
                "phrase",
                (phrase, phrase),
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

fn phrase_flag<P>(
    name: &'static str,
    (phrase, said): (&str, &str),
    share: f64,
    most: f64,
    counted: (usize, usize),
    instances: Vec<P>,
) -> Flag<P> {
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
    let said = Some(said.split_whitespace().collect::<Vec<_>>().join(" "));
    let (phrase, measured) = (Some(phrase.to_owned()), (share, most));
    Flag { name, message, measured, phrase, said, counted, instances }
}

fn common<P>(rules: &Audit, found: &Found<P>, mined: Mined<P>) -> Vec<Flag<P>> {
    let (replies, asked) = (found.tally.replies, found.tally.asked);
    if replies < REPLIES_MIN {
        return Vec::new();
    }
    let share = |count: usize| count as f64 / replies as f64;
    let name = |one: &Common<P>| {
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
    let named: Vec<String> = rules.phrases.iter().map(|phrase| folded(phrase)).collect();
    let mut flags = Vec::new();
    for one in mined.common(|one| name(one).is_some()) {
        let Some((name, most)) = name(&one).filter(|_| !named.contains(&one.text)) else {
            continue;
        };
        let counted = (one.replies, replies);
        let share = share(one.replies);
        let words = (&*one.text, &*one.said);
        flags.push(phrase_flag(name, words, share, most, counted, one.instances));
    }
    flags.sort_by_key(|flag| flag.name != "phrase");
    flags
}

fn habits<P: Clone>(rules: &Audit, found: &Found<P>) -> Vec<Flag<P>> {
    let tally = &found.tally;
    let longest = || found.longest.iter().map(|(_, instance)| instance.clone()).collect();
    let mut flags = Vec::new();
    let mut flag = |name, message, measured, counted, instances| {
        flags.push(Flag { name, message, measured, phrase: None, said: None, counted, instances });
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
