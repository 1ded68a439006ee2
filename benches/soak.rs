//! The engine on a bad day, at full size and in real time: 1,000 transcripts and
//! three judges that take 100 ms, and stall, refuse, break and hang up at random.
//! Shows that such a run ends, stays within its limits and its memory, and that 20
//! kills in the middle of one change nothing. Stops with a panic where it does not.
//!
//! `cargo bench --bench soak`; `RUBRICATOR_SOAK_TRANSCRIPTS=200` for less.

#![expect(clippy::print_stdout, reason = "a benchmark reports on standard output")]

#[path = "../tests/it/crowd.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod crowd;
#[path = "../tests/it/kills.rs"]
mod kills;

use std::process::Stdio;
use std::time::{Duration, Instant};

use crowd::{Crowd, Mood, Moods};

const AT_ONCE: usize = 8;
const KILLS: usize = 20;
const MOODS: Moods = &[
    (Mood::Slow, 2),
    (Mood::Busy, 4),
    (Mood::Crowded, 1),
    (Mood::Overloaded, 1),
    (Mood::Broken, 3),
    (Mood::Garbage, 2),
    (Mood::Reset, 2),
];

#[tokio::main]
async fn main() {
    let transcripts = std::env::var("RUBRICATOR_SOAK_TRANSCRIPTS").ok();
    let transcripts: usize = transcripts.and_then(|text| text.parse().ok()).unwrap_or(1000);
    undisturbed(transcripts).await;
    killed(transcripts).await;
}

async fn judges(seed: u64) -> Crowd {
    Crowd::start(seed, MOODS, |mood| {
        let time = if mood == Mood::Slow { 1000 } else { 100 };
        Box::pin(tokio::time::sleep(Duration::from_millis(time)))
    })
    .await
}

/// One run, and how its memory grows from quarter to quarter of its requests.
async fn undisturbed(transcripts: usize) {
    let mut judges = judges(1).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    kills::project(folder.path(), &judges.url, transcripts, AT_ONCE);
    let begun = Instant::now();
    let mut run = kills::assess(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary runs");
    let quarter = 3 * transcripts / 4;
    let mut pages = Vec::new();
    while pages.len() < 4 {
        let asked = judges.asked.recv().await.expect("the judges live");
        if asked.is_multiple_of(quarter) {
            pages.push(resident(run.id()));
        }
    }
    let status = tokio::task::spawn_blocking(move || run.wait()).await;
    let status = status.expect("no panic").expect("it ends");
    let (seen, seconds) = (judges.seen(), begun.elapsed().as_secs_f64());
    let answered = seen.answered.values().filter(|times| **times == 1).count();
    println!("{transcripts} transcripts x 3 judges: {status}, {seconds:.0} s");
    println!("  requests {}, answered once {answered}", seen.requests());
    println!("  under way at once, at most {:?} of {AT_ONCE}", seen.most);
    let growth = pages[3] as f64 / pages[1] as f64;
    println!("  resident pages by quarter {pages:?}, the last {growth:.2}x the second");
    kills::check_ledger(folder.path(), seen.paid, 0);
    println!("  the ledger says what the judges counted: {} paid calls", seen.paid);
    assert_eq!(answered, seen.answered.len(), "something was answered twice");
    assert!(seen.most.values().all(|most| *most <= AT_ONCE), "more at once than allowed");
    assert!(growth < 1.25, "memory grows with the run");
}

async fn killed(transcripts: usize) {
    let mut judges = judges(2).await;
    let folder = |name: &str| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        kills::project(folder.path(), &judges.url, transcripts, AT_ONCE);
        println!("{name}: {}", folder.path().display());
        folder
    };
    let (killed, calm) = (folder("killed"), folder("undisturbed"));
    // Every kill leaves some of the run for the next one.
    let share = 3 * transcripts / (KILLS + 5);
    kills::kill_at_random(killed.path(), &mut judges, KILLS, share).await;
    let after_kills = kills::results(killed.path(), &judges).await;
    let paid = judges.seen().paid;
    // A kill may cost what was under way, and what was on its way to the ledger.
    let lost = kills::check_ledger(killed.path(), paid, KILLS * 2 * 3 * AT_ONCE);
    println!("  {paid} paid calls, {lost} of them on their way at a kill and in no ledger");
    let undisturbed = kills::results(calm.path(), &judges).await;
    kills::check_ledger(calm.path(), judges.seen().paid - paid, 0);
    assert!(after_kills == undisturbed, "the kills changed the results");
    println!("{KILLS} kills: nothing stored was asked again, and the results are equal");
}

/// Pages of memory that a process holds; 0 where the system does not say.
fn resident(process: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/statm")).unwrap_or_default();
    text.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or_default()
}
