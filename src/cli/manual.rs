//! `quorate manual`: the manual pages, from the definition of the command line.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_mangen::Man;

use super::failure::{AnyError, Failure, cannot_print};

const EXAMPLES: &str = "\
Examples:
  quorate manual --directory /usr/local/share/man/man1    one page per command: quorate.1, quorate-serve.1 …
  quorate manual | man -l -                               read the first page";

/// Write the manual pages.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Manual {
    /// Directory to write all pages to; without it, the first page is printed.
    #[arg(short, long, value_name = "DIR")]
    directory: Option<PathBuf>,
}

impl Manual {
    pub(super) fn run(self, mut definition: Command) -> Result<(), Failure> {
        definition.build();
        let Some(directory) = self.directory else {
            let page = rendered(&definition)?;
            return std::io::stdout().write_all(&page).map_err(cannot_print);
        };
        std::fs::create_dir_all(&directory).map_err(cannot_write(&directory))?;
        let number = write_all(&definition, &directory)?;
        writeln!(
            std::io::stdout(),
            "Wrote {number} pages to {}",
            directory.display()
        )
        .map_err(cannot_print)
    }
}

/// Writes the page of a command and those of its subcommands; how many that were.
fn write_all(definition: &Command, directory: &Path) -> Result<usize, Failure> {
    let name = definition
        .get_display_name()
        .unwrap_or(definition.get_name());
    let file = directory.join(format!("{name}.1"));
    std::fs::write(&file, rendered(definition)?).map_err(cannot_write(&file))?;
    let mut number = 1;
    let shown = |command: &&Command| !command.is_hide_set() && command.get_name() != "help";
    for command in definition.get_subcommands().filter(shown) {
        number += write_all(command, directory)?;
    }
    Ok(number)
}

fn rendered(definition: &Command) -> Result<Vec<u8>, Failure> {
    let mut page = Vec::new();
    Man::new(definition.clone())
        .render(&mut page)
        .map_err(Failure::while_doing("cannot render the manual"))?;
    Ok(page)
}

fn cannot_write<E: Into<AnyError>>(path: &Path) -> impl FnOnce(E) -> Failure {
    Failure::while_doing(format!("cannot write `{}`", path.display()))
}
