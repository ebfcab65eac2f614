//! The binary: arguments and settings in, exit code out. The only reader of the environment.

use std::process::ExitCode;

use clap::Parser;
use hallpass::cli::{self, Command};

/// Many small allocations a request: mimalloc makes them cheaper than the system's allocator does. Without huge pages, which
/// would make an idle server take 24 MiB instead of 14.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    let environment =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    cli::run(arguments.command.unwrap_or(Command::Serve { no_migrate: false }), environment)
}
