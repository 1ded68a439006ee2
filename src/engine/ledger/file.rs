//! The ledger's file: SQLite in WAL mode, one table, only ever added to.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};

use super::Known;
use crate::engine::spend::Amount;

/// `PRAGMA application_id`: what `file` and we recognise a ledger by.
const APPLICATION: i32 = 0x5275_624c;
const SCHEMA: i32 = 1;
const TABLES: &str = "
    CREATE TABLE calls (
        at INTEGER NOT NULL, project BLOB, place TEXT, judge TEXT NOT NULL,
        provider TEXT NOT NULL, model TEXT NOT NULL, purpose TEXT NOT NULL, reply TEXT NOT NULL,
        batch INTEGER NOT NULL, input INTEGER, cached_input INTEGER, written_input INTEGER,
        written_long_input INTEGER, output INTEGER, thinking INTEGER, usd REAL);
    CREATE INDEX calls_at ON calls (at);";
const TOTALS: &str = "SELECT project, judge, purpose, count(*), sum(usd IS NULL), \
    coalesce(sum(input), 0), coalesce(sum(output), 0), coalesce(sum(usd), 0.0) \
    FROM calls WHERE at >= ?1 GROUP BY project, judge, purpose";
const BUSY: Duration = Duration::from_secs(20);
const DAY: i64 = 86_400;

pub(super) fn said(path: &Path, error: &rusqlite::Error) -> String {
    format!("the ledger {} cannot be used ({error})", path.display())
}

/// Opens the ledger, making it when it is not there; of several processes one does.
pub(super) fn create(path: &Path) -> rusqlite::Result<Connection> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?;
    }
    let mut db = Connection::open(path)?;
    db.busy_timeout(BUSY)?;
    if version(&db)? == 0 {
        let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if version(&change)? == 0 {
            change.execute_batch(TABLES)?;
            change.pragma_update(None, "application_id", APPLICATION)?;
            change.pragma_update(None, "user_version", SCHEMA)?;
        }
        change.commit()?;
    }
    check(&db)?;
    db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    // A row outlives a killed process; a power cut may take the last ones.
    db.pragma_update(None, "synchronous", "NORMAL")?;
    Ok(db)
}

fn version(db: &Connection) -> rusqlite::Result<i32> {
    db.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// It is a ledger, and one this version can read.
pub(super) fn check(db: &Connection) -> rusqlite::Result<()> {
    db.busy_timeout(BUSY)?;
    let application: i32 = db.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let why = match (application, version(db)?) {
        (APPLICATION, SCHEMA) => return Ok(()),
        (APPLICATION, _) => "a later version wrote it: update rubricator",
        _ => "another program made it",
    };
    Err(rusqlite::Error::InvalidParameterName(why.to_owned()))
}

pub(super) fn load(db: &Connection, now: i64) -> rusqlite::Result<Known> {
    let midnight: i64 = db.query_row(
        "SELECT CAST(strftime('%s', ?1, 'unixepoch', 'localtime', 'start of day', 'utc') AS INTEGER)",
        [now],
        |row| row.get(0),
    )?;
    let mut known = Known { until: midnight + DAY, ..Known::default() };
    for (period, since) in [midnight, now - 30 * DAY, i64::MIN].into_iter().enumerate() {
        let mut query = db.prepare_cached(TOTALS)?;
        let mut rows = query.query([since])?;
        while let Some(row) = rows.next()? {
            let key = (row.get(0)?, row.get(1)?, row.get(2)?);
            let number = |column| row.get::<_, i64>(column).map(|n| u64::try_from(n).unwrap_or(0));
            known.lines.entry(key).or_default()[period] = Amount {
                calls: number(3)?,
                unpriced: number(4)?,
                input: number(5)?,
                output: number(6)?,
                usd: row.get(7)?,
            };
        }
    }
    Ok(known)
}
