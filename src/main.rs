//! The program: hands its arguments to `tintype::boot`.

use std::os::unix::ffi::OsStringExt;
use tintype::boot::{self, Task};

fn main() {
    let arguments = std::env::args_os().map(OsStringExt::into_vec).collect();
    let code = match boot::task(arguments) {
        Ok(Task::Serve { arguments }) => boot::serve(arguments).unwrap_or_else(|reason| {
            eprintln!("{reason}");
            1
        }),
        Ok(Task::CheckRdb { file }) => boot::check_rdb(&file),
        Ok(Task::Convert { arguments }) => boot::convert::run(arguments),
        Ok(Task::Version) => {
            println!("{}", boot::version());
            0
        }
        Ok(Task::Help) => {
            print!("{}", boot::help());
            0
        }
        Err(usage) => {
            eprintln!("{usage}");
            1
        }
    };
    std::process::exit(code);
}
