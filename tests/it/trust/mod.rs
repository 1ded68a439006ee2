//! What a hostile project cannot do, where keys cannot turn up, and what is not
//! sent without being asked for.

mod hostile;
mod hostile_editor;
mod leaks;
mod withheld;

use std::net::TcpListener;
use std::path::Path;

use crate::cli::Project;

/// Two questions, no gate.
pub const RUBRIC: &str = "\
name: Sample
pass_threshold: 0.5
min_exchanges: 1
categories:
  all: {weight: 1.0, criteria: [A, B]}
criteria:
  A: {name: First, question: Is the reply kind?}
  B: {name: Second, question: Is the reply short?}
";

/// A port of this machine that nobody has any business to connect to.
pub struct Trap(TcpListener);

impl Trap {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.0.local_addr().unwrap())
    }

    /// Connections made so far: the system accepts them whether we do or not.
    pub fn connections(&self) -> usize {
        std::iter::from_fn(|| self.0.accept().ok()).count()
    }
}

/// A project with one transcript, a rubric, and these settings.
pub fn project(settings: &str) -> Project {
    let project = Project::with(settings);
    project.write("config/rubric.yaml", RUBRIC);
    project.write("data/raw/a.jsonl", crate::cli::record("a") + "\n");
    project
}

/// `[[judge]]` of this provider with these further lines.
pub fn judge(provider: &str, more: &str) -> String {
    format!("[[judge]]\nname = 'j'\nprovider = '{provider}'\nmodel = 'm'\n{more}\n")
}

/// The files under a folder that hold this word.
pub fn files_with(folder: &Path, word: &str, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_with(&path, word, found);
        } else if memchr::memmem::find(&std::fs::read(&path).unwrap(), word.as_bytes()).is_some() {
            found.push(path.display().to_string());
        }
    }
}
