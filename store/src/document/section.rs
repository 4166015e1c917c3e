//! One table of a document, asked for its keys.

use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::{Log, Value};

/// A value and the line it stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written<T> {
    /// What was written.
    pub value: T,
    /// Where, from 1.
    pub line: usize,
}

/// A table of the file. Keys nobody asked for are faults: see [`Section::close`].
#[derive(Debug)]
pub struct Section<'d> {
    log: &'d Log,
    table: Option<&'d DeTable<'d>>,
    line: usize,
    asked: Vec<&'static str>,
}

impl<'d> Section<'d> {
    pub(super) fn new(log: &'d Log, table: &'d DeTable<'d>, line: usize) -> Self {
        Self {
            log,
            table: Some(table),
            line,
            asked: Vec::new(),
        }
    }

    /// The line of its heading.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Whether the file holds it.
    pub fn is_written(&self) -> bool {
        self.table.is_some()
    }

    /// Notes that something on `line` is wrong.
    pub fn fault(&self, line: usize, text: String) {
        self.log.note(line, text);
    }

    /// The value of a key that must be there. `None`: it is not, or is faulty, and that is noted.
    pub fn required<T: Value>(&mut self, key: &'static str) -> Option<Written<T>> {
        if self.find(key).is_none() {
            self.log.note(
                self.line,
                format!("`{key}` is missing: write {}", T::EXPECTED),
            );
        }
        self.optional(key)
    }

    /// The value of a key that may be there. `None`: it is not, or is faulty, and that is noted.
    pub fn optional<T: Value>(&mut self, key: &'static str) -> Option<Written<T>> {
        let (value, line) = self.find(key)?;
        self.read(key, value, line)
    }

    /// The values of a list that may be there; faulty ones are noted and left out.
    pub fn list<T: Value>(&mut self, key: &'static str) -> Vec<Written<T>> {
        let Some((value, line)) = self.find(key) else {
            return Vec::new();
        };
        let Some(items) = value.as_array() else {
            let expected = T::EXPECTED;
            self.log.note(
                line,
                format!("`{key}` is not a list: write [ … ] around {expected}"),
            );
            return Vec::new();
        };
        let places = items
            .iter()
            .map(|item| (item.get_ref(), self.log.line_of(item.span().start)));
        places
            .filter_map(|(item, line)| self.read(key, item, line))
            .collect()
    }

    /// A table that may be there; an empty one where it is not.
    pub fn section(&mut self, key: &'static str) -> Section<'d> {
        let mut section = Section {
            log: self.log,
            table: None,
            line: self.line,
            asked: Vec::new(),
        };
        let Some((value, line)) = self.find(key) else {
            return section;
        };
        section.line = line;
        section.table = value.as_table();
        if section.table.is_none() {
            self.log.note(
                line,
                format!("`{key}` is {}: write a table", value.type_str()),
            );
        }
        section
    }

    /// The tables of a list that may be there, in the order of the file.
    pub fn sections(&mut self, key: &'static str) -> Vec<Section<'d>> {
        let Some((value, line)) = self.find(key) else {
            return Vec::new();
        };
        let items = value
            .as_array()
            .map(|items| items.iter().collect::<Vec<_>>());
        let tables = items.and_then(|items| {
            let table = |item: &&'d toml::Spanned<DeValue<'d>>| {
                let line = self.log.line_of(item.span().start);
                Some(Section::new(self.log, item.get_ref().as_table()?, line))
            };
            items.iter().map(table).collect::<Option<Vec<_>>>()
        });
        tables.unwrap_or_else(|| {
            let text =
                format!("`{key}` is not a list of tables: give each its own heading in [[ ]]");
            self.log.note(line, text);
            Vec::new()
        })
    }

    /// A table that another part of the program reads itself (with `deny_unknown_fields`);
    /// its defaults where it is not there. `None`: it is faulty, and all of that is noted.
    pub fn settings<T: DeserializeOwned + Default>(&mut self, key: &'static str) -> Option<T> {
        self.asked.push(key);
        let Some(written) = self.table.and_then(|table| table.get(key)) else {
            return Some(T::default());
        };
        let mut rest = written.clone();
        let mut whole = true;
        loop {
            let error = match T::deserialize(ValueDeserializer::from(rest.clone())) {
                Ok(settings) => return whole.then_some(settings),
                Err(error) => error,
            };
            let at = error.span().map_or(written.span().start, |span| span.start);
            let what = error.message().trim().replace('\n', ", ");
            self.log
                .note(self.log.line_of(at), format!("in `{key}`: {what}"));
            whole = false;
            if !take_out(&mut rest, at) {
                return None; // nothing more can be said about the rest
            }
        }
    }

    /// Notes every key that nobody asked for: call it last.
    pub fn close(self) {
        for (key, _) in self.table.into_iter().flat_map(DeTable::iter) {
            let name: &str = key.get_ref();
            if self.asked.contains(&name) {
                continue;
            }
            let near = self.asked.iter().min_by_key(|asked| distance(name, asked));
            let hint = match near {
                Some(near) if distance(name, near) <= 2 => format!("did you mean `{near}`?"),
                _ => format!("the keys known here are {}", self.asked.join(", ")),
            };
            self.log.note(
                self.log.line_of(key.span().start),
                format!("unknown key `{name}`: {hint}"),
            );
        }
    }

    fn find(&mut self, key: &'static str) -> Option<(&'d DeValue<'d>, usize)> {
        self.asked.push(key);
        self.asked.dedup();
        let value = self.table?.get(key)?;
        Some((value.get_ref(), self.log.line_of(value.span().start)))
    }

    fn read<T: Value>(&self, key: &str, value: &DeValue<'_>, line: usize) -> Option<Written<T>> {
        let read = T::read(value);
        if read.is_none() {
            let shown = match value.as_str() {
                Some(text) => format!("{text:?}"),
                None => format!("of type {}", value.type_str()),
            };
            self.log
                .note(line, format!("`{key}` is {shown}: write {}", T::EXPECTED));
        }
        Some(Written { value: read?, line })
    }
}

/// Takes the innermost entry written at `offset` out, so that faults after it can be found.
fn take_out(value: &mut toml::Spanned<DeValue<'_>>, offset: usize) -> bool {
    match value.get_mut() {
        DeValue::Array(items) => items.iter_mut().any(|item| take_out(item, offset)),
        DeValue::Table(table) => {
            if table.iter_mut().any(|(_, inner)| take_out(inner, offset)) {
                return true;
            }
            let here = |(key, inner): &(&toml::Spanned<_>, &toml::Spanned<_>)| {
                key.span().start == offset || inner.span().start == offset
            };
            let found = table.iter().find(here).map(|(key, _)| key.clone());
            found.is_some_and(|key| table.remove(key.get_ref().as_ref()).is_some())
        }
        _ => false,
    }
}

/// Levenshtein's distance: insertions, deletions and replacements of bytes.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, b) in other.bytes().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}
