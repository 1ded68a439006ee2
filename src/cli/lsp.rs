//! `lsp`: the language server over standard input and output.
//!
//! Invariant: standard output carries nothing but LSP; what there is to say goes
//! to standard error.

use std::io::Write;
use std::process::ExitCode;

use super::args::Common;
use crate::server;

/// Serves until the editor leaves.
pub fn run(_common: &Common) -> ExitCode {
    server::report_panics();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            // Nowhere is left to complain about standard error.
            let _ = writeln!(std::io::stderr(), "rubricator: the server cannot start: {error}");
            return ExitCode::from(2);
        }
    };
    let code = runtime.block_on(server::serve(tokio::io::stdin(), tokio::io::stdout()));
    // A read of standard input that never ends must not keep the process alive.
    runtime.shutdown_background();
    ExitCode::from(code)
}
