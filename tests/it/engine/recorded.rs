//! Recorded judges: labelled, bound to their text, never in the store.

use rubricator::assessment::Outcome;
use rubricator::config::Provider;
use rubricator::engine::recording::{RecordingWriter, Subject};
use rubricator::engine::{AssessUpdate, Engine};
use rubricator::rubric::digest;

use super::{JudgeServer, RUBRIC, World, judge, run, texts};

/// Assesses with a real judge and records what it says, as `--record` does.
async fn record(world: &World, engine: &Engine) {
    let server = JudgeServer::yes().await;
    let job = world.job(RUBRIC, &texts(2), vec![judge("a", &server)]);
    let ran = run(engine, job.clone()).await;
    let mut writer =
        RecordingWriter::create(&world.project().join("answers.jsonl")).expect("it can be written");
    for update in &ran.updates {
        let AssessUpdate::Outcome { transcript, judge, criterion, outcome, .. } = update else {
            continue;
        };
        let named =
            job.transcripts.iter().find(|t| t.digest == *transcript).expect("it is of the job");
        let subject = Subject {
            judge,
            transcript: &named.transcript.id,
            transcript_digest: *transcript,
            criterion,
            criterion_digest: digest::criterion(
                job.rubric.criterion(criterion).expect("it is of the rubric"),
            ),
        };
        let Outcome::Answered(answer) = outcome else { continue };
        writer.write(&subject, answer).expect("it can be written");
    }
}

#[tokio::test]
async fn a_recording_replays_for_the_text_it_was_made_of() {
    let (world, other) = (World::new(), JudgeServer::yes().await);
    record(&world, &world.engine()).await;
    std::fs::remove_dir_all(world.project().join(".rubricator")).unwrap();
    let mut recorded = judge("a", &other);
    recorded.provider = Provider::Recorded;
    recorded.base_url = None;
    recorded.file = Some("answers.jsonl".into());
    let engine = world.engine();
    let mut changed = texts(3);
    changed[1].push('!');
    let job = world.job(RUBRIC, &changed, vec![recorded]);
    let ran = run(&engine, job.clone()).await;
    let count = |end: &str| ran.outcomes().iter().filter(|line| line.ends_with(end)).count();
    assert_eq!((count("YES"), count("stale"), count("not-recorded")), (3, 3, 3));
    assert_eq!((ran.summary.calls, ran.summary.cost), (0, Some(0.0)));
    let labelled = |update: &AssessUpdate| matches!(update, AssessUpdate::TranscriptDone { judges, .. } if judges[0].recorded && judges[0].cached);
    assert_eq!(ran.updates.iter().filter(|u| labelled(u)).count(), 3);
    assert!(!world.project().join(".rubricator").exists());
    assert_eq!(engine.recall(&job).len(), 3);
}

#[tokio::test]
async fn a_missing_recording_is_one_message() {
    let (world, other) = (World::new(), JudgeServer::yes().await);
    let mut recorded = judge("a", &other);
    recorded.provider = Provider::Recorded;
    recorded.file = Some("nowhere.jsonl".into());
    let ran = run(&world.engine(), world.job(RUBRIC, &texts(2), vec![recorded])).await;
    assert_eq!((ran.notices().len(), ran.outcomes()[0].as_str()), (1, "a A not-recorded"));
    assert!(ran.notices()[0].contains("nowhere.jsonl"));
}
