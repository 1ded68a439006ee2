//! Reads the persona template and the taxonomy, with a finding at the words for
//! whatever does not fit.
//!
//! Invariant: never fails: what cannot be read is reported and left as it is by
//! default. Every key may stand in either file, since projects differ in which holds
//! the styles; the template's counts where both have it.

use super::recipe::{Attribute, Bounds, Choice, Recipe, Stages, Style, Topic, usual_words};
use crate::finding::{Finding, Severity};
use crate::text::Span;
use crate::text::nearest::nearest;
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

    /// A list of names, `name: weight`, `name: description`, or names with `weight`,
    /// `description` and what else there is.
    fn choices<'a>(&mut self, node: Node<'a>, what: &str, more: &[&str]) -> Vec<Described<'a>> {
        let mut found: Vec<Described<'a>> = Vec::new();
        let mut weighed = 0;
        match node.kind() {
            Kind::Sequence => {
                for item in node.items() {
                    let name = item.get("name").unwrap_or(item);
                    let Some(name) = name.text() else {
                        self.wrong(item, what, "names, each alone or under `name`");
                        continue;
                    };
                    let (name, item) =
                        (name.to_owned(), (item.kind() == Kind::Mapping).then_some(item));
                    self.choice(name, item, more, &mut weighed, &mut found);
                }
            }
            Kind::Mapping => {
                for (key, value) in node.entries() {
                    let name = key.text().unwrap_or("").to_owned();
                    self.choice(name, Some(value), more, &mut weighed, &mut found);
                }
            }
            Kind::Scalar | Kind::Null => self.wrong(node, what, "a list, or names with weights"),
        }
        self.sum(node, what, &found, weighed);
        found
    }

    fn choice<'a>(
        &mut self,
        name: String,
        value: Option<Node<'a>>,
        more: &[&str],
        weighed: &mut usize,
        found: &mut Vec<Described<'a>>,
    ) {
        if name.is_empty() || found.iter().any(|(choice, _)| choice.name == name) {
            return;
        }
        let mut choice = Choice::new(&name, "");
        let Some(node) = value else {
            found.push((choice, None));
            return;
        };
        let weight = match node.kind() {
            Kind::Mapping => {
                let known = ["name", "weight", "description"];
                for (key, _) in node.written_entries() {
                    let typed = key.text().unwrap_or("");
                    if !known.contains(&typed) && !more.contains(&typed) && typed != "<<" {
                        let names = known.iter().chain(more).copied();
                        self.unknown(key, &format!("`{name}`"), names);
                    }
                }
                let description = node.get("description").and_then(Node::text);
                choice.description = description.map(|text| text.trim().to_owned());
                node.get("weight")
            }
            Kind::Scalar if node.number().is_some() => Some(node),
            Kind::Scalar => {
                choice.description = node.text().map(|text| text.trim().to_owned());
                None
            }
            Kind::Sequence | Kind::Null => None,
        };
        if let Some(weight) = weight.and_then(|w| self.number(w, "a weight", 0.0, f64::MAX)) {
            choice.weight = weight;
            *weighed += 1;
        }
        found.push((choice, Some(node)));
    }

    /// Weights that are all given and do not make 1 are probably a slip.
    fn sum(&mut self, node: Node<'_>, what: &str, found: &[Described<'_>], weighed: usize) {
        let sum: f64 = found.iter().map(|(choice, _)| choice.weight).sum();
        let message = if found.is_empty() {
            return;
        } else if sum <= 0.0 {
            format!("nothing in {what} weighs anything, so nothing of it can be picked")
        } else if weighed == found.len() && (sum - 1.0).abs() > ROUNDING {
            format!(
                "the weights of {what} make {:.3}, not 1: they are taken as shares of that",
                sum
            )
        } else if weighed > 0 && weighed < found.len() {
            let lacks = found.len() - weighed;
            format!("{lacks} of {what} have no weight and count as 1: weigh all or none")
        } else {
            return;
        };
        // The first line is enough to see which.
        let at = node.entries().first().map_or(node, |(key, _)| *key);
        self.warn("weights", at.span(), message);
    }

    fn texts(&mut self, node: Node<'_>) -> Vec<String> {
        let texts: Vec<String> =
            node.items().filter_map(|item| Some(item.text()?.trim().to_owned())).collect();
        match (node.text(), texts.is_empty()) {
            (Some(text), _) => vec![text.trim().to_owned()],
            (None, true) => {
                self.wrong(node, "guidance", "a list of texts");
                texts
            }
            (None, false) => texts,
        }
    }

    /// `15` or `[12, 20]`.
    fn bounds(&mut self, node: Node<'_>, what: &str) -> Option<Bounds> {
        let whole = |node: Node<'_>| {
            node.number().filter(|n| n.fract() == 0.0 && (1.0..=100_000.0).contains(n))
        };
        let numbers: Vec<Option<f64>> = match node.kind() {
            Kind::Sequence => node.items().map(whole).collect(),
            _ => vec![whole(node); 2],
        };
        match numbers.as_slice() {
            [Some(min), Some(max)] if min <= max => {
                Some(Bounds { min: *min as usize, max: *max as usize })
            }
            _ => {
                self.wrong(node, what, "a whole number from 1, or two: [least, most]");
                None
            }
        }
    }

    fn number(&mut self, node: Node<'_>, what: &str, least: f64, most: f64) -> Option<f64> {
        let number = node.number().filter(|n| (least..=most).contains(n));
        if number.is_none() {
            let wanted = match most {
                1.0 => "from 0 to 1".to_owned(),
                f64::MAX => "a number from 0".to_owned(),
                _ if least == f64::MIN_POSITIVE => format!("a number over 0, up to {most}"),
                _ => format!("a number from {least} to {most}"),
            };
            self.wrong(node, what, &wanted);
        }
        number
    }

    fn is(&mut self, node: Node<'_>, what: &str, kind: Kind) -> bool {
        if node.kind() != kind {
            self.wrong(node, what, "names with what belongs to them");
        }
        node.kind() == kind
    }

    fn unknown<'n>(
        &mut self,
        key: Node<'_>,
        what: &str,
        known: impl Iterator<Item = &'n str> + Clone,
    ) {
        let typed = key.text().unwrap_or("");
        let advice = match nearest(typed, known.clone()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("known are {}", known.collect::<Vec<_>>().join(", ")),
        };
        let short: String = typed.chars().take(40).collect();
        self.warn("unknown-key", key.span(), format!("unknown key of {what} `{short}`: {advice}"));
    }

    fn wrong(&mut self, node: Node<'_>, what: &str, wanted: &str) {
        self.error("wrong-type", node.span(), format!("{what} must be {wanted}"));
    }

    fn error(&mut self, code: &'static str, span: Span, message: String) {
        self.findings.push(Finding::new(code, Severity::Error, span, message));
    }

    fn warn(&mut self, code: &'static str, span: Span, message: String) {
        self.findings.push(Finding::new(code, Severity::Warning, span, message));
    }
}

#[cfg(test)]
mod tests;
