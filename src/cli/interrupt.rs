//! Ctrl-C during paid work: the first one stops the work and keeps what is
//! answered, the second one ends the process.
//!
//! One listener stands from before the first call until the process ends. A
//! listener made anew for each wait would lose the signal that comes between
//! two of them, and the runtime's handler, once installed, keeps the signal
//! from ending the process by itself.

use tokio_util::sync::CancellationToken;

/// Exit code of a process that was interrupted: 128 + SIGINT.
const INTERRUPTED: i32 = 130;

/// A token that the first Ctrl-C from now on cancels.
///
/// # Errors
/// Where the system lets nobody listen for signals.
pub fn token() -> Result<CancellationToken, std::io::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let entered = runtime.enter();
    let mut signals = listener()?;
    drop(entered);
    let token = CancellationToken::new();
    let stop = token.clone();
    std::thread::Builder::new().name("interrupt".into()).spawn(move || {
        runtime.block_on(async {
            if signals.recv().await.is_some() {
                stop.cancel();
            }
            if signals.recv().await.is_some() {
                std::process::exit(INTERRUPTED);
            }
        });
    })?;
    Ok(token)
}

#[cfg(unix)]
fn listener() -> Result<tokio::signal::unix::Signal, std::io::Error> {
    tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())
}

#[cfg(windows)]
fn listener() -> Result<tokio::signal::windows::CtrlC, std::io::Error> {
    tokio::signal::windows::ctrl_c()
}
