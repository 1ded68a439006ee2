//! The project in `examples/` keeps its promises: nothing to correct in the rubric,
//! checks that fail where its README says so, and hand-written answers that are
//! complete and quote what is there.

use std::collections::BTreeSet;
use std::path::PathBuf;

use expect_test::expect;
use rubricator::assessment::evidence;
use rubricator::rubric::{self, Ask, Rubric, Verdict, check::Subject};
use rubricator::text::json;
use rubricator::transcript::{self, Transcript};
use serde_json::Value;

fn read(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn the_rubric() -> Rubric {
    let parsed = rubric::parse(&read("config/rubric.yaml"));
    assert_eq!(parsed.findings, []);
    parsed.rubric.unwrap()
}

fn transcripts() -> Vec<Transcript> {
    ["first-week", "second-week", "imported"]
        .iter()
        .flat_map(|name| {
            let text = read(&format!("data/raw/{name}.jsonl"));
            text.lines().map(transcript).collect::<Vec<_>>()
        })
        .collect()
}

fn transcript(record: &str) -> Transcript {
    transcript::read(record, &json::parse(record, 128)).transcript.unwrap()
}

#[test]
fn the_checks_fail_where_the_readme_says() {
    let rubric = the_rubric();
    let failed = |transcript: &Transcript| -> Vec<String> {
        let subject =
            Subject { transcript, style: None, record_tokens: None, message_tokens: None };
        let fails = |ask: &Ask| match ask {
            Ask::Check(check) => check.run(&subject).unwrap().verdict == Verdict::No,
            Ask::Question(_) => false,
        };
        rubric.criteria.iter().filter(|c| fails(&c.ask)).map(|c| c.id.clone()).collect()
    };
    let table: Vec<String> =
        transcripts().iter().map(|t| format!("{}: {}", t.id, failed(t).join(" "))).collect();
    expect![[r#"
        night-shift: 
        flatmate-dishes: FO1 FO2 FO3
        tablets: 
        exam-week: 
        new-manager: FO1
        interview: 
        quiet-house: 
        garden: "#]]
    .assert_eq(&table.join("\n"));
}

#[test]
fn both_judges_answer_every_question_about_every_transcript() {
    let rubric = the_rubric();
    let recorded = read("recorded/answers.jsonl");
    let said = |line: &str| -> [String; 3] {
        let line: Value = serde_json::from_str(line).unwrap();
        ["judge", "transcript", "criterion"].map(|key| line[key].as_str().unwrap().to_owned())
    };
    let answered: BTreeSet<[String; 3]> = recorded.lines().map(said).collect();
    let mut wanted = BTreeSet::new();
    for judge in ["strict", "lenient"] {
        for transcript in transcripts() {
            for criterion in rubric.criteria.iter().filter(|c| c.is_question()) {
                wanted.insert([judge.to_owned(), transcript.id.clone(), criterion.id.clone()]);
            }
        }
    }
    assert_eq!(answered, wanted);
    assert_eq!(recorded.lines().count(), wanted.len(), "no line says what another has said");
}

#[test]
fn every_recorded_quote_is_in_the_reply_it_cites() {
    let transcripts = transcripts();
    let mut quotes = 0;
    for line in read("recorded/answers.jsonl").lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let transcript = transcripts.iter().find(|t| t.id == line["transcript"]).unwrap();
        for place in line["evidence"].as_array().unwrap() {
            let (number, quote) =
                (place["exchange"].as_u64().unwrap(), place["quote"].as_str().unwrap());
            let exchange = transcript.exchanges.iter().find(|e| u64::from(e.number) == number);
            let reply = transcript.reply(exchange.unwrap());
            assert!(reply.contains(quote), "{}: {quote}", transcript.id);
            assert!(evidence::find(&reply, quote).is_some());
            quotes += 1;
        }
    }
    assert!(quotes > 50, "{quotes} quotes");
}
