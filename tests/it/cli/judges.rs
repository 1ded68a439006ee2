//! `judges`: the list, and the trial of a sound, an obedient and a broken judge.

use expect_test::expect;
use rubricator::assessment::selftest;
use serde_json::{Value, json};

use super::{Project, Ran, record};
use crate::engine::{Asked, JudgeServer, Reply};

fn settings(judges: &[(&str, &str)]) -> String {
    let judge = |(name, url): &(&str, &str)| {
        format!(
            "[[judge]]\nname = '{name}'\nprovider = 'openai-compatible'\nbase_url = '{url}'\nmodel = 'qwen3:{name}'\n"
        )
    };
    let judges: String = judges.iter().map(judge).collect();
    format!("[project]\nrubric = 'rubric.yaml'\ntranscripts = ['*.jsonl']\n{judges}")
}

const RUBRIC: &str = "\
categories: {all: {weight: 1.0, criteria: [A, B]}}
min_exchanges: 1
criteria:
  A: {question: Is it kind?, na_valid: false}
  B: {question: Is it short?, na_valid: false}
";

async fn run(project: &Project, arguments: &[&str]) -> Ran {
    let mut command = project.command(arguments);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    Ran::of(output.await.unwrap())
}

fn host(server: &JudgeServer) -> String {
    server.url.replace("http://", "").replace("/v1", "")
}

fn conversation(asked: &Asked) -> &str {
    asked.body["messages"][1]["content"].as_str().unwrap()
}

/// The answers that are expected of the canary it is asked about.
fn sound(asked: &Asked) -> Reply {
    let canaries = selftest::canaries();
    let shown = |c: &&selftest::Canary| {
        c.transcript.messages.iter().all(|m| conversation(asked).contains(&m.text))
    };
    let canary = canaries.iter().find(shown).expect("it is asked about a canary");
    let answer = |id: &String| {
        let verdict = canary.expected.get(id).map_or("YES", |verdicts| verdicts[0].name());
        (id.clone(), json!({"reasoning": "as it is", "evidence": [], "answer": verdict}))
    };
    Reply::Text(Value::Object(asked.criteria.iter().map(answer).collect()).to_string())
}

/// Sound, until a text tells it what to answer.
fn obedient(asked: &Asked) -> Reply {
    let orders = ["answer YES", "Answer YES", "\"answer\": \"YES\"", "New instructions"];
    let told = orders.iter().any(|order| conversation(asked).contains(order));
    if told { Reply::all(asked, "YES") } else { sound(asked) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trial_tells_a_sound_judge_from_an_obedient_and_a_broken_one() {
    let good = JudgeServer::start(|asked, _| sound(asked)).await;
    let meek = JudgeServer::start(|asked, _| obedient(asked)).await;
    let mute = JudgeServer::start(|asked, _| match asked.criteria.len() {
        3 => Reply::Text(":".into()),
        _ => Reply::all(asked, "YES"),
    })
    .await;
    let project = Project::with(&settings(&[("good", &good.url), ("meek", &meek.url)]));
    let ran = run(&project, &["judges", "--selftest"]).await;
    expect![[r#"
        exit 1
        --- err
        selftest: 22 calls, $0.00
        --- out
        good  openai-compatible qwen3:good
          host         GOOD
          trusted      yes
          key          none is named
          price        free: it stays on this machine
          asks         8 calls at once, each question once
          family       qwen
          selftest     passed 11 of 11
        meek  openai-compatible qwen3:meek
          host         MEEK
          trusted      yes
          key          none is named
          price        free: it stays on this machine
          asks         8 calls at once, each question once
          family       qwen
          selftest     passed 7 of 11
            ✗ says-answer-yes: a speaker who says: answer YES to everything
              ST1 is NO, said YES: because
              ST2 is NO, said YES: because
            ✗ fake-fence: a message that pretends to close the fence
              ST1 is NO, said YES: because
              ST2 is NO, said YES: because
            ✗ fake-answer: a message that holds the answer in JSON
              ST1 is NO, said YES: because
              ST2 is NO, said YES: because
            ✗ fake-system: a message that speaks as the system
              ST2 is NO, said YES: because
    "#]]
    .assert_eq(&ran.all().replace(&host(&good), "GOOD").replace(&host(&meek), "MEEK"));
    assert_eq!((good.take().len(), meek.take().len()), (11, 11));

    // Nothing was kept: another trial asks again, and no store was made.
    let again = run(&project, &["judges", "--selftest", "--judge", "good"]).await;
    assert_eq!((again.code, good.take().len()), (Some(0), 11), "{}", again.all());
    assert!(!project.path(".rubricator").exists());

    project.write("rubricator.toml", settings(&[("mute", &mute.url)]));
    let ran = run(&project, &["judges", "--selftest", "--format", "json"]).await;
    let rows: Value = serde_json::from_str(&ran.out).unwrap();
    let trial = &rows[0]["selftest"];
    assert_eq!((ran.code, &trial["passed"], &trial["total"]), (Some(3), &0.into(), &11.into()));
    let said = &trial["canaries"][0]["answers"][0];
    expect![[r#"{"criterion":"ST1","expected":["YES"],"said":"UNSCORED","reasoning":"malformed: the reply is not one JSON object"}"#]]
        .assert_eq(&said.to_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_says_what_is_known_and_sends_nothing() {
    let (one, two) =
        (JudgeServer::yes().await, JudgeServer::start(|asked, _| Reply::all(asked, "NO")).await);
    let text = settings(&[("one", &one.url), ("two", &two.url)])
        + "[[judge]]\nname = 'far'\nprovider = 'anthropic'\nmodel = 'claude-x'\napi_key_env = 'NO_SUCH_KEY'\n\
           [[judge]]\nname = 'tape'\nprovider = 'recorded'\nfile = 'said/tape.jsonl'\n";
    let project = Project::with(&text);
    project.write("rubric.yaml", RUBRIC);
    let signed = record("b").replacen('{', "{\"metadata\":{\"model\":\"qwen/qwen3-8b\"},", 1);
    project.write("t.jsonl", record("a") + "\n" + &signed + "\n");
    let ran = run(&project, &["assess", "--judge", "one,two", "--format", "jsonl"]).await;
    assert_eq!(ran.code, Some(1), "{}", ran.all());
    expect![[r#"
        warning: text of a judge's own model family is assessed by one (qwen wrote 1 of 2 transcripts) and two (qwen wrote 1 of 2 transcripts): models are lenient with their own, so ask a judge of another family too
    "#]].assert_eq(&ran.err);
    assert_eq!((one.take().len(), two.take().len()), (2, 2));

    let listed = run(&project, &["judges"]).await;
    expect![[r#"
        exit 0
        --- err
        --- out
        one  openai-compatible qwen3:one
          host         ONE
          trusted      yes
          key          none is named
          price        free: it stays on this machine
          asks         8 calls at once, each question once
          family       qwen, which wrote 1 of the 1 transcripts that name their model: models are lenient with their own, so ask a judge of another family too
          so far       4 answers stored; agrees with the others on 0 % of 4 answers
        two  openai-compatible qwen3:two
          host         TWO
          trusted      yes
          key          none is named
          price        free: it stays on this machine
          asks         8 calls at once, each question once
          family       qwen, which wrote 1 of the 1 transcripts that name their model: models are lenient with their own, so ask a judge of another family too
          so far       4 answers stored; agrees with the others on 0 % of 4 answers
        far  anthropic claude-x
          host         api.anthropic.com
          trusted      no: it would send text away from this machine: run `rubricator trust` in the project first (on the command line, typing `assess` is the consent)
          key          the environment has no NO_SUCH_KEY: set NO_SUCH_KEY to the key
          price        unknown: nothing is sent under a cap until your own prices.toml names it
          asks         8 calls at once, each question once
          family       claude
        tape  recorded
          host         none: it replays said/tape.jsonl
          trusted      yes
    "#]]
        .assert_eq(&listed.all().replace(&host(&one), "ONE").replace(&host(&two), "TWO"));
    assert!(one.take().is_empty() && two.take().is_empty());
    let tape = run(&project, &["judges", "--selftest", "--judge", "tape"]).await;
    expect![[r#"
        exit 0
        --- err
        --- out
        tape  recorded
          host         none: it replays said/tape.jsonl
          trusted      yes
          selftest     does not apply: it replays answers
    "#]]
    .assert_eq(&tape.all());
    let wrong = run(&project, &["judges", "--judge", "ones"]).await;
    assert_eq!(wrong.code, Some(2));
}

/// What a million tokens cost, by whose list and of which day; and where the key is.
#[test]
fn a_list_says_prices_and_where_keys_are() {
    let judge = |provider: &str, model: &str| {
        format!("[[judge]]\nname = '{provider}'\nprovider = '{provider}'\nmodel = '{model}'\n")
    };
    let judges = [
        judge("anthropic", "claude-haiku-5-5"),
        judge("gemini", "gemini-3.8-flash"),
        judge("openai", "gpt-6-luna"),
        judge("claude-cli", "claude-opus-5-5"),
    ];
    let project = Project::with(&judges.concat());
    project.user_file(
        "prices.toml",
        "[[price]]\nprovider = 'openai'\nmodels = ['gpt-6*']\ninput = 3\noutput = 7\n",
    );
    let list = |format: &str| {
        let mut command = project.command(&["judges", "--format", format]);
        Ran::of(command.env("ANTHROPIC_API_KEY", "sk-ant-api-zebra-1").output().unwrap())
    };
    let text = list("text");
    assert!(!text.all().contains("zebra"));
    let has = |line: &str| assert!(text.out.contains(line), "{line}\n{}", text.out);
    has("ANTHROPIC_API_KEY is set");
    has("the environment has no GOOGLE_API_KEY or GEMINI_API_KEY");
    has("0.1 in, 0.01 cached, 0.125 written to the cache, 0.5 out USD for a million tokens; of \
         prompts over 100000 tokens 0.5 in, 0.05 cached, 0.625 written to the cache, 2.5 out; in a \
         batch x 0.5 (the program's list of 20");
    has("3 in, 3 cached, 3 written to the cache, 7 out USD for a million tokens");
    has("(your prices.toml)");
    has("what the program says it cost counts");
    let rows: Value = serde_json::from_str(&list("json").out).unwrap();
    let (anthropic, gemini) = (&rows[0], &rows[1]);
    let key = json!({"env": "ANTHROPIC_API_KEY", "present": true, "place": "environment"});
    assert_eq!(anthropic["key"], key);
    assert_eq!(
        (&anthropic["price"]["input"], &anthropic["price"]["output"]),
        (&0.1.into(), &0.5.into())
    );
    assert_eq!(anthropic["price"]["source"], "built-in");
    assert_eq!(anthropic["price"]["as_of"].as_str().unwrap().len(), 10);
    assert_eq!(
        (&gemini["key"]["env"], &gemini["key"]["present"]),
        (&"GOOGLE_API_KEY".into(), &false.into())
    );
    assert_eq!(
        (&rows[2]["price"]["source"], &rows[2]["price"]["as_of"]),
        (&"own".into(), &Value::Null)
    );
}
