//! The names roles go by, and who they mean.
//!
//! Invariant: [`Role::named`] is total; a name nobody knows is [`Role::Unknown`].
//! Which names a given shape accepts without a remark is not decided here: that
//! is structure rule M003.

use super::Role;

/// Every name of a role met in the field, in lower case.
const NAMES: [(&str, Role); 22] = [
    ("system", Role::System),
    ("developer", Role::System),
    ("user", Role::User),
    ("human", Role::User),
    ("assistant", Role::Assistant),
    ("gpt", Role::Assistant),
    ("model", Role::Assistant),
    ("bot", Role::Assistant),
    ("chatbot", Role::Assistant),
    ("chatgpt", Role::Assistant),
    ("ai", Role::Assistant),
    ("bing", Role::Assistant),
    ("bard", Role::Assistant),
    ("function_call", Role::Assistant),
    ("tool_call", Role::Assistant),
    ("tool", Role::Tool),
    ("function", Role::Tool),
    ("observation", Role::Tool),
    ("function_response", Role::Tool),
    ("tool_response", Role::Tool),
    ("tool_result", Role::Tool),
    ("ipython", Role::Tool),
];

impl Role {
    /// Who `name` means; case and white space around it do not matter.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let name = name.trim();
        let known = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        known.map_or(Self::Unknown, |&(_, role)| role)
    }
}

/// True for the names whose text is a tool call written as JSON (ShareGPT with tools).
pub(crate) fn is_call_name(name: &str) -> bool {
    matches!(name.trim(), "function_call" | "tool_call")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_mean_what_the_field_means_by_them() {
        let cases = [
            ("Human", Role::User),
            (" assistant ", Role::Assistant),
            ("Chatbot", Role::Assistant),
            ("developer", Role::System),
            ("observation", Role::Tool),
            ("narrator", Role::Unknown),
            ("", Role::Unknown),
        ];
        for (name, role) in cases {
            assert_eq!(Role::named(name), role, "{name}");
        }
    }
}
