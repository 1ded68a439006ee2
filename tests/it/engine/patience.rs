//! Waiting: who waits for whom, what is said meanwhile, and when it is enough.
//! Time is the test's: a pause ends, and a time limit is up, when the test says so.

use std::time::Duration;

use rubricator::engine::{AssessUpdate, Clock, Engine, EngineOptions};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::{JudgeServer, RUBRIC, Reply, World, judge, run, texts};

/// An engine whose pauses end once the sender says `true`.
pub fn held(world: &World) -> (Engine, watch::Sender<bool>) {
    let (open, closed) = watch::channel(false);
    let clock = Clock::held(0, move |_| {
        let mut closed = closed.clone();
        async move {
            // The test may be over.
            let _ = closed.wait_for(|open| *open).await;
        }
    });
    (Engine::new(EngineOptions { clock, ..world.options() }), open)
}

/// An engine whose limit of this many seconds is up whenever the sender says so.
fn limited(world: &World, seconds: u64) -> (Engine, mpsc::UnboundedSender<()>) {
    let (up, waiting) = mpsc::unbounded_channel();
    let waiting = std::sync::Arc::new(tokio::sync::Mutex::new(waiting));
    let clock = Clock::instead(0, |_| {}).with_alarm(move |time| {
        let waiting = std::sync::Arc::clone(&waiting);
        async move {
            if time != Duration::from_secs(seconds) || waiting.lock().await.recv().await.is_none() {
                std::future::pending::<()>().await;
            }
        }
    });
    (Engine::new(EngineOptions { clock, ..world.options() }), up)
}

/// Reads updates up to the first wait: how long, and why.
pub async fn first_wait(updates: &mut mpsc::UnboundedReceiver<AssessUpdate>) -> (Duration, String) {
    loop {
        let update = updates.recv().await.expect("a wait is told");
        if let AssessUpdate::Waiting { wait, why, .. } = update {
            return (wait, why);
        }
    }
}

#[tokio::test]
async fn when_one_call_is_told_to_wait_all_jobs_wait_and_say_so() {
    let world = World::new();
    let mut server = JudgeServer::start(|asked, number| match number {
        0 => Reply::Status(429, vec![("retry-after", "30")], r#"{"error":"too fast"}"#),
        _ => Reply::all(asked, "YES"),
    })
    .await;
    let (engine, open) = held(&world);
    let mut one_at_a_time = judge("a", &server);
    one_at_a_time.max_concurrency = 1;
    let texts = texts(6);
    let mut jobs = Vec::new();
    for texts in [&texts[..3], &texts[3..]] {
        let (sender, updates) = mpsc::unbounded_channel();
        let (engine, job) = (engine.clone(), world.job(RUBRIC, texts, vec![one_at_a_time.clone()]));
        let running =
            tokio::spawn(async move { engine.assess(job, CancellationToken::new(), sender).await });
        jobs.push((running, updates));
    }
    for (_, updates) in &mut jobs {
        let (wait, why) = first_wait(updates).await;
        assert_eq!((wait.as_secs(), why.as_str()), (30, "HTTP 429: too fast"));
    }
    server.arrived.recv().await.unwrap();
    assert!(server.arrived.try_recv().is_err(), "nobody asks while one is told to wait");
    open.send_replace(true);
    for (running, mut updates) in jobs {
        let next = updates.recv().await.unwrap();
        assert!(matches!(next, AssessUpdate::Progress { done: 0, .. }), "it goes on: {next:?}");
        assert_eq!(running.await.unwrap().answered, 9);
    }
    assert_eq!(server.take().len(), 7);
}

#[tokio::test]
async fn three_judges_are_asked_at_once() {
    let world = World::new();
    let all_there = std::sync::Arc::new(tokio::sync::Barrier::new(3));
    let server = JudgeServer::start(move |asked, _| {
        let all_there = std::sync::Arc::clone(&all_there);
        let wait = async move {
            all_there.wait().await;
        };
        Reply::After(Box::pin(wait), Box::new(Reply::all(asked, "YES")))
    })
    .await;
    let judges = ["a", "b", "c"].map(|name| judge(name, &server)).to_vec();
    // No reply comes before all three are asked: asked in turn, they would hang.
    let ran = run(&world.engine(), world.job(RUBRIC, &texts(4), judges)).await;
    assert_eq!((ran.summary.answered, server.take().len()), (36, 12));
}

#[tokio::test]
async fn at_its_deadline_a_run_ends_and_the_next_goes_on() {
    let world = World::new();
    let mut server = JudgeServer::start(|asked, number| match number {
        0 => Reply::all(asked, "YES"),
        _ => Reply::Hang,
    })
    .await;
    let (engine, up) = limited(&world, 77);
    let mut job = world.job(RUBRIC, &texts(5), vec![judge("a", &server)]);
    job.judges[0].max_concurrency = 2;
    job.settings.deadline_s = 77;
    let passing = async {
        for _ in 0..3 {
            server.arrived.recv().await.unwrap();
        }
        up.send(()).unwrap();
        for _ in 0..2 {
            server.closed.recv().await.unwrap();
        }
    };
    let (ran, ()) = tokio::join!(run(&engine, job.clone()), passing);
    let count = |end: &str| ran.outcomes().iter().filter(|line| line.ends_with(end)).count();
    assert_eq!((count("YES"), count("deadline"), ran.summary.cancelled), (3, 12, false));
    assert_eq!(ran.notices().len(), 1);
    assert!(ran.notices()[0].contains("assess.deadline_s"), "{:?}", ran.notices());
    let heir = JudgeServer::yes().await;
    job.judges[0].base_url = Some(heir.url.clone());
    assert_eq!(run(&engine, job).await.summary.unscored, 0);
    assert_eq!(heir.take().len(), 4);
}

#[tokio::test]
async fn a_call_without_a_reply_in_time_is_sent_once_more() {
    for (answers, outcome) in [(true, "a A YES"), (false, "a A timed-out")] {
        let world = World::new();
        let mut server = JudgeServer::start(move |asked, number| match number {
            1 if answers => Reply::all(asked, "YES"),
            _ => Reply::Hang,
        })
        .await;
        let (engine, up) = limited(&world, 60);
        let job = world.job(RUBRIC, &texts(1), vec![judge("a", &server)]);
        let passing = async {
            for _ in 0..if answers { 1 } else { 2 } {
                server.arrived.recv().await.unwrap();
                up.send(()).unwrap();
                server.closed.recv().await.unwrap();
            }
        };
        let (ran, ()) = tokio::join!(run(&engine, job), passing);
        assert_eq!((ran.outcomes()[0].as_str(), server.take().len()), (outcome, 2));
    }
}

#[tokio::test]
async fn a_judge_out_of_quota_says_when_it_works_again_and_stays_stopped_for_the_run() {
    let world = World::new();
    let headers = || vec![("retry-after", "7500")];
    let server =
        JudgeServer::start(move |_, _| Reply::Status(429, headers(), r#"{"error":"busy"}"#)).await;
    let mut job = world.job(RUBRIC, &texts(3), vec![judge("a", &server)]);
    job.judges[0].max_concurrency = 1;
    let ran = run(&world.engine(), job.clone()).await;
    assert_eq!(
        ran.notices(),
        [
            "judge a is stopped: no quota left: HTTP 429: busy; it works again in 2 h 5 min (about 02:05 UTC)"
        ]
    );
    // A job of the same run asks nothing and says nothing; a new run asks.
    let more = run(&world.engine(), job.clone()).await;
    assert_eq!((more.notices().len(), more.outcomes()[0].as_str()), (0, "a A out-of-quota"));
    assert_eq!(server.take().len(), 1);
    job.stopped = rubricator::engine::Stopped::default();
    run(&world.engine(), job).await;
    assert_eq!(server.take().len(), 1);
}
