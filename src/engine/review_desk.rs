//! The review and critique files of the projects that an editor has open: one thread
//! that appends to them, reads them, and watches them.
//!
//! Invariants: records are kept in the order they were handed in; what another
//! process writes is noticed without the editor's help (many watch no files), by
//! the file's length and time, once in [`WATCH`].

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use crate::review::critique::{Critiques, Decision, Line};
use crate::review::{Log, Record};

use super::{critique, reviews, workspace};

/// How often the files are looked at.
const WATCH: Duration = Duration::from_secs(1);

/// What the thread tells.
#[derive(Debug)]
pub enum Told {
    /// What a project's reviews say now.
    Read(PathBuf, Log),
    /// What its critiques say now.
    Criticised(PathBuf, Critiques),
    /// A file could not be read or written, as a sentence for the user.
    Failed(String),
}

#[derive(Debug)]
enum Order {
    Read(PathBuf),
    Keep(PathBuf, Box<Record>),
    Decide(PathBuf, Box<Decision>),
}

/// One of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kept {
    Reviews,
    Critiques,
}

/// The thread, and the way to it.
#[derive(Debug)]
pub struct ReviewDesk {
    orders: Orders,
    thread: JoinHandle<()>,
}

/// A way to the thread, which lives as long as any is left.
#[derive(Clone, Debug)]
pub struct Orders(mpsc::Sender<Order>);

impl ReviewDesk {
    /// Starts the thread; `told` hears what becomes of the orders, and of the files.
    ///
    /// # Errors
    /// When the operating system gives us no thread.
    pub fn start(told: impl Fn(Told) + Send + 'static) -> io::Result<Self> {
        let (sender, orders) = mpsc::channel();
        let mut clerk = Clerk { told, seen: HashMap::new() };
        let thread = std::thread::Builder::new().name("reviews".into());
        let thread = thread.spawn(move || clerk.run(&orders))?;
        Ok(Self { orders: Orders(sender), thread })
    }

    /// The way to the thread.
    #[must_use]
    pub const fn orders(&self) -> &Orders {
        &self.orders
    }

    /// Waits until everything that was handed in is on disk.
    pub fn finish(self) {
        drop(self.orders);
        if self.thread.join().is_err() {
            tracing::error!("the thread that keeps reviews failed");
        }
    }
}

impl Orders {
    /// Reads a project's files, and again whenever they change.
    pub fn read(&self, root: &Path) {
        // Fails only when the thread has ended, and then so has the server.
        let _ = self.0.send(Order::Read(root.to_owned()));
    }

    /// Appends a record to a project's file, and reads it.
    pub fn keep(&self, root: &Path, record: Record) {
        let _ = self.0.send(Order::Keep(root.to_owned(), Box::new(record)));
    }

    /// Appends what was decided about a critique's finding, and reads the critiques.
    pub fn decide(&self, root: &Path, decision: Decision) {
        let _ = self.0.send(Order::Decide(root.to_owned(), Box::new(decision)));
    }
}

/// Length and time of a file; `None` where there is none.
type Stamp = Option<(u64, Option<SystemTime>)>;

struct Clerk<T> {
    told: T,
    seen: HashMap<(PathBuf, Kept), Stamp>,
}

impl<T: Fn(Told)> Clerk<T> {
    fn run(&mut self, orders: &Receiver<Order>) {
        loop {
            let first = match orders.recv_timeout(WATCH) {
                Ok(order) => Some(order),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            // Several records at once are read back once.
            let mut due: Vec<(PathBuf, Kept)> = Vec::new();
            for order in first.into_iter().chain(orders.try_iter()) {
                let fresh = self.obey(order).into_iter().filter(|one| !due.contains(one));
                let fresh: Vec<(PathBuf, Kept)> = fresh.collect();
                due.extend(fresh);
            }
            let changed = |(file, stamp): (&(PathBuf, Kept), &Stamp)| {
                (stamp_of(&file.0, file.1) != *stamp && !due.contains(file)).then(|| file.clone())
            };
            let changed: Vec<(PathBuf, Kept)> = self.seen.iter().filter_map(changed).collect();
            due.into_iter().chain(changed).for_each(|(root, kept)| self.read(root, kept));
        }
    }

    /// Carries an order out; the files that are to be read.
    fn obey(&self, order: Order) -> Vec<(PathBuf, Kept)> {
        let written = |done: io::Result<()>, what: &str, file: &str| {
            if let Err(error) = done {
                let why = workspace::plain(&error).replace("read", "written");
                (self.told)(Told::Failed(format!("the {what} was not kept: {file} {why}")));
            }
        };
        match order {
            Order::Read(root) => vec![(root.clone(), Kept::Reviews), (root, Kept::Critiques)],
            Order::Keep(root, record) => {
                written(reviews::append(&root, &record), "review", reviews::FILE);
                vec![(root, Kept::Reviews)]
            }
            Order::Decide(root, decision) => {
                let line = Line::Decision(*decision);
                written(critique::append(&root, &line), "decision", critique::FILE);
                vec![(root, Kept::Critiques)]
            }
        }
    }

    fn read(&mut self, root: PathBuf, kept: Kept) {
        // Before it is read: what is written meanwhile is noticed next time.
        let stamp = stamp_of(&root, kept);
        let read = match kept {
            Kept::Reviews => reviews::read(&root).map(|log| Told::Read(root.clone(), log)),
            Kept::Critiques => {
                critique::read(&root).map(|known| Told::Criticised(root.clone(), known))
            }
        };
        (self.told)(read.unwrap_or_else(|error| {
            Told::Failed(format!("{} {}", kept.file(), workspace::plain(&error)))
        }));
        self.seen.insert((root, kept), stamp);
    }
}

impl Kept {
    /// Its path in a project's folder.
    const fn file(self) -> &'static str {
        match self {
            Self::Reviews => reviews::FILE,
            Self::Critiques => critique::FILE,
        }
    }
}

fn stamp_of(root: &Path, kept: Kept) -> Stamp {
    let metadata = std::fs::metadata(root.join(kept.file())).ok()?;
    Some((metadata.len(), metadata.modified().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::Kind;

    fn record(text: &str) -> Record {
        let record = reviews::record(Kind::Missing, "Ada", "digest").unwrap();
        Record { note: Some(text.into()), ..record }
    }

    /// The notes in the next reading that has so many.
    fn notes(told: &Receiver<Told>, count: usize) -> Vec<String> {
        loop {
            if let Told::Read(_, log) = told.recv().unwrap()
                && log.records().len() == count
            {
                return log.records().iter().filter_map(|r| r.note.clone()).collect();
            }
        }
    }

    #[test]
    fn records_are_kept_in_order_and_those_of_others_are_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let (sender, told) = mpsc::channel();
        let desk = ReviewDesk::start(move |one| drop(sender.send(one))).unwrap();
        desk.orders().read(dir.path());
        assert_eq!(notes(&told, 0), [""; 0]);
        for text in ["a", "b", "c"] {
            desk.orders().keep(dir.path(), record(text));
        }
        assert_eq!(notes(&told, 3), ["a", "b", "c"]);
        reviews::append(dir.path(), &record("theirs")).unwrap();
        assert_eq!(notes(&told, 4)[3], "theirs");
        desk.orders().keep(dir.path(), record("the last"));
        desk.finish();
        assert_eq!(reviews::read(dir.path()).unwrap().records().len(), 5);
    }

    #[test]
    fn what_cannot_be_written_is_said() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("data"), "a file").unwrap();
        let (sender, told) = mpsc::channel();
        let desk = ReviewDesk::start(move |one| drop(sender.send(one))).unwrap();
        desk.orders().keep(dir.path(), record("a"));
        let Told::Failed(why) = told.recv().unwrap() else { panic!("it cannot be written") };
        assert!(why.starts_with("the review was not kept: data/reviews.jsonl "), "{why}");
    }
}
