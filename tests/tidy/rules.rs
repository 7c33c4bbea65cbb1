//! The rules of the house, each a function from a file to its findings.

use crate::source::Source;

/// Which room stands on which floor. Imports only go down, and never to another room on the same floor.
pub const FLOORS: &[(u32, &[&str])] = &[
    (9, &["main", "cli", "boot"]),
    (8, &["net"]),
    (7, &["exec"]),
    (6, &["commands"]),
    (5, &["server"]),
    (4, &["client", "pubsub", "acl", "script", "persist", "repl", "metrics"]),
    (3, &["keyspace", "rdb"]),
    (2, &["object"]),
    (1, &["encoding", "resp", "spec", "config"]),
    (0, &["base"]),
];

/// From this floor on there is a runtime to await, a clock to read and chance to draw from.
const RUNTIME_FLOOR: u32 = 8;
const CLOCK_FILE: &str = "src/base/clock.rs";

const FILE_LINES_MAX: usize = 1000;
const FUNCTION_LINES_MAX: usize = 70;
const LINE_COLUMNS_MAX: usize = 110;
/// Prose reads well a little wider than code.
const COMMENT_COLUMNS_MAX: usize = 120;
/// How far above an unsafe block its reason may begin.
const SAFETY_LINES_MAX: usize = 8;

/// Where unsafe code may be; a folder or a file without its extension.
const UNSAFE_PLACES: &[&str] = &[
    "src/encoding/",
    "src/keyspace/entry",
    "src/base/alloc",
    "src/base/heap",
    "src/base/os",
    "src/base/pages",
    "src/persist/child",
    "src/script/lua/",
];

const CLOCKS_AND_CHANCE: &[&str] = &[
    "SystemTime::now",
    "Instant::now",
    "clock_gettime",
    "gettimeofday",
    "Rng::new()",
    "fastrand::seed",
    "fastrand::get_seed",
    "fastrand::bool(",
    "fastrand::u8(",
    "fastrand::u16(",
    "fastrand::u32(",
    "fastrand::u64(",
    "fastrand::usize(",
    "getrandom",
    "RandomState",
    "thread_rng",
];

const FORBIDDEN_CODE: &[&str] = &["todo!", "unimplemented!", "dbg!", "#[allow", "#![allow", "#[ignore"];
/// Split, so that this file may name them.
const FORBIDDEN_WORDS: &[&str] = &[concat!("FIX", "ME"), concat!("X", "XX"), concat!("TO", "DO")];
const VAGUE_NAMES: &[&str] = &["Manager", "Helper", "Util"];

pub type Rule = fn(&Source) -> Vec<String>;

/// Every rule, by the name its findings carry.
pub const RULES: &[(&str, Rule)] = &[
    ("the file begins with //!", head),
    ("lines end without blanks, have no tabs, and at most 110 columns, comments 120", line_shape),
    ("a file has at most 1000 lines", file_length),
    ("a function has at most 70 lines", function_length),
    ("no placeholders, no allow, no ignored tests", placeholders),
    ("no names that say nothing", vague_names),
    ("imports only go down", floors),
    ("nothing below net awaits", awaits),
    ("nothing below net reads a clock or is random", clocks_and_chance),
    ("unsafe only where it may be, with its reason", unsafe_code),
];

/// The findings of all rules, as `file:line: rule: what`.
pub fn check(source: &Source) -> Vec<String> {
    let findings = |(name, rule): &(&str, Rule)| {
        let found = rule(source).into_iter();
        found.map(|finding| format!("{}:{finding} ({name})", source.path)).collect::<Vec<_>>()
    };
    RULES.iter().flat_map(findings).collect()
}

fn at(line_index: usize, what: &str) -> String {
    format!("{}: {what}", line_index + 1)
}

fn head(source: &Source) -> Vec<String> {
    let first = source.lines.first().map_or("", String::as_str);
    if first.starts_with("//!") { Vec::new() } else { vec![at(0, "no //! head")] }
}

fn line_shape(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    for (index, line) in source.lines.iter().enumerate() {
        if line.contains('\t') {
            found.push(at(index, "a tab"));
        }
        if line.ends_with([' ', '\r']) {
            found.push(at(index, "blanks at the end"));
        }
        let is_comment = line.trim_start().starts_with("//");
        let columns = if is_comment { line.chars().count() } else { code_columns(line, &source.code[index]) };
        if columns > if is_comment { COMMENT_COLUMNS_MAX } else { LINE_COLUMNS_MAX } {
            found.push(at(index, &format!("{columns} columns")));
        }
    }
    found
}

/// The columns of a line without the contents of its strings: a long text is not to be cut in two.
fn code_columns(line: &str, code: &str) -> usize {
    if code.trim().is_empty() {
        return 0;
    }
    let (mut columns, mut in_string) = (0, false);
    for (character, bare) in line.chars().zip(code.chars().chain(std::iter::repeat(' '))) {
        if bare == '"' {
            in_string = !in_string;
        }
        columns += usize::from(!in_string || bare == character);
    }
    columns
}

fn file_length(source: &Source) -> Vec<String> {
    let lines = source.lines.len();
    if lines > FILE_LINES_MAX { vec![at(FILE_LINES_MAX, &format!("{lines} lines"))] } else { Vec::new() }
}

fn function_length(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    for (index, line) in source.code.iter().enumerate() {
        let Some(column) = word_position(line, "fn") else { continue };
        let Some(length) = body_lines(&source.code[index..], column) else { continue };
        if length > FUNCTION_LINES_MAX {
            found.push(at(index, &format!("a function of {length} lines")));
        }
    }
    found
}

/// The lines between the braces of the function that starts in the first line; `None` when it has no body.
fn body_lines(code: &[String], column: usize) -> Option<usize> {
    let (mut depth, mut brackets, mut opened) = (0, 0, 0);
    for (index, line) in code.iter().enumerate() {
        let from = if index == 0 { column } else { 0 };
        for character in line[from..].chars() {
            match character {
                '(' | '[' => brackets += 1,
                ')' | ']' => brackets -= 1,
                ';' if depth == 0 && brackets == 0 => return None,
                '{' => {
                    if depth == 0 {
                        opened = index;
                    }
                    depth += 1;
                }
                '}' if depth == 1 => return Some((index - opened).saturating_sub(1)),
                '}' if depth == 0 => return None,
                '}' => depth -= 1,
                _ => {}
            }
        }
    }
    None
}

fn placeholders(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    for (index, code) in source.code.iter().enumerate() {
        let named = FORBIDDEN_CODE.iter().filter(|word| code.contains(**word));
        found.extend(named.map(|word| at(index, word)));
    }
    for (index, line) in source.lines.iter().enumerate() {
        let named = FORBIDDEN_WORDS.iter().filter(|word| word_position(line, word).is_some());
        found.extend(named.map(|word| at(index, word)));
    }
    found
}

fn vague_names(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    for (index, line) in source.code.iter().enumerate() {
        for keyword in ["struct", "enum", "trait", "type", "union"] {
            let Some(column) = word_position(line, keyword) else { continue };
            let name: String =
                line[column + keyword.len()..].trim_start().chars().take_while(|c| is_word(*c)).collect();
            if VAGUE_NAMES.iter().any(|vague| name.contains(vague)) {
                found.push(at(index, &name));
            }
        }
    }
    let path = source.path.to_lowercase();
    if VAGUE_NAMES.iter().any(|vague| path.contains(&vague.to_lowercase())) {
        found.push(at(0, "the file's name"));
    }
    found
}

pub fn floor_of(room: &str) -> Option<u32> {
    FLOORS.iter().find(|(_, rooms)| rooms.contains(&room)).map(|(floor, _)| *floor)
}

/// lib.rs is the map and stands on no floor.
fn own_floor(source: &Source) -> Option<u32> {
    source.room().and_then(floor_of)
}

fn floors(source: &Source) -> Vec<String> {
    let Some(room) = source.room() else { return Vec::new() };
    if room == "lib" || room == "main" {
        return Vec::new();
    }
    let Some(floor) = floor_of(room) else { return vec![at(0, &format!("{room} stands on no floor"))] };
    let mut found = Vec::new();
    for (index, imported) in imported_rooms(source) {
        match floor_of(&imported) {
            _ if imported == room => {}
            Some(other) if other < floor => {}
            Some(other) => {
                found.push(at(index, &format!("{room} (floor {floor}) imports {imported} (floor {other})")));
            }
            // A macro or a function at the crate's root: lib.rs has none, so this is a room without a floor.
            None => found.push(at(index, &format!("{imported} stands on no floor"))),
        }
    }
    found
}

/// The rooms named behind `crate::` and behind enough `super::`, with the lines that name them.
fn imported_rooms(source: &Source) -> Vec<(usize, String)> {
    let module = source.module();
    let text = source.product.join("\n");
    let mut found = Vec::new();
    for (start, _) in text.match_indices("crate::") {
        let before = text[..start].chars().next_back();
        if !before.is_some_and(is_word) {
            let names = names_at(&text[start + "crate::".len()..]);
            found.extend(names.into_iter().map(|name| (line_of(&text, start), name)));
        }
    }
    for (start, _) in text.match_indices("super::") {
        if text[..start].ends_with("super::") {
            continue;
        }
        let mut rest = &text[start..];
        let mut levels = 0;
        while let Some(shorter) = rest.strip_prefix("super::") {
            rest = shorter;
            levels += 1;
        }
        if levels >= module.len() {
            found.extend(names_at(rest).into_iter().map(|name| (line_of(&text, start), name)));
        }
    }
    found
}

fn line_of(text: &str, position: usize) -> usize {
    text[..position].matches('\n').count()
}

/// The first name of a path, or of each path in a `{..}` group.
fn names_at(text: &str) -> Vec<String> {
    let name = |text: &str| text.trim_start().chars().take_while(|c| is_word(*c)).collect::<String>();
    let Some(group) = text.strip_prefix('{') else { return vec![name(text)] };
    let mut names = vec![name(group)];
    let mut depth = 0;
    for (position, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(name(&group[position + 1..])),
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn awaits(source: &Source) -> Vec<String> {
    below_runtime(source, &[".await", "async fn", "async move", "async {"])
}

fn clocks_and_chance(source: &Source) -> Vec<String> {
    if source.path == CLOCK_FILE { Vec::new() } else { below_runtime(source, CLOCKS_AND_CHANCE) }
}

fn below_runtime(source: &Source, patterns: &[&str]) -> Vec<String> {
    if own_floor(source).is_none_or(|floor| floor >= RUNTIME_FLOOR) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (index, line) in source.product.iter().enumerate() {
        found.extend(patterns.iter().filter(|word| line.contains(**word)).map(|word| at(index, word)));
    }
    found
}

fn unsafe_code(source: &Source) -> Vec<String> {
    let is_product = source.path.starts_with("src/");
    let may = !is_product || UNSAFE_PLACES.iter().any(|place| source.path.starts_with(place));
    let mut found = Vec::new();
    for (index, line) in source.code.iter().enumerate() {
        let Some(column) = word_position(line, "unsafe") else { continue };
        if is_attribute(line) {
            continue;
        }
        if !may {
            found.push(at(index, "unsafe does not belong here"));
        }
        let above = &source.lines[index.saturating_sub(SAFETY_LINES_MAX)..=index];
        let has_reason = above.iter().any(|line| line.contains("SAFETY:") || line.contains("# Safety"));
        // A pointer to an unsafe function is a type, not an act.
        let is_type = line[..column].trim_end().ends_with([':', '<', '(', ',', '=']) && line.contains("fn(");
        if !has_reason && !is_type {
            found.push(at(index, "unsafe without its SAFETY: reason"));
        }
    }
    found
}

/// `#[unsafe(no_mangle)]` and the like.
fn is_attribute(line: &str) -> bool {
    line.trim_start().starts_with("#[")
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Where `word` stands in `line` as a whole word.
fn word_position(line: &str, word: &str) -> Option<usize> {
    let found = line.match_indices(word).find(|(start, _)| {
        let before = line[..*start].chars().next_back();
        let after = line[start + word.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    });
    found.map(|(start, _)| start)
}
