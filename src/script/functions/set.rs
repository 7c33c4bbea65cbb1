//! Libraries by their names, and functions by theirs.

use super::Existing;
use crate::script::flags::ScriptFlags;
use crate::script::lua::Reference;
use crate::spec::CommandError;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A function that a library has registered.
#[derive(Debug)]
pub struct Function {
    pub name: Arc<[u8]>,
    pub callback: Reference,
    pub flags: ScriptFlags,
    pub description: Option<Box<[u8]>>,
}

#[derive(Debug)]
pub struct Library {
    pub name: Box<[u8]>,
    /// With its first line.
    pub code: Box<[u8]>,
    /// In the order in which they were registered.
    pub functions: Vec<Function>,
}

/// Where a function is.
#[derive(Debug)]
struct Address {
    library: Box<[u8]>,
    index: usize,
}

#[derive(Debug, Default)]
pub struct Set {
    libraries: BTreeMap<Box<[u8]>, Library>,
    /// In lower case.
    names: BTreeMap<Box<[u8]>, Address>,
    functions: usize,
}

impl Set {
    pub fn get(&self, name: &[u8]) -> Option<&Library> {
        self.libraries.get(name)
    }

    /// The function of a name, however that is written.
    #[inline]
    pub fn find(&self, name: &[u8]) -> Option<&Function> {
        let mut lower = [0; 64];
        let address = match lower.get_mut(..name.len()) {
            Some(lower) => {
                lower.copy_from_slice(name);
                lower.make_ascii_lowercase();
                self.names.get(&*lower)?
            }
            None => self.names.get(&*name.to_ascii_lowercase())?,
        };
        self.libraries.get(&address.library)?.functions.get(address.index)
    }

    /// The first function of `library` whose name a library has that is not `ignored`.
    pub fn clash<'l>(&self, library: &'l Library, ignored: impl Fn(&[u8]) -> bool) -> Option<&'l Function> {
        library.functions.iter().find(|function| {
            let there = self.names.get(&*function.name.to_ascii_lowercase());
            there.is_some_and(|address| !ignored(&address.library))
        })
    }

    /// Whether the libraries of `fresh` can come in here.
    pub fn check_union(&self, fresh: &Set, existing: Existing) -> Result<(), CommandError> {
        if existing == Existing::Refuse
            && let Some(library) = fresh.iter().find(|library| self.get(&library.name).is_some())
        {
            return Err(CommandError::quoting("ERR Library ", &library.name, " already exists"));
        }
        let is_replaced = |name: &[u8]| fresh.get(name).is_some();
        match fresh.iter().find_map(|library| self.clash(library, is_replaced)) {
            Some(function) => Err(function_is_there(function)),
            None => Ok(()),
        }
    }

    /// Adds a library whose name and functions are not here. Of functions of its own whose names differ in case only
    /// the first one is found, as in Redis.
    pub fn insert(&mut self, library: Library) {
        for (index, function) in library.functions.iter().enumerate() {
            let address = Address { library: library.name.clone(), index };
            self.names.entry(function.name.to_ascii_lowercase().into()).or_insert(address);
        }
        self.functions += library.functions.len();
        self.libraries.insert(library.name.clone(), library);
    }

    pub fn remove(&mut self, name: &[u8]) -> Option<Library> {
        let library = self.libraries.remove(name)?;
        self.functions -= library.functions.len();
        library.functions.iter().for_each(|function| {
            self.names.remove(&*function.name.to_ascii_lowercase());
        });
        Some(library)
    }

    pub fn into_libraries(self) -> impl Iterator<Item = Library> {
        self.libraries.into_values()
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Library> {
        self.libraries.values()
    }

    pub fn len(&self) -> usize {
        self.libraries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.libraries.is_empty()
    }

    pub fn functions(&self) -> usize {
        self.functions
    }

    /// About what all of it takes.
    pub fn heap_bytes(&self) -> usize {
        let of_function = |function: &Function| {
            let description = function.description.as_ref().map_or(0, |text| text.len());
            size_of::<Function>() + size_of::<(Box<[u8]>, Address)>() + 2 * function.name.len() + description
        };
        let of_library = |library: &Library| {
            let functions: usize = library.functions.iter().map(of_function).sum();
            let names = library.name.len() * (2 + library.functions.len());
            size_of::<(Box<[u8]>, Library)>() + names + library.code.len() + functions
        };
        self.iter().map(of_library).sum()
    }
}

pub(super) fn library_is_there(name: &[u8]) -> CommandError {
    CommandError::quoting("ERR Library '", name, "' already exists")
}

pub(super) fn function_is_there(function: &Function) -> CommandError {
    CommandError::quoting("ERR Function ", &function.name, " already exists")
}
