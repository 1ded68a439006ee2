//! The one place that writes: results to standard output, the rest to standard error.
//!
//! Invariant: a reader that went away (`rubricator check | head`) is no error;
//! a full disk is. No key that was loaded is ever written, and nothing a terminal
//! would obey but our own colours: text of transcripts passes through
//! [`super::style::plain`] before it comes here, and what is left is escaped.

use std::io::{self, IsTerminal, Write};

use super::args::{Common, When};
use super::style::escaped;
use crate::engine::secret::{self, Redacting};

/// Standard output and standard error.
pub struct Output {
    out: Box<dyn Write>,
    err: Box<dyn Write>,
    /// Colour results.
    pub color: bool,
    /// Colour messages.
    pub err_color: bool,
    /// Somebody watches standard error: progress may be drawn.
    pub watched: bool,
    /// Only results and errors.
    pub quiet: bool,
    /// How much more to say.
    pub verbose: u8,
    closed: bool,
    diverted: bool,
    failure: Option<io::Error>,
}

impl Output {
    /// The process's own.
    #[must_use]
    pub fn new(common: &Common) -> Self {
        let (stdout, stderr) = (io::stdout(), io::stderr());
        let colored = |terminal: bool| match common.color {
            When::Always => true,
            When::Never => false,
            When::Auto => terminal && !no_color(),
        };
        Self {
            color: colored(stdout.is_terminal()),
            err_color: colored(stderr.is_terminal()),
            watched: stderr.is_terminal() && !common.quiet,
            out: Box::new(io::BufWriter::with_capacity(1 << 16, stdout)),
            err: Box::new(stderr),
            quiet: common.quiet,
            verbose: common.verbose,
            closed: false,
            diverted: false,
            failure: None,
        }
    }

    /// Writes a result. What a terminal would obey can only stand in JSON here, and
    /// is written as JSON escapes it.
    pub fn write(&mut self, text: &str) {
        let text = &*escaped(&secret::without_keys(text)).into_owned();
        if self.diverted {
            // Nowhere is left to complain about standard error.
            let _ = self.err.write_all(text.as_bytes());
        } else {
            self.write_bytes(text.as_bytes());
        }
    }

    /// Writes a result that is a whole file.
    pub fn write_bytes(&mut self, bytes: &[u8]) {
        if !self.is_closed() {
            let result = self.out.write_all(bytes);
            self.note_failure(result);
        }
    }

    /// Sends text to standard error from here on: standard output is for a file.
    pub fn divert(&mut self, aside: bool) {
        self.diverted = aside;
        self.color = if aside { self.err_color } else { self.color };
    }

    /// Writes a result and a line break.
    pub fn line(&mut self, text: &str) {
        self.write(text);
        self.write("\n");
    }

    /// Hands everything written to the reader now.
    pub fn flush(&mut self) {
        let result = self.out.flush();
        self.note_failure(result);
    }

    /// True when nobody reads any more: work for results alone can stop.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.closed || self.failure.is_some()
    }

    /// Says something that is no result, unless asked to be quiet.
    pub fn note(&mut self, text: &str) {
        if !self.quiet {
            self.say(text);
        }
    }

    /// Says that something went wrong.
    pub fn error(&mut self, text: &str) {
        let (on, off) = if self.err_color { ("\u{1b}[1;31m", "\u{1b}[0m") } else { ("", "") };
        self.say(&format!("{on}error{off}: {text}"));
    }

    /// Says that something may be wrong.
    pub fn warning(&mut self, text: &str) {
        let (on, off) = if self.err_color { ("\u{1b}[1;33m", "\u{1b}[0m") } else { ("", "") };
        self.say(&format!("{on}warning{off}: {text}"));
    }

    fn say(&mut self, text: &str) {
        // Nowhere is left to complain about standard error.
        let _ = writeln!(self.err, "{}", escaped(&secret::without_keys(text)));
    }

    /// Flushes; the error, if results could not be written.
    ///
    /// # Errors
    /// Anything but a reader that went away.
    pub fn finish(mut self) -> io::Result<()> {
        if !self.closed {
            self.flush();
        }
        self.failure.map_or(Ok(()), Err)
    }

    fn note_failure(&mut self, result: io::Result<()>) {
        match result {
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => self.closed = true,
            Err(e) => self.failure = Some(e),
            Ok(()) => {}
        }
    }
}

/// Starts the log on standard error: warnings, and more with `-v`.
pub fn log(common: &Common) {
    let level = match (common.quiet, common.verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "rubricator=info,warn",
        (false, 2) => "rubricator=debug,info",
        (false, _) => "trace",
    };
    let filter = tracing_subscriber::EnvFilter::new(level);
    let log =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| Redacting(io::stderr()));
    // A log that is there already (in tests) is as good.
    let _ = log.with_ansi(false).try_init();
}

fn no_color() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty());
    set("NO_COLOR") || std::env::var_os("TERM").is_some_and(|t| t == "dumb")
}
