//! What asking costs besides the network: `assess` of many conversations against a
//! judge on this machine that answers at once, beside a bare reqwest loop that sends
//! the very same bodies in the same run; then the same assessment when all is known.
//!
//! The judge is a process of its own, so the CPU time is the client's alone.
//!
//! `cargo bench --bench engine`; `RUBRICATOR_BENCH_CALLS=500` for less.

#![expect(clippy::print_stdout, reason = "a benchmark reports on standard output")]

#[path = "../tests/it/crowd.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod crowd;

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use rubricator::config::{Assess, Judge, Origin, Provider};
use rubricator::engine::provider::{self, Call, Request};
use rubricator::engine::{
    AssessJob, Engine, EngineOptions, JobTranscript, RunSummary, Spending, Stopped, Trust,
};
use rubricator::prompt::{self, FenceKey, Layout, Question, Template};
use rubricator::rubric::{self, Rubric};
use rubricator::text::json;
use rubricator::transcript;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

const AT_ONCE: usize = 8;
const EXCHANGES: usize = 12;
/// The kernel counts CPU time in hundredths of a second.
const TICKS: f64 = 100.0;

fn main() {
    if std::env::args().any(|argument| argument == "serve") {
        return serve();
    }
    let calls = std::env::var("RUBRICATOR_BENCH_CALLS").ok().and_then(|text| text.parse().ok());
    let (mut server, url) = start();
    let runtime = Runtime::new().expect("a runtime");
    let (rubric, judge) = (Arc::new(rubric()), judge(&url));
    let transcripts: Vec<JobTranscript> = (0..calls.unwrap_or(2000)).map(conversation).collect();
    let bodies: Vec<String> = transcripts.iter().map(|t| body(&rubric, &judge, t)).collect();
    let kilobytes = bodies.iter().map(String::len).sum::<usize>() / bodies.len() / 1000;
    println!("{} calls of {kilobytes} KB, {AT_ONCE} at once", bodies.len());

    let address = format!("{url}/chat/completions");
    // The first calls open connections and warm the caches of both sides.
    runtime.block_on(bare(&address, &bodies[..bodies.len() / 10]));
    let floor = measured(|| runtime.block_on(bare(&address, &bodies)), bodies.len());
    report("bare reqwest", &floor, &floor);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let job = || AssessJob {
        generation: 0,
        transcripts: transcripts.clone(),
        rubric: Arc::clone(&rubric),
        judges: vec![judge.clone()],
        settings: Assess::default(),
        template: Arc::new(Template::builtin()),
        trust: Trust::Unsaid,
        project_dir: Some(folder.path().to_owned()),
        spending: Spending::of_run(&Assess::default()),
        stopped: Stopped::default(),
    };
    let assess = |data_dir: Option<PathBuf>| {
        let engine = Engine::new(EngineOptions { data_dir, ..EngineOptions::default() });
        runtime.block_on(assessed(&engine, job()))
    };
    let user = Some(folder.path().join("user"));
    let asked = |summary: RunSummary| assert_eq!(summary.calls, bodies.len());
    report("assess, kept nowhere", &measured(|| asked(assess(None)), bodies.len()), &floor);
    report(
        "assess, kept in a store",
        &measured(|| asked(assess(user.clone())), bodies.len()),
        &floor,
    );
    let again = measured(|| assert_eq!(assess(user.clone()).calls, 0), bodies.len());
    println!(
        "assess, all known            {:>9.0} conversations/s, {:.0} ms in all, 0 calls",
        again.per_second,
        1000.0 * bodies.len() as f64 / again.per_second
    );
    drop(server.stdin.take());
    server.wait().expect("the judge ends");
}

struct Measured {
    per_second: f64,
    cpu_each: f64,
}

fn measured(work: impl FnOnce(), count: usize) -> Measured {
    let (begun, cpu) = (Instant::now(), cpu_seconds());
    work();
    let (seconds, cpu) = (begun.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    Measured { per_second: count as f64 / seconds, cpu_each: cpu / count as f64 }
}

fn report(name: &str, of: &Measured, floor: &Measured) {
    println!(
        "{name:<28} {:>9.0} calls/s {:>6.2}x   {:>6.0} us CPU a call {:>6.2}x",
        of.per_second,
        of.per_second / floor.per_second,
        1e6 * of.cpu_each,
        of.cpu_each / floor.cpu_each
    );
}

/// CPU time of this process so far, in user and kernel mode.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split(' ').collect();
    let ticks = |index: usize| fields.get(index).and_then(|f| f.parse::<f64>().ok());
    (ticks(12).unwrap_or_default() + ticks(13).unwrap_or_default()) / TICKS
}

async fn assessed(engine: &Engine, job: AssessJob) -> RunSummary {
    let (sender, mut updates) = tokio::sync::mpsc::unbounded_channel();
    let listening = tokio::spawn(async move { while updates.recv().await.is_some() {} });
    let summary = engine.assess(job, CancellationToken::new(), sender).await;
    listening.await.expect("nobody panics");
    summary
}

/// The floor: the same bodies over as many connections, replies read and dropped.
async fn bare(address: &str, bodies: &[String]) {
    // As the engine does: fails when one is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let mut lanes = tokio::task::JoinSet::new();
    for lane in 0..AT_ONCE {
        let bodies: Vec<String> = bodies.iter().skip(lane).step_by(AT_ONCE).cloned().collect();
        let (client, address) = (client.clone(), address.to_owned());
        lanes.spawn(async move {
            for body in bodies {
                let sent = client.post(&address).header("content-type", "application/json");
                let reply = sent.body(body).send().await.expect("a reply");
                assert!(reply.bytes().await.expect("a body").starts_with(b"{"));
            }
        });
    }
    while let Some(lane) = lanes.join_next().await {
        lane.expect("a lane ends");
    }
}

fn body(rubric: &Rubric, judge: &Judge, one: &JobTranscript) -> String {
    let criteria: Vec<&rubric::Criterion> = rubric.criteria.iter().collect();
    let question = Question {
        transcript: &one.transcript,
        digest: &one.digest.0,
        criteria: &criteria,
        fence: FenceKey::new([0; 32]),
        layout: Layout::CriteriaFirst,
    };
    let prompt = prompt::judge(&Template::builtin(), &question);
    match provider::build(&Call { judge, prompt: &prompt, key: None }).expect("a request") {
        Request::Http(request) => request.body,
        Request::Command(_) => unreachable!("the judge is a server"),
    }
}

fn judge(url: &str) -> Judge {
    Judge {
        name: "local".into(),
        provider: Provider::OpenAiCompatible,
        model: "m".into(),
        base_url: Some(url.to_owned()),
        api_key_env: None,
        command: None,
        file: None,
        max_concurrency: AT_ONCE,
        timeout_s: 60,
        max_tokens: None,
        effort: None,
        temperature: None,
        family: None,
        repeat: 1,
        origin: Origin::UserFile,
    }
}

fn rubric() -> Rubric {
    let ids: Vec<String> = (1..=8).map(|n| format!("C{n}")).collect();
    let criterion = |id: &String| {
        format!(
            "  {id}: {{name: Number {id}, question: Is every reply good in the way of {id}?}}\n"
        )
    };
    let criteria: String = ids.iter().map(criterion).collect();
    let all = ids.join(", ");
    let yaml = format!(
        "name: Bench\nmin_exchanges: 1\ncategories:\n  all: {{weight: 1.0, criteria: [{all}]}}\ncriteria:\n{criteria}"
    );
    rubric::parse::parse(&yaml).rubric.expect("it is a rubric")
}

fn conversation(number: usize) -> JobTranscript {
    let words = |n: usize| format!("word{} and some more of them, ", (number + n) % 97).repeat(12);
    let message = |n: usize| {
        let role = if n.is_multiple_of(2) { "user" } else { "assistant" };
        serde_json::json!({"role": role, "content": format!("marker-{number}-end {}", words(n))})
    };
    let messages: Vec<serde_json::Value> = (0..2 * EXCHANGES).map(message).collect();
    let record = serde_json::json!({"id": format!("t{number}"), "messages": messages}).to_string();
    let json = json::parse(&record, json::DEPTH_LIMIT);
    let transcript = transcript::read(&record, &json).transcript.expect("it is a conversation");
    let digest = transcript::digest::of(&record, &transcript);
    JobTranscript::new(Arc::new(transcript), digest)
}

/// The judge's process, and its address.
fn start() -> (Child, String) {
    let program = std::env::current_exe().expect("this program");
    let mut child = Command::new(program)
        .arg("serve")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the judge starts");
    let mut url = String::new();
    let output = child.stdout.take().expect("it is piped");
    BufReader::new(output).read_line(&mut url).expect("it tells its address");
    (child, url.trim().to_owned())
}

/// Answers at once until its standard input ends.
fn serve() {
    let runtime = Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let now = |_| Box::pin(std::future::ready(())) as crowd::Waiting;
        let judge = crowd::Crowd::start(0, crowd::CALM, now).await;
        println!("{}", judge.url);
        let ended = || std::io::stdin().read_to_end(&mut Vec::new());
        let _ = tokio::task::spawn_blocking(ended).await;
    });
}
