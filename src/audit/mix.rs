//! What generated transcripts say of how they were made: styles, flaws, ways of
//! responding, lengths; counted, and held against what was asked for (WR6, WR26-WR30).
//!
//! Invariant: only what a record says of itself is counted, so records that nobody
//! generated count nowhere; of names a bounded number is remembered. A share is off
//! only if its target lies outside its 95 % interval.

use std::collections::BTreeMap;

use crate::assessment::trust::{Interval, wilson};
use crate::rubric::check::persona;
use crate::text::json::{Kind, Value};

/// Different names of one kind that are counted; further ones are not.
const NAMES: usize = 100;

/// What is asked for, where it is known: shares from 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Targets {
    /// Of the transcripts, by style; empty where nobody says.
    pub styles: Vec<(String, f64)>,
    /// Of the exchanges behind the first, by how the user takes up the last reply.
    pub responses: Vec<(String, f64)>,
    /// Personas without flaws.
    pub flawless: f64,
    /// Messages in which a persona's primary flaw shows.
    pub primary: f64,
    /// The same of a secondary one.
    pub secondary: f64,
    /// Personas that bring an edge case.
    pub edge_cases: f64,
}

impl Default for Targets {
    fn default() -> Self {
        let responses = [("ignore", 0.3), ("tangent", 0.3), ("push-back", 0.2), ("engage", 0.2)];
        Self {
            styles: Vec::new(),
            responses: responses.map(|(name, share)| (name.to_owned(), share)).into(),
            flawless: 0.2,
            primary: 0.5,
            secondary: 0.2,
            edge_cases: 0.15,
        }
    }
}

/// What was seen, as numbers that add up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mix {
    /// Transcripts by style.
    styles: BTreeMap<String, usize>,
    /// Exchanges by way of responding.
    responses: BTreeMap<String, usize>,
    /// Personas of which flaws are known, and those that have none.
    flawless: Count,
    /// Chances of a primary flaw to show, and how many it took.
    primary: Count,
    /// The same of secondary ones.
    secondary: Count,
    /// Personas of which topics are known, and those with an edge case.
    edge_cases: Count,
    /// User's messages, and those of the length asked for.
    user_length: Count,
    /// Replies, and those of the length asked for.
    reply_length: Count,
    /// Transcripts with a number of exchanges asked for, and those that have it.
    exchanges: Count,
}

/// How many, and how many of them are so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    of: usize,
    part: usize,
}

impl Count {
    fn note(&mut self, is_so: bool) {
        self.of += 1;
        self.part += usize::from(is_so);
    }

    fn merge(&mut self, other: Self) {
        self.of += other.of;
        self.part += other.part;
    }
}

/// One share beside what was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Share {
    /// What it is a share of: `style`, `response`, `flaws`, `length`, `topics`.
    pub kind: &'static str,
    /// What has it.
    pub name: String,
    /// How many.
    pub count: usize,
    /// Of how many.
    pub of: usize,
    /// The share with its 95 % interval (Wilson).
    pub share: Interval,
    /// What was asked for, where it is known.
    pub target: Option<f64>,
}

impl Share {
    /// True when chance does not explain the distance to what was asked for.
    #[must_use]
    pub fn is_off(&self) -> bool {
        // A share that is to be 1 is off with the first that is not.
        self.target
            .is_some_and(|target| target < self.share.low - 1e-9 || target > self.share.high + 1e-9)
    }
}

impl Mix {
    /// Takes in what a record says of itself.
    pub fn add(&mut self, record: Value<'_>) {
        if record.kind() != Kind::Object {
            return;
        }
        if let Some(style) = persona::style(record) {
            count(&mut self.styles, &style, 1);
        }
        let exchanges = record.get("exchanges").filter(|list| list.kind() == Kind::Array);
        let made =
            || exchanges.into_iter().flat_map(Value::items).filter(|e| e.get("flaws").is_some());
        if let (Some(asked), Some(list)) =
            (record.get("target_exchanges").and_then(Value::integer), exchanges)
        {
            self.exchanges.note(usize::try_from(asked).is_ok_and(|n| list.items().count() == n));
        }
        for exchange in made() {
            if let Some(response) = exchange.get("response_type").and_then(Value::str) {
                count(&mut self.responses, &response, 1);
            }
            let violated = |who: &str| {
                let all = exchange.get("violations").into_iter().flat_map(Value::items);
                let is_its =
                    |one: Value<'_>| one.get("who").and_then(Value::str).as_deref() == Some(who);
                all.into_iter().any(is_its)
            };
            self.user_length.note(!violated("user"));
            self.reply_length.note(!violated("assistant"));
        }
        let Some(persona) = record.get("persona") else { return };
        if let Some(topics) = persona.get("topic_seeds") {
            let is_edge =
                |topic: Value<'_>| topic.get("edge_case").and_then(Value::bool) == Some(true);
            self.edge_cases.note(topics.items().any(is_edge));
        }
        let Some(flaws) = persona.get("flaw_patterns").filter(|list| list.kind() == Kind::Array)
        else {
            return;
        };
        self.flawless.note(flaws.items().next().is_none());
        for flaw in flaws.items() {
            let (Some(name), Some(level)) =
                (flaw.get("name").and_then(Value::str), flaw.get("level").and_then(Value::str))
            else {
                continue;
            };
            let rolled = if level == "primary" { &mut self.primary } else { &mut self.secondary };
            for exchange in made() {
                let shown = exchange.get("flaws").into_iter().flat_map(Value::items);
                rolled.note(shown.into_iter().any(|one| one.str().as_deref() == Some(&*name)));
            }
        }
    }

    /// Takes in another one.
    pub fn merge(&mut self, other: &Self) {
        other.styles.iter().for_each(|(name, n)| count(&mut self.styles, name, *n));
        other.responses.iter().for_each(|(name, n)| count(&mut self.responses, name, *n));
        self.flawless.merge(other.flawless);
        self.primary.merge(other.primary);
        self.secondary.merge(other.secondary);
        self.edge_cases.merge(other.edge_cases);
        self.user_length.merge(other.user_length);
        self.reply_length.merge(other.reply_length);
        self.exchanges.merge(other.exchanges);
    }

    /// The shares beside what was asked for; of what no record says anything, nothing.
    #[must_use]
    pub fn shares(&self, targets: &Targets) -> Vec<Share> {
        let mut shares = named("style", &self.styles, &targets.styles);
        shares.extend(named("response", &self.responses, &targets.responses));
        let all = [
            ("flaws", "personas without any", self.flawless, targets.flawless),
            ("flaws", "primary flaw shows", self.primary, targets.primary),
            ("flaws", "secondary flaw shows", self.secondary, targets.secondary),
            ("topics", "personas with an edge case", self.edge_cases, targets.edge_cases),
            ("length", "user's messages as asked for", self.user_length, 1.0),
            ("length", "replies as asked for", self.reply_length, 1.0),
            ("length", "transcripts with all exchanges", self.exchanges, 1.0),
        ];
        let share = |(kind, name, count, target): (_, &str, Count, f64)| {
            share(kind, name, count.part, count.of, Some(target))
        };
        shares.extend(all.into_iter().filter_map(share));
        shares
    }
}

fn count(names: &mut BTreeMap<String, usize>, name: &str, n: usize) {
    if let Some(known) = names.get_mut(name) {
        *known += n;
    } else if names.len() < NAMES {
        names.insert(name.to_owned(), n);
    }
}

/// The names that were seen, and those that were asked for and never seen.
fn named(
    kind: &'static str,
    seen: &BTreeMap<String, usize>,
    targets: &[(String, f64)],
) -> Vec<Share> {
    let of: usize = seen.values().sum();
    let never = targets.iter().filter(|(name, _)| !seen.contains_key(name));
    let all = seen.iter().map(|(name, n)| (name, *n)).chain(never.map(|(name, _)| (name, 0)));
    let share = |(name, n): (&String, usize)| {
        // A name that nobody asked for has no target of its own.
        let target = targets.iter().find(|(own, _)| own == name).map(|(_, share)| *share);
        share(kind, name, n, of, target)
    };
    all.filter_map(share).collect()
}

fn share(
    kind: &'static str,
    name: &str,
    count: usize,
    of: usize,
    target: Option<f64>,
) -> Option<Share> {
    Some(Share { kind, name: name.to_owned(), count, of, share: wilson(count, of)?, target })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::json::{DEPTH_LIMIT, parse};

    fn mixed(records: &[String]) -> Vec<Share> {
        let mut mix = Mix::default();
        for record in records {
            let mut one = Mix::default();
            one.add(parse(record, DEPTH_LIMIT).root(record).unwrap());
            mix.merge(&one);
        }
        mix.shares(&Targets::default())
    }

    /// Transcripts of ten exchanges in which the primary flaw shows in so many.
    fn record(shows: usize) -> String {
        let exchange = |n: usize| {
            let flaws = if n < shows { r#"["vague"]"# } else { "[]" };
            let response = if n == 0 { "null" } else { r#""engage""# };
            let violations = if n == 9 { r#", "violations": [{"who": "user"}]"# } else { "" };
            format!(
                r#"{{"user": "a", "assistant": "b", "response_type": {response}, "flaws": {flaws}{violations}}}"#
            )
        };
        let exchanges: Vec<String> = (0..10).map(exchange).collect();
        format!(
            r#"{{"persona": {{"writing_style": "terse", "topic_seeds": [{{"edge_case": false}}],
            "flaw_patterns": [{{"name": "vague", "level": "primary"}}]}}, "target_exchanges": 10, "exchanges": [{}]}}"#,
            exchanges.join(", ")
        )
    }

    #[test]
    fn what_records_say_is_held_against_what_was_asked_for() {
        let records: Vec<String> = (0..10).map(|n| record(if n < 5 { 4 } else { 6 })).collect();
        let shares = mixed(&records);
        let shown = |s: &Share| {
            let off = if s.is_off() { " off" } else { "" };
            format!("{} {} {}/{} {:?}{off}", s.kind, s.name, s.count, s.of, s.target)
        };
        let shown: Vec<String> = shares.iter().map(shown).collect();
        assert_eq!(
            shown,
            [
                "style terse 10/10 None",
                "response engage 90/90 Some(0.2) off",
                "response ignore 0/90 Some(0.3) off",
                "response tangent 0/90 Some(0.3) off",
                "response push-back 0/90 Some(0.2) off",
                "flaws personas without any 0/10 Some(0.2)",
                "flaws primary flaw shows 50/100 Some(0.5)",
                "topics personas with an edge case 0/10 Some(0.15)",
                "length user's messages as asked for 90/100 Some(1.0) off",
                "length replies as asked for 100/100 Some(1.0)",
                "length transcripts with all exchanges 10/10 Some(1.0)",
            ]
        );
    }

    #[test]
    fn what_nobody_generated_counts_nowhere() {
        assert_eq!(mixed(&[r#"{"messages": []}"#.into(), r#"[["a", "b"]]"#.into()]), []);
        assert_eq!(mixed(&[r#"{"exchanges": [{"user": "a", "assistant": "b"}]}"#.into()]), []);
    }
}
