//! The events that commands tell, against those that redis-server publishes.
//!
//! `events_7_0_15.txt` was recorded from it (`tests/events.rs` asks a real one again); `events_newer.txt` tells what
//! commands that it does not know do, and was written by hand after the documentation of the servers that know them.

use crate::commands::testing::Fixture;
use crate::config::NotifyEvents;
use crate::keyspace::event::EventClass;

const RECORDED: &str = include_str!("events_7_0_15.txt");
const NEWER: &str = include_str!("events_newer.txt");

/// A command and its events.
struct Step<'a> {
    line_number: usize,
    command: &'a str,
    events: Vec<String>,
}

fn steps(table: &str) -> Vec<Step<'_>> {
    let mut steps: Vec<Step<'_>> = Vec::new();
    for (index, line) in table.lines().enumerate() {
        match line.strip_prefix("    ") {
            Some(event) if event.starts_with("- ") => {}
            Some(event) => {
                let event = event.strip_prefix("+ ").unwrap_or(event).to_owned();
                steps.last_mut().expect("a command first").events.push(event);
            }
            None if line.is_empty() || line.starts_with([';', '#']) => {}
            None => steps.push(Step { line_number: index + 1, command: line, events: Vec::new() }),
        }
    }
    steps
}

fn letter(class: EventClass) -> char {
    match class {
        EventClass::String => '$',
        EventClass::List => 'l',
        EventClass::Set => 's',
        EventClass::Zset => 'z',
        EventClass::Hash => 'h',
        EventClass::Stream => 't',
        EventClass::Generic => 'g',
        EventClass::Expired => 'x',
        EventClass::Evicted => 'e',
        EventClass::New => 'n',
        EventClass::Miss => 'm',
        EventClass::Overwritten => 'o',
        EventClass::TypeChanged => 'c',
        EventClass::Silent => '-',
    }
}

/// Runs a table on one server that tells the events of some classes besides those of all; returns what differs.
fn differences(table: &str, classes: &[u8]) -> Vec<String> {
    let mut fixture = Fixture::new();
    fixture.server.ledger.notifies = NotifyEvents::of(classes);
    let mut found = Vec::new();
    for step in steps(table) {
        if let Some(ms) = step.command.strip_prefix("!wait ") {
            fixture.advance_ms(ms.parse().expect("milliseconds"));
            continue;
        }
        let told: Vec<String> = fixture
            .changes(step.command)
            .into_iter()
            .filter(|change| change.0.class() != EventClass::Silent)
            .map(|(event, key)| format!("{} {} {key}", letter(event.class()), event.name()))
            .collect();
        if told != step.events {
            let (number, command) = (step.line_number, step.command);
            found.push(format!("line {number}: {command}: {told:?} instead of {:?}", step.events));
        }
    }
    found
}

#[test]
fn commands_tell_what_redis_publishes() {
    let found = differences(RECORDED, b"nm");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn newer_commands_tell_what_is_documented() {
    let found = differences(NEWER, b"oc");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Every command of the groups that write data is in one of the tables. Libraries of functions are no keys.
#[test]
fn no_writing_command_is_left_out() {
    use crate::spec::{Flags, Group};
    let fixture = Fixture::new();
    let named: Vec<String> = steps(RECORDED)
        .iter()
        .chain(&steps(NEWER))
        .flat_map(|step| {
            let mut words = step.command.split(' ');
            let name = words.next().unwrap_or_default().to_ascii_lowercase();
            let sub = format!("{name}|{}", words.next().unwrap_or_default().to_ascii_lowercase());
            [name, sub]
        })
        .collect();
    let missing: Vec<&str> = fixture
        .server
        .commands
        .iter()
        .map(|command| &command.entry.spec)
        .filter(|spec| spec.flags.has(Flags::WRITE))
        .filter(|spec| !matches!(spec.group, Group::Server | Group::Scripting))
        .map(|spec| spec.name)
        .filter(|name| !named.iter().any(|named| named == name))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
