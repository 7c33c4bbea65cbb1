//! The table of keyspace events that `commands` is tested with, against the oracle that it was recorded from.

pub mod support;

use std::time::Duration;

use support::{Server, Value};

const TABLE: &str = include_str!("../src/commands/events_7_0_15.txt");
/// Classes of events in the order of `notify-keyspace-events`.
const CLASSES: &str = "g$lshzxetnm";

struct Step<'a> {
    command: &'a str,
    /// `class name key@db`
    events: Vec<&'a str>,
}

fn steps() -> Vec<Step<'static>> {
    let mut steps: Vec<Step<'_>> = Vec::new();
    for line in TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with([';', '#'])) {
        match line.strip_prefix("    ") {
            // What only Tintype tells.
            Some(event) if event.starts_with("+ ") => {}
            Some(event) => {
                let event = event.strip_prefix("- ").unwrap_or(event);
                steps.last_mut().expect("a command first").events.push(event);
            }
            None => steps.push(Step { command: line, events: Vec::new() }),
        }
    }
    steps
}

/// Runs all commands on a server that publishes the events of `classes`: for each command `name key@db`.
fn published(classes: &str) -> Vec<Vec<String>> {
    let server = Server::oracle(&["--save", "", "--enable-debug-command", "yes"]);
    let (mut connection, mut subscriber) = (server.connect(), server.connect());
    connection.ok("DEBUG SET-ACTIVE-EXPIRE 0");
    connection.ok(&format!("CONFIG SET notify-keyspace-events K{classes}"));
    assert_eq!(subscriber.run("PSUBSCRIBE __keyspace@* end").elements().len(), 3);
    subscriber.value();
    let mut told = Vec::new();
    for step in steps() {
        let mut events = Vec::new();
        if let Some(ms) = step.command.strip_prefix("!wait ") {
            std::thread::sleep(Duration::from_millis(ms.parse().expect("milliseconds")));
        } else {
            let reply = connection.run(step.command);
            assert!(!reply.is_error(), "{}: {reply:?}", step.command);
            connection.run("PUBLISH end x");
            while let Some(event) = event(&subscriber.value()) {
                events.push(event);
            }
        }
        told.push(events);
    }
    told
}

/// `name key@db`; `None` at the end of a command.
fn event(message: &Value) -> Option<String> {
    let parts: Vec<String> = message.elements().iter().map(Value::text).collect();
    let (db, key) = parts[2].strip_prefix("__keyspace@")?.split_once("__:")?;
    Some(format!("{} {key}@{db}", parts[3]))
}

#[test]
fn the_oracle_publishes_what_the_table_says() {
    let without_class = |event: &&str| event[2..].to_owned();
    let all: Vec<Vec<String>> =
        steps().iter().map(|step| step.events.iter().map(without_class).collect()).collect();
    for ((told, expected), step) in published("Anm").iter().zip(&all).zip(steps()) {
        assert_eq!(told, expected, "{}", step.command);
    }
}

#[test]
fn classes_are_those_of_the_oracle() {
    for class in CLASSES.chars() {
        let told = published(&class.to_string());
        for (told, step) in told.iter().zip(steps()) {
            let of_class = step.events.iter().filter(|event| event.starts_with(class));
            let expected: Vec<String> = of_class.map(|event| event[2..].to_owned()).collect();
            assert_eq!(*told, expected, "{class}: {}", step.command);
        }
    }
}
