//! Time and chance as the engine knows them: the real ones, or a test's.
//!
//! Invariant: nothing in the engine waits, measures a wait, or rolls dice except
//! through a [`Clock`], so a test decides how long everything takes.

use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher as _, RandomState};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

type Waiting = Pin<Box<dyn Future<Output = ()> + Send>>;
type Wait = Arc<dyn Fn(Duration) -> Waiting + Send + Sync>;

/// Where a test's clock starts: the first second of 2026, UTC.
const TEST_EPOCH: Duration = Duration::from_secs(1_767_225_600);

/// A clock and a source of chance; cheap to clone, all clones are one.
#[derive(Clone)]
pub struct Clock {
    now: Arc<dyn Fn() -> Instant + Send + Sync>,
    wall: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    pause: Wait,
    alarm: Wait,
    dice: Arc<AtomicU64>,
}

impl Clock {
    /// The machine's.
    #[must_use]
    pub fn real() -> Self {
        Self {
            now: Arc::new(Instant::now),
            wall: Arc::new(SystemTime::now),
            pause: sleeping(),
            alarm: sleeping(),
            dice: Arc::new(AtomicU64::new(RandomState::new().hash_one(0_u8))),
        }
    }

    /// A clock that never makes anybody wait: a pause is told to `note`, and the
    /// time is at once that much later. Alarms are real, chance starts at `seed`.
    pub fn instead(seed: u64, note: impl Fn(Duration) + Send + Sync + 'static) -> Self {
        Self::held(seed, move |time| {
            note(time);
            std::future::ready(())
        })
    }

    /// A clock whose pauses end when `pause` does; the time is then that much later.
    /// Alarms are real, chance starts at `seed`.
    pub fn held<F>(seed: u64, pause: impl Fn(Duration) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let start = Instant::now();
        let passed = Arc::new(AtomicU64::new(0));
        let since = |passed: &AtomicU64| Duration::from_nanos(passed.load(Ordering::SeqCst));
        let (now, wall) = (Arc::clone(&passed), Arc::clone(&passed));
        let pause = move |time: Duration| -> Waiting {
            let (passed, paused) = (Arc::clone(&passed), pause(time));
            let until = u64::try_from((since(&passed) + time).as_nanos()).unwrap_or(u64::MAX);
            Box::pin(async move {
                paused.await;
                passed.fetch_max(until, Ordering::SeqCst);
            })
        };
        Self {
            now: Arc::new(move || start + since(&now)),
            wall: Arc::new(move || SystemTime::UNIX_EPOCH + TEST_EPOCH + since(&wall)),
            pause: Arc::new(pause),
            alarm: sleeping(),
            dice: Arc::new(AtomicU64::new(seed)),
        }
    }

    /// The same clock, with other alarms: what to wait for in place of a time limit.
    #[must_use]
    pub fn with_alarm<F>(mut self, alarm: impl Fn(Duration) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.alarm = Arc::new(move |time| Box::pin(alarm(time)));
        self
    }

    /// A time to measure with.
    pub(super) fn now(&self) -> Instant {
        (self.now)()
    }

    /// The time of day.
    pub(super) fn wall(&self) -> SystemTime {
        (self.wall)()
    }

    /// Waits between two attempts.
    pub(super) async fn pause(&self, time: Duration) {
        (self.pause)(time).await;
    }

    /// Waits for a time limit.
    pub(super) async fn alarm(&self, time: Duration) {
        (self.alarm)(time).await;
    }

    /// A number from 0 up to, not including, 1.
    pub(super) fn chance(&self) -> f64 {
        // SplitMix64: good enough to keep calls apart, and repeatable from a seed.
        let step = 0x9E37_79B9_7F4A_7C15_u64;
        let mut z = self.dice.fetch_add(step, Ordering::Relaxed).wrapping_add(step);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

fn sleeping() -> Wait {
    Arc::new(|time| Box::pin(tokio::time::sleep(time)))
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_test_clock_jumps_over_pauses() {
        let clock = Clock::instead(1, |_| {});
        let (before, at) = (clock.now(), clock.wall());
        clock.pause(Duration::from_secs(90)).await;
        assert_eq!(clock.now() - before, Duration::from_secs(90));
        assert_eq!(clock.wall().duration_since(at).unwrap(), Duration::from_secs(90));
    }

    #[test]
    fn chance_repeats_from_a_seed_and_stays_in_its_bounds() {
        let rolls = |seed| {
            let clock = Clock::instead(seed, |_| {});
            (0..200).map(|_| clock.chance()).collect::<Vec<_>>()
        };
        assert_eq!(rolls(5), rolls(5));
        assert_ne!(rolls(5), rolls(6));
        assert!(rolls(5).iter().all(|roll| (0.0..1.0).contains(roll)));
        let mean = rolls(5).iter().sum::<f64>() / 200.0;
        assert!((0.4..0.6).contains(&mean), "{mean}");
    }
}
