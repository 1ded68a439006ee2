//! What goes wrong at a judge's: unscored for exactly those criteria, retried
//! where that makes sense, stopped where it does not.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rubricator::config::Origin;
use rubricator::engine::{Clock, Engine, EngineOptions, Trust};

use super::{Asked, JudgeServer, RUBRIC, Reply, World, judge, run, texts};

const GOOD: &str = r#"{"reasoning":"r","evidence":[],"answer":"YES"}"#;

/// What comes of one reply text.
async fn outcomes(reply: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Vec<String> {
    let (world, server) = (World::new(), JudgeServer::start(move |asked, _| reply(asked)).await);
    let job = world.job(RUBRIC, &texts(1), vec![judge("a", &server)]);
    let ran = run(&world.engine(), job.clone()).await;
    assert_eq!(ran.transcripts_done(), 1);
    // What was not answered is asked again, and alone.
    let missing: Vec<String> = ran
        .outcomes()
        .iter()
        .filter(|line| !line.ends_with("YES"))
        .filter_map(|line| line.split(' ').nth(1).map(str::to_owned))
        .collect();
    server.take();
    run(&world.engine(), job).await;
    let again: Vec<String> = server.take().into_iter().flat_map(|a| a.criteria).collect();
    assert_eq!(again, missing);
    ran.outcomes()
}

#[tokio::test]
async fn a_malformed_reply_is_unscored_for_exactly_those_criteria() {
    let with = |rest: &'static str| {
        move |asked: &Asked| {
            let first = &asked.criteria[0];
            Reply::Text(match asked.criteria.len() {
                3 => format!(r#"{{"A":{GOOD}{rest}}}"#),
                _ => format!(r#"{{"{first}":{{}}}}"#),
            })
        }
    };
    assert_eq!(
        outcomes(with(r#","G":{"reasoning":"r","evidence":[],"answer":"YES"}"#)).await,
        ["a A YES", "a B missing", "a G YES"]
    );
    assert_eq!(
        outcomes(with(r#","B":{"reasoning":":","evidence":[],"answer":"YES"}"#)).await,
        ["a A YES", "a B malformed", "a G missing"]
    );
    assert_eq!(
        outcomes(with(r#","B":1,"G":{"reasoning":"r","evidence":[],"answer":"OK"}"#)).await,
        ["a A YES", "a B malformed", "a G malformed"]
    );
    assert_eq!(
        outcomes(with(r#","A":{},"Z":{}"#)).await,
        ["a A duplicate", "a B missing", "a G missing"]
    );
}

#[tokio::test]
async fn prose_refusals_and_cuts_are_unscored() {
    let all = |reason: &str| ["A", "B", "G"].map(|id| format!("a {id} {reason}"));
    assert_eq!(outcomes(|_| Reply::Text("Looks fine to me.".into())).await, all("malformed"));
    let body = |message: &str, finish: &str| {
        let body = format!(r#"{{"choices":[{{"message":{message},"finish_reason":"{finish}"}}]}}"#);
        move |_: &Asked| Reply::Body(body.clone())
    };
    assert_eq!(outcomes(body(r#"{"refusal":"no"}"#, "stop")).await, all("refused"));
    assert_eq!(outcomes(body(r#"{"content":"{"}"#, "length")).await, all("truncated"));
    assert_eq!(outcomes(body(r#"{"content":""}"#, "content_filter")).await, all("blocked"));
    assert_eq!(outcomes(|_| Reply::Body("<html>".into())).await, all("malformed"));
}

#[tokio::test]
async fn a_fenced_reply_is_read() {
    let fenced = outcomes(|asked| match Reply::all(asked, "YES") {
        Reply::Text(text) => Reply::Text(format!("```json\n{text}\n```")),
        other => other,
    });
    assert_eq!(fenced.await, ["a A YES", "a B YES", "a G YES"]);
}

/// An engine that notes how long it would have waited.
pub fn noting(world: &World) -> (Engine, Arc<Mutex<Vec<Duration>>>) {
    let waits = Arc::new(Mutex::new(Vec::new()));
    let note = Arc::clone(&waits);
    let clock = Clock::instead(0, move |time| note.lock().expect("no test panicked").push(time));
    (Engine::new(EngineOptions { clock, ..world.options() }), waits)
}

#[tokio::test]
async fn a_busy_judge_is_asked_again_when_it_says() {
    let world = World::new();
    let server = JudgeServer::start(|asked, number| match number {
        0 => Reply::Status(429, vec![("retry-after", "1.5")], r#"{"error":"busy"}"#),
        1 => Reply::Status(503, Vec::new(), "<html>loading</html>"),
        _ => Reply::all(asked, "YES"),
    })
    .await;
    let (engine, waits) = noting(&world);
    let ran = run(&engine, world.job(RUBRIC, &texts(1), vec![judge("a", &server)])).await;
    assert_eq!(ran.outcomes(), ["a A YES", "a B YES", "a G YES"]);
    let waits = waits.lock().unwrap().clone();
    assert_eq!((waits.len(), waits[0]), (2, Duration::from_millis(1500)));
    assert!(waits[1] <= Duration::from_secs(2));
    assert_eq!((server.take().len(), ran.summary.calls), (3, 1));
}

#[tokio::test]
async fn a_judge_that_stays_busy_is_given_up() {
    let world = World::new();
    let server = JudgeServer::start(|_, _| Reply::Status(500, Vec::new(), "")).await;
    let ran = run(&world.engine(), world.job(RUBRIC, &texts(1), vec![judge("a", &server)])).await;
    assert_eq!(ran.outcomes()[0], "a A provider-error");
    assert_eq!(server.take().len(), 7);
}

#[tokio::test]
async fn a_spent_quota_stops_that_judge_alone_with_one_message() {
    let (world, fine) = (World::new(), JudgeServer::yes().await);
    let quota =
        r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota"}}"#;
    let spent = JudgeServer::start(|_, _| Reply::Status(429, Vec::new(), quota)).await;
    let mut poor = judge("poor", &spent);
    poor.max_concurrency = 1;
    let ran =
        run(&world.engine(), world.job(RUBRIC, &texts(9), vec![poor, judge("fine", &fine)])).await;
    assert_eq!((spent.take().len(), fine.take().len()), (1, 9));
    assert_eq!(ran.notices().len(), 1);
    assert!(ran.notices()[0].contains("exceeded your current quota"), "{:?}", ran.notices());
    let out = ran.outcomes().iter().filter(|line| line.ends_with("out-of-quota")).count();
    assert_eq!((out, ran.transcripts_done()), (27, 9));
}

#[tokio::test]
async fn a_judge_that_is_not_there_says_where_it_looked() {
    let world = World::new();
    let gone = JudgeServer::yes().await;
    let mut nobody = judge("a", &gone);
    nobody.base_url = Some("http://127.0.0.1:1/v1".into());
    let ran = run(&world.engine(), world.job(RUBRIC, &texts(1), vec![nobody])).await;
    assert_eq!(ran.outcomes()[0], "a A provider-error");
    assert!(format!("{:?}", ran.updates).contains("cannot connect to 127.0.0.1:1"));
}

#[tokio::test]
async fn a_key_goes_into_the_header_and_nowhere_else() {
    let world = World::new();
    let echo = r#"{"error":{"message":"Incorrect API key provided: sk-test"}}"#;
    let server = JudgeServer::start(move |_, _| Reply::Status(401, Vec::new(), echo)).await;
    let mut keyed = judge("a", &server);
    keyed.api_key_env = Some("TEST_KEY".into());
    let untrusted = run(&world.engine(), world.job(RUBRIC, &texts(1), vec![keyed.clone()])).await;
    assert_eq!(untrusted.outcomes()[0], "a A untrusted");
    assert!(server.take().is_empty());
    let mut job = world.job(RUBRIC, &texts(3), vec![keyed.clone()]);
    job.trust = Trust::Given;
    job.judges[0].max_concurrency = 1;
    let ran = run(&world.engine(), job.clone()).await;
    let asked = server.take();
    assert_eq!((asked.len(), asked[0].authorization.as_deref()), (1, Some("Bearer sk-test")));
    assert!(!format!("{:?}", ran.updates).contains("sk-test"));
    job.judges[0].api_key_env = Some("NO_SUCH_KEY".into());
    let keyless = run(&world.engine(), job).await;
    assert!(keyless.notices()[0].contains("NO_SUCH_KEY"), "{:?}", keyless.notices());
    assert!(server.take().is_empty());
}

#[tokio::test]
async fn nothing_is_sent_from_an_untrusted_folder_or_to_a_foreign_host() {
    let (world, server) = (World::new(), JudgeServer::yes().await);
    let mut job = world.job(RUBRIC, &texts(1), vec![judge("a", &server)]);
    job.trust = Trust::Denied;
    let ran = run(&world.engine(), job.clone()).await;
    assert_eq!(ran.outcomes()[0], "a A untrusted");
    job.trust = Trust::Given;
    job.judges[0].base_url = Some("https://evil.example/v1".into());
    job.judges[0].origin = Origin::ProjectFile;
    let ran = run(&world.engine(), job).await;
    assert!(ran.notices()[0].contains("evil.example"), "{:?}", ran.notices());
    assert!(server.take().is_empty() && !world.project().join(".rubricator").exists());
}
