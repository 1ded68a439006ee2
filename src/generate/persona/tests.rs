//! Personas, and whether they come as often as they should.

use std::collections::BTreeMap;

use super::*;
use crate::generate::{read, turn};

const TEMPLATE: &str = "\
attributes:
  name: [Omar, Ana, Li]
  age_range: {young: 0.5, old: 0.5}
  traits: {pick: 2, of: [dry, warm, blunt]}
writing_styles:
  terse: {weight: 0.2}
  casual: {weight: 0.5}
  text-speak: {weight: 0.3, when: {age_range: {old: 0}}}
exchanges: [4, 6]
topics_per_persona: 2
";
const TAXONOMY: &str = "\
topics:
  work: {weight: 0.5, subtopics: [deadlines, boss]}
  sleep: {weight: 0.3}
  family: {weight: 0.2}
edge_cases: [crisis, medical]
";
const ROLLS: u64 = 2000;

fn recipe() -> Recipe {
    let read = read(TEMPLATE, TAXONOMY);
    assert_eq!((read.template, read.taxonomy), (Vec::new(), Vec::new()));
    read.recipe
}

fn persona(index: u64) -> Persona {
    sample(&recipe(), Rolls { seed: 11, index })
}

/// Fails where what was counted is too far from what was meant to be chance: the
/// chi-square statistic over its 0.1 % point for that many degrees of freedom.
#[track_caller]
fn chi_square(what: &str, counts: &[(f64, u64)]) {
    const POINTS: [f64; 5] = [10.828, 13.816, 16.266, 18.467, 20.515];
    let total: u64 = counts.iter().map(|(_, n)| n).sum();
    let shares: f64 = counts.iter().map(|(share, _)| share).sum();
    assert!((shares - 1.0).abs() < 1e-9, "{what}: the targets make {shares}");
    let statistic: f64 = counts
        .iter()
        .map(|&(share, n)| {
            let expected = share * total as f64;
            (n as f64 - expected).powi(2) / expected
        })
        .sum();
    let point = POINTS[counts.len() - 2];
    assert!(statistic < point, "{what}: {statistic:.2} is over {point}, counted {counts:?}");
}

#[track_caller]
fn chi_square_share(what: &str, share: f64, hits: u64, of: u64) {
    chi_square(what, &[(share, hits), (1.0 - share, of - hits)]);
}

#[test]
fn a_persona_follows_from_seed_and_number() {
    assert_eq!(persona(3), persona(3));
    assert_ne!(persona(3).to_json(), persona(4).to_json());
    let other = sample(&recipe(), Rolls { seed: 12, index: 3 });
    assert_ne!(persona(3).attributes, other.attributes);
    assert_eq!(persona(3).id, "persona_11_3");
}

#[test]
fn a_value_can_rule_out_a_style() {
    let old = |persona: &Persona| persona.attributes[1].1 == ["old"];
    let all: Vec<Persona> = (0..400).map(persona).collect();
    let wrote = |p: &&Persona| p.style.name == "text-speak";
    assert!(all.iter().filter(wrote).count() > 20);
    assert!(!all.iter().filter(wrote).any(old), "nobody old writes so");
}

#[test]
fn personas_come_as_often_as_they_should() {
    let all: Vec<Persona> = (0..ROLLS).map(persona).collect();
    let count = |is: &dyn Fn(&Persona) -> bool| all.iter().filter(|p| is(p)).count() as u64;
    let edge = |p: &Persona| p.topics.iter().any(|topic| topic.edge_case);
    chi_square_share("edge cases", 0.15, count(&edge), ROLLS);
    chi_square_share("no flaws", 0.2, count(&|p| p.flaws.is_empty()), ROLLS);
    let first = |name: &str| {
        count(&|p| p.topics.iter().find(|t| !t.edge_case).is_some_and(|t| t.category == name))
    };
    chi_square("topics", &[(0.5, first("work")), (0.3, first("sleep")), (0.2, first("family"))]);
    let young = |p: &Persona| p.attributes[1].1 == ["young"];
    let styled = |name: &str| count(&|p| young(p) && p.style.name == name);
    chi_square(
        "styles",
        &[(0.2, styled("terse")), (0.5, styled("casual")), (0.3, styled("text-speak"))],
    );
    let going = |name: &str| count(&|p| p.trajectory.as_ref().is_some_and(|t| t.name == name));
    chi_square(
        "trajectories",
        &[
            (0.3, going("improving")),
            (0.3, going("stable")),
            (0.25, going("volatile")),
            (0.15, going("declining")),
        ],
    );
    let long = |n: usize| count(&|p| p.exchanges == n);
    chi_square("exchanges", &[4, 5, 6].map(|n| (1.0 / 3.0, long(n))));
}

#[test]
fn messages_come_as_often_as_they_should() {
    let recipe = recipe();
    let flawed: Vec<Persona> = (0..ROLLS).map(persona).filter(|p| !p.flaws.is_empty()).collect();
    let (mut messages, mut primary, mut secondary) = (0, 0, [0; 2]);
    let mut responses: BTreeMap<String, u64> = BTreeMap::new();
    for persona in &flawed {
        // Every message is rolled on its own, whatever came before.
        for number in 2..4 {
            let turn = turn(&recipe, persona, number);
            let shows = |n: usize| u64::from(turn.flaws.contains(&persona.flaws[n].1));
            messages += 1;
            primary += shows(0);
            secondary[0] += shows(1);
            secondary[1] += shows(2);
            *responses.entry(turn.response.unwrap().name).or_default() += 1;
        }
    }
    assert!(messages > ROLLS);
    chi_square_share("primary", 0.5, primary, messages);
    chi_square_share("first secondary", 0.2, secondary[0], messages);
    chi_square_share("second secondary", 0.2, secondary[1], messages);
    let counted = |name: &str| responses[name];
    chi_square(
        "responses",
        &[
            (0.3, counted("ignore")),
            (0.3, counted("tangent")),
            (0.2, counted("push-back")),
            (0.2, counted("engage")),
        ],
    );
}

#[test]
fn without_flaws_every_message_is_direct() {
    let recipe = recipe();
    let plain = (0..).map(persona).find(|p| p.flaws.is_empty()).unwrap();
    assert!((1..=plain.exchanges).all(|n| turn(&recipe, &plain, n).flaws.is_empty()));
    assert_eq!(turn(&recipe, &plain, 1).response, None, "the first answers nothing");
}
