//! People at the console: a wall that refreshes itself, those who click, a partner, and one who comes and goes.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::book::{Asked, Book};
use crate::browser::{Browser, Page};

/// Of a page that refreshes itself, one look of so many is a click: a session without one ends.
const LOOKS_A_CLICK: usize = 60;

/// One user, and what that user does again and again.
pub struct Person {
    pub name: &'static str,
    /// A role, or a partner's id.
    pub role: &'static str,
    habit: Habit,
    /// From one step to the next.
    every: Duration,
    steps: &'static [Step],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Habit {
    /// Leaves a page open that refreshes itself.
    Watches,
    Clicks,
    /// Says first what single sources are looked at for.
    LooksInto,
    /// Signs in, makes the steps, and signs out.
    ComesAndGoes,
}

#[derive(Clone, Copy)]
enum Step {
    Open(&'static str),
    /// The first link below this on the page before, if there is one.
    Follow(&'static str),
}

use Habit::{Clicks, ComesAndGoes, LooksInto, Watches};
use Step::{Follow, Open};

const fn person(
    name: &'static str,
    role: &'static str,
    habit: Habit,
    seconds: u64,
    steps: &'static [Step],
) -> Person {
    Person {
        name,
        role,
        habit,
        every: Duration::from_secs(seconds),
        steps,
    }
}

pub const PEOPLE: [Person; 9] = [
    person("wall", "viewer", Watches, 10, &[Open("/now")]),
    person("night", "analyst", Watches, 10, &[Open("/now")]),
    person("day", "operator", Watches, 10, &[Open("/now")]),
    person(
        "analyst",
        "analyst",
        Clicks,
        5,
        &[
            Open("/alerts"),
            Follow("/alerts/"),
            Open("/alerts?order=severity&partner=th-cert"),
            Open("/explore"),
            Open("/explore?service=tcp/23"),
            Open("/explore?country=CN"),
            Open("/explore/sensors"),
            Open("/explore/networks?service=tcp/23"),
        ],
    ),
    person(
        "sleuth",
        "analyst",
        LooksInto,
        15,
        &[
            Open("/explore/sources?service=tcp/445"),
            Follow("/explore/sources/"),
            Follow("/explore/sources/"),
        ],
    ),
    person(
        "operator",
        "operator",
        Clicks,
        15,
        &[Open("/sensors"), Open("/shift"), Open("/alerts")],
    ),
    person(
        "somchai",
        "th-cert",
        Clicks,
        10,
        &[
            Open("/mine"),
            Open("/alerts"),
            Follow("/alerts/"),
            Open("/mine/week"),
        ],
    ),
    person(
        "dewi",
        "id-cert",
        Clicks,
        10,
        &[Open("/mine"), Open("/alerts")],
    ),
    person("guest", "viewer", ComesAndGoes, 30, &[Open("/now")]),
];

/// Everybody does so until told to stop.
pub async fn work(console: SocketAddr, book: &Arc<Book>, stop: &watch::Receiver<bool>) {
    let mut working = JoinSet::new();
    for (number, person) in PEOPLE.iter().enumerate() {
        let (book, mut stop) = (Arc::clone(book), stop.clone());
        working.spawn(async move {
            tokio::time::sleep(Duration::from_millis(700 * number as u64)).await;
            let mut sitting = Sitting::new(person, console, &book);
            tokio::select! {
                ended = sitting.on() => book.trouble(format!("{}: {ended:?}", person.name)),
                _ = stop.wait_for(|told| *told) => {}
            }
        });
    }
    while let Some(ended) = working.join_next().await {
        ended.expect("nobody breaks off");
    }
}

struct Sitting<'a> {
    person: &'a Person,
    browser: Browser,
    book: &'a Book,
}

impl<'a> Sitting<'a> {
    fn new(person: &'a Person, console: SocketAddr, book: &'a Book) -> Self {
        Self {
            person,
            browser: Browser::new(console),
            book,
        }
    }

    /// Ends only where a connection does.
    async fn on(&mut self) -> io::Result<()> {
        let mut rounds = 0_usize;
        let mut next = Instant::now();
        loop {
            if rounds == 0 || self.person.habit == ComesAndGoes {
                let page = self.browser.sign_in(self.person.name).await?;
                self.note("sign-in", &page, 303);
                if self.person.habit == LooksInto {
                    let page = self.browser.state_purpose().await?;
                    self.note("purpose", &page, 303);
                }
            }
            let mut before: Option<Page> = None;
            for step in self.person.steps {
                before = self.take(*step, before, rounds).await?;
                next += self.person.every;
                tokio::time::sleep_until(next.into()).await;
            }
            if self.person.habit == ComesAndGoes {
                let page = self.browser.sign_out().await?;
                self.note("sign-out", &page, 303);
            }
            rounds += 1;
        }
    }

    async fn take(
        &mut self,
        step: Step,
        before: Option<Page>,
        rounds: usize,
    ) -> io::Result<Option<Page>> {
        let (path, what) = match step {
            Open(path) => (path.to_owned(), path.to_owned()),
            Follow(prefix) => {
                let Some(path) = before.and_then(|page| page.link(prefix)) else {
                    return Ok(None); // nothing to follow yet
                };
                let below = path[prefix.len()..].split('?').next().unwrap_or_default();
                let under = below.split_once('/').map_or("", |(_, under)| under);
                (path.clone(), format!("{prefix}… {under}"))
            }
        };
        let is_glance = self.person.habit == Watches && !rounds.is_multiple_of(LOOKS_A_CLICK);
        let page = if is_glance {
            self.browser.glance(&path).await?
        } else {
            self.browser.get(&path).await?
        };
        self.note(what.trim(), &page, 200);
        Ok(Some(page))
    }

    fn note(&self, what: &str, page: &Page, expected: u16) {
        if page.status != expected {
            let name = self.person.name;
            self.book
                .trouble(format!("{name}: {what} answers {}", page.status));
        }
        self.book.answered(Asked::Console, what, page.took);
    }
}
