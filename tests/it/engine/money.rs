//! Money: what a run may spend, what it spent, and what the ledger says of it,
//! against a server that counts for itself.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use rubricator::config::{Judge, Origin, Provider};
use rubricator::engine::ledger::{self, Ledger, Purpose};
use rubricator::engine::{Engine, EngineOptions, Spending, Stopped, Trust};
use serde_json::{Value, json};

use super::{Asked, JudgeServer, RUBRIC, Reply, World, judge, run, run_until, texts};
use crate::cli::Project;

/// Ten USD a million in, a hundred out, a tenth of it for what is cached.
const PRICES: &str = "[[price]]\nprovider = 'openai-compatible'\nhost = '127.0.0.1'\n\
    models = ['model-paid*']\ninput = 10\ncached = 1\noutput = 100\n";

/// An engine whose user has priced the models named `model-paid…`.
fn priced(world: &World) -> Engine {
    let file = world.dir.path().join("prices.toml");
    std::fs::write(&file, PRICES).expect("it can be written");
    Engine::new(EngineOptions { price_file: Some(file), ..world.options() })
}

fn ledger_file(world: &World) -> PathBuf {
    world.dir.path().join("user").join(ledger::FILE)
}

/// What a server counted: calls that cost, tokens, and millionths of a USD.
#[derive(Default)]
struct Counted {
    calls: AtomicU64,
    input: AtomicU64,
    output: AtomicU64,
    micro: AtomicU64,
}

impl Counted {
    fn count(&self, input: u64, cached: u64, output: u64) -> Value {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.input.fetch_add(input, Ordering::Relaxed);
        self.output.fetch_add(output, Ordering::Relaxed);
        self.micro.fetch_add((input - cached) * 10 + cached + output * 100, Ordering::Relaxed);
        json!({
            "prompt_tokens": input,
            "prompt_tokens_details": {"cached_tokens": cached},
            "completion_tokens": output,
        })
    }

    fn usd(&self) -> f64 {
        self.micro.load(Ordering::Relaxed) as f64 / 1e6
    }

    fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }
}

fn answers(asked: &Asked) -> String {
    let Reply::Text(text) = Reply::all(asked, "YES") else { unreachable!("it is text") };
    text
}

/// A body of Chat Completions.
fn chat(content: &Value, finish: &str, usage: &Value) -> Reply {
    let message = json!({"role": "assistant", "content": content, "refusal": null});
    let choice = json!({"index": 0, "message": message, "finish_reason": finish});
    Reply::Body(json!({"choices": [choice], "usage": usage}).to_string())
}

fn paid(name: &str, server: &JudgeServer) -> Judge {
    let model = format!("model-paid-{name}");
    Judge { model, max_concurrency: 8, max_tokens: Some(200), ..judge(name, server) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_run_stops_before_its_cap_however_many_calls_are_under_way() {
    let world = World::new();
    let counted = Arc::new(Counted::default());
    let counting = Arc::clone(&counted);
    // Every reply is as long as it may be.
    let server = JudgeServer::start(move |asked, _| {
        chat(&answers(asked).into(), "stop", &counting.count(1_000, 0, 200))
    })
    .await;
    let free = JudgeServer::yes().await;
    let judges = vec![paid("one", &server), paid("two", &server), judge("free", &free)];
    let mut job = world.job(RUBRIC, &texts(40), judges);
    job.settings.max_cost_per_run = 0.5;
    job.spending = Spending::of_run(&job.settings);
    let budget = job.spending.budget.clone();
    let engine = priced(&world);
    let ran = run(&engine, job.clone()).await;

    assert!(counted.usd() <= 0.5, "{} USD", counted.usd());
    assert!(counted.calls() >= 8, "it went on as long as there was money: {}", counted.calls());
    assert_eq!(ran.summary.calls as u64, counted.calls() + free.take().len() as u64);
    assert!((ran.summary.cost.unwrap() - counted.usd()).abs() < 1e-6);
    assert!((budget.spent() - counted.usd()).abs() < 1e-6);
    let outcomes = ran.outcomes();
    let over = outcomes.iter().filter(|line| line.ends_with("over-budget")).count() as u64;
    assert_eq!(over, 2 * 40 * 3 - counted.calls() * 3);
    assert_eq!(
        outcomes.iter().filter(|l| l.starts_with("free") && l.ends_with("YES")).count(),
        120
    );
    let notices = ran.notices();
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert!(notices[0].contains("`assess.max_cost_per_run`"), "{notices:?}");

    // What is answered is kept; more money goes on where it stopped.
    let before = counted.calls();
    job.settings.max_cost_per_run = f64::INFINITY;
    job.stopped = Stopped::default();
    job.spending = Spending::of_run(&job.settings);
    let again = run(&engine, job).await;
    assert_eq!(counted.calls(), 80, "{before} were answered before");
    assert_eq!(again.summary.unscored, 0);
    let spend = Ledger::read(&ledger_file(&world), Some(world.project()), ledger::now()).unwrap();
    assert_eq!(spend.of_project().all.calls, 80 + 40);
    assert!((spend.of_project().all.usd - counted.usd()).abs() < 1e-6);
    let known = engine.spend(Some(world.project())).of_project().all;
    assert_eq!(
        (known.calls, known.input),
        (spend.of_project().all.calls, spend.of_project().all.input)
    );
    assert!((known.usd - counted.usd()).abs() < 1e-6);
}

#[tokio::test]
async fn the_ledger_says_what_the_server_counted() {
    let world = World::new();
    let counted = Arc::new(Counted::default());
    let counting = Arc::clone(&counted);
    let failed: Mutex<Vec<String>> = Mutex::default();
    let server = JudgeServer::start(move |asked, number| {
        let text = asked.body["messages"].to_string();
        let n = number as u64;
        // Every third text fails once, at no cost.
        let mut failed = failed.lock().expect("no handler panicked");
        if number % 3 == 0 && !failed.contains(&text) {
            failed.push(text);
            return Reply::Status(503, vec![], "{}");
        }
        match number % 5 {
            0 => chat(&answers(asked).into(), "length", &counting.count(700 + n, 600, 200)),
            1 => chat(&"no JSON at all".into(), "stop", &counting.count(500 + n, 0, 7)),
            2 => chat(&Value::Null, "content_filter", &counting.count(300, 100, 0)),
            _ => chat(&answers(asked).into(), "stop", &counting.count(900 + n, n, 40 + n)),
        }
    })
    .await;
    let engine = priced(&world);
    let mut job = world.job(RUBRIC, &texts(30), vec![paid("one", &server)]);
    job.spending = Spending::of_run(&job.settings).on(Purpose::Selftest);
    let ran = run(&engine, job).await;

    let spend = Ledger::read(&ledger_file(&world), Some(world.project()), ledger::now()).unwrap();
    let [line] = spend.project.as_slice() else { panic!("{spend:?}") };
    assert_eq!((line.judge.as_str(), line.purpose.as_str()), ("one", "selftest"));
    assert_eq!((line.all.calls, line.all.unpriced), (counted.calls(), 0));
    assert_eq!(line.all.input, counted.input.load(Ordering::Relaxed));
    assert_eq!(line.all.output, counted.output.load(Ordering::Relaxed));
    assert!((line.all.usd - counted.usd()).abs() < 1e-6);
    assert!((ran.summary.cost.unwrap() - counted.usd()).abs() < 1e-6);
    // Only who, how much and what for: no text, no transcript, no key.
    let bytes = std::fs::read(ledger_file(&world)).unwrap();
    for secret in ["Question", "Answer", "sk-test"] {
        assert!(!bytes.windows(secret.len()).any(|w| w == secret.as_bytes()), "{secret}");
    }
}

#[tokio::test]
async fn a_price_nobody_knows_sends_nothing_under_a_cap() {
    let world = World::new();
    let file = world.dir.path().join("prices.toml");
    // A mistake in the list: what it meant to price has no price.
    std::fs::write(&file, PRICES.replace("output", "outptu")).unwrap();
    let engine = Engine::new(EngineOptions { price_file: Some(file), ..world.options() });
    let lab = Judge {
        origin: Origin::UserFile,
        base_url: Some("https://lab.invalid/v1".into()),
        provider: Provider::OpenAiCompatible,
        ..judge("lab", &JudgeServer::yes().await)
    };
    let mut job = world.job(RUBRIC, &texts(2), vec![lab]);
    job.trust = Trust::Given;
    let plan = engine.plan(&job);
    assert_eq!((plan.cost(), plan.unpriced().count(), plan.calls()), (None, 1, 2));
    let ran = run(&engine, job).await;
    assert_eq!(ran.summary.calls, 0);
    assert_eq!(ran.outcomes().iter().filter(|l| l.ends_with("over-budget")).count(), 6);
    assert_eq!(ran.notices().len(), 1);
    assert!(ran.notices()[0].contains("no price is known"), "{:?}", ran.notices());
    assert!(!ledger_file(&world).exists());
}

#[tokio::test]
async fn a_call_cancelled_on_its_way_may_have_cost_something() {
    let world = World::new();
    let mut server = JudgeServer::start(|_, _| Reply::Hang).await;
    let engine = priced(&world);
    let job = world.job(RUBRIC, &texts(1), vec![paid("one", &server)]);
    let budget = job.spending.budget.clone();
    let cancel = tokio_util::sync::CancellationToken::new();
    let running = tokio::spawn({
        let (engine, cancel) = (engine.clone(), cancel.clone());
        async move { run_until(&engine, job, cancel).await }
    });
    server.arrived.recv().await.expect("it was asked");
    cancel.cancel();
    let ran = running.await.expect("the run ends");
    assert!(ran.summary.cancelled);
    assert!(budget.spent() > 0.02, "the reservation counts as spent: {}", budget.spent());
    let spend = engine.spend(Some(world.project()));
    assert_eq!((spend.of_judge("one").all.calls, spend.of_judge("one").all.unpriced), (1, 1));
}

/// Two programs at once, one ledger, and `status` over both.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_programs_write_one_ledger_and_status_shows_it() {
    let counted = Arc::new(Counted::default());
    let counting = Arc::clone(&counted);
    let server = JudgeServer::start(move |asked, _| {
        chat(&answers(asked).into(), "stop", &counting.count(1_000, 400, 50))
    })
    .await;
    let project = Project::with(&format!(
        "[project]\nrubric = 'rubric.yaml'\ntranscripts = ['*.jsonl']\n[[judge]]\nname = 'one'\n\
         provider = 'openai-compatible'\nmodel = 'model-paid-x'\nbase_url = '{}'\nmax_tokens = 200\n",
        server.url
    ));
    project.write("rubric.yaml", RUBRIC);
    project.user_file("prices.toml", PRICES);
    for name in ["a", "b"] {
        let lines: String =
            (0..25).map(|n| crate::cli::record(&format!("{name}{n}")) + "\n").collect();
        project.write(&format!("{name}.jsonl"), lines);
    }
    let project = Arc::new(project);
    let mut runs = tokio::task::JoinSet::new();
    for name in ["a.jsonl", "b.jsonl"] {
        let project = Arc::clone(&project);
        runs.spawn_blocking(move || project.run(&["assess", name]));
    }
    while let Some(ran) = runs.join_next().await {
        let ran = ran.expect("it ran");
        assert_eq!(ran.code, Some(0), "{}", ran.all());
    }
    assert_eq!(counted.calls(), 50);
    let asked = Arc::clone(&project);
    let status = tokio::task::spawn_blocking(move || {
        (asked.run(&["status", "--format", "json"]), asked.run(&["status"]))
    });
    let (machine, people) = status.await.expect("it ran");
    let json: Value = serde_json::from_str(&machine.out).expect("it is JSON");
    let line = &json["spend"]["project"][0];
    assert_eq!((&line["judge"], &line["purpose"]), (&"one".into(), &"assess".into()));
    assert_eq!((&line["all"]["calls"], &line["all"]["input_tokens"]), (&50.into(), &50_000.into()));
    let usd = line["today"]["usd"].as_f64().expect("it is a number");
    assert!((usd - counted.usd()).abs() < 1e-6, "{usd}");
    assert!(people.out.contains("one for assess: $0.57 today"), "{}", people.out);

    // Over the cap, the command line says so before anything is sent.
    let asked = Arc::clone(&project);
    project.write("c.jsonl", crate::cli::record("c") + "\n");
    let refused = tokio::task::spawn_blocking(move || {
        asked.run(&["assess", "c.jsonl", "--set", "assess.max_cost_per_run=0.001"])
    });
    let refused = refused.await.expect("it ran");
    assert_eq!(refused.code, Some(2), "{}", refused.all());
    assert!(refused.err.contains("--set assess.max_cost_per_run="), "{}", refused.err);
    assert_eq!(counted.calls(), 50);
}
