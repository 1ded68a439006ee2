//! What calls have in common stands first and is marked, so it is paid for once.

use rubricator::config::Judge;
use rubricator::engine::AssessJob;
use serde_json::Value;

use super::{Asked, JudgeServer, Reply, Trust, Wire, World, judge_of, run, texts};

/// A rubric whose instructions, and transcripts that, are long enough to be cached.
fn long_job(world: &World, count: usize, judge: Judge) -> AssessJob {
    let guidance = "Look at every reply with care. ".repeat(200);
    let rubric = super::RUBRIC.replace(
        "question: Is the reply kind?}",
        &format!("question: Is the reply kind?, guidance: {guidance}}}"),
    );
    let long = "A long answer about many things. ".repeat(200);
    let texts: Vec<String> = texts(count).iter().map(|text| format!("{text}|So?|{long}")).collect();
    AssessJob { trust: Trust::Given, ..world.job(&rubric, &texts, vec![judge]) }
}

async fn asked(wire: Wire, count: usize, tune: impl FnOnce(&mut AssessJob)) -> Vec<Asked> {
    let world = World::new();
    let server = JudgeServer::speaking(wire, |asked, _| Reply::all(asked, "YES")).await;
    let mut job = long_job(&world, count, judge_of(wire, &server.url));
    tune(&mut job);
    let ran = run(&world.engine(), job).await;
    assert_eq!(ran.summary.unscored, 0);
    server.take()
}

/// The blocks in the order in which Anthropic reads them, with their marks.
fn blocks(asked: &Asked) -> Vec<(String, bool)> {
    let system = asked.body["system"].as_array().expect("blocks");
    let user = asked.body["messages"][0]["content"].as_array().expect("blocks");
    let marked = |block: &Value| {
        let mark = block.get("cache_control");
        assert!(mark.is_none_or(|mark| mark["type"] == "ephemeral"));
        (block["text"].as_str().expect("text").to_owned(), mark.is_some())
    };
    system.iter().chain(user).map(marked).collect()
}

/// What two requests begin with alike, up to the last mark in it.
fn read_from_cache(first: &Asked, second: &Asked) -> String {
    let (first, second) = (blocks(first), blocks(second));
    let alike = first.iter().zip(&second).take_while(|(a, b)| a == b).count();
    let marked = first[..alike].iter().rposition(|(_, marked)| *marked);
    let end = marked.map_or(0, |last| last + 1);
    first[..end].iter().map(|(text, _)| text.as_str()).collect()
}

#[tokio::test]
async fn a_second_transcript_reads_the_rubric_from_the_cache() {
    let asked = asked(Wire::Anthropic, 2, |_| {}).await;
    let shared = read_from_cache(&asked[0], &asked[1]);
    assert!(shared.contains("Is the reply kind?") && shared.contains("Is the reply safe?"));
    assert!(!shared.contains("A long answer"));
    let marks = blocks(&asked[0]).iter().filter(|(_, marked)| *marked).count();
    assert_eq!(marks, 1, "what no other call shares would only cost");
}

#[tokio::test]
async fn a_second_call_about_a_transcript_reads_it_from_the_cache() {
    let asked = asked(Wire::Anthropic, 1, |job| job.settings.criteria_per_call = Some(1)).await;
    assert_eq!(asked.len(), 3);
    let shared = read_from_cache(&asked[0], &asked[1]);
    assert!(shared.contains("A long answer"));
    assert!(!shared.contains("Is the reply"), "the criterion stands behind it");
    assert_eq!(shared, read_from_cache(&asked[1], &asked[2]));
    assert!(blocks(&asked[0]).iter().filter(|(_, marked)| *marked).count() <= 4);
}

#[tokio::test]
async fn a_beginning_too_short_to_be_cached_is_not_marked() {
    // Haiku 4.5 caches from 4096 tokens on; the instructions have fewer.
    let asked = asked(Wire::Anthropic, 2, |job| {
        job.judges[0].model = "claude-haiku-4-5".into();
    })
    .await;
    assert!(blocks(&asked[0]).iter().all(|(_, marked)| !marked));
}

#[tokio::test]
async fn openai_is_told_which_calls_begin_alike() {
    let one = asked(Wire::OpenAi, 2, |_| {}).await;
    let key = |asked: &Asked| asked.body["prompt_cache_key"].as_str().expect("a key").to_owned();
    assert_eq!(
        (key(&one[0]), &one[0].body["instructions"]),
        (key(&one[1]), &one[1].body["instructions"])
    );
    let other = asked(Wire::OpenAi, 1, |job| {
        let mut rubric = (*job.rubric).clone();
        rubric.criteria[0].guidance = Some("Another guidance.".into());
        job.rubric = std::sync::Arc::new(rubric);
    })
    .await;
    assert_ne!(key(&one[0]), key(&other[0]));
    assert!(key(&one[0]).len() <= 64);
}

#[tokio::test]
async fn the_same_question_is_the_same_bytes() {
    for wire in Wire::ALL {
        let world = World::new();
        let server = JudgeServer::speaking(wire, |_, number| match number {
            0 => Reply::Status(500, Vec::new(), ""),
            _ => Reply::Text("none".into()),
        })
        .await;
        let engine = world.engine();
        let job = long_job(&world, 1, judge_of(wire, &server.url));
        run(&engine, job.clone()).await;
        run(&engine, job).await;
        let asked: Vec<String> = server.take().iter().map(|a| a.body.to_string()).collect();
        assert!(asked.len() >= 3 && asked.windows(2).all(|pair| pair[0] == pair[1]), "{wire:?}");
    }
}
