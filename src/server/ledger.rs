//! What is told of each record, kept until something about the record changes.
//!
//! Invariant: an entry is what would be made anew of its record, its judged side,
//! the last audit and the settings; whoever changes one of them forgets the entry.

use crate::transcript::records::Touched;

use super::told::Told;

/// An entry for every record, in order.
#[derive(Debug, Default)]
pub struct Ledger {
    entries: Vec<Entry>,
}

/// What is told of one record.
#[derive(Debug, Default)]
pub struct Entry {
    /// How many findings there are to tell; `None` until they are counted.
    pub count: Option<usize>,
    /// The findings, once they were told.
    pub told: Option<Box<Told>>,
}

impl Ledger {
    /// The entries.
    pub fn entries(&mut self) -> &mut [Entry] {
        &mut self.entries
    }

    /// There are so many records now; new ones come behind the others.
    pub fn resize(&mut self, records: usize) {
        self.entries.resize_with(records, Entry::default);
    }

    /// Something about a record has changed.
    pub fn forget(&mut self, index: usize) {
        if let Some(entry) = self.entries.get_mut(index) {
            *entry = Entry::default();
        }
    }

    /// Something about all records has changed.
    pub fn forget_all(&mut self) {
        self.entries.fill_with(Entry::default);
    }

    /// Follows an edit, after which there are so many records.
    pub fn follow(&mut self, touched: &Touched, records: usize) {
        for (old, new) in touched.cuts.iter().rev() {
            let came = std::iter::repeat_with(Entry::default).take(new.len());
            self.entries.splice(old.clone(), came);
        }
        self.resize(records);
    }
}
