//! `redis.register_function`, the one thing that a library does while it is loaded.
//!
//! ```text
//!   registry.functions    1, 2, ...   {name=, callback=, flags=, description=}, in their order
//!                         a name      true
//! ```
//! The table is there only while a library is loaded, so that a library that keeps the function cannot use it later.

use crate::script::flags::{ScriptFlags, is_name};
use crate::script::lua::{Failure, Kind, REGISTRY, Reference, Stack, State};
use crate::script::redis::push_error;
use crate::spec::CommandError;
use crate::spec::error::until_nul;

const FUNCTIONS: &str = "functions";

/// What was registered.
pub struct Registered {
    pub name: Vec<u8>,
    pub callback: Reference,
    pub flags: ScriptFlags,
    pub description: Option<Vec<u8>>,
}

/// Pushes the table `redis` as a library sees it while it is loaded.
pub fn push_library(stack: &mut Stack<'_>) {
    crate::script::redis::push_loading_library(stack);
    stack.push_function(register_function, 0);
    stack.raw_set_field(-2, "register_function");
}

/// From now on functions can be registered.
pub fn begin(state: &mut State) {
    let mut stack = state.stack();
    stack.push_table(0, 0);
    stack.raw_set_field(REGISTRY, FUNCTIONS);
}

/// They no longer can.
pub fn end(state: &mut State) {
    let mut stack = state.stack();
    stack.push_nil();
    stack.raw_set_field(REGISTRY, FUNCTIONS);
}

/// What was registered since `begin`.
pub fn registered(state: &mut State) -> Vec<Registered> {
    let mut functions = Vec::new();
    loop {
        let mut stack = state.stack();
        stack.raw_get_field(REGISTRY, FUNCTIONS);
        if stack.raw_get_index(-1, functions.len() as i32 + 1) != Kind::Table {
            stack.cut(0);
            return functions;
        }
        let bytes = |stack: &mut Stack<'_>, field: &str| {
            stack.raw_get_field(-1, field);
            let bytes = stack.bytes(-1).map(<[u8]>::to_vec);
            stack.pop(1);
            bytes
        };
        let (name, description) = (bytes(&mut stack, "name"), bytes(&mut stack, "description"));
        stack.raw_get_field(-1, "flags");
        let flags = ScriptFlags::from_bits(stack.number(-1).unwrap_or(0.0) as u8);
        stack.pop(1);
        stack.raw_get_field(-1, "callback");
        drop(stack);
        let callback = state.keep();
        state.stack().cut(0);
        functions.push(Registered { name: name.unwrap_or_default(), callback, flags, description });
    }
}

/// The arguments, as places on the stack.
#[derive(Default)]
struct Given {
    name: Option<i32>,
    callback: Option<i32>,
    description: Option<i32>,
    flags: ScriptFlags,
}

fn fails(text: &str) -> Failure {
    Failure::Plain(text.into())
}

/// Its errors are tables, as those of the other functions of `redis`.
fn register_function(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    register(stack).map_err(|failure| match failure {
        Failure::Plain(text) => {
            push_error(stack, &[b"ERR ", &text[..]].concat());
            Failure::Top
        }
        other => other,
    })
}

fn register(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    if stack.raw_get_field(REGISTRY, FUNCTIONS) != Kind::Table {
        return Err(fails("redis.register_function can only be called on FUNCTION LOAD command"));
    }
    let functions = stack.len();
    let given = match stack.arguments() {
        1 => named(stack)?,
        2 => positional(stack)?,
        _ => return Err(fails("wrong number of arguments to redis.register_function")),
    };
    let name =
        given.name.ok_or_else(|| fails("redis.register_function must get a function name argument"))?;
    let callback =
        given.callback.ok_or_else(|| fails("redis.register_function must get a callback argument"))?;
    if !stack.bytes(name).is_some_and(is_name) {
        let text = CommandError::LibraryName.line().into_owned();
        return Err(Failure::Plain(text.strip_prefix(b"ERR ").unwrap_or(&text).to_vec()));
    }
    stack.push_copy(name);
    if stack.raw_get(functions) != Kind::Nil {
        return Err(fails("Function already exists in the library"));
    }
    stack.pop(1);
    stack.push_copy(name);
    stack.push_truth(true);
    stack.raw_set(functions)?;
    stack.push_table(0, 4);
    for (field, place) in
        [("name", Some(name)), ("callback", Some(callback)), ("description", given.description)]
    {
        if let Some(place) = place {
            stack.push_copy(place);
            stack.raw_set_field(-2, field);
        }
    }
    stack.push_number(given.flags.bits().into());
    stack.raw_set_field(-2, "flags");
    let next = stack.raw_len(functions) as i32 + 1;
    stack.raw_set_index(functions, next);
    Ok(0)
}

fn is_text(kind: Kind) -> bool {
    matches!(kind, Kind::String | Kind::Number)
}

/// `redis.register_function('name', function(keys, args) ... end)`
fn positional(stack: &mut Stack<'_>) -> Result<Given, Failure> {
    if !is_text(stack.kind(1)) {
        return Err(fails("first argument to redis.register_function must be a string"));
    }
    if stack.kind(2) != Kind::Function {
        return Err(fails("second argument to redis.register_function must be a function"));
    }
    stack.push_text_of(1);
    let name = Some(stack.len());
    Ok(Given { name, callback: Some(2), ..Given::default() })
}

/// `redis.register_function{function_name='name', callback=function(keys, args) ... end, flags={'no-writes'}}`
fn named(stack: &mut Stack<'_>) -> Result<Given, Failure> {
    if stack.kind(1) != Kind::Table {
        return Err(fails(
            "calling redis.register_function with a single argument is only applicable to Lua table (representing \
             named arguments).",
        ));
    }
    let mut given = Given::default();
    // What is found stays below the key.
    let first = stack.len();
    (0..3).for_each(|_| stack.push_nil());
    stack.push_nil();
    while stack.next(1) {
        let found = argument(stack, &mut given)?;
        if let Some(place) = found {
            let text = stack.kind(-1) != Kind::Function;
            if text {
                stack.push_text_of(-1);
                stack.replace(-2);
            }
            let slot = first + place;
            stack.replace(slot);
            match place {
                1 => given.name = Some(slot),
                2 => given.callback = Some(slot),
                _ => given.description = Some(slot),
            }
        } else {
            stack.pop(1);
        }
    }
    Ok(given)
}

/// One named argument, whose name and value are on the top. Where the value is to be kept.
fn argument(stack: &mut Stack<'_>, given: &mut Given) -> Result<Option<i32>, Failure> {
    let kind = stack.kind(-1);
    if !is_text(stack.kind(-2)) {
        return Err(fails("named argument key given to redis.register_function is not a string"));
    }
    // A number is no name that is known.
    let key = until_nul(stack.bytes(-2).unwrap_or_default());
    if key.eq_ignore_ascii_case(b"function_name") {
        let wrong = "function_name argument given to redis.register_function must be a string";
        return if is_text(kind) { Ok(Some(1)) } else { Err(fails(wrong)) };
    }
    if key.eq_ignore_ascii_case(b"callback") {
        let wrong = "callback argument given to redis.register_function must be a function";
        return if kind == Kind::Function { Ok(Some(2)) } else { Err(fails(wrong)) };
    }
    if key.eq_ignore_ascii_case(b"description") {
        let wrong = "description argument given to redis.register_function must be a string";
        return if is_text(kind) { Ok(Some(3)) } else { Err(fails(wrong)) };
    }
    if key.eq_ignore_ascii_case(b"flags") {
        if kind != Kind::Table {
            return Err(fails(
                "flags argument to redis.register_function must be a table representing function flags",
            ));
        }
        given.flags = flags(stack)?;
        return Ok(None);
    }
    Err(fails("unknown argument given to redis.register_function"))
}

/// The flags in the array on the top.
fn flags(stack: &mut Stack<'_>) -> Result<ScriptFlags, Failure> {
    let table = stack.len();
    let (mut flags, mut index) = (ScriptFlags::NONE, 1);
    while stack.raw_get_index(table, index) != Kind::Nil {
        let name = until_nul(stack.bytes(-1).unwrap_or_default()).to_ascii_lowercase();
        flags = flags.or(ScriptFlags::named(&name).ok_or_else(|| fails("unknown flag given"))?);
        stack.pop(1);
        index += 1;
    }
    stack.pop(1);
    Ok(flags)
}
