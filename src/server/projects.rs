//! The projects of the open documents: settings, rubric, and how their
//! transcripts are looked at.
//!
//! Invariant: a [`Live`] project is immutable; when its files change a new one
//! takes its place, so readers and jobs keep what they began with. Settings are
//! read when a document is opened; rubrics and tokenizers in the background.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::analysis::context::{Context, Counting};
use crate::config::{Settings, layer};
use crate::engine::rules::{self, Rules};
use crate::engine::workspace::{Outside, Problem, Project, Workspace};
use crate::rubric::Rubric;

use super::panel::Panel;

/// The projects met so far.
#[derive(Debug, Default)]
pub struct Projects {
    workspace: Workspace,
    folder: Option<PathBuf>,
    live: HashMap<Option<PathBuf>, Arc<Live>>,
    generation: u64,
}

/// A project as it is now.
#[derive(Debug)]
pub struct Live {
    /// Told apart from what it was before a reload.
    pub generation: u64,
    /// Folder and settings.
    pub project: Arc<Project>,
    /// Rubric, tokenizer and template; `None` until they are read.
    pub rules: Option<Arc<LiveRules>>,
}

/// What records are looked at with.
#[derive(Debug)]
pub struct LiveRules {
    /// What was read.
    pub files: Rules,
    /// The rubric in force.
    pub rubric: Option<Arc<Rubric>>,
    /// Judges and criteria, when there is a rubric.
    pub panel: Option<Arc<Panel>>,
    counting: Option<Arc<Counting>>,
    target: Option<Arc<crate::doctor::Target>>,
}

impl Projects {
    /// No project yet. `settings` are the editor's, `folder` its first workspace folder.
    #[must_use]
    pub fn new(settings: &serde_json::Value, folder: Option<PathBuf>) -> Self {
        let outside = Outside::read().with(layer::from_editor(settings));
        let workspace = Workspace::new(outside, folder.clone());
        Self { workspace, folder, ..Self::default() }
    }

    /// Forgets everything, so that it is read anew when it is next asked for.
    pub fn reload(&mut self, settings: &serde_json::Value, folder: Option<PathBuf>) {
        let generation = self.generation;
        *self = Self { generation, ..Self::new(settings, folder) };
    }

    /// The project of a file; a document without a file belongs to the workspace folder.
    /// The second value tells that its rules have to be read.
    pub fn of(&mut self, path: Option<&Path>) -> (Arc<Live>, bool) {
        let nowhere = self.folder.clone().unwrap_or_else(|| PathBuf::from("/"));
        let project = self.workspace.project_of(path.unwrap_or(&nowhere));
        if let Some(live) = self.live.get(&project.root) {
            return (Arc::clone(live), false);
        }
        self.generation += 1;
        let root = project.root.clone();
        let live = Arc::new(Live { generation: self.generation, project, rules: None });
        self.live.insert(root, Arc::clone(&live));
        (live, true)
    }

    /// Takes up the rules that were read for a project, if it still is what it was.
    pub fn ruled(&mut self, generation: u64, rules: Rules) -> Option<Arc<Live>> {
        let live = self.live.values_mut().find(|live| live.generation == generation)?;
        let rules = LiveRules::new(rules, live.settings());
        self.generation += 1;
        *live = Arc::new(Live {
            generation: self.generation,
            project: Arc::clone(&live.project),
            rules: Some(Arc::new(rules)),
        });
        Some(Arc::clone(live))
    }
}

/// Reads a project's rules and loads its tokenizer, which takes a while.
#[must_use]
pub fn read_rules(project: &Project) -> Rules {
    let rules = rules::load(project);
    if let Some(counter) = &rules.counter {
        // Vocabularies are loaded at the first count; a failure is met again, and told, there.
        let _ = counter.message_tokens("a");
    }
    rules
}

impl LiveRules {
    fn new(files: Rules, settings: &Settings) -> Self {
        let rubric = files.rubric.as_ref().and_then(|file| file.parsed.rubric.clone());
        let counting = files.counter.clone().map(|counter| {
            Arc::new(Counting {
                counter,
                limit: settings.tokens.limit,
                template_is_set: files.template_is_set,
            })
        });
        let rubric = rubric.map(Arc::new);
        let panel = rubric.clone().map(|rubric| Arc::new(Panel::new(rubric, settings)));
        let target = files.target.clone().map(Arc::new);
        Self { files, rubric, panel, counting, target }
    }
}

impl Live {
    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        self.project.settings()
    }

    /// The rubric in force.
    #[must_use]
    pub fn rubric(&self) -> Option<&Arc<Rubric>> {
        self.rules.as_ref()?.rubric.as_ref()
    }

    /// The judges and criteria in force.
    #[must_use]
    pub fn panel(&self) -> Option<&Arc<Panel>> {
        self.rules.as_ref()?.panel.as_ref()
    }

    /// What is wrong with the settings and with what they name.
    pub fn problems(&self) -> impl Iterator<Item = &Problem> {
        let rules = self.rules.iter().flat_map(|rules| &rules.files.problems);
        self.project.problems.iter().chain(rules)
    }

    /// What records are looked at with.
    #[must_use]
    pub fn context(&self) -> Context {
        Context {
            rubric: self.rubric().cloned(),
            counting: self.rules.as_ref().and_then(|rules| rules.counting.clone()),
            target: self.rules.as_ref().and_then(|rules| rules.target.clone()),
            measures: true,
            depth_limit: self.settings().limits.depth,
            ..Context::default()
        }
    }
}
