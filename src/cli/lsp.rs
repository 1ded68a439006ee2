//! `lsp`: the language server over standard input and output.

use std::process::ExitCode;

use super::args::Common;
use crate::server;

/// Serves until the editor leaves.
pub fn run(common: &Common) -> ExitCode {
    super::output::log(common);
    server::run(common.untrusted)
}
