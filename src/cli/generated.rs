//! What packages install beside the binary, generated from the arguments: manual pages and completions.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::{Arguments, output};

/// Prints the completion script of a shell.
pub(super) fn completions(shell: Shell) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "hallpass", &mut script);
    output::print(String::from_utf8(script)?)
}

/// Writes a page for each command, such as `hallpass-user-add.1`.
pub(super) fn manual_pages(folder: &Path) -> Result<()> {
    let write = || {
        fs::create_dir_all(folder)?;
        clap_mangen::generate_to(Arguments::command(), folder)
    };
    write().with_context(|| format!("The manual pages can't be written to {}", folder.display()))
}
