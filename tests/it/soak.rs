//! A run of three judges that are busy, broken, slow and wrong at random: it ends,
//! asks exactly as often as it must, and stays within its limits. The same at full
//! size, with the real clock, memory and kills: `cargo bench --bench soak`.

use std::collections::BTreeMap;

use rubricator::engine::ledger::{self, Ledger};
use rubricator::engine::{Engine, EngineOptions};

use crate::crowd::{Crowd, Mood, Moods, PRICES, Pair, owed};
use crate::engine::{RUBRIC, Ran, World, judge_at, run};

const TRANSCRIPTS: usize = 50;
const AT_ONCE: usize = 5;
const MOODS: Moods = &[
    (Mood::Slow, 5),
    (Mood::Busy, 7),
    (Mood::Crowded, 5),
    (Mood::Overloaded, 4),
    (Mood::Broken, 6),
    (Mood::Garbage, 5),
    (Mood::Reset, 5),
];

/// Every pair, and after how many requests more it is settled: answered, or taken
/// for no answer.
fn settled(
    crowd: &Crowd,
    asked: &BTreeMap<Pair, usize>,
    open: &[Pair],
) -> BTreeMap<Pair, (usize, bool)> {
    let ends = |mood| matches!(mood, Mood::Fine | Mood::Slow | Mood::Garbage);
    let of = |pair: &Pair| {
        let first = asked.get(pair).copied().unwrap_or_default();
        let last = (first..first + 7).find(|n| ends(crowd.mood(pair, *n)));
        let answered = last.is_some_and(|n| crowd.mood(pair, n) != Mood::Garbage);
        (pair.clone(), (last.map_or(7, |n| n + 1 - first), answered))
    };
    open.iter().map(of).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_on_a_bad_day_asks_exactly_what_it_must() {
    // A slow reply lets others go first.
    let crowd = Crowd::start(11, MOODS, |mood| {
        Box::pin(async move {
            for _ in 0..if mood == Mood::Slow { 50 } else { 1 } {
                tokio::task::yield_now().await;
            }
        })
    })
    .await;
    let world = World::new();
    let texts: Vec<String> = (0..TRANSCRIPTS).map(|n| format!("Hi {n}?|marker-{n}-end")).collect();
    let judges = ["a", "b", "c"].map(|name| judge_at(name, &crowd.url, AT_ONCE));
    let models = judges.clone().map(|judge| judge.model);
    let price_file = Some(world.dir.path().join("prices.toml"));
    std::fs::write(price_file.as_ref().unwrap(), PRICES).unwrap();
    let engine = Engine::new(EngineOptions { price_file, ..world.options() });
    let ledger = world.dir.path().join("user").join(ledger::FILE);
    let pair = |model: &String| (0..TRANSCRIPTS).map(|n| (model.clone(), n)).collect::<Vec<_>>();
    let mut open: Vec<Pair> = models.iter().flat_map(pair).collect();
    let mut asked = BTreeMap::new();
    let (mut answered, mut paid) = (0, 0);
    while !open.is_empty() {
        let expected = settled(&crowd, &asked, &open);
        let ran: Ran = run(&engine, world.job(RUBRIC, &texts, judges.to_vec())).await;
        let seen = crowd.take();
        let more = |pair: &Pair| seen.asked[pair] - asked.get(pair).copied().unwrap_or_default();
        for (pair, (requests, _)) in &expected {
            assert_eq!(more(pair), *requests, "{pair:?}");
        }
        let requests =
            asked.values().sum::<usize>() + expected.values().map(|(n, _)| n).sum::<usize>();
        assert_eq!(seen.requests(), requests, "what is settled is not asked");
        assert!(seen.most.values().all(|most| *most <= AT_ONCE), "{:?}", seen.most);
        let fine: usize = expected.values().filter(|(_, answered)| *answered).count();
        assert_eq!(seen.answered.values().sum::<usize>(), fine);
        // Three criteria a call; what was counted is what was paid for.
        assert_eq!((ran.summary.answered, ran.summary.cached), (3 * fine, 3 * answered));
        let (_, input, output, usd) = owed(seen.paid);
        assert_eq!((ran.summary.input_tokens, ran.summary.output_tokens), (input, output));
        assert!((ran.summary.cost.unwrap() - usd).abs() < 1e-6);
        paid += seen.paid;
        let all = Ledger::read(&ledger, None, ledger::now()).unwrap().of_all().all;
        let (calls, input, output, usd) = owed(paid);
        assert_eq!((all.calls, all.input, all.output, all.unpriced), (calls, input, output, 0));
        assert!((all.usd - usd).abs() < 1e-6);
        answered += fine;
        open.retain(|pair| !expected[pair].1);
        asked = seen.asked;
    }
    assert_eq!(answered, 3 * TRANSCRIPTS);
}
