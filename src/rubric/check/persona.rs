//! The persona's writing style, for word bounds by style.

use std::borrow::Cow;

use crate::text::json::Value;

/// The style a record names: `persona.writing_style`, `persona.style` or
/// `persona.communication_style`, in this order; `None` when it names none.
#[must_use]
pub fn style(record: Value<'_>) -> Option<Cow<'_, str>> {
    let persona = record.get("persona")?;
    let names = ["writing_style", "style", "communication_style"];
    names.into_iter().find_map(|name| persona.get(name)?.str())
}
