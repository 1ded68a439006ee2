//! One simulated user, sampled.
//!
//! Invariant: a persona follows from the recipe, the seed and its number alone; its
//! id is the same whatever prompts play it, so that splitting keeps all its
//! transcripts on one side.

use serde_json::{Map, Value, json};

use super::recipe::{Bounds, Choice, Recipe, Topic};
use super::rolls::Rolls;

/// A simulated user.
#[derive(Clone, Debug, PartialEq)]
pub struct Persona {
    /// What it is called in the record.
    pub id: String,
    /// The dice it was sampled with.
    pub rolls: Rolls,
    /// Attributes and their values.
    pub attributes: Vec<(String, Vec<String>)>,
    /// How it writes.
    pub style: Choice,
    /// Words of its messages.
    pub words: Option<Bounds>,
    /// What it comes with.
    pub topics: Vec<TopicSeed>,
    /// What makes it difficult, the primary flaw first.
    pub flaws: Vec<(Level, Choice)>,
    /// Where its situation goes.
    pub trajectory: Option<Choice>,
    /// Exchanges of the conversation.
    pub exchanges: usize,
}

/// Something a persona comes with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicSeed {
    /// The topic.
    pub category: String,
    /// The subtopic, where the topic has any.
    pub subtopic: Option<String>,
    /// What that is.
    pub description: Option<String>,
    /// It is an edge case.
    pub edge_case: bool,
}

/// How often a flaw shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// In half of the messages.
    Primary,
    /// In a fifth of them.
    Secondary,
}

impl Level {
    /// The name in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
        }
    }
}

/// Samples the persona that these dice make.
#[must_use]
pub fn sample(recipe: &Recipe, rolls: Rolls) -> Persona {
    let mut attributes: Vec<(String, Vec<String>)> = Vec::new();
    for attribute in &recipe.attributes {
        let name = format!("attribute {}", attribute.name);
        let drawn = rolls.draw(&name, &attribute.options, attribute.pick, |o| o.weight);
        let values = drawn.into_iter().map(|option| option.name.clone());
        attributes.push((attribute.name.clone(), values.collect()));
    }
    let has = |name: &str, value: &str| {
        let held =
            |(n, values): &(String, Vec<String>)| n == name && values.iter().any(|v| v == value);
        attributes.iter().any(held)
    };
    let style = rolls.pick("style", &recipe.styles, |style| {
        let special = style.when.iter().find(|(name, value, _)| has(name, value));
        special.map_or(style.choice.weight, |(.., weight)| *weight)
    });
    let bounds = recipe.exchanges;
    Persona {
        id: format!("persona_{}_{}", rolls.seed, rolls.index),
        rolls,
        style: style.map(|s| s.choice.clone()).unwrap_or_default(),
        words: style.and_then(|s| s.words),
        topics: topics(recipe, rolls),
        flaws: flaws(recipe, rolls),
        trajectory: rolls.pick("trajectory", &recipe.trajectories, |t| t.weight).cloned(),
        exchanges: rolls.between("exchanges", bounds.min, bounds.max),
        attributes,
    }
}

fn topics(recipe: &Recipe, rolls: Rolls) -> Vec<TopicSeed> {
    let mut seeds = Vec::new();
    if rolls.chance("edge case", recipe.edge_share) {
        let edge = rolls.pick("edge topic", &recipe.edge_cases, |t| t.choice.weight);
        seeds.extend(edge.map(|topic| seed(topic, true, "edge subtopic", rolls)));
    }
    let count = recipe.topics_per_persona;
    for topic in rolls.draw("topic", &recipe.topics, count, |t| t.choice.weight) {
        seeds.push(seed(topic, false, &format!("subtopic {}", topic.choice.name), rolls));
    }
    seeds.truncate(count.max(1));
    seeds
}

fn seed(topic: &Topic, edge_case: bool, name: &str, rolls: Rolls) -> TopicSeed {
    let sub = rolls.pick(name, &topic.subtopics, |s| s.weight);
    let described = sub.and_then(|s| s.description.clone());
    TopicSeed {
        category: topic.choice.name.clone(),
        subtopic: sub.map(|s| s.name.clone()),
        description: described.or_else(|| topic.choice.description.clone()),
        edge_case,
    }
}

fn flaws(recipe: &Recipe, rolls: Rolls) -> Vec<(Level, Choice)> {
    let flaws = &recipe.flaws;
    if rolls.chance("no flaws", flaws.none_share) {
        return Vec::new();
    }
    let drawn = rolls.draw("flaw", &flaws.patterns, 1 + flaws.secondaries, |p| p.weight);
    let level = |n| if n == 0 { Level::Primary } else { Level::Secondary };
    drawn.into_iter().enumerate().map(|(n, pattern)| (level(n), pattern.clone())).collect()
}

impl TopicSeed {
    /// `work / deadlines: They keep moving`
    #[must_use]
    pub fn said(&self) -> String {
        let sub = self.subtopic.as_ref().map_or_else(String::new, |sub| format!(" / {sub}"));
        let what = self.description.as_ref().map_or_else(String::new, |d| format!(": {d}"));
        format!("{}{sub}{what}", self.category)
    }
}

impl Persona {
    /// As it stands in the record.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut out = Map::new();
        out.insert("id".into(), self.id.as_str().into());
        for (name, values) in &self.attributes {
            let value = match values.as_slice() {
                [one] => one.as_str().into(),
                many => json!(many),
            };
            // A name of ours that the template uses as well is ours.
            out.entry(name.clone()).or_insert(value);
        }
        out.insert("writing_style".into(), self.style.name.as_str().into());
        let topic = |topic: &TopicSeed| {
            json!({"category": topic.category, "subtopic": topic.subtopic,
                "description": topic.description, "edge_case": topic.edge_case})
        };
        out.insert("topic_seeds".into(), self.topics.iter().map(topic).collect());
        let flaw = |(level, flaw): &(Level, Choice)| json!({"name": flaw.name, "level": level.name(), "description": flaw.description});
        out.insert("flaw_patterns".into(), self.flaws.iter().map(flaw).collect());
        let trajectory = self.trajectory.as_ref().map(|t| t.name.as_str());
        out.insert("trajectory".into(), trajectory.into());
        out.insert("seed".into(), self.rolls.seed.into());
        out.insert("index".into(), self.rolls.index.into());
        Value::Object(out)
    }

    /// What the model that plays it is told, a line a fact.
    #[must_use]
    pub fn card(&self) -> String {
        let fact = |(name, values): &(String, Vec<String>)| {
            format!("- {}: {}\n", name.replace('_', " "), values.join(", "))
        };
        let mut card: String = self.attributes.iter().map(fact).collect();
        card.push_str(&format!("- writes: {}\n", self.style.said()));
        if let Some(trajectory) = &self.trajectory {
            card.push_str(&format!("- how things go from here: {}\n", trajectory.said()));
        }
        card.trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests;
