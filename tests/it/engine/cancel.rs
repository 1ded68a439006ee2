//! Cancelling: down to the socket, and nothing that was answered is lost.

use rubricator::engine::Cancel;
use tokio_util::sync::CancellationToken;

use super::{JudgeServer, RUBRIC, Reply, World, judge, run, run_until, texts};

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
