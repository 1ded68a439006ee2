//! A judge on this machine: an HTTP server that speaks a provider's API,
//! remembers what it was asked, and answers as the test says.

use std::pin::Pin;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::provider::Wire;

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The criterion ids of its schema, in order.
    pub criteria: Vec<String>,
    /// The whole body.
    pub body: Value,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// Where it was sent.
    pub path: String,
    /// Every header.
    pub headers: HeaderMap,
}

/// How to answer.
pub enum Reply {
    /// 200 with this text as the model's.
    Text(String),
    /// 200 with this body.
    Body(String),
    /// Another status, with headers and a body.
    Status(u16, Vec<(&'static str, &'static str)>, &'static str),
    /// Never; `closed` hears when the caller goes away.
    Hang,
    /// This, after that.
    After(Waiting, Box<Reply>),
}

impl Reply {
    /// This verdict for every criterion that is asked.
    pub fn all(asked: &Asked, verdict: &str) -> Self {
        let answer = json!({"reasoning": "because", "evidence": [], "answer": verdict});
        let answers = asked.criteria.iter().map(|id| (id.clone(), answer.clone()));
        Self::Text(Value::Object(answers.collect()).to_string())
    }
}

/// Something to wait for.
pub type Waiting = Pin<Box<dyn Future<Output = ()> + Send>>;

type Answerer = Arc<dyn Fn(&Asked, usize) -> Reply + Send + Sync>;

/// The server; it stops with the test's runtime.
pub struct JudgeServer {
    /// Its base URL.
    pub url: String,
    /// Hears of every request as it arrives.
    pub arrived: mpsc::UnboundedReceiver<()>,
    /// Hears when the caller of a request that hangs went away.
    pub closed: mpsc::UnboundedReceiver<()>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

#[derive(Clone)]
struct Shared {
    wire: Wire,
    asked: Arc<Mutex<Vec<Asked>>>,
    answer: Answerer,
    arrived: mpsc::UnboundedSender<()>,
    closed: mpsc::UnboundedSender<()>,
}

impl JudgeServer {
    /// A server that answers YES to everything.
    pub async fn yes() -> Self {
        Self::start(|asked, _| Reply::all(asked, "YES")).await
    }

    /// A server that answers by this; the number counts requests from 0.
    pub async fn start(answer: impl Fn(&Asked, usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::speaking(Wire::Chat, answer).await
    }

    /// The same with another API.
    pub async fn speaking(
        wire: Wire,
        answer: impl Fn(&Asked, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let url = format!("http://{}/v1", listener.local_addr().expect("it is bound"));
        let (arrived_sender, arrived) = mpsc::unbounded_channel();
        let (closed_sender, closed) = mpsc::unbounded_channel();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let shared = Shared {
            wire,
            asked: Arc::clone(&asked),
            answer: Arc::new(answer),
            arrived: arrived_sender,
            closed: closed_sender,
        };
        let routes = axum::Router::new()
            .route("/v1/{*path}", axum::routing::post(answer_one))
            .with_state(shared);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { url, arrived, closed, asked }
    }

    /// What it was asked so far, and forgets it.
    pub fn take(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().expect("no handler panicked"))
    }

    /// The criteria of every request so far, one line each, and forgets them.
    pub fn take_criteria(&self) -> Vec<String> {
        self.take().into_iter().map(|asked| asked.criteria.join(" ")).collect()
    }
}

async fn answer_one(
    State(shared): State<Shared>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let body: Value = serde_json::from_slice(&body).expect("the body is JSON");
    let schema = &shared.wire.schema(&body)["properties"];
    let path = uri.path().to_owned();
    if !shared.wire.is_at(&path) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let criteria = schema.as_object().map_or_else(Vec::new, |p| p.keys().cloned().collect());
    let authorization =
        headers.get("authorization").map(|v| v.to_str().expect("it is text").to_owned());
    let asked = Asked { criteria, body, authorization, path, headers };
    let number = {
        let mut all = shared.asked.lock().expect("no handler panicked");
        all.push(asked.clone());
        all.len() - 1
    };
    // The test may not listen.
    let _ = shared.arrived.send(());
    let mut reply = (shared.answer)(&asked, number);
    while let Reply::After(wait, then) = reply {
        wait.await;
        reply = *then;
    }
    match reply {
        Reply::Text(text) => axum::Json(shared.wire.reply(&text)).into_response(),
        Reply::Body(body) => body.into_response(),
        Reply::Status(status, headers, body) => {
            let mut response =
                (StatusCode::from_u16(status).expect("it is a status"), body).into_response();
            for (name, value) in headers {
                let value = HeaderValue::from_static(value);
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
            response
        }
        Reply::Hang | Reply::After(..) => {
            let _tells = TellsWhenDropped(shared.closed);
            std::future::pending::<Response>().await
        }
    }
}

struct TellsWhenDropped(mpsc::UnboundedSender<()>);

impl Drop for TellsWhenDropped {
    fn drop(&mut self) {
        // The test may be over.
        let _ = self.0.send(());
    }
}
