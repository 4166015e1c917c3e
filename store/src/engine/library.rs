//! The engine's C library, loaded at run time and wrapped so that nothing else needs `unsafe`.
//!
//! # Promises
//! - Every handle the library gives is destroyed exactly once, by `Drop`.
//! - A [`Connection`] runs one statement at a time: streams borrow it mutably.
//! - The library is never unloaded: its threads may outlive the last connection.
//!
//! The signatures are those of `chdb.h`, version 26.7.
#![allow(
    unsafe_code,
    reason = "the engine is a C library; every call into it stands in this file"
)]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::marker::PhantomData;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::NonNull;

use super::statement::{Analysis, Effect, Failure};

/// `chdb_connection`: an opaque pointer.
type RawConnection = *mut c_void;
/// `chdb_result *`.
type RawResult = *mut c_void;
/// `chdb_insert_stream`.
type RawInsert = *mut c_void;

/// `chdb_query_analysis_v1`.
#[repr(C)]
struct RawAnalysis {
    struct_size: u32,
    statement_count: u32,
    flags: u32,
    query_class: u32,
}

/// Text beside its length, or ended by a NUL.
type Text = *const c_char;

type QueryWithParameters = unsafe extern "C" fn(
    RawConnection,
    Text,
    usize,
    Text,
    usize,
    *const Text,
    *const usize,
    *const Text,
    *const usize,
    usize,
) -> RawResult;

/// The functions used, in the order of `chdb.h`.
struct Functions {
    connect: unsafe extern "C" fn(c_int, *mut *mut c_char) -> *mut RawConnection,
    close: unsafe extern "C" fn(*mut RawConnection),
    query: QueryWithParameters,
    stream_query: QueryWithParameters,
    stream_fetch: unsafe extern "C" fn(RawConnection, RawResult) -> RawResult,
    stream_cancel: unsafe extern "C" fn(RawConnection, RawResult),
    destroy_result: unsafe extern "C" fn(RawResult),
    insert: unsafe extern "C" fn(RawConnection, Text, usize, Text, usize) -> RawInsert,
    insert_append: unsafe extern "C" fn(RawInsert, *const c_void, usize) -> c_int,
    insert_done: unsafe extern "C" fn(RawInsert) -> RawResult,
    insert_error: unsafe extern "C" fn(RawInsert) -> Text,
    destroy_insert: unsafe extern "C" fn(RawInsert),
    result_buffer: unsafe extern "C" fn(RawResult) -> *mut c_char,
    result_length: unsafe extern "C" fn(RawResult) -> usize,
    result_rows_written: unsafe extern "C" fn(RawResult) -> u64,
    result_error: unsafe extern "C" fn(RawResult) -> Text,
    classify:
        unsafe extern "C" fn(RawConnection, Text, usize, Text, usize, *mut RawAnalysis) -> c_int,
    shutdown: unsafe extern "C" fn() -> c_int,
}

/// The loaded library.
pub(super) struct Library {
    functions: Functions,
}

impl Library {
    /// Loads the library and takes its signal handlers away, so that the process decides what
    /// SIGINT and SIGTERM mean.
    ///
    /// It stays loaded until the process ends.
    ///
    /// # Errors
    /// When the file cannot be loaded, or lacks a function: then it is not the engine.
    pub(super) fn open(path: &Path) -> Result<&'static Self, Failure> {
        // SAFETY: loading runs the library's initialisers. The file is the engine that the
        // operator named or that was fetched and checked by its SHA-256.
        let loaded = unsafe { libloading::Library::new(path) }
            .map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
        let loaded: &'static libloading::Library = Box::leak(Box::new(loaded));
        let functions = functions(loaded).map_err(|error| {
            Failure::new(format!("{} is not the engine: {error}", path.display()))
        })?;
        // SAFETY: the signature is that of chdb.h; called before the first connection.
        unsafe {
            let set_signal_handlers: unsafe extern "C" fn(c_int) =
                symbol(loaded, c"chdb_set_signal_handlers_enabled")
                    .map_err(|error| Failure::new(error.to_string()))?;
            set_signal_handlers(0);
        }
        Ok(Box::leak(Box::new(Self { functions })))
    }

    /// Connects to the data in `directory`. The first connection starts the engine; all later
    /// ones of the process must name the same directory. The engine runs until the last
    /// connection closes.
    ///
    /// # Errors
    /// When the engine refuses the directory.
    pub(super) fn connect(&'static self, directory: &Path) -> Result<Connection, Failure> {
        let mut path = b"--path=".to_vec();
        path.extend_from_slice(directory.as_os_str().as_bytes());
        let path = CString::new(path)
            .map_err(|_| Failure::new("the engine's directory has a NUL in its name"))?;
        let mut arguments = [c"clickhouse".as_ptr().cast_mut(), path.as_ptr().cast_mut()];
        // SAFETY: argv holds two NUL-terminated strings that live through the call, which does
        // not write to them.
        let handle = unsafe { (self.functions.connect)(2, arguments.as_mut_ptr()) };
        let handle = NonNull::new(handle).ok_or_else(|| {
            Failure::new(format!(
                "the engine cannot open {}: is it writable, and made by this or an older version?",
                directory.display()
            ))
        })?;
        Ok(Connection {
            library: self,
            handle,
        })
    }

    /// Ends the engine's threads. Nothing can be opened afterwards. Close every connection first.
    pub(super) fn shut_down(&self) {
        // SAFETY: safe to call at any time; refuses by itself while connections are open.
        let state = unsafe { (self.functions.shutdown)() };
        if state != 0 {
            tracing::debug!("the engine left threads to the end of the process");
        }
    }
}

/// Looks one function up.
///
/// # Safety
/// `T` must be the function's type as chdb.h declares it.
unsafe fn symbol<T: Copy>(
    library: &'static libloading::Library,
    name: &CStr,
) -> Result<T, libloading::Error> {
    // SAFETY: the caller names the type.
    unsafe { library.get::<T>(name.to_bytes_with_nul()) }.map(|found| *found)
}

fn functions(library: &'static libloading::Library) -> Result<Functions, libloading::Error> {
    // SAFETY: the fields' types are the declarations of chdb.h 26.7.
    unsafe {
        Ok(Functions {
            connect: symbol(library, c"chdb_connect")?,
            close: symbol(library, c"chdb_close_conn")?,
            query: symbol(library, c"chdb_query_with_params_n")?,
            stream_query: symbol(library, c"chdb_stream_query_with_params_n")?,
            stream_fetch: symbol(library, c"chdb_stream_fetch_result")?,
            stream_cancel: symbol(library, c"chdb_stream_cancel_query")?,
            destroy_result: symbol(library, c"chdb_destroy_query_result")?,
            insert: symbol(library, c"chdb_stream_insert_n")?,
            insert_append: symbol(library, c"chdb_stream_append")?,
            insert_done: symbol(library, c"chdb_stream_done")?,
            insert_error: symbol(library, c"chdb_stream_insert_error")?,
            destroy_insert: symbol(library, c"chdb_destroy_insert_stream")?,
            result_buffer: symbol(library, c"chdb_result_buffer")?,
            result_length: symbol(library, c"chdb_result_length")?,
            result_rows_written: symbol(library, c"chdb_result_rows_written")?,
            result_error: symbol(library, c"chdb_result_error")?,
            classify: symbol(library, c"chdb_classify_query_n")?,
            shutdown: symbol(library, c"chdb_shutdown")?,
        })
    }
}

/// One session with the engine: its own settings and current database.
pub(super) struct Connection {
    library: &'static Library,
    /// `chdb_connection *`, as the engine gave it.
    handle: NonNull<RawConnection>,
}

// SAFETY: the engine locks inside; a connection may move between threads. It is not `Sync`.
unsafe impl Send for Connection {}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: the handle came from connect and is closed once; nothing that borrows the
        // connection is alive.
        unsafe { (self.library.functions.close)(self.handle.as_ptr()) }
    }
}

impl Connection {
    fn raw(&self) -> RawConnection {
        // SAFETY: the engine keeps the pointed-to connection until it is closed.
        unsafe { *self.handle.as_ptr() }
    }

    /// Runs `sql` to its end and keeps the whole answer, written in `format`.
    ///
    /// # Errors
    /// What the engine says.
    pub(super) fn query(
        &mut self,
        sql: &[u8],
        format: &str,
        parameters: &[(String, String)],
    ) -> Result<Output, Failure> {
        let result = self.call(self.library.functions.query, sql, format, parameters);
        self.library.output(result)
    }

    /// Starts a `SELECT` whose answer is fetched in pieces.
    ///
    /// # Errors
    /// What the engine says; also when the statement is not one that can be streamed.
    pub(super) fn stream(
        &mut self,
        sql: &[u8],
        format: &str,
        parameters: &[(String, String)],
    ) -> Result<Rows<'_>, Failure> {
        let result = self.call(self.library.functions.stream_query, sql, format, parameters);
        let handle = self.library.output(result)?;
        Ok(Rows {
            connection: self,
            handle,
            ended: false,
        })
    }

    fn call(
        &self,
        function: QueryWithParameters,
        sql: &[u8],
        format: &str,
        parameters: &[(String, String)],
    ) -> RawResult {
        let names: Vec<*const c_char> = parameters.iter().map(|(n, _)| n.as_ptr().cast()).collect();
        let name_lengths: Vec<usize> = parameters.iter().map(|(n, _)| n.len()).collect();
        let values: Vec<*const c_char> =
            parameters.iter().map(|(_, v)| v.as_ptr().cast()).collect();
        let value_lengths: Vec<usize> = parameters.iter().map(|(_, v)| v.len()).collect();
        // SAFETY: every pointer stands beside its length, and all outlive the call, which copies.
        unsafe {
            function(
                self.raw(),
                sql.as_ptr().cast(),
                sql.len(),
                format.as_ptr().cast(),
                format.len(),
                names.as_ptr(),
                name_lengths.as_ptr(),
                values.as_ptr(),
                value_lengths.as_ptr(),
                parameters.len(),
            )
        }
    }

    /// Starts an insert. `statement` is an `INSERT INTO …` without `FORMAT`.
    ///
    /// # Errors
    /// What the engine says, for example that the table does not exist.
    pub(super) fn insert(&mut self, statement: &str, format: &str) -> Result<Insert<'_>, Failure> {
        // SAFETY: pointers stand beside their lengths and outlive the call.
        let handle = unsafe {
            (self.library.functions.insert)(
                self.raw(),
                statement.as_ptr().cast(),
                statement.len(),
                format.as_ptr().cast(),
                format.len(),
            )
        };
        let insert = Insert {
            library: self.library,
            handle,
            _connection: PhantomData,
        };
        match insert.error() {
            Some(failure) => Err(failure),
            None => Ok(insert),
        }
    }

    /// Parses without running. A text that does not parse is [`Effect::Unknown`].
    pub(super) fn analyse(&mut self, sql: &[u8]) -> Analysis {
        let mut raw = RawAnalysis {
            struct_size: size_of::<RawAnalysis>() as u32, // 16
            statement_count: 0,
            flags: 0,
            query_class: 4,
        };
        // SAFETY: the text stands beside its length; no target database is named; the struct has
        // the size it declares.
        let state = unsafe {
            (self.library.functions.classify)(
                self.raw(),
                sql.as_ptr().cast(),
                sql.len(),
                std::ptr::null(),
                0,
                &raw mut raw,
            )
        };
        let effect = match (state, raw.query_class) {
            (0, 0) => Effect::Reads,
            (0, 1..=3) => Effect::Changes,
            _ => Effect::Unknown,
        };
        Analysis {
            statements: raw.statement_count,
            effect,
        }
    }
}

impl Library {
    /// An error, or what it holds.
    fn output(&'static self, result: RawResult) -> Result<Output, Failure> {
        let Some(result) = NonNull::new(result) else {
            return Err(Failure::new("the engine gave no result"));
        };
        let output = Output {
            library: self,
            result,
        };
        // SAFETY: the result is alive; the text is copied before it goes.
        match unsafe { text((self.functions.result_error)(result.as_ptr())) } {
            Some(message) => Err(Failure::new(message)),
            None => Ok(output),
        }
    }
}

/// # Safety
/// `message` is null or a NUL-terminated string that is alive.
unsafe fn text(message: *const c_char) -> Option<String> {
    if message.is_null() {
        return None;
    }
    // SAFETY: the caller says so.
    Some(
        unsafe { CStr::from_ptr(message) }
            .to_string_lossy()
            .into_owned(),
    )
}

/// Bytes that the engine wrote, in the engine's own memory.
pub(super) struct Output {
    library: &'static Library,
    result: NonNull<c_void>,
}

// SAFETY: a result is plain memory once it has been made; only `Drop` changes it.
unsafe impl Send for Output {}

impl Output {
    /// Rows an `INSERT … SELECT` wrote, those of its views among them.
    pub(super) fn rows_written(&self) -> u64 {
        // SAFETY: the result is alive.
        unsafe { (self.library.functions.result_rows_written)(self.result.as_ptr()) }
    }
}

impl AsRef<[u8]> for Output {
    fn as_ref(&self) -> &[u8] {
        let result = self.result.as_ptr();
        // SAFETY: the buffer has the length the engine names and lives as long as the result.
        unsafe {
            let length = (self.library.functions.result_length)(result);
            let buffer = (self.library.functions.result_buffer)(result);
            if buffer.is_null() || length == 0 {
                return &[];
            }
            std::slice::from_raw_parts(buffer.cast(), length)
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // SAFETY: destroyed once; nothing borrows from it any more.
        unsafe { (self.library.functions.destroy_result)(self.result.as_ptr()) }
    }
}

/// The answer of a `SELECT`, piece by piece. Each piece is a complete text in the format asked
/// for, its header included.
pub(super) struct Rows<'connection> {
    connection: &'connection mut Connection,
    handle: Output,
    ended: bool,
}

impl Rows<'_> {
    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// What the engine says, at any piece.
    pub(super) fn next(&mut self) -> Result<Option<Output>, Failure> {
        if self.ended {
            return Ok(None);
        }
        let functions = &self.connection.library.functions;
        // SAFETY: stream and connection are alive; `&mut self` keeps calls apart.
        let piece =
            unsafe { (functions.stream_fetch)(self.connection.raw(), self.handle.result.as_ptr()) };
        let piece = self.connection.library.output(piece);
        match piece {
            Ok(piece) if !piece.as_ref().is_empty() => Ok(Some(piece)),
            Ok(_) => {
                self.ended = true;
                Ok(None)
            }
            Err(failure) => {
                self.ended = true;
                Err(failure)
            }
        }
    }
}

impl Drop for Rows<'_> {
    fn drop(&mut self) {
        if !self.ended {
            let functions = &self.connection.library.functions;
            // SAFETY: stream and connection are alive; the handle is destroyed after this.
            unsafe { (functions.stream_cancel)(self.connection.raw(), self.handle.result.as_ptr()) }
        }
    }
}

/// An insert under way. Dropped before [`Insert::finish`], it commits nothing that the engine
/// has not yet cut into a block (`max_insert_block_size` rows, about a million).
pub(super) struct Insert<'connection> {
    library: &'static Library,
    handle: RawInsert,
    _connection: PhantomData<&'connection mut Connection>,
}

impl Insert<'_> {
    fn error(&self) -> Option<Failure> {
        // SAFETY: the stream is alive; the text is copied.
        unsafe { text((self.library.functions.insert_error)(self.handle)) }.map(Failure::new)
    }

    /// Hands bytes of the insert's format over; waits while the engine is behind.
    ///
    /// # Errors
    /// What the engine says about the bytes so far.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        // SAFETY: the stream is alive; the bytes are copied by the call.
        let state = unsafe {
            (self.library.functions.insert_append)(self.handle, bytes.as_ptr().cast(), bytes.len())
        };
        if state == 0 {
            return Ok(());
        }
        Err(match self.done() {
            Err(failure) => failure,
            Ok(_) => Failure::new("the engine broke the insert off"),
        })
    }

    /// Commits, and says how many rows were written, those of views among them.
    ///
    /// # Errors
    /// What the engine says; then nothing that was still open is committed.
    pub(super) fn finish(mut self) -> Result<u64, Failure> {
        self.done()
    }

    fn done(&mut self) -> Result<u64, Failure> {
        // SAFETY: the stream is alive; a second call is refused by the engine with an error.
        let result = unsafe { (self.library.functions.insert_done)(self.handle) };
        Ok(self.library.output(result)?.rows_written())
    }
}

impl Drop for Insert<'_> {
    fn drop(&mut self) {
        // SAFETY: destroyed once; an insert that was not finished is cancelled by this call.
        unsafe { (self.library.functions.destroy_insert)(self.handle) }
    }
}
