//! The store: what is kept, what is refused, what is shared.

use super::portable::{Merged, export, merge};
use super::purge::{About, Purged, purge};
use super::*;
use crate::assessment::Evidence;
use crate::rubric::Verdict;

fn row(key: u8, reasoning: &str) -> Row {
    let evidence = vec![Evidence { exchange: 2, quote: "a \"b\" é".into() }];
    Row {
        key: [key; 32],
        answer: Answer { verdict: Verdict::No, reasoning: reasoning.into(), evidence },
        provider: Provider::OpenAi,
        model: "m".into(),
        criterion: "A".into(),
        transcript: TranscriptDigest([key / 10; 32]),
        id: format!("t{}", key / 10),
    }
}

fn put(store: &Store, rows: Vec<Row>) {
    store.put(rows).blocking_recv().unwrap().unwrap();
}

fn project() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(".rubricator/store.db");
    (dir, path)
}

#[test]
fn an_answer_comes_back_whole_and_the_folder_ignores_itself() {
    let (dir, path) = project();
    let store = Store::open(&path, "me").unwrap();
    assert_eq!(store.get(&[1; 32]), None);
    put(&store, vec![row(1, "so"), row(2, "other\n")]);
    assert_eq!(store.get(&[1; 32]), Some(row(1, "so").answer));
    drop(store);
    let again = Store::open(&path, "me").unwrap();
    assert_eq!(again.get(&[2; 32]), Some(row(2, "other\n").answer));
    let ignore = std::fs::read_to_string(dir.path().join(".rubricator/.gitignore")).unwrap();
    assert_eq!(ignore, "*\n");
}

#[test]
fn several_stores_at_once_share_what_is_written() {
    let (_dir, path) = project();
    std::thread::scope(|scope| {
        for n in 0..4_u8 {
            let path = &path;
            scope.spawn(move || {
                let store = Store::open(path, "me").unwrap();
                for i in 0..20 {
                    put(&store, vec![row(n * 20 + i, "x")]);
                }
            });
        }
    });
    let store = Store::open(&path, "me").unwrap();
    assert!((0..80).all(|key| store.get(&[key; 32]).is_some()));
}

#[test]
fn somebody_elses_store_is_not_read_nor_changed() {
    let (_dir, path) = project();
    drop(Store::open(&path, "them").unwrap());
    let before = std::fs::read(&path).unwrap();
    let error = Store::open(&path, "me").unwrap_err();
    assert_eq!(error, StoreError::Foreign(path.clone()));
    assert!(error.to_string().contains("Delete it"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn what_is_no_store_is_said_to_be_none() {
    let (dir, path) = project();
    std::fs::create_dir(dir.path().join(".rubricator")).unwrap();
    std::fs::write(&path, "this is a text file, long enough to be looked at twice").unwrap();
    assert!(matches!(Store::open(&path, "me"), Err(StoreError::Broken(..))));
    std::fs::remove_file(&path).unwrap();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    assert!(matches!(Store::open(&path, "me"), Err(StoreError::Broken(..))));
    std::fs::remove_file(&path).unwrap();
    drop(Store::open(&path, "me").unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(Store::open(&path, "me"), Err(StoreError::Newer(_))));
}

#[test]
fn a_broken_entry_is_a_miss_and_is_mended_by_the_next_answer() {
    let (_dir, path) = project();
    let store = Store::open(&path, "me").unwrap();
    put(&store, vec![row(1, "so"), row(2, "other")]);
    let db = Connection::open(&path).unwrap();
    db.execute("UPDATE answers SET value = replace(value, 'NO', 'YES') WHERE rowid = 1", [])
        .unwrap();
    db.execute("UPDATE answers SET value = x'ff00' WHERE rowid = 2", []).unwrap();
    assert_eq!((store.get(&[1; 32]), store.get(&[2; 32])), (None, None));
    put(&store, vec![row(1, "again")]);
    assert_eq!(store.get(&[1; 32]), Some(row(1, "again").answer));
}

#[cfg(unix)]
#[test]
fn a_linked_store_is_refused() {
    let (dir, path) = project();
    let elsewhere = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), dir.path().join(".rubricator")).unwrap();
    assert!(matches!(Store::open(&path, "me"), Err(StoreError::Failed(..))));
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}

/// A store as version 1 made it, with these answers.
fn old_store(path: &Path, rows: &[Row]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let db = Connection::open(path).unwrap();
    db.execute_batch(&schema::VERSIONS[0].tables.join(";")).unwrap();
    db.execute("INSERT INTO meta VALUES ('owner', 'me')", []).unwrap();
    for row in rows {
        let value = encoded(&row.answer);
        let (key, sum) = (row.key.as_slice(), checksum(&row.key, &value));
        let insert =
            "INSERT INTO answers (key, value, sum, model, criterion) VALUES (?1, ?2, ?3, 'm', 'A')";
        db.execute(insert, params![key, value, sum.as_slice()]).unwrap();
    }
    db.pragma_update(None, "application_id", schema::APPLICATION).unwrap();
    db.pragma_update(None, "user_version", 1).unwrap();
    db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).unwrap();
}

fn version(path: &Path) -> i32 {
    let db = Connection::open(path).unwrap();
    db.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}

#[test]
fn a_store_of_version_1_keeps_its_answers() {
    let (_dir, path) = project();
    old_store(&path, &[row(1, "so"), row(2, "other")]);
    assert!(matches!(Store::open(&path, "them"), Err(StoreError::Foreign(_))));
    assert_eq!(version(&path), 1, "somebody else's store is not changed");
    let store = Store::open(&path, "me").unwrap();
    assert_eq!(version(&path), 2);
    assert_eq!(store.get(&[1; 32]), Some(row(1, "so").answer));
    put(&store, vec![row(3, "new")]);
    drop(store);
    let store = Store::open(&path, "me").unwrap();
    assert_eq!(store.get(&[2; 32]), Some(row(2, "other").answer));
    assert_eq!(store.get(&[3; 32]), Some(row(3, "new").answer));
}

#[test]
fn several_processes_bring_a_store_up_to_date_once() {
    let (_dir, path) = project();
    old_store(&path, &[row(1, "so")]);
    std::thread::scope(|scope| {
        for n in 10..14_u8 {
            let path = &path;
            scope.spawn(move || put(&Store::open(path, "me").unwrap(), vec![row(n, "x")]));
        }
    });
    let store = Store::open(&path, "me").unwrap();
    assert!([1, 10, 11, 12, 13].iter().all(|key| store.get(&[*key; 32]).is_some()));
}

#[test]
fn a_kill_in_the_middle_of_a_migration_leaves_the_old_store() {
    let (_dir, path) = project();
    let rows: Vec<Row> = (0..200).map(|key| row(key, &"reasoning ".repeat(50))).collect();
    old_store(&path, &rows);
    // What is on disk at that moment: every step taken and written out, no commit.
    let killed = tempfile::tempdir().unwrap();
    let image = killed.path().join(".rubricator/store.db");
    std::fs::create_dir(killed.path().join(".rubricator")).unwrap();
    let mut db = Connection::open(&path).unwrap();
    db.pragma_update(None, "cache_size", 1).unwrap();
    let change = db.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
    schema::steps(&change).unwrap();
    for end in ["", "-wal"] {
        std::fs::copy(folder::beside(&path, end), folder::beside(&image, end)).unwrap();
    }
    drop(change);
    let log = std::fs::metadata(folder::beside(&image, "-wal")).unwrap().len();
    assert!(log > 50_000, "the steps had reached the disk: {log}");
    assert_eq!(version(&image), 1);
    let store = Store::open(&image, "me").unwrap();
    assert!(rows.iter().all(|row| store.get(&row.key).as_ref() == Some(&row.answer)));
    assert_eq!(version(&image), 2);
}

#[test]
fn nothing_beside_a_store_leads_elsewhere() {
    let (dir, path) = project();
    drop(Store::open(&path, "me").unwrap());
    let journal = folder::beside(&path, "-journal");
    std::fs::write(&journal, "x").unwrap();
    assert!(matches!(Store::open(&path, "me"), Err(StoreError::Broken(..))));
    std::fs::remove_file(&journal).unwrap();
    assert!(Store::open(&path, "me").is_ok());
    let names: Vec<_> = std::fs::read_dir(dir.path().join(".rubricator")).unwrap().collect();
    assert!(names.iter().all(|name| {
        let name = name.as_ref().unwrap().file_name().into_string().unwrap();
        [".gitignore", "store.db", "store.db-wal", "store.db-shm"].contains(&name.as_str())
    }));
}

#[test]
fn views_and_triggers_make_a_store_somebody_elses_work() {
    for statement in [
        "CREATE VIEW v AS SELECT 1",
        "CREATE TRIGGER t AFTER INSERT ON answers BEGIN DELETE FROM answers; END",
        "DROP TABLE meta",
        "CREATE INDEX i ON answers (model)",
    ] {
        let (_dir, path) = project();
        drop(Store::open(&path, "me").unwrap());
        Connection::open(&path).unwrap().execute_batch(statement).unwrap();
        let opened = Store::open(&path, "me");
        assert!(matches!(opened, Err(StoreError::Broken(..))), "{statement}");
    }
}

#[cfg(unix)]
#[test]
fn a_link_beside_a_store_is_not_written_through() {
    for end in ["-wal", "-shm", "-journal"] {
        let (dir, path) = project();
        let victim = dir.path().join("victim");
        std::fs::write(&victim, "precious").unwrap();
        std::fs::create_dir(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(&victim, folder::beside(&path, end)).unwrap();
        assert!(matches!(Store::open(&path, "me"), Err(StoreError::Failed(..))), "{end}");
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious");
    }
}

fn exported(path: &Path, owner: &str) -> String {
    let mut bytes = Vec::new();
    export(path, owner, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn answers_travel_without_their_owner_and_never_replace_one() {
    let ((_a, theirs), (_b, ours)) = (project(), project());
    put(&Store::open(&theirs, "them").unwrap(), vec![row(1, "so"), row(2, "other"), row(3, "x")]);
    let file = exported(&theirs, "them");
    assert_eq!(file.lines().count(), 3);
    assert!(!file.contains("them"), "{file}");
    let store = Store::open(&ours, "me").unwrap();
    put(&store, vec![row(2, "mine"), row(3, "x")]);
    let merged = merge(&ours, "me", &mut file.as_bytes()).unwrap();
    assert_eq!(merged, Merged { added: 1, same: 1, other: 1, refused: Vec::new() });
    assert_eq!(store.get(&[1; 32]), Some(row(1, "so").answer));
    assert_eq!(store.get(&[2; 32]), Some(row(2, "mine").answer), "ours stays");
    let again = merge(&ours, "me", &mut file.as_bytes()).unwrap();
    assert_eq!((again.added, again.same, again.other), (0, 2, 1));
    assert!(merge(&ours, "them", &mut file.as_bytes()).is_err());
}

#[test]
fn lines_that_were_changed_or_cut_are_refused_by_number() {
    let ((_a, theirs), (_b, ours)) = (project(), project());
    put(&Store::open(&theirs, "them").unwrap(), vec![row(1, "so")]);
    let line = exported(&theirs, "them").trim().to_owned();
    let bad = [
        line.replace("\"NO\"", "\"YES\""),
        line.replace("\"NO\"", "\"MAYBE\""),
        line.replace("so", "changed"),
        line.replace("\"key\":\"01", "\"key\":\"02"),
        line.replace("\"key\":\"01", "\"key\":\"zz"),
        line.replace("\"criterion\":\"A\"", "\"criterion\":\"../A\""),
        line.replace("openai", "recorded"),
        line.replace("\"model\":\"m\"", "\"model\":\"m\\u001b[2J\""),
        line.replace("\"at\":", "\"owner\":\"me\",\"at\":"),
        line[..line.len() - 9].to_owned(),
        "\"text\"".to_owned(),
    ];
    assert!(bad.iter().all(|one| *one != line), "each was changed");
    let text = bad.join("\n");
    let merged = merge(&ours, "me", &mut text.as_bytes()).unwrap();
    let refused: Vec<usize> = merged.refused.iter().map(|(number, _)| *number).collect();
    assert_eq!((merged.added, refused), (0, (1..=bad.len()).collect()));
    let store = std::fs::read(&theirs).unwrap();
    assert!(merge(&ours, "me", &mut store.as_slice()).unwrap_err().contains("store export"));
    let long = format!("\"{}\"", "x".repeat(2 << 20));
    assert!(merge(&ours, "me", &mut long.as_bytes()).is_err());
}

#[test]
fn what_looks_like_a_key_does_not_travel() {
    let ((_a, theirs), (_b, ours)) = (project(), project());
    let mut one = row(1, "they wrote sk-ant-0123456789abcdef");
    one.answer.evidence[0].quote = "sk-ant-0123456789abcdef".into();
    put(&Store::open(&theirs, "them").unwrap(), vec![one]);
    let file = exported(&theirs, "them");
    assert!(!file.contains("0123456789"), "{file}");
    assert_eq!(merge(&ours, "me", &mut file.as_bytes()).unwrap().added, 1);
}

/// Every byte of the store's folder.
fn bytes(path: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(path.parent().unwrap()).unwrap();
    files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
}

fn holds(path: &Path, word: &str) -> bool {
    memchr::memmem::find(&bytes(path), word.as_bytes()).is_some()
}

#[test]
fn a_purged_transcript_leaves_no_byte() {
    let (_dir, path) = project();
    old_store(&path, &[row(90, "from-before")]);
    let store = Store::open(&path, "me").unwrap();
    put(&store, vec![row(11, "first-secret"), row(12, "second-secret"), row(21, "stays-here")]);
    put(&store, vec![row(31, "third-secret")]);
    assert!(holds(&path, "first-secret") && holds(&path, "third-secret"));
    drop(store);
    let about = [About::Text(TranscriptDigest([1; 32])), About::Id("t3".into())];
    let purged = purge(&path, "me", &about, false).unwrap();
    assert_eq!(purged, Purged { removed: 3, unknown: 1, in_use: false });
    for word in ["first-secret", "second-secret", "third-secret"] {
        assert!(!holds(&path, word), "{word}");
    }
    assert!(holds(&path, "stays-here") && holds(&path, "from-before"));
    let purged = purge(&path, "me", &[], true).unwrap();
    assert_eq!((purged.removed, purged.unknown), (1, 0));
    assert!(!holds(&path, "from-before"));
    let store = Store::open(&path, "me").unwrap();
    assert_eq!(store.get(&[21; 32]), Some(row(21, "stays-here").answer));
    assert_eq!(store.get(&[11; 32]), None);
}

#[test]
fn a_purge_beside_an_open_store_says_when_bytes_may_be_left() {
    let (_dir, path) = project();
    let store = Store::open(&path, "me").unwrap();
    put(&store, vec![row(11, "first-secret")]);
    let about = [About::Id("t1".into())];
    let purged = purge(&path, "me", &about, false).unwrap();
    assert_eq!(purged.removed, 1);
    assert_eq!(purged.in_use, holds(&path, "first-secret"));
    assert_eq!(store.get(&[11; 32]), None);
}
