//! `rubricator lsp`: the server on standard input and output.
//!
//! Invariant: standard output carries LSP and nothing else. The log goes to
//! standard error, without colours, and says only errors unless `RUBRICATOR_LOG`
//! asks for more (editors show everything there as an error).

#[cfg(unix)]
use std::fs::File;
use std::io::{Read, Write};
use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

use crate::engine::workspace;

use super::{Options, lifecycle, serve};

/// Bytes that wait in the pipe from the client.
#[cfg(target_os = "linux")]
const PIPE: usize = 1 << 20;

/// Filters of the log where the environment names none. `tower-lsp-server` calls
/// it an error when the client is gone before our last word.
const QUIET: &str = "error,tower_lsp_server=off";

/// Serves until the client leaves. `untrusted`: static work only, whatever the
/// client says.
#[must_use]
pub fn run(untrusted: bool) -> ExitCode {
    lifecycle::report_panics();
    log();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "no runtime");
            return ExitCode::FAILURE;
        }
    };
    let options = Options { untrusted, data_dir: workspace::data_dir() };
    let (input, output) = pipes();
    let code = runtime.block_on(serve(input, output, options));
    // A read of standard input may never return; nothing else is waited for either.
    runtime.shutdown_background();
    ExitCode::from(code)
}

/// Standard input and output without the standard library's small buffers.
#[cfg(unix)]
fn pipes() -> (Box<dyn Read + Send>, Box<dyn Write + Send>) {
    use std::os::fd::AsFd;
    let (input, output) = (std::io::stdin(), std::io::stdout());
    widen(input.as_fd());
    let own = |fd: std::os::fd::BorrowedFd<'_>| fd.try_clone_to_owned().map(File::from);
    match (own(input.as_fd()), own(output.as_fd())) {
        (Ok(input), Ok(output)) => (Box::new(input), Box::new(output)),
        _ => (Box::new(input), Box::new(output)),
    }
}

#[cfg(not(unix))]
fn pipes() -> (Box<dyn Read + Send>, Box<dyn Write + Send>) {
    (Box::new(std::io::stdin()), Box::new(std::io::stdout()))
}

/// Asks for a pipe that takes a big document in fewer pieces.
#[cfg(target_os = "linux")]
fn widen(pipe: std::os::fd::BorrowedFd<'_>) {
    // Refused for what is no pipe (VS Code gives us a socket): then it is slower, that is all.
    let _ = rustix::pipe::fcntl_setpipe_size(pipe, PIPE);
}

#[cfg(all(unix, not(target_os = "linux")))]
fn widen(_: std::os::fd::BorrowedFd<'_>) {}

fn log() {
    let filter = EnvFilter::try_from_env("RUBRICATOR_LOG").unwrap_or_else(|_| QUIET.into());
    // Fails only when a log is set up already.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .try_init();
}
