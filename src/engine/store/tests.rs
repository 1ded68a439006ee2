//! The store: what is kept, what is refused, what is shared.

use super::*;

fn row(key: u8, reasoning: &str) -> Row {
    let evidence = vec![Evidence { exchange: 2, quote: "a \"b\" é".into() }];
    Row {
        key: [key; 32],
        answer: Answer { verdict: Verdict::No, reasoning: reasoning.into(), evidence },
        model: "m".into(),
        criterion: "A".into(),
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
