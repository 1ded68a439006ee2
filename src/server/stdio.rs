//! `rubricator lsp`: the server on standard input and output.
//!
//! Invariant: standard output carries LSP and nothing else. The log goes to
//! standard error, without colours, and says only errors unless `RUBRICATOR_LOG`
//! asks for more (editors show everything there as an error).

use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

use crate::engine::secret::Redacting;
use crate::engine::workspace;

use super::{Options, lifecycle, serve};

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
    let (input, output) = (tokio::io::stdin(), tokio::io::stdout());
    let code = runtime.block_on(serve(input, output, options));
    // A read of standard input may never return; nothing else is waited for either.
    runtime.shutdown_background();
    ExitCode::from(code)
}

fn log() {
    let filter = EnvFilter::try_from_env("RUBRICATOR_LOG").unwrap_or_else(|_| QUIET.into());
    // Fails only when a log is set up already.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| Redacting(std::io::stderr()))
        .with_ansi(false)
        .try_init();
}
