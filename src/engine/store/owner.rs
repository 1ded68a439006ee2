//! Whose store it is (SPEC 10): a random id kept in the user's own data folder.
//!
//! Invariant: once written, the id never changes, and every process of the user
//! reads the same one, whoever came first.

use std::io;
use std::path::Path;

const FILE: &str = "owner-id";
const LENGTH: usize = 32;

/// The owner's id; written on first use.
///
/// # Errors
/// When the folder cannot be written or read, or the file holds something else.
pub fn id(data_dir: &Path) -> io::Result<String> {
    once(data_dir, FILE)
}

/// A random value kept in a file of the user's data folder; written on first use.
///
/// # Errors
/// As [`id`].
pub fn once(data_dir: &Path, file: &str) -> io::Result<String> {
    let path = data_dir.join(file);
    match read(&path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => create(data_dir, &path),
        read => read,
    }
}

fn read(path: &Path) -> io::Result<String> {
    let id = std::fs::read_to_string(path)?.trim().to_owned();
    let fits = id.len() == LENGTH && id.bytes().all(|b| b.is_ascii_hexdigit());
    let broken = || {
        let what = format!("{} does not hold what belongs there: delete it", path.display());
        io::Error::new(io::ErrorKind::InvalidData, what)
    };
    fits.then_some(id).ok_or_else(broken)
}

/// Writes beside and links: the id appears whole, and the first one stays.
fn create(data_dir: &Path, path: &Path) -> io::Result<String> {
    std::fs::create_dir_all(data_dir)?;
    let id = random()?;
    let beside = path.with_extension(&id);
    std::fs::write(&beside, &id)?;
    let linked = std::fs::hard_link(&beside, path);
    std::fs::remove_file(&beside)?;
    match linked {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => Err(e),
        _ => read(path),
    }
}

/// 128 random bits out of SQLite's generator, which the system seeds.
///
/// # Errors
/// When SQLite fails.
pub fn random() -> io::Result<String> {
    let made = rusqlite::Connection::open_in_memory()
        .and_then(|db| db.query_row("SELECT lower(hex(randomblob(16)))", [], |row| row.get(0)));
    made.map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_id_stays() {
        let dir = tempfile::tempdir().unwrap();
        let ids: Vec<String> = std::thread::scope(|scope| {
            let data = dir.path().join("new");
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn({
                        let data = data.clone();
                        move || id(&data).unwrap()
                    })
                })
                .collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        assert!(ids.iter().all(|id| *id == ids[0] && id.len() == LENGTH));
        assert_eq!(id(&dir.path().join("new")).unwrap(), ids[0]);
        assert_eq!(std::fs::read_dir(dir.path().join("new")).unwrap().count(), 1);
    }
}
