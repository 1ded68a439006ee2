//! OpenAI's published formula for chat records (cookbook, "How to count tokens
//! with tiktoken"): 3 a message, the tokens of every field, 1 more for a `name`,
//! and 3 that prime the reply.
//!
//! Invariant: for messages of text the result is the published formula, exactly.
//! Tool definitions follow the published formula for them; calls and images have
//! none, so calls count as their names and arguments, images as nothing, and the
//! count says that it is an estimate.

use serde_json::Value;

use super::counter::CountError;
use super::record::{Precision, RecordCount};
use super::template::input::{RenderInput, RenderMessage};

const PER_MESSAGE: usize = 3;
const PER_NAME: usize = 1;
const REPLY_PRIMING: usize = 3;
const PROPERTIES_START: usize = 3;
const PER_PROPERTY: usize = 3;
const PER_ENUM_ITEM: usize = 3;
const ENUM_START: isize = -3;
const TOOL_END: usize = 12;

const CALLS: &str = "OpenAI publishes no formula for tool calls";
const IMAGES: &str = "images are not counted";
const TOOLS: &str = "tool definitions follow OpenAI's published approximation";

/// Counts texts; memoised or not is the caller's choice.
pub(super) type CountText<'c> = dyn Fn(&str) -> Result<usize, CountError> + 'c;

/// Tokens of a record. `tool_start` is what the encoding's models need per tool.
pub(super) fn record(
    input: &RenderInput<'_>,
    tool_start: usize,
    count: &CountText<'_>,
) -> Result<RecordCount, CountError> {
    let mut total = RecordCount { tokens: REPLY_PRIMING, precision: Precision::Exact };
    for message in &input.messages {
        total.add(self::message(message, count)?);
    }
    if let Value::Array(tools) = &input.tools
        && !tools.is_empty()
    {
        total.add(RecordCount {
            tokens: self::tools(tools, tool_start, count)?,
            precision: Precision::Estimate(TOOLS),
        });
    }
    Ok(total)
}

/// Tokens one message adds to a record.
pub(super) fn message(
    message: &RenderMessage<'_>,
    count: &CountText<'_>,
) -> Result<RecordCount, CountError> {
    let mut total = RecordCount { tokens: PER_MESSAGE, precision: Precision::Exact };
    if let Some(text) = &message.text {
        total.tokens += count(text)?;
    }
    for (key, value) in &message.fields {
        match (key.as_str(), value) {
            ("name", Value::String(name)) => total.tokens += PER_NAME + count(name)?,
            (_, Value::String(text)) => total.tokens += count(text)?,
            ("content", Value::Array(parts)) => total.add(content(parts, count)?),
            ("tool_calls", Value::Array(calls)) if !calls.is_empty() => {
                for call in calls {
                    total.tokens += self::call(call.get("function").unwrap_or(call), count)?;
                }
                total.precision = Precision::Estimate(CALLS);
            }
            ("function_call", Value::Object(_)) => {
                total.tokens += self::call(value, count)?;
                total.precision = Precision::Estimate(CALLS);
            }
            _ => {}
        }
    }
    Ok(total)
}

fn content(parts: &[Value], count: &CountText<'_>) -> Result<RecordCount, CountError> {
    let mut total = RecordCount { tokens: 0, precision: Precision::Exact };
    for part in parts {
        match part.get("text").unwrap_or(part) {
            Value::String(text) => total.tokens += count(text)?,
            _ => total.precision = Precision::Estimate(IMAGES),
        }
    }
    Ok(total)
}

fn call(function: &Value, count: &CountText<'_>) -> Result<usize, CountError> {
    let name = function.get("name").and_then(Value::as_str).unwrap_or_default();
    let arguments = match function.get("arguments") {
        Some(Value::String(text)) => count(text)?,
        Some(value) => count(&value.to_string())?,
        None => 0,
    };
    Ok(count(name)? + arguments)
}

fn tools(tools: &[Value], tool_start: usize, count: &CountText<'_>) -> Result<usize, CountError> {
    let mut tokens = TOOL_END;
    for tool in tools {
        let function = tool.get("function").unwrap_or(tool);
        tokens += tool_start;
        tokens += count(&format!("{}:{}", word(function, "name"), description(function)))?;
        let properties = function.get("parameters").and_then(|p| p.get("properties"));
        if let Some(Value::Object(properties)) = properties
            && !properties.is_empty()
        {
            tokens += PROPERTIES_START;
            for (name, property) in properties {
                tokens += self::property(name, property, count)?;
            }
        }
    }
    Ok(tokens)
}

fn property(name: &str, property: &Value, count: &CountText<'_>) -> Result<usize, CountError> {
    let line = format!("{name}:{}:{}", word(property, "type"), description(property));
    let mut tokens = PER_PROPERTY + count(&line)?;
    if let Some(Value::Array(items)) = property.get("enum") {
        for item in items {
            tokens += PER_ENUM_ITEM;
            tokens += match item {
                Value::String(text) => count(text)?,
                other => count(&other.to_string())?,
            };
        }
        tokens = tokens.saturating_add_signed(ENUM_START);
    }
    Ok(tokens)
}

fn word<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// A description loses its final full stop, as published.
fn description(value: &Value) -> &str {
    let text = word(value, "description");
    text.strip_suffix('.').unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tokens::counter::{Counter, Encoding};

    fn count_in(encoding: Encoding, messages: &Value, tools: &Value) -> RecordCount {
        let counter = Counter::OpenAi(encoding);
        let made = messages.as_array().unwrap().iter().map(|m| m.as_object().unwrap().clone());
        let messages = made.map(RenderMessage::from_fields).collect();
        let input = RenderInput { messages, tools: tools.clone(), ..RenderInput::default() };
        record(&input, encoding.tool_start(), &|text| counter.count(text)).unwrap()
    }

    /// The two worked examples of the cookbook and the totals it prints.
    #[test]
    fn published_examples() {
        let jargon = json!([
            {"role": "system", "content": "You are a helpful, pattern-following assistant that translates corporate jargon into plain English."},
            {"role": "system", "name": "example_user", "content": "New synergies will help drive top-line growth."},
            {"role": "system", "name": "example_assistant", "content": "Things working well together will increase revenue."},
            {"role": "system", "name": "example_user", "content": "Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage."},
            {"role": "system", "name": "example_assistant", "content": "Let's talk later when we're less busy about how to do better."},
            {"role": "user", "content": "This late pivot means we don't have time to boil the ocean for the client deliverable."},
        ]);
        let exact = |tokens| RecordCount { tokens, precision: Precision::Exact };
        assert_eq!(count_in(Encoding::Cl100kBase, &jargon, &Value::Null), exact(129));
        assert_eq!(count_in(Encoding::O200kBase, &jargon, &Value::Null), exact(124));

        let weather = json!([
            {"role": "system", "content": "You are a helpful assistant that can answer to questions about the weather."},
            {"role": "user", "content": "What's the weather like in San Francisco?"},
        ]);
        let tools = json!([{"type": "function", "function": {
            "name": "get_current_weather",
            "description": "Get the current weather in a given location",
            "parameters": {"type": "object", "properties": {
                "location": {"type": "string", "description": "The city and state, e.g. San Francisco, CA"},
                "unit": {"type": "string", "description": "The unit of temperature to return", "enum": ["celsius", "fahrenheit"]},
            }, "required": ["location"]},
        }}]);
        let estimate = |tokens| RecordCount { tokens, precision: Precision::Estimate(TOOLS) };
        assert_eq!(count_in(Encoding::Cl100kBase, &weather, &tools), estimate(105));
        assert_eq!(count_in(Encoding::O200kBase, &weather, &tools), estimate(101));
    }

    #[test]
    fn every_field_counts_and_what_has_no_formula_says_so() {
        let count = |message| count_in(Encoding::O200kBase, &json!([message]), &Value::Null);
        let plain = count(json!({"role": "user", "content": "hello world"}));
        assert_eq!(plain, RecordCount { tokens: 3 + 3 + 1 + 2, precision: Precision::Exact });
        let parts = count(json!({"role": "user", "content": [
            {"type": "text", "text": "hello world"}, {"type": "image_url", "image_url": {"url": "x"}},
        ]}));
        assert_eq!(parts, RecordCount { tokens: 9, precision: Precision::Estimate(IMAGES) });
        let call = count(json!({"role": "assistant", "content": null, "weight": 1, "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "hello", "arguments": " world"}},
        ]}));
        assert_eq!(call, RecordCount { tokens: 9, precision: Precision::Estimate(CALLS) });
        let result =
            count(json!({"role": "tool", "tool_call_id": "hello", "content": "hello world"}));
        assert_eq!(result, RecordCount { tokens: 10, precision: Precision::Exact });
    }
}
