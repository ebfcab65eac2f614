//! The binary: arguments and settings in, exit code out. The only reader of the environment.

use std::process::ExitCode;

use clap::Parser;
use hallpass::cli::{self, Command};

/// Many small allocations a request: mimalloc makes them cheaper than the system's allocator does. Without huge pages, which
/// would make an idle server take 24 MiB instead of 14.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match cli::Arguments::try_parse() {
        Ok(arguments) => {
            cli::run(arguments.command.unwrap_or(Command::Serve { no_migrate: false }), std::env::vars_os())
        }
        Err(help_or_mistake) => cli::explain(&help_or_mistake),
    }
}
