//! Rows on their way into a table, column by column: ClickHouse's Native format.
//!
//! Faster than a row at a time for the client and for the engine, and text that repeats (sensors,
//! countries, partners) travels once, as a dictionary.
//!
//! ```text
//! block:   columns varuint | rows varuint | column*
//! column:  name | type | values               text: length varuint, bytes
//! values:  fixed width, little endian; arrays: ends u64*, then items;
//!          low cardinality: version 1 u64 | flags u64 | keys u64, text* | rows u64, indexes
//! ```

use std::collections::HashMap;
use std::sync::Arc;

/// A block of rows, ready to be sent once every column is in.
pub(crate) struct Block {
    rows: usize,
    columns: u64,
    bytes: Vec<u8>,
}

impl Block {
    /// A block of `rows` rows, which every column then has to have.
    pub(crate) fn new(rows: usize) -> Self {
        Self {
            rows,
            columns: 0,
            bytes: Vec::new(),
        }
    }

    /// A column whose values stand in `values` as the engine lays them out; `kind` is the
    /// engine's name of their type.
    pub(crate) fn column(&mut self, name: &str, kind: &str, values: &[u8]) {
        self.columns += 1;
        text(&mut self.bytes, name);
        text(&mut self.bytes, kind);
        self.bytes.extend_from_slice(values);
    }

    /// A column of arrays: where each ends among all items, then the items.
    pub(crate) fn arrays(&mut self, name: &str, kind: &str, ends: &[u8], items: &[u8]) {
        self.column(name, kind, ends);
        self.bytes.extend_from_slice(items);
    }

    /// A column of text that repeats: each row's place (32 bits) in a dictionary.
    pub(crate) fn dictionary(&mut self, name: &str, words: &Dictionary, places: &[u8]) {
        // The keys stand in this block and nowhere else (bits 9 and 10); places of 32 bits (2).
        const FLAGS: u64 = 2 | 1 << 9 | 1 << 10;
        self.column(name, "LowCardinality(String)", &1u64.to_le_bytes());
        self.bytes.extend_from_slice(&FLAGS.to_le_bytes());
        self.bytes
            .extend_from_slice(&(words.words.len() as u64).to_le_bytes());
        for word in &words.words {
            text(&mut self.bytes, word);
        }
        self.bytes
            .extend_from_slice(&(self.rows as u64).to_le_bytes());
        self.bytes.extend_from_slice(places);
    }

    /// The bytes to send, in two pieces.
    pub(crate) fn finish(self) -> [Vec<u8>; 2] {
        let mut opening = Vec::new();
        varuint(&mut opening, self.columns);
        varuint(&mut opening, self.rows as u64);
        [opening, self.bytes]
    }
}

/// The different words of some columns; place 0 is the empty word.
pub(crate) struct Dictionary {
    words: Vec<Arc<str>>,
    places: HashMap<Arc<str>, u32>,
}

impl Dictionary {
    pub(crate) fn new() -> Self {
        let empty: Arc<str> = "".into();
        Self {
            words: vec![Arc::clone(&empty)],
            places: HashMap::from([(empty, 0)]),
        }
    }

    /// Where `word` stands, adding it where it is new.
    pub(crate) fn place(&mut self, word: &str) -> u32 {
        if let Some(place) = self.places.get(word) {
            return *place;
        }
        let place = self.words.len() as u32;
        let word: Arc<str> = word.into();
        self.words.push(Arc::clone(&word));
        self.places.insert(word, place);
        place
    }
}

fn text(bytes: &mut Vec<u8>, text: &str) {
    varuint(bytes, text.len() as u64);
    bytes.extend_from_slice(text.as_bytes());
}

fn varuint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}
