//! What a document is, by its name and its first words.
//!
//! Invariant: a file is claimed only when it shows our marks: other servers own
//! YAML, TOML and JSON. Names that a project's settings give are the caller's.

use crate::config::{Origin, layer};
use crate::engine::workspace::SETTINGS_FILE;
use crate::finding::Finding;
use crate::transcript::records::Layout;

/// How much of a `.json` is looked at to tell whether it holds transcripts.
pub const HEAD: usize = 64 << 10;

/// Keys one of which every shape of transcript has.
const SHAPE_KEYS: [&str; 8] = [
    "\"messages\"",
    "\"conversations\"",
    "\"exchanges\"",
    "\"turns\"",
    "\"contents\"",
    "\"completion\"",
    "\"chosen\"",
    "\"preferred_output\"",
];

/// True for every `.jsonl`, and for a `.json` whose head looks like transcripts.
#[must_use]
pub fn is_transcript_file(layout: Layout, head: &str) -> bool {
    let opens_pairs = || {
        let mut brackets = head.chars().filter(|c| !c.is_whitespace());
        brackets.next() == Some('[') && brackets.next() == Some('[')
    };
    layout == Layout::Lines || SHAPE_KEYS.iter().any(|key| head.contains(key)) || opens_pairs()
}

/// True for a YAML file.
#[must_use]
pub fn may_be_rubric(name: &str) -> bool {
    [".yaml", ".yml"].iter().any(|end| name.to_ascii_lowercase().ends_with(end))
}

/// True for YAML with a rubric's keys in its root.
#[must_use]
pub fn is_rubric(text: &str) -> bool {
    let has = |key: &str| text.lines().any(|line| line.starts_with(key));
    has("criteria:") && (has("categories:") || has("safety_gates:"))
}

/// True for `rubricator.toml`.
#[must_use]
pub fn is_settings_file(name: &str) -> bool {
    name == SETTINGS_FILE
}

/// What is wrong with the text of a settings file.
#[must_use]
pub fn settings_findings(text: &str) -> Vec<Finding> {
    layer::parse(text, Origin::ProjectFile).findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_claimed_by_its_keys_alone() {
        for (text, ours) in [
            ("{\"messages\": []}", true),
            ("[{\"turns\": []}]", true),
            ("[ [ [\"u\", \"a\"] ] ]", true),
            ("{\"compilerOptions\": {}}", false),
            ("", false),
        ] {
            assert_eq!(is_transcript_file(Layout::Document, text), ours, "{text}");
        }
        assert!(is_transcript_file(Layout::Lines, ""));
    }

    #[test]
    fn yaml_is_claimed_by_its_root_keys_alone() {
        let rubric = "name: x\ncategories: {}\ncriteria:\n  A: {}\n";
        assert!(may_be_rubric("r.yaml") && may_be_rubric("r.YML") && !may_be_rubric("r.txt"));
        assert!(is_rubric(rubric));
        assert!(is_rubric("criteria: {}\nsafety_gates: []\n"));
        assert!(!is_rubric("criteria: {}\n"));
        assert!(!is_rubric("x:\n  criteria: 1\n  categories: 2\n"));
    }
}
