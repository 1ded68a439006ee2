//! Sends calls: one loop for every provider, with a timeout, bounded retries
//! and a limit on calls under way.
//!
//! Invariant: dropping the future closes the socket. No key, prompt or reply is
//! logged. Redirects are never followed, and nothing for this machine goes
//! through a proxy.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use reqwest::{Client, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Judge;

use super::command;
use super::options::EngineOptions;
use super::provider::{self, Call, HttpReply, HttpRequest, Method, ProviderReply, Request};
use super::trust;

const CONNECT: Duration = Duration::from_secs(5);
/// Bytes a reply may have; a longer one is no answer.
const LONGEST_REPLY: usize = 16 << 20;
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
const LONGEST_BACKOFF: Duration = Duration::from_secs(8);

/// Everything needed to send.
#[derive(Debug)]
pub(super) struct Sender {
    options: EngineOptions,
    here: OnceLock<Client>,
    away: OnceLock<Client>,
    // Held only to look up one entry; never across an await.
    seats: Mutex<HashMap<(String, usize), Arc<Semaphore>>>,
}

impl Sender {
    pub(super) fn new(options: EngineOptions) -> Self {
        let (here, away, seats) = (OnceLock::new(), OnceLock::new(), Mutex::default());
        Self { options, here, away, seats }
    }

    /// A seat among the calls that this judge has under way, over all jobs.
    pub(super) async fn seat(&self, judge: &Judge) -> Option<OwnedSemaphorePermit> {
        let limit = judge.max_concurrency.max(1);
        let whom = format!(
            "{:?} {} {}",
            judge.provider,
            trust::host(judge).unwrap_or_default(),
            judge.model
        );
        let semaphore = {
            let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(
                seats.entry((whom, limit)).or_insert_with(|| Arc::new(Semaphore::new(limit))),
            )
        };
        semaphore.acquire_owned().await.ok()
    }

    /// Asks, and asks again where that makes sense. `spread` (a hash of the call)
    /// keeps calls that failed together from coming back together.
    pub(super) async fn ask(&self, call: &Call<'_>, spread: u64) -> ProviderReply {
        let request = match provider::build(call) {
            Ok(request) => request,
            Err(why) => return ProviderReply::BadRequest(why),
        };
        let mut attempt = 1;
        loop {
            let reply = self.send(call, &request).await;
            let ProviderReply::Retryable { after, slow_down, detail } = reply else {
                return reply;
            };
            if after.is_some_and(|after| after > self.options.longest_wait) {
                return ProviderReply::QuotaExhausted(detail);
            }
            if attempt >= self.options.attempts {
                let detail = format!("{detail}, {attempt} times");
                return ProviderReply::Retryable { after, slow_down, detail };
            }
            tracing::debug!(judge = call.judge.name, attempt, "asking again");
            self.options.pause.wait(after.unwrap_or_else(|| backoff(attempt, spread))).await;
            attempt += 1;
        }
    }

    async fn send(&self, call: &Call<'_>, request: &Request) -> ProviderReply {
        let seconds = Duration::from_secs(call.judge.timeout_s.max(1));
        let limit = self.options.timeout.unwrap_or(seconds);
        match tokio::time::timeout(limit, self.exchanged(call, request)).await {
            Err(_) => ProviderReply::TimedOut,
            Ok(Ok(reply)) => redacted(reply, call),
            Ok(Err(error)) => {
                let detail = network(&error, call);
                ProviderReply::Retryable { after: None, slow_down: false, detail }
            }
        }
    }

    async fn exchanged(
        &self,
        call: &Call<'_>,
        request: &Request,
    ) -> Result<ProviderReply, reqwest::Error> {
        match request {
            Request::Http(request) => self.exchange(call, request).await,
            Request::Command(request) => {
                let home = self.options.data_dir.clone().unwrap_or_else(std::env::temp_dir);
                Ok(command::ask(request, &home.join("claude-cli")).await)
            }
        }
    }

    async fn exchange(
        &self,
        call: &Call<'_>,
        request: &HttpRequest,
    ) -> Result<ProviderReply, reqwest::Error> {
        let client = self.client(call.judge)?;
        let mut sent = match request.method {
            Method::Get => client.get(&request.url),
            Method::Post => client.post(&request.url).header("content-type", &request.content_type),
        };
        for (name, value) in &request.headers {
            sent = sent.header(*name, value);
        }
        if let Some((name, value)) = &request.authorization {
            let Ok(mut value) = reqwest::header::HeaderValue::from_str(value) else {
                let why = "the key holds characters that no header can".to_owned();
                return Ok(ProviderReply::Auth(why));
            };
            value.set_sensitive(true);
            sent = sent.header(*name, value);
        }
        let response = sent.body(request.body.clone()).send().await?;
        let status = response.status().as_u16();
        let headers: Vec<(String, String)> = response
            .headers()
            .iter()
            .filter_map(|(k, v)| Some((k.as_str().to_owned(), v.to_str().ok()?.to_owned())))
            .collect();
        let Some(body) = read(response).await? else {
            let why = "the reply is too long".to_owned();
            return Ok(ProviderReply::Unreadable(why, provider::Usage::default()));
        };
        let reply = HttpReply { status, headers: &headers, body: &String::from_utf8_lossy(&body) };
        Ok(provider::parse(call.judge, &reply))
    }

    fn client(&self, judge: &Judge) -> Result<&Client, reqwest::Error> {
        let here = trust::stays_here(judge);
        let slot = if here { &self.here } else { &self.away };
        match slot.get() {
            Some(client) => Ok(client),
            None => Ok(slot.get_or_init({
                let client = client(here)?;
                || client
            })),
        }
    }
}

fn client(here: bool) -> Result<Client, reqwest::Error> {
    // Fails when a provider is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT)
        .user_agent(concat!("rubricator/", env!("CARGO_PKG_VERSION")));
    if here { builder.no_proxy().build() } else { builder.build() }
}

/// The body, unless it is too long.
async fn read(mut response: Response) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > LONGEST_REPLY {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

/// Doubles from attempt to attempt, less up to a quarter.
fn backoff(attempt: u32, spread: u64) -> Duration {
    let full = FIRST_BACKOFF.saturating_mul(1 << (attempt - 1).min(10)).min(LONGEST_BACKOFF);
    let share = (spread.rotate_left(attempt * 7) % 1000) as f64 / 1000.0;
    full.mul_f64(1.0 - 0.25 * share)
}

/// Says what failed without the URL, which may hold a password.
fn network(error: &reqwest::Error, call: &Call<'_>) -> String {
    let host = trust::host(call.judge).unwrap_or_default();
    if error.is_connect() {
        format!("cannot connect to {host}: is the server running?")
    } else {
        format!("the connection to {host} broke")
    }
}

/// Takes the key out of whatever a server says.
fn redacted(reply: ProviderReply, call: &Call<'_>) -> ProviderReply {
    use ProviderReply as R;
    let Some(key) = call.key else { return reply };
    match reply {
        R::Text { text, usage } => R::Text { text: key.redact(&text), usage },
        R::Retryable { after, slow_down, detail } => {
            R::Retryable { after, slow_down, detail: key.redact(&detail) }
        }
        R::Refused(text, usage) => R::Refused(key.redact(&text), usage),
        R::Blocked(text, usage) => R::Blocked(key.redact(&text), usage),
        R::Unreadable(text, usage) => R::Unreadable(key.redact(&text), usage),
        R::QuotaExhausted(text) => R::QuotaExhausted(key.redact(&text)),
        R::BadRequest(text) => R::BadRequest(key.redact(&text)),
        R::Auth(text) => R::Auth(key.redact(&text)),
        R::NotFound(text) => R::NotFound(key.redact(&text)),
        R::ContextTooLong(text) => R::ContextTooLong(key.redact(&text)),
        R::Truncated(_) | R::TimedOut => reply,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_clients_can_be_made() {
        assert!(client(true).is_ok() && client(false).is_ok());
    }

    #[test]
    fn waits_grow_to_a_bound_and_spread() {
        let plain: Vec<u128> = (1..7).map(|n| backoff(n, 0).as_millis()).collect();
        assert_eq!(plain, [500, 1000, 2000, 4000, 8000, 8000]);
        for spread in [1, 999, u64::MAX] {
            let wait = backoff(2, spread).as_millis();
            assert!((750..=1000).contains(&wait), "{wait}");
        }
    }
}
