//! The stack of a Lua thread, as functions of ours see it.
//!
//! ```text
//!   1 .. arguments   what the function was called with: stays where it is until the function returns
//!   .. len()         what the function pushes; the last `n` of them are its results
//! ```
//! Indexes are Lua's: 1 is the bottom, -1 the top.
//!
//! Invariants
//! 1. Nothing here raises a Lua error or calls Lua code, but for `call`: an error would jump over Rust frames. Tables
//!    are read and written raw, without metamethods.
//! 2. Arguments are never popped or replaced, so the bytes of a string among them are good for the whole call (`'c`).
//! 3. Memory is never refused meanwhile (`memory`).

use super::function::{Failure, Function, NOT_ENOUGH_MEMORY, push_function, trampoline};
use super::state::{Machine, Reference};
use mlua_sys::lua51::{self as ffi, lua_State};
use std::ffi::{CStr, CString, c_int, c_void};
use std::marker::PhantomData;
use std::ptr::null_mut;
use std::slice;

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    None,
    Nil,
    Boolean,
    LightUserdata,
    Number,
    String,
    Table,
    Function,
    Userdata,
    Thread,
}

impl Kind {
    fn of(code: c_int) -> Kind {
        match code {
            ffi::LUA_TNIL => Kind::Nil,
            ffi::LUA_TBOOLEAN => Kind::Boolean,
            ffi::LUA_TLIGHTUSERDATA => Kind::LightUserdata,
            ffi::LUA_TNUMBER => Kind::Number,
            ffi::LUA_TSTRING => Kind::String,
            ffi::LUA_TTABLE => Kind::Table,
            ffi::LUA_TFUNCTION => Kind::Function,
            ffi::LUA_TUSERDATA => Kind::Userdata,
            ffi::LUA_TTHREAD => Kind::Thread,
            _ => Kind::None,
        }
    }

    /// As Lua names it in its errors.
    pub fn name(self) -> &'static str {
        match self {
            Kind::None => "no value",
            Kind::Nil => "nil",
            Kind::Boolean => "boolean",
            Kind::LightUserdata | Kind::Userdata => "userdata",
            Kind::Number => "number",
            Kind::String => "string",
            Kind::Table => "table",
            Kind::Function => "function",
            Kind::Thread => "thread",
        }
    }
}

/// A value to look at, found out in one go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum View<'v> {
    Nil,
    Boolean(bool),
    Number(f64),
    String(&'v [u8]),
    /// See `push_light`.
    Light(usize),
    Table,
    Other(Kind),
}

/// What `'c` is: the call of one function.
pub struct Stack<'c> {
    state: *mut lua_State,
    arguments: c_int,
    call: PhantomData<&'c ()>,
}

/// The machine that a state's allocator was made with.
///
/// # Safety
/// `data` must be what `memory::new_state` was given.
pub unsafe fn machine<'a>(data: *mut c_void) -> &'a Machine {
    // SAFETY: the caller's promise; the machine outlives the state and is only ever shared.
    unsafe { &*data.cast::<Machine>() }
}

impl<'c> Stack<'c> {
    /// For `call`: as many results as the function returns.
    pub const ALL_RESULTS: i32 = ffi::LUA_MULTRET;

    /// # Safety
    /// `state` must be a live state made by `State`, and stay so for `'c`; memory must be lenient for `'c`.
    pub unsafe fn new(state: *mut lua_State) -> Stack<'c> {
        // SAFETY: the state is live.
        Stack { state, arguments: unsafe { ffi::lua_gettop(state) }, call: PhantomData }
    }

    /// Outside of any call nothing has to stay.
    pub(super) fn release_arguments(&mut self) {
        self.arguments = 0;
    }

    /// The interpreter that this is the stack of.
    #[inline]
    pub fn machine(&self) -> &'c Machine {
        let mut data = null_mut();
        // SAFETY: the state is live; its allocator was made by `memory::new_state`.
        unsafe {
            ffi::lua_getallocf(self.state, &mut data);
            machine(data)
        }
    }

    #[inline]
    pub(super) fn raw(&self) -> *mut lua_State {
        self.state
    }

    /// How many arguments the function was called with.
    pub fn arguments(&self) -> i32 {
        self.arguments
    }

    /// Index of the top.
    #[inline]
    pub fn len(&self) -> i32 {
        // SAFETY: the state is live.
        unsafe { ffi::lua_gettop(self.state) }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The index counted from the bottom.
    #[inline]
    pub fn absolute(&self, index: i32) -> i32 {
        if index < 0 && index > ffi::LUA_REGISTRYINDEX { self.len() + 1 + index } else { index }
    }

    /// Makes sure that `slots` more values can be pushed. Without it, 20 can.
    ///
    /// # Errors
    /// The stack has a limit of some thousand values.
    pub fn reserve(&mut self, slots: usize) -> Result<(), Failure> {
        let slots = c_int::try_from(slots).unwrap_or(c_int::MAX);
        const SLOTS_MAX: c_int = 1 << 20;
        // SAFETY: the state is live; it tells by 0 when it has no room, and is never refused memory.
        if slots > SLOTS_MAX || unsafe { ffi::lua_checkstack(self.state, slots) } == 0 {
            return Err(Failure::Here(b"stack overflow".to_vec()));
        }
        Ok(())
    }

    #[inline]
    pub fn kind(&self, index: i32) -> Kind {
        // SAFETY: any index may be asked for, the state is live.
        Kind::of(unsafe { ffi::lua_type(self.state, index) })
    }

    #[inline]
    pub fn view(&self, index: i32) -> View<'_> {
        // SAFETY: any index may be asked for; a string stays while it is on the stack: nothing is popped while `self`
        // is borrowed. The pointer of a light userdata is not followed.
        unsafe {
            match Kind::of(ffi::lua_type(self.state, index)) {
                Kind::String => View::String(text_at(self.state, index)),
                Kind::Number => View::Number(ffi::lua_tonumber(self.state, index)),
                Kind::Table => View::Table,
                Kind::Boolean => View::Boolean(ffi::lua_toboolean(self.state, index) != 0),
                Kind::Nil => View::Nil,
                Kind::LightUserdata => View::Light(ffi::lua_touserdata(self.state, index).addr()),
                kind => View::Other(kind),
            }
        }
    }

    /// The bytes of a string. A number is none.
    #[inline]
    pub fn bytes(&self, index: i32) -> Option<&[u8]> {
        if self.kind(index) != Kind::String {
            return None;
        }
        // SAFETY: it is a string, which stays while it is on the stack: nothing is popped while `self` is borrowed.
        Some(unsafe { text_at(self.state, index) })
    }

    /// The bytes of an argument that is a string.
    #[inline]
    pub fn argument_bytes(&self, argument: i32) -> Option<&'c [u8]> {
        let is_string = (1..=self.arguments).contains(&argument) && self.kind(argument) == Kind::String;
        // SAFETY: it is a string, and arguments stay for the whole call.
        is_string.then(|| unsafe { text_at(self.state, argument) })
    }

    /// The bytes of an argument that is a string or a number, whose text it becomes.
    ///
    /// # Errors
    /// It is neither.
    pub fn check_bytes(&mut self, argument: i32) -> Result<&'c [u8], Failure> {
        let kind = self.kind(argument);
        if !(1..=self.arguments).contains(&argument) || !matches!(kind, Kind::String | Kind::Number) {
            return Err(self.wrong_kind(argument, "string"));
        }
        // SAFETY: a number becomes a string in its place, and arguments stay for the whole call.
        Ok(unsafe { text_at(self.state, argument) })
    }

    /// The value of a number. A string is none.
    #[inline]
    pub fn number(&self, index: i32) -> Option<f64> {
        // SAFETY: any index may be asked for.
        (self.kind(index) == Kind::Number).then(|| unsafe { ffi::lua_tonumber(self.state, index) })
    }

    /// The value of an argument that is a number or a string that reads as one.
    ///
    /// # Errors
    /// It is neither.
    pub fn check_number(&self, argument: i32) -> Result<f64, Failure> {
        // SAFETY: any index may be asked for.
        unsafe {
            let number = ffi::lua_tonumber(self.state, argument);
            // What is no number reads as 0: seldom has it to be asked.
            if number == 0.0 && ffi::lua_isnumber(self.state, argument) == 0 {
                return Err(self.wrong_kind(argument, "number"));
            }
            Ok(number)
        }
    }

    /// The argument as an integer, see `integer_of`.
    ///
    /// # Errors
    /// It is no number.
    pub fn check_integer(&self, argument: i32) -> Result<i64, Failure> {
        self.check_number(argument).map(integer_of)
    }

    /// # Errors
    /// The argument is of another kind.
    pub fn check_kind(&self, argument: i32, kind: Kind) -> Result<(), Failure> {
        if self.kind(argument) == kind { Ok(()) } else { Err(self.wrong_kind(argument, kind.name())) }
    }

    /// As Lua says that an argument is of the wrong type.
    pub fn wrong_kind(&self, argument: i32, expected: &str) -> Failure {
        let got = self.kind(argument).name();
        Failure::Argument(argument, format!("{expected} expected, got {got}").into_bytes())
    }

    /// What Lua takes a value for in a condition.
    #[inline]
    pub fn truth(&self, index: i32) -> bool {
        // SAFETY: any index may be asked for.
        unsafe { ffi::lua_toboolean(self.state, index) != 0 }
    }

    /// The number of a light userdata, see `push_light`.
    pub fn light(&self, index: i32) -> Option<usize> {
        // SAFETY: any index may be asked for; the pointer is not followed.
        (self.kind(index) == Kind::LightUserdata)
            .then(|| unsafe { ffi::lua_touserdata(self.state, index) }.addr())
    }

    /// Where a table, a function or a thread lies: equal for equal ones.
    pub fn identity(&self, index: i32) -> usize {
        // SAFETY: any index may be asked for; the pointer is not followed.
        unsafe { ffi::lua_topointer(self.state, index) }.addr()
    }

    /// Border of a table, or length of a string.
    #[inline]
    pub fn raw_len(&self, index: i32) -> usize {
        // SAFETY: any index may be asked for.
        unsafe { ffi::lua_objlen(self.state, index) }
    }

    /// Whether two values are the same, without metamethods.
    pub fn is_same(&self, one: i32, other: i32) -> bool {
        // SAFETY: any index may be asked for.
        unsafe { ffi::lua_rawequal(self.state, one, other) != 0 }
    }

    #[inline]
    pub fn push_nil(&mut self) {
        // SAFETY: the state is live and has room, see `reserve`.
        unsafe { ffi::lua_pushnil(self.state) }
    }

    #[inline]
    pub fn push_truth(&mut self, value: bool) {
        // SAFETY: as above.
        unsafe { ffi::lua_pushboolean(self.state, value.into()) }
    }

    #[inline]
    pub fn push_number(&mut self, value: f64) {
        // SAFETY: as above.
        unsafe { ffi::lua_pushnumber(self.state, value) }
    }

    #[inline]
    pub fn push_bytes(&mut self, bytes: &[u8]) {
        // SAFETY: as above; the bytes are copied. Memory is not refused.
        unsafe { ffi::lua_pushlstring_(self.state, bytes.as_ptr().cast(), bytes.len()) }
    }

    /// A value that only compares: `cjson.null`.
    pub fn push_light(&mut self, number: usize) {
        // SAFETY: as above; nobody follows the pointer.
        unsafe { ffi::lua_pushlightuserdata(self.state, std::ptr::without_provenance_mut(number)) }
    }

    /// A copy of the value at `index`.
    #[inline]
    pub fn push_copy(&mut self, index: i32) {
        // SAFETY: as above.
        unsafe { ffi::lua_pushvalue(self.state, index) }
    }

    /// A value that is kept.
    #[inline]
    pub fn push_kept(&mut self, reference: &Reference) {
        // SAFETY: the registry is a table.
        unsafe { ffi::lua_rawgeti_(self.state, ffi::LUA_REGISTRYINDEX, reference.0) }
    }

    /// The text of a string or a number.
    pub fn push_text_of(&mut self, index: i32) {
        self.push_copy(index);
        // SAFETY: a number becomes a string in its place, which is that of the copy. Memory is not refused.
        unsafe {
            ffi::lua_tolstring(self.state, -1, null_mut());
        }
    }

    /// A table with room for so many elements and fields.
    #[inline]
    pub fn push_table(&mut self, elements: usize, fields: usize) {
        let [elements, fields] = [elements, fields].map(|n| c_int::try_from(n).unwrap_or(c_int::MAX));
        // SAFETY: as above. Memory is not refused.
        unsafe { ffi::lua_createtable(self.state, elements, fields) }
    }

    /// A function of ours, with the `upvalues` topmost values as its own; they are popped.
    pub fn push_function(&mut self, function: Function, upvalues: i32) {
        assert!(self.len() - upvalues >= self.arguments, "arguments stay where they are");
        // SAFETY: the state is live, and has the upvalues.
        unsafe { push_function(self.state, function, upvalues) }
    }

    /// Index of an upvalue of the running function, the first being 1.
    pub fn upvalue(&self, number: i32) -> i32 {
        // The first one is what the trampoline finds the function by.
        ffi::lua_upvalueindex(number + 1)
    }

    /// The bytes of an upvalue that is a string. While the function runs no string among its upvalues is replaced.
    pub fn upvalue_bytes(&self, number: i32) -> Option<&'c [u8]> {
        let index = self.upvalue(number);
        // SAFETY: it is a string, and stays for the whole call.
        (self.kind(index) == Kind::String).then(|| unsafe { text_at(self.state, index) })
    }

    /// Replaces an upvalue that is a number.
    pub fn set_upvalue_number(&mut self, number: i32, value: f64) {
        let index = self.upvalue(number);
        assert!(self.kind(index) == Kind::Number, "a number");
        self.push_number(value);
        // SAFETY: there is such an upvalue, and a value.
        unsafe { ffi::lua_replace(self.state, index) }
    }

    /// Takes `count` values from the top.
    #[inline]
    pub fn pop(&mut self, count: i32) {
        let left = self.len() - count;
        assert!(left >= self.arguments, "arguments stay where they are");
        // SAFETY: so many are there.
        unsafe { ffi::lua_settop(self.state, left) }
    }

    /// Takes values from the top until `length` are left.
    pub fn cut(&mut self, length: i32) {
        assert!((self.arguments..=self.len()).contains(&length), "arguments stay where they are");
        // SAFETY: so many are there.
        unsafe { ffi::lua_settop(self.state, length) }
    }

    /// Moves the top to `index`, in the place of what was there.
    pub fn replace(&mut self, index: i32) {
        let index = self.absolute(index);
        assert!((self.arguments + 1..=self.len()).contains(&index), "arguments stay where they are");
        // SAFETY: there is such a value.
        unsafe { ffi::lua_replace(self.state, index) }
    }

    /// Moves the top to `index`; what was there and above goes up.
    pub fn insert(&mut self, index: i32) {
        let index = self.absolute(index);
        assert!((self.arguments + 1..=self.len()).contains(&index), "arguments stay where they are");
        // SAFETY: there is such a value.
        unsafe { ffi::lua_insert(self.state, index) }
    }

    fn must_be_table(&self, table: i32) {
        assert!(self.kind(table) == Kind::Table, "a table");
    }

    /// Replaces the key on the top by what the table holds for it.
    #[inline]
    pub fn raw_get(&mut self, table: i32) -> Kind {
        self.must_be_table(table);
        assert!(self.len() > self.arguments, "arguments stay where they are");
        // SAFETY: it is a table, and there is a key.
        unsafe { ffi::lua_rawget_(self.state, table) };
        self.kind(-1)
    }

    /// Replaces the key on the top by what a script would read from the table, which may call a function of the script.
    ///
    /// # Errors
    /// The error that it raised is on the top instead.
    pub fn get(&mut self, table: i32) -> Result<Kind, Failure> {
        let table = self.absolute(table);
        if !self.push_metatable(table) {
            return Ok(self.raw_get(table));
        }
        self.pop(1);
        self.must_be_table(table);
        // SAFETY: the state is live and has room. The function is Lua's to call.
        unsafe { ffi::lua_pushcclosure(self.state, get_field, 0) };
        self.insert(-2);
        self.push_copy(table);
        self.insert(-2);
        self.call(2, 1)?;
        Ok(self.kind(-1))
    }

    /// Pushes what the table holds for an integer.
    #[inline]
    pub fn raw_get_index(&mut self, table: i32, element: i32) -> Kind {
        self.must_be_table(table);
        // SAFETY: it is a table.
        unsafe { ffi::lua_rawgeti_(self.state, table, element) };
        self.kind(-1)
    }

    /// Pushes what the table holds for a string.
    #[inline]
    pub fn raw_get_field(&mut self, table: i32, name: &str) -> Kind {
        let table = self.absolute(table);
        self.push_bytes(name.as_bytes());
        self.raw_get(table)
    }

    /// Pops a value, and below it a key, and stores them.
    ///
    /// # Errors
    /// Nil and NaN are no keys.
    #[inline]
    pub fn raw_set(&mut self, table: i32) -> Result<(), Failure> {
        self.must_be_table(table);
        assert!(self.len() - 2 >= self.arguments, "arguments stay where they are");
        match self.kind(-2) {
            Kind::Nil => return Err(Failure::Plain(b"table index is nil".to_vec())),
            Kind::Number if self.number(-2).is_some_and(f64::is_nan) => {
                return Err(Failure::Plain(b"table index is NaN".to_vec()));
            }
            _ => {}
        }
        // SAFETY: it is a table, there are two values, and the key is one.
        unsafe { ffi::lua_rawset(self.state, table) };
        Ok(())
    }

    /// Pops a value and stores it for an integer.
    #[inline]
    pub fn raw_set_index(&mut self, table: i32, element: i32) {
        self.must_be_table(table);
        assert!(self.len() > self.arguments, "arguments stay where they are");
        // SAFETY: it is a table, and there is a value.
        unsafe { ffi::lua_rawseti_(self.state, table, element) }
    }

    /// Pops a value and stores it for a string.
    pub fn raw_set_field(&mut self, table: i32, name: &str) {
        let table = self.absolute(table);
        self.push_bytes(name.as_bytes());
        self.insert(-2);
        self.must_be_table(table);
        // SAFETY: it is a table, there are two values, and a string is a key.
        unsafe { ffi::lua_rawset(self.state, table) }
    }

    /// Replaces the key on the top by the next one and its value above it; at the end pops the key and is false. Nil is
    /// the key to begin with. Between two steps existing fields may be changed, but none added.
    ///
    /// # Errors
    /// The key is not in the table.
    #[inline]
    pub fn next(&mut self, table: i32) -> bool {
        self.must_be_table(table);
        assert!(self.len() > self.arguments, "arguments stay where they are");
        // SAFETY: it is a table; the key came from it, as the contract says.
        unsafe { ffi::lua_next(self.state, table) != 0 }
    }

    /// Shows the keys of a table, each as its value if it is a number, until one is refused; whether none was.
    #[inline]
    pub fn every_key(&mut self, table: i32, mut is_fine: impl FnMut(Option<f64>) -> bool) -> bool {
        let table = self.absolute(table);
        self.must_be_table(table);
        // SAFETY: it is a table, which nobody changes meanwhile; what is pushed is popped.
        unsafe {
            ffi::lua_pushnil(self.state);
            while ffi::lua_next(self.state, table) != 0 {
                ffi::lua_settop(self.state, -2);
                let is_number = ffi::lua_type(self.state, -1) == ffi::LUA_TNUMBER;
                if !is_fine(is_number.then(|| ffi::lua_tonumber(self.state, -1))) {
                    ffi::lua_settop(self.state, -2);
                    return false;
                }
            }
        }
        true
    }

    /// Pushes the metatable, when there is one.
    pub fn push_metatable(&mut self, index: i32) -> bool {
        // SAFETY: any index may be asked for.
        unsafe { ffi::lua_getmetatable(self.state, index) != 0 }
    }

    /// Pops a table, or nil, and makes it the metatable.
    pub fn set_metatable(&mut self, index: i32) {
        assert!(self.len() > self.arguments, "arguments stay where they are");
        assert!(matches!(self.kind(-1), Kind::Table | Kind::Nil), "a metatable");
        // SAFETY: there is a table or nil on the top.
        unsafe {
            ffi::lua_setmetatable(self.state, index);
        }
    }

    /// Calls the function below its `arguments` topmost values, and leaves `results` values (or `ALL_RESULTS`) in
    /// their place.
    ///
    /// # Errors
    /// The error that it raised is on the top instead.
    pub fn call(&mut self, arguments: i32, results: i32) -> Result<(), Failure> {
        let handler = self.len() - arguments;
        assert!(handler > self.arguments, "arguments stay where they are");
        self.check_room()?;
        self.reserve(1)?;
        let machine = self.machine();
        machine.passing.take();
        // SAFETY: the function and its arguments are there, and room for one more value; errors end here.
        let status = unsafe {
            ffi::lua_rawgeti(self.state, ffi::LUA_REGISTRYINDEX, machine.passing_handler.get().into());
            ffi::lua_insert(self.state, handler);
            let lenient = machine.memory.begin_strict();
            let status = ffi::lua_pcall(self.state, arguments, results, handler);
            machine.memory.end_strict(lenient);
            ffi::lua_remove(self.state, handler);
            status
        };
        if status == ffi::LUA_OK { Ok(()) } else { Err(Failure::Called) }
    }

    /// Compiles a chunk and pushes its function. `name` as for `State::load`.
    ///
    /// # Errors
    /// The text, with name and line, is on the top instead.
    pub fn load(&mut self, name: &[u8], body: &[u8]) -> Result<(), Failure> {
        let memory = &self.machine().memory;
        let lenient = memory.begin_strict();
        // SAFETY: the state is live.
        let status = unsafe { load_text(self.state, name, body) };
        memory.end_strict(lenient);
        if status == ffi::LUA_OK { Ok(()) } else { Err(Failure::Top) }
    }

    /// # Errors
    /// So many bytes more are beyond the limit: to be asked before much is allocated outside of Lua's own memory.
    pub fn check_memory(&self, bytes: usize) -> Result<(), Failure> {
        let memory = &self.machine().memory;
        if memory.has_room(bytes) { Ok(()) } else { Err(Failure::Plain(NOT_ENOUGH_MEMORY.to_vec())) }
    }

    /// For functions of ours that may take long: every some thousand steps. The script may be suspended meanwhile.
    ///
    /// # Errors
    /// The script is to end, or it has taken more memory than it may.
    pub fn tick(&mut self) -> Result<(), Failure> {
        if self.machine().memory.is_exceeded() {
            return Err(Failure::Plain(NOT_ENOUGH_MEMORY.to_vec()));
        }
        self.machine().tick(|| self.place(1)).map_err(Failure::Plain)
    }

    /// For a handler of errors: the place where the error was raised, which may have passed through functions of ours.
    pub fn raised_place(&self) -> Option<Place> {
        Place::raised(self.state)
    }

    /// The place in the script where the function at `level` of the call stack is: 0 is the running one, 1 its caller.
    pub fn place(&self, level: i32) -> Option<Place> {
        Place::at(self.state, level)
    }
}

/// Gets a table and a key.
///
/// # Safety
/// Only Lua calls it.
unsafe extern "C-unwind" fn get_field(state: *mut lua_State) -> c_int {
    // SAFETY: `get` has given both.
    unsafe { ffi::lua_gettable_(state, 1) };
    1
}

/// Compiles text, and never what was compiled before: that could be made to break the interpreter. Pushes a function,
/// or an error's text.
///
/// # Safety
/// The state must be live.
pub(super) unsafe fn load_text(state: *mut lua_State, name: &[u8], body: &[u8]) -> c_int {
    let name = CString::new(name.split(|byte| *byte == 0).next().unwrap_or_default()).unwrap_or_default();
    // Behind a space it is text, with a character in it that no text has.
    let spaced;
    let body = if body.starts_with(&ffi::LUA_SIGNATURE[..1]) {
        spaced = [b" ", body].concat();
        &spaced
    } else {
        body
    };
    // SAFETY: the caller's promise; the text is read during the call. Errors end there.
    unsafe { ffi::luaL_loadbuffer(state, body.as_ptr().cast(), body.len(), name.as_ptr()) }
}

/// # Safety
/// There must be a string or a number at `index`, which stays there for `'a`.
pub(super) unsafe fn text_at<'a>(state: *mut lua_State, index: c_int) -> &'a [u8] {
    let mut length = 0;
    // SAFETY: the caller's promise: Lua's strings do not move.
    unsafe {
        let start = ffi::lua_tolstring(state, index, &mut length);
        slice::from_raw_parts(start.cast(), length)
    }
}

/// A number cast as C does on x86, which is what scripts have seen: cut towards zero; what has no place is `i64::MIN`.
#[inline]
pub fn integer_of(number: f64) -> i64 {
    let fits = (-TWO_TO_63..TWO_TO_63).contains(&number);
    if fits { number as i64 } else { i64::MIN }
}

/// A number cast to one without a sign, likewise: beyond 2^64 it is 0, and -1 is the highest.
pub fn unsigned_of(number: f64) -> u64 {
    if number >= TWO_TO_63 {
        return integer_of(number - TWO_TO_63).cast_unsigned() ^ (1 << 63);
    }
    integer_of(number).cast_unsigned()
}

const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;

/// A place in a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// `user_script`, or `=[C]` for a function of ours.
    pub source: Vec<u8>,
    /// `user_script` as errors show it.
    pub short_source: Vec<u8>,
    /// -1 where lines are not known.
    pub line: i32,
    /// `Lua`, `C`, `main` or `tail`.
    pub what: Vec<u8>,
}

/// A handler of errors that notes the place of one which a function of ours will raise once more.
///
/// # Safety
/// Lua calls it, with a live state.
pub(super) unsafe extern "C-unwind" fn note_place(state: *mut lua_State) -> c_int {
    let raised = Place::raised(state);
    // SAFETY: the state is live.
    unsafe { Stack::new(state) }.machine().passing.set(raised);
    1
}

/// Whether the function at this level of the call stack is one of ours.
fn is_ours(state: *mut lua_State, level: c_int) -> bool {
    // SAFETY: all zeroes are a valid value of this C struct; the state is live, a handler has room for a value.
    unsafe {
        let mut debug: ffi::lua_Debug = std::mem::zeroed();
        if ffi::lua_getstack(state, level, &mut debug) == 0 {
            return false;
        }
        ffi::lua_getinfo(state, c"f".as_ptr(), &mut debug);
        let function = ffi::lua_tocfunction(state, -1);
        ffi::lua_settop(state, -2);
        function.is_some_and(|function| function as usize == trampoline as *const () as usize)
    }
}

impl Place {
    /// Where the error was raised that the running handler has got: in the function that raised it, or, if that is of
    /// C, in the one that called it.
    fn raised(state: *mut lua_State) -> Option<Place> {
        let place = Place::at(state, 1).filter(|place| place.what != b"C");
        // SAFETY: the state is live.
        let passing = || unsafe { Stack::new(state) }.machine().passing.take().filter(|_| is_ours(state, 1));
        place.or_else(passing).or_else(|| Place::at(state, 2))
    }

    fn at(state: *mut lua_State, level: c_int) -> Option<Place> {
        // SAFETY: all zeroes are a valid value of this C struct, which the calls fill in.
        let mut debug: ffi::lua_Debug = unsafe { std::mem::zeroed() };
        let text = |start: *const std::ffi::c_char| {
            // SAFETY: Lua gives texts that end with a zero, and stay while the function runs.
            if start.is_null() { Vec::new() } else { unsafe { CStr::from_ptr(start) }.to_bytes().to_vec() }
        };
        // SAFETY: the state is live; a level that is not there gives 0.
        unsafe {
            if ffi::lua_getstack(state, level, &mut debug) == 0 {
                return None;
            }
            ffi::lua_getinfo(state, c"Sl".as_ptr(), &mut debug);
        }
        Some(Place {
            source: text(debug.source),
            short_source: text(debug.short_src.as_ptr()),
            line: debug.currentline,
            what: text(debug.what),
        })
    }
}
