//! The JSON schema of a judge's reply (SPEC 5.3), in the subset that every
//! provider takes: objects with all properties required and none other, arrays,
//! strings, integers and string enums.
//!
//! Deliberately absent: `$ref`, bounds, lengths, patterns; some provider rejects each.

use serde_json::{Map, Value, json};

use crate::assessment::reply;
use crate::rubric::{Criterion, Verdict};

/// One required property per criterion, named by its id.
pub(super) fn of(criteria: &[&Criterion]) -> Value {
    object(criteria.iter().map(|criterion| (criterion.id.clone(), answer())).collect())
}

/// Reasoning comes before the answer it is to lead to.
fn answer() -> Value {
    let evidence = object(Map::from_iter([
        ("exchange".to_owned(), json!({"type": "integer"})),
        ("quote".to_owned(), json!({"type": "string"})),
    ]));
    let verdicts = [Verdict::Yes, Verdict::No, Verdict::Na].map(Verdict::name);
    let values = [
        json!({"type": "string"}),
        json!({"type": "array", "items": evidence}),
        json!({"type": "string", "enum": verdicts}),
    ];
    object(reply::FIELDS.map(str::to_owned).into_iter().zip(values).collect())
}

fn object(properties: Map<String, Value>) -> Value {
    let required: Vec<&String> = properties.keys().collect();
    json!({
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": false,
    })
}
