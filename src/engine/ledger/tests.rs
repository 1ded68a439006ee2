//! The ledger against real SQLite, several writers included.

use super::*;

const DAY: i64 = 86_400;
const NOON: i64 = 1_795_521_600;

fn entry(at: i64, judge: &str, usd: Option<f64>) -> Entry {
    let usage = Usage { input: 100, cached_input: 40, output: 10, ..Usage::default() };
    Entry {
        at,
        project: Some(PathBuf::from("/no/such/project")),
        judge: judge.into(),
        provider: Provider::OpenAi,
        model: "m".into(),
        purpose: Purpose::Assess,
        reply: "answer",
        batch: false,
        usage: Some(usage),
        usd,
    }
}

fn read(path: &Path) -> Spend {
    Ledger::read(path, Some(Path::new("/no/such/project")), NOON).unwrap()
}

#[tokio::test]
async fn spend_is_told_per_judge_purpose_and_period() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data/ledger.db");
    let ledger = Ledger::open(&path).unwrap();
    ledger.flush().await.unwrap();
    assert!(!path.exists(), "nothing was paid, so there is no ledger");
    for (at, usd) in [(NOON, Some(0.5)), (NOON - 2 * DAY, Some(0.25)), (NOON - 40 * DAY, None)] {
        ledger.record(entry(at, "a", usd));
    }
    ledger.record(Entry { purpose: Purpose::Selftest, ..entry(NOON, "a", Some(1.0)) });
    ledger.record(Entry { project: None, ..entry(NOON, "b", Some(2.0)) });
    ledger.flush().await.unwrap();
    let spend = read(&path);
    let amounts = |line: &Line| {
        let one = |a: &Amount| (a.calls, a.unpriced, a.usd);
        (line.purpose.clone(), [&line.today, &line.month, &line.all].map(one))
    };
    let project: Vec<_> = spend.project.iter().map(amounts).collect();
    assert_eq!(
        project,
        [
            ("assess".to_owned(), [(1, 0, 0.5), (2, 0, 0.75), (3, 1, 0.75)]),
            ("selftest".to_owned(), [(1, 0, 1.0), (1, 0, 1.0), (1, 0, 1.0)]),
        ]
    );
    assert_eq!(spend.total.len(), 3);
    assert_eq!(spend.of_judge("a").all.usd, 1.75);
    assert_eq!((spend.of_project().all.input, spend.of_project().all.output), (400, 40));
}

#[tokio::test]
async fn what_is_known_at_once_is_what_the_file_says() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    let first = Ledger::open(&path).unwrap();
    let at = now();
    first.record(entry(at, "a", Some(0.5)));
    first.flush().await.unwrap();
    let second = Ledger::open(&path).unwrap();
    second.record(entry(at, "a", Some(0.25)));
    second.flush().await.unwrap();
    let project = Path::new("/no/such/project");
    let known = second.spend(Some(project), at);
    assert_eq!(known, Ledger::read(&path, Some(project), at).unwrap());
    assert_eq!(known.of_judge("a").today.usd, 0.75);
    let tomorrow = second.spend(Some(project), at + 2 * DAY);
    assert_eq!((tomorrow.of_judge("a").today.calls, tomorrow.of_judge("a").all.calls), (0, 2));
}

#[test]
fn many_writers_lose_no_row() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let path = path.clone();
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                let ledger = Ledger::open(&path).unwrap();
                for n in 0..250 {
                    ledger.record(entry(NOON, &format!("judge {writer}"), Some(0.001)));
                    if n % 50 == 0 {
                        runtime.block_on(ledger.flush()).unwrap();
                    }
                }
                runtime.block_on(ledger.flush()).unwrap();
            });
        }
    });
    let spend = read(&path);
    let calls: Vec<u64> = spend.project.iter().map(|line| line.all.calls).collect();
    assert_eq!(calls, [250; 4]);
    assert_eq!(spend.of_project().all.input, 100_000);
}

#[tokio::test]
async fn another_programs_file_is_left_alone_and_said() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    let theirs = Connection::open(&path).unwrap();
    theirs.execute_batch("CREATE TABLE calls (x); PRAGMA user_version = 1").unwrap();
    let ledger = Ledger::open(&path).unwrap();
    ledger.record(entry(NOON, "a", None));
    let why = ledger.flush().await.unwrap_err();
    assert!(why.contains("another program made it"), "{why}");
    assert!(Ledger::read(&path, None, NOON).is_err());
    let rows: i64 = theirs.query_row("SELECT count(*) FROM calls", [], |r| r.get(0)).unwrap();
    assert_eq!(rows, 0);
}
