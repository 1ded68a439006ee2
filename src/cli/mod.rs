//! The command line: the same engine as the editor's, and the only place that prints.
//!
//! Invariant: results go to standard output, everything else to standard error;
//! a run ends with the first exit code that applies: 2 usage, settings or I/O
//! error; 3 incomplete; 1 findings or not passed; 0.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::analysis::place;
use crate::engine::workspace::{Outside, Problem, Workspace};
use crate::engine::{scan, secret, whole_file};

pub mod args;
mod assess;
mod audit;
mod bar;
mod check;
mod convert;
mod critique;
mod diff;
mod doctor;
mod examples;
mod explain;
mod export;
mod fix;
mod fixups;
mod gate;
mod generate;
mod init;
mod interrupt;
mod judges;
mod key;
mod known;
mod lsp;
pub mod output;
mod progress;
mod report;
mod reporting;
mod review;
mod rubric;
mod settings;
mod shard;
mod slice;
mod spent;
mod status;
mod store;
pub mod style;
mod targets;
mod tokens;
mod trust;

use args::{Arguments, Command, Common};
use output::Output;

/// How a run ended, mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// Nothing to complain about.
    Good,
    /// Findings, or not passed.
    Findings,
    /// Something stayed unscored.
    Incomplete,
    /// Usage, settings or I/O.
    Failed,
}

/// Why a run could not be: one sentence for people.
#[derive(Debug)]
pub struct Failure {
    message: String,
}

/// What every subcommand works with.
pub struct Session {
    /// Where to write.
    pub out: Output,
    /// The projects of the files given.
    pub workspace: Workspace,
    /// Static work only.
    pub untrusted: bool,
    outside: Outside,
    reported: Vec<Problem>,
}

/// Reads the arguments, does what they say, and answers with the exit code.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(mut arguments) => {
            if let Command::Doctor(args) = &arguments.command {
                arguments.common.overrides.extend(args.overrides());
            }
            arguments
        }
        Err(error) => return usage(&error),
    };
    if let Command::Lsp(_) = arguments.command {
        return lsp::run(&arguments.common);
    }
    output::log(&arguments.common);
    let mut out = Output::new(&arguments.common);
    let ending = match run(arguments, out) {
        (Ok(ending), returned) => {
            out = returned;
            ending
        }
        (Err(failure), returned) => {
            out = returned;
            out.error(&style::plain(&failure.message));
            Ending::Failed
        }
    };
    finish(out, ending)
}

/// Makes a panic one clear line instead of a trace; the exit code stays 101.
pub fn catch_panics() {
    std::panic::set_hook(Box::new(|panic| {
        use std::io::Write;
        let place = panic.location().map_or_else(String::new, ToString::to_string);
        let what = panic.payload_as_str().unwrap_or("unknown");
        let line = format!(
            "rubricator: internal error at {place}: {what}. Please report it, with the command you ran."
        );
        let _ = writeln!(std::io::stderr(), "{}", style::plain(&secret::for_log(&line)));
    }));
}

fn run(arguments: Arguments, mut out: Output) -> (Result<Ending, Failure>, Output) {
    match arguments.command {
        Command::Init(args) => (init::run(&args, &mut out), out),
        Command::Trust(args) => (trust::run(&args, &mut out), out),
        Command::Key(args) => (key::run(&args, &mut out), out),
        command => match Session::open(&arguments.common) {
            Ok((workspace, outside)) => {
                let untrusted = arguments.common.untrusted;
                let reported = Vec::new();
                let mut session = Session { out, workspace, untrusted, outside, reported };
                (dispatch(command, &mut session), session.out)
            }
            Err(failure) => (Err(failure), out),
        },
    }
}

fn dispatch(command: Command, session: &mut Session) -> Result<Ending, Failure> {
    match command {
        Command::Check(args) => check::run(&args, session),
        Command::Assess(args) => assess::run(&args, session),
        Command::Tokens(args) => tokens::run(&args, session),
        Command::Explain(args) => explain::run(&args, session),
        Command::Status(args) => status::run(&args, session),
        Command::Judges(args) => judges::run(&args, session),
        Command::Fix(args) => fixups::run(&args, session),
        Command::Review(args) => review::run(&args, session),
        Command::Rubric(args) => rubric::run(&args, session),
        Command::Gate(args) => gate::run(&args, session),
        Command::Audit(args) => audit::run(&args, session),
        Command::Slice(args) => slice::run(&args, session),
        Command::Convert(args) => convert::run(&args, session),
        Command::Report(args) => reporting::run(&args, session),
        Command::Generate(args) => generate::run(&args, session),
        Command::Doctor(args) => doctor::run(&args, session),
        Command::Critique(args) => critique::run(&args, session),
        Command::Diff(args) => diff::run(&args, session),
        Command::Export(args) => export::run(&args, session),
        Command::Store(args) => store::run(&args, session),
        Command::Lsp(_) | Command::Init(_) | Command::Trust(_) | Command::Key(_) => {
            Ok(Ending::Good)
        }
    }
}

/// Prints help, or what was typed wrongly.
fn usage(error: &clap::Error) -> ExitCode {
    // The reader may be gone; there is nobody left to tell.
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { 2 } else { 0 })
}

fn finish(out: Output, ending: Ending) -> ExitCode {
    let code = match ending {
        Ending::Good => 0,
        Ending::Findings => 1,
        Ending::Incomplete => 3,
        Ending::Failed => 2,
    };
    match out.finish() {
        Ok(()) => ExitCode::from(code),
        Err(_) => ExitCode::from(2),
    }
}

impl Session {
    fn open(common: &Common) -> Result<(Workspace, Outside), Failure> {
        settings::workspace(common)
    }

    /// The user's settings file, when there is one.
    #[must_use]
    pub fn user_file(&self) -> Option<PathBuf> {
        self.outside.user_file().map(std::path::Path::to_owned)
    }
}

impl Failure {
    /// A failure with this sentence.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}
