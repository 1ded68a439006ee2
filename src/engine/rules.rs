//! What a project's transcripts are looked at with: the rubric, the tokenizer
//! and the chat template, read from the files that its settings name.
//!
//! Invariant: whatever cannot be read is a [`Problem`] at the setting that names
//! it, and the rest still works.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::workspace::{Problem, Project, plain, read_text};
use crate::config::layer::FILE;
use crate::doctor::{Loss, Target, Trainer};
use crate::finding::{Finding, Severity};
use crate::rubric::parse::{self, Parsed};
use crate::tokens::{Counter, HfTokenizer, Memo, RecordCounter, Specials, Template};

/// A tokenizer file may have this many bytes; the largest in use have a tenth.
const TOKENIZER_LIMIT: u64 = 256 << 20;

/// The rules of one project.
#[derive(Debug, Default)]
pub struct Rules {
    /// The rubric file, where there is one that can be read.
    pub rubric: Option<RubricFile>,
    /// How tokens are counted.
    pub counter: Option<RecordCounter>,
    /// The chat template was named in the settings.
    pub template_is_set: bool,
    /// What the data is for.
    pub target: Option<Target>,
    /// What could not be had.
    pub problems: Vec<Problem>,
}

/// A rubric with its text.
#[derive(Debug)]
pub struct RubricFile {
    /// Where it is.
    pub path: PathBuf,
    /// What is written there.
    pub text: String,
    /// What that says.
    pub parsed: Parsed,
}

/// Reads the rules that a project's settings name.
#[must_use]
pub fn load(project: &Project) -> Rules {
    let mut rules = Rules::default();
    rules.read_rubric(project);
    rules.read_counter(project);
    rules
}

impl RubricFile {
    /// Reads a rubric.
    ///
    /// # Errors
    /// What is wrong with the file, as the end of a sentence.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = read_text(path)?;
        let parsed = parse::parse(&text);
        Ok(Self { path: path.to_owned(), text, parsed })
    }
}

impl Rules {
    fn read_rubric(&mut self, project: &Project) {
        let Some(path) = project.rubric_path() else {
            if project.root.is_some() {
                let why = "leads out of the project";
                self.problem(project, "project.rubric", Severity::Error, "the rubric", why);
            }
            return;
        };
        match RubricFile::read(&path) {
            Ok(file) => self.rubric = Some(file),
            // Nobody asked for a rubric where the settings do not name one.
            Err(_) if !project.names_rubric() && !path.exists() => {}
            Err(why) => {
                self.problem(project, "project.rubric", Severity::Error, "the rubric", &why);
            }
        }
    }

    fn read_counter(&mut self, project: &Project) {
        let tokens = &project.settings().tokens;
        let Some((counter, folder)) = self.tokenizer(project, &tokens.tokenizer) else { return };
        self.template_is_set = tokens.chat_template.is_some();
        let template = match &tokens.chat_template {
            Some(name) => self.template(project, name),
            None => Ok(folder.as_deref().and_then(own_template)),
        };
        let template_is_known = !matches!(template, Ok(None));
        let fallback = if folder.is_some() { "chatml" } else { "openai" };
        let template = match template {
            Ok(template) => template.or_else(|| Template::built_in(fallback)),
            Err(why) => {
                let what = "the chat template";
                self.problem(project, "tokens.chat_template", Severity::Error, what, &why);
                None
            }
        };
        self.counter = template.map(|template| {
            RecordCounter::new(counter, Arc::new(template), Arc::new(Memo::default()))
        });
        self.read_target(project, template_is_known);
    }

    fn read_target(&mut self, project: &Project, template_is_known: bool) {
        let target = &project.settings().target;
        let trainer = target.trainer.as_deref().and_then(Trainer::named);
        let (Some(trainer), Some(counter)) = (trainer, self.counter.clone()) else { return };
        let loss = target.loss.as_deref().and_then(Loss::named);
        match Target::new(trainer, loss, target.max_length, counter, template_is_known) {
            Ok(target) => self.target = Some(target),
            Err(why) => {
                let why = format!("cannot be: {why}");
                self.problem(project, "target.loss", Severity::Error, "the loss", &why);
            }
        }
    }

    /// The tokenizer, and the folder it was read from if it is a file.
    fn tokenizer(&mut self, project: &Project, name: &str) -> Option<(Counter, Option<PathBuf>)> {
        if let Ok(counter) = Counter::from_encoding_name(name) {
            return Some((counter, None));
        }
        let key = "tokens.tokenizer";
        let path = project.place(Path::new(name), key);
        let read = path.ok_or_else(|| "leads out of the project".to_owned()).and_then(|path| {
            let bytes = read_bytes(&path)?;
            let tokenizer = HfTokenizer::from_json(&bytes).map_err(|e| format!("is none: {e}"))?;
            let folder = path.parent().map(Path::to_owned).unwrap_or_default();
            Ok((Counter::HuggingFace(Arc::new(tokenizer)), Some(folder)))
        });
        read.map_err(|why| self.problem(project, key, Severity::Error, "the tokenizer", &why)).ok()
    }

    fn template(&self, project: &Project, name: &str) -> Result<Option<Template>, String> {
        if let Some(template) = Template::built_in(name) {
            return Ok(Some(template));
        }
        let path = project
            .place(Path::new(name), "tokens.chat_template")
            .ok_or_else(|| "leads out of the project".to_owned())?;
        template_file(&path)
    }

    fn problem(&mut self, project: &Project, key: &str, severity: Severity, what: &str, why: &str) {
        let shown = project.resolved.shown(key);
        let (origin, span) = shown.map_or_else(Default::default, |s| (s.origin, s.span));
        let named = shown.map_or("", |s| s.value.as_str()).trim_matches('"');
        let message = format!("{what} `{named}` {why}");
        let finding = Finding::new(FILE, severity, span, message);
        self.problems.push(project.problem(origin, finding));
    }
}

/// The template that lies beside a tokenizer, as models are published.
fn own_template(folder: &Path) -> Option<Template> {
    let jinja = folder.join("chat_template.jinja");
    let config = folder.join("tokenizer_config.json");
    [jinja, config].iter().filter(|p| p.is_file()).find_map(|p| template_file(p).ok().flatten())
}

/// Reads a `.jinja`, or the template inside a `tokenizer_config.json`.
fn template_file(path: &Path) -> Result<Option<Template>, String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let text = read_text(path)?;
    if path.extension().is_some_and(|e| e == "json") {
        let read = Template::from_tokenizer_config(&name, text.as_bytes());
        let template = read.map_err(|e| format!("cannot be used: {e}"))?;
        return template.map(Some).ok_or_else(|| "holds no chat_template".to_owned());
    }
    let specials = specials_beside(path);
    Template::from_source(&name, &text, specials)
        .map(Some)
        .map_err(|e| format!("cannot be used: {e}"))
}

fn specials_beside(path: &Path) -> Specials {
    let config = path.with_file_name("tokenizer_config.json");
    let json = read_text(&config).ok().and_then(|text| serde_json::from_str(&text).ok());
    json.map_or_else(Specials::default, |json| Specials::from_config(&json))
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, String> {
    let size = std::fs::metadata(path).map_err(|e| plain(&e))?;
    if size.is_dir() {
        return Err("is a folder: name the tokenizer.json in it".into());
    }
    if size.len() > TOKENIZER_LIMIT {
        return Err(format!("is larger than {} MB", TOKENIZER_LIMIT >> 20));
    }
    std::fs::read(path).map_err(|e| plain(&e))
}

#[cfg(test)]
mod tests {
    use super::super::workspace::Workspace;
    use super::*;

    fn rules(settings: &str, files: &[(&str, &str)]) -> (Rules, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("rubricator.toml"), settings).unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let project = Workspace::default().project_of(folder.path());
        let rules = load(&project);
        let said = rules.problems.iter().map(|p| {
            let words = p.finding.span.of(settings);
            format!("{words}: {}", p.finding.message)
        });
        let said = said.collect();
        (rules, said)
    }

    #[test]
    fn defaults_need_no_files() {
        let (rules, said) = rules("", &[]);
        assert_eq!(said, [""; 0]);
        assert!(rules.rubric.is_none());
        assert_eq!(rules.counter.unwrap().template().name(), "openai");
    }

    #[test]
    fn what_is_named_and_missing_is_said_where_it_is_named() {
        let settings = "[project]\nrubric = 'a/r.yaml'\n[tokens]\ntokenizer = 'm/tokenizer.json'\n";
        let (rules, said) = rules(settings, &[]);
        assert!(rules.rubric.is_none() && rules.counter.is_none());
        assert_eq!(
            said,
            [
                "'a/r.yaml': the rubric `a/r.yaml` does not exist",
                "'m/tokenizer.json': the tokenizer `m/tokenizer.json` does not exist",
            ]
        );
    }

    #[test]
    fn a_template_of_ones_own_is_read() {
        let settings = "[tokens]\nchat_template = 'm/chat.jinja'\n";
        let text = "{% for m in messages %}{{ m.content }}{% endfor %}";
        let (rules, said) = rules(settings, &[("m/chat.jinja", text)]);
        assert_eq!(said, [""; 0]);
        assert_eq!(rules.counter.unwrap().template().name(), "chat.jinja");
    }

    #[test]
    fn a_broken_template_is_said() {
        let settings = "[tokens]\nchat_template = 'chat.jinja'\n";
        let (rules, said) = rules(settings, &[("chat.jinja", "{% for %}")]);
        assert!(rules.counter.is_none());
        assert!(said[0].starts_with("'chat.jinja': the chat template `chat.jinja` cannot be used"));
    }
}
