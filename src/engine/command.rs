//! Runs a program that answers in a judge's place.
//!
//! Invariant: dropping the future kills the program and what it started. What it
//! may print is bounded. It starts in a folder of its own, where no project's
//! instructions lie. Whether it may run at all is `trust`'s to say, before.

use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

use super::provider::{CommandReply, CommandRequest, ProviderReply, Usage, claude_cli};

/// Bytes a program may print; more is no answer.
const LONGEST_OUTPUT: u64 = 16 << 20;
const LONGEST_ERRORS: u64 = 64 << 10;

/// Runs the program to its end, in this folder: its reply, and what it took
/// although there is none.
pub(super) async fn ask(request: &CommandRequest, folder: &Path) -> (ProviderReply, Usage) {
    let nothing = |reply| (reply, Usage::default());
    let Some((program, first)) = request.command.split_first() else {
        return nothing(ProviderReply::BadRequest("command is empty".into()));
    };
    let mut child = match spawned(program, first, request, folder) {
        Ok(child) => Group(child),
        Err(error) => return nothing(unstarted(program, &error)),
    };
    let (Some(mut input), Some(output), Some(errors)) =
        (child.0.stdin.take(), child.0.stdout.take(), child.0.stderr.take())
    else {
        let why = format!("{program} has no input or output");
        return nothing(ProviderReply::BadRequest(why));
    };
    let written = async move {
        // A program that does not read says why on its output, or with its end.
        let _ = input.write_all(request.input.as_bytes()).await;
        drop(input);
    };
    let ((), output, errors) =
        tokio::join!(written, bounded(output, LONGEST_OUTPUT), bounded(errors, LONGEST_ERRORS));
    if output.len() as u64 > LONGEST_OUTPUT {
        let why = format!("{program} prints too much");
        return nothing(ProviderReply::Unreadable(why, Usage::default()));
    }
    let succeeded = match child.0.wait().await {
        Ok(status) => status.success(),
        Err(error) => {
            return nothing(ProviderReply::BadRequest(format!("{program}: {error}")));
        }
    };
    let (output, errors) = (String::from_utf8_lossy(&output), String::from_utf8_lossy(&errors));
    claude_cli::parse(&CommandReply { succeeded, output: &output, errors: &errors })
}

fn spawned(
    program: &str,
    first: &[String],
    request: &CommandRequest,
    folder: &Path,
) -> std::io::Result<Child> {
    std::fs::create_dir_all(folder)?;
    let mut command = Command::new(program);
    command.args(first).args(&request.arguments).current_dir(folder);
    for name in request.withheld {
        command.env_remove(name);
    }
    command.envs(request.variables.iter().map(|(name, value)| (name, value)));
    command.envs(request.key.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    command.spawn()
}

fn unstarted(program: &str, error: &std::io::Error) -> ProviderReply {
    if error.kind() == std::io::ErrorKind::NotFound {
        let what = format!(
            "there is no program {program} on your PATH: install Claude Code, or name it with `command` in your own settings file"
        );
        return ProviderReply::NotFound(what);
    }
    ProviderReply::BadRequest(format!("{program} cannot be started: {error}"))
}

/// What is printed, and one byte more where it is too much.
async fn bounded(from: impl AsyncRead + Unpin, limit: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What came before an error is all there is.
    let _ = from.take(limit + 1).read_to_end(&mut bytes).await;
    bytes
}

/// A program with everything it started.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(group) = self.0.id().and_then(|id| i32::try_from(id).ok()) {
            let group = rustix::process::Pid::from_raw(group);
            // It may have ended meanwhile.
            let _ = group.map(|group| {
                rustix::process::kill_process_group(group, rustix::process::Signal::KILL)
            });
        }
    }
}
