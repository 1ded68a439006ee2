//! What comes as a 200: answers, and what is none; both are paid for.

use serde_json::{Value, json};

use super::{Played, Reply, Wire, play};

/// The reply to the first request, changed; what is asked later is answered.
async fn changed(wire: Wire, change: impl Fn(&mut Value) + Send + Sync + 'static) -> Played {
    play(wire, move |asked, _| {
        let Reply::Text(text) = Reply::all(asked, "YES") else { unreachable!() };
        let mut body = wire.reply(&text);
        change(&mut body);
        Reply::Body(body.to_string())
    })
    .await
}

fn is(played: &Played, outcome: &str, wire: Wire) {
    let answered = if outcome == "YES" { 3 } else { 0 };
    assert_eq!((played.outcome.as_str(), played.stored), (outcome, answered), "{wire:?}");
    assert_eq!(played.waits, [], "{wire:?}");
}

#[tokio::test]
async fn a_good_reply_is_an_answer_in_the_store() {
    for wire in Wire::ALL {
        let played = changed(wire, |_| {}).await;
        is(&played, "YES", wire);
        assert_eq!(played.sent, 1);
    }
}

#[tokio::test]
async fn a_cut_reply_is_unscored_and_paid() {
    for wire in Wire::ALL {
        let played = changed(wire, move |body| match wire {
            Wire::Chat => body["choices"][0]["finish_reason"] = "length".into(),
            Wire::Anthropic => body["stop_reason"] = "max_tokens".into(),
            Wire::OpenAi => {
                body["status"] = "incomplete".into();
                body["incomplete_details"] = json!({"reason": "max_output_tokens"});
            }
            Wire::Gemini => body["candidates"] = json!([{"finishReason": "MAX_TOKENS"}]),
        })
        .await;
        is(&played, "truncated", wire);
        assert_eq!((played.ran.summary.input_tokens, played.ran.summary.output_tokens), (100, 10));
        assert!(played.detail.contains("raise max_tokens"), "{}", played.detail);
    }
    let full =
        changed(Wire::Anthropic, |b| b["stop_reason"] = "model_context_window_exceeded".into());
    is(&full.await, "truncated", Wire::Anthropic);
    let shared =
        changed(Wire::Gemini, |b| b["candidates"][0]["finishReason"] = "CONTINUATION".into());
    is(&shared.await, "truncated", Wire::Gemini);
}

#[tokio::test]
async fn a_refusal_is_unscored_with_the_models_words() {
    for wire in [Wire::Chat, Wire::Anthropic, Wire::OpenAi] {
        let played = changed(wire, move |body| match wire {
            Wire::Chat => {
                body["choices"][0]["message"] = json!({"content": null, "refusal": "I won't."})
            }
            Wire::Anthropic => {
                body["stop_reason"] = "refusal".into();
                body["content"] = json!([]);
                body["stop_details"] =
                    json!({"type": "refusal", "category": "bio", "explanation": "I won't."});
            }
            _ => body["output"][1]["content"] = json!([{"type": "refusal", "refusal": "I won't."}]),
        })
        .await;
        is(&played, "refused", wire);
        assert!(played.detail.contains("I won't."), "{}", played.detail);
        assert_eq!(played.ran.summary.input_tokens, 100);
    }
}

#[tokio::test]
async fn a_filter_is_unscored_with_its_name() {
    let filtered =
        changed(Wire::Chat, |b| b["choices"][0]["finish_reason"] = "content_filter".into());
    is(&filtered.await, "blocked", Wire::Chat);
    let filtered = changed(Wire::OpenAi, |body| {
        body["status"] = "incomplete".into();
        body["incomplete_details"] = json!({"reason": "content_filter"});
    });
    is(&filtered.await, "blocked", Wire::OpenAi);
    let prompt = changed(Wire::Gemini, |body| {
        *body = json!({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
            "usageMetadata": {"promptTokenCount": 100}});
    })
    .await;
    is(&prompt, "blocked", Wire::Gemini);
    assert!(prompt.detail.contains("PROHIBITED_CONTENT"), "{}", prompt.detail);
    assert_eq!(prompt.ran.summary.input_tokens, 100);
    for reason in ["SAFETY", "RECITATION", "SPII", "LANGUAGE", "ESCALATION", "OTHER"] {
        let played = changed(Wire::Gemini, move |body| {
            body["candidates"] = json!([{"finishReason": reason}]);
        })
        .await;
        is(&played, "blocked", Wire::Gemini);
        assert!(played.detail.contains(reason), "{}", played.detail);
    }
}

#[tokio::test]
async fn what_is_no_answer_of_the_api_is_malformed() {
    for wire in Wire::ALL {
        for body in ["<html>", "{}", "[]", "null"] {
            is(&play(wire, move |_, _| Reply::Body(body.into())).await, "malformed", wire);
        }
        let prose = play(wire, |_, _| Reply::Text("Looks fine.".into())).await;
        assert_eq!((prose.outcome.as_str(), prose.stored), ("malformed", 0), "{wire:?}");
        // Google's schema allows no prose: a reply of it is an accident.
        assert_eq!(prose.sent, if wire == Wire::Gemini { 2 } else { 1 }, "{wire:?}");
        is(&play(wire, |_, _| Reply::Text(String::new())).await, "malformed", wire);
    }
    for reason in ["tool_use", "pause_turn", "stop_sequence"] {
        let played = changed(Wire::Anthropic, move |body| body["stop_reason"] = reason.into());
        is(&played.await, "malformed", Wire::Anthropic);
    }
}

#[tokio::test]
async fn a_reply_that_google_calls_malformed_is_asked_for_once_more_and_paid_twice() {
    for (broken, outcome, stored) in [(1, "YES", 3), (2, "malformed", 0)] {
        let played = play(Wire::Gemini, move |asked, number| {
            let Reply::Text(text) = Reply::all(asked, "YES") else { unreachable!() };
            let mut body = Wire::Gemini.reply(&text);
            if number < broken {
                body["candidates"][0]["finishReason"] = "MALFORMED_RESPONSE".into();
            }
            Reply::Body(body.to_string())
        })
        .await;
        assert_eq!((played.outcome.as_str(), played.stored), (outcome, stored));
        assert_eq!((played.sent, played.waits.len()), (2, 1));
        assert!(played.waits[0] <= std::time::Duration::from_secs(1));
        assert_eq!((played.ran.summary.input_tokens, played.ran.summary.output_tokens), (200, 20));
    }
}

#[tokio::test]
async fn a_fence_is_taken_off_for_local_servers_alone() {
    for wire in Wire::ALL {
        let played = play(wire, |asked, _| match Reply::all(asked, "YES") {
            Reply::Text(text) => Reply::Text(format!("```json\n{text}\n```")),
            other => other,
        })
        .await;
        let (outcome, stored) = if wire == Wire::Chat { ("YES", 3) } else { ("malformed", 0) };
        assert_eq!((played.outcome.as_str(), played.stored), (outcome, stored), "{wire:?}");
    }
}

#[tokio::test]
async fn the_whole_prompt_is_counted_whatever_was_cached() {
    for wire in Wire::ALL {
        let played = changed(wire, move |body| match wire {
            Wire::Chat => {
                body["usage"] = json!({"prompt_tokens": 1000, "completion_tokens": 50,
                    "prompt_tokens_details": {"cached_tokens": 700, "cache_write_tokens": 200},
                    "completion_tokens_details": {"reasoning_tokens": 20}});
            }
            Wire::Anthropic => {
                body["usage"] = json!({"input_tokens": 100, "cache_read_input_tokens": 700,
                    "cache_creation_input_tokens": 200,
                    "cache_creation": {"ephemeral_5m_input_tokens": 150, "ephemeral_1h_input_tokens": 50},
                    "output_tokens": 50, "output_tokens_details": {"thinking_tokens": 20}});
            }
            Wire::OpenAi => {
                body["usage"] = json!({"input_tokens": 1000, "output_tokens": 50,
                    "input_tokens_details": {"cached_tokens": 700, "cache_write_tokens": 200},
                    "output_tokens_details": {"reasoning_tokens": 20}});
            }
            Wire::Gemini => {
                body["usageMetadata"] = json!({"promptTokenCount": 1000, "thoughtsTokenCount": 20,
                    "cachedContentTokenCount": 700, "candidatesTokenCount": 30});
            }
        })
        .await;
        is(&played, "YES", wire);
        let summary = &played.ran.summary;
        assert_eq!((summary.input_tokens, summary.output_tokens), (1000, 50), "{wire:?}");
    }
}

#[tokio::test]
async fn a_failure_inside_a_200_is_told_by_its_code() {
    let failed = |code: &'static str| {
        play(Wire::OpenAi, move |asked, number| {
            let error = json!({"code": code, "message": "That failed."});
            match number {
                0 => Reply::Body(
                    json!({"status": "failed", "error": error, "output": []}).to_string(),
                ),
                _ => Reply::all(asked, "YES"),
            }
        })
    };
    for code in ["server_error", "rate_limit_exceeded"] {
        let played = failed(code).await;
        assert_eq!((played.outcome.as_str(), played.sent, played.waits.len()), ("YES", 2, 1));
    }
    is(&failed("invalid_prompt").await, "provider-error", Wire::OpenAi);
    is(&failed("content_policy_violation").await, "blocked", Wire::OpenAi);
    is(&failed("insufficient_quota").await, "out-of-quota", Wire::OpenAi);
}
