//! Work on all cores, results in order.
//!
//! Invariant: what comes out, and in which order, does not depend on the number
//! of threads; so many jobs are under way at most that memory stays bounded. A
//! panic in a job is a panic of the whole, as it would be without threads.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};

use crate::analysis::context::Memo;

/// How jobs are made, done and taken in.
pub struct Stages<Take, Work, Alone> {
    /// Makes the next job, on whatever thread is free; `None` ends it.
    pub take: Take,
    /// Does a job.
    pub work: Work,
    /// A job so big that no other is made while it is done.
    pub alone: Alone,
}

type Outcome<O> = Result<O, Box<dyn Any + Send>>;

impl<Take, Work, Alone> Stages<Take, Work, Alone> {
    /// Does every job, each with one of the memos, a thread a memo, and hands the
    /// results to `merge` on this thread, in the order the jobs were made in.
    pub fn run<J, O>(self, memos: &mut [Memo], mut merge: impl FnMut(O))
    where
        J: Send,
        O: Send,
        Take: FnMut() -> Option<J> + Send,
        Work: Fn(J, &mut Memo) -> O + Sync,
        Alone: Fn(&J) -> bool + Sync,
    {
        let Self { mut take, work, alone } = self;
        if let [memo] = memos {
            while let Some(job) = take() {
                merge(work(job, memo));
            }
            return;
        }
        let (return_ticket, tickets) = channel();
        for () in std::iter::repeat_n((), memos.len() * 2 + 1) {
            // The receiver is alive: it is ours.
            let _ = return_ticket.send(());
        }
        let gate = Mutex::new(Gate { take, taken: 0 });
        let shared = Shared { gate, tickets: Mutex::new(tickets), work, alone };
        std::thread::scope(|scope| {
            let (sender, results) = channel();
            for memo in memos {
                let (sender, shared) = (sender.clone(), &shared);
                scope.spawn(move || shared.serve(&sender, memo));
            }
            drop(sender);
            if let Err(panic) = in_order(&results, &return_ticket, &mut merge) {
                drop(return_ticket);
                resume_unwind(panic);
            }
        });
    }
}

/// Hands on the results in order; a ticket goes back for each.
fn in_order<O>(
    results: &Receiver<(usize, Outcome<O>)>,
    return_ticket: &Sender<()>,
    merge: &mut impl FnMut(O),
) -> Result<(), Box<dyn Any + Send>> {
    let mut waiting = BTreeMap::new();
    let mut due = 0;
    for (number, result) in results {
        waiting.insert(number, result?);
        while let Some(result) = waiting.remove(&due) {
            merge(result);
            due += 1;
            // Nobody takes tickets any more when all jobs are made.
            let _ = return_ticket.send(());
        }
    }
    Ok(())
}

struct Gate<Take> {
    take: Take,
    taken: usize,
}

/// What the threads share. Order of locks: tickets, then gate, never both.
struct Shared<Take, Work, Alone> {
    gate: Mutex<Gate<Take>>,
    /// Whoever makes a job holds a ticket, so the results that wait are bounded.
    tickets: Mutex<Receiver<()>>,
    work: Work,
    alone: Alone,
}

impl<Take, Work, Alone> Shared<Take, Work, Alone> {
    fn serve<J, O>(&self, sender: &Sender<(usize, Outcome<O>)>, memo: &mut Memo)
    where
        Take: FnMut() -> Option<J>,
        Work: Fn(J, &mut Memo) -> O,
        Alone: Fn(&J) -> bool,
    {
        loop {
            let ticket = self.tickets.lock().unwrap_or_else(PoisonError::into_inner).recv();
            if ticket.is_err() {
                return;
            }
            let mut gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(job) = (gate.take)() else { return };
            let number = gate.taken;
            gate.taken += 1;
            let held = (self.alone)(&job).then_some(gate);
            let result = catch_unwind(AssertUnwindSafe(|| (self.work)(job, memo)));
            drop(held);
            let failed = result.is_err();
            if sender.send((number, result)).is_err() || failed {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(threads: usize, jobs: usize, work: impl Fn(usize) -> usize + Sync) -> Vec<usize> {
        let mut memos: Vec<Memo> = Vec::new();
        memos.resize_with(threads, Memo::default);
        let mut made = 0..jobs;
        let mut results = Vec::new();
        let stages = Stages {
            take: || made.next(),
            work: |job, _: &mut Memo| work(job),
            alone: |job: &usize| job % 7 == 3,
        };
        stages.run(&mut memos, |result| results.push(result));
        results
    }

    #[test]
    fn results_come_in_order_from_any_number_of_threads() {
        let expected: Vec<usize> = (0..200).map(|n| n * 2).collect();
        for threads in [1, 2, 5] {
            assert_eq!(run(threads, 200, |n| n * 2), expected);
        }
        assert_eq!(run(3, 0, |n| n), Vec::<usize>::new());
    }

    #[test]
    fn the_first_job_may_be_the_last_to_end() {
        let (open, gate) = channel();
        let gate = Mutex::new(gate);
        let results = run(2, 5, |n| {
            match n {
                0 => gate.lock().unwrap().recv().unwrap(),
                4 => open.send(()).unwrap(),
                _ => {}
            }
            n + 1
        });
        assert_eq!(results, [1, 2, 3, 4, 5]);
    }

    #[test]
    fn a_panic_comes_out_and_nobody_waits_for_ever() {
        let work = |n| if n == 3 { panic!("three") } else { n };
        let caught = catch_unwind(|| run(4, 1000, work)).unwrap_err();
        assert_eq!(caught.downcast_ref::<&str>(), Some(&"three"));
    }
}
