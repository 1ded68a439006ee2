//! `audit` on a planted data set: what was put in is found, at its place, and
//! nothing else. `RUBRICATOR_AUDIT_TRANSCRIPTS=5000` runs it in full.

use std::collections::HashSet;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::Project;

/// Numbers that are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// Sentences of made-up words: no two are alike by chance.
    fn sentences(&mut self, count: u64) -> Vec<String> {
        let mut sentence = || {
            let words = 6 + self.below(5);
            let words: Vec<String> = (0..words).map(|_| self.word()).collect();
            format!("{}.", words.join(" "))
        };
        (0..count).map(|_| sentence()).collect()
    }

    fn word(&mut self) -> String {
        const PIECES: [&str; 16] = [
            "ba", "ke", "li", "mo", "nu", "pa", "re", "si", "to", "vu", "da", "fe", "gi", "ho",
            "ju", "za",
        ];
        (0..3).map(|_| PIECES[self.below(16) as usize]).collect()
    }
}

/// A data set with faults, and which transcripts are nearly the same.
struct Planted {
    lines: Vec<String>,
    twins: HashSet<(String, String)>,
    replies: usize,
}

const EXCHANGES: usize = 6;

fn planted(count: usize) -> Planted {
    let mut random = Random(7);
    let mut lines: Vec<String> = Vec::new();
    let mut pairs: Vec<Vec<[String; 2]>> = Vec::new();
    let mut twins = HashSet::new();
    for number in 0..count {
        let mut turns: Vec<[String; 2]> =
            (0..EXCHANGES).map(|n| exchange(&mut random, number, n)).collect();
        // Every tenth is an earlier one with a few words changed, or (no twin) with many.
        if number % 10 == 9 {
            let from = number - 1 - random.below(8) as usize;
            let near = number % 20 == 9;
            turns = changed(&mut random, &pairs[from], if near { 1 } else { 25 });
            if near {
                twins.insert((format!("t{from}"), format!("t{number}")));
            }
        }
        lines.push(
            json!({"id": format!("t{number}"), "exchanges": turns.iter().map(
            |[user, reply]| json!({"user": user, "assistant": reply})).collect::<Vec<_>>()})
            .to_string(),
        );
        pairs.push(turns);
    }
    Planted { lines, twins, replies: count * EXCHANGES }
}

fn exchange(random: &mut Random, number: usize, n: usize) -> [String; 2] {
    let mut user = random.sentences(3);
    let mut reply = random.sentences(4);
    if random.chance(60) {
        reply.insert(2, "I hear how “heavy” it's been.".to_owned());
    }
    if random.chance(9) {
        reply.insert(1, "Take one small STEP today!".to_owned());
    }
    // Said as often by users: no fault of the replies.
    if random.chance(9) {
        reply.push("At the end of the day.".to_owned());
    }
    if random.chance(9) {
        user.push("At the end of the day.".to_owned());
    }
    if random.chance(40) {
        reply.insert(0, "That makes so much sense.".to_owned());
    }
    if random.chance(if n < EXCHANGES / 2 { 4 } else { 30 }) {
        reply.push("Well done!".to_owned());
    }
    if number % 10 == 3 {
        reply = (0..4)
            .flat_map(|_| ["\n**Plan:**\n".to_owned(), random.sentences(1).remove(0)])
            .collect();
    }
    [user.join(" "), reply.join(" ")]
}

/// The same with this share of the words changed, in percent.
fn changed(random: &mut Random, turns: &[[String; 2]], percent: u64) -> Vec<[String; 2]> {
    let mut text = |text: &String| {
        let word = |word: &str| {
            if random.chance(percent) { random.word() } else { word.to_owned() }
        };
        text.split(' ').map(word).collect::<Vec<_>>().join(" ")
    };
    turns.iter().map(|[user, reply]| [text(user), text(reply)]).collect()
}

fn audited(count: usize) -> (Planted, Value) {
    let planted = planted(count);
    let project = Project::with("");
    // Two files: what is found does not depend on where the records stand.
    let (one, other) = planted.lines.split_at(count / 3);
    project.write("data/raw/a.jsonl", one.join("\n") + "\n");
    project.write("data/raw/b.jsonl", other.join("\n") + "\n");
    let ran = project.run(&["audit", "--format", "json"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(1), ""), "{}", ran.out);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    // Every instance is where it says it is.
    for flag in report["flags"].as_array().unwrap() {
        for one in flag["instances"].as_array().unwrap() {
            let text = project.read(one["file"].as_str().unwrap());
            let at = |key: &str| one[key].as_u64().unwrap() as usize;
            let line = text[..at("byte_start")].matches('\n').count() + 1;
            assert_eq!(line, at("line"));
            let words = text[at("byte_start")..at("byte_end")].to_lowercase();
            if let Some(phrase) = flag["phrase"].as_str() {
                let plain: String = words.replace(['’', '“', '”'], "");
                assert_eq!(plain, phrase, "{one}");
            }
        }
    }
    (planted, report)
}

#[test]
fn what_was_planted_is_found_and_nothing_else() {
    let count = std::env::var("RUBRICATOR_AUDIT_TRANSCRIPTS").ok();
    let count = count.map_or(300, |count| count.parse().unwrap());
    let (planted, report) = audited(count);
    assert_eq!(report["transcripts"], count);
    assert_eq!(report["replies"], planted.replies);
    let flags = report["flags"].as_array().unwrap();
    let named = |name: &str| flags.iter().filter(|flag| flag["flag"] == name).collect::<Vec<_>>();
    let phrases = |name: &str| -> Vec<&str> {
        named(name).iter().map(|flag| flag["phrase"].as_str().unwrap()).collect()
    };
    assert_eq!(phrases("phrase"), ["i hear how heavy it's been"]);
    assert_eq!(phrases("overused"), ["that makes so much sense", "take one small step today"]);
    assert_eq!(phrases("opener"), ["that makes so"]);
    assert_eq!(phrases("ending"), [""; 0]);
    for (name, expected) in
        [("rigid", 1), ("late-praise", 1), ("mean-ratio", 0), ("long-replies", 0)]
    {
        assert_eq!(named(name).len(), expected, "{name}");
    }
    let rigid = named("rigid")[0];
    assert!(rigid["count"].as_u64().unwrap() >= count as u64 / 10, "{rigid}");

    let found: HashSet<(String, String)> = named("near-duplicate")
        .iter()
        .map(|flag| {
            let id = |n: usize| flag["instances"][n]["transcript"].as_str().unwrap().to_owned();
            (id(0), id(1))
        })
        .collect();
    let right = found.intersection(&planted.twins).count();
    let mut said = String::new();
    let share = |of: usize| right as f64 / of.max(1) as f64;
    writeln!(
        said,
        "near-duplicates: {} planted, {} found, precision {:.3}, recall {:.3}",
        planted.twins.len(),
        found.len(),
        share(found.len()),
        share(planted.twins.len())
    )
    .unwrap();
    std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes()).unwrap();
    assert!(share(found.len()) > 0.95 && share(planted.twins.len()) > 0.95, "{said}");
}

#[test]
fn a_sound_set_has_no_flags_and_a_phrase_asked_for_is_looked_for() {
    let mut random = Random(3);
    let mut record = |n: usize, has: bool| {
        let turns: Vec<[String; 2]> = (0..4)
            .map(|_| {
                let mut reply = random.sentences(3);
                if has {
                    reply.insert(1, "Let us DELVE into it.".to_owned());
                }
                [random.sentences(3).join(" "), reply.join(" ")]
            })
            .collect();
        json!({"id": format!("t{n}"), "exchanges": turns.iter().map(
            |[user, reply]| json!({"user": user, "assistant": reply})).collect::<Vec<_>>()})
        .to_string()
    };
    let mut lines = |has: bool| {
        let lines: Vec<String> = (0..5).map(|n| record(n, has)).collect();
        lines.join("\n")
    };
    let project = Project::with("");
    project.write("data/raw/a.jsonl", lines(false));
    let ran = project.run(&["audit"]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    assert!(ran.out.ends_with("nothing is flagged\n"), "{}", ran.out);

    project.write("data/raw/a.jsonl", lines(true));
    project.write("rubricator.toml", "[audit]\nphrases = [\"delve into\"]\n");
    let ran = project.run(&["audit"]);
    assert_eq!(ran.code, Some(1), "{}", ran.all());
    let said = "phrase  “delve into” is in 100 % of the replies: add it to a `phrases` check";
    assert!(ran.out.contains(said), "{}", ran.out);
    assert!(ran.out.contains("data/raw/a.jsonl:1:"), "{}", ran.out);
}

#[test]
fn what_cannot_be_audited_is_said() {
    let project = Project::with("");
    project.write("data/raw/a.jsonl", "{\"id\": \"x\"}\nnot json\n");
    let ran = project.run(&["audit"]);
    assert!(ran.err.contains("2 records left out"), "{}", ran.all());
    assert_eq!((ran.code, project.run(&["audit", "-"]).code), (Some(0), Some(2)));
}

#[test]
fn how_transcripts_were_made_is_held_against_what_was_asked_for() {
    let project = Project::with("");
    let mut random = Random(5);
    let mut record = |n: usize| {
        let exchange = |m: usize, random: &mut Random| {
            let response = (m > 0).then(|| ["ignore", "tangent", "push-back", "engage"][m % 4]);
            json!({"exchange_number": m + 1, "user": random.sentences(2).join(" "),
                "assistant": random.sentences(2).join(" "), "stage": "early",
                "response_type": response, "flaws": if [0, 2, 4, 6, 8, 10].contains(&m) { vec!["vague"] } else { vec![] }})
        };
        let exchanges: Vec<Value> = (0..12).map(|m| exchange(m, &mut random)).collect();
        let flaws = match n % 5 {
            0 => json!([]),
            _ => {
                json!([{"name": "vague", "level": "primary"}, {"name": "tests", "level": "secondary"}])
            }
        };
        json!({"id": format!("g{n}"), "target_exchanges": 12, "exchanges": exchanges, "persona":
            {"id": format!("p{n}"), "writing_style": "terse", "flaw_patterns": flaws}})
        .to_string()
    };
    let lines: Vec<String> = (0..50).map(&mut record).collect();
    project.write("data/raw/a.jsonl", lines.join("\n"));
    let report = project.run(&["audit", "--format", "json"]);
    let report: Value = serde_json::from_str(&report.out).unwrap();
    let of = |name: &str| {
        let mix = report["mix"].as_array().unwrap();
        mix.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("{name}: {mix:?}"))
    };
    assert_eq!(of("personas without any")["off"], false);
    assert_eq!(
        (&of("primary flaw shows")["share"], &of("primary flaw shows")["of"]),
        (&json!(0.5), &json!(480))
    );
    assert_eq!(of("secondary flaw shows")["off"], true);
    assert_eq!(of("ignore")["share"], 0.182);
    assert_eq!((&of("ignore")["target"], &of("ignore")["off"]), (&json!(0.3), &json!(true)));
    assert_eq!(of("transcripts with all exchanges")["off"], false);
    let text = project.run(&["audit"]).out;
    let line = "    flaws     secondary flaw shows              0 % of 480 (0 to 1 %); asked for 20 %  off\n";
    assert!(text.contains(line), "{text}");

    // What the project's own template and taxonomy ask for counts, once both are there.
    project.write(
        "config/persona-template.yaml",
        "writing_styles:\n  terse: {weight: 3}\n  wordy: {weight: 1}\nresponse_mix: {engage: 1, ignore: 1, tangent: 1, push-back: 1}\nflaws: {secondary: 0.0}\n",
    );
    project.write("config/input-taxonomy.yaml", "topics: [{name: one, prompts: [a]}]\n");
    let report = project.run(&["audit", "--format", "json"]);
    let report: Value = serde_json::from_str(&report.out).unwrap();
    let mix = report["mix"].as_array().unwrap();
    let of = |name: &str| mix.iter().find(|row| row["name"] == name).unwrap();
    assert_eq!((&of("terse")["share"], &of("terse")["target"]), (&json!(1.0), &json!(0.75)));
    assert_eq!(of("terse")["off"], true);
    assert_eq!(of("ignore")["target"], 0.25);
}
