//! Sends calls: one loop for every provider. Through the gate and to a seat, out,
//! and again where [`retry`] says so.
//!
//! Invariant: dropping the future closes the socket and gives the seat back, also
//! while it waits. Nobody holds a seat while waiting. No key, prompt or reply is
//! logged. Redirects are never followed, and nothing for this machine goes
//! through a proxy.

use std::sync::OnceLock;
use std::time::Duration;

use reqwest::{Client, Response};

use crate::config::Judge;

use super::budget::Over;
use super::command;
use super::gate::{Entrance, Gates, Seat};
use super::options::EngineOptions;
use super::provider::{
    self, Addressee, Call, HttpReply, HttpRequest, Method, ProviderReply, Request,
};
use super::purse::Fare;
use super::retry::{self, Limits, Next, Sent, Tried};
use super::secret::Secret;
use super::trust;

const CONNECT: Duration = Duration::from_secs(5);
/// Bytes a reply may have; a longer one is no answer.
const LONGEST_REPLY: usize = 16 << 20;

/// The same for the results of a batch.
const LONGEST_FILE: usize = 512 << 20;
/// A file of calls takes its time.
const LONGEST_FETCH: Duration = Duration::from_secs(600);

/// A reply as it came; no body when that was too long.
struct Raw {
    status: u16,
    headers: Vec<(String, String)>,
    body: Option<String>,
}

/// Everything needed to send.
#[derive(Debug)]
pub(super) struct Sender {
    options: EngineOptions,
    here: OnceLock<Client>,
    away: OnceLock<Client>,
    gates: Gates,
}

/// A call, and what its sender wants to have a say in.
pub(super) struct Errand<'a> {
    pub(super) call: Call<'a>,
    /// What an attempt may cost.
    pub(super) fare: Fare<'a>,
    pub(super) limits: Limits,
    /// Whether an attempt may go out: asked each time there is a seat for it.
    pub(super) may_send: &'a (dyn Fn() -> bool + Send + Sync),
    /// Hears how long it waits, and why.
    pub(super) waits: &'a (dyn Fn(Duration, &str) + Send + Sync),
}

/// Why a call was not sent.
pub(super) enum NotSent {
    /// Its sender does not want it any more.
    Unwanted,
    /// It does not fit the budget.
    Over(Over),
}

impl Sender {
    pub(super) fn new(options: EngineOptions) -> Self {
        let (here, away) = (OnceLock::new(), OnceLock::new());
        Self { options, here, away, gates: Gates::default() }
    }

    /// Asks, and asks again where that makes sense.
    ///
    /// # Errors
    /// When it may not be sent, or not again.
    pub(super) async fn ask(&self, errand: &Errand<'_>) -> Result<ProviderReply, NotSent> {
        let call = &errand.call;
        let request = match provider::build(call) {
            Ok(request) => errand.fare.bounds(request),
            Err(why) => return Ok(ProviderReply::BadRequest(why)),
        };
        let clock = &self.options.clock;
        let entrance = self.gates.entrance(call.judge, call.key);
        let mut tried = Tried::default();
        loop {
            let seat = self.admitted(errand, &entrance, &mut tried).await;
            let charge = errand.fare.reserve().await.map_err(NotSent::Over)?;
            if !(errand.may_send)() {
                charge.unsent();
                return Err(NotSent::Unwanted);
            }
            let sent = self.send(call, &request).await;
            charge.settle(&sent);
            tried.count(&sent.reply);
            let next = retry::next(&sent, tried, errand.limits, clock.chance());
            if let Next::Again { wait, everybody: true } = next {
                entrance.gate.close(clock.now() + wait, &sent.what());
            }
            adapt(&seat, &sent.reply);
            // Whoever gets it finds the gate closed, if it is to be.
            drop(seat);
            match next {
                Next::Again { everybody: true, .. } => {}
                Next::Again { wait, everybody: false } => {
                    (errand.waits)(wait, &sent.what());
                    clock.pause(wait).await;
                    tried.waited += wait;
                }
                last => return Ok(retry::outcome(sent, &last, clock.wall())),
            }
            tracing::debug!(judge = call.judge.name, attempt = tried.sent, "asking again");
        }
    }

    /// Waits until the gate is open and there is a seat.
    async fn admitted(&self, errand: &Errand<'_>, entrance: &Entrance, tried: &mut Tried) -> Seat {
        let clock = &self.options.clock;
        loop {
            while let Some((wait, why)) = entrance.gate.closed(clock.now()) {
                (errand.waits)(wait, &why);
                clock.pause(wait).await;
                tried.waited += wait;
            }
            let seat = entrance.seats.take(errand.call.judge.max_concurrency).await;
            if entrance.gate.closed(clock.now()).is_none() {
                return seat;
            }
        }
    }

    async fn send(&self, call: &Call<'_>, request: &Request) -> Sent {
        let seconds = Duration::from_secs(call.judge.timeout_s.max(1));
        let limit = self.options.timeout.unwrap_or(seconds);
        let sent = tokio::select! {
            // A reply that is there counts, however late it is looked at.
            biased;
            sent = self.exchanged(call, request) => sent,
            () = self.options.clock.alarm(limit) => Ok(Sent::bare(ProviderReply::TimedOut)),
        };
        match sent {
            Ok(sent) => Sent { reply: redacted(sent.reply, call.key), ..sent },
            Err(error) => {
                let detail = network(&error, call.judge);
                let reply = ProviderReply::Retryable { after: None, slow_down: false, detail };
                Sent { unreached: error.is_connect(), ..Sent::bare(reply) }
            }
        }
    }

    async fn exchanged(&self, call: &Call<'_>, request: &Request) -> Result<Sent, reqwest::Error> {
        match request {
            Request::Http(request) => self.exchange(call, request).await,
            Request::Command(request) => {
                let home = self.options.data_dir.clone().unwrap_or_else(std::env::temp_dir);
                let (reply, took) = command::ask(request, &home.join("claude-cli")).await;
                Ok(Sent { took, ..Sent::bare(reply) })
            }
        }
    }

    /// Sends a request that is no call, and again where that makes sense; its
    /// body, or why there is none. A POST that may have arrived is not sent again.
    pub(super) async fn fetch(
        &self,
        to: Addressee<'_>,
        request: &HttpRequest,
        limits: Limits,
    ) -> Result<String, ProviderReply> {
        let clock = &self.options.clock;
        let mut tried = Tried::default();
        loop {
            let sent = tokio::select! {
                biased;
                raw = self.raw(to.judge, request, LONGEST_FILE) => self.fetched(to, raw),
                () = clock.alarm(LONGEST_FETCH) => Err(Box::new(Sent::bare(ProviderReply::TimedOut))),
            };
            let sent = match sent {
                Ok(body) => return Ok(body),
                Err(sent) => Sent { reply: redacted(sent.reply, to.key), ..*sent },
            };
            tried.count(&sent.reply);
            let unsure = request.method == Method::Post && sent.status.is_none();
            match retry::next(&sent, tried, limits, clock.chance()) {
                Next::Again { wait, .. } if !unsure => {
                    clock.pause(wait).await;
                    tried.waited += wait;
                }
                last => return Err(retry::outcome(sent, &last, clock.wall())),
            }
        }
    }

    fn fetched(
        &self,
        to: Addressee<'_>,
        raw: Result<Raw, reqwest::Error>,
    ) -> Result<String, Box<Sent>> {
        let raw = raw.map_err(|error| {
            let (after, slow_down, detail) = (None, false, network(&error, to.judge));
            Box::new(Sent::bare(ProviderReply::Retryable { after, slow_down, detail }))
        })?;
        match raw {
            Raw { status: 200, body: Some(body), .. } => {
                Ok(to.key.map_or_else(|| body.clone(), |key| key.redact(&body)))
            }
            Raw { status, headers, body } => {
                let hint = retry::hint(&headers, self.options.clock.wall());
                let body = body.unwrap_or_default();
                let reply = HttpReply { status, headers: &headers, body: &body };
                let failed = provider::failed(&reply);
                Err(Box::new(Sent { status: Some(status), hint, ..Sent::bare(failed) }))
            }
        }
    }

    async fn exchange(
        &self,
        call: &Call<'_>,
        request: &HttpRequest,
    ) -> Result<Sent, reqwest::Error> {
        let Raw { status, headers, body } = self.raw(call.judge, request, LONGEST_REPLY).await?;
        let Some(body) = body else {
            let why = "the reply is too long".to_owned();
            let usage = provider::Usage::default();
            return Ok(Sent::bare(ProviderReply::Unreadable(why, usage)));
        };
        let reply = HttpReply { status, headers: &headers, body: &body };
        let hint = retry::hint(&headers, self.options.clock.wall());
        let reply = provider::parse(call.judge, &reply);
        Ok(Sent { status: Some(status), hint, ..Sent::bare(reply) })
    }

    /// One request and its reply, whatever they mean.
    async fn raw(
        &self,
        judge: &Judge,
        request: &HttpRequest,
        longest: usize,
    ) -> Result<Raw, reqwest::Error> {
        let client = self.client(judge)?;
        let mut sent = match request.method {
            Method::Get => client.get(&request.url),
            Method::Post => client.post(&request.url).header("content-type", &request.content_type),
        };
        for (name, value) in &request.headers {
            sent = sent.header(*name, value);
        }
        if let Some((name, value)) = &request.authorization {
            let Ok(mut value) = reqwest::header::HeaderValue::from_str(value) else {
                let why = r#"{"error":"the key holds characters that no header can"}"#;
                let (headers, body) = (Vec::new(), Some(why.to_owned()));
                return Ok(Raw { status: 401, headers, body });
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
        let body = read(response, longest).await?;
        let body = body.map(|body| String::from_utf8_lossy(&body).into_owned());
        Ok(Raw { status, headers, body })
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
async fn read(mut response: Response, longest: usize) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > longest {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

/// Fewer calls at once after "slow down", slowly more again after replies.
fn adapt(seat: &Seat, reply: &ProviderReply) {
    match reply {
        ProviderReply::Retryable { slow_down: true, .. } => seat.slow_down(),
        reply if reply.usage().is_some() => seat.went_well(),
        _ => {}
    }
}

/// Says what failed without the URL, which may hold a password.
fn network(error: &reqwest::Error, judge: &Judge) -> String {
    let host = trust::host(judge).unwrap_or_default();
    if error.is_connect() {
        format!("cannot connect to {host}: is the server running?")
    } else {
        format!("the connection to {host} broke")
    }
}

/// Takes the key out of whatever a server says.
fn redacted(reply: ProviderReply, key: Option<&Secret>) -> ProviderReply {
    use ProviderReply as R;
    let Some(key) = key else { return reply };
    match reply {
        R::Text { text, usage } => R::Text { text: key.redact(&text), usage },
        R::Retryable { after, slow_down, detail } => {
            R::Retryable { after, slow_down, detail: key.redact(&detail) }
        }
        R::Refused(text, usage) => R::Refused(key.redact(&text), usage),
        R::Blocked(text, usage) => R::Blocked(key.redact(&text), usage),
        R::Unreadable(text, usage) => R::Unreadable(key.redact(&text), usage),
        R::Malformed(text, usage) => R::Malformed(key.redact(&text), usage),
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
}
