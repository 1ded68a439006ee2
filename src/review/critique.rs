//! Critiques: what experts and difficult users would say of a rubric, prompts or a
//! small batch, and what people made of it; lines of `data/critiques.jsonl`.
//!
//! Invariant: the file only grows and git merges it by union; a critique of the same
//! text by the same model is there once, so it is never asked for twice.

use serde::{Deserialize, Serialize};

/// Somebody's view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Voice {
    /// Who.
    pub name: String,
    /// What they see.
    pub says: String,
}

/// What a critic's reply holds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// The experts.
    pub experts: Vec<Voice>,
    /// The difficult users.
    pub users: Vec<Voice>,
    /// What is wrong.
    pub findings: Vec<Said>,
    /// All in all.
    pub synthesis: String,
}

/// One finding as the critic wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// `passes-but-bad`, `fails-but-fine`, `serves-badly` or `unclear`.
    pub kind: String,
    /// What is wrong, and what to do about it.
    pub says: String,
    /// Whose voices it comes from.
    pub voices: Vec<String>,
    /// The words it is about; empty where something is missing.
    pub quote: String,
    /// A question to a judge that would catch it; empty where none would.
    pub question: String,
}

/// One finding, anchored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Unique.
    pub id: String,
    /// The transcript it is about, by id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transcript: Option<String>,
    /// What was said.
    #[serde(flatten)]
    pub said: Said,
}

/// One line of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Line {
    /// A critique.
    Critique(Critique),
    /// What a person made of a finding.
    Decision(Decision),
}

/// A critique of one text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Critique {
    /// Unique.
    pub id: String,
    /// When, in UTC, as RFC 3339.
    pub at: String,
    /// The file, counted from the project's folder.
    pub file: String,
    /// The digest of all that changes the reply: text, prompt, model; 64 hex digits.
    pub asked: String,
    /// The judge that was asked.
    pub judge: String,
    /// Its model.
    pub model: String,
    /// The experts.
    pub experts: Vec<Voice>,
    /// The difficult users.
    pub users: Vec<Voice>,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// All in all.
    pub synthesis: String,
}

/// What a person made of a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Unique.
    pub id: String,
    /// When.
    pub at: String,
    /// Who.
    pub by: String,
    /// The finding.
    pub finding: String,
    /// True when something is to be made of it.
    pub accepted: bool,
    /// What was made of it, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A project's critiques.
#[derive(Clone, Debug, Default)]
pub struct Critiques {
    /// The critiques, in the order of the file.
    pub all: Vec<Critique>,
    decisions: Vec<Decision>,
}

impl Line {
    /// The line, without its line break.
    #[must_use]
    pub fn text(&self) -> String {
        // Strings and lists alone: this cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Reply {
    /// Reads a critic's reply.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let reply: Self = serde_json::from_str(text.trim()).map_err(|e| e.to_string())?;
        if reply.findings.is_empty() && reply.synthesis.trim().is_empty() {
            return Err("it says nothing".into());
        }
        Ok(reply)
    }
}

impl Critiques {
    /// Reads the text of a critiques file; a line that is none is left out.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut found = Self::default();
        for line in text.lines() {
            match serde_json::from_str(line) {
                Ok(Line::Critique(one)) if found.all.iter().all(|known| known.id != one.id) => {
                    found.all.push(one);
                }
                Ok(Line::Decision(one)) => found.decisions.push(one),
                _ => {}
            }
        }
        found.decisions.sort_by(|a, b| a.at.cmp(&b.at));
        found
    }

    /// The critique that was answered to this question.
    #[must_use]
    pub fn answered(&self, asked: &str) -> Option<&Critique> {
        self.all.iter().find(|one| one.asked == asked)
    }

    /// A finding by its id, and the critique it is of.
    #[must_use]
    pub fn finding(&self, id: &str) -> Option<(&Critique, &Finding)> {
        let find = |one: &'_ Critique| one.findings.iter().position(|f| f.id == id);
        let critique = self.all.iter().find(|one| find(one).is_some())?;
        Some((critique, &critique.findings[find(critique)?]))
    }

    /// What was decided about a finding last.
    #[must_use]
    pub fn decision(&self, finding: &str) -> Option<&Decision> {
        self.decisions.iter().rfind(|one| one.finding == finding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_the_last_decision_counts() {
        let reply = r#"{"experts":[{"name":"E","says":"x"}],"users":[],"findings":[{"kind":"unclear","says":"s","voices":["E"],"quote":"q","question":""}],"synthesis":"all"}"#;
        let reply = Reply::parse(reply).unwrap();
        let finding =
            Finding { id: "c-1.1".into(), transcript: None, said: reply.findings[0].clone() };
        let critique = Critique {
            id: "c-1".into(),
            at: "2026-11-24T10:00:00Z".into(),
            file: "config/rubric.yaml".into(),
            asked: "k".into(),
            judge: "j".into(),
            model: "m".into(),
            experts: reply.experts,
            users: reply.users,
            findings: vec![finding],
            synthesis: reply.synthesis,
        };
        let decision = |id: &str, at: &str, accepted| {
            let note = None;
            Line::Decision(Decision {
                id: id.into(),
                at: at.into(),
                by: "A".into(),
                finding: "c-1.1".into(),
                accepted,
                made: None,
                note,
            })
        };
        let lines = [
            decision("d2", "2", false),
            Line::Critique(critique.clone()),
            decision("d1", "1", true),
            Line::Critique(critique.clone()),
        ];
        let text: String = lines.iter().map(|line| line.text() + "\n").collect();
        let read = Critiques::read(&format!("{text}<<<<<<< ours\n"));
        assert_eq!(read.all, std::slice::from_ref(&critique));
        assert_eq!(read.answered("k"), Some(&critique));
        assert_eq!(read.finding("c-1.1").unwrap().1.said.quote, "q");
        assert!(!read.decision("c-1.1").unwrap().accepted);
        assert!(Reply::parse("{}").is_err() && Reply::parse("Sure!").is_err());
    }
}
