//! The value of `check`: one check by name, with its parameters.
//!
//! A parameter that does not fit leaves the whole check out: a check that
//! measures something else than the user meant is worse than none.

use super::fields::{Reader, first_line};
use crate::finding::{Finding, Severity};
use crate::rubric::check::{
    Ascii, Bounds, Check, LengthRatio, Openers, Pattern, Phrase, Phrases, Questions, Rule,
    ShareBounds, Structure, Tokens, TokensOf, Who, WordCount,
};
use crate::rubric::keys;
use crate::text::yaml::{Kind, Node};

/// Reads `{name: {parameters}}`, or a name alone.
pub(super) fn read<'a>(reader: &mut Reader<'a>, node: Node<'a>) -> Option<Check> {
    let names: Vec<&str> = keys::CHECKS.iter().map(|k| k.name).collect();
    let (name, body) = match node.kind() {
        Kind::Scalar => (node, None),
        Kind::Mapping => {
            let entries = node.entries();
            if entries.len() != 1 {
                let message = format!(
                    "a criterion has one check, here are {}: make the others criteria of their own",
                    entries.len()
                );
                reader.error("unknown-check", first_line(node.span(), reader.text), message);
                return None;
            }
            (entries[0].0, Some(entries[0].1))
        }
        _ => {
            reader.wrong_type(node, "`check`", &format!("one of {}", names.join(", ")));
            return None;
        }
    };
    let before = error_count(reader);
    let mut params = Params { reader, name, body, used: Vec::new() };
    let rule = match name.text().unwrap_or("") {
        "length_ratio" => length_ratio(&mut params),
        "word_count" => word_count(&mut params),
        "questions" => questions(&mut params),
        "question_endings" => question_endings(&mut params),
        "phrases" => phrases(&mut params),
        "openers" => openers(&mut params),
        "pattern" => pattern(&mut params),
        "structure" => structure(&mut params),
        "ascii" => ascii(&mut params),
        "tokens" => tokens(&mut params),
        _ => {
            reader.unknown("unknown-check", Severity::Error, name, "check", &names);
            return None;
        }
    };
    if params.finish() {
        // What is missing is probably what was misspelt.
        let missing = |f: &Finding| f.code == "missing-parameter" && f.span == name.span();
        reader.findings.retain(|f| !missing(f));
    }
    let rule = rule.filter(|_| error_count(reader) == before)?;
    match Check::new(rule) {
        Ok(check) => Some(check),
        Err(message) => {
            let place = ["required", "forbidden"].iter().find_map(|key| body?.get(key));
            let span = place.unwrap_or(name).span();
            reader.error("bad-parameter", first_line(span, reader.text), message);
            None
        }
    }
}

fn error_count(reader: &Reader<'_>) -> usize {
    reader.findings.iter().filter(|f| f.severity == Severity::Error).count()
}

/// The parameters of one check, remembering which were asked for.
struct Params<'r, 'a> {
    reader: &'r mut Reader<'a>,
    name: Node<'a>,
    body: Option<Node<'a>>,
    used: Vec<&'static str>,
}

impl<'a> Params<'_, 'a> {
    fn get(&mut self, name: &'static str) -> Option<Node<'a>> {
        self.used.push(name);
        self.body.and_then(|body| body.get(name)).filter(|node| node.kind() != Kind::Null)
    }

    fn share(&mut self, name: &'static str) -> Option<f64> {
        self.get(name).and_then(|node| self.reader.share(node, &format!("`{name}`")))
    }

    fn amount(&mut self, name: &'static str) -> Option<f64> {
        self.get(name).and_then(|node| self.reader.amount(node, &format!("`{name}`")))
    }

    fn whole(&mut self, name: &'static str, least: usize) -> Option<usize> {
        self.get(name).and_then(|node| self.reader.whole(node, &format!("`{name}`"), least))
    }

    fn string(&mut self, name: &'static str) -> Option<String> {
        self.get(name).and_then(|node| self.reader.string(node, &format!("`{name}`")))
    }

    fn role(&mut self) -> Who {
        let roles = [("assistant", Who::Assistant), ("user", Who::User), ("any", Who::Any)];
        let node = self.get("role");
        node.and_then(|node| self.reader.choice(node, "role", &roles)).unwrap_or_default()
    }

    fn bounds(&mut self) -> Bounds {
        let bounds = Bounds { min: self.whole("min", 0), max: self.whole("max", 0) };
        self.ordered(bounds)
    }

    /// `{min, max}`, `[min, max]`, or a maximum alone.
    fn bounds_of(&mut self, node: Node<'a>, what: &str) -> Bounds {
        let parts = match node.kind() {
            Kind::Mapping => {
                let known =
                    [keys::Key { name: "min", about: "" }, keys::Key { name: "max", about: "" }];
                self.reader.unknown_keys(node, what, &known);
                [node.get("min"), node.get("max")]
            }
            Kind::Sequence if node.items().count() == 2 => {
                let mut items = node.items();
                [items.next(), items.next()]
            }
            Kind::Scalar => [None, Some(node)],
            _ => {
                self.reader.wrong_type(node, what, "`{min: …, max: …}`");
                [None, None]
            }
        };
        let [min, max] = parts.map(|part| part.and_then(|n| self.reader.whole(n, what, 0)));
        self.ordered(Bounds { min, max })
    }

    fn ordered(&mut self, bounds: Bounds) -> Bounds {
        if let (Some(min), Some(max)) = (bounds.min, bounds.max)
            && min > max
        {
            self.wrong(format!("at least {min} and at most {max} never both hold: swap them"));
        }
        bounds
    }

    fn wrong(&mut self, message: impl Into<String>) {
        let span = self.body.map_or(self.name.span(), |body| body.span());
        self.reader.error("bad-parameter", first_line(span, self.reader.text), message);
    }

    /// Says what is missing, unless it may have been blanked out.
    fn lacks<T>(&mut self, what: &str) -> Option<T> {
        if !self.reader.yaml.is_masked(self.body.unwrap_or(self.name).span()) {
            let name = self.name.text().unwrap_or("");
            let message = format!("`{name}` needs {what}");
            self.reader.error("missing-parameter", self.name.span(), message);
        }
        None
    }

    /// Reports parameters that nobody asked for; true when there are some.
    fn finish(self) -> bool {
        let Some(body) = self.body else { return false };
        let mut some = false;
        let name = self.name.text().unwrap_or("");
        match body.kind() {
            Kind::Mapping => {
                for (key, _) in body.written_entries() {
                    let text = key.text().unwrap_or("");
                    if !self.used.contains(&text) && text != "<<" {
                        let what = format!("parameter of `{name}`");
                        some = true;
                        let code = "unknown-parameter";
                        self.reader.unknown(code, Severity::Error, key, &what, &self.used);
                    }
                }
            }
            Kind::Sequence if name == "phrases" => {}
            Kind::Null => {}
            _ => {
                let wanted = format!("a mapping with {}", self.used.join(", "));
                self.reader.wrong_type(body, &format!("`{name}`"), &wanted);
                some = true;
            }
        }
        some
    }
}

fn length_ratio(params: &mut Params<'_, '_>) -> Option<Rule> {
    let mean_max = params.amount("mean_max");
    let over = params.amount("over").unwrap_or(2.0);
    let share_over_max = params.share("share_over_max");
    if mean_max.is_none() && share_over_max.is_none() {
        return params.lacks("`mean_max`, `share_over_max`, or both");
    }
    Some(Rule::LengthRatio(LengthRatio { mean_max, over, share_over_max }))
}

fn word_count(params: &mut Params<'_, '_>) -> Option<Rule> {
    let role = params.role();
    let plain = params.bounds();
    let mut rule = WordCount {
        share_outside_max: params.share("share_outside_max").unwrap_or(0.0),
        ..WordCount::default()
    };
    if plain != Bounds::default() {
        rule.user = Some(plain).filter(|_| role != Who::Assistant);
        rule.assistant = Some(plain).filter(|_| role != Who::User);
    }
    if let Some(node) = params.get("user") {
        rule.user = Some(params.bounds_of(node, "`user`"));
    }
    if let Some(node) = params.get("assistant") {
        rule.assistant = Some(params.bounds_of(node, "`assistant`"));
    }
    if let Some(node) = params.get("by_style") {
        for (style, bounds) in node.entries() {
            let name = style.text().unwrap_or("").to_owned();
            let bounds = params.bounds_of(bounds, &format!("the bounds of `{name}`"));
            rule.by_style.push((name, bounds));
        }
    }
    if rule.user.is_none() && rule.assistant.is_none() && rule.by_style.is_empty() {
        return params.lacks("`min` or `max`, by `role`, for `user`, `assistant` or `by_style`");
    }
    Some(Rule::WordCount(rule))
}

fn questions(params: &mut Params<'_, '_>) -> Option<Rule> {
    let (role, bounds) = (params.role(), params.bounds());
    let share_outside_max = params.share("share_outside_max").unwrap_or(0.0);
    if bounds == Bounds::default() {
        return params.lacks("`max`, `min`, or both");
    }
    Some(Rule::Questions(Questions { role, bounds, share_outside_max }))
}

fn question_endings(params: &mut Params<'_, '_>) -> Option<Rule> {
    let bounds =
        ShareBounds { share_min: params.share("share_min"), share_max: params.share("share_max") };
    if bounds == ShareBounds::default() {
        return params.lacks("`share_max`, `share_min`, or both");
    }
    Some(Rule::QuestionEndings(bounds))
}

fn phrases(params: &mut Params<'_, '_>) -> Option<Rule> {
    let role = params.role();
    let share_max = params.share("share_max");
    let mut lists = vec![params.get("forbidden"), params.get("list")];
    // `phrases: [a, b]` is short for `forbidden`.
    lists.push(params.body.filter(|body| body.kind() == Kind::Sequence));
    let mut list: Vec<Phrase> = Vec::new();
    for node in lists.into_iter().flatten() {
        read_phrases(params, node, &mut list);
    }
    if let Some(suggest) = params.get("suggest") {
        for (phrase, replacement) in suggest.entries() {
            let text = phrase.text().unwrap_or("").to_owned();
            let replacement = replacement.text().unwrap_or("").to_owned();
            match list.iter_mut().find(|p| p.text.eq_ignore_ascii_case(&text)) {
                Some(phrase) => phrase.suggest = Some(replacement),
                None if text.is_empty() => {}
                None => list.push(Phrase { text, suggest: Some(replacement) }),
            }
        }
    }
    if list.is_empty() {
        return params.lacks("`forbidden`, or `list` with `share_max`: a list of phrases");
    }
    Some(Rule::Phrases(Phrases { role, list, share_max }))
}

fn read_phrases<'a>(params: &mut Params<'_, 'a>, node: Node<'a>, list: &mut Vec<Phrase>) {
    let items: Vec<Node<'a>> = match node.kind() {
        Kind::Sequence => node.items().collect(),
        _ => vec![node],
    };
    for item in items {
        let phrase = item.get("phrase").unwrap_or(item);
        let Some(text) = params.reader.string(phrase, "a phrase") else { continue };
        if text.trim().is_empty() {
            params.reader.error("bad-parameter", phrase.span(), "this phrase is empty: remove it");
            continue;
        }
        let suggest = item.get("suggest").map(|node| node.text().unwrap_or("").to_owned());
        list.push(Phrase { text: text.trim().to_owned(), suggest });
    }
}

fn openers(params: &mut Params<'_, '_>) -> Option<Rule> {
    let words = params.whole("words", 1).unwrap_or(2);
    let share_max = params.share("share_max").unwrap_or(0.3);
    Some(Rule::Openers(Openers { words, share_max }))
}

fn pattern(params: &mut Params<'_, '_>) -> Option<Rule> {
    let role = params.role();
    let (required, forbidden) = (params.string("required"), params.string("forbidden"));
    let suggest = params.string("suggest");
    let case = params.get("case_sensitive");
    let case_sensitive =
        case.and_then(|node| params.reader.truth(node, "`case_sensitive`")).unwrap_or(false);
    let (regex, required) = match (required, forbidden) {
        (Some(_), Some(_)) => {
            params.wrong("a pattern is required or forbidden: make two criteria of it");
            return None;
        }
        (Some(regex), None) => (regex, true),
        (None, Some(regex)) => (regex, false),
        (None, None) => return params.lacks("`required` or `forbidden`: a regular expression"),
    };
    Some(Rule::Pattern(Pattern { role, regex, required, case_sensitive, suggest }))
}

fn structure(params: &mut Params<'_, '_>) -> Option<Rule> {
    let headers_over = params.whole("headers_over", 0).unwrap_or(3);
    let replies_min = params.whole("replies_min", 2).unwrap_or(2);
    Some(Rule::Structure(Structure { headers_over, replies_min }))
}

fn ascii(params: &mut Params<'_, '_>) -> Option<Rule> {
    let role = params.role();
    let allow = params.string("allow").unwrap_or_default();
    // `ascii: true` needs no parameters.
    params.body = params.body.filter(|body| body.truth() != Some(true));
    Some(Rule::Ascii(Ascii { role, allow }))
}

fn tokens(params: &mut Params<'_, '_>) -> Option<Rule> {
    let kinds = [
        ("record", TokensOf::Record),
        ("assistant", TokensOf::Assistant),
        ("user", TokensOf::User),
    ];
    let of = params.get("of").and_then(|node| params.reader.choice(node, "of", &kinds));
    let bounds = params.bounds();
    if bounds == Bounds::default() {
        return params.lacks("`max`, `min`, or both");
    }
    Some(Rule::Tokens(Tokens { of: of.unwrap_or(TokensOf::Record), bounds }))
}
