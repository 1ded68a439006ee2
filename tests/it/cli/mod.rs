//! The command line as it is run: standard output, standard error, exit codes.

mod assess;
mod audit;
mod bad_input;
mod check;
mod convert;
mod critique;
mod desk;
mod export;
mod fix;
mod fixup;
pub mod generate;
mod judges;
mod packed;
mod report;
mod review;
mod scale;
mod settings;
mod shard;
mod slice;
mod terminal;
mod together;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder with files, and a home of its own so that nobody's settings leak in.
pub struct Project {
    folder: tempfile::TempDir,
    home: tempfile::TempDir,
}

/// What a run came to.
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// A sound record with this id; its texts hold the id, so that no two are alike.
pub fn record(id: &str) -> String {
    format!(
        r#"{{"id":"{id}","messages":[{{"role":"user","content":"Where is the {id} button?"}},{{"role":"assistant","content":"In the menu of {id}."}}]}}"#
    )
}

impl Project {
    /// An empty folder that is no project.
    pub fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), home: tempfile::tempdir().unwrap() }
    }

    /// A project with these settings.
    pub fn with(settings: &str) -> Self {
        let project = Self::empty();
        project.write("rubricator.toml", settings);
        project
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub fn user_settings(&self, text: &str) {
        self.user_file("config.toml", text);
    }

    /// A file in the user's own configuration folder.
    pub fn user_file(&self, name: &str, text: &str) {
        let folder = self.home.path().join("config/rubricator");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), text).unwrap();
    }

    /// Every file of the project, with what is in it.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.push((path.clone(), std::fs::read(path).unwrap()));
                }
            }
        }
        files.sort();
        files
    }

    /// The home folder, with the user's settings and data.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rubricator"));
        let home: &Path = self.home.path();
        command.args(arguments).current_dir(self.folder.path()).env_clear().env("HOME", home);
        command.env("XDG_CONFIG_HOME", home.join("config"));
        command.env("XDG_DATA_HOME", home.join("data"));
        command.stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    pub fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Ran {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        Ran::of(child.wait_with_output().unwrap())
    }
}

impl Ran {
    pub fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Exit code, standard error and standard output, for expectations.
    pub fn all(&self) -> String {
        let code = self.code.map_or("a signal".to_owned(), |c| c.to_string());
        format!("exit {code}\n--- err\n{}--- out\n{}", self.err, self.out)
    }
}
