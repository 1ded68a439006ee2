//! What the two files may say, and what is said of the rest.

use expect_test::{Expect, expect};

use super::*;
use crate::generate::Bounds;

const TEMPLATE: &str = "\
attributes:
  name: [Omar, Ana]
  age_range: {\"18-25\": 0.4, \"26-40\": 0.6}
  traits: {pick: 2, of: [dry, warm, blunt]}
writing_styles:
  terse: {weight: 0.5, when: {age_range: {\"18-25\": 0.9}}}
  chatty: {weight: 0.5, words: [10, 20], description: Talks a lot}
trajectories: {up: 0.5, down: 0.5}
flaws:
  none_share: 0.1
  patterns:
    - {name: vague, description: Leaves things out}
    - name: tests
response_mix: {ignore: 0.5, engage: 0.5}
stages:
  early: [Say hello.]
exchanges: [3, 5]
reply_ratio: 2
";
const TAXONOMY: &str = "\
topics:
  work: {weight: 1.0, subtopics: [deadlines, {name: boss, description: A boss}]}
edge_cases:
  crisis: Somebody is in danger
edge_share: 0.25
";

/// Findings as `line: code: message`, the template's first.
fn check(template: &str, taxonomy: &str, expected: Expect) -> Recipe {
    let read = read(template, taxonomy);
    let mut said = String::new();
    for (text, findings) in [(template, &read.template), (taxonomy, &read.taxonomy)] {
        for finding in findings {
            let line = text[..finding.span.start].matches('\n').count() + 1;
            let words = &text[finding.span.start..finding.span.end];
            let words = words.lines().next().unwrap_or("");
            said.push_str(&format!("{line} `{words}` {}: {}\n", finding.code, finding.message));
        }
    }
    expected.assert_eq(&said);
    read.recipe
}

#[test]
fn sound_files_are_read_whole() {
    let recipe = check(TEMPLATE, TAXONOMY, expect![""]);
    assert_eq!(recipe.attributes.iter().map(|a| a.pick).collect::<Vec<_>>(), [1, 1, 2]);
    assert_eq!(recipe.styles[0].words, Some(Bounds { min: 30, max: 80 }), "the usual");
    assert_eq!(recipe.styles[0].when, [("age_range".into(), "18-25".into(), 0.9)]);
    assert_eq!(recipe.styles[1].words, Some(Bounds { min: 10, max: 20 }));
    assert_eq!(recipe.flaws.patterns[0].description.as_deref(), Some("Leaves things out"));
    assert_eq!((recipe.flaws.primary, recipe.flaws.none_share), (0.5, 0.1));
    let engage = recipe.responses.iter().find(|r| r.name == "engage").unwrap();
    assert!(engage.description.as_deref().unwrap().starts_with("Answer"), "the usual words");
    assert_eq!(recipe.topics[0].subtopics[1].description.as_deref(), Some("A boss"));
    assert_eq!(recipe.edge_cases[0].choice.description.as_deref(), Some("Somebody is in danger"));
    assert_eq!((recipe.edge_share, recipe.reply_ratio), (0.25, Some(2.0)));
    assert_eq!(recipe.exchanges, Bounds { min: 3, max: 5 });
}

#[test]
fn nothing_is_the_usual() {
    assert_eq!(check("", "# nothing yet\n", expect![""]), Recipe::default());
}

#[test]
fn what_does_not_fit_is_said_at_its_words() {
    let template = "\
atributes: {}
attributes:
  id: [a]
  age: 3
writing_styles:
  odd: {weight: 0.5}
  terse: {weight: 0.4, wrds: [1, 2]}
flaws: {primary: 50, secundary: 0.2}
stages: {late: {}}
exchanges: [5, 3]
reply_ratio: 0
";
    let taxonomy = "\
topics:
  work: 0.5
  home:
edge_share: 15
";
    check(
        template,
        taxonomy,
        expect![[r#"
            1 `atributes` unknown-key: unknown key of the persona template `atributes`: did you mean `attributes`?
            3 `id` taken-name: `id` is written by generation itself: rename the attribute
            4 `3` wrong-type: age must be a list, or names with weights
            6 `odd` weights: the weights of writing_styles make 0.900, not 1: they are taken as shares of that
            6 `{weight: 0.5}` no-words: the style `odd` has no `words`, so the length of its messages is nobody's: write `words: [80, 180]`
            7 `wrds` unknown-key: unknown key of `terse` `wrds`: did you mean `words`?
            8 `50` wrong-type: primary must be from 0 to 1
            8 `secundary` unknown-key: unknown key of flaws `secundary`: did you mean `secondary`?
            9 `{}` wrong-type: guidance must be a list of texts
            10 `[5, 3]` wrong-type: exchanges must be a whole number from 1, or two: [least, most]
            11 `0` wrong-type: reply_ratio must be a number over 0, up to 100
            2 `work` weights: 1 of topics have no weight and count as 1: weigh all or none
            4 `15` wrong-type: edge_share must be from 0 to 1
        "#]],
    );
}

#[test]
fn broken_yaml_costs_what_is_broken() {
    let recipe = check(
        "exchanges: 4\nattributes: [\nreply_ratio: 3\n",
        "- a list\n",
        expect![[r#"
            2 `[` yaml: not valid YAML (invalid indentation): this bracket is never closed: close it
            1 `- a list` wrong-type: the taxonomy must be keys and values
        "#]],
    );
    assert_eq!(recipe.exchanges.max, 4);
}
