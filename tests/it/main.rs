//! One integration test binary: what the wire, the disk and the process add to
//! the unit tests beside the code.
//!
//! `cfg(test)` is always true here; it tells clippy that helpers are tests too.

#[cfg(test)]
mod cli;
#[cfg(test)]
mod crowd;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod engine;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod kills;
#[cfg(test)]
mod lsp;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod positions;
#[cfg(test)]
mod provider;
#[cfg(test)]
mod soak;
#[cfg(test)]
mod survival;
#[cfg(test)]
mod tidy;
#[cfg(test)]
mod trust;
