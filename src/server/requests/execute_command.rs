//! `workspace/executeCommand`: starts something and answers at once.
//!
//! Invariant: the answer is `{accepted, reason?}`, immediately; what the command
//! does arrives later as findings, progress or messages.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tower_lsp_server::gen_lsp_types::ExecuteCommandParams;

use super::super::session::Session;

/// The commands the server knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Assess one transcript (or all of a document) now.
    Assess,
    /// Assess every open transcript of the project.
    AssessAll,
    /// Stop the assessments under way.
    Cancel,
    /// Say what is known about a place, and why there is no finding.
    Explain,
    /// Say what a person thinks of a transcript, a verdict or a batch.
    Review,
    /// Say of every batch whether more like it may be made, and what is missing.
    Gate,
    /// Look for what is wrong with all transcripts together.
    Audit,
    /// Cut what passed into training examples.
    Slice,
    /// Make the next transcripts of the project.
    Generate,
    /// Draft and prove a rewrite of replies that failed.
    DraftFixup,
    /// Say what becomes of a critique's finding.
    Critique,
    /// Forget a fixup, or stop drafting it.
    DiscardFixup,
    /// Show what a proven fixup changes; editors with a view for it do it themselves.
    PreviewFixup,
}

impl Command {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Assess,
        Self::AssessAll,
        Self::Cancel,
        Self::Explain,
        Self::Review,
        Self::DraftFixup,
        Self::DiscardFixup,
        Self::PreviewFixup,
        Self::Gate,
        Self::Critique,
        Self::Audit,
        Self::Slice,
        Self::Generate,
    ];

    /// The name in the protocol.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Assess => "rubricator.assess",
            Self::AssessAll => "rubricator.assessAll",
            Self::Cancel => "rubricator.cancel",
            Self::Explain => "rubricator.explain",
            Self::Review => "rubricator.review",
            Self::Gate => "rubricator.gate",
            Self::Critique => "rubricator.critique",
            Self::Audit => "rubricator.audit",
            Self::Slice => "rubricator.slice",
            Self::Generate => "rubricator.generate",
            Self::DraftFixup => "rubricator.draftFixup",
            Self::DiscardFixup => "rubricator.discardFixup",
            Self::PreviewFixup => "rubricator.previewFixup",
        }
    }

    /// The command with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|command| command.name() == name)
    }
}

/// The one argument of every command: what it is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The document.
    #[serde(default)]
    pub uri: String,
    /// Only this transcript.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transcript: Option<String>,
    /// Only this exchange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange: Option<u32>,
    /// Only this criterion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub criterion: Option<String>,
    /// Only this finding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
    /// The text it is about, by its digest: of another one it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// What a person says (`rubricator.review`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub say: Option<Say>,
    /// What an editor is to ask the person for before it sends this: `note`, or
    /// `criterion`, of which it says the `choices`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask: Option<String>,
    /// In their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What the answer should have been: YES, NO or NA.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// Whose verdict it is about; absent: everybody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judge: Option<String>,
    /// The batch it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<String>,
    /// What the reply is an example of: PASS, FAIL, BORDERLINE_PASS or BORDERLINE_FAIL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// What a person says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Say {
    /// The transcript is good.
    Accept,
    /// It is not.
    Reject,
    /// The verdict on a criterion is right.
    Right,
    /// It is wrong.
    Wrong,
    /// Something about a verdict, without deciding it.
    Note,
    /// The rubric lacks a criterion.
    Missing,
    /// The batch is good enough to make more like it.
    Satisfactory,
    /// Nothing yet: what is worth looking at next?
    Next,
    /// The reply is an example of the criterion, with this `label`.
    Example,
    /// Nothing is to be made of a critique's finding.
    Dismiss,
}

impl Target {
    /// Reads the argument; a missing one is about everything.
    ///
    /// # Errors
    /// A sentence for the user when the argument is not of the documented form.
    pub fn read(arguments: Option<Vec<Value>>) -> Result<Self, String> {
        match arguments.unwrap_or_default().into_iter().next() {
            None | Some(Value::Null) => Ok(Self::default()),
            Some(value) => serde_json::from_value(value).map_err(|error| {
                format!(
                    "the argument is {{uri, transcript?, exchange?, criterion?, finding?, say?, note?, \
                     answer?, judge?, batch?, label?, digest?}}: {error}"
                )
            }),
        }
    }
}

/// What the client is told at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Accepted {
    accepted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What was found, where the command finds something.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    found: Option<Value>,
}

impl Accepted {
    /// It has started.
    #[must_use]
    pub const fn yes() -> Self {
        Self { accepted: true, reason: None, found: None }
    }

    /// It was found: an object.
    #[must_use]
    pub const fn with(found: Value) -> Self {
        Self { accepted: true, reason: None, found: Some(found) }
    }

    /// It has not, and this is why.
    #[must_use]
    pub fn no(reason: impl Into<String>) -> Self {
        Self { accepted: false, reason: Some(reason.into()), found: None }
    }

    /// Why it has not started.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// As the protocol wants it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// Starts what was asked for.
pub fn answer(session: &mut Session, params: ExecuteCommandParams) -> Accepted {
    let Some(command) = Command::from_name(&params.command) else {
        return Accepted::no(format!("there is no command `{}`", params.command));
    };
    match Target::read(params.arguments) {
        Err(reason) => Accepted::no(reason),
        Ok(target) => session.command(command, &target),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_argument_is_one_object_and_may_be_missing() {
        assert_eq!(Target::read(None), Ok(Target::default()));
        assert_eq!(Target::read(Some(vec![Value::Null])), Ok(Target::default()));
        let full = json!({"uri": "file:///a", "transcript": "t", "exchange": 2, "later": 1});
        let target = Target::read(Some(vec![full])).unwrap();
        assert_eq!((target.uri.as_str(), target.exchange), ("file:///a", Some(2)));
        assert!(Target::read(Some(vec![json!({"uri": 1})])).is_err());
    }

    #[test]
    fn answers_are_short() {
        assert_eq!(Accepted::yes().to_json(), json!({"accepted": true}));
        assert_eq!(Accepted::no("why").to_json(), json!({"accepted": false, "reason": "why"}));
    }
}
