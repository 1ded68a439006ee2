//! Reads the persona template and the taxonomy, with a finding at the words for
//! whatever does not fit.
//!
//! Invariant: never fails: what cannot be read is reported and left as it is by
//! default. Every key may stand in either file, since projects differ in which holds
//! the styles; the template's counts where both have it.

mod values;

use super::recipe::{Attribute, Choice, Recipe, Stages, Style, Topic, usual_words};
use crate::finding::Finding;
use crate::text::yaml::{self, Kind, Node};

/// The keys at the root.
pub const KEYS: [&str; 11] = [
    "attributes",
    "writing_styles",
    "trajectories",
    "flaws",
    "response_mix",
    "stages",
    "exchanges",
    "reply_ratio",
    "topics_per_persona",
    "topics",
    "edge_cases",
];
/// The keys at the root that hold a number alone.
const EDGE_SHARE: &str = "edge_share";
const FLAW_KEYS: [&str; 5] = ["none_share", "primary", "secondary", "secondaries", "patterns"];
/// What records say of a persona beside its attributes.
const TAKEN: [&str; 7] =
    ["id", "writing_style", "topic_seeds", "flaw_patterns", "trajectory", "seed", "index"];
/// How far weights may be from 1 in sum.
const ROUNDING: f64 = 0.005;

/// What the two files say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Read {
    /// What is sampled from.
    pub recipe: Recipe,
    /// What is wrong in the persona template.
    pub template: Vec<Finding>,
    /// What is wrong in the taxonomy.
    pub taxonomy: Vec<Finding>,
}

/// Reads both files.
#[must_use]
pub fn read(template: &str, taxonomy: &str) -> Read {
    let mut recipe = Recipe::default();
    let taxonomy = one(taxonomy, "the taxonomy", &mut recipe);
    let template = one(template, "the persona template", &mut recipe);
    Read { recipe, template, taxonomy }
}

fn one(text: &str, what: &str, recipe: &mut Recipe) -> Vec<Finding> {
    let yaml = yaml::parse(text);
    let mut reader = Reader { findings: Vec::new() };
    for problem in &yaml.problems {
        reader.error("yaml", problem.span, problem.message.clone());
    }
    let Some(root) = yaml.root() else { return reader.findings };
    if root.kind() != Kind::Mapping {
        if root.kind() != Kind::Null {
            reader.wrong(root, what, "keys and values");
        }
        return reader.findings;
    }
    for (key, value) in root.entries() {
        let name = key.text().unwrap_or("");
        if yaml.is_masked(value.span()) {
            continue;
        }
        if !reader.root(name, value, recipe) {
            reader.unknown(key, what, KEYS.iter().copied().chain([EDGE_SHARE]));
        }
    }
    reader.findings.sort_by_key(|finding| finding.span);
    reader.findings
}

struct Reader {
    findings: Vec<Finding>,
}

/// A choice, and the node that says more of it.
type Described<'a> = (Choice, Option<Node<'a>>);

impl Reader {
    /// Reads one key of the root; false where there is no such key.
    fn root(&mut self, name: &str, value: Node<'_>, recipe: &mut Recipe) -> bool {
        match name {
            "attributes" => recipe.attributes = self.attributes(value),
            "writing_styles" => recipe.styles = self.styles(value),
            "trajectories" => recipe.trajectories = self.plain(value, name),
            "flaws" => self.flaws(value, recipe),
            "response_mix" => recipe.responses = self.responses(value, &recipe.responses),
            "stages" => recipe.stages = self.stages(value),
            "exchanges" => recipe.exchanges = self.bounds(value, name).unwrap_or(recipe.exchanges),
            "reply_ratio" => {
                recipe.reply_ratio = self.number(value, name, f64::MIN_POSITIVE, 100.0)
            }
            "topics_per_persona" => {
                let count = self.number(value, name, 1.0, 20.0);
                recipe.topics_per_persona = count.map_or(recipe.topics_per_persona, |n| n as usize);
            }
            "topics" => recipe.topics = self.topics(value, name),
            "edge_cases" => recipe.edge_cases = self.topics(value, name),
            EDGE_SHARE => {
                recipe.edge_share = self.number(value, name, 0.0, 1.0).unwrap_or(recipe.edge_share);
            }
            own => return own.starts_with("x-") || own.starts_with(['.', '_']),
        }
        true
    }

    fn attributes(&mut self, node: Node<'_>) -> Vec<Attribute> {
        if !self.is(node, "attributes", Kind::Mapping) {
            return Vec::new();
        }
        let mut attributes = Vec::new();
        for (key, value) in node.entries() {
            let name = key.text().unwrap_or("").to_owned();
            if TAKEN.contains(&name.as_str()) {
                let message =
                    format!("`{name}` is written by generation itself: rename the attribute");
                self.error("taken-name", key.span(), message);
                continue;
            }
            let several = value.get("of");
            let pick = value.get("pick").filter(|_| several.is_some());
            let pick =
                pick.and_then(|n| self.number(n, "pick", 1.0, 100.0)).map_or(1, |n| n as usize);
            let options = self.plain(several.unwrap_or(value), &name);
            if !options.is_empty() {
                attributes.push(Attribute { name, pick, options });
            }
        }
        attributes
    }

    fn styles(&mut self, node: Node<'_>) -> Vec<Style> {
        let mut styles = Vec::new();
        for (choice, more) in self.choices(node, "writing_styles", &["words", "when"]) {
            let words = more.and_then(|more| more.get("words"));
            let words = match words {
                Some(words) => self.bounds(words, "words"),
                None => usual_words(&choice.name),
            };
            if words.is_none() {
                let span = more.unwrap_or(node).span();
                let message = format!(
                    "the style `{}` has no `words`, so the length of its messages is nobody's: \
                     write `words: [80, 180]`",
                    choice.name
                );
                self.warn("no-words", span, message);
            }
            let when = more.and_then(|more| more.get("when"));
            let when = when.map(|when| self.when(when)).unwrap_or_default();
            styles.push(Style { choice, words, when });
        }
        styles
    }

    /// `{age_range: {"18-25": 0.4}}`
    fn when(&mut self, node: Node<'_>) -> Vec<(String, String, f64)> {
        let mut when = Vec::new();
        for (attribute, values) in node.entries() {
            for (value, weight) in values.entries() {
                let (Some(attribute), Some(value)) = (attribute.text(), value.text()) else {
                    continue;
                };
                if let Some(weight) = self.number(weight, "a weight", 0.0, f64::MAX) {
                    when.push((attribute.to_owned(), value.to_owned(), weight));
                }
            }
        }
        when
    }

    fn flaws(&mut self, node: Node<'_>, recipe: &mut Recipe) {
        if !self.is(node, "flaws", Kind::Mapping) {
            return;
        }
        let flaws = &mut recipe.flaws;
        for (key, value) in node.entries() {
            let name = key.text().unwrap_or("");
            let mut share = |to: &mut f64| *to = self.number(value, name, 0.0, 1.0).unwrap_or(*to);
            match name {
                "none_share" => share(&mut flaws.none_share),
                "primary" => share(&mut flaws.primary),
                "secondary" => share(&mut flaws.secondary),
                "secondaries" => {
                    let count = self.number(value, name, 0.0, 20.0);
                    flaws.secondaries = count.map_or(flaws.secondaries, |n| n as usize);
                }
                "patterns" => flaws.patterns = self.plain(value, "patterns"),
                _ => self.unknown(key, "flaws", FLAW_KEYS.into_iter()),
            }
        }
    }

    /// The mix; what a way of answering means may be left to us.
    fn responses(&mut self, node: Node<'_>, usual: &[Choice]) -> Vec<Choice> {
        let mut responses = self.plain(node, "response_mix");
        for response in &mut responses {
            let name = response.name.replace('_', "-");
            let known = usual.iter().find(|usual| usual.name == name);
            if let (None, Some(known)) = (&response.description, known) {
                response.description.clone_from(&known.description);
            }
        }
        responses
    }

    fn stages(&mut self, node: Node<'_>) -> Stages {
        let mut stages = Stages::default();
        if !self.is(node, "stages", Kind::Mapping) {
            return stages;
        }
        for (key, value) in node.entries() {
            let pool = match key.text().unwrap_or("") {
                "early" => &mut stages.early,
                "middle" => &mut stages.middle,
                "late" => &mut stages.late,
                _ => {
                    self.unknown(key, "stages", ["early", "middle", "late"].into_iter());
                    continue;
                }
            };
            *pool = self.texts(value);
        }
        stages
    }

    fn topics(&mut self, node: Node<'_>, what: &str) -> Vec<Topic> {
        let mut topics = Vec::new();
        for (choice, more) in self.choices(node, what, &["subtopics"]) {
            let listed = more.filter(|more| more.kind() == Kind::Sequence);
            let subtopics = listed.or_else(|| more.and_then(|more| more.get("subtopics")));
            let subtopics = subtopics.map(|s| self.plain(s, "subtopics")).unwrap_or_default();
            topics.push(Topic { choice, subtopics });
        }
        topics
    }

    fn plain(&mut self, node: Node<'_>, what: &str) -> Vec<Choice> {
        self.choices(node, what, &["group", "category"])
            .into_iter()
            .map(|(choice, _)| choice)
            .collect()
    }
}

#[cfg(test)]
mod tests;
