//! What comes with another status than 200: sent again where that helps, after
//! the wait that the server asks for; stopped at once where nothing is left.

use std::time::Duration;

use super::{JudgeServer, Played, Reply, Wire, World, job, judge_of, play, run};

type Headers = Vec<(&'static str, &'static str)>;

/// A first request that fails so, then good ones.
async fn once(wire: Wire, status: u16, headers: Headers, body: String) -> Played {
    let body: &'static str = body.leak();
    play(wire, move |asked, number| match number {
        0 => Reply::Status(status, headers.clone(), body),
        _ => Reply::all(asked, "YES"),
    })
    .await
}

/// It was sent again after one wait, and answered.
fn is_retried(played: &Played, wait: Option<Duration>, what: &str) {
    assert_eq!((played.outcome.as_str(), played.sent, played.stored), ("YES", 2, 3), "{what}");
    // A wait of nothing is none.
    let wait = wait.or(played.waits.first().copied());
    let waits: Vec<Duration> = wait.into_iter().filter(|wait| !wait.is_zero()).collect();
    assert_eq!(played.waits, waits, "{what}");
}

/// It was sent once, and nothing was kept.
fn is_final(played: &Played, outcome: &str, what: &str) {
    let got = (played.outcome.as_str(), played.sent, played.stored);
    assert_eq!(got, (outcome, 1, 0), "{what}: {}", played.detail);
    assert_eq!(played.waits, [], "{what}");
}

#[tokio::test]
async fn a_crowded_or_broken_server_is_asked_again() {
    for wire in Wire::ALL {
        for status in [408, 409, 429, 500, 502, 503, 504, 529] {
            let body = wire.error(status, "busy", "Busy.");
            is_retried(
                &once(wire, status, Vec::new(), body).await,
                None,
                &format!("{wire:?} {status}"),
            );
        }
        let html = "<html>Bad gateway</html>".to_owned();
        is_retried(&once(wire, 502, Vec::new(), html).await, None, "HTML");
    }
}

#[tokio::test]
async fn the_wait_is_the_one_the_headers_ask_for() {
    let ms = Duration::from_millis;
    for wire in Wire::ALL {
        let cases: Vec<(Headers, Duration)> = vec![
            (vec![("retry-after", "0")], ms(0)),
            (vec![("retry-after", "1.5")], ms(1500)),
            (vec![("retry-after-ms", "20"), ("retry-after", "9")], ms(20)),
        ];
        for (headers, wait) in cases {
            let what = format!("{wire:?} {headers:?}");
            let body = wire.error(429, "rate_limit_error", "Slow down.");
            is_retried(&once(wire, 429, headers, body).await, Some(wait), &what);
        }
    }
}

#[tokio::test]
async fn the_servers_word_on_asking_again_counts() {
    for wire in [Wire::Chat, Wire::Anthropic, Wire::OpenAi] {
        let body = || wire.error(400, "invalid_request_error", "Try again.");
        let again = once(wire, 400, vec![("x-should-retry", "true")], body()).await;
        is_retried(&again, None, "true");
        let never = once(wire, 500, vec![("x-should-retry", "false")], body()).await;
        is_final(&never, "provider-error", "false");
    }
}

#[tokio::test]
async fn a_spent_quota_is_never_sent_again() {
    let mut cases: Vec<(Wire, u16, String)> = Vec::new();
    for code in ["enforced_spend_limit_reached", "contract_spend_limit_reached"] {
        let body = format!(
            r#"{{"type":"error","error":{{"type":"rate_limit_error","message":"Spent.","details":{{"error_code":"{code}"}}}}}}"#
        );
        cases.push((Wire::Anthropic, 429, body));
    }
    let billing = Wire::Anthropic.error(402, "billing_error", "Spent.");
    cases.push((Wire::Anthropic, 402, billing));
    let balance = "Your credit balance is too low to access the API.";
    cases.push((
        Wire::Anthropic,
        400,
        Wire::Anthropic.error(400, "invalid_request_error", balance),
    ));
    for code in [
        "insufficient_quota",
        "credit_balance_exhausted",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
    ] {
        for wire in [Wire::OpenAi, Wire::Chat] {
            cases.push((wire, 429, wire.error(429, code, "Spent.")));
        }
    }
    cases.push((Wire::Gemini, 402, Wire::Gemini.error(402, "RESOURCE_EXHAUSTED", "Spent.")));
    cases.push((
        Wire::Gemini,
        429,
        quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier", "46.2s"),
    ));
    let none = "Quota exceeded for metric: requests, limit: 0, model: x";
    cases.push((Wire::Gemini, 429, Wire::Gemini.error(429, "RESOURCE_EXHAUSTED", none)));
    for (wire, status, body) in cases {
        let what = format!("{wire:?} {body}");
        is_final(&once(wire, status, Vec::new(), body).await, "out-of-quota", &what);
    }
}

/// Google's words about a quota.
fn quota(id: &str, delay: &str) -> String {
    format!(
        r#"{{"error":{{"code":429,"message":"You exceeded your current quota. Please retry in {delay}.","status":"RESOURCE_EXHAUSTED","details":[
        {{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{{"quotaId":"{id}","quotaValue":"5"}}]}},
        {{"@type":"type.googleapis.com/google.rpc.Help","links":[]}},
        {{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"{delay}"}}]}}}}"#
    )
}

#[tokio::test]
async fn googles_wait_stands_in_the_body_alone_or_in_a_list() {
    let body = quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "4.5s");
    let wait = Some(Duration::from_millis(5500));
    let plain = once(Wire::Gemini, 429, Vec::new(), body.clone()).await;
    is_retried(&plain, wait, "plain");
    let listed = once(Wire::Gemini, 429, Vec::new(), format!("[{body}]")).await;
    is_retried(&listed, wait, "listed");
    let header = once(Wire::Gemini, 429, vec![("retry-after", "2")], body).await;
    is_retried(&header, Some(Duration::from_secs(2)), "the header comes first");
}

#[tokio::test]
async fn a_wrong_request_is_not_sent_again_and_says_why() {
    for wire in Wire::ALL {
        let body = wire.error(400, "invalid_request_error", "The schema is wrong.");
        let played = once(wire, 400, Vec::new(), body).await;
        is_final(&played, "provider-error", "400");
        assert_eq!(played.detail, "HTTP 400: The schema is wrong.");
    }
    for (wire, status, body) in [
        (Wire::Chat, 400, r#"{"error":"The schema is wrong."}"#),
        (Wire::Chat, 400, r#"{"error":{"code":400,"message":"The schema is wrong."}}"#),
        (
            Wire::Chat,
            422,
            r#"{"error":{"message":"The schema is wrong.","type":"BadRequestError","param":null,"code":422}}"#,
        ),
        (
            Wire::Gemini,
            400,
            r#"[{"error":{"code":400,"message":"The schema is wrong.","status":"INVALID_ARGUMENT"}}]"#,
        ),
        (
            Wire::Gemini,
            499,
            r#"{"error":{"code":499,"message":"Cancelled.","status":"CANCELLED"}}"#,
        ),
    ] {
        is_final(&once(wire, status, Vec::new(), body.into()).await, "provider-error", body);
    }
}

#[tokio::test]
async fn a_conversation_that_does_not_fit_is_said() {
    for (wire, status, kind, message) in [
        (
            Wire::Anthropic,
            400,
            "invalid_request_error",
            "prompt is too long: 1000001 tokens > 1000000",
        ),
        (Wire::Anthropic, 413, "request_too_large", "Request exceeds the maximum size"),
        (Wire::OpenAi, 400, "context_length_exceeded", "Your input is too long."),
        (Wire::Chat, 400, "exceed_context_size_error", "the request exceeds the context"),
        (Wire::Chat, 400, "BadRequestError", "This model's maximum context length is 4096 tokens."),
        (
            Wire::Gemini,
            400,
            "INVALID_ARGUMENT",
            "The input token count (9) exceeds the maximum number of tokens allowed (8).",
        ),
    ] {
        let played = once(wire, status, Vec::new(), wire.error(status, kind, message)).await;
        is_final(&played, "provider-error", message);
        assert!(played.detail.contains("does not fit the model"), "{}", played.detail);
    }
}

/// A judge that fails so for every transcript.
async fn every(wire: Wire, status: u16, body: String) -> (usize, Vec<String>, String) {
    let body: &'static str = body.leak();
    let world = World::new();
    let server =
        JudgeServer::speaking(wire, move |_, _| Reply::Status(status, Vec::new(), body)).await;
    let ran = run(&world.engine(), job(&world, 4, judge_of(wire, &server.url))).await;
    let notices = ran.notices().into_iter().map(str::to_owned).collect();
    (server.take().len(), notices, super::common(&ran))
}

#[tokio::test]
async fn a_wrong_key_or_model_stops_the_judge_with_one_message() {
    for wire in Wire::ALL {
        let unknown = every(wire, 404, wire.error(404, "not_found", "model: no-such")).await;
        assert_eq!((unknown.0, unknown.1.len()), (1, 1), "{wire:?}");
        assert!(unknown.1[0].contains("no such model or address"), "{:?}", unknown.1);
        for status in [401, 403] {
            // A server that repeats the key is not repeated.
            let body = wire.error(status, "authentication_error", "wrong key: sk-test");
            let (sent, notices, outcome) = every(wire, status, body).await;
            assert_eq!((sent, notices.len(), outcome.as_str()), (1, 1, "provider-error"));
            assert!(notices[0].contains("wrong key: [key]"), "{notices:?}");
        }
    }
    let body = r#"{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}"#;
    let (sent, notices, _) = every(Wire::Gemini, 400, body.into()).await;
    assert_eq!((sent, notices.len()), (1, 1));
    assert!(notices[0].contains("the key was not accepted"), "{notices:?}");
    let (sent, notices, _) = every(Wire::Chat, 401, r#"{"error":"Unauthorized"}"#.into()).await;
    assert_eq!((sent, notices.len()), (1, 1));
}
