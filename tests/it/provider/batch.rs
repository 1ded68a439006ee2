//! Batches from end to end: made, waited for across a restart, fetched in any
//! order, and made again for what the provider could not serve.

use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use rubricator::config::Judge;
use rubricator::engine::ledger::{self, Ledger};
use rubricator::engine::store::purge::About;
use rubricator::engine::{AssessJob, Engine, EngineOptions, Spending};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Reply, Wire, World, job, judge_of, run};
use crate::engine::{Asked, run_until};

const WIRES: [Wire; 3] = [Wire::Anthropic, Wire::OpenAi, Wire::Gemini];

/// A provider's batches.
#[derive(Clone)]
struct Provider(Arc<Inside>);

struct Inside {
    wire: Wire,
    state: Mutex<Batches>,
    polled: mpsc::UnboundedSender<()>,
}

#[derive(Default)]
struct Batches {
    /// The calls of every batch: mark and body.
    made: Vec<Vec<(String, Value)>>,
    /// An uploaded file.
    file: String,
    /// Whether batches end.
    open: bool,
    /// Requests, without polls.
    requests: Vec<String>,
    /// Calls asked alone.
    alone: usize,
    keys: Vec<String>,
    /// Our labels, by batch.
    labels: Vec<String>,
    /// What happens to the next request that makes a batch.
    accident: Accident,
    /// Every call is answered.
    reliable: bool,
}

/// What goes wrong while a batch is made.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Accident {
    #[default]
    Nothing,
    /// It is made, and the reply never comes.
    Silence,
    /// It is not made, and no reply comes.
    Lost,
}

impl Provider {
    async fn start(wire: Wire) -> (Self, String, mpsc::UnboundedReceiver<()>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let url = format!("http://{}/v1", listener.local_addr().expect("it is bound"));
        let (polled, polls) = mpsc::unbounded_channel();
        let provider = Self(Arc::new(Inside { wire, state: Mutex::default(), polled }));
        let routes = axum::Router::new().fallback(answer).with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        (provider, url, polls)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, Batches> {
        self.0.state.lock().expect("no handler panicked")
    }

    fn end(&self) {
        self.state().open = true;
    }

    /// How many calls each batch had.
    fn sizes(&self) -> Vec<usize> {
        self.state().made.iter().map(Vec::len).collect()
    }

    /// The second batch has the first two calls of the first; every request had
    /// the key, and none asked a call alone.
    fn check_keys_and_marks(&self) {
        let state = self.state();
        let marks = |n: usize| state.made[n].iter().map(|(mark, _)| mark).collect::<Vec<_>>();
        assert_eq!(marks(1), marks(0)[..2]);
        assert!(state.keys.iter().all(|key| key.ends_with("sk-test")));
        assert_eq!(state.alone, 0);
    }

    /// What became of the calls of a batch: shuffled; of the first batch one
    /// failed and one was not got to.
    fn results(&self, number: usize) -> Vec<(String, Value)> {
        let wire = self.0.wire;
        let (calls, reliable) = {
            let state = self.state();
            (state.made[number].clone(), state.reliable)
        };
        let mut results: Vec<(String, Value)> = calls
            .iter()
            .enumerate()
            .map(|(at, (mark, body))| match (number, at) {
                (0, 0) if !reliable => (mark.clone(), failed(wire)),
                (0, 1) if !reliable => (mark.clone(), expired(wire)),
                _ => (mark.clone(), answered(wire, body)),
            })
            .collect();
        results.reverse();
        results
    }
}

fn answered(wire: Wire, body: &Value) -> Value {
    let schema = &wire.schema(body)["properties"];
    let criteria = schema.as_object().expect("it asks").keys().cloned().collect();
    let asked = Asked {
        criteria,
        body: body.clone(),
        authorization: None,
        path: String::new(),
        headers: HeaderMap::new(),
    };
    let Reply::Text(text) = Reply::all(&asked, "YES") else { unreachable!() };
    let reply = wire.reply(&text);
    match wire {
        Wire::Anthropic => json!({"result": {"type": "succeeded", "message": reply}}),
        Wire::OpenAi => json!({"response": {"status_code": 200, "body": reply}, "error": null}),
        _ => json!({"response": reply}),
    }
}

fn failed(wire: Wire) -> Value {
    match wire {
        Wire::Anthropic => json!({"result": {"type": "errored", "error": {"type": "error",
            "error": {"type": "api_error", "message": "Oh no."}}}}),
        Wire::OpenAi => json!({"response": {"status_code": 500,
            "body": {"error": {"type": "server_error", "message": "Oh no."}}}, "error": null}),
        _ => json!({"error": {"code": 13, "message": "Oh no."}}),
    }
}

fn expired(wire: Wire) -> Value {
    match wire {
        Wire::Anthropic => json!({"result": {"type": "expired"}}),
        Wire::OpenAi => {
            json!({"response": null, "error": {"code": "batch_expired", "message": "late"}})
        }
        _ => json!({"error": {"code": 4, "message": "deadline exceeded"}}),
    }
}

async fn answer(
    State(provider): State<Provider>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let wire = provider.0.wire;
    let path = uri.path().trim_start_matches("/v1/").to_owned();
    let text = String::from_utf8(body.to_vec()).expect("it is text");
    let key = ["x-api-key", "authorization", "x-goog-api-key"]
        .iter()
        .find_map(|name| headers.get(*name))
        .map(|key| key.to_str().expect("it is text").to_owned());
    provider.state().keys.push(key.expect("there is a key"));
    let number = path.split(['/', '-']).find_map(|part| part.parse::<usize>().ok());
    let reply = match (method, path.as_str(), number) {
        (Method::POST, "files", _) => {
            let mut state = provider.state();
            state.requests.push("upload".into());
            state.file = text;
            json!({"id": "file-in"}).to_string()
        }
        (Method::POST, path, _)
            if path.ends_with("batches") || path.ends_with(":batchGenerateContent") =>
        {
            let accident = std::mem::take(&mut provider.state().accident);
            let reply =
                if accident == Accident::Lost { String::new() } else { made(&provider, &text) };
            if accident != Accident::Nothing {
                // The test may not listen any more.
                let _ = provider.0.polled.send(());
                std::future::pending::<()>().await;
            }
            reply
        }
        (Method::GET, "messages/batches" | "batches", _) => listed(&provider).to_string(),
        (Method::POST, ..) => {
            provider.state().alone += 1;
            return StatusCode::IM_A_TEAPOT.into_response();
        }
        (_, path, Some(number)) if path.ends_with("results") || path.ends_with("content") => {
            provider.state().requests.push("fetch".into());
            lines(&provider, number)
        }
        (_, _, Some(number)) => {
            // The test may not listen any more.
            let _ = provider.0.polled.send(());
            let open = provider.state().open;
            polled(&provider, wire, number, open).to_string()
        }
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    reply.into_response()
}

/// A batch is made; its number is its name.
fn made(provider: &Provider, text: &str) -> String {
    let wire = provider.0.wire;
    let body: Value = serde_json::from_str(text).expect("the body is JSON");
    let mut state = provider.state();
    state.requests.push("create".into());
    let pairs = |list: &Value, mark: fn(&Value) -> &Value, call: &str| -> Vec<(String, Value)> {
        let list = list.as_array().expect("a list");
        let pair =
            |one: &Value| (mark(one).as_str().expect("a mark").to_owned(), one[call].clone());
        list.iter().map(pair).collect()
    };
    let calls = match wire {
        Wire::Anthropic => pairs(&body["requests"], |one| &one["custom_id"], "params"),
        Wire::Gemini => {
            let list = &body["batch"]["inputConfig"]["requests"]["requests"];
            pairs(list, |one| &one["metadata"]["key"], "request")
        }
        _ => {
            let label = &body["metadata"];
            assert_eq!(
                body,
                json!({"input_file_id": "file-in", "endpoint": "/v1/responses",
                    "completion_window": "24h", "metadata": label})
            );
            let lines: Vec<Value> =
                state.file.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
            assert!(lines.iter().all(|l| l["method"] == "POST" && l["url"] == "/v1/responses"));
            pairs(&lines.into(), |one| &one["custom_id"], "body")
        }
    };
    let number = state.made.len();
    state.made.push(calls);
    let label = match wire {
        Wire::Gemini => body["batch"]["displayName"].as_str(),
        _ => body["metadata"]["rubricator"].as_str(),
    };
    state.labels.push(label.unwrap_or_default().to_owned());
    match wire {
        Wire::Gemini => json!({"name": format!("batches/b-{number}"), "metadata": {"state": "BATCH_STATE_PENDING"}}),
        _ => json!({"id": format!("b-{number}"), "processing_status": "in_progress", "status": "validating"}),
    }
    .to_string()
}

/// All batches, the newest first, after one of somebody else's.
fn listed(provider: &Provider) -> Value {
    let state = provider.state();
    let at = jiff::Timestamp::now().to_string();
    let batch = |(number, label): (usize, &String)| match provider.0.wire {
        Wire::Anthropic => json!({"id": format!("b-{number}"), "created_at": at,
            "request_counts": {"processing": state.made[number].len(), "succeeded": 0}}),
        Wire::Gemini => json!({"name": format!("batches/b-{number}"),
            "metadata": {"displayName": label}}),
        _ => json!({"id": format!("b-{number}"), "metadata": {"rubricator": label}}),
    };
    let other = match provider.0.wire {
        Wire::Anthropic => json!({"id": "b-77", "created_at": "2020-01-01T00:00:00Z",
            "request_counts": {"processing": 5}}),
        Wire::Gemini => json!({"name": "batches/b-77", "metadata": {"displayName": "mine"}}),
        _ => json!({"id": "b-77", "metadata": null}),
    };
    let ours = state.labels.iter().enumerate().map(batch).rev();
    let list: Vec<Value> = std::iter::once(other).chain(ours).collect();
    match provider.0.wire {
        Wire::Gemini => json!({"operations": list}),
        _ => json!({"data": list, "has_more": false}),
    }
}

fn polled(provider: &Provider, wire: Wire, number: usize, open: bool) -> Value {
    match (wire, open) {
        (Wire::Anthropic, false) => json!({"processing_status": "in_progress"}),
        (Wire::Anthropic, true) => {
            json!({"processing_status": "ended", "results_url": "http://127.0.0.1:1/elsewhere"})
        }
        (Wire::Gemini, false) => json!({"metadata": {"state": "BATCH_STATE_RUNNING"}}),
        (Wire::Gemini, true) => {
            let results = provider.results(number).into_iter().map(|(mark, mut result)| {
                result["metadata"] = json!({"key": mark});
                result
            });
            let inlined: Vec<Value> = results.collect();
            json!({"metadata": {"state": "BATCH_STATE_SUCCEEDED",
                "output": {"inlinedResponses": {"inlinedResponses": inlined}}}})
        }
        (_, false) => json!({"status": "in_progress", "request_counts": {"completed": 0}}),
        (_, true) => {
            json!({"status": "completed", "output_file_id": format!("out-{number}"), "error_file_id": null})
        }
    }
}

fn lines(provider: &Provider, number: usize) -> String {
    let line = |(mark, mut result): (String, Value)| {
        result["custom_id"] = mark.into();
        result.to_string() + "\n"
    };
    provider.results(number).into_iter().map(line).collect()
}

fn batching(world: &World) -> Engine {
    Engine::new(EngineOptions { batch: true, ..world.options() })
}

/// Runs until the batch was looked at, and is interrupted.
async fn interrupted(world: &World, job: &AssessJob, polls: &mut mpsc::UnboundedReceiver<()>) {
    let cancel = CancellationToken::new();
    let engine = batching(world);
    let running = run_until(&engine, job.clone(), cancel.clone());
    let interrupting = async {
        polls.recv().await.expect("it is looked at");
        cancel.cancel();
    };
    let (ran, ()) = tokio::join!(running, interrupting);
    assert!(ran.summary.cancelled);
    assert!(
        ran.notices().iter().any(|n| n.contains("run the same command again")),
        "{:?}",
        ran.notices()
    );
}

#[tokio::test]
async fn a_batch_survives_a_restart_and_is_fetched_in_any_order() {
    for wire in WIRES {
        let world = World::new();
        let (provider, url, mut polls) = Provider::start(wire).await;
        let job = job(&world, 5, judge_of(wire, &url));
        interrupted(&world, &job, &mut polls).await;
        assert_eq!(provider.sizes(), [5]);
        provider.end();
        let ran = run(&batching(&world), job.clone()).await;
        // What failed and what was not got to went into a second batch; nothing else.
        assert_eq!(provider.sizes(), [5, 2], "{wire:?}");
        assert_eq!((ran.summary.answered, ran.summary.unscored), (15, 0), "{wire:?}");
        assert_eq!((ran.summary.input_tokens, ran.summary.output_tokens), (500, 50));
        provider.check_keys_and_marks();
        // Everything is in the store, and nothing is under way.
        assert_eq!(world.engine().recall(&job).len(), 15);
        let again = run(&batching(&world), job).await;
        assert_eq!((again.summary.cached, again.summary.calls), (15, 0));
        assert_eq!(provider.sizes(), [5, 2]);
        let list = std::fs::read(world.project().join("user/batches.db")).expect("it is there");
        let holds = |text: &str| list.windows(text.len()).any(|part| part == text.as_bytes());
        assert!(!holds("sk-test") && !holds("Question"));
    }
}

#[tokio::test]
async fn what_was_asked_is_kept_although_the_text_has_changed_meanwhile() {
    let world = World::new();
    let (provider, url, mut polls) = Provider::start(Wire::Anthropic).await;
    let before = job(&world, 4, judge_of(Wire::Anthropic, &url));
    interrupted(&world, &before, &mut polls).await;
    provider.end();
    // Two transcripts are gone; what was paid for them is kept for when they return.
    let mut after = before.clone();
    after.transcripts.truncate(2);
    let ran = run(&batching(&world), after).await;
    assert_eq!(ran.summary.unscored, 0);
    let known = world.engine().recall(&before).len();
    assert!(known >= 9, "{known}");
    let total: usize = provider.sizes().iter().sum();
    assert!(total <= 6, "{:?}", provider.sizes());
}

#[tokio::test]
async fn what_calls_share_is_kept_for_an_hour() {
    let world = World::new();
    let (provider, url, _polls) = Provider::start(Wire::Anthropic).await;
    provider.end();
    run(&batching(&world), job(&world, 3, judge_of(Wire::Anthropic, &url))).await;
    let state = provider.state();
    let marks: Vec<&Value> =
        state.made[0].iter().map(|(_, body)| &body["system"][1]["cache_control"]).collect();
    assert_eq!(marks, [&json!({"type": "ephemeral", "ttl": "1h"}); 3]);
}

#[tokio::test]
async fn a_judge_without_batches_is_asked_as_ever() {
    let world = World::new();
    let server = crate::engine::JudgeServer::yes().await;
    let ran = run(&batching(&world), job(&world, 2, judge_of(Wire::Chat, &server.url))).await;
    assert_eq!((ran.summary.answered, server.take().len()), (6, 2));
}

/// A purge reaches into a batch that is out: its answer is paid for and thrown away.
#[tokio::test]
async fn a_transcript_that_is_purged_while_its_batch_is_out_leaves_nothing() {
    let world = World::new();
    let (provider, url, mut polls) = Provider::start(Wire::Anthropic).await;
    provider.state().reliable = true;
    let job = job(&world, 3, judge_of(Wire::Anthropic, &url));
    interrupted(&world, &job, &mut polls).await;
    let user = world.project().join("user");
    let about = [About::Id("t0".into()), About::Text(job.transcripts[1].digest)];
    let purge = || rubricator::engine::batch::purge(&user, Some(world.project()), &about).unwrap();
    assert_eq!((purge(), purge()), (2, 0));
    let list = std::fs::read(user.join("batches.db")).expect("it is there");
    let holds = |text: &str| list.windows(text.len()).any(|part| part == text.as_bytes());
    let digest = |n: usize| job.transcripts[n].digest.to_string();
    assert!(!holds("\"t0\"") && !holds(&digest(0)) && !holds(&digest(1)) && holds(&digest(2)));
    provider.end();
    // The third alone is asked about now, by a run that knows nothing of the others.
    let mut rest = job.clone();
    rest.transcripts.drain(..2);
    let ran = run(&batching(&world), rest).await;
    assert_eq!((ran.summary.answered, ran.summary.unscored, provider.sizes()), (3, 0, vec![3]));
    assert_eq!(world.engine().recall(&job).len(), 3);
    // All three were paid for.
    let spend = Ledger::read(&user.join(ledger::FILE), Some(world.project()), ledger::now());
    assert_eq!(spend.unwrap().of_judge("a").all.calls, 3);
}

/// Ten USD a million in, a hundred out; half of it in a batch.
fn priced(world: &World) -> Engine {
    let file = world.dir.path().join("prices.toml");
    let list = "[[price]]\nprovider = 'anthropic'\nhost = '127.0.0.1'\n\
        models = ['claude*']\ninput = 10\noutput = 100\nbatch = 0.5\n";
    std::fs::write(&file, list).expect("it can be written");
    Engine::new(EngineOptions { batch: true, price_file: Some(file), ..world.options() })
}

fn under_cap(mut job: AssessJob, cap: f64) -> AssessJob {
    job.settings.max_cost_per_run = cap;
    job.spending = Spending::of_run(&job.settings);
    job
}

#[tokio::test]
async fn money_that_a_batch_did_not_take_pays_for_the_next() {
    let world = World::new();
    let (provider, url, _polls) = Provider::start(Wire::Anthropic).await;
    provider.end();
    let judge = Judge { max_tokens: Some(200), ..judge_of(Wire::Anthropic, &url) };
    let engine = priced(&world);
    let plan = engine.plan(&job(&world, 5, judge.clone()));
    let (likely, most) = (plan.cost().unwrap(), plan.at_most().unwrap());
    assert!(likely < most);
    // What two of the five calls can cost.
    let job = under_cap(job(&world, 5, judge), most * 0.45);
    let budget = job.spending.budget.clone();
    let ran = run(&engine, job).await;
    // Of the first two one failed and one was not got to: nothing was paid.
    assert_eq!(provider.sizes(), [2, 2, 2, 1]);
    assert_eq!((ran.summary.answered, ran.summary.unscored), (15, 0), "{:?}", ran.notices());
    // 100 tokens in and 10 out, five times, at half the price.
    let usd = 5.0 * (100.0 * 10.0 + 10.0 * 100.0) / 1e6 / 2.0;
    assert!((budget.spent() - usd).abs() < 1e-9, "{}", budget.spent());
    assert!((ran.summary.cost.unwrap() - usd).abs() < 1e-9);
    let file = world.dir.path().join("user").join(ledger::FILE);
    let spend = Ledger::read(&file, Some(world.project()), ledger::now()).unwrap();
    let all = spend.of_judge("a").all;
    assert_eq!((all.calls, all.unpriced, all.input, all.output), (5, 0, 500, 50));
    assert!((all.usd - usd).abs() < 1e-9);
}

#[tokio::test]
async fn a_cap_below_one_call_hands_nothing_in_and_says_so() {
    let world = World::new();
    let (provider, url, _polls) = Provider::start(Wire::Anthropic).await;
    let ran =
        run(&priced(&world), under_cap(job(&world, 2, judge_of(Wire::Anthropic, &url)), 1e-6))
            .await;
    assert_eq!((provider.sizes(), ran.summary.unscored), (Vec::new(), 6));
    assert!(ran.outcomes().iter().all(|line| line.ends_with("over-budget")));
    assert!(ran.notices()[0].contains("`max_cost_per_run`"), "{:?}", ran.notices());
}

/// The second round asks only what the first left borderline, in a batch again.
#[tokio::test]
async fn what_is_borderline_is_asked_again_in_a_batch_of_its_own() {
    for wire in WIRES {
        let world = World::new();
        let (provider, url, _polls) = Provider::start(wire).await;
        provider.end();
        provider.state().reliable = true;
        let judge = Judge { repeat: 3, ..judge_of(wire, &url) };
        // All are YES, so every score is the threshold itself.
        let mut job = job(&world, 2, judge);
        let rubric = crate::engine::RUBRIC.replace("pass_threshold: 0.8", "pass_threshold: 1.0");
        job.rubric = world.job(&rubric, &[], Vec::new()).rubric;
        let ran = run(&batching(&world), job.clone()).await;
        // Everything once and the gate twice more; then the two questions twice more.
        assert_eq!(provider.sizes(), [2 * 3, 2 * 2], "{wire:?}");
        let asked = |number: usize| {
            let state = provider.state();
            let criteria = |(_, body): &(String, Value)| {
                let schema = wire.schema(body)["properties"].as_object().expect("it asks");
                schema.keys().map(String::as_str).collect::<String>()
            };
            let mut asked: Vec<String> = state.made[number].iter().map(criteria).collect();
            asked.sort();
            asked
        };
        assert_eq!(asked(0).iter().filter(|criteria| *criteria == "G").count(), 4);
        assert!(asked(1).iter().all(|criteria| criteria.len() == 2 && !criteria.contains('G')));
        assert_eq!((ran.summary.answered, ran.summary.unscored), (6, 0));
        assert_eq!((ran.summary.flips["a"].repeated, ran.summary.flips["a"].flipped), (6, 0));
        let again = run(&batching(&world), job).await;
        assert_eq!((again.summary.cached, again.summary.calls), (6, 0));
        assert_eq!(provider.sizes().len(), 2);
    }
}

/// Runs until a batch was being made, and ends as by a kill: nothing is tidied up.
async fn killed(world: &World, job: &AssessJob, requests: &mut mpsc::UnboundedReceiver<()>) {
    let (engine, job) = (batching(world), job.clone());
    let running = tokio::spawn(async move { run(&engine, job).await });
    requests.recv().await.expect("it is made");
    running.abort();
    assert!(running.await.expect_err("it was killed").is_cancelled());
}

#[tokio::test]
async fn a_batch_made_as_the_program_was_killed_is_found_again() {
    for wire in WIRES {
        let world = World::new();
        let (provider, url, mut requests) = Provider::start(wire).await;
        provider.state().accident = Accident::Silence;
        provider.state().reliable = true;
        let job = job(&world, 5, judge_of(wire, &url));
        killed(&world, &job, &mut requests).await;
        assert_eq!(provider.sizes(), [5]);
        provider.end();
        let ran = run(&batching(&world), job).await;
        assert_eq!((ran.summary.answered, ran.summary.unscored), (15, 0), "{wire:?}");
        assert_eq!(provider.sizes(), [5], "{wire:?}: nothing is asked twice");
        assert_eq!(provider.state().alone, 0);
        assert!(ran.notices()[0].contains("still waiting"), "{:?}", ran.notices());
    }
}

#[tokio::test]
async fn a_batch_that_never_came_to_be_is_said_and_asked_again() {
    for wire in WIRES {
        let world = World::new();
        let (provider, url, mut requests) = Provider::start(wire).await;
        provider.state().accident = Accident::Lost;
        provider.state().reliable = true;
        let job = job(&world, 5, judge_of(wire, &url));
        killed(&world, &job, &mut requests).await;
        assert_eq!(provider.sizes(), [0; 0]);
        provider.end();
        let ran = run(&batching(&world), job).await;
        assert_eq!((ran.summary.answered, provider.sizes()), (15, vec![5]), "{wire:?}");
        assert!(ran.notices()[0].contains("the provider does not list it"), "{:?}", ran.notices());
    }
}

/// Where there are no labels, a batch of the same size and hour is another's until
/// its results name our calls.
#[tokio::test]
async fn somebody_elses_batch_is_not_taken_for_ours() {
    let world = World::new();
    let (provider, url, mut requests) = Provider::start(Wire::Anthropic).await;
    provider.state().reliable = true;
    provider.state().accident = Accident::Silence;
    let job = job(&world, 5, judge_of(Wire::Anthropic, &url));
    killed(&world, &job, &mut requests).await;
    {
        let mut state = provider.state();
        let theirs: Vec<_> =
            state.made[0].iter().map(|(_, body)| ("theirs".to_owned(), body.clone())).collect();
        state.made.push(theirs);
        state.labels.push(String::new());
    }
    provider.end();
    let ran = run(&batching(&world), job).await;
    assert_eq!((ran.summary.answered, ran.summary.unscored), (15, 0));
    assert_eq!(provider.sizes(), [5, 5]);
    let file = world.dir.path().join("user").join(ledger::FILE);
    let spend = Ledger::read(&file, Some(world.project()), ledger::now()).unwrap();
    assert_eq!(spend.of_judge("a").all.calls, 5);
}
