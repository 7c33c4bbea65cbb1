//! The fuzzer: libFuzzer on one of the targets of `tests/fuzz/targets.rs`, named by `FUZZ_TARGET`.
//!
//! Built and run by `tests/fuzz/run`; as a bench it does nothing.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
#[path = "../tests/fuzz/targets.rs"]
mod targets;

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let name = std::env::var("FUZZ_TARGET").expect("FUZZ_TARGET names a target");
    let target = targets::TARGETS.iter().find(|(known, _)| *known == name).expect("a target of that name");
    (target.1)(bytes);
});

#[cfg(not(fuzzing))]
fn main() {
    println!("nothing fuzzed: run tests/fuzz/run TARGET");
}
