//! What a project generates with: its template, taxonomy and prompts, read and checked.
//!
//! Invariant: nothing is sent with a file that has an error; every error is said with
//! its file and line. A prompt that the project has not is the one that comes with the
//! program.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;

use crate::assessment::selftest;
use crate::config::Judge;
use crate::config::generate::model;
use crate::engine::ledger::Purpose;
use crate::engine::workspace::{Project, read_text};
use crate::engine::{AssessJob, JobTranscript, Spending, Stopped, Trust, trust};
use crate::finding::{Finding, Severity};
use crate::generate::version::{self, Ingredient};
use crate::generate::{Bounds, Maker, Recipe, Speaker, batch, read as read_recipe};
use crate::prompt::Template;
use crate::prompt::generate::{ASSISTANT, RolePrompt, USER_SIM};
use crate::text::json as scanner;
use crate::transcript::{digest, read as read_record};

use super::Sides;
use super::out::inside;

/// The persona template, in the project.
pub const PERSONA_TEMPLATE: &str = "config/persona-template.yaml";
/// The taxonomy, in the project.
pub const TAXONOMY: &str = "config/input-taxonomy.yaml";
const USER_PROMPT: &str = "config/prompts/user_sim.md";
const ASSISTANT_PROMPT: &str = "config/prompts/assistant.md";

/// What a project generates with.
#[derive(Clone, Debug)]
pub struct Setup {
    /// What is sampled from.
    pub recipe: Recipe,
    /// Who speaks, and what they are told.
    pub sides: Sides,
    /// Names all of it, for records.
    pub maker: Maker,
    /// Every text of it, for snapshots.
    pub ingredients: Vec<Ingredient>,
    /// The texts that a person wrote, which are searched for secrets before anything is
    /// sent. What the models write of them is theirs.
    pub about: JobTranscript,
}

impl Setup {
    /// Where its transcripts go: a file for each version of the prompts.
    #[must_use]
    pub fn usual_file(&self) -> PathBuf {
        format!("data/raw/{}.jsonl", batch(&self.maker.version)).into()
    }

    /// Whether both sides may be asked.
    ///
    /// # Errors
    /// The rule that forbids it.
    pub fn allowed(&self, given: Trust) -> Result<(), String> {
        for judge in [&self.sides.user, &self.sides.assistant] {
            let refused = |why| format!("{} is not asked: {why}", judge.name);
            trust::allowed(judge, given).map_err(refused)?;
        }
        Ok(())
    }

    /// How both sides are asked; it spends as one run.
    #[must_use]
    pub fn asking(&self, project: &Project, given: Trust) -> AssessJob {
        let settings = project.settings().assess.clone();
        AssessJob {
            generation: 0,
            transcripts: Vec::new(),
            rubric: Arc::new(selftest::rubric()),
            judges: vec![self.sides.user.clone(), self.sides.assistant.clone()],
            template: Arc::new(Template::builtin()),
            trust: given,
            project_dir: project.root.clone(),
            spending: Spending::of_run(&settings).on(Purpose::Generate),
            stopped: Stopped::default(),
            settings,
        }
    }
}

/// Something wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The file, counted from the project's folder; empty for the settings.
    pub file: String,
    /// The line, from 1; 0 for the whole file.
    pub line: usize,
    /// What, and what to do.
    pub message: String,
    /// Nothing can be made.
    pub is_error: bool,
}

impl Trouble {
    fn error(file: &str, line: usize, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, message: message.into(), is_error: true }
    }

    fn of(file: &str, text: &str, finding: &Finding) -> Self {
        let before = text.get(..finding.span.start).unwrap_or("");
        let line = before.matches('\n').count() + 1;
        let is_error = finding.severity == Severity::Error;
        Self { file: file.to_owned(), line, message: finding.message.clone(), is_error }
    }

    /// `file:line: message`
    #[must_use]
    pub fn said(&self) -> String {
        match (self.file.as_str(), self.line) {
            ("", _) => self.message.clone(),
            (file, 0) => format!("{file}: {}", self.message),
            (file, line) => format!("{file}:{line}: {}", self.message),
        }
    }
}

/// Reads what a project generates with. `exchanges` is how many its transcripts have
/// whatever the template says.
///
/// # Errors
/// Everything that is wrong, when something is an error; else the warnings come along.
pub fn read(
    project: &Project,
    exchanges: Option<usize>,
) -> Result<(Setup, Vec<Trouble>), Vec<Trouble>> {
    let none = || Trouble::error("", 0, "there is no project here: `rubricator init` makes one");
    let Some(root) = &project.root else { return Err(vec![none()]) };
    let mut reader = Reader { root, troubles: Vec::new() };
    let settings = &project.settings().generate;
    let template = reader.needed(PERSONA_TEMPLATE);
    let taxonomy = reader.needed(TAXONOMY);
    let read = read_recipe(&template, &taxonomy);
    reader.found(PERSONA_TEMPLATE, &template, &read.template);
    reader.found(TAXONOMY, &taxonomy, &read.taxonomy);
    let mut recipe = read.recipe;
    if recipe.topics.is_empty() && reader.troubles.is_empty() {
        let why = "it has no `topics`, so there is nothing to talk about";
        reader.troubles.push(Trouble::error(TAXONOMY, 0, why));
    }
    if let Some(n) = exchanges.or(settings.exchanges) {
        recipe.exchanges = Bounds { min: n, max: n };
    }
    let user_text = reader.prompt(USER_PROMPT, USER_SIM);
    let assistant_text = reader.prompt(ASSISTANT_PROMPT, ASSISTANT);
    let system_file = project.settings().project.system_prompt.clone();
    let system_prompt = reader.prompt(&system_file.to_string_lossy().replace('\\', "/"), "");
    let user_prompt = reader.parsed(USER_PROMPT, Speaker::User, &user_text);
    let assistant_prompt = reader.parsed(ASSISTANT_PROMPT, Speaker::Assistant, &assistant_text);
    let judges = &project.settings().judges;
    let user = reader.judge(model(judges, "user_model", settings.user_model.as_deref()));
    let assistant =
        reader.judge(model(judges, "assistant_model", settings.assistant_model.as_deref()));
    let ingredient = |name, ending, text: &str| Ingredient { name, ending, text: text.to_owned() };
    let ingredients = vec![
        ingredient("user_sim", "md", &user_text),
        ingredient("assistant", "md", &assistant_text),
        ingredient("system", "md", &system_prompt),
        ingredient("persona-template", "yaml", &template),
        ingredient("input-taxonomy", "yaml", &taxonomy),
    ];
    let troubles = reader.troubles;
    let failed = troubles.iter().any(|trouble| trouble.is_error);
    let (Some(user), Some(assistant), Some(user_prompt), Some(assistant_prompt), false) =
        (user, assistant, user_prompt, assistant_prompt, failed)
    else {
        return Err(troubles);
    };
    let sides = Sides { user, user_prompt, assistant, assistant_prompt, system_prompt };
    let Some(about) = about(&ingredients) else { return Err(vec![none()]) };
    let maker = maker(&sides, &recipe, &ingredients);
    Ok((Setup { recipe, sides, maker, ingredients, about }, troubles))
}

fn maker(sides: &Sides, recipe: &Recipe, ingredients: &[Ingredient]) -> Maker {
    let version = version::of_all(ingredients);
    let side = |judge: &Judge| {
        let Judge { provider, model, max_tokens, effort, temperature, .. } = judge;
        format!("{} {model} {max_tokens:?} {effort:?} {temperature:?}", provider.name())
    };
    let Bounds { min, max } = recipe.exchanges;
    let setup =
        [version.clone(), side(&sides.user), side(&sides.assistant), format!("{min} {max}")];
    Maker {
        user_model: sides.user.model.clone(),
        assistant_model: sides.assistant.model.clone(),
        versions: ingredients.iter().map(|one| (one.name, one.version())).collect(),
        version,
        setup: version::short(&setup.each_ref().map(String::as_str)),
    }
}

/// What people wrote, as something that is searched for secrets.
fn about(ingredients: &[Ingredient]) -> Option<JobTranscript> {
    let text: Vec<&str> = ingredients.iter().map(|one| one.text.as_str()).collect();
    let record = json!({"messages": [{"role": "user", "content": text.join("\n\n")}]}).to_string();
    let parsed = scanner::parse(&record, scanner::DEPTH_LIMIT);
    let transcript = read_record(&record, &parsed).transcript.ok()?;
    let digest = digest::of(&record, &transcript);
    Some(JobTranscript::new(Arc::new(transcript), digest))
}

struct Reader<'a> {
    root: &'a Path,
    troubles: Vec<Trouble>,
}

impl Reader<'_> {
    /// The text of a file; `None` where there is none.
    fn text(&mut self, file: &str) -> Option<String> {
        let path: PathBuf = self.root.join(file);
        path.symlink_metadata().ok()?;
        let read = inside(self.root, &path).and_then(|()| read_text(&path));
        read.map_err(|why| self.troubles.push(Trouble::error(file, 0, why))).ok()
    }

    fn needed(&mut self, file: &str) -> String {
        let before = self.troubles.len();
        let text = self.text(file);
        if text.is_none() && self.troubles.len() == before {
            let why = "it does not exist: `rubricator init` makes one to start from";
            self.troubles.push(Trouble::error(file, 0, why));
        }
        text.unwrap_or_default()
    }

    fn prompt(&mut self, file: &str, ours: &str) -> String {
        self.text(file).unwrap_or_else(|| ours.to_owned())
    }

    fn found(&mut self, file: &str, text: &str, findings: &[Finding]) {
        self.troubles.extend(findings.iter().map(|finding| Trouble::of(file, text, finding)));
    }

    fn parsed(&mut self, file: &str, speaker: Speaker, text: &str) -> Option<RolePrompt> {
        let failed =
            |e: crate::prompt::generate::RolePromptError| Trouble::error(file, e.line, e.why);
        RolePrompt::parse(speaker, text).map_err(|e| self.troubles.push(failed(e))).ok()
    }

    fn judge(&mut self, judge: Result<Judge, String>) -> Option<Judge> {
        let judge = judge.map_err(|why| Trouble::error("", 0, why));
        judge
            .map_err(|why| {
                if !self.troubles.contains(&why) {
                    self.troubles.push(why);
                }
            })
            .ok()
    }
}
