//! The program: hands its arguments to `tintype::cli`, and starts what they ask for.

use std::os::unix::ffi::OsStringExt;
use tintype::boot;
use tintype::cli::{self, Task};

fn main() {
    let arguments = std::env::args_os().map(OsStringExt::into_vec).collect();
    let code = match cli::task(arguments) {
        Ok(Task::Serve { arguments }) => boot::serve(arguments).unwrap_or_else(|reason| {
            eprintln!("{reason}");
            1
        }),
        Ok(Task::Tool(tool)) => cli::run(&tool),
        Ok(Task::Version) => {
            println!("{}", cli::version());
            0
        }
        Ok(Task::Help) => {
            print!("{}", cli::help());
            0
        }
        Ok(Task::HelpOf(text)) => {
            print!("{text}");
            0
        }
        Err(usage) => {
            eprintln!("{usage}");
            2
        }
    };
    std::process::exit(code);
}
