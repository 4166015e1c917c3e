//! The demo on a terminal of its own, where it stays until it is told to end.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::pty::openpty;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::centre::{program, sensor_program};
use crate::children::children;

/// Those of the demo.
const SENSORS: usize = 2;
/// Their program, as the kernel calls it.
const SENSOR: &str = "noroshi-sensor";

/// A demo that plays, until it is dropped.
pub struct Demo {
    child: Child,
    address: String,
    users: BTreeMap<String, String>,
    /// Its sensors' processes, which go on when whoever looks is there: a demo is over within seconds.
    sensors: Vec<i32>,
    /// Reads on, so that the demo can go on writing.
    listener: Option<JoinHandle<()>>,
}

impl Demo {
    /// Starts it, and reads where its console is and who may sign in.
    pub fn start() -> Self {
        sensor_program(); // must be there
        let terminal = openpty(None, None).expect("the system has terminals");
        let mut command = Command::new(program());
        command.arg("demo").stdout(terminal.slave);
        let child = command.spawn().expect("the demo starts");
        drop(command); // its end of the terminal is the demo's alone
        let mut lines = BufReader::new(File::from(terminal.master))
            .lines()
            .map_while(Result::ok);
        let address = lines.find_map(|line| {
            let (_, rest) = line.split_once("The console is at ")?;
            Some(rest.split("/ ").next()?.to_owned())
        });
        let told = lines.by_ref().take_while(|line| !line.trim().is_empty());
        let users = told.filter_map(|line| {
            let (name, password) = line.trim().split_once(' ')?;
            Some((name.to_owned(), password.trim().to_owned()))
        });
        let users = users.collect();
        let sensors = held_sensors(&child);
        let listener = thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            address: address.expect("the demo says where its console is"),
            users,
            sensors,
            listener: Some(listener),
        }
    }

    /// What the browser has to know.
    pub fn facts(&self) -> Value {
        json!({ "address": self.address, "users": self.users, "held": self.sensors })
    }
}

/// Halts the demo's sensors as soon as there are any.
fn held_sensors(demo: &Child) -> Vec<i32> {
    for _ in 0..3_000 {
        let sensors = children(demo.id(), SENSOR);
        if sensors.len() == SENSORS {
            for pid in &sensors {
                kill(Pid::from_raw(*pid), Signal::SIGSTOP).expect("it runs");
            }
            return sensors;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("the demo has no sensors");
}

impl Drop for Demo {
    fn drop(&mut self) {
        for pid in children(self.child.id(), SENSOR) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL); // who is halted would stay for good
        }
        let _ = self.child.kill(); // a panic must not hide the first
        let _ = self.child.wait();
        let _ = self.listener.take().map(JoinHandle::join);
    }
}
