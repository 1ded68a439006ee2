//! Which project a file belongs to, and what that project's settings are.
//!
//! Invariant: the project of a file is the nearest ancestor folder with a
//! `rubricator.toml`, found from the file's own path and never from the working
//! directory; every path that a settings file names is followed only inside it.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use etcetera::BaseStrategy;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::config::{self, Layer, Origin, Resolved, Settings, layer};
use crate::finding::{Finding, Severity};
use crate::text::Span;

/// The name of a project's settings file.
pub const SETTINGS_FILE: &str = "rubricator.toml";
/// Settings, rubrics and prompts are written by people; more than this is a mistake.
const TEXT_LIMIT: u64 = 16 << 20;

/// The sources of settings that are the same for every project.
#[derive(Clone, Debug, Default)]
pub struct Outside {
    layers: Vec<Layer>,
    user_file: Option<PathBuf>,
}

/// A project, or what stands in for one where there is none.
#[derive(Debug)]
pub struct Project {
    /// Its folder; `None` for files outside any project.
    pub root: Option<PathBuf>,
    /// The settings in force.
    pub resolved: Resolved,
    /// What is wrong with them, each in the file that says it.
    pub problems: Vec<Problem>,
    user_file: Option<PathBuf>,
    globs: GlobSet,
}

/// One thing wrong with the settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// The settings file; `None` for the environment, the editor and the command line.
    pub path: Option<PathBuf>,
    /// Which source.
    pub origin: Origin,
    /// What, at bytes of that file.
    pub finding: Finding,
}

/// The projects met so far.
#[derive(Debug, Default)]
pub struct Workspace {
    outside: Outside,
    /// The folder that stands in for a project where no `rubricator.toml` is found.
    folder: Option<PathBuf>,
    projects: HashMap<Option<PathBuf>, Arc<Project>>,
}

impl Outside {
    /// Reads the user's file and the environment.
    #[must_use]
    pub fn read() -> Self {
        let user_file = config_dir().map(|dir| dir.join("config.toml")).filter(|p| p.exists());
        let mut layers = Vec::new();
        if let Some(path) = &user_file {
            layers.push(read_layer(path, Origin::UserFile).0);
        }
        layers.push(environment());
        Self { layers, user_file }
    }

    /// The same with another source.
    #[must_use]
    pub fn with(mut self, layer: Layer) -> Self {
        self.layers.push(layer);
        self
    }

    /// The user's settings file, when there is one.
    #[must_use]
    pub fn user_file(&self) -> Option<&Path> {
        self.user_file.as_deref()
    }
}

impl Workspace {
    /// Projects under these settings; `folder` is the editor's workspace folder, if any.
    #[must_use]
    pub fn new(outside: Outside, folder: Option<PathBuf>) -> Self {
        Self { outside, folder, projects: HashMap::new() }
    }

    /// The project that `path` belongs to (a file, or a folder).
    pub fn project_of(&mut self, path: &Path) -> Arc<Project> {
        let root = root_of(path).or_else(|| self.folder.clone());
        let outside = &self.outside;
        let project = self
            .projects
            .entry(root)
            .or_insert_with_key(|root| Arc::new(Project::open(root.clone(), outside)));
        Arc::clone(project)
    }

    /// Forgets what was read, so that changed settings files are read again.
    pub fn reload(&mut self, outside: Outside) {
        self.outside = outside;
        self.projects.clear();
    }
}

impl Project {
    /// Reads the settings of the project in `root`.
    #[must_use]
    pub fn open(root: Option<PathBuf>, outside: &Outside) -> Self {
        let mut layers = outside.layers.clone();
        let file = root.as_deref().map(|r| r.join(SETTINGS_FILE)).filter(|p| p.exists());
        if let Some(path) = &file {
            layers.push(read_layer(path, Origin::ProjectFile).0);
        }
        let resolved = config::resolve(&layers);
        let globs = globs(&resolved.settings.project.transcripts);
        let user_file = outside.user_file.clone();
        let mut project = Self { root, resolved, problems: Vec::new(), user_file, globs };
        let findings = project.resolved.findings.iter();
        project.problems = findings.map(|(o, f)| project.problem(*o, f.clone())).collect();
        project.problems.sort_by(|a, b| (&a.path, a.finding.span).cmp(&(&b.path, b.finding.span)));
        project
    }

    /// What is wrong, in the file that says it.
    pub(super) fn problem(&self, origin: Origin, finding: Finding) -> Problem {
        let path = match origin {
            Origin::ProjectFile => self.settings_file(),
            Origin::UserFile => self.user_file.clone(),
            _ => None,
        };
        Problem { path, origin, finding }
    }

    /// The settings in force.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.resolved.settings
    }

    /// The settings file, where the project has one.
    #[must_use]
    pub fn settings_file(&self) -> Option<PathBuf> {
        self.root.as_deref().map(|r| r.join(SETTINGS_FILE)).filter(|p| p.is_file())
    }

    /// Where the rubric should be; `None` outside any project, unless the user
    /// named one by an absolute path.
    #[must_use]
    pub fn rubric_path(&self) -> Option<PathBuf> {
        self.place(&self.settings().project.rubric, "project.rubric")
    }

    /// True when anybody set this key.
    #[must_use]
    pub fn is_set(&self, key: &str) -> bool {
        self.resolved.origin(key) != Origin::Default
    }

    /// True when the project itself names its rubric, so that a missing one is an error.
    #[must_use]
    pub fn names_rubric(&self) -> bool {
        self.is_set("project.rubric")
    }

    /// A path from the settings: inside the project where the project wrote it.
    #[must_use]
    pub fn place(&self, path: &Path, key: &str) -> Option<PathBuf> {
        let own = config::value::is_users_own(self.resolved.origin(key));
        let joined = match &self.root {
            Some(root) => root.join(path),
            None if path.is_absolute() => path.to_owned(),
            None => return None,
        };
        let inside = || match (&self.root, joined.canonicalize()) {
            // A link inside the project may lead out of it.
            (Some(root), Ok(real)) => root.canonicalize().is_ok_and(|r| real.starts_with(r)),
            _ => true,
        };
        (own && path.is_absolute() || inside()).then_some(joined)
    }

    /// True when the project's globs, or without a project the file's name, say so.
    #[must_use]
    pub fn is_transcript(&self, path: &Path) -> bool {
        match self.root.as_deref().filter(|r| r.join(SETTINGS_FILE).is_file()) {
            Some(root) => {
                absolute(path).strip_prefix(absolute(root)).is_ok_and(|p| self.globs.is_match(p))
            }
            None => has_transcript_name(path),
        }
    }
}

/// The nearest folder at or above `path` that holds a `rubricator.toml`.
#[must_use]
pub fn root_of(path: &Path) -> Option<PathBuf> {
    let path = absolute(path);
    path.ancestors().find(|folder| folder.join(SETTINGS_FILE).is_file()).map(Path::to_owned)
}

/// The transcript files under `folder`, by the globs of the project each belongs to.
///
/// Hidden folders and links are not followed. What git ignores is skipped only
/// outside projects: a project says itself what its transcripts are.
pub fn transcripts_in(workspace: &mut Workspace, folder: &Path) -> Vec<PathBuf> {
    let in_project = workspace.project_of(folder).settings_file().is_some();
    let mut walk = ignore::WalkBuilder::new(folder);
    walk.standard_filters(!in_project).hidden(true).require_git(false);
    walk.sort_by_file_name(std::ffi::OsStr::cmp);
    let files = walk.build().filter_map(Result::ok);
    let files = files.filter(|e| e.file_type().is_some_and(|t| t.is_file()));
    let files = files.map(ignore::DirEntry::into_path).filter(|p| has_transcript_name(p));
    let mut found: Vec<PathBuf> = files.collect();
    found.retain(|path| workspace.project_of(path).is_transcript(path));
    found
}

/// True for `.jsonl`, `.ndjson` and `.json`.
#[must_use]
pub fn has_transcript_name(path: &Path) -> bool {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("");
    ["jsonl", "ndjson", "json"].iter().any(|e| extension.eq_ignore_ascii_case(e))
}

/// Reads a text written by a person: UTF-8, of bounded size.
///
/// # Errors
/// One sentence for the user: what is wrong and what to do.
pub fn read_text(path: &Path) -> Result<String, String> {
    let file = std::fs::File::open(path).map_err(|e| plain(&e))?;
    if file.metadata().is_ok_and(|m| m.is_dir()) {
        return Err("is a folder, not a file".into());
    }
    let mut bytes = Vec::new();
    file.take(TEXT_LIMIT + 1).read_to_end(&mut bytes).map_err(|e| plain(&e))?;
    if bytes.len() as u64 > TEXT_LIMIT {
        return Err(format!("is larger than {} MB", TEXT_LIMIT >> 20));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err("is UTF-16: save it as UTF-8".into());
    }
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        format!("is not UTF-8 text (byte {at} is not): save it as UTF-8")
    })
}

/// An I/O error as a sentence, without Rust's numbers.
#[must_use]
pub fn plain(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "does not exist".into(),
        std::io::ErrorKind::PermissionDenied => "cannot be opened: permission denied".into(),
        std::io::ErrorKind::IsADirectory => "is a folder, not a file".into(),
        _ => {
            let text = error.to_string();
            let text = text.split(" (os error").next().unwrap_or(&text);
            format!("cannot be read: {}", text.to_lowercase())
        }
    }
}

/// The user's configuration folder (`$XDG_CONFIG_HOME/rubricator`).
#[must_use]
pub fn config_dir() -> Option<PathBuf> {
    etcetera::choose_base_strategy().ok().map(|dirs| dirs.config_dir().join("rubricator"))
}

/// The user's data folder (`$XDG_DATA_HOME/rubricator`).
#[must_use]
pub fn data_dir() -> Option<PathBuf> {
    etcetera::choose_base_strategy().ok().map(|dirs| dirs.data_dir().join("rubricator"))
}

/// A settings file as a layer and its text; a file that cannot be read is one finding.
fn read_layer(path: &Path, origin: Origin) -> (Layer, String) {
    match read_text(path) {
        Ok(text) => (config::parse(&text, origin), text),
        Err(why) => {
            let mut empty = config::parse("", origin);
            let message = format!("this settings file {why}");
            let finding = Finding::new(layer::SYNTAX, Severity::Error, Span::default(), message);
            empty.findings.push(finding);
            (empty, String::new())
        }
    }
}

fn environment() -> Layer {
    let variables: Vec<(&str, String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| {
            let (table, key) = layer::from_variable(name.to_str()?)?;
            Some((table, key, value.into_string().ok()?))
        })
        .collect();
    let pairs = variables.iter().map(|(t, k, v)| (*t, k.as_str(), v.as_str()));
    layer::from_pairs(pairs, Origin::Environment)
}

/// A set that matches nothing where a glob is broken: that is a finding already.
fn globs(patterns: &[String]) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
        if let Ok(glob) = GlobBuilder::new(pattern).literal_separator(true).build() {
            set.add(glob);
        }
    }
    set.build().unwrap_or_default()
}

/// The path from the root, without touching the disk and without `.` and `..`.
fn absolute(path: &Path) -> PathBuf {
    let full = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut out = PathBuf::new();
    for part in full.components() {
        match part {
            std::path::Component::ParentDir => {
                out.pop();
            }
            std::path::Component::CurDir => {}
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, path: &str, text: &str) -> PathBuf {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn names(folder: &Path, found: &[PathBuf]) -> Vec<String> {
        let name =
            |p: &PathBuf| p.strip_prefix(folder).unwrap().to_string_lossy().replace('\\', "/");
        found.iter().map(name).collect()
    }

    #[test]
    fn a_folder_is_walked_by_the_globs_of_the_nearest_project() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        write(at, SETTINGS_FILE, "[project]\ntranscripts = ['data/*.jsonl']\n");
        write(at, ".gitignore", "data/\n");
        write(at, "data/a.jsonl", "");
        write(at, "data/deep/b.jsonl", "");
        write(at, "data/reviews.txt", "");
        write(at, "inner/rubricator.toml", "[project]\ntranscripts = ['**/*.json']\n");
        write(at, "inner/x/c.json", "");
        write(at, "inner/x/d.jsonl", "");
        write(at, ".hidden/e.jsonl", "");
        let mut workspace = Workspace::default();
        let found = transcripts_in(&mut workspace, at);
        assert_eq!(names(at, &found), ["data/a.jsonl", "inner/x/c.json"]);
    }

    #[test]
    fn without_a_project_the_name_decides() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        write(at, "b.NDJSON", "");
        write(at, "a.jsonl", "");
        write(at, "c.yaml", "");
        let mut workspace = Workspace::default();
        assert_eq!(names(at, &transcripts_in(&mut workspace, at)), ["a.jsonl", "b.NDJSON"]);
        assert!(workspace.project_of(at).rubric_path().is_none());
    }

    #[test]
    fn links_do_not_lead_out_of_the_project() {
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        let secret = write(outside.path(), "rubric.yaml", "name: x\n");
        write(folder.path(), SETTINGS_FILE, "");
        write(folder.path(), "config/other.yaml", "");
        #[cfg(unix)]
        std::os::unix::fs::symlink(secret, folder.path().join("config/rubric.yaml")).unwrap();
        let project = Workspace::default().project_of(folder.path());
        assert_eq!(project.rubric_path(), None);
        let inside = project.place(Path::new("config/other.yaml"), "project.rubric");
        assert_eq!(inside, Some(folder.path().join("config/other.yaml")));
    }

    #[test]
    fn an_unreadable_settings_file_is_a_finding() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(SETTINGS_FILE), b"\xff\xfe[\0").unwrap();
        let project = Workspace::default().project_of(&folder.path().join("a.jsonl"));
        let messages: Vec<&str> =
            project.problems.iter().map(|p| p.finding.message.as_str()).collect();
        assert_eq!(messages, ["this settings file is UTF-16: save it as UTF-8"]);
    }
}
