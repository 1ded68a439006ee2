//! `[generate]`: who plays whom, and how much is made.

use super::{Judge, Provider};
use crate::text::nearest::nearest;

/// `[generate]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generate {
    /// Who plays the user.
    pub user_model: Option<String>,
    /// Who plays the assistant.
    pub assistant_model: Option<String>,
    /// Transcripts of a run.
    pub count: usize,
    /// Exchanges of a transcript; `None` is what the persona template says.
    pub exchanges: Option<usize>,
    /// Seed of everything that is sampled.
    pub seed: u64,
}

impl Default for Generate {
    fn default() -> Self {
        Self { user_model: None, assistant_model: None, count: 5, exchanges: None, seed: 0 }
    }
}

/// Whom a setting means: a judge by its name, a judge's own model, or `NAME/MODEL`,
/// which is another model of that judge's provider, with its address and key. Without
/// a setting, the first judge that is no recording.
///
/// # Errors
/// A sentence that says what to write.
pub fn model(judges: &[Judge], key: &str, setting: Option<&str>) -> Result<Judge, String> {
    let mut askable = judges.iter().filter(|judge| judge.provider != Provider::Recorded);
    let Some(setting) = setting else {
        let none = "nobody can be asked: add a [[judge]] with a model to rubricator.toml";
        return askable.next().cloned().ok_or_else(|| none.to_owned());
    };
    let askable: Vec<&Judge> = askable.collect();
    let called = |name: &str| askable.iter().find(|judge| judge.name == name);
    if let Some(judge) = called(setting).or_else(|| askable.iter().find(|j| j.model == setting)) {
        return Ok((*judge).clone());
    }
    if let Some((name, model)) = setting.split_once('/')
        && let Some(judge) = called(name)
        && !model.is_empty()
    {
        let family = None;
        return Ok(Judge { model: model.to_owned(), family, ..(*judge).clone() });
    }
    let names = askable.iter().map(|judge| judge.name.as_str());
    let typed = setting.split('/').next().unwrap_or(setting);
    let near = nearest(typed, names).map(|name| format!(" (did you mean `{name}`?)"));
    Err(format!(
        "generate.{key} = \"{setting}\" is no judge that can be asked{}: write the name of a \
         [[judge]], or NAME/MODEL for another model of its provider",
        near.unwrap_or_default()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Origin, parse, resolve};

    fn check(setting: Option<&str>) -> Result<String, String> {
        let text = "[[judge]]\nname = 'old'\nprovider = 'recorded'\nfile = 'a'\n\
                    [[judge]]\nname = 'local'\nprovider = 'openai-compatible'\nmodel = 'q/8b'\n\
                    base_url = 'http://localhost:1/v1'\n";
        let judges = resolve(&[parse(text, Origin::ProjectFile)]).settings.judges;
        model(&judges, "user_model", setting).map(|judge| format!("{} {}", judge.name, judge.model))
    }

    #[test]
    fn a_setting_names_a_judge_or_another_model_of_its_provider() {
        for setting in [None, Some("local"), Some("q/8b")] {
            assert_eq!(check(setting).unwrap(), "local q/8b");
        }
        assert_eq!(check(Some("local/meta/70b")).unwrap(), "local meta/70b");
    }

    #[test]
    fn what_names_nobody_says_what_to_write() {
        for setting in ["old", "locl/x", "local/", "gpt"] {
            let why = check(Some(setting)).unwrap_err();
            assert!(why.contains("write the name of a [[judge]], or NAME/MODEL"), "{why}");
        }
        assert!(check(Some("locl/x")).unwrap_err().contains("did you mean `local`?"));
    }
}
