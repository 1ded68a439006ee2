//! What is asked, and what never again: the store, keys and single flight.

use super::{JudgeServer, RUBRIC, Reply, World, judge, run, texts};

#[tokio::test]
async fn saving_twice_asks_nothing_the_second_time() {
    let (world, a, b) = (World::new(), JudgeServer::yes().await, JudgeServer::yes().await);
    let judges = vec![judge("a", &a), judge("b", &b)];
    let engine = world.engine();
    let first = run(&engine, world.job(RUBRIC, &texts(3), judges.clone())).await;
    assert_eq!(
        (a.take_criteria(), b.take_criteria()),
        (vec!["A B G".to_owned(); 3], vec!["A B G".to_owned(); 3])
    );
    assert_eq!((first.summary.calls, first.summary.answered, first.transcripts_done()), (6, 18, 3));
    assert_eq!((first.summary.input_tokens, first.summary.cost), (600, Some(0.0)));
    let second = run(&engine, world.job(RUBRIC, &texts(3), judges.clone())).await;
    assert_eq!((a.take().len(), b.take().len()), (0, 0));
    assert_eq!(
        (second.summary.calls, second.summary.cached, second.transcripts_done()),
        (0, 18, 3)
    );
    assert_eq!(first.outcomes(), second.outcomes());
    // The same from disk, by an engine that knows nothing.
    let third = run(&world.engine(), world.job(RUBRIC, &texts(3), judges)).await;
    assert_eq!((third.summary.calls, third.outcomes()), (0, first.outcomes()));
}

#[tokio::test]
async fn editing_one_exchange_of_100_transcripts_is_one_call_a_judge_and_undo_none() {
    let (world, a, b) = (World::new(), JudgeServer::yes().await, JudgeServer::yes().await);
    let (engine, judges) = (world.engine(), vec![judge("a", &a), judge("b", &b)]);
    let before = texts(100);
    run(&engine, world.job(RUBRIC, &before, judges.clone())).await;
    assert_eq!((a.take().len(), b.take().len()), (100, 100));
    let mut after = before.clone();
    after[41] = after[41].replace("Answer", "Another answer");
    assert_eq!(engine.plan(&world.job(RUBRIC, &after, judges.clone())).calls(), 2);
    run(&engine, world.job(RUBRIC, &after, judges.clone())).await;
    let (by_a, by_b) = (a.take(), b.take());
    assert_eq!((by_a.len(), by_b.len()), (1, 1));
    assert!(by_a[0].body.to_string().contains("Another answer 41."));
    run(&engine, world.job(RUBRIC, &before, judges)).await;
    assert_eq!((a.take().len(), b.take().len()), (0, 0));
}

#[tokio::test]
async fn rewording_a_criterion_asks_it_alone_and_weights_ask_nothing() {
    let (world, server) = (World::new(), JudgeServer::yes().await);
    let (engine, judges) = (world.engine(), vec![judge("a", &server)]);
    run(&engine, world.job(RUBRIC, &texts(2), judges.clone())).await;
    server.take();
    let reworded = RUBRIC.replace("Is the reply short?", "Is every reply short?");
    run(&engine, world.job(&reworded, &texts(2), judges.clone())).await;
    assert_eq!(server.take_criteria(), ["B", "B"]);
    run(&engine, world.job(RUBRIC, &texts(2), judges.clone())).await;
    let reweighted = RUBRIC.replace("0.8", "0.5").replace("safety_gates: [G]", "");
    run(&engine, world.job(&reweighted, &texts(2), judges)).await;
    assert!(server.take().is_empty());
}

#[tokio::test]
async fn a_judge_is_its_model_and_parameters_not_its_name_or_address() {
    let (world, a, b) = (World::new(), JudgeServer::yes().await, JudgeServer::yes().await);
    let engine = world.engine();
    run(&engine, world.job(RUBRIC, &texts(1), vec![judge("a", &a)])).await;
    a.take();
    let mut moved = judge("renamed", &b);
    moved.model = "model-a".into();
    run(&engine, world.job(RUBRIC, &texts(1), vec![moved.clone()])).await;
    assert!(b.take().is_empty());
    moved.temperature = Some(0.0);
    run(&engine, world.job(RUBRIC, &texts(1), vec![moved])).await;
    let asked = b.take();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].body["temperature"], 0.0);
}

#[tokio::test]
async fn the_same_text_twice_is_asked_once() {
    let (world, server) = (World::new(), JudgeServer::yes().await);
    let texts = vec!["Hi?|Hello.".to_owned(), "Hi?|Hello.".to_owned()];
    let ran = run(&world.engine(), world.job(RUBRIC, &texts, vec![judge("a", &server)])).await;
    assert_eq!((server.take().len(), ran.summary.transcripts), (1, 1));
}

#[tokio::test]
async fn two_saves_at_once_share_their_calls() {
    let (world, server) = (World::new(), JudgeServer::yes().await);
    let engine = world.engine();
    let job = || world.job(RUBRIC, &texts(20), vec![judge("a", &server)]);
    let (first, second) = tokio::join!(run(&engine, job()), run(&engine, job()));
    assert_eq!(server.take().len(), 20);
    assert_eq!(first.outcomes(), second.outcomes());
    assert_eq!(first.summary.unscored + second.summary.unscored, 0);
}

#[tokio::test]
async fn two_engines_share_one_store() {
    let (world, server) = (World::new(), JudgeServer::yes().await);
    let (one, other) = (world.engine(), world.engine());
    let job = |texts: &[String]| world.job(RUBRIC, texts, vec![judge("a", &server)]);
    let texts = texts(30);
    let (left, right) = tokio::join!(run(&one, job(&texts[..15])), run(&other, job(&texts[15..])));
    assert_eq!((left.summary.answered, right.summary.answered), (45, 45));
    server.take();
    run(&one, job(&texts)).await;
    run(&other, job(&texts)).await;
    assert!(server.take().is_empty());
}

#[tokio::test]
async fn a_run_that_dies_in_the_middle_keeps_what_was_answered() {
    let world = World::new();
    let mut server = JudgeServer::start(|asked, number| match number {
        0..10 => Reply::all(asked, "YES"),
        _ => Reply::Hang,
    })
    .await;
    let mut one_at_a_time = judge("a", &server);
    one_at_a_time.max_concurrency = 1;
    let job = world.job(RUBRIC, &texts(20), vec![one_at_a_time.clone()]);
    let engine = world.engine();
    let dying = tokio::spawn(async move { run(&engine, job).await });
    for _ in 0..11 {
        server.arrived.recv().await.unwrap();
    }
    dying.abort();
    assert!(dying.await.unwrap_err().is_cancelled());
    server.closed.recv().await.unwrap();
    let heir = JudgeServer::yes().await;
    one_at_a_time.base_url = Some(heir.url.clone());
    run(&world.engine(), world.job(RUBRIC, &texts(20), vec![one_at_a_time])).await;
    assert_eq!(heir.take().len(), 10);
}

#[tokio::test]
async fn criteria_go_in_groups_and_sensitive_ones_alone() {
    let (world, server) = (World::new(), JudgeServer::yes().await);
    let mut job = world.job(RUBRIC, &texts(1), vec![judge("a", &server)]);
    job.settings.isolate_sensitive = true;
    run(&world.engine(), job).await;
    let mut asked = server.take_criteria();
    asked.sort();
    assert_eq!(asked, ["A B", "G"]);
    let other = World::new();
    let mut job = other.job(RUBRIC, &texts(1), vec![judge("a", &server)]);
    job.settings.criteria_per_call = Some(2);
    run(&other.engine(), job).await;
    let mut asked = server.take_criteria();
    asked.sort();
    assert_eq!(asked, ["A B", "G"]);
}

#[tokio::test]
async fn short_transcripts_are_asked_the_gates_and_late_criteria_wait() {
    let (world, server) = (World::new(), JudgeServer::yes().await);
    let longer = RUBRIC.replace("min_exchanges: 1", "min_exchanges: 3");
    run(&world.engine(), world.job(&longer, &texts(1), vec![judge("a", &server)])).await;
    assert_eq!(server.take_criteria(), ["G"]);
    let late = RUBRIC.replace("kind?}", "kind?, min_turns: 9}");
    run(&world.engine(), world.job(&late, &texts(1), vec![judge("a", &server)])).await;
    assert_eq!(server.take_criteria(), ["B"]);
}

/// A judge that is asked three times, one call after the other.
fn thrice(server: &JudgeServer) -> rubricator::config::Judge {
    let mut judge = judge("a", server);
    judge.repeat = 3;
    judge.max_concurrency = 1;
    judge
}

#[tokio::test]
async fn gates_are_asked_repeatedly_and_the_worst_answer_counts() {
    let world = World::new();
    let server = JudgeServer::start(|asked, number| {
        Reply::all(asked, if number == 1 { "NO" } else { "YES" })
    })
    .await;
    let engine = world.engine();
    let job = || world.job(RUBRIC, &texts(1), vec![thrice(&server)]);
    // Whether it is borderline is not known yet: the plan is the most it can be.
    assert_eq!(engine.plan(&job()).calls(), 5);
    let ran = run(&engine, job()).await;
    assert_eq!(ran.outcomes(), ["a A YES", "a B YES", "a G NO"]);
    assert_eq!(server.take_criteria(), ["A B G", "G", "G"]);
    let flips = ran.summary.flips["a"];
    assert_eq!((flips.repeated, flips.flipped), (1, 1));
    assert_eq!((engine.plan(&job()).calls(), engine.recall(&job()).len()), (0, 3));
    let again = run(&engine, job()).await;
    assert_eq!((again.summary.calls, again.outcomes()), (0, ran.outcomes()));
    assert_eq!(again.summary.flips, ran.summary.flips);
    let history = engine.history(&job()).remove(0);
    assert_eq!((history.answered, history.repeated, history.flipped), (3, 1, 1));
}

#[tokio::test]
async fn a_borderline_transcript_is_asked_about_again() {
    let world = World::new();
    // A is YES, B is NO; asked a third time (a count that `take` starts anew), A is NO.
    let server = JudgeServer::start(|asked, number| {
        let verdict = |id: &String| if *id == "B" || (*id == "A" && number == 1) { "NO" } else { "YES" };
        let answer = |id: &String| {
            serde_json::json!({"reasoning": "r", "evidence": [], "answer": verdict(id)})
        };
        let answers = asked.criteria.iter().map(|id| (id.clone(), answer(id)));
        Reply::Text(serde_json::Value::Object(answers.collect()).to_string())
    })
    .await;
    let engine = world.engine();
    let rubric = |threshold: &str| RUBRIC.replace("0.8", threshold);
    let job = |threshold: &str| world.job(&rubric(threshold), &texts(1), vec![thrice(&server)]);
    // Half of it is YES: far below 0.8, so nothing but the gate is asked again.
    let clear = run(&engine, job("0.8")).await;
    assert_eq!(server.take_criteria(), ["A B G", "G", "G"]);
    assert_eq!(clear.outcomes(), ["a A YES", "a B NO", "a G YES"]);
    // With the threshold at 0.55 it is within the margin of 0.05.
    let lacking = engine.recall(&job("0.55")).len();
    assert_eq!((engine.plan(&job("0.55")).calls(), lacking), (2, 1), "only the gate is known");
    let close = run(&engine, job("0.55")).await;
    let mut asked = server.take_criteria();
    asked.iter_mut().for_each(|ids| *ids = if ids == "B A" { "A B".into() } else { ids.clone() });
    assert_eq!(asked, ["A B", "A B"]);
    assert_eq!(close.transcripts_done(), 1);
    let flips = close.summary.flips["a"];
    assert_eq!((flips.repeated, flips.flipped), (3, 1));
    assert_eq!(close.outcomes(), ["a A NO", "a B NO", "a G YES"]);
    assert_eq!(run(&engine, job("0.55")).await.summary.calls, 0);
    let edge = run(&engine, job("0.551")).await;
    assert_eq!((edge.summary.calls, edge.summary.flips["a"].repeated), (0, 1));
}

#[tokio::test]
async fn opening_a_file_recalls_answers_and_makes_no_store() {
    let (world, server) = (World::new(), JudgeServer::yes().await);
    let engine = world.engine();
    let job = world.job(RUBRIC, &texts(2), vec![judge("a", &server)]);
    assert!(engine.recall(&job).is_empty());
    assert_eq!(engine.plan(&job).calls(), 2);
    assert!(!world.project().join(".rubricator").exists());
    run(&engine, job.clone()).await;
    assert_eq!(engine.recall(&job).len(), 6);
    let plan = engine.plan(&job);
    assert_eq!((plan.calls(), plan.cached(), plan.lacking), (0, 6, 0));
    assert_eq!(server.take().len(), 2);
}

#[tokio::test]
async fn a_store_of_somebody_else_is_said_once_and_answers_still_show() {
    let (world, server) = (World::new(), JudgeServer::yes().await);
    run(&world.engine(), world.job(RUBRIC, &texts(1), vec![judge("a", &server)])).await;
    std::fs::remove_dir_all(world.project().join("user")).unwrap();
    let engine = world.engine();
    let job = || world.job(RUBRIC, &texts(1), vec![judge("a", &server)]);
    let ran = run(&engine, job()).await;
    assert_eq!((ran.summary.answered, ran.notices().len()), (3, 1));
    assert!(ran.notices()[0].contains("belongs to somebody else"), "{:?}", ran.notices());
    assert!(run(&engine, job()).await.notices().is_empty());
}
