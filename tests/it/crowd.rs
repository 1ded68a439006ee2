//! A judge that behaves like a busy provider: it answers, stalls, refuses, breaks
//! and hangs up by a seed, and counts what it was asked and what it answered.
//!
//! Invariant: how it treats a question depends on the seed, the model, the
//! transcript and how often that was asked before, and on nothing else: so a run
//! can be said in advance, whatever order its calls come in.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// How a request is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Fine,
    /// Fine, after a long time.
    Slow,
    /// 429 with a hint.
    Busy,
    /// 429 without one.
    Crowded,
    /// 529
    Overloaded,
    /// 500
    Broken,
    /// 200 with a text that is no answer: paid for, and not asked again in this run.
    Garbage,
    /// The connection breaks in the middle of the reply.
    Reset,
}

/// Out of 100 requests, how many are treated how; the rest are fine.
pub type Moods = &'static [(Mood, u64)];

/// A good day.
pub const CALM: Moods = &[];

/// A model and the number of a transcript: what one call is about.
pub type Pair = (String, usize);

/// What the judge saw.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub asked: BTreeMap<Pair, usize>,
    pub answered: BTreeMap<Pair, usize>,
    /// Replies with text in them, the useless included: what is paid for.
    pub paid: usize,
    /// Calls under way at once, at most, by model.
    pub most: BTreeMap<String, usize>,
    under_way: BTreeMap<String, usize>,
}

impl Seen {
    pub fn requests(&self) -> usize {
        self.asked.values().sum()
    }
}

pub type Waiting = Pin<Box<dyn Future<Output = ()> + Send>>;
type Pause = Arc<dyn Fn(Mood) -> Waiting + Send + Sync>;

struct Shared {
    seed: u64,
    moods: Moods,
    pause: Pause,
    seen: Mutex<Seen>,
    asked: mpsc::UnboundedSender<usize>,
}

/// The judge; it stops with the runtime it was started on.
pub struct Crowd {
    pub url: String,
    /// Hears of every request: how many there were so far.
    pub asked: mpsc::UnboundedReceiver<usize>,
    shared: Arc<Shared>,
}

impl Crowd {
    /// Starts it. `pause` is how long a request of that mood takes.
    pub async fn start(
        seed: u64,
        moods: Moods,
        pause: impl Fn(Mood) -> Waiting + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let url = format!("http://{}/v1", listener.local_addr().expect("it is bound"));
        let (sender, asked) = mpsc::unbounded_channel();
        let (pause, seen): (Pause, _) = (Arc::new(pause), Mutex::default());
        let shared = Arc::new(Shared { seed, moods, pause, seen, asked: sender });
        let served = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&served);
                // A caller that goes away ends its connection, and nothing else.
                tokio::spawn(async move { serve(stream, &shared).await });
            }
        });
        Self { url, asked, shared }
    }

    pub fn seen(&self) -> Seen {
        self.shared.seen.lock().expect("no handler panicked").clone()
    }

    /// What it saw so far, which it then forgets, but for how often what was asked:
    /// that decides its moods.
    pub fn take(&self) -> Seen {
        let mut seen = self.shared.seen.lock().expect("no handler panicked");
        let taken = seen.clone();
        (seen.answered, seen.paid) = (BTreeMap::new(), 0);
        (seen.most, seen.under_way) = (BTreeMap::new(), BTreeMap::new());
        taken
    }

    /// How the `nth` request about this is treated, from 0.
    pub fn mood(&self, pair: &Pair, nth: usize) -> Mood {
        self.shared.mood(pair, nth)
    }
}

impl Shared {
    fn mood(&self, (model, transcript): &Pair, nth: usize) -> Mood {
        let mut roll = roll(self.seed, &format!("{model} {transcript} {nth}")) % 100;
        for (mood, share) in self.moods {
            match roll.checked_sub(*share) {
                None => return *mood,
                Some(rest) => roll = rest,
            }
        }
        Mood::Fine
    }

    /// Counts a request; how it is to be treated.
    fn arrive(&self, pair: &Pair) -> Mood {
        let mut seen = self.seen.lock().expect("no handler panicked");
        let times = seen.asked.entry(pair.clone()).or_default();
        *times += 1;
        let mood = self.mood(pair, *times - 1);
        let now = seen.under_way.entry(pair.0.clone()).or_default();
        *now += 1;
        let now = *now;
        let most = seen.most.entry(pair.0.clone()).or_default();
        *most = now.max(*most);
        // Nobody may listen.
        let _ = self.asked.send(seen.requests());
        mood
    }

    fn leave(&self, pair: &Pair, mood: Mood) {
        let mut seen = self.seen.lock().expect("no handler panicked");
        if let Some(now) = seen.under_way.get_mut(&pair.0) {
            *now = now.saturating_sub(1);
        }
        if matches!(mood, Mood::Fine | Mood::Slow) {
            *seen.answered.entry(pair.clone()).or_default() += 1;
        }
        seen.paid += usize::from(matches!(mood, Mood::Fine | Mood::Slow | Mood::Garbage));
    }
}

/// A number from a seed and a name (FNV-1a, then mixed).
pub fn roll(seed: u64, name: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325 ^ seed, step);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

async fn serve(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(body) = request(&mut stream).await? {
        let body: Value = serde_json::from_slice(&body).expect("the body is JSON");
        let model = body["model"].as_str().expect("a model is named").to_owned();
        let pair = (model, marker(&body));
        let mood = shared.arrive(&pair);
        (shared.pause)(mood).await;
        shared.leave(&pair, mood);
        let reply = reply(&body, &pair, mood);
        stream.get_mut().write_all(reply.as_bytes()).await?;
        if mood == Mood::Reset {
            return Ok(());
        }
    }
    Ok(())
}

async fn request(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Vec<u8>>> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        if line == "\r\n" {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(Some(body))
}

/// Which transcript a request is about, told by the mark in its text.
fn marker(body: &Value) -> usize {
    let text = body["messages"].to_string();
    let (_, rest) = text.split_once("marker-").expect("transcripts are marked");
    rest.split('-').next().and_then(|n| n.parse().ok()).expect("marks are numbers")
}

fn reply(body: &Value, pair: &Pair, mood: Mood) -> String {
    let error = |message: &str| json!({"error": {"message": message}}).to_string();
    match mood {
        Mood::Fine | Mood::Slow => http(200, "", &completion(&answers(body, pair))),
        Mood::Garbage => http(200, "", &completion("It is a fine reply.")),
        Mood::Busy => http(429, "retry-after-ms: 40\r\n", &error("rate limit")),
        Mood::Crowded => http(429, "", &error("rate limit")),
        Mood::Overloaded => http(529, "", &error("overloaded")),
        Mood::Broken => http(500, "", &error("broken")),
        Mood::Reset => "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"choices\":".into(),
    }
}

fn http(status: u16, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\n\r\n{body}")
}

/// A verdict for every criterion, by model, transcript and criterion alone.
fn answers(body: &Value, pair: &Pair) -> String {
    let schema = &body["response_format"]["json_schema"]["schema"]["properties"];
    let ids = schema.as_object().expect("a schema is sent").keys();
    let answer = |id: &String| {
        let no = roll(7, &format!("{} {} {id}", pair.0, pair.1)).is_multiple_of(4);
        let reasoning = format!("{} on marker-{}-end", pair.0, pair.1);
        let verdict = if no { "NO" } else { "YES" };
        (id.clone(), json!({"reasoning": reasoning, "evidence": [], "answer": verdict}))
    };
    Value::Object(ids.map(answer).collect()).to_string()
}

/// Tokens of every reply that is paid for, in and out.
const TOKENS: (u64, u64) = (100, 10);

/// A price list for this judge's models, which would be free on this machine: one
/// USD a million tokens in, ten out.
pub const PRICES: &str = "[[price]]\nprovider = 'openai-compatible'\nhost = '127.0.0.1'\n\
    models = ['*']\ninput = 1\noutput = 10\n";

/// What a ledger must say by what the judge counted: calls, tokens, and USD.
pub fn owed(paid: usize) -> (u64, u64, u64, f64) {
    let calls = paid as u64;
    let (input, output) = (calls * TOKENS.0, calls * TOKENS.1);
    (calls, input, output, (input + 10 * output) as f64 / 1e6)
}

fn completion(text: &str) -> String {
    let message = json!({"role": "assistant", "content": text, "refusal": null});
    let choice = json!({"index": 0, "message": message, "finish_reason": "stop"});
    let (input, output) = TOKENS;
    let usage = json!({"prompt_tokens": input, "completion_tokens": output});
    json!({"choices": [choice], "usage": usage}).to_string()
}
