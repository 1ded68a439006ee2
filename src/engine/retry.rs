//! What follows from a reply: it stands, or the call is sent again after a wait.
//!
//! Invariant: a pure decision. The server's own hint wins over our guess; a wait
//! that is longer than the settings allow is a spent quota, not congestion; a call
//! that may have been paid for is sent again at most once.

use std::time::{Duration, SystemTime};

use jiff::fmt::rfc2822::DateTimeParser;

use crate::config::{Assess, Judge, Provider};

use super::provider::{ProviderReply, Usage};
use super::trust;

/// The bound of the first wait without a hint, doubled from attempt to attempt.
const FIRST: Duration = Duration::from_secs(1);
/// The same for a server that says it is overloaded (HTTP 529).
const FIRST_OVERLOADED: Duration = Duration::from_secs(5);
/// No wait without a hint is longer.
const LONGEST_GUESS: Duration = Duration::from_secs(60);
/// The program asks ten times itself before it gives up (a limit, or a busy server).
const COMMAND_ATTEMPTS: u32 = 3;
/// A call that timed out may be under way still, and paid for.
const ATTEMPTS_IN_TIME: u32 = 2;
/// A model whose reply was broken is asked once more: each attempt is paid for.
const ATTEMPTS_AT_FORM: u32 = 2;
/// A server on this machine that refuses connections is not running.
const ATTEMPTS_HERE: u32 = 3;

/// How long one call may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// How often it is sent at most.
    pub(super) attempts: u32,
    /// How long it waits at most, all waits together; a server that asks for more
    /// at once is out of quota.
    pub(super) longest_wait: Duration,
    /// The server is on this machine.
    pub(super) here: bool,
}

impl Limits {
    pub(super) fn of(judge: &Judge, settings: &Assess) -> Self {
        let attempts = match judge.provider {
            Provider::ClaudeCli => settings.max_attempts.min(COMMAND_ATTEMPTS),
            _ => settings.max_attempts,
        };
        let longest_wait = Duration::from_secs(settings.max_wait_s);
        Self { attempts: attempts.max(1), longest_wait, here: trust::stays_here(judge) }
    }
}

/// What was done about a call so far, the reply in hand included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tried {
    /// How often it was sent.
    pub(super) sent: u32,
    /// How often no reply came in time.
    pub(super) timed_out: u32,
    /// How often the reply was broken.
    pub(super) malformed: u32,
    /// How long it waited.
    pub(super) waited: Duration,
}

impl Tried {
    /// It was sent once more, and this came back.
    pub(super) fn count(&mut self, reply: &ProviderReply) {
        self.sent += 1;
        self.timed_out += u32::from(*reply == ProviderReply::TimedOut);
        self.malformed += u32::from(matches!(reply, ProviderReply::Malformed(..)));
    }
}

/// A reply, with what its frame says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sent {
    /// HTTP status.
    pub(super) status: Option<u16>,
    /// How long the headers ask to wait.
    pub(super) hint: Option<Duration>,
    /// There was no connection to send it over.
    pub(super) unreached: bool,
    /// What it took although it came to no reply.
    pub(super) took: Usage,
    pub(super) reply: ProviderReply,
}

impl Sent {
    /// A reply that came without a frame.
    pub(super) fn bare(reply: ProviderReply) -> Self {
        Self { status: None, hint: None, unreached: false, took: Usage::default(), reply }
    }

    /// What was paid for; zero where the server did not count.
    pub(super) fn usage(&self) -> Option<Usage> {
        let took = Some(self.took).filter(|took| *took != Usage::default());
        self.reply.usage().or(took)
    }

    /// How long the server asks to wait: headers before the body.
    fn after(&self) -> Option<Duration> {
        match &self.reply {
            ProviderReply::Retryable { after, .. } => self.hint.or(*after),
            ProviderReply::QuotaExhausted(_) => self.hint,
            _ => None,
        }
    }

    /// What happened, for people.
    pub(super) fn what(&self) -> String {
        match &self.reply {
            ProviderReply::Retryable { detail, .. } => detail.clone(),
            ProviderReply::TimedOut => "no reply in time".into(),
            ProviderReply::Malformed(detail, _) => detail.clone(),
            _ => String::new(),
        }
    }
}

/// What to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The reply is the outcome.
    Stands,
    /// Send again after this time.
    Again {
        /// How long to wait.
        wait: Duration,
        /// Every call to that host with that key waits.
        everybody: bool,
    },
    /// The server asks for a longer wait than is allowed.
    OutOfQuota,
    /// There is no server, so no call will do.
    NotThere,
    /// It was tried enough; this says how much.
    Enough(String),
}

/// Decides. `chance` is a number from 0 to 1: how much of a guessed wait it will be.
pub(super) fn next(sent: &Sent, tried: Tried, limits: Limits, chance: f64) -> Next {
    let slow_down = match &sent.reply {
        ProviderReply::Retryable { slow_down, .. } => *slow_down,
        ProviderReply::TimedOut if tried.timed_out < ATTEMPTS_IN_TIME => false,
        ProviderReply::Malformed(..) if tried.malformed < ATTEMPTS_AT_FORM => false,
        _ => return Next::Stands,
    };
    let after = sent.after();
    if after.is_some_and(|after| after > limits.longest_wait) {
        return Next::OutOfQuota;
    }
    if sent.unreached && limits.here && tried.sent >= ATTEMPTS_HERE.min(limits.attempts) {
        return Next::NotThere;
    }
    if tried.sent >= limits.attempts {
        return Next::Enough(format!("{} times", tried.sent));
    }
    let first = if sent.status == Some(529) { FIRST_OVERLOADED } else { FIRST };
    let wait = after.unwrap_or_else(|| guess(first, tried.sent, chance));
    if tried.waited + wait > limits.longest_wait {
        return Next::Enough(format!("after {} s of waiting", tried.waited.as_secs()));
    }
    Next::Again { wait, everybody: after.is_some() || slow_down }
}

/// The reply to go by once nothing more is sent.
pub(super) fn outcome(sent: Sent, last: &Next, now: SystemTime) -> ProviderReply {
    use ProviderReply as R;
    let again = sent.after().map(|wait| format!("; it works again {}", when(wait, now)));
    match (last, sent.reply) {
        (Next::OutOfQuota, R::Retryable { detail, .. }) => {
            R::QuotaExhausted(detail + &again.unwrap_or_default())
        }
        (Next::Enough(tries), R::Retryable { after, slow_down, detail }) => {
            R::Retryable { after, slow_down, detail: format!("{detail}, {tries}") }
        }
        (Next::Enough(tries), R::Malformed(detail, usage)) => {
            R::Malformed(format!("{detail}, {tries}"), usage)
        }
        (Next::NotThere, R::Retryable { detail, .. }) => R::NotFound(detail),
        (_, R::QuotaExhausted(detail)) => R::QuotaExhausted(detail + &again.unwrap_or_default()),
        (_, reply) => reply,
    }
}

/// Full jitter: anything between nothing and a bound that doubles.
fn guess(first: Duration, sent: u32, chance: f64) -> Duration {
    let doublings = sent.saturating_sub(1).min(16);
    first.saturating_mul(1 << doublings).min(LONGEST_GUESS).mul_f64(chance)
}

/// How long the headers of a reply ask to wait: `retry-after-ms`, then
/// `retry-after` in seconds, then `retry-after` as a date.
pub(super) fn hint(headers: &[(String, String)], now: SystemTime) -> Option<Duration> {
    let value = |name: &str| {
        let found = headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim())
    };
    let seconds = |text: &str, per_second: f64| {
        let seconds = text.parse::<f64>().ok()? / per_second;
        Duration::try_from_secs_f64(seconds).ok()
    };
    let by_ms = value("retry-after-ms").and_then(|text| seconds(text, 1000.0));
    by_ms.or_else(|| {
        let text = value("retry-after")?;
        seconds(text, 1.0).or_else(|| {
            // Measured with the server's own clock where it tells the time.
            let date = |text: &str| {
                let at = DateTimeParser::new().parse_timestamp(text).ok()?;
                let since = u64::try_from(at.as_second()).ok()?;
                Some(SystemTime::UNIX_EPOCH + Duration::from_secs(since))
            };
            let there = value("date").and_then(date).unwrap_or(now);
            Some(date(text)?.duration_since(there).unwrap_or_default())
        })
    })
}

/// `in 2 h 5 min (about 17:40 UTC)`
pub(super) fn when(wait: Duration, now: SystemTime) -> String {
    let minutes = wait.as_secs().div_ceil(60);
    let span = match (minutes / 1440, minutes / 60 % 24, minutes % 60) {
        (0, 0, m) => format!("{m} min"),
        (0, h, m) => format!("{h} h {m} min"),
        (d, h, _) => format!("{d} d {h} h"),
    };
    let at = (now + wait).duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let minute = at.as_secs() / 60 % 1440;
    format!("in {span} (about {:02}:{:02} UTC)", minute / 60, minute % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::provider::{self, HttpReply};
    use crate::engine::trust::tests::judge;
    use expect_test::{Expect, expect};

    const LIMITS: Limits =
        Limits { attempts: 7, longest_wait: Duration::from_secs(3600), here: false };
    /// 2026-01-01 12:00:00 UTC.
    const NOON: Duration = Duration::from_secs(1_767_268_800);

    /// A reply as it comes over the wire from this provider.
    fn sent(provider: Provider, status: u16, headers: &[(&str, &str)], body: &str) -> Sent {
        let headers: Vec<(String, String)> =
            headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let reply = HttpReply { status, headers: &headers, body };
        let judge = Judge { provider, ..judge(None) };
        let hint = hint(&headers, SystemTime::UNIX_EPOCH + NOON);
        let reply = provider::parse(&judge, &reply);
        Sent { status: Some(status), hint, ..Sent::bare(reply) }
    }

    const fn once() -> Tried {
        Tried { sent: 1, timed_out: 0, malformed: 0, waited: Duration::ZERO }
    }

    fn line(sent: &Sent) -> String {
        match next(sent, once(), LIMITS, 1.0) {
            Next::Stands => {
                let reply = format!("{:?}", sent.reply);
                format!("stands: {}", reply.split(['(', ' ']).next().unwrap_or_default())
            }
            Next::Again { wait, everybody: true } => format!("again in {wait:?}, everybody"),
            Next::Again { wait, everybody: false } => format!("again in {wait:?}"),
            Next::OutOfQuota => "out of quota".into(),
            Next::NotThere => "not there".into(),
            Next::Enough(why) => why,
        }
    }

    /// Status, headers, body.
    type Row<'a> = (u16, &'a [(&'a str, &'a str)], &'a str);

    fn check(rows: &[Row<'_>], expected: Expect) {
        let lines = rows.iter().map(|(status, headers, body)| {
            let said = line(&sent(Provider::OpenAiCompatible, *status, headers, body));
            let headers: Vec<String> = headers.iter().map(|(k, v)| format!(" {k}: {v}")).collect();
            format!("{status}{} {body} => {said}\n", headers.concat())
        });
        expected.assert_eq(&lines.collect::<String>());
    }

    #[test]
    fn the_table_of_statuses() {
        check(
            &[
                (200, &[], ""),
                (302, &[], ""),
                (400, &[], ""),
                (401, &[], ""),
                (402, &[], ""),
                (403, &[], ""),
                (404, &[], ""),
                (408, &[], ""),
                (409, &[], ""),
                (413, &[], ""),
                (422, &[], ""),
                (429, &[], ""),
                (429, &[], r#"{"error":{"code":"rate_limit_exceeded"}}"#),
                (429, &[], r#"{"error":{"type":"rate_limit_error","code":"slow_down"}}"#),
                (429, &[], r#"{"error":{"type":"insufficient_quota"}}"#),
                (500, &[], ""),
                (502, &[], "<html>"),
                (503, &[], r#"{"error":"loading model"}"#),
                (503, &[], r#"{"error":{"code":"server_is_overloaded"}}"#),
                (504, &[], ""),
                (529, &[], r#"{"error":{"type":"overloaded_error"}}"#),
            ],
            expect![[r#"
                200  => stands: Unreadable
                302  => stands: BadRequest
                400  => stands: BadRequest
                401  => stands: Auth
                402  => stands: QuotaExhausted
                403  => stands: Auth
                404  => stands: NotFound
                408  => again in 1s
                409  => again in 1s
                413  => stands: ContextTooLong
                422  => stands: BadRequest
                429  => again in 1s, everybody
                429 {"error":{"code":"rate_limit_exceeded"}} => again in 1s, everybody
                429 {"error":{"type":"rate_limit_error","code":"slow_down"}} => again in 1s, everybody
                429 {"error":{"type":"insufficient_quota"}} => stands: QuotaExhausted
                500  => again in 1s
                502 <html> => again in 1s
                503 {"error":"loading model"} => again in 1s
                503 {"error":{"code":"server_is_overloaded"}} => again in 1s, everybody
                504  => again in 1s
                529 {"error":{"type":"overloaded_error"}} => again in 5s, everybody
            "#]],
        );
    }

    #[test]
    fn the_table_of_hints() {
        let gmt = |second: u32| format!("Thu, 01 Jan 2026 12:00:{second:02} GMT");
        let (soon, later) = (gmt(30), gmt(50));
        check(
            &[
                (429, &[("retry-after-ms", "20.5"), ("retry-after", "9")], ""),
                (429, &[("retry-after-ms", "soon"), ("retry-after", "9")], ""),
                (429, &[("Retry-After", "0")], ""),
                (429, &[("retry-after", "1.5")], ""),
                (429, &[("retry-after", "-1")], ""),
                (429, &[("retry-after", "nan")], ""),
                (429, &[("retry-after", &later)], ""),
                (429, &[("retry-after", &later), ("date", &soon)], ""),
                (429, &[("retry-after", &soon), ("date", &later)], ""),
                (503, &[("retry-after", "12")], ""),
                (529, &[("retry-after", "12")], ""),
                (429, &[("retry-after", "3600")], ""),
                (429, &[("retry-after", "3601")], ""),
                (500, &[("x-should-retry", "false")], ""),
                (429, &[("x-should-retry", "false"), ("retry-after", "1")], ""),
                (400, &[("x-should-retry", "true")], ""),
                (400, &[("x-should-retry", "true"), ("retry-after", "3")], ""),
                (429, &[("x-should-retry", "true")], r#"{"error":{"type":"insufficient_quota"}}"#),
            ],
            expect![[r#"
                429 retry-after-ms: 20.5 retry-after: 9  => again in 20.5ms, everybody
                429 retry-after-ms: soon retry-after: 9  => again in 9s, everybody
                429 Retry-After: 0  => again in 0ns, everybody
                429 retry-after: 1.5  => again in 1.5s, everybody
                429 retry-after: -1  => again in 1s, everybody
                429 retry-after: nan  => again in 1s, everybody
                429 retry-after: Thu, 01 Jan 2026 12:00:50 GMT  => again in 50s, everybody
                429 retry-after: Thu, 01 Jan 2026 12:00:50 GMT date: Thu, 01 Jan 2026 12:00:30 GMT  => again in 20s, everybody
                429 retry-after: Thu, 01 Jan 2026 12:00:30 GMT date: Thu, 01 Jan 2026 12:00:50 GMT  => again in 0ns, everybody
                503 retry-after: 12  => again in 12s, everybody
                529 retry-after: 12  => again in 12s, everybody
                429 retry-after: 3600  => again in 3600s, everybody
                429 retry-after: 3601  => out of quota
                500 x-should-retry: false  => stands: BadRequest
                429 x-should-retry: false retry-after: 1  => stands: BadRequest
                400 x-should-retry: true  => again in 1s
                400 x-should-retry: true retry-after: 3  => again in 3s, everybody
                429 x-should-retry: true {"error":{"type":"insufficient_quota"}} => stands: QuotaExhausted
            "#]],
        );
    }

    #[test]
    fn a_hint_in_the_body_counts_when_the_headers_say_nothing() {
        let body = |hint| Sent {
            status: Some(429),
            hint,
            ..Sent::bare(ProviderReply::Retryable {
                after: Some(Duration::from_secs_f64(47.2)),
                slow_down: true,
                detail: String::new(),
            })
        };
        assert_eq!(line(&body(None)), "again in 47.2s, everybody");
        assert_eq!(line(&body(Some(Duration::from_secs(3)))), "again in 3s, everybody");
    }

    #[test]
    fn guesses_double_to_a_bound_and_end_after_seven_attempts() {
        let waits = |status: u16, chance: f64| -> Vec<String> {
            let failed = sent(Provider::OpenAiCompatible, status, &[], "");
            let step = |sent: u32| match next(&failed, Tried { sent, ..once() }, LIMITS, chance) {
                Next::Again { wait, .. } => format!("{:.1}", wait.as_secs_f64()),
                other => format!("{other:?}"),
            };
            (1..=7).map(step).collect()
        };
        let enough = r#"Enough("7 times")"#;
        assert_eq!(waits(500, 1.0), ["1.0", "2.0", "4.0", "8.0", "16.0", "32.0", enough]);
        assert_eq!(waits(429, 0.5), ["0.5", "1.0", "2.0", "4.0", "8.0", "16.0", enough]);
        assert_eq!(waits(529, 1.0), ["5.0", "10.0", "20.0", "40.0", "60.0", "60.0", enough]);
        assert_eq!(waits(500, 0.0)[..6], ["0.0"; 6]);
    }

    #[test]
    fn all_waits_together_have_a_bound() {
        let busy = sent(Provider::OpenAiCompatible, 429, &[("retry-after", "1800")], "");
        let after = |seconds| Tried { sent: 2, waited: Duration::from_secs(seconds), ..once() };
        assert!(matches!(next(&busy, after(1800), LIMITS, 0.0), Next::Again { .. }));
        let enough = Next::Enough("after 1801 s of waiting".into());
        assert_eq!(next(&busy, after(1801), LIMITS, 0.0), enough);
    }

    #[test]
    fn a_call_that_timed_out_is_sent_once_more() {
        let late = Sent::bare(ProviderReply::TimedOut);
        let tried = |timed_out| Tried { sent: timed_out, timed_out, ..once() };
        let once_more = Next::Again { wait: Duration::from_secs(1), everybody: false };
        assert_eq!(next(&late, tried(1), LIMITS, 1.0), once_more);
        assert_eq!(next(&late, tried(2), LIMITS, 1.0), Next::Stands);
        let never = Limits { attempts: 1, ..LIMITS };
        assert!(matches!(next(&late, tried(1), never, 1.0), Next::Enough(_)));
    }

    #[test]
    fn a_broken_reply_is_asked_for_once_more() {
        let broken = Sent::bare(ProviderReply::Malformed("no JSON".into(), Usage::default()));
        let tried = |malformed| Tried { sent: malformed, malformed, ..once() };
        let once_more = Next::Again { wait: Duration::from_secs(1), everybody: false };
        assert_eq!(next(&broken, tried(1), LIMITS, 1.0), once_more);
        assert_eq!(next(&broken, tried(2), LIMITS, 1.0), Next::Stands);
    }

    #[test]
    fn a_server_on_this_machine_that_is_not_there_is_given_up_early() {
        let detail = "cannot connect".to_owned();
        let reply = ProviderReply::Retryable { after: None, slow_down: false, detail };
        let unreached = Sent { unreached: true, ..Sent::bare(reply) };
        let tried = |sent| Tried { sent, ..once() };
        let here = Limits { here: true, ..LIMITS };
        assert!(matches!(next(&unreached, tried(2), here, 1.0), Next::Again { .. }));
        assert_eq!(next(&unreached, tried(3), here, 1.0), Next::NotThere);
        assert!(matches!(next(&unreached, tried(6), LIMITS, 1.0), Next::Again { .. }));
        let reply = outcome(unreached, &Next::NotThere, SystemTime::UNIX_EPOCH);
        assert_eq!(reply, ProviderReply::NotFound("cannot connect".into()));
    }

    #[test]
    fn a_program_that_asks_again_itself_is_tried_less_often() {
        let settings = Assess::default();
        let attempts = |provider, settings: &Assess| {
            Limits::of(&Judge { provider, ..judge(None) }, settings).attempts
        };
        assert_eq!(attempts(Provider::Anthropic, &settings), 7);
        assert_eq!(attempts(Provider::ClaudeCli, &settings), 3);
        let once = Assess { max_attempts: 1, ..settings };
        assert_eq!(attempts(Provider::ClaudeCli, &once), 1);
    }

    #[test]
    fn a_spent_quota_says_when_it_works_again() {
        let now = SystemTime::UNIX_EPOCH + NOON;
        let told = |sent: Sent| match outcome(sent.clone(), &next(&sent, once(), LIMITS, 0.0), now)
        {
            ProviderReply::QuotaExhausted(detail) => detail,
            other => format!("{other:?}"),
        };
        let of = |headers: &[(&str, &str)], body| {
            told(sent(Provider::OpenAiCompatible, 429, headers, body))
        };
        assert_eq!(
            of(&[("retry-after", "7500")], r#"{"error":"busy"}"#),
            "HTTP 429: busy; it works again in 2 h 5 min (about 14:05 UTC)"
        );
        let spent = r#"{"error":{"message":"spent","type":"insufficient_quota"}}"#;
        assert_eq!(of(&[], spent), "HTTP 429: spent");
        assert_eq!(
            of(&[("retry-after", "90")], spent),
            "HTTP 429: spent; it works again in 2 min (about 12:01 UTC)"
        );
        assert_eq!(when(Duration::from_secs(90_000), now), "in 1 d 1 h (about 13:00 UTC)");
    }
}
