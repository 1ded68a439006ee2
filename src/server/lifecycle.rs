//! How the server ends: after `shutdown` and `exit`, at the end of input, or with
//! the editor that started it; and what it says when it panics.
//!
//! Invariants: the exit code is 0 only after `shutdown`; nothing is written to
//! standard output; the panic hook itself cannot panic, whatever happened to
//! standard error.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// What decides when and how the server ends. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Lifecycle {
    begun: Arc<AtomicBool>,
    shut_down: Arc<AtomicBool>,
    orphaned: Arc<Notify>,
}

impl Lifecycle {
    /// `initialize` was answered: documents may be opened now.
    pub fn begin(&self) {
        self.begun.store(true, Ordering::Release);
    }

    /// True between `initialize` and `shutdown`.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.begun.load(Ordering::Acquire) && !self.shut_down.load(Ordering::Acquire)
    }

    /// `shutdown` was asked for: ending is now a success.
    pub fn shut_down(&self) {
        self.shut_down.store(true, Ordering::Release);
    }

    /// 0 after `shutdown`, else 1, as the protocol demands.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        u8::from(!self.shut_down.load(Ordering::Acquire))
    }

    /// Ends the server when the process that started it does. A parent that is
    /// not named, or not visible from here (a container), is not watched.
    pub fn watch_parent(&self, process_id: Option<i32>) {
        let Some(pid) = process_id.filter(|&pid| pid > 0) else { return };
        // Opened now, while it surely lives; the thread may start late.
        let mut parent = match waitpid_any::WaitHandle::open(pid) {
            Ok(parent) => parent,
            Err(error) => {
                tracing::info!(pid, %error, "the parent process is not watched");
                return;
            }
        };
        let orphaned = Arc::clone(&self.orphaned);
        let watch = move || {
            if parent.wait().is_ok() {
                orphaned.notify_one();
            }
        };
        let thread = std::thread::Builder::new().name("parent watch".into());
        if let Err(error) = thread.spawn(watch) {
            tracing::warn!(%error, "the parent process is not watched");
        }
    }

    /// Resolves when the parent process has ended.
    pub async fn orphaned(&self) {
        self.orphaned.notified().await;
    }
}

/// Writes panics to standard error, with a backtrace when one is asked for, and
/// survives a standard error that is closed.
pub fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let backtrace = std::backtrace::Backtrace::capture();
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("unnamed");
        let mut log = std::io::stderr().lock();
        writeln!(log, "rubricator: thread {name}: {panic}\n{backtrace}").ok();
    }));
}
