//! Who may send now: one gate per host and key, and seats per model behind it.
//!
//! Invariant: when one call is told to wait, nobody sends to that host with that
//! key before the time is over, whichever job the call belongs to; calls under way
//! never exceed the judge's own limit, nor fall below one for good. Seats are
//! taken in the order they were asked for.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::config::{Judge, Provider};

use super::secret::Secret;
use super::trust;

/// Good replies after which one call more is allowed at once.
const RAISE_AFTER: usize = 10;

type Place = (Provider, String, Option<u64>);

/// The gates and seats of a process.
#[derive(Debug, Default)]
pub(super) struct Gates {
    // Held only to look up one entry; never across an await.
    gates: Mutex<HashMap<Place, Arc<Gate>>>,
    // Likewise.
    seats: Mutex<HashMap<(Place, String), Arc<Seats>>>,
}

/// What a judge passes before it sends.
#[derive(Clone, Debug)]
pub(super) struct Entrance {
    pub(super) gate: Arc<Gate>,
    pub(super) seats: Arc<Seats>,
}

impl Gates {
    pub(super) fn entrance(&self, judge: &Judge, key: Option<&Secret>) -> Entrance {
        let host = trust::host(judge).unwrap_or_default();
        let place = (judge.provider, host, key.map(Secret::fingerprint));
        let gate = Arc::clone(locked(&self.gates).entry(place.clone()).or_default());
        let seats = (place, judge.model.clone());
        let seats = Arc::clone(locked(&self.seats).entry(seats).or_default());
        Entrance { gate, seats }
    }
}

/// Closed until a time, for a reason.
#[derive(Debug, Default)]
pub(super) struct Gate {
    closed: Mutex<Option<(Instant, Arc<str>)>>,
}

impl Gate {
    /// Closes the gate; a longer closure stays.
    pub(super) fn close(&self, until: Instant, why: &str) {
        let mut closed = locked(&self.closed);
        if closed.as_ref().is_none_or(|(before, _)| *before < until) {
            *closed = Some((until, why.into()));
        }
    }

    /// How long it stays closed, and why; `None` when it is open.
    pub(super) fn closed(&self, now: Instant) -> Option<(Duration, Arc<str>)> {
        let mut closed = locked(&self.closed);
        let (until, why) = closed.as_ref()?;
        let left = until.saturating_duration_since(now);
        if left.is_zero() {
            *closed = None;
            return None;
        }
        Some((left, Arc::clone(why)))
    }
}

/// Room for calls under way, less after "slow down" and more after good replies.
#[derive(Debug, Default)]
pub(super) struct Seats {
    room: Mutex<Room>,
}

#[derive(Debug, Default)]
struct Room {
    taken: usize,
    /// Fewer than the judge's own limit, after "slow down".
    allowed: Option<usize>,
    good: usize,
    /// Counts the times that room was cut.
    round: u64,
    queue: VecDeque<(usize, oneshot::Sender<Seat>)>,
}

/// A seat; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Arc<Seats>,
    limit: usize,
    round: u64,
}

impl Seats {
    /// Takes a seat among at most `limit`, in turn.
    pub(super) async fn take(self: &Arc<Self>, limit: usize) -> Seat {
        let limit = limit.max(1);
        let turn = {
            let mut room = locked(&self.room);
            room.queue.retain(|(_, chair)| !chair.is_closed());
            if room.queue.is_empty() && room.has_place(limit) {
                room.taken += 1;
                return Seat { seats: Arc::clone(self), limit, round: room.round };
            }
            let (chair, turn) = oneshot::channel();
            room.queue.push_back((limit, chair));
            turn
        };
        match turn.await {
            Ok(seat) => seat,
            // Nothing drops a chair while its owner waits.
            Err(_) => std::future::pending().await,
        }
    }

    /// Gives free seats to those who wait.
    fn serve(self: &Arc<Self>) {
        while let Some((chair, seat)) = self.next() {
            // Whoever went away meanwhile gives the seat back by dropping it here.
            drop(chair.send(seat));
        }
    }

    fn next(self: &Arc<Self>) -> Option<(oneshot::Sender<Seat>, Seat)> {
        let mut room = locked(&self.room);
        room.queue.retain(|(_, chair)| !chair.is_closed());
        let limit = room.queue.front().map(|(limit, _)| *limit)?;
        if !room.has_place(limit) {
            return None;
        }
        let (_, chair) = room.queue.pop_front()?;
        room.taken += 1;
        Some((chair, Seat { seats: Arc::clone(self), limit, round: room.round }))
    }
}

impl Room {
    fn has_place(&self, limit: usize) -> bool {
        self.taken < self.allowed.unwrap_or(limit).min(limit)
    }
}

impl Seat {
    /// The server said "slow down": half as many at once. Calls that were under way
    /// together say so together, which counts as once.
    pub(super) fn slow_down(&self) {
        let mut room = locked(&self.seats.room);
        if room.round != self.round {
            return;
        }
        let before = room.allowed.unwrap_or(self.limit).min(self.limit);
        room.allowed = Some((before / 2).max(1));
        room.round += 1;
        room.good = 0;
    }

    /// A good reply: after enough of them, one more at once.
    pub(super) fn went_well(&self) {
        {
            let mut room = locked(&self.seats.room);
            let Some(allowed) = room.allowed else { return };
            room.good += 1;
            if room.good < RAISE_AFTER {
                return;
            }
            room.good = 0;
            room.allowed = Some(allowed + 1).filter(|more| *more < self.limit);
        }
        self.seats.serve();
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        locked(&self.seats.room).taken -= 1;
        self.seats.serve();
    }
}

/// Every value here is whole after each operation, whoever panicked.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::trust::tests::judge;
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    type Taking = Pin<Box<dyn Future<Output = Seat>>>;

    fn taking(seats: &Arc<Seats>, limit: usize) -> Taking {
        let seats = Arc::clone(seats);
        Box::pin(async move { seats.take(limit).await })
    }

    /// The seat, if there is one now.
    fn seat(taking: &mut Taking) -> Option<Seat> {
        match taking.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(seat) => Some(seat),
            Poll::Pending => None,
        }
    }

    /// Every seat there is now.
    fn all(seats: &Arc<Seats>, limit: usize) -> Vec<Seat> {
        std::iter::from_fn(|| seat(&mut taking(seats, limit))).collect()
    }

    #[test]
    fn siblings_share_a_gate_by_host_and_key_and_seats_by_model() {
        let gates = Gates::default();
        let (here, there) = (judge(Some("http://127.0.0.1:1")), judge(Some("http://127.0.0.1:2")));
        let mut other_model = here.clone();
        other_model.model = "other".into();
        let key = Secret::new("k");
        let entrance = |judge: &Judge, key: Option<&Secret>| gates.entrance(judge, key);
        let first = entrance(&here, None);
        assert!(Arc::ptr_eq(&first.gate, &entrance(&other_model, None).gate));
        assert!(!Arc::ptr_eq(&first.seats, &entrance(&other_model, None).seats));
        assert!(Arc::ptr_eq(&first.seats, &entrance(&here, None).seats));
        assert!(!Arc::ptr_eq(&first.gate, &entrance(&there, None).gate));
        assert!(!Arc::ptr_eq(&first.gate, &entrance(&here, key.as_ref()).gate));
    }

    #[test]
    fn the_longest_closure_counts_and_ends() {
        let (gate, now) = (Gate::default(), Instant::now());
        let after = |seconds| now + Duration::from_secs(seconds);
        gate.close(after(9), "long");
        gate.close(after(3), "short");
        let (left, why) = gate.closed(after(1)).unwrap();
        assert_eq!((left.as_secs(), &*why), (8, "long"));
        assert!(gate.closed(after(9)).is_none());
        assert!(gate.closed(now).is_none(), "it is forgotten once it is over");
    }

    #[test]
    fn seats_are_taken_in_turn_and_given_back_by_whoever_leaves() {
        let seats = Arc::new(Seats::default());
        let first = seat(&mut taking(&seats, 1)).unwrap();
        let (mut second, mut third) = (taking(&seats, 1), taking(&seats, 1));
        assert!(seat(&mut second).is_none() && seat(&mut third).is_none());
        drop(second);
        drop(first);
        let first = seat(&mut third).unwrap();
        let mut fourth = taking(&seats, 1);
        assert!(seat(&mut fourth).is_none());
        drop(first);
        assert!(all(&seats, 1).is_empty(), "the seat is the fourth's");
        drop(fourth);
        assert_eq!(all(&seats, 1).len(), 1);
    }

    #[test]
    fn room_halves_once_for_calls_that_were_under_way_together() {
        let seats = Arc::new(Seats::default());
        let mut sizes = Vec::new();
        for _ in 0..5 {
            let together = all(&seats, 8);
            sizes.push(together.len());
            together.iter().for_each(Seat::slow_down);
        }
        assert_eq!(sizes, [8, 4, 2, 1, 1]);
        for _ in 0..RAISE_AFTER {
            all(&seats, 8)[0].went_well();
        }
        assert_eq!(all(&seats, 8).len(), 2);
        for _ in 0..20 * RAISE_AFTER {
            all(&seats, 8)[0].went_well();
        }
        assert_eq!(all(&seats, 8).len(), 8, "never above the judge's own limit");
    }

    #[test]
    fn a_good_reply_that_makes_room_serves_who_waits() {
        let seats = Arc::new(Seats::default());
        seat(&mut taking(&seats, 4)).unwrap().slow_down();
        let held = all(&seats, 4);
        let mut waiting = taking(&seats, 4);
        assert!(held.len() == 2 && seat(&mut waiting).is_none());
        for _ in 0..RAISE_AFTER {
            held[0].went_well();
        }
        assert!(seat(&mut waiting).is_some());
    }
}
