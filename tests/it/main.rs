//! One integration test binary: what the wire, the disk and the process add to
//! the unit tests beside the code.

mod cli;
mod engine;
mod examples;
mod lsp;
mod survival;
mod tidy;
