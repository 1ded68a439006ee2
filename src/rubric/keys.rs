//! The keys of a rubric and what they mean: for unknown keys, completion and hover.

/// A key and its documentation.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// As written.
    pub name: &'static str,
    /// One or two sentences.
    pub about: &'static str,
}

const fn key(name: &'static str, about: &'static str) -> Key {
    Key { name, about }
}

/// Keys of the root.
pub const ROOT: &[Key] = &[
    key("name", "The rubric's name."),
    key("description", "For people; not read."),
    key("version", "For people; not read."),
    key("pass_threshold", "Overall score from which a transcript passes, 0 to 1. Default 0.80."),
    key("min_exchanges", "Transcripts with fewer exchanges are too-short. Default 3."),
    key(
        "categories",
        "Weighted groups of criteria; the weights sum to 1.0, groups that only gate weigh 0.",
    ),
    key("safety_gates", "Ids of criteria whose failure rejects a transcript whatever its score."),
    key(
        "na_invalid",
        "Ids of criteria that NA does not answer; NA there is a failure. All others may be NA.",
    ),
    key("criteria", "The criteria by id: yes/no questions for judges, and computed checks."),
];

/// Keys of a category.
pub const CATEGORY: &[Key] = &[
    key("name", "A longer name."),
    key("description", "For people; not read."),
    key("weight", "Its share of the overall score, 0 to 1."),
    key("criteria", "Ids of its criteria."),
];

/// Keys of a criterion.
pub const CRITERION: &[Key] = &[
    key("name", "A short name, shown in findings."),
    key("description", "For people; not read."),
    key("category", "The category it belongs to, unless that category lists it."),
    key(
        "question",
        "A yes/no question that judges answer about the whole transcript; YES is good.",
    ),
    key("check", "A check computed here instead of a question: exact, free, while typing."),
    key("guidance", "Advice for the judge."),
    key("na_valid", "Whether \"not applicable\" is a valid answer."),
    key("min_turns", "Exchanges below which it is not asked. Gates are always asked. Default 1."),
    key("gate", "A safety gate: failing it rejects the transcript whatever its score."),
    key("subjectivity", "low, medium or high: 2-3, 4-5 or 6-8 calibration examples are expected."),
    key(
        "fix",
        "What may be done about a failure: rewrite, truncate or reject. Gates never rewrite.",
    ),
    key("statistics", "Pre-computed facts put into the prompt: length, questions, endings."),
    key("calibration_examples", "Labelled examples that show judges where the line is."),
];

/// Keys of a calibration example.
pub const EXAMPLE: &[Key] = &[
    key("type", "PASS, FAIL, BORDERLINE_PASS or BORDERLINE_FAIL."),
    key("context", "What the user said, or the situation."),
    key("response", "The reply."),
    key("reasoning", "Why it is labelled so."),
];

/// The checks.
pub const CHECKS: &[Key] = &[
    key("length_ratio", "Reply words to user words: `mean_max`, `over` (2.0), `share_over_max`."),
    key(
        "word_count",
        "Words per message: `user` and `assistant`, or `by_style` of the persona, each `{min, max}`; `share_outside_max`.",
    ),
    key("questions", "Questions per reply: `min`, `max`, `role`, `share_outside_max`."),
    key("question_endings", "Share of replies that end with a question: `share_min`, `share_max`."),
    key(
        "phrases",
        "Phrases to avoid: `forbidden`, or `list` with `share_max`; `suggest` maps a phrase to a replacement; `role`.",
    ),
    key("openers", "Replies that begin with the same words: `words` (2), `share_max` (0.3)."),
    key(
        "pattern",
        "A regular expression: `required` or `forbidden`; `suggest`, `case_sensitive`, `role`.",
    ),
    key(
        "structure",
        "The same header count in every reply: `headers_over` (3), `replies_min` (2).",
    ),
    key("ascii", "Nothing outside ASCII: `allow`, `role`."),
    key("tokens", "Token counts: `of` (record, assistant or user), `min`, `max`."),
];

/// Names of `statistics`.
pub const STATISTICS: &[Key] = &[
    key("length", "Words per message, ratios, their mean, and the share over 2x."),
    key("questions", "Questions per reply."),
    key("endings", "How replies end."),
];

/// The parameters of the checks.
pub const PARAMETERS: &[(&str, &[&str])] = &[
    ("length_ratio", &["mean_max", "over", "share_over_max"]),
    ("word_count", &["user", "assistant", "by_style", "share_outside_max"]),
    ("questions", &["min", "max", "role", "share_outside_max"]),
    ("question_endings", &["share_min", "share_max"]),
    ("phrases", &["forbidden", "list", "share_max", "suggest", "role"]),
    ("openers", &["words", "share_max"]),
    ("pattern", &["required", "forbidden", "suggest", "case_sensitive", "role"]),
    ("structure", &["headers_over", "replies_min"]),
    ("ascii", &["allow", "role"]),
    ("tokens", &["of", "min", "max"]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rubric::parse::parse;

    #[test]
    fn the_parameters_are_those_that_are_read() {
        let names: Vec<&str> = PARAMETERS.iter().map(|(check, _)| *check).collect();
        assert_eq!(names, CHECKS.iter().map(|key| key.name).collect::<Vec<_>>());
        for (check, parameters) in PARAMETERS {
            for name in parameters.iter().chain(&["never"]) {
                let text = format!("criteria:\n  A:\n    check: {{{check}: {{{name}: x}}}}\n");
                let at = text.find(&format!("{name}: x")).unwrap();
                let found = parse(&text).findings;
                let unknown =
                    found.iter().any(|f| f.span.start == at && f.message.contains("unknown"));
                assert_eq!(unknown, *name == "never", "{check} {name}: {found:?}");
            }
        }
    }
}
