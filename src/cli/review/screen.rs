//! The terminal: raw keys in, whole screens out.
//!
//! Invariant: however it ends (a key, Ctrl-C, a panic), the terminal is as before.

use std::cell::Cell;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use crossterm::event::{self, Event, KeyEvent, KeyEventKind};
use crossterm::{cursor, execute, terminal};
use tokio_util::sync::CancellationToken;

use super::page::{Line, Look};
use crate::cli::interrupt;
use crate::cli::style::width;

/// How long a key is waited for before Ctrl-C from elsewhere is looked at.
const TICK: Duration = Duration::from_millis(200);

/// True when somebody sits in front of it.
#[must_use]
pub fn is_there() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// A terminal that shows one screen at a time.
pub struct Screen {
    color: bool,
    drawn: Cell<(usize, usize)>,
    interrupt: CancellationToken,
}

/// What happened in front of it.
pub enum Happened {
    /// A key.
    Key(KeyEvent),
    /// It has another size.
    Resized,
    /// Somebody wants it to end.
    Interrupted,
}

impl Screen {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// When it cannot be.
    pub fn open(color: bool) -> io::Result<Self> {
        let interrupt = interrupt::token()?;
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            // What the panic says must stand on the screen that stays.
            restore();
            before(panic);
        }));
        terminal::enable_raw_mode()?;
        let screen = Self { color, drawn: Cell::default(), interrupt };
        execute!(io::stdout(), terminal::EnterAlternateScreen, cursor::Hide)?;
        Ok(screen)
    }

    /// Columns and rows.
    #[must_use]
    pub fn size() -> (usize, usize) {
        let (columns, rows) = terminal::size().unwrap_or((80, 24));
        (usize::from(columns), usize::from(rows))
    }

    /// Waits for the next thing.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn next(&self) -> io::Result<Happened> {
        loop {
            if self.interrupt.is_cancelled() {
                return Ok(Happened::Interrupted);
            }
            // One that came before anybody listened for it is seen here.
            if Self::size() != self.drawn.get() {
                return Ok(Happened::Resized);
            }
            if !event::poll(TICK)? {
                continue;
            }
            match event::read()? {
                Event::Key(key) if key.kind != KeyEventKind::Release => {
                    return Ok(Happened::Key(key));
                }
                Event::Resize(..) => return Ok(Happened::Resized),
                _ => {}
            }
        }
    }

    /// Draws every row; `current` is the finding whose words stand out most.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn draw(&self, rows: &[Line], current: Option<usize>) -> io::Result<()> {
        let (columns, height) = Self::size();
        self.drawn.set((columns, height));
        // Written in one go, between marks that let a terminal show it in one go.
        let mut text = String::from("\u{1b}[?2026h\u{1b}[H");
        for (index, row) in rows.iter().take(height).enumerate() {
            if index > 0 {
                text.push_str("\r\n");
            }
            let mut room = columns;
            for (look, piece) in row {
                let cut = cut(piece, room);
                room -= cut.chars().map(width).sum::<usize>();
                text += &format!("{}{cut}\u{1b}[0m", self.code(*look, current));
            }
            text.push_str("\u{1b}[K");
        }
        text.push_str("\u{1b}[J\u{1b}[?2026l");
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    fn code(&self, look: Look, current: Option<usize>) -> &'static str {
        match (look, self.color) {
            (Look::Plain, _) => "",
            (Look::Dim, _) => "\u{1b}[2m",
            (Look::Bold, _) => "\u{1b}[1m",
            (Look::Hit(number), true) if current == Some(number) => "\u{1b}[1;30;43m",
            (Look::Hit(number), false) if current == Some(number) => "\u{1b}[7m",
            (Look::Hit(_), true) => "\u{1b}[4;33m",
            (Look::Hit(_), false) => "\u{1b}[4m",
            (Look::Here, true) => "\u{1b}[1;33m",
            (Look::Here, false) => "\u{1b}[1m",
            (Look::Bad, true) => "\u{1b}[1;31m",
            (Look::Good, true) => "\u{1b}[32m",
            (Look::Bad, false) => "\u{1b}[1m",
            (Look::Good, false) => "",
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// Gives the terminal back. What fails here has nowhere to be said.
fn restore() {
    let _ = execute!(io::stdout(), terminal::LeaveAlternateScreen, cursor::Show);
    let _ = terminal::disable_raw_mode();
}

/// As much of the text as has room.
fn cut(text: &str, room: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += width(c);
        if used > room {
            return &text[..at];
        }
    }
    text
}
