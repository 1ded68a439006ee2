//! Cancelling: down to the socket, and nothing that was answered is lost.

use rubricator::engine::Cancel;
use rubricator::engine::{AssessJob, AssessUpdate, Engine, RunSummary};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{JudgeServer, RUBRIC, Reply, World, judge, patience, run, run_until, texts};

#[tokio::test]
async fn cancelling_closes_the_sockets_and_leaves_the_rest_unscored() {
    let world = World::new();
    let mut server = JudgeServer::start(|asked, number| match number {
        0 => Reply::all(asked, "YES"),
        _ => Reply::Hang,
    })
    .await;
    let mut two = judge("a", &server);
    two.max_concurrency = 2;
    let (engine, cancel) = (world.engine(), CancellationToken::new());
    let job = world.job(RUBRIC, &texts(9), vec![two]);
    let running = run_until(&engine, job.clone(), cancel.clone());
    let cancelling = async {
        for _ in 0..3 {
            server.arrived.recv().await.unwrap();
        }
        cancel.cancel();
        for _ in 0..2 {
            server.closed.recv().await.unwrap();
        }
    };
    let (ran, ()) = tokio::join!(running, cancelling);
    assert!(ran.summary.cancelled);
    assert_eq!((ran.summary.answered, ran.summary.unscored, ran.transcripts_done()), (3, 24, 9));
    assert_eq!(ran.outcomes().iter().filter(|l| l.ends_with("cancelled")).count(), 24);
    assert_eq!(server.take().len(), 3);
    // What was cancelled is asked by the next run, what was answered is not.
    let heir = JudgeServer::yes().await;
    let mut job = job;
    job.judges[0].base_url = Some(heir.url.clone());
    assert_eq!(run(&engine, job).await.summary.unscored, 0);
    assert_eq!(heir.take().len(), 8);
}

#[tokio::test]
async fn who_waits_for_a_cancelled_call_asks_itself() {
    let world = World::new();
    let mut server = JudgeServer::start(|asked, number| match number {
        0 => Reply::Hang,
        _ => Reply::all(asked, "YES"),
    })
    .await;
    let (engine, cancel) = (world.engine(), CancellationToken::new());
    let job = world.job(RUBRIC, &texts(1), vec![judge("a", &server)]);
    let first = run_until(&engine, job.clone(), cancel.clone());
    let second = async {
        server.arrived.recv().await.unwrap();
        let waiting = run(&engine, job);
        let cancelling = async {
            tokio::task::yield_now().await;
            cancel.cancel();
        };
        tokio::join!(waiting, cancelling).0
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!((first.summary.unscored, second.summary.answered), (3, 3));
    assert_eq!(server.take().len(), 2);
}

#[tokio::test]
async fn dropping_a_transcript_closes_its_calls_and_no_other() {
    let world = World::new();
    let mut server =
        JudgeServer::start(|asked, _| match asked.body.to_string().contains("Question 0") {
            true => Reply::all(asked, "YES"),
            false => Reply::Hang,
        })
        .await;
    let mut two = judge("a", &server);
    two.max_concurrency = 2;
    let (engine, cancel) = (world.engine(), Cancel::default());
    let job = world.job(RUBRIC, &texts(4), vec![two]);
    let digests: Vec<_> = job.transcripts.iter().map(|t| t.digest).collect();
    let running = run_until(&engine, job, cancel.clone());
    let dropping = async {
        for _ in 0..3 {
            server.arrived.recv().await.unwrap();
        }
        // The last is not asked about yet, and never will be.
        cancel.drop_transcript(digests[3]);
        cancel.drop_transcript(digests[1]);
        server.closed.recv().await.unwrap();
        assert!(server.closed.try_recv().is_err(), "the other call goes on");
        cancel.cancel();
        server.closed.recv().await.unwrap();
    };
    let (ran, ()) = tokio::join!(running, dropping);
    assert_eq!((ran.summary.answered, ran.summary.unscored, ran.transcripts_done()), (3, 9, 4));
    assert_eq!(server.take().len(), 3);
}

/// Runs a job in the background: what it says, its end, and what cancels it.
struct Background {
    running: tokio::task::JoinHandle<RunSummary>,
    updates: mpsc::UnboundedReceiver<AssessUpdate>,
    cancel: CancellationToken,
}

fn background(engine: &Engine, job: AssessJob) -> Background {
    let (sender, updates) = mpsc::unbounded_channel();
    let (engine, cancel) = (engine.clone(), CancellationToken::new());
    let token = cancel.clone();
    let running = tokio::spawn(async move { engine.assess(job, token, sender).await });
    Background { running, updates, cancel }
}

#[tokio::test]
async fn cancelling_ends_a_wait_at_the_gate_and_closes_what_is_under_way() {
    let world = World::new();
    let mut server = JudgeServer::start(|_, number| match number {
        0 => Reply::Hang,
        _ => Reply::Status(429, vec![("retry-after", "30")], ""),
    })
    .await;
    let (engine, _never) = patience::held(&world);
    let mut two = judge("a", &server);
    two.max_concurrency = 2;
    let mut run = background(&engine, world.job(RUBRIC, &texts(9), vec![two]));
    patience::first_wait(&mut run.updates).await;
    run.cancel.cancel();
    server.closed.recv().await.unwrap();
    let summary = run.running.await.unwrap();
    assert_eq!((summary.unscored, summary.cancelled, server.take().len()), (27, true, 2));
}

#[tokio::test]
async fn cancelling_ends_a_wait_for_a_seat_and_touches_no_other_job() {
    let world = World::new();
    let mut server = JudgeServer::start(|_, _| Reply::Hang).await;
    let engine = world.engine();
    let mut one = judge("a", &server);
    one.max_concurrency = 1;
    let texts = texts(4);
    let first = background(&engine, world.job(RUBRIC, &texts[..2], vec![one.clone()]));
    server.arrived.recv().await.unwrap();
    let mut second = background(&engine, world.job(RUBRIC, &texts[2..], vec![one]));
    second.updates.recv().await.unwrap();
    second.cancel.cancel();
    assert_eq!(second.running.await.unwrap().unscored, 6);
    assert!(server.closed.try_recv().is_err(), "the other job's call goes on");
    first.cancel.cancel();
    server.closed.recv().await.unwrap();
    assert_eq!(first.running.await.unwrap().unscored, 6);
    assert_eq!(server.take().len(), 1);
}

#[tokio::test]
async fn cancelling_ends_a_run_whose_answer_waits_for_the_store_and_keeps_the_answer() {
    let world = World::new();
    let mut server = JudgeServer::start(|asked, number| match number {
        0 | 1 => Reply::all(asked, "YES"),
        _ => Reply::Hang,
    })
    .await;
    let engine = world.engine();
    let mut two = judge("a", &server);
    two.max_concurrency = 2;
    let job = |texts: &[String]| world.job(RUBRIC, texts, vec![two.clone()]);
    let texts = texts(4);
    run(&engine, job(&texts[..1])).await;
    let lock = rusqlite::Connection::open(world.project().join(".rubricator/store.db")).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let rest = background(&engine, job(&texts[1..]));
    for _ in 0..3 {
        server.arrived.recv().await.unwrap();
    }
    rest.cancel.cancel();
    server.closed.recv().await.unwrap();
    // The store is still locked.
    let summary = rest.running.await.unwrap();
    assert_eq!((summary.answered, summary.unscored, summary.cancelled), (0, 9, true));
    assert_eq!(server.take().len(), 3);
    // Whoever asks the same meanwhile waits for that answer, and asks the rest only.
    let heir = JudgeServer::yes().await;
    let mut again = job(&texts[1..]);
    again.judges[0].base_url = Some(heir.url.clone());
    let mut next = background(&engine, again.clone());
    assert!(matches!(next.updates.recv().await, Some(AssessUpdate::Started { .. })));
    lock.execute_batch("COMMIT").unwrap();
    let summary = next.running.await.unwrap();
    assert_eq!((summary.answered + summary.cached, summary.unscored), (9, 0));
    assert_eq!(heir.take().len(), 2);
    engine.settled().await;
    assert_eq!(engine.recall(&again).len(), 9);
}
