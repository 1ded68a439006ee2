//! Arguments → language server or command line; an error → an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    rubricator::cli::catch_panics();
    rubricator::cli::main()
}
